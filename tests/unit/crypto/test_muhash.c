/* test_muhash.c - known sets, the laws of sets, and numbers at the edge of the modulus. */
#include "crypto/muhash.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/assert.h"

/* The hash of no elements, worked out with big integers of another language. */
#define EMPTY "c85525462fdcf30a2c18d6f4b92923000974355c2477f59594d2c205a1d25add"

static struct span element(uint8_t i, uint8_t buf[32])
{
    memset(buf, 0, 32);
    buf[0] = i;
    return span_of(buf, 32);
}

static void check(const struct muhash *m, const char *want)
{
    uint8_t out[32];
    muhash_digest(m, out);
    assert_hex(out, 32, want);
}

/* Core's example: its text form has the bytes reversed (10d312b1...7d5863). */
TEST(the_known_set_has_the_known_hash)
{
    uint8_t buf[32];
    struct muhash m;
    muhash_init(&m);
    check(&m, EMPTY);
    muhash_insert(&m, element(0, buf));
    muhash_insert(&m, element(1, buf));
    muhash_remove(&m, element(2, buf));
    check(&m, "63587d602a00105f62d2683610fffc82340de446664a02da2ad3cb00b112d310");

    muhash_init(&m);
    muhash_insert(&m, span_of("abc", 3));
    muhash_insert(&m, span_of(NULL, 0));
    check(&m, "5780b72187e2ed609dd0f1818f40c8b38148759289757d3488cb132b0045ddd1");
}

TEST(order_does_not_matter)
{
    uint8_t buf[32], first[32], out[32];
    for (unsigned order = 0; order < 6; order++) {
        struct muhash m;
        muhash_init(&m);
        for (unsigned i = 0; i < 3; i++) {
            uint8_t which = (uint8_t)(order < 3 ? (i + order) % 3 : (5 - i + order) % 3);
            if (which == 1)
                muhash_remove(&m, element(which, buf));
            else
                muhash_insert(&m, element(which, buf));
        }
        muhash_digest(&m, out);
        if (order == 0)
            memcpy(first, out, 32);
        assert_memory_equal(out, first, 32);
    }
}

TEST(what_comes_and_goes_leaves_nothing)
{
    uint8_t buf[32];
    struct muhash m;
    muhash_init(&m);
    muhash_remove(&m, element(7, buf)); /* also before it came */
    muhash_insert(&m, element(8, buf));
    muhash_insert(&m, element(7, buf));
    muhash_remove(&m, element(8, buf));
    check(&m, EMPTY);
    muhash_insert(&m, element(8, buf));
    muhash_remove(&m, element(8, buf));
    check(&m, EMPTY);
}

TEST(a_set_survives_encoding)
{
    uint8_t buf[32], bytes[MUHASH_STATE_BYTES], again[MUHASH_STATE_BYTES];
    struct muhash m, back;
    muhash_init(&m);
    muhash_insert(&m, element(3, buf));
    muhash_remove(&m, element(4, buf));
    muhash_encode(&m, bytes);
    muhash_decode(&back, bytes);
    muhash_encode(&back, again);
    assert_memory_equal(bytes, again, sizeof bytes);
    uint8_t digest[32], want[32];
    muhash_digest(&m, want);
    muhash_digest_encoded(bytes, digest);
    assert_memory_equal(digest, want, sizeof want);
    muhash_insert(&m, element(5, buf)); /* and goes on from there */
    muhash_insert(&back, element(5, buf));
    muhash_digest(&m, want);
    muhash_digest(&back, digest);
    assert_memory_equal(digest, want, sizeof want);
}

/* clang-format off */
/* p + 1 is 1; 2^3072 - 1 is the difference less one; p - 1 through itself is 1. */
static const struct { uint64_t low; uint64_t same_as; bool divided; } edges[] = {
    {UINT64_MAX - 1103717 + 2, 1,       false},
    {UINT64_MAX,               1103716, false},
    {UINT64_MAX - 1103717,     1,       true},
};
/* clang-format on */

TEST(numbers_wrap_at_the_prime)
{
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        struct muhash m, small;
        uint8_t a[32], b[32];
        muhash_init(&m);
        muhash_init(&small);
        memset(&m.numerator, 0xff, sizeof m.numerator);
        m.numerator.limb[0] = edges[i].low;
        if (edges[i].divided)
            m.denominator = m.numerator;
        small.numerator.limb[0] = edges[i].same_as;
        muhash_digest(&m, a);
        muhash_digest(&small, b);
        assert_memory_equal(a, b, 32);
        /* As a divisor it cancels the other. */
        m.denominator = edges[i].divided ? m.numerator : small.numerator;
        check(&m, EMPTY);
    }
}
