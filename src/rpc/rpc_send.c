/* rpc_send.c - a transaction handed in, to be sent; rpc_package.c has those that are judged. */
#include <string.h>

#include "consensus/script_iter.h"
#include "mempool/mempool.h"
#include "mempool/policy.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/net_json.h"
#include "rpc/raw_tx.h"
#include "rpc/send.h"

/* 0.10 coins for 1,000 bytes. Core: DEFAULT_MAX_RAW_TX_FEE_RATE */
#define MAX_FEE_RATE_DEFAULT 10000000

bool send_read_max_rate(struct rpc_call *call, size_t index, int64_t *sat_per_kvb)
{
    const struct json_value *arg = rpc_arg(call, index);
    *sat_per_kvb = MAX_FEE_RATE_DEFAULT;
    if (arg && !rpc_read_amount(call, arg, sat_per_kvb))
        return false;
    if (*sat_per_kvb < COIN_SAT)
        return true;
    return rpc_refuse(call, RPC_INVALID_PARAMETER,
                      "Fee rates larger than or equal to 1BTC/kvB are not accepted");
}

static int64_t max_fee_sat(const struct tx *tx, int64_t sat_per_kvb)
{
    ASSERT(sat_per_kvb >= 0 && sat_per_kvb < COIN_SAT);
    return feerate_fee_sat(sat_per_kvb, tx_vbytes(tx));
}

/* -- sendrawtransaction ------------------------------------------------------------------- */

/* Is some output of it an unspent coin already? */
static bool is_in_chain(const struct rpc_call *call, const struct tx *tx)
{
    struct chain *chain = call->rpc->node->chain;
    struct outpoint outpoint = {.txid = tx->txid};
    struct arena arena;
    bool is_there = false;
    arena_init(&arena, 1024);
    for (; outpoint.vout < tx->n_out && !is_there; outpoint.vout++) {
        struct coin coin;
        is_there = coins_get(chain_coins(chain), &outpoint, &arena, &coin) == 1;
    }
    arena_deinit(&arena);
    return is_there;
}

/* Whatever is wrong with it, Core looks into the chain first. */
static void fail_to_send(struct rpc_call *call, const struct verdict *verdict)
{
    ASSERT(verdict->code != REJECT_NONE && call->state);
    char text[CHAIN_JSON_VERDICT_BYTES];
    chain_json_verdict(verdict, text, sizeof text);
    bool is_missing = reject_class(verdict->code) == REJECT_CLASS_MISSING;
    if (verdict->code == REJECT_ALREADY_KNOWN || is_in_chain(call, call->state))
        rpc_fail(call, RPC_ALREADY_IN_UTXO_SET, "Transaction outputs already in utxo set");
    else if (is_missing)
        rpc_fail(call, RPC_VERIFY_ERROR, "%s", text);
    else if (verdict->code == REJECT_MAX_FEE_EXCEEDED)
        rpc_fail(call, RPC_VERIFY_ERROR,
                 "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
    else
        rpc_fail(call, RPC_TRANSACTION_REJECTED, "%s", text);
}

static void on_sent(void *arg, const struct mempool_result *result)
{
    struct rpc_call *call = arg;
    const struct tx *tx = call->state;
    enum reject code = result->verdict.code;
    /* One of the same name is here: it is that one which is sent, whatever the witness is. */
    if (code == REJECT_NONE || result->was_known || code == REJECT_SAME_NONWITNESS_DATA)
        json_put_id(&call->out, tx->txid.b);
    else
        fail_to_send(call, &result->verdict);
    rpc_finish(call);
}

/* -- -privatebroadcast -------------------------------------------------------------------- */

static void send_privately(struct rpc_call *call, const struct tx *tx)
{
    const struct net_view *net = call->rpc->node->net;
    if (net->send_privately(net->mesh, &tx->txid, &tx->wtxid, tx->raw) == NET_RESULT_FULL)
        rpc_fail(call, RPC_PRIVATE_BROADCAST_FULL, "Private broadcast queue is full");
    else
        json_put_id(&call->out, tx->txid.b);
}

/* It would enter the mempool; it does when the network gives it back. */
static void on_judged(void *arg, const struct mempool_result *result)
{
    struct rpc_call *call = arg;
    if (result->verdict.code == REJECT_NONE)
        send_privately(call, call->state);
    else
        fail_to_send(call, &result->verdict);
    rpc_finish(call);
}

static enum rpc_progress begin_privately(struct rpc_call *call, const struct tx *tx,
                                         int64_t max_sat)
{
    const struct net_view *net = call->rpc->node->net;
    struct mempool *mempool = call->rpc->node->mempool;
    const struct mempool_entry *entry = mempool_find(mempool, &tx->txid);
    if (!net->is_private_reachable(net->mesh))
        return rpc_fail(
            call, RPC_MISC_ERROR,
            "-privatebroadcast is enabled, but none of the Tor or I2P networks is "
            "reachable. Maybe the location of the Tor proxy couldn't be retrieved from "
            "the Tor daemon at startup. Check whether the Tor daemon is running and that "
            "-torcontrol, -torpassword and -i2psam are configured properly.");
    if (entry) { /* whatever its witness is: that one is what others can have */
        send_privately(call, &entry->tx);
        return RPC_DONE;
    }
    mempool_accept(mempool, tx->raw, MEMPOOL_TEST_ONLY, max_sat, on_judged, call);
    return RPC_PENDING;
}

bool send_burns_too_much(const struct tx *tx, int64_t max_burn_sat)
{
    for (uint32_t i = 0; i < tx->n_out; i++) {
        struct span script = tx->out[i].script_pubkey;
        if ((script_is_unspendable(script) || !raw_tx_has_valid_ops(script)) &&
            tx->out[i].value_sat > max_burn_sat)
            return true;
    }
    return false;
}

/* [tx 3] The method: its parameters, and what Core refuses before the mempool is asked. */
enum rpc_progress rpc_sendrawtransaction(struct rpc_call *call)
{
    struct tx *tx = arena_calloc(&call->arena, 1, sizeof *tx);
    int64_t max_rate, max_burn_sat = 0;
    const struct json_value *burn = rpc_arg(call, 2);
    if (!rpc_need_mempool(call) || (burn && !rpc_read_amount(call, burn, &max_burn_sat)))
        return RPC_DONE;
    if (!raw_tx_decode(rpc_arg(call, 0)->text, RAW_TX_ANY, &call->arena, tx))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                        "TX decode failed. Make sure the tx has at least one input.");
    if (send_burns_too_much(tx, max_burn_sat))
        return rpc_fail(call, RPC_VERIFY_ERROR,
                        "Unspendable output exceeds maximum configured by user (maxburnamount)");
    if (!send_read_max_rate(call, 1, &max_rate))
        return RPC_DONE;
    call->state = tx;
    const struct net_view *net = call->rpc->node->net;
    if (net && net->is_private)
        return begin_privately(call, tx, max_fee_sat(tx, max_rate));
    mempool_accept(call->rpc->node->mempool, tx->raw, MEMPOOL_LOCAL, max_fee_sat(tx, max_rate),
                   on_sent, call);
    return RPC_PENDING;
}
