/* addr_relay.c - see addr_relay.h. */
#include "p2p/addr/addr_relay.h"

#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

#define GOSSIP_PENALTY_S (2 * 3600) /* hearsay is older than it claims */
#define FRESH_S          600        /* only what was seen so lately is passed on */
#define FAR_FUTURE_S     600
#define OLD_CLAIM_S      (5 * 86400) /* for a time that cannot be true */
#define FORWARD_PEERS    2
#define SAMPLE_MAX       1000

/* -- What is told -------------------------------------------------------------------------------
 */

static bool can_tell(const struct peer *peer, const struct net_peer_address *address)
{
    /* BIP-155, Signaling support and compatibility */
    return peer->wants_addrv2 || wire_address_fits_v1(&address->at);
}

/* Address and port as an id for a recent_set. */
static void address_id(const struct net_address *address, uint8_t out[32])
{
    net_address_host_id(address, out);
    out[30] ^= (uint8_t)address->port;
    out[29] ^= (uint8_t)(address->port >> 8);
}

static void queue_address(struct p2p *p2p, struct peer *peer,
                          const struct net_peer_address *address)
{
    struct peer_addr *addr = &peer->addr;
    uint8_t id[32];
    address_id(&address->at, id);
    if (!addr->is_on || !can_tell(peer, address) || addr->queue.n >= ADDR_QUEUE_MAX ||
        !recent_set_add(&addr->known, id))
        return;
    *ARRAY_ADD(&addr->queue) = *address;
    if (addr->queue.n == 1)
        addr->next_us = p2p_now_us(p2p) + p2p_random_wait_us(p2p, ADDR_INTERVAL_US);
    p2p_schedule(p2p, addr->next_us);
}

static void send_queue(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->addr.queue.n > 0 && peer->addr.queue.n <= ADDR_QUEUE_MAX);
    struct peer_addr *addr = &peer->addr;
    struct buffer message;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    write_compact_size(&w, addr->queue.n);
    for (size_t i = 0; i < addr->queue.n; i++)
        wire_address_encode(&w, peer->wants_addrv2, &addr->queue.at[i]);
    peer_send(p2p, peer, peer->wants_addrv2 ? "addrv2" : "addr", buffer_span(&message));
    buffer_deinit(&message);
    addr->queue.n = 0;
}

static bool is_hidden(uint8_t network)
{
    return network == NET_TORV3 || network == NET_I2P;
}

/* How well who is in one network reaches an address in another, as far as we can tell; best is the
 * same. Spec: Core GetReachabilityFrom() */
static int reachability(uint8_t ours, uint8_t theirs)
{
    if (ours == theirs)
        return 2;
    return ours == NET_IPV4;
}

/* An address of ours that this peer may know, of those that it reaches best one with the best
 * score: who is in a hidden network hears of no address in another, nor anybody else of ours in it,
 * or it would be known which of them are one node. Core: GetLocal(). NULL: none */
static const struct net_address *choose_local(struct p2p *p2p, const struct peer *peer)
{
    const struct local_address *best[LOCAL_LIST_MAX];
    int best_rank = 0;
    size_t n = 0;
    uint8_t theirs = peer->is_inbound_onion ? NET_TORV3 : peer->address.network;
    for (size_t i = 0; i < p2p->local.n; i++) {
        const struct local_address *local = &p2p->local.at[i];
        uint8_t ours = local->at.network;
        int rank = reachability(ours, theirs) * LOCAL_SCORE_MAX + local_score(local);
        if ((ours != theirs && (is_hidden(ours) || is_hidden(theirs))) || rank < best_rank)
            continue;
        n = rank > best_rank ? 0 : n;
        best_rank = rank;
        best[n++] = local;
    }
    return n > 0 ? &best[p2p_random(p2p, n)]->at : NULL;
}

void addr_relay_add_local(struct p2p *p2p, enum local_source source,
                          const struct net_address *address)
{
    ASSERT(source < LOCAL_SOURCE_COUNT);
    if (net_grouping_is_routable(&p2p->grouping, address) &&
        reach_has_network(&p2p->reach, address->network))
        (void)local_list_add(&p2p->local, source, address);
}

/* What this peer sees us as is worth telling: it may know better than we do. It is told that alone,
 * and we have called it, so that nobody makes us advertise anything. Core: IsPeerAddrLocalGood() */
static bool has_good_view(const struct p2p *p2p, const struct peer *peer)
{
    return peer_is_outbound(peer) && !p2p->options.no_discover &&
           !is_hidden(peer->address.network) &&
           net_grouping_is_routable(&p2p->grouping, &peer->version.receiver);
}

/* Tell the peer where we can be reached, or sometimes where it sees us. Spec: Core
 * GetLocalAddrForPeer() */
