/* test_coins_store.c - opening, wiping, scanning; damage is an error, never a coin. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/coins/coins_fixture.h"

enum { CACHE_BYTES = 1 << 20 };

/* Put one raw pair into the closed store. */
static void put_raw(struct sim_env *sim, struct span key, struct span value)
{
    const struct env *env = sim_env_get(sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    assert_int_equal(env_kv_open(env, "chainstate", &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, key, value);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
}

static int try_open(struct sim_env *sim, char **error)
{
    struct coins_options options = {.cache_bytes = CACHE_BYTES};
    struct coins *coins;
    int result = coins_open(sim_env_get(sim), NULL, "chainstate", &options, &coins, error);
    if (result == 0)
        coins_close(coins);
    else
        assert_null(coins);
    return result;
}

TEST(a_damaged_tip_or_marker_is_refused_with_the_remedy)
{
    static const char *const keys[] = {"T", "M"};
    static const size_t lens[] = {32, 64};
    uint8_t bytes[65] = {0};
    for (int k = 0; k < 2; k++)
        for (size_t len = lens[k] - 1; len <= lens[k] + 1; len++) {
            struct sim_env *sim = sim_env_new(1);
            char *error = NULL;
            put_raw(sim, span_of(keys[k], 1), span_of(bytes, len < 65 ? len : 65));
            int result = try_open(sim, &error);
            assert_int_equal(result, len == lens[k] ? 0 : -EUCLEAN);
            if (result)
                assert_non_null(strstr(error, "-reindex-chainstate"));
            xfree(error);
            sim_env_free(sim);
        }
}

TEST(a_store_that_cannot_be_opened_or_read_is_an_error)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, 0);
    char *error = NULL;
    assert_int_equal(try_open(sim, &error), -EBUSY);
    assert_non_null(error);
    xfree(error);
    coins_close(coins);
    sim_disk_fail(sim_env_disk(sim), SIM_OP_READ, 0, -EIO, false);
    assert_int_equal(try_open(sim, &error), -EIO);
    assert_non_null(error);
    xfree(error);
    assert_int_equal(try_open(sim, &error), 0);
    sim_env_free(sim);
}

TEST(damaged_coins_are_errors)
{
    struct sim_env *sim = sim_env_new(1);
    struct outpoint outpoint = outpoint_of(5);
    uint8_t key[37] = {'C'};
    memcpy(key + 1, outpoint.txid.b, 32);
    key[35] = (uint8_t)(outpoint.vout >> 8), key[36] = (uint8_t)outpoint.vout;
    static const uint8_t tip[32] = {0};
    put_raw(sim, span_of("T", 1), span_of(tip, sizeof tip)); /* ours */
    put_raw(sim, span_of(key, sizeof key), span_of("\0\0\0\1", 4));
    struct coins *coins = open_coins(sim, CACHE_BYTES, 0);
    struct arena arena;
    struct coin coin;
    arena_init(&arena, 100);
    assert_int_equal(coins_get(coins, &outpoint, &arena, &coin), -EUCLEAN);
    arena_deinit(&arena);
    int32_t height;
    assert_int_equal(coins_find_txid(coins, &outpoint.txid, true, &height), -EUCLEAN);
    struct read_fixture read;
    static const uint32_t number = 5;
    start_read(coins, &read, &number, 1);
    sim_env_run_until_idle(sim);
    assert_int_equal(read.read.error, -EUCLEAN);
    struct scan_check check = {.n = 0};
    assert_int_equal(coins_scan_snapshot(coins, coins_snapshot(coins), check_row, &check),
                     -EUCLEAN);
    coins_close(coins);
    sim_env_free(sim);
}

TEST(a_wiped_store_is_like_new_also_after_reopening)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, 0);
    add_coin(coins, 1, 1, false);
    assert_int_equal(flush_now(sim, coins, 1), 0);
    add_coin(coins, 2, 1, false);
    char *error;
    assert_int_equal(coins_wipe(coins, &error), 0);
    for (int i = 0; i < 2; i++) {
        struct block_hash zero = {{0}}, tip = coins_store_tip(coins);
        assert_true(block_hash_equal(&tip, &zero));
        assert_int_equal(find_coin(coins, 1, 1), COINS_UNKNOWN);
        assert_int_equal(find_coin(coins, 2, 1), COINS_UNKNOWN);
        assert_false(read_now(sim, coins, 1));
        coins = reopen(sim, coins, CACHE_BYTES, 0);
    }
    add_coin(coins, 1, 3, false);
    assert_int_equal(flush_now(sim, coins, 3), 0);
    static const uint32_t rounds[] = {0, 3};
    assert_store_is(coins, rounds, 2);
    coins_close(coins);
    sim_env_free(sim);
}

static bool stop_at_second(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    (void)outpoint;
    (void)coin;
    return ++*(int *)arg < 2;
}

TEST(a_scan_sees_its_snapshot_and_can_be_stopped)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, 0);
    for (uint32_t i = 0; i < 4; i++)
        add_coin(coins, i, 1, false);
    assert_int_equal(flush_now(sim, coins, 1), 0);
    struct env_cursor *cursor = coins_snapshot(coins);
    spend_coin(coins, 0);
    assert_int_equal(flush_now(sim, coins, 2), 0);
    static const uint32_t before[] = {1, 1, 1, 1}, after[] = {0, 1, 1, 1};
    struct scan_check check = {.round = before, .n = 4};
    assert_int_equal(coins_scan_snapshot(coins, cursor, check_row, &check), 0);
    assert_int_equal(check.seen, 4);
    assert_store_is(coins, after, 4);
    int seen = 0;
    assert_int_equal(coins_scan_snapshot(coins, coins_snapshot(coins), stop_at_second, &seen), 0);
    assert_int_equal(seen, 2);
    assert_in_range(coins_store_bytes(coins), 1, 100); /* it has no files but our mark */
    coins_close(coins);
    sim_env_free(sim);
}

/* Transaction 0 has the coins 0, 1, 2; transaction 1 has 3, 4, 5. */
TEST(a_transaction_is_found_by_any_output_that_is_unspent)
{
    struct sim_env *sim = sim_env_new(1);
    struct coins *coins = open_coins(sim, CACHE_BYTES, 0);
    struct txid stored = outpoint_of(1).txid, fresh = outpoint_of(5).txid;
    int32_t height = -1;
    add_coin(coins, 1, 1, false);
    add_coin(coins, 2, 1, false);
    assert_int_equal(flush_now(sim, coins, 1), 0);
    coins = reopen(sim, coins, CACHE_BYTES, 0);
    assert_int_equal(coins_find_txid(coins, &stored, false, &height), 1);
    assert_int_equal(height, 1);
    spend_coin(coins, 1); /* memory knows, the store does not yet */
    assert_int_equal(coins_find_txid(coins, &stored, false, &height), 1);
    assert_int_equal(height, 2);
    spend_coin(coins, 2);
    assert_int_equal(coins_find_txid(coins, &stored, true, &height), 0);
    assert_int_equal(coins_find_txid(coins, &fresh, true, &height), 0);
    add_coin(coins, 5, 1, false); /* index 600, not flushed */
    assert_int_equal(coins_find_txid(coins, &fresh, false, &height), 0);
    assert_int_equal(coins_find_txid(coins, &fresh, true, &height), 1);
    assert_int_equal(height, 5);
    coins_close(coins);
    sim_env_free(sim);
}
