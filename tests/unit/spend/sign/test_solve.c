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