static void tell_self(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    peer->addr.next_self_us = now_us + p2p_random_wait_us(p2p, ADDR_SELF_US);
    if (!p2p->options.listen || chain_is_initial_download(p2p->chain))
        return;
    struct net_peer_address self = {.services = p2p_local_services(p2p),
                                    .time = (uint32_t)p2p_now_s(p2p)};
    const struct net_address *own = choose_local(p2p, peer);
    if (own)
        self.at = *own;
    if (has_good_view(p2p, peer) && (!own || p2p_random(p2p, 2) == 0)) {
        self.at = peer->version.receiver;
        self.at.port = own ? own->port : p2p->options.port;
    }
    if (net_grouping_is_routable(&p2p->grouping, &self.at))
        queue_address(p2p, peer, &self);
}

void addr_relay_peer_ready(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_READY);
    struct peer_addr *addr = &peer->addr;
    addr->tokens = 1;
    addr->tokens_us = p2p_now_us(p2p);
    if (!peer_is_outbound(peer) || peer_is_block_only(peer)) {
        addr->next_self_us = INT64_MAX;
        return;
    }
    addr->is_on = true;
    addr->was_asked = true;
    addr->tokens += SAMPLE_MAX; /* for the answer */
    peer_send(p2p, peer, "getaddr", span_of(NULL, 0));
    tell_self(p2p, peer, addr->tokens_us);
}

bool addr_relay_is_asked(const struct p2p *p2p, const struct peer *peer)
{
    (void)p2p;
    return peer->addr.was_asked;
}

void addr_relay_peer_gone(struct p2p *p2p, struct peer *peer)
{
    (void)p2p;
    ARRAY_FREE(&peer->addr.queue);
}

/* -- What is heard ------------------------------------------------------------------------------
 */

/* The peers with the best scores, best first. */
struct best_peers {
    struct peer *peer[FORWARD_PEERS];
    uint64_t score[FORWARD_PEERS];
};

/* Put a peer in its place among the best n, if it is one of them. */
static void best_peers_add(struct best_peers *best, size_t n, struct peer *peer, uint64_t score)
{
    size_t at = 0;
    while (at < n && best->peer[at] && score <= best->score[at])
        at++;
    if (at == n)
        return;
    for (size_t i = n - 1; i > at; i--) {
        best->peer[i] = best->peer[i - 1];
        best->score[i] = best->score[i - 1];
    }
    best->peer[at] = peer;
    best->score[at] = score;
}

/* The same one or two peers for one address for a day, so that repeating it gains nothing. */
static void forward(struct p2p *p2p, const struct peer *from,
                    const struct net_peer_address *address)
{
    struct best_peers best = {.peer = {NULL}};
    size_t n = reach_has_network(&p2p->reach, address->at.network) ? FORWARD_PEERS : 1;
    uint64_t day = (uint64_t)p2p_now_s(p2p) / 86400;
    uint64_t hash = net_address_hash(p2p->key, &address->at) ^ day;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY || peer == from || !peer->addr.is_on ||
            !can_tell(peer, address))
            continue;
        struct siphash_key key = {p2p->key.k0 ^ hash, p2p->key.k1};
        uint64_t score = siphash24(key, span_of(&peer->id, sizeof peer->id));
        best_peers_add(&best, n, peer, score);
    }
    for (size_t i = 0; i < n; i++)
        if (best.peer[i])
            queue_address(p2p, best.peer[i], address);
}

static void refill(struct p2p *p2p, struct peer_addr *addr)
{
    int64_t now_us = p2p_now_us(p2p);
    if (addr->tokens < ADDR_BUCKET_MAX) {
        addr->tokens += (double)(now_us - addr->tokens_us) / 1e6 * ADDR_RATE_PER_S;
        addr->tokens = MIN_OF(addr->tokens, ADDR_BUCKET_MAX);
    }
    addr->tokens_us = now_us;
}

static void take(struct p2p *p2p, struct peer *peer, struct net_peer_address *address, bool is_news)
{
    struct peer_addr *addr = &peer->addr;
    int64_t now_s = p2p_now_s(p2p);
    bool is_limited =
        !(peer->permissions & PERMISSION_ADDR) && !PLANTED(p2p->env, ADDRESSES_UNLIMITED);
    if (addr->tokens < 1 && is_limited) {
        addr->rate_limited++;
        return;
    }
    if (addr->tokens >= 1)
        addr->tokens--;
    if (address->at.network == NET_NONE ||
        !(address->services & (NODE_NETWORK | NODE_NETWORK_LIMITED)))
        return;
    if (address->time <= 100000000 || (int64_t)address->time > now_s + FAR_FUTURE_S)
        address->time = (uint32_t)(now_s - OLD_CLAIM_S);
    uint8_t id[32];
    address_id(&address->at, id);
    (void)recent_set_add(&addr->known, id);
    if (p2p_is_unwelcome(p2p, &address->at))
        return; /* not counted as processed either: Core */
    addr->processed++;
    if (is_news && now_s - (int64_t)address->time < FRESH_S &&
        net_grouping_is_routable(&p2p->grouping, &address->at))
        forward(p2p, peer, address);
    if (!reach_has_network(&p2p->reach, address->at.network))
        return; /* told to others, and not kept: Core */
    (void)address_book_add(p2p->book, address, ADDRESS_SOURCE_GOSSIP, &peer->address,
                           GOSSIP_PENALTY_S, now_s);
}

