/* rpc_package.c - transactions judged: testmempoolaccept, and submitpackage. */
#include <string.h>

#include "mempool/mempool.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/raw_tx.h"
#include "rpc/send.h"
#include "util/hex.h"

/* Those of a call. */
struct package {
    struct tx tx[MEMPOOL_PACKAGE_COUNT_MAX];
    uint32_t n;
    int64_t max_rate; /* satoshi for 1,000 virtual bytes; 0: any */
};

/* The first argument. Returns: NULL: the call has failed */
static struct package *read_package(struct rpc_call *call)
{
    const struct json_value *list = rpc_arg(call, 0);
    if (list->n < 1 || list->n > MEMPOOL_PACKAGE_COUNT_MAX) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Array must contain between 1 and 25 transactions.");
        return NULL;
    }
    struct package *package = arena_calloc(&call->arena, 1, sizeof *package);
    if (!send_read_max_rate(call, 1, &package->max_rate))
        return NULL;
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING))
            return NULL;
        if (!raw_tx_decode(v->text, RAW_TX_ANY, &call->arena, &package->tx[package->n++])) {
            rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                     "TX decode failed: " RPC_TEXT " Make sure the tx has at least one input.",
                     (const char *)v->text.p);
            return NULL;
        }
    }
    return package;
}

static uint32_t vbytes_of(uint32_t weight_wu)
{
    return (weight_wu + WITNESS_SCALE - 1) / WITNESS_SCALE;
}

/* Sizes and fees of one that is in, or would be: what two methods tell in the same words. */
struct judged {
    int64_t fee_sat;
    uint32_t vbytes, weight_wu;
    struct feerate effective; /* size 0: it was in before, and was not judged */
    uint32_t effective_of;    /* bits of numbers in the package */
};

static void put_judged(struct json_out *out, const struct package *package,
                       const struct judged *judged)
{
    json_field_int(out, "vsize_adjusted", judged->vbytes); /* larger if signatures cost more */
    json_field_int(out, "vsize", judged->vbytes);
    json_field_int(out, "vsize_bip141", vbytes_of(judged->weight_wu));
    json_field_object(out, "fees");
    json_field_amount(out, "base", judged->fee_sat);
    if (judged->effective.size > 0) {
        json_field_amount(out, "effective-feerate",
                          judged->effective.fee_sat * 1000 / judged->effective.size);
        json_field_array(out, "effective-includes");
        for (uint32_t bits = judged->effective_of; bits; bits &= bits - 1)
            json_put_id(out, package->tx[__builtin_ctz(bits)].wtxid.b);
        json_close_array(out);
    }
    json_close_object(out);
}

/* -- testmempoolaccept ------------------------------------------------------------------------- */

static void put_allowed(struct json_out *out, const struct package *package,
                        const struct judged *judged)
{
    json_field_bool(out, "allowed", true);
    put_judged(out, package, judged);
}

static void put_refused(struct json_out *out, const struct verdict *verdict)
{
    char reason[VERDICT_REASON_BYTES], text[CHAIN_JSON_VERDICT_BYTES];
    bool is_missing = reject_class(verdict->code) == REJECT_CLASS_MISSING;
    json_field_bool(out, "allowed", false);
    json_field_string(out, "reject-reason",
                      is_missing ? "missing-inputs" : verdict_reason(verdict, reason));
    if (verdict->code != REJECT_MAX_FEE_EXCEEDED && !is_missing)
        json_field_string(out, "reject-details", chain_json_verdict(verdict, text, sizeof text));
}

static void open_row(struct json_out *out, const struct tx *tx)
{
    json_open_object(out);
    json_field_id(out, "txid", tx->txid.b);
    json_field_id(out, "wtxid", tx->wtxid.b);
}

static const struct verdict too_much = {.code = REJECT_MAX_FEE_EXCEEDED};

/* More than the caller wants, by the size that the mempool goes by: unlike sendrawtransaction,
 * which asks before that is known. */
static bool pays_too_much(const struct package *package, int64_t fee_sat, uint32_t vbytes)
{
    int64_t most_sat = feerate_fee_sat(package->max_rate, vbytes);
    return most_sat > 0 && fee_sat > most_sat;
}

static void on_tested(void *arg, const struct mempool_result *result)
{
    struct rpc_call *call = arg;
    const struct package *package = call->state;
    open_row(&call->out, &package->tx[0]);
    if (result->verdict.code == REJECT_NONE &&
        pays_too_much(package, result->fee_sat, result->vbytes))
        put_refused(&call->out, &too_much);
    else if (result->verdict.code == REJECT_NONE)
        put_allowed(&call->out, package,
                    &(struct judged){.fee_sat = result->fee_sat,
                                     .vbytes = result->vbytes,
                                     .weight_wu = tx_weight_wu(&package->tx[0]),
                                     .effective = {result->modified_fee_sat, result->vbytes},
                                     .effective_of = 1});
    else
        put_refused(&call->out, &result->verdict);
    json_close_object(&call->out);
    json_close_array(&call->out);
    rpc_finish(call);
}

/* One of those tested together. Behind the first that pays more than the caller wants none is told
 * of. Returns: false for that one */
