/* graph.h - the entries of a mempool, what they spend, who spends them.
 *
 * Layer: mempool, internal. No two entries spend the same outpoint, and an entry whose output is
 * spent here is a parent of who spends it. Nothing is judged: accept.c adds what passed all checks;
 * blocks.c and limit.c say what has to go. */
#ifndef MEMPOOL_GRAPH_H
#define MEMPOOL_GRAPH_H

#include "mempool/entries.h"

/* What is known of a transaction that passed all checks. */
struct pool_addition {
    const struct tx *tx;        /* borrowed for the call: the entry has a copy */
    int64_t fee_sat, delta_sat; /* delta: what our user adds to it */
    uint32_t sigops_cost;
    int64_t time_s;
    bool was_in_block;
    struct sequence_locks locks;
    int32_t coin_height_max, coinbase_height_max;
    bool is_unbroadcast, is_putback, is_of_package;
};

/* Add it: its parents are those entries whose outputs it spends. Tells the event. */
struct pool_entry *pool_add(struct mempool *mempool, const struct pool_addition *addition);
/* Remove an entry and tell the event; its children stay, as when it was mined. Clusters must be
 * settled afterwards: pool_clusters_settle(). */
void pool_remove(struct mempool *mempool, struct pool_entry *entry, enum mempool_reason reason);
/* Remove an entry and all that spend from it, children first; settle afterwards. */
void pool_remove_tree(struct mempool *mempool, struct pool_entry *entry,
                      enum mempool_reason reason);
/* Tell that our user has sent an entry once more. */
void pool_tell_again(struct mempool *mempool, const struct pool_entry *entry);

/* The entry of an id. Returns: NULL if there is none */
struct pool_entry *pool_find(const struct mempool *mempool, const struct txid *txid);
/* The entries of a list of transactions, which lie anywhere in memory: fetched before they are
 * looked at.
 *
 * Out:  entries  n; NULL for what is not here */
void pool_find_all(const struct mempool *mempool, const struct tx *txs, uint32_t n,
                   struct pool_entry **entries);
/* Before entries[i] of n (NULL: none) is removed, and each of them in turn: fetch what will be
 * touched when those behind it are. */
void pool_remove_prefetch(const struct mempool *mempool, struct pool_entry *const *entries,
                          uint32_t n, uint32_t i);
/* The entry that spends an output. Returns: NULL if none does */
struct pool_entry *pool_spender(const struct mempool *mempool, const struct outpoint *outpoint);

/* What entries, clusters and tables take from the heap, to a few percent (hazard F14). */
size_t pool_memory_bytes(const struct mempool *mempool);

/* Assert the invariants of all entries and clusters. */
void pool_graph_verify(const struct mempool *mempool);

#endif
