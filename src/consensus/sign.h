/* sign.h - make the scriptSig and witness of an input from keys and scripts at hand.
 *
 * Layer: consensus. Pure; no rule of blocks depends on it. For pay-to-key, pay-to-key-hash,
 * multisig, all of these inside P2SH and P2WSH, P2WPKH and P2TR by its key. Spec: BIP16, 141, 143,
 * 341; Core ProduceSignature() */
#ifndef CONSENSUS_SIGN_H
#define CONSENSUS_SIGN_H

#include "consensus/script_verify.h"
#include "consensus/tx.h"
#include "crypto/key.h"

/* A secret key, and the ways in which scripts name its public key. */
struct sign_key {
    uint8_t secret[32];
    uint8_t pubkey[65];
    uint8_t pubkey_len; /* 33, or 65 */
    uint8_t pubkey_hash[20];
    uint8_t xonly[32];
    uint8_t taproot_output[32]; /* xonly tweaked, without scripts */
};

/* A script that outputs pay to by its hash. */
struct sign_script {
    struct span bytes; /* borrowed */
    uint8_t hash160[20], sha256[32];
};

struct sign_request {
    const struct ec_context *ec;
    const struct sign_key *keys;
    size_t n_keys;
    const struct sign_script *scripts;
    size_t n_scripts;
    const struct tx_in *copies; /* the input in other copies of tx, for their signatures; or NULL */
    size_t n_copies;
    uint8_t hash_type;   /* SIGHASH_DEFAULT: that for taproot, ALL for the rest */
    struct arena *arena; /* for what is made */
};

/* Fill in a key from its secret. Returns: false if the secret is no key. */
NODISCARD bool sign_key_init(struct sign_key *key, const struct ec_context *ec,
                             const uint8_t secret[32], bool compressed);
/* Fill in a script and its hashes, by which outputs name it. Borrows bytes. */
void sign_script_init(struct sign_script *script, struct span bytes);

/* Sign input number n as far as keys and scripts go. Signatures of a multisig script that are
 * there already and valid are kept.
 *
 * In:       spent    the outputs spent, n_in of them; those unknown have value 0 and no script
 *           sighash  of tx and spent, or NULL
 * Out:      tx->in[n].script_sig and .witness: what there is, perhaps not enough
 * Returns:  true if something was made (whether it satisfies the output script_verify() tells) */
bool sign_input(const struct sign_request *request, struct tx *tx, const struct tx_out *spent,
                const struct tx_sighash *sighash, uint32_t n);

#endif
