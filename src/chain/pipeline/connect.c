/* connect.c - what a block does to the coins, and the rules that need them.
 *
 * Connecting goes in two passes. The first finds every coin that is spent and makes the block's
 * changes in the overlay; the second checks values, lock times and sigop costs in Core's order.
 * If either fails the changes are dropped and nothing has happened. */
#include "chain/pipeline/flight.h"

#include <stdio.h>

#include "consensus/bip30.h"
#include "consensus/pow.h"
#include "consensus/script_flags.h"
#include "consensus/script_iter.h"
#include "consensus/sigops.h"
#include "util/hex.h"

#define PREFETCH_INDEX_AHEAD 16
#define PREFETCH_SLOT_AHEAD  8

/* How far the first pass came. */
struct resolve {
    struct flight *flight;
    bool store_is_empty;  /* then what memory does not know does not exist */
    bool reads_are_final; /* what memory still does not know does not exist */
    uint32_t bad_tx;      /* first transaction with a missing input; n_tx if none */
    bool is_collecting;   /* coins must be read: only collect their names from here on */
};

/* -- First pass: coins ------------------------------------------------------------------------ */

/* The index entry further ahead than the slot: it must have come by the time that it is read to
 * find the slot. Both distances in inputs. */
static void prefetch(const struct flight *flight, size_t at)
{
    const struct coins *coins = *flight->flights->coins;
    if (at + PREFETCH_INDEX_AHEAD < flight->n_spent) {
        uint64_t hash = flight->in_hash[at + PREFETCH_INDEX_AHEAD];
        overlay_prefetch(flight->flights->overlay, hash);
        coins_prefetch_index(coins, hash);
    }
    if (at + PREFETCH_SLOT_AHEAD < flight->n_spent)
        coins_prefetch_slot(coins, flight->in_hash[at + PREFETCH_SLOT_AHEAD]);
}

/* The state of a coin as the block sees it. *coin is filled if it is unspent. */
static enum coins_found find_coin(const struct resolve *resolve, const struct outpoint *outpoint,
                                  uint64_t hash, struct coin *coin, uint8_t *script_out)
{
    struct flights *flights = resolve->flight->flights;
    const struct coin *in_flight;
    switch (overlay_find(flights->overlay, outpoint, hash, &in_flight)) {
    case OVERLAY_UNSPENT:
        *coin = *in_flight;
        return COINS_UNSPENT;
    case OVERLAY_SPENT:
        return COINS_SPENT;
    case OVERLAY_UNTOUCHED:
        break;
    }
    enum coins_found found = coins_find(*flights->coins, outpoint, hash, coin, script_out);
    if (found == COINS_UNKNOWN && (resolve->store_is_empty || resolve->reads_are_final))
        return COINS_SPENT;
    return found;
}

/* Find and spend the coin of one input; at counts the block's inputs. False if there is none. */
static bool resolve_input(struct resolve *resolve, const struct outpoint *outpoint, size_t at)
{
    ASSERT(at < resolve->flight->n_spent);
    struct flight *flight = resolve->flight;
    uint64_t hash = flight->in_hash[at];
    struct coin *coin = &flight->spent[at];
    uint8_t *script_out = flight->scripts + at * COIN_SCRIPT_EXPANDED_MAX;
    prefetch(flight, at);
    switch (find_coin(resolve, outpoint, hash, coin, script_out)) {
    case COINS_UNKNOWN:
        flight_note_missing(flight, outpoint);
        resolve->is_collecting = true;
        return true;
    case COINS_SPENT:
        return false;
    case COINS_UNSPENT:
        break;
    }
    /* A long script is borrowed from the table, which may move before the jobs have run. */
    if (coin->script_pubkey.len > COIN_SCRIPT_EXPANDED_MAX) {
        uint8_t *copy = arena_alloc(&flight->arena, coin->script_pubkey.len);
        memcpy(copy, coin->script_pubkey.p, coin->script_pubkey.len);
        coin->script_pubkey.p = copy;
    } else if (coin->script_pubkey.p != script_out) {
        memcpy(script_out, coin->script_pubkey.p, coin->script_pubkey.len);
        coin->script_pubkey.p = script_out;
    }
    flight->spent_out[at] =
        (struct tx_out){.value_sat = coin->value_sat, .script_pubkey = coin->script_pubkey};
    flight->rules[at] = (struct spent_coin){
        .value_sat = coin->value_sat, .height = coin->height, .coinbase = coin->coinbase};
    overlay_spend(flight->flights->overlay, &flight->layer, outpoint, hash);
    return true;
}

