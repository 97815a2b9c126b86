/* pubkey.h - public keys of the curve secp256k1, plain and x-only.
 *
 * Layer: crypto. Thread-safe, no heap, no set-up: verification needs no context of ours. */
#ifndef CRYPTO_PUBKEY_H
#define CRYPTO_PUBKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/span.h"

/* A point of the curve, ready for use. Parsing one takes 4 us (a square root), a copy nothing: so
 * keep these by value in caches. The bytes mean nothing outside this process. */
struct ec_pubkey {
    uint8_t b[64];
};

/* Decode 33 bytes (02, 03), or 65 bytes (04, and the hybrid forms 06 and 07, which consensus
 * allows where STRICTENC is not in force).
 *
 * Out:      pubkey   undefined on failure
 * Returns:  false for any other length or first byte, a coordinate that is not below the field's
 *           size, a point off the curve, or a hybrid whose first byte has the wrong parity
 * Spec:     SEC 1, section 2.3.4 */
NODISCARD bool ec_pubkey_parse(struct ec_pubkey *pubkey, struct span in);

/* Encode as 33 bytes, or as 65 if not compressed. Returns: the length. */
size_t ec_pubkey_serialize(const struct ec_pubkey *pubkey, bool compressed, uint8_t out[65]);

/* Add tweak times the generator. Returns: false if tweak is not a valid scalar or the sum is the
 * point at infinity (a chance of 2^-128); then pubkey is undefined. Spec: BIP32, public child. */
NODISCARD bool ec_pubkey_tweak_add(struct ec_pubkey *pubkey, const uint8_t tweak32[32]);

/* Multiply by a scalar. Returns: false if it is 0 or not below the group's order. */
NODISCARD bool ec_pubkey_tweak_mul(struct ec_pubkey *pubkey, const uint8_t tweak32[32]);

/* a += b. Returns: false if the sum is the point at infinity; then a is undefined. */
NODISCARD bool ec_pubkey_add(struct ec_pubkey *a, const struct ec_pubkey *b);

/* True if x is the x coordinate of a point. BIP-340, Specification */
bool xonly_is_valid(const uint8_t x[32]);

/* The x coordinate of a key, and the parity of its y (may be NULL; 0 even, 1 odd). */
void xonly_from_pubkey(uint8_t x[32], int *parity, const struct ec_pubkey *pubkey);

/* output = internal + tweak * G, as x and parity of y (may be NULL).
 *
 * Returns:  false if internal is not a point's x, or tweak not below the group's order
 * Spec:     BIP-341, Constructing and spending Taproot outputs */
NODISCARD bool xonly_tweak_add(uint8_t output[32], int *parity, const uint8_t internal[32],
                               const uint8_t tweak32[32]);

/* True if xonly_tweak_add(internal, tweak) gives output and parity; cheaper than doing it.
 * BIP-341, Script validation rules */
bool xonly_tweak_add_check(const uint8_t output[32], int parity, const uint8_t internal[32],
                           const uint8_t tweak32[32]);

#endif
