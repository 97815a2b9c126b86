/* chain_parts.h - the parts that a chain is made of; for chain.c, startup.c and turn.c only.
 *
 * Layer: chain. chain.c makes the parts and gives each what it needs; startup.c opens the stores
 * and finds the tip; turn.c asks the parts by turns what they can do, until the end. */
#ifndef CHAIN_CHAIN_PARTS_H
#define CHAIN_CHAIN_PARTS_H

#include "chain/ask/addressindex.h"
#include "chain/ask/block_read.h"
#include "chain/ask/coin_dump.h"
#include "chain/ask/coinstatsindex.h"
#include "chain/ask/filterindex.h"
#include "chain/ask/spenderindex.h"
#include "chain/ask/trial.h"
#include "chain/ask/txindex.h"
#include "chain/chain.h"
#include "chain/intake/accept.h"
#include "chain/intake/import.h"
#include "chain/intake/orders.h"
#include "chain/intake/rewind.h"
#include "chain/intake/snapshot_load.h"
#include "chain/pipeline/past_check.h"
#include "chain/pipeline/pipeline.h"
#include "chain/tree/deployments.h"
#include "chain/tree/index_db.h"
#include "chain/upkeep/prune.h"
#include "chain/upkeep/undo_repair.h"
#include "chain/upkeep/verify.h"

/* In the order of the folders: a part knows those above it alone. */
struct chain {
    struct chain_core core;
    char *blocks_dir, *index_dir; /* of the block index */
    struct u256 min_chain_work;

    struct overlay overlay;
    struct writes writes;
    struct header_tree tree;
    struct deployments deployments;
    struct kept_blocks kept;
    struct active_chain active;
    struct best_chain best;
    struct lost lost;
    struct undo_writes undo_writes;
    struct flush flush;
    struct prune prune;
    struct verifier verifier;
    struct undo_repair undo_repair;
    struct pipeline pipeline;
    struct past_check past;
    struct waiters waiters;
    struct intake intake;
    struct importer importer;
    struct orders orders;
    struct rewind rewind;
    struct snapshot_load snapshot_load;
    struct block_reads reads;
    struct txindex txindex;
    struct spenderindex spenderindex;
    struct filterindex filterindex;
    struct coinstatsindex coinstatsindex;
    struct addressindex addressindex;
    struct coin_dumps dumps;
    struct trials trials;

    /* At a start, beside core.coins, which are of a snapshot: what was checked; NULL: no snapshot.
     */
    struct coins *past_coins;
    struct block_hash snapshot_base;

    int64_t next_check_us;    /* of the invariants */
    enum chain_damage damage; /* that kept the chain from being opened */
    int replay_error;         /* of the disk, while the coins were repaired */

    bool close_flushing;
    uint64_t close_timer;
    int close_error;
    void (*close_done)(void *arg, int error);
    void *close_arg;
};

/* An optional index: what it is, where it stands in struct chain, and which member of struct
 * chain_options wants it. A new one is a row of this table and one of turn.c. */
struct chain_index {
    const struct index_kind *kind;
    size_t offset, option_offset;
    const char *core_name; /* in Core's words */
};
enum { CHAIN_INDEXES = 5 };
extern const struct chain_index chain_indexes[CHAIN_INDEXES];
/* Index i of the table. */
static inline struct index_follower *chain_index(struct chain *chain, int i)
{
    return (struct index_follower *)((char *)chain + chain_indexes[i].offset);
}

/* Ask each part what it can do now (turn.c); for core_set_turn().
 *
 * In:  arg  the struct chain */
void chain_turn(void *arg);
/* Note once that the chain has caught up, if it has. */
void chain_update_initial_download(struct chain *chain);

#endif
