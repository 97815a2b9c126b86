/* run_charts.h - which diagrams a report has, and how a run fills them.
 *
 * Layer: sim. A comparison fills each of them twice, in two colours. */
#ifndef SIM_REPORT_RUN_CHARTS_H
#define SIM_REPORT_RUN_CHARTS_H

#include "sim/report/chart.h"
#include "sim/report/run.h"

/* One of two runs that share a chart; in a report of one run there is only the first. */
struct run_of {
    const struct run *run;
    unsigned index; /* 0 or 1 */
    bool is_compared;
};

/* How many diagrams there are; some stay empty. */
size_t run_charts_count(void);

/* Begin the diagram with that number: its axes and titles. Free with chart_free(). */
void run_chart_begin(size_t number, struct chart *chart);

/* Put a run's series into it. */
void run_chart_fill(size_t number, struct chart *chart, struct run_of of);

#endif
