/* key_io.h - addresses and secret keys as text.
 *
 * An address is a form for people: it has a checksum, and the network's mark, so that money of one
 * network is not sent to another. Nothing in a block is an address. BIP-13, Specification; BIP-173,
 * Segwit address format
 *
 * Layer: consensus. An address names an output script on one network: the forms are P2PKH and P2SH
 * (Base58) and witness programs (BIP173, BIP350). Pure.
 *
 *     output script                 text               begins with, on the main network
 *     P2PKH                         Base58, mark 0     1
 *     P2SH                          Base58, mark 5     3
 *     OP_0 <20>, OP_0 <32>          Bech32             bc1q
 *     OP_1 <32>                     Bech32m            bc1p
 *     OP_1 to OP_16 <2 to 40>       Bech32m            bc1 */
#ifndef CONSENSUS_KEY_IO_H
#define CONSENSUS_KEY_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/network.h"
#include "crypto/bech32.h"
#include "util/span.h"

enum {
    ADDRESS_SIZE = BECH32_CHARS_MAX + 1, /* text with the closing zero */
    ADDRESS_SCRIPT_MAX = 42,             /* the longest script that has an address */
    WIF_SIZE = 54,
};

/* Why a text is no address here, in the words of Core's validateaddress. */
struct address_error {
    char message[192];
    struct bech32_errors bech32; /* its n positions; none unless the text looks like Bech32 */
};

/* The address of an output script.
 *
 * Out:      text   zero-terminated; "" if there is none
 * Returns:  how many characters; 0 if the script has no address (bare keys and multisig, data,
 *           anything else)
 * Spec:     Core ExtractDestination(), EncodeDestination() */
size_t address_encode(const struct network *network, struct span script, char text[ADDRESS_SIZE]);

/* The output script that an address stands for.
 *
 * In:       text    any zero-terminated text
 * Out:      script, script_len;  error   (may be NULL) set on failure
 * Spec:     Core DecodeDestination(), its messages included */
NODISCARD bool address_decode(const struct network *network, const char *text,
                              uint8_t script[ADDRESS_SCRIPT_MAX], size_t *script_len,
                              struct address_error *error);

/* Wallet import format: a secret key, and whether its public key is used compressed. The mark of a
 * compressed key is there because the two forms of one public key have two addresses. */
void wif_encode(const struct network *network, const uint8_t key[32], bool compressed,
                char text[WIF_SIZE]);

/* Returns: false for another network's key, a wrong checksum, or a number that is no key. */
NODISCARD bool wif_decode(const struct network *network, const char *text, uint8_t key[32],
                          bool *compressed);

#endif
