/* connect.c - see connect.h. */
#include "p2p/connect/connect.h"

#include "p2p/connect/choose.h"
#include "p2p/connect/dial.h"
#include "p2p/connect/evict.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

#define FEELERS 1

/* -- Beginning ----------------------------------------------------------------------------------
 */

void connect_init(struct p2p *p2p)
{
    int64_t now_us = p2p_now_us(p2p);
    struct net_peer_address anchors[CONNECT_ANCHORS_MAX];
    struct connect *connect = &p2p->connect;
    size_t n = 0;
    bool has_anchors = !p2p->options.connect_only; /* else all are the user's choice */
    if (has_anchors && !PLANTED(p2p->env, ANCHORS_FORGOTTEN))
        n = address_files_take_anchors(&p2p->files, anchors, CONNECT_ANCHORS_MAX);
    for (size_t i = 0; i < n; i++)
        if (reach_may_dial(&p2p->reach, &anchors[i].at))
            connect->anchors[connect->n_anchors++] = anchors[i];
    connect->next_feeler_us = now_us + p2p_random_wait_us(p2p, CONNECT_FEELER_US);
    connect->next_extra_us = now_us + p2p_random_wait_us(p2p, CONNECT_EXTRA_US);
}

void connect_save(struct p2p *p2p)
{
    struct net_peer_address anchors[CONNECT_ANCHORS_MAX];
    size_t n = 0;
    for (struct peer *peer = p2p->peers; peer && n < CONNECT_ANCHORS_MAX; peer = peer->next) {
        if (peer->state == PEER_CONNECTING || peer->class != PEER_BLOCK_ONLY)
            continue;
        anchors[n++] = (struct net_peer_address){.at = peer->address,
                                                 .services = peer->version.services,
                                                 .time = (uint32_t)p2p_now_s(p2p)};
    }
    if (!p2p->options.connect_only)
        address_files_save_anchors(&p2p->files, anchors, n);
    address_files_save(&p2p->files);
}

/* -- Coming in ----------------------------------------------------------------------------------
 */

static size_t count_class(const struct p2p *p2p, enum peer_class class)
{
    size_t n = 0;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        n += peer->class == class;
    return n;
}

static size_t inbound_max(const struct p2p *p2p)
{
    int max = p2p->options.max_connections;
    int outbound = P2P_FULL_OUTBOUND + P2P_BLOCK_ONLY_OUTBOUND + FEELERS;
    return max > outbound ? (size_t)(max - outbound) : 0;
}

static uint64_t group_hash(const struct p2p *p2p, const struct net_address *address)
{
    struct net_group group = net_grouping_of(&p2p->grouping, address);
    return net_group_hash(p2p->key, &group);
}

/* is_relaying: one that relays transactions. Returns: false if nobody may be let go */
static bool evict_one(struct p2p *p2p, bool is_relaying)
{
    struct evict_candidate *list = xcalloc(p2p->n_in + 1, sizeof *list);
    size_t n = 0;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->class != PEER_INBOUND || (is_relaying && !peer->is_relay_admitted))
            continue;
        list[n++] = (struct evict_candidate){
            .id = peer->id,
            .group_hash = group_hash(p2p, &peer->address),
            .connected_us = peer->connected_us,
            .min_ping_us = peer->score.min_ping_us,
            .last_block_us = peer->score.last_block_us,
            .last_tx_us = peer->score.last_tx_us,
            .useful_bytes = peer->score.useful_bytes,
            .relays_txs = peer->version.relay,
            .is_protected = peer->permissions & PERMISSION_NOBAN,
            .is_discouraged = peer->is_discouraged,
            .is_local = !peer->is_inbound_onion && net_address_is_local(&peer->address),
            .is_onion = peer->is_inbound_onion,
        };
    }
    uint64_t id = PLANTED(p2p->env, OLDEST_GIVES_WAY) ? list[0].id : evict_choose(list, n);
    xfree(list);
    struct peer *peer = id ? p2p_find_peer(p2p, id) : NULL;
    if (peer)
        peer_drop(p2p, peer, "makes room for another");
    return peer != NULL;
}

