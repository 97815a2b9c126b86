/* peers.c - see peers.h. */
#include "p2p/peer/peers.h"

#include "p2p/core/tunnel.h"
#include "p2p/state.h"
#include "util/alloc.h"

/* -- Finding ------------------------------------------------------------------------------------
 */

/* Ids are counted by us, so nobody can choose them to collide: no key is needed. */
static uint64_t id_hash(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15) >> 8;
}

static bool has_id(const void *value, const void *key)
{
    return ((const struct peer *)value)->id == *(const uint64_t *)key;
}

static bool has_stream(const void *value, const void *key)
{
    return ((const struct peer *)value)->stream == *(const uint64_t *)key;
}

struct peer *p2p_find_peer(const struct p2p *p2p, uint64_t id)
{
    return hash_map_find(&p2p->by_id, id_hash(id), has_id, &id);
}

struct peer *p2p_first_peer(const struct p2p *p2p)
{
    return p2p->peers;
}

struct peer *p2p_find_stream(const struct p2p *p2p, uint64_t stream)
{
    return hash_map_find(&p2p->by_stream, id_hash(stream), has_stream, &stream);
}

/* -- Coming and going ---------------------------------------------------------------------------
 */

static bool is_self(const void *value, const void *key)
{
    return value == key;
}

void peer_set_stream(struct p2p *p2p, struct peer *peer, uint64_t stream)
{
    ASSERT(peer->stream == 0 && stream != 0 && !p2p_find_stream(p2p, stream));
    peer->stream = stream;
    hash_map_insert(&p2p->by_stream, id_hash(stream), peer);
}

struct peer *peer_new(struct p2p *p2p, enum peer_class class, const struct net_address *address,
                      uint64_t stream)
{
    ASSERT(class < PEER_CLASS_COUNT);
    struct peer *peer = xcalloc(1, sizeof *peer);
    peer->id = ++p2p->last_id;
    peer->class = class;
    peer->address = *address;
    net_address_format(address, peer->text);
    peer->connected_us = peer->last_recv_us = p2p_now_us(p2p);
    peer->connected_s = p2p_now_s(p2p);
    frame_reader_init(&peer->frame, p2p->network->magic);
    buffer_init(&peer->waiting);
    score_init(&peer->score);
    env_random(p2p->env, &peer->nonce, sizeof peer->nonce);
    recent_set_init(&peer->addr.known, p2p->key, ADDR_KNOWN_MAX);
    peer->relay.fee_filter_sent = -1;
    peer->fetch.stall_us = BLOCK_LATE_STALL_US;
    peer->ping_us = -1;
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        peer->per_message[i].name = p2p->messages[i].name;
    peer->per_message[MESSAGES_COUNT].name = "*other*";
    peer->prev = p2p->peers_last;
    if (p2p->peers_last)
        p2p->peers_last->next = peer;
    else
        p2p->peers = peer;
    p2p->peers_last = peer;
    hash_map_insert(&p2p->by_id, id_hash(peer->id), peer);
    if (stream)
        peer_set_stream(p2p, peer, stream);
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
    for (size_t i = 0; i < COUNT_OF(peer->per_message); i++)
        p2p->gone_received[i] += peer->per_message[i].received;
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
        log_printf(p2p->log, LOG_NET, "peer=%llu %s: disconnecting: %s", peer_shown(peer->id),
                   peer->text, why);
    peer->was_ready = peer->state == PEER_READY;
    /* Before anybody is told: whoever is, and drops or sends again, finds it gone already. */
    peer->state = PEER_GONE;
    if (peer->stream)
        env_stream_close(p2p->env, peer->stream);
    unlink_peer(p2p, peer);
    p2p->up->peer_gone(p2p, peer);
    /* The list of the gone is linked by prev: next stays for loops that stand at this peer. */
    peer->prev = p2p->gone;
    p2p->gone = peer;
    if (peer->was_ready && p2p->events.peer_gone)
        p2p->events.peer_gone(p2p->events.ctx, peer->id);
    p2p_schedule_now(p2p);
}

/* The networks that everybody knows meet strangers of other networks all day. On a chain of one's
 * own it is a mistake that somebody wonders about. */
void peer_tell_other_chain(const struct p2p *p2p, const struct peer *peer, const char *why)
{
    ASSERT(p2p && peer && why);
    if (p2p->network->rules)
        log_warning(p2p->log,
                    "peer=%llu %s seems to be of another chain than %s: %s. Do both nodes have the "
                    "same -chainfile?",
                    peer_shown(peer->id), peer->text, p2p->network->name, why);
}

void peer_fault(struct p2p *p2p, struct peer *peer, enum fault fault, const char *detail)
{
    ASSERT(fault < FAULT_COUNT && detail);
    enum fault_action action = fault_action(fault);
    if (action == FAULT_ACTION_NONE || peer->state == PEER_GONE)
        return;
    log_printf(p2p->log, LOG_NET, "peer=%llu %s: %s%s%s", peer_shown(peer->id), peer->text,
               fault_text(fault), detail[0] ? ": " : "", detail);
    if (fault == FAULT_MAGIC || fault == FAULT_OTHER_CHAIN || fault == FAULT_V2_TERMINATOR ||
        fault == FAULT_V2_NETWORK)
        peer_tell_other_chain(p2p, peer, fault_text(fault));
    if (action == FAULT_ACTION_DISCOURAGE) {
        if (peer->permissions & PERMISSION_NOBAN)
            return;
        /* Nodes that the user named, and this machine, are only disconnected: Core. */
        uint8_t id[32];
        net_address_host_id(&peer->address, id);
        if (peer->class != PEER_MANUAL && peer->address.network != NET_NONE &&
            !net_address_is_local(&peer->address))
            (void)recent_set_add(&p2p->discouraged, id);
        if (peer->class == PEER_MANUAL && fault == FAULT_BLOCK_MUTATED)
            return;
    }
    peer_drop(p2p, peer, fault_text(fault));
}

bool peer_passes_over(struct p2p *p2p, struct peer *peer, const char *name)
{
    ASSERT(peer->bad_messages <= PEER_BAD_MESSAGES_MAX);
    log_printf(p2p->log, LOG_NET, "peer=%llu: %s cannot be decoded", peer_shown(peer->id), name);
    if (peer->bad_messages == PEER_BAD_MESSAGES_MAX)
        return false;
    peer->bad_messages++;
    return true;
}

static void peer_free(struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE && !peer->is_handling);
    frame_reader_deinit(&peer->frame);
    transport_deinit(&peer->transport);
    buffer_deinit(&peer->waiting);
    tunnel_free(peer->tunnel);
    recent_set_deinit(&peer->addr.known);
    xfree(peer);
}

void p2p_enter(struct p2p *p2p)
{
    ASSERT(p2p->depth < 1000);
    p2p->depth++;
}

void p2p_leave(struct p2p *p2p)
{
    ASSERT(p2p->depth > 0);
    if (--p2p->depth > 0)
        return;
    while (p2p->gone) {
        struct peer *peer = p2p->gone;
        p2p->gone = peer->prev;
        peer_free(peer);
    }
}
