/* scenario_read.h - a scenario from its file.
 *
 * Layer: sim. JSON: an object with the fields of scenario_rows, and the members name, chain,
 * links, machines, partitions and attackers. doc/scenarios.md has all of them. */
#ifndef SIM_STUDY_SCENARIO_READ_H
#define SIM_STUDY_SCENARIO_READ_H

#include "sim/study/scenario.h"
#include "util/span.h"

/* Read a scenario over what is in it already.
 *
 * In:       file  its name, for error
 * Returns:  false, with "file:line: what" in error: no JSON, a field that there is not, a value
 *           that it cannot have */
NODISCARD bool scenario_read(struct scenario *scenario, const char *file, struct span text,
                             char error[SCENARIO_ERROR_BYTES]);

#endif
