/* rpc_dev.c - what -dev offers to tools: its keys, a clock. */
#include "rpc/method_table.h"
#include "rpc/methods.h"
#include "spend/keys/dev_keys.h"

#define TIME_MAX_S INT64_C(4294967295) /* what fits into the time of a header */

bool rpc_need_dev(struct rpc_call *call)
{
    ASSERT(call->method);
    if (call->rpc->node->dev)
        return true;
    return rpc_refuse(call, RPC_MISC_ERROR,
                      "%s is for chains to develop against: start the node with -dev",
                      call->method->name);
}

enum rpc_progress rpc_getdevkeys(struct rpc_call *call)
{
    struct json_out *out = &call->out;
    if (!rpc_need_dev(call))
        return RPC_DONE;
    json_open_object(out);
    json_field_string(out, "words", DEV_KEYS_WORDS);
    json_field_array(out, "keys");
    for (size_t i = 0; i < DEV_KEYS; i++) {
        const struct dev_key *key = &call->rpc->node->dev->keys->at[i];
        json_open_object(out);
        json_field_string(out, "path", key->path);
        json_field_string(out, "address", key->address);
        json_field_string(out, "privkey", key->wif);
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
    return RPC_DONE;
}

enum rpc_progress rpc_settime(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    int64_t time_s = 0;
    if (!rpc_need_dev(call) || !rpc_arg_int64(call, 0, &time_s))
        return RPC_DONE;
    if (time_s < 0 || time_s > TIME_MAX_S)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "time must be from 0 to %lld, not %lld",
                        (long long)TIME_MAX_S, (long long)time_s);
    bool is_ours = true;
    const char *error = node->dev->set_clock(node->dev->ctx, time_s, &is_ours);
    if (error && !is_ours)
        return rpc_fail(call, RPC_INVALID_PARAMETER, RPC_TEXT, error);
    if (error)
        return rpc_fail(call, RPC_DATABASE_ERROR, "Cannot keep the clock: %s", error);
    json_put_int(&call->out, node->now_s(node->ctx));
    return RPC_DONE;
}

/* -- Snapshots -------------------------------------------------------------------------------- */

static void put_snapshot(struct json_out *out, const struct rpc_dev_snapshot *snapshot)
{
    json_open_object(out);
    json_field_string(out, "name", snapshot->name);
    json_field_int(out, "height", snapshot->height);
    json_field_id(out, "bestblock", snapshot->moment.tip.b);
    json_field_int(out, "time", snapshot->time_s);
    json_field_int(out, "transactions", (int64_t)snapshot->n_txs);
    json_close_object(out);
}

static void on_done(void *arg, const struct rpc_dev_snapshot *snapshot, const char *error,
                    bool is_ours)
{
    struct rpc_call *call = arg;
    if (error)
        rpc_fail(call, is_ours ? RPC_DATABASE_ERROR : RPC_INVALID_PARAMETER, RPC_TEXT, error);
    else
        put_snapshot(&call->out, snapshot);
    rpc_finish(call);
}

static enum rpc_progress do_with_name(struct rpc_call *call,
                                      void (*act)(void *, const char *, rpc_dev_fn *, void *))
{
    act(call->rpc->node->dev->ctx, rpc_arg_string(call, 0, ""), on_done, call);
    return RPC_PENDING;
}

enum rpc_progress rpc_snapshot(struct rpc_call *call)
{
    if (!rpc_need_dev(call) || !rpc_need_mempool(call))
        return RPC_DONE;
    return do_with_name(call, call->rpc->node->dev->snapshot);
}

enum rpc_progress rpc_revert(struct rpc_call *call)
{
    if (!rpc_need_dev(call) || !rpc_need_mempool(call))
        return RPC_DONE;
    return do_with_name(call, call->rpc->node->dev->revert);
}

enum rpc_progress rpc_dropsnapshot(struct rpc_call *call)
{
    return rpc_need_dev(call) ? do_with_name(call, call->rpc->node->dev->drop) : RPC_DONE;
}

enum rpc_progress rpc_listsnapshots(struct rpc_call *call)
{
    const struct rpc_dev_snapshot *snapshot;
    if (!rpc_need_dev(call))
        return RPC_DONE;
    const struct rpc_dev *dev = call->rpc->node->dev;
    json_open_array(&call->out);
    for (size_t i = 0; (snapshot = dev->at(dev->ctx, i)); i++)
        put_snapshot(&call->out, snapshot);
    json_close_array(&call->out);
    return RPC_DONE;
}
