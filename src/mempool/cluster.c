/* cluster.c - clusters of entries: merging, splitting, ordering, the worst of all.
 *
 * A change marks clusters dirty; pool_clusters_settle() then splits each into its connected
 * components and orders each component anew. With at most 64 entries a set of them is one word, so
 * that doing this from scratch costs less than keeping track of what has changed. */
#include "mempool/cluster.h"

#include "mempool/mempool_internal.h"
#include "util/array.h"

_Static_assert(MEMPOOL_CLUSTER_COUNT_MAX <= LINEAR_COUNT_MAX, "a cluster can be ordered");

/* A cluster being ordered: bit i stands for member[i], members sorted by sequence. */
struct draft {
    struct pool_entry *member[MEMPOOL_CLUSTER_COUNT_MAX];
    struct linear_graph graph;
    uint64_t linked[MEMPOOL_CLUSTER_COUNT_MAX]; /* parents, children */
};

void pool_clusters_init(struct pool_clusters *clusters)
{
    *clusters = (struct pool_clusters){.worst = {.worst_first = true}};
}

/* When there is no cluster. */
static void free_lists(struct pool_clusters *clusters)
{
    ASSERT(clusters->free.n == clusters->n && clusters->dirty.n == 0);
    ASSERT(clusters->worst.items.n == 0 && clusters->best.items.n == 0);
    ASSERT(clusters->memory_bytes == 0 && clusters->n_best == 0);
    for (uint32_t i = 0; i < clusters->n; i++)
        ASSERT(!clusters->at[i]);
    ARRAY_FREE(clusters);
    ARRAY_FREE(&clusters->free);
    ARRAY_FREE(&clusters->dirty);
    rate_heap_clear(&clusters->worst);
    rate_heap_clear(&clusters->best);
}

void pool_clusters_deinit(struct pool_clusters *clusters)
{
    free_lists(clusters);
}

/* -- Memory ------------------------------------------------------------------------------------ */

size_t pool_clusters_memory_bytes(const struct pool_clusters *clusters)
{
    return clusters->memory_bytes + ARRAY_FOOTPRINT_BYTES(clusters) +
           ARRAY_FOOTPRINT_BYTES(&clusters->free) + ARRAY_FOOTPRINT_BYTES(&clusters->dirty) +
           rate_heap_footprint_bytes(&clusters->worst) + rate_heap_footprint_bytes(&clusters->best);
}

/* What a cluster of more than one entry and one chunk has beside itself. n: of entries, chunks */
static size_t order_bytes(size_t n)
{
    return n > 1 ? alloc_footprint_bytes(n * sizeof(struct pool_entry *)) : 0;
}

static size_t chunks_bytes(size_t n)
{
    return n > 1 ? alloc_footprint_bytes(n * sizeof(struct linear_chunk)) : 0;
}

static void free_order(struct pool_clusters *clusters, struct pool_cluster *cluster)
{
    clusters->memory_bytes -= order_bytes(cluster->n_ordered);
    cluster->n_ordered = 0;
    if (cluster->order != &cluster->only)
        xfree(cluster->order);
}

static void free_chunks(struct pool_clusters *clusters, struct pool_cluster *cluster)
{
    clusters->memory_bytes -= chunks_bytes(cluster->n_chunks);
    if (cluster->chunks != &cluster->only_chunk)
        xfree(cluster->chunks);
}

/* -- The heaps --------------------------------------------------------------------------------- */

static struct feerate worst_level(const struct pool_cluster *cluster)
{
    struct feerate level = {0, 0};
    for (uint32_t i = 0; i < cluster->n_chunks; i++)
        level = pool_chunk_level(cluster, i, level);
    return level;
}

static void put_into_heaps(struct pool_clusters *clusters, uint32_t id)
{
    const struct pool_cluster *cluster = clusters->at[id];
    uint64_t rank = pool_chunk_rank(cluster, 0);
    rate_heap_put(&clusters->best, id, cluster->chunks[0].rate, rank);
    if (cluster->n_chunks > 1)
        rank = pool_chunk_rank(cluster, cluster->n_chunks - 1);
    rate_heap_put(&clusters->worst, id, worst_level(cluster), rank);
}

