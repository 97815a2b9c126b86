/* datadir_lock.c - see datadir_lock.h */
#include "host/datadir_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/parse.h"

static char *lock_error(const char *dir, int code)
{
    /* Core's words with its name, by which scripts know the case: the lock is the same file, so it
     * may be either that runs. Decision 0397 */
    if (code == EAGAIN || code == EACCES)
        return xasprintf("Cannot obtain a lock on directory %s. Bitcoin Core is probably already "
                         "running.",
                         dir);
    return xasprintf("Cannot lock directory %s: %s", dir, strerror(code));
}

/* Returns: 0 or an errno. */
static int lock_file(int fd)
{
    /* An open-file-description lock: it also meets the process locks that other nodes use. */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

/* Returns: 0 or an errno. Some network file systems lock no directories: then the file must do. */
static int lock_dir(int fd)
{
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? EAGAIN : 0;
}

/* Core's words where they are right; a full table of descriptors is no matter of permissions. */
static char *open_error(const char *dir, int code)
{
    bool is_forbidden = code == EACCES || code == EPERM || code == EROFS;
    return xasprintf("Cannot write to directory '%s'%s .lock: %s", dir,
                     is_forbidden ? "; check permissions." : ":", strerror(code));
}

bool datadir_lock(struct datadir_lock *lock, const char *dir, char **error)
{
    ASSERT(lock && error);
    *error = NULL;
    *lock = DATADIR_UNLOCKED;
    char *path = xasprintf("%s/.lock", dir);
    lock->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code = lock->file < 0 ? errno : 0;
    xfree(path);
    if (code) {
        *error = open_error(dir, code);
        return false;
    }
    lock->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    code = lock_file(lock->file);
    if (code == 0)
        code = lock_dir(lock->dir);
    if (code == 0)
        return true;
    *error = lock_error(dir, code);
    datadir_unlock(lock);
    return false;
}

void datadir_unlock(struct datadir_lock *lock)
{
    ASSERT(lock);
    if (lock->file >= 0)
        close(lock->file);
    if (lock->dir >= 0)
        close(lock->dir);
    *lock = DATADIR_UNLOCKED;
}

int pid_file_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    ssize_t put = write(fd, text, (size_t)len);
    int error = put == len ? 0 : put < 0 ? -errno : -EIO;
    close(fd);
    return error;
}

void pid_file_remove(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[strcspn(text, "\n")] = '\0';
    int64_t pid;
    if (got > 0 && parse_int64(text, &pid) && pid == getpid())
        unlink(path);
}
