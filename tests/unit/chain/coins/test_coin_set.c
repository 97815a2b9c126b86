/* test_coin_set.c - a snapshot with changes on top looks like the coins after the changes. */
#include "chain/coins/coin_set.h"
#include "sim/sim_env.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { N_COINS = 64, SCRIPT_BYTES = 80 };

struct fixture {
    struct sim_env *sim;
    struct coins *coins;
    struct coin_set set;
    uint8_t script[SCRIPT_BYTES];
    struct arena arena;
};

static struct outpoint outpoint_of(uint32_t i)
{
    return (struct outpoint){.txid = {{(uint8_t)(i / 4), 7}}, .vout = i % 4};
}

static struct coin coin_of(const struct fixture *f, uint32_t i)
{
    return (struct coin){.value_sat = 1000 + i,
                         .height = i,
                         .coinbase = i % 2,
                         .script_pubkey = span_of(f->script, 1 + i % SCRIPT_BYTES)};
}

/* The store has the coins of even number. */
static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    f->sim = sim_env_new(1);
    arena_init(&f->arena, 4096);
    for (size_t i = 0; i < sizeof f->script; i++)
        f->script[i] = (uint8_t)(i * 3);
    struct coins_options options = {.cache_bytes = 1 << 20};
    char *error = NULL;
    assert_int_equal(coins_open(sim_env_get(f->sim), NULL, "coins", &options, &f->coins, &error),
                     0);
    for (uint32_t i = 0; i < N_COINS; i += 2) {
        struct outpoint outpoint = outpoint_of(i);
        struct coin coin = coin_of(f, i);
        coins_repair_put(f->coins, &outpoint, &coin);
    }
    struct block_hash tip = {{9}};
    assert_int_equal(coins_repair_commit(f->coins, &tip), 0);
    coin_set_init(&f->set, f->coins, coins_snapshot(f->coins));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    coin_set_deinit(&f->set);
    coins_close(f->coins);
    arena_deinit(&f->arena);
    sim_env_free(f->sim);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

static void assert_coin(struct fixture *f, uint32_t at, bool is_there, const struct coin *want)
{
    struct outpoint outpoint = outpoint_of(at);
    struct coin have;
    assert_int_equal(coin_set_find(&f->set, &outpoint, &have), is_there);
    if (!is_there)
        return;
    assert_int_equal(have.value_sat, want->value_sat);
    assert_int_equal(have.height, want->height);
    assert_int_equal(have.coinbase, want->coinbase);
    assert_true(span_equal(have.script_pubkey, want->script_pubkey));
}

TEST(what_the_store_has_is_found, struct fixture *f)
{
    for (uint32_t i = 0; i < N_COINS; i++) {
        struct coin want = coin_of(f, i);
        assert_coin(f, i, i % 2 == 0, &want);
    }
    assert_coin(f, N_COINS + 1, false, NULL);
}

TEST(changes_hide_the_store, struct fixture *f)
{
    struct coin other = coin_of(f, 5);
    struct outpoint in_store = outpoint_of(2), not_in_store = outpoint_of(3);
    coin_set_put(&f->set, &in_store, NULL);
    coin_set_put(&f->set, &not_in_store, &other);
    assert_coin(f, 2, false, NULL);
    assert_coin(f, 3, true, &other);
    coin_set_put(&f->set, &in_store, &other);
    coin_set_put(&f->set, &not_in_store, NULL);
    assert_coin(f, 2, true, &other);
    assert_coin(f, 3, false, NULL);
}

TEST(scripts_are_copied, struct fixture *f)
{
    uint8_t script[40] = {1, 2, 3};
    struct coin coin = {.value_sat = 1, .script_pubkey = span_of(script, sizeof script)};
    struct outpoint outpoint = outpoint_of(1);
    coin_set_put(&f->set, &outpoint, &coin);
    memset(script, 0xee, sizeof script);
    struct coin have;
    assert_int_equal(coin_set_find(&f->set, &outpoint, &have), 1);
    assert_int_equal(have.script_pubkey.p[1], 2);
}

TEST(the_snapshot_stays_what_it_was, struct fixture *f)
{
    for (uint32_t i = 0; i < N_COINS; i++) {
        struct outpoint outpoint = outpoint_of(i);
        coins_repair_erase(f->coins, &outpoint);
    }
    struct block_hash tip = {{10}};
    assert_int_equal(coins_repair_commit(f->coins, &tip), 0);
    what_the_store_has_is_found(f);
}

/* Random changes against a plain array. */
TEST(a_set_is_like_an_array, struct fixture *f)
{
    bool is_there[N_COINS];
    struct coin coins[N_COINS];
    for (uint32_t i = 0; i < N_COINS; i++) {
        is_there[i] = i % 2 == 0;
        coins[i] = coin_of(f, i);
    }
    struct sim_random random = sim_random_of(4, 0);
    for (int round = 0; round < 3000; round++) {
        uint32_t i = (uint32_t)sim_random_below(&random, N_COINS);
        struct outpoint outpoint = outpoint_of(i);
        is_there[i] = sim_random_below(&random, 2);
        coins[i] = coin_of(f, (uint32_t)sim_random_below(&random, 1000));
        coin_set_put(&f->set, &outpoint, is_there[i] ? &coins[i] : NULL);
        uint32_t k = (uint32_t)sim_random_below(&random, N_COINS);
        assert_coin(f, k, is_there[k], &coins[k]);
    }
}

TEST(a_set_never_made_can_be_ended)
{
    struct coin_set set = {0};
    coin_set_deinit(&set);
    assert_null(set.cursor);
}
