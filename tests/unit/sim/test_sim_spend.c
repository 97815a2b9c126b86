/* test_sim_spend.c - transactions of the simulated world are well formed and repeatable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consensus/tx.h"
#include "sim/sim_spend.h"
#include "util/alloc.h"

static struct sim_coin coin_of(uint8_t n, int64_t value_sat)
{
    struct sim_coin coin = {.value_sat = value_sat};
    memset(&coin.outpoint.txid, n, sizeof coin.outpoint.txid);
    coin.outpoint.vout = n;
    return coin;
}

static void without_coins_there_is_nothing_to_spend(void **state)
{
    (void)state;
    struct sim_spend spend;
    char id[HEX_ID_BYTES];
    sim_spend_init(&spend, sim_random_of(1, 1));
    assert_null(sim_spend_make(&spend, id));
    struct sim_coin dust = coin_of(1, 19999);
    sim_spend_add(&spend, &dust);
    assert_null(sim_spend_make(&spend, id));
    struct sim_coin coin = coin_of(1, 20000);
    sim_spend_add(&spend, &coin);
    char *hex = sim_spend_make(&spend, id);
    assert_non_null(hex);
    xfree(hex);
}

/* Decode what was made; returns the sum of its outputs. */
static int64_t check_tx(const char *hex, const char *id)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = xmalloc(len);
    assert_true(hex_decode(bytes, len, hex, strlen(hex)));
    struct arena arena;
    arena_init(&arena, 4096);
    struct reader r = reader_of(span_of(bytes, len));
    struct tx tx;
    assert_true(tx_decode(&r, &arena, true, &tx));
    assert_true(reader_finish(&r));
    char have[HEX_ID_BYTES];
    assert_string_equal(hex_encode_reversed(have, span_of(tx.txid.b, 32)), id);
    assert_true(tx.has_witness && tx.n_in >= 1 && tx.n_in <= SIM_SPEND_INPUTS);
    int64_t sum_sat = 0;
    for (uint32_t i = 0; i < tx.n_out; i++)
        sum_sat += tx.out[i].value_sat;
    arena_deinit(&arena);
    xfree(bytes);
    return sum_sat;
}

static void a_transaction_spends_coins_and_makes_new_ones(void **state)
{
    (void)state;
    struct sim_spend spend;
    char id[HEX_ID_BYTES];
    sim_spend_init(&spend, sim_random_of(2, 1));
    struct sim_coin coin = coin_of(7, 5000000);
    sim_spend_add(&spend, &coin);
    for (int i = 0; i < 100; i++) {
        char *hex = sim_spend_make(&spend, id);
        assert_non_null(hex);
        int64_t sum_sat = check_tx(hex, id);
        assert_true(sum_sat > 0 && sum_sat < 2 * 5000000);
        xfree(hex);
        assert_true(spend.n <= SIM_SPEND_COINS);
    }
}

static void the_same_seed_makes_the_same_transactions(void **state)
{
    (void)state;
    struct sim_spend a, b, c;
    sim_spend_init(&a, sim_random_of(3, 1));
    sim_spend_init(&b, sim_random_of(3, 1));
    sim_spend_init(&c, sim_random_of(4, 1));
    for (uint8_t n = 1; n <= 9; n++) {
        struct sim_coin coin = coin_of(n, 5000000 * n);
        sim_spend_add(&a, &coin);
        sim_spend_add(&b, &coin);
        sim_spend_add(&c, &coin);
    }
    int n_other = 0;
    for (int i = 0; i < 20; i++) {
        char id_a[HEX_ID_BYTES], id_b[HEX_ID_BYTES], id_c[HEX_ID_BYTES];
        xfree(sim_spend_make(&a, id_a));
        xfree(sim_spend_make(&b, id_b));
        xfree(sim_spend_make(&c, id_c));
        assert_string_equal(id_a, id_b);
        n_other += strcmp(id_a, id_c) != 0;
    }
    assert_true(n_other > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_coins_there_is_nothing_to_spend),
        cmocka_unit_test(a_transaction_spends_coins_and_makes_new_ones),
        cmocka_unit_test(the_same_seed_makes_the_same_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
