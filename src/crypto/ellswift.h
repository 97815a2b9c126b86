/* ellswift.h - public keys encoded as 64 bytes that look random (ElligatorSwift), and the key
 * agreement over them.
 *
 * Layer: crypto. An encoding is a pair (u, t) of field numbers; every pair stands for some x, and
 * every x has about 2^256 pairs. Spec:
 * BIP-324, ElligatorSwift encoding of curve X coordinates */
#ifndef CRYPTO_ELLSWIFT_H
#define CRYPTO_ELLSWIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/key.h"

/* The x coordinate that an encoding stands for. Never fails; about 60 us. */
void ellswift_decode(const uint8_t encoding[64], uint8_t x[32]);

/* One way to complete u to an encoding of x.
 *
 * In:       which   0 to 7: the branches of the map's inverse
 * Returns:  false if that branch has none for this x and u
 * Spec:     BIP324, XSwiftECInv() */
bool ellswift_invert(const uint8_t x[32], const uint8_t u[32], int which, uint8_t t[32]);

/* A random encoding of the public key of a valid secret key.
 *
 * In:       random   32 bytes, never used for anything else
 * Returns:  false if key is not valid */
NODISCARD bool ellswift_create(const struct ec_context *context, const uint8_t key[32],
                               const uint8_t random[32], uint8_t encoding[64]);

/* The secret that two holders of encodings agree on.
 *
 * In:       key           the secret key of ours
 *           initiating    true for the side that opened the connection
 * Returns:  false if key is not valid
 * Spec:     BIP-324, Shared secret computation */
NODISCARD bool ellswift_agree(const uint8_t key[32], const uint8_t ours[64],
                              const uint8_t theirs[64], bool initiating, uint8_t secret[32]);

#endif
