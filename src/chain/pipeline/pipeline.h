/* pipeline.h - drives blocks in flight towards the best chain, and commits them in order.
 *
 * Layer: chain. Loop thread only. It looks at the target of best_chain in every turn, so nobody has
 * to tell it that there is a better one. It never judges a block by itself (flight.h does), and
 * never shows a tip some of whose checks are still under way. */
#ifndef CHAIN_PIPELINE_PIPELINE_H
#define CHAIN_PIPELINE_PIPELINE_H

#include "chain/pipeline/flight.h"
#include "chain/tree/undo_writes.h"
#include "chain/upkeep/flush.h"
#include "chain/upkeep/undo_repair.h"

/* What the pipeline tells those who ordered blocks, besides the events of the chain. */
struct pipeline_events {
    void *ctx;
    /* A block turned out to be invalid; all above it are void. */
    void (*failed)(void *ctx, const struct block_node *node, const struct verdict *verdict);
    /* The way back from a tip is barred by a block that cannot be read. Returns true if somebody
     * had ordered to leave that tip and was answered, so that the tip may stay. */
    bool (*barred)(void *ctx, const struct verdict *verdict);
};

/* Owns the flights; all else is borrowed for its life. The tip moves here alone once the chain is
 * open (but for snapshot_load.c). */
struct pipeline {
    struct chain_core *core;
    struct header_tree *tree;
    struct active_chain *active;
    struct best_chain *best;
    struct kept_blocks *kept;
    struct writes *writes;
    struct undo_writes *undo_writes;
    struct lost *lost;
    const struct flush *flush;
    const struct undo_repair *undo_repair;
    struct pipeline_events events;
    struct flights flights;
    bool tip_moved; /* since pipeline_take_moved() */
    bool is_held;   /* nothing new takes off */
    bool holds_commits; /* and nothing lands */
    /* Where a chain of its own goes, of which nobody is told: past_check.h. NULL: to the best one.
     */
    struct block_node *goal;
};

/* Nothing flies.
 *
 * In:  with  the parts that it needs, and its events; borrowed for its life */
void pipeline_init(struct pipeline *pipeline, const struct pipeline *with);

/* Nothing in flight and the tip is the best chain. */
bool pipeline_is_at_rest(const struct pipeline *pipeline);
/* Has the tip moved since this was asked last? */
bool pipeline_take_moved(struct pipeline *pipeline);
/* Fly a block that will not be committed; it is the flight's test_done that hears of its fate. At
 * rest only. */
void pipeline_start_test(struct pipeline *pipeline, struct flight *flight);
/* Drop all flights but a block that is only tried out. */
void pipeline_drop_steps(struct pipeline *pipeline);
/* Assert what must hold of flights and candidates. Costly. */
void pipeline_check(const struct pipeline *pipeline);

/* Does what can be done now towards the best chain, or the goal. Busy while a flight has jobs under
 * way. */
extern const struct chain_part pipeline_part;

#endif
