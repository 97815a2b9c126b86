/* peer.c - see peer.h. */
#include "p2p/peer/peer.h"

#include <stdio.h>

#include "p2p/p2p_internal.h"
#include "util/alloc.h"

#define KEPT_BLOCKS           288 /* that a pruned node serves. BIP159 */
#define KEPT_BLOCKS_ASK       (KEPT_BLOCKS - 2)
#define ANNOUNCED_BLOCKS      16 /* that who announces the last of them is asked for. Core */
#define TIME_OFFSETS_MIN      5  /* outbound peers that must agree before we doubt our clock */
#define TIME_OFFSET_WARN_S    600
#define ADDR_FETCH_TIMEOUT_US (INT64_C(300) * 1000000) /* for its addresses. Core */
#define RECENT_TIP_S          (INT64_C(288) * 600) /* pruned peers are of use if we are so near */

/* -- Life ---------------------------------------------------------------------------------------
 */

static uint64_t id_hash(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15) >> 8;
}

static bool is_self(const void *value, const void *key)
{
    return value == key;
}

struct peer *peer_new(struct p2p *p2p, enum peer_class class, const struct net_address *address,
                      uint64_t stream)
{
    struct peer *peer = xcalloc(1, sizeof *peer);
    peer->id = ++p2p->last_id;
    peer->class = class;
    peer->stream = stream;
    peer->address = *address;
    net_address_format(address, peer->text);
    peer->connected_us = peer->last_recv_us = p2p_now_us(p2p);
    peer->connected_s = p2p_now_s(p2p);
    frame_reader_init(&peer->frame, p2p->network->magic);
    buffer_init(&peer->waiting);
    score_init(&peer->score);
    tx_queue_peer_init(&peer->tx_queue, peer->id);
    env_random(p2p->env, &peer->nonce, sizeof peer->nonce);
    recent_set_init(&peer->relay.known, p2p->key, RELAY_KNOWN_MAX);
    recent_set_init(&peer->addr.known, p2p->key, RELAY_KNOWN_MAX);
    peer->relay.fee_filter_sent = -1;
    peer->fetch.stall_us = BLOCK_LATE_STALL_US;
    peer->ping_us = -1;
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        peer->per_message[i].name = message_at(i)->name;
    peer->per_message[MESSAGES_COUNT].name = "*other*";
    peer->prev = p2p->peers_last;
    if (p2p->peers_last)
        p2p->peers_last->next = peer;
    else
        p2p->peers = peer;
    p2p->peers_last = peer;
    hash_map_insert(&p2p->by_id, id_hash(peer->id), peer);
    hash_map_insert(&p2p->by_stream, id_hash(stream), peer);
    if (class == PEER_INBOUND)
        p2p->n_in++;
    else
        p2p->n_out++;
    return peer;
}

static void unlink_peer(struct p2p *p2p, struct peer *peer)
{
    if (peer->prev)
        peer->prev->next = peer->next;
    else
        p2p->peers = peer->next;
    if (peer->next)
        peer->next->prev = peer->prev;
    else
        p2p->peers_last = peer->prev;
    (void)hash_map_remove(&p2p->by_id, id_hash(peer->id), is_self, peer);
    (void)hash_map_remove(&p2p->by_stream, id_hash(peer->stream), is_self, peer);
    if (peer->class == PEER_INBOUND)
        p2p->n_in--;
    else
        p2p->n_out--;
}

void peer_drop(struct p2p *p2p, struct peer *peer, const char *why)
{
    if (peer->state == PEER_GONE)
        return;
    if (why[0])
        log_printf(p2p->log, LOG_NET, "peer=%llu %s: disconnecting: %s",
                   (unsigned long long)peer->id, peer->text, why);
    bool was_ready = peer->state == PEER_READY;
    connect_peer_gone(p2p, peer); /* looks at the state */
    peer->state = PEER_GONE;
    env_stream_close(p2p->env, peer->stream);
    unlink_peer(p2p, peer);
    receive_peer_gone(p2p, peer);
    serve_peer_gone(p2p, peer);
    header_sync_peer_gone(p2p, peer);
    laggards_peer_gone(p2p, peer);
    block_fetch_peer_gone(p2p, peer);
    tx_relay_peer_gone(p2p, peer);
    relay_peer_gone(peer);
    addr_relay_peer_gone(peer);
    /* The list of the gone is linked by prev: next stays for loops that stand at this peer. */
    peer->prev = p2p->gone;
    p2p->gone = peer;
    if (was_ready && p2p->events.peer_gone)
        p2p->events.peer_gone(p2p->events.ctx, peer->id);
    p2p_schedule_now(p2p);
}

