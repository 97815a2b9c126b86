/* p2p_view.c - the mesh as RPC sees and orders it.
 *
 * Called by the node's struct net_view, on the loop thread, between messages: a peer is looked up
 * anew by each call, and what is shown is copied or borrowed for the callback alone, so that one
 * which goes meanwhile is missed and not followed (hazard 43). */
#include "p2p/connect/dial.h"
#include "p2p/headers/header_presync.h"
#include "p2p/session/handshake.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/hex.h"

#define PERMISSIONS_MAX 32 /* bits of a mask */
#define IN_FLIGHT_MAX   64 /* heights that are shown */

/* -- Looking ------------------------------------------------------------------------------------
 */

/* Sorted by name: those that we do not know come first. */
static size_t traffic(const struct peer *peer, struct net_message_bytes *out)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(peer->per_message); i++) {
        const struct net_message_bytes *row = &peer->per_message[i == 0 ? MESSAGES_COUNT : i - 1];
        if (row->sent || row->received)
            out[n++] = *row;
    }
    return n;
}

/* The height of the last block that both have. */
static int32_t common_height(const struct p2p *p2p, const struct peer *peer)
{
    const struct block_node *best = peer->headers.best_known;
    return best ? block_node_fork(chain_tip(p2p->chain), best)->height : -1;
}

/* A peer as it is shown, with what that points to. */
struct shown {
    struct net_peer_info info;
    char bind[NET_ADDRESS_TEXT_MAX], local[NET_ADDRESS_TEXT_MAX];
    char session_id[2 * V2_SESSION_BYTES + 1]; /* "" without */
    const char *permissions[PERMISSIONS_MAX];
    int32_t in_flight[IN_FLIGHT_MAX];
    struct net_message_bytes per_message[MESSAGES_COUNT + 1];
};

static void show_lists(const struct p2p *p2p, const struct peer *peer, struct shown *out)
{
    struct net_peer_info *info = &out->info;
    unsigned bits = peer->permissions;
    const char *name;
    while ((name = permissions_next_name(&bits)))
        out->permissions[info->n_permissions++] = name;
    info->permissions = out->permissions;
    info->n_in_flight = block_fetch_heights(p2p, peer, out->in_flight, IN_FLIGHT_MAX);
    info->in_flight = out->in_flight;
    info->n_per_message = traffic(peer, out->per_message);
    info->per_message = out->per_message;
    struct net_address bind = peer_own_end(p2p, peer);
    if (bind.network != NET_NONE)
        info->address_bind = net_address_format(&bind, out->bind);
    if (net_address_is_valid(&peer->version.receiver))
        info->address_local = net_address_format(&peer->version.receiver, out->local);
}

static const struct net_peer_info *show_peer(const struct p2p *p2p, const struct peer *peer,
                                             struct shown *out)
{
    const struct peer_headers *headers = &peer->headers;
    out->info = (struct net_peer_info){
        .id = peer_shown(peer->id),
        .is_ready = peer->state == PEER_READY,
        .address = peer->text,
        .network = peer->is_inbound_onion ? "onion" : net_address_network_name(&peer->address),
        .asn = net_grouping_asn(&p2p->grouping, &peer->address),
        .services = peer->version.services,
        .relays_txs = peer->relay.tells_txs,
        .last_inv_sequence = peer->relay.told_sequence,
        .n_inv_to_send = peer->relay.queue.n,
        .last_send_s = peer->last_send_s,
        .last_recv_s = peer->last_recv_s,
        .last_tx_s = peer->last_tx_s,
        .last_block_s = peer->last_block_s,
        .connected_s = peer->connected_s,
        .bytes_sent = peer->bytes_sent,
        .bytes_received = peer->bytes_received,
        .time_offset_s = peer->time_offset_s,
        .ping_us = peer->score.ping_us,
        .min_ping_us = peer->score.min_ping_us,
        .ping_wait_us = peer->ping_nonce ? p2p_now_us(p2p) - peer->ping_us : -1,
        .version = peer->version.version,
        .user_agent = span_of_string(peer->version.user_agent),
        .is_inbound = peer->class == PEER_INBOUND,
        .start_height = peer->version.version ? peer->version.start_height : -1,
        .presynced_headers = headers->presync ? presync_height(headers->presync) : -1,
        .synced_headers = headers->best_known ? headers->best_known->height : -1,
        .synced_blocks = common_height(p2p, peer),
        .is_high_bandwidth_to = compact_peers_is_high(p2p, peer),
        .is_high_bandwidth_from = peer->wants_compact,
        .is_addr_relay = peer->addr.is_on,
        .addr_processed = peer->addr.processed,
        .addr_rate_limited = peer->addr.rate_limited,
        .fee_filter_sat_per_kvb = peer->fee_filter_sat_per_kvb,
        .connection_type = peer_class_name(peer->class),
        .transport = transport_name(&peer->transport),
        .session_id = out->session_id,
    };
    out->session_id[0] = '\0';
    if (strcmp(out->info.transport, "v2") == 0)
        hex_encode(out->session_id, span_of(v2_session_id(peer->transport.v2), V2_SESSION_BYTES));
    show_lists(p2p, peer, out);
    return &out->info;
}

