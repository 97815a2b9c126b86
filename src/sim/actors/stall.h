/* stall.h - a peer of all nodes who tells of blocks first and never sends one.
 *
 * Layer: sim. His people hear of a block where it was found and tell all others of its header, by
 * that one way faster than the block itself can come. Nodes ask them for it, and wait. */
#ifndef SIM_ACTORS_STALL_H
#define SIM_ACTORS_STALL_H

#include "sim/actors/crew.h"

struct stall;

struct stall_result {
    uint64_t n_told;    /* blocks */
    uint64_t n_asked;   /* times that a node has asked for one, in vain */
    uint64_t n_dropped; /* connections that nodes have given up */
};

/* Begin. Owns: the caller; to be freed before the world. */
NODISCARD struct stall *stall_new(const struct crew_options *options);
/* So far. */
struct stall_result stall_result_of(const struct stall *stall);
/* He gives up. */
void stall_free(struct stall *stall);

#endif
