/* test_coins.c - levels, marks and reads against a plain array, with flushes between. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/coins/coins_fixture.h"

enum { CACHE_BYTES = 1 << 20, BATCH_BYTES = 2000 };

struct setting {
    struct sim_env *sim;
    struct coins *coins;
};

static int setup(void **state)
{
    struct setting *s = xcalloc(1, sizeof *s);
    s->sim = sim_env_new(1);
    s->coins = open_coins(s->sim, CACHE_BYTES, 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct setting *s = *state;
    coins_close(s->coins);
    sim_env_free(s->sim);
    xfree(s);
    return 0;
}

FIXTURE(setup, teardown)

TEST(a_new_store_is_empty_and_knows_nothing, struct setting *s)
{
    struct block_hash zero = {{0}}, tip = coins_store_tip(s->coins);
    assert_true(block_hash_equal(&tip, &zero));
    assert_false(coins_interrupted(s->coins, &tip, &tip));
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNKNOWN);
    assert_false(read_now(s->sim, s->coins, 1));
    assert_int_equal(coins_memory_bytes(s->coins), 0);
    assert_store_is(s->coins, NULL, 0);
}

TEST(a_fresh_coin_that_is_spent_leaves_no_trace, struct setting *s)
{
    add_coin(s->coins, 1, 1, false);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNSPENT);
    assert_int_equal(coins_dirty(s->coins), 1);
    spend_coin(s->coins, 1);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNKNOWN);
    assert_int_equal(coins_dirty(s->coins), 0);
    assert_int_equal(coins_cached(s->coins), 0);
}

TEST(a_coin_that_may_exist_below_is_kept_as_spent, struct setting *s)
{
    add_coin(s->coins, 1, 1, true);
    spend_coin(s->coins, 1);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_SPENT);
    assert_int_equal(coins_dirty(s->coins), 1);
}

/* CVE-2018-17144: in whatever level a spent coin was, it is never found unspent again, and to
 * spend it twice is a bug that stops the node. */
TEST(a_spent_coin_is_spent_in_every_level, struct setting *s)
{
    add_coin(s->coins, 1, 1, false);
    assert_int_equal(flush_now(s->sim, s->coins, 1), 0);
    s->coins = reopen(s->sim, s->coins, CACHE_BYTES, 0);
    /* only in the store */
    spend_coin(s->coins, 1);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_SPENT);
    struct coins *coins = s->coins;
    expect_assert_failure(spend_coin(coins, 1));
    /* being flushed */
    struct flush_result result = {0};
    struct block_hash tip = tip_of(2);
    coins_flush_start(s->coins, &tip, on_flushed, &result);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_SPENT);
    sim_env_run_until_idle(s->sim);
    assert_int_equal(result.n, 1);
    /* flushed and merged back */
    while (coins_turn(s->coins))
        ;
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNKNOWN);
    assert_false(read_now(s->sim, s->coins, 1));
    struct arena arena;
    struct coin coin;
    struct outpoint outpoint = outpoint_of(1);
    arena_init(&arena, 100);
    assert_int_equal(coins_get(s->coins, &outpoint, &arena, &coin), 0);
    arena_deinit(&arena);
}

/* Each row: what happened to coin 1 before it is added a second time, and whether spending that
 * second coin may forget it (fresh) or must leave a tombstone. */
static const struct {
    const char *name, *steps; /* a add, o overwrite, s spend, f flush, F freeze only, r forget */
    enum coins_found want;
} fresh_rows[] = {
    {"nothing", "", COINS_UNKNOWN},
    {"spent while fresh", "as", COINS_UNKNOWN},
    {"spent in the active table", "afs", COINS_SPENT},
    {"spent in the frozen table, being flushed", "afsF", COINS_SPENT}, /* the frozen tombstone */
    {"spent and flushed", "afsfr", COINS_UNKNOWN},
};

