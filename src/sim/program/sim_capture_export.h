/* sim_capture_export.h - what a simulated node has captured, as files of the real world.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_CAPTURE_EXPORT_H
#define SIM_PROGRAM_SIM_CAPTURE_EXPORT_H

#include "sim/sim_world.h"

/* Write what a node that is on, in a world that captures, has heard and said: below dir a folder
 * for each of its peers, as -capturemessages makes them.
 *
 * Returns:  how many folders; -1: stderr has a line that says why */
int sim_capture_export(struct sim_world *world, size_t node, const char *dir);

#endif
