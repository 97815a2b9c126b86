/* deltas.c - see deltas.h. */
#include "mempool/deltas.h"

#include "mempool/cluster.h"
#include "mempool/graph.h"
#include "mempool/mempool_internal.h"
#include "util/alloc.h"

static bool delta_has_txid(const void *value, const void *key)
{
    return txid_equal(&((const struct mempool_delta *)value)->txid, key);
}

static struct mempool_delta *find_delta(const struct mempool *mempool, const struct txid *txid)
{
    if (mempool->deltas.count == 0)
        return NULL;
    return hash_map_find(&mempool->deltas, pool_hash_id(mempool, txid->b), delta_has_txid, txid);
}

int64_t mempool_delta_sat(const struct mempool *mempool, const struct txid *txid)
{
    const struct mempool_delta *delta = find_delta(mempool, txid);
    return delta ? delta->delta_sat : 0;
}

const struct mempool_delta *mempool_next_delta(const struct mempool *mempool, size_t *at)
{
    return hash_map_next(&mempool->deltas, at);
}

/* a + b, kept within what sums of 64 fees cannot overflow. */
static int64_t add_clamped(int64_t a, int64_t b)
{
    const int64_t limit = 50 * MAX_MONEY_SAT;
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? limit : -limit;
    return sum > limit ? limit : sum < -limit ? -limit : sum;
}

void mempool_prioritise(struct mempool *mempool, const struct txid *txid, int64_t delta_sat)
{
    struct mempool_delta *delta = find_delta(mempool, txid);
    uint64_t hash = pool_hash_id(mempool, txid->b);
    if (!delta) {
        delta = xcalloc(1, sizeof *delta);
        delta->txid = *txid;
        hash_map_insert(&mempool->deltas, hash, delta);
    }
    delta->delta_sat = add_clamped(delta->delta_sat, delta_sat);
    struct pool_entry *entry = pool_find(mempool, txid);
    if (entry) {
        ASSERT(mempool->clusters.dirty.n == 0);
        entry->pub.modified_fee_sat = entry->pub.fee_sat + delta->delta_sat;
        pool_cluster_touch(mempool, entry);
        pool_clusters_settle(mempool);
        mempool->epoch++;
        mempool->n_prioritised++;
    }
    if (delta->delta_sat == 0) {
        hash_map_remove(&mempool->deltas, hash, delta_has_txid, txid);
        xfree(delta);
    }
}

void pool_deltas_deinit(struct mempool *mempool)
{
    size_t at = 0;
    for (void *delta; (delta = hash_map_next(&mempool->deltas, &at));)
        xfree(delta);
    hash_map_deinit(&mempool->deltas);
}