static void play(struct setting *s, const char *steps, struct flush_result *result)
{
    for (uint8_t tip = 1; *steps; steps++, tip++) {
        struct block_hash hash = tip_of(tip);
        if (*steps == 'a')
            add_coin(s->coins, 1, 1, false);
        else if (*steps == 'o')
            add_coin(s->coins, 1, 2, true);
        else if (*steps == 's')
            spend_coin(s->coins, 1);
        else if (*steps == 'f')
            assert_int_equal(flush_now(s->sim, s->coins, tip), 0);
        else if (*steps == 'F')
            coins_flush_start(s->coins, &hash, on_flushed, result);
        else
            s->coins = reopen(s->sim, s->coins, CACHE_BYTES, 0);
    }
}

TEST(a_coin_is_fresh_only_if_no_lower_level_has_it)
{
    for (size_t i = 0; i < COUNT_OF(fresh_rows); i++) {
        void *one;
        setup(&one);
        struct setting *s = one;
        struct flush_result result = {0};
        play(s, fresh_rows[i].steps, &result);
        add_coin(s->coins, 1, 2, false);
        assert_int_equal(find_coin(s->coins, 1, 2), COINS_UNSPENT);
        spend_coin(s->coins, 1);
        enum coins_found found = find_coin(s->coins, 1, 2);
        if (found != fresh_rows[i].want)
            fail_msg("%s: %d", fresh_rows[i].name, (int)found);
        sim_env_run_until_idle(s->sim);
        assert_int_equal(flush_now(s->sim, s->coins, 100), 0);
        assert_store_is(s->coins, NULL, 0);
        teardown(&one);
    }
}

TEST(a_coin_that_is_being_flushed_can_be_overwritten_and_spent, struct setting *s)
{
    add_coin(s->coins, 5, 1, false);
    struct flush_result result = {0};
    struct block_hash tip = tip_of(1);
    add_coin(s->coins, 1, 1, false);
    add_coin(s->coins, 2, 1, false);
    coins_flush_start(s->coins, &tip, on_flushed, &result);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNSPENT);
    add_coin(s->coins, 1, 2, true); /* as the coinbases before BIP34 did */
    assert_int_equal(find_coin(s->coins, 1, 2), COINS_UNSPENT);
    spend_coin(s->coins, 1);
    spend_coin(s->coins, 2);
    add_coin(s->coins, 5, 2, false); /* even if the caller does not know: it is not fresh */
    spend_coin(s->coins, 5);
    assert_int_equal(find_coin(s->coins, 5, 2), COINS_SPENT);
    sim_env_run_until_idle(s->sim);
    uint32_t both[] = {0, 1, 1, 0, 0, 1}, none[6] = {0};
    assert_store_is(s->coins, both, 6); /* as it was frozen */
    assert_int_equal(find_coin(s->coins, 1, 2), COINS_SPENT);
    assert_int_equal(flush_now(s->sim, s->coins, 2), 0);
    assert_store_is(s->coins, none, 6);
}

/* BIP30's exceptions: a coinbase that overwrote an unspent one. However flushes fell in between,
 * memory and store end with the second coin, and with nothing once it is spent. */
TEST(an_overwritten_coin_leaves_the_same_set_whatever_the_history)
{
    static const char *const histories[] = {"ao", "afo", "afro", "aFo", "aof", "afof", "afrofr"};
    for (size_t i = 0; i < COUNT_OF(histories); i++) {
        void *one;
        setup(&one);
        struct setting *s = one;
        struct flush_result result = {0};
        play(s, histories[i], &result);
        sim_env_run_until_idle(s->sim);
        assert_int_equal(flush_now(s->sim, s->coins, 50), 0);
        static const uint32_t second[] = {0, 2}, none[] = {0, 0};
        assert_store_is(s->coins, second, 2);
        spend_coin(s->coins, 1);
        assert_int_equal(flush_now(s->sim, s->coins, 51), 0);
        assert_store_is(s->coins, none, 2);
        teardown(&one);
    }
}

