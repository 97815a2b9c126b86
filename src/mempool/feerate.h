/* feerate.h - fees by size, compared exactly.
 *
 * Layer: mempool. */
#ifndef MEMPOOL_FEERATE_H
#define MEMPOOL_FEERATE_H

#include <stdint.h>

#include "util/assert.h"

/* For sums and products of fees and sizes that need more than 64 bits. */
__extension__ typedef __int128 i128;

/* A fee for a size; size is in the unit of the context (bytes, weight units) and at least 1. */
struct feerate {
    int64_t fee_sat;
    int64_t size;
};

/* Negative, 0 or positive as a is a lower, equal or higher rate. Exact: crosswise, in twice the
 * bits, since fee times size need not fit into 64. */
static inline int feerate_compare(struct feerate a, struct feerate b)
{
    ASSERT(a.size > 0 && b.size > 0);
    i128 cross_a = (i128)a.fee_sat * b.size, cross_b = (i128)b.fee_sat * a.size;
    return cross_a < cross_b ? -1 : cross_a > cross_b;
}

/* What a rate in sat for 1,000 bytes asks for vbytes, rounded up. Core: CFeeRate::GetFee() */
static inline int64_t feerate_fee_sat(int64_t sat_per_kvb, uint32_t vbytes)
{
    ASSERT(sat_per_kvb >= 0);
    return (sat_per_kvb / 1000) * vbytes + ((sat_per_kvb % 1000) * vbytes + 999) / 1000;
}

#endif
