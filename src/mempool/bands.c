/* bands.c - see bands.h */
#include "mempool/bands.h"

#include "consensus/tx.h"
#include "mempool/mempool_internal.h"

/* In steps that look alike on a scale of ratios. Units: sat for 1,000 vbytes */
/* clang-format off */
static const int32_t floors[MEMPOOL_BANDS] = {
    0, 100, 200, 500,
    1000, 1500, 2000, 3000, 4000, 5000, 6000, 8000,
    10000, 12000, 15000, 20000, 30000, 40000, 50000, 70000,
    100000, 150000, 200000, 300000, 500000,
    1000000,
};
/* clang-format on */

int64_t mempool_band_floor(size_t band)
{
    ASSERT(band < MEMPOOL_BANDS);
    return floors[band];
}

/* The highest whose floor the rate reaches; of negative rates, as mempool_prioritise() makes them,
 * the lowest. */
static size_t band_of(struct feerate rate)
{
    const i128 scaled_fee = (i128)rate.fee_sat * 1000 * WITNESS_SCALE;
    size_t band = 0, end = MEMPOOL_BANDS;
    while (end - band > 1) {
        size_t middle = band + (end - band) / 2;
        if (scaled_fee < (i128)floors[middle] * rate.size)
            end = middle;
        else
            band = middle;
    }
    return band;
}

static void add_cluster(struct mempool_bands *bands, const struct pool_cluster *cluster)
{
    uint32_t begin = 0;
    for (uint32_t i = 0; i < cluster->n_chunks; i++) {
        struct feerate rate = cluster->chunks[i].rate;
        struct mempool_band *band = &bands->at[band_of(rate)];
        band->n_txs += cluster->chunks[i].end - begin;
        band->size_wu += rate.size;
        if (__builtin_add_overflow(band->fees_sat, rate.fee_sat, &band->fees_sat))
            band->fees_sat = rate.fee_sat > 0 ? INT64_MAX : INT64_MIN;
        begin = cluster->chunks[i].end;
    }
}

bool mempool_bands_add(const struct mempool *mempool, struct mempool_bands *bands,
                       size_t n_clusters)
{
    const struct pool_clusters *clusters = &mempool->clusters;
    ASSERT(clusters->dirty.n == 0);
    ASSERT(n_clusters > 0);
    for (; n_clusters > 0 && bands->next < clusters->n; n_clusters--, bands->next++)
        if (clusters->at[bands->next])
            add_cluster(bands, clusters->at[bands->next]);
    return bands->next >= clusters->n;
}
