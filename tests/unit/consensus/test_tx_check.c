/* test_tx_check.c - rules of a transaction on its own, both sides of each limit.
 *
 * hazards: rows 1 (CVE-2010-5139), 2 (CVE-2018-17144), 32 (coinbase script). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consensus/block.h"
#include "consensus/tx_check.h"
#include "support/build.h"
#include "util/alloc.h"

static int setup(void **state)
{
    struct arena *arena = xmalloc(sizeof *arena);
    arena_init(arena, 4096);
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    arena_deinit(*state);
    xfree(*state);
    return 0;
}

static void assert_reject(struct arena *arena, struct tx *tx, enum reject want)
{
    tx_finish(tx, arena);
    assert_string_equal(reject_string(tx_check(tx, arena)), reject_string(want));
}

static void counts_come_first(void **state)
{
    struct tx empty = build_tx(*state, 1, 0, 0), no_out = build_tx(*state, 1, 1, 0);
    struct tx no_in = build_tx(*state, 1, 0, 1), fine = build_tx(*state, 1, 1, 1);
    assert_reject(*state, &empty, REJECT_VIN_EMPTY);
    assert_reject(*state, &no_in, REJECT_VIN_EMPTY);
    assert_reject(*state, &no_out, REJECT_VOUT_EMPTY);
    assert_reject(*state, &fine, REJECT_NONE);
}

/* clang-format off */
static const struct { uint32_t n_out; int64_t value_sat[3]; enum reject want; } outputs[] = {
    {1, {0},                              REJECT_NONE},
    {1, {-1},                             REJECT_VOUT_NEGATIVE},
    {1, {INT64_MIN},                      REJECT_VOUT_NEGATIVE},
    {1, {MAX_MONEY_SAT},                  REJECT_NONE},
    {1, {MAX_MONEY_SAT + 1},              REJECT_VOUT_TOO_LARGE},
    {1, {INT64_MAX},                      REJECT_VOUT_TOO_LARGE},
    {2, {INT64_MAX, INT64_MAX},           REJECT_VOUT_TOO_LARGE},      /* block 74638 */
    {2, {MAX_MONEY_SAT, 1},               REJECT_TXOUT_TOTAL_TOO_LARGE},
    {2, {MAX_MONEY_SAT - 1, 1},           REJECT_NONE},
    {3, {MAX_MONEY_SAT, MAX_MONEY_SAT, -1}, REJECT_TXOUT_TOTAL_TOO_LARGE}, /* in order of outputs */
    {3, {1, -1, MAX_MONEY_SAT + 1},       REJECT_VOUT_NEGATIVE},
};
/* clang-format on */

static void output_values_and_their_sums_are_bounded(void **state)
{
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        struct tx tx = build_tx(*state, 1, 1, outputs[i].n_out);
        for (uint32_t k = 0; k < tx.n_out; k++)
            tx.out[k].value_sat = outputs[i].value_sat[k];
        assert_reject(*state, &tx, outputs[i].want);
    }
}

static void base_size_may_be_a_million_bytes(void **state)
{
    struct tx tx = build_tx(*state, 1, 1, 1);
    tx_finish(&tx, *state);
    /* the length of the script takes four bytes more once it is that long */
    size_t room = 1000000 - tx.base_bytes - 4;
    uint8_t *script = arena_calloc(*state, 1, room + 1);
    tx.in[0].script_sig = span_of(script, room);
    assert_reject(*state, &tx, REJECT_NONE);
    assert_int_equal(tx.base_bytes, 1000000);
    tx.in[0].script_sig.len++;
    assert_reject(*state, &tx, REJECT_TX_OVERSIZE);
    /* witness bytes do not count here */
    tx.in[0].script_sig.len--;
    struct span item = span_of(script, 1000);
    tx.in[0].witness = build_witness(*state, &item, 1);
    assert_reject(*state, &tx, REJECT_NONE);
}

