/* trial.h - would a block be valid on top of the tip? Spec: Core TestBlockValidity()
 *
 * Layer: chain. Loop thread only. One at a time flies, when the chain is at rest; the others wait.
 * Nothing of the block is kept: its node is in no tree, its coins never leave the overlay. */
#ifndef CHAIN_ASK_TRIAL_H
#define CHAIN_ASK_TRIAL_H

#include "chain/intake/waiters.h"

struct trials {
    struct chain_core *core;
    const struct active_chain *active;
    struct pipeline *pipeline;
    struct waiters *waiters;
};

/* Try a block out; see chain_test_block().
 *
 * Out:   done(arg, verdict)  once
 * Owns:  holds block */
void trial_start(struct trials *trials, struct block_ref *block, chain_order_fn *done, void *arg);

#endif