static bool put_tested(struct json_out *out, const struct package *package,
                       const struct mempool_package_tx *tx)
{
    if (tx->state == MEMPOOL_PACKAGE_REFUSED) {
        put_refused(out, &tx->verdict);
    } else if (tx->state == MEMPOOL_PACKAGE_VALID) {
        if (pays_too_much(package, tx->fee_sat, tx->vbytes)) {
            put_refused(out, &too_much);
            return false;
        }
        put_allowed(out, package,
                    &(struct judged){.fee_sat = tx->fee_sat,
                                     .vbytes = tx->vbytes,
                                     .weight_wu = tx->weight_wu,
                                     .effective = tx->effective,
                                     .effective_of = tx->effective_of});
    }
    return true;
}

/* Of a package with a fault as a whole that is all that is said. */
static bool is_about_one(const struct verdict *verdict)
{
    return verdict->code == REJECT_NONE || verdict->code == REJECT_PACKAGE_TX_FAILED ||
           verdict->code == REJECT_PACKAGE_UNSPENT_DUST;
}

static void on_tested_together(void *arg, const struct mempool_package_result *result)
{
    struct rpc_call *call = arg;
    const struct package *package = call->state;
    char text[CHAIN_JSON_VERDICT_BYTES];
    bool goes_on = true;
    for (uint32_t i = 0; i < result->n; i++) {
        open_row(&call->out, &package->tx[i]);
        if (!is_about_one(&result->verdict))
            json_field_string(&call->out, "package-error",
                              chain_json_verdict(&result->verdict, text, sizeof text));
        else if (goes_on)
            goes_on = put_tested(&call->out, package, &result->tx[i]);
        json_close_object(&call->out);
    }
    json_close_array(&call->out);
    rpc_finish(call);
}

enum rpc_progress rpc_testmempoolaccept(struct rpc_call *call)
{
    struct package *package;
    if (!rpc_need_mempool(call) || !(package = read_package(call)))
        return RPC_DONE;
    struct mempool *mempool = call->rpc->node->mempool;
    call->state = package;
    json_open_array(&call->out);
    if (package->n == 1)
        mempool_accept(mempool, package->tx[0].raw, MEMPOOL_TEST_ONLY, 0, on_tested, call);
    else
        mempool_accept_package(mempool,
                               &(struct mempool_package){
                                   .txs = package->tx, .n = package->n, .flags = MEMPOOL_TEST_ONLY},
                               on_tested_together, call);
    return RPC_PENDING;
}

/* -- submitpackage ----------------------------------------------------------------------------- */

static void put_submitted(struct json_out *out, const struct package *package,
                          const struct mempool_package_tx *tx)
{
    char text[CHAIN_JSON_VERDICT_BYTES];
    json_field_id(out, "txid", tx->txid.b);
    switch (tx->state) {
    case MEMPOOL_PACKAGE_UNDECIDED:
        json_field_string(out, "error", "package-not-validated");
        break;
    case MEMPOOL_PACKAGE_REFUSED:
        json_field_string(out, "error", chain_json_verdict(&tx->verdict, text, sizeof text));
        break;
    case MEMPOOL_PACKAGE_OTHER_WITNESS:
        json_field_id(out, "other-wtxid", tx->other_wtxid.b);
        break;
    case MEMPOOL_PACKAGE_KNOWN:
    case MEMPOOL_PACKAGE_VALID:
        put_judged(out, package,
                   &(struct judged){.fee_sat = tx->fee_sat,
                                    .vbytes = tx->vbytes,
                                    .weight_wu = tx->weight_wu,
                                    .effective = tx->effective,
                                    .effective_of = tx->effective_of});
        break;
    }
}

static void on_submitted(void *arg, const struct mempool_package_result *result)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    char text[CHAIN_JSON_VERDICT_BYTES];
    json_open_object(out);
    json_field_string(out, "package_msg",
                      result->verdict.code == REJECT_NONE
                          ? "success"
                          : chain_json_verdict(&result->verdict, text, sizeof text));
    json_field_object(out, "tx-results");
    for (uint32_t i = 0; i < result->n; i++) {
        char wtxid[HEX_ID_BYTES];
        json_field_object(out, hex_encode_reversed(wtxid, span_of(result->tx[i].wtxid.b, 32)));
        put_submitted(out, call->state, &result->tx[i]);
        json_close_object(out);
    }
    json_close_object(out);
    json_field_array(out, "replaced-transactions");
    for (size_t i = 0; i < result->n_replaced; i++)
        json_put_id(out, result->replaced[i].b);
    json_close_array(out);
    json_close_object(out);
    rpc_finish(call);
}

enum rpc_progress rpc_submitpackage(struct rpc_call *call)
{
    struct package *package;
    int64_t max_burn_sat = 0;
    const struct json_value *burn = rpc_arg(call, 2);
    if (!rpc_need_mempool(call) || !(package = read_package(call)) ||
        (burn && !rpc_read_amount(call, burn, &max_burn_sat)))
        return RPC_DONE;
    for (uint32_t i = 0; i < package->n; i++)
        if (send_burns_too_much(&package->tx[i], max_burn_sat))
            return rpc_fail(call, RPC_VERIFY_ERROR,
                            "Unspendable output exceeds maximum configured by user "
                            "(maxburnamount)");
    if (!mempool_package_is_tree(package->tx, package->n))
        return rpc_fail(call, RPC_VERIFY_ERROR,
                        "package topology disallowed. not child-with-parents or parents depend on "
                        "each other.");
    call->state = package;
    struct mempool_package request = {
        .txs = package->tx,
        .n = package->n,
        .flags = MEMPOOL_LOCAL,
        .max_rate = {package->max_rate, package->max_rate ? 1000 : 0},
    };
    mempool_accept_package(call->rpc->node->mempool, &request, on_submitted, call);
    return RPC_PENDING;
}
