/* test_chart.c - series, their thinning, and axes that hold them. */
#include "sim/report/chart.h"

#include <math.h>

#include "support/unit.h"

TEST(axes_grow_by_the_points_from_nothing_or_from_the_first)
{
    struct chart chart = {.x = {.is_log = true}, .y = {.kind = FIGURE_COUNT}};
    assert_true(chart_is_empty(&chart));
    struct series *series = chart_add(&chart, SERIES_LINE, "a", 1, 1);
    series_add(series, 0, 5, 0); /* 0 has no place on an axis of powers */
    series_add(series, 10, NAN, 0);
    series_add(series, 20, 3, 0);
    chart_fit(&chart);
    assert_false(chart_is_empty(&chart));
    assert_true(chart.x.from == 10 && chart.x.to == 20);
    assert_true(chart.y.from == 0 && chart.y.to == 5);
    chart_free(&chart);
    assert_int_equal(chart.n_series, 0);
}

TEST(a_free_axis_begins_at_its_least_value)
{
    struct chart chart = {.y = {.is_free = true}};
    struct series *series = chart_add(&chart, SERIES_BAND, "a", 1, 1);
    series_add(series, 0, 9, 7);
    series_add(series, 1, 8, 6);
    chart_fit(&chart);
    assert_true(chart.y.from == 6 && chart.y.to == 9);
    chart_free(&chart);
}

TEST(thinning_takes_means_of_lines_and_tops_of_steps)
{
    struct chart chart = {0};
    struct series *line = chart_add(&chart, SERIES_LINE, "a", 1, 1);
    struct series *step = chart_add(&chart, SERIES_STEP, "b", 1, 1);
    for (int i = 0; i < 7; i++) {
        series_add(line, i, i == 1 ? (double)NAN : i, 0);
        series_add(step, i, i % 3, 0);
    }
    series_thin(line, 7);
    assert_int_equal(line->points.n, 7);
    series_thin(line, 6);
    assert_int_equal(line->points.n, 4);
    assert_true(line->points.at[0].y == 0 && line->points.at[0].x == 1);
    assert_true(line->points.at[1].y == 2.5 && line->points.at[3].y == 6);
    series_thin(step, 3);
    assert_int_equal(step->points.n, 3);
    assert_true(step->points.at[0].y == 2 && step->points.at[0].x == 2);
    chart_free(&chart);
}

TEST(all_gaps_are_nothing_to_see)
{
    struct chart chart = {0};
    struct series *line = chart_add(&chart, SERIES_LINE, "a", 1, 1);
    series_add(line, 0, NAN, 0);
    series_add(line, 0, NAN, 0);
    series_thin(line, 1);
    assert_int_equal(line->points.n, 1);
    assert_true(chart_is_empty(&chart));
    chart_free(&chart);
}
