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
    SCRIPT_VERIFY_P2SH = 1 << 0,
    SCRIPT_VERIFY_STRICTENC = 1 << 1,
    SCRIPT_VERIFY_DERSIG = 1 << 2,
    SCRIPT_VERIFY_LOW_S = 1 << 3,
    SCRIPT_VERIFY_NULLDUMMY = 1 << 4,
    SCRIPT_VERIFY_SIGPUSHONLY = 1 << 5,
    SCRIPT_VERIFY_MINIMALDATA = 1 << 6,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS = 1 << 7,
    SCRIPT_VERIFY_CLEANSTACK = 1 << 8,
    SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY = 1 << 9,
    SCRIPT_VERIFY_CHECKSEQUENCEVERIFY = 1 << 10,
    SCRIPT_VERIFY_WITNESS = 1 << 11,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM = 1 << 12,
    SCRIPT_VERIFY_MINIMALIF = 1 << 13,
    SCRIPT_VERIFY_NULLFAIL = 1 << 14,
    SCRIPT_VERIFY_WITNESS_PUBKEYTYPE = 1 << 15,
    SCRIPT_VERIFY_CONST_SCRIPTCODE = 1 << 16,
    SCRIPT_VERIFY_TAPROOT = 1 << 17,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION = 1 << 18,
    SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS = 1 << 19,
    SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE = 1 << 20,
};

/* Rules that blocks obey now: breaking one of them in a transaction is the sender's fault. */
#define SCRIPT_VERIFY_MANDATORY                                                                    \
    ((uint32_t)(SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_NULLDUMMY |              \
                SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | SCRIPT_VERIFY_CHECKSEQUENCEVERIFY |            \
                SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT))

/* Rules that relayed transactions obey: all there are but SIGPUSHONLY, which P2SH and witnesses
 * make unnecessary. */
#define SCRIPT_VERIFY_STANDARD (((UINT32_C(1) << 21) - 1) & ~(uint32_t)SCRIPT_VERIFY_SIGPUSHONLY)

/* What BIP143 and BIP341 digests share over all inputs of one transaction, computed once. */
struct tx_sighash {
    bool has_v0, has_v1; /* which parts were needed and computed */
    uint8_t prevouts32[32], sequences32[32], outputs32[32]; /* single SHA-256; BIP341 */
    uint8_t amounts32[32], scripts32[32];                   /* BIP341 */
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

struct script_check {
    const struct tx *tx;
    uint32_t input;             /* index into tx->in */
    uint32_t flags;             /* enum script_flag */
    const struct tx_out *spent; /* all n_in of them; spent[input] is the one to satisfy */
    const struct tx_sighash *sighash; /* NULL, or parts missing: computed for each digest, slowly */
};

/* Check one input. All memory comes from scratch.
 * Returns: SCRIPT_OK or the first error, as Core's VerifyScript(). */
NODISCARD enum script_error script_verify(const struct script_check *check,
                                          struct script_scratch *scratch);

#endif
