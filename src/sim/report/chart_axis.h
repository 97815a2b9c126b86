/* chart_axis.h - from values to places: scales, and where their ticks are.
 *
 * Layer: sim. */
#ifndef SIM_REPORT_CHART_AXIS_H
#define SIM_REPORT_CHART_AXIS_H

#include "sim/report/chart.h"

#define AXIS_TICKS_MAX 12

/* The places, in tenths of a pixel, of the smallest and the largest value. */
struct scale {
    double from, to;
    int at_from, at_to;
    bool is_log;
};

/* A scale that holds the values of an axis between two places; its ends are ticks unless the axis
 * is one of time. */
struct scale scale_of(const struct chart_axis *axis, int at_from, int at_to);

/* The place of a value; of one beyond the ends the nearer end. */
int scale_at(const struct scale *scale, double value);

/* Values for ticks, from the smallest: round numbers, at most n_max and AXIS_TICKS_MAX.
 *
 * Out:      ticks  room for AXIS_TICKS_MAX
 * Returns:  how many */
size_t scale_ticks(const struct scale *scale, enum figure_kind kind, size_t n_max, double *ticks);

/* Append a value, short, in the unit that suits the largest of its axis. */
void axis_text(struct buffer *out, enum figure_kind kind, double value, double largest);

#endif
