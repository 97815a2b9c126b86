/* limit.c - see limit.h. */
#include "mempool/limit.h"

#include "mempool/cluster.h"
#include "mempool/graph.h"
#include "mempool/mempool_internal.h"

/* Core: ROLLING_FEE_HALFLIFE, and how often CTxMemPool::GetMinFee() looks. */
#define ROLLING_HALFLIFE_S (12 * 60 * 60)
#define ROLLING_UPDATE_S   10

/* 2 to the power of -x for x >= 0: halvings, then a polynomial, since the C library's would need
 * the mathematics library for this line alone. */
static double halved(double x)
{
    double result = 1;
    for (; x >= 1 && result > 0; x -= 1)
        result /= 2;
    if (x >= 1)
        return 0;
    double t = x * 0.6931471805599453, series = 1; /* of e^-t, t below 0.7: exact to 1e-11 */
    for (int k = 12; k > 0; k--)
        series = 1 - t / k * series;
    return result * series;
}

int64_t pool_rolling_feerate(struct mempool *mempool)
{
    if (!mempool->block_since_bump || mempool->rolling_sat_per_kvb <= 0)
        return (int64_t)(mempool->rolling_sat_per_kvb + 0.5);
    int64_t elapsed_s = pool_now_s(mempool) - mempool->rolling_update_s;
    if (elapsed_s > ROLLING_UPDATE_S) {
        double halflife_s = ROLLING_HALFLIFE_S;
        if (pool_memory_bytes(mempool) < mempool->options.max_bytes / 4)
            halflife_s /= 4;
        else if (pool_memory_bytes(mempool) < mempool->options.max_bytes / 2)
            halflife_s /= 2;
        mempool->rolling_sat_per_kvb *= halved((double)elapsed_s / halflife_s);
        mempool->rolling_update_s += elapsed_s;
        if (mempool->rolling_sat_per_kvb < (double)mempool->options.incremental_sat_per_kvb / 2) {
            mempool->rolling_sat_per_kvb = 0;
            return 0;
        }
    }
    int64_t rate = (int64_t)(mempool->rolling_sat_per_kvb + 0.5);
    int64_t least = mempool->options.incremental_sat_per_kvb;
    return rate > least ? rate : least;
}

int64_t mempool_min_feerate_sat_per_kvb(struct mempool *mempool)
{
    int64_t rolling = pool_rolling_feerate(mempool), least = mempool->options.min_relay_sat_per_kvb;
    return rolling > least ? rolling : least;
}

/* From now on nothing gets in that pays no more than what had to go: else the same transactions
 * could be sent round again and again for nothing (hazard 66). Core: trackPackageRemoved() */
static void raise_floor(struct mempool *mempool, struct feerate rate)
{
    ASSERT(rate.size > 0);
    double sat_per_kvb = (double)rate.fee_sat * 1000 * WITNESS_SCALE / (double)rate.size +
                         (double)mempool->options.incremental_sat_per_kvb;
    if (sat_per_kvb > mempool->rolling_sat_per_kvb) {
        mempool->rolling_sat_per_kvb = sat_per_kvb;
        mempool->block_since_bump = false;
    }
}

/* The last chunk of a cluster: nothing but itself spends from it. */
static void evict_worst(struct mempool *mempool)
{
    struct pool_cluster *worst = pool_clusters_worst(mempool);
    ASSERT(worst && worst->n_chunks > 0 && worst->chunks[worst->n_chunks - 1].end == worst->n);
    uint32_t last = worst->n_chunks - 1;
    uint32_t begin = last == 0 ? 0 : worst->chunks[last - 1].end;
    raise_floor(mempool, worst->chunks[last].rate);
    while (worst->n > begin)
        pool_remove(mempool, worst->order[worst->n - 1], MEMPOOL_REMOVED_SIZELIMIT);
    pool_clusters_settle(mempool);
}

static void expire(struct mempool *mempool)
{
    int64_t limit_s = pool_now_s(mempool) - mempool->options.expiry_s, oldest_s = INT64_MAX;
    if (mempool->count == 0 || mempool->oldest_time_s >= limit_s)
        return;
    /* Newest first: what spends from an entry is gone before it, so each one's removal takes only
     * entries that have been looked at. */
    for (struct pool_entry *entry = mempool->newest, *older; entry; entry = older) {
        older = entry->older;
        if (entry->pub.time_s < limit_s) {
            pool_remove_tree(mempool, entry, MEMPOOL_REMOVED_EXPIRY);
            pool_clusters_settle(mempool);
        }
    }
    for (const struct pool_entry *entry = mempool->oldest; entry; entry = entry->newer)
        oldest_s = MIN_OF(oldest_s, entry->pub.time_s);
    mempool->oldest_time_s = oldest_s;
}

void pool_limit(struct mempool *mempool)
{
    expire(mempool);
    while (pool_memory_bytes(mempool) > mempool->options.max_bytes && mempool->count > 0)
        evict_worst(mempool);
}