void p2p_each_peer(void *ctx, net_peer_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    struct peer *next;
    p2p_enter(p2p);
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        struct shown shown;
        next = peer->next;
        if (peer->state != PEER_GONE && peer->state != PEER_CONNECTING)
            fn(arg, show_peer(p2p, peer, &shown));
    }
    p2p_leave(p2p);
}

void p2p_each_message(const struct p2p *p2p, p2p_message_fn *fn, void *arg)
{
    ASSERT(p2p && fn);
    uint64_t received[MESSAGES_COUNT + 1];
    memcpy(received, p2p->gone_received, sizeof received);
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        for (size_t i = 0; i < COUNT_OF(received); i++)
            received[i] += peer->per_message[i].received;
    for (size_t i = 0; i < COUNT_OF(received); i++)
        if (received[i] > 0)
            fn(arg, i < MESSAGES_COUNT ? p2p->messages[i].name : "*other*", received[i]);
}

static struct net_upload_info show_upload(const struct p2p *p2p)
{
    const struct upload *upload = &p2p->upload;
    int64_t now_s = p2p_now_s(p2p);
    return (struct net_upload_info){
        .target_bytes = upload->target_bytes,
        .is_reached = upload_is_reached(upload),
        .serves_historical = upload_serves_historical(upload, now_s),
        .bytes_left = upload_bytes_left(upload),
        .time_left_s = upload_time_left_s(upload, now_s),
    };
}

void p2p_info(const struct p2p *p2p, struct p2p_info *info)
{
    *info = (struct p2p_info){
        .user_agent = p2p->options.user_agent,
        .local_services = p2p_local_services(p2p),
        .is_active = p2p->is_active,
        .is_private = p2p->options.private_broadcast,
        .relays_txs = p2p->mempool && !p2p->options.blocks_only,
        .time_offset_s = handshake_time_offset_s(p2p),
        .bytes_received = p2p->bytes_received,
        .bytes_sent = p2p->bytes_sent,
        .port = p2p->options.port,
        .local = &p2p->local,
        .upload = show_upload(p2p),
    };
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state == PEER_CONNECTING)
            continue;
        info->n_in += !peer_is_outbound(peer);
        info->n_out += peer_is_outbound(peer);
    }
}

void p2p_network_info(const struct p2p *p2p, enum net_network network,
                      struct p2p_network_info *info)
{
    ASSERT(network <= NET_CJDNS);
    const struct reach_proxy *proxy = &p2p->reach.by_network[network];
    *info =
        (struct p2p_network_info){.is_reachable = reach_has_network(&p2p->reach, (uint8_t)network),
                                  .randomizes_credentials = proxy->randomizes};
    reach_format_proxy(proxy, info->proxy, sizeof info->proxy);
}

uint32_t p2p_asn(const struct p2p *p2p, const struct net_address *address)
{
    return net_grouping_asn(&p2p->grouping, address);
}

struct address_book *p2p_address_book(struct p2p *p2p)
{
    return p2p->book;
}

void p2p_each_orphan(void *ctx, net_orphan_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    LIST_EACH (struct orphan, orphan, &p2p->txs.orphans.all, link) {
        uint64_t *peers = xmalloc(orphan->claims.count * sizeof *peers);
        size_t n_peers = 0;
        LIST_EACH (struct orphan_claim, claim, &orphan->claims, of_orphan)
            peers[n_peers++] = peer_shown(claim->peer->id);
        const struct net_orphan info = {.txid = &orphan->txid,
                                        .wtxid = &orphan->wtxid,
                                        .raw = span_of(orphan->raw, orphan->raw_len),
                                        .weight_wu = orphan->weight_wu,
                                        .peers = peers,
                                        .n_peers = n_peers};
        fn(arg, &info);
        xfree(peers);
    }
}

