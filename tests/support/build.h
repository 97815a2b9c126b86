/* build.h - transactions and blocks made for tests, down to the last byte.
 *
 * For tests of consensus/ and the layers above it. */
#ifndef TESTS_SUPPORT_BUILD_H
#define TESTS_SUPPORT_BUILD_H

#include "consensus/block.h"
#include "consensus/network.h"

/* n inputs with distinct prevouts (salt tells transactions apart) and outputs of 1000 sat each,
 * paid to OP_TRUE; version 2, final sequences. Not finished: change it, then tx_finish(). */
struct tx build_tx(struct arena *arena, uint32_t salt, uint32_t n_in, uint32_t n_out);

/* A finished coinbase with BIP34 height and one extra byte, paying value_sat to OP_TRUE. */
struct tx build_coinbase(struct arena *arena, int32_t height, int64_t value_sat);

/* An encoded witness stack. */
struct span build_witness(struct arena *arena, const struct span *items, size_t n);

/* Put finished transactions into a block: merkle root, bytes and hash are right; bits are
 * regtest's. The block borrows arena only. */
struct block build_block(struct arena *arena, const struct tx *tx, uint32_t n_tx);

/* The same with a BIP141 commitment as last output of the coinbase, and its nonce. */
struct block build_segwit_block(struct arena *arena, const struct tx *tx, uint32_t n_tx);

/* Encode the block again after its header or transactions were changed, and decode that. The
 * merkle root is left as it is. */
void build_block_again(struct arena *arena, struct block *block);

/* Set the merkle root to what the transactions give. */
void build_set_merkle_root(struct arena *arena, struct block *block);

/* Find a nonce that satisfies the header's bits (regtest: two tries on average). */
void build_grind(struct arena *arena, struct block *block, const struct network *network);

#endif
