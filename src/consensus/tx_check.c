/* tx_check.c - rules a transaction must obey on its own.
 *
 * Pure functions of one transaction: the cost is linear in its size, also where an attacker chooses
 * it. */
#include "consensus/tx_check.h"

#include "consensus/block.h"
#include "crypto/siphash.h"
#include "util/assert.h"

/* Up to here comparing each input with each is cheaper than a table. */
#define PAIRWISE_MAX 16

/* Each amount and each partial sum lies in the range of money. In August 2010 block 74638 made 184
 * billion coins by two outputs whose sum wrapped to a small number: the chain was rewound, and
 * these are the rules that came of it. CVE-2010-5139 */
static enum reject outputs_check(const struct tx *tx)
{
    int64_t total_sat = 0;
    for (uint32_t i = 0; i < tx->n_out; i++) {
        int64_t value_sat = tx->out[i].value_sat;
        if (value_sat < 0)
            return REJECT_VOUT_NEGATIVE;
        if (value_sat > MAX_MONEY_SAT)
            return REJECT_VOUT_TOO_LARGE;

        /* Check after every step: a sum checked only at the end can wrap. CVE-2010-5139 */
        total_sat += value_sat;
        if (total_sat > MAX_MONEY_SAT)
            return REJECT_TXOUT_TOTAL_TOO_LARGE;
    }
    return REJECT_NONE;
}

/* Does an input name an output that an earlier one names too? Each pair is compared. */
static bool has_duplicate_pairwise(const struct tx *tx)
{
    for (uint32_t i = 1; i < tx->n_in; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (outpoint_equal(&tx->in[i].prevout, &tx->in[k].prevout))
                return true;
        }
    }
    return false;
}

/* A table of input numbers. Its hash is keyed by the transaction's own id, which depends on every
 * input: a stranger cannot choose inputs that collide. */
static bool has_duplicate_hashed(const struct tx *tx, struct arena *scratch)
{
    size_t capacity = 64;
    while (capacity < (size_t)tx->n_in * 2)
        capacity *= 2;
    ASSERT((capacity & (capacity - 1)) == 0 && capacity > tx->n_in);
    uint32_t *slots = arena_calloc(scratch, capacity, sizeof *slots); /* input number + 1 */
    struct siphash_key key;
    memcpy(&key, tx->txid.b, sizeof key);

    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct outpoint *prevout = &tx->in[i].prevout;
        size_t at = (size_t)siphash13_id(key, prevout->txid.b, prevout->vout) & (capacity - 1);
        for (; slots[at]; at = (at + 1) & (capacity - 1)) {
            if (outpoint_equal(prevout, &tx->in[slots[at] - 1].prevout))
                return true;
        }
        slots[at] = i + 1;
    }
    return false;
}

/* No coin is spent twice in one transaction. Later steps are no safe place to notice it: when Core
 * left the check out for blocks, the code that spends coins let the second spend pass, and a block
 * could have counted a coin's value twice. CVE-2018-17144 */
static bool has_duplicate_input(const struct tx *tx, struct arena *scratch)
{
    if (tx->n_in <= PAIRWISE_MAX)
        return has_duplicate_pairwise(tx);
    struct arena_mark mark = arena_mark(scratch);
    bool duplicate = has_duplicate_hashed(tx, scratch);
    arena_rewind(scratch, mark);
    return duplicate;
}

/* Only a coinbase spends the null outpoint; beside other inputs it would be an input that no coin
 * belongs to. */
static bool has_null_input(const struct tx *tx)
{
    static const struct txid null_txid;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct outpoint *prevout = &tx->in[i].prevout;
        if (prevout->vout == OUTPOINT_INDEX_NULL && txid_equal(&prevout->txid, &null_txid))
            return true;
    }
    return false;
}

/* In Core's order. The counts come first since everything after them looks at inputs and outputs.
 * The size is that without witnesses: whatever exceeds a quarter of a block's weight fits into no
 * block (the weight of all is a rule of the block alone). Duplicates come before the null input, so
 * a transaction with two null inputs is refused as one with duplicates. */
enum reject tx_check(const struct tx *tx, struct arena *scratch)
{
    ASSERT(tx);
    ASSERT(scratch);
    if (tx->n_in == 0)
        return REJECT_VIN_EMPTY;
    if (tx->n_out == 0)
        return REJECT_VOUT_EMPTY;
    if (tx->base_bytes > BLOCK_WEIGHT_MAX_WU / WITNESS_SCALE)
        return REJECT_TX_OVERSIZE;

    enum reject reject = outputs_check(tx);
    if (reject != REJECT_NONE)
        return reject;

    /* Here, before any coin is touched: skipping it for blocks was CVE-2018-17144. */
    if (has_duplicate_input(tx, scratch))
        return REJECT_INPUTS_DUPLICATE;

    if (tx_is_coinbase(tx)) {
        /* This script is never run, so it would be the place for any amount of data; the bounds are
         * as old as the first implementation. A coinbase's other rules (its height, its amount)
         * need the chain. */
        size_t len = tx->in[0].script_sig.len;
        if (len < COINBASE_SCRIPT_MIN_BYTES || len > COINBASE_SCRIPT_MAX_BYTES)
            return REJECT_CB_LENGTH;
        return REJECT_NONE;
    }
    return has_null_input(tx) ? REJECT_PREVOUT_NULL : REJECT_NONE;
}
