/* field.h - arithmetic modulo 2^256 - 2^32 - 977, the field of secp256k1, for ellswift.c.
 *
 * Layer: crypto. Not constant time: use it for public points only. Every result is fully reduced,
 * so equal numbers have equal limbs. */
#ifndef CRYPTO_FIELD_H
#define CRYPTO_FIELD_H

#include <stdbool.h>
#include <stdint.h>

struct field {
    uint64_t limb[4]; /* least significant first */
};

/* A small number. */
struct field field_of(uint64_t n);
/* Big-endian bytes; numbers not below the modulus wrap. */
struct field field_load(const uint8_t in[32]);
/* The same way back. The bytes are always below the modulus. */
void field_store(struct field a, uint8_t out[32]);

/* Is a zero? Exact: the modulus itself cannot stand for it. */
bool field_is_zero(struct field a);
/* Are a and b the same number? Not constant time. */
bool field_equal(struct field a, struct field b);

/* a + b */
struct field field_add(struct field a, struct field b);
/* a - b */
struct field field_sub(struct field a, struct field b);
/* -a, which of 0 is 0 */
struct field field_negate(struct field a);
/* a * b */
struct field field_mul(struct field a, struct field b);
/* a * a */
struct field field_square(struct field a);
/* 1 / a, and 0 for 0. Costs as much as some 330 multiplications: divide once, late. */
struct field field_inverse(struct field a);

/* A square root: the one that is itself a square. Returns: false if a has none. */
bool field_sqrt(struct field *root, struct field a);

#endif
