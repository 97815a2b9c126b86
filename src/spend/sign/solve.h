/* solve.h - what satisfies an output, from the records of a PSBT's input and a book of keys.
 *
 * Layer: spend. Pure. Records are put into the input's map as they are found or made: signatures,
 * scripts, where keys come from. So the map is all that is known, and what one signer leaves out
 * the next can add. Spec: Core ProduceSignature(); BIP174, BIP371, BIP379 */
#ifndef SPEND_SIGN_SOLVE_H
#define SPEND_SIGN_SOLVE_H

#include "consensus/script_verify.h"
#include "spend/psbt/psbt.h"

/* The hash of a key. */
struct solve_key_hash {
    uint8_t b[20];
};

/* What is not there. */
struct solve_missing {
    ARRAY(struct solve_key_hash) keys;
    ARRAY(struct solve_key_hash) sigs;
    bool has_redeem_script, has_witness_script;
    uint8_t redeem_script[20], witness_script[32];
};

/* How signatures are made. */
enum solve_mode {
    SOLVE_SIGN,    /* with the book's secrets */
    SOLVE_LOOK,    /* not at all: only what is known is put together */
    SOLVE_PRETEND, /* all of them, of their usual length, to see how long the input will be */
};

struct solve_request {
    enum solve_mode mode;
    const struct key_book *book;
    const struct tx *tx;
    const struct tx_out *spent;       /* all n_in; of those unknown only the own is looked at */
    const struct tx_sighash *sighash; /* with has_v1 only if all are known; may be NULL */
    uint32_t input;
    uint8_t hash_type;
    struct arena *arena; /* of the result, and of what is made in passing; NULL: the PSBT's */
};

struct solve_result {
    bool is_solved;                  /* with what there is; script_verify() has not been asked */
    bool is_witness;                 /* the output is spent by a witness, at least in part */
    bool has_items;                  /* something was found, beside scripts */
    struct span script_sig, witness; /* as far as they go; in the request's arena */
    struct solve_missing missing;
};

/* Satisfy the output that an input spends. map: one of an input, of psbt or beside it.
 * Owns: the caller frees what is in the result with solve_result_deinit() */
void solve_input(const struct solve_request *request, struct psbt *psbt, struct psbt_map *map,
                 struct solve_result *out);
/* Free what it owns. */
void solve_result_deinit(struct solve_result *result);

#endif