struct pool_cluster *pool_clusters_worst(const struct mempool *mempool)
{
    const struct pool_clusters *clusters = &mempool->clusters;
    uint32_t id = rate_heap_at(&clusters->worst, 0);
    ASSERT(clusters->dirty.n == 0);
    return id == RATE_HEAP_NOWHERE ? NULL : clusters->at[id];
}

/* -- Membership -------------------------------------------------------------------------------- */

static uint32_t cluster_new(struct pool_clusters *clusters)
{
    uint32_t id;
    if (clusters->free.n > 0) {
        id = clusters->free.at[--clusters->free.n];
        ASSERT(id < clusters->n && !clusters->at[id]);
    } else {
        ARRAY_RESERVE(clusters, 1);
        id = (uint32_t)clusters->n++;
    }
    struct pool_cluster *cluster = xcalloc(1, sizeof *cluster);
    clusters->at[id] = cluster;
    clusters->memory_bytes += alloc_footprint_bytes(sizeof *cluster);
    return id;
}

/* entries: not the cluster's own order, which is freed. */
static void set_order(struct pool_clusters *clusters, struct pool_cluster *cluster,
                      struct pool_entry *const *entries, uint32_t n)
{
    ASSERT(n > 0 && n <= MEMPOOL_CLUSTER_COUNT_MAX);
    struct pool_entry **order = &cluster->only;
    if (n > 1)
        order = xmalloc(n * sizeof(struct pool_entry *));
    for (uint32_t i = 0; i < n; i++) {
        order[i] = entries[i];
        order[i]->cluster_at = i;
    }
    free_order(clusters, cluster);
    cluster->order = order;
    cluster->n = cluster->n_ordered = n;
    clusters->memory_bytes += order_bytes(n);
}

static void set_chunks(struct pool_clusters *clusters, struct pool_cluster *cluster,
                       const struct linear_chunk *chunks, uint32_t n)
{
    ASSERT(n > 0 && n <= cluster->n && chunks[n - 1].end == cluster->n);
    free_chunks(clusters, cluster);
    cluster->only_chunk = chunks[0];
    cluster->chunks = n > 1 ? xmemdup(chunks, n * sizeof *chunks) : &cluster->only_chunk;
    cluster->n_chunks = n;
    clusters->memory_bytes += chunks_bytes(n);
}

static void cluster_free(struct pool_clusters *clusters, uint32_t id)
{
    struct pool_cluster *cluster = clusters->at[id];
    ASSERT(cluster && !cluster->is_dirty);
    rate_heap_take(&clusters->worst, id);
    rate_heap_take(&clusters->best, id);
    clusters->n_best -= cluster->is_best;
    free_order(clusters, cluster);
    free_chunks(clusters, cluster);
    clusters->memory_bytes -= alloc_footprint_bytes(sizeof *cluster);
    xfree(cluster);
    clusters->at[id] = NULL;
    *ARRAY_ADD(&clusters->free) = id;
}

static void mark_dirty(struct pool_clusters *clusters, uint32_t id)
{
    ASSERT(id < clusters->n && clusters->at[id]);
    if (clusters->at[id]->is_dirty)
        return;
    clusters->at[id]->is_dirty = true;
    *ARRAY_ADD(&clusters->dirty) = id;
}

/* The distinct clusters of some entries. Returns how many. */
static uint32_t clusters_of(struct pool_entry *const *entries, uint32_t n,
                            uint32_t ids[MEMPOOL_CLUSTER_COUNT_MAX])
{
    uint32_t n_ids = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (k < n_ids && ids[k] != entries[i]->pub.cluster)
            k++;
        if (k < n_ids)
            continue;
        ASSERT(n_ids < MEMPOOL_CLUSTER_COUNT_MAX);
        ids[n_ids++] = entries[i]->pub.cluster;
    }
    return n_ids;
}

static uint64_t cluster_wu_max(const struct mempool *mempool)
{
    return (uint64_t)mempool->options.cluster_vbytes_max * WITNESS_SCALE;
}