static enum fault on_addresses(struct p2p *p2p, struct peer *peer, struct reader *r, bool v2)
{
    ASSERT(peer->state == PEER_READY);
    bool is_too_many = wire_count_exceeds(*r, WIRE_ADDRESSES_MAX);
    /* The smallest entry of addrv2: time, services, network, length, no address, port. */
    size_t n = wire_count_decode(r, WIRE_ADDRESSES_MAX, v2 ? 9 : 30);
    if (peer_is_block_only(peer))
        return FAULT_NONE;
    if (r->failed)
        return is_too_many ? FAULT_OVERSIZED : FAULT_MALFORMED;
    if (!peer->addr.is_on) {
        /* Who speaks of addresses takes part. */
        peer->addr.is_on = true;
        tell_self(p2p, peer, p2p_now_us(p2p));
    }
    refill(p2p, &peer->addr);
    bool is_news = n <= ADDR_FORWARD_MAX && !(peer->addr.was_asked && n > 1);
    for (size_t i = 0; i < n; i++) {
        struct net_peer_address address;
        wire_address_decode(r, v2, &address);
        if (r->failed)
            return FAULT_MALFORMED;
        take(p2p, peer, &address, is_news);
    }
    if (n < WIRE_ADDRESSES_MAX)
        peer->addr.was_asked = false;
    if (peer->class == PEER_ADDR_FETCH && n > 1) /* one alone may be its own, sent unasked. Core */
        peer_drop(p2p, peer, "addrfetch connection completed");
    return r->failed ? FAULT_MALFORMED : FAULT_NONE;
}

enum fault addr_relay_on_addr(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    return on_addresses(p2p, peer, r, false);
}

enum fault addr_relay_on_addrv2(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    return on_addresses(p2p, peer, r, true);
}

/* The answer that all have who came in where this peer did. Behind an address for Tor alone the
 * peer's own is not known: it stands for Tor. */
static const struct addr_cache *cached_answer(struct p2p *p2p, const struct peer *peer)
{
    int64_t now_us = p2p_now_us(p2p);
    struct net_address local = peer_own_end(p2p, peer);
    uint8_t network = peer->is_inbound_onion ? NET_TORV3 : peer->address.network;
    struct addr_cache *cache = addr_caches_get(&p2p->addr_caches, network, &local, now_us);
    if (cache->list && !PLANTED(p2p->env, ADDRESSES_ANEW))
        return cache;
    xfree(cache->list);
    cache->n =
        p2p_sample_addresses(p2p, SAMPLE_MAX, ADDRESS_BOOK_SAMPLE_PERCENT, NET_NONE, &cache->list);
    cache->until_us =
        now_us + ADDR_CACHE_US + (int64_t)p2p_random(p2p, (uint64_t)ADDR_CACHE_US / 3);
    return cache;
}

enum fault addr_relay_on_getaddr(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)r;
    ASSERT(peer->state == PEER_READY);
    struct peer_addr *addr = &peer->addr;
    /* Whom we connect to could compare our answer with what it told us. And once is enough. */
    if (peer_is_outbound(peer) || addr->has_asked)
        return FAULT_NONE;
    addr->has_asked = true;
    addr->is_on = true;
    struct net_peer_address *list = NULL;
    const struct addr_cache *cache = NULL;
    size_t n;
    bool is_trusted = peer->permissions & PERMISSION_ADDR;
    if (is_trusted) {
        n = p2p_sample_addresses(p2p, SAMPLE_MAX, ADDRESS_BOOK_SAMPLE_PERCENT, NET_NONE, &list);
    } else {
        cache = cached_answer(p2p, peer);
        n = cache->n;
    }
    addr->queue.n = 0;
    for (size_t i = 0; i < n; i++)
        queue_address(p2p, peer, is_trusted ? &list[i] : &cache->list[i]);
    xfree(list);
    addr->next_us = p2p_now_us(p2p);
    p2p_schedule_now(p2p);
    return FAULT_NONE;
}

/* -- Time ---------------------------------------------------------------------------------------
 */

int64_t addr_relay_tick(struct p2p *p2p, int64_t now_us)
{
    int64_t next_us = INT64_MAX;
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        struct peer_addr *addr = &peer->addr;
        if (peer->state != PEER_READY || !addr->is_on)
            continue;
        if (addr->next_self_us <= now_us)
            tell_self(p2p, peer, now_us);
        if (addr->queue.n > 0 && addr->next_us <= now_us)
            send_queue(p2p, peer);
        if (addr->queue.n > 0 && addr->next_us < next_us)
            next_us = addr->next_us;
        next_us = MIN_OF(next_us, addr->next_self_us);
    }
    return next_us;
}
