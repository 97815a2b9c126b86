/* block_filter.h - the basic filter of a block, and what its chain of headers commits to.
 *
 * Layer: chain. Pure. Everybody makes the same one of a block. Spec: BIP-157, Filter Headers;
 * BIP-158, Block Filters */
#ifndef CHAIN_ASK_BLOCK_FILTER_H
#define CHAIN_ASK_BLOCK_FILTER_H

#include "chain/disk/undo.h"
#include "crypto/siphash.h"
#include "util/buffer.h"

#define BLOCK_FILTER_BASIC 0 /* BIP-158, Block Filters */

/* The key of a block's filter: the beginning of its hash. */
struct siphash_key block_filter_key(const struct block_hash *hash);

/* Append the filter of a block that has spent these coins. */
void block_filter_build(const struct block *block, const struct undo *undo, struct buffer *out);

/* The hash of a filter. */
void block_filter_hash(struct span filter, uint8_t hash[32]);
/* The header that follows prev (32 zeros before the first block). out may be prev. */
void block_filter_header(const uint8_t hash[32], const uint8_t prev[32], uint8_t out[32]);

#endif
