/* chart_draw.h - a chart as a picture.
 *
 * Layer: sim. Lines are named where they end, what runs beside the axes has its unit there, and
 * there is no legend to look things up in. */
#ifndef SIM_REPORT_CHART_DRAW_H
#define SIM_REPORT_CHART_DRAW_H

#include "sim/report/chart.h"

#define CHART_WIDTH_PX  500
#define CHART_HEIGHT_PX 260

/* Append the picture of a fitted chart, which has points.
 *
 * In: css  for a file of its own, with the title in it; NULL: for a page */
void chart_draw(const struct chart *chart, struct buffer *out, const char *css);

#endif
