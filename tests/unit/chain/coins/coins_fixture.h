/* coins_fixture.h - coins on a simulated machine, and the plain array they are compared with.
 *
 * For the tests of coins*.c. */
#ifndef TESTS_UNIT_CHAIN_COINS_FIXTURE_H
#define TESTS_UNIT_CHAIN_COINS_FIXTURE_H

#include "chain/coins/coins_parts.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

/* Memory of all tables. */
static inline size_t coins_memory_bytes(const struct coins *coins)
{
    size_t bytes = coins->active.bytes + coins->frozen.bytes;
    for (const struct coins_dying *dying = coins->dying; dying; dying = dying->next)
        bytes += dying->table.bytes;
    return bytes;
}

/* Coins in memory, in both tables. */
static inline size_t coins_cached(const struct coins *coins)
{
    return (size_t)coins->active.count + coins->frozen.count;
}

/* Changes in memory that the store does not have yet. */
static inline size_t coins_dirty(const struct coins *coins)
{
    bool is_flushed =
        coins->frozen_state == COINS_FROZEN_KEPT || coins->frozen_state == COINS_FROZEN_MERGING;
    return (size_t)coins->active.n_dirty + (is_flushed ? 0 : coins->frozen.n_dirty);
}

/* The tip that stands for a number. */
static inline struct block_hash tip_of(uint8_t number)
{
    struct block_hash tip;
    memset(tip.b, number, sizeof tip.b);
    return tip;
}

/* The outpoint that stands for a number; three to a transaction. */
static inline struct outpoint outpoint_of(uint32_t number)
{
    struct outpoint outpoint = {.vout = number % 3 * 300};
    struct sim_random random = sim_random_of(number / 3, 1);
    for (int i = 0; i < 4; i++) {
        uint64_t bits = sim_random_u64(&random);
        memcpy(outpoint.txid.b + 8 * i, &bits, 8);
    }
    return outpoint;
}

/* The coin that number gets when it is created for the round-th time. */
static inline struct coin coin_of(uint32_t number, uint32_t round, uint8_t script[80])
{
    size_t len = (number + round) % 5 == 0 ? 70 : 34;
    memset(script, (int)(number + round), 80);
    script[0] = 0;
    script[1] = 32;
    return (struct coin){.value_sat = (int64_t)round * 1000 + 1,
                         .height = number,
                         .coinbase = round % 2,
                         .script_pubkey = span_of(script, len)};
}

static inline void assert_is_coin(const struct coin *coin, uint32_t number, uint32_t round)
{
    uint8_t script[80];
    struct coin want = coin_of(number, round, script);
    assert_int_equal(coin->value_sat, want.value_sat);
    assert_int_equal(coin->height, want.height);
    assert_int_equal(coin->coinbase, want.coinbase);
    assert_true(span_equal(coin->script_pubkey, want.script_pubkey));
}

static inline struct coins *open_coins(const struct sim_env *sim, size_t cache_bytes,
                                       size_t batch_bytes)
{
    struct coins_options options = {
        .cache_bytes = cache_bytes, .store_cache_bytes = 1 << 20, .flush_batch_bytes = batch_bytes};
    struct coins *coins;
    char *error;
    assert_int_equal(coins_open(sim_env_get(sim), NULL, "chainstate", &options, &coins, &error), 0);
    assert_null(error);
    return coins;
}

static inline void add_coin(struct coins *coins, uint32_t number, uint32_t round, bool may_exist)
{
    uint8_t script[80];
    struct outpoint outpoint = outpoint_of(number);
    struct coin coin = coin_of(number, round, script);
    coins_add(coins, &outpoint, coins_hash(coins_hash_key(coins), &outpoint), &coin, may_exist);
}

static inline void spend_coin(struct coins *coins, uint32_t number)
{
    struct outpoint outpoint = outpoint_of(number);
    coins_spend(coins, &outpoint, coins_hash(coins_hash_key(coins), &outpoint));
}

