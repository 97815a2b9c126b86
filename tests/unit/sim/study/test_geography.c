/* test_geography.c - ways between cities are about as long as they are. */
#include "sim/study/geography.h"
#include "support/unit.h"
#include "util/assert.h"

static int64_t way_us(const char *from, const char *to)
{
    return geography_latency_us((size_t)geography_find(from), (size_t)geography_find(to));
}

TEST(ways_follow_the_distance_and_are_the_same_both_ways)
{
    assert_in_range(way_us("Frankfurt", "New York"), 40000, 50000);
    assert_in_range(way_us("London", "Sydney"), 110000, 130000);
    assert_int_equal(way_us("Tokyo", "Tokyo"), 2000);
    for (size_t a = 0; a < geography_count(); a++)
        for (size_t b = 0; b < geography_count(); b++) {
            assert_int_equal(geography_latency_us(a, b), geography_latency_us(b, a));
            assert_int_equal(geography_latency_us(a, b) % 100, 0);
            assert_true(geography_latency_us(a, b) < 150000);
        }
    assert_int_equal(geography_find("Atlantis"), -1);
}

TEST(a_city_is_drawn_as_often_as_its_share_says)
{
    uint64_t total = 0;
    unsigned n[64] = {0};
    for (size_t i = 0; i < geography_count(); i++)
        total += geography_city(i)->share;
    for (uint64_t i = 0; i < total; i++)
        n[geography_draw(i)]++;
    for (size_t i = 0; i < geography_count(); i++)
        assert_int_equal(n[i], geography_city(i)->share);
}
