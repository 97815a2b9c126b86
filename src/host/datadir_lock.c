/* datadir_lock.c - see datadir_lock.h */
#include "host/datadir_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/parse.h"

int datadir_lock(const char *dir, char **error)
{
    *error = NULL;
    char *path = xasprintf("%s/.lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    xfree(path);
    if (fd < 0) {
        *error = xasprintf("Cannot write to directory '%s'; check permissions.", dir);
        return -1;
    }
    /* An open-file-description lock: it also meets the process locks that other nodes use. */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            *error = xasprintf("Cannot obtain a lock on directory %s. Cairn is probably already "
                               "running.",
                               dir);
        else
            *error = xasprintf("Cannot lock directory %s: %s", dir, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

void datadir_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
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
