/* spenderindex.h - which transaction of the chain spends an output (-txospenderindex): optional,
 * follows the committed tip.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_ASK_SPENDERINDEX_H
#define CHAIN_ASK_SPENDERINDEX_H

#include "chain/ask/block_read.h"
#include "chain/upkeep/flush.h"
#include "crypto/siphash.h"

enum spender_task {
    SPENDER_TASK_NONE,
    SPENDER_TASK_READ,  /* the next block */
    SPENDER_TASK_INDEX, /* its rows are being written */
    SPENDER_TASK_MARK,  /* the mark is being written */
};

struct spenderindex {
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
    struct siphash_key secret;
    enum spender_task task;
    const struct block_node *at;     /* blocks up to here are in */
    const struct block_node *next;   /* the task's */
    const struct block_node *marked; /* what 'B' says */
    uint64_t marked_flushes;         /* flush.completed when the mark was looked at last */
    struct block_ref *block;
    int error;
    bool is_broken, was_synced;
    bool is_damaged; /* made anew as soon as nobody uses the store */
    int n_rebuilt, lookups_running;
    struct spender_lookup *waiting;
};

/* Off.
 *
 * In:  with  the parts that it needs, borrowed for its life */
void spenderindex_init(struct spenderindex *index, const struct spenderindex *with);
/* Switch it on: open its store, at a start, when the tip is known.
 *
 * Returns:  0, or a negative errno with *error set (xfree it): it is still off */
int spenderindex_open(struct spenderindex *index, char **error);
/* Note how far it is, and close the store. Nothing may be under way. */
void spenderindex_close(struct spenderindex *index);

/* Who spends an output; see chain_find_spender() for the errors.
 *
 * Out:  done(arg, error, spender)  once; within this call if the index cannot answer */
void spenderindex_find(struct spenderindex *index, const struct outpoint *outpoint,
                       chain_spender_fn *done, void *arg);
/* Is it on? Then *synced: caught up; *height: of the last block that is in. */
bool spenderindex_status(const struct spenderindex *index, bool *synced, int32_t *height);

/* Indexes what is new, never ahead of what the coins store stands for (hazard 76). */
extern const struct chain_part spenderindex_part;

#endif
