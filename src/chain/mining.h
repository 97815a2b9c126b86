/* mining.h - blocks of our own, for test chains and block templates.
 *
 * Layer: chain. Building is the loop's, searching is a job's. mempool/block_assembler.h chooses the
 * transactions. */
#ifndef CHAIN_MINING_H
#define CHAIN_MINING_H

#include "chain/chain.h"
#include "chain/signet_signer.h"

/* What a block is built of. All borrowed for the call. Nothing is checked: whoever fills it knows
 * that it is valid on the tip, or wants to see it refused. */
struct mining_template {
    const struct tx *tx; /* the transactions after the coinbase, in order */
    size_t n_tx;
    int64_t fees_sat; /* theirs, which the coinbase takes with the subsidy */
    struct span coinbase_script_pubkey;
    int32_t version; /* of the block; 0: what mining_block_version() says */
    const struct signet_signer
        *signer; /* of a signet's blocks, or NULL: the block has no solution */
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

/* A search is over. block_take: the bytes with the nonce, from xmalloc and done's own; NULL if none
 * was found, or it was cancelled. */
typedef void mining_done_fn(void *arg, uint8_t *block_take, size_t len);

struct mining_search;

/* Search a nonce, off the loop and on all threads of the compute pool, at most max_tries. The first
 * that has the work is found, as if one after the other were tried.
 *
 * Returns:  the search, to cancel it by; good until done is called
 * Out:      done(arg, ...)  once, later */
struct mining_search *mining_grind(struct chain *chain, struct block_ref *block_take,
                                   uint64_t max_tries, mining_done_fn *done, void *arg);

/* Nobody wants the block any more, for instance because the tip is another: done follows soon, with
 * NULL. Again: nothing. */
void mining_cancel(struct mining_search *search);

#endif
