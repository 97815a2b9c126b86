/* tx_check.h - rules a transaction must obey on its own, before any chain state.
 *
 * Layer: consensus. Pure.
 *
 * These rules look at nothing but the transaction, so they are asked first of everything that comes
 * in, on any thread, before a coin is looked up. They say: there is something to spend and somebody
 * to pay (bad-txns-vin-empty, bad-txns-vout-empty), a block has room for it (bad-txns-oversize),
 * amounts are money (bad-txns-vout-negative, -toolarge, bad-txns-txouttotal-toolarge), no coin is
 * named twice (bad-txns-inputs-duplicate), and it is a coinbase in all respects or in none
 * (bad-cb-length, bad-txns-prevout-null). */
#ifndef CONSENSUS_TX_CHECK_H
#define CONSENSUS_TX_CHECK_H

#include "consensus/reject.h"
#include "consensus/tx.h"

/* Of a coinbase's scriptSig. Both bounds count: a height of one byte alone would be too short, so
 * the first blocks of a test chain have something behind it. */
#define COINBASE_SCRIPT_MIN_BYTES 2
#define COINBASE_SCRIPT_MAX_BYTES 100

/* Check all context-free rules of one transaction.
 *
 * In:       tx       decoded by tx_decode() or completed by tx_finish()
 *           scratch  for the search of duplicate inputs; rewound before the return
 * Returns:  REJECT_NONE, or the first rule broken in Core's order (peers and tests can see the
 *           order, so it is part of the contract)
 * Spec:     Core CheckTransaction() */
NODISCARD enum reject tx_check(const struct tx *tx, struct arena *scratch);

#endif
