/* raw_tx.h - transactions that come as hex.
 *
 * Layer: rpc. Spec: Core DecodeHexTx(). */
#ifndef RPC_RAW_TX_H
#define RPC_RAW_TX_H

#include "consensus/tx.h"

enum raw_tx_form {
    RAW_TX_LEGACY = 1,  /* try it as bytes without witness */
    RAW_TX_WITNESS = 2, /* as bytes with witness: BIP-144, Serialization */
    RAW_TX_ANY = RAW_TX_LEGACY | RAW_TX_WITNESS,
};

/* Decode a transaction of which it is not said whether it has witnesses: one without inputs looks
 * like one with a marker. If both readings succeed, the one whose scripts make sense wins.
 *
 * Out:      tx   borrows arena only
 * Returns:  false if hex is no transaction */
NODISCARD bool raw_tx_decode(struct span hex, int forms, struct arena *arena, struct tx *tx);

/* True if all of script are known opcodes and pushes of at most 520 bytes. Core: HasValidOps() */
bool raw_tx_has_valid_ops(struct span script);

#endif
