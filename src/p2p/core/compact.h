/* compact.h - blocks told by short ids: the payloads of cmpctblock, getblocktxn and blocktxn.
 *
 * Layer: p2p. Pure. Version 2 only: ids are of wtxids, transactions have their witnesses. Every
 * count is bounded by the bytes that are left before anything is allocated for it, so a message
 * costs a small multiple of its own length. Hazard 62: CVE-2024-35202. Spec: BIP-152, Specification
 * for version 1; BIP-152, Specification for version 2 */
#ifndef P2P_CORE_COMPACT_H
#define P2P_CORE_COMPACT_H

#include "consensus/block.h"
#include "crypto/siphash.h"

#define COMPACT_VERSION        2     /* the only one that is spoken: with witnesses */
#define COMPACT_TXS_MAX        65535 /* of one block: indexes have 16 bits */
#define COMPACT_SHORT_ID_BYTES 6
#define COMPACT_TX_BYTES_MIN   10 /* version, two empty counts, lock time */
/* Told whole beside the coinbase. BIP-152, Implementation Notes */
#define COMPACT_PREFILL_BYTES_MAX 10000

/* A transaction that is told whole. BIP-152, PrefilledTransaction */
struct compact_prefilled {
    uint32_t index; /* in the block */
    struct tx tx;
};

/* A block that is told by short ids. BIP-152, HeaderAndShortIDs */
struct compact_block {
    struct block_header header;
    struct block_hash hash; /* of header */
    uint64_t nonce;
    struct span short_ids; /* n_short times COMPACT_SHORT_ID_BYTES; borrows the message */
    uint32_t n_short, n_prefilled;
    struct compact_prefilled *prefilled; /* ascending by index; in the arena, borrows the message */
};

/* Which transactions are asked for. BIP-152, BlockTransactionsRequest */
struct compact_request {
    struct block_hash hash;
    uint32_t n;
    uint32_t
        *indexes; /* ascending; in the arena. Any that fits 16 bits: the block may have fewer */
};

/* The answer. BIP-152, BlockTransactions */
struct compact_txs {
    struct block_hash hash;
    uint32_t n;
    struct tx *txs; /* in the arena, borrow the message */
};

/* How many transactions the block has. */
static inline uint32_t compact_n_tx(const struct compact_block *block)
{
    return block->n_short + block->n_prefilled;
}

/* Decode a cmpctblock. That the indexes lie within the block is not asked: see compact_fill.h.
 *
 * Returns:  false if malformed: an index of more than 16 bits, more than COMPACT_TXS_MAX
 *           transactions, counts beyond the message */
NODISCARD bool compact_block_decode(struct reader *r, struct arena *arena,
                                    struct compact_block *block);
/* Encode a block as a cmpctblock: those transactions whole that have their flag, and the others as
 * short ids.
 *
 * In:       block  header, tx and n_tx (at most COMPACT_TXS_MAX) are what is looked at
 *           is_prefilled  n_tx flags */
void compact_block_encode(struct writer *w, const struct block *block, uint64_t nonce,
                          const bool *is_prefilled);

/* Decode a getblocktxn. False if malformed: an index of more than 16 bits, a count beyond the
 * message. */
NODISCARD bool compact_request_decode(struct reader *r, struct arena *arena,
                                      struct compact_request *request);
/* Encode one. Its indexes must be ascending. */
void compact_request_encode(struct writer *w, const struct compact_request *request);

/* Decode a blocktxn. */
NODISCARD bool compact_txs_decode(struct reader *r, struct arena *arena, struct compact_txs *txs);
/* Encode what stands before its transactions, n of them. Each follows as it is in the block. */
void compact_txs_encode_head(struct writer *w, const struct block_hash *hash, uint32_t n);

/* The key of a message's short ids. BIP-152, Short transaction IDs */
struct siphash_key compact_key(const struct block_header *header, uint64_t nonce);

/* The short id of a transaction under that key: 48 bits. */
static inline uint64_t compact_short_id(struct siphash_key key, const struct wtxid *wtxid)
{
    return siphash24_id(key, wtxid->b) & UINT64_C(0xffffffffffff);
}

#endif
