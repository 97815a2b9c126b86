/* chart.h - what a diagram shows, before it is drawn: series of points, axes, marks.
 *
 * Layer: sim. One chart serves three: the picture (chart_draw.h), the table of its numbers
 * (chart_table.h), and with the series of a second run the comparison. */
#ifndef SIM_REPORT_CHART_H
#define SIM_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/report/figure_text.h"
#include "util/array.h"

#define CHART_LABEL_BYTES   80
#define CHART_CAPTION_BYTES 400
#define CHART_SERIES_MAX    16

enum series_style {
    SERIES_LINE,
    SERIES_STEP, /* y holds until the next point */
    SERIES_DOTS, /* each with a stem down to nothing */
    SERIES_AREA, /* filled from low to y, labelled */
    SERIES_BAND, /* the same, faint and without a label */
};

struct series_point {
    double x, y; /* a y that is NAN is a gap */
    double low;  /* of areas and bands */
};

struct series {
    char label[CHART_LABEL_BYTES];
    enum series_style style;
    unsigned color, weight;            /* 1 and more; 1 (thick) to 3 (thin) */
    ARRAY(struct series_point) points; /* by growing x */
};

struct chart_axis {
    const char *label;
    enum figure_kind kind;
    bool is_log;
    bool is_free;    /* need not begin at 0 */
    double from, to; /* what must be seen: grown by the points */
};

/* Something written at a point of the plane. */
struct chart_note {
    double x, y;
    char text[CHART_LABEL_BYTES];
};

/* A stretch of x that is shaded; to == from: a tick at the foot. */
struct chart_mark {
    double from, to;
};

/* Zeros with the axes filled in are an empty chart. */
struct chart {
    const char *id, *title;
    char caption[CHART_CAPTION_BYTES];
    struct chart_axis x, y;
    struct series series[CHART_SERIES_MAX];
    size_t n_series;
    ARRAY(struct chart_note) notes;
    ARRAY(struct chart_mark) marks;
};

/* One more series without points. */
struct series *chart_add(struct chart *chart, enum series_style style, const char *label,
                         unsigned color, unsigned weight);

/* One more point, whose x is not below the last one's. The axes grow by chart_fit(). */
void series_add(struct series *series, double x, double y, double low);

/* Let the axes hold all points. */
void chart_fit(struct chart *chart);

/* Leave at most n_max points: means of neighbours, at the last x of each group. What may not be
 * blurred (steps, dots) keeps the largest of a group. */
void series_thin(struct series *series, size_t n_max);

/* True if there is nothing to be seen. */
bool chart_is_empty(const struct chart *chart);

/* Free what a chart owns. */
void chart_free(struct chart *chart);

#endif
