/* block_assembler.h - what the next block would hold: for getblocktemplate and for mining.
 *
 * Layer: mempool. Loop thread only. */
#ifndef MEMPOOL_BLOCK_ASSEMBLER_H
#define MEMPOOL_BLOCK_ASSEMBLER_H

#include "chain/mining.h"
#include "consensus/block_check.h"
#include "mempool/mempool.h"

#define BLOCK_RESERVED_WU_DEFAULT     8000 /* header, count of transactions, coinbase */
#define BLOCK_RESERVED_WU_MIN         2000
#define BLOCK_RESERVED_SIGOPS         400 /* of the coinbase */
#define BLOCK_MIN_SAT_PER_KVB_DEFAULT 1

struct block_assembler_options {
    uint32_t max_weight_wu;             /* -blockmaxweight */
    uint32_t reserved_weight_wu;        /* -blockreservedweight */
    int64_t min_sat_per_kvb;            /* -blockmintxfee */
    int32_t version;                    /* -blockversion; 0: as the deployments ask */
    const struct signet_signer *signer; /* -signetminerkey: of blocks of our own; NULL: nobody */
};

/* Core's defaults. */
struct block_assembler_options block_assembler_default_options(void);

/* A transaction of a template. */
struct block_template_tx {
    const struct mempool_entry *entry; /* borrowed until the mempool changes */
    uint32_t *depends; /* numbers, from 1, of those before it in the template that it spends from */
    uint32_t n_depends;
};

/* A block on the tip without its coinbase. */
struct block_template {
    struct arena arena;
    const struct block_node *prev;
    int32_t height;
    int32_t version;
    uint32_t bits;
    int64_t min_time_s, time_s;
    struct block_template_tx *tx;
    struct tx *txs; /* the same, as mining_build_block() takes them */
    size_t n_tx;
    uint32_t weight_wu;   /* of the transactions */
    uint32_t sigops_cost; /* likewise */
    int64_t fees_sat;
    int64_t coinbase_value_sat; /* subsidy and fees */
    bool has_witness_rules;     /* segwit is active in this block */
    /* The script of the coinbase's commitment output, for a coinbase with an all zero nonce. */
    uint8_t commitment_script[BLOCK_COMMITMENT_BYTES];
    uint64_t mempool_updates;           /* tells when a newer template may differ */
    const struct signet_signer *signer; /* the options' */
};

/* For a block of our own: leave its coinbase the room that it needs with that script and with a
 * signature, so that nobody's choice of options makes the block too heavy. */
void block_assembler_reserve(struct block_assembler_options *options,
                             struct span coinbase_script_pubkey);

/* Fill a template on the tip from the mempool (NULL: an empty one).
 *
 * Out:      template  borrows entries: use it before the mempool changes. Free it with
 *                     block_template_deinit()
 * Spec:     BIP-22, Block Template Request; BIP-23, Basic Pool Extensions;
 *           BIP-145, Block Template */
void block_assemble(struct chain *chain, const struct mempool *mempool,
                    const struct block_assembler_options *options, int64_t now_s,
                    struct block_template *template);

/* Free what a template holds; the entries that it borrows stay. */
void block_template_deinit(struct block_template *template);

/* Build the block that a template stands for, paying to a script. Returns its bytes with one
 * holder, decoded, without work: see mining_grind(). */
NODISCARD struct block_ref *block_template_build(struct chain *chain,
                                                 const struct block_template *template,
                                                 struct span coinbase_script_pubkey);

#endif
