/* tx_verify.c - a transaction and the coins it spends; lock times. */
#include "consensus/tx_verify.h"

#include <stdio.h>

#include "util/assert.h"
#include "util/hex.h"
#include "util/parse.h"

/* Does an amount, or a sum of amounts, lie in the range of money? CVE-2010-5139 */
static bool is_money(int64_t value_sat)
{
    return value_sat >= 0 && value_sat <= MAX_MONEY_SAT;
}

/* That the sum is money is no question any more: tx_check() has refused everything else. */
int64_t tx_output_total_sat(const struct tx *tx)
{
    ASSERT(tx);
    int64_t total_sat = 0;
    for (uint32_t i = 0; i < tx->n_out; i++)
        total_sat += tx->out[i].value_sat;
    ASSERT(is_money(total_sat));
    return total_sat;
}

/* That coins exist is asked of all inputs before anything is asked of one, since that is the
 * verdict which may change when a parent arrives. Then, input by input, age before amount; amounts
 * of coins were checked when they were made, and are checked again because a damaged store must not
 * make money. What remains of the inputs is the fee; it may be zero, and whoever makes the block
 * may take less than all fees but not more (bad-cb-amount). */
enum reject tx_verify_inputs(const struct tx *tx, const struct network *network,
                             const struct spent_coin *spent, int32_t spend_height, int64_t *fee_sat)
{
    ASSERT(network && spent && fee_sat && spend_height >= 0);
    ASSERT(tx);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (spent[i].missing)
            return REJECT_INPUTS_MISSING;
    }

    int64_t in_sat = 0;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        int64_t age = (int64_t)spend_height - spent[i].height;
        if (spent[i].coinbase && age < network->coinbase_maturity)
            return REJECT_PREMATURE_SPEND;
        /* The value first: only then the sum cannot wrap. */
        if (!is_money(spent[i].value_sat) || !is_money(in_sat + spent[i].value_sat))
            return REJECT_INPUT_VALUES_OUT_OF_RANGE;
        in_sat += spent[i].value_sat;
    }

    int64_t out_sat = tx_output_total_sat(tx);
    if (in_sat < out_sat)
        return REJECT_IN_BELOW_OUT;
    /* Both lie in 0..MAX_MONEY_SAT and in >= out, so the fee does too; Core checks it as well. */
    if (!is_money(in_sat - out_sat))
        return REJECT_FEE_OUT_OF_RANGE;
    *fee_sat = in_sat - out_sat;
    return REJECT_NONE;
}

/* Core's words for REJECT_PREMATURE_SPEND: the first coinbase that is too young. */
static char *describe_young(const struct tx *tx, const struct network *network,
                            const struct spent_coin *spent, int32_t spend_height, char *out)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        int64_t depth = (int64_t)spend_height - spent[i].height;
        if (spent[i].coinbase && depth < network->coinbase_maturity) {
            snprintf(out, TX_VERIFY_DETAIL_BYTES, "tried to spend coinbase at depth %lld",
                     (long long)depth);
            break;
        }
    }
    return out;
}

/* Core's words for REJECT_IN_BELOW_OUT. */
static char *describe_values(const struct tx *tx, const struct spent_coin *spent, char *out)
{
    char in_text[AMOUNT_STRING_BYTES], out_text[AMOUNT_STRING_BYTES];
    int64_t in_sat = 0;
    for (uint32_t i = 0; i < tx->n_in; i++)
        in_sat += spent[i].value_sat;
    snprintf(out, TX_VERIFY_DETAIL_BYTES, "value in (%s) < value out (%s)",
             format_money(in_sat, in_text), format_money(tx_output_total_sat(tx), out_text));
    return out;
}

char *tx_verify_detail(enum reject reject, const struct tx *tx, const struct network *network,
                       const struct spent_coin *spent, int32_t spend_height,
                       char out[TX_VERIFY_DETAIL_BYTES])
{
    ASSERT(tx && network && spent && out);
    *out = '\0';
    if (reject == REJECT_INPUTS_MISSING)
        snprintf(out, TX_VERIFY_DETAIL_BYTES, "CheckTxInputs: inputs missing/spent");
    else if (reject == REJECT_PREMATURE_SPEND)
        return describe_young(tx, network, spent, spend_height, out);
    else if (reject == REJECT_IN_BELOW_OUT)
        return describe_values(tx, spent, out);
    return out;
}

