/* The floor: the least that recording sound can cost. Sound in periods as a microphone delivers them, FLAC of level 5,
 * ChaCha20-Poly1305 in chunks of 64 KiB, a file. No container, no ledger, no metering, no sync: it is measured, never used.
 *
 *     floor FILE START BYTES CHANNELS OUT LIVE [SECONDS]
 *
 * FILE holds little-endian 24-bit samples in BYTES from START on, played again and again. LIVE is 1: a period of 100 ms
 * comes when its time has come; 0: at once. It declares what it calls itself, so that no headers of either library are
 * needed; both interfaces have stood for more than ten years.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RATE_HZ 48000
#define PERIOD 4800
#define CHUNK 65536
#define TAG 16
#define BLOCK 1152 /* as the box has it (device/capture/encoder.py) */
#define SEAL_CTRL_GET_TAG 0x10

typedef struct FLAC__StreamEncoder FLAC__StreamEncoder;
FLAC__StreamEncoder *FLAC__stream_encoder_new(void);
int FLAC__stream_encoder_set_channels(FLAC__StreamEncoder *, uint32_t);
int FLAC__stream_encoder_set_bits_per_sample(FLAC__StreamEncoder *, uint32_t);
int FLAC__stream_encoder_set_sample_rate(FLAC__StreamEncoder *, uint32_t);
int FLAC__stream_encoder_set_compression_level(FLAC__StreamEncoder *, uint32_t);
int FLAC__stream_encoder_set_blocksize(FLAC__StreamEncoder *, uint32_t);
int FLAC__stream_encoder_set_do_md5(FLAC__StreamEncoder *, int);
int FLAC__stream_encoder_init_stream(FLAC__StreamEncoder *, void *write, void *, void *, void *, void *);
int FLAC__stream_encoder_process_interleaved(FLAC__StreamEncoder *, const int32_t *, uint32_t);
int FLAC__stream_encoder_finish(FLAC__StreamEncoder *);

typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
const void *EVP_chacha20_poly1305(void);
int EVP_EncryptInit_ex(EVP_CIPHER_CTX *, const void *, void *, const unsigned char *, const unsigned char *);
int EVP_EncryptUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
int EVP_EncryptFinal_ex(EVP_CIPHER_CTX *, unsigned char *, int *);
int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *, int, int, void *);

static EVP_CIPHER_CTX *cipher;
static unsigned char key[32], chunk[CHUNK], sealed[CHUNK + TAG];
static size_t filled;
static uint64_t counter;
static int out;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void seal(void) {
    unsigned char nonce[12] = {0};
    int size, rest;
    for (int i = 0; i < 8; i++) nonce[10 - i] = (unsigned char)(counter >> (8 * i)); /* age counts in 11 bytes */
    counter++;
    if (!EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, nonce) || !EVP_EncryptUpdate(cipher, sealed, &size, chunk, (int)filled) ||
        !EVP_EncryptFinal_ex(cipher, sealed + size, &rest) || !EVP_CIPHER_CTX_ctrl(cipher, SEAL_CTRL_GET_TAG, TAG, sealed + filled))
        fail("seal");
    if (write(out, sealed, filled + TAG) != (ssize_t)(filled + TAG)) fail("write");
    filled = 0;
}

static int take(const void *encoder, const unsigned char *data, size_t size, uint32_t samples, uint32_t frame, void *client) {
    (void)encoder, (void)samples, (void)frame, (void)client;
    while (size) {
        size_t part = size < CHUNK - filled ? size : CHUNK - filled;
        memcpy(chunk + filled, data, part);
        filled += part, data += part, size -= part;
        if (filled == CHUNK) seal();
    }
    return 0;
}

int main(int count, char **words) {
    if (count < 7) return 2;
    int in = open(words[1], O_RDONLY), channels = atoi(words[4]), live = atoi(words[6]);
    long start = atol(words[2]), bytes = atol(words[3]), at = 0;
    size_t size = (size_t)PERIOD * channels * 3;
    long periods = count > 7 ? atol(words[7]) * RATE_HZ / PERIOD : -1;
    unsigned char *raw = malloc(size);
    int32_t *samples = malloc((size_t)PERIOD * channels * 4);
    struct timespec next;
    FLAC__StreamEncoder *flac = FLAC__stream_encoder_new();
    out = open(words[5], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cipher = EVP_CIPHER_CTX_new();
    if (in < 0 || out < 0 || !raw || !samples || !flac || !cipher) fail("start");
    if (getentropy(key, sizeof key) || !EVP_EncryptInit_ex(cipher, EVP_chacha20_poly1305(), NULL, key, NULL)) fail("key");
    FLAC__stream_encoder_set_channels(flac, (uint32_t)channels);
    FLAC__stream_encoder_set_bits_per_sample(flac, 24);
    FLAC__stream_encoder_set_sample_rate(flac, RATE_HZ);
    FLAC__stream_encoder_set_compression_level(flac, 5);
    FLAC__stream_encoder_set_blocksize(flac, BLOCK);
    FLAC__stream_encoder_set_do_md5(flac, 0);
    if (FLAC__stream_encoder_init_stream(flac, (void *)take, NULL, NULL, NULL, NULL)) fail("FLAC");
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (; periods; periods -= periods > 0) {
        if (live) {
            next.tv_nsec += 100000000;
            if (next.tv_nsec >= 1000000000) next.tv_nsec -= 1000000000, next.tv_sec++;
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        }
        if (at + (long)size > bytes) at = 0;
        if (pread(in, raw, size, start + at) != (ssize_t)size) fail("read");
        at += (long)size;
        for (int i = 0; i < PERIOD * channels; i++)
            samples[i] = (int32_t)((uint32_t)raw[3 * i] << 8 | (uint32_t)raw[3 * i + 1] << 16 | (uint32_t)raw[3 * i + 2] << 24) >> 8;
        if (!FLAC__stream_encoder_process_interleaved(flac, samples, PERIOD)) fail("encode");
    }
    FLAC__stream_encoder_finish(flac);
    if (filled) seal();
    return 0;
}
