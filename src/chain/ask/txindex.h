/* txindex.h - where a transaction is (-txindex): optional, follows the committed tip.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_ASK_TXINDEX_H
#define CHAIN_ASK_TXINDEX_H

#include "chain/ask/block_read.h"
#include "chain/disk/block_file.h"
#include "chain/upkeep/flush.h"

enum txindex_task {
    TX_TASK_NONE,
    TX_TASK_READ,  /* the next block */
    TX_TASK_INDEX, /* its entries are being written */
    TX_TASK_RENEW, /* old entries are being written anew */
    TX_TASK_MARK,  /* the mark is being written */
};

struct txindex {
    struct env_job job; /* first */
    struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    const struct flush *flush;
    const struct lost *lost;
    struct block_reads *reads;
    uint64_t seen_returned; /* lost.n_returned, when a broken index was tried last */
    bool is_on;             /* opened */
    struct env_kv *kv;
    enum txindex_task task;
    const struct block_node *at;     /* blocks up to here are in */
    const struct block_node *placed; /* rows up to here, at most `at`, tell the place */
    const struct block_node *next;   /* the task's */
    const struct block_node *marked; /* what 'B' says */
    const struct block_node *marked_placed;
    uint64_t marked_flushes; /* flush.completed when the mark was looked at last */
    struct block_ref *block;
    struct file_pos data; /* where that block is */
    int error;
    bool is_broken, was_synced;
    bool is_damaged; /* made anew as soon as nobody uses the store */
    int n_rebuilt, lookups_running;
    bool cannot_renew; /* until the next start */
    struct lookup *waiting;
};

/* Off.
 *
 * In:  with  the parts that it needs, borrowed for its life */
void txindex_init(struct txindex *index, const struct txindex *with);
/* Switch it on: open its store, at a start, when the tip is known.
 *
 * Returns:  0, or a negative errno with *error set (xfree it): it is still off */
int txindex_open(struct txindex *index, char **error);
/* Note how far it is, and close the store. Nothing may be under way. */
void txindex_close(struct txindex *index);

/* A transaction of the active chain; see chain_find_tx() for the errors.
 *
 * Out:  done(arg, error, found)  once; within this call if the index is off or being closed */
void txindex_find(struct txindex *index, const struct txid *txid, chain_tx_fn *done, void *arg);
/* Is it on? Then *synced: caught up; *height: of the last block that is in. */
bool txindex_status(const struct txindex *index, bool *synced, int32_t *height);

/* Indexes what is new, never ahead of what the coins store stands for (hazard 76). */
extern const struct chain_part txindex_part;

#endif
