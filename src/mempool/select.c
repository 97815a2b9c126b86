/* select.c - all chunks in the order in which they are mined, and those that a block has room for:
 * the chunks of all clusters, merged by falling rate. What goes when the mempool is full is the
 * last of this order: limit.c. */
#include "mempool/mempool_internal.h"
#include "util/array.h"

/* A block with less room than this is full enough to stop trying what may still fit. */
#define FULL_ENOUGH_WU        4000
#define FAILURES_IN_A_ROW_MAX 1000

/* How far the chunks of a cluster have been looked at. */
struct cursor {
    const struct pool_cluster *cluster;
    uint32_t chunk;
    uint32_t place;             /* of the cluster, in the mempool's own heap */
    struct rate_heap_item item; /* of the chunk, as its cluster's own is in that heap */
};

/* A heap of cursors, the best next chunk on top. It begins with the top of the mempool's own heap
 * of clusters; the two below a cluster there come in when it is reached. So a block looks at no
 * more clusters than it takes from, however many there are. */
struct merge {
    const struct pool_clusters *clusters;
    struct cursor *at;
    size_t n, capacity;
};

static bool is_before(const struct cursor *a, const struct cursor *b)
{
    return rate_heap_is_better(&a->item, &b->item);
}

/* Put a cursor in the place of the top, and let it sink to where it belongs. */
static void sift_down(struct merge *merge, struct cursor cursor)
{
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= merge->n)
            break;
        if (child + 1 < merge->n && is_before(&merge->at[child + 1], &merge->at[child]))
            child++;
        if (!is_before(&merge->at[child], &cursor))
            break;
        merge->at[at] = merge->at[child];
        at = child;
    }
    merge->at[at] = cursor;
}

static void merge_push(struct merge *merge, struct cursor cursor)
{
    ARRAY_RESERVE(merge, 1);
    size_t at = merge->n++;
    for (; at > 0 && is_before(&cursor, &merge->at[(at - 1) / 2]); at = (at - 1) / 2)
        merge->at[at] = merge->at[(at - 1) / 2];
    merge->at[at] = cursor;
}

/* The cluster at a place of the mempool's own heap, if there is one. */
static void merge_push_place(struct merge *merge, uint32_t place)
{
    if (place >= merge->clusters->best.items.n)
        return;
    const struct rate_heap_item *item = rate_heap_item_at(&merge->clusters->best, place);
    merge_push(merge, (struct cursor){
                          .cluster = merge->clusters->at[item->id], .place = place, .item = *item});
}

/* The cursor goes on to the next chunk of its cluster. */
static void cursor_next(struct cursor *cursor)
{
    struct feerate level = {cursor->item.fee_sat, cursor->item.size};
    level = pool_chunk_level(cursor->cluster, ++cursor->chunk, level);
    cursor->item.fee_sat = level.fee_sat;
    cursor->item.size = (uint32_t)level.size;
    cursor->item.rank = pool_chunk_rank(cursor->cluster, cursor->chunk);
}

/* Go on in the top cluster, or leave it. */
static void merge_next(struct merge *merge, bool leave)
{
    ASSERT(merge->n > 0 && merge->at[0].place < merge->clusters->best.items.n);
    struct cursor top = merge->at[0];
    uint32_t place = top.place;
    bool is_first = top.chunk == 0;
    if (leave || top.chunk + 1 == top.cluster->n_chunks)
        top = merge->at[--merge->n];
    else
        cursor_next(&top);
    if (merge->n > 0)
        sift_down(merge, top);
    if (is_first) {
        merge_push_place(merge, 2 * place + 1);
        merge_push_place(merge, 2 * place + 2);
    }
}

static void chunk_bounds(const struct cursor *cursor, uint32_t *begin, uint32_t *end)
{
    *begin = cursor->chunk == 0 ? 0 : cursor->cluster->chunks[cursor->chunk - 1].end;
    *end = cursor->cluster->chunks[cursor->chunk].end;
    ASSERT(*begin < *end && *end <= cursor->cluster->n);
}

