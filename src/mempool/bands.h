/* bands.h - how much waits at which feerate: a picture of the mempool in few numbers.
 *
 * Layer: mempool. */
#ifndef MEMPOOL_BANDS_H
#define MEMPOOL_BANDS_H

#include "mempool/mempool.h"

#define MEMPOOL_BANDS 26

/* What waits at the rates of one band. Sums that do not fit stay at the end of their range. */
struct mempool_band {
    uint64_t n_txs;
    int64_t size_wu; /* adjusted, as that of chunks */
    int64_t fees_sat;
};

struct mempool_bands {
    struct mempool_band at[MEMPOOL_BANDS];
    size_t next; /* the cluster that is to be looked at */
};

/* The rate where a band begins; it ends where the next one does. Units: sat for 1,000 vbytes */
int64_t mempool_band_floor(size_t band);

/* Add some more clusters, from none at all on: each chunk by its own rate. Between two calls the
 * mempool may change: what comes or goes meanwhile is counted or not.
 *
 * Returns:  whether that were the last */
bool mempool_bands_add(const struct mempool *mempool, struct mempool_bands *bands,
                       size_t n_clusters);

#endif
