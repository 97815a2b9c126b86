/* sim_replay.h - the command cairn-sim replay: captured messages are played to a node.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_REPLAY_H
#define SIM_PROGRAM_SIM_REPLAY_H

#include "util/env.h"

/* The real world, for who plays to a real node. */
struct sim_outside {
    void *ctx;
    /* Its env; NULL: it cannot be had. */
    const struct env *(*open)(void *ctx);
    /* Let what is ready happen, or wait until something is. */
    void (*run_once)(void *ctx);
};

/* Run it; argv[0] is the command's name. Returns: the exit status */
int sim_replay_command(int argc, char **argv, const struct sim_outside *outside);

#endif