TEST(a_read_fills_memory_with_clean_coins_and_names_the_absent, struct setting *s)
{
    add_coin(s->coins, 1, 1, false);
    add_coin(s->coins, 3, 1, false);
    assert_int_equal(flush_now(s->sim, s->coins, 1), 0);
    s->coins = reopen(s->sim, s->coins, CACHE_BYTES, 0);
    struct read_fixture read;
    static const uint32_t numbers[] = {1, 2, 3, 4};
    start_read(s->coins, &read, numbers, 4);
    assert_int_equal(read.done, 0);
    spend_coin(s->coins, 3); /* memory learns more than the store while it is read */
    add_coin(s->coins, 4, 7, false);
    sim_env_run_until_idle(s->sim);
    assert_int_equal(read.done, 1);
    assert_int_equal(read.read.error, 0);
    static const bool absent[] = {false, true, false, false};
    assert_memory_equal(read.absent, absent, sizeof absent);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNSPENT);
    assert_int_equal(find_coin(s->coins, 2, 1), COINS_UNKNOWN);
    assert_int_equal(find_coin(s->coins, 3, 1), COINS_SPENT);
    assert_int_equal(find_coin(s->coins, 4, 7), COINS_UNSPENT);
    assert_int_equal(coins_dirty(s->coins), 2);
    spend_coin(s->coins, 1); /* a clean coin leaves a tombstone: the store has it */
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_SPENT);
}

/* The race of architecture section 4: a value read before a flush and delivered after the flushed
 * table is gone would bring a spent coin back. */
TEST(a_read_that_raced_with_a_flush_does_not_revive_a_spent_coin, struct setting *s)
{
    add_coin(s->coins, 1, 1, false);
    assert_int_equal(flush_now(s->sim, s->coins, 1), 0);
    s->coins = reopen(s->sim, s->coins, CACHE_BYTES, 0);

    struct sim_pool *pool = &sim_env_jobs(s->sim)->pool[ENV_POOL_BLOCKING];
    struct read_fixture read;
    static const uint32_t number = 1;
    int64_t usual_us = pool->done_max_us;
    pool->done_max_us = INT64_C(1) << 50; /* its answer takes very long */
    start_read(s->coins, &read, &number, 1);
    assert_true(sim_env_step(s->sim)); /* it has read the store, where the coin is unspent */
    pool->done_max_us = usual_us;

    struct flush_result flushed = {0};
    struct block_hash tip = tip_of(2);
    spend_coin(s->coins, 1);
    coins_flush_start(s->coins, &tip, on_flushed, &flushed);
    while (flushed.n == 0)
        assert_true(sim_env_step(s->sim));
    while (coins_turn(s->coins))
        ;
    assert_int_equal(read.done, 0);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNKNOWN); /* no tombstone is left */
    sim_env_run_until_idle(s->sim);
    assert_int_equal(read.done, 1);
    assert_true(read.absent[0]);
    assert_int_equal(find_coin(s->coins, 1, 1), COINS_UNKNOWN);
}

TEST(a_failing_read_is_a_fault_and_says_nothing_about_the_coin, struct setting *s)
{
    struct read_fixture read;
    static const uint32_t number = 1;
    struct arena arena;
    struct coin coin;
    struct outpoint outpoint = outpoint_of(1);
    arena_init(&arena, 100);
    sim_disk_fail(sim_env_disk(s->sim), SIM_OP_READ, 0, -EIO, true);
    start_read(s->coins, &read, &number, 1);
    sim_env_run_until_idle(s->sim);
    assert_int_equal(read.done, 1);
    assert_int_equal(read.read.error, -EIO);
    assert_int_equal(coins_get(s->coins, &outpoint, &arena, &coin), -EIO);
    arena_deinit(&arena);
}

TEST(a_cancelled_read_is_completed_with_an_error, struct setting *s)
{
    struct read_fixture reads[4];
    static const uint32_t number = 1;
    const struct env *env = sim_env_get(s->sim);
    for (int i = 0; i < 4; i++)
        start_read(s->coins, &reads[i], &number, 1);
    env_job_cancel(env, &reads[3].read.job);
    sim_env_run_until_idle(s->sim);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(reads[i].done, 1);
        assert_int_equal(reads[i].read.error, i == 3 ? -ECANCELED : 0);
    }
}

