/* chart_draw.c - see chart_draw.h */
#include "sim/report/chart_draw.h"

#include <math.h>
#include <stdio.h>

#include "sim/report/chart_axis.h"
#include "sim/report/report_style.h"
#include "sim/report/svg.h"

/* Tenths of a pixel. Text is larger on a telephone: there is room for it. */
enum {
    LEFT = 620,
    TOP = 300,
    TITLE = 260,
    BOTTOM = 300,
    LABEL_LINE = 170, /* the larger letters of a narrow screen */
    LETTER = 94,
    RIGHT_MIN = 160,
    RIGHT_MAX = 1180,
    TICKS_X = 6,
    TICKS_Y = 6,
    TICK = 50,
    DOT = 32
};

struct canvas {
    const struct chart *chart;
    struct buffer *out;
    struct scale x, y;
    int left, right, top, bottom;
};

static struct svg_point place(const struct canvas *c, double x, double y)
{
    return (struct svg_point){scale_at(&c->x, x), scale_at(&c->y, y)};
}

static struct svg_point at(int x, int y)
{
    return (struct svg_point){x, y};
}

static bool is_filled(const struct series *series)
{
    return series->style == SERIES_AREA || series->style == SERIES_BAND;
}

static bool is_labelled(const struct series *series)
{
    return series->style != SERIES_BAND && series->style != SERIES_DOTS && series->points.n > 0 &&
           series->label[0] != 0;
}

/* -- Axes ---------------------------------------------------------------------------------------
 */

static void draw_tick(struct canvas *c, struct svg_point where, const char *class,
                      const struct chart_axis *axis, double value)
{
    struct buffer text;
    buffer_init(&text);
    double largest = axis->is_log && axis->kind == FIGURE_SECONDS ? fmin(value, 100) : axis->to;
    axis_text(&text, axis->kind, value, largest);
    buffer_append(&text, "", 1);
    svg_text(c->out, where, class, (const char *)text.p);
    buffer_deinit(&text);
}

static void draw_x_axis(struct canvas *c)
{
    double ticks[AXIS_TICKS_MAX];
    size_t n = scale_ticks(&c->x, c->chart->x.kind, TICKS_X, ticks);
    for (size_t i = 0; i < n; i++) {
        int x = scale_at(&c->x, ticks[i]);
        svg_line(c->out, at(x, c->bottom), at(x, c->bottom + TICK), "x");
        draw_tick(c, at(x, c->bottom + 190), "a m", &c->chart->x, ticks[i]);
    }
    svg_line(c->out, at(c->left, c->bottom), at(c->right, c->bottom), "x");
}

static void draw_y_axis(struct canvas *c)
{
    double ticks[AXIS_TICKS_MAX];
    size_t n = scale_ticks(&c->y, c->chart->y.kind, TICKS_Y, ticks);
    for (size_t i = 0; i < n; i++) {
        int y = scale_at(&c->y, ticks[i]);
        svg_line(c->out, at(c->left, y), at(c->right, y), "g");
        draw_tick(c, at(c->left - 70, y + 45), "a e", &c->chart->y, ticks[i]);
    }
    svg_text(c->out, at(0, c->top - 140), "a", c->chart->y.label);
}

static void draw_marks(struct canvas *c)
{
    for (size_t i = 0; i < c->chart->marks.n; i++) {
        const struct chart_mark *mark = &c->chart->marks.at[i];
        int from = scale_at(&c->x, mark->from), to = scale_at(&c->x, mark->to);
        if (mark->to > mark->from)
            svg_rect(c->out, at(from, c->top), at(to, c->bottom), "p");
        else
            svg_line(c->out, at(from, c->bottom - 70), at(from, c->bottom), "k");
    }
}

/* -- Series -------------------------------------------------------------------------------------
 */

static void draw_line(struct canvas *c, const struct series *series)
{
    char class[32];
    snprintf(class, sizeof class, "c%u w%u", series->color, series->weight);
    svg_path_begin(c->out, class);
    bool is_on = false;
    struct svg_point last = {0};
    for (size_t i = 0; i < series->points.n; i++) {
        const struct series_point *point = &series->points.at[i];
        if (!isfinite(point->y)) {
            is_on = false;
            continue;
        }
        struct svg_point here = place(c, point->x, point->y);
        if (is_on && series->style == SERIES_STEP)
            svg_path_to(c->out, 'L', at(here.x, last.y));
        svg_path_to(c->out, is_on ? 'L' : 'M', here);
        is_on = true;
        last = here;
    }
    svg_path_end(c->out, false);
}

static void draw_area(struct canvas *c, const struct series *series)
{
    char class[32];
    snprintf(class, sizeof class, "f%u %s", series->color,
             series->style == SERIES_AREA ? "area" : "band");
    svg_path_begin(c->out, class);
    size_t n = series->points.n;
    for (size_t i = 0; i < n; i++)
        svg_path_to(c->out, i == 0 ? 'M' : 'L',
                    place(c, series->points.at[i].x, series->points.at[i].y));
    for (size_t i = n; i-- > 0;)
        svg_path_to(c->out, 'L', place(c, series->points.at[i].x, series->points.at[i].low));
    svg_path_end(c->out, true);
}

