/* Between a process and the C library: counts the calls that change files under one folder, and ends
 * the process at the n-th, or lets it fail. Built by crash_runs.py, put in by LD_PRELOAD, armed by
 * carmony_arm() in the process of a run; before that, and in programs that it starts, it does nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { COUNT, KILL_BEFORE, KILL_AFTER, FAIL_ONCE, FAIL_FROM };
enum { OPEN = 1, WRITE = 2, SYNC = 4, RENAME = 8, REMOVE = 16, MAKE = 32, MODE = 64 };

static char folder[PATH_MAX];
static size_t folder_length;
static int mode, error_number, kinds, trace = -1;
static long at;
static atomic_long counted;
static long clock_shift;

void carmony_arm(const char *path, int how, long n, int number, int which, int trace_to) {
    strncpy(folder, path, sizeof folder - 1);
    folder_length = strlen(folder);
    mode = how; at = n; error_number = number; kinds = which; trace = trace_to;
    atomic_store(&counted, 0);
}
long carmony_counted(void) { return atomic_load(&counted); }
void carmony_clock(long seconds) { clock_shift = seconds; }

static int inside(int dir, const char *path, char *whole) {
    char base[PATH_MAX];
    if (!folder_length || !path) return 0;
    if (path[0] == '/') { snprintf(whole, PATH_MAX, "%s", path); }
    else {
        char link[64];
        if (dir == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        ssize_t n = readlink(link, base, sizeof base - 1);
        if (n < 0) return 0;
        base[n] = 0;
        if (snprintf(whole, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return 0;
    }
    return !strncmp(whole, folder, folder_length);
}
static int inside_fd(int fd, char *whole) {
    char link[64];
    if (!folder_length) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, whole, PATH_MAX - 1);
    if (n < 0) return 0;
    whole[n] = 0;
    return !strncmp(whole, folder, folder_length);
}
static void end(void) { syscall(SYS_kill, syscall(SYS_getpid), SIGKILL); for (;;) pause(); }

/* -1: the call has to fail. 1: the process ends after the call. 0: go on. */
static int step(int kind, const char *name, const char *path) {
    if (!(kind & kinds)) return 0;
    long n = atomic_fetch_add(&counted, 1) + 1;
    if (trace >= 0) {
        char line[PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%ld %s %s\n", n, name, path);
        syscall(SYS_write, trace, line, length);
    }
    if (mode == KILL_BEFORE && n == at) end();
    if (mode == KILL_AFTER && n == at) return 1;
    if ((mode == FAIL_ONCE && n == at) || (mode == FAIL_FROM && n >= at)) {
        errno = error_number;
        return -1;
    }
    return 0;
}
#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define CALL(kind, name, inside_it, type, real) \
    char whole[PATH_MAX]; \
    int what = (inside_it) ? step(kind, name, whole) : 0; \
    if (what < 0) return (type)-1; \
    type result = real; \
    if (what > 0) end(); \
    return result;

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }
#define OPENER(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t bits = va_arg(rest, mode_t); va_end(rest); \
        CALL(OPEN, "open", writes(flags) && inside(AT_FDCWD, path, whole), int, \
             REAL(name)(path, flags, bits)) }
#define OPENER_AT(name) \
    int name(int dir, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t bits = va_arg(rest, mode_t); va_end(rest); \
        CALL(OPEN, "open", writes(flags) && inside(dir, path, whole), int, \
             REAL(name)(dir, path, flags, bits)) }
OPENER(open)
OPENER(open64)
OPENER_AT(openat)
OPENER_AT(openat64)

/* A write that is cut in half by the end of the process: the torn write. */
#define HALF(real_half) if (what > 0) { real_half; end(); }
#define WRITER(name, args, given, halved) \
    ssize_t name args { \
        char whole[PATH_MAX]; \
        int what = inside_fd(fd, whole) ? step(WRITE, "write", whole) : 0; \
        if (what < 0) return -1; \
        HALF(REAL(name) halved) \
        return REAL(name) given; }
