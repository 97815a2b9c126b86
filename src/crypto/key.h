/* key.h - secret keys, and signing with them.
 *
 * Layer: crypto. A secret key is 32 bytes, big-endian, owned and wiped (mem_wipe()) by the
 * caller. */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/ecdsa.h"
#include "crypto/pubkey.h"
#include "util/assert.h"

/* What signing needs beyond the key: tables, and blinding against side channels. One thread at a
 * time may be inside ec_context_new(); afterwards a context is read-only and may be shared. */
struct ec_context;

/* Make a context. seed: 32 random bytes for the blinding. Owns: the caller. */
NODISCARD struct ec_context *ec_context_new(const uint8_t seed[32]);
/* Free it; NULL is allowed. */
void ec_context_free(struct ec_context *context);

/* True if key is not 0 and below the group's order. */
bool seckey_is_valid(const uint8_t key[32]);

/* The public key of a valid secret key. Returns: false if the key is not valid. */
NODISCARD bool seckey_pubkey(const struct ec_context *context, const uint8_t key[32],
                             struct ec_pubkey *pubkey);

/* key += tweak, modulo the group's order. Returns: false if tweak is too large or the sum is 0.
 * Spec: BIP32, private child. */
NODISCARD bool seckey_tweak_add(uint8_t key[32], const uint8_t tweak32[32]);

/* The secret key of a taproot output: key, negated if its point has an odd y, plus tweak.
 *
 * In:       tweak32   hashTapTweak(x of the key || merkle root)
 * Out:      out       may be key
 * Spec:     BIP-341, Constructing and spending Taproot outputs */
NODISCARD bool seckey_taproot_tweak(const struct ec_context *context, const uint8_t key[32],
                                    const uint8_t tweak32[32], uint8_t out[32]);

enum { ECDSA_SIG_MAX = 72 };

/* Sign a message hash, deterministically (RFC 6979), with low s and with r below 2^255, so that
 * the encoding takes at most 70 bytes.
 *
 * Out:      sig      DER, without the hash type byte
 * Returns:  the length, or 0 if key is not valid
 * Spec:     Core CKey::Sign(), byte for byte: the retry counter for a low r is extra entropy */
NODISCARD size_t ecdsa_sign(const struct ec_context *context, const uint8_t key[32],
                            const uint8_t hash32[32], uint8_t sig[ECDSA_SIG_MAX]);

/* The same without the limit of r, in a form from which the public key is worked out again.
 *
 * In:       compressed  whether that key's use is the compressed form
 * Out:      sig         27 + which of four points + 4 if compressed, then r || s
 * Returns:  false if key is not valid
 * Spec:     Core CKey::SignCompact() */
NODISCARD bool ecdsa_sign_compact(const struct ec_context *context, const uint8_t key[32],
                                  const uint8_t hash32[32], bool compressed,
                                  uint8_t sig[ECDSA_COMPACT_BYTES]);

/* Sign a message.
 *
 * In:       aux32    fresh randomness, or NULL for none
 * Returns:  false if key is not valid
 * Spec:     BIP-340, Default Signing */
NODISCARD bool schnorr_sign(const struct ec_context *context, const uint8_t key[32],
                            struct span message, const uint8_t aux32[32], uint8_t sig[64]);

#endif
