/* sim_env.c - fills a struct env from the simulated clock, jobs and disk. */
#include "sim/sim_env.h"

#include "sim/sim_kv.h"
#include "sim/sim_net.h"
#include "util/alloc.h"

struct sim_env {
    struct env env;
    struct sim_events own_events; /* unused if the clock is shared */
    struct sim_events *events;
    struct sim_host *host;      /* NULL: not in a network */
    struct sim_gateway gateway; /* to nowhere, unless a test sets it */
    struct sim_owner owner;     /* of timers and jobs */
    struct sim_jobs jobs;
    struct sim_disk *disk;
    struct sim_random random;
    int64_t unix_base_s; /* wall clock when now_us was 0 */
    uint64_t seed;
    uint64_t n_dead; /* streams asked for while there was no network */
};

/* The functions of struct env. None of them reads the real clock, or depends on an address in
 * memory: the seed decides everything. */

static int64_t now_us(void *ctx)
{
    return sim_events_now_us(((struct sim_env *)ctx)->events);
}

static int64_t unix_s(void *ctx)
{
    struct sim_env *sim = ctx;
    return sim->unix_base_s + sim_events_now_us(sim->events) / 1000000;
}

static uint64_t timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    struct sim_env *sim = ctx;
    ASSERT(delay_us >= 0);
    int64_t at_us = sim_events_now_us(sim->events) + delay_us;
    return sim_events_add_for(sim->events, &sim->owner, at_us, fn, arg);
}

static void timer_cancel(void *ctx, uint64_t id)
{
    sim_events_cancel(((struct sim_env *)ctx)->events, id);
}

static void fill_random(void *ctx, void *out, size_t len)
{
    uint8_t *p = out;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)sim_random_u64(&((struct sim_env *)ctx)->random);
}

static void job_submit(void *ctx, enum env_pool pool, enum env_priority priority,
                       struct env_job *job)
{
    sim_jobs_submit(&((struct sim_env *)ctx)->jobs, pool, priority, job);
}

static void job_cancel(void *ctx, struct env_job *job)
{
    sim_jobs_cancel(&((struct sim_env *)ctx)->jobs, job);
}

static int compute_threads(void *ctx)
{
    return ((struct sim_env *)ctx)->jobs.pool[ENV_POOL_COMPUTE].workers;
}

static int cursor_error(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    (void)cursor;
    return 0;
}

static uint64_t stream_connect(void *ctx, const char *address, uint16_t port,
                               const struct env_stream_events *events, void *arg)
{
    struct sim_env *sim = ctx;
    if (!sim->host) /* an id that no network gives, of a stream to which nothing happens */
        return UINT64_MAX - sim->n_dead++;
    return sim_net_connect(sim->host, address, port, events, arg);
}

static uint64_t stream_listen(void *ctx, const char *address, uint16_t port,
                              const struct env_stream_events *events, void *arg, int *error)
{
    struct sim_env *sim = ctx;
    *error = 0;
    if (!sim->host) /* as above: its machine has crashed */
        return UINT64_MAX - sim->n_dead++;
    return sim_net_listen(sim->host, address, port, events, arg, error);
}

static void stream_send(void *ctx, uint64_t stream, struct span bytes)
{
    struct sim_env *sim = ctx;
    if (sim->host)
        sim_net_send(sim->host, stream, bytes);
}

/* The network of a simulation copies all there is. */
static void stream_send_shared(void *ctx, uint64_t stream, struct span bytes,
                               void (*release)(void *arg), void *arg)
{
    stream_send(ctx, stream, bytes);
    release(arg);
}

static size_t stream_queued_bytes(void *ctx, uint64_t stream)
{
    struct sim_env *sim = ctx;
    return sim->host ? sim_net_queued_bytes(sim->host, stream) : 0;
}

static uint16_t stream_local(void *ctx, uint64_t stream, char *address, size_t size)
{
    struct sim_env *sim = ctx;
    return sim->host ? sim_net_local(sim->host, stream, address, size) : 0;
}

static void stream_pause(void *ctx, uint64_t stream, bool paused)
{
    struct sim_env *sim = ctx;
    if (sim->host)
        sim_net_pause(sim->host, stream, paused);
}

static void stream_close(void *ctx, uint64_t stream)
{
    struct sim_env *sim = ctx;
    if (sim->host)
        sim_net_close(sim->host, stream);
}

static const struct env_files files = {
    .open = sim_disk_open,
    .read_at = sim_disk_read_at,
    .write_at = sim_disk_write_at,
    .size = sim_disk_size,
    .truncate = sim_disk_truncate,
    .allocate = sim_disk_allocate,
    .sync = sim_disk_sync,
    .close = sim_disk_close,
    .make_dir = sim_disk_make_dir,
    .rename = sim_disk_rename,
    .remove = sim_disk_remove,
    .sync_dir = sim_disk_sync_dir,
    .list = sim_disk_list,
    .modified_s = sim_disk_modified_s,
    .free_bytes = sim_disk_free_bytes,
};

