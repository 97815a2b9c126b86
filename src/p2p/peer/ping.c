/* ping.c - see ping.h. */
#include "p2p/peer/ping.h"

#include "p2p/core/private_queue.h"
#include "p2p/core/tunnel.h"
#include "p2p/state.h"
#include "util/planted.h"

#define ADDR_FETCH_TIMEOUT_US (INT64_C(300) * 1000000) /* for its addresses. Core */

void peer_ping(struct p2p *p2p, struct peer *peer)
{
    if (peer->state != PEER_READY && !peer->is_private_up)
        return;
    uint8_t bytes[8];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    peer->next_ping_us = p2p_now_us(p2p) + PEER_PING_US;
    /* BIP-31, Specification */
    if (peer->version.version < WIRE_VERSION_BIP31) {
        peer_send(p2p, peer, "ping", span_of(NULL, 0));
        return;
    }
    while (peer->ping_nonce == 0 || peer->ping_us < 0) {
        env_random(p2p->env, &peer->ping_nonce, sizeof peer->ping_nonce);
        peer->ping_us = p2p_now_us(p2p);
    }
    write_u64(&w, peer->ping_nonce);
    peer_send(p2p, peer, "ping", span_of(bytes, w.len));
}

static bool is_undecided(const struct peer *peer)
{
    return peer->fetch.n_undecided > 0 || peer->tx_queue.items.count > 0 ||
           peer->tx_queue.n_checking > 0 || peer->orphans.work.count > 0 ||
           peer->orphans.n_trying > 0;
}

static void answer_held_ping(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->n_held_pings > 0 && peer->n_held_pings <= PEER_HELD_PINGS_MAX);
    peer_send(p2p, peer, "pong", span_of(peer->held_pings[0], 8));
    memmove(peer->held_pings[0], peer->held_pings[1], 8 * (PEER_HELD_PINGS_MAX - 1));
    peer->n_held_pings--;
}

void peer_decided(struct p2p *p2p, struct peer *peer)
{
    while (peer->n_held_pings > 0 && !is_undecided(peer))
        answer_held_ping(p2p, peer);
}

/* A pong says that all that came before the ping has been dealt with, also what is looked at by
 * other threads: clients rely on it, since Core takes a peer's messages one after the other. */
enum fault peer_on_ping(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct span nonce = read_span(r, 8);
    if (r->failed)
        return FAULT_NONE;
    if (!is_undecided(peer)) {
        /* BIP-31, Specification */
        peer_send(p2p, peer, "pong", nonce);
        return FAULT_NONE;
    }
    if (peer->n_held_pings == PEER_HELD_PINGS_MAX)
        answer_held_ping(p2p, peer);
    if (peer->n_held_pings == 0)
        peer->held_since_us = p2p_now_us(p2p);
    memcpy(peer->held_pings[peer->n_held_pings++], nonce.p, 8);
    p2p_schedule(p2p, peer->held_since_us + PEER_HELD_PING_US);
    return FAULT_NONE;
}

/* Returns: when the pings that wait are answered in any case. */
static int64_t held_pings_tick(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    peer_decided(p2p, peer);
    if (peer->n_held_pings == 0)
        return INT64_MAX;
    if (now_us < peer->held_since_us + PEER_HELD_PING_US)
        return peer->held_since_us + PEER_HELD_PING_US;
    while (peer->n_held_pings > 0)
        answer_held_ping(p2p, peer);
    return INT64_MAX;
}

enum fault peer_on_pong(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY || peer->is_private_up);
    uint64_t nonce = read_u64(r);
    if (r->failed || peer->ping_nonce == 0 || nonce != peer->ping_nonce)
        return FAULT_NONE; /* late or confused, but no proof of anything */
    score_ping(&peer->score, p2p_now_us(p2p) - peer->ping_us);
    peer->ping_nonce = 0;
    peer->ping_us = -1;
    return FAULT_NONE;
}

static void drop_silent(struct p2p *p2p, struct peer *peer)
{
    if (strcmp(transport_name(&peer->transport), "detecting") == 0) {
        log_printf(p2p->log, LOG_NET, "V2 handshake timeout, disconnecting peer=%llu",
                   peer_shown(peer->id));
        /* The keys hang on the magic: with another one neither side finds the end of the garbage.
         */
        if (peer->state != PEER_CONNECTING)
            peer_tell_other_chain(p2p, peer, "no v2 handshake came about");
    }
    peer_drop(p2p, peer, "no handshake in time");
}

/* Until when it may take to be connected, and to be ready; private ones never are. */
static int64_t first_until_us(const struct p2p *p2p, const struct peer *peer)
{
    if (peer->state == PEER_CONNECTING && peer->tunnel && peer->tunnel->until_us != 0)
        return peer->tunnel->until_us;
    if (peer->state == PEER_CONNECTING)
        return peer->connected_us + PEER_DIAL_US;
    if (peer_is_private(peer))
        return peer->connected_us + PRIVATE_LIFETIME_US;
    return peer->connected_us + p2p->options.peer_timeout_s * 1000000;
}

static int64_t tick_peer(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    ASSERT(peer->state != PEER_GONE);
    /* As in Core nobody is silent too long before the time for the handshake is over: where a test
     * sets that to years, peers stay whatever it does to the clock. */
    int64_t first_us = first_until_us(p2p, peer);
    if (peer->state != PEER_READY) {
        if (first_us > now_us || PLANTED(p2p->env, HANDSHAKE_UNTIMED))
            return first_us;
        drop_silent(p2p, peer);
        return INT64_MAX;
    }
    int64_t silent_us = peer->last_recv_us + PEER_SILENCE_US;
    int64_t pong_us = peer->ping_nonce ? peer->ping_us + PEER_SILENCE_US : INT64_MAX;
    silent_us = MAX_OF(silent_us, first_us);
    pong_us = MAX_OF(pong_us, first_us);
    if (silent_us <= now_us || pong_us <= now_us) {
        peer_drop(p2p, peer, "silent for 20 minutes");
        return INT64_MAX;
    }
    int64_t fetch_us =
        peer->class == PEER_ADDR_FETCH ? peer->connected_us + ADDR_FETCH_TIMEOUT_US : INT64_MAX;
    if (fetch_us <= now_us) {
        peer_drop(p2p, peer, "addrfetch connection timeout");
        return INT64_MAX;
    }
    if (peer->next_ping_us <= now_us)
        peer_ping(p2p, peer);
    int64_t next_us = held_pings_tick(p2p, peer, now_us);
    next_us = MIN_OF(next_us, peer->next_ping_us);
    next_us = MIN_OF(next_us, fetch_us);
    next_us = MIN_OF(next_us, silent_us);
    return pong_us < next_us ? pong_us : next_us;
}

int64_t ping_tick(struct p2p *p2p, int64_t now_us)
{
    int64_t next_us = INT64_MAX;
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next; /* a dropped peer keeps its links until we leave */
        int64_t at_us = peer->state == PEER_GONE ? INT64_MAX : tick_peer(p2p, peer, now_us);
        next_us = MIN_OF(next_us, at_us);
    }
    return next_us;
}