void peer_free(struct p2p *p2p, struct peer *peer)
{
    (void)p2p;
    ASSERT(peer->state == PEER_GONE && !peer->is_handling);
    frame_reader_deinit(&peer->frame);
    buffer_deinit(&peer->waiting);
    recent_set_deinit(&peer->relay.known);
    recent_set_deinit(&peer->addr.known);
    xfree(peer);
}

void peer_fault(struct p2p *p2p, struct peer *peer, enum fault fault, const char *detail)
{
    enum fault_action action = fault_action(fault);
    if (action == FAULT_ACTION_NONE || peer->state == PEER_GONE)
        return;
    log_printf(p2p->log, LOG_NET, "peer=%llu %s: %s%s%s", (unsigned long long)peer->id, peer->text,
               fault_text(fault), detail[0] ? ": " : "", detail);
    if (action == FAULT_ACTION_DISCOURAGE) {
        if (peer->permissions & PERMISSION_NOBAN)
            return;
        /* Nodes that the user named, and this machine, are only disconnected: Core. */
        uint8_t id[32];
        p2p_host_id(&peer->address, id);
        if (peer->class != PEER_MANUAL && !net_address_is_local(&peer->address))
            (void)recent_set_add(&p2p->discouraged, id);
        if (peer->class == PEER_MANUAL && fault == FAULT_BLOCK_MUTATED)
            return;
    }
    peer_drop(p2p, peer, fault_text(fault));
}

/* -- Sending ------------------------------------------------------------------------------------
 */

/* Send the header of a message, and count all of it. False: the peer is sent nothing. */
static bool send_header(struct p2p *p2p, struct peer *peer, const char *name, size_t len,
                        const uint8_t checksum[4])
{
    const struct message *message = message_find(name);
    ASSERT(message);
    if (peer->state == PEER_GONE || peer->state == PEER_CONNECTING ||
        peer->version.version < message->since)
        return false;
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_encode_known(header, p2p->network->magic, name, len, checksum);
    env_stream_send(p2p->env, peer->stream, span_of(header, sizeof header));
    size_t n = sizeof header + len;
    peer->turn_bytes += n;
    peer->per_message[message_index(message)].sent += n;
    peer->bytes_sent += n;
    p2p->bytes_sent += n;
    peer->last_send_s = p2p_now_s(p2p);
    upload_count(&p2p->upload, n, peer->last_send_s);
    log_printf(p2p->log, LOG_NET, "peer=%llu: sending %s (%zu bytes)", (unsigned long long)peer->id,
               name, len);
    return true;
}

void peer_send(struct p2p *p2p, struct peer *peer, const char *name, struct span payload)
{
    uint8_t checksum[4];
    frame_checksum(payload, checksum);
    if (send_header(p2p, peer, name, payload.len, checksum) && payload.len > 0)
        env_stream_send(p2p->env, peer->stream, payload);
}

static void drop_block(void *arg)
{
    block_ref_drop(arg);
}

void peer_send_block(struct p2p *p2p, struct peer *peer, struct block_ref *block,
                     const uint8_t checksum[4])
{
    if (send_header(p2p, peer, "block", block->raw_len, checksum))
        env_stream_send_shared(p2p->env, peer->stream, span_of(block->raw, block->raw_len),
                               drop_block, block_ref_hold(block));
}

bool peer_has_room(const struct p2p *p2p, const struct peer *peer)
{
    return env_stream_queued_bytes(p2p->env, peer->stream) < PEER_SEND_QUEUE_PAUSE;
}

/* -- What it is for ------------------------------------------------------------------------------
 */

bool peer_is_outbound(const struct peer *peer)
{
    return peer->class != PEER_INBOUND;
}

bool peer_is_block_only(const struct peer *peer)
{
    return peer->class == PEER_BLOCK_ONLY || peer->class == PEER_FEELER;
}

bool peer_has_blocks(const struct peer *peer)
{
    return peer->class != PEER_ADDR_FETCH && /* it is here for something else */
           (peer->version.services & (NODE_NETWORK | NODE_NETWORK_LIMITED)) != 0 &&
           (peer->version.services & NODE_WITNESS) != 0;
}

bool peer_announces_blocks(const struct peer *peer)
{
    return (peer->version.services & NODE_WITNESS) != 0 && peer->headers.best_known;
}

bool peer_can_serve(const struct peer *peer, const struct block_node *node)
{
    const struct block_node *best = peer->headers.best_known;
    if (peer->state != PEER_READY || !best)
        return false;
    /* Who announces a block has it, whatever it offers; and those before it. Core asks so too. */
    bool is_announced = node->height > best->height - ANNOUNCED_BLOCKS;
    if (!peer_has_blocks(peer) && !(peer_announces_blocks(peer) && is_announced))
        return false;
    if (!(peer->version.services & NODE_NETWORK) && node->height < best->height - KEPT_BLOCKS_ASK)
        return false;
    return block_node_ancestor(best, node->height) == node;
}

