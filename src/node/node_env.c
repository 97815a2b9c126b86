/* node_env.c - see node_env.h */
#include "node/node_env.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/hash_map.h"

#define JUMP_MAX_S (INT64_C(100) * 366 * 86400) /* no sum of a few overflows */

struct node_timer {
    struct node_env *owner;
    struct node_timer *next, *previous; /* in order of creation */
    uint64_t id, real_id;
    int64_t due_us;
    env_timer_fn *fn;
    void *arg;
};

struct node_env {
    struct env env;
    const struct env *real;
    _Atomic int64_t mock_time_s; /* read by any thread; 0: off */
    _Atomic int64_t ahead_us;    /* of real's now_us: what the wall clock was set forward */
    struct hash_map timers;      /* by id */
    struct node_timer *first, *last;
    uint64_t last_id;
};

static const struct env *real_of(void *ctx)
{
    return ((struct node_env *)ctx)->real;
}

/* -- Time ------------------------------------------------------------------------------------ */

static int64_t unix_s(void *ctx)
{
    struct node_env *node_env = ctx;
    int64_t mock_s = atomic_load_explicit(&node_env->mock_time_s, memory_order_relaxed);
    return mock_s ? mock_s : node_env->real->unix_s(node_env->real->ctx);
}

static uint64_t hash_id(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15);
}

static bool has_id(const void *value, const void *key)
{
    const uint64_t *id = key;
    return ((const struct node_timer *)value)->id == *id;
}

static void timer_unlink(struct node_timer *timer)
{
    struct node_env *owner = timer->owner;
    hash_map_remove(&owner->timers, hash_id(timer->id), has_id, &timer->id);
    if (timer->next)
        timer->next->previous = timer->previous;
    else
        owner->last = timer->previous;
    if (timer->previous)
        timer->previous->next = timer->next;
    else
        owner->first = timer->next;
}

static void on_timer(void *arg)
{
    struct node_timer *timer = arg;
    env_timer_fn *fn = timer->fn;
    void *fn_arg = timer->arg;
    timer_unlink(timer);
    xfree(timer);
    fn(fn_arg);
}

static uint64_t timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    struct node_env *node_env = ctx;
    const struct env *real = node_env->real;
    int64_t now_us = real->now_us(real->ctx);
    if (delay_us < 0)
        delay_us = 0;
    if (delay_us > INT64_MAX - now_us)
        delay_us = INT64_MAX - now_us;
    struct node_timer *timer = xcalloc(1, sizeof *timer);
    *timer = (struct node_timer){.owner = node_env,
                                 .previous = node_env->last,
                                 .id = ++node_env->last_id,
                                 .due_us = now_us + delay_us,
                                 .fn = fn,
                                 .arg = arg};
    if (node_env->last)
        node_env->last->next = timer;
    else
        node_env->first = timer;
    node_env->last = timer;
    hash_map_insert(&node_env->timers, hash_id(timer->id), timer);
    timer->real_id = real->timer_start(real->ctx, delay_us, on_timer, timer);
    return timer->id;
}

static void timer_drop(struct node_timer *timer)
{
    const struct env *real = timer->owner->real;
    real->timer_cancel(real->ctx, timer->real_id);
    timer_unlink(timer);
    xfree(timer);
}

static void timer_cancel(void *ctx, uint64_t id)
{
    struct node_env *node_env = ctx;
    struct node_timer *timer = hash_map_find(&node_env->timers, hash_id(id), has_id, &id);
    if (timer)
        timer_drop(timer);
}

static int compare_timers(const void *a, const void *b)
{
    const struct node_timer *const *left = a, *const *right = b;
    if ((*left)->due_us != (*right)->due_us)
        return (*left)->due_us < (*right)->due_us ? -1 : 1;
    return (*left)->id < (*right)->id ? -1 : 1;
}

void node_env_advance_timers(struct node_env *node_env, int64_t delta_us)
{
    ASSERT(delta_us >= 0);
    size_t n = node_env->timers.count, i = 0;
    if (n == 0)
        return;
    const struct env *real = node_env->real;
    int64_t now_us = real->now_us(real->ctx);
    struct node_timer **timers = xcalloc(n, sizeof *timers);
    for (struct node_timer *t = node_env->first; t; t = t->next) {
        t->due_us -= delta_us;
        timers[i++] = t;
    }
    /* Started anew in the order in which they are due: those that are overdue all get no delay,
     * and equal times fire in the order of their start. */
    qsort(timers, n, sizeof *timers, compare_timers);
    for (i = 0; i < n; i++) {
        struct node_timer *t = timers[i];
        real->timer_cancel(real->ctx, t->real_id);
        int64_t delay_us = t->due_us > now_us ? t->due_us - now_us : 0;
        t->real_id = real->timer_start(real->ctx, delay_us, on_timer, t);
    }
    xfree(timers);
}

