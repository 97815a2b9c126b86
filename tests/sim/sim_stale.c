/* sim_stale.c - how often a network of whole nodes forks, against theory.
 *
 * Usage: sim_stale [--blocks=1000] [--nodes=20] [--seed=1] [--latency=32] [--interval=1000]
 *                  [--compact]
 *
 * Equal miners, each linked to each, find a block every --interval ms on average; every way takes
 * --latency ms. A block is told of, asked for and sent: three ways until all others have it. What
 * it takes is measured, and the rate of stale blocks held against what doc/theory.md derives for a
 * delay of that length. It must lie within 10% of it, or, for few blocks, within three standard
 * errors of that many draws; and outside what twice the delay would give, or the run would prove
 * nothing. With --compact blocks are sent as between default nodes, some of them unasked: the delay
 * is none, but many, and theory has their mean. $CAIRN_SIM_STALE replaces the default of --blocks.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/chain.h"
#include "node/node.h"
#include "sim/sim_mining.h"
#include "sim/sim_world.h"
#include "support/sim_option.h"
#include "util/alloc.h"
#include "util/array.h"

#define STALE_PART  0x7374616c65 /* of the seed: see sim_random_of() */
#define BASE_BLOCKS 12
#define WARM_UP_US  INT64_C(30000000)
#define QUIET_US    INT64_C(5000000)
#define LOOK_BACK   64 /* of the newest blocks one is that a node has just taken as its tip */
#define TOLERANCE   0.1
#define ERRORS_MAX  3.0

struct mined {
    char hash[HEX_ID_BYTES];
    int64_t at_us;
};

struct stale {
    uint64_t blocks, nodes, seed, latency_ms, interval_ms;
    bool is_compact;
    struct sim_world *world;
    ARRAY(struct mined) mined;
    ARRAY(int64_t) delays_us;
    int64_t *found_us; /* by node: when it found its last block */
};

static const struct mined *find_mined(const struct stale *s, const char *hash)
{
    size_t stop = s->mined.n > LOOK_BACK ? s->mined.n - LOOK_BACK : 0;
    for (size_t i = s->mined.n; i-- > stop;)
        if (strcmp(s->mined.at[i].hash, hash) == 0)
            return &s->mined.at[i];
    return NULL;
}

/* The first node that has a block as its tip has mined it. */
static void on_tip(void *ctx, size_t node, const char *hash)
{
    struct stale *s = ctx;
    const struct mined *mined = find_mined(s, hash);
    if (mined) {
        *ARRAY_ADD(&s->delays_us) = sim_world_now_us(s->world) - mined->at_us;
        return;
    }
    struct mined *fresh = ARRAY_ADD(&s->mined);
    *fresh = (struct mined){.at_us = s->found_us[node]};
    memcpy(fresh->hash, hash, HEX_ID_BYTES);
}

/* Whoever starts later connects to all that are there. */
static bool is_linked(void *ctx, size_t from, size_t to)
{
    (void)ctx;
    return from > to;
}

/* -- Theory: see doc/theory.md ------------------------------------------------------------------
 */

/* The mean time from the first block of a height to the first of the next, in intervals: the sum
 * over j of P(N >= j) (1 - 1/n) ... (1 - j/n), where N blocks are found within the delay. */
static double height_time(double delay, double nodes)
{
    double chance = exp(-delay), at_least = 1, none_on_top = 1, sum = 0;
    for (int j = 0; j < (int)nodes && at_least > 1e-15; j++) {
        none_on_top *= j == 0 ? 1 : 1 - j / nodes;
        sum += at_least * none_on_top;
        at_least -= chance;
        chance *= delay / (j + 1);
    }
    return sum;
}

/* Of all blocks found. */
static double stale_rate(double delay, double nodes)
{
    return 1 - 1 / height_time(delay, nodes);
}

/* -- The run ------------------------------------------------------------------------------------
 */

static void begin(struct stale *s, const struct sim_base *base)
{
    int64_t latency_us = (int64_t)s->latency_ms * 1000;
    const struct sim_world_options options = {
        .seed = s->seed,
        .n_nodes = s->nodes,
        .net = {.latency_min_us = latency_us, .latency_max_us = latency_us},
        .base = base,
        .links = is_linked,
        .blocks_only = !s->is_compact,
        .tip = on_tip,
        .ctx = s,
    };
    s->found_us = xcalloc(s->nodes, sizeof *s->found_us);
    s->world = sim_world_new(&options);
    for (size_t i = 0; i < s->nodes; i++)
        sim_world_start(s->world, i);
    sim_world_run_for(s->world, WARM_UP_US);
}

