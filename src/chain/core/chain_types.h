/* chain_types.h - what the chain is told by its owner, and what it tells and answers: the types of
 * chain/chain.h.
 *
 * Layer: chain. Apart from the functions of chain.h, so that every part may know it. */
#ifndef CHAIN_CORE_CHAIN_TYPES_H
#define CHAIN_CORE_CHAIN_TYPES_H

#include "consensus/block.h"
#include "consensus/reject.h"
#include "util/u256.h"

struct block_node;
struct block_ref;
struct coin;

#define CHAIN_PRUNE_KEEP_BLOCKS 288 /* never pruned, from the tip on. BIP-159, New service bit */
#define CHAIN_PRUNE_MIN_BYTES   (UINT64_C(550) << 20)

/* Bytes of blocks and undo data that wait for being written. Above it new blocks wait, and with
 * them whoever brings them: a slow disk must not fill the memory. */
#define CHAIN_UNWRITTEN_MAX (64u << 20)

/* -blocksxor: whether block files that are new are XORed with a random key. What is there already
 * stays as it is. */
enum chain_xor {
    CHAIN_XOR_AS_IS, /* by a key that is there; none is made. For tests */
    CHAIN_XOR_OFF,   /* a random key that is there refuses the start */
    CHAIN_XOR_ON,
};

struct chain_options {
    const char *data_dir;      /* the network's directory: blocks/ and chainstate/ below it */
    const char *blocks_dir;    /* NULL: data_dir */
    size_t cache_bytes;        /* -dbcache */
    size_t script_cache_bytes; /* half of -maxsigcachesize; 0: nothing is remembered */
    size_t flush_batch_bytes;  /* 0: 4 MB. Small ones make a flush take many steps, for tests */
    enum chain_xor block_xor;
    uint32_t block_file_bytes; /* 0: BLOCK_FILE_MAX_BYTES. Small files are for tests of pruning */
    size_t unwritten_max;      /* 0: CHAIN_UNWRITTEN_MAX. For tests */
    size_t import_parked_max;  /* 0: a million. Blocks of a file that wait for parents, for tests */
    bool reindex;              /* rebuild index and coins from the block files */
    bool reindex_chainstate;   /* rebuild the coins only */
    bool is_repair;    /* nobody asked for that: a damage that an open before this one met */
    bool keeps_damage; /* what an open finds damaged is left as it is, and refused (-norepair) */
    bool txindex;
    bool spender_index;                    /* -txospenderindex */
    bool filter_index;                     /* -blockfilterindex */
    bool coin_stats_index;                 /* -coinstatsindex */
    bool address_index;                    /* -addressindex */
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
     * one tip_changed when the chain rests on a new tip. That of a snapshot comes by tip_changed
     * alone. */
    void (*block_connected)(void *ctx, const struct block_node *node, struct block_ref *block);
    void (*block_disconnected)(void *ctx, const struct block_node *node, struct block_ref *block);
    void (*tip_changed)(void *ctx, const struct block_node *tip);
    /* A header that was not known, of whatever branch, as soon as it has passed its rules. */
    void (*header_added)(void *ctx, const struct block_node *header);
    void (*header_tip_changed)(void *ctx, const struct block_node *best_header);
    /* A block on top of the tip has passed all rules but those that need its coins, and is about to
     * be stored and connected: peers may hear of it now. BIP-152, cmpctblock */
    void (*block_checked)(void *ctx, const struct block_node *node, struct block_ref *block);
    /* A block was found invalid (any class but FAULT). */
    void (*block_invalid)(void *ctx, const struct block_hash *hash, const struct verdict *verdict);
    /* A stored block turned out to be damaged: it is wanted again, with CHAIN_ACCEPT_FORCE. Or one
     * below a snapshot's was checked: others are wanted now, chain_past_missing(). */
    void (*block_lost)(void *ctx, const struct block_node *node);
    /* Something stored is lost, as chain_loss() says; "" when everything is there again. Not each
     * single one is told. */
    void (*loss)(void *ctx, const char *message);
    /* Our own world failed: the node must stop. message names what and the remedy. Once. */
    void (*fault)(void *ctx, const char *message);
    /* Something to warn the operator of, until replaced ("" clears). */
    void (*warning)(void *ctx, const char *message);
};

/* A moment of the chain: chain_rewind() goes back there. May be kept in a file. */
struct chain_moment {
    struct block_hash tip;
    int32_t file; /* where the next block is stored: what lies behind came later */
    uint32_t offset;
};

/* What chain_open() failed for, where that can be made anew from the block files: with the option
 * reindex_chainstate or reindex of a chain that is opened in its place. Never after a failing disk,
 * a missing permission or a store that is not ours. */
enum chain_damage { CHAIN_DAMAGE_NONE, CHAIN_DAMAGE_COINS, CHAIN_DAMAGE_INDEX };

struct chain_block_result {
    struct verdict verdict;        /* of the block itself; NONE if it was accepted or known */
    bool is_new;                   /* it was not stored before */
    bool is_connected;             /* it is now in the active chain: fully verified */
    bool was_connected;            /* it was when it came: its bytes were pruned or lost */
    const struct block_node *node; /* NULL if the header was refused */
};
typedef void chain_block_fn(void *arg, const struct chain_block_result *result);

enum chain_accept_flags {
    CHAIN_ACCEPT_FORCE = 1,   /* store it even if it has little work or is far ahead */
    CHAIN_ACCEPT_DURABLE = 2, /* answer after the block is synced to disk */
};