/* Peers' timeouts are told in seconds of the wall clock by whoever sets it, as in Core, whose
 * peers' clock is the mocked one. Real time goes on as well; setting back moves nothing. */
void node_env_set_mock_time(struct node_env *node_env, int64_t time_s)
{
    int64_t jump_s = time_s ? time_s - unix_s(node_env) : 0;
    atomic_store_explicit(&node_env->mock_time_s, time_s, memory_order_relaxed);
    if (jump_s <= 0 || !node_env->first)
        return;
    if (jump_s > JUMP_MAX_S)
        jump_s = JUMP_MAX_S;
    atomic_fetch_add_explicit(&node_env->ahead_us, jump_s * 1000000, memory_order_relaxed);
    node_env_advance_timers(node_env, jump_s * 1000000);
}

static int64_t now_us(void *ctx)
{
    struct node_env *node_env = ctx;
    const struct env *real = node_env->real;
    return real->now_us(real->ctx) +
           atomic_load_explicit(&node_env->ahead_us, memory_order_relaxed);
}

/* -- Everything else passes through ------------------------------------------------------------ */

static void pass_random(void *ctx, void *out, size_t len)
{
    const struct env *real = real_of(ctx);
    real->random(real->ctx, out, len);
}

static void pass_job_submit(void *ctx, enum env_pool pool, enum env_priority priority,
                            struct env_job *job)
{
    const struct env *real = real_of(ctx);
    real->job_submit(real->ctx, pool, priority, job);
}

static void pass_job_cancel(void *ctx, struct env_job *job)
{
    const struct env *real = real_of(ctx);
    real->job_cancel(real->ctx, job);
}

static int pass_compute_threads(void *ctx)
{
    const struct env *real = real_of(ctx);
    return real->compute_threads(real->ctx);
}

static int pass_file_open(void *ctx, const char *path, int flags, struct env_file **out)
{
    const struct env *real = real_of(ctx);
    return real->file_open(real->ctx, path, flags, out);
}

static int64_t pass_file_read_at(void *ctx, struct env_file *file, uint64_t offset, void *p,
                                 size_t n)
{
    const struct env *real = real_of(ctx);
    return real->file_read_at(real->ctx, file, offset, p, n);
}

static int pass_file_write_at(void *ctx, struct env_file *file, uint64_t offset, const void *p,
                              size_t n)
{
    const struct env *real = real_of(ctx);
    return real->file_write_at(real->ctx, file, offset, p, n);
}

static int64_t pass_file_size(void *ctx, struct env_file *file)
{
    const struct env *real = real_of(ctx);
    return real->file_size(real->ctx, file);
}

static int pass_file_truncate(void *ctx, struct env_file *file, uint64_t size)
{
    const struct env *real = real_of(ctx);
    return real->file_truncate(real->ctx, file, size);
}

static int pass_file_allocate(void *ctx, struct env_file *file, uint64_t offset, uint64_t n)
{
    const struct env *real = real_of(ctx);
    return real->file_allocate(real->ctx, file, offset, n);
}

static int pass_file_sync(void *ctx, struct env_file *file)
{
    const struct env *real = real_of(ctx);
    return real->file_sync(real->ctx, file);
}

static void pass_file_close(void *ctx, struct env_file *file)
{
    const struct env *real = real_of(ctx);
    real->file_close(real->ctx, file);
}

static int pass_make_dir(void *ctx, const char *path)
{
    const struct env *real = real_of(ctx);
    return real->make_dir(real->ctx, path);
}

static int pass_rename(void *ctx, const char *from, const char *to)
{
    const struct env *real = real_of(ctx);
    return real->rename(real->ctx, from, to);
}

static int pass_remove(void *ctx, const char *path)
{
    const struct env *real = real_of(ctx);
    return real->remove(real->ctx, path);
}

