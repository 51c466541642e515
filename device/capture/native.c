/* What every sample passes through, compiled: widened, measured, and fed to libFLAC; device/capture/native.py calls it.
 *
 * It stands on nothing but the C library: libFLAC comes as a pointer to its function. Without it Python does the same,
 * to the same bytes, at several times the cost. .ci/native builds it.
 *
 * Source: ITU-R BS.1770-4, annex 1 (K-weighting, mean squares over 400 ms), its filters for any rate as libebur128
 * derives them; libFLAC's stream_encoder.h.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A library that was built from other layouts and arguments than native.py knows is not used: count it up with them. */
#define ABI 2

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples are read as they lie in memory");
_Static_assert(sizeof(int) == 4, "FLAC__bool is an int");

#define PI 3.14159265358979323846
#define CHANNELS_MOST 2
/* Sound is widened piece by piece, so that it stays in the nearest cache. */
#define PIECE 1152
/* Mean squares are kept for each hundredth of a second; 40 of them are the 400 ms of momentary loudness. */
#define PARTS 40
/* A filter that fades out ends here, long before numbers so small that processors are slow with them. */
#define FADED 1e-12
/* The least that 24 bits can say (packets.py), and the loudness of a mean square of 1. */
#define SILENCE_DBFS -144.5
#define LOUDNESS_OF_ONE -0.691

enum wire { S16_LE = 16, S24_3LE = 24, S32_LE = 32 };

static size_t bytes_of(enum wire wire) { return (size_t)wire / 8; }

static int bits_of(enum wire wire) { return wire == S16_LE ? 16 : 24; }

int sotto_native_abi(void) { return ABI; }

/* One sample that `from` points at, right-justified. `inside`: the byte before it can be read, too. */
static inline int32_t sample(const uint8_t *from, enum wire wire, int inside) {
    int16_t narrow;
    int32_t wide;
    if (wire == S16_LE) {
        memcpy(&narrow, from, sizeof narrow);
        return narrow;
    }
    if (wire == S24_3LE && !inside)
        return (int32_t)((uint32_t)from[0] << 8 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 24) >> 8;
    memcpy(&wide, wire == S24_3LE ? from - 1 : from, sizeof wide);
    return wide >> 8; /* the lowest byte is padding, or the sample before */
}

/* Every `step`-th sample from `from` on, `count` of them. */
static inline void widen(int32_t *restrict to, const uint8_t *restrict from, size_t count, size_t step,
                         enum wire wire) {
    if (count) to[0] = sample(from, wire, 0);
    for (size_t i = 1; i < count; i++) to[i] = sample(from + i * step * bytes_of(wire), wire, 1);
}

/* A loop of its own for each wire. */
static void widen_any(int32_t *to, const uint8_t *from, size_t count, size_t step, enum wire wire) {
    switch (wire) {
    case S16_LE:
        widen(to, from, count, step, S16_LE);
        break;
    case S24_3LE:
        widen(to, from, count, step, S24_3LE);
        break;
    default:
        widen(to, from, count, step, S32_LE);
    }
}

/* -- the meter --------------------------------------------------------------------------------------------------- */

/* Both channels at once; of one channel the second lane is silence. */
typedef double pair __attribute__((vector_size(16)));
typedef int32_t wide __attribute__((vector_size(8)));

struct meter {
    enum wire wire;
    uint32_t channels;
    uint32_t part_samples;
    double shelf_b[3], shelf_a[2], high_a[2];
    pair shelf1, shelf2, high1, high2; /* both filters' states (direct form II) */
    double part;          /* the sum of squares of the part under way, */
    uint32_t part_filled; /* and its samples */
    double parts[PARTS];  /* those of the last ones, in a ring */
    uint32_t newest;
};

/* Layout known to native.py: a Level, and the mean square in units of full scale. */
struct measured {
    double peak_dbfs, loudness_lufs, rms_dbfs, mean_square;
    int64_t clipped;
};

static void set_filters(struct meter *meter, double rate_hz) {
    double f = tan(PI * 1681.974450955533 / rate_hz), q = 0.7071752369554196;
    double high = pow(10, 3.999843853973347 / 20), band = pow(high, 0.4996667741545416);
    double scale = 1 + f / q + f * f;
    meter->shelf_b[0] = (high + band * f / q + f * f) / scale;
    meter->shelf_b[1] = 2 * (f * f - high) / scale;
    meter->shelf_b[2] = (high - band * f / q + f * f) / scale;
    meter->shelf_a[0] = 2 * (f * f - 1) / scale;
    meter->shelf_a[1] = (1 - f / q + f * f) / scale;
    f = tan(PI * 38.13547087602444 / rate_hz), q = 0.5003270373238773;
    scale = 1 + f / q + f * f;
    meter->high_a[0] = 2 * (f * f - 1) / scale;
    meter->high_a[1] = (1 - f / q + f * f) / scale;
}

