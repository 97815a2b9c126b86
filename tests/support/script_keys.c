/* script_keys.c - keys 1 to 20 and signatures by them, for script tests. */
#include "support/script_keys.h"

#include <stdlib.h>

static void demand(bool ok)
{
    if (!ok)
        abort();
}

void script_keys_init(struct script_keys *keys)
{
    static const uint8_t seed[32] = {3};
    memset(keys, 0, sizeof *keys);
    keys->ec = ec_context_new(seed);
    for (int i = 0; i < SCRIPT_KEYS; i++) {
        struct ec_pubkey pubkey;
        uint8_t encoded[65];
        keys->secret[i][31] = (uint8_t)(i + 1);
        demand(seckey_pubkey(keys->ec, keys->secret[i], &pubkey));
        demand(ec_pubkey_serialize(&pubkey, true, encoded) == 33);
        memcpy(keys->pubkey[i], encoded, 33);
        if (i == 0)
            demand(ec_pubkey_serialize(&pubkey, false, keys->long_pubkey) == 65);
    }
}

void script_keys_deinit(struct script_keys *keys)
{
    ec_context_free(keys->ec);
}

size_t script_keys_sign(const struct script_keys *keys, int key, const uint8_t hash[32],
                        uint8_t hash_type, uint8_t sig[ECDSA_SIG_MAX + 1])
{
    size_t len = ecdsa_sign(keys->ec, keys->secret[key], hash, sig);
    demand(len > 0);
    sig[len] = hash_type;
    return len + 1;
}

size_t script_keys_sign_legacy(const struct script_keys *keys, int key,
                               const struct script_check *check, struct span script_code,
                               uint8_t hash_type, uint8_t sig[ECDSA_SIG_MAX + 1])
{
    struct sighash_cache cache;
    uint8_t hash[32];
    sighash_cache_init(&cache);
    sighash_legacy(&cache, check->tx, check->input, script_code, hash_type, hash);
    sighash_cache_deinit(&cache);
    return script_keys_sign(keys, key, hash, hash_type, sig);
}
