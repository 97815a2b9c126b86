/* test_solve.c - what is missing is told. */
#include "spend/sign/solve.h"

#include "consensus/opcodes.h"
#include "crypto/hash.h"
#include "unit/spend/sign/sign_fixture.h"

FIXTURE(setup, teardown)

/* Solve with an empty book, and what the map has. */
static struct solve_result look(struct fixture *f)
{
    struct solve_result result;
    const struct solve_request request = {
        .mode = SOLVE_LOOK, .book = &f->book, .tx = &f->psbt.tx, .spent = f->previous.out};
    solve_input(&request, &f->psbt, &f->psbt.inputs[0], &result);
    return result;
}

TEST(scripts_that_are_missing_are_told_by_their_hash, struct fixture *f)
{
    struct span script = learn(f, "sh(wsh(multi(1," K1 "," K3 ")))", DESC_EXPAND_PUBLIC);
    struct span redeem = f->book.scripts.at[1].bytes, witness = f->book.scripts.at[0].bytes;
    begin(f, script, false);
    forget(f);
    struct solve_result result = look(f);
    assert_true(result.missing.has_redeem_script && !result.missing.has_witness_script);
    assert_memory_equal(result.missing.redeem_script, script.p + 2, 20);
    solve_result_deinit(&result);
    psbt_put(&f->psbt, &f->psbt.inputs[0], PSBT_IN_REDEEM_SCRIPT, span_of("", 0), redeem);
    result = look(f);
    assert_true(!result.missing.has_redeem_script && result.missing.has_witness_script);
    assert_memory_equal(result.missing.witness_script, redeem.p + 2, 32);
    solve_result_deinit(&result);
    psbt_put(&f->psbt, &f->psbt.inputs[0], PSBT_IN_WITNESS_SCRIPT, span_of("", 0), witness);
    result = look(f);
    assert_true(result.is_witness && !result.is_solved);
    assert_int_equal(result.missing.sigs.n, 2);
    assert_int_equal(result.missing.keys.n, 0);
    assert_int_equal(result.script_sig.len, 35);
    solve_result_deinit(&result);
}

TEST(keys_that_are_missing_are_told_by_their_hash, struct fixture *f)
{
    struct span script = learn(f, "pkh(" K1 ")", DESC_EXPAND_PUBLIC);
    begin(f, script, true);
    forget(f);
    struct solve_result result = look(f);
    assert_int_equal(result.missing.keys.n, 1);
    assert_memory_equal(result.missing.keys.at[0].b, script.p + 3, 20);
    assert_false(result.is_witness);
    solve_result_deinit(&result);
}

/* What it takes to read a leaf as an expression is a hundred times the leaf. */
TEST(leaves_leave_no_memory_behind, struct fixture *f)
{
    enum { LEAF_BYTES = 100000, LEAVES = 3 };
    uint8_t *leaf = arena_calloc(&f->arena, 1, LEAF_BYTES), control[33] = {0xc0};
    struct span script = learn(f, "tr(" NUMS ")", DESC_EXPAND_PUBLIC);
    begin(f, script, false);
    memset(leaf, OP_VERIFY, LEAF_BYTES - 1);
    leaf[LEAF_BYTES - 1] = TAP_LEAF_TAPSCRIPT;
    for (; control[1] < LEAVES; control[1]++)
        psbt_put(&f->psbt, &f->psbt.inputs[0], PSBT_IN_TAP_LEAF_SCRIPT, span_of(control, 33),
                 span_of(leaf, LEAF_BYTES));
    size_t before = f->arena.total_bytes;
    assert_int_equal(sign(f, SOLVE_LOOK, false), SIGN_INCOMPLETE);
    assert_in_range(f->arena.total_bytes, before, before + LEAF_BYTES);
}

/* What one input takes is not there any more when the next is solved. */
TEST(inputs_that_are_solved_leave_no_memory_behind, struct fixture *f)
{
    const struct sign_order order = {.mode = SOLVE_LOOK};
    struct span script = learn(f, "wsh(thresh(1,pk(" K1 "),s:pk(" K3 ")))", DESC_EXPAND_PUBLIC);
    begin(f, script, true);
    sign(f, SOLVE_LOOK, false);
    size_t before = f->arena.total_bytes;
    for (int i = 0; i < 100; i++)
        assert_int_equal(sign_psbt_input(&f->session, 0, &order, NULL), SIGN_INCOMPLETE);
    assert_in_range(f->arena.total_bytes, before, before + 100000);
}

/* One key in each of many leaves: its leaves are written once, not anew with each. */
TEST(a_key_of_many_leaves_takes_no_square_of_memory, struct fixture *f)
{
    enum { LEAVES = 2000 };
    uint8_t control[33] = {0xc0};
    struct span script = learn(f, "tr(" NUMS ",pk([d34db33f/7]" K1 "))", DESC_EXPAND_PUBLIC);
    begin(f, script, false);
    struct psbt_map *input = &f->psbt.inputs[0];
    const uint8_t *x = f->book.keys.at[1].pubkey + 1;
    for (uint32_t i = 0; i < LEAVES; i++) {
        /* <key> OP_CHECKSIGVERIFY <number> OP_CHECKLOCKTIMEVERIFY */
        uint8_t leaf[1 + 32 + 1 + 1 + 3 + 1 + 1] = {32};
        memcpy(leaf + 1, x, 32);
        leaf[33] = OP_CHECKSIGVERIFY;
        leaf[34] = 3;
        leaf[35] = (uint8_t)i;
        leaf[36] = (uint8_t)(i >> 8);
        leaf[37] = 1;
        leaf[38] = OP_CHECKLOCKTIMEVERIFY;
        leaf[39] = TAP_LEAF_TAPSCRIPT;
        memcpy(control + 1, &i, sizeof i);
        psbt_put(&f->psbt, input, PSBT_IN_TAP_LEAF_SCRIPT, span_of(control, 33),
                 span_of(leaf, sizeof leaf));
    }
    size_t before = f->arena.total_bytes, at = 0;
    sign(f, SOLVE_LOOK, false);
    const struct psbt_record *record = NULL, *each;
    while ((each = psbt_next(input, PSBT_IN_TAP_BIP32_DERIVATION, &at)))
        if (memcmp(each->data.p, x, 32) == 0)
            record = each;
    assert_non_null(record);
    struct span origin = record->value, hashes = psbt_take_leaf_hashes(&origin);
    assert_in_range(hashes.len / 32, LEAVES, LEAVES + 1);
    for (size_t i = 1; i < hashes.len / 32; i++)
        assert_true(memcmp(hashes.p + 32 * (i - 1), hashes.p + 32 * i, 32) < 0);
    assert_int_equal(origin.len, 8);
    assert_in_range(f->arena.total_bytes, before, before + 2000000);
}
