/* sim_crashes.c - a node crashes again and again, and recovers each time as the crash rule says.
 *
 * Usage: sim_crashes [--crashes=200] [--first=1] [--trace]
 *
 * Each seed is a world of two nodes. One never crashes; the other one does, twenty times: at random
 * moments, before or after any change of its disk, while it starts, flushes, mines or changes
 * chains; what it had not synced is kept, lost, torn or out of order. Each time it must start again
 * without help, have no less work than its last completed flush had, catch up, and then have the
 * same tip and the same coins as the other one. $CAIRN_SIM_CRASHES replaces the default of
 * --crashes; --trace prints the traces, logs included. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_spend.h"
#include "support/sim_option.h"

#define BASE_BLOCKS    112
#define CRASHES_EACH   20
#define SECOND         INT64_C(1000000)
#define PATIENCE_US    (120 * SECOND) /* to catch up */
#define BLOCK_EVERY_US (15 * SECOND)  /* while catching up: of two equal chains one gets better */
#define CHANGES_MAX    120            /* of the disk until a crash amid them */
#define START_CHANGES  40             /* the same while starting */
#define FLUSH_BATCH    200            /* bytes: a few coins, so that a flush has many steps */
#define FLUSHES_MAX    64             /* orders to flush that wait at once, at most */
#define CRASH_NODE     0
#define SOUND_NODE     1

struct totals {
    uint64_t crashes, in_writes, in_starts, kinds[3], durable;
    int64_t virtual_us, caught_up_max_us;
};

/* One order to flush: several may be under way. */
struct flush_order {
    struct run *run;
    struct u256 work; /* of the tip when it was given */
};

struct run {
    const struct sim_base *base;
    struct sim_world *world;
    struct sim_random random;
    struct sim_spend spend;
    struct totals *totals;
    uint64_t crashes;
    struct u256 durable_work; /* of the tip that a flush was ordered at and told to be complete */
    struct flush_order flushes[FLUSHES_MAX];
    uint64_t n_flushes;
};

static uint64_t draw(struct run *run, uint64_t n)
{
    return sim_random_below(&run->random, n);
}

static struct chain *chain_of(struct run *run, size_t i)
{
    return node_chain(sim_world_node(run->world, i));
}

static bool is_up(const struct run *run)
{
    return sim_world_state(run->world, CRASH_NODE) == SIM_MACHINE_ON;
}

/* -- What the nodes do --------------------------------------------------------------------------
 */

static void send_tx(struct run *run, size_t i)
{
    sim_spend_add_mature(&run->spend, run->base, chain_tip(chain_of(run, i))->height);
    sim_spend_send(&run->spend, run->world, i);
}

/* The coins were counted, so they were written before: what was the tip then is safe. */
static void on_flushed(void *arg, int status, const char *body)
{
    const struct flush_order *order = arg;
    struct run *run = order->run;
    (void)body;
    if (status != 200)
        return;
    if (u256_compare(order->work, run->durable_work) > 0)
        run->durable_work = order->work;
    run->totals->durable++;
    sim_world_trace(run->world, "a flush is complete");
}

static void flush(struct run *run)
{
    struct flush_order *order = &run->flushes[run->n_flushes++ % FLUSHES_MAX];
    *order =
        (struct flush_order){.run = run, .work = chain_tip(chain_of(run, CRASH_NODE))->chain_work};
    sim_world_call(run->world, CRASH_NODE, "gettxoutsetinfo", "[\"none\"]", on_flushed, order);
}

static void part(struct run *run, bool is_parted)
{
    if (sim_world_host(run->world, CRASH_NODE))
        sim_net_set_group(sim_world_host(run->world, CRASH_NODE), is_parted);
    sim_world_trace(run->world, "%s", is_parted ? "parted" : "joined");
}

static void act(struct run *run)
{
    size_t i = is_up(run) ? draw(run, 2) : SOUND_NODE;
    switch (draw(run, 8)) {
    case 0:
    case 1:
        sim_world_mine(run->world, i);
        break;
    case 2:
    case 3:
    case 4:
        send_tx(run, i);
        break;
    case 5:
    case 6:
        if (is_up(run))
            flush(run);
        break;
    case 7:
        part(run, draw(run, 2));
        break;
    }
}

