/* address_history.h - what happened to the outputs of some scripts, as the index of addresses tells
 * it.
 *
 * Layer: chain. Pure. A script is named by its SHA-256. */
#ifndef CHAIN_ASK_ADDRESS_HISTORY_H
#define CHAIN_ASK_ADDRESS_HISTORY_H

#include "chain/tree/header_tree.h"
#include "consensus/tx.h"
#include "crypto/siphash.h"
#include "util/array.h"

#define SCRIPT_HASH_BYTES 32

/* Rows of all scripts of one question, at most: bounds its memory, some 150 MB. */
#define ADDRESS_ROWS_MAX 1000000
/* Scripts of one question, at most. */
#define ADDRESS_SCRIPTS_MAX 100000

struct script_hash {
    uint8_t b[SCRIPT_HASH_BYTES];
};

/* An output that pays one of the scripts. */
struct address_out {
    uint32_t row; /* of its transaction */
    uint32_t vout;
    int64_t value_sat;
    uint32_t spent_by; /* the row that spends it, or one of the two below */
};
#define ADDRESS_UNSPENT       UINT32_MAX
#define ADDRESS_SPENT_WAITING (UINT32_MAX - 1) /* by what is in no block yet: for who knows that   \
                                                */

/* An input that spends one of them. */
struct address_spend {
    uint32_t row;
    uint64_t mark; /* of the output that it spends: see address_mark() */
};

/* One script in one transaction of the chain. */
struct address_row {
    const struct block_node *node; /* its block */
    uint32_t position;             /* of the transaction in it */
    uint32_t script;               /* which of those that were asked for */
    struct txid txid;
    int64_t received_sat, spent_sat; /* by address_history_match() */
};

/* All that is known of the scripts. Zeros and a key: nothing. */
struct address_history {
    struct siphash_key key;       /* of the marks */
    const struct block_node *tip; /* as of this block; of the active chain when it was asked for */
    ARRAY(struct address_row) rows;
    ARRAY(struct address_out) outs;
    ARRAY(struct address_spend) spends;
};

/* Free what it holds. */
void address_history_deinit(struct address_history *history);

/* By what an input names the output that it spends: 8 bytes of a keyed hash. */
static inline uint64_t address_mark(struct siphash_key key, const struct txid *txid, uint32_t vout)
{
    return siphash13_id(key, txid->b, vout);
}

/* Find for each output the row that spends it, and sum up the rows. Rows must be of one chain.
 * Returns: false if an input spends what is not among the outputs: rows are missing. */
NODISCARD bool address_history_match(struct address_history *history);

#endif
