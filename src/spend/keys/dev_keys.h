/* dev_keys.h - the keys of -dev, which everybody knows: for test chains alone.
 *
 * Layer: spend. Pure. They are the first of m/84'/1'/0'/0 below the seed that DEV_KEYS_WORDS stand
 * for without a passphrase, so that any wallet finds them. Spec: BIP-32, BIP-39, BIP-84 */
#ifndef SPEND_KEYS_DEV_KEYS_H
#define SPEND_KEYS_DEV_KEYS_H

#include "consensus/key_io.h"
#include "crypto/key.h"

#define DEV_KEYS        10
#define DEV_KEYS_WORDS  "stone stone stone stone stone stone stone stone stone stone stone path"
#define DEV_KEY_SCRIPT  22 /* bytes of P2WPKH */
#define DEV_KEY_PATH    24 /* chars of the longest path, with its end */

struct dev_key {
    uint8_t secret[32];
    uint8_t script[DEV_KEY_SCRIPT];
    char path[DEV_KEY_PATH];
    char address[ADDRESS_SIZE], wif[WIF_SIZE];
};

struct dev_keys {
    struct dev_key at[DEV_KEYS];
};

/* Work the keys out, as that network writes them. Not for the main network, where nobody could be
 * kept from their coins. Owns: the caller, who frees it with xfree() */
NODISCARD struct dev_keys *dev_keys_new(const struct ec_context *ec, const struct network *network);

#endif
