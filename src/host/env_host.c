/* env_host.c - see env_host.h */
#include "host/env_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "host/files.h"
#include "host/jobs.h"
#include "host/leveldb_store.h"
#include "host/loop.h"
#include "host/resolver.h"
#include "host/streams.h"
#include "util/alloc.h"

#define BLOCKING_THREADS 3 /* one is free of what peers ask for, and of long counts */

struct env_host {
    struct env env;
    struct loop *loop;
    struct jobs *jobs;
    struct streams *streams;
    struct resolver *resolver;
};

/* -- Adapters: env's context is this struct, each module wants its own part ------------------- */

static int64_t now_us(void *ctx)
{
    (void)ctx;
    return loop_now_us();
}

static int64_t unix_s(void *ctx)
{
    (void)ctx;
    return loop_unix_s();
}

static uint64_t timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    struct env_host *host = ctx;
    return loop_timer_start(host->loop, delay_us, fn, arg);
}

static void timer_cancel(void *ctx, uint64_t id)
{
    struct env_host *host = ctx;
    loop_timer_cancel(host->loop, id);
}

/* Without randomness there are no safe keys, ids or cookies: nothing sensible can go on. */
static void fill_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    size_t have = 0;
    while (have < len) {
        ssize_t got = getrandom((char *)out + have, len - have, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fprintf(stderr, "Error: the system gives no random numbers\n");
            abort();
        }
        have += (size_t)got;
    }
}

static void job_submit(void *ctx, enum env_pool pool, enum env_priority priority,
                       struct env_job *job)
{
    struct env_host *host = ctx;
    jobs_submit(host->jobs, pool, priority, job);
}

static void job_cancel(void *ctx, struct env_job *job)
{
    struct env_host *host = ctx;
    jobs_cancel(host->jobs, job);
}

static int compute_threads_of(void *ctx)
{
    struct env_host *host = ctx;
    return jobs_compute_threads(host->jobs);
}

static uint64_t resolve(void *ctx, const char *name, env_resolve_fn *done, void *arg)
{
    struct env_host *host = ctx;
    return resolver_start(host->resolver, name, done, arg);
}

static void resolve_cancel(void *ctx, uint64_t id)
{
    struct env_host *host = ctx;
    resolver_cancel(host->resolver, id);
}

static uint64_t stream_connect(void *ctx, const char *address, uint16_t port,
                               const struct env_stream_events *events, void *arg)
{
    struct env_host *host = ctx;
    return streams_connect(host->streams, address, port, events, arg);
}

static uint64_t stream_listen(void *ctx, const char *address, uint16_t port,
                              const struct env_stream_events *events, void *arg, int *error)
{
    struct env_host *host = ctx;
    return streams_listen(host->streams, address, port, events, arg, error);
}

static void stream_send_shared(void *ctx, uint64_t stream, struct span bytes,
                               void (*release)(void *arg), void *arg)
{
    struct env_host *host = ctx;
    streams_send_shared(host->streams, stream, bytes, release, arg);
}

static void stream_send(void *ctx, uint64_t stream, struct span bytes)
{
    struct env_host *host = ctx;
    streams_send(host->streams, stream, bytes);
}

static size_t stream_queued_bytes(void *ctx, uint64_t stream)
{
    struct env_host *host = ctx;
    return streams_queued_bytes(host->streams, stream);
}

static uint16_t stream_local(void *ctx, uint64_t stream, char *address, size_t size)
{
    struct env_host *host = ctx;
    return streams_local(host->streams, stream, address, size);
}

static void stream_pause(void *ctx, uint64_t stream, bool paused)
{
    struct env_host *host = ctx;
    streams_pause(host->streams, stream, paused);
}

static void stream_close(void *ctx, uint64_t stream)
{
    struct env_host *host = ctx;
    streams_close(host->streams, stream);
}

static const struct env functions = {
    .now_us = now_us,
    .unix_s = unix_s,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .random = fill_random,
    .job_submit = job_submit,
    .job_cancel = job_cancel,
    .compute_threads = compute_threads_of,
    .file_open = files_open,
    .file_read_at = files_read_at,
    .file_write_at = files_write_at,
    .file_size = files_size,
    .file_truncate = files_truncate,
    .file_allocate = files_allocate,
    .file_sync = files_sync,
    .file_close = files_close,
    .make_dir = files_make_dir,
    .rename = files_rename,
    .remove = files_remove,
    .sync_dir = files_sync_dir,
    .list = files_list,
    .free_bytes = files_free_bytes,
    .kv_open = leveldb_store_open,
    .kv_close = leveldb_store_close,
    .kv_destroy = leveldb_store_destroy,
    .kv_get = leveldb_store_get,
    .batch_new = leveldb_store_batch_new,
    .batch_free = leveldb_store_batch_free,
    .batch_clear = leveldb_store_batch_clear,
    .batch_put = leveldb_store_batch_put,
    .batch_delete = leveldb_store_batch_delete,
    .kv_write = leveldb_store_write,
    .cursor_open = leveldb_store_cursor_open,
    .cursor_close = leveldb_store_cursor_close,
    .cursor_seek = leveldb_store_cursor_seek,
    .cursor_valid = leveldb_store_cursor_valid,
    .cursor_next = leveldb_store_cursor_next,
    .cursor_key = leveldb_store_cursor_key,
    .cursor_value = leveldb_store_cursor_value,
    .cursor_error = leveldb_store_cursor_error,
    .stream_connect = stream_connect,
    .stream_listen = stream_listen,
    .stream_send = stream_send,
    .stream_send_shared = stream_send_shared,
    .stream_queued_bytes = stream_queued_bytes,
    .stream_local = stream_local,
    .stream_pause = stream_pause,
    .stream_close = stream_close,
    .resolve = resolve,
    .resolve_cancel = resolve_cancel,
};

struct env_host *env_host_new(int compute_threads)
{
    struct env_host *host = xcalloc(1, sizeof *host);
    host->env = functions;
    host->env.ctx = host;
    host->loop = loop_new();
    if (host->loop)
        host->jobs = jobs_new(host->loop, compute_threads, BLOCKING_THREADS);
    if (!host->jobs) {
        loop_free(host->loop);
        xfree(host);
        return NULL;
    }
    host->streams = streams_new(host->loop);
    host->resolver = resolver_new(host->loop);
    return host;
}

void env_host_stop_jobs(struct env_host *host)
{
    jobs_stop(host->jobs);
}

void env_host_free(struct env_host *host)
{
    if (!host)
        return;
    jobs_free(host->jobs);
    resolver_free(host->resolver);
    streams_free(host->streams);
    loop_free(host->loop);
    xfree(host);
}

const struct env *env_host_env(const struct env_host *host)
{
    return &host->env;
}

struct loop *env_host_loop(struct env_host *host)
{
    return host->loop;
}
