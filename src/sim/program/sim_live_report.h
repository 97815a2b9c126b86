/* sim_live_report.h - the report of a run while it goes on: cairn-sim run --report.
 *
 * Layer: sim. It reads the lines of the trace as they come, as it would read them from a file. */
#ifndef SIM_PROGRAM_SIM_LIVE_REPORT_H
#define SIM_PROGRAM_SIM_LIVE_REPORT_H

#include <stdbool.h>

#include "util/assert.h"
#include "util/span.h"

struct sim_live_report;

/* Begin. Owns: the caller. */
NODISCARD struct sim_live_report *sim_live_report_new(void);
/* The next bytes of the trace. */
void sim_live_report_feed(struct sim_live_report *report, struct span bytes);
/* The run is over: write its page.
 *
 * Returns: false: stderr has a line that says why */
NODISCARD bool sim_live_report_write(struct sim_live_report *report, const char *path);
/* NULL is allowed. */
void sim_live_report_free(struct sim_live_report *report);

#endif
