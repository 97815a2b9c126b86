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

static inline int64_t feerate_floor(struct feerate rate, int64_t *rest)
{
    int64_t quotient = rate.fee_sat / rate.size;
    *rest = rate.fee_sat % rate.size;
    if (*rest < 0) { /* prioritisetransaction can make fees negative */
        *rest += rate.size;
        quotient--;
    }
    return quotient;
}

/* Negative, 0 or positive as a is a lower, equal or higher rate. Exact: whole parts first, then
 * the rests crosswise, since fee times size need not fit into 64 bits. */
static inline int feerate_compare(struct feerate a, struct feerate b)
{
    ASSERT(a.size > 0 && b.size > 0);
    int64_t rest_a, rest_b;
    int64_t whole_a = feerate_floor(a, &rest_a), whole_b = feerate_floor(b, &rest_b);
    if (whole_a != whole_b)
        return whole_a < whole_b ? -1 : 1;
    int64_t cross_a = rest_a * b.size, cross_b = rest_b * a.size;
    return cross_a < cross_b ? -1 : cross_a > cross_b;
}

/* What a rate in sat for 1,000 bytes asks for vbytes, rounded up. Core: CFeeRate::GetFee() */
static inline int64_t feerate_fee_sat(int64_t sat_per_kvb, uint32_t vbytes)
{
    ASSERT(sat_per_kvb >= 0);
    return (sat_per_kvb / 1000) * vbytes + ((sat_per_kvb % 1000) * vbytes + 999) / 1000;
}

#endif