/* -- Orders -------------------------------------------------------------------------------------
 */

static size_t count_named(const struct p2p *p2p, enum named_purpose purpose)
{
    size_t n = 0;
    for (size_t i = 0; i < p2p->named.n; i++)
        n += p2p->named.at[i]->purpose == purpose;
    return n;
}

static bool can_be_named(const char *text)
{
    return text[0] != '\0' && strlen(text) <= NAMED_TEXT_MAX;
}

enum net_result p2p_add_node(void *ctx, const char *text, bool use_v2)
{
    struct p2p *p2p = ctx;
    ASSERT(text);
    if (!can_be_named(text))
        return NET_RESULT_BAD_ADDRESS;
    if (named_node_find(p2p, text, NAMED_ADDED))
        return NET_RESULT_EXISTS;
    if (count_named(p2p, NAMED_ADDED) >= P2P_MANUAL_MAX)
        return NET_RESULT_FULL;
    named_node_add(p2p, text, NAMED_ADDED)->use_v2 = use_v2;
    return NET_RESULT_OK;
}

enum net_result p2p_remove_node(void *ctx, const char *text)
{
    struct p2p *p2p = ctx;
    struct named_node *node = named_node_find(p2p, text, NAMED_ADDED);
    if (!node)
        return NET_RESULT_UNKNOWN;
    named_node_remove(p2p, node);
    return NET_RESULT_OK;
}

/* While there is no network the order counts as carried out, as in Core: nobody is told of an
 * attempt's end either way. */
static enum net_result open_once(struct p2p *p2p, const struct net_address *address,
                                 enum peer_class class, bool use_v2)
{
    if (!p2p->is_running || !p2p->is_active)
        return NET_RESULT_OK;
    p2p_enter(p2p);
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (net_address_equal(&peer->address, address)) {
            p2p_leave(p2p);
            return NET_RESULT_EXISTS;
        }
    (void)dial(p2p, address, class, use_v2);
    p2p_schedule_now(p2p);
    p2p_leave(p2p);
    return NET_RESULT_OK;
}

enum net_result p2p_try_node(void *ctx, const char *text, bool use_v2)
{
    struct p2p *p2p = ctx;
    struct net_address address;
    if (!can_be_named(text))
        return NET_RESULT_BAD_ADDRESS;
    if (reach_parse(&p2p->reach, text, p2p->network->p2p_port, &address))
        return open_once(p2p, &address, PEER_MANUAL, use_v2);
    if (count_named(p2p, NAMED_ONCE) >= P2P_ONCE_MAX)
        return NET_RESULT_FULL;
    if (p2p->is_running && p2p->is_active)
        named_node_add(p2p, text, NAMED_ONCE)->use_v2 = use_v2;
    return NET_RESULT_OK;
}

enum net_result p2p_open_connection(void *ctx, const char *text, const char *type, bool use_v2)
{
    struct p2p *p2p = ctx;
    static const size_t most[PEER_CLASS_COUNT] = {[PEER_FULL] = P2P_FULL_OUTBOUND,
                                                  [PEER_BLOCK_ONLY] = P2P_BLOCK_ONLY_OUTBOUND,
                                                  [PEER_FEELER] = 1,
                                                  [PEER_ADDR_FETCH] = P2P_ONCE_MAX};
    enum peer_class class = 0;
    struct net_address address;
    size_t n = 0;
    while (class < PEER_CLASS_COUNT &&
           (most[class] == 0 || strcmp(type, peer_class_name(class)) != 0))
        class ++;
    if (class == PEER_CLASS_COUNT)
        return NET_RESULT_UNKNOWN;
    if (!reach_parse(&p2p->reach, text, p2p->network->p2p_port, &address))
        return NET_RESULT_BAD_ADDRESS;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        n += peer->class == class;
    return n >= most[class] ? NET_RESULT_FULL : open_once(p2p, &address, class, use_v2);
}

bool p2p_is_dialling(void *ctx, const char *text)
{
    const struct p2p *p2p = ctx;
    struct net_address address;
    if (!reach_parse(&p2p->reach, text, p2p->network->p2p_port, &address))
        return false;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->state == PEER_CONNECTING && net_address_equal(&peer->address, &address))
            return true;
    return false;
}

struct net_address p2p_flip_address(const struct p2p *p2p, const struct net_address *address)
{
    ASSERT(p2p && address);
    return reach_flip(&p2p->reach, address);
}

