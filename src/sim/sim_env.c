/* sim_env.c - fills a struct env from the simulated clock, jobs and disk. */
#include "sim/sim_env.h"

#include "sim/sim_kv.h"
#include "sim/sim_net.h"
#include "util/alloc.h"

#define SIM_START_UNIX_S INT64_C(1700000000)

struct sim_env {
    struct env env;
    struct sim_events own_events; /* unused if the clock is shared */
    struct sim_events *events;
    struct sim_host *host; /* NULL: not in a network */
    struct sim_jobs jobs;
    struct sim_disk *disk;
    struct sim_random random;
    int64_t unix_base_s; /* wall clock when now_us was 0 */
    uint64_t seed;
    uint64_t n_dead; /* streams asked for while there was no network */
};

static int64_t env_now_us(void *ctx)
{
    return ((struct sim_env *)ctx)->events->now_us;
}

static int64_t env_unix_s(void *ctx)
{
    struct sim_env *sim = ctx;
    return sim->unix_base_s + sim->events->now_us / 1000000;
}

static uint64_t env_timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    struct sim_env *sim = ctx;
    ASSERT(delay_us >= 0);
    return sim_events_add_for(sim->events, sim, sim->events->now_us + delay_us, fn, arg);
}

static void env_timer_cancel(void *ctx, uint64_t id)
{
    sim_events_cancel(((struct sim_env *)ctx)->events, id);
}

static void env_random(void *ctx, void *out, size_t len)
{
    uint8_t *p = out;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)sim_random_u64(&((struct sim_env *)ctx)->random);
}

static void env_job_submit(void *ctx, enum env_pool pool, enum env_priority priority,
                           struct env_job *job)
{
    sim_jobs_submit(&((struct sim_env *)ctx)->jobs, pool, priority, job);
}

static void env_job_cancel(void *ctx, struct env_job *job)
{
    sim_jobs_cancel(&((struct sim_env *)ctx)->jobs, job);
}

static int env_compute_threads(void *ctx)
{
    return ((struct sim_env *)ctx)->jobs.pool[ENV_POOL_COMPUTE].workers;
}

/* A struct env_file is a struct sim_file: only this file converts. */
static struct sim_file *sim_file_of(struct env_file *file)
{
    return (struct sim_file *)(void *)file;
}

static int env_file_open(void *ctx, const char *path, int flags, struct env_file **out)
{
    struct sim_file *file;
    int error = sim_disk_open(((struct sim_env *)ctx)->disk, path, flags, &file);
    *out = (struct env_file *)(void *)file;
    return error;
}

static int64_t env_file_read_at(void *ctx, struct env_file *file, uint64_t offset, void *p,
                                size_t n)
{
    (void)ctx;
    return sim_disk_read_at(sim_file_of(file), offset, p, n);
}

static int env_file_write_at(void *ctx, struct env_file *file, uint64_t offset, const void *p,
                             size_t n)
{
    (void)ctx;
    return sim_disk_write_at(sim_file_of(file), offset, p, n);
}

static int64_t env_file_size(void *ctx, struct env_file *file)
{
    (void)ctx;
    return sim_disk_size(sim_file_of(file));
}

static int env_file_truncate(void *ctx, struct env_file *file, uint64_t size)
{
    (void)ctx;
    return sim_disk_truncate(sim_file_of(file), size);
}

static int env_file_allocate(void *ctx, struct env_file *file, uint64_t offset, uint64_t n)
{
    (void)ctx;
    return sim_disk_allocate(sim_file_of(file), offset, n);
}

static int env_file_sync(void *ctx, struct env_file *file)
{
    (void)ctx;
    return sim_disk_sync(sim_file_of(file));
}

static void env_file_close(void *ctx, struct env_file *file)
{
    (void)ctx;
    sim_disk_close(sim_file_of(file));
}

static int env_make_dir(void *ctx, const char *path)
{
    return sim_disk_make_dir(((struct sim_env *)ctx)->disk, path);
}

static int env_rename(void *ctx, const char *from, const char *to)
{
    return sim_disk_rename(((struct sim_env *)ctx)->disk, from, to);
}

static int env_remove(void *ctx, const char *path)
{
    return sim_disk_remove(((struct sim_env *)ctx)->disk, path);
}

static int env_sync_dir(void *ctx, const char *path)
{
    return sim_disk_sync_dir(((struct sim_env *)ctx)->disk, path);
}

static int env_list(void *ctx, const char *path, void (*fn)(void *arg, const char *name), void *arg)
{
    return sim_disk_list(((struct sim_env *)ctx)->disk, path, fn, arg);
}

static int64_t env_free_bytes(void *ctx, const char *path)
{
    (void)path;
    return sim_disk_free_bytes(((struct sim_env *)ctx)->disk);
}