TEST(a_coin_can_be_got_from_any_level, struct setting *s)
{
    struct arena arena;
    arena_init(&arena, 100);
    for (int level = 0; level < 3; level++) {
        struct coin coin;
        struct outpoint outpoint = outpoint_of(1);
        if (level == 0)
            add_coin(s->coins, 1, 1, false);
        else if (level == 1)
            assert_int_equal(flush_now(s->sim, s->coins, 1), 0);
        else
            s->coins = reopen(s->sim, s->coins, CACHE_BYTES, 0);
        assert_int_equal(coins_get(s->coins, &outpoint, &arena, &coin), 1);
        assert_is_coin(&coin, 1, 1);
    }
    arena_deinit(&arena);
}

/* -- random operations ---------------------------------------------------------------------------
 */

enum { N_COINS = 400, N_STEPS = 6000 };

struct model {
    struct setting *s;
    struct sim_random random;
    uint32_t round[N_COINS]; /* 0: not unspent */
    struct flush_result flushed;
    int flushes;
    struct read_fixture reads[4];
    bool reading[4];
};

/* Look a coin up through all levels and compare. */
static void check_coin(struct model *m, uint32_t number)
{
    enum coins_found found = find_coin(m->s->coins, number, m->round[number]);
    if (found == COINS_UNKNOWN) {
        struct arena arena;
        struct coin coin;
        struct outpoint outpoint = outpoint_of(number);
        arena_init(&arena, 100);
        int got = coins_get(m->s->coins, &outpoint, &arena, &coin);
        assert_int_equal(got, m->round[number] != 0);
        if (got)
            assert_is_coin(&coin, number, m->round[number]);
        arena_deinit(&arena);
    } else {
        assert_int_equal(found == COINS_UNSPENT, m->round[number] != 0);
    }
}

static void start_some_read(struct model *m, uint32_t number)
{
    for (int i = 0; i < 4; i++) {
        if (m->reading[i] && m->reads[i].done) {
            assert_int_equal(m->reads[i].read.error, 0);
            m->reading[i] = false;
        }
        if (m->reading[i])
            continue;
        uint32_t numbers[8];
        for (uint32_t j = 0; j < 8; j++)
            numbers[j] = (number + j * 7) % N_COINS;
        start_read(m->s->coins, &m->reads[i], numbers, 8);
        m->reading[i] = true;
        return;
    }
}

static void start_some_flush(struct model *m)
{
    if (m->s->coins->flushing)
        return;
    assert_int_equal(m->flushed.error, 0);
    struct block_hash tip = tip_of((uint8_t)m->flushes++);
    coins_flush_start(m->s->coins, &tip, on_flushed, &m->flushed);
}

static void model_step(struct model *m, uint32_t step)
{
    uint32_t number = (uint32_t)sim_random_below(&m->random, N_COINS);
    uint64_t what = sim_random_below(&m->random, 100);
    check_coin(m, number);
    if (what < 50 && m->round[number]) {
        spend_coin(m->s->coins, number);
        m->round[number] = 0;
    } else if (what < 55) {
        add_coin(m->s->coins, number, step, true);
        m->round[number] = step;
    } else if (what < 75 && !m->round[number]) {
        add_coin(m->s->coins, number, step, false);
        m->round[number] = step;
    } else if (what < 80) {
        start_some_read(m, number);
    } else if (what < 82) {
        start_some_flush(m);
    } else if (what < 90) {
        coins_turn(m->s->coins);
    } else {
        sim_env_step(m->s->sim);
    }
}

