/* Plays the microphone to programs that read from a pipe: a period of 100 ms when its time has come, or at once.
 *
 *     feed FILE START BYTES PERIOD_BYTES LIVE [PERIODS]
 *
 * It is what `arecord` would be. What it costs is counted on no side.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **words) {
    if (count < 6) return 2;
    int in = open(words[1], O_RDONLY);
    long start = atol(words[2]), bytes = atol(words[3]), size = atol(words[4]), at = 0;
    int live = atoi(words[5]);
    long periods = count > 6 ? atol(words[6]) : -1;
    char *raw = malloc((size_t)size);
    struct timespec next;
    if (in < 0 || !raw) return 1;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (; periods; periods -= periods > 0) {
        if (live) {
            next.tv_nsec += 100000000;
            if (next.tv_nsec >= 1000000000) next.tv_nsec -= 1000000000, next.tv_sec++;
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        }
        if (at + size > bytes) at = 0;
        if (pread(in, raw, (size_t)size, start + at) != size) return 1;
        at += size;
        for (long done = 0; done < size;) {
            ssize_t part = write(1, raw + done, (size_t)(size - done));
            if (part <= 0) return 1;
            done += part;
        }
    }
    return 0;
}
