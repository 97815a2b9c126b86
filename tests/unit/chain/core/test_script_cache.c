/* test_script_cache.c - what is remembered of scripts, and what has to go. */
#include "chain/core/script_cache.h"
#include "support/unit.h"
#include "util/assert.h"

enum { FLAGS = 7 };

static const struct siphash_key salt = {1, 2};

static struct wtxid id_of(uint32_t i)
{
    struct wtxid id = {{0}};
    memcpy(id.b + 28, &i, sizeof i); /* a stranger can make ids alike but for a few bytes */
    return id;
}

static void add(struct script_cache *cache, uint32_t i)
{
    struct wtxid id = id_of(i);
    script_cache_add(cache, &id, FLAGS);
}

static bool has(const struct script_cache *cache, uint32_t i)
{
    struct wtxid id = id_of(i);
    return script_cache_has(cache, &id, FLAGS);
}

static bool mine(struct script_cache *cache, uint32_t i)
{
    struct wtxid id = id_of(i);
    return script_cache_mined(cache, &id, FLAGS);
}

static size_t count(const struct script_cache *cache, uint32_t begin, uint32_t end)
{
    size_t n = 0;
    for (uint32_t i = begin; i < end; i++)
        n += has(cache, i);
    return n;
}

TEST(what_was_added_is_known_by_its_id_and_its_flags_alone)
{
    struct script_cache cache;
    struct wtxid id = id_of(1);
    script_cache_init(&cache, SCRIPT_CACHE_BYTES_DEFAULT, salt);
    assert_false(has(&cache, 1) || mine(&cache, 1));
    script_cache_prefetch(&cache, &id, FLAGS);
    assert_int_equal(script_cache_bytes(&cache), 0);
    add(&cache, 1);
    script_cache_prefetch(&cache, &id, FLAGS);
    assert_true(has(&cache, 1));
    for (int bit = 0; bit < 32; bit++)
        assert_false(script_cache_has(&cache, &id, FLAGS ^ UINT32_C(1) << bit));
    for (size_t i = 0; i < sizeof id.b; i++) {
        struct wtxid other = id;
        other.b[i] ^= 0x80;
        assert_false(script_cache_has(&cache, &other, FLAGS));
    }
    script_cache_deinit(&cache);
}

TEST(what_is_added_twice_is_kept_once)
{
    struct script_cache cache;
    script_cache_init(&cache, SCRIPT_CACHE_BYTES_DEFAULT, salt);
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < 100; i++)
            add(&cache, i);
    assert_int_equal(cache.count, 100);
    assert_int_equal(count(&cache, 0, 200), 100);
    script_cache_deinit(&cache);
}

TEST(without_room_nothing_is_kept)
{
    static const size_t too_small[] = {0, 1, sizeof(struct script_cache_bucket) - 1};
    for (size_t k = 0; k < COUNT_OF(too_small); k++) {
        struct script_cache cache;
        script_cache_init(&cache, too_small[k], salt);
        add(&cache, 1);
        assert_false(has(&cache, 1) || mine(&cache, 1));
        assert_int_equal(script_cache_bytes(&cache), 0);
        script_cache_deinit(&cache);
    }
}

/* Limits around those at which it grows, and many times what they hold. */
TEST(it_never_takes_more_than_its_limit_and_keeps_what_is_new)
{
    static const size_t limits[] = {256,     1000,          64 << 10, (64 << 10) + 255, 300 << 10,
                                    1 << 20, (1 << 20) + 1, 3 << 20,  4500 * 1000};
    for (size_t k = 0; k < COUNT_OF(limits); k++) {
        struct script_cache cache;
        script_cache_init(&cache, limits[k], salt);
        uint32_t n = (uint32_t)(limits[k] / sizeof(struct script_cache_bucket)) * 21;
        for (uint32_t i = 0; i < n; i++) {
            size_t before = script_cache_bytes(&cache);
            add(&cache, i);
            size_t after = script_cache_bytes(&cache);
            assert_true(after <= limits[k]);
            /* Both tables are there while it grows. */
            assert_true(after == before || before + after <= limits[k]);
            assert_true(has(&cache, i));
        }
        size_t room =
            script_cache_bytes(&cache) / sizeof(struct script_cache_bucket) * SCRIPT_CACHE_WAYS;
        assert_true(cache.count <= room && cache.count > room * 9 / 10);
        assert_int_equal(count(&cache, 0, n), cache.count);
        /* Of the newer half of what there is room for hardly any is gone. */
        uint32_t half = (uint32_t)(room / 2);
        assert_true(count(&cache, n - half, n) > (size_t)half * 9 / 10);
        script_cache_deinit(&cache);
    }
}

TEST(nothing_is_lost_before_most_of_the_limit_is_used)
{
    struct script_cache cache;
    enum { N = 300000 };
    script_cache_init(&cache, SCRIPT_CACHE_BYTES_DEFAULT, salt);
    for (uint32_t i = 0; i < N; i++)
        add(&cache, i);
    assert_int_equal(count(&cache, 0, N), N);
    assert_true(script_cache_bytes(&cache) <= SCRIPT_CACHE_BYTES_DEFAULT);
    script_cache_deinit(&cache);
}

/* With one bucket it is plain who goes. */
TEST(mined_ones_go_first_then_the_oldest)
{
    struct script_cache cache;
    script_cache_init(&cache, sizeof(struct script_cache_bucket), salt);
    for (uint32_t i = 0; i < SCRIPT_CACHE_WAYS; i++)
        add(&cache, i);
    assert_true(mine(&cache, 3) && mine(&cache, 5));
    assert_true(has(&cache, 3)); /* its room is not needed yet */
    add(&cache, 5);              /* it has come back from its block */
    add(&cache, 100);
    assert_false(has(&cache, 3));
    assert_int_equal(count(&cache, 0, SCRIPT_CACHE_WAYS), SCRIPT_CACHE_WAYS - 1);
    add(&cache, 101);
    assert_false(has(&cache, 0));
    add(&cache, 102);
    assert_false(has(&cache, 1));
    assert_true(has(&cache, 2) && has(&cache, 100) && has(&cache, 101) && has(&cache, 102));
    script_cache_deinit(&cache);
}

TEST(the_same_salt_keeps_the_same_another_one_does_not)
{
    struct script_cache caches[3];
    struct siphash_key other = {3, 4};
    enum { N = 4000 };
    for (int k = 0; k < 3; k++) {
        script_cache_init(&caches[k], 64 << 10, k < 2 ? salt : other);
        for (uint32_t i = 0; i < N; i++) {
            add(&caches[k], i);
            (void)mine(&caches[k], i / 3);
        }
    }
    size_t n_different = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(has(&caches[0], i), has(&caches[1], i));
        n_different += has(&caches[0], i) != has(&caches[2], i);
    }
    assert_true(n_different > 0);
    for (int k = 0; k < 3; k++)
        script_cache_deinit(&caches[k]);
}
