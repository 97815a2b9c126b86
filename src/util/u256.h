/* u256.h - unsigned 256-bit numbers: chain work and proof-of-work targets.
 *
 * Layer: util. Arithmetic is modulo 2^256, as Core's arith_uint256. Passed by value. */
#ifndef UTIL_U256_H
#define UTIL_U256_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"

#define U256_HEX_BYTES 65 /* 64 digits and the terminating zero */

struct u256 {
    uint64_t limb[4]; /* the lowest first */
};

/* The number that fits in 64 bits. */
static inline struct u256 u256_of(uint64_t v)
{
    return (struct u256){{v, 0, 0, 0}};
}

/* The number of 32 little-endian bytes: how a block hash is compared with its target. */
struct u256 u256_from_le(const uint8_t bytes[32]);
/* The 32 little-endian bytes of a number. */
void u256_to_le(struct u256 a, uint8_t bytes[32]);

/* Negative, 0 or positive as a is less than, equal to or greater than b. */
static inline int u256_compare(struct u256 a, struct u256 b)
{
    for (int i = 3; i >= 0; i--)
        if (a.limb[i] != b.limb[i])
            return a.limb[i] < b.limb[i] ? -1 : 1;
    return 0;
}

/* True if a is 0. */
static inline bool u256_is_zero(struct u256 a)
{
    return (a.limb[0] | a.limb[1] | a.limb[2] | a.limb[3]) == 0;
}

/* a + b modulo 2^256. */
struct u256 u256_add(struct u256 a, struct u256 b);
/* a - b modulo 2^256. */
struct u256 u256_sub(struct u256 a, struct u256 b);
/* a * factor modulo 2^256. */
struct u256 u256_mul(struct u256 a, uint64_t factor);

/* a / b rounded down. b is not 0 (asserts). */
struct u256 u256_div(struct u256 a, struct u256 b);

/* All bits inverted: 2^256 - 1 - a. */
struct u256 u256_not(struct u256 a);

/* Shifted up by n bits, 0 for n of 256 or more. */
struct u256 u256_shl(struct u256 a, unsigned n);
/* Shifted down by n bits, 0 for n of 256 or more. */
struct u256 u256_shr(struct u256 a, unsigned n);

/* The number of bits without leading zeros: 0 for 0, 256 for the largest. */
unsigned u256_bits(struct u256 a);

/* 64 lower-case hexadecimal digits, most significant first (as "chainwork" is shown).
 *
 * Out:      out  U256_HEX_BYTES
 * Returns:  out */
char *u256_to_hex(struct u256 a, char *out);

/* The nearest double, for figures shown to people. */
double u256_to_double(struct u256 a);

#endif
