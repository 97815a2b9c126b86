/* chain_internal.h - the inside of struct chain; for files of this layer only.
 *
 * Layer: chain. Who does what: startup.c opens and repairs, accept.c takes headers and blocks,
 * best_chain.c knows the candidates and what is invalid, pipeline.c drives blocks in flight
 * (flight.c, connect.c) and commits them, flush.c makes all durable, block_read.c reads back,
 * import.c feeds from files. */
#ifndef CHAIN_CHAIN_INTERNAL_H
#define CHAIN_CHAIN_INTERNAL_H

#include "chain/chain.h"
#include "chain/coins/overlay.h"
#include "chain/core/chain_core.h"
#include "chain/core/chain_part.h"
#include "chain/pipeline/flight.h"
#include "chain/tree/deployments.h"
#include "chain/tree/index_db.h"
#include "chain/tree/kept_blocks.h"
#include "chain/upkeep/lost.h"
#include "util/sorted_map.h"

/* Limits of the pipeline; see doc/architecture.md, "the life of a block". */
#define FLIGHTS_MAX               64
#define FLIGHT_PENDING_INPUTS_MAX 20000 /* scripts waiting, beyond which no block is connected */
#define FLIGHT_WINDOW_BYTES       (64u << 20)        /* raw bytes of blocks in flight */
#define LIVE_SEQUENCE_FIRST       (INT64_C(1) << 60) /* above that of any place in the files */
#define REORG_ATOMIC_MAX          16 /* deeper reorganisations show their way down */
#define KEPT_BLOCKS_MAX_BYTES     (64u << 20)
#define FLUSH_INTERVAL_US         (INT64_C(60) * 1000000)
#define FLUSH_INTERVAL_SYNCING_US (INT64_C(300) * 1000000)
#define TURN_MAX_US               10000 /* work done in one go before the loop gets its turn */

/* Somebody who wants to know what became of a block, or that the chain has come to rest. */
struct waiter {
    struct waiter *next;
    struct block_node *node; /* NULL: waits for rest only */
    struct chain_block_result result;
    bool durable;
    chain_block_fn *block_done; /* one of the two */
    chain_order_fn *order_done;
    void *arg;
};

/* The blocks of the committed chain by height. */
struct active_chain {
    struct block_node **at;
    size_t n, capacity;
};

enum flush_stage {
    FLUSH_IDLE,
    FLUSH_WAITING, /* for writes submitted before it began; nothing is committed meanwhile */
    FLUSH_SYNCING, /* files, then the index */
    FLUSH_COINS,   /* the frozen generation goes to the store; commits go on */
    FLUSH_PRUNING, /* after a flush: the index is written again, then files are removed */
};

/* What the index says is to be gone through at the next start. A mark is taken away in the batch
 * that has the rows it stands for, never before. */
enum chain_mark {
    CHAIN_MARK_REINDEX = 1, /* all block files */
    CHAIN_MARK_REPLAY = 2,  /* the block files from some place on */
};

struct flush_waiter {
    struct flush_waiter *next;
    void (*done)(void *arg, int error);
    void *arg;
};

struct flush {
    enum flush_stage stage;
    struct env_job job;
    struct chain *chain;
    struct env_batch *index_batch;
    unsigned ends_marks;          /* of enum chain_mark */
    struct flush_waiter *wanted;  /* want a flush that starts after now */
    struct flush_waiter *running; /* wait for the one under way */
    int error;
    uint64_t completed; /* flushes that reached the store */
    int64_t last_us;
    uint64_t timer;
    struct block_node *tip; /* what the store stands for */
};

struct prune_request;

struct prune {
    struct env_job job; /* first */
    struct chain *chain;
    struct env_batch *batch;
    size_t *files; /* to be removed when the batch is written */
    size_t n_files;
    int error;
    size_t n_files_seen;   /* when the target was looked at last */
    uint64_t flushes_seen; /* flush.completed, then */
    struct prune_request *requests;
};

struct import;

struct chain {
    struct chain_core core;
    char *blocks_dir;
    char *index_dir; /* of the block index */
    struct block_hash assume_valid;
    struct u256 min_chain_work;

    struct header_tree tree;
    struct deployments deployments;

    struct active_chain active;
    struct sorted_map candidates; /* of struct block_node: complete, not failed, ahead of the tip */
    int64_t next_sequence;        /* grows; loaded blocks are before it, by their place */
    int64_t precious_sequence;    /* falls below all others: preciousblock */
    struct block_node *precious_tip_base; /* tip when the last precious block was named */

    struct kept_blocks kept;
    struct overlay overlay;
    uint64_t next_layer;
    struct flight_list flights; /* oldest first */
    size_t flights_dropped;     /* dropped, but with jobs under way */
    size_t pending_inputs;
    size_t flight_bytes;

    size_t writes_pending[2]; /* block and undo data, by epoch: a flush waits for one of them */
    size_t undo_writes_pending;
    size_t unwritten_bytes;          /* of those: at most the limit and what one block makes */
    struct accept *held, *held_last; /* blocks that wait for room there, oldest first */
    unsigned write_epoch;
    struct flush flush;
    struct waiter *waiters, *sync_waiters;
    struct env_job sync_job;
    struct waiter *syncing;
    bool sync_running;
    int sync_error;