bool pool_cluster_has_room(const struct mempool *mempool, struct pool_entry *const *parents,
                           uint32_t n_parents, uint32_t adjusted_wu)
{
    uint32_t ids[MEMPOOL_CLUSTER_COUNT_MAX];
    if (n_parents >= MEMPOOL_CLUSTER_COUNT_MAX)
        return false;
    uint32_t n_ids = clusters_of(parents, n_parents, ids);
    uint64_t wu = adjusted_wu, count = 1;
    for (uint32_t i = 0; i < n_ids; i++) {
        count += mempool->clusters.at[ids[i]]->n;
        wu += mempool->clusters.at[ids[i]]->adjusted_wu;
    }
    return count <= mempool->options.cluster_count_max && wu <= cluster_wu_max(mempool);
}

void pool_cluster_join(struct mempool *mempool, struct pool_entry *entry)
{
    ASSERT(entry->pub.n_parents < MEMPOOL_CLUSTER_COUNT_MAX);
    struct pool_clusters *clusters = &mempool->clusters;
    struct pool_entry *all[MEMPOOL_CLUSTER_COUNT_MAX];
    uint32_t ids[MEMPOOL_CLUSTER_COUNT_MAX], n = 0, wu = entry->pub.adjusted_wu;
    for (uint32_t i = 0; i < entry->pub.n_parents; i++)
        all[i] = mempool->slots.at[entry->pub.parents[i]];
    uint32_t n_ids = clusters_of(all, entry->pub.n_parents, ids);
    if (n_ids == 0)
        ids[n_ids++] = cluster_new(clusters);
    for (uint32_t i = 0; i < n_ids; i++) {
        struct pool_cluster *from = clusters->at[ids[i]];
        for (uint32_t k = 0; k < from->n; k++) {
            all[n] = from->order[k];
            all[n++]->pub.cluster = ids[0];
        }
        wu += from->adjusted_wu;
        ASSERT(!from->is_dirty && n < MEMPOOL_CLUSTER_COUNT_MAX);
        if (i > 0)
            cluster_free(clusters, ids[i]);
    }
    all[n++] = entry;
    entry->pub.cluster = ids[0];
    set_order(clusters, clusters->at[ids[0]], all, n);
    clusters->at[ids[0]]->adjusted_wu = wu;
    mark_dirty(clusters, ids[0]);
}

void pool_cluster_leave(struct mempool *mempool, struct pool_entry *entry)
{
    uint32_t id = entry->pub.cluster;
    struct pool_cluster *cluster = mempool->clusters.at[id];
    ASSERT(cluster->order[entry->cluster_at] == entry);
    ASSERT(entry->cluster_at < cluster->n && cluster->adjusted_wu >= entry->pub.adjusted_wu);
    ASSERT(entry->pub.n_parents == 0 && entry->pub.n_children == 0);
    for (uint32_t i = entry->cluster_at + 1; i < cluster->n; i++) {
        cluster->order[i - 1] = cluster->order[i];
        cluster->order[i - 1]->cluster_at = i - 1;
    }
    cluster->n--;
    cluster->adjusted_wu -= entry->pub.adjusted_wu;
    entry->pub.cluster = MEMPOOL_NO_CLUSTER;
    mark_dirty(&mempool->clusters, id);
}

void pool_cluster_touch(struct mempool *mempool, struct pool_entry *entry)
{
    mark_dirty(&mempool->clusters, entry->pub.cluster);
}

/* -- Relatives --------------------------------------------------------------------------------- */

struct pool_cluster *pool_cluster_of(const struct mempool *mempool, const struct pool_entry *entry)
{
    ASSERT(entry->pub.cluster < mempool->clusters.n);
    return mempool->clusters.at[entry->pub.cluster];
}

/* Parents come before children in the order of a cluster: one pass down, or one up, finds all. */
uint64_t pool_ancestor_bits(const struct mempool *mempool, const struct pool_entry *entry)
{
    ASSERT(pool_cluster_of(mempool, entry)->order[entry->cluster_at] == entry);
    const struct pool_cluster *cluster = pool_cluster_of(mempool, entry);
    uint64_t bits = UINT64_C(1) << entry->cluster_at;
    for (uint32_t i = entry->cluster_at + 1; i-- > 0;) {
        const struct mempool_entry *at = &cluster->order[i]->pub;
        for (uint32_t k = 0; (bits >> i & 1) && k < at->n_parents; k++)
            bits |= UINT64_C(1) << mempool->slots.at[at->parents[k]]->cluster_at;
    }
    return bits;
}

