/* test_tx_check.c - rules of a transaction on its own, both sides of each limit.
 *
 * hazards: rows 1 (CVE-2010-5139), 2 (CVE-2018-17144), 32 (coinbase script). */
#include "consensus/block.h"
#include "consensus/tx_check.h"
#include "support/arena_fixture.h"
#include "support/build.h"

FIXTURE(arena_setup, arena_teardown)

static void assert_reject(struct arena *arena, struct tx *tx, enum reject want)
{
    tx_finish(tx, arena);
    assert_string_equal(reject_string(tx_check(tx, arena)), reject_string(want));
}

TEST(counts_come_first, struct arena *arena)
{
    struct tx empty = build_tx(arena, 1, 0, 0), no_out = build_tx(arena, 1, 1, 0);
    struct tx no_in = build_tx(arena, 1, 0, 1), fine = build_tx(arena, 1, 1, 1);
    assert_reject(arena, &empty, REJECT_VIN_EMPTY);
    assert_reject(arena, &no_in, REJECT_VIN_EMPTY);
    assert_reject(arena, &no_out, REJECT_VOUT_EMPTY);
    assert_reject(arena, &fine, REJECT_NONE);
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

TEST(output_values_and_their_sums_are_bounded, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        struct tx tx = build_tx(arena, 1, 1, outputs[i].n_out);
        for (uint32_t k = 0; k < tx.n_out; k++)
            tx.out[k].value_sat = outputs[i].value_sat[k];
        assert_reject(arena, &tx, outputs[i].want);
    }
}

TEST(base_size_may_be_a_million_bytes, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 1, 1);
    tx_finish(&tx, arena);
    /* the length of the script takes four bytes more once it is that long */
    size_t room = 1000000 - tx.base_bytes - 4;
    uint8_t *script = arena_calloc(arena, 1, room + 1);
    tx.in[0].script_sig = span_of(script, room);
    assert_reject(arena, &tx, REJECT_NONE);
    assert_int_equal(tx.base_bytes, 1000000);
    tx.in[0].script_sig.len++;
    assert_reject(arena, &tx, REJECT_TX_OVERSIZE);
    /* witness bytes do not count here */
    tx.in[0].script_sig.len--;
    struct span item = span_of(script, 1000);
    tx.in[0].witness = build_witness(arena, &item, 1);
    assert_reject(arena, &tx, REJECT_NONE);
}

/* Row 2, the context-free part: any two equal inputs, at any distance, whatever the number. */
TEST(duplicate_inputs_are_found_wherever_they_are, struct arena *arena)
{
    static const uint32_t sizes[] = {2, 3, 16, 17, 18, 100, 1000};
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        uint32_t n = sizes[s];
        for (uint32_t i = 0; i < n; i += 1 + n / 20) {
            struct arena_mark mark = arena_mark(arena);
            struct tx tx = build_tx(arena, 1, n, 1);
            assert_reject(arena, &tx, REJECT_NONE);
            tx.in[(i + n / 2) % n].prevout = tx.in[i].prevout;
            assert_reject(arena, &tx, n == 1 ? REJECT_NONE : REJECT_INPUTS_DUPLICATE);
            arena_rewind(arena, mark);
        }
    }
}

TEST(outputs_of_one_transaction_are_different_inputs, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 24000, 1);
    for (uint32_t i = 0; i < tx.n_in; i++) {
        tx.in[i].prevout.txid = tx.in[0].prevout.txid;
        tx.in[i].prevout.vout = i;
    }
    assert_reject(arena, &tx, REJECT_NONE);
    tx.in[23999].prevout.vout = 0;
    assert_reject(arena, &tx, REJECT_INPUTS_DUPLICATE);
}

TEST(scratch_is_given_back, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 5000, 1);
    tx_finish(&tx, arena);
    struct arena scratch;
    arena_init(&scratch, 1024);
    struct arena_mark before = arena_mark(&scratch);
    assert_int_equal(tx_check(&tx, &scratch), REJECT_NONE);
    struct arena_mark after = arena_mark(&scratch);
    assert_ptr_equal(before.chunk, after.chunk);
    assert_int_equal(before.used, after.used);
    arena_deinit(&scratch);
}

TEST(coinbase_script_has_2_to_100_bytes, struct arena *arena)
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
        struct tx tx = build_coinbase(arena, 1, 0);
        tx.in[0].script_sig = span_of(script, rows[i].len);
        assert_reject(arena, &tx, rows[i].want);
    }
}

TEST(null_inputs_belong_to_coinbases, struct arena *arena)
{
    struct tx tx = build_tx(arena, 1, 2, 1);
    memset(tx.in[1].prevout.txid.b, 0, 32);
    tx.in[1].prevout.vout = OUTPOINT_INDEX_NULL;
    assert_reject(arena, &tx, REJECT_PREVOUT_NULL);
    /* half null is not null */
    tx.in[1].prevout.vout = 0;
    assert_reject(arena, &tx, REJECT_NONE);
    tx.in[1].prevout.vout = OUTPOINT_INDEX_NULL;
    tx.in[1].prevout.txid.b[0] = 1;
    assert_reject(arena, &tx, REJECT_NONE);
}

TEST(the_first_broken_rule_is_named, struct arena *arena)
{
    /* a value too large, two null inputs that are equal: values, duplicates, nulls */
    struct tx tx = build_tx(arena, 1, 2, 1);
    for (int i = 0; i < 2; i++) {
        memset(tx.in[i].prevout.txid.b, 0, 32);
        tx.in[i].prevout.vout = OUTPOINT_INDEX_NULL;
    }
    tx.out[0].value_sat = MAX_MONEY_SAT + 1;
    assert_reject(arena, &tx, REJECT_VOUT_TOO_LARGE);
    tx.out[0].value_sat = 1;
    assert_reject(arena, &tx, REJECT_INPUTS_DUPLICATE);
    tx.in[0].prevout.vout = 3;
    assert_reject(arena, &tx, REJECT_PREVOUT_NULL);
}
