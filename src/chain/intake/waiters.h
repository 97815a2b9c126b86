/* waiters.h - who waits for a block's fate, for the chain to come to rest, or for durability.
 *
 * Layer: chain. Each is answered exactly once. Loop thread only. */
#ifndef CHAIN_INTAKE_WAITERS_H
#define CHAIN_INTAKE_WAITERS_H

#include "chain/disk/writes.h"
#include "chain/pipeline/pipeline.h"
#include "util/list.h"

/* Somebody who wants to know what became of a block, or that the chain has come to rest. */
struct waiter {
    struct list_link link;
    struct block_node *node; /* NULL: waits for rest only */
    struct block_node *goal; /* what the tip was to be when the block was stored, or NULL */
    struct chain_block_result result;
    bool durable;               /* to be answered when the blocks' bytes are synced */
    chain_block_fn *block_done; /* one of the two */
    chain_order_fn *order_done;
    void *arg;
};

struct waiters {
    struct chain_core *core;
    const struct active_chain *active;
    const struct best_chain *best;
    const struct writes *writes;
    const struct pipeline *pipeline;
    struct list list;         /* for a fate, oldest first */
    struct list sync_waiters; /* decided, but to be told only when synced */
    struct list syncing;      /* those of the sync under way */
    struct env_job sync_job;
    bool sync_running; /* one at a time: who comes meanwhile waits for the next */
    int sync_error;    /* the job's: 0 or a negative errno */
};

/* Wait in the place that the waiter names.
 *
 * Owns:  waiter, from xcalloc */
void waiters_add(struct waiters *waiters, struct waiter *waiter);
/* Wait for the chain to come to rest. */
void waiters_await_rest(struct waiters *waiters, chain_order_fn *done, void *arg);
/* Wait for all that is stored by now to be durable; within this call if the disk has failed. */
void waiters_sync(struct waiters *waiters, chain_order_fn *done, void *arg);

/* A block is invalid: those who wait for it, or for one above it, are told. */
void waiters_block_failed(struct waiters *waiters, const struct block_node *node,
                          const struct verdict *verdict);
/* Who waits for rest alone will be told this, when it comes. */
void waiters_refuse_orders(struct waiters *waiters, const struct verdict *verdict);

/* Answers those whose block is decided; all if the chain is at rest. Busy while it syncs. */
extern const struct chain_part waiters_part;

#endif
