/* past_check.h - the blocks below a snapshot's, checked while the chain goes on above it.
 *
 * Layer: chain. Loop thread only. A pipeline of its own connects them to the store that the chain
 * had before, last among all that wants the threads, and tells nobody. At the snapshot's block the
 * coins are counted: doc/decisions/0272-a-second-set-of-coins.md */
#ifndef CHAIN_PIPELINE_PAST_CHECK_H
#define CHAIN_PIPELINE_PAST_CHECK_H

#include "chain/coins/coins_digest.h"
#include "chain/pipeline/pipeline.h"

#define PAST_CHECK_AHEAD_MAX 64 /* blocks that are asked for at once, or wait to be connected */

/* CONNECTS -> FLUSHES -> STORES -> CONNECTS, and at the end CONNECTS -> COUNTS -> OVER. */
enum past_stage {
    PAST_CONNECTS,
    PAST_FLUSHES, /* bytes and index first, by the flush of the chain; nothing is committed */
    PAST_STORES,  /* then its coins */
    PAST_COUNTS,  /* all of them, to compare */
    PAST_OVER,
};

struct past_check {
    struct env_job job; /* COUNTS; first */
    struct chain_core *core;
    struct header_tree *tree;
    struct best_chain *best;
    struct flush *flush;
    struct coins *coins; /* owned, to the end of the chain. NULL: there is nothing to check */
    const struct network_snapshot *facts;
    struct block_node *base;      /* of the snapshot, also when that has been checked */
    struct active_chain active;   /* what the coins are of */
    struct overlay overlay;
    struct pipeline pipeline;
    enum past_stage stage;
    struct block_node *storing; /* STORES: the tip that is written */
    int64_t stored_us;          /* when that was done last */
    struct env_cursor *cursor;  /* COUNTS */
    struct coins_digest digest;
    int error;
};

/* Nothing is to be checked.
 *
 * In:  with  what the chain's pipeline is made with, borrowed for its life */
void past_check_init(struct past_check *check, const struct pipeline *with);
/* Free it, with the coins. Nothing may be under way. */
void past_check_deinit(struct past_check *check);
/* Begin, or go on at a start: the chain goes on with a snapshot of base and has changed its coins.
 *
 * In:    tip          that coins_take, flushed, stands for
 *        facts        of the base */
void past_check_begin(struct past_check *check, struct coins *coins_take, struct block_node *tip,
                      struct block_node *base, const struct network_snapshot *facts);
/* Is there something to be checked still? */
bool past_check_is_on(const struct past_check *check);
/* The next blocks that are not here, at most max. Returns: how many */
size_t past_check_missing(const struct past_check *check, const struct block_node **out,
                          size_t max);
/* At the end of the chain, when nothing is under way any more: what is committed is written. Bytes
 * and index were flushed before.
 *
 * Out:  done(arg, error)  once, maybe within this call */
void past_check_store_last(struct past_check *check, void (*done)(void *arg, int error), void *arg);

/* What belongs to the coins; the row of the pipeline is one of pipeline_part's. */
extern const struct chain_part past_check_part;

#endif
