/* rpc_net.c - methods about the network: its state, orders to it. */
#include <string.h>

#include "rpc/chain_json.h"
#include "rpc/method_table.h"
#include "rpc/methods.h"
#include "rpc/net_json.h"
#include "util/hex.h"
#include "util/version.h"

enum {
    PROTOCOL_VERSION = 70017,   /* that the interface stands for while there is no network */
    UPLOAD_TIMEFRAME_S = 86400, /* of -maxuploadtarget */
    MESSAGE_TYPE_BYTES = 12,
    MESSAGE_BYTES_MAX = 4000000, /* what a peer may send another. Core */
};

/* -- The whole ---------------------------------------------------------------------------- */

static void put_networks(struct json_out *out, const struct net_info *info)
{
    ASSERT(info->networks || info->n_networks == 0);
    json_field_array(out, "networks");
    for (size_t i = 0; i < info->n_networks; i++) {
        const struct net_network_state *network = &info->networks[i];
        json_open_object(out);
        json_field_string(out, "name", network->name);
        json_field_bool(out, "limited", network->is_limited);
        json_field_bool(out, "reachable", network->is_reachable);
        json_field_string(out, "proxy", network->proxy);
        json_field_bool(out, "proxy_randomize_credentials", network->randomizes_credentials);
        json_close_object(out);
    }
    json_close_array(out);
}

static void put_local_addresses(struct json_out *out, const struct net_info *info)
{
    ASSERT(info->local || info->n_local == 0);
    json_field_array(out, "localaddresses");
    for (size_t i = 0; i < info->n_local; i++) {
        json_open_object(out);
        json_field_string(out, "address", info->local[i].host);
        json_field_int(out, "port", info->local[i].port);
        json_field_int(out, "score", info->local[i].score);
        json_close_object(out);
    }
    json_close_array(out);
}

static void put_network_info(void *arg, const struct net_info *info)
{
    ASSERT(info->user_agent);
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_int(out, "version", CAIRN_API_VERSION);
    json_field_string(out, "subversion", info->user_agent);
    json_field_int(out, "protocolversion", info->protocol_version);
    net_json_put_services(out, "localservices", "localservicesnames", info->local_services);
    json_field_bool(out, "localrelay", info->relays_txs);
    json_field_int(out, "timeoffset", info->time_offset_s);
    json_field_bool(out, "networkactive", info->is_active);
    json_field_int(out, "connections", (int64_t)(info->n_in + info->n_out));
    json_field_int(out, "connections_in", (int64_t)info->n_in);
    json_field_int(out, "connections_out", (int64_t)info->n_out);
    put_networks(out, info);
    json_field_amount(out, "relayfee", info->min_relay_sat_per_kvb);
    json_field_amount(out, "incrementalfee", info->incremental_sat_per_kvb);
    put_local_addresses(out, info);
    chain_json_put_warnings(call);
    json_close_object(out);
}

/* Without a network it answers too, with nothing in it: clients ask it for the version. */
enum rpc_progress rpc_getnetworkinfo(struct rpc_call *call)
{
    const struct net_view *net = call->rpc->node->net;
    const struct net_info nothing = {.user_agent = CAIRN_API_USER_AGENT,
                                     .protocol_version = PROTOCOL_VERSION};
    if (net)
        net->info(net->ctx, put_network_info, call);
    else
        put_network_info(call, &nothing);
    return RPC_DONE;
}

/* bytes_left_in_cycle is 0 without a target, and so is time_left_in_cycle. */
static void put_totals(void *arg, const struct net_info *info)
{
    struct rpc_call *call = arg;
    const struct rpc_node *node = call->rpc->node;
    const struct net_upload_info *upload = &info->upload;
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_int(out, "totalbytesrecv", (int64_t)info->bytes_received);
    json_field_int(out, "totalbytessent", (int64_t)info->bytes_sent);
    json_field_int(out, "timemillis", node->now_s(node->ctx) * 1000);
    json_field_object(out, "uploadtarget");
    json_field_int(out, "timeframe", UPLOAD_TIMEFRAME_S);
    json_field_int(out, "target", (int64_t)upload->target_bytes);
    json_field_bool(out, "target_reached", upload->is_reached);
    json_field_bool(out, "serve_historical_blocks", upload->serves_historical);
    json_field_int(out, "bytes_left_in_cycle", (int64_t)upload->bytes_left);
    json_field_int(out, "time_left_in_cycle", upload->time_left_s);
    json_close_object(out);
    json_close_object(out);
}

enum rpc_progress rpc_getnettotals(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (net)
        net->info(net->ctx, put_totals, call);
    return RPC_DONE;
}

