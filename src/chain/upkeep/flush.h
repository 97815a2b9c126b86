/* flush.h - makes what is committed durable, in the order of the crash rule.
 *
 * Layer: chain. First the bytes of blocks and undo data, then the index, then the coins. Loop
 * thread only. */
#ifndef CHAIN_UPKEEP_FLUSH_H
#define CHAIN_UPKEEP_FLUSH_H

#include "chain/disk/writes.h"
#include "chain/tree/active_chain.h"
#include "util/list.h"

#define FLUSH_INTERVAL_US         (INT64_C(60) * 1000000)
#define FLUSH_INTERVAL_SYNCING_US (INT64_C(300) * 1000000)

/* IDLE -> WAITING -> SYNCING -> COINS -> IDLE, from each of them straight to IDLE if it fails; and
 * IDLE -> HELD -> IDLE. */
enum flush_stage {
    FLUSH_IDLE,
    FLUSH_WAITING, /* for writes submitted before it began; nothing is committed meanwhile */
    FLUSH_SYNCING, /* files, then the index */
    FLUSH_COINS,   /* the frozen generation goes to the store; commits go on */
    FLUSH_HELD,    /* somebody else writes the index: flush_hold() */
};

/* What the index says is to be gone through at the next start. A mark is taken away in the batch
 * that has the rows it stands for, never before. */
enum chain_mark {
    CHAIN_MARK_REINDEX = 1, /* all block files */
    CHAIN_MARK_REPLAY = 2,  /* the block files from some place on */
};

typedef void flush_fn(void *arg, int error);
struct flush_waiter;

/* Has the rows of the index and the coins written, and is the only one to do so but for a prune
 * round, which holds it. What is borrowed stays for its life. */
struct flush {
    struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    struct writes *writes;
    enum flush_stage stage;
    bool is_new;  /* the index had no row at the start */
    bool is_last; /* the chain closes: the flush under way or wanted is the last one */
    struct env_job job;            /* SYNCING */
    struct env_batch *index_batch; /* owned until the job has it: the index when it began */
    unsigned marks;                /* of enum chain_mark: which the index has ... */
    unsigned marks_over;           /* ... which of them the next flush takes away ... */
    unsigned ends_marks;           /* ... and which the one under way does */
    struct list wanted;            /* want a flush that starts after now */
    struct list running;           /* wait for the one under way */
    int error;                     /* the job's */
    uint64_t completed;            /* flushes that reached the store */
    int64_t last_us;               /* when the last one ended, well or not */
    uint64_t timer;                /* looks whether one is due when no block comes; 0: none */
    struct block_node *tip;        /* what the store stands for */
};

/* Nothing is to be flushed. Borrows the rest. */
void flush_init(struct flush *flush, struct chain_core *core, struct header_tree *tree,
                const struct active_chain *active, struct writes *writes);
/* Flush now and then from now on. At a start, when the tip is known. */
void flush_start_timer(struct flush *flush);

/* Write everything to disk, synced: begun now, or after the one under way.
 *
 * Out:  done(arg, error)  once, error a negative errno or 0; within this call if the chain is not
 *                         open or at fault, or -ECANCELED if the last flush has been ordered */
void flush_order(struct flush *flush, flush_fn *done, void *arg);
/* The same, for the last time. */
void flush_order_last(struct flush *flush, flush_fn *done, void *arg);
/* One is due though nobody waits for it. Only while idle. */
void flush_begin(struct flush *flush);
/* Somebody else writes the index: no flush begins before flush_release(). Only while idle. */
void flush_hold(struct flush *flush);
/* Flushes may begin again. */
void flush_release(struct flush *flush);

/* None is under way, and it is not held. */
bool flush_is_idle(const struct flush *flush);
/* No block may be committed right now: it is about to freeze the coins. */
bool flush_holds_commits(const struct flush *flush);

extern const struct chain_part flush_part;

#endif
