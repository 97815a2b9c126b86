/* lie.h - a peer of all nodes who tells them what is not so.
 *
 * Layer: sim. With each new block his people tell all nodes one of four lies, in turn: a header on
 * it without work, one that hangs on nothing, one with work whose block has other transactions than
 * it says, and the name of a block that there is not. */
#ifndef SIM_ACTORS_LIE_H
#define SIM_ACTORS_LIE_H

#include "sim/actors/crew.h"

#define LIE_KINDS 4

struct lie;

struct lie_result {
    uint64_t n_told[LIE_KINDS]; /* times, in the order above */
    uint64_t n_taken;           /* false blocks that a node has asked for and got */
    uint64_t n_dropped;         /* connections that nodes have given up */
};

/* Begin. Owns: the caller; to be freed before the world. */
NODISCARD struct lie *lie_new(const struct crew_options *options);
/* So far. */
struct lie_result lie_result_of(const struct lie *lie);
/* He gives up. */
void lie_free(struct lie *lie);

#endif
