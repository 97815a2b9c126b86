/* files.c - see files.h */
#include "host/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/array.h"
#include "util/env.h"

struct env_file {
    int fd;
};

int files_open(void *ctx, const char *path, int flags, struct env_file **out)
{
    ASSERT(out);
    (void)ctx;
    /* A name from outside may be that of a pipe, which would wait for who writes. */
    int mode = O_CLOEXEC | ((flags & ENV_OPEN_WRITE) ? O_RDWR : O_RDONLY | O_NONBLOCK);
    if (flags & ENV_OPEN_CREATE)
        mode |= O_CREAT;
    if (flags & ENV_OPEN_TRUNCATE)
        mode |= O_TRUNC;
    *out = NULL;
    int fd = open(path, mode, 0600);
    if (fd < 0)
        return -errno;
    /* open() takes a directory for reading; better an error here than at the first read. */
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return -EISDIR;
    }
    *out = xmalloc(sizeof **out);
    (*out)->fd = fd;
    return 0;
}

/* True if [offset, offset + n) is a range that off_t can name. */
static int check_range(uint64_t offset, uint64_t n)
{
    return offset > INT64_MAX || n > INT64_MAX - offset ? -EFBIG : 0;
}

int64_t files_read_at(void *ctx, struct env_file *file, uint64_t offset, void *p, size_t n)
{
    (void)ctx;
    if (check_range(offset, n) != 0)
        return -EFBIG;
    size_t have = 0;
    while (have < n) {
        ssize_t got = pread(file->fd, (char *)p + have, n - have, (off_t)(offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (int64_t)have;
}

int files_write_at(void *ctx, struct env_file *file, uint64_t offset, const void *p, size_t n)
{
    (void)ctx;
    if (check_range(offset, n) != 0)
        return -EFBIG;
    size_t done = 0;
    while (done < n) {
        ssize_t put = pwrite(file->fd, (const char *)p + done, n - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        if (put == 0)
            return -EIO;
        done += (size_t)put;
    }
    return 0;
}

int64_t files_size(void *ctx, struct env_file *file)
{
    ASSERT(file);
    (void)ctx;
    struct stat st;
    return fstat(file->fd, &st) == 0 ? st.st_size : -errno;
}

int files_truncate(void *ctx, struct env_file *file, uint64_t size)
{
    (void)ctx;
    if (check_range(size, 0) != 0)
        return -EFBIG;
    int rc;
    do {
        rc = ftruncate(file->fd, (off_t)size);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : -errno;
}

int files_allocate(void *ctx, struct env_file *file, uint64_t offset, uint64_t n)
{
    (void)ctx;
    if (check_range(offset, n) != 0)
        return -EFBIG;
    if (n == 0)
        return 0;
    int rc;
    do {
        rc = fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)n);
    } while (rc != 0 && errno == EINTR);
    return rc == 0 || errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
}

int files_sync(void *ctx, struct env_file *file)
{
    ASSERT(file);
    (void)ctx;
    /* Not repeated on any error, not even EINTR: after a failed sync the kernel may have dropped
     * the pages, and a second one would report success for lost data. */
    return fdatasync(file->fd) == 0 ? 0 : -errno;
}

void files_close(void *ctx, struct env_file *file)
{
    (void)ctx;
    if (!file)
        return;
    close(file->fd);
    xfree(file);
}

/* Make the name of a new folder durable. Where its parent may not be read, that is left to the
 * kernel. */
static int sync_parent(const char *path)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    memcpy(parent, len ? path : ".", len ? len : 1);
    parent[len ? len : 1] = '\0';
    int error = files_sync_dir(NULL, parent);
    return error == -EACCES ? 0 : error;
}

int files_make_dir(void *ctx, const char *path)
{
    (void)ctx;
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0)
        return -ENOENT;
    if (len >= sizeof part)
        return -ENAMETOOLONG;
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char kept = part[i];
        part[i] = '\0';
        int error = mkdir(part, 0700) == 0 ? sync_parent(part) : errno == EEXIST ? 0 : -errno;
        if (error)
            return error;
        part[i] = kept;
    }
    struct stat st;
    if (stat(path, &st) != 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int files_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return rename(from, to) == 0 ? 0 : -errno;
}

int files_remove(void *ctx, const char *path)
{
    (void)ctx;
    return remove(path) == 0 ? 0 : -errno;
}

int files_sync_dir(void *ctx, const char *path)
{
    (void)ctx;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

struct names {
    ARRAY(char *) list;
};

static int read_names(DIR *dir, struct names *out)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        *ARRAY_ADD(&out->list) = xstrdup(entry->d_name);
    }
}

int files_list(void *ctx, const char *path, void (*fn)(void *arg, const char *name), void *arg)
{
    (void)ctx;
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    struct names names = {0};
    int rc = read_names(dir, &names);
    closedir(dir);
    if (names.list.n > 1)
        qsort(names.list.at, names.list.n, sizeof(char *), compare_names);
    for (size_t i = 0; i < names.list.n; i++) {
        if (rc == 0)
            fn(arg, names.list.at[i]);
        xfree(names.list.at[i]);
    }
    ARRAY_FREE(&names.list);
    return rc;
}

int64_t files_modified_s(void *ctx, const char *path)
{
    (void)ctx;
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_mtime : -errno;
}

int64_t files_free_bytes(void *ctx, const char *path)
{
    (void)ctx;
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return -errno;
    uint64_t bytes = (uint64_t)v.f_bavail * (uint64_t)v.f_frsize;
    return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}