struct meter *sotto_meter_new(uint32_t channels, uint32_t wire, uint32_t rate_hz) {
    if (channels < 1 || channels > CHANNELS_MOST || rate_hz < 100 * PARTS) return NULL;
    struct meter *meter = aligned_alloc(sizeof(pair), (sizeof *meter + sizeof(pair) - 1) / sizeof(pair) * sizeof(pair));
    if (!meter) return NULL;
    memset(meter, 0, sizeof *meter);
    meter->wire = (enum wire)wire;
    meter->channels = channels;
    meter->part_samples = (rate_hz + 50) / 100;
    set_filters(meter, rate_hz);
    return meter;
}

void sotto_meter_free(struct meter *meter) { free(meter); }

/* Both channels of one sample. */
static inline pair sample_of(const int32_t *values, size_t at, size_t channels) {
    if (channels == 1) return (pair){values[at], 0};
    wide two;
    memcpy(&two, values + 2 * at, sizeof two);
    return __builtin_convertvector(two, pair);
}

/* The squares of `count` samples: as they are (of both channels), and K-weighted into the part under way. */
static inline double weigh(struct meter *meter, const int32_t *values, size_t count, size_t channels) {
    const double b0 = meter->shelf_b[0], b1 = meter->shelf_b[1], b2 = meter->shelf_b[2];
    const double a1 = meter->shelf_a[0], a2 = meter->shelf_a[1], c1 = meter->high_a[0], c2 = meter->high_a[1];
    pair shelf1 = meter->shelf1, shelf2 = meter->shelf2, high1 = meter->high1, high2 = meter->high2;
    pair plain = {0, 0}, weighted = {0, 0};
    for (size_t i = 0; i < count; i++) {
        const pair x = sample_of(values, i, channels);
        /* What depends on the result before comes last: that is what everything waits for. */
        pair shelf = (x - a2 * shelf2) - a1 * shelf1;
        pair high = ((b0 * shelf + b1 * shelf1 + b2 * shelf2) - c2 * high2) - c1 * high1;
        pair out = (high - high1) - (high1 - high2);
        plain += x * x;
        weighted += out * out;
        shelf2 = shelf1, shelf1 = shelf, high2 = high1, high1 = high;
    }
    meter->shelf1 = shelf1, meter->shelf2 = shelf2, meter->high1 = high1, meter->high2 = high2;
    meter->part += weighted[0] + weighted[1];
    return plain[0] + plain[1];
}

static void let_fade(pair *value) {
    for (int lane = 0; lane < 2; lane++)
        if (fabs((*value)[lane]) < FADED) (*value)[lane] = 0;
}

static void end_part(struct meter *meter) {
    meter->newest = (meter->newest + 1) % PARTS;
    meter->parts[meter->newest] = meter->part;
    meter->part = 0;
    meter->part_filled = 0;
    let_fade(&meter->shelf1), let_fade(&meter->shelf2), let_fade(&meter->high1), let_fade(&meter->high2);
}

/* The mean square of the last 400 ms; before there were as many, what is missing counts as silence. */
static double momentary(const struct meter *meter) {
    double left = 1 - (double)meter->part_filled / meter->part_samples;
    double sum = meter->part + left * meter->parts[(meter->newest + 1) % PARTS];
    for (uint32_t i = 2; i <= PARTS; i++) sum += meter->parts[(meter->newest + i) % PARTS];
    return sum / ((double)PARTS * meter->part_samples);
}

static int64_t count_clipped(const int32_t *values, size_t count, int32_t top) {
    int64_t clipped = 0;
    for (size_t i = 0; i < count; i++) clipped += values[i] == top || values[i] == -top - 1;
    return clipped;
}

static double decibels(double square, double of_nothing) { return square > 0 ? 10 * log10(square) : of_nothing; }