static int env_kv_open(void *ctx, const char *path, const struct env_kv_options *options,
                       struct env_kv **out, char **error)
{
    (void)options;
    return sim_kv_open(((struct sim_env *)ctx)->disk, path, out, error);
}

static void env_kv_close(void *ctx, struct env_kv *kv)
{
    (void)ctx;
    sim_kv_close(kv);
}

static int env_kv_destroy(void *ctx, const char *path)
{
    return sim_kv_destroy(((struct sim_env *)ctx)->disk, path);
}

static int env_kv_get(void *ctx, struct env_kv *kv, struct span key, void *out_buffer)
{
    (void)ctx;
    return sim_kv_get(kv, key, out_buffer);
}

static struct env_batch *env_batch_new(void *ctx)
{
    (void)ctx;
    return sim_kv_batch_new();
}

static void env_batch_free(void *ctx, struct env_batch *batch)
{
    (void)ctx;
    sim_kv_batch_free(batch);
}

static void env_batch_clear(void *ctx, struct env_batch *batch)
{
    (void)ctx;
    sim_kv_batch_clear(batch);
}

static void env_batch_put(void *ctx, struct env_batch *batch, struct span key, struct span value)
{
    (void)ctx;
    sim_kv_batch_put(batch, key, value);
}

static void env_batch_delete(void *ctx, struct env_batch *batch, struct span key)
{
    (void)ctx;
    sim_kv_batch_delete(batch, key);
}

static int env_kv_write(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync)
{
    (void)ctx;
    return sim_kv_write(kv, batch, sync);
}

static struct env_cursor *env_cursor_open(void *ctx, struct env_kv *kv)
{
    (void)ctx;
    return sim_kv_cursor_open(kv);
}

static void env_cursor_close(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    sim_kv_cursor_close(cursor);
}

static void env_cursor_seek(void *ctx, struct env_cursor *cursor, struct span key)
{
    (void)ctx;
    sim_kv_cursor_seek(cursor, key);
}

static bool env_cursor_valid(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    return sim_kv_cursor_valid(cursor);
}

static void env_cursor_next(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    sim_kv_cursor_next(cursor);
}

static struct span env_cursor_key(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    return sim_kv_cursor_key(cursor);
}

static struct span env_cursor_value(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    return sim_kv_cursor_value(cursor);
}

static int env_cursor_error(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    (void)cursor;
    return 0;
}

static uint64_t env_stream_connect(void *ctx, const char *address, uint16_t port,
                                   const struct env_stream_events *events, void *arg)
{
    struct sim_env *sim = ctx;
    if (!sim->host) /* an id that no network gives, of a stream to which nothing happens */
        return UINT64_MAX - sim->n_dead++;
    return sim_net_connect(sim->host, address, port, events, arg);
}

static uint64_t env_stream_listen(void *ctx, const char *address, uint16_t port,
                                  const struct env_stream_events *events, void *arg, int *error)
{
    struct sim_env *sim = ctx;
    ASSERT(sim->host);
    return sim_net_listen(sim->host, address, port, events, arg, error);
}

static void env_stream_send(void *ctx, uint64_t stream, struct span bytes)
{
    struct sim_env *sim = ctx;
    if (sim->host)
        sim_net_send(sim->host, stream, bytes);
}

/* The network of a simulation copies all there is. */
static void env_stream_send_shared(void *ctx, uint64_t stream, struct span bytes,
                                   void (*release)(void *arg), void *arg)
{
    env_stream_send(ctx, stream, bytes);
    release(arg);
}

static size_t env_stream_queued_bytes(void *ctx, uint64_t stream)
{
    struct sim_env *sim = ctx;
    return sim->host ? sim_net_queued_bytes(sim->host, stream) : 0;
}

static uint16_t env_stream_local(void *ctx, uint64_t stream, char *address, size_t size)
{
    struct sim_env *sim = ctx;
    return sim->host ? sim_net_local(sim->host, stream, address, size) : 0;
}

static void env_stream_pause(void *ctx, uint64_t stream, bool paused)
{
    struct sim_env *sim = ctx;
    if (sim->host)
        sim_net_pause(sim->host, stream, paused);
}

static void env_stream_close(void *ctx, uint64_t stream)
{
    struct sim_env *sim = ctx;
    if (sim->host)
        sim_net_close(sim->host, stream);
}

