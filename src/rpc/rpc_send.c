/* rpc_send.c - transactions handed in: to be sent, or to be judged only. */
#include <string.h>

#include "consensus/script_iter.h"
#include "mempool/mempool.h"
#include "mempool/policy.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/raw_tx.h"

enum {
    TEST_TXS_MAX = 25,
    PACKAGE_WEIGHT_MAX = 404000,     /* Core MAX_PACKAGE_WEIGHT */
    MAX_FEE_RATE_DEFAULT = 10000000, /* 0.10 coins for 1,000 bytes */
};

/* The highest fee rate that the caller wants to pay, in sat for 1,000 bytes; 0: any. */
static bool read_max_rate(struct rpc_call *call, size_t index, int64_t *sat_per_kvb)
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

/* Would more than the caller allows be lost in outputs that nobody can spend? */
static bool burns_too_much(const struct tx *tx, int64_t max_burn_sat)
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
    if (burns_too_much(tx, max_burn_sat))
        return rpc_fail(call, RPC_VERIFY_ERROR,
                        "Unspendable output exceeds maximum configured by user (maxburnamount)");
    if (!read_max_rate(call, 1, &max_rate))
        return RPC_DONE;
    call->state = tx;
    mempool_accept(call->rpc->node->mempool, tx->raw, MEMPOOL_LOCAL, max_fee_sat(tx, max_rate),
                   on_sent, call);
    return RPC_PENDING;
}

/* -- testmempoolaccept -------------------------------------------------------------------- */

/* Transactions judged one after the other. */
struct trial {
    struct tx tx[TEST_TXS_MAX];
    uint32_t n, at;
    int64_t max_rate;
};

static void put_allowed(struct json_out *out, const struct mempool_result *result)
{
    json_field_bool(out, "allowed", true);
    json_field_int(out, "vsize_adjusted", result->vbytes); /* larger if signatures cost more */
    json_field_int(out, "vsize", result->vbytes);
    json_field_int(out, "vsize_bip141",
                   tx_vbytes(result->tx));
    json_field_object(out, "fees");
    json_field_amount(out, "base", result->fee_sat);
    json_field_amount(out, "effective-feerate", result->fee_sat * 1000 / result->vbytes);
    json_field_array(out, "effective-includes");
    json_put_id(out, result->tx->wtxid.b);
    json_close_array(out);
    json_close_object(out);
}

static void put_refused(struct json_out *out, const struct verdict *verdict)
{
    char reason[VERDICT_REASON_BYTES], text[CHAIN_JSON_VERDICT_BYTES];
    bool is_missing = reject_class(verdict->code) == REJECT_CLASS_MISSING;
    json_field_bool(out, "allowed", false);
    json_field_string(out, "reject-reason",
                      is_missing ? "missing-inputs" : verdict_reason(verdict, reason));
    if (verdict->code != REJECT_MAX_FEE_EXCEEDED)
        json_field_string(out, "reject-details", chain_json_verdict(verdict, text, sizeof text));
}

static void test_next(struct rpc_call *call);

static void on_tested(void *arg, const struct mempool_result *result)
{
    struct rpc_call *call = arg;
    struct trial *trial = call->state;
    const struct tx *tx = &trial->tx[trial->at];
    json_open_object(&call->out);
    json_field_id(&call->out, "txid", tx->txid.b);
    json_field_id(&call->out, "wtxid", tx->wtxid.b);
    if (result->verdict.code == REJECT_NONE)
        put_allowed(&call->out, result);
    else
        put_refused(&call->out, &result->verdict);
    json_close_object(&call->out);
    ASSERT(trial->at < trial->n && trial->n <= TEST_TXS_MAX);
    trial->at++;
    test_next(call);
}

static void test_next(struct rpc_call *call)
{
    struct trial *trial = call->state;
    if (trial->at == trial->n) {
        json_close_array(&call->out);
        rpc_finish(call);
        return;
    }
    const struct tx *tx = &trial->tx[trial->at];
    mempool_accept(call->rpc->node->mempool, tx->raw, MEMPOOL_TEST_ONLY,
                   max_fee_sat(tx, trial->max_rate), on_tested, call);
}