static void put_connection_count(void *arg, const struct net_info *info)
{
    struct rpc_call *call = arg;
    json_put_int(&call->out, (int64_t)(info->n_in + info->n_out));
}

enum rpc_progress rpc_getconnectioncount(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (net)
        net->info(net->ctx, put_connection_count, call);
    return RPC_DONE;
}

enum rpc_progress rpc_setnetworkactive(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (net)
        json_put_bool(&call->out, net->set_active(net->ctx, rpc_arg_bool(call, 0, true)));
    return RPC_DONE;
}

enum rpc_progress rpc_ping(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (!net)
        return RPC_DONE;
    net->ping_all(net->mesh);
    json_put_null(&call->out);
    return RPC_DONE;
}

/* -- Nodes added by hand ------------------------------------------------------------------ */

static enum rpc_progress answer_added(struct rpc_call *call, enum net_result result)
{
    switch (result) {
    case NET_RESULT_OK:
        json_put_null(&call->out);
        return RPC_DONE;
    case NET_RESULT_UNKNOWN:
        return rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED,
                        "Error: Node could not be removed. It has not been added previously.");
    case NET_RESULT_EXISTS:
        return rpc_fail(call, RPC_CLIENT_NODE_ALREADY_ADDED, "Error: Node already added");
    case NET_RESULT_BAD_ADDRESS:
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Error: Invalid address: it is empty or longer than a name can be");
    case NET_RESULT_FULL:
        return rpc_fail(call, RPC_CLIENT_NODE_CAPACITY_REACHED,
                        "Error: Already at capacity for specified connection type.");
    case NET_RESULT_IN_PAST:
        break;
    }
    ASSERT(!"a result of orders about nodes");
    return RPC_DONE;
}

enum rpc_progress rpc_addnode(struct rpc_call *call)
{
    const char *node = rpc_arg_string(call, 0, ""), *command = rpc_arg_string(call, 1, "");
    bool is_add = strcmp(command, "add") == 0, is_remove = strcmp(command, "remove") == 0;
    if (!is_add && !is_remove && strcmp(command, "onetry") != 0)
        return net_json_fail_with_help(call);
    const struct net_view *net = net_json_require(call);
    if (!net)
        return RPC_DONE;
    bool use_v2 = rpc_arg_bool(call, 2, net->has_v2);
    if (use_v2 && !net->has_v2)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Error: v2transport requested but not enabled (see -v2transport)");
    if (is_add)
        return answer_added(call, net->add_node(net->mesh, node, use_v2));
    if (is_remove)
        return answer_added(call, net->remove_node(net->mesh, node));
    /* A node that is connected already is no error: it was to be tried. */
    enum net_result result = net->try_node(net->mesh, node, use_v2);
    return answer_added(call, result == NET_RESULT_EXISTS ? NET_RESULT_OK : result);
}

#define DIAL_LOOK_MS 5

static void put_connection(struct rpc_call *call)
{
    json_open_object(&call->out);
    json_field_string(&call->out, "address", rpc_arg_string(call, 0, ""));
    json_field_string(&call->out, "connection_type", rpc_arg_string(call, 1, ""));
    json_close_object(&call->out);
}

static void end_dial(struct rpc_call *call)
{
    put_connection(call);
    rpc_finish(call);
}

static void look_at_dial(void *arg)
{
    struct rpc_call *call = arg;
    const struct net_view *net = call->rpc->node->net;
    call->timer = 0;
    if (net->is_dialling(net->mesh, rpc_arg_string(call, 0, "")))
        rpc_call_timer(call, DIAL_LOOK_MS, look_at_dial);
    else
        end_dial(call);
}

/* Answered, as by Core, when the connection stands or could not be made. */
enum rpc_progress rpc_addconnection(struct rpc_call *call)
{
    const char *address = rpc_arg_string(call, 0, ""), *type = rpc_arg_string(call, 1, "");
    if (!call->rpc->node->network->mine_blocks_on_demand)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "addconnection is for regression testing (-regtest mode) only.");
    const struct net_view *net = net_json_require(call);
    if (!net)
        return RPC_DONE;
    bool use_v2 = rpc_arg_bool(call, 2, false);
    if (use_v2 && !net->has_v2)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Error: Adding v2transport connections requires -v2transport init flag to "
                        "be set.");
    enum net_result result = net->open_connection(net->mesh, address, type, use_v2);
    if (result == NET_RESULT_UNKNOWN)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Error: Invalid connection type: outbound-full-relay, block-relay-only, "
                        "feeler or addr-fetch");
    if (result != NET_RESULT_OK)
        return answer_added(call, result);
    if (!net->is_dialling(net->mesh, address)) {
        put_connection(call);
        return RPC_DONE;
    }
    call->on_interrupt = end_dial;
    rpc_call_timer(call, DIAL_LOOK_MS, look_at_dial);
    return RPC_PENDING;
}

