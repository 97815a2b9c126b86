/* test_tx_cache.c - what was looked up lately is kept, within a bound. */
#include "chain/ask/tx_cache.h"
#include "support/unit.h"

/* Add a transaction of len bytes that is told from others by its number, which is its block's
 * height as well. */
static void add_at(struct tx_cache *cache, uint32_t number, size_t len, uint32_t first_spent)
{
    static const uint8_t zeros[TX_CACHED_RAW_MAX + 1];
    struct block_node node = {.height = (int32_t)number};
    struct tx tx = {.raw = span_of(zeros, len)};
    memcpy(tx.txid.b, &number, sizeof number);
    tx_cache_add(cache, &tx, &node, first_spent);
}

static void add(struct tx_cache *cache, uint32_t number, size_t len)
{
    add_at(cache, number, len, 0);
}

static bool has(struct tx_cache *cache, uint32_t number)
{
    struct txid txid = {{0}};
    memcpy(txid.b, &number, sizeof number);
    const struct tx_cached *cached = tx_cache_find(cache, &txid);
    if (cached)
        assert_int_equal(cached->height, number);
    return cached;
}

TEST(what_was_added_is_found_and_once_only)
{
    struct tx_cache cache;
    tx_cache_init(&cache, (struct siphash_key){1, 2});
    assert_false(has(&cache, 1));
    add(&cache, 1, 100);
    add(&cache, 2, 100);
    size_t bytes = cache.bytes;
    add(&cache, 1, 100);
    assert_int_equal(cache.bytes, bytes);
    assert_true(has(&cache, 1) && has(&cache, 2));
    assert_false(has(&cache, 3));
    tx_cache_deinit(&cache);
    assert_int_equal(cache.by_use.count, 0);
}

TEST(the_newer_one_of_an_id_counts)
{
    struct tx_cache cache;
    tx_cache_init(&cache, (struct siphash_key){1, 2});
    add(&cache, 1, 100);
    add_at(&cache, 1, 300, 7);
    struct txid txid = {{1}};
    assert_int_equal(cache.by_use.count, 1);
    assert_int_equal(tx_cache_find(&cache, &txid)->first_spent, 7);
    assert_int_equal(tx_cache_find(&cache, &txid)->raw_len, 300);
    tx_cache_deinit(&cache);
}

TEST(a_long_one_is_not_kept)
{
    struct tx_cache cache;
    tx_cache_init(&cache, (struct siphash_key){1, 2});
    add(&cache, 1, TX_CACHED_RAW_MAX);
    add(&cache, 2, TX_CACHED_RAW_MAX + 1);
    assert_true(has(&cache, 1));
    assert_false(has(&cache, 2));
    tx_cache_deinit(&cache);
}

TEST(the_bound_holds_and_what_is_asked_for_stays)
{
    enum { N = 20000, LEN = 500 };
    struct tx_cache cache;
    tx_cache_init(&cache, (struct siphash_key){1, 2});
    for (uint32_t i = 0; i < N; i++) {
        add(&cache, i, LEN);
        assert_true(has(&cache, 0));
        assert_in_range(cache.bytes, 1, TX_CACHE_BYTES_MAX);
        assert_true(cache.by_use.count * LEN <= TX_CACHE_BYTES_MAX);
    }
    size_t n = cache.by_use.count;
    assert_int_equal(cache.by_id.count, n);
    assert_in_range(n, 1000, N / 2); /* it is used, and full */
    for (uint32_t i = 1; i < N; i++)
        assert_true(has(&cache, i) == (i > N - n));
    tx_cache_deinit(&cache);
}
