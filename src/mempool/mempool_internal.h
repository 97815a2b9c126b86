/* mempool_internal.h - the inside of struct mempool, for its own modules only.
 *
 * Layer: mempool, internal. */
#ifndef MEMPOOL_MEMPOOL_INTERNAL_H
#define MEMPOOL_MEMPOOL_INTERNAL_H

#include "chain/core/scratch_pool.h"
#include "crypto/siphash.h"
#include "mempool/entries.h"
#include "mempool/policy.h"
#include "util/array.h"
#include "util/hash_map.h"
#include "util/list.h"

/* A transaction to be put back after a reorganisation, in this order: those of blocks by height
 * and place, then those that were here before by sequence. So parents come before their children,
 * which a transaction can only be checked after. */
struct pool_putback {
    struct txid txid;
    uint8_t *raw; /* owned, until its check takes it over */
    size_t len;
    uint64_t major, minor; /* the order: height and place, or the last of all and sequence */
    int64_t time_s;        /* since when it is known: the expiry goes by that */
    bool was_here;         /* its scripts have been checked */
    bool is_unbroadcast;
};

/* At rest there are none. A block taken back adds some, and nothing is put back until the chain
 * says where it rests: mempool_tip_changed(). */
struct pool_putbacks {
    struct pool_putback *at;
    size_t first, n, capacity; /* at[first .. n - 1] wait */
    size_t block_bytes;        /* of those that come from blocks */
    size_t under_way;          /* whose checks have begun */
    bool is_sorted;            /* and trimmed: they may be put back */
    struct u256 work_before;   /* of the best tip that was left */
    uint64_t quiet_timer;      /* 0: none */
};

/* Who wants to know when all has been put back. */
struct pool_waiter {
    struct list_link link;
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
    size_t n, bytes;     /* under way */
    size_t n_packages;   /* being judged: mempool_accept_package() */
    struct list forming; /* struct pool_check not yet looked at, in order of arrival */
};

/* The loop thread's alone, but for what is constant, which jobs read: options, policy, key and the
 * scratches. */
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
    ARRAY(struct pool_entry *) slots;  /* by index; NULL: free */
    struct pool_ids free_slots;
    struct pool_entry *oldest, *newest; /* by sequence: parents before children */
    struct pool_clusters clusters;
    size_t count, vbytes, n_unbroadcast;
    size_t memory_bytes; /* of entries and edges; all: pool_memory_bytes() */
    size_t bytes_beside; /* held by others for what waits */
    int64_t total_fee_sat;
    const struct txid *replacement; /* while others are removed for it, or NULL */
    uint64_t sequence; /* of the last event, by one more with each; begins anew with each start */
    uint64_t n_prioritised; /* times that an entry's priority was set */
    uint64_t epoch; /* grows with every change of entries or tip: what was found out in an older
                     * one has to be found out again */

    /* The floor that a full mempool leaves behind, in sat for 1,000 bytes; halves with time. */
    double rolling_sat_per_kvb;
    int64_t rolling_update_s; /* wall clock, of the last halving or block */
    bool block_since_bump;    /* only then it falls: until a block comes nothing has made room */
    int64_t oldest_time_s;    /* no entry is older */

    struct list under_way; /* of struct pool_check, in order of arrival */
    struct pool_lane lanes[POOL_LANE_COUNT];
    struct hash_map checks; /* of struct pool_check, by txid; the first of each */
    struct list woken;      /* of struct pool_check: what they waited for has been decided */
    bool is_waking;         /* wake_children() is at work further up */
    void (*check_ended)(struct mempool *mempool); /* tells those above accept.c */

    struct pool_putbacks putbacks;
    struct list waiters;   /* in order of arrival */
    size_t n_loads;        /* files being loaded: mempool_file_load() */
    bool is_load_expected; /* until that one has ended nothing may be saved */
    bool closing;          /* set by mempool_close(), never taken back */
    uint64_t close_timer;
    void (*close_done)(void *arg); /* NULL: not closing, or told */
    void *close_arg;
};

static inline uint64_t pool_hash_id(const struct mempool *mempool, const uint8_t id[32])
{
    return siphash13_id(mempool->key, id, 0);
}

static inline struct pool_lane *pool_lane_of(struct mempool *mempool, int accept_flags)
{
    bool is_of_peer = accept_flags & MEMPOOL_FROM_PEER;
    return &mempool->lanes[is_of_peer ? POOL_LANE_PEERS : POOL_LANE_OWN];
}

/* Packages being judged, whoever sent them. */
static inline size_t pool_packages(const struct mempool *mempool)
{
    return mempool->lanes[POOL_LANE_OWN].n_packages + mempool->lanes[POOL_LANE_PEERS].n_packages;
}

/* The wall clock. Units: seconds since 1970 */
static inline int64_t pool_now_s(const struct mempool *mempool)
{
    return env_unix_s(mempool->env);
}

/* Nothing under way any more while closing: say so. */
void pool_close_continue(struct mempool *mempool);

#endif
