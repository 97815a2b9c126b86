/* ecdsa.h - ECDSA signatures: their encodings, and verification.
 *
 * Layer: crypto. Thread-safe, no heap, no set-up. Signing is in key.h. */
#ifndef CRYPTO_ECDSA_H
#define CRYPTO_ECDSA_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/pubkey.h"
#include "util/span.h"

/* Verify a signature over a 32-byte message hash as consensus has always done: any encoding that
 * ecdsa_parse_lax() takes, and s in either half of its range.
 *
 * In:       sig      without the hash type byte
 * Returns:  false for a signature that does not parse or does not match
 * Spec:     Core CPubKey::Verify() */
NODISCARD bool ecdsa_verify_lax(struct span sig, const uint8_t hash32[32],
                                const struct ec_pubkey *pubkey);

/* Decode r and s, 32 bytes each, as OpenSSL did before BIP66 fixed the encoding: lengths of the
 * sequence are not looked at, lengths may be written long, numbers may be padded with zeros or
 * have their top bit set (they count as positive), and bytes may follow.
 *
 * In:       sig      without the hash type byte
 * Out:      compact  r || s; zeros (which no verification accepts) if either does not fit
 * Returns:  false if there are no two numbers at all */
NODISCARD bool ecdsa_parse_lax(struct span sig, uint8_t compact[64]);

/* The encoding rule of script flag DERSIG.
 *
 * In:       sig      with the hash type byte, as in a script: 9 to 73 bytes
 * Spec:     BIP-66, DER encoding reference */
bool ecdsa_is_strict_der(struct span sig);

enum { ECDSA_COMPACT_BYTES = 65 };

/* The public key that a signature of ecdsa_sign_compact() was made with.
 *
 * Out:      pubkey      undefined on failure
 *           compressed  how the signer uses it
 * Returns:  false if no key has made such a signature of that hash
 * Spec:     Core CPubKey::RecoverCompact(), SEC 1 section 4.1.6 */
NODISCARD bool ecdsa_recover_compact(const uint8_t sig[ECDSA_COMPACT_BYTES],
                                     const uint8_t hash32[32], struct ec_pubkey *pubkey,
                                     bool *compressed);

/* True if s is at most half the group's order. Spec: BIP146, LOW_S; sig as ecdsa_parse_lax(). */
bool ecdsa_is_low_s(struct span sig);

#endif
