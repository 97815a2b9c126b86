/* bench_coins.c - what the set of coins costs: adding, finding, spending, flushing to LevelDB.
 *
 * Usage: bench_coins [millions of coins] [directory for the store]. One core for the first part;
 * the flush also uses the host's job thread. Compare ratios: machines differ and so does their
 * load. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "chain/coins.h"
#include "host/env_host.h"
#include "host/loop.h"
#include "sim/sim_random.h"
#include "util/alloc.h"

enum { PREFETCH_AHEAD = 16, OUTPUTS_PER_TX = 2 };

struct bench {
    struct env_host *host;
    struct coins *coins;
    struct outpoint *outpoints;
    uint64_t *hashes;
    struct outpoint *shuffled; /* the same in random order, as inputs come */
    uint64_t *shuffled_hashes;
    size_t n;
    bool flushed;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const struct bench *b, const char *what, double seconds)
{
    printf("%-36s %7.1f ns each\n", what, seconds * 1e9 / (double)b->n);
}

static void make_outpoints(struct bench *b)
{
    struct sim_random random = sim_random_of(1, 0);
    struct txid txid = {{0}};
    for (size_t i = 0; i < b->n; i++) {
        if (i % OUTPUTS_PER_TX == 0)
            for (size_t k = 0; k < 4; k++) {
                uint64_t bits = sim_random_u64(&random);
                memcpy(txid.b + 8 * k, &bits, 8);
            }
        b->outpoints[i] = (struct outpoint){.txid = txid, .vout = (uint32_t)(i % OUTPUTS_PER_TX)};
        b->shuffled[i] = b->outpoints[i];
    }
    for (size_t i = b->n - 1; i > 0; i--) {
        size_t j = (size_t)sim_random_below(&random, i + 1);
        struct outpoint swap = b->shuffled[i];
        b->shuffled[i] = b->shuffled[j];
        b->shuffled[j] = swap;
    }
}

static void hash_all(struct bench *b)
{
    struct siphash_key key = coins_hash_key(b->coins);
    double start = now_s();
    for (size_t i = 0; i < b->n; i++)
        b->hashes[i] = coins_hash(key, &b->outpoints[i]);
    report(b, "hash", now_s() - start);
    for (size_t i = 0; i < b->n; i++)
        b->shuffled_hashes[i] = coins_hash(key, &b->shuffled[i]);
}

static void add_all(struct bench *b, const char *what)
{
    uint8_t script[22] = {0, 20};
    double start = now_s();
    for (size_t i = 0; i < b->n; i++) {
        memcpy(script + 2, b->outpoints[i].txid.b, 20);
        struct coin coin = {.value_sat = (int64_t)i,
                            .height = (uint32_t)(i / 2000),
                            .script_pubkey = span_of(script, sizeof script)};
        if (i + PREFETCH_AHEAD < b->n)
            coins_prefetch_index(b->coins, b->hashes[i + PREFETCH_AHEAD]);
        coins_add(b->coins, &b->outpoints[i], b->hashes[i], &coin, false);
    }
    report(b, what, now_s() - start);
}

/* The hints that a block's inputs get: first the index, then the slot. */
static void prefetch(const struct bench *b, size_t i)
{
    if (i + 2 * PREFETCH_AHEAD < b->n)
        coins_prefetch_index(b->coins, b->shuffled_hashes[i + 2 * PREFETCH_AHEAD]);
    if (i + PREFETCH_AHEAD < b->n)
        coins_prefetch_slot(b->coins, b->shuffled_hashes[i + PREFETCH_AHEAD]);
}

static void find_all(struct bench *b, bool with_prefetch)
{
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct coin coin;
    size_t found = 0;
    double start = now_s();
    for (size_t i = 0; i < b->n; i++) {
        if (with_prefetch)
            prefetch(b, i);
        found += coins_find(b->coins, &b->shuffled[i], b->shuffled_hashes[i], &coin, script) ==
                 COINS_UNSPENT;
    }
    report(b, with_prefetch ? "find, random, prefetched" : "find, random", now_s() - start);
    ASSERT(found == b->n);
}

static void spend_all(struct bench *b)
{
    double start = now_s();
    for (size_t i = 0; i < b->n; i++) {
        prefetch(b, i);
        coins_spend(b->coins, &b->shuffled[i], b->shuffled_hashes[i]);
    }
    report(b, "spend while fresh, random, prefetched", now_s() - start);
}

static void on_flushed(void *arg, int error)
{
    struct bench *b = arg;
    if (error)
        printf("flush failed: %s\n", strerror(-error));
    b->flushed = true;
    loop_stop(env_host_loop(b->host));
}

static void flush(struct bench *b)
{
    struct block_hash tip = {{1}};
    b->flushed = false;
    double start = now_s();
    coins_flush_start(b->coins, &tip, on_flushed, b);
    loop_run(env_host_loop(b->host));
    report(b, "flush to the store", now_s() - start);
    printf("%-36s %7.1f MB\n", "store on disk", (double)coins_store_bytes(b->coins) / 1e6);
    size_t turns = 0;
    double merge = now_s(), worst = 0;
    for (bool more = true; more; turns++) {
        double turn = now_s();
        more = coins_turn(b->coins);
        turn = now_s() - turn;
        worst = turn > worst ? turn : worst;
    }
    report(b, "merge back", now_s() - merge);
    printf("%-36s %7.2f ms of %zu\n", "longest turn", worst * 1e3, turns);
}

int main(int argc, char **argv)
{
    double millions = argc > 1 ? atof(argv[1]) : 1;
    const char *dir = argc > 2 ? argv[2] : "bench_coins.store";
    struct bench b = {.n = (size_t)(millions * 1e6)};
    b.host = env_host_new(1);
    ASSERT(b.host);
    b.outpoints = xcalloc(b.n, sizeof *b.outpoints);
    b.hashes = xcalloc(b.n, sizeof *b.hashes);
    b.shuffled = xcalloc(b.n, sizeof *b.shuffled);
    b.shuffled_hashes = xcalloc(b.n, sizeof *b.shuffled_hashes);
    const struct env *env = env_host_env(b.host);
    struct coins_options options = {.cache_bytes = (size_t)4 << 30, .store_cache_bytes = 8 << 20};
    char *error;
    env->kv_destroy(env->ctx, dir);
    if (coins_open(env, NULL, dir, &options, &b.coins, &error)) {
        printf("%s\n", error);
        return 1;
    }
    make_outpoints(&b);
    hash_all(&b);
    add_all(&b, "add");
    printf("%-36s %7.1f bytes a coin\n", "memory",
           (double)coins_memory_bytes(b.coins) / (double)b.n);
    find_all(&b, false);
    find_all(&b, true);
    spend_all(&b);
    add_all(&b, "add again, into freed slots");
    flush(&b);
    double reopen = now_s();
    coins_close(b.coins);
    double closed = now_s();
    ASSERT(coins_open(env, NULL, dir, &options, &b.coins, &error) == 0);
    printf("%-36s %7.1f ms, reopen %.1f ms\n", "close", (closed - reopen) * 1e3,
           (now_s() - closed) * 1e3);
    coins_close(b.coins);
    env->kv_destroy(env->ctx, dir);
    env_host_free(b.host);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-36s %7.1f MB\n", "peak memory", (double)usage.ru_maxrss / 1e3);
    xfree(b.outpoints);
    xfree(b.hashes);
    xfree(b.shuffled);
    xfree(b.shuffled_hashes);
    return 0;
}