static const struct env sim_functions = {
    .now_us = env_now_us,
    .unix_s = env_unix_s,
    .timer_start = env_timer_start,
    .timer_cancel = env_timer_cancel,
    .random = env_random,
    .job_submit = env_job_submit,
    .job_cancel = env_job_cancel,
    .compute_threads = env_compute_threads,
    .file_open = env_file_open,
    .file_read_at = env_file_read_at,
    .file_write_at = env_file_write_at,
    .file_size = env_file_size,
    .file_truncate = env_file_truncate,
    .file_allocate = env_file_allocate,
    .file_sync = env_file_sync,
    .file_close = env_file_close,
    .make_dir = env_make_dir,
    .rename = env_rename,
    .remove = env_remove,
    .sync_dir = env_sync_dir,
    .list = env_list,
    .free_bytes = env_free_bytes,
    .kv_open = env_kv_open,
    .kv_close = env_kv_close,
    .kv_destroy = env_kv_destroy,
    .kv_get = env_kv_get,
    .batch_new = env_batch_new,
    .batch_free = env_batch_free,
    .batch_clear = env_batch_clear,
    .batch_put = env_batch_put,
    .batch_delete = env_batch_delete,
    .kv_write = env_kv_write,
    .cursor_open = env_cursor_open,
    .cursor_close = env_cursor_close,
    .cursor_seek = env_cursor_seek,
    .cursor_valid = env_cursor_valid,
    .cursor_next = env_cursor_next,
    .cursor_key = env_cursor_key,
    .cursor_value = env_cursor_value,
    .cursor_error = env_cursor_error,
    .stream_connect = env_stream_connect,
    .stream_listen = env_stream_listen,
    .stream_send = env_stream_send,
    .stream_send_shared = env_stream_send_shared,
    .stream_queued_bytes = env_stream_queued_bytes,
    .stream_local = env_stream_local,
    .stream_pause = env_stream_pause,
    .stream_close = env_stream_close,
};

/* shared NULL: a clock of its own, which starts at now_us. */
static struct sim_env *make(uint64_t seed, struct sim_events *shared, int64_t now_us,
                            int64_t unix_base_s, struct sim_disk *disk)
{
    struct sim_env *sim = xcalloc(1, sizeof *sim);
    sim->env = sim_functions;
    sim->env.ctx = sim;
    sim->seed = seed;
    sim->random = sim_random_of(seed, 0x656e76);
    sim->unix_base_s = unix_base_s;
    sim->disk = disk;
    if (!shared)
        sim_events_init(&sim->own_events, now_us);
    sim->events = shared ? shared : &sim->own_events;
    sim_jobs_init(&sim->jobs, sim->events, seed);
    sim->jobs.owner = sim;
    return sim;
}

struct sim_env *sim_env_new(uint64_t seed)
{
    return make(seed, NULL, 0, SIM_START_UNIX_S, sim_disk_new());
}

struct sim_env *sim_env_new_on(struct sim_events *events, uint64_t seed)
{
    return make(seed, events, 0, SIM_START_UNIX_S, sim_disk_new());
}

struct sim_env *sim_env_new_with(struct sim_events *events, uint64_t seed,
                                 struct sim_disk *disk_take)
{
    return make(seed, events, 0, SIM_START_UNIX_S, disk_take);
}

void sim_env_set_host(struct sim_env *sim, struct sim_host *host)
{
    sim->host = host;
}

struct sim_env *sim_env_crash(const struct sim_env *sim, enum sim_crash how, uint64_t seed)
{
    struct sim_events *shared = sim->events == &sim->own_events ? NULL : sim->events;
    return make(seed, shared, sim->events->now_us, sim->unix_base_s,
                sim_disk_after_crash(sim->disk, how, seed));
}

void sim_env_free(struct sim_env *sim)
{
    sim_jobs_deinit(&sim->jobs);
    sim_events_forget(sim->events, sim);
    if (sim->events == &sim->own_events)
        sim_events_deinit(&sim->own_events);
    sim_disk_free(sim->disk);
    xfree(sim);
}

const struct env *sim_env_get(const struct sim_env *sim)
{
    return &sim->env;
}

struct sim_disk *sim_env_disk(struct sim_env *sim)
{
    return sim->disk;
}

struct sim_jobs *sim_env_jobs(struct sim_env *sim)
{
    return &sim->jobs;
}

bool sim_env_step(struct sim_env *sim)
{
    return sim_events_step(sim->events);
}

void sim_env_run_until_idle(struct sim_env *sim)
{
    while (sim->jobs.pending > 0 && sim_events_step(sim->events))
        ;
    ASSERT(sim->jobs.pending == 0);
}

void sim_env_run_for(struct sim_env *sim, int64_t us)
{
    int64_t end_us = sim->events->now_us + us;
    while (sim_events_next_us(sim->events) <= end_us)
        sim_events_step(sim->events);
    sim->events->now_us = end_us;
}

void sim_env_plant(struct sim_env *sim, int planted)
{
#ifdef CAIRN_PLANT
    sim->env.planted = planted;
#else
    (void)sim;
    ASSERT(planted == 0);
#endif
}

void sim_env_set_unix_s(struct sim_env *sim, int64_t unix_s)
{
    sim->unix_base_s = unix_s - sim->events->now_us / 1000000;
}
