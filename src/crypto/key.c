/* key.c - secret keys, and signing with them. */
#include "crypto/key.h"

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_recovery.h>
#include <secp256k1_schnorrsig.h>
#include <string.h>

#include "crypto/mem.h"
#include "util/alloc.h"

struct ec_context {
    secp256k1_context *raw;
};

struct ec_context *ec_context_new(const uint8_t seed[32])
{
    struct ec_context *context = xmalloc(sizeof *context);
    context->raw = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    int ok = secp256k1_context_randomize(context->raw, seed);
    ASSERT(ok);
    return context;
}

void ec_context_free(struct ec_context *context)
{
    if (!context)
        return;
    secp256k1_context_destroy(context->raw);
    xfree(context);
}

bool seckey_is_valid(const uint8_t key[32])
{
    return secp256k1_ec_seckey_verify(secp256k1_context_static, key);
}

bool seckey_pubkey(const struct ec_context *context, const uint8_t key[32],
                   struct ec_pubkey *pubkey)
{
    return secp256k1_ec_pubkey_create(context->raw, (secp256k1_pubkey *)(void *)pubkey, key);
}

bool seckey_tweak_add(uint8_t key[32], const uint8_t tweak32[32])
{
    return secp256k1_ec_seckey_tweak_add(secp256k1_context_static, key, tweak32);
}

bool seckey_taproot_tweak(const struct ec_context *context, const uint8_t key[32],
                          const uint8_t tweak32[32], uint8_t out[32])
{
    ASSERT(context);
    secp256k1_keypair pair;
    bool ok = secp256k1_keypair_create(context->raw, &pair, key) &&
              secp256k1_keypair_xonly_tweak_add(context->raw, &pair, tweak32) &&
              secp256k1_keypair_sec(context->raw, out, &pair);
    mem_wipe(&pair, sizeof pair);
    return ok;
}

static bool has_low_r(const secp256k1_ecdsa_signature *sig)
{
    uint8_t compact[64];
    secp256k1_ecdsa_signature_serialize_compact(secp256k1_context_static, compact, sig);
    return compact[0] < 0x80;
}

size_t ecdsa_sign(const struct ec_context *context, const uint8_t key[32], const uint8_t hash32[32],
                  uint8_t sig[ECDSA_SIG_MAX])
{
    ASSERT(context);
    secp256k1_ecdsa_signature made;
    if (!secp256k1_ecdsa_sign(context->raw, &made, hash32, key, NULL, NULL))
        return 0;
    /* Half of all nonces give a high r: count up until one does not. */
    uint8_t extra[32] = {0};
    for (uint32_t counter = 1; !has_low_r(&made); counter++) {
        for (int i = 0; i < 4; i++)
            extra[i] = (uint8_t)(counter >> (8 * i));
        int ok = secp256k1_ecdsa_sign(context->raw, &made, hash32, key, NULL, extra);
        ASSERT(ok);
    }
    size_t len = ECDSA_SIG_MAX;
    int ok = secp256k1_ecdsa_signature_serialize_der(context->raw, sig, &len, &made);
    ASSERT(ok);
    return len;
}

bool ecdsa_sign_compact(const struct ec_context *context, const uint8_t key[32],
                        const uint8_t hash32[32], bool compressed, uint8_t sig[ECDSA_COMPACT_BYTES])
{
    ASSERT(context);
    secp256k1_ecdsa_recoverable_signature made;
    int recovery = 0;
    if (!secp256k1_ecdsa_sign_recoverable(context->raw, &made, hash32, key, NULL, NULL))
        return false;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context->raw, sig + 1, &recovery,
                                                            &made);
    ASSERT(recovery >= 0 && recovery < 4);
    sig[0] = (uint8_t)(27 + recovery + (compressed ? 4 : 0));
    return true;
}

bool schnorr_sign(const struct ec_context *context, const uint8_t key[32], struct span message,
                  const uint8_t aux32[32], uint8_t sig[64])
{
    ASSERT(context);
    secp256k1_keypair pair;
    if (!secp256k1_keypair_create(context->raw, &pair, key))
        return false;
    /* The library only reads it, but its field lacks the const. */
    uint8_t aux[32];
    secp256k1_schnorrsig_extraparams extra = SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
    if (aux32) {
        memcpy(aux, aux32, sizeof aux);
        extra.ndata = aux;
    }
    bool ok =
        secp256k1_schnorrsig_sign_custom(context->raw, sig, message.p, message.len, &pair, &extra);
    mem_wipe(&pair, sizeof pair);
    return ok;
}