WRITER(write, (int fd, const void *data, size_t n), (fd, data, n), (fd, data, n / 2))
WRITER(pwrite, (int fd, const void *data, size_t n, off_t o), (fd, data, n, o), (fd, data, n / 2, o))
WRITER(pwrite64, (int fd, const void *data, size_t n, off64_t o), (fd, data, n, o), (fd, data, n / 2, o))
WRITER(writev, (int fd, const struct iovec *parts, int n), (fd, parts, n), (fd, parts, n / 2))
ssize_t sendfile(int out, int in, off_t *o, size_t n);
ssize_t sendfile64(int out, int in, off64_t *o, size_t n);
ssize_t sendfile(int out, int in, off_t *o, size_t n) {
    CALL(WRITE, "write", inside_fd(out, whole), ssize_t, REAL(sendfile)(out, in, o, n)) }
ssize_t sendfile64(int out, int in, off64_t *o, size_t n) {
    CALL(WRITE, "write", inside_fd(out, whole), ssize_t, REAL(sendfile64)(out, in, o, n)) }
ssize_t copy_file_range(int in, off64_t *a, int out, off64_t *b, size_t n, unsigned f) {
    CALL(WRITE, "write", inside_fd(out, whole), ssize_t, REAL(copy_file_range)(in, a, out, b, n, f)) }
int ftruncate(int fd, off_t n) {
    CALL(WRITE, "truncate", inside_fd(fd, whole), int, REAL(ftruncate)(fd, n)) }
int ftruncate64(int fd, off64_t n) {
    CALL(WRITE, "truncate", inside_fd(fd, whole), int, REAL(ftruncate64)(fd, n)) }
int fsync(int fd) { CALL(SYNC, "fsync", inside_fd(fd, whole), int, REAL(fsync)(fd)) }
int fdatasync(int fd) { CALL(SYNC, "fsync", inside_fd(fd, whole), int, REAL(fdatasync)(fd)) }
int rename(const char *a, const char *b) {
    CALL(RENAME, "rename", inside(AT_FDCWD, b, whole), int, REAL(rename)(a, b)) }
int renameat(int d, const char *a, int e, const char *b) {
    CALL(RENAME, "rename", inside(e, b, whole), int, REAL(renameat)(d, a, e, b)) }
int link(const char *a, const char *b) {
    CALL(MAKE, "link", inside(AT_FDCWD, b, whole), int, REAL(link)(a, b)) }
int linkat(int d, const char *a, int e, const char *b, int f) {
    CALL(MAKE, "link", inside(e, b, whole), int, REAL(linkat)(d, a, e, b, f)) }
int symlink(const char *a, const char *b) {
    CALL(MAKE, "symlink", inside(AT_FDCWD, b, whole), int, REAL(symlink)(a, b)) }
int mkdir(const char *a, mode_t m) {
    CALL(MAKE, "mkdir", inside(AT_FDCWD, a, whole), int, REAL(mkdir)(a, m)) }
int mkdirat(int d, const char *a, mode_t m) {
    CALL(MAKE, "mkdir", inside(d, a, whole), int, REAL(mkdirat)(d, a, m)) }
int unlink(const char *a) {
    CALL(REMOVE, "unlink", inside(AT_FDCWD, a, whole), int, REAL(unlink)(a)) }
int unlinkat(int d, const char *a, int f) {
    CALL(REMOVE, "unlink", inside(d, a, whole), int, REAL(unlinkat)(d, a, f)) }
int rmdir(const char *a) {
    CALL(REMOVE, "rmdir", inside(AT_FDCWD, a, whole), int, REAL(rmdir)(a)) }
int chmod(const char *a, mode_t m) {
    CALL(MODE, "chmod", inside(AT_FDCWD, a, whole), int, REAL(chmod)(a, m)) }
int fchmodat(int d, const char *a, mode_t m, int f) {
    CALL(MODE, "chmod", inside(d, a, whole), int, REAL(fchmodat)(d, a, m, f)) }

int clock_gettime(clockid_t which, struct timespec *now) {
    static typeof(&clock_gettime) real;
    if (!real) real = REAL(clock_gettime);
    int result = real(which, now);
    if (!result && which == CLOCK_REALTIME) now->tv_sec += clock_shift;
    return result;
}
