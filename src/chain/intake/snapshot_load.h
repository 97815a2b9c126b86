/* snapshot_load.h - the chain goes on with a set of coins from a file: loadtxoutset.
 *
 * Layer: chain. Loop thread only. The file is read into a store of its own and compared with what
 * this release vouches for, while the chain goes on; then the chain changes its coins between two
 * blocks, and past_check.h checks what is below. What is refused is told in Core's words.
 * Spec: Core ActivateSnapshot(). doc/decisions/0272-a-second-set-of-coins.md */
#ifndef CHAIN_INTAKE_SNAPSHOT_LOAD_H
#define CHAIN_INTAKE_SNAPSHOT_LOAD_H

#include "chain/coins/snapshot_reader.h"
#include "chain/intake/import.h"
#include "chain/pipeline/past_check.h"

/* NONE -> FILLS -> WAITS -> FLUSHES -> MARKS -> CHANGES -> NONE, and from each of them to NONE if
 * it fails. */
enum load_stage {
    LOAD_NONE,
    LOAD_FILLS,   /* a job: the file into the store, and its hash */
    LOAD_WAITS,   /* for the flights to land; none takes off */
    LOAD_FLUSHES, /* the old coins, which are to stand for the tip */
    LOAD_MARKS,   /* a job: the store counts from now on; or does not */
    LOAD_CHANGES, /* waits for a flush or a trial that somebody else has begun */
};

struct snapshot_load {
    struct env_job job; /* first */
    struct chain_core *core;
    struct header_tree *tree;
    struct active_chain *active;
    struct best_chain *best;
    struct flush *flush;
    struct pipeline *pipeline;
    const struct importer *importer;
    struct past_check *past;
    enum load_stage stage;
    struct env_file *file; /* the job's, closed by it */
    struct snapshot_head head;
    const struct network_snapshot *facts;
    struct block_node *base;
    struct coins *coins; /* of the file; the job's while there is one */
    char *error_text;    /* of a store that cannot be made; owned */
    char why[SNAPSHOT_WHY_BYTES];
    int error;
    bool is_bad_file;
    coins_may_change_fn *may_change;
    coin_load_fn *done;
    void *arg;
};

/* How the store of a chain is opened, at path. Returns 0 or a negative errno with *error. */
NODISCARD int snapshot_open_store(const struct chain_core *core, const char *path,
                                  size_t cache_bytes, struct coins **out, char **error);
/* What this release knows of the coins as of a block; NULL: nothing. */
const struct network_snapshot *snapshot_facts(const struct network *network,
                                              const struct block_hash *base);
/* The same, or what the operator vouches for. */
const struct network_snapshot *snapshot_known(const struct chain_core *core,
                                              const struct block_hash *base);
/* At a start: who vouches for the coins that are filled, if it was not this release. Returns 0 or a
 * negative errno */
NODISCARD int snapshot_recall_vouch(struct chain_core *core, const struct block_hash *base);
/* With two sets of coins each has so many bytes. */
size_t snapshot_cache_bytes(const struct chain_core *core);

/* See chain_load_coins(). */
NODISCARD int snapshot_load_start(struct snapshot_load *load, const struct coin_load_order *order);

extern const struct chain_part snapshot_load_part;

#endif
