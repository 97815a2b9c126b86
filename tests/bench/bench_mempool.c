/* bench_mempool.c - how fast transactions get in, and what a large mempool costs the loop.
 *
 * usage: bench_mempool [fans]    each fan is 1 transaction with 500 outputs and 500 that spend
 * them; one in ten of these has a child */
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
    return 0;
}
