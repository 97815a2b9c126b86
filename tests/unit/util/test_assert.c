/* test_assert.c - assertions stop the program where a condition is false, and only there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/assert.h"

static void check(int condition)
{
    ASSERT(condition);
}

static void a_true_condition_passes(void **state)
{
    (void)state;
    int evaluated = 0;
    ASSERT(++evaluated == 1);
    assert_int_equal(evaluated, 1);
}

static void a_false_condition_stops(void **state)
{
    (void)state;
    expect_assert_failure(check(0));
    check(1);
}

static void count_of_counts_elements(void **state)
{
    (void)state;
    static const uint32_t five[5] = {0};
    assert_int_equal(COUNT_OF(five), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_condition_passes),
        cmocka_unit_test(a_false_condition_stops),
        cmocka_unit_test(count_of_counts_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
