/* A disk that tells what it was asked, and fails when it is told to: loaded into a program of ours (LD_PRELOAD), it stands
 * between the program and the kernel for every call that changes something below one folder, the store.
 *
 *     DISK_STORE   the folder; its real path
 *     DISK_LOG     where each call is written down, in order, with its path, offset, data and outcome (shim.py reads it)
 *
 * The program may speak to it (ctypes): disk_mark() puts a note of its own into the log, and disk_fault() makes the n-th
 * call of some kinds from then on fail, be short or be slow. One lock is held around a call and its line in the log, so
 * that their order is true with several threads; a call that is to be slow waits before it takes the lock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Kinds of calls; the same numbers as Kind in shim.py. */
enum { CREATE = 1, WRITE, SIZE, SYNC, SYNC_FOLDER, RENAME, UNLINK, MKDIR, RMDIR, LINK, OPEN, READ, MARK, UNKNOWN, SYMLINK, ASIDE };
enum { FAIL = 0, SHORT = 1, STALL = 2 };

struct line {
    uint32_t kind;
    int32_t error;
    uint64_t inode;
    uint64_t at; /* offset of a write, new size of SIZE, end of what is set ASIDE */
    uint32_t path_bytes;
    uint32_t data_bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char store[PATH_MAX];
static size_t store_bytes;

static struct {
    uint32_t kinds; /* a bit for each */
    int nth;        /* counted from 1; 0: none */
    int lasting;    /* and every one after it */
    int what;
    int error; /* errno, or milliseconds of a stall */
    int seen;
    int hits;
} fault;

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("DISK_STORE"), *log = getenv("DISK_LOG");
    if (!folder || !log) return;
    snprintf(store, sizeof store, "%s", folder);
    store_bytes = strlen(store);
    log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd >= 0) { /* out of the way of a program that counts its descriptors */
        int high = fcntl(log_fd, F_DUPFD_CLOEXEC, 900);
        if (high >= 0) {
            syscall(SYS_close, log_fd);
            log_fd = high;
        }
    }
}

static int is_ours(const char *path) {
    if (log_fd < 0 || strncmp(path, store, store_bytes)) return 0;
    return path[store_bytes] == '/' || path[store_bytes] == 0;
}

/* Where a descriptor points. */
static int path_of(int fd, char *to) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t bytes = syscall(SYS_readlinkat, AT_FDCWD, link, to, PATH_MAX - 1);
    if (bytes < 0) return -1;
    to[bytes] = 0;
    return 0;
}

/* The whole path of a name that a call was given; our programs use no "..". */
static int whole(int folder, const char *name, char *to) {
    char base[PATH_MAX];
    if (name[0] == '/') return snprintf(to, PATH_MAX, "%s", name) < PATH_MAX ? 0 : -1;
    if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, base, sizeof base) < 0) return -1;
    } else if (path_of(folder, base)) {
        return -1;
    }
    return snprintf(to, PATH_MAX, "%s/%s", base, name) < PATH_MAX ? 0 : -1;
}

static uint64_t inode_of(int fd) {
    struct stat facts;
    int kept = errno;
    uint64_t inode = fstat(fd, &facts) ? 0 : facts.st_ino;
    errno = kept;
    return inode;
}

static void note(uint32_t kind, int error, uint64_t inode, uint64_t at, const char *path, const void *data,
                 size_t bytes) {
    int kept = errno;
    struct line line = {kind, error, inode, at, strlen(path), bytes};
    struct iovec parts[] = {{&line, sizeof line}, {(void *)path, line.path_bytes}, {(void *)data, bytes}};
    ssize_t all = sizeof line + line.path_bytes + bytes;
    if (syscall(SYS_writev, log_fd, parts, 3) != all) abort(); /* a log that is not whole proves nothing */
    errno = kept;
}

