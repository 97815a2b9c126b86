/* prune.h - removes old block files, down to a target or up to a height.
 *
 * Layer: chain. Loop thread only. Whole pairs of files alone, never the one being filled, and never
 * one with a block that a reorganisation or the replay after a crash could still ask for. */
#ifndef CHAIN_UPKEEP_PRUNE_H
#define CHAIN_UPKEEP_PRUNE_H

#include "chain/tree/lost.h"
#include "chain/upkeep/flush.h"

struct prune_request;

/* Who else needs the bytes of blocks. */
struct prune_needs {
    void *ctx;
    /* The last height whose block nobody needs, also not after a crash. *is_changing: it is about
     * to become higher, and a turn will follow. */
    int32_t (*free_height)(void *ctx, bool *is_changing);
    /* What it would become by a flush now. */
    int32_t (*height_if_flushed)(void *ctx);
};

/* A round is under way while files is not NULL; it holds the flush for so long. */
struct prune {
    struct env_job job; /* first */
    struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    struct writes *writes;
    struct lost *lost;
    struct flush *flush;
    struct prune_needs needs;
    struct env_batch *batch; /* rows of the blocks that go; the job's */
    size_t *files;           /* to be removed when the batch is written */
    size_t n_files;
    int error;
    size_t n_files_seen;   /* when the target was looked at last */
    uint64_t bytes_seen;   /* of all files, then */
    uint64_t flushes_seen; /* flush->completed, then */
    struct list requests;  /* of struct prune_request */
};

/* Flush, then remove block files that hold only blocks at or below height, but never the last
 * CHAIN_PRUNE_KEEP_BLOCKS.
 *
 * Out:  done(arg, error)  once, when they are gone: see prune_height() */
void prune_to(struct prune *prune, int32_t height, void (*done)(void *arg, int error), void *arg);
/* First height whose block and undo data are stored, or only lost, with all after it; 0 if nothing
 * is pruned. Core: BLOCK_HAVE_MASK */
int32_t prune_height(const struct prune *prune);

/* Prunes at the end of a flush; begins one when the target is passed. */
extern const struct chain_part prune_part;

#endif