static void live(struct stale *s)
{
    struct sim_mining mining;
    sim_mining_init(&mining, sim_random_of(s->seed, STALE_PART), (int64_t)s->interval_ms * 1000,
                    NULL, s->nodes);
    for (uint64_t i = 0; i < s->blocks; i++) {
        sim_world_run_for(s->world, sim_mining_wait_us(&mining));
        size_t who = sim_mining_who(&mining);
        s->found_us[who] = sim_world_now_us(s->world);
        sim_world_mine(s->world, who);
    }
    sim_world_run_for(s->world, QUIET_US);
}

static void end(struct stale *s)
{
    sim_world_free(s->world);
    xfree(s->found_us);
    ARRAY_FREE(&s->mined);
    ARRAY_FREE(&s->delays_us);
}

/* -- The figures --------------------------------------------------------------------------------
 */

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static double mean_us(const struct stale *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->delays_us.n; i++)
        sum += (double)s->delays_us.at[i];
    return sum / (double)s->delays_us.n;
}

static double quantile_ms(const struct stale *s, size_t percent)
{
    return (double)s->delays_us.at[(s->delays_us.n - 1) * percent / 100] / 1e3;
}

static bool judge(struct stale *s)
{
    int32_t height = chain_tip(node_chain(sim_world_node(s->world, 0)))->height - BASE_BLOCKS;
    double blocks = (double)s->blocks, nodes = (double)s->nodes;
    double measured = 1 - (double)height / blocks;
    double delay = mean_us(s) / 1e3 / (double)s->interval_ms;
    double theory = stale_rate(delay, nodes), twice = stale_rate(2 * delay, nodes);
    double error = sqrt(theory * (1 - theory) / blocks);
    double allowed = fmax(TOLERANCE * theory, ERRORS_MAX * error);
    qsort(s->delays_us.at, s->delays_us.n, sizeof(int64_t), compare);
    printf("a block has come to another node after %.1f ms on average (1%%: %.1f, median %.1f,"
           " 99%%: %.1f)\n",
           delay * (double)s->interval_ms, quantile_ms(s, 1), quantile_ms(s, 50),
           quantile_ms(s, 99));
    printf("%" PRIu64 " blocks of %" PRIu64 " miners, delay/interval %.4f: stale %.4f, theory %.4f"
           " (of endlessly many miners %.4f), allowed +-%.4f, standard error %.4f\n",
           s->blocks, s->nodes, delay, measured, theory, delay / (1 + delay), allowed, error);
    return fabs(measured - theory) <= allowed && fabs(measured - twice) > allowed;
}

static bool read_options(struct stale *s, int argc, char **argv)
{
    const char *from_env = getenv("CAIRN_SIM_STALE");
    if (from_env)
        s->blocks = strtoull(from_env, NULL, 10);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--compact") == 0)
            s->is_compact = true;
        else if (!sim_option(argv[i], "--blocks", &s->blocks) &&
                 !sim_option(argv[i], "--nodes", &s->nodes) &&
                 !sim_option(argv[i], "--seed", &s->seed) &&
                 !sim_option(argv[i], "--latency", &s->latency_ms) &&
                 !sim_option(argv[i], "--interval", &s->interval_ms))
            return false;
    }
    return s->blocks > 0 && s->nodes >= 2 && s->interval_ms > 0;
}

int main(int argc, char **argv)
{
    struct stale s = {
        .blocks = 1000, .nodes = 20, .seed = 1, .latency_ms = 32, .interval_ms = 1000};
    if (!read_options(&s, argc, argv)) {
        fprintf(stderr, "see the first lines of sim_stale.c\n");
        return 2;
    }
    clock_t start = clock();
    struct sim_base *base = sim_base_new(BASE_BLOCKS);
    begin(&s, base);
    live(&s);
    bool is_good = judge(&s);
    printf("%.1f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
    end(&s);
    sim_base_free(base);
    return !is_good;
}
