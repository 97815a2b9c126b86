/* test_solve.c - what is missing is told. */
#include "spend/sign/solve.h"

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
