/* orders.h - what the operator orders: blocks called invalid, valid again, precious.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_INTAKE_ORDERS_H
#define CHAIN_INTAKE_ORDERS_H

#include "chain/intake/waiters.h"
#include "chain/upkeep/flush.h"

/* Holds nothing of its own; borrows the parts for its life. */
struct orders {
    const struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    struct best_chain *best;
    const struct kept_blocks *kept;
    struct flush *flush;
    struct pipeline *pipeline;
    struct waiters *waiters;
};

/* See chain_invalidate(), chain_reconsider() and chain_precious().
 *
 * Out:  done(arg, verdict)  once, when the chain has come to rest and what the first two have
 *                           changed is on disk; within this call if the order is refused */
void orders_invalidate(struct orders *orders, const struct block_hash *hash, chain_order_fn *done,
                       void *arg);
/* Give a block, its ancestors and descendants another chance. Answered in the same way. */
void orders_reconsider(struct orders *orders, const struct block_hash *hash, chain_order_fn *done,
                       void *arg);
/* Prefer a block to others of like work. Answered when the chain rests. */
void orders_prefer(struct orders *orders, const struct block_hash *hash, chain_order_fn *done,
                   void *arg);
/* The way back from a tip that was invalidated is barred by a block that cannot be read: the order
 * is taken back and answered with verdict.
 *
 * Returns:  false if the tip was not invalidated */
bool orders_give_up(struct orders *orders, const struct verdict *verdict);

#endif
