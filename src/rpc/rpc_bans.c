/* rpc_bans.c - methods about who is banned by hand. */
#include <string.h>

#include "rpc/methods.h"
#include "rpc/net_json.h"

/* Spec: Core EnsureBanman() */
static const struct net_view *require_bans(struct rpc_call *call)
{
    const struct net_view *net = call->rpc->node->net;
    if (!net)
        rpc_fail(call, RPC_DATABASE_ERROR, "Error: Ban database not loaded");
    return net;
}

static void put_ban(void *arg, const struct net_ban *ban)
{
    struct rpc_call *call = arg;
    const struct rpc_node *node = call->rpc->node;
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_string(out, "address", ban->subnet);
    json_field_int(out, "ban_created", ban->created_s);
    json_field_int(out, "banned_until", ban->until_s);
    json_field_int(out, "ban_duration", ban->until_s - ban->created_s);
    json_field_int(out, "time_remaining", ban->until_s - node->now_s(node->ctx));
    json_close_object(out);
}

enum rpc_progress rpc_listbanned(struct rpc_call *call)
{
    const struct net_view *net = require_bans(call);
    if (!net)
        return RPC_DONE;
    json_open_array(&call->out);
    net->each_ban(net->bans, put_ban, call);
    json_close_array(&call->out);
    return RPC_DONE;
}

static void on_saved(void *arg, int error)
{
    struct rpc_call *call = arg;
    if (error)
        rpc_fail(
            call, RPC_MISC_ERROR,
            "Error: banlist.json cannot be written (%s): the change holds until the node stops",
            strerror(-error));
    else
        json_put_null(&call->out);
    rpc_finish(call);
}

/* What is answered with null is on the disk. */
static enum rpc_progress save(struct rpc_call *call, const struct net_view *net)
{
    net->save_bans(net->bans, on_saved, call);
    return RPC_PENDING;
}

static enum rpc_progress fail(struct rpc_call *call, enum net_result result)
{
    switch (result) {
    case NET_RESULT_BAD_ADDRESS:
        return rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET, "Error: Invalid IP/Subnet");
    case NET_RESULT_EXISTS:
        return rpc_fail(call, RPC_CLIENT_NODE_ALREADY_ADDED, "Error: IP/Subnet already banned");
    case NET_RESULT_IN_PAST:
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Error: Absolute timestamp is in the past");
    case NET_RESULT_FULL:
        return rpc_fail(call, RPC_CLIENT_NODE_CAPACITY_REACHED,
                        "Error: The ban list is full: remove some, or ban whole subnets");
    case NET_RESULT_UNKNOWN:
        return rpc_fail(call, RPC_CLIENT_INVALID_IP_OR_SUBNET,
                        "Error: Unban failed. Requested address/subnet was not previously "
                        "manually banned.");
    case NET_RESULT_OK:
        break;
    }
    ASSERT(!"a result of a failed ban");
    return RPC_DONE;
}

enum rpc_progress rpc_setban(struct rpc_call *call)
{
    const char *subnet = rpc_arg_string(call, 0, ""), *command = rpc_arg_string(call, 1, "");
    bool is_add = strcmp(command, "add") == 0;
    if (!is_add && strcmp(command, "remove") != 0)
        return net_json_fail_with_help(call);
    const struct net_view *net = require_bans(call);
    int64_t seconds = 0;
    if (!net || (is_add && !rpc_arg_int64(call, 2, &seconds)))
        return RPC_DONE;
    enum net_result result =
        is_add ? net->ban(net->bans, subnet, seconds, rpc_arg_bool(call, 3, false))
               : net->unban(net->bans, subnet);
    return result == NET_RESULT_OK ? save(call, net) : fail(call, result);
}

enum rpc_progress rpc_clearbanned(struct rpc_call *call)
{
    const struct net_view *net = require_bans(call);
    if (!net)
        return RPC_DONE;
    net->clear_bans(net->bans);
    return save(call, net);
}
