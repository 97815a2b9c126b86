/* test_array.c - growth, gaps and bounds of arrays. */
#include "support/unit.h"
#include "util/array.h"

TEST(added_elements_stay_whatever_the_growth)
{
    ARRAY(uint32_t) array = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        *ARRAY_ADD(&array) = 7 * i;
        assert_int_equal(array.n, i + 1);
        assert_true(array.capacity >= array.n && array.capacity <= 2 * array.n + 8);
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(array.at[i], 7 * i);
    ARRAY_FREE(&array);
    assert_true(!array.at && array.n == 0 && array.capacity == 0);
}

TEST(reserved_room_is_there_at_once)
{
    ARRAY(uint64_t) array = {0};
    ARRAY_RESERVE(&array, 0);
    assert_non_null(array.at);
    ARRAY_RESERVE(&array, 100);
    assert_int_equal(array.n, 0);
    assert_int_equal(array.capacity, 100);
    const uint64_t *at = array.at;
    for (uint64_t i = 0; i < 100; i++)
        *ARRAY_ADD(&array) = i;
    assert_ptr_equal(array.at, at);
    *ARRAY_ADD(&array) = 100;
    assert_int_equal(array.capacity, 200);
    assert_int_equal(array.at[100], 100);
    ARRAY_FREE(&array);
}

TEST(a_gap_is_closed_in_order_or_with_the_last)
{
    ARRAY(char) array = {0};
    for (char c = 'a'; c <= 'f'; c++)
        *ARRAY_ADD(&array) = c;
    ARRAY_REMOVE(&array, 1);
    assert_int_equal(array.n, 5);
    assert_memory_equal(array.at, "acdef", 5);
    ARRAY_REMOVE(&array, 4);
    assert_int_equal(array.n, 4);
    assert_memory_equal(array.at, "acde", 4);
    ARRAY_REMOVE_UNORDERED(&array, 0);
    assert_int_equal(array.n, 3);
    assert_memory_equal(array.at, "ecd", 3);
    expect_assert_failure(ARRAY_REMOVE(&array, 3));
    ARRAY_FREE(&array);
}

TEST(a_number_of_elements_that_wraps_is_a_bug)
{
    size_t capacity = 0;
    const char *volatile at = NULL; /* a failed assertion jumps */
    expect_assert_failure(at = array_reserve(NULL, 0, &capacity, SIZE_MAX / 2, 1));
    expect_assert_failure(at = array_reserve(NULL, 1, &capacity, 1, 1));
    assert_null(at);
}
