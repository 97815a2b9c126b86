/* node_net.c - the mesh in the form that the RPC methods look at. */
#include "node/node_net.h"

#include <stdlib.h>
#include <strings.h>

#include "util/alloc.h"

#define PERMISSIONS_MAX 32 /* bits of a mask */

struct node_net {
    struct p2p *p2p;
    struct node_bans *bans;
    const struct mempool *mempool;
    struct rpc_net view;
};

/* The networks in the order that Core lists them in. We dial the first two; addresses of the
 * others are only passed on. */
static const struct {
    const char *name;
    uint8_t network;
    bool is_reachable;
} networks[] = {
    {"ipv4", NET_IPV4, true}, {"ipv6", NET_IPV6, true},    {"onion", NET_TORV3, false},
    {"i2p", NET_I2P, false},  {"cjdns", NET_CJDNS, false},
};

/* -- Peers ---------------------------------------------------------------------------------- */

/* Spec: Core ConnectionTypeAsString() */
static const char *class_name(enum peer_class class)
{
    switch (class) {
    case PEER_INBOUND:
        return "inbound";
    case PEER_FULL:
        return "outbound-full-relay";
    case PEER_BLOCK_ONLY:
        return "block-relay-only";
    case PEER_FEELER:
        return "feeler";
    case PEER_ADDR_FETCH:
        return "addr-fetch";
    case PEER_MANUAL:
        return "manual";
    case PEER_CLASS_COUNT:
        break;
    }
    ASSERT(!"a class of peers");
    return "";
}

