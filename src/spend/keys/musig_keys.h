/* musig_keys.h - one key for several people who sign together.
 *
 * Layer: spend. Pure. Nothing here signs: the aggregate's address is all that a node needs. Spec:
 * BIP327 (KeySort, KeyAgg), BIP328 (extended keys of aggregates), BIP390 */
#ifndef SPEND_KEYS_MUSIG_KEYS_H
#define SPEND_KEYS_MUSIG_KEYS_H

#include "spend/keys/bip32.h"

enum { MUSIG_KEY_BYTES = 33 };

/* Sort n keys of 33 bytes each, and aggregate them.
 *
 * Out:      out  33 bytes
 * Returns:  false if one of them is no key, or they cancel each other out */
NODISCARD bool musig_aggregate(uint8_t *keys, size_t n, uint8_t out[MUSIG_KEY_BYTES]);

/* The extended key that an aggregate stands for, whose children need no secret.
 * BIP328 */
void musig_extend(const uint8_t aggregate[MUSIG_KEY_BYTES], struct bip32_key *out);

#endif