/* What nobody can spend is never a coin, as in Core: the coins, and the hash over them, would
 * differ otherwise. A coinbase may overwrite an older one of its id. BIP-30, Specification */
static void create_outputs(struct flight *flight, const struct tx *tx, size_t at, bool is_coinbase)
{
    struct outpoint outpoint = {.txid = tx->txid};
    for (uint32_t i = 0; i < tx->n_out; i++) {
        if (script_is_unspendable(tx->out[i].script_pubkey))
            continue;
        outpoint.vout = i;
        overlay_add(flight->flights->overlay, &flight->layer, &outpoint, flight->out_hash[at + i],
                    &flight->created[at + i], is_coinbase);
    }
}

/* Walk the block in order, spending and creating. If coins have to be read it goes on to collect
 * the names of all of them; the caller then drops what was changed. */
static void resolve_block(struct resolve *resolve)
{
    struct flight *flight = resolve->flight;
    const struct block *block = &flight->block->block;
    size_t in = 0, out = 0;
    resolve->bad_tx = block->n_tx;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        for (uint32_t k = 0; i > 0 && k < tx->n_in; k++)
            if (!resolve_input(resolve, &tx->in[k].prevout, in++)) {
                resolve->bad_tx = i;
                return;
            }
        create_outputs(flight, tx, out, i == 0);
        out += tx->n_out;
    }
}

/* -- BIP30: no transaction may hide an older one of the same id -------------------------------- */

/* Looking for each output is dear, so it is left out where no coinbase can equal an older one:
 * after BIP34, up to the first height that an older coinbase happens to name (hazard 3). Core:
 * ConnectBlock() */
static bool enforces_bip30(const struct flight *flight)
{
    const struct network *network = flight->flights->core->network;
    const struct block_node *node = flight->node;
    /* Where every coinbase since the first block names its height, no two can be equal.
     * BIP-34, Specification */
    int32_t bip34_height = network->buried_height[BURIED_HEIGHTINCB];
    if (bip34_height <= 1)
        return false;
    if (bip30_is_exception(network, node->height, &node->hash))
        return false;
    if (node->height >= BIP34_IMPLIES_BIP30_LIMIT)
        return true;
    /* By height alone would not do: a fork below the BIP34 block has other coinbases. */
    const struct block_node *bip34 = block_node_ancestor(node->prev, bip34_height);
    return !bip34 || !block_hash_equal(&bip34->hash, &network->bip34_hash);
}

/* True if some output of the block would overwrite an unspent coin. */
static bool breaks_bip30(struct resolve *resolve)
{
    struct flight *flight = resolve->flight;
    const struct block *block = &flight->block->block;
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct coin coin;
    size_t at = 0;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        struct outpoint outpoint = {.txid = block->tx[i].txid};
        for (uint32_t k = 0; k < block->tx[i].n_out; k++) {
            outpoint.vout = k;
            enum coins_found found =
                find_coin(resolve, &outpoint, flight->out_hash[at++], &coin, script);
            if (found == COINS_UNSPENT)
                return true;
            if (found == COINS_UNKNOWN) {
                flight_note_missing(flight, &outpoint);
                resolve->is_collecting = true;
            }
        }
    }
    return false;
}

/* -- Second pass: rules ------------------------------------------------------------------------ */

static int64_t median_time_at(void *ctx, int32_t height)
{
    return block_node_mtp(block_node_ancestor(ctx, height));
}

static bool sequence_locks_hold(const struct flight *flight, const struct tx *tx,
                                const struct spent_coin *spent)
{
    struct median_time_source times = {.ctx = flight->node->prev, .at = median_time_at};
    struct sequence_locks locks = sequence_locks_of(tx, spent, &times);
    return sequence_locks_open(locks, flight->node->height, block_node_mtp(flight->node->prev));
}

