/* rpc_peer.c - all about each peer, and the transactions of peers that wait for others. */
#include "rpc/methods.h"
#include "rpc/net_json.h"
#include "util/hex.h"

#define US_PER_S 1e6

/* A duration in seconds. The field is left out if there is none: 0 would be the best of pings. */
static void put_duration(struct json_out *out, const char *key, int64_t us)
{
    if (us >= 0)
        json_field_double(out, key, (double)us / US_PER_S);
}

/* The peer chose this text: only what cannot harm a terminal or a parser is shown.
 * Spec: Core SanitizeString() */
static void put_user_agent(struct json_out *out, struct span text, struct arena *arena)
{
    static const char safe[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               " .,;-_/:?@()";
    char *shown = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != 0 && strchr(safe, text.p[i]))
            shown[len++] = (char)text.p[i];
    }
    json_put_key(out, "subver");
    json_put_text(out, span_of(shown, len));
}

static void put_per_message(struct json_out *out, const char *key, const struct net_peer_info *peer,
                            bool sent)
{
    ASSERT(peer->per_message || peer->n_per_message == 0);
    json_field_object(out, key);
    for (size_t i = 0; i < peer->n_per_message; i++) {
        const struct net_message_bytes *message = &peer->per_message[i];
        uint64_t bytes = sent ? message->sent : message->received;
        if (bytes > 0)
            json_field_int(out, message->name, (int64_t)bytes);
    }
    json_close_object(out);
}

/* Who it is and what it offers. */
static void put_identity(struct json_out *out, const struct net_peer_info *peer)
{
    json_field_int(out, "id", (int64_t)peer->id);
    json_field_string(out, "addr", peer->address);
    if (peer->address_bind)
        json_field_string(out, "addrbind", peer->address_bind);
    if (peer->address_local)
        json_field_string(out, "addrlocal", peer->address_local);
    json_field_string(out, "network", peer->network);
    if (peer->asn)
        json_field_int(out, "mapped_as", peer->asn);
    net_json_put_services(out, "services", "servicesnames", peer->services);
    json_field_bool(out, "relaytxes", peer->relays_txs);
    json_field_int(out, "last_inv_sequence", (int64_t)peer->last_inv_sequence);
    json_field_int(out, "inv_to_send", (int64_t)peer->n_inv_to_send);
}

static void put_traffic(struct json_out *out, const struct net_peer_info *peer)
{
    json_field_int(out, "lastsend", peer->last_send_s);
    json_field_int(out, "lastrecv", peer->last_recv_s);
    json_field_int(out, "last_transaction", peer->last_tx_s);
    json_field_int(out, "last_block", peer->last_block_s);
    json_field_int(out, "bytessent", (int64_t)peer->bytes_sent);
    json_field_int(out, "bytesrecv", (int64_t)peer->bytes_received);
    json_field_int(out, "conntime", peer->connected_s);
    json_field_int(out, "timeoffset", peer->time_offset_s);
    put_duration(out, "pingtime", peer->ping_us);
    put_duration(out, "minping", peer->min_ping_us);
    put_duration(out, "pingwait", peer->ping_wait_us);
}

/* How far it is, and what we are asking it for. */
static void put_sync(struct json_out *out, const struct net_peer_info *peer, bool with_start)
{
    ASSERT(peer->in_flight || peer->n_in_flight == 0);
    json_field_bool(out, "inbound", peer->is_inbound);
    json_field_bool(out, "bip152_hb_to", peer->is_high_bandwidth_to);
    json_field_bool(out, "bip152_hb_from", peer->is_high_bandwidth_from);
    if (with_start)
        json_field_int(out, "startingheight", peer->start_height);
    json_field_int(out, "presynced_headers", peer->presynced_headers);
    json_field_int(out, "synced_headers", peer->synced_headers);
    json_field_int(out, "synced_blocks", peer->synced_blocks);
    json_field_array(out, "inflight");
    for (size_t i = 0; i < peer->n_in_flight; i++)
        json_put_int(out, peer->in_flight[i]);
    json_close_array(out);
}

static void put_peer(void *arg, const struct net_peer_info *peer)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    json_open_object(out);
    ASSERT(peer->permissions || peer->n_permissions == 0);
    put_identity(out, peer);
    put_traffic(out, peer);
    json_field_int(out, "version", peer->version);
    put_user_agent(out, peer->user_agent, &call->arena);
    put_sync(out, peer, call->rpc->shows_start_height);
    json_field_bool(out, "addr_relay_enabled", peer->is_addr_relay);
    json_field_int(out, "addr_processed", (int64_t)peer->addr_processed);
    json_field_int(out, "addr_rate_limited", (int64_t)peer->addr_rate_limited);
    json_field_array(out, "permissions");
    for (size_t i = 0; i < peer->n_permissions; i++)
        json_put_string(out, peer->permissions[i]);
    json_close_array(out);
    json_field_amount(out, "minfeefilter", peer->fee_filter_sat_per_kvb);
    put_per_message(out, "bytessent_per_msg", peer, true);
    put_per_message(out, "bytesrecv_per_msg", peer, false);
    json_field_string(out, "connection_type", peer->connection_type);
    json_field_string(out, "transport_protocol_type", peer->transport);
    json_field_string(out, "session_id", peer->session_id);
    json_close_object(out);
}

enum rpc_progress rpc_getpeerinfo(struct rpc_call *call)
{
    const struct net_view *net = net_json_require(call);
    if (!net)
        return RPC_DONE;
    json_open_array(&call->out);
    net->each_peer(net->mesh, put_peer, call);
    json_close_array(&call->out);
    return RPC_DONE;
}

/* -- getorphantxs --------------------------------------------------------------------------- */

struct orphan_list {
    struct rpc_call *call;
    int32_t verbosity;
};

static void put_orphan(void *arg, const struct net_orphan *orphan)
{
    ASSERT(orphan->peers || orphan->n_peers == 0);
    const struct orphan_list *list = arg;
    struct json_out *out = &list->call->out;
    if (list->verbosity == 0) {
        json_put_id(out, orphan->txid->b);
        return;
    }
    json_open_object(out);
    json_field_id(out, "txid", orphan->txid->b);
    json_field_id(out, "wtxid", orphan->wtxid->b);
    json_field_int(out, "bytes", (int64_t)orphan->raw.len);
    json_field_int(out, "vsize", (orphan->weight_wu + WITNESS_SCALE - 1) / WITNESS_SCALE);
    json_field_int(out, "weight", orphan->weight_wu);
    json_field_array(out, "from");
    for (size_t i = 0; i < orphan->n_peers; i++)
        json_put_int(out, (int64_t)orphan->peers[i]);
    json_close_array(out);
    if (list->verbosity == 2)
        json_field_hex(out, "hex", orphan->raw);
    json_close_object(out);
}

enum rpc_progress rpc_getorphantxs(struct rpc_call *call)
{
    struct orphan_list list = {.call = call};
    const struct net_view *net = net_json_require(call);
    if (!net || !rpc_arg_verbosity(call, 0, false, &list.verbosity))
        return RPC_DONE;
    if (list.verbosity < 0 || list.verbosity > 2)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid verbosity value %d", list.verbosity);
    json_open_array(&call->out);
    net->each_orphan(net->mesh, put_orphan, &list);
    json_close_array(&call->out);
    return RPC_DONE;
}