static int compare_messages(const void *a, const void *b)
{
    const struct rpc_message_bytes *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Sorted by name, as RPC shows them. Returns: info->n_per_message of them, freed with xfree() */
static struct rpc_message_bytes *convert_messages(const struct p2p_peer_info *info)
{
    struct rpc_message_bytes *out = xcalloc(info->n_per_message + 1, sizeof *out);
    for (size_t i = 0; i < info->n_per_message; i++) {
        const struct p2p_message_bytes *message = &info->per_message[i];
        out[i] = (struct rpc_message_bytes){message->name, message->sent, message->received};
    }
    qsort(out, info->n_per_message, sizeof *out, compare_messages);
    return out;
}

/* The fields that are there in both under one name, or nearly so. */
static struct rpc_peer_info convert_peer(const struct p2p_peer_info *info)
{
    return (struct rpc_peer_info){
        .id = info->id,
        .address = info->address_text,
        .network = info->network,
        .services = info->services,
        .relays_txs = info->relays_txs,
        .last_inv_sequence = info->last_tx_sequence,
        .n_inv_to_send = info->n_tx_to_send,
        .last_send_s = info->last_send_s,
        .last_recv_s = info->last_recv_s,
        .last_tx_s = info->last_tx_s,
        .last_block_s = info->last_block_s,
        .connected_s = info->connected_s,
        .bytes_sent = info->bytes_sent,
        .bytes_received = info->bytes_received,
        .time_offset_s = info->time_offset_s,
        .ping_us = info->ping_us,
        .min_ping_us = info->min_ping_us,
        .ping_wait_us = info->ping_wait_us,
        .version = info->version,
        .user_agent = span_of_string(info->user_agent ? info->user_agent : ""),
        .is_inbound = info->class == PEER_INBOUND,
        .is_high_bandwidth_to = info->is_high_bandwidth_to,
        .is_high_bandwidth_from = info->is_high_bandwidth_from,
        .start_height = info->start_height,
        .presynced_headers = info->presynced_headers,
        .synced_headers = info->synced_headers,
        .synced_blocks = info->synced_blocks,
        .in_flight = info->in_flight,
        .n_in_flight = info->n_in_flight,
        .is_addr_relay = info->is_addr_relay,
        .addr_processed = info->addr_processed,
        .addr_rate_limited = info->addr_rate_limited,
        .fee_filter_sat_per_kvb = info->fee_filter_sat_per_kvb,
        .connection_type = class_name(info->class),
        .transport = "v1",
        .session_id = "",
    };
}

/* Convert a peer and call one of both. */
static void show_peer(const struct p2p_peer_info *info, rpc_peer_fn *fn, rpc_added_fn *added_fn,
                      const char *added, void *arg)
{
    struct rpc_peer_info peer = convert_peer(info);
    char bind[NET_ADDRESS_TEXT_MAX], local[NET_ADDRESS_TEXT_MAX];
    const char *permissions[PERMISSIONS_MAX];
    struct rpc_message_bytes *messages = convert_messages(info);
    unsigned bits = info->permissions;
    const char *name;
    while ((name = permissions_next_name(&bits)))
        permissions[peer.n_permissions++] = name;
    peer.permissions = permissions;
    peer.per_message = messages;
    peer.n_per_message = info->n_per_message;
    if (info->address_bind.network != NET_NONE)
        peer.address_bind = net_address_format(&info->address_bind, bind);
    if (info->address_local.network != NET_NONE)
        peer.address_local = net_address_format(&info->address_local, local);
    if (fn)
        fn(arg, &peer);
    else
        added_fn(arg, added, &peer);
    xfree(messages);
}

/* A callback of RPC on its way through p2p. */
struct relay {
    rpc_peer_fn *peer_fn;
    rpc_added_fn *added_fn;
    rpc_orphan_fn *orphan_fn;
    void *arg;
};

static void on_peer(void *arg, const struct p2p_peer_info *info)
{
    const struct relay *relay = arg;
    show_peer(info, relay->peer_fn, NULL, NULL, relay->arg);
}

static void each_peer(void *ctx, rpc_peer_fn *fn, void *arg)
{
    struct node_net *net = ctx;
    struct relay relay = {.peer_fn = fn, .arg = arg};
    p2p_each_peer(net->p2p, on_peer, &relay);
}

static void on_added(void *arg, const char *address, const struct p2p_peer_info *info)
{
    const struct relay *relay = arg;
    if (info)
        show_peer(info, NULL, relay->added_fn, address, relay->arg);
    else
        relay->added_fn(relay->arg, address, NULL);
}

static void each_added(void *ctx, rpc_added_fn *fn, void *arg)
{
    struct node_net *net = ctx;
    struct relay relay = {.added_fn = fn, .arg = arg};
    p2p_each_added(net->p2p, on_added, &relay);
}

static void on_orphan(void *arg, const struct p2p_orphan_info *info)
{
    const struct relay *relay = arg;
    const struct rpc_orphan orphan = {.txid = info->txid,
                                      .wtxid = info->wtxid,
                                      .raw = info->raw,
                                      .weight_wu = info->weight_wu,
                                      .peers = info->peers,
                                      .n_peers = info->n_peers};
    relay->orphan_fn(relay->arg, &orphan);
}

static void each_orphan(void *ctx, rpc_orphan_fn *fn, void *arg)
{
    struct node_net *net = ctx;
    struct relay relay = {.orphan_fn = fn, .arg = arg};
    p2p_each_orphan(net->p2p, on_orphan, &relay);
}

/* -- The whole ------------------------------------------------------------------------------ */

/* Our addresses as text. Returns: n of them in an allocation that holds the texts too */
static struct rpc_local_address *convert_local(const struct net_address *local, size_t n)
{
    size_t size = sizeof(struct rpc_local_address) + NET_ADDRESS_TEXT_MAX;
    struct rpc_local_address *out = xcalloc(n + 1, size);
    char *texts = (char *)(out + n);
    for (size_t i = 0; i < n; i++)
        out[i] = (struct rpc_local_address){
            .host = net_address_format_host(&local[i], texts + i * NET_ADDRESS_TEXT_MAX),
            .port = local[i].port,
            .score = 1,
        };
    return out;
}

static void info(void *ctx, rpc_net_info_fn *fn, void *arg)
{
    struct node_net *net = ctx;
    struct rpc_network_state states[COUNT_OF(networks)];
    struct p2p_info have;
    p2p_info(net->p2p, &have);
    for (size_t i = 0; i < COUNT_OF(networks); i++)
        states[i] = (struct rpc_network_state){.name = networks[i].name,
                                               .is_limited = !networks[i].is_reachable,
                                               .is_reachable = networks[i].is_reachable,
                                               .proxy = ""};
    struct rpc_local_address *local = convert_local(have.local, have.n_local);
    struct rpc_net_info shown = {
        .user_agent = have.user_agent,
        .protocol_version = WIRE_PROTOCOL_VERSION,
        .local_services = have.local_services,
        .is_active = have.is_active,
        .relays_txs = have.relays_txs,
        .n_in = have.n_in,
        .n_out = have.n_out,
        .time_offset_s = have.time_offset_s,
        .bytes_received = have.bytes_received,
        .bytes_sent = have.bytes_sent,
        .upload = {.target_bytes = have.upload.target_bytes,
                   .is_reached = have.upload.is_reached,
                   .serves_historical = have.upload.serves_historical,
                   .bytes_left = have.upload.bytes_left,
                   .time_left_s = have.upload.time_left_s},
        .networks = states,
        .n_networks = COUNT_OF(states),
        .local = local,
        .n_local = have.n_local,
    };
    if (net->mempool) {
        const struct mempool_options *options = mempool_options_of(net->mempool);
        shown.min_relay_sat_per_kvb = options->min_relay_sat_per_kvb;
        shown.incremental_sat_per_kvb = options->incremental_sat_per_kvb;
    }
    fn(arg, &shown);
    xfree(local);
}

/* -- Addresses ------------------------------------------------------------------------------ */

static bool find_network(const char *name, uint8_t *network)
{
    for (size_t i = 0; i < COUNT_OF(networks); i++) {
        if (strcasecmp(networks[i].name, name) == 0) {
            *network = networks[i].network;
            return true;
        }
    }
    return false;
}

static bool addresses(void *ctx, size_t max, const char *network, rpc_node_address_fn *fn,
                      void *arg)
{
    struct node_net *net = ctx;
    uint8_t wanted = NET_NONE;
    if (network && !find_network(network, &wanted))
        return false;
    struct net_peer_address *list;
    size_t n = p2p_sample_addresses(net->p2p, max, 0, wanted, &list);
    for (size_t i = 0; i < n; i++) {
        char host[NET_ADDRESS_TEXT_MAX];
        const struct rpc_node_address address = {
            .time_s = list[i].time,
            .services = list[i].services,
            .host = net_address_format_host(&list[i].at, host),
            .network = net_address_network_name(&list[i].at),
            .port = list[i].at.port,
        };
        fn(arg, &address);
    }
    xfree(list);
    return true;
}

static void addrman(void *ctx, rpc_addrman_fn *fn, void *arg)
{
    struct node_net *net = ctx;
    const struct address_book *book = p2p_address_book(net->p2p);
    for (size_t i = 0; i <= COUNT_OF(networks); i++) {
        bool is_sum = i == COUNT_OF(networks);
        uint8_t network = is_sum ? NET_NONE : networks[i].network;
        const struct rpc_addrman_count count = {
            .name = is_sum ? NULL : networks[i].name,
            .n_new = address_book_count_of(book, network, false),
            .n_tried = address_book_count_of(book, network, true),
        };
        fn(arg, &count);
    }
}

/* -- Orders --------------------------------------------------------------------------------- */

static enum rpc_net_result convert_result(enum p2p_result result)
{
    switch (result) {
    case P2P_OK:
        return RPC_NET_OK;
    case P2P_UNKNOWN:
        return RPC_NET_UNKNOWN;
    case P2P_EXISTS:
        return RPC_NET_EXISTS;
    case P2P_BAD_ADDRESS:
        return RPC_NET_BAD_ADDRESS;
    case P2P_FULL_LIST:
        return RPC_NET_FULL;
    }
    ASSERT(!"a result of p2p");
    return RPC_NET_UNKNOWN;
}

static enum rpc_net_result add_node(void *ctx, const char *address)
{
    struct node_net *net = ctx;
    return convert_result(p2p_add_node(net->p2p, address));
}

static enum rpc_net_result remove_node(void *ctx, const char *address)
{
    struct node_net *net = ctx;
    return convert_result(p2p_remove_node(net->p2p, address));
}

static enum rpc_net_result try_node(void *ctx, const char *address)
{
    struct node_net *net = ctx;
    return convert_result(p2p_try_node(net->p2p, address));
}

static enum rpc_net_result open_connection(void *ctx, const char *address, const char *type)
{
    struct node_net *net = ctx;
    static const enum peer_class classes[] = {PEER_FULL, PEER_BLOCK_ONLY, PEER_FEELER,
                                              PEER_ADDR_FETCH};
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (strcmp(type, class_name(classes[i])) == 0)
            return convert_result(p2p_open_connection(net->p2p, address, classes[i]));
    return RPC_NET_UNKNOWN;
}

static enum rpc_net_result disconnect_address(void *ctx, const char *address)
{
    struct node_net *net = ctx;
    return convert_result(p2p_disconnect_address(net->p2p, address));
}

static enum rpc_net_result disconnect_id(void *ctx, uint64_t id)
{
    struct node_net *net = ctx;
    return convert_result(p2p_disconnect_id(net->p2p, id));
}

static void each_ban(void *ctx, rpc_ban_fn *fn, void *arg)
{
    const struct node_net *net = ctx;
    node_bans_each(net->bans, fn, arg);
}

static enum rpc_net_result ban(void *ctx, const char *subnet, int64_t seconds, bool is_absolute)
{
    const struct node_net *net = ctx;
    return node_bans_add(net->bans, subnet, seconds, is_absolute);
}

static enum rpc_net_result unban(void *ctx, const char *subnet)
{
    const struct node_net *net = ctx;
    return node_bans_remove(net->bans, subnet);
}

static void clear_bans(void *ctx)
{
    const struct node_net *net = ctx;
    node_bans_clear(net->bans);
}

static void save_bans(void *ctx, rpc_saved_fn *done, void *arg)
{
    const struct node_net *net = ctx;
    node_bans_save(net->bans, done, arg);
}

static void ping_all(void *ctx)
{
    struct node_net *net = ctx;
    p2p_ping_all(net->p2p);
}

static bool set_active(void *ctx, bool is_active)
{
    struct node_net *net = ctx;
    struct p2p_info have;
    p2p_set_active(net->p2p, is_active);
    p2p_info(net->p2p, &have);
    return have.is_active;
}

static const char *get_block(void *ctx, const struct block_hash *hash, uint64_t peer)
{
    struct node_net *net = ctx;
    return p2p_get_block_from_peer(net->p2p, hash, peer);
}

/* -- Life ----------------------------------------------------------------------------------- */

struct node_net *node_net_new(struct p2p *p2p, struct node_bans *bans,
                              const struct mempool *mempool)
{
    struct node_net *net = xcalloc(1, sizeof *net);
    *net = (struct node_net){.p2p = p2p,
                             .bans = bans,
                             .mempool = mempool,
                             .view = {.ctx = net,
                                      .each_peer = each_peer,
                                      .each_added = each_added,
                                      .info = info,
                                      .addresses = addresses,
                                      .addrman = addrman,
                                      .each_orphan = each_orphan,
                                      .each_ban = each_ban,
                                      .add_node = add_node,
                                      .remove_node = remove_node,
                                      .try_node = try_node,
                                      .open_connection = open_connection,
                                      .disconnect_address = disconnect_address,
                                      .disconnect_id = disconnect_id,
                                      .ban = ban,
                                      .unban = unban,
                                      .clear_bans = clear_bans,
                                      .save_bans = save_bans,
                                      .ping_all = ping_all,
                                      .set_active = set_active,
                                      .get_block = get_block}};
    return net;
}

void node_net_free(struct node_net *net)
{
    xfree(net);
}

const struct rpc_net *node_net_view(const struct node_net *net)
{
    return &net->view;
}
