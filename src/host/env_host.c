/* env_host.c - see env_host.h */
#include "host/env_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "host/datagrams.h"
#include "host/files.h"
#include "host/jobs.h"
#include "host/leveldb_store.h"
#include "host/loop.h"
#include "host/resolver.h"
#include "host/streams.h"
#include "util/alloc.h"
#include "util/assert.h"
#include "util/planted.h"

#define BLOCKING_THREADS 3 /* one is free of what peers ask for, and of long counts */

struct env_host {
    struct env env;
    struct loop *loop;
    struct jobs *jobs;
    struct streams *streams;
    struct datagrams *datagrams;
    struct resolver *resolver;
};

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

/* Without randomness there are no safe keys, ids or cookies: nothing sensible can go on. Right
 * after the machine's start this waits until the kernel has gathered some. */
static void fill_random(void *ctx, void *out, size_t len)
{
    ASSERT(out || len == 0);
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

static const struct env_files files = {
    .open = files_open,
    .read_at = files_read_at,
    .write_at = files_write_at,
    .size = files_size,
    .truncate = files_truncate,
    .allocate = files_allocate,
    .sync = files_sync,
    .close = files_close,
    .make_dir = files_make_dir,
    .rename = files_rename,
    .remove = files_remove,
    .sync_dir = files_sync_dir,
    .list = files_list,
    .modified_s = files_modified_s,
    .free_bytes = files_free_bytes,
};

static const struct env_store store = {
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
};

/* Every part has its own context; files and stores need none. */
static void fill_env(struct env_host *host)
{
    host->env = (struct env){
        .clock = {.ctx = host->loop,
                  .now_us = now_us,
                  .unix_s = unix_s,
                  .timer_start = loop_timer_start,
                  .timer_cancel = loop_timer_cancel},
        .random = {.fill = fill_random},
        .jobs = {.ctx = host->jobs,
                 .submit = jobs_submit,
                 .cancel = jobs_cancel,
                 .compute_threads = jobs_compute_threads},
        .files = files,
        .store = store,
        .names = {.ctx = host->resolver, .resolve = resolver_start, .cancel = resolver_cancel},
        .streams = {.ctx = host->streams,
                    .connect = streams_connect,
                    .listen = streams_listen,
                    .send = streams_send,
                    .send_shared = streams_send_shared,
                    .flush = streams_flush,
                    .queued_bytes = streams_queued_bytes,
                    .local = streams_local,
                    .pause = streams_pause,
                    .close = streams_close},
        .datagrams = {.ctx = host->datagrams,
                      .open = datagrams_open,
                      .send = datagrams_send,
                      .local = datagrams_local,
                      .close = datagrams_close,
                      .gateway = datagrams_gateway,
                      .own_addresses = datagrams_own_addresses},
    };
}

/* A test of a whole program says so what that program shall have. */
static void plant(struct env_host *host)
{
#ifdef CAIRN_PLANT
    host->env.planted = planted_find(getenv("CAIRN_PLANTED"));
    ASSERT(host->env.planted >= 0);
#else
    (void)host;
#endif
}

struct env_host *env_host_new(int compute_threads)
{
    struct env_host *host = xcalloc(1, sizeof *host);
    host->loop = loop_new();
    if (host->loop)
        host->jobs = jobs_new(host->loop, compute_threads, BLOCKING_THREADS);
    if (!host->jobs) {
        loop_free(host->loop);
        xfree(host);
        return NULL;
    }
    host->streams = streams_new(host->loop);
    host->datagrams = datagrams_new(host->loop);
    host->resolver = resolver_new(host->loop);
    fill_env(host);
    plant(host);
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
    /* Jobs first: their ends may still send, or start timers. The loop last: all were made on it.
     */
    jobs_free(host->jobs);
    resolver_free(host->resolver);
    streams_free(host->streams);
    datagrams_free(host->datagrams);
    loop_free(host->loop);
    xfree(host);
}

const struct env *env_host_env(const struct env_host *host)
{
    ASSERT(host);
    return &host->env;
}

struct loop *env_host_loop(struct env_host *host)
{
    return host->loop;
}
