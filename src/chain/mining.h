/* mining.h - blocks of our own, for test chains and block templates.
 *
 * Layer: chain. Building is the loop's, searching is a job's. mempool/block_assembler.h chooses the
 * transactions. */
#ifndef CHAIN_MINING_H
#define CHAIN_MINING_H

#include "chain/chain.h"

/* What a block is built of. All borrowed for the call. Nothing is checked: whoever fills it knows
 * that it is valid on the tip, or wants to see it refused. */
struct mining_template {
    const struct tx *tx; /* the transactions after the coinbase, in order */
    size_t n_tx;
    int64_t fees_sat; /* theirs, which the coinbase takes with the subsidy */
    struct span coinbase_script_pubkey;
    int32_t version; /* of the block; 0: what mining_block_version() says */
};

/* The earliest time that the block after prev may have, as miners should count it. */
int64_t mining_least_time_s(const struct network *network, const struct block_node *prev);

/* The version for a block after prev: signals what is started or locked in. */
int32_t mining_block_version(struct chain *chain, const struct block_node *prev);

/* Build a block on the tip: coinbase with BIP34 height and witness commitment, merkle root, time,
 * bits; nonce 0, no work done. Returns its bytes with one holder, decoded. now_s: the time to use
 * if the median time past allows it. */
NODISCARD struct block_ref *
mining_build_block(struct chain *chain, const struct mining_template *template, int64_t now_s);

/* Search a nonce, off the loop, at most max_tries. done(arg, block_bytes_take, len): NULL if none
 * was found; the bytes come from xmalloc and belong to done. */
void mining_grind(struct chain *chain, struct block_ref *block_take, uint64_t max_tries,
                  void (*done)(void *arg, uint8_t *block_take, size_t len), void *arg);

#endif