static bool spends_from(const struct tx *tx, const struct txid *txid)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (memcmp(tx->in[i].prevout.txid.b, txid->b, 32) == 0)
            return true;
    return false;
}

/* Whether none of the package spends what it or one behind it creates. */
static bool is_sorted(const struct trial *trial)
{
    for (uint32_t i = 0; i < trial->n; i++)
        for (uint32_t k = i; k < trial->n; k++)
            if (spends_from(&trial->tx[i], &trial->tx[k].txid))
                return false;
    return true;
}

static bool spends(const struct tx *tx, const struct outpoint *coin)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (tx->in[i].prevout.vout == coin->vout &&
            memcmp(tx->in[i].prevout.txid.b, coin->txid.b, 32) == 0)
            return true;
    return false;
}

static bool share_coin(const struct tx *a, const struct tx *b)
{
    for (uint32_t i = 0; i < a->n_in; i++)
        if (spends(b, &a->in[i].prevout))
            return true;
    return false;
}

/* Whether two of the package spend one coin. Its weight bounds the pairs of inputs. */
static bool has_conflict(const struct trial *trial)
{
    for (uint32_t i = 0; i < trial->n; i++)
        for (uint32_t k = i + 1; k < trial->n; k++)
            if (share_coin(&trial->tx[i], &trial->tx[k]))
                return true;
    return false;
}

/* What is wrong with several transactions as a package, whatever the chain; NULL: nothing.
 * Spec: Core IsWellFormedPackage() */
static const char *package_fault(const struct trial *trial)
{
    uint64_t weight_wu = 0;
    for (uint32_t i = 0; i < trial->n; i++)
        weight_wu += tx_weight_wu(&trial->tx[i]);
    if (trial->n > 1 && weight_wu > PACKAGE_WEIGHT_MAX)
        return "package-too-large";
    for (uint32_t i = 0; i < trial->n; i++)
        for (uint32_t k = i + 1; k < trial->n; k++)
            if (memcmp(trial->tx[i].txid.b, trial->tx[k].txid.b, 32) == 0)
                return "package-contains-duplicates";
    if (trial->n > 1 && !is_sorted(trial))
        return "package-not-sorted";
    return has_conflict(trial) ? "conflict-in-package" : NULL;
}

/* None of a package with a fault is judged by itself. */
static enum rpc_progress put_package_fault(struct rpc_call *call, const char *fault)
{
    const struct trial *trial = call->state;
    for (uint32_t i = 0; i < trial->n; i++) {
        json_open_object(&call->out);
        json_field_id(&call->out, "txid", trial->tx[i].txid.b);
        json_field_id(&call->out, "wtxid", trial->tx[i].wtxid.b);
        json_field_string(&call->out, "package-error", fault);
        json_close_object(&call->out);
    }
    json_close_array(&call->out);
    return RPC_DONE;
}

enum rpc_progress rpc_testmempoolaccept(struct rpc_call *call)
{
    const struct json_value *list = rpc_arg(call, 0);
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    if (list->n < 1 || list->n > TEST_TXS_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Array must contain between 1 and 25 transactions.");
    struct trial *trial = arena_calloc(&call->arena, 1, sizeof *trial);
    if (!read_max_rate(call, 1, &trial->max_rate))
        return RPC_DONE;
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING))
            return RPC_DONE;
        if (!raw_tx_decode(v->text, RAW_TX_ANY, &call->arena, &trial->tx[trial->n++]))
            return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                            "TX decode failed: " RPC_TEXT
                            " Make sure the tx has at least one input.",
                            (const char *)v->text.p);
    }
    call->state = trial;
    json_open_array(&call->out);
    const char *fault = package_fault(trial);
    if (fault)
        return put_package_fault(call, fault);
    test_next(call);
    return RPC_PENDING;
}
