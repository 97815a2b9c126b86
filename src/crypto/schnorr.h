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
 * In:       pubkey   the parity of its y does not count: only x is the key
 * Spec:     BIP-340, Verification */
NODISCARD bool schnorr_verify(const uint8_t sig[64], struct span message,
                              const struct ec_pubkey *pubkey);

#endif
