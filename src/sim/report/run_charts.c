/* run_charts.c - see run_charts.h */
#include "sim/report/run_charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/report/figures.h"

#define POINTS_MAX  160 /* of a line: more than can be told apart */
#define BLOCKS_MAX  120 /* points of propagation; of more blocks, medians of neighbours */
#define TYPES_SHOWN 6   /* messages with an area of their own */

static double seconds(int64_t us)
{
    return (double)us / 1e6;
}

/* "name" alone, or with the run's letter where there are two. */
static struct series *add_series(struct chart *chart, struct run_of of, enum series_style style,
                                 const char *name, unsigned weight)
{
    char label[CHART_LABEL_BYTES];
    snprintf(label, sizeof label, "%s%s%s", of.is_compared ? (of.index ? "B" : "A") : "",
             of.is_compared && *name ? " " : "", name);
    return chart_add(chart, style, label, 1 + of.index, weight);
}

/* -- Marks --------------------------------------------------------------------------------------
 */

static void add_marks(struct chart *chart, struct run_of of)
{
    const struct run *run = of.run;
    chart->x.to = fmax(chart->x.to, seconds(run->t_us));
    if (of.is_compared)
        return;
    for (size_t i = 0; i < run->partitions.n; i++)
        *ARRAY_ADD(&chart->marks) = (struct chart_mark){seconds(run->partitions.at[i].from_us),
                                                        seconds(run->partitions.at[i].to_us)};
    size_t step = run->attacks.n / POINTS_MAX + 1;
    for (size_t i = 0; i < run->attacks.n; i += step)
        *ARRAY_ADD(&chart->marks) =
            (struct chart_mark){seconds(run->attacks.at[i].t_us), seconds(run->attacks.at[i].t_us)};
}

/* -- Propagation --------------------------------------------------------------------------------
 */

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* The median of what so many blocks took; NAN if none got there. */
static double median_reach(const struct run *run, size_t first, size_t n, enum run_share share)
{
    double *times = xcalloc(n, sizeof *times);
    size_t n_known = 0;
    for (size_t i = first; i < first + n; i++) {
        int64_t us = run->blocks.at[i]->reach_us[share];
        if (us >= 0)
            times[n_known++] = fmax(seconds(us), 1e-3);
    }
    qsort(times, n_known, sizeof *times, compare_doubles);
    double median = n_known > 0 ? times[(n_known - 1) / 2] : NAN;
    xfree(times);
    return median;
}

static void fill_propagation(struct chart *chart, struct run_of of)
{
    static const char *const names[] = {"50 %", "90 %", "99 %"};
    const struct run *run = of.run;
    size_t group = (run->blocks.n + BLOCKS_MAX - 1) / BLOCKS_MAX;
    for (unsigned share = RUN_HALF; share <= RUN_P99; share++) {
        if (of.is_compared && share == RUN_P90)
            continue;
        struct series *series = add_series(chart, of, SERIES_LINE, names[share], share + 1);
        for (size_t i = 0; i < run->blocks.n; i += group) {
            size_t n = MIN_OF(group, run->blocks.n - i);
            double y = median_reach(run, i, n, (enum run_share)share);
            /* A stale block reaches few; it makes no gap. */
            if (isfinite(y))
                series_add(series, seconds(run->blocks.at[i + n - 1]->mined_us), y, 0);
        }
    }
    add_marks(chart, of);
    snprintf(
        chart->caption, sizeof chart->caption,
        "How long after it was mined a block had reached half, 90 %% and 99 %% of the honest nodes "
        "that were up%s. Blocks that never got so far, stale ones for the most part, have no "
        "point.",
        group > 1 ? " (medians of neighbouring blocks)" : "");
}

static void note_percentile(struct chart *chart, const struct run *run, unsigned percent)
{
    double y = percent, x = fmax(seconds(delays_percentile_us(&run->delays, percent)), 1e-3);
    struct chart_note note = {.x = x, .y = y};
    struct buffer text;
    buffer_init(&text);
    buffer_append_format(&text, "%u %%: ", percent);
    figure_text(&text, FIGURE_SECONDS, x);
    buffer_append(&text, "", 1);
    snprintf(note.text, sizeof note.text, "%s", (const char *)text.p);
    buffer_deinit(&text);
    *ARRAY_ADD(&chart->notes) = note;
}

static void fill_distribution(struct chart *chart, struct run_of of)
{
    struct delays_point points[POINTS_MAX];
    size_t n = delays_curve(&of.run->delays, points, POINTS_MAX);
    struct series *series = add_series(chart, of, SERIES_LINE, "", 1);
    for (size_t i = 0; i < n; i++)
        series_add(series, fmax(seconds(points[i].delay_us), 1e-3), 100 * points[i].share, 0);
    for (unsigned i = 0; n > 0 && !of.is_compared && i < 2; i++)
        note_percentile(chart, of.run, i == 0 ? 50 : 90);
    snprintf(
        chart->caption, sizeof chart->caption,
        "The share of all arrivals of blocks at nodes that took at most so long, counted from the "
        "moment the block was mined.");
}