/* What chain_read_block() delivers. */
struct chain_block_read {
    int error; /* 0; -ENOENT not stored (pruned); -EUCLEAN damaged or lost; other faults */
    struct block_ref *block; /* decoded; borrowed for the call, hold it to keep it */
    struct span undo_raw;    /* encoded undo data if wanted and stored (undo_decode()) */
    const struct block_node *node;
};
typedef void chain_read_fn(void *arg, const struct chain_block_read *read);
/* The bytes of a block are there. On another thread. */
typedef void chain_read_work_fn(void *arg, struct span raw);

/* A transaction that the txindex knows. Borrowed for the call. */
struct chain_tx {
    const struct block_node *node; /* its block, of the active chain */
    const struct tx *tx;           /* NULL: it has to be looked for in its block */
    uint32_t first_spent;          /* with tx: where its coins are in the block's undo data */
};
typedef void chain_tx_fn(void *arg, int error, const struct chain_tx *found);

/* The transaction that spends an output. Borrowed for the call. */
struct chain_spender {
    const struct block_node *node; /* its block */
    const struct tx *tx;
};
typedef void chain_spender_fn(void *arg, int error, const struct chain_spender *spender);

/* Of which blocks filters are wanted: every step-th from height first on, in the chain that ends
 * with last. */
struct chain_filter_range {
    int32_t first, step;
    const struct block_node *last;
    bool wants_filters; /* or only their headers */
};
/* The filter of a block. Borrowed for the call. Spec: BIP-157, Filter Headers */
struct chain_filter {
    int32_t height;
    const struct block_hash *block;
    const uint8_t *hash, *header; /* 32 bytes each */
    struct span filter;           /* empty if only headers are wanted */
};
/* Returns: false: enough */
typedef bool chain_filter_fn(void *arg, const struct chain_filter *filter);
typedef void chain_filters_done_fn(void *arg, int error, size_t n_visited);

/* What the index of addresses tells: see chain/ask/address_history.h. Borrowed for the call, but
 * who wants to keep it takes it over and leaves zeros. */
struct address_history;
struct script_hash;
typedef void chain_addresses_fn(void *arg, int error, struct address_history *history);

/* An order, or something else that takes its time, is answered. */
typedef void chain_order_fn(void *arg, const struct verdict *verdict);

enum coin_stats_hash { COIN_STATS_NONE, COIN_STATS_SERIALIZED_3, COIN_STATS_MUHASH };
/* Why amounts that a block may make are nobody's. */
enum unspendable {
    UNSPENDABLE_GENESIS,   /* what the first block pays is no coin */
    UNSPENDABLE_BIP30,     /* a coinbase that another one overwrote */
    UNSPENDABLE_SCRIPTS,   /* outputs that no script can spend */
    UNSPENDABLE_UNCLAIMED, /* a part of subsidy and fees that the miner did not take */
    UNSPENDABLE_COUNT,
};
/* What one block did to the coins. In sat. */
struct coin_changes {
    int64_t spent_sat, coinbase_sat; /* coins that it spent; that its coinbase made */
    int64_t made_sat;                /* coins that its other transactions made */
    int64_t unspendable_sat[UNSPENDABLE_COUNT];
};
/* Of all coins of one tip. Borrowed for the call. */
struct coin_stats {
    const struct block_node *tip;
    uint64_t n_tx, n_outputs; /* transactions with unspent outputs; these */
    uint64_t bogo_size;       /* bytes, as Core counts them whatever the store's format is */
    uint64_t disk_bytes;      /* of the store's files, about */
    int64_t total_sat;
    uint8_t hash[32]; /* as asked for; zeros for COIN_STATS_NONE */
    /* By the index alone, which knows neither n_tx nor disk_bytes. */
    bool is_indexed;
    int64_t unspendable_sat; /* of all blocks up to there */
    struct coin_changes block;
};
typedef void coin_stats_fn(void *arg, int error, const struct coin_stats *stats);

/* A set of coins that was written to a file. Borrowed for the call. */
struct coin_dump {
    const struct block_node *base; /* as of this block */
    uint64_t n_coins;
    uint8_t coins_hash[32]; /* hash_serialized_3 */
};
typedef void coin_dump_fn(void *arg, int error, const struct coin_dump *dump);
/* What a file is called while it is written. */
#define COIN_DUMP_PART_SUFFIX ".incomplete"

/* A set of coins that was to be read from a file. Borrowed for the call. */
struct coin_load {
    const char *why;  /* it was refused, in Core's words; NULL: it was not */
    bool is_head;     /* for what it says of itself */
    bool is_bad_file; /* for what is in it: no moment will come when it is taken */
    const struct block_node *base;
    uint64_t n_coins;
};
/* error: -EBADMSG: refused; another negative errno: our world failed; 0: the chain goes on with
 * them */
typedef void coin_load_fn(void *arg, int error, const struct coin_load *load);
/* Nobody holds anything that depends on the coins as they are. */
typedef bool coins_may_change_fn(void *arg);
/* Who orders it vouches for the coins as of a block, beside what this release does: that is noted
 * with them over a restart. */
struct coin_vouch {
    struct block_hash base;
    uint8_t coins_hash[32]; /* hash_serialized_3 */
    uint64_t chain_tx;      /* transactions up to that block; 0: unknown */
};
/* Copied. may_change: asked with arg before that begins and before it is done; done: once, maybe
 * within the call. */
struct coin_load_order {
    const char *path;
    coins_may_change_fn *may_change;
    coin_load_fn *done;
    void *arg;
    const struct coin_vouch *vouch; /* NULL: nothing but what this release does */
};

/* A coin is shown; false ends it. */
typedef bool chain_coin_fn(void *arg, const struct outpoint *outpoint, const struct coin *coin);

#endif
