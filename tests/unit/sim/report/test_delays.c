/* test_delays.c - percentiles of delays, exact where they can be, near elsewhere. */
#include "sim/report/delays.h"
#include "support/unit.h"
#include "util/alloc.h"

TEST(percentiles_are_those_of_the_nearest_rank)
{
    struct delays *delays = xcalloc(1, sizeof *delays);
    assert_int_equal(delays_percentile_us(delays, 50), 0);
    /* 10 ms, 20 ms, ... 1 s. */
    for (int i = 100; i >= 1; i--)
        delays_add(delays, i * 10000);
    assert_int_equal(delays->n, 100);
    assert_int_equal(delays_percentile_us(delays, 1), 10000);
    assert_int_equal(delays_percentile_us(delays, 50), 500000);
    assert_int_equal(delays_percentile_us(delays, 90), 900000);
    assert_int_equal(delays_percentile_us(delays, 99), 990000);
    assert_int_equal(delays_percentile_us(delays, 100), 1000000);
    xfree(delays);
}

TEST(a_percentile_is_never_off_by_a_thousandth)
{
    for (int64_t us = 1; us <= DELAY_US_MAX / 7; us *= 7) {
        struct delays *delays = xcalloc(1, sizeof *delays);
        delays_add(delays, us);
        delays_add(delays, us + us / 1500);
        int64_t median = delays_percentile_us(delays, 50);
        assert_true(median >= us && median <= us + us / 1000);
        assert_int_equal(delays_percentile_us(delays, 100), us + us / 1500);
        xfree(delays);
    }
}

TEST(what_is_too_long_counts_as_the_longest)
{
    struct delays *delays = xcalloc(1, sizeof *delays);
    delays_add(delays, DELAY_US_MAX);
    delays_add(delays, INT64_MAX);
    delays_add(delays, 0);
    assert_int_equal(delays_percentile_us(delays, 100), DELAY_US_MAX);
    assert_int_equal(delays_percentile_us(delays, 99), DELAY_US_MAX);
    assert_int_equal(delays_percentile_us(delays, 1), 0);
    xfree(delays);
}

TEST(the_curve_rises_from_the_first_to_the_last)
{
    struct delays *delays = xcalloc(1, sizeof *delays);
    struct delays_point points[20];
    assert_int_equal(delays_curve(delays, points, 20), 0);
    for (int i = 1; i <= 1000; i++)
        delays_add(delays, i * 100);
    size_t n = delays_curve(delays, points, 20);
    assert_in_range(n, 10, 20);
    for (size_t i = 1; i < n; i++)
        assert_true(points[i].delay_us > points[i - 1].delay_us &&
                    points[i].share > points[i - 1].share);
    assert_int_equal(points[n - 1].delay_us, 100000);
    assert_true(points[n - 1].share == 1);
    /* Half of them by half of the way. */
    for (size_t i = 0; i < n; i++)
        assert_true(points[i].delay_us <= 51000 || points[i].share > 0.5);
    xfree(delays);
}