bool connect_admit(struct p2p *p2p, const struct net_address *address, unsigned permissions)
{
    bool is_trusted = permissions & PERMISSION_NOBAN;
    size_t max = inbound_max(p2p);
    const char *why = NULL;
    if (!is_trusted && p2p_is_banned(p2p, address))
        why = "banned";
    else if (!is_trusted && p2p->n_in + 1 >= max && p2p_is_discouraged(p2p, address))
        why = "discouraged"; /* those are let in while there is plenty of room */
    if (why) {
        char text[NET_ADDRESS_TEXT_MAX];
        log_printf(p2p->log, LOG_NET, "connection from %s dropped (%s)",
                   net_address_format(address, text), why);
        return false;
    }
    if (p2p->n_in < max || evict_one(p2p, false))
        return true;
    log_printf(p2p->log, LOG_NET,
               "failed to find an eviction candidate - connection dropped (full)");
    return false;
}

bool connect_admit_relaying(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->class == PEER_INBOUND && !peer->is_relay_admitted);
    size_t percent = (size_t)(100 - p2p->options.inbound_reserved_percent), n = 0;
    size_t max = inbound_max(p2p) * percent / 100;
    for (const struct peer *other = p2p->peers; other; other = other->next)
        n += other->is_relay_admitted;
    if (n >= max && !(peer->permissions & PERMISSION_NOBAN) && !evict_one(p2p, true)) {
        log_printf(p2p->log, LOG_NET,
                   "failed to find a tx-relaying eviction candidate - connection dropped peer=%llu",
                   peer_shown(peer->id));
        return false;
    }
    peer->is_relay_admitted = true;
    return true;
}

/* -- Going out ----------------------------------------------------------------------------------
 */

/* An outbound peer of ours is in that group: one that stays. */
static bool has_group(void *ctx, const struct net_address *address)
{
    const struct p2p *p2p = ctx;
    struct net_group group = net_grouping_of(&p2p->grouping, address);
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next) {
        bool stays = peer->class == PEER_FULL || peer->class == PEER_BLOCK_ONLY ||
                     peer->class == PEER_MANUAL;
        if (!stays || peer->address.network == NET_NONE || PLANTED(p2p->env, GROUPS_REPEATED))
            continue;
        struct net_group taken = net_grouping_of(&p2p->grouping, &peer->address);
        if (net_group_equal(&taken, &group))
            return true;
    }
    return false;
}

static bool may_call(void *ctx, const struct net_address *address)
{
    const struct p2p *p2p = ctx;
    return reach_may_dial(&p2p->reach, address) && !dial_has(p2p, address) &&
           !local_list_has(&p2p->local, address) && !p2p_is_unwelcome(p2p, address);
}

static bool is_up(void *ctx, const struct net_address *address)
{
    const struct p2p *p2p = ctx;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->state == PEER_READY && net_address_equal(&peer->address, address))
            return true;
    return false;
}

static bool select_address(struct p2p *p2p, enum peer_class class, struct net_peer_address *out)
{
    struct choose choose = {.book = p2p->book,
                            .services_needed = NODE_WITNESS | NODE_NETWORK,
                            .ctx = p2p,
                            .may_call = may_call,
                            .is_up = is_up,
                            .has_group = has_group};
    for (uint8_t i = 1; i <= NET_CJDNS; i++)
        choose.networks |= (unsigned)reach_has_network(&p2p->reach, i) << i;
    if (choose.networks == 0)
        return false;
    return class == PEER_FEELER ? choose_for_feeler(&choose, p2p_now_s(p2p), out)
                                : choose_for_slot(&choose, p2p_now_s(p2p), out);
}

/* With the transport that it is said to speak. */
static bool dial_address(struct p2p *p2p, const struct net_peer_address *address,
                         enum peer_class class)
{
    return dial(p2p, &address->at, class, address->services & NODE_P2P_V2);
}

/* Every few minutes somebody new is asked for his headers, so that whoever holds all our peers has
 * to hold each new one as well; stale_tip.c lets the worse of him and the youngest other one go.
 * Core: EXTRA_BLOCK_RELAY_ONLY_PEER_INTERVAL */
static bool wants_extra_block_only(struct p2p *p2p, int64_t now_us)
{
    struct connect *connect = &p2p->connect;
    if (p2p->options.max_connections <= P2P_FULL_OUTBOUND || now_us < connect->next_extra_us ||
        count_class(p2p, PEER_BLOCK_ONLY) > P2P_BLOCK_ONLY_OUTBOUND ||
        chain_is_initial_download(p2p->chain))
        return false;
    connect->next_extra_us = now_us + p2p_random_wait_us(p2p, CONNECT_EXTRA_US);
    return true;
}

