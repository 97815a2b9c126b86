/* node_fees.h - the fee estimators hear of mempool and chain, and are kept over a restart.
 *
 * Layer: node. The estimators are the mempool's: by what was mined (mempool/fee_estimator.h) and by
 * what waits (mempool/mempool_estimator.h). Here are who tells them what they should learn from,
 * and their files: fees/block_policy_estimates.dat in Core's format, and
 * fees/mempool_policy_estimator.dat in our own, written each hour and at the stop. Loop thread
 * only; the files are written by jobs. */
#ifndef NODE_NODE_FEES_H
#define NODE_NODE_FEES_H

#include "chain/chain.h"
#include "mempool/fee_estimator.h"
#include "mempool/mempool_estimator.h"

/* NULL wherever one is asked for: nothing is learnt, nothing written (-blocksonly). */
struct node_fees;

#define FEE_FILE_MAX_BYTES (1 << 20) /* it has some 310,000 */
#define FEE_FILE_AGE_MAX_S (60 * 60 * 60)
#define FEE_FILE_EVERY_US  INT64_C(3600000000)
#define FEE_TIP_AGE_MAX_S  (3 * 60 * 60) /* with an older tip the chain is not current */

struct node_fees_options {
    const char *data_dir;    /* borrowed for the making */
    bool accepts_stale;      /* -acceptstalefeeestimates: a file of any age */
    const struct env *clock; /* whose wall clock nobody sets, by which files are dated */
};

/* Make the estimators and read their files; one that is old or damaged is left aside, and the log
 * says so. In: env, log, chain borrowed for its life. Owns: the caller, who frees it after
 * node_fees_stop() is done. */
NODISCARD struct node_fees *node_fees_new(const struct env *env, const struct log *log,
                                          const struct chain *chain,
                                          const struct node_fees_options *options);
/* Free it. */
void node_fees_free(struct node_fees *fees);
/* What RPC asks. Borrowed for the life of fees; NULL of NULL. */
const struct fee_estimator *node_fees_estimator(const struct node_fees *fees);
struct mempool_estimator *node_fees_mempool_estimator(const struct node_fees *fees);

/* What is held for the transactions that wait. */
size_t node_fees_waiting_bytes(const struct node_fees *fees);

/* The mempool has changed. */
void node_fees_mempool_changed(struct node_fees *fees, const struct mempool_event *event);
/* A block was connected, and the mempool has told what that took out of it. */
void node_fees_block_connected(struct node_fees *fees, const struct block_node *node,
                               const struct block *block);
/* done(arg) once, now or later: what is being written by now is on disk, or has failed. */
void node_fees_settle(struct node_fees *fees, void (*done)(void *arg), void *arg);
/* Learn no more. done(arg) once, now or later: the files are written, unless keep is false. */
void node_fees_stop(struct node_fees *fees, bool keep, void (*done)(void *arg), void *arg);

#endif
