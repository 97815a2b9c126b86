/* test_names.c - names get numbers, up to their limits. */
#include "sim/report/names.h"
#include "support/unit.h"

TEST(a_name_keeps_its_number)
{
    struct names names = {0};
    uint32_t a = 9, b = 9, again = 9;
    assert_true(names_add(&names, span_of_string("inv"), 2, &a));
    assert_true(names_add(&names, span_of_string("tx"), 2, &b));
    assert_true(names_add(&names, span_of_string("inv"), 2, &again));
    assert_int_equal(a, 0);
    assert_int_equal(b, 1);
    assert_int_equal(again, 0);
    assert_string_equal(names_get(&names, 1), "tx");
    names_free(&names);
    assert_int_equal(names.list.n, 0);
}

TEST(there_is_no_room_beyond_the_limits)
{
    struct names names = {0};
    uint32_t index = 9;
    char name[NAME_BYTES_MAX + 1];
    memset(name, 'x', sizeof name);
    assert_true(names_add(&names, span_of(name, NAME_BYTES_MAX), 1, &index));
    assert_int_equal(index, 0);
    index = 9;
    assert_false(names_add(&names, span_of_string("y"), 1, &index));
    assert_false(names_add(&names, span_of(name, NAME_BYTES_MAX + 1), 5, &index));
    assert_false(names_add(&names, span_of_string(""), 5, &index));
    assert_int_equal(index, 9);
    names_free(&names);
}