static const struct env_store store = {
    .kv_open = sim_kv_open,
    .kv_close = sim_kv_close,
    .kv_destroy = sim_kv_destroy,
    .kv_get = sim_kv_get,
    .batch_new = sim_kv_batch_new,
    .batch_free = sim_kv_batch_free,
    .batch_clear = sim_kv_batch_clear,
    .batch_put = sim_kv_batch_put,
    .batch_delete = sim_kv_batch_delete,
    .kv_write = sim_kv_write,
    .cursor_open = sim_kv_cursor_open,
    .cursor_close = sim_kv_cursor_close,
    .cursor_seek = sim_kv_cursor_seek,
    .cursor_valid = sim_kv_cursor_valid,
    .cursor_next = sim_kv_cursor_next,
    .cursor_key = sim_kv_cursor_key,
    .cursor_value = sim_kv_cursor_value,
    .cursor_error = cursor_error,
};

/* There are no names in this world. */
static void fill_env(struct sim_env *sim)
{
    sim->env = (struct env){
        .clock = {.ctx = sim,
                  .now_us = now_us,
                  .unix_s = unix_s,
                  .timer_start = timer_start,
                  .timer_cancel = timer_cancel},
        .random = {.ctx = sim, .fill = fill_random},
        .jobs = {.ctx = sim,
                 .submit = job_submit,
                 .cancel = job_cancel,
                 .compute_threads = compute_threads},
        .files = files,
        .store = store,
        .streams = {.ctx = sim,
                    .connect = stream_connect,
                    .listen = stream_listen,
                    .send = stream_send,
                    .send_shared = stream_send_shared,
                    .queued_bytes = stream_queued_bytes,
                    .local = stream_local,
                    .pause = stream_pause,
                    .close = stream_close},
        .datagrams = sim_gateway_datagrams(&sim->gateway),
    };
    sim->env.files.ctx = sim->disk;
    sim->env.store.ctx = sim->disk;
}

/* shared NULL: a clock of its own, which starts at now_us. */
static struct sim_env *make(uint64_t seed, struct sim_events *shared, int64_t now_us,
                            int64_t unix_base_s, struct sim_disk *disk)
{
    struct sim_env *sim = xcalloc(1, sizeof *sim);
    sim->seed = seed;
    sim->random = sim_random_of(seed, 0x656e76);
    sim->unix_base_s = unix_base_s;
    sim->disk = disk;
    fill_env(sim);
    if (!shared)
        sim_events_init(&sim->own_events, now_us);
    sim->events = shared ? shared : &sim->own_events;
    sim->gateway.events = sim->events;
    sim_jobs_init(&sim->jobs, sim->events, seed);
    sim->jobs.owner = &sim->owner;
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

void sim_env_set_gateway(struct sim_env *sim, const char *address, const char *own,
                         sim_gateway_fn *answer, void *arg)
{
    ASSERT(address && own && answer);
    bool is_ipv6 = strchr(address, ':') != NULL;
    sim->gateway.address[is_ipv6] = address;
    sim->gateway.own[is_ipv6] = own;
    sim->gateway.answer = answer;
    sim->gateway.arg = arg;
}

void sim_env_set_addresses(struct sim_env *sim, const char *const *addresses, size_t n)
{
    ASSERT(addresses || n == 0);
    sim->gateway.own_addresses = addresses;
    sim->gateway.n_own_addresses = n;
}

void sim_env_set_host(struct sim_env *sim, struct sim_host *host)
{
    sim->host = host;
}

struct sim_env *sim_env_crash(const struct sim_env *sim, enum sim_crash how, uint64_t seed)
{
    ASSERT(sim);
    struct sim_events *shared = sim->events == &sim->own_events ? NULL : sim->events;
    return make(seed, shared, sim_events_now_us(sim->events), sim->unix_base_s,
                sim_disk_after_crash(sim->disk, how, seed));
}

void sim_env_free(struct sim_env *sim)
{
    ASSERT(sim);
    sim_jobs_deinit(&sim->jobs);
    sim_events_forget(sim->events, &sim->owner);
    if (sim->events == &sim->own_events)
        sim_events_deinit(&sim->own_events);
    sim_disk_free(sim->disk);
    xfree(sim);
}

const struct env *sim_env_get(const struct sim_env *sim)
{
    return &sim->env;
}

void sim_env_set_verdicts(struct sim_env *sim, struct sim_verdicts *verdicts)
{
    ASSERT(sim);
    sim->env.verdicts = sim_verdicts_env(verdicts);
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
    ASSERT(sim);
    int64_t end_us = sim->events->now_us + us;
    while (sim_events_next_us(sim->events) <= end_us)
        sim_events_step(sim->events);
    sim->events->now_us = end_us;
}

void sim_env_plant(struct sim_env *sim, int planted)
{
    ASSERT(sim);
#ifdef CAIRN_PLANT
    sim->env.planted = planted;
#else
    (void)sim;
    ASSERT(planted == 0);
#endif
}

void sim_env_set_unix_s(struct sim_env *sim, int64_t unix_s)
{
    sim->unix_base_s = unix_s - sim_events_now_us(sim->events) / 1000000;
}
