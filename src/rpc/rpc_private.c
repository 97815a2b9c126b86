/* rpc_private.c - our own transactions that are sent by -privatebroadcast. */
#include "rpc/methods.h"
#include "rpc/net_json.h"

static void put_ids(struct json_out *out, const struct net_private_tx *tx)
{
    json_field_id(out, "txid", tx->txid->b);
    json_field_id(out, "wtxid", tx->wtxid->b);
    json_field_hex(out, "hex", tx->raw);
}

static void put_tx(void *arg, const struct net_private_tx *tx)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    ASSERT(tx->peers || tx->n_peers == 0);
    json_open_object(out);
    put_ids(out, tx);
    json_field_int(out, "time_added", tx->added_s);
    json_field_array(out, "peers");
    for (size_t i = 0; i < tx->n_peers; i++) {
        const struct net_private_peer *peer = &tx->peers[i];
        json_open_object(out);
        json_field_string(out, "address", peer->address);
        json_field_int(out, "sent", peer->sent_s);
        if (peer->received_s != 0)
            json_field_int(out, "received", peer->received_s);
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
}

enum rpc_progress rpc_getprivatebroadcastinfo(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (!net)
        return RPC_DONE;
    json_open_object(&call->out);
    json_field_array(&call->out, "transactions");
    net->each_private(net->mesh, put_tx, call);
    json_close_array(&call->out);
    json_close_object(&call->out);
    return RPC_DONE;
}

static void put_removed(void *arg, const struct net_private_tx *tx)
{
    struct rpc_call *call = arg;
    json_open_object(&call->out);
    put_ids(&call->out, tx);
    json_close_object(&call->out);
}

enum rpc_progress rpc_abortprivatebroadcast(struct rpc_call *call)
{
    uint8_t id[32];
    const struct net_view *net = net_json_require(call);
    if (!net || !rpc_read_id(call, rpc_arg(call, 0), "id", id))
        return RPC_DONE;
    json_open_object(&call->out);
    json_field_array(&call->out, "removed_transactions");
    size_t n = net->abort_private(net->mesh, id, put_removed, call);
    json_close_array(&call->out);
    json_close_object(&call->out);
    if (n == 0)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                        "Transaction not in private broadcast queue. Check "
                        "getprivatebroadcastinfo.");
    return RPC_DONE;
}