void tx_script_verdict(struct verdict *verdict, enum reject reject, const struct tx *tx,
                       uint32_t input, int script_error)
{
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES], prev[HEX_ID_BYTES];
    const struct outpoint *spent = &tx->in[input].prevout;
    ASSERT(input < tx->n_in && reject != REJECT_NONE && script_error != 0);
    verdict_set(verdict, reject, "input %u of %s (wtxid %s), spending %s:%u", input,
                hex_encode_reversed(txid, span_of(tx->txid.b, 32)),
                hex_encode_reversed(wtxid, span_of(tx->wtxid.b, 32)),
                hex_encode_reversed(prev, span_of(spent->txid.b, 32)), spent->vout);
    verdict->script_error = script_error;
}

/* In a block the same finding is final, for the block says what comes before it: no later coin can
 * repair it. */
enum reject reject_for_tx(enum reject reject)
{
    if (reject == REJECT_INPUTS_MISSING)
        return REJECT_INPUTS_UNKNOWN;
    if (reject == REJECT_PREMATURE_SPEND)
        return REJECT_PREMATURE_SPEND_YET;
    return reject;
}

/* The lock time is the last height, or time, that does not do, hence "less than". Below the
 * threshold it is a height: 500 million blocks are nine thousand years away, and 500 million
 * seconds after 1970 was in 1985. A transaction all of whose inputs have the highest sequence is
 * final whatever its lock time: that was the old idea of a draft that its parties may still
 * replace. */
bool tx_is_final(const struct tx *tx, int32_t height, int64_t time_s)
{
    ASSERT(tx);
    if (tx->lock_time == 0)
        return true;
    int64_t now = tx->lock_time < LOCK_TIME_THRESHOLD ? (int64_t)height : time_s;
    if ((int64_t)tx->lock_time < now)
        return true;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].sequence != SEQUENCE_FINAL)
            return false;
    }
    return true;
}

struct sequence_locks sequence_locks_of(const struct tx *tx, const struct spent_coin *spent,
                                        const struct median_time_source *times)
{
    ASSERT(tx);
    ASSERT(spent && times);
    struct sequence_locks locks = {.height = -1, .time_s = -1};
    /* Unsigned: as a signed number, version 0xffffffff would be less than 2. CVE-2024-34478 */
    /* BIP-68, Specification */
    if (tx->version < 2)
        return locks;

    for (uint32_t i = 0; i < tx->n_in; i++) {
        uint32_t sequence = tx->in[i].sequence;
        /* BIP-68, Specification */
        if (sequence & SEQUENCE_LOCK_DISABLE)
            continue;
        /* Each lock counts from the coin that its own input spends, and the latest of them
         * decides. */
        int32_t coin_height = (int32_t)spent[i].height;
        int32_t units = (int32_t)(sequence & SEQUENCE_LOCK_MASK);
        if (sequence & SEQUENCE_LOCK_TIME) {
            /* counted from the median time past of the block before the coin's.
             * BIP-68, Specification */
            int64_t from_s = times->at(times->ctx, coin_height > 0 ? coin_height - 1 : 0);
            int64_t last_s = from_s + ((int64_t)units << SEQUENCE_LOCK_TIME_SHIFT) - 1;
            locks.time_s = MAX_OF(locks.time_s, last_s);
        } else if (coin_height + units - 1 > locks.height) {
            locks.height = coin_height + units - 1;
        }
    }
    return locks;
}

/* Time is compared with the median time past of the block before, never with the block's own time:
 * its miner could choose that. BIP-113, Specification */
bool sequence_locks_open(struct sequence_locks locks, int32_t height, int64_t prev_mtp_s)
{
    return locks.height < height && locks.time_s < prev_mtp_s;
}