void p2p_each_added(void *ctx, net_added_fn *fn, void *arg)
{
    struct p2p *p2p = ctx;
    for (size_t i = 0; i < p2p->named.n; i++) {
        const struct named_node *node = p2p->named.at[i];
        struct shown shown;
        if (node->purpose != NAMED_ADDED)
            continue;
        const struct peer *peer = named_node_peer(node);
        fn(arg, node->text, peer ? show_peer(p2p, peer, &shown) : NULL);
    }
}

/* The peer's address is so, or the user has named it so. */
static bool is_called(const struct p2p *p2p, const struct peer *peer, const char *text)
{
    bool is_so = strcmp(peer->text, text) == 0;
    for (size_t i = 0; i < p2p->named.n && !is_so; i++)
        is_so = p2p->named.at[i]->peer == peer->id && strcmp(p2p->named.at[i]->text, text) == 0;
    return is_so;
}

enum net_result p2p_disconnect_address(void *ctx, const char *text)
{
    struct p2p *p2p = ctx;
    enum net_result result = NET_RESULT_UNKNOWN;
    struct peer *next;
    p2p_enter(p2p);
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        if (peer->state == PEER_GONE || !is_called(p2p, peer, text))
            continue;
        peer_drop(p2p, peer, "the user said so");
        result = NET_RESULT_OK;
    }
    p2p_leave(p2p);
    return result;
}

enum net_result p2p_disconnect_id(void *ctx, uint64_t id)
{
    struct p2p *p2p = ctx;
    struct peer *peer = p2p_find_peer(p2p, peer_meant(id));
    if (!peer)
        return NET_RESULT_UNKNOWN;
    p2p_enter(p2p);
    peer_drop(p2p, peer, "the user said so");
    p2p_leave(p2p);
    return NET_RESULT_OK;
}

enum net_result p2p_send_message(void *ctx, uint64_t id, const char *name, struct span payload)
{
    struct p2p *p2p = ctx;
    struct peer *peer = p2p_find_peer(p2p, peer_meant(id));
    ASSERT(strlen(name) <= 12 && payload.len <= FRAME_PAYLOAD_MAX);
    if (!peer || peer->state != PEER_READY)
        return NET_RESULT_UNKNOWN;
    const struct message *message = message_find(p2p->messages, name);
    p2p_enter(p2p);
    capture_message(p2p->capture, peer->text, false, name, payload);
    size_t n = transport_send(&peer->transport, name, payload);
    peer->per_message[message ? (size_t)(message - p2p->messages) : MESSAGES_COUNT].sent += n;
    peer_count_sent(p2p, peer, n);
    p2p_leave(p2p);
    return NET_RESULT_OK;
}

struct ban_list *p2p_bans(struct p2p *p2p)
{
    return &p2p->bans;
}

void p2p_disconnect_range(struct p2p *p2p, const struct net_range *range)
{
    struct peer *next;
    p2p_enter(p2p);
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        if (peer->state != PEER_GONE && net_range_contains(range, &peer->address))
            peer_drop(p2p, peer, "the user has banned it");
    }
    p2p_leave(p2p);
}

void p2p_ping_all(void *ctx)
{
    struct p2p *p2p = ctx;
    p2p_enter(p2p);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (!peer_is_private(peer)) /* its pong says that it has read what it was sent */
            peer_ping(p2p, peer);
    p2p_leave(p2p);
}

void p2p_set_active(struct p2p *p2p, bool is_active)
{
    if (p2p->is_active == is_active)
        return;
    p2p_enter(p2p);
    p2p->is_active = is_active;
    while (!is_active && p2p->peers)
        peer_drop(p2p, p2p->peers, "the network is switched off");
    if (is_active)
        named_nodes_wake(p2p);
    p2p_schedule_now(p2p);
    p2p_leave(p2p);
}

const char *p2p_get_block_from_peer(void *ctx, const struct block_hash *hash, uint64_t id)
{
    struct p2p *p2p = ctx;
    const struct block_node *node = chain_find(p2p->chain, hash);
    const char *error = NULL;
    ASSERT(node && !block_node_has_data(node));
    struct peer *peer = p2p_find_peer(p2p, peer_meant(id));
    if (!peer || peer->state != PEER_READY)
        return "Peer does not exist";
    if (!(peer->version.services & NODE_WITNESS))
        return "Pre-SegWit peer";
    p2p_enter(p2p);
    if (!block_fetch_force(p2p, peer, node))
        error = "Already requested from this peer";
    p2p_leave(p2p);
    return error;
}