/* What memory knows; an unspent coin must be that of round. */
static inline enum coins_found find_coin(const struct coins *coins, uint32_t number, uint32_t round)
{
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct outpoint outpoint = outpoint_of(number);
    uint64_t hash = coins_hash(coins_hash_key(coins), &outpoint);
    struct coin coin;
    coins_prefetch_index(coins, hash);
    coins_prefetch_slot(coins, hash);
    enum coins_found found = coins_find(coins, &outpoint, hash, &coin, script);
    if (found == COINS_UNSPENT)
        assert_is_coin(&coin, number, round);
    return found;
}

struct flush_result {
    int n, error;
};

static inline void on_flushed(void *arg, int error)
{
    struct flush_result *result = arg;
    result->n++;
    result->error = error;
}

/* Flush and wait. Returns the error. */
static inline int flush_now(struct sim_env *sim, struct coins *coins, uint8_t tip_number)
{
    struct flush_result result = {0};
    struct block_hash tip = tip_of(tip_number);
    coins_flush_start(coins, &tip, on_flushed, &result);
    assert_true(coins->flushing);
    sim_env_run_until_idle(sim);
    assert_int_equal(result.n, 1);
    assert_false(coins->flushing);
    return result.error;
}

struct read_fixture {
    struct coins_read read;
    struct outpoint outpoints[64];
    bool absent[64];
    int done;
};

static inline void on_read(struct coins_read *read)
{
    ((struct read_fixture *)(void *)read)->done++;
}

static inline void start_read(struct coins *coins, struct read_fixture *fixture,
                              const uint32_t *numbers, size_t n)
{
    *fixture = (struct read_fixture){.read = {.n = n, .done = on_read}};
    fixture->read.outpoints = fixture->outpoints;
    fixture->read.absent = fixture->absent;
    for (size_t i = 0; i < n; i++)
        fixture->outpoints[i] = outpoint_of(numbers[i]);
    coins_read_start(coins, &fixture->read, ENV_PRIORITY_HIGH);
}

/* Read one coin and wait. Returns true if the store has it. */
static inline bool read_now(struct sim_env *sim, struct coins *coins, uint32_t number)
{
    struct read_fixture fixture;
    start_read(coins, &fixture, &number, 1);
    sim_env_run_until_idle(sim);
    assert_int_equal(fixture.done, 1);
    assert_int_equal(fixture.read.error, 0);
    return !fixture.absent[0];
}

/* Compares a scan of the store with an array of rounds (0: spent). */
struct scan_check {
    const uint32_t *round;
    uint32_t n, seen;
    struct outpoint last;
};

static inline bool check_row(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct scan_check *check = arg;
    uint32_t number = coin->height;
    struct outpoint want = outpoint_of(number);
    assert_true(number < check->n);
    assert_true(outpoint_equal(outpoint, &want));
    assert_true(check->round[number] != 0);
    assert_is_coin(coin, number, check->round[number]);
    int order = memcmp(check->last.txid.b, outpoint->txid.b, 32);
    assert_true(check->seen == 0 || order < 0 || (order == 0 && check->last.vout < outpoint->vout));
    check->last = *outpoint;
    check->seen++;
    return true;
}

static inline void assert_store_is(struct coins *coins, const uint32_t *round, uint32_t n)
{
    struct scan_check check = {.round = round, .n = n};
    uint32_t want = 0;
    for (uint32_t i = 0; i < n; i++)
        want += round[i] != 0;
    assert_int_equal(coins_scan_snapshot(coins, coins_snapshot(coins), check_row, &check), 0);
    assert_int_equal(check.seen, want);
}

/* Make memory forget everything that the store has. */
static inline struct coins *reopen(const struct sim_env *sim, struct coins *coins,
                                   size_t cache_bytes, size_t batch_bytes)
{
    coins_close(coins);
    return open_coins(sim, cache_bytes, batch_bytes);
}

#endif
