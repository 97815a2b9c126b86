/* bench_mempool.c - how fast transactions get in, and what a large mempool costs the loop.
 *
 * usage: bench_mempool [fans]    each fan is 1 transaction with 500 outputs and 500 that spend
 * them; one in ten of these has a child
 *
 * Then clusters of 64 in the worst shapes, and the longest that one acceptance took (hazard 65:
 * under 5 ms), in time of this thread, which does all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mempool/block_assembler.h"
#include "sim/sim_random.h"
#include "support/mempool_rig.h"
#include "util/alloc.h"

enum { FAN = 500 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct tally {
    size_t n, n_refused;
};

static void count(void *arg, const struct mempool_result *result)
{
    struct tally *tally = arg;
    tally->n++;
    tally->n_refused += result->verdict.code != REJECT_NONE;
}

static void hand_in(struct mempool_rig *rig, const struct tx *tx, struct tally *tally)
{
    mempool_accept(rig->pool, tx->raw, 0, 0, count, tally);
    while (mempool_pending(rig->pool) > 500)
        ASSERT(sim_env_step(rig->chain.sim));
}

static void settle(struct mempool_rig *rig)
{
    while (mempool_pending(rig->pool) > 0)
        ASSERT(sim_env_step(rig->chain.sim));
}

/* Mature outputs in the chain: FAN of each coinbase. */
static struct builder_coin *make_coins(struct mempool_rig *rig, int32_t n_fans)
{
    struct builder_coin *coins = xcalloc((size_t)n_fans * FAN, sizeof *coins);
    for (int32_t i = 0; i < n_fans; i++) {
        struct builder_coin coin = mempool_rig_coin(rig, i + 1);
        struct tx fan = mempool_rig_spend(rig, &coin, 1, FAN, 100000);
        mempool_rig_mine(rig, &fan, 1);
        for (uint32_t k = 0; k < FAN; k++)
            coins[(uint32_t)i * FAN + k] = mempool_rig_output(&fan, k);
    }
    return coins;
}

static void show(const char *what, double begin_s, size_t n)
{
    double s = now_s() - begin_s;
    printf("%-40s %8.1f ms", what, s * 1000);
    if (n > 1)
        printf(" %8.2f us each", s * 1e6 / (double)n);
    printf("\n");
}

static void fill(struct mempool_rig *rig, const struct builder_coin *coins, size_t n_coins)
{
    struct sim_random random = sim_random_of(1, 0);
    struct tally tally = {0};
    size_t n = 0;
    struct tx *txs = xmalloc(2 * n_coins * sizeof *txs);
    for (size_t i = 0; i < n_coins; i++) {
        int64_t fee_sat = 200 + (int64_t)sim_random_below(&random, 50000);
        txs[n++] = mempool_rig_spend(rig, &coins[i], 1, 1, fee_sat);
        if (i % 10 == 0) {
            struct builder_coin coin = mempool_rig_output(&txs[n - 1], 0);
            txs[n++] = mempool_rig_spend(rig, &coin, 1, 1, fee_sat * 2);
        }
    }
    double begin_s = now_s();
    for (size_t i = 0; i < n; i++)
        hand_in(rig, &txs[i], &tally);
    settle(rig);
    show("taken in (simulated jobs, one thread)", begin_s, n);
    printf("%zu entries of %zu, %zu refused, %.1f MB, %.0f bytes each\n", mempool_count(rig->pool),
           n, tally.n_refused, (double)mempool_memory_bytes(rig->pool) / 1e6,
           (double)mempool_memory_bytes(rig->pool) / (double)mempool_count(rig->pool));
    xfree(txs);
}

/* -- Clusters at their limit ------------------------------------------------------------------- */

enum shape { CHAIN, COMB, FAN_IN, DIAMONDS, TWO_ROWS, LAYERS, SHAPE_COUNT };
static const char *const shape_names[SHAPE_COUNT] = {
    "chain", "comb", "63 joined by one", "diamonds", "two full rows of 32", "full layers of 8"};
enum { N = MEMPOOL_CLUSTER_COUNT_MAX, ROUNDS = 40 };

