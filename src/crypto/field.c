/* field.c - arithmetic modulo 2^256 - 2^32 - 977. */
#include "crypto/field.h"

#include <string.h>

#include "util/endian.h"

__extension__ typedef unsigned __int128 uint128;

/* The modulus is 2^256 minus this. */
static const uint64_t diff = 0x1000003d1;

/* Add small to a; returns the carry. */
static uint64_t add_small(struct field *a, uint64_t small)
{
    for (int i = 0; i < 4; i++) {
        a->limb[i] += small;
        small = a->limb[i] < small;
    }
    return small;
}

/* Bring carry * 2^256 + a, which must be below twice the modulus, below the modulus. Adding the
 * difference and dropping 2^256 subtracts the modulus. */
static struct field reduce_once(struct field a, uint64_t carry)
{
    struct field less = a;
    return add_small(&less, diff) | carry ? less : a;
}

struct field field_of(uint64_t n)
{
    return (struct field){{n, 0, 0, 0}};
}

struct field field_load(const uint8_t in[32])
{
    struct field a;
    for (int i = 0; i < 4; i++)
        a.limb[i] = load_be64(in + 24 - 8 * i);
    return reduce_once(a, 0);
}

void field_store(struct field a, uint8_t out[32])
{
    for (int i = 0; i < 4; i++)
        store_be64(out + 24 - 8 * i, a.limb[i]);
}

bool field_equal(struct field a, struct field b)
{
    return memcmp(a.limb, b.limb, sizeof a.limb) == 0;
}

bool field_is_zero(struct field a)
{
    return field_equal(a, field_of(0));
}

struct field field_add(struct field a, struct field b)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        uint128 sum = (uint128)a.limb[i] + b.limb[i] + carry;
        a.limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    return reduce_once(a, carry);
}

struct field field_negate(struct field a)
{
    if (field_is_zero(a))
        return a;
    /* The modulus minus a is the complement of a, less (difference - 1). */
    uint64_t borrow = diff - 1;
    for (int i = 0; i < 4; i++) {
        uint64_t flipped = ~a.limb[i];
        a.limb[i] = flipped - borrow;
        borrow = flipped < borrow;
    }
    return a;
}

struct field field_sub(struct field a, struct field b)
{
    return field_add(a, field_negate(b));
}

struct field field_mul(struct field a, struct field b)
{
    uint64_t wide[8] = {0};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            uint128 sum = (uint128)a.limb[i] * b.limb[j] + wide[i + j] + carry;
            wide[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        wide[i + 4] = carry;
    }
    /* The upper half has weight 2^256, which is the difference; so has what it carries. */
    struct field r;
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        uint128 sum = (uint128)wide[4 + i] * diff + wide[i] + carry;
        r.limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    uint128 sum = (uint128)carry * diff + r.limb[0];
    r.limb[0] = (uint64_t)sum;
    carry = (uint64_t)(sum >> 64);
    for (int i = 1; i < 4; i++) {
        r.limb[i] += carry;
        carry = r.limb[i] < carry;
    }
    /* What was carried was at most the difference, so this is below 2^256 + 2^65: once is enough.
     */
    return reduce_once(r, carry);
}

struct field field_square(struct field a)
{
    return field_mul(a, a);
}

/* a to a power given as 64 digits of 4 bits, most significant first. The table is read at places
 * that depend on the exponent, which is a constant here, never a secret. */
static struct field power(struct field a, const uint64_t exponent[4])
{
    struct field table[16] = {field_of(1)};
    for (int i = 1; i < 16; i++)
        table[i] = field_mul(table[i - 1], a);
    struct field r = field_of(1);
    for (int shift = 252; shift >= 0; shift -= 4) {
        for (int i = 0; i < 4; i++)
            r = field_square(r);
        r = field_mul(r, table[exponent[shift / 64] >> shift % 64 & 15]);
    }
    return r;
}

struct field field_inverse(struct field a)
{
    /* Fermat: the modulus minus 2. */
    static const uint64_t exponent[4] = {0xfffffffefffffc2d, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    return power(a, exponent);
}

bool field_sqrt(struct field *root, struct field a)
{
    /* The modulus is 3 modulo 4, so this is (modulus + 1) / 4. */
    static const uint64_t exponent[4] = {0xffffffffbfffff0c, UINT64_MAX, UINT64_MAX,
                                         0x3fffffffffffffff};
    *root = power(a, exponent);
    return field_equal(field_square(*root), a);
}
