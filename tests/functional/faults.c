/* faults.c - preloaded into cairnd by test_faults.py and others: a disk that fails at a chosen
 * call, or is slow, and a clock that is wrong.
 *
 * CAIRN_FAULT=WHAT:N makes the N-th changing call (write, sync, rename, truncate, unlink) on a file
 * below blocks/, chainstate/ or index/ fail: WHAT "kill" ends the process just before the call,
 * "after" just after it, "torn" in the middle of a write; an errno number makes it and all later
 * calls of the same kind fail so; "once" and an errno number makes it alone fail, and then opening
 * a file counts as a call too. Which calls: CAIRN_FAULT_CALLS=open,read,write,sync,rename,unlink,
 * truncate,mkdir, those that it has; CAIRN_FAULT_FILES=WORD, those on files with it in their path;
 * CAIRN_FAULT_WHILE=FILE, none while that file is not there. CAIRN_CLOCK=S sets the wall clock on
 * by S seconds, or back. CAIRN_SLOW_READ_US makes each read of a block file last that long, as one
 * that is not in the page cache does. Not linked into any program. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static int is_ours(const char *path)
{
    return strstr(path, "/blocks/") || strstr(path, "/chainstate") || strstr(path, "/index");
}

/* The path of an open file; "" if it has none. */
static const char *path_of(int fd, char path[4096])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    path[n > 0 ? n : 0] = 0;
    return path;
}

/* Is it a call that this plan counts? */
static int is_counted(const char *plan, const char *call, const char *path)
{
    const char *calls_wanted = getenv("CAIRN_FAULT_CALLS"), *word = getenv("CAIRN_FAULT_FILES");
    const char *condition = getenv("CAIRN_FAULT_WHILE");
    if (word ? !strstr(path, word) : !is_ours(path))
        return 0;
    if (condition && access(condition, F_OK) != 0)
        return 0;
    if (calls_wanted)
        return strstr(calls_wanted, call) != NULL;
    if (strcmp(call, "read") == 0 || strcmp(call, "mkdir") == 0)
        return 0;
    return plan[0] == 'o' || strcmp(call, "open") != 0;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

/* Count the call. Returns 0 to go on, 1 to tear it, 2 to die after it, or -1 with errno set. */
static int fault(const char *call, const char *path)
{
    const char *plan = getenv("CAIRN_FAULT");
    const char *colon = plan ? strchr(plan, ':') : NULL;
    int before = errno;
    if (!colon || !is_counted(plan, call, path)) {
        errno = before;
        return 0;
    }
    errno = before;
    long at = atol(colon + 1), now = atomic_fetch_add(&calls, 1) + 1;
    int is_for_good = plan[0] >= '1' && plan[0] <= '9';
    if (is_for_good ? now < at : now != at)
        return 0;
    if (plan[0] == 'o' || is_for_good) {
        int code = atoi(is_for_good ? plan : plan + strlen("once"));
        if (now == at)
            dprintf(STDERR_FILENO, "faults.c: %s of %s: error %d\n", call, path, code);
        errno = code;
        return -1;
    }
    if (plan[0] == 'k')
        die();
    return plan[0] == 't' ? 1 : 2;
}

static int fault_fd(const char *call, int fd)
{
    char path[4096];
    return getenv("CAIRN_FAULT") ? fault(call, path_of(fd, path)) : 0;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FINISH(result)                                                                             \
    do {                                                                                           \
        __typeof__(result) value = (result);                                                       \
        if (how == 2)                                                                              \
            die();                                                                                 \
        return value;                                                                              \
    } while (0)

ssize_t write(int fd, const void *p, size_t n)
{
    NEXT(write);
    int how = fault_fd("write", fd);
    if (how < 0)
        return -1;
    if (how == 1) {
        next(fd, p, n / 2);
        die();
    }
    FINISH(next(fd, p, n));
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    NEXT(pwrite64);
    int how = fault_fd("write", fd);
    if (how < 0)
        return -1;
    if (how == 1) {
        next(fd, p, n / 2, at);
        die();
    }
    FINISH(next(fd, p, n, at));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}

static void slow_read(int fd)
{
    char path[4096];
    const char *us = getenv("CAIRN_SLOW_READ_US");
    if (us && strstr(path_of(fd, path), "/blocks/blk"))
        usleep((useconds_t)atol(us));
}

ssize_t read(int fd, void *p, size_t n)
{
    NEXT(read);
    return fault_fd("read", fd) < 0 ? -1 : next(fd, p, n);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    NEXT(pread64);
    slow_read(fd);
    return fault_fd("read", fd) < 0 ? -1 : next(fd, p, n, at);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    return pread64(fd, p, n, at);
}

int fsync(int fd)
{
    NEXT(fsync);
    int how = fault_fd("sync", fd);
    if (how < 0)
        return -1;
    FINISH(next(fd));
}

int fdatasync(int fd)
{
    NEXT(fdatasync);
    int how = fault_fd("sync", fd);
    if (how < 0)
        return -1;
    FINISH(next(fd));
}

int ftruncate64(int fd, off64_t size)
{
    NEXT(ftruncate64);
    int how = fault_fd("truncate", fd);
    if (how < 0)
        return -1;
    FINISH(next(fd, size));
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

int rename(const char *from, const char *to)
{
    NEXT(rename);
    int how = fault("rename", to);
    if (how < 0)
        return -1;
    FINISH(next(from, to));
}

int unlink(const char *path)
{
    NEXT(unlink);
    int how = fault("unlink", path);
    if (how < 0)
        return -1;
    FINISH(next(path));
}

int mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir);
    int how = fault("mkdir", path);
    if (how < 0)
        return -1;
    FINISH(next(path, mode));
}

int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
    va_end(args);
    return fault("open", path) < 0 ? -1 : next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    NEXT(open64);
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
    va_end(args);
    return fault("open", path) < 0 ? -1 : next(path, flags, mode);
}

/* -- The wall clock ----------------------------------------------------------------------------
 */

int clock_gettime(clockid_t clock, struct timespec *at)
{
    NEXT(clock_gettime);
    const char *seconds = getenv("CAIRN_CLOCK");
    int result = next(clock, at);
    if (result == 0 && clock == CLOCK_REALTIME && seconds)
        at->tv_sec += (time_t)atoll(seconds);
    return result;
}
