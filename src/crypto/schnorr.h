/* schnorr.h - verification of Schnorr signatures.
 *
 * Layer: crypto. Thread-safe, no heap, no set-up. Signing is in key.h. */
#ifndef CRYPTO_SCHNORR_H
#define CRYPTO_SCHNORR_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/pubkey.h"
#include "util/assert.h"
#include "util/span.h"

/* Verify a signature over a message of any length.
 *
 * In:       pubkey   an x coordinate
 * Returns:  false also where pubkey is not the x of a point
 * Spec:     BIP-340, Verification */
NODISCARD bool schnorr_verify(const uint8_t sig[64], struct span message, const uint8_t pubkey[32]);

/* The same by a key that was parsed before, which saves an eighth of the time. The parity of its y
 * does not count: only x is the key. */
NODISCARD bool schnorr_verify_parsed(const uint8_t sig[64], struct span message,
                                     const struct ec_pubkey *pubkey);

#endif
