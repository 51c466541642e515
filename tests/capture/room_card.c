/* A sound card that is a program: ALSA's own library asks it, as it asks a driver, what it can do and where it stands.
 *
 * It hears a raw file, for ever from its start to its end, in real time: what is heard at a moment depends on the
 * monotonic clock alone. So a reader that comes too late, or opens the card again, finds the room further on, and whoever
 * knows the file can tell exactly which samples are missing. The card is gone while its file is.
 *
 *     pcm_type.room { lib "/where/it/is/room_card.so" }
 *     pcm.name { type room file "room.raw" format S32_LE channels 2 buffer 19200 ppm 0 }
 *
 * buffer: its hardware buffer, in samples. ppm: by how much its clock is too fast. It always has 48 kHz.
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define RATE_HZ 48000
#define SECOND_NS 1000000000LL

struct room {
    snd_pcm_ioplug_t io;
    char *path;
    int file;
    size_t frame_bytes;
    uint64_t frames;   /* in the file */
    uint64_t started;  /* the room's frame at which it was started */
    uint64_t taken;    /* frames since then that were handed over */
    snd_pcm_uframes_t boundary;
    long ppm;
};

static uint64_t now_frame(const struct room *room) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    __extension__ unsigned __int128 ns = (uint64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
    return (uint64_t)(ns * (RATE_HZ / 1000) * (1000000 + room->ppm) / (SECOND_NS * 1000));
}

static int room_start(snd_pcm_ioplug_t *io) {
    struct room *room = io->private_data;
    long long ns = (SECOND_NS * io->period_size * 1000) / ((long long)(RATE_HZ / 1000) * (1000000 + room->ppm)) + 1;
    struct itimerspec period = {{ns / SECOND_NS, ns % SECOND_NS}, {ns / SECOND_NS, ns % SECOND_NS}};
    room->started = now_frame(room);
    room->taken = 0;
    return timerfd_settime(io->poll_fd, 0, &period, NULL) ? -errno : 0;
}

static int room_stop(snd_pcm_ioplug_t *io) {
    struct itimerspec never = {{0, 0}, {0, 0}};
    return timerfd_settime(io->poll_fd, 0, &never, NULL) ? -errno : 0;
}

static snd_pcm_sframes_t room_pointer(snd_pcm_ioplug_t *io) {
    struct room *room = io->private_data;
    uint64_t passed = now_frame(room) - room->started;
    if (access(room->path, R_OK)) {
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
        return room->taken % room->boundary;
    }
    if (passed - room->taken > io->buffer_size) return -EPIPE;
    return passed % room->boundary;
}

static snd_pcm_sframes_t room_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                       snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
    struct room *room = io->private_data;
    char *to = (char *)areas->addr + (areas->first + areas->step * offset) / 8;
    for (snd_pcm_uframes_t done = 0; done < size;) {
        uint64_t at = (room->started + room->taken) % room->frames;
        size_t part = size - done < room->frames - at ? size - done : room->frames - at;
        ssize_t bytes = part * room->frame_bytes;
        if (pread(room->file, to, bytes, at * room->frame_bytes) != bytes) return -EIO;
        to += bytes;
        done += part;
        room->taken += part;
    }
    return size;
}

static int room_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params) {
    struct room *room = io->private_data;
    return snd_pcm_sw_params_get_boundary(params, &room->boundary);
}

static int room_revents(snd_pcm_ioplug_t *io, struct pollfd *pfd, unsigned int nfds, unsigned short *revents) {
    struct room *room = io->private_data;
    uint64_t times;
    (void)nfds;
    *revents = 0;
    if (!(pfd->revents & POLLIN)) return 0;
    if (read(io->poll_fd, &times, sizeof times) < 0 && errno != EAGAIN) return -errno;
    *revents = access(room->path, R_OK) ? POLLERR : POLLIN;
    if (*revents == POLLERR) snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
    return 0;
}

static int room_close(snd_pcm_ioplug_t *io) {
    struct room *room = io->private_data;
    close(io->poll_fd);
    close(room->file);
    free(room->path);
    free(room);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = room_start,
    .stop = room_stop,
    .pointer = room_pointer,
    .transfer = room_transfer,
    .sw_params = room_sw_params,
    .poll_revents = room_revents,
    .close = room_close,
};

static int limit(snd_pcm_ioplug_t *io, snd_pcm_format_t format, long channels, size_t frame_bytes, long buffer) {
    unsigned int access = SND_PCM_ACCESS_RW_INTERLEAVED, wire = format;
    int err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, &access);
    if (!err) err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, &wire);
    if (!err) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels);
    if (!err) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, RATE_HZ, RATE_HZ);
    if (!err)
        err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 480 * frame_bytes,
                                              buffer / 2 * frame_bytes);
    if (!err)
        err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 960 * frame_bytes,
                                              buffer * frame_bytes);
    return err ? err : snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 1024);
}

SND_PCM_PLUGIN_DEFINE_FUNC(room) {
    snd_config_iterator_t here, next;
    const char *path = NULL, *wire = "S32_LE";
    long channels = 2, buffer = 192000, ppm = 0;
    (void)root;
    if (stream != SND_PCM_STREAM_CAPTURE) return -EINVAL;
    snd_config_for_each(here, next, conf) {
        snd_config_t *entry = snd_config_iterator_entry(here);
        const char *id;
        if (snd_config_get_id(entry, &id) < 0) continue;
        if (!strcmp(id, "file")) snd_config_get_string(entry, &path);
        if (!strcmp(id, "format")) snd_config_get_string(entry, &wire);
        if (!strcmp(id, "channels")) snd_config_get_integer(entry, &channels);
        if (!strcmp(id, "buffer")) snd_config_get_integer(entry, &buffer);
        if (!strcmp(id, "ppm")) snd_config_get_integer(entry, &ppm);
    }
    snd_pcm_format_t format = snd_pcm_format_value(wire);
    if (path == NULL || format == SND_PCM_FORMAT_UNKNOWN) return -EINVAL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;

    struct stat found;
    struct room *room = calloc(1, sizeof *room);
    fstat(file, &found);
    room->path = strdup(path);
    room->file = file;
    room->ppm = ppm;
    room->frame_bytes = channels * snd_pcm_format_physical_width(format) / 8;
    room->frames = found.st_size / room->frame_bytes;
    room->boundary = 1;
    room->io.version = SND_PCM_IOPLUG_VERSION;
    room->io.name = "a room in a file";
    room->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC | SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
    room->io.callback = &callbacks;
    room->io.private_data = room;
    room->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    room->io.poll_events = POLLIN;
    int err = snd_pcm_ioplug_create(&room->io, name, stream, mode);
    if (err < 0) {
        room_close(&room->io);
        return err;
    }
    if ((err = limit(&room->io, format, channels, room->frame_bytes, buffer)) < 0) {
        snd_pcm_ioplug_delete(&room->io);
        return err;
    }
    *pcmp = room->io.pcm;
    return 0;
}
SND_PCM_PLUGIN_SYMBOL(room);
