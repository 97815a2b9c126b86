/* block.h - block headers and decoded blocks.
 *
 * Layer: consensus. Pure. A decoded block borrows its raw bytes and its arena; chain/ wraps both
 * in the one reference-counted object (chain/block_ref.h).
 *
 * A header is 80 bytes, numbers little-endian:
 *
 *     version 4 | hash of the header before 32 | merkle root 32 | time 4 | bits 4 | nonce 4
 *
 * A block is a header, a CompactSize count, and so many transactions, the coinbase in front.
 *
 * The coinbase is the transaction that pays the miner, and where a block has room for what came
 * later:
 *
 *     input    null outpoint; script: height, then anything; witness: the commitment's nonce
 *     outputs  subsidy and fees, to whom the miner likes; one with OP_RETURN and the commitment
 *              to the witnesses of all transactions */
#ifndef CONSENSUS_BLOCK_H
#define CONSENSUS_BLOCK_H

#include "consensus/tx.h"

#define BLOCK_HEADER_BYTES 80
/* The old limit of a million bytes lives on in the weight: a byte without witness counts four
 * times. So a block can have four million bytes at most, nearly all of them witnesses; signature
 * operations were scaled by the same four. BIP-141, Block size */
#define BLOCK_WEIGHT_MAX_WU        4000000 /* BIP-141, Block size */
#define BLOCK_SIGOPS_COST_MAX      80000   /* BIP-141, Sigops */
#define BLOCK_SERIALIZED_MAX_BYTES 4000000

/* 80 bytes that all of a block's work is for. The hash before makes a chain of them, the root
 * commits to the transactions (not to their witnesses: the coinbase does that), the bits are the
 * target in compact form. The version is signed in the format; the time is not, and lasts until
 * 2106. */
struct block_header {
    int32_t version;
    struct block_hash prev;
    uint8_t merkle_root[32];
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
};

/* The txids lie side by side as well, since the lowest level of the merkle tree is just that. */
struct block {
    struct block_header header;
    struct block_hash hash;
    struct tx *tx;
    struct txid *txids; /* the same ids as tx[i].txid, contiguous for the merkle tree */
    uint32_t n_tx;
    uint32_t base_bytes; /* size without witness data */
    /* The ids are known to make up the merkle root and the commitment to the witnesses, and need
     * not be asked again. Core: m_checked_merkle_root, m_checked_witness_commitment */
    bool roots_hold;
    struct span raw;
};

/* As tx_weight_wu(), for header, count and transactions together. The decoder bounds raw so that
 * the product fits. BIP-141, Transaction size calculations */
static inline uint32_t block_weight_wu(const struct block *block)
{
    return block->base_bytes * (WITNESS_SCALE - 1) + (uint32_t)block->raw.len;
}

/* Read the BLOCK_HEADER_BYTES of a header. Fails only for want of bytes: any 80 are a header. */
bool block_header_decode(struct reader *r, struct block_header *header);

/* Write its BLOCK_HEADER_BYTES, without the transaction count that the message "headers" adds. */
void block_header_encode(struct writer *w, const struct block_header *header);

/* The double SHA-256 of those bytes: the block's id, and what its work is measured by. */
struct block_hash block_header_hash(const struct block_header *header);

/* Decode a whole block in one pass. Every transaction is hashed once. raw must be exactly one
 * block (trailing bytes are refused). Returns false if malformed. Borrows raw and arena. */
NODISCARD bool block_decode(struct span raw, struct arena *arena, struct block *block);

/* The same where bytes may follow: they are ignored, block->raw ends before them. So Core reads
 * what comes from peers and miners. */
NODISCARD bool block_decode_head(struct span raw, struct arena *arena, struct block *block);

/* Decode a whole block of n transactions that were all hashed before: nothing is hashed again. The
 * ids are copied. Returns false if raw is not exactly one such block. */
NODISCARD bool block_decode_known(struct span raw, struct arena *arena, const struct tx_ids *ids,
                                  uint32_t n, struct block *block);

/* header || CompactSize n_tx || transactions. */
void block_encode(struct writer *w, const struct block *block, bool with_witness);

#endif
