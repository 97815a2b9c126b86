/* script_verify.h - does an input's script and witness satisfy the output it spends?
 *
 * Layer: consensus. Pure and thread-safe: many threads may check inputs of one transaction at
 * once, each with its own scratch. */
#ifndef CONSENSUS_SCRIPT_VERIFY_H
#define CONSENSUS_SCRIPT_VERIFY_H

#include "consensus/script_error.h"
#include "consensus/tx.h"

/* Which rules apply. Names and meaning as Core's SCRIPT_VERIFY_*. */
enum script_flag {
    /* An output that names the hash of a script is spent by that script. In force since April 2012.
     * BIP-16, Specification */
    SCRIPT_VERIFY_P2SH = 1 << 0,
    /* Policy: signatures in DER with a hash type that has a meaning, keys in one of two forms. */
    SCRIPT_VERIFY_STRICTENC = 1 << 1,
    /* Signatures in strict DER, so that no library decides what is valid. BIP-66, Specification */
    SCRIPT_VERIFY_DERSIG = 1 << 2,
    /* Policy: of a signature's two forms the one with the lower s. BIP-62, Low S values in
     * signatures */
    SCRIPT_VERIFY_LOW_S = 1 << 3,
    /* What OP_CHECKMULTISIG takes too much is empty. BIP-147, Specification */
    SCRIPT_VERIFY_NULLDUMMY = 1 << 4,
    /* Every scriptSig is pushes only. In P2SH it is so without this flag. BIP-62, New rules */
    SCRIPT_VERIFY_SIGPUSHONLY = 1 << 5,
    /* Policy: pushes and numbers in their shortest form. BIP-62, Push operators; BIP-62, Numbers */
    SCRIPT_VERIFY_MINIMALDATA = 1 << 6,
    /* Policy, as are the four of its kind below: what has no meaning yet fails. */
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS = 1 << 7,
    /* Policy for scripts outside of witnesses: one element is left. BIP-62, New rules */
    SCRIPT_VERIFY_CLEANSTACK = 1 << 8,
    /* What was OP_NOP2 compares with the transaction's lock time. BIP-65, Summary */
    SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY = 1 << 9,
    /* What was OP_NOP3 compares with the input's relative lock time. BIP-112, Summary */
    SCRIPT_VERIFY_CHECKSEQUENCEVERIFY = 1 << 10,
    /* Outputs that are witness programs are satisfied by the witness. BIP-141, Witness program */
    SCRIPT_VERIFY_WITNESS = 1 << 11,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM = 1 << 12,
    /* Policy in version 0: conditions of OP_IF are the empty string or the number 1. */
    SCRIPT_VERIFY_MINIMALIF = 1 << 13,
    /* Policy: a signature that does not hold must be empty. */
    SCRIPT_VERIFY_NULLFAIL = 1 << 14,
    /* Policy in version 0: compressed keys. BIP-143, Restrictions on public key type */
    SCRIPT_VERIFY_WITNESS_PUBKEYTYPE = 1 << 15,
    /* Policy before segwit: neither of the two things that change the script which is signed. */
    SCRIPT_VERIFY_CONST_SCRIPTCODE = 1 << 16,
    /* Programs of version 1 and 32 bytes are output keys. BIP-341, Script validation rules */
    SCRIPT_VERIFY_TAPROOT = 1 << 17,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION = 1 << 18,
    SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS = 1 << 19,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE = 1 << 20,
};

/* Rules that relayed transactions obey: all there are but SIGPUSHONLY, which P2SH and witnesses
 * make unnecessary. A transaction that breaks one of these and none of the others may still be
 * mined by somebody else, so whoever sends it has done nothing wrong. */
#define SCRIPT_VERIFY_STANDARD (((UINT32_C(1) << 21) - 1) & ~(uint32_t)SCRIPT_VERIFY_SIGPUSHONLY)

/* What BIP143 and BIP341 digests share over all inputs of one transaction, computed once. */
struct tx_sighash {
    bool has_v0, has_v1; /* which parts were needed and computed */
    bool lacks_spent;    /* not all outputs spent are known: taproot has no digests */
    uint8_t prevouts32[32], sequences32[32], outputs32[32];    /* single SHA-256; BIP341 */
    uint8_t amounts32[32], scripts32[32];                      /* BIP341 */
    uint8_t prevouts32d[32], sequences32d[32], outputs32d[32]; /* double; BIP143 */
};

/* Compute what tx can need.
 * In:  spent  the outputs that tx spends, n_in of them, in order of the inputs; NULL if unknown
 *             (then taproot digests cannot be made, as when signing old transactions) */
void tx_sighash_init(struct tx_sighash *sighash, const struct tx *tx, const struct tx_out *spent);

/* Per-thread memory: script stacks, the public keys parsed last. About 2 MB when used in full,
 * and twice the largest transaction with old inputs; grown lazily. */
struct script_scratch;

/* Make one; nearly nothing is allocated yet. Owns: the caller, who frees it with
 * script_scratch_free(). For one thread at a time. */
NODISCARD struct script_scratch *script_scratch_new(void);

/* NULL is allowed. No check may be running with it. */
void script_scratch_free(struct script_scratch *scratch);

/* One input to be checked. The outputs of all inputs are handed in, since taproot signs them all;
 * older digests need the amount of this one at most. */
struct script_check {
    const struct tx *tx;
    uint32_t input;                   /* index into tx->in */
    uint32_t flags;                   /* enum script_flag */
    const struct tx_out *spent;       /* all n_in of them; spent[input] is the one to satisfy */
    const struct tx_sighash *sighash; /* NULL, or parts missing: computed for each digest, slowly */
};

/* Check one input. All memory comes from scratch.
 * Returns: SCRIPT_OK or the first error, as Core's VerifyScript(). */
NODISCARD enum script_error script_verify(const struct script_check *check,
                                          struct script_scratch *scratch);

#endif
