/* entries.h - entries and clusters as the mempool's own modules see them.
 *
 * Layer: mempool, internal. Who does what, from the bottom: linearise.c orders numbers, diagram.c
 * compares what orders earn, rate_heap.c has the worst and the best on top, cluster.c keeps
 * clusters in order, graph.c
 * holds entries and what they spend, deltas.c what our user adds to fees, limit.c keeps the size,
 * check.c has the rules, accept.c leads through them what comes in, blocks.c follows the chain,
 * mempool.c makes it and answers questions. Each calls those before it only. */
#ifndef MEMPOOL_ENTRIES_H
#define MEMPOOL_ENTRIES_H

#include "consensus/tx_verify.h"
#include "mempool/linearise.h"
#include "mempool/mempool.h"
#include "mempool/rate_heap.h"
#include "util/endian.h"

#define MEMPOOL_NO_CLUSTER UINT32_MAX

struct pool_entry;

/* A row of the index of outpoints spent. */
struct pool_spend {
    const struct outpoint *outpoint; /* of the entry's transaction */
    struct pool_entry *entry;
};

/* One entry, with all that its transaction and spends point to behind it in the same allocation.
 * The loop thread's; its transaction never changes once it is in. graph.c adds and removes it,
 * cluster.c alone changes its cluster and its place there. */
struct pool_entry {
    struct mempool_entry pub;  /* first: the one is a pointer to the other */
    struct pool_spend *spends; /* n_in */
    struct pool_entry *older, *newer;
    uint32_t cluster_at;         /* place in the order of its cluster */
    struct sequence_locks locks; /* of the coins it spends. BIP-68, Specification */
    /* Of the confirmed coins it spends, the highest; -1 for none: what a reorganisation can make
     * invalid. */
    int32_t coin_height_max, coinbase_height_max;
};

/* A list of ids. */
struct pool_txids {
    struct txid *at;
    size_t n, capacity;
};

static inline struct pool_entry *pool_entry_of(const struct mempool_entry *entry)
{
    return (struct pool_entry *)entry;
}

/* A connected component, in an order in which it can be mined. While it is dirty it may be several
 * components, its order is valid but not good, and its chunks and places in the heaps are of
 * before. */
struct pool_cluster {
    uint32_t n, n_chunks;
    uint32_t n_ordered; /* that order has room for: n, but that of before while it is dirty */
    struct pool_entry **order;   /* n; parents before children */
    struct linear_chunk *chunks; /* n_chunks, mined together each; modified fees, adjusted weight */
    /* Most clusters are of one entry: order and chunks point here. */
    struct pool_entry *only;
    struct linear_chunk only_chunk;
    uint32_t adjusted_wu; /* of all its entries */
    bool is_dirty;        /* in the list of those to be settled */
    bool is_best;         /* no order is better */
};

/* Ids or indexes, in no order. */
struct pool_ids {
    uint32_t *at;
    size_t n, capacity;
};

/* All clusters. Every one that is not dirty is in both heaps. Ids are used again: they mean
 * nothing beyond the next change. */
struct pool_clusters {
    struct pool_cluster **at; /* by id; NULL: free */
    size_t n, capacity;
    struct pool_ids free, dirty;
    /* Of ids: by their last chunk, what goes first on top; by their first, what is mined first. By
     * pool_chunk_level() and pool_chunk_rank(). */
    struct rate_heap worst, best;
    size_t n_best;       /* that are in the best order; others are rare, and too hard */
    size_t memory_bytes; /* that all of them take from the heap; not these lists */
};

/* Where among all chunks of the same rate a cluster's chunk i is mined: the one first that has
 * least before it in its cluster at that rate, itself counted; of equals the one whose highest id
 * is lowest, as far as 64 bits tell: pool_chunk_rank(). Spec: Core, Txgraph's order of the main
 * graph
 *
 * In:       before  the level of chunk i - 1
 * Returns:  fees and sizes of all chunks of its rate up to it */
static inline struct feerate pool_chunk_level(const struct pool_cluster *cluster, uint32_t i,
                                              struct feerate before)
{
    struct feerate rate = cluster->chunks[i].rate;
    if (i > 0 && feerate_compare(cluster->chunks[i - 1].rate, rate) == 0)
        rate = (struct feerate){rate.fee_sat + before.fee_sat, rate.size + before.size};
    return rate;
}

static inline uint64_t pool_chunk_rank(const struct pool_cluster *cluster, uint32_t i)
{
    uint64_t rank = 0;
    for (uint32_t at = i == 0 ? 0 : cluster->chunks[i - 1].end; at < cluster->chunks[i].end; at++)
        rank = MAX_OF(rank, load_be64(cluster->order[at]->pub.tx.txid.b));
    return rank;
}

static inline struct feerate pool_entry_rate(const struct pool_entry *entry)
{
    return (struct feerate){entry->pub.modified_fee_sat, entry->pub.adjusted_wu};
}

#endif
