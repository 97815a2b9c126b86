/* test_assert.c - assertions stop the program where a condition is false, and only there. */
#include "support/unit.h"
#include "util/assert.h"

static void check(int condition)
{
    ASSERT(condition);
}

TEST(a_true_condition_passes)
{
    int evaluated = 0;
    ASSERT(++evaluated == 1);
    assert_int_equal(evaluated, 1);
}

TEST(a_false_condition_stops)
{
    expect_assert_failure(check(0));
    check(1);
}

TEST(count_of_counts_elements)
{
    static const uint32_t five[5] = {0};
    assert_int_equal(COUNT_OF(five), 5);
}
