/* sim_replay.h - the command cairn-sim replay: captured messages are played to a node.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_REPLAY_H
#define SIM_PROGRAM_SIM_REPLAY_H

#include "sim/program/sim_outside.h"

/* Run it; argv[0] is the command's name. Returns: the exit status */
int sim_replay_command(int argc, char **argv, const struct sim_outside *outside);

#endif
