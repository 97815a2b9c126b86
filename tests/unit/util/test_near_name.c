/* test_near_name.c - names that were meant by others. */
#include "support/unit.h"
#include "util/assert.h"
#include "util/near_name.h"

TEST(distances_count_single_changes)
{
    static const struct {
        const char *a, *b;
        size_t want;
    } rows[] = {{"", "", 0},          {"a", "", 1},
                {"", "ab", 2},        {"abc", "abc", 0},
                {"abc", "abd", 1},    {"abc", "ac", 1},
                {"ab", "ba", 2},      {"abc", "xyz", 3},
                {"seed", "seeds", 1}, {"kitten", "sitting", 3}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(near_name_distance(rows[i].a, rows[i].b), rows[i].want);
        assert_int_equal(near_name_distance(rows[i].b, rows[i].a), rows[i].want);
    }
}

TEST(long_names_are_near_to_none)
{
    char a[NEAR_NAME_BYTES_MAX + 2], b[NEAR_NAME_BYTES_MAX + 2];
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    a[NEAR_NAME_BYTES_MAX] = b[NEAR_NAME_BYTES_MAX] = '\0';
    assert_true(near_name_is_near(a, b));
    a[NEAR_NAME_BYTES_MAX] = 'a';
    a[NEAR_NAME_BYTES_MAX + 1] = '\0';
    assert_int_equal(near_name_distance(a, b), NEAR_NAME_BYTES_MAX + 1);
    assert_false(near_name_is_near(a, b));
}

TEST(a_third_of_a_name_may_be_wrong)
{
    assert_true(near_name_is_near("seed", "seeds"));
    assert_true(near_name_is_near("subsedi", "subsidy"));
    assert_false(near_name_is_near("subseda", "submitt"));
    assert_false(near_name_is_near("hr", "hrp2"));
    assert_true(near_name_is_near("hpr", "hrpr"));
}
