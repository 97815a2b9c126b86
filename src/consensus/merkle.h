/* merkle.h - merkle trees over transaction ids.
 *
 * The tree lets a header of 80 bytes stand for thousands of transactions, and a proof that one of
 * them is there be a dozen hashes long. Its construction has two weaknesses that all nodes have to
 * live with: lists with repeated ends share a root (CVE-2012-2459), and a node cannot be told from
 * a transaction of 64 bytes (CVE-2017-12842).
 *
 * Layer: consensus. Pure. */
#ifndef CONSENSUS_MERKLE_H
#define CONSENSUS_MERKLE_H

#include "consensus/block.h"

/* Compute the merkle root of n 32-byte ids.
 *
 * In:       ids      n * 32 bytes, one after the other
 *           scratch  holds one level of the tree; rewound before the return
 * Out:      root     all zero if n is 0
 * Returns:  true if two equal hashes are siblings somewhere in the tree: then another list of
 *           transactions has the same root, and nothing may be concluded from the block about
 *           its header. CVE-2012-2459 */
NODISCARD bool merkle_root(const uint8_t *ids, size_t n, struct arena *scratch, uint8_t root[32]);

/* The root over the block's txids. As merkle_root(). */
NODISCARD bool block_merkle_root(const struct block *block, struct arena *scratch,
                                 uint8_t root[32]);

/* The root over the block's wtxids, the coinbase's taken as zero. BIP-141, Commitment structure */
void block_witness_merkle_root(const struct block *block, struct arena *scratch, uint8_t root[32]);

#endif