/* Measure `count` samples × channels. */
void sotto_meter_write(struct meter *meter, const uint8_t *data, size_t count, struct measured *told) {
    int32_t values[PIECE * CHANNELS_MOST];
    const int32_t top = (int32_t)((UINT32_C(1) << (bits_of(meter->wire) - 1)) - 1);
    const double full = (double)top + 1;
    const size_t channels = meter->channels;
    int32_t high = 0, low = 0;
    double squares = 0;
    told->clipped = 0;
    for (size_t left = count, piece; left > 0; left -= piece) {
        piece = meter->part_samples - meter->part_filled;
        piece = piece < left ? piece : left;
        piece = piece < PIECE ? piece : PIECE;
        const size_t all = piece * channels;
        widen_any(values, data, all, 1, meter->wire);
        for (size_t i = 0; i < all; i++) {
            high = values[i] > high ? values[i] : high;
            low = values[i] < low ? values[i] : low;
        }
        if (high == top || low == -top - 1) told->clipped += count_clipped(values, all, top);
        squares += channels == 2 ? weigh(meter, values, piece, 2) : weigh(meter, values, piece, 1);
        data += all * bytes_of(meter->wire);
        meter->part_filled += (uint32_t)piece;
        if (meter->part_filled == meter->part_samples) end_part(meter);
    }
    const double peak = (-(double)low > high ? -(double)low : high) / full;
    told->mean_square = count ? squares / (double)(count * channels) / (full * full) : 0;
    told->peak_dbfs = decibels(peak * peak, SILENCE_DBFS);
    told->rms_dbfs = decibels(told->mean_square, SILENCE_DBFS);
    told->loudness_lufs = decibels(momentary(meter) / (full * full), -INFINITY) + LOUDNESS_OF_ONE;
}

/* -- the encoder's two ends -------------------------------------------------------------------------------------- */

/* Layout known to native.py: the frames that libFLAC wrote since it was last emptied. */
struct frames {
    uint8_t *data;
    uint32_t *sizes, *samples;
    uint64_t used, room;
    uint32_t count, slots;
};

void sotto_frames_free(struct frames *frames) {
    free(frames->data);
    free(frames->sizes);
    free(frames->samples);
    memset(frames, 0, sizeof *frames);
}

static int grow(struct frames *frames, size_t bytes) {
    if (frames->count == frames->slots) {
        uint32_t slots = frames->slots ? 2 * frames->slots : 64;
        uint32_t *sizes = realloc(frames->sizes, slots * sizeof *sizes);
        if (sizes) frames->sizes = sizes;
        uint32_t *samples = realloc(frames->samples, slots * sizeof *samples);
        if (samples) frames->samples = samples;
        if (!sizes || !samples) return 0;
        frames->slots = slots;
    }
    if (frames->room - frames->used < bytes) {
        uint64_t room = 2 * frames->room > frames->used + bytes ? 2 * frames->room : frames->used + bytes + (1 << 16);
        uint8_t *data = realloc(frames->data, room);
        if (!data) return 0;
        frames->data = data;
        frames->room = room;
    }
    return 1;
}

/* A FLAC__StreamEncoderWriteCallback: 0 is "written", 1 "fatal error". Metadata comes with no samples. */
int sotto_frames_take(const void *encoder, const uint8_t *data, size_t bytes, uint32_t samples, uint32_t number,
                      void *client) {
    struct frames *frames = client;
    (void)encoder, (void)number;
    if (!samples) return 0;
    if (!grow(frames, bytes)) return 1;
    memcpy(frames->data + frames->used, data, bytes);
    frames->used += bytes;
    frames->sizes[frames->count] = (uint32_t)bytes;
    frames->samples[frames->count++] = samples;
    return 0;
}

typedef int process(void *encoder, const int32_t *const channels[], uint32_t samples);

/* Widen `count` samples × channels and have `flac` (FLAC__stream_encoder_process) encode them; 0: it failed. */
int sotto_encode(process *flac, void *encoder, const uint8_t *data, size_t count, uint32_t channels, uint32_t wire) {
    int32_t wide[CHANNELS_MOST][PIECE];
    const int32_t *const ends[CHANNELS_MOST] = {wide[0], wide[1]};
    if (channels < 1 || channels > CHANNELS_MOST) return 0;
    for (size_t left = count, piece; left > 0; left -= piece) {
        piece = left < PIECE ? left : PIECE;
        for (uint32_t channel = 0; channel < channels; channel++)
            widen_any(wide[channel], data + channel * bytes_of((enum wire)wire), piece, channels, (enum wire)wire);
        if (!flac(encoder, ends, (uint32_t)piece)) return 0;
        data += piece * channels * bytes_of((enum wire)wire);
    }
    return 1;
}