/* -- Crashes ------------------------------------------------------------------------------------
 */

static enum sim_crash draw_kind(struct run *run)
{
    static const enum sim_crash kinds[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    return kinds[draw(run, COUNT_OF(kinds))];
}

/* Crash while the nodes are at work: amid a change of the disk, or else at some moment. */
static void work_until_crash(struct run *run)
{
    enum sim_crash kind = draw_kind(run);
    bool is_amid_write = draw(run, 4) > 0;
    if (is_amid_write)
        sim_world_crash_in_write(run->world, CRASH_NODE, kind, draw(run, CHANGES_MAX));
    uint64_t n = 1 + draw(run, is_amid_write ? 40 : 12);
    for (uint64_t k = 0; k < n && is_up(run); k++) {
        act(run);
        sim_world_run_for(run->world, 1 + (int64_t)draw(run, draw(run, 2) ? 20000 : 2000000));
    }
    if (is_up(run))
        sim_world_crash(run->world, CRASH_NODE, kind);
    run->crashes++;
    run->totals->kinds[kind]++;
}

static void check_start(struct run *run)
{
    if (!is_up(run))
        return;
    const struct block_node *tip = chain_tip(chain_of(run, CRASH_NODE));
    sim_world_trace(run->world, "started at height %d", tip->height);
    /* Blocks that are stored may still have to be connected again: that is not counted here. */
    if (u256_compare(tip->chain_work, run->durable_work) < 0)
        sim_world_fail(run->world, "started at height %d, below what a complete flush had",
                       tip->height);
}

/* Start, and now and then crash amid that too. */
static void start_again(struct run *run)
{
    while (!is_up(run) && !sim_world_failure(run->world)) {
        bool shall_crash = run->crashes < CRASHES_EACH && draw(run, 3) == 0;
        uint64_t before = sim_world_n_crashes(run->world);
        enum sim_crash kind = draw_kind(run);
        if (shall_crash)
            sim_world_crash_in_write(run->world, CRASH_NODE, kind, draw(run, START_CHANGES));
        sim_world_start(run->world, CRASH_NODE);
        check_start(run);
        sim_world_run_for(run->world, SECOND);
        sim_world_spare(run->world, CRASH_NODE);
        uint64_t crashed = sim_world_n_crashes(run->world) - before;
        run->crashes += crashed;
        run->totals->in_starts += crashed;
        run->totals->kinds[kind] += crashed;
    }
}

/* -- Afterwards ---------------------------------------------------------------------------------
 */

static bool tips_agree(struct run *run)
{
    return block_hash_equal(&chain_tip(chain_of(run, CRASH_NODE))->hash,
                            &chain_tip(chain_of(run, SOUND_NODE))->hash);
}

static void catch_up(struct run *run)
{
    int64_t start_us = sim_world_now_us(run->world), block_us = start_us;
    while (!tips_agree(run)) {
        int64_t now_us = sim_world_now_us(run->world);
        if (now_us - start_us > PATIENCE_US) {
            sim_world_fail(run->world, "does not catch up: at %d, the other at %d",
                           chain_tip(chain_of(run, CRASH_NODE))->height,
                           chain_tip(chain_of(run, SOUND_NODE))->height);
            return;
        }
        if (now_us - block_us > BLOCK_EVERY_US) {
            sim_world_mine(run->world, SOUND_NODE);
            block_us = now_us;
        }
        sim_world_run_for(run->world, SECOND / 10);
        if (!is_up(run) || sim_world_failure(run->world))
            return;
    }
    if (sim_world_now_us(run->world) - start_us > run->totals->caught_up_max_us)
        run->totals->caught_up_max_us = sim_world_now_us(run->world) - start_us;
}

static void compare(struct run *run)
{
    struct sim_summary a, b;
    if (!is_up(run) || !sim_world_summary(run->world, CRASH_NODE, &a) ||
        !sim_world_summary(run->world, SOUND_NODE, &b)) {
        sim_world_fail(run->world, "a node does not count its coins");
        return;
    }
    if (strcmp(a.tip, b.tip) != 0 || strcmp(a.muhash, b.muhash) != 0)
        sim_world_fail(run->world, "other coins than a node that never crashed has");
    chain_check(chain_of(run, CRASH_NODE));
    mempool_verify(node_mempool(sim_world_node(run->world, CRASH_NODE)));
    run->durable_work = chain_tip(chain_of(run, CRASH_NODE))->chain_work;
}

/* -- One seed -----------------------------------------------------------------------------------
 */

static void print_line(void *ctx, const char *line)
{
    (void)ctx;
    puts(line);
}

static struct sim_world *make_world(const struct sim_base *base, uint64_t seed, bool prints_trace)
{
    const struct sim_world_options options = {
        .seed = seed,
        .n_nodes = 2,
        .net = {.latency_min_us = 1000, .latency_max_us = 50000, .jitter_us = 5000},
        .base = base,
        .n_links = 1,
        .flush_batch_bytes = FLUSH_BATCH,
        .txindex = seed % 2 == 0,
        .trace = prints_trace ? print_line : NULL,
        .traces_logs = prints_trace,
    };
    return sim_world_new(&options);
}

/* Returns false if something went wrong. */
static bool run_seed(const struct sim_base *base, uint64_t seed, bool prints_trace,
                     struct totals *totals)
{
    printf("seed %" PRIu64 ":", seed); /* first: it is what is left of a run that ends badly */
    fflush(stdout);
    struct run run = {.base = base, .random = sim_random_of(seed, 0x637261), .totals = totals};
    run.world = make_world(base, seed, prints_trace);
    sim_spend_init(&run.spend, sim_random_of(seed, 0x737065));
    int64_t start_us = sim_world_now_us(run.world);
    sim_world_start(run.world, CRASH_NODE);
    sim_world_start(run.world, SOUND_NODE);
    sim_world_run_for(run.world, 2 * SECOND);
    while (run.crashes < CRASHES_EACH && !sim_world_failure(run.world)) {
        work_until_crash(&run);
        start_again(&run);
        if (sim_world_failure(run.world))
            break;
        part(&run, false);
        catch_up(&run);
        if (!sim_world_failure(run.world))
            compare(&run);
    }
    const char *failure = sim_world_failure(run.world);
    bool is_good = !failure;
    printf(" %" PRIu64 " crashes, %" PRIu64 " amid writes; %.0f s virtual%s%s\n", run.crashes,
           sim_world_n_crashes(run.world), (double)(sim_world_now_us(run.world) - start_us) / 1e6,
           failure ? " FAILED: " : "", failure ? failure : "");
    totals->crashes += run.crashes;
    totals->in_writes += sim_world_n_crashes(run.world);
    totals->virtual_us += sim_world_now_us(run.world) - start_us;
    sim_world_free(run.world);
    return is_good;
}

int main(int argc, char **argv)
{
    uint64_t crashes = 200, first = 1, failed = 0, seed;
    bool prints_trace = false;
    const char *wanted = getenv("CAIRN_SIM_CRASHES");
    if (wanted)
        crashes = strtoull(wanted, NULL, 10);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            prints_trace = true;
        } else if (!sim_option(argv[i], "--crashes", &crashes) &&
                   !sim_option(argv[i], "--first", &first)) {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
    }
    struct totals t = {0};
    struct sim_base *base = sim_base_new(BASE_BLOCKS);
    for (seed = first; t.crashes < crashes; seed++)
        failed += !run_seed(base, seed, prints_trace, &t);
    sim_base_free(base);
    printf("%" PRIu64 " crashes (%" PRIu64 " amid writes, %" PRIu64 " amid starts; %" PRIu64
           " killed, %" PRIu64 " torn and out of order, %" PRIu64 " lost) in %" PRIu64
           " seeds: %" PRIu64 " failed; %" PRIu64
           " flushes; caught up after %.1f s at most; %.0f s virtual\n",
           t.crashes, t.in_writes, t.in_starts, t.kinds[0], t.kinds[1], t.kinds[2], seed - first,
           failed, t.durable, (double)t.caught_up_max_us / 1e6, (double)t.virtual_us / 1e6);
    return failed > 0;
}
