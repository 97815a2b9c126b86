/* mempool_internal.h - the inside of struct mempool; for mempool*.c only.
 *
 * Layer: mempool. Who does what: mempool.c makes it, answers questions and keeps its size,
 * graph.c holds entries and what they spend, cluster.c orders clusters,
 * select.c picks for a block, accept.c checks what comes in, blocks.c
 * follows the chain. */
#ifndef MEMPOOL_MEMPOOL_INTERNAL_H
#define MEMPOOL_MEMPOOL_INTERNAL_H

#include "chain/core/scratch_pool.h"
#include "consensus/tx_verify.h"
#include "crypto/siphash.h"
#include "mempool/mempool.h"
#include "mempool/policy.h"
#include "util/hash_map.h"

#define MEMPOOL_NO_CLUSTER UINT32_MAX

struct pool_entry;

/* A row of the index of outpoints spent. */
struct pool_spend {
    const struct outpoint *outpoint; /* of the entry's transaction */
    struct pool_entry *entry;
};

struct pool_entry {
    struct mempool_entry pub; /* first: the one is a pointer to the other */
    uint8_t *raw;
    struct arena arena;
    struct pool_spend *spends; /* n_in */
    struct pool_entry *older, *newer;
    uint32_t cluster_at; /* place in the order of its cluster */
    size_t memory_bytes; /* without edges */
    struct sequence_locks locks;
    /* Of the confirmed coins it spends, the highest; -1 for none: what a reorganisation can make
     * invalid. */
    int32_t coin_height_max, coinbase_height_max;
};

static inline struct pool_entry *pool_entry_of(const struct mempool_entry *entry)
{
    return (struct pool_entry *)entry;
}

/* Entries of a cluster that are mined together: those up to end that the chunk before has not. */
struct pool_chunk {
    uint32_t end;
    struct feerate rate; /* modified fees by adjusted weight */
};

/* A connected component, in an order in which it can be mined. */
struct pool_cluster {
    uint32_t n, n_chunks;
    struct pool_entry **order; /* n; parents before children */
    struct pool_chunk *chunks; /* n_chunks, rates falling */
    /* Most clusters are of one entry: order and chunks point here. */
    struct pool_entry *only;
    struct pool_chunk only_chunk;
    uint32_t adjusted_wu;
    uint64_t first_sequence; /* of the first entry: decides between equal rates */
    uint32_t heap_at[2];     /* by enum pool_heap_kind, or POOL_NOT_IN_HEAP */
    bool is_dirty;
};
#define POOL_NOT_IN_HEAP UINT32_MAX

enum pool_heap_kind {
    POOL_HEAP_WORST, /* the worst last chunk on top: what goes first */
    POOL_HEAP_BEST,  /* the best first chunk on top: what is mined first */
};

/* A binary heap of cluster ids. */
struct pool_heap {
    uint32_t *ids, n, capacity;
};

struct pool_clusters {
    struct pool_cluster **at; /* by id; NULL: free */
    uint32_t n, capacity;
    uint32_t *free_ids, n_free, free_capacity;
    struct pool_heap heap[2]; /* by enum pool_heap_kind */
    uint32_t *dirty, n_dirty, dirty_capacity;
};

/* A transaction to be put back after a reorganisation, in this order: those of blocks by height
 * and place, then those that were here before by sequence. */
struct pool_putback {
    struct txid txid;
    uint8_t *raw;
    size_t len;
    uint64_t major, minor;
    int64_t time_s;
    bool was_here; /* its scripts have been checked */
    bool is_unbroadcast;
};

struct pool_putbacks {
    struct pool_putback *at;
    size_t first, n, capacity; /* at[first .. n - 1] wait */
    size_t block_bytes;        /* of those that come from blocks */
    size_t under_way;
    bool is_sorted;
    struct u256 work_before; /* of the best tip that was left */
    uint64_t quiet_timer;
};

/* Who wants to know when all has been put back. */
struct pool_waiter {
    struct pool_waiter *next;
    void (*done)(void *arg);
    void *arg;
};

struct pool_check;

/* Checks of one source: what a peer sent never holds up what our user sent. */
enum pool_lane_kind {
    POOL_LANE_OWN,
    POOL_LANE_PEERS,
    POOL_LANE_COUNT,
};
struct pool_lane {
    size_t n, bytes;                                 /* under way */
    struct pool_check *first_forming, *last_forming; /* not yet looked at, in order of arrival */
};

struct mempool {
    const struct env *env;
    const struct log *log;
    struct chain *chain;
    struct mempool_options options;
    struct mempool_events events;
    struct policy policy;
    struct scratch_pool scratch; /* for jobs that check scripts */
    struct siphash_key key;

    struct hash_map by_txid, by_wtxid; /* of struct pool_entry */
    struct hash_map spent;             /* of struct pool_spend */
    struct hash_map deltas;            /* of struct mempool_delta */
    struct pool_entry **slots;         /* by index; NULL: free */
    uint32_t n_slots, slots_capacity;
    uint32_t *free_slots, n_free_slots, free_capacity;
    struct pool_entry *oldest, *newest;
    struct pool_clusters clusters;
    size_t count, vbytes, memory_bytes, n_unbroadcast;
    int64_t total_fee_sat;
    uint64_t sequence;
    uint64_t epoch; /* grows with every change of entries or tip */

    /* The floor that a full mempool leaves behind, in sat for 1,000 bytes; halves with time. */
    double rolling_sat_per_kvb;
    int64_t rolling_update_s;
    bool block_since_bump;
    int64_t oldest_time_s; /* no entry is older */

