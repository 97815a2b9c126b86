/* sim_outside.h - what cairn-sim has of the real world.
 *
 * Layer: sim. */
#ifndef SIM_PROGRAM_SIM_OUTSIDE_H
#define SIM_PROGRAM_SIM_OUTSIDE_H

#include "util/env.h"
#include "util/team.h"

struct sim_outside {
    void *ctx;
    /* Its env, for who plays to a real node; NULL: it cannot be had. */
    const struct env *(*open)(void *ctx);
    /* Let what is ready happen, or wait until something is. */
    void (*run_once)(void *ctx);
    /* n threads, or fewer if there are no more; 0: one for each processor. Asked for once. NULL, or
     * returns NULL: there is the caller's alone. */
    const struct team *(*open_team)(void *ctx, size_t n);
};

#endif
