/* sign_psbt.h - PSBTs signed, filled in, made final, and told what they lack.
 *
 * Layer: spend. Pure. Spec: BIP174 (Updater, Signer, Input Finalizer); Core SignPSBTInput(),
 * UpdatePSBTOutput(), AnalyzePSBT() */
#ifndef SPEND_SIGN_SIGN_PSBT_H
#define SPEND_SIGN_SIGN_PSBT_H

#include "spend/sign/solve.h"

enum sign_outcome {
    SIGN_COMPLETE,
    SIGN_INCOMPLETE,
    SIGN_NO_COIN,          /* what is spent is unknown, or not what it should be */
    SIGN_SIGHASH_MISMATCH, /* the input asks for another hash type, or was signed with one */
};

/* What all inputs of a PSBT share while they are signed. */
struct sign_session {
    struct psbt *psbt;
    const struct key_book *book;
    struct tx_out *spent; /* of each input; those unknown are empty */
    bool *is_known;
    struct tx_sighash sighash;
    struct script_scratch *scratch;
    struct arena arena; /* of what solving one input takes */
};

/* What is to be done with an input. */
struct sign_order {
    enum solve_mode mode;
    bool has_hash_type; /* else its kind's default; or where nothing is signed, what it asks for */
    uint8_t hash_type;
    bool finalize;
};

/* Begin. Borrows all; the coins that the PSBT holds are looked at now. */
void sign_session_init(struct sign_session *session, struct psbt *psbt,
                       const struct key_book *book);
/* Free its memory. */
void sign_session_deinit(struct sign_session *session);

/* Sign an input as far as the book goes, and make it final if all is there and that is wanted.
 *
 * Out:      missing  NULL, or what is not there; to be freed as in solve.h. Its scripts last until
 *                    the next input is signed */
enum sign_outcome sign_psbt_input(struct sign_session *session, size_t i,
                                  const struct sign_order *order, struct solve_result *missing);
/* Has an input final scripts that satisfy what it spends? */
bool sign_psbt_is_done(const struct sign_session *session, size_t i);
/* Put what the book knows of an output's script into its map. */
void sign_psbt_output(struct sign_session *session, size_t i);
/* Take previous transactions out where all inputs sign the amounts of all: taproot.
 * Spec: Core RemoveUnnecessaryTransactions() */
void sign_psbt_drop_previous(struct psbt *psbt);

#endif
