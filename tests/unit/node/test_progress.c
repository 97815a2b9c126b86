/* test_progress.c - rates and the line that shows them. */
#include "node/progress.h"
#include "support/unit.h"

#define SECOND INT64_C(1000000)

TEST(nothing_is_known_at_first)
{
    struct progress p = {0};
    char line[PROGRESS_LINE_BYTES];
    assert_true(progress_blocks_per_s(&p) < 0.001);
    assert_int_equal(progress_seconds_left(&p), -1);
    assert_string_equal(progress_format(&p, 0, line), "height 0  1970-01-01  0.0%  0.0 blocks/s");
    progress_add(&p, 5 * SECOND, 100, 0.1);
    assert_true(progress_blocks_per_s(&p) < 0.001);
    assert_int_equal(progress_seconds_left(&p), -1);
}

TEST(rates_are_over_the_samples_kept)
{
    struct progress p = {0};
    for (int i = 0; i <= 10; i++)
        progress_add(&p, i * SECOND, 100 * i, 0.01 * i);
    assert_int_equal((int)(progress_blocks_per_s(&p) + 0.5), 100);
    /* 90% are left at 1% a second. */
    int64_t left_s = progress_seconds_left(&p);
    assert_true(left_s >= 89 && left_s <= 90);
}

TEST(old_samples_are_forgotten)
{
    struct progress p = {0};
    /* Slow for a long time, then fast for longer than the ring spans. */
    for (int i = 0; i < 100; i++)
        progress_add(&p, i * SECOND, i, 0);
    for (int i = 0; i < 2 * PROGRESS_SAMPLES; i++)
        progress_add(&p, (100 + i) * SECOND, 100 + 50 * i, 0);
    assert_int_equal((int)(progress_blocks_per_s(&p) + 0.5), 50);
}

/* A block every millisecond must not push the half minute out of the ring. */
TEST(many_samples_in_a_second_count_as_one)
{
    struct progress p = {0};
    for (int i = 0; i <= 10000; i++)
        progress_add(&p, i * SECOND / 1000, i, (double)i / 20000);
    assert_int_equal((int)(progress_blocks_per_s(&p) + 0.5), 1000);
    assert_true(p.n >= 10 && p.n <= 12);
    int64_t left_s = progress_seconds_left(&p);
    assert_true(left_s >= 9 && left_s <= 10);
}

TEST(a_reorganisation_or_a_standstill_has_no_rate)
{
    struct progress p = {0};
    progress_add(&p, 0, 100, 0.5);
    progress_add(&p, SECOND, 99, 0.4);
    assert_true(progress_blocks_per_s(&p) < 0.001);
    assert_int_equal(progress_seconds_left(&p), -1);
    progress_add(&p, SECOND, 100, 1);
    assert_int_equal(progress_seconds_left(&p), -1);
}

/* As when a file is imported and nothing follows: looked at now and then, the rate must not fade
 * for minutes, with a time left that grows. */
TEST(what_was_more_than_half_a_minute_ago_has_no_rate)
{
    struct progress p = {0};
    progress_add(&p, 0, 0, 0);
    progress_add(&p, 2 * SECOND, 255, 0.1);
    for (int i = 2; i <= 15; i++)
        progress_add(&p, 2 * i * SECOND, 255, 0.1);
    assert_true(progress_blocks_per_s(&p) > 8);
    assert_true(progress_seconds_left(&p) > 0);
    progress_add(&p, 32 * SECOND, 255, 0.1);
    progress_add(&p, 34 * SECOND, 255, 0.1);
    assert_true(progress_blocks_per_s(&p) < 0.001);
    assert_int_equal(progress_seconds_left(&p), -1);
    /* However long a single step took, it has a rate. */
    progress_add(&p, 134 * SECOND, 355, 0.2);
    assert_int_equal((int)(progress_blocks_per_s(&p) + 0.5), 1);
}

TEST(the_line_tells_height_date_percent_rate_and_time_left)
{
    static const struct {
        double part; /* done after ten seconds, from nothing */
        const char *want;
    } rows[] = {
        {0.2, "height 5000  2010-12-29  20.0%  500 blocks/s  40 s left"},
        {0.01, "height 5000  2010-12-29  1.0%  500 blocks/s  17 min left"},
        {0.001, "height 5000  2010-12-29  0.1%  500 blocks/s  2 h 46 min left"},
        {0.00001, "height 5000  2010-12-29  0.0%  500 blocks/s  12 days left"},
        {1, "height 5000  2010-12-29  100.00%  500 blocks/s"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct progress p = {0};
        char line[PROGRESS_LINE_BYTES];
        progress_add(&p, 0, 0, 0);
        progress_add(&p, 10 * SECOND, 5000, rows[i].part);
        assert_string_equal(progress_format(&p, 1293623863, line), rows[i].want);
    }
}

TEST(traffic_is_told_in_units_that_people_read)
{
    char line[PROGRESS_LINE_BYTES];
    /* clang-format off */
    static const struct { struct traffic before, now; const char *want; } rows[] = {
        {{0, 0, 0, 0},  {0, 1, 5, 5},                      "1 peer"},
        {{0, 0, 0, 0},  {2 * SECOND, 0, 0, 0},             "0 peers  down 0 B/s  up 0 B/s"},
        {{SECOND, 1, 100, 0}, {2 * SECOND, 8, 1099, 1000}, "8 peers  down 999 B/s  up 1.0 kB/s"},
        {{0, 1, 0, 0},  {SECOND, 2, 999499, 1234567},      "2 peers  down 999.5 kB/s  up 1.2 MB/s"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(progress_format_traffic(&rows[i].before, &rows[i].now, line),
                            rows[i].want);
}
