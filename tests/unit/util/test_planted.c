/* test_planted.c - names of what can be planted. */
#include "util/planted.h"

#include "support/unit.h"

#ifdef CAIRN_PLANT

TEST(nothing_is_planted_without_a_name)
{
    assert_int_equal(planted_find(NULL), PLANT_NONE);
    assert_int_equal(planted_find(""), PLANT_NONE);
    assert_int_equal(planted_find("NO_SUCH_BUG"), -1);
}

TEST(each_is_found_by_its_name)
{
    const struct env sound = {.planted = PLANT_NONE}, other = {.planted = PLANT_NO_MARKER};
#define X(name, what) assert_int_equal(planted_find(#name), PLANT_##name);
    PLANTED_BUGS(X)
    PLANTED_WEAKNESSES(X)
#undef X
    assert_false(PLANTED(&sound, NO_MARKER) || PLANTED(&other, STALE_READ));
    assert_true(PLANTED(&other, NO_MARKER));
}

#else

TEST(nothing_can_be_planted_in_a_release)
{
    const struct env env = {0};
    assert_false(PLANTED(&env, NO_MARKER));
}

#endif
