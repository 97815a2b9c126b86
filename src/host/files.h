/* files.h - the file functions of struct env, on the kernel's files.
 *
 * Layer: host. Any thread. The first argument of each is env's context and not used. See
 * util/env.h for what they promise; errors are negative errno values. */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

struct env_file;

/* Open or create (mode 0600) with enum env_open_flags. Owns: the caller, see files_close(). */
NODISCARD int files_open(void *ctx, const char *path, int flags, struct env_file **out);
/* Read up to n bytes at offset. Returns: the bytes read, fewer only at the end. */
NODISCARD int64_t files_read_at(void *ctx, struct env_file *file, uint64_t offset, void *p,
                                size_t n);
/* Write all n bytes at offset or fail (some may have been written then). */
NODISCARD int files_write_at(void *ctx, struct env_file *file, uint64_t offset, const void *p,
                             size_t n);
NODISCARD int64_t files_size(void *ctx, struct env_file *file); /* bytes */
/* Cut a file, or grow it with zeros. -EFBIG for a size that off_t cannot name. */
NODISCARD int files_truncate(void *ctx, struct env_file *file, uint64_t size);
/* Reserve space without changing the size. A file system that cannot says 0. */
NODISCARD int files_allocate(void *ctx, struct env_file *file, uint64_t offset, uint64_t n);
/* Make contents and size durable. Asked of the kernel once: after a failed sync a second one may
 * say that all is well although pages were dropped, so the error is final. */
NODISCARD int files_sync(void *ctx, struct env_file *file);
void files_close(void *ctx, struct env_file *file); /* NULL is allowed */
/* Make a directory (mode 0700) and its parents, durably; one that is there is success. */
NODISCARD int files_make_dir(void *ctx, const char *path);
/* Rename, over what has the new name. Durable after files_sync_dir(). */
NODISCARD int files_rename(void *ctx, const char *from, const char *to);
/* Remove a file or an empty directory. Durable after files_sync_dir(). */
NODISCARD int files_remove(void *ctx, const char *path);
/* Make names made, changed and removed in a directory durable. */
NODISCARD int files_sync_dir(void *ctx, const char *path);
/* Call fn for each entry except . and .., sorted by bytes. */
NODISCARD int files_list(void *ctx, const char *path, void (*fn)(void *arg, const char *name),
                         void *arg);
/* When a file's contents were last changed, as the file system says; its own clock, not ours. */
NODISCARD int64_t files_modified_s(void *ctx, const char *path);
/* Bytes that this user may still write on the volume that holds path: without root's reserve. */
NODISCARD int64_t files_free_bytes(void *ctx, const char *path);

#endif
