/* handshake.c - see handshake.h. */
#include "p2p/session/handshake.h"

#include <stdio.h>
#include <stdlib.h>

#include "p2p/session/features.h"
#include "p2p/state.h"
#include "util/planted.h"

#define TIME_OFFSETS_MIN     5 /* outbound peers that must agree before we doubt our clock */
#define TIME_OFFSET_WARN_S   600
#define OUTBOUND_OFFSETS_MAX 64
#define RECENT_TIP_S         (INT64_C(288) * 600) /* pruned peers are of use if we are so near */

static int compare_offsets(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t handshake_time_offset_s(const struct p2p *p2p)
{
    int64_t offsets[OUTBOUND_OFFSETS_MAX];
    size_t n = 0;
    for (const struct peer *peer = p2p->peers; peer && n < COUNT_OF(offsets); peer = peer->next)
        if (peer_is_outbound(peer) && peer->version.version != 0)
            offsets[n++] = peer->time_offset_s;
    qsort(offsets, n, sizeof offsets[0], compare_offsets);
    return n ? offsets[n / 2] : 0;
}

/* What a private peer hears of us is what it would hear of anybody: nothing. Core sends the name of
 * a widespread library for tests. */
static struct wire_version nobodys_version(uint64_t nonce)
{
    return (struct wire_version){
        .version = WIRE_PROTOCOL_VERSION, .nonce = nonce, .user_agent = "/pynode:0.0.1/"};
}

static void send_version(struct p2p *p2p, struct peer *peer)
{
    ASSERT(!peer->is_greeting_sent);
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct wire_version ours = {
        .version = WIRE_PROTOCOL_VERSION,
        .services = p2p_local_services(p2p),
        .time = p2p_now_s(p2p),
        .receiver_services = peer->version.services,
        .receiver = peer->address,
        .nonce = peer->nonce,
        .start_height = chain_tip(p2p->chain)->height,
        .relay = peer_may_send_txs(p2p, peer),
    };
    if (!wire_address_fits_v1(&peer->address))
        ours.receiver = (struct net_address){0}; /* there is no room for it. Core */
    if (peer->permissions & PERMISSION_BLOOMFILTER)
        ours.services |= NODE_BLOOM;
    snprintf(ours.user_agent, sizeof ours.user_agent, "%s", p2p->options.user_agent);
    if (peer_is_private(peer))
        ours = nobodys_version(peer->nonce);
    if (PLANTED(p2p->env, CLOCK_OF_PEERS))
        ours.time += handshake_time_offset_s(p2p);
    peer->our_services = ours.services;
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&w, &ours);
    peer_send(p2p, peer, "version", span_of(bytes, w.len));
    peer->is_greeting_sent = true;
}

/* Who dials speaks first, as soon as there are keys to speak under. */
void handshake_go_on(struct p2p *p2p, struct peer *peer)
{
    size_t n = transport_take_sent(&peer->transport);
    if (n > 0)
        peer_count_sent(p2p, peer, n);
    if (peer->state == PEER_NEW && peer_is_outbound(peer) && !peer->is_greeting_sent &&
        transport_can_send(&peer->transport))
        send_version(p2p, peer);
}

void handshake_begin(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_CONNECTING);
    peer->state = PEER_NEW;
    peer->last_recv_us = p2p_now_us(p2p);
    if (!peer_is_outbound(peer) && p2p->options.v2_transport)
        peer->transport.kind = TRANSPORT_DETECTING;
    peer->transport.is_unsure = peer->class == PEER_MANUAL;
    transport_begin(&peer->transport, &p2p->transports, peer->stream, peer_is_outbound(peer));
    if (peer->transport.kind == TRANSPORT_V2)
        log_printf(p2p->log, LOG_NET, "start sending v2 handshake to peer=%llu",
                   peer_shown(peer->id));
    handshake_go_on(p2p, peer);
    p2p_schedule(p2p, p2p_now_us(p2p) + p2p->options.peer_timeout_s * 1000000);
}

/* Only our outbound connections have nonces that are out there; in time, since ours to ourselves
 * are not ready before this end has answered. */
static bool is_ourselves(const struct p2p *p2p, uint64_t nonce)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer_is_outbound(peer) && peer->state != PEER_READY && peer->nonce == nonce)
            return true;
    return false;
}

/* What we connect to on our own account must have what we need. Who comes to us need not: he asks,
 * and a feeler only looks whether somebody is there. */
static bool has_services(const struct p2p *p2p, const struct peer *peer)
{
    uint64_t services = peer->version.services;
    if (peer->class == PEER_INBOUND || peer->class == PEER_MANUAL || peer->class == PEER_FEELER)
        return true;
    bool is_near = p2p_now_s(p2p) - chain_tip(p2p->chain)->time < RECENT_TIP_S;
    /* A pruned node will do near the tip. BIP-159, New service bit */
    bool has_blocks = (services & NODE_NETWORK) || (is_near && (services & NODE_NETWORK_LIMITED));
    return has_blocks && (services & NODE_WITNESS);
}

/* Our clock is never moved by what peers say: hazard 73. */
static void check_clock(struct p2p *p2p)
{
    size_t n = 0;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        n += peer_is_outbound(peer) && peer->version.version != 0;
    if (n < TIME_OFFSETS_MIN || !p2p->events.warning)
        return;
    int64_t offset_s = handshake_time_offset_s(p2p);
    bool is_off = offset_s > TIME_OFFSET_WARN_S || offset_s < -TIME_OFFSET_WARN_S;
    if (is_off != p2p->has_warned_time)
        p2p->events.warning(p2p->events.ctx,
                            is_off ? "Please check that your computer's date and time are correct: "
                                     "they differ from those of most peers by over 10 minutes"
                                   : "");
    p2p->has_warned_time = is_off;
}

