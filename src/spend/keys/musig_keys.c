/* musig_keys.c - one key for several people who sign together. */
#include "spend/keys/musig_keys.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "util/assert.h"

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, MUSIG_KEY_BYTES);
}

/* The factor of a key, so that nobody can choose a key that cancels the others' out. That of the
 * second of two different ones is 1, which saves a multiplication. */
static bool add_weighted(struct ec_pubkey *sum, bool is_first, const uint8_t *key,
                         const uint8_t *second, const uint8_t list_hash[32])
{
    struct ec_pubkey point;
    struct sha256 h;
    uint8_t factor[32];
    if (!ec_pubkey_parse(&point, span_of(key, MUSIG_KEY_BYTES)))
        return false;
    if (!second || memcmp(key, second, MUSIG_KEY_BYTES) != 0) {
        tagged_hash_init_string(&h, "KeyAgg coefficient");
        sha256_update(&h, list_hash, 32);
        sha256_update(&h, key, MUSIG_KEY_BYTES);
        sha256_final(&h, factor);
        if (!ec_pubkey_tweak_mul(&point, factor))
            return false;
    }
    if (!is_first)
        return ec_pubkey_add(sum, &point);
    *sum = point;
    return true;
}

bool musig_aggregate(uint8_t *keys, size_t n, uint8_t out[MUSIG_KEY_BYTES])
{
    ASSERT(keys && n > 0 && out);
    struct sha256 h;
    struct ec_pubkey sum;
    uint8_t list_hash[32], bytes[65];
    const uint8_t *second = NULL;
    qsort(keys, n, MUSIG_KEY_BYTES, compare_keys);
    tagged_hash_init_string(&h, "KeyAgg list");
    sha256_update(&h, keys, n * MUSIG_KEY_BYTES);
    sha256_final(&h, list_hash);
    for (size_t i = 1; i < n && !second; i++) {
        if (memcmp(keys + i * MUSIG_KEY_BYTES, keys, MUSIG_KEY_BYTES) != 0)
            second = keys + i * MUSIG_KEY_BYTES;
    }
    for (size_t i = 0; i < n; i++) {
        if (!add_weighted(&sum, i == 0, keys + i * MUSIG_KEY_BYTES, second, list_hash))
            return false;
    }
    (void)ec_pubkey_serialize(&sum, true, bytes);
    memcpy(out, bytes, MUSIG_KEY_BYTES);
    return true;
}

void musig_extend(const uint8_t aggregate[MUSIG_KEY_BYTES], struct bip32_key *out)
{
    ASSERT(aggregate && out);
    *out = (struct bip32_key){0};
    memcpy(out->pubkey, aggregate, sizeof out->pubkey);
    /* BIP328: a constant in place of a chain code. */
    sha256(span_of_string("MuSig2MuSig2MuSig2"), out->chain_code);
}