/* What is to go wrong with this call: -1 nothing, FAIL (errno is set) or SHORT. Waits here if it is to be slow. */
static int wrong(uint32_t kind) {
    pthread_mutex_lock(&lock);
    int hit = 0;
    if (fault.nth && fault.kinds & 1u << kind) {
        fault.seen++;
        hit = fault.seen == fault.nth || (fault.lasting && fault.seen > fault.nth);
        fault.hits += hit;
    }
    int what = fault.what, error = fault.error;
    pthread_mutex_unlock(&lock);
    if (!hit) return -1;
    if (what == STALL) {
        struct timespec time = {error / 1000, (error % 1000) * 1000000L};
        nanosleep(&time, NULL);
        return -1;
    }
    errno = error;
    return what;
}

/* -- what a program may ask of the disk -------------------------------------------------------------------------- */

void disk_mark(const char *text, size_t bytes) {
    if (log_fd < 0) return;
    pthread_mutex_lock(&lock);
    note(MARK, 0, 0, 0, "", text, bytes);
    pthread_mutex_unlock(&lock);
}

void disk_fault(uint32_t kinds, int nth, int lasting, int what, int error) {
    pthread_mutex_lock(&lock);
    fault.kinds = kinds, fault.nth = nth, fault.lasting = lasting, fault.what = what, fault.error = error;
    fault.seen = fault.hits = 0;
    pthread_mutex_unlock(&lock);
}

/* How many calls went wrong since disk_fault(). */
int disk_hits(void) { return fault.hits; }

/* -- files ------------------------------------------------------------------------------------------------------- */

