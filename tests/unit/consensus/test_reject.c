/* test_reject.c - strings and classes of verdicts. */
#include "consensus/reject.h"
#include "consensus/script_error.h"
#include "support/unit.h"

TEST(every_code_has_a_string_and_a_class)
{
    assert_string_equal(reject_string(REJECT_NONE), "");
    for (int i = 1; i < REJECT_COUNT; i++) {
        assert_true(strlen(reject_string((enum reject)i)) > 0);
        assert_in_range(reject_class((enum reject)i), REJECT_CLASS_NONE, REJECT_CLASS_FAULT);
    }
}

TEST(strings_are_shared_only_where_classes_differ)
{
    for (int i = 1; i < REJECT_COUNT; i++) {
        for (int k = 1; k < i; k++) {
            enum reject a = (enum reject)i, b = (enum reject)k;
            if (strcmp(reject_string(a), reject_string(b)) == 0)
                assert_int_not_equal(reject_class(a), reject_class(b));
        }
    }
}

/* hazards row 7: what another copy of the block, or another moment, could make valid is never
 * of the class that condemns the hash. */
TEST(malleable_and_passing_reasons_condemn_no_hash)
{
    static const enum reject mutated[] = {
        REJECT_BAD_MERKLE_ROOT,    REJECT_TXNS_DUPLICATE,       REJECT_CB_MISSING_MUTATED,
        REJECT_WITNESS_NONCE_SIZE, REJECT_WITNESS_MERKLE_MATCH, REJECT_UNEXPECTED_WITNESS,
    };
    for (size_t i = 0; i < COUNT_OF(mutated); i++)
        assert_int_equal(reject_class(mutated[i]), REJECT_CLASS_MUTATED);
    assert_int_equal(reject_class(REJECT_TIME_TOO_NEW), REJECT_CLASS_EARLY);
    assert_int_equal(reject_class(REJECT_PREV_NOT_FOUND), REJECT_CLASS_MISSING);
    assert_int_equal(reject_class(REJECT_FAULT), REJECT_CLASS_FAULT);
    assert_int_equal(reject_class(REJECT_SCRIPT_FAILED), REJECT_CLASS_CONSENSUS);
}

TEST(a_verdict_is_true_if_nothing_is_wrong)
{
    struct verdict verdict = {.script_error = 5, .version = 9};
    assert_true(verdict_set(&verdict, REJECT_NONE, NULL));
    assert_int_equal(verdict.script_error, 0);
    assert_false(verdict_set(&verdict, REJECT_CB_AMOUNT, "actual=%d vs limit=%d", 51, 50));
    assert_int_equal(verdict.code, REJECT_CB_AMOUNT);
    assert_string_equal(verdict.detail, "actual=51 vs limit=50");
}

TEST(reasons_name_version_and_script_error)
{
    char out[VERDICT_REASON_BYTES];
    struct verdict verdict = {.code = REJECT_BAD_VERSION, .version = 3};
    assert_string_equal(verdict_reason(&verdict, out), "bad-version(0x00000003)");
    verdict = (struct verdict){.code = REJECT_SCRIPT_FAILED, .script_error = SCRIPT_ERR_EVAL_FALSE};
    assert_string_equal(verdict_reason(&verdict, out),
                        "block-script-verify-flag-failed (Script evaluated without error but "
                        "finished with a false/empty top stack element)");
    verdict = (struct verdict){.code = REJECT_HIGH_HASH};
    assert_string_equal(verdict_reason(&verdict, out), "high-hash");
}

TEST(details_that_are_too_long_are_cut)
{
    struct verdict verdict;
    assert_false(verdict_set(&verdict, REJECT_FAULT, "%0500d", 0));
    assert_int_equal(strlen(verdict.detail), sizeof verdict.detail - 1);
}