static void draw_dots(struct canvas *c, const struct series *series)
{
    char line[32], dot[32];
    snprintf(line, sizeof line, "c%u w2", series->color);
    snprintf(dot, sizeof dot, "f%u", series->color);
    for (size_t i = 0; i < series->points.n; i++) {
        struct svg_point here = place(c, series->points.at[i].x, series->points.at[i].y);
        svg_line(c->out, here, at(here.x, c->bottom), line);
        svg_circle(c->out, here, DOT, dot, NULL);
    }
}

static void draw_series(struct canvas *c, const struct series *series)
{
    if (series->points.n == 0)
        return;
    if (is_filled(series))
        draw_area(c, series);
    else if (series->style == SERIES_DOTS)
        draw_dots(c, series);
    else
        draw_line(c, series);
}

/* -- Names at the ends of lines -----------------------------------------------------------------
 */

struct label {
    const struct series *series;
    int y;
};

/* Where a series ends; the middle of an area. */
static int end_of(const struct canvas *c, const struct series *series)
{
    const struct series_point *point = NULL;
    for (size_t i = series->points.n; i-- > 0 && !point;)
        if (isfinite(series->points.at[i].y))
            point = &series->points.at[i];
    if (!point)
        return c->bottom;
    int y = scale_at(&c->y, point->y);
    return series->style == SERIES_AREA ? (y + scale_at(&c->y, point->low)) / 2 : y;
}

/* From the top; two that would touch are pushed apart, down first and then back up. */
static size_t place_labels(const struct canvas *c, struct label *labels)
{
    size_t n = 0;
    for (size_t i = 0; i < c->chart->n_series; i++) {
        const struct series *series = &c->chart->series[i];
        if (!is_labelled(series))
            continue;
        struct label label = {series, end_of(c, series)};
        size_t j = n++;
        for (; j > 0 && labels[j - 1].y > label.y; j--)
            labels[j] = labels[j - 1];
        labels[j] = label;
    }
    for (size_t i = 1; i < n; i++)
        labels[i].y = MAX_OF(labels[i].y, labels[i - 1].y + LABEL_LINE);
    for (size_t i = n; i-- > 0;)
        labels[i].y = MIN_OF(labels[i].y, i + 1 < n ? labels[i + 1].y - LABEL_LINE : c->bottom);
    return n;
}

static void draw_labels(struct canvas *c)
{
    struct label labels[CHART_SERIES_MAX];
    size_t n = place_labels(c, labels);
    for (size_t i = 0; i < n; i++) {
        char class[8];
        snprintf(class, sizeof class, "t%u", labels[i].series->color);
        svg_text(c->out, at(c->right + 60, labels[i].y + 40), class, labels[i].series->label);
    }
    for (size_t i = 0; i < c->chart->n_series; i++) {
        const struct series *series = &c->chart->series[i];
        char class[8];
        snprintf(class, sizeof class, "t%u e", series->color);
        if (series->style == SERIES_DOTS && series->points.n > 0)
            svg_text(c->out, at(CHART_WIDTH_PX * 10, c->top - 140), class, series->label);
    }
}

static void draw_notes(struct canvas *c)
{
    for (size_t i = 0; i < c->chart->notes.n; i++) {
        const struct chart_note *note = &c->chart->notes.at[i];
        struct svg_point here = place(c, note->x, note->y);
        svg_circle(c->out, here, DOT, "f1", NULL);
        bool is_left = here.x > (c->left + c->right) / 2;
        svg_text(c->out, at(here.x + (is_left ? -80 : 80), here.y + (is_left ? -40 : 110)),
                 is_left ? "e" : "", note->text);
    }
}

/* -- The whole ----------------------------------------------------------------------------------
 */

static int right_margin(const struct chart *chart)
{
    size_t longest = 0;
    for (size_t i = 0; i < chart->n_series; i++)
        if (is_labelled(&chart->series[i]))
            longest = MAX_OF(longest, strlen(chart->series[i].label));
    int width = longest > 0 ? (int)longest * LETTER + 60 : 0;
    return MIN_OF(MAX_OF(width, (int)RIGHT_MIN), (int)RIGHT_MAX);
}

void chart_draw(const struct chart *chart, struct buffer *out, const char *css)
{
    ASSERT(chart && out && !chart_is_empty(chart));
    int title = css ? TITLE : 0;
    struct canvas c = {.chart = chart,
                       .out = out,
                       .left = LEFT,
                       .top = TOP + title,
                       .right = CHART_WIDTH_PX * 10 - right_margin(chart),
                       .bottom = CHART_HEIGHT_PX * 10 - BOTTOM + title};
    c.x = scale_of(&chart->x, c.left, c.right);
    c.y = scale_of(&chart->y, c.bottom, c.top);
    svg_begin(out, chart->id, (const char *const[]){chart->title, chart->caption},
              at(CHART_WIDTH_PX * 10, CHART_HEIGHT_PX * 10 + title), css);
    if (css)
        svg_text(out, at(0, 140), "h", chart->title);
    draw_marks(&c);
    draw_y_axis(&c);
    for (size_t i = 0; i < chart->n_series; i++)
        draw_series(&c, &chart->series[i]);
    draw_x_axis(&c);
    draw_labels(&c);
    draw_notes(&c);
    svg_end(out);
}