/* For tests: what no node says by itself. */
enum rpc_progress rpc_sendmsgtopeer(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    const char *name = rpc_arg_string(call, 1, "");
    int64_t peer = -1;
    if (!net || !rpc_arg_int64(call, 0, &peer))
        return RPC_DONE;
    if (strlen(name) > MESSAGE_TYPE_BYTES)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Error: msg_type too long, max length is %d",
                        MESSAGE_TYPE_BYTES);
    const char *hex = rpc_arg_string(call, 2, "");
    size_t len = strlen(hex);
    uint8_t *bytes = arena_alloc(&call->arena, len / 2 + 1);
    if (!hex_decode(bytes, len / 2, hex, len))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Error parsing input for msg");
    if (peer < 0 || len / 2 > MESSAGE_BYTES_MAX ||
        net->send_message(net->mesh, (uint64_t)peer, name, span_of(bytes, len / 2)) !=
            NET_RESULT_OK)
        return rpc_fail(call, RPC_MISC_ERROR, "Error: Could not send message to peer");
    json_open_object(&call->out);
    json_close_object(&call->out);
    return RPC_DONE;
}

/* A list of added nodes being written. */
struct added_list {
    struct rpc_call *call;
    const char *only; /* NULL: all */
    size_t n;
};

static void put_added(void *arg, const char *address, const struct net_peer_info *peer)
{
    ASSERT(address);
    struct added_list *list = arg;
    struct json_out *out = &list->call->out;
    if (list->only && strcmp(list->only, address) != 0)
        return;
    list->n++;
    json_open_object(out);
    json_field_string(out, "addednode", address);
    json_field_bool(out, "connected", peer != NULL);
    json_field_array(out, "addresses");
    if (peer) {
        json_open_object(out);
        json_field_string(out, "address", peer->address);
        json_field_string(out, "connected", peer->is_inbound ? "inbound" : "outbound");
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
}

enum rpc_progress rpc_getaddednodeinfo(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (!net)
        return RPC_DONE;
    struct added_list list = {.call = call, .only = rpc_arg_string(call, 0, NULL)};
    json_open_array(&call->out);
    net->each_added(net->mesh, put_added, &list);
    json_close_array(&call->out);
    if (list.only && list.n == 0)
        return rpc_fail(call, RPC_CLIENT_NODE_NOT_ADDED, "Error: Node has not been added.");
    return RPC_DONE;
}

enum rpc_progress rpc_disconnectnode(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    const char *address = rpc_arg_string(call, 0, NULL);
    bool has_id = rpc_arg(call, 1) != NULL;
    int64_t id = -1;
    enum net_result result = NET_RESULT_UNKNOWN;
    if (!net)
        return RPC_DONE;
    if (has_id ? address && *address : !address)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "Only one of address and nodeid should be provided.");
    if (!rpc_arg_int64(call, 1, &id))
        return RPC_DONE;
    if (!has_id)
        result = net->disconnect_address(net->mesh, address);
    else if (id >= 0)
        result = net->disconnect_id(net->mesh, (uint64_t)id);
    if (result != NET_RESULT_OK)
        return rpc_fail(call, RPC_CLIENT_NODE_NOT_CONNECTED, "Node not found in connected nodes");
    json_put_null(&call->out);
    return RPC_DONE;
}

/* -- Blocks ------------------------------------------------------------------------------- */

enum rpc_progress rpc_getblockfrompeer(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    const struct chain *chain = call->rpc->node->chain;
    struct block_hash hash;
    int64_t peer = -1;
    if (!net || !rpc_read_id(call, rpc_arg(call, 0), "blockhash", hash.b) ||
        !rpc_arg_int64(call, 1, &peer))
        return RPC_DONE;
    const struct block_node *block = chain_find(chain, &hash);
    if (!block)
        return rpc_fail(call, RPC_MISC_ERROR, "Block header missing");
    /* A file with a block from far ahead in it could not be pruned for long. */
    if (chain_is_pruned(chain) && block->height > chain_tip(chain)->height)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "In prune mode, only blocks that the node has already synced previously "
                        "can be fetched from a peer");
    if (block_node_has_data(block))
        return rpc_fail(call, RPC_MISC_ERROR, "Block already downloaded");
    const char *error =
        peer < 0 ? "Peer does not exist" : net->get_block(net->mesh, &hash, (uint64_t)peer);
    if (error)
        return rpc_fail(call, RPC_MISC_ERROR, "%s", error);
    json_open_object(&call->out);
    json_close_object(&call->out);
    return RPC_DONE;
}
