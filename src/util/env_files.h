/* env_files.h - the file system of the world.
 *
 * Layer: util (no implementation here; host/ is the real world, sim/ a simulated one). Called by
 * the short forms of util/env.h. ctx is this part's own, and every function gets it first. */
#ifndef UTIL_ENV_FILES_H
#define UTIL_ENV_FILES_H

#include <stddef.h>
#include <stdint.h>
struct env_file; /* an open file */

enum env_open_flags {
    ENV_OPEN_READ = 1,
    ENV_OPEN_WRITE = 2,  /* implies read */
    ENV_OPEN_CREATE = 4, /* create if missing (with WRITE) */
    ENV_OPEN_TRUNCATE = 8,
};

/* Who opens a file closes it, once, also after an error of it. -ENOENT: there is no such file or
 * directory; -EINTR is never seen. */
struct env_files {
    void *ctx;
    /* Files. Any thread; one file's writes must not overlap. Paths are UTF-8, separated by '/',
     * relative to the process's or simulation's root. read_at returns the bytes read, fewer only
     * at the end of the file. write_at writes all or fails. allocate reserves disk space (a hint).
     * sync makes contents and size durable. sync_dir makes creations, renames and removals in
     * that directory durable: whoever promises a file syncs both (util/replace_file.h). make_dir
     * does so by itself. list calls fn once for each entry name, sorted by name. */
    int (*open)(void *ctx, const char *path, int flags, struct env_file **out);
    int64_t (*read_at)(void *ctx, struct env_file *file, uint64_t offset, void *p, size_t n);
    int (*write_at)(void *ctx, struct env_file *file, uint64_t offset, const void *p, size_t n);
    int64_t (*size)(void *ctx, struct env_file *file);
    int (*truncate)(void *ctx, struct env_file *file, uint64_t size);
    int (*allocate)(void *ctx, struct env_file *file, uint64_t offset, uint64_t n);
    int (*sync)(void *ctx, struct env_file *file);
    void (*close)(void *ctx, struct env_file *file);
    int (*make_dir)(void *ctx, const char *path); /* also parents, durably; existing is success */
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*remove)(void *ctx, const char *path); /* a file, or an empty directory */
    int (*sync_dir)(void *ctx, const char *path);
    int (*list)(void *ctx, const char *path, void (*fn)(void *arg, const char *name), void *arg);
    /* When the contents of a file were last changed, by the wall clock. Units: seconds */
    int64_t (*modified_s)(void *ctx, const char *path);
    /* Free bytes on the volume that holds path. */
    int64_t (*free_bytes)(void *ctx, const char *path);
};

#endif
