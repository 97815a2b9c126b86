/* test_sim_spend.c - transactions of the simulated world are well formed and repeatable. */
#include "consensus/tx.h"
#include "sim/sim_spend.h"
#include "support/unit.h"
#include "util/alloc.h"

static struct sim_coin coin_of(uint8_t n, int64_t value_sat)
{
    struct sim_coin coin = {.value_sat = value_sat};
    memset(&coin.outpoint.txid, n, sizeof coin.outpoint.txid);
    coin.outpoint.vout = n;
    return coin;
}

TEST(without_coins_there_is_nothing_to_spend)
{
    struct sim_spend spend;
    struct sim_spend_tx tx;
    sim_spend_init(&spend, sim_random_of(1, 1));
    assert_false(sim_spend_make(&spend, &tx));
    struct sim_coin dust = coin_of(1, 19999);
    sim_spend_add(&spend, &dust);
    assert_false(sim_spend_make(&spend, &tx));
    struct sim_coin coin = coin_of(1, 20000);
    sim_spend_add(&spend, &coin);
    assert_true(sim_spend_make(&spend, &tx));
    xfree(tx.hex);
}

/* Decode what was made; the coins told are its outputs. Returns their sum. */
static int64_t check_tx(const struct sim_spend_tx *made)
{
    size_t len = strlen(made->hex) / 2;
    uint8_t *bytes = xmalloc(len);
    assert_true(hex_decode(bytes, len, made->hex, strlen(made->hex)));
    struct arena arena;
    arena_init(&arena, 4096);
    struct reader r = reader_of(span_of(bytes, len));
    struct tx tx;
    assert_true(tx_decode(&r, &arena, true, &tx));
    assert_true(reader_finish(&r));
    char id[HEX_ID_BYTES];
    assert_string_equal(hex_encode_reversed(id, span_of(tx.txid.b, 32)), made->id);
    assert_true(tx.has_witness && tx.n_in >= 1 && tx.n_in <= SIM_SPEND_INPUTS);
    assert_int_equal(tx.n_out, made->n_coins);
    int64_t sum_sat = 0;
    for (uint32_t i = 0; i < tx.n_out; i++) {
        sum_sat += tx.out[i].value_sat;
        assert_int_equal(made->coin[i].value_sat, tx.out[i].value_sat);
        assert_int_equal(made->coin[i].outpoint.vout, i);
        assert_memory_equal(&made->coin[i].outpoint.txid, &tx.txid, sizeof tx.txid);
    }
    arena_deinit(&arena);
    xfree(bytes);
    return sum_sat;
}

TEST(a_transaction_spends_coins_and_makes_new_ones)
{
    struct sim_spend spend;
    struct sim_spend_tx tx;
    sim_spend_init(&spend, sim_random_of(2, 1));
    struct sim_coin coin = coin_of(7, 5000000);
    sim_spend_add(&spend, &coin);
    for (int i = 0; i < 100; i++) {
        assert_true(sim_spend_make(&spend, &tx));
        int64_t sum_sat = check_tx(&tx);
        assert_true(sum_sat > 0 && sum_sat < 2 * 5000000);
        xfree(tx.hex);
        for (size_t k = 0; k < tx.n_coins; k++)
            sim_spend_add(&spend, &tx.coin[k]);
        if (spend.n < 2)
            sim_spend_add(&spend, &coin);
        assert_true(spend.n <= SIM_SPEND_COINS);
    }
}

TEST(coinbases_are_known_once_they_are_mature)
{
    struct sim_base *base = sim_base_new(4);
    struct sim_spend spend;
    sim_spend_init(&spend, sim_random_of(5, 1));
    sim_spend_add_mature(&spend, base, 99);
    assert_int_equal(spend.n, 0);
    sim_spend_add_mature(&spend, base, 100);
    assert_int_equal(spend.n, 1);
    sim_spend_add_mature(&spend, base, 102);
    sim_spend_add_mature(&spend, base, 102);
    assert_int_equal(spend.n, 3);
    sim_spend_add_mature(&spend, base, 1000);
    assert_int_equal(spend.n, 4);
    sim_base_free(base);
}

TEST(the_same_seed_makes_the_same_transactions)
{
    struct sim_spend spend[3];
    int n_other = 0;
    for (size_t i = 0; i < 3; i++)
        sim_spend_init(&spend[i], sim_random_of(i < 2 ? 3 : 4, 1));
    for (uint8_t n = 1; n <= 40; n++) {
        struct sim_coin coin = coin_of(n, 5000000 * n);
        for (size_t i = 0; i < 3; i++)
            sim_spend_add(&spend[i], &coin);
    }
    for (int k = 0; k < 20; k++) {
        struct sim_spend_tx tx[3];
        for (size_t i = 0; i < 3; i++) {
            assert_true(sim_spend_make(&spend[i], &tx[i]));
            xfree(tx[i].hex);
        }
        assert_string_equal(tx[0].id, tx[1].id);
        n_other += strcmp(tx[0].id, tx[2].id) != 0;
    }
    assert_true(n_other > 10);
}
