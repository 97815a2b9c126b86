/* bip32.c - extended keys. */
#include "spend/keys/bip32.h"

#include <string.h>

#include "crypto/base58.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "crypto/pubkey.h"
#include "util/assert.h"

enum {
    EXTENDED_BYTES = 78, /* version, depth, fingerprint, number, chain code, key */
    AT_DEPTH = 4,
    AT_PARENT = 5, /* fingerprint and number */
    AT_CHAIN_CODE = 13,
    AT_KEY = 45,
    TEXT_MAX = 120,
};

static bool set_secret(const struct ec_context *ec, struct bip32_key *key, const uint8_t secret[32])
{
    struct ec_pubkey pubkey;
    uint8_t bytes[65];
    memcpy(key->secret, secret, 32);
    key->has_secret = true;
    if (!seckey_pubkey(ec, secret, &pubkey))
        return false;
    size_t len = ec_pubkey_serialize(&pubkey, true, bytes);
    ASSERT(len == sizeof key->pubkey);
    memcpy(key->pubkey, bytes, len);
    return true;
}

bool bip32_parse(const struct ec_context *ec, const struct network *network, struct span text,
                 struct bip32_key *key)
{
    static const uint8_t zero[8];
    char copy[TEXT_MAX];
    uint8_t raw[EXTENDED_BYTES];
    struct ec_pubkey parsed;
    size_t len;
    *key = (struct bip32_key){0};
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = 0;
    if (strlen(copy) != text.len || !base58check_decode(copy, sizeof raw, raw, &len) ||
        len != sizeof raw)
        return false;
    /* A root has neither parent nor number. */
    if (raw[AT_DEPTH] == 0 && memcmp(raw + AT_PARENT, zero, sizeof zero) != 0)
        return false;
    memcpy(key->place, raw + AT_DEPTH, sizeof key->place);
    memcpy(key->chain_code, raw + AT_CHAIN_CODE, sizeof key->chain_code);
    if (memcmp(raw, network->base58_xprv, 4) == 0)
        return raw[AT_KEY] == 0 && seckey_is_valid(raw + AT_KEY + 1) &&
               set_secret(ec, key, raw + AT_KEY + 1);
    memcpy(key->pubkey, raw + AT_KEY, sizeof key->pubkey);
    return memcmp(raw, network->base58_xpub, 4) == 0 &&
           ec_pubkey_parse(&parsed, span_of(key->pubkey, sizeof key->pubkey));
}

bool bip32_derive(const struct ec_context *ec, const struct bip32_key *key, uint32_t number,
                  struct bip32_key *child)
{
    ASSERT(key);
    uint8_t data[33 + 4], hash[64], bytes[65];
    struct ec_pubkey pubkey;
    bool is_hardened = number >= BIP32_HARDENED;
    if (is_hardened && !key->has_secret)
        return false;
    data[0] = 0;
    memcpy(is_hardened ? data + 1 : data, is_hardened ? key->secret : key->pubkey,
           is_hardened ? sizeof key->secret : sizeof key->pubkey);
    for (int i = 0; i < 4; i++)
        data[33 + i] = (uint8_t)(number >> (24 - 8 * i));
    hmac_sha512(span_of(key->chain_code, sizeof key->chain_code), span_of(data, sizeof data), hash);
    struct bip32_key out = {0};
    memcpy(out.chain_code, hash + 32, sizeof out.chain_code);
    if (key->has_secret) {
        uint8_t secret[32];
        memcpy(secret, key->secret, sizeof secret);
        if (!seckey_tweak_add(secret, hash) || !set_secret(ec, &out, secret))
            return false;
    } else {
        if (!ec_pubkey_parse(&pubkey, span_of(key->pubkey, sizeof key->pubkey)) ||
            !ec_pubkey_tweak_add(&pubkey, hash))
            return false;
        (void)ec_pubkey_serialize(&pubkey, true, bytes);
        memcpy(out.pubkey, bytes, sizeof out.pubkey);
    }
    *child = out;
    return true;
}

void bip32_write_public(const struct network *network, const struct bip32_key *key,
                        struct buffer *out)
{
    ASSERT(network && key);
    uint8_t raw[EXTENDED_BYTES];
    char text[TEXT_MAX];
    memcpy(raw, network->base58_xpub, AT_DEPTH);
    memcpy(raw + AT_DEPTH, key->place, sizeof key->place);
    memcpy(raw + AT_CHAIN_CODE, key->chain_code, sizeof key->chain_code);
    memcpy(raw + AT_KEY, key->pubkey, sizeof key->pubkey);
    base58check_encode(span_of(raw, sizeof raw), text);
    buffer_append_string(out, text);
}

void bip32_fingerprint(struct span pubkey, uint8_t out[4])
{
    uint8_t hash[20];
    hash160(pubkey, hash);
    memcpy(out, hash, 4);
}
