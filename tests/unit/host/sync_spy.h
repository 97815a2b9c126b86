/* sync_spy.h - notes what the program syncs, by fsync or fdatasync, LevelDB's calls included.
 *
 * Included by one file of a test program: it puts its own functions before the C library's. Any
 * thread: LevelDB syncs its tables on one of its own while the test syncs logs. */
#ifndef TESTS_UNIT_HOST_SYNC_SPY_H
#define TESTS_UNIT_HOST_SYNC_SPY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SYNC_SPY_MAX = 400, SYNC_SPY_PATH_BYTES = 200 };

static struct {
    char paths[SYNC_SPY_MAX][SYNC_SPY_PATH_BYTES];
    size_t n;
    pthread_mutex_t lock;
} sync_spy = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void sync_spy_note(int fd)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    pthread_mutex_lock(&sync_spy.lock);
    char *path = sync_spy.paths[sync_spy.n % SYNC_SPY_MAX];
    ssize_t len = readlink(link, path, SYNC_SPY_PATH_BYTES - 1);
    path[len > 0 ? len : 0] = '\0';
    sync_spy.n++;
    pthread_mutex_unlock(&sync_spy.lock);
}

int fsync(int fd)
{
    sync_spy_note(fd);
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    sync_spy_note(fd);
    return (int)syscall(SYS_fdatasync, fd);
}

static inline void sync_spy_reset(void)
{
    pthread_mutex_lock(&sync_spy.lock);
    sync_spy.n = 0;
    pthread_mutex_unlock(&sync_spy.lock);
}

/* Was the file or folder at path synced since the reset? */
static inline bool sync_spy_has(const char *path)
{
    bool found = false;
    pthread_mutex_lock(&sync_spy.lock);
    size_t n = sync_spy.n < SYNC_SPY_MAX ? sync_spy.n : SYNC_SPY_MAX;
    for (size_t i = 0; i < n && !found; i++)
        found = strcmp(sync_spy.paths[i], path) == 0;
    pthread_mutex_unlock(&sync_spy.lock);
    return found;
}

#endif
