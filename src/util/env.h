/* env.h - the world, injected: clocks, timers, randomness, jobs, files, stores and network.
 *
 * Layer: util (no implementation here; host/ is the real world, sim/ a simulated one). Handed
 * complete to constructors, never by later setters. A part that is to behave otherwise is replaced
 * alone: copy the struct, set the part. All calls are made on the loop thread except where the
 * part's header says "any thread".
 *
 * Errors of the world are returned as negative errno values (-ENOSPC, -EIO, ...), 0 or more is
 * success. A failed sync is final: the caller stops the node and never retries. */
#ifndef UTIL_ENV_H
#define UTIL_ENV_H

#include "util/env_clock.h"
#include "util/env_files.h"
#include "util/env_jobs.h"
#include "util/env_net.h"
#include "util/env_store.h"
#include "util/env_verdicts.h"

struct env {
    struct env_clock clock;
    struct env_random random;
    struct env_jobs jobs;
    struct env_files files;
    struct env_store store;
    struct env_names names;
    struct env_streams streams;
    struct env_datagrams datagrams;
    struct env_verdicts verdicts;
#ifdef CAIRN_PLANT
    int planted; /* enum planted of util/planted.h: the bug that this world's code shall have */
#endif
};

/* -- clock ------------------------------------------------------------------------------- */

static inline int64_t env_now_us(const struct env *env)
{
    return env->clock.now_us(env->clock.ctx);
}

static inline int64_t env_unix_s(const struct env *env)
{
    return env->clock.unix_s(env->clock.ctx);
}

static inline uint64_t env_timer_start(const struct env *env, int64_t delay_us, env_timer_fn *fn,
                                       void *arg)
{
    return env->clock.timer_start(env->clock.ctx, delay_us, fn, arg);
}

static inline void env_timer_cancel(const struct env *env, uint64_t id)
{
    env->clock.timer_cancel(env->clock.ctx, id);
}

/* -- random ------------------------------------------------------------------------------ */

static inline void env_random(const struct env *env, void *out, size_t len)
{
    env->random.fill(env->random.ctx, out, len);
}

/* -- jobs -------------------------------------------------------------------------------- */

static inline void env_job_submit(const struct env *env, enum env_pool pool,
                                  enum env_priority priority, struct env_job *job)
{
    env->jobs.submit(env->jobs.ctx, pool, priority, job);
}

static inline void env_job_cancel(const struct env *env, struct env_job *job)
{
    env->jobs.cancel(env->jobs.ctx, job);
}

static inline int env_compute_threads(const struct env *env)
{
    return env->jobs.compute_threads(env->jobs.ctx);
}

/* -- files ------------------------------------------------------------------------------- */

static inline int env_file_open(const struct env *env, const char *path, int flags,
                                struct env_file **out)
{
    return env->files.open(env->files.ctx, path, flags, out);
}

static inline int64_t env_file_read_at(const struct env *env, struct env_file *file,
                                       uint64_t offset, void *p, size_t n)
{
    return env->files.read_at(env->files.ctx, file, offset, p, n);
}

static inline int env_file_write_at(const struct env *env, struct env_file *file, uint64_t offset,
                                    const void *p, size_t n)
{
    return env->files.write_at(env->files.ctx, file, offset, p, n);
}

static inline int64_t env_file_size(const struct env *env, struct env_file *file)
{
    return env->files.size(env->files.ctx, file);
}

static inline int env_file_truncate(const struct env *env, struct env_file *file, uint64_t size)
{
    return env->files.truncate(env->files.ctx, file, size);
}

static inline int env_file_allocate(const struct env *env, struct env_file *file, uint64_t offset,
                                    uint64_t n)
{
    return env->files.allocate(env->files.ctx, file, offset, n);
}

static inline int env_file_sync(const struct env *env, struct env_file *file)
{
    return env->files.sync(env->files.ctx, file);
}

static inline void env_file_close(const struct env *env, struct env_file *file)
{
    env->files.close(env->files.ctx, file);
}

static inline int env_make_dir(const struct env *env, const char *path)
{
    return env->files.make_dir(env->files.ctx, path);
}

static inline int env_rename(const struct env *env, const char *from, const char *to)
{
    return env->files.rename(env->files.ctx, from, to);
}

static inline int env_remove(const struct env *env, const char *path)
{
    return env->files.remove(env->files.ctx, path);
}

static inline int env_sync_dir(const struct env *env, const char *path)
{
    return env->files.sync_dir(env->files.ctx, path);
}

static inline int env_list(const struct env *env, const char *path,
                           void (*fn)(void *arg, const char *name), void *arg)
{
    return env->files.list(env->files.ctx, path, fn, arg);
}

static inline int64_t env_modified_s(const struct env *env, const char *path)
{
    return env->files.modified_s(env->files.ctx, path);
}

static inline int64_t env_free_bytes(const struct env *env, const char *path)
{
    return env->files.free_bytes(env->files.ctx, path);
}

/* -- store ------------------------------------------------------------------------------- */

static inline int env_kv_open(const struct env *env, const char *path,
                              const struct env_kv_options *options, struct env_kv **out,
                              char **error)
{
    return env->store.kv_open(env->store.ctx, path, options, out, error);
}

static inline void env_kv_close(const struct env *env, struct env_kv *kv)
{
    env->store.kv_close(env->store.ctx, kv);
}

static inline int env_kv_destroy(const struct env *env, const char *path)
{
    return env->store.kv_destroy(env->store.ctx, path);
}

static inline int env_kv_get(const struct env *env, struct env_kv *kv, struct span key,
                             void *out_buffer)
{
    return env->store.kv_get(env->store.ctx, kv, key, out_buffer);
}

