/* sim_world.c - see sim_world.h: machines, their lives and deaths, and the trace. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chain/core/script_cache.h"
#include "sim/sim_world_internal.h"
#include "util/alloc.h"

#define LINKS_DEFAULT     2
#define CACHE_DEFAULT     (1 << 20)
#define MAX_TIP_AGE_S     86400
#define LINE_BYTES        600
#define RANDOM_PART       0x776f726c64 /* of the seed: see sim_random_of() */
#define MACHINE_PART      0x6d616368   /* the same of each machine, with its number above */
#define FIRST_CLOCK_US    INT64_C(1000000)
#define STALL_ONE_IN      8
#define SPARE_CONNECTIONS 16 /* beyond those that are asked for: slots that stay empty */
#define STALL_MAX_US      1000000
#define FOREVER_US        (INT64_MAX / 2)
#define STOPPING_AT_ONCE  32 /* of the lives that end with the world */

/* -- The trace ----------------------------------------------------------------------------------
 */

static void add_line(struct sim_world *world, const char *line)
{
    sha256_update(&world->trace, line, strlen(line));
    sha256_update(&world->trace, "\n", 1);
    world->n_lines++;
    if (world->options.trace)
        world->options.trace(world->options.ctx, line);
}

void sim_world_trace(struct sim_world *world, const char *format, ...)
{
    ASSERT(world);
    char line[LINE_BYTES];
    int64_t now_us = world->events.now_us;
    int n = snprintf(line, sizeof line, "%6lld.%06lld ", (long long)(now_us / 1000000),
                     (long long)(now_us % 1000000));
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    add_line(world, line);
}

uint64_t sim_world_trace_hash(const struct sim_world *world, char out[HEX_ID_BYTES])
{
    ASSERT(world);
    struct sha256 copy = world->trace;
    uint8_t digest[32];
    sha256_final(&copy, digest);
    hex_encode(out, span_of(digest, sizeof digest));
    return world->n_lines;
}

void sim_world_fail(struct sim_world *world, const char *format, ...)
{
    ASSERT(world);
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    sim_world_trace(world, "FAILURE: %s", line);
    if (!world->failure)
        world->failure = xstrdup(line);
}

const char *sim_world_failure(const struct sim_world *world)
{
    return world->failure;
}

/* -- A life: what its node tells ----------------------------------------------------------------
 *
 * While clocks move, a node touches nothing but its machine: what it tells is noted, and the world
 * reads it by its own clock. */

typedef void note_fn(struct sim_world *world, size_t machine, const char *text);

struct note {
    struct sim_world *world;
    size_t machine;
    note_fn *fn;
    char text[];
};

static void on_note(void *arg)
{
    struct note *note = arg;
    note->fn(note->world, note->machine, note->text);
    xfree(note);
}

/* Also if nothing moves, what ends a life is noted, not done: its functions are on the stack. */
static void post_note(const struct sim_life *life, note_fn *fn, const char *text)
{
    struct sim_world *world = life->world;
    struct sim_events *events = world->machines[life->machine].events;
    struct note *note = xmalloc(sizeof *note + strlen(text) + 1);
    *note = (struct note){.world = world, .machine = life->machine, .fn = fn};
    memcpy(note->text, text, strlen(text) + 1);
    sim_events_send(events, &world->events, &world->notes, sim_events_now_us(events), on_note,
                    note);
}

static void tell(const struct sim_life *life, note_fn *fn, const char *text)
{
    if (life->is_ghost)
        return;
    if (sim_lanes_are_moving(life->world->lanes))
        post_note(life, fn, text);
    else
        fn(life->world, life->machine, text);
}

static void note_line(struct sim_world *world, size_t i, const char *text)
{
    sim_world_trace(world, "%zu| %s", i, text);
}

static void note_warning_line(struct sim_world *world, size_t i, const char *text)
{
    note_line(world, i, text);
    world->options.warned(world->options.ctx, i, text);
}

static void on_log(void *ctx, enum log_level level, enum log_category category, const char *line)
{
    const struct sim_life *life = ctx;
    (void)category;
    bool is_told = level >= LOG_LEVEL_WARNING && life->world->options.warned;
    tell(life, is_told ? note_warning_line : note_line, line);
}

