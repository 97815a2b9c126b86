/* test_u256.c - 256-bit arithmetic: worked examples, laws, and division against a slow model. */
#include "support/unit.h"
#include "util/hex.h"
#include "util/u256.h"

/* Digits, most significant first. */
static struct u256 of_hex(const char *s)
{
    struct u256 a = {{0}};
    for (; *s; s++) {
        a = u256_shl(a, 4);
        a.limb[0] |= (uint64_t)hex_digit(*s);
    }
    return a;
}

static void assert_u256(struct u256 got, struct u256 want)
{
    char got_hex[U256_HEX_BYTES], want_hex[U256_HEX_BYTES];
    assert_string_equal(u256_to_hex(got, got_hex), u256_to_hex(want, want_hex));
}

/* clang-format off */
#define MAX_HEX "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
static const struct { const char *a, *b, *sum, *difference, *quotient; } worked[] = {
    {"0", "1", "1", MAX_HEX, "0"},
    {MAX_HEX, "1", "0",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe", MAX_HEX},
    {"ffffffffffffffff", "1", "10000000000000000", "fffffffffffffffe", "ffffffffffffffff"},
    {"100000000000000000000000000000000", "ffffffffffffffff",
     "10000000000000000ffffffffffffffff", "ffffffffffffffff0000000000000001",
     "10000000000000001"},
    /* the work of the first block: (2^256 - 1 - target) / (target + 1), less 1 */
    {"ffffffff0000ffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "00000000ffff0000000000000000000000000000000000000000000000000001",
     "0", "0", "100010000"},
};
/* clang-format on */

TEST(worked_examples_agree)
{
    for (size_t i = 0; i < COUNT_OF(worked); i++) {
        struct u256 a = of_hex(worked[i].a), b = of_hex(worked[i].b);
        assert_u256(u256_div(a, b), of_hex(worked[i].quotient));
        if (i == COUNT_OF(worked) - 1)
            continue;
        assert_u256(u256_add(a, b), of_hex(worked[i].sum));
        assert_u256(u256_sub(a, b), of_hex(worked[i].difference));
    }
}

/* One bit of the quotient at a time. */
static struct u256 slow_div(struct u256 a, struct u256 b)
{
    struct u256 quotient = {{0}};
    for (int shift = (int)u256_bits(a) - (int)u256_bits(b); shift >= 0; shift--) {
        struct u256 part = u256_shl(b, (unsigned)shift);
        if (u256_compare(a, part) < 0)
            continue;
        a = u256_sub(a, part);
        quotient.limb[shift / 64] |= (uint64_t)1 << (shift % 64);
    }
    return quotient;
}

static uint64_t next_random(uint64_t *seed)
{
    uint64_t x = (*seed += 0x9e3779b97f4a7c15u);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Random lengths, and limbs that are often all zeros or all ones: where division goes wrong. */
static struct u256 random_number(uint64_t *seed)
{
    struct u256 a;
    for (int i = 0; i < 4; i++) {
        uint64_t kind = next_random(seed) % 4, limb = next_random(seed);
        a.limb[i] = kind == 0 ? 0 : kind == 1 ? UINT64_MAX : limb;
    }
    return u256_shr(a, (unsigned)(next_random(seed) % 256));
}

TEST(division_agrees_with_the_slow_model)
{
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        struct u256 a = random_number(&seed), b = random_number(&seed);
        if (u256_is_zero(b))
            continue;
        assert_u256(u256_div(a, b), slow_div(a, b));
    }
}

TEST(a_guess_that_is_too_large_is_corrected)
{
    /* leading limbs equal to the divisor's: the first guess is 2^64 or more */
    struct u256 a = {{0, 0, 0xffffffffffffffff, 0x8000000000000000}};
    struct u256 b = {{0xffffffffffffffff, 0x8000000000000000, 0, 0}};
    assert_u256(u256_div(a, b), slow_div(a, b));
    struct u256 c = {{0, UINT64_MAX - 1, UINT64_MAX, 0x7fffffffffffffff}};
    struct u256 d = {{UINT64_MAX, UINT64_MAX, 0x8000000000000000, 0}};
    assert_u256(u256_div(c, d), slow_div(c, d));
}

TEST(division_by_zero_is_a_bug)
{
    expect_assert_failure((void)u256_div(u256_of(1), u256_of(0)));
}

TEST(multiplication_is_repeated_addition)
{
    uint64_t seed = 11;
    for (int i = 0; i < 200; i++) {
        struct u256 a = random_number(&seed), sum = {{0}};
        for (uint64_t n = 0; n < 20; n++, sum = u256_add(sum, a))
            assert_u256(u256_mul(a, n), sum);
        /* and distributes over a large factor: a * (2^32 + 1) */
        assert_u256(u256_mul(a, 0x100000001u), u256_add(u256_shl(a, 32), a));
    }
}

TEST(shifts_move_bits_and_drop_them_at_the_ends)
{
    struct u256 one = u256_of(1);
    for (unsigned n = 0; n < 256; n++) {
        struct u256 bit = u256_shl(one, n);
        assert_int_equal(u256_bits(bit), n + 1);
        assert_int_equal(bit.limb[n / 64], (uint64_t)1 << (n % 64));
        assert_u256(u256_shr(bit, n), one);
        assert_true(u256_is_zero(u256_shr(bit, n + 1)));
    }
    assert_true(u256_is_zero(u256_shl(one, 256)));
    assert_true(u256_is_zero(u256_shr(u256_not(u256_of(0)), 1000)));
    assert_u256(u256_shr(of_hex("123456789abcdef0123456789abcdef0"), 68),
                of_hex("123456789abcdef"));
}

TEST(order_is_decided_by_the_highest_limb_that_differs)
{
    for (int i = 0; i < 4; i++) {
        struct u256 low = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
        struct u256 high = {{0}};
        for (int j = i; j < 4; j++)
            low.limb[j] = high.limb[j] = 5;
        high.limb[i] = 6;
        assert_true(u256_compare(low, high) < 0);
        assert_true(u256_compare(high, low) > 0);
        assert_int_equal(u256_compare(low, low), 0);
    }
}

TEST(bytes_are_little_endian)
{
    uint8_t bytes[32] = {[0] = 0x34, [1] = 0x12, [31] = 0x80}, back[32];
    struct u256 a = u256_from_le(bytes);
    assert_int_equal(a.limb[0], 0x1234);
    assert_int_equal(a.limb[3], 0x8000000000000000);
    u256_to_le(a, back);
    assert_memory_equal(back, bytes, 32);
}

TEST(doubles_are_near)
{
    assert_true(u256_to_double(u256_of(0)) == 0.0);
    assert_true(u256_to_double(u256_of(4294967296)) == 4294967296.0);
    assert_true(u256_to_double(u256_shl(u256_of(3), 200)) == 3 * 0x1p200);
}
