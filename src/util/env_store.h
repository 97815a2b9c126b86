/* env_store.h - key-value stores of the world.
 *
 * Layer: util (no implementation here; host/ is the real world, sim/ a simulated one). Called by
 * the short forms of util/env.h. ctx is this part's own, and every function gets it first. */
#ifndef UTIL_ENV_STORE_H
#define UTIL_ENV_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

struct log;
struct env_kv;     /* an open key-value store */
struct env_cursor; /* an iterator over a snapshot of a store */
struct env_batch;  /* writes that happen together or not at all */

/* Sizes are wishes: the store may take somewhat more or less. */
struct env_kv_options {
    const struct log *log;     /* a failing store says there what and in which file; or NULL */
    size_t cache_bytes;        /* read cache */
    size_t write_buffer_bytes; /* memtable */
    int bloom_bits;            /* per key, 0 for none */
    size_t max_file_bytes;     /* 0: the store's own choice */
    bool is_strict;            /* what may be damage, and may be the end of what was written, is */
};

struct env_store {
    void *ctx;
    /* Store. Any thread after open; one store may be read by many threads while one writes.
     * Errors: -ENOENT not found (get), -EBUSY locked by another process, -EUCLEAN damaged,
     * others the system's own (-EACCES, -EMFILE, -ENOSPC, -EIO, ...). *error (may be NULL) gets a
     * message, freed with xfree(). kv_get appends the value to *out, a struct buffer. kv_write
     * frees nothing; sync makes it durable, and all earlier writes before it. kv_destroy, cut
     * short, is ended by the next kv_open; it leaves a link to a directory in place. A cursor sees
     * the store as it was when it was opened. */
    int (*kv_open)(void *ctx, const char *path, const struct env_kv_options *options,
                   struct env_kv **out, char **error);
    void (*kv_close)(void *ctx, struct env_kv *kv);
    int (*kv_destroy)(void *ctx, const char *path); /* remove a closed store */
    int (*kv_get)(void *ctx, struct env_kv *kv, struct span key, void *out_buffer);
    struct env_batch *(*batch_new)(void *ctx);
    void (*batch_free)(void *ctx, struct env_batch *batch);
    void (*batch_clear)(void *ctx, struct env_batch *batch);
    void (*batch_put)(void *ctx, struct env_batch *batch, struct span key, struct span value);
    void (*batch_delete)(void *ctx, struct env_batch *batch, struct span key);
    int (*kv_write)(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync);
    struct env_cursor *(*cursor_open)(void *ctx, struct env_kv *kv);
    void (*cursor_close)(void *ctx, struct env_cursor *cursor);
    /* Move to the first key at or after key. Then while cursor_valid: key, value, next. */
    void (*cursor_seek)(void *ctx, struct env_cursor *cursor, struct span key);
    bool (*cursor_valid)(void *ctx, struct env_cursor *cursor);
    void (*cursor_next)(void *ctx, struct env_cursor *cursor);
    struct span (*cursor_key)(void *ctx, struct env_cursor *cursor);
    struct span (*cursor_value)(void *ctx, struct env_cursor *cursor);
    int (*cursor_error)(void *ctx, struct env_cursor *cursor);
};

#endif
