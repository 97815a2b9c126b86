/* chart_table.c - see chart_table.h */
#include "sim/report/chart_table.h"

#include <math.h>

#include "sim/report/svg.h"

static void add_value(struct buffer *out, enum figure_kind kind, double value)
{
    buffer_append_string(out, "<td>");
    if (isfinite(value))
        figure_text(out, kind, value);
    else
        buffer_append_string(out, "-");
    buffer_append_string(out, "</td>");
}

/* The same values of x? */
static bool go_together(const struct series *a, const struct series *b)
{
    if (a->points.n != b->points.n)
        return false;
    for (size_t i = 0; i < a->points.n; i++)
        if (a->points.at[i].x != b->points.at[i].x)
            return false;
    return true;
}

static void add_head(const struct chart *chart, size_t first, size_t end, struct buffer *out)
{
    buffer_append_string(out, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">");
    svg_escape(out, chart->x.label);
    buffer_append_string(out, "</th>");
    for (size_t i = first; i < end; i++) {
        buffer_append_string(out, "<th scope=\"col\">");
        svg_escape(out, chart->series[i].label[0] ? chart->series[i].label : chart->y.label);
        buffer_append_string(out, "</th>");
    }
    buffer_append_string(out, "</tr></thead><tbody>\n");
}

/* What an area or band has of its own. */
static double value_of(const struct series *series, size_t row)
{
    const struct series_point *point = &series->points.at[row];
    return series->style == SERIES_AREA ? point->y - point->low : point->y;
}

static void add_rows(const struct chart *chart, size_t first, size_t end, struct buffer *out)
{
    for (size_t row = 0; row < chart->series[first].points.n; row++) {
        buffer_append_string(out, "<tr><th scope=\"row\">");
        figure_text(out, chart->x.kind, chart->series[first].points.at[row].x);
        buffer_append_string(out, "</th>");
        for (size_t i = first; i < end; i++)
            add_value(out, chart->y.kind, value_of(&chart->series[i], row));
        buffer_append_string(out, "</tr>\n");
    }
    buffer_append_string(out, "</tbody></table></div>\n");
}

void chart_table(struct chart *chart, struct buffer *out)
{
    ASSERT(chart && out);
    for (size_t i = 0; i < chart->n_series; i++)
        series_thin(&chart->series[i], CHART_TABLE_ROWS_MAX);
    for (size_t first = 0, end; first < chart->n_series; first = end) {
        for (end = first + 1; end < chart->n_series; end++)
            if (!go_together(&chart->series[first], &chart->series[end]))
                break;
        if (chart->series[first].points.n == 0)
            continue;
        add_head(chart, first, end, out);
        add_rows(chart, first, end, out);
    }
}
