/* test_script_error.c - every error has its own name and a message. */
#include "consensus/script_error.h"
#include "support/script_names.h"
#include "support/unit.h"

TEST(messages_are_the_ones_wallets_know)
{
    assert_string_equal(script_error_string(SCRIPT_OK), "No error");
    assert_string_equal(script_error_string(SCRIPT_ERR_SIG_NULLFAIL),
                        "Signature must be zero for failed CHECK(MULTI)SIG operation");
    assert_string_equal(script_error_string(SCRIPT_ERR_SIG_FINDANDDELETE),
                        "Signature is found in scriptCode");
}

TEST(numbers_are_the_ones_of_core)
{
    assert_int_equal(SCRIPT_ERR_SCRIPTNUM, 4);
    assert_int_equal(SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS, 33);
    assert_int_equal(SCRIPT_ERR_SCHNORR_SIG_SIZE, 45);
    assert_int_equal(SCRIPT_ERR_SIG_FINDANDDELETE, 54);
    assert_int_equal(SCRIPT_ERROR_COUNT, 55);
}

TEST(names_are_unique_and_not_empty)
{
    for (int i = 0; i < SCRIPT_ERROR_COUNT; i++) {
        const char *name = script_error_name((enum script_error)i);
        assert_true(strlen(name) > 0 && strlen(script_error_string((enum script_error)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, script_error_name((enum script_error)j));
    }
}