/* Fill one free slot, if there is one. */
static bool open_slot(struct p2p *p2p, int64_t now_us)
{
    struct connect *connect = &p2p->connect;
    struct net_peer_address address;
    enum peer_class class;
    size_t max = (size_t)p2p->options.max_connections;
    size_t full_max = max < P2P_FULL_OUTBOUND ? max : P2P_FULL_OUTBOUND;
    bool wants_full = count_class(p2p, PEER_FULL) < full_max + p2p->stale.wants_extra;
    bool wants_block_only =
        max > P2P_FULL_OUTBOUND && count_class(p2p, PEER_BLOCK_ONLY) < P2P_BLOCK_ONLY_OUTBOUND;
    if (connect->n_anchors > 0 && wants_block_only) {
        address = connect->anchors[--connect->n_anchors];
        return !dial_has(p2p, &address.at) && dial_address(p2p, &address, PEER_BLOCK_ONLY);
    }
    if (wants_full)
        class = PEER_FULL;
    else if (wants_block_only || wants_extra_block_only(p2p, now_us))
        class = PEER_BLOCK_ONLY;
    else if (now_us >= connect->next_feeler_us && count_class(p2p, PEER_FEELER) < FEELERS)
        class = PEER_FEELER;
    else
        return false;
    if (class == PEER_FEELER)
        connect->next_feeler_us = now_us + p2p_random_wait_us(p2p, CONNECT_FEELER_US);
    return select_address(p2p, class, &address) && dial_address(p2p, &address, class);
}

static int64_t outbound_tick(struct p2p *p2p, int64_t now_us)
{
    struct connect *connect = &p2p->connect;
    if (p2p->options.connect_only)
        return INT64_MAX;
    if (connect->next_outbound_us <= now_us) {
        connect->next_outbound_us = now_us + CONNECT_INTERVAL_US;
        if (!open_slot(p2p, now_us) && connect->n_anchors == 0) {
            /* Nothing to connect to, or nothing to be done: look again later. Addresses that come
             * in wait for that, too: there are thousands of them in an hour. */
            connect->next_outbound_us = now_us + 10 * CONNECT_INTERVAL_US;
        }
    }
    return connect->next_outbound_us;
}

int64_t connect_tick(struct p2p *p2p, int64_t now_us)
{
    if (!p2p->is_active)
        return INT64_MAX;
    int64_t next_us = seed_node_tick(p2p, now_us); /* may name one: first */
    const int64_t others_us[] = {named_nodes_tick(p2p, now_us), outbound_tick(p2p, now_us),
                                 address_files_tick(&p2p->files, now_us)};
    for (size_t i = 0; i < COUNT_OF(others_us); i++)
        next_us = MIN_OF(next_us, others_us[i]);
    return next_us;
}

/* -- What became of it ---------------------------------------------------------------------------
 */

void connect_peer_ready(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->class == PEER_FEELER || peer->state == PEER_READY);
    peer->is_discouraged = p2p_is_discouraged(p2p, &peer->address);
    if (!peer_is_outbound(peer))
        return;
    /* It is in the book from now on if it was the user who named it. */
    struct net_peer_address address = {
        .at = peer->address, .services = peer->version.services, .time = (uint32_t)p2p_now_s(p2p)};
    if (peer->class == PEER_MANUAL && peer->address.network != NET_NONE)
        (void)address_book_add(p2p->book, &address, ADDRESS_SOURCE_MANUAL, &peer->address, 0,
                               p2p_now_s(p2p));
    (void)address_book_good(p2p->book, &peer->address, p2p_now_s(p2p));
    named_nodes_peer_ready(p2p, peer);
    if (peer->class == PEER_FEELER)
        peer_drop(p2p, peer, "the address works: that was all");
}

/* One that went at our key may speak v1 only, whatever is said of it. */
static bool call_again(struct p2p *p2p, const struct peer *peer)
{
    if (!transport_wants_v1(&peer->transport) || !p2p->is_running || !p2p->is_active)
        return false;
    struct peer *again = dial_again(p2p, peer);
    if (!again)
        return false;
    log_printf(p2p->log, LOG_NET, "retrying with v1 transport protocol for peer=%llu",
               peer_shown(peer->id));
    named_nodes_peer_again(p2p, peer->id, again->id);
    return true;
}

void connect_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    if (!peer_is_outbound(peer) || call_again(p2p, peer))
        return;
    if (peer->was_ready && peer->class != PEER_BLOCK_ONLY)
        address_book_connected(p2p->book, &peer->address, p2p_now_s(p2p));
    named_nodes_peer_gone(p2p, peer);
}