/* Row 2, the context-free part: any two equal inputs, at any distance, whatever the number. */
static void duplicate_inputs_are_found_wherever_they_are(void **state)
{
    static const uint32_t sizes[] = {2, 3, 16, 17, 18, 100, 1000};
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        uint32_t n = sizes[s];
        for (uint32_t i = 0; i < n; i += 1 + n / 20) {
            struct arena_mark mark = arena_mark(*state);
            struct tx tx = build_tx(*state, 1, n, 1);
            assert_reject(*state, &tx, REJECT_NONE);
            tx.in[(i + n / 2) % n].prevout = tx.in[i].prevout;
            assert_reject(*state, &tx, n == 1 ? REJECT_NONE : REJECT_INPUTS_DUPLICATE);
            arena_rewind(*state, mark);
        }
    }
}

static void outputs_of_one_transaction_are_different_inputs(void **state)
{
    struct tx tx = build_tx(*state, 1, 24000, 1);
    for (uint32_t i = 0; i < tx.n_in; i++) {
        tx.in[i].prevout.txid = tx.in[0].prevout.txid;
        tx.in[i].prevout.vout = i;
    }
    assert_reject(*state, &tx, REJECT_NONE);
    tx.in[23999].prevout.vout = 0;
    assert_reject(*state, &tx, REJECT_INPUTS_DUPLICATE);
}

static void scratch_is_given_back(void **state)
{
    struct tx tx = build_tx(*state, 1, 5000, 1);
    tx_finish(&tx, *state);
    struct arena scratch;
    arena_init(&scratch, 1024);
    struct arena_mark before = arena_mark(&scratch);
    assert_int_equal(tx_check(&tx, &scratch), REJECT_NONE);
    struct arena_mark after = arena_mark(&scratch);
    assert_ptr_equal(before.chunk, after.chunk);
    assert_int_equal(before.used, after.used);
    arena_deinit(&scratch);
}

static void coinbase_script_has_2_to_100_bytes(void **state)
{
    static const uint8_t script[101];
    static const struct {
        size_t len;
        enum reject want;
    } rows[] = {{0, REJECT_CB_LENGTH},
                {1, REJECT_CB_LENGTH},
                {2, REJECT_NONE},
                {100, REJECT_NONE},
                {101, REJECT_CB_LENGTH}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tx tx = build_coinbase(*state, 1, 0);
        tx.in[0].script_sig = span_of(script, rows[i].len);
        assert_reject(*state, &tx, rows[i].want);
    }
}

static void null_inputs_belong_to_coinbases(void **state)
{
    struct tx tx = build_tx(*state, 1, 2, 1);
    memset(tx.in[1].prevout.txid.b, 0, 32);
    tx.in[1].prevout.vout = OUTPOINT_INDEX_NULL;
    assert_reject(*state, &tx, REJECT_PREVOUT_NULL);
    /* half null is not null */
    tx.in[1].prevout.vout = 0;
    assert_reject(*state, &tx, REJECT_NONE);
    tx.in[1].prevout.vout = OUTPOINT_INDEX_NULL;
    tx.in[1].prevout.txid.b[0] = 1;
    assert_reject(*state, &tx, REJECT_NONE);
}

static void the_first_broken_rule_is_named(void **state)
{
    /* a value too large, two null inputs that are equal: values, duplicates, nulls */
    struct tx tx = build_tx(*state, 1, 2, 1);
    for (int i = 0; i < 2; i++) {
        memset(tx.in[i].prevout.txid.b, 0, 32);
        tx.in[i].prevout.vout = OUTPOINT_INDEX_NULL;
    }
    tx.out[0].value_sat = MAX_MONEY_SAT + 1;
    assert_reject(*state, &tx, REJECT_VOUT_TOO_LARGE);
    tx.out[0].value_sat = 1;
    assert_reject(*state, &tx, REJECT_INPUTS_DUPLICATE);
    tx.in[0].prevout.vout = 3;
    assert_reject(*state, &tx, REJECT_PREVOUT_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(output_values_and_their_sums_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(base_size_may_be_a_million_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(duplicate_inputs_are_found_wherever_they_are, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(outputs_of_one_transaction_are_different_inputs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(scratch_is_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(coinbase_script_has_2_to_100_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(null_inputs_belong_to_coinbases, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_broken_rule_is_named, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
