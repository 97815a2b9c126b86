/* env.h - the world, injected: clocks, timers, randomness, network, files, store and jobs.
 *
 * Layer: util (no implementation here; host/ is the real world, sim/ a simulated one). Handed
 * complete to constructors, never by later setters. All calls are made on the loop thread except
 * where a line says "any thread". Every function takes env->ctx first.
 *
 * Errors of the world are returned as negative errno values (-ENOSPC, -EIO, ...), 0 or more is
 * success. A failed sync is final: the caller stops the node and never retries. */
#ifndef UTIL_ENV_H
#define UTIL_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

struct log;
struct env_file;   /* an open file */
struct env_kv;     /* an open key-value store */
struct env_cursor; /* an iterator over a snapshot of a store */
struct env_batch;  /* writes that happen together or not at all */

/* -- Jobs ------------------------------------------------------------------------------- */

enum env_pool {
    ENV_POOL_COMPUTE,  /* -par threads: parsing, scripts, formatting. Never blocks. */
    ENV_POOL_BLOCKING, /* a few threads: fsync, flush, reads. Nobody waits for ever: see below */
};

enum env_priority {
    ENV_PRIORITY_HIGH, /* what somebody waits for */
    ENV_PRIORITY_NORMAL,
    ENV_PRIORITY_LOW,
    ENV_PRIORITY_COUNT,
};

/* A unit of work, embedded in the submitter's struct; it must stay in place until done is called.
 * run is called on some worker thread and touches only what the job owns or holds a reference
 * to; done is called later on the loop thread, exactly once for every submitted job, also for a
 * cancelled one. */
struct env_job {
    void (*run)(struct env_job *job);
    void (*done)(struct env_job *job);
    bool cancelled;       /* set if run was skipped; read it in done */
    struct env_job *next; /* the pool's */
    uint64_t sequence;    /* the pool's */
};

/* -- Key-value store ---------------------------------------------------------------------- */

struct env_kv_options {
    const struct log *log;     /* a failing store says there what and in which file; or NULL */
    size_t cache_bytes;        /* read cache */
    size_t write_buffer_bytes; /* memtable */
    int bloom_bits;            /* per key, 0 for none */
    size_t max_file_bytes;     /* 0: the store's own choice */
};

/* -- Streams ------------------------------------------------------------------------------ */

/* What happens to a stream, on the loop thread; arg is what connect or listen was given. */
struct env_stream_events {
    /* An outbound stream is up, or a listener accepted one from address:port. */
    void (*on_connect)(void *arg, uint64_t stream, const char *address, uint16_t port);
    void (*on_bytes)(void *arg, uint64_t stream, struct span bytes); /* borrowed for the call */
    void (*on_writable)(void *arg, uint64_t stream);                 /* the queue has drained */
    /* Gone, or could not be connected; error 0 is an orderly end. Last event of the stream. */
    void (*on_close)(void *arg, uint64_t stream, int error);
};

/* -- The world ---------------------------------------------------------------------------- */

typedef void env_timer_fn(void *arg);
typedef void env_resolve_fn(void *arg, const char *const *addresses, size_t n);

enum env_open_flags {
    ENV_OPEN_READ = 1,
    ENV_OPEN_WRITE = 2,  /* implies read */
    ENV_OPEN_CREATE = 4, /* create if missing (with WRITE) */
    ENV_OPEN_TRUNCATE = 8,
};

struct env {
    void *ctx;
#ifdef CAIRN_PLANT
    int planted; /* enum planted of util/planted.h: the bug that this world's code shall have */
#endif

    /* Clocks. Any thread. now_us is monotonic; unix_s is the wall clock and may jump. */
    int64_t (*now_us)(void *ctx);
    int64_t (*unix_s)(void *ctx);

    /* Calls fn(arg) on the loop thread after delay_us; equal times fire in order of creation.
     * Returns an id that is never reused and never 0. Cancelling a fired id does nothing. */
    uint64_t (*timer_start)(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg);
    void (*timer_cancel)(void *ctx, uint64_t id);

