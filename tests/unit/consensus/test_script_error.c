/* test_script_error.c - every error has its own name and a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "consensus/script_error.h"

static void messages_are_the_ones_wallets_know(void **state)
{
    (void)state;
    assert_string_equal(script_error_string(SCRIPT_OK), "No error");
    assert_string_equal(script_error_string(SCRIPT_ERR_SIG_NULLFAIL),
                        "Signature must be zero for failed CHECK(MULTI)SIG operation");
    assert_string_equal(script_error_string(SCRIPT_ERR_SIG_FINDANDDELETE),
                        "Signature is found in scriptCode");
}

static void numbers_are_the_ones_of_core(void **state)
{
    (void)state;
    assert_int_equal(SCRIPT_ERR_SCRIPTNUM, 4);
    assert_int_equal(SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS, 33);
    assert_int_equal(SCRIPT_ERR_SCHNORR_SIG_SIZE, 45);
    assert_int_equal(SCRIPT_ERR_SIG_FINDANDDELETE, 54);
    assert_int_equal(SCRIPT_ERROR_COUNT, 55);
}

static void names_are_unique_and_not_empty(void **state)
{
    (void)state;
    for (int i = 0; i < SCRIPT_ERROR_COUNT; i++) {
        const char *name = script_error_name((enum script_error)i);
        assert_true(strlen(name) > 0 && strlen(script_error_string((enum script_error)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, script_error_name((enum script_error)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_the_ones_wallets_know),
        cmocka_unit_test(numbers_are_the_ones_of_core),
        cmocka_unit_test(names_are_unique_and_not_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
