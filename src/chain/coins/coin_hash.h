/* coin_hash.h - the bytes by which a set of coins is hashed.
 *
 * Layer: chain. One form for hash_serialized_3 and for the elements of MuHash, so that they commit
 * to the same: hazard 80 was a form from which two sets could give the same bytes. */
#ifndef CHAIN_COINS_COIN_HASH_H
#define CHAIN_COINS_COIN_HASH_H

#include "chain/coins/coin.h"

/* What a coin counts for in statistics beside its script: txid, output number, height and coinbase
 * mark, amount, length of the script. Core: GetBogoSize() */
#define COIN_STATS_BOGO_BYTES (32 + 4 + 4 + 8 + 2)

/* outpoint || height * 2 + coinbase || amount || CompactSize length and script. Core: TxOutSer() */
static inline void coin_hash_encode(struct writer *w, const struct outpoint *outpoint,
                                    const struct coin *coin)
{
    write_bytes(w, outpoint->txid.b, sizeof outpoint->txid.b);
    write_u32(w, outpoint->vout);
    write_u32(w, coin->height << 1 | coin->coinbase);
    write_u64(w, (uint64_t)coin->value_sat);
    write_var_span(w, coin->script_pubkey);
}

#endif
