/* test_compact_extra.c - the newest few that are not in the mempool. */
#include "p2p/blocks/compact_extra.h"
#include "support/unit.h"
#include "util/alloc.h"

static struct tx tx_of(uint8_t id, const uint8_t *bytes, size_t len)
{
    struct tx tx = {.raw = span_of(bytes, len), .n_in = 1, .n_out = 1};
    tx.wtxid.b[0] = id;
    return tx;
}

TEST(the_newest_are_kept)
{
    struct compact_extra extra;
    uint8_t bytes[4] = {1, 2, 3, 4};
    compact_extra_init(&extra, 3);
    for (uint8_t i = 0; i < 5; i++) {
        bytes[0] = i;
        struct tx tx = tx_of(i, bytes, sizeof bytes);
        compact_extra_add(&extra, &tx);
        assert_int_equal(extra.n, i < 3 ? i + 1 : 3);
    }
    /* The fourth and fifth are where the first two were, with bytes of their own. */
    static const uint8_t want[3] = {3, 4, 2};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(extra.txs[i].wtxid.b[0], want[i]);
        assert_int_equal(extra.txs[i].raw.p[0], want[i]);
        assert_int_equal(extra.txs[i].n_in + extra.txs[i].n_out, 0);
    }
    compact_extra_deinit(&extra);
}

TEST(none_is_kept_where_none_may_be)
{
    struct compact_extra extra;
    struct tx tx = tx_of(1, (const uint8_t *)"x", 1);
    compact_extra_init(&extra, 0);
    compact_extra_add(&extra, &tx);
    assert_int_equal(extra.n, 0);
    compact_extra_deinit(&extra);
}

TEST(large_ones_are_not_kept)
{
    struct compact_extra extra;
    uint8_t *bytes = xcalloc(1, COMPACT_EXTRA_TX_BYTES + 1);
    compact_extra_init(&extra, COMPACT_EXTRA_TXS);
    struct tx tx = tx_of(1, bytes, COMPACT_EXTRA_TX_BYTES + 1);
    compact_extra_add(&extra, &tx);
    assert_int_equal(extra.n, 0);
    tx.raw.len--;
    compact_extra_add(&extra, &tx);
    assert_int_equal(extra.n, 1);
    tx.raw.len = 0; /* only its ids are known */
    compact_extra_add(&extra, &tx);
    assert_int_equal(extra.n, 1);
    compact_extra_deinit(&extra);
    xfree(bytes);
}
