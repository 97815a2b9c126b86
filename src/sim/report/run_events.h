/* run_events.h - a line of a trace, once it is JSON, into the run.
 *
 * Layer: sim. One row an event; events and members that are not known are passed over, so that a
 * newer cairn-sim's trace can be read. */
#ifndef SIM_REPORT_RUN_EVENTS_H
#define SIM_REPORT_RUN_EVENTS_H

#include "rpc/json_in.h"
#include "sim/report/run.h"

#define RUN_FORMAT 1 /* of the traces that are read here */

/* Take in one event.
 *
 * Out:      *error  what is wrong, in a new allocation; untouched on success
 * Returns:  false if it is none, comes at the wrong place or goes beyond a limit */
NODISCARD bool run_apply(struct run *run, const struct json_value *line, char **error);

#endif
