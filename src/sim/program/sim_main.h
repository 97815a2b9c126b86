/* sim_main.h - what cairn-sim does: a table of commands.
 *
 * Layer: sim. The program itself has nothing but main(), so that all of this can be tested. */
#ifndef SIM_PROGRAM_SIM_MAIN_H
#define SIM_PROGRAM_SIM_MAIN_H

#include "sim/program/sim_replay.h"

/* Run the command that argv[1] names with the arguments from there on; "run" if it is an option or
 * there is none. outside is opened by commands that need it.
 *
 * Returns: what the process exits with; 2 if there is no such command */
int sim_main(int argc, char **argv, const struct sim_outside *outside);

#endif
