/* cluster.h - clusters of entries: merging, splitting, ordering, the worst of all.
 *
 * Layer: mempool, internal. Called by graph.c, which knows the edges, and by deltas.c; limit.c and
 * select.c take from it what is worst and best. Between a change and pool_clusters_settle() only
 * membership and relatives may be asked for: chunks and heaps are of before. */
#ifndef MEMPOOL_CLUSTER_H
#define MEMPOOL_CLUSTER_H

#include "mempool/entries.h"

/* Make the empty set of clusters. */
void pool_clusters_init(struct pool_clusters *clusters);
/* Free its memory when it is empty again. */
void pool_clusters_deinit(struct pool_clusters *clusters);

/* What all of it takes from the heap. */
size_t pool_clusters_memory_bytes(const struct pool_clusters *clusters);

/* The cluster that an entry is in. */
struct pool_cluster *pool_cluster_of(const struct mempool *mempool, const struct pool_entry *entry);
/* The entry and all it spends from, a row of bits over its cluster's order. The cluster may be in
 * need of settling. */
uint64_t pool_ancestor_bits(const struct mempool *mempool, const struct pool_entry *entry);
/* The entry and all that spend from it, as such a row. */
uint64_t pool_descendant_bits(const struct mempool *mempool, const struct pool_entry *entry);

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
/* The cluster whose last chunk is the worst of all. Returns: NULL if there is none */
struct pool_cluster *pool_clusters_worst(const struct mempool *mempool);
/* Assert the invariants of one cluster. */
void pool_cluster_verify(const struct mempool *mempool, uint32_t id);

#endif
