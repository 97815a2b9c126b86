/* pubkey.c - public keys of the curve secp256k1, plain and x-only. */
#include "crypto/pubkey.h"

#include <string.h>

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>

_Static_assert(sizeof(struct ec_pubkey) == sizeof(secp256k1_pubkey), "the library's own size");

/* Ours has the library's bytes under a name of our own, so that no header includes the library's.
 * All below works with the library's static context: nothing here is secret, or needs blinding. */
static secp256k1_pubkey *raw(struct ec_pubkey *pubkey)
{
    return (secp256k1_pubkey *)(void *)pubkey;
}

static const secp256k1_pubkey *raw_const(const struct ec_pubkey *pubkey)
{
    return (const secp256k1_pubkey *)(const void *)pubkey;
}

bool ec_pubkey_parse(struct ec_pubkey *pubkey, struct span in)
{
    if (in.len != 33 && in.len != 65)
        return false;
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, raw(pubkey), in.p, in.len);
}

size_t ec_pubkey_serialize(const struct ec_pubkey *pubkey, bool compressed, uint8_t out[65])
{
    size_t len = 65;
    unsigned flags = compressed ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED;
    int ok = secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &len, raw_const(pubkey),
                                           flags);
    ASSERT(ok && len == (compressed ? 33 : 65));
    return len;
}

bool ec_pubkey_tweak_add(struct ec_pubkey *pubkey, const uint8_t tweak32[32])
{
    return secp256k1_ec_pubkey_tweak_add(secp256k1_context_static, raw(pubkey), tweak32);
}

bool ec_pubkey_tweak_mul(struct ec_pubkey *pubkey, const uint8_t tweak32[32])
{
    return secp256k1_ec_pubkey_tweak_mul(secp256k1_context_static, raw(pubkey), tweak32);
}

bool ec_pubkey_add(struct ec_pubkey *a, const struct ec_pubkey *b)
{
    const secp256k1_pubkey *parts[] = {raw_const(a), raw_const(b)};
    secp256k1_pubkey sum;
    if (!secp256k1_ec_pubkey_combine(secp256k1_context_static, &sum, parts, 2))
        return false;
    memcpy(a, &sum, sizeof sum);
    return true;
}

bool xonly_is_valid(const uint8_t x[32])
{
    secp256k1_xonly_pubkey key;
    return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, x);
}

void xonly_from_pubkey(uint8_t x[32], int *parity, const struct ec_pubkey *pubkey)
{
    secp256k1_xonly_pubkey key;
    int ok = secp256k1_xonly_pubkey_from_pubkey(secp256k1_context_static, &key, parity,
                                                raw_const(pubkey)) &&
             secp256k1_xonly_pubkey_serialize(secp256k1_context_static, x, &key);
    ASSERT(ok);
}

bool xonly_tweak_add(uint8_t output[32], int *parity, const uint8_t internal[32],
                     const uint8_t tweak32[32])
{
    secp256k1_xonly_pubkey key;
    struct ec_pubkey sum;
    if (!secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, internal) ||
        !secp256k1_xonly_pubkey_tweak_add(secp256k1_context_static, raw(&sum), &key, tweak32))
        return false;
    xonly_from_pubkey(output, parity, &sum);
    return true;
}

bool xonly_tweak_add_check(const uint8_t output[32], int parity, const uint8_t internal[32],
                           const uint8_t tweak32[32])
{
    secp256k1_xonly_pubkey key;
    return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &key, internal) &&
           secp256k1_xonly_pubkey_tweak_add_check(secp256k1_context_static, output, parity, &key,
                                                  tweak32);
}
