/* chart.c - see chart.h */
#include "sim/report/chart.h"

#include <math.h>
#include <stdio.h>

struct series *chart_add(struct chart *chart, enum series_style style, const char *label,
                         unsigned color, unsigned weight)
{
    ASSERT(chart && label && color > 0 && weight > 0 && chart->n_series < CHART_SERIES_MAX);
    struct series *series = &chart->series[chart->n_series++];
    *series = (struct series){.style = style, .color = color, .weight = weight};
    snprintf(series->label, sizeof series->label, "%s", label);
    return series;
}

void series_add(struct series *series, double x, double y, double low)
{
    ASSERT(series && isfinite(x));
    ASSERT(series->points.n == 0 || series->points.at[series->points.n - 1].x <= x);
    *ARRAY_ADD(&series->points) = (struct series_point){.x = x, .y = y, .low = low};
}

/* What is not above 0 has no place on an axis of powers. */
static void grow(struct chart_axis *axis, double value)
{
    if (!isfinite(value) || (axis->is_log && value <= 0))
        return;
    bool is_first = axis->from == 0 && axis->to == 0 && (axis->is_log || axis->is_free);
    axis->from = is_first ? value : fmin(axis->from, value);
    axis->to = is_first ? value : fmax(axis->to, value);
}

void chart_fit(struct chart *chart)
{
    ASSERT(chart);
    for (size_t i = 0; i < chart->n_series; i++) {
        const struct series *series = &chart->series[i];
        bool has_low = series->style == SERIES_AREA || series->style == SERIES_BAND;
        for (size_t j = 0; j < series->points.n; j++) {
            grow(&chart->x, series->points.at[j].x);
            grow(&chart->y, series->points.at[j].y);
            if (has_low)
                grow(&chart->y, series->points.at[j].low);
        }
    }
}

/* One point for some neighbours. */
static struct series_point merge(enum series_style style, const struct series_point *points,
                                 size_t n)
{
    struct series_point sum = {.x = points[n - 1].x};
    double top = NAN;
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(points[i].y))
            continue;
        top = n_known == 0 ? points[i].y : fmax(top, points[i].y);
        sum.y += points[i].y;
        sum.low += points[i].low;
        n_known++;
    }
    if (n_known == 0 || style == SERIES_STEP || style == SERIES_DOTS)
        return (struct series_point){.x = sum.x, .y = top};
    sum.y /= (double)n_known;
    sum.low /= (double)n_known;
    return sum;
}

void series_thin(struct series *series, size_t n_max)
{
    ASSERT(series && n_max > 0);
    size_t n = series->points.n, group = (n + n_max - 1) / n_max, kept = 0;
    if (group <= 1)
        return;
    for (size_t i = 0; i < n; i += group)
        series->points.at[kept++] =
            merge(series->style, &series->points.at[i], MIN_OF(group, n - i));
    series->points.n = kept;
}

bool chart_is_empty(const struct chart *chart)
{
    ASSERT(chart);
    for (size_t i = 0; i < chart->n_series; i++)
        for (size_t j = 0; j < chart->series[i].points.n; j++)
            if (isfinite(chart->series[i].points.at[j].y))
                return false;
    return true;
}

void chart_free(struct chart *chart)
{
    ASSERT(chart);
    for (size_t i = 0; i < chart->n_series; i++)
        ARRAY_FREE(&chart->series[i].points);
    ARRAY_FREE(&chart->notes);
    ARRAY_FREE(&chart->marks);
    chart->n_series = 0;
}