static inline struct env_batch *env_batch_new(const struct env *env)
{
    return env->store.batch_new(env->store.ctx);
}

static inline void env_batch_free(const struct env *env, struct env_batch *batch)
{
    env->store.batch_free(env->store.ctx, batch);
}

static inline void env_batch_clear(const struct env *env, struct env_batch *batch)
{
    env->store.batch_clear(env->store.ctx, batch);
}

static inline void env_batch_put(const struct env *env, struct env_batch *batch, struct span key,
                                 struct span value)
{
    env->store.batch_put(env->store.ctx, batch, key, value);
}

static inline void env_batch_delete(const struct env *env, struct env_batch *batch, struct span key)
{
    env->store.batch_delete(env->store.ctx, batch, key);
}

static inline int env_kv_write(const struct env *env, struct env_kv *kv, struct env_batch *batch,
                               bool sync)
{
    return env->store.kv_write(env->store.ctx, kv, batch, sync);
}

static inline struct env_cursor *env_cursor_open(const struct env *env, struct env_kv *kv)
{
    return env->store.cursor_open(env->store.ctx, kv);
}

static inline void env_cursor_close(const struct env *env, struct env_cursor *cursor)
{
    env->store.cursor_close(env->store.ctx, cursor);
}

static inline void env_cursor_seek(const struct env *env, struct env_cursor *cursor,
                                   struct span key)
{
    env->store.cursor_seek(env->store.ctx, cursor, key);
}

static inline bool env_cursor_valid(const struct env *env, struct env_cursor *cursor)
{
    return env->store.cursor_valid(env->store.ctx, cursor);
}

static inline void env_cursor_next(const struct env *env, struct env_cursor *cursor)
{
    env->store.cursor_next(env->store.ctx, cursor);
}

static inline struct span env_cursor_key(const struct env *env, struct env_cursor *cursor)
{
    return env->store.cursor_key(env->store.ctx, cursor);
}

static inline struct span env_cursor_value(const struct env *env, struct env_cursor *cursor)
{
    return env->store.cursor_value(env->store.ctx, cursor);
}

static inline int env_cursor_error(const struct env *env, struct env_cursor *cursor)
{
    return env->store.cursor_error(env->store.ctx, cursor);
}

/* -- names ------------------------------------------------------------------------------- */

static inline uint64_t env_resolve(const struct env *env, const char *name, env_resolve_fn *done,
                                   void *arg)
{
    return env->names.resolve(env->names.ctx, name, done, arg);
}

static inline void env_resolve_cancel(const struct env *env, uint64_t id)
{
    env->names.cancel(env->names.ctx, id);
}

/* -- streams ----------------------------------------------------------------------------- */

static inline uint64_t env_stream_connect(const struct env *env, const char *address, uint16_t port,
                                          const struct env_stream_events *events, void *arg)
{
    return env->streams.connect(env->streams.ctx, address, port, events, arg);
}

static inline uint64_t env_stream_listen(const struct env *env, const char *address, uint16_t port,
                                         const struct env_stream_events *events, void *arg,
                                         int *error)
{
    return env->streams.listen(env->streams.ctx, address, port, events, arg, error);
}

static inline void env_stream_send(const struct env *env, uint64_t stream, struct span bytes)
{
    env->streams.send(env->streams.ctx, stream, bytes);
}

static inline void env_stream_send_shared(const struct env *env, uint64_t stream, struct span bytes,
                                          void (*release)(void *arg), void *arg)
{
    env->streams.send_shared(env->streams.ctx, stream, bytes, release, arg);
}

static inline void env_stream_flush(const struct env *env, uint64_t stream)
{
    if (env->streams.flush)
        env->streams.flush(env->streams.ctx, stream);
}

static inline size_t env_stream_queued_bytes(const struct env *env, uint64_t stream)
{
    return env->streams.queued_bytes(env->streams.ctx, stream);
}

static inline uint16_t env_stream_local(const struct env *env, uint64_t stream, char *address,
                                        size_t size)
{
    return env->streams.local(env->streams.ctx, stream, address, size);
}

static inline void env_stream_pause(const struct env *env, uint64_t stream, bool paused)
{
    env->streams.pause(env->streams.ctx, stream, paused);
}

static inline void env_stream_close(const struct env *env, uint64_t stream)
{
    env->streams.close(env->streams.ctx, stream);
}

/* -- datagrams --------------------------------------------------------------------------- */

static inline uint64_t env_datagram_open(const struct env *env, const struct env_datagram_way *way,
                                         env_datagram_fn *fn, void *arg, int *error)
{
    return env->datagrams.open(env->datagrams.ctx, way, fn, arg, error);
}

static inline void env_datagram_send(const struct env *env, uint64_t socket, struct span bytes)
{
    env->datagrams.send(env->datagrams.ctx, socket, bytes);
}

static inline bool env_datagram_local(const struct env *env, uint64_t socket, char *address,
                                      size_t size)
{
    return env->datagrams.local(env->datagrams.ctx, socket, address, size);
}

static inline void env_datagram_close(const struct env *env, uint64_t socket)
{
    env->datagrams.close(env->datagrams.ctx, socket);
}

/* Nothing in a world without datagrams. */
static inline void env_own_addresses(const struct env *env, env_address_fn *fn, void *arg)
{
    if (env->datagrams.own_addresses)
        env->datagrams.own_addresses(env->datagrams.ctx, fn, arg);
}

static inline bool env_datagram_gateway(const struct env *env, bool is_ipv6, char *address,
                                        size_t size)
{
    return env->datagrams.gateway(env->datagrams.ctx, is_ipv6, address, size);
}

#endif