static bool refuse_tx(struct verdict *verdict, enum reject reject, const char *detail,
                      const struct tx *tx)
{
    char id[HEX_ID_BYTES];
    return verdict_set(verdict, reject, "%s transaction %s", detail,
                       hex_encode_reversed(id, span_of(tx->txid.b, 32)));
}

/* The rules of one transaction but the first, in Core's order and words; adds to fees. */
static bool check_tx(const struct flight *flight, const struct tx *tx,
                     const struct spent_coin *spent, int64_t *fees_sat, struct verdict *verdict)
{
    const struct network *network = flight->flights->core->network;
    int32_t height = flight->node->height;
    int64_t fee_sat;
    enum reject reject = tx_verify_inputs(tx, network, spent, height, &fee_sat);
    if (reject != REJECT_NONE) {
        char detail[TX_VERIFY_DETAIL_BYTES], text[TX_VERIFY_DETAIL_BYTES + 4];
        snprintf(text, sizeof text, "%s in",
                 tx_verify_detail(reject, tx, network, spent, height, detail));
        return refuse_tx(verdict, reject, text, tx);
    }
    *fees_sat += fee_sat;
    if (*fees_sat > MAX_MONEY_SAT)
        return verdict_set(verdict, REJECT_ACCUMULATED_FEE_OUT_OF_RANGE,
                           "accumulated fee in the block out of range");
    if (height >= network->buried_height[BURIED_CSV] && !sequence_locks_hold(flight, tx, spent))
        return refuse_tx(verdict, REJECT_TXNS_NONFINAL, "contains a non-BIP68-final", tx);
    return true;
}

/* The second pass. Of a transaction with a missing input nothing has been found out, but those
 * before it are checked first: of two faults the one that comes first in the block is named.
 *
 * In:  missing_tx  the first of those; n_tx if there is none */
static bool check_rules(const struct flight *flight, uint32_t missing_tx, struct verdict *verdict)
{
    const struct block *block = &flight->block->block;
    int64_t fees_sat = 0;
    uint64_t sigops_cost = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        if (i == missing_tx)
            return refuse_tx(verdict, REJECT_INPUTS_MISSING,
                             "CheckTxInputs: inputs missing/spent in", tx);
        if (i > 0 && !check_tx(flight, tx, flight->rules + at, &fees_sat, verdict))
            return false;
        sigops_cost += tx_sigops_cost(tx, i ? flight->spent_out + at : NULL, flight->script_flags);
        if (sigops_cost > BLOCK_SIGOPS_COST_MAX)
            return verdict_set(verdict, REJECT_BLK_SIGOPS, "too many sigops");
        at += i ? tx->n_in : 0;
    }
    ASSERT(at == flight->n_spent && fees_sat >= 0);
    int64_t most_sat =
        pow_subsidy_sat(flight->flights->core->network, flight->node->height) + fees_sat;
    int64_t paid_sat = tx_output_total_sat(&block->tx[0]);
    if (paid_sat > most_sat)
        return verdict_set(verdict, REJECT_CB_AMOUNT,
                           "coinbase pays too much (actual=%lld vs limit=%lld)",
                           (long long)paid_sat, (long long)most_sat);
    return true;
}

/* -- Scripts: which rules, and whether at all ----------------------------------------------------
 */

/* Scripts of a block buried deep below one that the operator trusts need no check: hazard 35. */
static bool is_assumed_valid(const struct flight *flight)
{
    const struct flights *flights = flight->flights;
    const struct block_node *node = flight->node;
    const struct block_node *best = flights->tree->best_header;
    const struct block_node *trusted = header_tree_find(flights->tree, &flights->assume_valid);
    if (!trusted || block_node_ancestor(trusted, node->height) != node ||
        block_node_ancestor(best, node->height) != node ||
        u256_compare(best->chain_work, flights->min_chain_work) < 0)
        return false;
    /* The work on top must be worth two weeks at the best header's difficulty, so that a chain
     * mined for the purpose is no cheaper than an attack on any other node. */
    double ahead = u256_to_double(u256_sub(best->chain_work, node->chain_work)) /
                   u256_to_double(pow_block_work(best->bits));
    return ahead * (double)flights->core->network->pow_target_spacing_s > 14 * 24 * 3600;
}

