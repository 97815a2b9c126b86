/* chain_types.h - what the chain is told by its owner, and what it tells: part of chain/chain.h.
 *
 * Layer: chain. Apart from the functions of chain.h, so that every part may know it. */
#ifndef CHAIN_CORE_CHAIN_TYPES_H
#define CHAIN_CORE_CHAIN_TYPES_H

#include "consensus/block.h"
#include "consensus/reject.h"
#include "util/u256.h"

struct block_node;
struct block_ref;

#define CHAIN_PRUNE_KEEP_BLOCKS 288 /* never pruned, from the tip on. BIP-159, New service bit */
#define CHAIN_PRUNE_MIN_BYTES   (UINT64_C(550) << 20)

/* Bytes of blocks and undo data that wait for being written. Above it new blocks wait, and with
 * them whoever brings them: a slow disk must not fill the memory. */
#define CHAIN_UNWRITTEN_MAX (64u << 20)

struct chain_options {
    const char *data_dir;      /* the network's directory: blocks/ and chainstate/ below it */
    const char *blocks_dir;    /* NULL: data_dir */
    size_t cache_bytes;        /* -dbcache */
    size_t flush_batch_bytes;  /* 0: 4 MB. Small ones make a flush take many steps, for tests */
    uint32_t block_file_bytes; /* 0: BLOCK_FILE_MAX_BYTES. Small files are for tests of pruning */
    size_t unwritten_max;      /* 0: CHAIN_UNWRITTEN_MAX. For tests */
    size_t import_parked_max;  /* 0: a million. Blocks of a file that wait for parents, for tests */
    bool reindex;              /* rebuild index and coins from the block files */
    bool reindex_chainstate;   /* rebuild the coins only */
    bool is_repair; /* nobody asked for that: a damage that an open before this one met */
    bool txindex;
    bool spender_index;                    /* -txospenderindex */
    bool prune;                            /* -prune=1 or a target */
    uint64_t prune_target_bytes;           /* 0: prune only by RPC */
    const struct block_hash *assume_valid; /* NULL: the network's; all zero: none */
    const struct u256 *min_chain_work;     /* NULL: the network's */
    int64_t max_tip_age_s;                 /* older tip: still in initial download */
    bool check_invariants;                 /* chain_check() after every event (-checkblockindex) */
    /* -checkblocks (0: all, negative: none) and -checklevel, in the background after the start */
    int check_blocks, check_level;
    bool stop_after_import;
};

/* What the chain tells the node. All on the loop thread; any member may be NULL. */
struct chain_events {
    void *ctx;
    /* Blocks connected to and disconnected from the committed tip, one call each, in order; then
     * one tip_changed when the chain rests on a new tip. */
    void (*block_connected)(void *ctx, const struct block_node *node, struct block_ref *block);
    void (*block_disconnected)(void *ctx, const struct block_node *node, struct block_ref *block);
    void (*tip_changed)(void *ctx, const struct block_node *tip);
    void (*header_tip_changed)(void *ctx, const struct block_node *best_header);
    /* A block was found invalid (any class but FAULT). */
    void (*block_invalid)(void *ctx, const struct block_hash *hash, const struct verdict *verdict);
    /* A stored block turned out to be damaged: it is wanted again, with CHAIN_ACCEPT_FORCE. */
    void (*block_lost)(void *ctx, const struct block_node *node);
    /* Something stored is lost, as chain_loss() says; "" when everything is there again. Not each
     * single one is told. */
    void (*loss)(void *ctx, const char *message);
    /* Our own world failed: the node must stop. message names what and the remedy. Once. */
    void (*fault)(void *ctx, const char *message);
    /* Something to warn the operator of, until replaced ("" clears). */
    void (*warning)(void *ctx, const char *message);
};

#endif