/* -- Handshake ----------------------------------------------------------------------------------
 */

static void send_version(struct p2p *p2p, struct peer *peer)
{
    uint8_t bytes[WIRE_VERSION_BYTES_MAX];
    struct wire_version ours = {
        .version = WIRE_PROTOCOL_VERSION,
        .services = p2p_local_services(p2p),
        .time = p2p_now_s(p2p),
        .receiver_services = peer->version.services,
        .receiver = peer->address,
        .nonce = peer->nonce,
        .start_height = chain_tip(p2p->chain)->height,
        .relay = tx_relay_is_open(p2p, peer),
    };
    snprintf(ours.user_agent, sizeof ours.user_agent, "%s", p2p->options.user_agent);
    peer->our_services = ours.services;
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&w, &ours);
    peer_send(p2p, peer, "version", span_of(bytes, w.len));
    peer->is_greeting_sent = true;
}

void peer_connected(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_CONNECTING);
    peer->state = PEER_NEW;
    peer->last_recv_us = p2p_now_us(p2p);
    if (peer_is_outbound(peer))
        send_version(p2p, peer);
    p2p_schedule(p2p, p2p_now_us(p2p) + p2p->options.peer_timeout_s * 1000000);
}

static bool is_ourselves(const struct p2p *p2p, uint64_t nonce)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer_is_outbound(peer) && peer->state != PEER_READY && peer->nonce == nonce)
            return true;
    return false;
}

/* What we connect to on our own account must have what we need. */
static bool has_services(const struct p2p *p2p, const struct peer *peer)
{
    uint64_t services = peer->version.services;
    if (peer->class == PEER_INBOUND || peer->class == PEER_MANUAL || peer->class == PEER_FEELER)
        return true;
    bool is_near = p2p_now_s(p2p) - chain_tip(p2p->chain)->time < RECENT_TIP_S;
    bool has_blocks = (services & NODE_NETWORK) || (is_near && (services & NODE_NETWORK_LIMITED));
    return has_blocks && (services & NODE_WITNESS);
}

/* Our clock is never moved by what peers say: hazard 73. */
static void check_clock(struct p2p *p2p)
{
    struct p2p_info info;
    size_t n = 0;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        n += peer_is_outbound(peer) && peer->version.version != 0;
    if (n < TIME_OFFSETS_MIN || !p2p->events.warning)
        return;
    p2p_info(p2p, &info);
    bool is_off =
        info.time_offset_s > TIME_OFFSET_WARN_S || info.time_offset_s < -TIME_OFFSET_WARN_S;
    if (is_off != p2p->has_warned_time)
        p2p->events.warning(p2p->events.ctx,
                            is_off ? "Please check that your computer's date and time are correct: "
                                     "they differ from those of most peers by over 10 minutes"
                                   : "");
    p2p->has_warned_time = is_off;
}

enum fault peer_on_version(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    if (!wire_version_decode(r, &peer->version))
        return FAULT_MALFORMED;
    if (peer->version.version < WIRE_VERSION_MIN)
        return FAULT_OLD_VERSION;
    if (!peer_is_outbound(peer) && is_ourselves(p2p, peer->version.nonce))
        return FAULT_SELF;
    /* A time of any 64 bits must not overflow. */
    if (__builtin_sub_overflow(peer->version.time, p2p_now_s(p2p), &peer->time_offset_s))
        peer->time_offset_s = peer->version.time < 0 ? INT64_MIN : INT64_MAX;
    if (peer_is_outbound(peer)) {
        address_book_set_services(p2p->book, &peer->address, peer->version.services);
        if (!has_services(p2p, peer))
            return FAULT_LACKS_SERVICES;
    }
    peer->state = PEER_GREETED;
    if (!peer->is_greeting_sent)
        send_version(p2p, peer);
    peer_send(p2p, peer, "wtxidrelay", span_of(NULL, 0));
    peer_send(p2p, peer, "sendaddrv2", span_of(NULL, 0));
    peer_send(p2p, peer, "verack", span_of(NULL, 0));
    if (peer_is_outbound(peer))
        check_clock(p2p);
    if (peer->class == PEER_FEELER)
        connect_peer_ready(p2p, peer); /* it has done its duty and goes, as Core's do */
    return FAULT_NONE;
}

enum fault peer_on_wtxidrelay(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)r;
    peer->wants_wtxid = peer->version.version >= WIRE_VERSION_WTXID;
    return FAULT_NONE;
}

