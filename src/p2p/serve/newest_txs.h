/* newest_txs.h - the transactions of the newest block, by txid and by wtxid.
 *
 * Layer: p2p. Whoever asks for one may have it: it is public, whatever the mempool keeps to itself.
 * Peers need them to fill the gaps of a block that they are just being told of, and those of a
 * block that a reorganisation took back before they are announced again. */
#ifndef P2P_SERVE_NEWEST_TXS_H
#define P2P_SERVE_NEWEST_TXS_H

#include "chain/disk/block_ref.h"
#include "crypto/siphash.h"
#include "util/hash_map.h"

struct newest_txs {
    struct siphash_key key;
    struct block_ref *block; /* held; NULL: none yet */
    struct hash_map by_id;   /* twice each: struct tx of the block */
    bool is_taken_back;      /* stays until newest_txs_settled() */
};

/* Make it empty. key: random, so that nobody can choose ids that collide (hazard 63). */
void newest_txs_init(struct newest_txs *newest, struct siphash_key key);
/* Let go of the block. */
void newest_txs_deinit(struct newest_txs *newest);

/* A block, decoded, is on top of the chain now. Nothing changes while one that was taken back is
 * kept. */
void newest_txs_connected(struct newest_txs *newest, struct block_ref *block);
/* A block was taken back: it is kept, whatever comes in its place, ... */
void newest_txs_disconnected(struct newest_txs *newest, struct block_ref *block);
/* ... until the chain, at rest again, gets one more block. */
void newest_txs_settled(struct newest_txs *newest);

/* The transaction with that wtxid or else txid; NULL: none. Borrowed until the next change. */
const struct tx *newest_txs_find(const struct newest_txs *newest, const uint8_t id[32],
                                 bool is_wtxid);

#endif