/* -- Forks --------------------------------------------------------------------------------------
 */

static void fill_forks(struct chart *chart, struct run_of of)
{
    const struct run *run = of.run;
    struct series *tips = add_series(chart, of, SERIES_STEP, "tips", 2);
    series_add(tips, 0, 1, 0);
    for (size_t i = 0; i < run->samples.n; i++)
        series_add(tips, seconds(run->samples.at[i].t_us), run->samples.at[i].n_tips, 0);
    series_thin(tips, 2 * (size_t)POINTS_MAX);
    add_marks(chart, of);
    snprintf(chart->caption, sizeof chart->caption, "%sow many different tips the nodes had.%s",
             of.is_compared ? "H" : "The line: h",
             of.is_compared ? ""
                            : " Dots: branches that became stale, by the number of their blocks.");
    if (of.is_compared)
        return;
    struct series *dots = chart_add(chart, SERIES_DOTS, "stale branches, by blocks", 2, 2);
    for (size_t i = 0; i < run->blocks.n; i++) {
        uint32_t depth = stale_branch_blocks(run->blocks.at[i]);
        if (depth > 0)
            series_add(dots, seconds(run->blocks.at[i]->mined_us), depth, 0);
    }
    series_thin(dots, POINTS_MAX);
}

static void fill_stale(struct chart *chart, struct run_of of)
{
    const struct run *run = of.run;
    struct series *series = add_series(chart, of, SERIES_LINE, "", 1);
    size_t n_stale = 0;
    for (size_t i = 0; i < run->blocks.n; i++) {
        n_stale += !run->blocks.at[i]->is_main;
        series_add(series, seconds(run->blocks.at[i]->mined_us),
                   100 * (double)n_stale / (double)(i + 1), 0);
    }
    series_thin(series, POINTS_MAX);
    add_marks(chart, of);
    snprintf(
        chart->caption, sizeof chart->caption,
        "Of all blocks mined until then the share that is not in the winning chain in the end. "
        "Few blocks make it jump at the start.");
}

/* -- Traffic ------------------------------------------------------------------------------------
 */

/* Seconds since the sample before. */
static double sample_seconds(const struct run *run, size_t i)
{
    int64_t from_us = i > 0 ? run->samples.at[i - 1].t_us : 0;
    return fmax(seconds(run->samples.at[i].t_us - from_us), 1e-6);
}

/* Put on top of what is there: the areas' own sums are in height, a number for each sample. */
static void add_layer(struct chart *chart, const struct run *run, const double *bytes,
                      struct series *series, double *height)
{
    (void)chart;
    for (size_t i = 0; i < run->samples.n; i++) {
        double node_minutes = sample_seconds(run, i) / 60 * (double)MAX_OF(run->nodes.n, (size_t)1);
        double low = height[i];
        height[i] += bytes[i] / node_minutes;
        series_add(series, seconds(run->samples.at[i].t_us), height[i], low);
    }
    series_thin(series, POINTS_MAX);
}

/* The bytes of some types, sample by sample. */
static void sum_types(const struct run *run, const uint32_t *types, size_t n, double *bytes)
{
    for (size_t i = 0; i < run->samples.n; i++) {
        bytes[i] = 0;
        for (size_t j = 0; j < n; j++)
            bytes[i] += (double)run->samples.at[i].bytes[types[j]];
    }
}

static void fill_traffic(struct chart *chart, struct run_of of)
{
    const struct run *run = of.run;
    uint32_t order[RUN_TYPES_MAX];
    double totals[RUN_TYPES_MAX];
    size_t n = traffic_by_size(run, order, totals);
    size_t n_own = of.is_compared ? 0 : n > TYPES_SHOWN ? TYPES_SHOWN - 1 : n;
    double *bytes = xcalloc(run->samples.n + 1, sizeof *bytes);
    double *height = xcalloc(run->samples.n + 1, sizeof *height);
    for (size_t i = 0; i < n_own; i++) {
        sum_types(run, &order[i], 1, bytes);
        add_layer(
            chart, run, bytes,
            chart_add(chart, SERIES_AREA, names_get(&run->types, order[i]), 1 + (unsigned)i, 1),
            height);
    }
    if (n > n_own) {
        sum_types(run, order + n_own, n - n_own, bytes);
        struct series *rest = of.is_compared ? add_series(chart, of, SERIES_LINE, "", 1)
                                             : chart_add(chart, SERIES_AREA, "others", 6, 1);
        add_layer(chart, run, bytes, rest, height);
    }
    xfree(bytes);
    xfree(height);
    add_marks(chart, of);
    snprintf(chart->caption, sizeof chart->caption,
             "Bytes that a node received in a minute, mean of all nodes%s.",
             of.is_compared ? "" : ", by message, one upon the other");
}

