/* sim_run.h - "cairn-sim run": a simulated network, and what it shows.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_RUN_H
#define SIM_PROGRAM_SIM_RUN_H

#include "sim/program/sim_outside.h"

/* Read options from argv[1] on, run, print a summary. outside has the threads.
 *
 * Returns: what the process exits with: 0, 1 if the nodes do not agree in the end, 2 if an option
 *          is wrong, which standard error says */
int sim_run_command(int argc, char **argv, const struct sim_outside *outside);

#endif
