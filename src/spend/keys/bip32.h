/* bip32.h - extended keys: read, and their children worked out.
 *
 * Layer: spend. Pure. Spec: BIP32. */
#ifndef SPEND_KEYS_BIP32_H
#define SPEND_KEYS_BIP32_H

#include "consensus/network.h"
#include "crypto/key.h"
#include "util/buffer.h"

#define BIP32_HARDENED UINT32_C(0x80000000)

struct bip32_key {
    uint8_t chain_code[32];
    uint8_t pubkey[33];
    uint8_t secret[32]; /* only if has_secret */
    bool has_secret;
    uint8_t place[9]; /* of a key that was read: depth, parent's fingerprint, number */
};

/* Read an extended key of that network, public or secret. Returns: false if it is none. */
NODISCARD bool bip32_parse(const struct ec_context *ec, const struct network *network,
                           struct span text, struct bip32_key *key);

/* The child of that number; a hardened one (BIP32_HARDENED and above) takes a secret key.
 * Returns: false if it cannot be had, which a chance of 2^-127 is too. */
NODISCARD bool bip32_derive(const struct ec_context *ec, const struct bip32_key *key,
                            uint32_t number, struct bip32_key *child);

/* Append the text of a key that was read, as a public key. */
void bip32_write_public(const struct network *network, const struct bip32_key *key,
                        struct buffer *out);

/* The first four bytes of a public key's HASH160: how key origins name it. */
void bip32_fingerprint(struct span pubkey, uint8_t out[4]);

#endif