static int open_(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (log_fd < 0 || whole(folder, name, path) || !is_ours(path))
        return syscall(SYS_openat, folder, name, flags, mode);
    int writes = (flags & O_ACCMODE) != O_RDONLY;
    uint32_t kind = flags & (O_CREAT | O_TRUNC) ? CREATE : writes || flags & O_DIRECTORY ? OPEN : READ;
    if (wrong(kind) == FAIL) return -1;
    pthread_mutex_lock(&lock);
    struct stat facts;
    int was = syscall(SYS_newfstatat, AT_FDCWD, path, &facts, 0) == 0;
    int fd = syscall(SYS_openat, folder, name, flags, mode);
    if (fd >= 0 && kind == CREATE && (!was || flags & O_TRUNC))
        note(was ? SIZE : CREATE, 0, inode_of(fd), 0, path, "", 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE_OF(flags, last)                                     \
    mode_t mode = 0;                                             \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list more;                                            \
        va_start(more, last);                                    \
        mode = va_arg(more, mode_t);                             \
        va_end(more);                                            \
    }

int open(const char *name, int flags, ...) {
    MODE_OF(flags, flags)
    return open_(AT_FDCWD, name, flags, mode);
}
int open64(const char *name, int flags, ...) {
    MODE_OF(flags, flags)
    return open_(AT_FDCWD, name, flags, mode);
}
int openat(int folder, const char *name, int flags, ...) {
    MODE_OF(flags, flags)
    return open_(folder, name, flags, mode);
}
int openat64(int folder, const char *name, int flags, ...) {
    MODE_OF(flags, flags)
    return open_(folder, name, flags, mode);
}

static ssize_t write_(int fd, const void *data, size_t bytes, int placed, off_t at) {
    char path[PATH_MAX];
#define REALLY(n) (placed ? syscall(SYS_pwrite64, fd, data, n, at) : syscall(SYS_write, fd, data, n))
    if (log_fd < 0 || path_of(fd, path) || !is_ours(path)) return REALLY(bytes);
    int how = wrong(WRITE);
    if (how == FAIL) return -1;
    if (how == SHORT) bytes = bytes > 1 ? bytes / 2 : bytes;
    pthread_mutex_lock(&lock);
    ssize_t done = REALLY(bytes);
    if (done > 0) note(WRITE, 0, inode_of(fd), placed ? at : lseek(fd, 0, SEEK_CUR) - done, path, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t bytes) { return write_(fd, data, bytes, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) { return write_(fd, data, bytes, 1, at); }
ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) { return write_(fd, data, bytes, 1, at); }

static ssize_t read_(int fd, void *data, size_t bytes, int placed, off_t at) {
    char path[PATH_MAX];
    if (log_fd >= 0 && fault.kinds & 1u << READ && !path_of(fd, path) && is_ours(path) && wrong(READ) == FAIL) return -1;
    return placed ? syscall(SYS_pread64, fd, data, bytes, at) : syscall(SYS_read, fd, data, bytes);
}

ssize_t read(int fd, void *data, size_t bytes) { return read_(fd, data, bytes, 0, 0); }
ssize_t pread(int fd, void *data, size_t bytes, off_t at) { return read_(fd, data, bytes, 1, at); }
ssize_t pread64(int fd, void *data, size_t bytes, off64_t at) { return read_(fd, data, bytes, 1, at); }

static int size_(int fd, off_t bytes) {
    char path[PATH_MAX];
    if (log_fd < 0 || path_of(fd, path) || !is_ours(path)) return syscall(SYS_ftruncate, fd, bytes);
    if (wrong(SIZE) == FAIL) return -1;
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_ftruncate, fd, bytes);
    if (!failed) note(SIZE, 0, inode_of(fd), bytes, path, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int ftruncate(int fd, off_t bytes) { return size_(fd, bytes); }
int ftruncate64(int fd, off64_t bytes) { return size_(fd, bytes); }

/* Room behind the end of a file; what else fallocate(2) can do nobody of ours asks for. */
static int aside_(int fd, int mode, off_t at, off_t bytes) {
    char path[PATH_MAX];
    if (log_fd < 0 || path_of(fd, path) || !is_ours(path)) return syscall(SYS_fallocate, fd, mode, at, bytes);
    if (wrong(ASIDE) == FAIL) return -1;
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_fallocate, fd, mode, at, bytes);
    if (!failed && mode == FALLOC_FL_KEEP_SIZE)
        note(ASIDE, 0, inode_of(fd), at + bytes, path, "", 0);
    else if (!failed)
        note(UNKNOWN, 0, 0, 0, path, "fallocate", strlen("fallocate"));
    pthread_mutex_unlock(&lock);
    return failed;
}

int fallocate(int fd, int mode, off_t at, off_t bytes) { return aside_(fd, mode, at, bytes); }
int fallocate64(int fd, int mode, off64_t at, off64_t bytes) { return aside_(fd, mode, at, bytes); }
int posix_fallocate(int fd, off_t at, off_t bytes) { return aside_(fd, 0, at, bytes) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t bytes) { return aside_(fd, 0, at, bytes) ? errno : 0; }

static int sync_(int fd, long call) {
    char path[PATH_MAX];
    struct stat facts;
    if (log_fd < 0 || path_of(fd, path) || !is_ours(path) || fstat(fd, &facts)) return syscall(call, fd);
    uint32_t kind = S_ISDIR(facts.st_mode) ? SYNC_FOLDER : SYNC;
    int how = wrong(kind), error = errno;
    pthread_mutex_lock(&lock);
    int failed = how == FAIL ? -1 : (int)syscall(call, fd);
    if (how != FAIL) error = errno;
    note(kind, failed ? error : 0, facts.st_ino, 0, path, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return failed;
}

int fsync(int fd) { return sync_(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_(fd, SYS_fdatasync); }

/* -- names ------------------------------------------------------------------------------------------------------- */

static int remove_(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    if (log_fd < 0 || whole(folder, name, path) || !is_ours(path)) return syscall(SYS_unlinkat, folder, name, flags);
    uint32_t kind = flags & AT_REMOVEDIR ? RMDIR : UNLINK;
    if (wrong(kind) == FAIL) return -1;
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_unlinkat, folder, name, flags);
    if (!failed) note(kind, 0, 0, 0, path, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int unlink(const char *name) { return remove_(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return remove_(folder, name, flags); }
int rmdir(const char *name) { return remove_(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    if (log_fd < 0 || whole(folder, name, path) || !is_ours(path)) return syscall(SYS_mkdirat, folder, name, mode);
    if (wrong(MKDIR) == FAIL) return -1;
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_mkdirat, folder, name, mode);
    if (!failed) note(MKDIR, 0, 0, 0, path, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

/* A second name, or another one. */
static int name_(uint32_t kind, int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
#define NAME() (kind == RENAME ? syscall(SYS_renameat2, from_folder, from, to_folder, to, flags) \
                               : syscall(SYS_linkat, from_folder, from, to_folder, to, flags))
    if (log_fd < 0 || whole(from_folder, from, old) || whole(to_folder, to, new) || !(is_ours(old) || is_ours(new)))
        return NAME();
    if (wrong(kind) == FAIL) return -1;
    pthread_mutex_lock(&lock);
    int failed = NAME();
    if (!failed) note(kind, 0, 0, 0, old, new, strlen(new));
    pthread_mutex_unlock(&lock);
    return failed;
}

int rename(const char *from, const char *to) { return name_(RENAME, AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return name_(RENAME, a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return name_(RENAME, a, from, b, to, flags);
}
int link(const char *from, const char *to) { return name_(LINK, AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return name_(LINK, a, from, b, to, flags); }

/* A name that stands for another one; what it says comes with the name, in one piece. */
int symlinkat(const char *to, int folder, const char *name) {
    char path[PATH_MAX];
    if (log_fd < 0 || whole(folder, name, path) || !is_ours(path)) return syscall(SYS_symlinkat, to, folder, name);
    if (wrong(SYMLINK) == FAIL) return -1;
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_symlinkat, to, folder, name);
    if (!failed) note(SYMLINK, 0, 0, 0, path, to, strlen(to));
    pthread_mutex_unlock(&lock);
    return failed;
}
int symlink(const char *to, const char *name) { return symlinkat(to, AT_FDCWD, name); }

/* -- what nobody of ours calls: noted, so that the tests stop rather than believe in a log that lacks something ---- */

#define UNKNOWN_FD(fd, call)                                                                    \
    char path[PATH_MAX];                                                                        \
    if (log_fd >= 0 && !path_of(fd, path) && is_ours(path)) note(UNKNOWN, 0, 0, 0, path, call, strlen(call));

ssize_t writev(int fd, const struct iovec *parts, int count) {
    UNKNOWN_FD(fd, "writev")
    return syscall(SYS_writev, fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    UNKNOWN_FD(fd, "pwritev")
    return syscall(SYS_pwritev, fd, parts, count, at, 0);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return pwritev(fd, parts, count, at); }
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t at, int flags) {
    UNKNOWN_FD(fd, "pwritev2")
    return syscall(SYS_pwritev2, fd, parts, count, at, 0, flags);
}
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t at, int flags) {
    return pwritev2(fd, parts, count, at, flags);
}
ssize_t sendfile(int to, int from, off_t *at, size_t bytes) {
    UNKNOWN_FD(to, "sendfile")
    return syscall(SYS_sendfile, to, from, at, bytes);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t bytes) { return sendfile(to, from, at, bytes); }
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t bytes, unsigned flags) {
    UNKNOWN_FD(to, "copy_file_range")
    return syscall(SYS_copy_file_range, from, a, to, b, bytes, flags);
}

#define UNKNOWN_NAME(folder, name, call)                                                             \
    char path[PATH_MAX];                                                                             \
    if (log_fd >= 0 && !whole(folder, name, path) && is_ours(path)) note(UNKNOWN, 0, 0, 0, path, call, strlen(call));

int truncate(const char *name, off_t bytes) {
    UNKNOWN_NAME(AT_FDCWD, name, "truncate")
    return syscall(SYS_truncate, name, bytes);
}
int truncate64(const char *name, off64_t bytes) { return truncate(name, bytes); }
