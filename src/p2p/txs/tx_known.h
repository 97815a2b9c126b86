/* tx_known.h - which transactions need not be asked for: here, in a block, or refused.
 *
 * Layer: p2p, internal. What was refused for its fees alone is remembered apart from the rest: it
 * is not judged alone again before the next block, but a child may still pay for it. */
#ifndef P2P_TXS_TX_KNOWN_H
#define P2P_TXS_TX_KNOWN_H

#include "consensus/reject.h"
#include "consensus/tx.h"
#include "mempool/mempool.h"
#include "p2p/core/recent_set.h"
#include "p2p/txs/orphans.h"

/* Each set keeps that many for sure, and up to twice as many. */
#define TX_KNOWN_REJECTS_MAX   20000
#define TX_KNOWN_CONFIRMED_MAX 48000

struct tx_known {
    const struct mempool *mempool;
    const struct orphans *orphans;
    struct recent_set rejects;        /* wtxids refused since the tip changed; txids, where any
                                       * witness would be refused */
    struct recent_set reconsiderable; /* the same, for their fees alone; and pairs of these */
    struct recent_set confirmed;      /* txids and wtxids of recent blocks */
};

/* Begin with nothing. Borrows both; without a mempool nothing may be asked. */
void tx_known_init(struct tx_known *known, struct siphash_key key, const struct mempool *mempool,
                   const struct orphans *orphans);
/* Free all. */
void tx_known_deinit(struct tx_known *known);

/* Is it here, in a recent block, or refused, if for more than its fees? Orphans are not looked for
 * by their txids: another witness may be the right one. Core: AlreadyHaveTx() */
bool tx_known_has(const struct tx_known *known, const uint8_t id[32], bool is_wtxid);
/* The same, or was it refused for its fees? Then it is no use alone. */
bool tx_known_is_no_use(const struct tx_known *known, const uint8_t id[32], bool is_wtxid);
/* Was it refused, alone, for its fees? */
bool tx_known_is_reconsiderable(const struct tx_known *known, const struct wtxid *wtxid);

/* Remember what was refused, as far as the verdict lets us. Core: MempoolRejectedTx() */
void tx_known_refused(struct tx_known *known, const struct txid *txid, const struct wtxid *wtxid,
                      enum reject code);
/* Was a parent refused with this child? */
bool tx_known_has_pair(const struct tx_known *known, const struct wtxid *parent,
                       const struct wtxid *child);
/* It was. */
void tx_known_refused_pair(struct tx_known *known, const struct wtxid *parent,
                           const struct wtxid *child);

/* A block has it. */
void tx_known_confirmed(struct tx_known *known, const struct tx *tx);
/* Fetch what that will read. */
void tx_known_prefetch(const struct tx_known *known, const struct tx *tx);
/* The tip is another one: what was refused may be good on it. */
void tx_known_tip_changed(struct tx_known *known);
/* A block was taken back: what was in it may be announced again. */
void tx_known_block_disconnected(struct tx_known *known);

#endif