enum fault peer_on_sendaddrv2(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)r;
    peer->wants_addrv2 = true;
    return FAULT_NONE;
}

enum fault peer_on_verack(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)r;
    peer->state = PEER_READY;
    char agent[4 * WIRE_USER_AGENT_MAX + 1];
    log_escape(agent, sizeof agent, peer->version.user_agent, strlen(peer->version.user_agent));
    log_printf(p2p->log, LOG_NET, "peer=%llu %s: ready, %s, version %d, height %d, services %llx",
               (unsigned long long)peer->id, peer->text, agent, peer->version.version,
               peer->version.start_height, (unsigned long long)peer->version.services);
    connect_peer_ready(p2p, peer);
    ASSERT(peer->state == PEER_READY);
    peer_send(p2p, peer, "sendheaders", span_of(NULL, 0));
    peer_ping(p2p, peer);
    header_sync_peer_ready(p2p, peer);
    tx_relay_peer_ready(p2p, peer);
    relay_peer_ready(p2p, peer);
    addr_relay_peer_ready(p2p, peer);
    if (p2p->events.peer_connected)
        p2p->events.peer_connected(p2p->events.ctx, peer->id);
    p2p_schedule_now(p2p);
    return FAULT_NONE;
}

enum fault peer_on_sendheaders(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)r;
    peer->wants_headers = true;
    return FAULT_NONE;
}

/* -- Ping ---------------------------------------------------------------------------------------
 */

void peer_ping(struct p2p *p2p, struct peer *peer)
{
    if (peer->state != PEER_READY)
        return;
    uint8_t bytes[8];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    peer->next_ping_us = p2p_now_us(p2p) + PEER_PING_US;
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
    return peer->fetch.n_undecided > 0 || peer->tx_queue.n > 0 || peer->tx_queue.n_checking > 0;
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
    struct span nonce = read_span(r, 8);
    if (r->failed)
        return FAULT_NONE;
    if (!is_undecided(peer)) {
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
    uint64_t nonce = read_u64(r);
    if (r->failed || peer->ping_nonce == 0 || nonce != peer->ping_nonce)
        return FAULT_NONE; /* late or confused, but no proof of anything */
    score_ping(&peer->score, p2p_now_us(p2p) - peer->ping_us);
    peer->ping_nonce = 0;
    peer->ping_us = -1;
    return FAULT_NONE;
}

/* -- Other handlers -----------------------------------------------------------------------------
 */

enum fault peer_on_not_found(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    size_t n = wire_count_decode(r, WIRE_INV_MAX, WIRE_INV_BYTES);
    for (size_t i = 0; i < n; i++) {
        struct wire_inv inv;
        wire_inv_decode(r, &inv);
        struct block_hash hash;
        memcpy(hash.b, inv.hash, 32);
        if (inv.type == INV_BLOCK || inv.type == INV_WITNESS_BLOCK)
            block_fetch_not_found(p2p, peer, &hash);
        else
            tx_relay_not_found(p2p, peer, &inv);
    }
    return r->failed ? FAULT_MALFORMED : FAULT_NONE;
}

enum fault peer_on_filter(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)r;
    return peer->permissions & PERMISSION_BLOOMFILTER ? FAULT_NONE : FAULT_NOT_OFFERED;
}

enum fault peer_on_ignored(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p, (void)peer, (void)r;
    return FAULT_NONE;
}

/* -- Time ---------------------------------------------------------------------------------------
 */

int64_t peer_tick(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    int64_t timeout_us =
        peer->state == PEER_CONNECTING ? CONNECT_TIMEOUT_US : p2p->options.peer_timeout_s * 1000000;
    if (peer->state != PEER_READY) {
        int64_t until_us = peer->connected_us + timeout_us;
        if (until_us > now_us)
            return until_us;
        peer_drop(p2p, peer, "no handshake in time");
        return INT64_MAX;
    }
    /* As in Core nobody is silent too long before the time for the handshake is over: where a test
     * sets that to years, peers stay whatever it does to the clock. */
    int64_t first_us = peer->connected_us + timeout_us;
    int64_t silent_us = peer->last_recv_us + PEER_SILENCE_US;
    int64_t pong_us = peer->ping_nonce ? peer->ping_us + PEER_SILENCE_US : INT64_MAX;
    if (silent_us < first_us)
        silent_us = first_us;
    if (pong_us < first_us)
        pong_us = first_us;
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
    if (peer->next_ping_us < next_us)
        next_us = peer->next_ping_us;
    if (fetch_us < next_us)
        next_us = fetch_us;
    if (silent_us < next_us)
        next_us = silent_us;
    return pong_us < next_us ? pong_us : next_us;
}