/* -- Mempools -----------------------------------------------------------------------------------
 */

static void fill_mempool(struct chart *chart, struct run_of of)
{
    const struct run *run = of.run;
    struct series *band = add_series(chart, of, SERIES_BAND, "largest", 1);
    struct series *median = add_series(chart, of, SERIES_LINE, "median", 1);
    for (size_t i = 0; i < run->samples.n; i++) {
        const struct run_sample *sample = &run->samples.at[i];
        double t = seconds(sample->t_us);
        series_add(band, t, (double)sample->mempool[2], (double)sample->mempool[0]);
        series_add(median, t, (double)sample->mempool[1], 0);
    }
    series_thin(band, POINTS_MAX);
    series_thin(median, POINTS_MAX);
    add_marks(chart, of);
    snprintf(
        chart->caption, sizeof chart->caption,
        "Transactions that wait in a node's mempool: the median node, and from the emptiest to the "
        "fullest. Each block takes some out.");
}

static void fill_agreement(struct chart *chart, struct run_of of)
{
    const struct run *run = of.run;
    struct series *series = add_series(chart, of, SERIES_LINE, "", 1);
    for (size_t i = 0; i < run->samples.n; i++) {
        const struct run_sample *sample = &run->samples.at[i];
        series_add(series, seconds(sample->t_us),
                   sample->agreement_e6 < 0 ? NAN : sample->agreement_e6 / 10000.0, 0);
    }
    series_thin(series, POINTS_MAX);
    chart->y.to = 100;
    chart->y.from = chart->y.from > 0 ? chart->y.from : 100;
    add_marks(chart, of);
    snprintf(
        chart->caption, sizeof chart->caption,
        "Of the transactions that most nodes have, the share that a node has, mean of all nodes.");
}

/* -- Nodes --------------------------------------------------------------------------------------
 */

static void fill_up(struct chart *chart, struct run_of of)
{
    const struct run *run = of.run;
    if (run->n_downs == 0)
        return;
    struct series *series = add_series(chart, of, SERIES_STEP, "up", 1);
    for (size_t i = 0; i < run->samples.n; i++)
        series_add(series, seconds(run->samples.at[i].t_us), run->samples.at[i].n_up, 0);
    series_thin(series, 2 * (size_t)POINTS_MAX);
    add_marks(chart, of);
    snprintf(chart->caption, sizeof chart->caption, "Nodes that were running at each sample.");
}

/* -- The table ----------------------------------------------------------------------------------
 */

#define TIME_AXIS                                                                                  \
    {                                                                                              \
        .label = "time", .kind = FIGURE_SECONDS                                                    \
    }

static const struct {
    const char *id, *title;
    struct chart_axis x, y;
    void (*fill)(struct chart *chart, struct run_of of);
} charts[] = {
    {"propagation",
     "How fast blocks spread",
     TIME_AXIS,
     {.label = "after it was mined, log", .kind = FIGURE_SECONDS, .is_log = true},
     fill_propagation},
    {"distribution",
     "How long an arrival takes",
     {.label = "after it was mined", .kind = FIGURE_SECONDS, .is_log = true},
     {.label = "share of arrivals", .kind = FIGURE_PERCENT},
     fill_distribution},
    {"forks", "Forks", TIME_AXIS, {.label = "tips", .kind = FIGURE_COUNT}, fill_forks},
    {"stale",
     "Stale rate",
     TIME_AXIS,
     {.label = "of the blocks so far", .kind = FIGURE_PERCENT},
     fill_stale},
    {"traffic",
     "Traffic",
     TIME_AXIS,
     {.label = "bytes a node and minute", .kind = FIGURE_BYTES},
     fill_traffic},
    {"mempool",
     "Mempools",
     TIME_AXIS,
     {.label = "transactions", .kind = FIGURE_COUNT},
     fill_mempool},
    {"agreement",
     "Mempool agreement",
     TIME_AXIS,
     {.label = "shared with most nodes", .kind = FIGURE_PERCENT, .is_free = true},
     fill_agreement},
    {"up", "Nodes that are up", TIME_AXIS, {.label = "nodes", .kind = FIGURE_COUNT}, fill_up},
};

size_t run_charts_count(void)
{
    return COUNT_OF(charts);
}

void run_chart_begin(size_t number, struct chart *chart)
{
    ASSERT(number < COUNT_OF(charts) && chart);
    *chart = (struct chart){.id = charts[number].id,
                            .title = charts[number].title,
                            .x = charts[number].x,
                            .y = charts[number].y};
}

void run_chart_fill(size_t number, struct chart *chart, struct run_of of)
{
    ASSERT(number < COUNT_OF(charts) && chart && of.run && of.index < 2);
    charts[number].fill(chart, of);
}
