/* test_coins_flush.c - flushing: a crash at every point, faults, and what the store then is. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/coins/coins_fixture.h"

enum { N_COINS = 60, CACHE_BYTES = 1 << 20, SMALL_BATCH = 300 };

/* The set at tips 1 and 2: some coins are spent, some created, some overwritten in between. */
static uint32_t round_at(uint8_t tip, uint32_t number)
{
    if (tip == 0)
        return 0;
    if (tip == 1)
        return number % 3 == 0 ? 0 : 1;
    return number % 5 == 0 ? 0 : number % 3 == 0 ? 2 : 1;
}

static void rounds_at(uint8_t tip, uint32_t round[N_COINS])
{
    for (uint32_t i = 0; i < N_COINS; i++)
        round[i] = round_at(tip, i);
}

/* Take the coins from tip `from` to tip `to` in memory. */
static void move_tip(struct coins *coins, uint8_t from, uint8_t to)
{
    for (uint32_t i = 0; i < N_COINS; i++) {
        uint32_t before = round_at(from, i), after = round_at(to, i);
        if (before == after)
            continue;
        if (before)
            spend_coin(coins, i);
        if (after)
            add_coin(coins, i, after, false);
    }
}

/* As replaying the blocks between the tips would: every coin that they touch is set. */
static void repair_to(struct coins *coins, uint8_t tip)
{
    for (uint32_t i = 0; i < N_COINS; i++) {
        uint8_t script[80];
        struct outpoint outpoint = outpoint_of(i);
        struct coin coin = coin_of(i, round_at(tip, i), script);
        if (round_at(tip, i))
            coins_repair_put(coins, &outpoint, &coin);
        else
            coins_repair_erase(coins, &outpoint);
    }
}

static void assert_store_is_at(struct coins *coins, uint8_t tip)
{
    uint32_t round[N_COINS];
    struct block_hash want = tip_of(tip), got = coins_store_tip(coins);
    assert_true(block_hash_equal(&want, &got));
    rounds_at(tip, round);
    assert_store_is(coins, round, N_COINS);
}

struct crash_watch {
    struct sim_env *sim;
    int n, n_interrupted, n_old, n_new;
};

/* The machine as a crash left it: open, repair if that is called for, and compare. */
static void check_after_crash(struct crash_watch *watch, const struct sim_env *sim)
{
    struct block_hash old_tip, new_tip, want = tip_of(2), first = tip_of(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, SMALL_BATCH);
    struct block_hash tip = coins_store_tip(coins);
    if (coins_interrupted(coins, &old_tip, &new_tip)) {
        watch->n_interrupted++;
        assert_true(block_hash_equal(&old_tip, &first));
        assert_true(block_hash_equal(&new_tip, &want));
        repair_to(coins, 2);
        assert_int_equal(coins_repair_commit(coins, &want), 0);
        assert_store_is_at(coins, 2);
        assert_false(coins_interrupted(coins, &old_tip, &new_tip));
    } else if (block_hash_equal(&tip, &want)) {
        watch->n_new++;
        assert_store_is_at(coins, 2);
    } else {
        watch->n_old++;
        assert_store_is_at(coins, 1);
    }
    coins_close(coins);
}

static void crash_here(void *arg)
{
    struct crash_watch *watch = arg;
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_LOST, SIM_CRASH_POWER,
                                         SIM_CRASH_POWER, SIM_CRASH_POWER};
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        struct sim_env *left = sim_env_crash(watch->sim, how[i], (uint64_t)watch->n++);
        check_after_crash(watch, left);
        sim_env_free(left);
    }
}

static void flush_with_crashes(size_t batch_bytes, struct crash_watch *watch)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, batch_bytes);
    move_tip(coins, 0, 1);
    assert_int_equal(flush_now(sim, coins, 1), 0);
    move_tip(coins, 1, 2);
    *watch = (struct crash_watch){.sim = sim};
    sim_disk_watch(sim_env_disk(sim), crash_here, watch);
    assert_int_equal(flush_now(sim, coins, 2), 0);
    sim_disk_watch(sim_env_disk(sim), NULL, NULL);
    crash_here(watch);
    assert_store_is_at(coins, 2);
    coins_close(coins);
    sim_env_free(sim);
}

TEST(a_crash_at_every_point_of_a_large_flush_can_be_repaired)
{
    struct crash_watch watch;
    flush_with_crashes(SMALL_BATCH, &watch);
    assert_true(watch.n_interrupted > 20);
    assert_true(watch.n_old >= 2);
    assert_true(watch.n_new >= 2);
}

TEST(a_flush_of_one_batch_is_atomic_and_needs_no_marker)
{
    struct crash_watch watch;
    flush_with_crashes(0, &watch);
    assert_int_equal(watch.n_interrupted, 0);
    assert_true(watch.n_old >= 2);
    assert_true(watch.n_new >= 2);
}

