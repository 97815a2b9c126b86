/* muhash.h - a hash of a set: elements come and go in any order.
 *
 * Layer: crypto. A set is the product of its elements, each hashed to a number, modulo the prime
 * 2^3072 - 1103717. What was removed is kept as a divisor, so that the costly inversion happens
 * once, at the end. Spec: Core MuHash3072; the hash of the coins in gettxoutsetinfo. */
#ifndef CRYPTO_MUHASH_H
#define CRYPTO_MUHASH_H

#include <stdint.h>

#include "util/span.h"

enum { MUHASH_LIMBS = 48, MUHASH_STATE_BYTES = 8 * MUHASH_LIMBS };

/* A number of 3072 bits, least significant limb first. */
struct num3072 {
    uint64_t limb[MUHASH_LIMBS];
};

struct muhash {
    struct num3072 numerator, denominator;
};

/* The empty set. */
void muhash_init(struct muhash *m);

/* Add an element. It may be in a set several times, or a negative number of times: taking away may
 * come first. About 2 us. */
void muhash_insert(struct muhash *m, struct span element);
/* Take an element away. About 2 us. */
void muhash_remove(struct muhash *m, struct span element);

/* The set's hash; m stays as it is. About 5 ms. */
void muhash_digest(const struct muhash *m, uint8_t out[32]);

/* The set itself as bytes, to continue later: one set has one form. About 5 ms. */
void muhash_encode(const struct muhash *m, uint8_t out[MUHASH_STATE_BYTES]);
/* The set that bytes stand for; any bytes do for one. */
void muhash_decode(struct muhash *m, const uint8_t in[MUHASH_STATE_BYTES]);
/* The hash of the set that bytes stand for, at no cost worth a name. */
void muhash_digest_encoded(const uint8_t in[MUHASH_STATE_BYTES], uint8_t out[32]);

#endif