uint64_t pool_descendant_bits(const struct mempool *mempool, const struct pool_entry *entry)
{
    ASSERT(pool_cluster_of(mempool, entry)->order[entry->cluster_at] == entry);
    const struct pool_cluster *cluster = pool_cluster_of(mempool, entry);
    uint64_t bits = UINT64_C(1) << entry->cluster_at;
    for (uint32_t i = entry->cluster_at; i < cluster->n; i++) {
        const struct mempool_entry *at = &cluster->order[i]->pub;
        for (uint32_t k = 0; (bits >> i & 1) && k < at->n_children; k++)
            bits |= UINT64_C(1) << mempool->slots.at[at->children[k]]->cluster_at;
    }
    return bits;
}

/* -- Ordering ---------------------------------------------------------------------------------- */

/* A parent has a smaller sequence than its children, so that this is a valid order. */
static void sort_by_sequence(struct pool_entry **entries, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct pool_entry *entry = entries[i];
        uint32_t at = i;
        for (; at > 0 && entries[at - 1]->pub.sequence > entry->pub.sequence; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* Names by id: where Core's order of equals can be seen, that is what decides. */
static void name_members(struct draft *draft, uint32_t n)
{
    uint8_t by_id[MEMPOOL_CLUSTER_COUNT_MAX];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i;
        const struct txid *txid = &draft->member[i]->pub.tx.txid;
        for (; at > 0 && txid_compare(&draft->member[by_id[at - 1]]->pub.tx.txid, txid) > 0; at--)
            by_id[at] = by_id[at - 1];
        by_id[at] = (uint8_t)i;
    }
    for (uint32_t i = 0; i < n; i++)
        draft->graph.name[by_id[i]] = (uint8_t)i;
}

/* Sets every member's cluster_at to its bit. */
static void draft_fill(const struct mempool *mempool, struct draft *draft, uint32_t n)
{
    struct linear_graph *graph = &draft->graph;
    graph->n = n;
    sort_by_sequence(draft->member, n);
    name_members(draft, n);
    for (uint32_t i = 0; i < n; i++)
        draft->member[i]->cluster_at = i;
    for (uint32_t i = 0; i < n; i++) {
        const struct mempool_entry *entry = &draft->member[i]->pub;
        graph->rate[i] = pool_entry_rate(draft->member[i]);
        graph->ancestors[i] = UINT64_C(1) << i;
        draft->linked[i] = 0;
        for (uint32_t k = 0; k < entry->n_parents; k++) {
            uint32_t at = mempool->slots.at[entry->parents[k]]->cluster_at;
            ASSERT(at < i);
            graph->ancestors[i] |= graph->ancestors[at];
            draft->linked[i] |= UINT64_C(1) << at;
            draft->linked[at] |= UINT64_C(1) << i;
        }
    }
}

/* All that hangs together with the first member of a set. */
static uint64_t component_of_first(const struct draft *draft, uint64_t set)
{
    uint64_t component = set & -set, before = 0;
    while (component != before) {
        uint64_t fresh = component & ~before;
        before = component;
        for (; fresh; fresh &= fresh - 1)
            component |= draft->linked[__builtin_ctzll(fresh)];
    }
    ASSERT((component & ~set) == 0);
    return component;
}

/* A component becomes the cluster of that id: ordered, cut, and put into its places. */
static void settle_component(struct mempool *mempool, uint32_t id, const struct draft *draft,
                             uint64_t set)
{
    struct pool_cluster *cluster = mempool->clusters.at[id];
    struct pool_entry *order[MEMPOOL_CLUSTER_COUNT_MAX];
    struct linear_chunk chunks[MEMPOOL_CLUSTER_COUNT_MAX];
    uint8_t numbers[MEMPOOL_CLUSTER_COUNT_MAX];
    bool is_best;
    uint32_t n = linearise_within(&draft->graph, set, LINEAR_STEPS_MAX, numbers, &is_best);
    for (uint32_t i = 0; i < n; i++)
        order[i] = draft->member[numbers[i]];
    set_order(&mempool->clusters, cluster, order, n);
    set_chunks(&mempool->clusters, cluster, chunks,
               linear_cut_chunks(&draft->graph, numbers, n, chunks));
    cluster->adjusted_wu = 0;
    for (uint32_t i = 0; i < n; i++) {
        order[i]->pub.cluster = id;
        cluster->adjusted_wu += order[i]->pub.adjusted_wu;
    }
    mempool->clusters.n_best += (size_t)is_best - (size_t)cluster->is_best;
    cluster->is_best = is_best;
    put_into_heaps(&mempool->clusters, id);
}

/* The first component keeps the id; each other becomes a cluster of its own. */
static void settle(struct mempool *mempool, uint32_t id)
{
    struct pool_cluster *cluster = mempool->clusters.at[id];
    cluster->is_dirty = false;
    if (cluster->n == 0) {
        cluster_free(&mempool->clusters, id);
        return;
    }
    ASSERT(cluster->n <= MEMPOOL_CLUSTER_COUNT_MAX);
    struct draft draft;
    uint64_t components[MEMPOOL_CLUSTER_COUNT_MAX];
    uint32_t n_components = 0;
    memcpy(draft.member, cluster->order, cluster->n * sizeof(struct pool_entry *));
    draft_fill(mempool, &draft, cluster->n);
    uint64_t left = UINT64_MAX >> (64 - draft.graph.n);
    for (; left; left &= ~components[n_components++])
        components[n_components] = component_of_first(&draft, left);
    for (uint32_t i = 0; i < n_components; i++)
        settle_component(mempool, i == 0 ? id : cluster_new(&mempool->clusters), &draft,
                         components[i]);
}

void pool_clusters_settle(struct mempool *mempool)
{
    struct pool_clusters *clusters = &mempool->clusters;
    for (uint32_t i = 0; i < clusters->dirty.n; i++)
        settle(mempool, clusters->dirty.at[i]);
    clusters->dirty.n = 0;
    if (clusters->free.n == clusters->n) /* none is left */
        free_lists(clusters);
}

/* -- Invariants -------------------------------------------------------------------------------- */

static bool is_connected(const struct mempool *mempool, const struct pool_cluster *cluster)
{
    uint64_t reached = 1, before = 0;
    while (reached != before) {
        before = reached;
        for (uint32_t i = 0; i < cluster->n; i++)
            if (before >> i & 1)
                reached |= pool_ancestor_bits(mempool, cluster->order[i]) |
                           pool_descendant_bits(mempool, cluster->order[i]);
    }
    return reached == UINT64_MAX >> (64 - cluster->n);
}

void pool_cluster_verify(const struct mempool *mempool, uint32_t id)
{
    const struct pool_cluster *cluster = mempool->clusters.at[id];
    ASSERT(!cluster->is_dirty && cluster->n > 0 && cluster->n <= MEMPOOL_CLUSTER_COUNT_MAX);
    ASSERT(cluster->adjusted_wu <= cluster_wu_max(mempool));
    uint32_t wu = 0, at = 0;
    for (uint32_t i = 0; i < cluster->n; i++) {
        const struct pool_entry *entry = cluster->order[i];
        ASSERT(entry->cluster_at == i && entry->pub.cluster == id);
        wu += entry->pub.adjusted_wu;
        for (uint32_t k = 0; k < entry->pub.n_parents; k++) {
            const struct pool_entry *parent = mempool->slots.at[entry->pub.parents[k]];
            ASSERT(parent->pub.cluster == id && parent->cluster_at < i);
        }
    }
    ASSERT(wu == cluster->adjusted_wu && is_connected(mempool, cluster));
    for (uint32_t c = 0; c < cluster->n_chunks; c++) {
        struct feerate rate = {0, 0};
        for (; at < cluster->chunks[c].end; at++) {
            rate.fee_sat += cluster->order[at]->pub.modified_fee_sat;
            rate.size += cluster->order[at]->pub.adjusted_wu;
        }
        ASSERT(feerate_compare(rate, cluster->chunks[c].rate) == 0);
        ASSERT(c == 0 || feerate_compare(cluster->chunks[c - 1].rate, rate) >= 0);
    }
    ASSERT(at == cluster->n);
    rate_heap_verify(&mempool->clusters.worst, id, worst_level(cluster),
                     pool_chunk_rank(cluster, cluster->n_chunks - 1));
    rate_heap_verify(&mempool->clusters.best, id, cluster->chunks[0].rate,
                     pool_chunk_rank(cluster, 0));
}