/* Nothing is negotiated: it would tell what we can. */
static enum fault greet_privately(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->is_greeting_sent);
    if (!peer->version.relay) {
        peer_drop(p2p, peer, "does not support transaction relay (connected in vain)");
        return FAULT_NONE;
    }
    peer->state = PEER_GREETED;
    peer_send(p2p, peer, "verack", span_of(NULL, 0));
    return FAULT_NONE;
}

/* A time of any 64 bits must not overflow: hazard 41. */
static int64_t offset_of(const struct p2p *p2p, int64_t time_s)
{
    int64_t offset_s;
    if (PLANTED(p2p->env, TIMES_OVERFLOW))
        return time_s - p2p_now_s(p2p);
    if (__builtin_sub_overflow(time_s, p2p_now_s(p2p), &offset_s))
        return time_s < 0 ? INT64_MIN : INT64_MAX;
    return offset_s;
}

/* The magic can be one that was given, in two files with different rules. Who says nothing of his
 * chain is let in: what he sends is judged by our rules. */
static bool is_of_other_chain(const struct p2p *p2p, const struct peer *peer)
{
    const char *comment = strstr(peer->version.user_agent, WIRE_CHAIN_COMMENT);
    const char *tag = p2p->network->rules_tag;
    return *tag && comment &&
           strncmp(comment + sizeof WIRE_CHAIN_COMMENT - 1, tag, NETWORK_TAG_CHARS) != 0;
}

enum fault handshake_on_version(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_NEW);
    if (!wire_version_decode(r, &peer->version))
        return FAULT_MALFORMED;
    if (peer->version.version < WIRE_VERSION_MIN)
        return FAULT_OLD_VERSION;
    if (!peer_is_outbound(peer) && is_ourselves(p2p, peer->version.nonce))
        return FAULT_SELF;
    if (is_of_other_chain(p2p, peer))
        return FAULT_OTHER_CHAIN;
    peer->time_offset_s = offset_of(p2p, peer->version.time);
    if (peer_is_outbound(peer)) {
        address_book_set_services(p2p->book, &peer->address, peer->version.services);
        if (!has_services(p2p, peer))
            return FAULT_LACKS_SERVICES;
    }
    if (peer_is_private(peer))
        return greet_privately(p2p, peer);
    if (peer->class == PEER_INBOUND && peer->version.relay && !connect_admit_relaying(p2p, peer)) {
        peer_drop(p2p, peer, "no place for one more that relays transactions");
        return FAULT_NONE;
    }
    peer->state = PEER_GREETED;
    if (!peer->is_greeting_sent)
        send_version(p2p, peer);
    /* Both before the verack. BIP-339, Specification; BIP-155, Signaling support and
     * compatibility */
    peer_send(p2p, peer, "wtxidrelay", span_of(NULL, 0));
    peer_send(p2p, peer, "sendaddrv2", span_of(NULL, 0));
    features_send(p2p, peer, p2p->features);
    reconciliation_offer(p2p, peer);
    peer_send(p2p, peer, "verack", span_of(NULL, 0));
    if (peer_is_outbound(peer))
        check_clock(p2p);
    if (peer->class == PEER_FEELER)
        connect_peer_ready(p2p, peer); /* it has done its duty and goes, as Core's do */
    return FAULT_NONE;
}

enum fault handshake_on_wtxidrelay(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)r;
    ASSERT(peer->state == PEER_GREETED);
    /* BIP-339, Specification */
    peer->wants_wtxid = peer->version.version >= WIRE_VERSION_WTXID;
    return FAULT_NONE;
}

enum fault handshake_on_sendaddrv2(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)r;
    ASSERT(peer->state == PEER_GREETED);
    /* BIP-155, Signaling support and compatibility */
    peer->wants_addrv2 = true;
    return FAULT_NONE;
}

enum fault handshake_on_feature(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    return features_hear(p2p, peer, p2p->features, r);
}

enum fault handshake_on_verack(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)r;
    ASSERT(peer->state == PEER_GREETED);
    if (peer_is_private(peer)) {
        p2p->up->private_greeted(p2p, peer);
        return FAULT_NONE;
    }
    peer->state = PEER_READY;
    reconciliation_settle(p2p, peer);
    char agent[4 * WIRE_USER_AGENT_MAX + 1];
    log_escape(agent, sizeof agent, peer->version.user_agent, strlen(peer->version.user_agent));
    log_printf(p2p->log, LOG_NET, "peer=%llu %s: ready, %s, version %d, height %d, services %llx",
               peer_shown(peer->id), peer->text, agent, peer->version.version,
               peer->version.start_height, (unsigned long long)peer->version.services);
    compact_peers_greet(p2p, peer);
    /* BIP-130, Specification */
    peer_send(p2p, peer, "sendheaders", span_of(NULL, 0));
    peer_ping(p2p, peer);
    p2p->up->peer_ready(p2p, peer);
    ASSERT(peer->state == PEER_READY);
    if (p2p->events.peer_connected)
        p2p->events.peer_connected(p2p->events.ctx, peer->id);
    p2p_schedule_now(p2p);
    return FAULT_NONE;
}

enum fault handshake_on_sendheaders(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)r;
    ASSERT(peer->state == PEER_READY);
    peer->wants_headers = true;
    return FAULT_NONE;
}