/* Nothing of the block may stay in the overlay: a valid one on the same parent comes next. */
static enum connect_result refuse(struct flight *flight, const struct verdict *verdict)
{
    overlay_drop(flight->flights->overlay, &flight->layer);
    flight->has_failed = true;
    flight->verdict = *verdict;
    return CONNECT_INVALID;
}

/* [block 12] Its coins are spent and made in an overlay. */
enum connect_result flight_connect(struct flight *flight)
{
    struct flights *flights = flight->flights;
    struct block_hash store_tip = coins_store_tip(*flights->coins), none = {{0}};
    ASSERT(flight->kind == FLIGHT_CONNECT && flight->stage == FLIGHT_READY);
    struct resolve resolve = {
        .flight = flight,
        .store_is_empty = block_hash_equal(&store_tip, &none),
        .reads_are_final = flight->read_is_final &&
                           flight->times_forgotten == coins_times_forgotten(*flights->coins),
    };
    flight->times_forgotten = coins_times_forgotten(*flights->coins);
    flight->n_missing = 0;
    flight->read_is_final = false;
    flight->script_flags =
        script_flags_for_block(flights->core->network, flight->node->height, &flight->node->hash);
    struct verdict verdict = {0};
    /* BIP-30, Specification */
    if (enforces_bip30(flight) && breaks_bip30(&resolve)) {
        verdict_set(&verdict, REJECT_TXNS_BIP30, "tried to overwrite transaction");
        return refuse(flight, &verdict);
    }
    resolve_block(&resolve);
    if (resolve.is_collecting) {
        overlay_drop(flights->overlay, &flight->layer);
        flight->read_is_final = true;
        flight_read_coins(flight, ENV_PRIORITY_HIGH);
        return CONNECT_WAITS;
    }
    if (!check_rules(flight, resolve.bad_tx, &verdict))
        return refuse(flight, &verdict);
    flight->checks_scripts = !is_assumed_valid(flight);
    flight->stage = FLIGHT_CONNECTED;
    return CONNECT_DONE;
}

/* -- Disconnecting -------------------------------------------------------------------------------
 */

/* The two coinbases that were overwritten before BIP30. When the block that did it is taken back,
 * the older coin must be there again, or the coins would depend on history: hazard 4. */
static bool restores_overwritten(const struct flight *flight, struct coin *coin)
{
    int32_t height = bip30_overwritten_height(flight->flights->core->network, flight->node->height,
                                              &flight->node->hash);
    if (height < 0)
        return false;
    coin->height = (uint32_t)height;
    return true;
}

/* All of them: what was spent within the block is there again by now, since its spender comes later
 * and was taken back before. */
static void take_back_outputs(struct flight *flight, const struct tx *tx, size_t at,
                              bool is_coinbase)
{
    struct overlay *overlay = flight->flights->overlay;
    struct outpoint outpoint = {.txid = tx->txid};
    for (uint32_t i = 0; i < tx->n_out; i++) {
        if (script_is_unspendable(tx->out[i].script_pubkey))
            continue;
        outpoint.vout = i;
        struct coin *coin = &flight->created[at + i];
        if (is_coinbase && restores_overwritten(flight, coin))
            overlay_add(overlay, &flight->layer, &outpoint, flight->out_hash[at + i], coin, true);
        else
            overlay_spend(overlay, &flight->layer, &outpoint, flight->out_hash[at + i]);
    }
}

enum connect_result flight_disconnect(struct flight *flight)
{
    const struct block *block = &flight->block->block;
    size_t in = flight->n_spent, out = flight->n_created;
    ASSERT(flight->kind == FLIGHT_DISCONNECT && flight->stage == FLIGHT_READY);
    for (uint32_t i = block->n_tx; i-- > 0;) {
        const struct tx *tx = &block->tx[i];
        out -= tx->n_out;
        take_back_outputs(flight, tx, out, i == 0);
        for (uint32_t k = tx->n_in; i > 0 && k-- > 0;) {
            in--;
            overlay_add(flight->flights->overlay, &flight->layer, &tx->in[k].prevout,
                        flight->in_hash[in], &flight->spent[in], false);
        }
    }
    ASSERT(in == 0 && out == 0);
    flight->stage = FLIGHT_CONNECTED;
    return CONNECT_DONE;
}
