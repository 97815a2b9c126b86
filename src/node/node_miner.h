/* node_miner.h - a test chain's blocks made by the node itself: one each interval, or one for what
 * comes into the mempool.
 *
 * Layer: node. What contrib's scripts do for Core by RPC, without a script: choose transactions,
 * sign, search the nonce, connect. Loop thread only; the search is the compute pool's. Blocks that
 * others make count: the interval begins anew with them. Spec: BIP-325, Specification */
#ifndef NODE_NODE_MINER_H
#define NODE_NODE_MINER_H

#include "mempool/block_assembler.h"
#include "util/log.h"

struct node_miner;

struct node_miner_options {
    int64_t interval_s; /* -signetmineinterval, -automine=<n>; 0: no block is made by the clock */
    bool is_poisson;    /* the interval is a mean: blocks come as if by work */
    bool on_tx;         /* a block for each transaction that comes, or for several at once */
    struct block_assembler_options block; /* whose signer is set on a signet */
    struct span script;                   /* whom the blocks pay; borrowed */
};

/* While headers are known that promise a better tip, that is waited for; no longer than this (or
 * three intervals, if that is more), since a header costs little and its block may never come. */
#define NODE_MINER_PATIENCE_S 60

/* Make a miner and start its first interval. In: log, chain, mempool borrowed for its life, the
 * chain open. Owns: the caller, who frees it when the chain is closed. Returns: NULL, which all
 * functions here take, where the options want no blocks. */
NODISCARD struct node_miner *node_miner_new(const struct log *log, struct chain *chain,
                                            const struct mempool *mempool,
                                            const struct node_miner_options *options);
/* Free it; nothing may be under way. */
void node_miner_free(struct node_miner *miner);

/* The chain has another tip: a search for a block on the old one ends. */
void node_miner_tip_changed(struct node_miner *miner);
/* A transaction has come into the mempool: with on_tx a block is made soon. */
void node_miner_tx_added(struct node_miner *miner);
/* Begin no more blocks. What is under way ends before the chain has closed. Again: nothing. */
void node_miner_stop(struct node_miner *miner);

#endif
