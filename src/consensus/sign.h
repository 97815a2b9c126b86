/* sign.h - make the scriptSig and witness of an input, from secret keys and scripts.
 *
 * Layer: consensus. Pure; for RPC. Knows the standard outputs: P2PK, P2PKH, bare multisig, P2WPKH,
 * these inside P2SH and P2WSH, and the key path of P2TR. */
#ifndef CONSENSUS_SIGN_H
#define CONSENSUS_SIGN_H

#include "consensus/script_verify.h"
#include "consensus/sighash.h"
#include "crypto/key.h"

/* A secret key and the one form of its public key that it signs for. */
struct sign_key {
    uint8_t secret[32];
    uint8_t pubkey[65];
    uint8_t pubkey_len; /* 33 or 65 */
};

/* Fill key.
 * In:       compressed  which form of the public key
 * Owns:     the caller, who wipes key (mem_wipe()) after use
 * Returns:  false if secret is not a valid key */
NODISCARD bool sign_key_init(struct sign_key *key, const struct ec_context *ec,
                             const uint8_t secret[32], bool compressed);

/* What signatures are made from. Everything is borrowed. */
struct sign_provider {
    const struct ec_context *ec;
    const struct sign_key *keys;
    size_t n_keys;
    const struct span *scripts; /* redeem and witness scripts */
    size_t n_scripts;
};

/* What is to be signed. */
struct sign_request {
    struct tx *tx;                    /* with txid set; inputs may be signed in part */
    const struct tx_out *spent;       /* n_in of them; value MAX_MONEY_SAT: amount not known */
    bool all_spent_known;             /* else only the outputs of inputs to be signed are valid */
    const struct tx_sighash *sighash; /* tx_sighash_init_all(); spent NULL unless all are known */
    uint8_t hash_type;                /* SIGHASH_DEFAULT: the default of each kind of signature */
};

/* Sign one input as far as the keys go, keeping the good signatures that it has of a multisig.
 *
 * In/Out:   request->tx  input's script_sig and witness are replaced; call tx_finish() when all
 *                        inputs are done, since the txid does not follow
 * Returns:  NULL if the input is complete, else why not, in Core's words
 * Owns:     arena, the new scriptSig and witness
 * Spec:     Core SignTransaction(), ProduceSignature() */
NODISCARD const char *sign_input(const struct sign_provider *provider,
                                 const struct sign_request *request, uint32_t input,
                                 struct script_scratch *scratch, struct arena *arena);

#endif
