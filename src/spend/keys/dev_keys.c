/* dev_keys.c - see dev_keys.h */
#include "spend/keys/dev_keys.h"

#include <stdio.h>
#include <string.h>

#include "consensus/opcodes.h"
#include "crypto/hash.h"
#include "spend/keys/bip32.h"
#include "util/alloc.h"

/* The root of DEV_KEYS_WORDS' seed: what 2,048 rounds of HMAC make of them is a constant. */
#define DEV_KEYS_ROOT                                                                              \
    "tprv8ZgxMBicQKsPdgWczToVVkusVeKHWs5R9QWvz6aHwXayE7KFPsbo6FJMMZHNYKqdJtrCdbohEAoGVbEkVArz1"    \
    "wARVFSY7YDurVeSdzdR8qM"

static bool derive_parent(const struct ec_context *ec, struct bip32_key *parent)
{
    static const uint32_t path[] = {BIP32_HARDENED + 84, BIP32_HARDENED + 1, BIP32_HARDENED, 0};
    struct bip32_key key;
    bool ok = bip32_parse(ec, network_get(NETWORK_REGTEST), span_of_string(DEV_KEYS_ROOT), parent);
    for (size_t i = 0; ok && i < COUNT_OF(path); i++) {
        key = *parent;
        ok = bip32_derive(ec, &key, path[i], parent);
    }
    return ok;
}

static void fill_key(struct dev_key *key, const struct bip32_key *from,
                     const struct network *network, unsigned number)
{
    memcpy(key->secret, from->secret, sizeof key->secret);
    key->script[0] = OP_0;
    key->script[1] = 20;
    hash160(span_of(from->pubkey, sizeof from->pubkey), key->script + 2);
    snprintf(key->path, sizeof key->path, "m/84'/1'/0'/0/%u", number);
    wif_encode(network, key->secret, true, key->wif);
    bool ok = address_encode(network, span_of(key->script, sizeof key->script), key->address);
    ASSERT(ok);
}

struct dev_keys *dev_keys_new(const struct ec_context *ec, const struct network *network)
{
    ASSERT(ec && network && network->kind != NETWORK_MAIN);
    struct dev_keys *keys = xcalloc(1, sizeof *keys);
    struct bip32_key parent, child;
    bool ok = derive_parent(ec, &parent);
    for (unsigned i = 0; ok && i < DEV_KEYS; i++) {
        ok = bip32_derive(ec, &parent, i, &child);
        fill_key(&keys->at[i], &child, network, i);
    }
    ASSERT(ok); /* constants of ours */
    return keys;
}
