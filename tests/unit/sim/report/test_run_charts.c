/* test_run_charts.c - the diagrams of a run show what it was. */
#include "sim/report/run_charts.h"
#include "support/sim_trace.h"
#include "support/unit.h"

/* The number of the diagram with that id. */
static size_t number_of(const char *id)
{
    for (size_t i = 0; i < run_charts_count(); i++) {
        struct chart chart;
        run_chart_begin(i, &chart);
        if (strcmp(chart.id, id) == 0)
            return i;
    }
    fail_msg("no %s", id);
    return 0;
}

static void fill(const char *id, const struct run *run, struct chart *chart)
{
    run_chart_begin(number_of(id), chart);
    run_chart_fill(number_of(id), chart, (struct run_of){run, 0, false});
}

TEST(blocks_that_reached_so_many_have_points)
{
    struct run *run = sim_trace_sample(1);
    struct chart chart;
    fill("propagation", run, &chart);
    assert_int_equal(chart.n_series, 3);
    assert_string_equal(chart.series[0].label, "50 %");
    /* The stale block has none. */
    assert_int_equal(chart.series[0].points.n, 2);
    assert_true(chart.series[0].points.at[0].x == 10 && chart.series[0].points.at[0].y == 0.2);
    assert_int_equal(chart.marks.n, 2);
    assert_true(chart.marks.at[0].from == 70 && chart.marks.at[0].to == 130);
    assert_true(chart.marks.at[1].from == 121 && chart.marks.at[1].to == 121);
    chart_free(&chart);
    run_free(run);
}

TEST(forks_and_stale_blocks_are_seen)
{
    struct run *run = sim_trace_sample(1);
    struct chart chart;
    fill("forks", run, &chart);
    assert_int_equal(chart.n_series, 2);
    assert_int_equal(chart.series[0].points.n, 4);
    assert_true(chart.series[0].points.at[1].y == 2 && chart.series[0].points.at[2].y == 1);
    assert_int_equal(chart.series[1].points.n, 1);
    assert_true(chart.series[1].points.at[0].x == 81 && chart.series[1].points.at[0].y == 1);
    chart_free(&chart);
    fill("stale", run, &chart);
    assert_true(chart.series[0].points.at[2].y > 33.3 && chart.series[0].points.at[2].y < 33.4);
    chart_free(&chart);
    run_free(run);
}

TEST(traffic_is_stacked_by_message)
{
    struct run *run = sim_trace_sample(1);
    struct chart chart;
    fill("traffic", run, &chart);
    assert_int_equal(chart.n_series, 3);
    assert_string_equal(chart.series[0].label, "block");
    assert_string_equal(chart.series[1].label, "tx");
    /* 1,000 bytes in a minute of six nodes, and 400 of tx upon it. */
    const struct series_point *block = &chart.series[0].points.at[0];
    const struct series_point *tx = &chart.series[1].points.at[0];
    assert_true(block->low == 0 && block->y > 166.6 && block->y < 166.7);
    assert_true(tx->low == block->y && tx->y > 233.3 && tx->y < 233.4);
    chart_free(&chart);
    run_free(run);
}

TEST(two_runs_share_a_diagram_in_two_colours)
{
    struct run *a = sim_trace_sample(1), *b = sim_trace_sample(9);
    for (size_t i = 0; i < run_charts_count(); i++) {
        struct chart chart;
        run_chart_begin(i, &chart);
        run_chart_fill(i, &chart, (struct run_of){a, 0, true});
        size_t n = chart.n_series;
        run_chart_fill(i, &chart, (struct run_of){b, 1, true});
        assert_int_equal(chart.n_series, 2 * n);
        for (size_t j = 0; j < 2 * n; j++) {
            assert_int_equal(chart.series[j].color, j < n ? 1 : 2);
            assert_int_equal(chart.series[j].label[0], j < n ? 'A' : 'B');
        }
        chart_free(&chart);
    }
    run_free(a);
    run_free(b);
}

TEST(a_run_of_nothing_leaves_diagrams_empty)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    struct run *run = sim_trace_read(&trace);
    for (size_t i = 0; i < run_charts_count(); i++) {
        struct chart chart;
        run_chart_begin(i, &chart);
        run_chart_fill(i, &chart, (struct run_of){run, 0, false});
        assert_true(chart_is_empty(&chart) || strcmp(chart.id, "forks") == 0);
        chart_free(&chart);
    }
    run_free(run);
}
