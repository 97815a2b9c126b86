/* rewind.h - the chain as it was at a moment before: what came since is forgotten.
 *
 * Layer: chain. For test chains. What is to go is marked in the tree, and with the next flush in
 * its rows; the chain goes back as it does from a block called invalid; when the coins, and all
 * indexes, stand below, rows and nodes go. A crash leaves the marks or nothing: a start with marks
 * goes on. Loop thread only. doc/decisions/0316-what-a-rewind-forgets.md */
#ifndef CHAIN_INTAKE_REWIND_H
#define CHAIN_INTAKE_REWIND_H

#include "chain/intake/waiters.h"
#include "chain/upkeep/flush.h"

enum rewind_stage {
    REWIND_NONE,
    REWIND_LEAVES,  /* the chain goes to where it was, and that is made durable */
    REWIND_FORGETS, /* as soon as nobody needs the rows */
    REWIND_WRITES,  /* they are being taken away; the flush is held */
};

/* Owns what is under way; borrows the parts for its life. */
struct rewind {
    struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    struct best_chain *best;
    struct kept_blocks *kept;
    struct lost *lost;
    struct flush *flush;
    struct writes *writes;
    struct pipeline *pipeline;
    struct waiters *waiters;
    /* Has no index a mark on a block that is dropped? */
    bool (*indexes_let_go)(void *ctx);
    void *ctx;

    enum rewind_stage stage;
    struct env_job job;
    struct env_batch *batch; /* owned until the job has it */
    int error;
    chain_order_fn *done; /* NULL: a start goes on with what was cut short */
    void *arg;
};

/* See chain_rewind(). */
void rewind_order(struct rewind *rewind, const struct chain_moment *moment, chain_order_fn *done,
                  void *arg);
/* At a start, when the chain is open: go on where a crash has cut one short. */
void rewind_resume(struct rewind *rewind);

/* Forgets when it can. Busy while rows are written. */
extern const struct chain_part rewind_part;

#endif
