/* linearise.h - an order for a few things that depend on each other, best rates first.
 *
 * Layer: mempool. Pure: knows numbers, fees, sizes and what needs what, nothing of transactions. A
 * set of members is one word, which is why there are at most 64. */
#ifndef MEMPOOL_LINEARISE_H
#define MEMPOOL_LINEARISE_H

#include <stdbool.h>

#include "mempool/feerate.h"

#define LINEAR_COUNT_MAX 64

/* Who needs whom. Members are numbered such that all that one needs have lower numbers; between
 * members that are equally good their names decide, which are ranks too, but free ones. */
struct linear_graph {
    uint32_t n;
    struct feerate rate[LINEAR_COUNT_MAX];
    uint64_t ancestors[LINEAR_COUNT_MAX]; /* all that it needs, directly or not, with itself */
    uint8_t name[LINEAR_COUNT_MAX];       /* all 0 where nobody asks which of equals is first */
};

/* Neighbours in an order, taken together: those before end that the chunk before has not. */
struct linear_chunk {
    uint32_t end;
    struct feerate rate; /* the sums of fees and of sizes */
};

/* What one order may cost, in visits of members: under 1 ms. A search for bad graphs of 64 found
 * none that needs a quarter of it (hazard 65). */
#define LINEAR_STEPS_MAX 200000

/* The members of a set, as a row of bits, in an order in which each comes after all that it needs
 * and that no other order is better than at any size; cut into chunks as small as they can be. If
 * the steps do not suffice it may be worse, but nowhere worse than by the best ancestors first.
 * Chunks of the same rate: of those that may come next the smallest, then the one whose highest
 * name is lowest. Within a chunk: of those that may come next the one with the best rate, then the
 * smallest, then by name. So of what is best there is one order only, whoever came first.
 *
 * In:       set    what is left out of it counts as placed before
 * Out:      order  the numbers of the members
 * Returns:  how many there are in the set */
uint32_t linearise(const struct linear_graph *graph, uint64_t set, uint8_t *order);
/* The same with so many steps; 0: the best ancestors first. *is_best: the steps have sufficed. */
uint32_t linearise_within(const struct linear_graph *graph, uint64_t set, uint64_t steps,
                          uint8_t *order, bool *is_best);

/* Cut an order of n members into chunks whose rates fall: one that pays more than the one before is
 * taken together with it. Returns: how many, at most n */
uint32_t linear_cut_chunks(const struct linear_graph *graph, const uint8_t *order, uint32_t n,
                           struct linear_chunk *chunks);

#endif
