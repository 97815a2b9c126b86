/* cookie.c - see cookie.h */
#include "host/cookie.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/env.h"
#include "util/hex.h"

#define COOKIE_PREFIX       "__cookie__:"
#define COOKIE_SECRET_BYTES 32

/* Returns: 0 or a negative errno. */
static int write_new(const char *path, const char *text, unsigned mode)
{
    /* O_EXCL also refuses a link that somebody has put there. */
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    size_t len = strlen(text);
    ssize_t put = write(fd, text, len);
    int error = put == (ssize_t)len ? 0 : put < 0 ? -errno : -EIO;
    /* Only now, and whatever the umask: until here the owner alone could open it. */
    if (error == 0 && fchmod(fd, mode) != 0)
        error = -errno;
    close(fd);
    return error;
}

char *cookie_create(const struct env *env, const char *path, unsigned mode, char **error)
{
    ASSERT(error);
    uint8_t secret[COOKIE_SECRET_BYTES];
    char digits[2 * COOKIE_SECRET_BYTES + 1];
    env_random(env, secret, sizeof secret);
    hex_encode(digits, span_of(secret, sizeof secret));
    char *cookie = xasprintf("%s%s", COOKIE_PREFIX, digits);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(digits, sizeof digits);

    /* Whole or not there: a client that looks meanwhile reads no half of a cookie. */
    char *temporary = xasprintf("%s.tmp", path);
    int rc = write_new(temporary, cookie, mode);
    if (rc == 0 && rename(temporary, path) != 0)
        rc = -errno;
    *error = NULL;
    if (rc != 0) {
        unlink(temporary);
        *error =
            xasprintf("Unable to write cookie authentication file %s: %s", path, strerror(-rc));
        cookie_free(cookie);
        cookie = NULL;
    }
    xfree(temporary);
    return cookie;
}

void cookie_free(char *cookie)
{
    if (!cookie)
        return;
    explicit_bzero(cookie, strlen(cookie));
    xfree(cookie);
}

void cookie_remove(const char *path, const char *cookie)
{
    char text[sizeof COOKIE_PREFIX + 2 * COOKIE_SECRET_BYTES] = "";
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got > 0 && strcmp(text, cookie) == 0)
        unlink(path);
    explicit_bzero(text, sizeof text);
}