static bool needs(enum shape shape, uint32_t child, uint32_t parent)
{
    switch (shape) {
    case CHAIN:
        return child == parent + 1;
    case COMB:
        return child > 0 && parent == 0;
    case FAN_IN:
        return child == N - 1 && parent < child;
    case DIAMONDS: /* each bottom is the next top */
        return child % 3 ? parent == (child - 1) / 3 * 3
                         : parent < child && parent + 2 >= child && child > 0;
    case TWO_ROWS:
        return child >= N / 2 && parent < N / 2;
    case LAYERS:
        return child / 8 == parent / 8 + 1;
    case SHAPE_COUNT:
        break;
    }
    ASSERT(false);
    return false;
}

static uint32_t count_children(enum shape shape, uint32_t i)
{
    uint32_t n = 0;
    for (uint32_t child = i + 1; child < N; child++)
        n += needs(shape, child, i);
    return n;
}

static double thread_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Build a cluster transaction by transaction. Returns: the longest that one of them took */
static double take_cluster_in(struct mempool_rig *rig, enum shape shape, int32_t height,
                              struct sim_random *random, struct tally *tally, double *sum_s)
{
    static const uint32_t n_coins = 64;
    struct builder_coin coin = mempool_rig_coin(rig, height), coins[N];
    struct tx fan = mempool_rig_spend(rig, &coin, 1, n_coins, 100000), txs[N];
    uint32_t used[N] = {0};
    double worst_s = 0;
    mempool_rig_mine(rig, &fan, 1);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t n = 0;
        for (uint32_t parent = 0; parent < i; parent++)
            if (needs(shape, i, parent))
                coins[n++] = mempool_rig_output(&txs[parent], used[parent]++);
        if (n == 0)
            coins[n++] = mempool_rig_output(&fan, i);
        int64_t fee_sat = 400 + (int64_t)sim_random_below(random, 20000);
        txs[i] = mempool_rig_spend(rig, coins, n, MAX_OF(count_children(shape, i), 1u), fee_sat);
        double begin_s = thread_s();
        hand_in(rig, &txs[i], tally);
        settle(rig);
        worst_s = MAX_OF(worst_s, thread_s() - begin_s);
        *sum_s += thread_s() - begin_s;
    }
    return worst_s;
}

static void measure_shapes(void)
{
    struct sim_random random = sim_random_of(1, 1);
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        struct mempool_rig *rig = mempool_rig_new(1, 100 + ROUNDS, NULL);
        struct tally tally = {0};
        double worst_s = 0, sum_s = 0;
        rig->keeps_no_events = true;
        for (int32_t i = 0; i < ROUNDS; i++) {
            double s = take_cluster_in(rig, (enum shape)shape, i + 1, &random, &tally, &sum_s);
            worst_s = MAX_OF(worst_s, s);
        }
        ASSERT(tally.n_refused == 0 && mempool_count(rig->pool) == N * ROUNDS);
        printf("%d clusters of 64, %-20s worst acceptance %6.3f ms, mean %6.3f ms\n", ROUNDS,
               shape_names[shape], worst_s * 1000, sum_s * 1000 / (N * ROUNDS));
        mempool_rig_free(rig);
    }
}

int main(int argc, char **argv)
{
    int32_t n_fans = argc > 1 ? atoi(argv[1]) : 100;
    if (n_fans < 1 || n_fans > MEMPOOL_RIG_BLOCKS - 100)
        return 2;
    struct mempool_rig *rig = mempool_rig_new(1, 100, NULL);
    rig->keeps_no_events = true;
    for (int32_t i = 0; i < n_fans; i++)
        mempool_rig_mine(rig, NULL, 0);
    struct builder_coin *coins = make_coins(rig, n_fans);
    fill(rig, coins, (size_t)n_fans * FAN);
    struct block_assembler_options options = block_assembler_default_options();
    struct block_template template;
    double begin_s = now_s();
    block_assemble(rig->chain.chain, rig->pool, &options, 0, &template);
    show("template", begin_s, template.n_tx);
    begin_s = now_s();
    mempool_rig_mine(rig, template.txs, (uint32_t) template.n_tx);
    show("block of it built, checked, connected", begin_s, template.n_tx);
    block_template_deinit(&template);
    xfree(coins);
    mempool_rig_free(rig);
    measure_shapes();
    return 0;
}
