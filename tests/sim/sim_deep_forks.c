/* sim_deep_forks.c - two parts of a network mine apart, further than a download's window; when they
 * meet again, all end on the chain with more work, whatever stops and crashes meanwhile.
 *
 * Usage: sim_deep_forks [--seeds=6] [--first=1] [--least=1000] [--most=1700]
 *
 * The depth of each seed's fork is between least and most. $CAIRN_SIM_DEEP replaces the default of
 * --seeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "node/node.h"
#include "sim/sim_random.h"
#include "sim/sim_spend.h"
#include "sim/sim_world.h"
#include "support/sim_option.h"

#define DEEP_PART   0x64656570 /* of the seed: see sim_random_of() */
#define PATIENCE_US INT64_C(600000000)
#define STEP_US     INT64_C(200000)

enum { NODES = 3, PART = 250 };

struct deep {
    struct sim_world *world;
    struct sim_random random;
    int32_t depth, more; /* blocks of the lesser chain; how many more the better one has */
    unsigned n_stops, n_crashes;
};

static struct chain *chain_of(const struct deep *d, size_t i)
{
    return node_chain(sim_world_node(d->world, i));
}

static void note_answer(void *arg, int status, const char *body)
{
    *(int *)arg = status;
    if (status != 200)
        printf(" %.200s", body ? body : "");
}

/* Have a node mine n blocks, PART a call. */
static void mine(struct deep *d, size_t i, int32_t n)
{
    while (n > 0 && !sim_world_failure(d->world)) {
        char params[100];
        int status = -1;
        snprintf(params, sizeof params, "[%d,\"" SIM_SPEND_ADDRESS "\"]", n < PART ? n : PART);
        sim_world_call(d->world, i, "generatetoaddress", params, note_answer, &status);
        for (int k = 0; k < 3000 && status < 0; k++)
            sim_world_run_for(d->world, STEP_US);
        if (status != 200)
            sim_world_fail(d->world, "mining: status %d", status);
        n -= PART;
    }
}

/* The one on the lesser chain is stopped or crashes, and starts again. */
static void disturb(struct deep *d)
{
    static const enum sim_crash kinds[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    if (sim_random_below(&d->random, 2) == 0) {
        sim_world_stop(d->world, 0);
        d->n_stops++;
    } else {
        sim_world_crash(d->world, 0, kinds[sim_random_below(&d->random, COUNT_OF(kinds))]);
        d->n_crashes++;
    }
    for (int k = 0; k < 600 && sim_world_state(d->world, 0) != SIM_MACHINE_OFF; k++)
        sim_world_run_for(d->world, STEP_US);
    sim_world_start(d->world, 0);
}

static bool agree(struct deep *d, int32_t height)
{
    for (size_t i = 0; i < NODES; i++)
        if (sim_world_state(d->world, i) != SIM_MACHINE_ON ||
            chain_tip(chain_of(d, i))->height != height ||
            !block_hash_equal(&chain_tip(chain_of(d, i))->hash,
                              &chain_tip(chain_of(d, NODES - 1))->hash))
            return false;
    return true;
}

static void meet(struct deep *d, int32_t height)
{
    uint64_t disturbances = sim_random_below(&d->random, 4);
    for (size_t i = 0; i < NODES; i++)
        sim_net_set_group(sim_world_host(d->world, i), 0);
    int64_t start_us = sim_world_now_us(d->world), next_us = 0;
    while (!agree(d, height) && !sim_world_failure(d->world)) {
        int64_t now_us = sim_world_now_us(d->world);
        if (now_us - start_us > PATIENCE_US) {
            sim_world_fail(d->world, "no agreement on height %d; the first is at %d", height,
                           chain_tip(chain_of(d, 0))->height);
            return;
        }
        if (disturbances > 0 && now_us >= next_us) {
            next_us = now_us + INT64_C(1000000) +
                      (int64_t)sim_random_below(&d->random, 20 * UINT64_C(1000000));
            if (now_us > start_us && disturbances-- > 0)
                disturb(d);
        }
        sim_world_run_for(d->world, STEP_US);
    }
}

static void check_coins(struct deep *d)
{
    struct sim_summary first, other;
    for (size_t i = 0; i < NODES && !sim_world_failure(d->world); i++) {
        if (!sim_world_summary(d->world, i, i == 0 ? &first : &other))
            sim_world_fail(d->world, "node %zu does not answer", i);
        else if (i > 0 && strcmp(first.muhash, other.muhash) != 0)
            sim_world_fail(d->world, "node %zu has other coins", i);
    }
}

/* Returns: true if all went well. */
static bool run_seed(uint64_t seed, uint64_t least, uint64_t most, const struct sim_base *base)
{
    struct deep d = {.random = sim_random_of(seed, DEEP_PART)};
    const struct sim_world_options options = {
        .seed = seed,
        .n_nodes = NODES,
        .net = {.latency_min_us = 1000,
                .latency_max_us = 1000 + (int64_t)sim_random_below(&d.random, 100000),
                .loss_ppm = (uint32_t)sim_random_below(&d.random, 20000)},
        .base = base,
    };
    d.depth = (int32_t)(least + sim_random_below(&d.random, most - least + 1));
    d.more = 1 + (int32_t)sim_random_below(&d.random, 20);
    printf("seed %" PRIu64 ": %d blocks below", seed, d.depth);
    fflush(stdout);
    d.world = sim_world_new(&options);
    for (size_t i = 0; i < NODES; i++) {
        sim_world_start(d.world, i);
        sim_net_set_group(sim_world_host(d.world, i), i == 0 ? 1 : 2);
    }
    sim_world_run_for(d.world, INT64_C(2000000));
    mine(&d, 0, d.depth);
    mine(&d, 1, d.depth + d.more);
    int64_t start_us = sim_world_now_us(d.world);
    if (!sim_world_failure(d.world))
        meet(&d, sim_base_height(base) + d.depth + d.more);
    int64_t took_us = sim_world_now_us(d.world) - start_us;
    check_coins(&d);
    const char *failure = sim_world_failure(d.world);
    printf(", %d more: agreed after %.1f s, %u stops, %u crashes%s%s\n", d.more,
           (double)took_us / 1e6, d.n_stops, d.n_crashes, failure ? " FAILED: " : "",
           failure ? failure : "");
    bool is_good = !failure;
    sim_world_free(d.world);
    return is_good;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, seeds = 6, least = 1000, most = 1700, failed = 0;
    const char *from_env = getenv("CAIRN_SIM_DEEP");
    if (from_env)
        seeds = strtoull(from_env, NULL, 10);
    for (int i = 1; i < argc; i++)
        if (!sim_option(argv[i], "--seeds", &seeds) && !sim_option(argv[i], "--first", &first) &&
            !sim_option(argv[i], "--least", &least) && !sim_option(argv[i], "--most", &most)) {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
    if (least == 0 || most < least || seeds == 0) {
        fprintf(stderr, "nothing to do\n");
        return 2;
    }
    struct sim_base *base = sim_base_new(20);
    for (uint64_t seed = first; seed < first + seeds; seed++)
        failed += !run_seed(seed, least, most, base);
    sim_base_free(base);
    printf("%" PRIu64 " seeds: %" PRIu64 " failed\n", seeds, failed);
    return failed > 0;
}
