/* test_field.c - one worked example, the laws of a field, and numbers at the modulus. */
#include "crypto/field.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/assert.h"

#define A "d76d4330f1446beab0c11fdecb91ce375bc8fbbcbde5c0994164d8399f767c45"
#define B "c6a5387777330bdbd7210dff076ce2ef87b0b125ec1d7da0a6eb8c9ebd69fe29"

static struct field number(const char *digits)
{
    uint8_t bytes[32];
    hex_bytes_exactly(digits, bytes, 32);
    return field_load(bytes);
}

static void check(struct field a, const char *want)
{
    uint8_t bytes[32];
    field_store(a, bytes);
    assert_hex(bytes, 32, want);
}

/* Worked out with big integers of another language. */
TEST(the_example_comes_out)
{
    struct field a = number(A), b = number(B);
    check(a, A);
    check(field_add(a, b), "9e127ba8687777c687e22dddd2feb126e379ace2aa033e39e85064d95ce07e3f");
    check(field_sub(a, b), "10c80ab97a11600ed9a011dfc424eb47d4184a96d1c842f89a794b9ae20c7e1c");
    check(field_mul(a, b), "2f55c407778066ae182918ca6bbac73b3821a5f10790ebefd49b7556e0bcd060");
    check(field_inverse(a), "0f71d6ca9045abee8444ab88adfa66731a19a62d3149a09b786d48696f8d2a56");
    check(field_negate(a), "2892bccf0ebb94154f3ee021346e31c8a4370443421a3f66be9b27c560897fea");
}

/* clang-format off */
/* Around the modulus p = 2^256 - 2^32 - 977, and what loading makes of it. */
static const struct { const char *in, *want; } wraps[] = {
    {"fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e"},
    {"fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30",
     "0000000000000000000000000000000000000000000000000000000000000001"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "00000000000000000000000000000000000000000000000000000001000003d0"},
};
/* clang-format on */

TEST(numbers_wrap_at_the_modulus)
{
    for (size_t i = 0; i < COUNT_OF(wraps); i++)
        check(number(wraps[i].in), wraps[i].want);
    struct field top = number(wraps[0].in), zero = field_of(0), one = field_of(1);
    assert_true(field_is_zero(field_add(top, one)));
    assert_true(field_equal(field_sub(zero, one), top));
    assert_true(field_equal(field_negate(one), top));
    assert_true(field_is_zero(field_negate(zero)));
    assert_true(field_equal(field_mul(top, top), one));
    assert_true(field_equal(field_inverse(top), top));
    assert_true(field_is_zero(field_inverse(zero)));
    check(field_add(top, top), "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2d");
}

TEST(the_laws_hold)
{
    struct field a = number(A), b = number(B);
    for (int i = 0; i < 200; i++) {
        struct field c = field_sub(field_mul(a, b), field_of((uint64_t)i));
        assert_true(field_equal(field_add(field_sub(a, b), b), a));
        assert_true(field_equal(field_mul(a, field_add(b, c)),
                                field_add(field_mul(a, b), field_mul(a, c))));
        assert_true(field_equal(field_mul(field_inverse(c), c), field_of(1)));
        assert_true(field_is_zero(field_add(c, field_negate(c))));
        a = b;
        b = c;
    }
}

/* Of a number and its negation exactly one has a root: -1 is no square here. */
TEST(half_of_the_numbers_are_squares)
{
    struct field a = number(A), root;
    for (int i = 0; i < 50; i++) {
        struct field square = field_square(a);
        assert_true(field_sqrt(&root, square));
        assert_true(field_equal(root, a) || field_equal(root, field_negate(a)));
        assert_false(field_sqrt(&root, field_negate(square)));
        a = field_add(square, field_of(1));
    }
    assert_true(field_sqrt(&root, field_of(4)));
    assert_true(field_equal(field_square(root), field_of(4)));
    assert_true(field_sqrt(&root, field_of(0)));
    assert_true(field_is_zero(root));
}
