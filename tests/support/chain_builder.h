/* chain_builder.h - blocks for tests of the chain: any list of transactions on any block.
 *
 * Blocks are of regtest, valid by themselves (merkle root, commitment, work), and differ from each
 * other even if they have the same parent and transactions. Everything made lives as long as its
 * builder, so a test can name blocks of several branches and hand them to several chains. */
#ifndef TESTS_SUPPORT_CHAIN_BUILDER_H
#define TESTS_SUPPORT_CHAIN_BUILDER_H

#include "consensus/block.h"
#include "consensus/network.h"

/* A block that was made. */
struct built_block {
    const struct built_block *prev; /* NULL: genesis */
    int32_t height;
    struct block block; /* decoded; block.hash and block.raw are what tests ask for */
};

struct chain_builder {
    struct network network; /* regtest; a test may change it before the first block */
    struct arena arena;
    uint32_t salt; /* grows with every block: makes coinbases differ */
    const struct built_block *genesis;
};

/* Output scripts that need no signature. */
enum builder_script {
    BUILDER_TRUE,     /* OP_1: anyone can spend */
    BUILDER_WSH_TRUE, /* P2WSH of OP_1 */
    BUILDER_FALSE,    /* OP_0: every spend fails in the script */
    BUILDER_LONG,     /* 60 bytes that anyone can spend; not of a short class in the coins */
    BUILDER_RETURN,   /* OP_RETURN: never a coin */
};

/* A coin as a transaction of the test's made it. */
struct builder_coin {
    struct outpoint outpoint;
    int64_t value_sat;
    enum builder_script script;
};

/* What a block shall be made of. */
struct builder_spec {
    const struct tx *tx; /* finished, after the coinbase */
    uint32_t n_tx;
    uint32_t time;     /* 0: a minute after prev */
    int64_t extra_sat; /* what the coinbase takes beyond the subsidy */
    enum builder_script coinbase_script;
};

/* Make a builder of regtest blocks; free all that it made. */
void chain_builder_init(struct chain_builder *builder);
void chain_builder_deinit(struct chain_builder *builder);

/* Make a block on prev. spec NULL: only a coinbase. */
const struct built_block *builder_block(struct chain_builder *builder,
                                        const struct built_block *prev,
                                        const struct builder_spec *spec);
/* Make a block on prev of exactly these finished transactions, the coinbase among them. time 0: a
 * minute after prev. */
const struct built_block *builder_block_of(struct chain_builder *builder,
                                           const struct built_block *prev, const struct tx *tx,
                                           uint32_t n_tx, uint32_t time);
/* Make n blocks of only a coinbase, one on the other. Returns the last; blocks (may be NULL) gets
 * all of them. */
const struct built_block *builder_blocks(struct chain_builder *builder,
                                         const struct built_block *prev, size_t n,
                                         const struct built_block **blocks);

/* The ancestor at height. */
const struct built_block *built_ancestor(const struct built_block *block, int32_t height);

/* Its bytes in a new allocation (xmalloc), as chain_accept_block() takes them. */
uint8_t *built_bytes(const struct built_block *block);

/* The coin that the coinbase of a block makes. */
struct builder_coin builder_coinbase_coin(const struct built_block *block);
/* The coin that output i of a transaction of builder_spend() makes. */
struct builder_coin builder_coin_of(const struct tx *tx, uint32_t i, enum builder_script script);

/* A finished transaction that spends n coins to n_out outputs of like value, leaving fee_sat. */
struct tx builder_spend(struct chain_builder *builder, const struct builder_coin *coins, uint32_t n,
                        uint32_t n_out, int64_t fee_sat, enum builder_script script);

/* The bytes of an output script. Constant. */
struct span builder_script_bytes(enum builder_script script);

#endif