static void note_alert(struct sim_world *world, size_t i, const char *text)
{
    sim_world_trace(world, "%zu alert: %s", i, text);
}

static void note_tip(struct sim_world *world, size_t i, const char *text)
{
    sim_world_trace(world, "%zu tip %s", i, text);
    if (world->options.tip)
        world->options.tip(world->options.ctx, i, text);
}

static void on_notice(void *ctx, enum node_notice notice, const char *text)
{
    const struct sim_life *life = ctx;
    if (notice == NODE_NOTICE_ALERT)
        tell(life, note_alert, text);
    else if (notice == NODE_NOTICE_BLOCK)
        tell(life, note_tip, text);
}

static void on_progress(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void note_warning(struct sim_world *world, size_t i, const char *text)
{
    sim_world_trace(world, "%zu warning: %s", i, text);
}

static void on_warning(void *ctx, const char *line)
{
    tell(ctx, note_warning, line);
}

static void on_stopping(void *ctx)
{
    const struct sim_life *life = ctx;
    if (!life->is_ghost)
        life->world->machines[life->machine].state = SIM_MACHINE_STOPPING;
}

static void reap(void *arg);

/* A node ends by itself: as is to be expected of its machine, or not. */
static void note_error(struct sim_world *world, size_t i, const char *what, const char *error)
{
    struct sim_machine *machine = &world->machines[i];
    if (!machine->may_fail) {
        sim_world_fail(world, "node %zu %s: %s", i, what, error);
        return;
    }
    sim_world_trace(world, "%zu %s: %s", i, what, error);
    xfree(machine->error);
    machine->error = xstrdup(error);
}

static void note_stopped(struct sim_world *world, size_t i, const char *error)
{
    note_error(world, i, "stopped", error);
}

static void on_stopped(void *ctx, const char *error)
{
    struct sim_life *life = ctx;
    struct sim_events *events = life->world->machines[life->machine].events;
    if (error)
        tell(life, note_stopped, error);
    sim_events_send(events, &life->world->events, NULL, sim_events_now_us(events), reap, life);
}

/* -- Birth and death ----------------------------------------------------------------------------
 */

static void leave_network(struct sim_machine *machine, struct sim_env *env)
{
    sim_env_set_host(env, NULL);
    if (machine->host)
        sim_net_leave(machine->host);
    machine->host = NULL;
}

static void life_free(struct sim_life *life)
{
    list_remove(&life->world->lives, &life->link);
    xfree(life);
}

/* The machine of a life that ended in order is off. */
static void switch_off(struct sim_life *life)
{
    struct sim_machine *machine = &life->world->machines[life->machine];
    leave_network(machine, life->env);
    machine->life = NULL;
    machine->env = life->env;
    machine->state = SIM_MACHINE_OFF;
    sim_world_trace(life->world, "%zu off", life->machine);
}

static void reap(void *arg)
{
    struct sim_life *life = arg;
    sim_life_drop_calls(life);
    node_free(life->node);
    life->node = NULL;
    if (life->is_ghost)
        sim_env_free(life->env);
    else
        switch_off(life);
    life_free(life);
}

/* A life whose machine is gone goes on as a ghost. */
static struct sim_life *make_ghost(struct sim_machine *machine)
{
    struct sim_life *life = machine->life;
    life->is_ghost = true;
    leave_network(machine, life->env);
    machine->life = NULL;
    machine->state = SIM_MACHINE_OFF;
    sim_life_drop_calls(life);
    return life;
}

static void abandon(struct sim_machine *machine)
{
    node_stop(make_ghost(machine)->node);
}

/* What a crash has left is there: from now on it is the machine. */
static void finish_crash(struct sim_machine *machine)
{
    if (!machine->crashed)
        return;
    if (machine->life)
        abandon(machine);
    else
        sim_env_free(machine->env);
    machine->env = machine->crashed;
    machine->crashed = NULL;
}

static void disarm(struct sim_machine *machine)
{
    machine->is_armed = false;
    if (machine->crashed)
        sim_env_free(machine->crashed);
    machine->crashed = NULL;
}

static struct sim_env *crash_env(struct sim_machine *machine, struct sim_env *env,
                                 enum sim_crash how)
{
    return sim_env_crash(env, how, sim_random_u64(&machine->random));
}

static void note_crash(struct sim_world *world, size_t i, const char *unused)
{
    (void)unused;
    finish_crash(&world->machines[i]);
}

static void note_crash_amid(struct sim_world *world, size_t i, const char *text)
{
    world->n_crashes++;
    sim_world_trace(world, "%zu crashes amid a write (%s)", i, text);
}

/* Before and after each change of a life's disk. */
static void on_disk_change(void *arg)
{
    struct sim_life *life = arg;
    struct sim_world *world = life->world;
    struct sim_machine *machine = &world->machines[life->machine];
    if (machine->life != life || !machine->is_armed || machine->crash_left-- > 0)
        return;
    char how[16];
    snprintf(how, sizeof how, "%d", machine->crash_how);
    machine->is_armed = false;
    machine->crashed = crash_env(machine, life->env, machine->crash_how);
    tell(life, note_crash_amid, how);
    /* Nothing of it is heard any more. The node's functions are on the stack: it is taken away
     * after them. */
    life->is_ghost = true;
    leave_network(machine, life->env);
    post_note(life, note_crash, "");
}

void sim_world_crash_in_write(struct sim_world *world, size_t i, enum sim_crash how, uint64_t n)
{
    ASSERT(world);
    struct sim_machine *machine = &world->machines[i];
    sim_world_spare(world, i);
    machine->is_armed = true;
    machine->crash_how = how;
    machine->crash_left = n;
}

void sim_world_spare(struct sim_world *world, size_t i)
{
    ASSERT(world);
    finish_crash(&world->machines[i]); /* of this very instant: it has come */
    disarm(&world->machines[i]);
}

void sim_world_crash(struct sim_world *world, size_t i, enum sim_crash how)
{
    ASSERT(world);
    struct sim_machine *machine = &world->machines[i];
    ASSERT(machine->life);
    disarm(machine);
    sim_world_trace(world, "%zu crashes (%d)", i, how);
    machine->env = crash_env(machine, machine->life->env, how);
    abandon(machine);
}

/* -- Starting and stopping ----------------------------------------------------------------------
 */

static bool encrypts(const struct sim_world *world, size_t i)
{
    if (world->options.transport == SIM_TRANSPORT_MIXED)
        return (world->options.seed + i) % 3 != 0;
    return world->options.transport == SIM_TRANSPORT_V2;
}

static struct node_options node_options_of(const struct sim_world *world,
                                           const struct sim_machine *machine,
                                           const char *const *external)
{
    size_t cache = world->options.coins_cache_bytes;
    bool is_drawn = world->options.links;
    return (struct node_options){
        .network = &world->network,
        .chain = {.data_dir = "regtest",
                  .cache_bytes = cache ? cache : CACHE_DEFAULT,
                  .script_cache_bytes = world->options.script_cache_bytes,
                  .flush_batch_bytes = world->options.flush_batch_bytes,
                  .txindex = world->options.txindex,
                  .block_file_bytes = world->options.block_file_bytes,
                  .max_tip_age_s = MAX_TIP_AGE_S,
                  .check_blocks = 6,
                  .check_level = 3},
        .mempool = mempool_default_options(),
        .persist_mempool = world->options.persist_mempool,
        .p2p = {.data_dir = "regtest",
                .user_agent = "/Cairn:sim/",
                .capture_messages = world->options.captures,
                .listen = true,
                .port = world->network.p2p_port,
                .connect_only = is_drawn || machine->is_fixed,
                .connect = machine->links,
                .n_connect = is_drawn || machine->is_fixed ? machine->n_links : 0,
                .add_nodes = machine->links,
                .n_add_nodes = is_drawn || machine->is_fixed ? 0 : machine->n_links,
                .max_connections = machine->max_connections,
                .blocks_only = world->options.blocks_only,
                .external = external,
                .n_external = 1,
                .v2_transport = encrypts(world, (size_t)(machine - world->machines))},
        .auth = {.user = "u", .password = "p", .event_log_max = world->options.event_log_max},
    };
}

static struct sim_life *life_new(struct sim_world *world, size_t i)
{
    struct sim_machine *machine = &world->machines[i];
    struct sim_life *life = xcalloc(1, sizeof *life);
    life->world = world;
    life->machine = i;
    life->env = machine->env;
    life->log = (struct log){.write = on_log, .ctx = life};
    if (world->options.traces_logs)
        life->log.categories = UINT32_MAX;
    list_add_first(&world->lives, &life->link);
    machine->env = NULL;
    machine->life = life;
    machine->host = sim_net_join_on(world->net, machine->address, machine->events);
    sim_net_set_place(machine->host, i);
    sim_env_set_host(life->env, machine->host);
    if (world->verdicts)
        sim_env_set_verdicts(life->env, world->verdicts);
    sim_disk_watch(sim_env_disk(life->env), on_disk_change, life);
    if (i == 0)
        sim_env_plant(life->env, world->options.planted);
    if (i == 0 && world->options.stalls) {
        struct sim_pool *pool = &sim_env_jobs(life->env)->pool[ENV_POOL_BLOCKING];
        pool->stall_one_in = STALL_ONE_IN;
        pool->stall_max_us = STALL_MAX_US;
    }
    return life;
}

void sim_world_start(struct sim_world *world, size_t i)
{
    const struct sim_start as_ever = {0};
    sim_world_start_with(world, i, &as_ever);
}

void sim_world_start_with(struct sim_world *world, size_t i, const struct sim_start *start)
{
    ASSERT(world && start);
    struct sim_machine *machine = &world->machines[i];
    ASSERT(machine->state == SIM_MACHINE_OFF);
    if (machine->crashed) /* it crashed at this very instant */
        finish_crash(machine);
    struct sim_life *life = life_new(world, i);
    const char *external[] = {machine->address};
    struct node_options options = node_options_of(world, machine, external);
    options.chain.reindex = start->reindex;
    options.chain.reindex_chainstate = start->reindex_chainstate;
    options.chain.prune = start->prune;
    if (i == 0 && world->options.signer) {
        options.block = block_assembler_default_options();
        options.block.signer = world->options.signer;
        options.miner =
            (struct node_miner_options){.interval_s = world->options.mine_interval_s,
                                        .block = options.block,
                                        .script = signet_signer_script(world->options.signer)};
    }
    struct node_events events = {.ctx = life,
                                 .notice = on_notice,
                                 .progress = on_progress,
                                 .warning = on_warning,
                                 .stopping = on_stopping,
                                 .stopped = on_stopped};
    sim_world_trace(world, "%zu on%s%s%s", i, start->reindex ? " -reindex" : "",
                    start->reindex_chainstate ? " -reindex-chainstate" : "",
                    start->prune ? " -prune=1" : "");
    machine->state = SIM_MACHINE_ON;
    char *error = NULL;
    life->node = node_new(sim_env_get(life->env), &life->log, &options, &events, &error);
    ASSERT(life->node);
    if (node_start(life->node, &error))
        return;
    note_error(world, i, "does not start", error);
    xfree(error);
    reap(life);
}

void sim_world_stop(struct sim_world *world, size_t i)
{
    ASSERT(world);
    struct sim_machine *machine = &world->machines[i];
    ASSERT(machine->state == SIM_MACHINE_ON);
    sim_world_trace(world, "%zu stops", i);
    machine->state = SIM_MACHINE_STOPPING;
    node_stop(machine->life->node);
}

/* -- Disks and clocks that are not as they should be --------------------------------------------
 */

/* What a machine is now, on or off. */
static struct sim_env *env_of(struct sim_machine *machine)
{
    if (machine->crashed) /* at this very instant */
        finish_crash(machine);
    return machine->life ? machine->life->env : machine->env;
}

void sim_world_break(struct sim_world *world, size_t i, const struct sim_fault *fault)
{
    ASSERT(world && fault);
    struct sim_machine *machine = &world->machines[i];
    sim_world_trace(world, "%zu: disk fails (%x, after %llu, %d%s)", i, fault->ops,
                    (unsigned long long)fault->n, fault->error, fault->forever ? ", for good" : "");
    xfree(machine->error);
    machine->error = NULL;
    machine->may_fail = true;
    sim_disk_fail(sim_env_disk(env_of(machine)), fault->ops, fault->n, fault->error,
                  fault->forever);
}

const char *sim_world_heal(struct sim_world *world, size_t i)
{
    ASSERT(world);
    struct sim_machine *machine = &world->machines[i];
    machine->may_fail = false;
    sim_disk_fail(sim_env_disk(env_of(machine)), 0, 0, 0, false);
    return machine->error;
}

void sim_world_move_clock(struct sim_world *world, size_t i, int64_t delta_s)
{
    ASSERT(world);
    struct sim_machine *machine = &world->machines[i];
    struct sim_env *sim = env_of(machine);
    const struct env *env = sim_env_get(sim);
    sim_world_trace(world, "%zu: clock moves by %lld s", i, (long long)delta_s);
    machine->may_fail = true;
    xfree(machine->error);
    machine->error = NULL;
    sim_env_set_unix_s(sim, env_unix_s(env) + delta_s);
}

/* -- The whole ----------------------------------------------------------------------------------
 */

/* Each machine is in a network group of its own, as p2p understands it, so that any may connect to
 * any. */
static void name_machine(struct sim_machine *machine, size_t i)
{
    snprintf(machine->address, sizeof machine->address, "%zu.%zu.0.1", 20 + i / 250, 1 + i % 250);
}

static void make_machine(struct sim_world *world, size_t i)
{
    const struct sim_base *base = world->options.base;
    struct sim_machine *machine = &world->machines[i];
    name_machine(machine, i);
    machine->events = sim_lanes_at(world->lanes, i);
    machine->random = sim_random_of(world->options.seed, (uint64_t)i << 32 | MACHINE_PART);
    machine->env = sim_env_new_with(machine->events, sim_random_u64(&world->random),
                                    base ? sim_base_disk(base) : sim_disk_new());
}

/* Those that options->links names. */
static void draw_links(struct sim_world *world, size_t i)
{
    const struct sim_world_options *options = &world->options;
    struct sim_machine *machine = &world->machines[i];
    machine->links = xcalloc(options->n_nodes, sizeof *machine->links);
    for (size_t to = 0; to < options->n_nodes; to++)
        if (to != i && options->links(options->ctx, i, to))
            machine->links[machine->n_links++] = world->machines[to].address;
}

/* The next one in a ring, so that nobody is left out, and some others at random. */
static void link_machine(struct sim_world *world, size_t i)
{
    size_t n = world->options.n_nodes;
    struct sim_machine *machine = &world->machines[i];
    if (world->options.links)
        draw_links(world, i);
    if (n < 2 || world->options.links)
        return;
    machine->n_links = world->options.n_links ? world->options.n_links : LINKS_DEFAULT;
    machine->links = xcalloc(machine->n_links, sizeof *machine->links);
    for (size_t k = 0; k < machine->n_links; k++) {
        size_t step = k == 0 ? 1 : 1 + sim_random_below(&world->random, n - 1);
        machine->links[k] = world->machines[(i + step) % n].address;
    }
}

/* As the user says, and with room for all that connect here. */
static void fix_links(struct sim_world *world, const struct sim_links *links)
{
    for (size_t i = 0; i < world->options.n_nodes; i++) {
        struct sim_machine *machine = &world->machines[i];
        machine->is_fixed = true;
        machine->n_links = links[i].n;
        machine->links = xcalloc(links[i].n + 1, sizeof *machine->links);
        machine->max_connections += (int)links[i].n;
        for (size_t k = 0; k < links[i].n; k++) {
            ASSERT(links[i].to[k] < world->options.n_nodes);
            struct sim_machine *to = &world->machines[links[i].to[k]];
            machine->links[k] = to->address;
            to->max_connections++;
        }
    }
    for (size_t i = 0; i < world->options.n_nodes; i++) {
        int needed = world->machines[i].max_connections + SPARE_CONNECTIONS;
        world->machines[i].max_connections = MAX_OF(needed, P2P_MAX_CONNECTIONS_DEFAULT);
    }
}

/* When a world without a base begins: as ever, or with its chain if that is younger. */
static int64_t first_clock_us(const struct network *network)
{
    struct block_header genesis;
    struct reader r = reader_of(network->genesis_raw);
    bool is_whole = block_header_decode(&r, &genesis);
    ASSERT(is_whole);
    return MAX_OF(FIRST_CLOCK_US, ((int64_t)genesis.time - SIM_START_UNIX_S) * 1000000);
}

struct sim_world *sim_world_new(const struct sim_world_options *options)
{
    ASSERT(options);
    struct sim_world *world = xcalloc(1, sizeof *world);
    world->options = *options;
    if (options->script_cache_bytes == 0)
        world->options.script_cache_bytes = SCRIPT_CACHE_BYTES_DEFAULT;
    world->random = sim_random_of(options->seed, RANDOM_PART);
    world->network = options->network ? *options->network : *network_get(NETWORK_REGTEST);
    world->network.prune_after_height = 0;
    sha256_init(&world->trace);
    if (options->shares_verdicts)
        world->verdicts = sim_verdicts_new();
    int64_t clock_us =
        options->base ? sim_base_clock_us(options->base) : first_clock_us(&world->network);
    sim_events_init(&world->events, clock_us);
    world->lanes = sim_lanes_new(&world->events, options->n_nodes, options->team);
    world->net = sim_net_new(&world->events, options->seed, &options->net);
    world->machines = xcalloc(options->n_nodes, sizeof *world->machines);
    for (size_t i = 0; i < options->n_nodes; i++)
        make_machine(world, i);
    if (options->peers)
        fix_links(world, options->peers);
    for (size_t i = 0; i < options->n_nodes && !options->peers; i++)
        link_machine(world, i);
    world->options.peers = NULL;
    return world;
}

/* Let the first of them stop, those behind them as soon as one has: a node that stops has its files
 * in memory as it writes them, far more than it needs while it runs. */
static void end_lives(struct sim_world *world)
{
    size_t n_ending = 0;
    LIST_EACH (struct sim_life, life, &world->lives, link) {
        if (n_ending++ == STOPPING_AT_ONCE)
            return;
        if (!life->is_ending)
            node_stop(life->node);
        life->is_ending = true;
    }
}

void sim_world_free(struct sim_world *world)
{
    for (size_t i = 0; i < world->options.n_nodes; i++) {
        struct sim_machine *machine = &world->machines[i];
        disarm(machine);
        if (machine->life)
            (void)make_ghost(machine);
        else
            sim_env_free(machine->env);
        xfree(machine->links);
        xfree(machine->error);
    }
    while (world->lives.count > 0) {
        end_lives(world);
        ASSERT(sim_world_step(world, FOREVER_US));
    }
    sim_lanes_settle(world->lanes);
    sim_net_free(world->net);
    sim_events_drop(&world->events, &world->notes, xfree);
    sim_lanes_free(world->lanes);
    sim_events_deinit(&world->events);
    sim_verdicts_free(world->verdicts);
    xfree(world->machines);
    xfree(world->failure);
    xfree(world);
}

void sim_world_verdicts(const struct sim_world *world, uint64_t *known, uint64_t *made)
{
    ASSERT(world);
    *known = *made = 0;
    if (world->verdicts)
        sim_verdicts_count(world->verdicts, known, made);
}

int64_t sim_world_now_us(const struct sim_world *world)
{
    return world->events.now_us;
}

bool sim_world_step(struct sim_world *world, int64_t limit_us)
{
    return sim_lanes_step(world->lanes, sim_net_least_us(world->net), limit_us);
}

void sim_world_run_for(struct sim_world *world, int64_t us)
{
    ASSERT(world);
    int64_t end_us = world->events.now_us + us;
    while (sim_world_step(world, end_us))
        ;
    world->events.now_us = end_us;
}

enum sim_machine_state sim_world_state(const struct sim_world *world, size_t i)
{
    return world->machines[i].state;
}

uint64_t sim_world_n_crashes(const struct sim_world *world)
{
    return world->n_crashes;
}

struct node *sim_world_node(struct sim_world *world, size_t i)
{
    ASSERT(world->machines[i].life);
    return world->machines[i].life->node;
}

struct sim_host *sim_world_host(struct sim_world *world, size_t i)
{
    return world->machines[i].host;
}

const struct env *sim_world_env(struct sim_world *world, size_t i)
{
    ASSERT(world->machines[i].life);
    return sim_env_get(world->machines[i].life->env);
}

struct sim_net *sim_world_net(struct sim_world *world)
{
    return world->net;
}

const char *sim_world_address(const struct sim_world *world, size_t i)
{
    ASSERT(world && i < world->options.n_nodes);
    return world->machines[i].address;
}

struct sim_events *sim_world_events(struct sim_world *world)
{
    return &world->events;
}
