/* sigops.h - counting signature operations, which blocks may hold only so many of.
 *
 * Layer: consensus. Pure. Counts are static: what a script could do, not what it does.
 *
 * What a block may hold of them was the bound on its cost when signatures were all that took time.
 * An operation outside of witnesses counts four, like the bytes there: so the old bound of 20,000
 * is the new one of 80,000 in other units, and a witness makes operations cheaper. Taproot's do not
 * count here at all, since each has to be paid for by witness bytes. BIP-141, Sigops; BIP-342,
 * Resource limits */
#ifndef CONSENSUS_SIGOPS_H
#define CONSENSUS_SIGOPS_H

#include "consensus/tx.h"

/* Signature operations of a script up to its end or its first push that is cut short.
 * In:  accurate  OP_CHECKMULTISIG after OP_1 to OP_16 counts that many, else always 20 */
uint32_t script_sigops(struct span script, bool accurate);

/* Those of all scriptSigs and outputs of a transaction, not accurate. */
uint32_t tx_legacy_sigops(const struct tx *tx);

/* Accurate count in the redeem script of an input that spends P2SH; 0 if script_sig is not just
 * pushes. BIP-16, Specification */
uint32_t p2sh_sigops(struct span script_sig);

/* The weighted cost of a transaction's signature operations: 4 for each legacy and P2SH one, 1
 * for each in a witness.
 *
 * In:       spent  the n_in outputs that it spends; not looked at for a coinbase
 *           flags  SCRIPT_VERIFY_P2SH and SCRIPT_VERIFY_WITNESS decide what counts
 * Spec:     BIP-141, Sigops; Core GetTransactionSigOpCost() */
uint64_t tx_sigops_cost(const struct tx *tx, const struct tx_out *spent, uint32_t flags);

#endif