    bool tip_moved, headers_moved;
    bool close_flushing;
    uint64_t close_timer;
    int close_error;
    void (*close_done)(void *arg, int error);
    void *close_arg;
    struct import *imports;
    struct block_reads *reads;
    struct lost lost;
    struct undo_repair *undo_repair; /* NULL: not at work */
    uint64_t undo_changes_seen;      /* lost.n_changes, when it began last */
    struct txindex *txindex;
    struct spenderindex *spenderindex;
    uint64_t next_id;
    bool any_pruned;
    enum chain_damage damage; /* that kept the chain from being opened */
    int replay_error;         /* of the disk, while the coins were repaired */
    unsigned marks;           /* of enum chain_mark: which the index has ... */
    unsigned marks_over;      /* ... and which of them the next flush takes away */
    int64_t early_s; /* when a block of our files that is too new now may come; 0: none is */
    struct prune prune;
    int64_t next_check_us; /* of the invariants */
};

/* -- chain.c -- */

/* chain_tip(), to be changed. */
struct block_node *chain_tip_node(const struct chain *chain);
/* Set the sticky "caught up" mark once the tip is recent and has enough work. */
void chain_update_initial_download(struct chain *chain);

/* The rows of the turn. */
extern const struct chain_part accept_part, waiters_part, import_part, pipeline_part, flush_part,
    prune_part, check_part, block_reads_part, txindex_part, spenderindex_part;
/* Is any part busy? Let every part cancel. */
bool chain_parts_are_busy(const struct chain *chain);
void chain_parts_cancel(struct chain *chain);

/* -- close.c -- */

/* At the end of a turn while the chain is being closed: go on if nothing is under way. */
void close_step(struct chain *chain);

/* The tip has moved, up or down: bring the array by height in line. */
void active_chain_set_tip(struct active_chain *active, struct block_node *tip);

/* -- accept.c -- */

/* Header rules in their place. Returns the node (new or known) or NULL with the verdict. */
struct block_node *accept_header(struct chain *chain, const struct block_header *header,
                                 const struct block_hash *hash, struct verdict *verdict);
/* Take a block from a file of ours. pos: where its bytes are if that is in the block files
 * already, else NULL. done as for chain_accept_block(). */
void accept_imported_block(struct chain *chain, const struct file_pos *pos, uint8_t *block_take,
                           size_t len, chain_block_fn *done, void *arg);
/* A write job of ours ended: counts and faults. */
void write_done(struct chain *chain, unsigned epoch, size_t bytes, int error);
/* One more is given to a job; returns its epoch. Is there room for more? */
unsigned write_start(struct chain *chain, size_t bytes);
bool write_has_room(const struct chain *chain);

/* -- best_chain.c -- */

/* Make the set of candidates, empty. */
void best_chain_init(struct chain *chain);
/* The node's block is now stored: sets chain_tx of it and of waiting descendants, which may
 * become candidates. was_in_files: it was found in the block files, not taken in just now. */
void best_chain_block_stored(struct chain *chain, struct block_node *node, uint32_t n_tx,
                             bool was_in_files);
/* The order among blocks of like work that the block files tell; less than that of a block that is
 * taken in from now on. */
int64_t best_chain_place_sequence(const struct block_node *node);
/* The best complete chain's tip that is not known to be invalid. Never NULL. */
struct block_node *best_chain_target(struct chain *chain);
/* Mark a block invalid, with its descendants. */
void best_chain_mark_failed(struct chain *chain, struct block_node *node);
/* Forget candidates that the tip has passed; after the tip moved. */
void best_chain_tip_moved(struct chain *chain);
/* Fill the candidates from the tree: at start and after invalidations. */
void best_chain_rebuild(struct chain *chain);
/* The stored data of a block beside the committed chain turned out to be gone or damaged: as if it
 * had never been stored. */
void best_chain_data_lost(struct chain *chain, struct block_node *node);

/* -- pipeline.c -- */

/* Nothing in flight and the tip is the best chain. */
bool pipeline_is_at_rest(const struct chain *chain);
/* Fly a block that will not be committed. At rest only. */
void pipeline_start_test(struct chain *chain, struct flight *flight);
/* Drop all flights (closing, fault). */
void pipeline_drop_all(struct chain *chain);
/* Store a block's undo data (undo_take: from xmalloc), in its old place if there is one of that
 * length, off the loop. The node has it from now on. */
void pipeline_write_undo(struct chain *chain, struct block_node *node, uint8_t *undo_take,
                         size_t len);

/* -- waiters (orders.c) -- */
void waiters_add(struct chain *chain, struct waiter *waiter);
void waiters_block_failed(struct chain *chain, const struct block_node *node,
                          const struct verdict *verdict);
/* The way back from a tip that was invalidated is barred by a block that cannot be read: the order
 * is taken back and answered with verdict. Returns false if the tip was not invalidated. */
bool orders_give_up(struct chain *chain, const struct verdict *verdict);

/* -- flush.c -- */
void flush_start_timer(struct chain *chain);
/* No block may be committed right now (a flush is about to freeze the coins). */
bool flush_holds_commits(const struct chain *chain);

/* -- import.c -- */
bool import_is_active(const struct chain *chain);
/* Import blk files: all of them from the start (reindex), or only what lies behind the index. */
void import_block_files(struct chain *chain, bool from_start);

/* -- block_read.c -- */
void block_reads_init(struct chain *chain);
void block_reads_deinit(struct chain *chain);

/* -- verify.c -- */
/* Check the last blocks as the options want it. */
void verify_at_start(struct chain *chain);

/* -- prune.c -- */

/* The target is passed: only a flush makes pruning possible. */
bool prune_wants_flush(const struct chain *chain);

/* -- txindex.c: optional, follows the committed tip -- */
int txindex_open(struct chain *chain, char **error);
void txindex_close(struct chain *chain);

/* -- spenderindex.c: optional, follows the committed tip as the txindex does -- */
int spenderindex_open(struct chain *chain, char **error);
void spenderindex_close(struct chain *chain);

#endif