static int pass_sync_dir(void *ctx, const char *path)
{
    const struct env *real = real_of(ctx);
    return real->sync_dir(real->ctx, path);
}

static int pass_list(void *ctx, const char *path, void (*fn)(void *arg, const char *name),
                     void *arg)
{
    const struct env *real = real_of(ctx);
    return real->list(real->ctx, path, fn, arg);
}

static int64_t pass_free_bytes(void *ctx, const char *path)
{
    const struct env *real = real_of(ctx);
    return real->free_bytes(real->ctx, path);
}

static int pass_kv_open(void *ctx, const char *path, const struct env_kv_options *options,
                        struct env_kv **out, char **error)
{
    const struct env *real = real_of(ctx);
    return real->kv_open(real->ctx, path, options, out, error);
}

static void pass_kv_close(void *ctx, struct env_kv *kv)
{
    const struct env *real = real_of(ctx);
    real->kv_close(real->ctx, kv);
}

static int pass_kv_destroy(void *ctx, const char *path)
{
    const struct env *real = real_of(ctx);
    return real->kv_destroy(real->ctx, path);
}

static int pass_kv_get(void *ctx, struct env_kv *kv, struct span key, void *out_buffer)
{
    const struct env *real = real_of(ctx);
    return real->kv_get(real->ctx, kv, key, out_buffer);
}

static struct env_batch *pass_batch_new(void *ctx)
{
    const struct env *real = real_of(ctx);
    return real->batch_new(real->ctx);
}

static void pass_batch_free(void *ctx, struct env_batch *batch)
{
    const struct env *real = real_of(ctx);
    real->batch_free(real->ctx, batch);
}

static void pass_batch_clear(void *ctx, struct env_batch *batch)
{
    const struct env *real = real_of(ctx);
    real->batch_clear(real->ctx, batch);
}

static void pass_batch_put(void *ctx, struct env_batch *batch, struct span key, struct span value)
{
    const struct env *real = real_of(ctx);
    real->batch_put(real->ctx, batch, key, value);
}

static void pass_batch_delete(void *ctx, struct env_batch *batch, struct span key)
{
    const struct env *real = real_of(ctx);
    real->batch_delete(real->ctx, batch, key);
}

static int pass_kv_write(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync)
{
    const struct env *real = real_of(ctx);
    return real->kv_write(real->ctx, kv, batch, sync);
}

static struct env_cursor *pass_cursor_open(void *ctx, struct env_kv *kv)
{
    const struct env *real = real_of(ctx);
    return real->cursor_open(real->ctx, kv);
}

static void pass_cursor_close(void *ctx, struct env_cursor *cursor)
{
    const struct env *real = real_of(ctx);
    real->cursor_close(real->ctx, cursor);
}

static void pass_cursor_seek(void *ctx, struct env_cursor *cursor, struct span key)
{
    const struct env *real = real_of(ctx);
    real->cursor_seek(real->ctx, cursor, key);
}

static bool pass_cursor_valid(void *ctx, struct env_cursor *cursor)
{
    const struct env *real = real_of(ctx);
    return real->cursor_valid(real->ctx, cursor);
}

static void pass_cursor_next(void *ctx, struct env_cursor *cursor)
{
    const struct env *real = real_of(ctx);
    real->cursor_next(real->ctx, cursor);
}

static struct span pass_cursor_key(void *ctx, struct env_cursor *cursor)
{
    const struct env *real = real_of(ctx);
    return real->cursor_key(real->ctx, cursor);
}

static struct span pass_cursor_value(void *ctx, struct env_cursor *cursor)
{
    const struct env *real = real_of(ctx);
    return real->cursor_value(real->ctx, cursor);
}

static int pass_cursor_error(void *ctx, struct env_cursor *cursor)
{
    const struct env *real = real_of(ctx);
    return real->cursor_error(real->ctx, cursor);
}

static uint64_t pass_stream_connect(void *ctx, const char *address, uint16_t port,
                                    const struct env_stream_events *events, void *arg)
{
    const struct env *real = real_of(ctx);
    return real->stream_connect(real->ctx, address, port, events, arg);
}

static uint64_t pass_stream_listen(void *ctx, const char *address, uint16_t port,
                                   const struct env_stream_events *events, void *arg, int *error)
{
    const struct env *real = real_of(ctx);
    return real->stream_listen(real->ctx, address, port, events, arg, error);
}

