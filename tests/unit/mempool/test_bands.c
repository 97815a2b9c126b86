/* test_bands.c - the bands of feerates. What they count: test_rpc_mempool_cluster.c */
#include "mempool/bands.h"

#include "support/unit.h"

TEST(bands_begin_at_nothing_and_rise)
{
    assert_int_equal(mempool_band_floor(0), 0);
    for (size_t i = 1; i < MEMPOOL_BANDS; i++)
        assert_true(mempool_band_floor(i) > mempool_band_floor(i - 1));
    assert_int_equal(mempool_band_floor(MEMPOOL_BANDS - 1), 1000000);
}

