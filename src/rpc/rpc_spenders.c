/* rpc_spenders.c - gettxspendingprevout: who spends outputs, in the mempool or in the chain. */
#include <errno.h>

#include "mempool/mempool.h"
#include "rpc/methods.h"

/* A call under way: the outputs are answered one after the other, in their order. */
struct spender_call {
    struct outpoint *outpoint;
    size_t n, at;
    bool mempool_only, with_tx;
};

static bool read_outpoint(struct rpc_call *call, const struct json_value *value,
                          struct outpoint *outpoint)
{
    static const struct rpc_field fields[] = {
        {"txid", JSON_KIND_STRING, RPC_FIELD_REQUIRED},
        {"vout", JSON_KIND_NUMBER, RPC_FIELD_REQUIRED},
    };
    int64_t vout;
    if (!rpc_expect_kind(call, value, JSON_KIND_OBJECT) ||
        !rpc_check_fields(call, value, fields, COUNT_OF(fields)) ||
        !rpc_read_id(call, json_find(value, "txid"), "txid", outpoint->txid.b))
        return false;
    if (!json_integer_in(json_find(value, "vout"), INT32_MIN, INT32_MAX, &vout))
        return rpc_refuse(call, RPC_MISC_ERROR, "JSON integer out of range");
    if (vout < 0)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid parameter, vout cannot be negative");
    outpoint->vout = (uint32_t)vout;
    return true;
}

static bool read_options(struct rpc_call *call, struct spender_call *wish)
{
    static const struct rpc_field fields[] = {
        {"mempool_only", JSON_KIND_BOOL, RPC_FIELD_OPTIONAL},
        {"return_spending_tx", JSON_KIND_BOOL, RPC_FIELD_OPTIONAL},
    };
    const struct json_value *options = rpc_arg(call, 1);
    bool synced;
    int32_t height;
    if (!rpc_check_fields(call, options, fields, COUNT_OF(fields)))
        return false;
    wish->mempool_only = !chain_spenderindex_status(call->rpc->node->chain, &synced, &height);
    const struct json_value *only = options ? json_find(options, "mempool_only") : NULL;
    const struct json_value *with_tx = options ? json_find(options, "return_spending_tx") : NULL;
    if (only && only->kind == JSON_KIND_BOOL)
        wish->mempool_only = only->boolean;
    wish->with_tx = with_tx && with_tx->boolean;
    return true;
}

/* One item of the answer. tx NULL: nobody spends it. block NULL: it waits in the mempool. */
static void put_item(struct rpc_call *call, const struct tx *tx, const struct block_node *block)
{
    const struct spender_call *wish = call->state;
    const struct outpoint *outpoint = &wish->outpoint[wish->at];
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_id(out, "txid", outpoint->txid.b);
    json_field_int(out, "vout", outpoint->vout);
    if (tx) {
        json_field_id(out, "spendingtxid", tx->txid.b);
        if (wish->with_tx)
            json_field_hex(out, "spendingtx", tx->raw);
    }
    if (tx && block)
        json_field_id(out, "blockhash", block->hash.b);
    json_close_object(out);
}

static void go_on(struct rpc_call *call);

static void fail_lookup(struct rpc_call *call, int error)
{
    if (error == -ENOSYS || error == -EAGAIN)
        rpc_fail(call, RPC_MISC_ERROR,
                 "Mempool lacks a relevant spend, and txospenderindex is unavailable.");
    else if (error == -ECANCELED)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    else
        rpc_fail(call, RPC_MISC_ERROR, "Unable to read the transaction that spends an output");
    rpc_finish(call);
}

static void on_spender(void *arg, int error, const struct chain_spender *spender)
{
    struct rpc_call *call = arg;
    struct spender_call *wish = call->state;
    if (error) {
        fail_lookup(call, error);
        return;
    }
    put_item(call, spender ? spender->tx : NULL, spender ? spender->node : NULL);
    wish->at++;
    go_on(call);
}

/* Answer what can be answered at once, then ask the index for the next. */
static void go_on(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct spender_call *wish = call->state;
    for (; wish->at < wish->n; wish->at++) {
        const struct outpoint *outpoint = &wish->outpoint[wish->at];
        const struct mempool_entry *entry =
            node->mempool ? mempool_spender(node->mempool, outpoint) : NULL;
        if (!entry && !wish->mempool_only) {
            chain_find_spender(node->chain, outpoint, on_spender, call);
            return;
        }
        put_item(call, entry ? &entry->tx : NULL, NULL);
    }
    json_close_array(&call->out);
    rpc_finish(call);
}

enum rpc_progress rpc_gettxspendingprevout(struct rpc_call *call)
{
    const struct json_value *list = rpc_arg(call, 0);
    struct spender_call *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    if (list->n == 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, outputs are missing");
    if (!read_options(call, wish))
        return RPC_DONE;
    wish->outpoint = arena_alloc(&call->arena, list->n * sizeof *wish->outpoint);
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (!read_outpoint(call, v, &wish->outpoint[wish->n++]))
            return RPC_DONE;
    }
    call->state = wish;
    json_open_array(&call->out);
    go_on(call);
    return RPC_PENDING;
}