TEST(random_operations_with_flushes_agree_with_a_plain_array)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct model *m = xcalloc(1, sizeof *m);
        struct setting s = {.sim = sim_env_new(seed)};
        /* A small cache makes coins_turn() drop the frozen table, a larger one merge it. */
        s.coins = open_coins(s.sim, seed % 3 == 0 ? 20000 : CACHE_BYTES, BATCH_BYTES);
        m->s = &s;
        m->random = sim_random_of(seed, 7);
        for (uint32_t step = 1; step <= N_STEPS; step++)
            model_step(m, step);
        sim_env_run_until_idle(s.sim);
        assert_int_equal(flush_now(s.sim, s.coins, 255), 0);
        assert_true(m->flushes > 10);
        assert_store_is(s.coins, m->round, N_COINS);
        for (uint32_t i = 0; i < N_COINS; i++)
            check_coin(m, i);
        coins_close(s.coins);
        sim_env_free(s.sim);
        xfree(m);
    }
}

TEST(memory_stays_within_the_cache_size)
{
    struct sim_env *sim = sim_env_new(3);
    enum { SMALL_CACHE = 400000 };
    struct coins *coins = open_coins(sim, SMALL_CACHE, 0);
    struct flush_result flushed = {0};
    uint8_t tip_number = 1;
    for (uint32_t i = 0; i < 40000; i++) {
        while (coins_is_full(coins)) {
            if (!coins->flushing) {
                struct block_hash tip = tip_of(tip_number++);
                coins_flush_start(coins, &tip, on_flushed, &flushed);
            }
            assert_true(sim_env_step(sim) || !coins_is_full(coins));
        }
        add_coin(coins, i, 1, false);
        if (i % 100 == 0)
            coins_turn(coins);
        if (i % 1000 == 0)
            sim_env_step(sim);
        assert_true(coins_memory_bytes(coins) < SMALL_CACHE + 100000); /* one chunk and a group */
    }
    assert_true(flushed.n >= 5);
    sim_env_run_until_idle(sim);
    coins_close(coins);
    sim_env_free(sim);
}

/* Coins that were only looked at can fill the memory too. A flush has nothing to write then; if it
 * left memory full, the next one would be due at once, for ever. */
TEST(a_flush_empties_a_memory_that_is_full_of_clean_coins)
{
    struct sim_env *sim = sim_env_new(4);
    enum { SMALL_CACHE = 100000, N_CLEAN = 3000, AT_ONCE = 50 };
    struct coins *coins = open_coins(sim, 1 << 20, 0);
    for (uint32_t i = 0; i < N_CLEAN; i++)
        add_coin(coins, i, 1, false);
    assert_int_equal(flush_now(sim, coins, 1), 0);
    coins_close(coins);
    coins = open_coins(sim, SMALL_CACHE, 0);
    for (uint32_t i = 0; i < N_CLEAN && !coins_is_full(coins); i += AT_ONCE) {
        struct read_fixture read;
        uint32_t numbers[AT_ONCE];
        for (uint32_t k = 0; k < AT_ONCE; k++)
            numbers[k] = i + k;
        start_read(coins, &read, numbers, AT_ONCE);
        sim_env_run_until_idle(sim);
    }
    assert_true(coins_is_full(coins));
    assert_int_equal(coins_dirty(coins), 0);
    uint64_t forgotten = coins_times_forgotten(coins);
    assert_int_equal(flush_now(sim, coins, 2), 0);
    assert_false(coins_is_full(coins));
    assert_int_equal(find_coin(coins, 0, 1), COINS_UNKNOWN);
    assert_true(coins_times_forgotten(coins) > forgotten);
    coins_close(coins);
    sim_env_free(sim);
}

TEST(after_a_small_flush_coins_stay_in_memory, struct setting *s)
{
    for (uint32_t i = 0; i < 3000; i++)
        add_coin(s->coins, i, 1, false);
    assert_int_equal(flush_now(s->sim, s->coins, 1), 0);
    assert_int_equal(coins_dirty(s->coins), 0);
    int turns = 0;
    while (coins_turn(s->coins))
        turns++;
    assert_true(turns >= 1);
    for (uint32_t i = 0; i < 3000; i++)
        assert_int_equal(find_coin(s->coins, i, 1), COINS_UNSPENT);
    assert_int_equal(coins_dirty(s->coins), 0);
    assert_int_equal(coins_cached(s->coins), 3000);
}
