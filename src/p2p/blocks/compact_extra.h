/* compact_extra.h - transactions that are not in the mempool and may be in the next block all the
 * same: replaced, refused, without their parents. The newest few are kept.
 *
 * Layer: p2p. Core: vExtraTxnForCompact, -blockreconstructionextratxn */
#ifndef P2P_BLOCKS_COMPACT_EXTRA_H
#define P2P_BLOCKS_COMPACT_EXTRA_H

#include "consensus/tx.h"

#define COMPACT_EXTRA_TXS      100    /* kept by default */
#define COMPACT_EXTRA_TXS_MAX  100000 /* that may be asked for: at most ... */
#define COMPACT_EXTRA_TX_BYTES 100000 /* ... of so many bytes each, and larger ones are not kept   \
                                       */

struct compact_extra {
    struct tx *txs; /* ids and bytes, which are owned; no inputs, no outputs */
    size_t n, max;
    size_t at; /* where the next one goes, in the place of the oldest */
};

/* Make an empty store of at most max, 0 to COMPACT_EXTRA_TXS_MAX. */
void compact_extra_init(struct compact_extra *extra, size_t max);
/* Forget all. */
void compact_extra_deinit(struct compact_extra *extra);
/* Keep a copy of one. */
void compact_extra_add(struct compact_extra *extra, const struct tx *tx);

#endif