static void pass_stream_send_shared(void *ctx, uint64_t stream, struct span bytes,
                                    void (*release)(void *arg), void *arg)
{
    const struct env *real = real_of(ctx);
    real->stream_send_shared(real->ctx, stream, bytes, release, arg);
}

static void pass_stream_send(void *ctx, uint64_t stream, struct span bytes)
{
    const struct env *real = real_of(ctx);
    real->stream_send(real->ctx, stream, bytes);
}

static size_t pass_stream_queued_bytes(void *ctx, uint64_t stream)
{
    const struct env *real = real_of(ctx);
    return real->stream_queued_bytes(real->ctx, stream);
}

static uint16_t pass_stream_local(void *ctx, uint64_t stream, char *address, size_t size)
{
    const struct env *real = real_of(ctx);
    return real->stream_local(real->ctx, stream, address, size);
}

static void pass_stream_pause(void *ctx, uint64_t stream, bool paused)
{
    const struct env *real = real_of(ctx);
    real->stream_pause(real->ctx, stream, paused);
}

static void pass_stream_close(void *ctx, uint64_t stream)
{
    const struct env *real = real_of(ctx);
    real->stream_close(real->ctx, stream);
}

static uint64_t pass_resolve(void *ctx, const char *name, env_resolve_fn *done, void *arg)
{
    const struct env *real = real_of(ctx);
    return real->resolve(real->ctx, name, done, arg);
}

static void pass_resolve_cancel(void *ctx, uint64_t id)
{
    const struct env *real = real_of(ctx);
    real->resolve_cancel(real->ctx, id);
}

static const struct env functions = {
    .unix_s = unix_s,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .now_us = now_us,
    .random = pass_random,
    .job_submit = pass_job_submit,
    .job_cancel = pass_job_cancel,
    .compute_threads = pass_compute_threads,
    .file_open = pass_file_open,
    .file_read_at = pass_file_read_at,
    .file_write_at = pass_file_write_at,
    .file_size = pass_file_size,
    .file_truncate = pass_file_truncate,
    .file_allocate = pass_file_allocate,
    .file_sync = pass_file_sync,
    .file_close = pass_file_close,
    .make_dir = pass_make_dir,
    .rename = pass_rename,
    .remove = pass_remove,
    .sync_dir = pass_sync_dir,
    .list = pass_list,
    .free_bytes = pass_free_bytes,
    .kv_open = pass_kv_open,
    .kv_close = pass_kv_close,
    .kv_destroy = pass_kv_destroy,
    .kv_get = pass_kv_get,
    .batch_new = pass_batch_new,
    .batch_free = pass_batch_free,
    .batch_clear = pass_batch_clear,
    .batch_put = pass_batch_put,
    .batch_delete = pass_batch_delete,
    .kv_write = pass_kv_write,
    .cursor_open = pass_cursor_open,
    .cursor_close = pass_cursor_close,
    .cursor_seek = pass_cursor_seek,
    .cursor_valid = pass_cursor_valid,
    .cursor_next = pass_cursor_next,
    .cursor_key = pass_cursor_key,
    .cursor_value = pass_cursor_value,
    .cursor_error = pass_cursor_error,
    .stream_connect = pass_stream_connect,
    .stream_listen = pass_stream_listen,
    .stream_send = pass_stream_send,
    .stream_send_shared = pass_stream_send_shared,
    .stream_queued_bytes = pass_stream_queued_bytes,
    .stream_local = pass_stream_local,
    .stream_pause = pass_stream_pause,
    .stream_close = pass_stream_close,
};

struct node_env *node_env_new(const struct env *real)
{
    struct node_env *node_env = xcalloc(1, sizeof *node_env);
    node_env->env = functions;
    node_env->env.ctx = node_env;
    if (real->resolve) { /* else there are no names in this world */
        node_env->env.resolve = pass_resolve;
        node_env->env.resolve_cancel = pass_resolve_cancel;
    }
    node_env->real = real;
#ifdef CAIRN_PLANT
    node_env->env.planted = real->planted;
#endif
    hash_map_init(&node_env->timers);
    return node_env;
}

void node_env_free(struct node_env *node_env)
{
    if (!node_env)
        return;
    while (node_env->first)
        timer_drop(node_env->first);
    hash_map_deinit(&node_env->timers);
    xfree(node_env);
}

const struct env *node_env_env(const struct node_env *node_env)
{
    return &node_env->env;
}