static void note_interrupted(void *arg)
{
    struct crash_watch *watch = arg;
    struct sim_env *left = sim_env_crash(watch->sim, SIM_CRASH_POWER, (uint64_t)watch->n++);
    struct crash_watch inner = {.sim = left};
    check_after_crash(&inner, left);
    watch->n_interrupted += inner.n_interrupted;
    watch->n_new += inner.n_new;
    assert_int_equal(inner.n_old, 0);
    sim_env_free(left);
}

static void stop_at_half(void *arg)
{
    struct crash_watch *watch = arg;
    struct sim_env *left = sim_env_crash(watch->sim, SIM_CRASH_KILLED, 1);
    struct coins *coins = open_coins(left, CACHE_BYTES, SMALL_BATCH);
    struct block_hash old_tip, new_tip;
    bool interrupted = coins_interrupted(coins, &old_tip, &new_tip);
    coins_close(coins);
    if (!interrupted) {
        sim_env_free(left);
        return;
    }
    /* Repair this one, and crash at every point of the repair. */
    struct crash_watch inner = {.sim = left};
    coins = open_coins(left, CACHE_BYTES, SMALL_BATCH);
    sim_disk_watch(sim_env_disk(left), note_interrupted, &inner);
    repair_to(coins, 2);
    assert_int_equal(coins_repair_commit(coins, &new_tip), 0);
    sim_disk_watch(sim_env_disk(left), NULL, NULL);
    coins_close(coins);
    sim_env_free(left);
    watch->n_interrupted += inner.n_interrupted;
    watch->n_new += inner.n_new;
}

TEST(a_repair_that_is_interrupted_too_is_done_again)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, SMALL_BATCH);
    move_tip(coins, 0, 1);
    assert_int_equal(flush_now(sim, coins, 1), 0);
    move_tip(coins, 1, 2);
    struct crash_watch watch = {.sim = sim};
    sim_disk_watch(sim_env_disk(sim), stop_at_half, &watch);
    assert_int_equal(flush_now(sim, coins, 2), 0);
    assert_true(watch.n_interrupted > 50);
    assert_true(watch.n_new > 5);
    sim_disk_watch(sim_env_disk(sim), NULL, NULL);
    coins_close(coins);
    sim_env_free(sim);
}

TEST(a_failing_write_or_sync_ends_the_flush_and_is_never_retried)
{
    static const struct {
        unsigned ops;
        int error;
    } faults[] = {{SIM_OP_WRITE, -ENOSPC}, {SIM_OP_SYNC, -EIO}};
    for (size_t f = 0; f < COUNT_OF(faults); f++)
        for (uint64_t n = 0;; n++) {
            struct sim_env *sim = sim_env_new(1);
            struct coins *coins = open_coins(sim, CACHE_BYTES, SMALL_BATCH);
            move_tip(coins, 0, 1);
            assert_int_equal(flush_now(sim, coins, 1), 0);
            move_tip(coins, 1, 2);
            sim_disk_fail(sim_env_disk(sim), faults[f].ops, n, faults[f].error, false);
            int error = flush_now(sim, coins, 2);
            bool at_end = error == 0;
            if (!at_end) {
                assert_int_equal(error, faults[f].error);
                uint64_t changes = sim_disk_changes(sim_env_disk(sim));
                assert_int_equal(find_coin(coins, 3, 2), COINS_UNSPENT); /* still readable */
                assert_int_equal(flush_now(sim, coins, 3), faults[f].error);
                assert_int_equal(sim_disk_changes(sim_env_disk(sim)), changes);
                struct crash_watch watch = {.sim = sim};
                crash_here(&watch);
            }
            coins_close(coins);
            sim_env_free(sim);
            if (at_end) {
                assert_true(n >= 2);
                break;
            }
        }
}

TEST(a_flush_without_changes_moves_the_tip_and_keeps_the_table)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, 0);
    move_tip(coins, 0, 1);
    assert_int_equal(flush_now(sim, coins, 1), 0);
    while (coins_turn(coins))
        ;
    size_t cached = coins_cached(coins);
    assert_true(cached > 0);
    assert_int_equal(flush_now(sim, coins, 9), 0);
    assert_int_equal(coins_cached(coins), cached);
    struct block_hash want = tip_of(9), got = coins_store_tip(coins);
    assert_true(block_hash_equal(&want, &got));
    coins = reopen(sim, coins, CACHE_BYTES, 0);
    got = coins_store_tip(coins);
    assert_true(block_hash_equal(&want, &got));
    coins_close(coins);
    sim_env_free(sim);
}

struct key_watch {
    uint32_t round[3000];
};

TEST(a_large_flush_reaches_the_store_whole_and_in_order)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, 0);
    struct key_watch *watch = xcalloc(1, sizeof *watch);
    for (uint32_t i = 0; i < COUNT_OF(watch->round); i++) {
        add_coin(coins, i, 1 + i % 4, false);
        watch->round[i] = 1 + i % 4;
    }
    assert_int_equal(flush_now(sim, coins, 1), 0);
    assert_store_is(coins, watch->round, COUNT_OF(watch->round));
    xfree(watch);
    coins_close(coins);
    sim_env_free(sim);
}