    struct pool_check *first_check, *last_check; /* under way, in order of arrival */
    size_t n_checks;
    struct pool_lane lanes[POOL_LANE_COUNT];
    struct hash_map checks; /* of struct pool_check, by txid; the first of each */
    bool is_waking;

    struct pool_putbacks putbacks;
    struct pool_waiter *waiters; /* in order of arrival */
    size_t n_loads;              /* files being loaded: mempool_file_load() */
    bool is_load_expected;
    bool closing;
    uint64_t close_timer;
    void (*close_done)(void *arg);
    void *close_arg;
};

static inline uint64_t pool_hash_id(const struct mempool *mempool, const uint8_t id[32])
{
    return siphash13_id(mempool->key, id, 0);
}

static inline struct feerate pool_entry_rate(const struct pool_entry *entry)
{
    return (struct feerate){entry->pub.modified_fee_sat, entry->pub.adjusted_wu};
}

/* -- mempool.c -- */

/* The floor that a full mempool has left, now; 0 if there is none. Core: GetMinFee() */
int64_t pool_rolling_feerate(struct mempool *mempool);
/* Drop what is too old, then the worst chunks until the rest fits. */
void pool_limit(struct mempool *mempool);
/* Nothing under way any more while closing: say so. */
void pool_close_continue(struct mempool *mempool);
int64_t pool_now_s(const struct mempool *mempool);

/* -- graph.c -- */

/* What is known of a transaction that passed all checks. */
struct pool_addition {
    uint8_t *raw_take;
    struct tx tx; /* borrows raw and arena */
    struct arena arena_take;
    int64_t fee_sat;
    uint32_t sigops_cost;
    int64_t time_s;
    struct sequence_locks locks;
    int32_t coin_height_max, coinbase_height_max;
    bool is_unbroadcast;
};

/* Add it: its parents are those entries whose outputs it spends. Tells the event. */
struct pool_entry *pool_add(struct mempool *mempool, const struct pool_addition *addition);
/* Remove an entry and tell the event; its children stay, as when it was mined. Clusters must be
 * settled afterwards: pool_clusters_settle(). */
void pool_remove(struct mempool *mempool, struct pool_entry *entry, enum mempool_reason reason);
/* Tell that our user has sent an entry once more. */
void pool_tell_again(struct mempool *mempool, const struct pool_entry *entry);
/* Remove an entry and all that spend from it, children first. */
void pool_remove_tree(struct mempool *mempool, struct pool_entry *entry,
                      enum mempool_reason reason);
struct pool_entry *pool_find(const struct mempool *mempool, const struct txid *txid);
struct pool_entry *pool_spender(const struct mempool *mempool, const struct outpoint *outpoint);
/* A row of bits over the cluster's order: the entry and all it spends from, or that spend from
 * it. */
uint64_t pool_ancestor_bits(const struct mempool *mempool, const struct pool_entry *entry);
uint64_t pool_descendant_bits(const struct mempool *mempool, const struct pool_entry *entry);
struct pool_cluster *pool_cluster_of(const struct mempool *mempool, const struct pool_entry *entry);

/* -- cluster.c -- */

/* Make the empty set of clusters; free its memory when it is empty again. */
void pool_clusters_init(struct pool_clusters *clusters);
void pool_clusters_deinit(struct pool_clusters *clusters);
/* Would an entry with these parents fit into one cluster with all of theirs? */
bool pool_cluster_has_room(const struct mempool *mempool, struct pool_entry *const *parents,
                           uint32_t n_parents, uint32_t adjusted_wu);
/* Put a new entry, whose parents are set, into the cluster that it makes of theirs. */
void pool_cluster_join(struct mempool *mempool, struct pool_entry *entry);
/* Take an entry out; its edges are gone already. */
void pool_cluster_leave(struct mempool *mempool, struct pool_entry *entry);
/* An entry's fee has changed. */
void pool_cluster_touch(struct mempool *mempool, struct pool_entry *entry);
/* Split and order the clusters that have changed. */
void pool_clusters_settle(struct mempool *mempool);
/* The cluster whose last chunk is the worst of all; NULL if there is none. */
struct pool_cluster *pool_clusters_worst(const struct mempool *mempool);
/* Assert the invariants of one cluster. */
void pool_cluster_verify(const struct mempool *mempool, uint32_t id);

/* -- accept.c -- */

/* mempool_accept() for a transaction to put back. Owns: raw_take. */
void pool_accept_putback(struct mempool *mempool, struct pool_putback *putback);

/* mempool_accept() for a transaction that came at that time, under an old start. */
void pool_accept_loaded(struct mempool *mempool, struct span raw, int64_t time_s,
                        mempool_result_fn *done, void *arg);

/* -- blocks.c -- */

/* Forget what waits to be put back. */
void pool_putbacks_deinit(struct mempool *mempool);
/* Go on with putting back, as far as there is room. */
void pool_putbacks_pump(struct mempool *mempool);
/* All that waits to be put back, in the order in which it will be. Returns how many; *out, to be
 * freed with xfree(), has pointers to them. */
size_t pool_putbacks_list(const struct mempool *mempool, const struct pool_putback ***out);
/* Nothing waits to be put back, or is being put back. */
bool pool_is_settled(const struct mempool *mempool);
/* If nothing is to be put back any more: tell who waits for that. */
void pool_waiters_call(struct mempool *mempool);

#endif
