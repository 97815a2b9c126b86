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
    const char *error = node->dev->set_clock(node->dev->ctx, time_s);
    if (error)
        return rpc_fail(call, RPC_DATABASE_ERROR, "Cannot keep the clock: %s", error);
    json_put_int(&call->out, node->now_s(node->ctx));
    return RPC_DONE;
}