    /* Fill out with len unpredictable bytes. Any thread. */
    void (*random)(void *ctx, void *out, size_t len);

    /* Jobs. Jobs of one pool and priority start in the order of submission. In the blocking pool no
     * priority starves another, and jobs of the lowest never have all threads. job_cancel is a
     * wish: a job that has not started is skipped, done still follows with cancelled set. */
    void (*job_submit)(void *ctx, enum env_pool pool, enum env_priority priority,
                       struct env_job *job);
    void (*job_cancel)(void *ctx, struct env_job *job);
    /* Threads that the compute pool has, at least 1. */
    int (*compute_threads)(void *ctx);

    /* Files. Any thread; one file's writes must not overlap. Paths are UTF-8, separated by '/',
     * relative to the process's or simulation's root. read_at returns the bytes read, fewer only
     * at the end of the file. write_at writes all or fails. allocate reserves disk space (a hint).
     * sync makes contents and size durable. sync_dir makes creations, renames and removals in
     * that directory durable: whoever promises a file syncs both (util/replace_file.h). make_dir
     * does so by itself. list calls fn once for each entry name, sorted by name. */
    int (*file_open)(void *ctx, const char *path, int flags, struct env_file **out);
    int64_t (*file_read_at)(void *ctx, struct env_file *file, uint64_t offset, void *p, size_t n);
    int (*file_write_at)(void *ctx, struct env_file *file, uint64_t offset, const void *p,
                         size_t n);
    int64_t (*file_size)(void *ctx, struct env_file *file);
    int (*file_truncate)(void *ctx, struct env_file *file, uint64_t size);
    int (*file_allocate)(void *ctx, struct env_file *file, uint64_t offset, uint64_t n);
    int (*file_sync)(void *ctx, struct env_file *file);
    void (*file_close)(void *ctx, struct env_file *file);
    int (*make_dir)(void *ctx, const char *path); /* also parents, durably; existing is success */
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*remove)(void *ctx, const char *path); /* a file, or an empty directory */
    int (*sync_dir)(void *ctx, const char *path);
    int (*list)(void *ctx, const char *path, void (*fn)(void *arg, const char *name), void *arg);
    /* Free bytes on the volume that holds path. */
    int64_t (*free_bytes)(void *ctx, const char *path);

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

    /* Names; both NULL in a world that has none. Look up a host name: done(arg, addresses, n) once,
     * later, with numeric addresses borrowed for the call, none if the name is unknown. Returns an
     * id, never 0; after resolve_cancel() done is not called. */
    uint64_t (*resolve)(void *ctx, const char *name, env_resolve_fn *done, void *arg);
    void (*resolve_cancel)(void *ctx, uint64_t id);

    /* Streams: raw bytes. A stream's events come back through the callbacks of the listener or of
     * the connect call: see struct env_stream_events. Ids are 64-bit and never reused. */
    uint64_t (*stream_connect)(void *ctx, const char *address, uint16_t port,
                               const struct env_stream_events *events, void *arg);
    uint64_t (*stream_listen)(void *ctx, const char *address, uint16_t port,
                              const struct env_stream_events *events, void *arg, int *error);
    void (*stream_send)(void *ctx, uint64_t stream, struct span bytes); /* copies */
    /* The same without a copy: release(arg) is called once, on the loop thread, when the bytes are
     * needed no more; that may be before this returns. */
    void (*stream_send_shared)(void *ctx, uint64_t stream, struct span bytes,
                               void (*release)(void *arg), void *arg);
    size_t (*stream_queued_bytes)(void *ctx, uint64_t stream);
    /* Our own end: writes the numeric address into size bytes. Returns its port, 0 if unknown. */
    uint16_t (*stream_local)(void *ctx, uint64_t stream, char *address, size_t size);
    void (*stream_pause)(void *ctx, uint64_t stream, bool paused); /* stop or resume reading */
    void (*stream_close)(void *ctx, uint64_t stream);              /* streams and listeners */
};

#endif
