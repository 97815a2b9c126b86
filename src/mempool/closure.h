/* closure.h - what of a set earns more than the set does: the best cut, by maximum flow.
 *
 * Layer: mempool. Pure; linearise.c alone uses it. A closure is a part of a set that has all of the
 * set that its members need: what can be placed first. */
#ifndef MEMPOOL_CLOSURE_H
#define MEMPOOL_CLOSURE_H

#include "mempool/linearise.h"

/* A set being cut, and what flows in it: see closure.c. */
struct closure {
    const struct linear_graph *graph;
    uint64_t set;                                  /* what closure_find() was asked about last */
    uint64_t steps;                                /* that may still be made */
    uint64_t sources, sinks;                       /* who has something to give, who may take */
    uint64_t parents[LINEAR_COUNT_MAX];            /* what is needed directly */
    uint64_t payers[LINEAR_COUNT_MAX];             /* those who need it and send it something */
    i128 excess[LINEAR_COUNT_MAX];                 /* to give; below 0: to take */
    i128 sent[LINEAR_COUNT_MAX][LINEAR_COUNT_MAX]; /* [who needs][what is needed], if a payer */
};

/* Prepare to cut a set and parts of it, with so many steps for all that is asked. */
void closure_init(struct closure *closure, const struct linear_graph *graph, uint64_t set,
                  uint64_t steps);

/* The closure in a set that is as far above the set's own rate as any is, fees counted at that rate
 * for its size; the smallest of equals. A set must be the one of closure_init() or a part of it
 * that closures leave: all that lies between two of its members has to be in it.
 *
 * Out:      best  0: no closure has a higher rate than the set as a whole
 * Returns:  false if the steps did not suffice */
bool closure_find(struct closure *closure, uint64_t set, uint64_t *best);

/* The members of the set that closure_find() has just found to be nowhere better than as a whole,
 * cut into as many chunks of that same rate as there are. Returns: how many */
uint32_t closure_order_whole(const struct closure *closure, uint8_t *order);

#endif