/* Begin with the chunk that is mined first, if there is any. */
static struct merge merge_begin(const struct mempool *mempool)
{
    ASSERT(mempool->clusters.dirty.n == 0);
    struct merge merge = {.clusters = &mempool->clusters};
    merge_push_place(&merge, 0);
    return merge;
}

const struct mempool_entry **mempool_in_mining_order(const struct mempool *mempool, size_t *n)
{
    const struct mempool_entry **list = xmalloc((mempool->count + 1) * sizeof *list);
    struct merge merge = merge_begin(mempool);
    for (*n = 0; merge.n > 0; merge_next(&merge, false)) {
        uint32_t begin, end;
        chunk_bounds(&merge.at[0], &begin, &end);
        for (uint32_t i = begin; i < end; i++)
            list[(*n)++] = &merge.at[0].cluster->order[i]->pub;
    }
    ASSERT(*n == mempool->count);
    xfree(merge.at);
    return list;
}

struct feerate *mempool_feerate_diagram(const struct mempool *mempool, size_t *n)
{
    struct feerate *rates = xmalloc((mempool->count + 1) * sizeof *rates);
    struct merge merge = merge_begin(mempool);
    for (*n = 0; merge.n > 0; merge_next(&merge, false))
        rates[(*n)++] = merge.at[0].cluster->chunks[merge.at[0].chunk].rate;
    ASSERT(*n <= mempool->count);
    xfree(merge.at);
    return rates;
}

/* What has been chosen so far. */
struct choice {
    const struct mempool_entry **at;
    size_t n, capacity;
    uint64_t weight_wu, sigops_cost;
    int64_t fees_sat;
};

/* Take the chunk if there is room for all of it. */
static bool try_chunk(struct choice *choice, const struct cursor *cursor,
                      const struct mempool_selection *selection)
{
    uint32_t begin, end;
    uint64_t weight_wu = choice->weight_wu, sigops_cost = choice->sigops_cost;
    chunk_bounds(cursor, &begin, &end);
    for (uint32_t i = begin; i < end; i++) {
        weight_wu += cursor->cluster->order[i]->pub.weight_wu;
        sigops_cost += cursor->cluster->order[i]->pub.sigops_cost;
    }
    if (weight_wu > selection->max_weight_wu || sigops_cost > selection->max_sigops_cost)
        return false;
    choice->weight_wu = weight_wu;
    choice->sigops_cost = sigops_cost;
    for (uint32_t i = begin; i < end; i++) {
        *ARRAY_ADD(choice) = &cursor->cluster->order[i]->pub;
        choice->fees_sat += cursor->cluster->order[i]->pub.fee_sat;
    }
    return true;
}

static bool pays_enough(struct feerate rate, int64_t min_sat_per_kvb)
{
    /* The rate is per weight unit; what miners set is per virtual byte, of which a chunk has whole
     * ones. Spec: Core ToFeePerVSize() */
    struct feerate per_vbyte = {rate.fee_sat, (rate.size + WITNESS_SCALE - 1) / WITNESS_SCALE};
    struct feerate least = {min_sat_per_kvb, 1000};
    return feerate_compare(per_vbyte, least) >= 0;
}

const struct mempool_entry **mempool_select_for_block(const struct mempool *mempool,
                                                      const struct mempool_selection *selection,
                                                      size_t *n, int64_t *fees_sat)
{
    ASSERT(selection && n && fees_sat);
    struct choice choice = {0};
    struct merge merge = merge_begin(mempool);
    uint32_t failures = 0;
    while (merge.n > 0) {
        const struct cursor *top = &merge.at[0];
        if (!pays_enough(top->cluster->chunks[top->chunk].rate, selection->min_sat_per_kvb))
            break;
        bool fits = try_chunk(&choice, top, selection);
        failures = fits ? 0 : failures + 1;
        if (!fits && (choice.weight_wu + FULL_ENOUGH_WU > selection->max_weight_wu ||
                      failures > FAILURES_IN_A_ROW_MAX))
            break;
        /* The chunks behind one that does not fit need it: the cluster is done. */
        merge_next(&merge, !fits);
    }
    xfree(merge.at);
    *n = choice.n;
    *fees_sat = choice.fees_sat;
    return choice.at;
}
