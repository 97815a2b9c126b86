/* schnorr.c - verification of Schnorr signatures. */
#include "crypto/schnorr.h"

#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

bool schnorr_verify(const uint8_t sig[64], struct span message, const struct ec_pubkey *pubkey)
{
    secp256k1_xonly_pubkey key;
    return secp256k1_xonly_pubkey_from_pubkey(secp256k1_context_static, &key, NULL,
                                              (const secp256k1_pubkey *)(const void *)pubkey) &&
           secp256k1_schnorrsig_verify(secp256k1_context_static, sig, message.p, message.len, &key);
}
