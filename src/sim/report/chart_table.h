/* chart_table.h - the numbers of a chart, for those who want or need them as such.
 *
 * Layer: sim. */
#ifndef SIM_REPORT_CHART_TABLE_H
#define SIM_REPORT_CHART_TABLE_H

#include "sim/report/chart.h"

#define CHART_TABLE_ROWS_MAX 48 /* of each series: means of neighbours beyond */

/* Append tables in HTML: one of all series that share their x, one of each other. Thins the series:
 * draw them first. */
void chart_table(struct chart *chart, struct buffer *out);

#endif
