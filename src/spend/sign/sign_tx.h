/* sign_tx.h - inputs of plain transactions signed, and what several signers have made put together.
 *
 * Layer: spend. Pure. Core's SignTransaction() and DataFromTransaction(): what a copy of an input
 * holds already is taken apart into the records of a PSBT's input, from which solve.h makes more.
 */
#ifndef SPEND_SIGN_SIGN_TX_H
#define SPEND_SIGN_SIGN_TX_H

#include "spend/sign/solve.h"

struct sign_tx_request {
    enum solve_mode mode; /* SOLVE_LOOK: only what the copies have is put together */
    const struct key_book *book;
    const struct tx_in *copies; /* the input in other copies of tx, for their signatures; or NULL */
    size_t n_copies;
    uint8_t hash_type;   /* SIGHASH_DEFAULT: that for taproot, ALL for the rest */
    struct arena *arena; /* for what is made */
};

/* Sign input number n as far as the book goes. Signatures that are there already and valid are
 * kept.
 *
 * In:       spent    the outputs spent, n_in of them; those unknown have value 0 and no script
 *           sighash  of tx and spent
 * Out:      tx->in[n].script_sig and .witness: what there is, perhaps not enough
 * Returns:  true if something was made (whether it satisfies the output script_verify() tells) */
bool sign_tx_input(const struct sign_tx_request *request, struct tx *tx, const struct tx_out *spent,
                   const struct tx_sighash *sighash, uint32_t n);

#endif
