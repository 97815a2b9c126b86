/* rewind.h - the chain as it was at a moment before: what came since is forgotten.
 *
 * Layer: chain. For test chains. A note of it goes into the index, synced, while the chain goes
 * back as it does from a block called invalid; then what came since goes out of the tree, and that
 * is all that the order waits for. Behind it coins and indexes are brought below what is gone, its
 * rows go, and the note. A crash leaves the note or nothing: a start with a note goes on. Loop
 * thread only. doc/decisions/0316-what-a-rewind-forgets.md, 0365-a-rewind-is-a-note.md */
#ifndef CHAIN_INTAKE_REWIND_H
#define CHAIN_INTAKE_REWIND_H

#include "chain/intake/import.h"
#include "chain/intake/waiters.h"
#include "chain/tree/index_db.h"
#include "chain/upkeep/flush.h"

#define REWIND_REST_US 1000000 /* until rows go: further orders need not wait for that */

enum rewind_stage {
    REWIND_NONE,
    REWIND_LEAVES,   /* the chain goes to where it was */
    REWIND_FORGETS,  /* as soon as the note is durable and nobody needs the nodes */
    REWIND_GIVES_UP, /* the chain cannot go back: as soon as the note is as it was */
    REWIND_RESTS,    /* told; a further order may go on from here */
    REWIND_FLUSHES,  /* coins and rows come to stand below what is gone */
    REWIND_LETS_GO,  /* as soon as no index has its mark there */
    REWIND_WRITES,   /* rows and note are being taken away; the flush is held */
};

/* What was asked for. done NULL: by nobody; or a start goes on with what was cut short. */
struct rewind_order {
    struct chain_moment moment;
    chain_order_fn *done;
    void *arg;
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
    struct importer *importer;
    /* Has no index a mark on a block that is dropped? */
    bool (*indexes_let_go)(void *ctx);
    void *ctx;

    enum rewind_stage stage;
    struct rewind_order order;
    struct rewind_order next; /* waits for the rows of the one before; done NULL: none does */
    bool has_note;            /* or is about to have it, on disk */
    struct index_rewind note;
    bool had_note; /* when the order came: of rows that are still there */
    struct index_rewind note_before;
    struct block_nodes roots;    /* dropped, on blocks that are not */
    struct block_nodes recalled; /* called invalid, as they were; till the nodes go */
    struct block_nodes gone;     /* out of the tree, maybe with rows */
    struct verdict verdict;      /* GIVES_UP: why */
    struct env_job job;
    bool job_runs;
    struct env_batch *batch; /* WRITES: owned until the job has it */
    int error;               /* the job's */
    uint64_t timer;          /* RESTS: until FLUSHES; 0: none */
    bool is_rested;          /* it has fired, or somebody waits */
};

/* See chain_rewind(). */
void rewind_order(struct rewind *rewind, const struct chain_moment *moment, chain_order_fn *done,
                  void *arg);
/* At a start, when the stores are open: is there a note of one that a crash has cut short? Then
 * what it is about is left out of what is taken from the block files.
 *
 * Returns:  0, or a negative errno */
NODISCARD int rewind_load(struct rewind *rewind);
/* At a start, when the chain is open: go on where a crash has cut one short. */
void rewind_resume(struct rewind *rewind);
/* Free what it has, when the chain is closed. */
void rewind_deinit(struct rewind *rewind);
/* Forgets when it can. Busy while a job runs. */
extern const struct chain_part rewind_part;

#endif
