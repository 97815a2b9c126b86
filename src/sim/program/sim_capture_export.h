/* sim_capture_export.h - what a simulated node has captured, as files of the real world.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_CAPTURE_EXPORT_H
#define SIM_PROGRAM_SIM_CAPTURE_EXPORT_H

#include "sim/sim_world.h"

/* Make a folder; one that is there is good.
 *
 * Returns:  false: stderr has a line that says why */
NODISCARD bool sim_capture_make_dir(const char *path);

/* Write what a node that is on, in a world that captures, has heard and said: below dir a folder
 * for each of its peers, as -capturemessages makes them.
 *
 * Returns:  how many folders; -1: stderr has a line that says why */
int sim_capture_export(struct sim_world *world, size_t node, const char *dir);

/* Write the blocks of a node up to a height to a file as -loadblock reads them: what all nodes
 * began with, which no capture has.
 *
 * Returns:  false: stderr has a line that says why */
NODISCARD bool sim_capture_export_blocks(struct sim_world *world, size_t node, int32_t height,
                                         const char *path);

#endif
