/* test_gcs.c - members are always found, others nearly never; nothing malformed is believed. */
#include "crypto/gcs.h"

#include "support/unit.h"
#include "util/alloc.h"

static const struct siphash_key key = {0x1122334455667788, 0x99aabbccddeeff00};

enum { N = 2000 };

static void number(uint32_t i, uint8_t out[4], struct span *item)
{
    memcpy(out, &i, 4);
    *item = span_of(out, 4);
}

static enum gcs_match match_one(const struct buffer *set, struct span item)
{
    uint64_t scratch[1];
    return gcs_match_any(buffer_span(set), key, &item, 1, scratch);
}

TEST(every_member_is_found_and_others_are_not)
{
    static uint8_t bytes[N][4];
    static struct span items[N];
    static uint64_t scratch[N];
    struct buffer set;
    buffer_init(&set);
    for (uint32_t i = 0; i < N; i++)
        number(i * 7, bytes[i], &items[i]);
    gcs_build(key, items, N, &set);
    /* About 1.5 bits more than the remainder. */
    assert_in_range(set.len, N * (GCS_REMAINDER_BITS + 1) / 8, N * (GCS_REMAINDER_BITS + 3) / 8);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(match_one(&set, items[i]), GCS_MATCH_YES);
    uint8_t other[4];
    struct span item;
    for (uint32_t i = 0; i < N; i++) {
        number(i * 7 + 1, other, &item);
        assert_int_equal(match_one(&set, item), GCS_MATCH_NO);
    }
    /* Many at once: none of them is there, then one. */
    for (uint32_t i = 0; i < N; i++)
        number(i * 7 + 2, bytes[i], &items[i]);
    assert_int_equal(gcs_match_any(buffer_span(&set), key, items, N, scratch), GCS_MATCH_NO);
    number(7 * (N - 1), bytes[N / 2], &items[N / 2]);
    assert_int_equal(gcs_match_any(buffer_span(&set), key, items, N, scratch), GCS_MATCH_YES);
    buffer_deinit(&set);
}

TEST(an_item_that_comes_twice_counts_once)
{
    struct span items[] = {span_of_string("a"), span_of_string("b"), span_of_string("a"),
                           span_of_string("b"), span_of_string("a")};
    struct span once[] = {span_of_string("b"), span_of_string("a")};
    struct buffer set, want;
    buffer_init(&set);
    buffer_init(&want);
    gcs_build(key, items, COUNT_OF(items), &set);
    gcs_build(key, once, COUNT_OF(once), &want);
    assert_int_equal(set.p[0], 2);
    assert_int_equal(set.len, want.len);
    assert_memory_equal(set.p, want.p, want.len);
    buffer_deinit(&set);
    buffer_deinit(&want);
}

/* BIP-158: a zero element filter is one byte of zeroes. */
TEST(a_set_of_nothing_is_one_byte)
{
    struct buffer set;
    buffer_init(&set);
    gcs_build(key, NULL, 0, &set);
    assert_int_equal(set.len, 1);
    assert_int_equal(set.p[0], 0);
    assert_int_equal(match_one(&set, span_of_string("x")), GCS_MATCH_NO);
    assert_int_equal(gcs_match_any(buffer_span(&set), key, NULL, 0, NULL), GCS_MATCH_NO);
    buffer_deinit(&set);
}

TEST(what_is_cut_short_or_goes_on_is_malformed)
{
    static uint8_t bytes[50][4];
    struct span items[50];
    struct buffer set;
    uint64_t scratch[1];
    buffer_init(&set);
    for (uint32_t i = 0; i < 50; i++)
        number(i, bytes[i], &items[i]);
    gcs_build(key, items, 50, &set);
    /* An item above all members has the whole set decoded: one that sees a byte too many. */
    struct span last = {0}, item;
    uint8_t other[4];
    buffer_append(&set, "", 1);
    for (uint32_t i = 1000; i < 3000 && !last.p; i++) {
        number(i, other, &item);
        if (match_one(&set, item) == GCS_MATCH_MALFORMED)
            last = item;
    }
    set.len--;
    assert_non_null(last.p);
    assert_int_equal(match_one(&set, last), GCS_MATCH_NO);
    for (size_t len = 0; len < set.len; len++)
        assert_int_equal(gcs_match_any(span_of(set.p, len), key, &last, 1, scratch),
                         GCS_MATCH_MALFORMED);
    /* Bits behind the last code are zeros. */
    set.p[set.len - 1] ^= 1;
    assert_int_not_equal(match_one(&set, last), GCS_MATCH_NO);
    buffer_deinit(&set);
}

/* A count that the bytes cannot hold is refused before anything is decoded. */
TEST(the_count_is_bounded_by_the_bytes)
{
    static const uint8_t one[] = {1, 0x80, 0, 0};      /* 20 bits and 4 of padding */
    static const uint8_t too_many[] = {2, 0x80, 0, 0}; /* 24 bits are no 40 */
    static const uint8_t huge[] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0x80};
    static const uint8_t ones[] = {1, 0xff, 0xff, 0xff, 0xff};
    struct span item = span_of_string("x");
    uint64_t scratch[1];
    assert_int_equal(gcs_match_any(span_of(one, 4), key, &item, 1, scratch), GCS_MATCH_NO);
    assert_int_equal(gcs_match_any(span_of(too_many, 4), key, &item, 1, scratch),
                     GCS_MATCH_MALFORMED);
    assert_int_equal(gcs_match_any(span_of(huge, 9), key, &item, 1, scratch), GCS_MATCH_MALFORMED);
    assert_int_equal(gcs_match_any(span_of(ones, 5), key, &item, 1, scratch), GCS_MATCH_MALFORMED);
}
