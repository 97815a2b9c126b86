/* verify.h - checks the last blocks against each other and against the coins, as verifychain.
 *
 * Layer: chain. Loop thread only; the work is done by jobs, last among all reads. It changes no
 * coin: what it takes back and connects again is a set of its own over a snapshot. */
#ifndef CHAIN_UPKEEP_VERIFY_H
#define CHAIN_UPKEEP_VERIFY_H

#include "chain/tree/lost.h"
#include "chain/upkeep/flush.h"

/* Borrows the parts; each look is an object of its own, and there may be several. */
struct verifier {
    struct chain_core *core;
    struct header_tree *tree;
    struct lost *lost;
    struct flush *flush;
};

/* Check the last blocks.
 *
 * In:   level     0 they can be read ... 4 they can be connected again
 *       n_blocks  0: all
 * Out:  done(arg, ok)  once, also when the chain is being closed */
void verify_order(struct verifier *owner, int level, int n_blocks, void (*done)(void *arg, bool ok),
                  void *arg);
/* Check them as the options want it, and stop with a fault if the coins are damaged. At a start. */
void verify_at_start(struct verifier *owner);

#endif
