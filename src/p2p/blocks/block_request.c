/* block_request.c - see block_request.h. */
#include "p2p/blocks/block_request.h"

#include "p2p/state.h"
#include "util/alloc.h"

/* Not keyed, unlike the tables that peers fill: to choose these bytes takes proof of work. */
static uint64_t node_hash(const struct block_node *node)
{
    uint64_t hash;
    memcpy(&hash, node->hash.b, sizeof hash);
    return hash * UINT64_C(0x9e3779b97f4a7c15);
}

static bool has_node(const void *value, const void *key)
{
    return ((const struct block_request *)value)->node == key;
}

struct block_request *block_request_find(const struct block_fetch *fetch,
                                         const struct block_node *node)
{
    return hash_map_find(&fetch->by_node, node_hash(node), has_node, node);
}

struct block_request *block_request_add(struct block_fetch *fetch, const struct block_node *node)
{
    ASSERT(!block_request_find(fetch, node));
    struct block_request *request = xcalloc(1, sizeof *request);
    request->node = node;
    list_add_first(&fetch->requests, &request->link);
    hash_map_insert(&fetch->by_node, node_hash(node), request);
    return request;
}

int block_request_slot(const struct block_request *request, uint64_t peer)
{
    ASSERT(peer != 0);
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++)
        if (request->peer[slot] == peer)
            return slot;
    return -1;
}

bool block_request_was_tried(const struct block_request *request, uint64_t peer)
{
    for (size_t i = 0; i < request->n_tried; i++)
        if (request->tried[i] == peer)
            return true;
    return false;
}

size_t block_request_live(const struct block_request *request)
{
    size_t n = 0;
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++)
        n += request->peer[slot] && !request->is_given_up[slot];
    return n;
}

bool block_request_has_peer(const struct block_request *request)
{
    return request->peer[0] || request->peer[1];
}

void block_request_clear(struct p2p *p2p, struct block_request *request, int slot)
{
    ASSERT(slot >= 0 && slot < BLOCK_REQUEST_SLOTS);
    struct peer *peer = request->peer[slot] ? p2p_find_peer(p2p, request->peer[slot]) : NULL;
    if (peer) {
        ASSERT(peer->fetch.n_in_flight > 0);
        peer->fetch.n_in_flight--;
    }
    request->peer[slot] = 0;
    request->is_given_up[slot] = false;
}

/* The same, but its block may still come: the peer has a credit for one that nobody asks for any
 * more, so that what was asked is not called unasked when it is late. */
static void release(struct p2p *p2p, struct block_request *request, int slot)
{
    struct peer *peer = request->peer[slot] ? p2p_find_peer(p2p, request->peer[slot]) : NULL;
    if (peer && peer->fetch.n_late < BLOCK_LATE_CREDIT_MAX)
        peer->fetch.n_late++;
    block_request_clear(p2p, request, slot);
}

void block_request_remove(struct p2p *p2p, struct block_request *request)
{
    struct block_fetch *fetch = &p2p->fetch;
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++)
        release(p2p, request, slot);
    if (request->is_delivered)
        fetch->n_delivered--;
    list_remove(&fetch->requests, &request->link);
    (void)hash_map_remove(&fetch->by_node, node_hash(request->node), has_node, request->node);
    xfree(request);
}

static bool is_inbound(const struct p2p *p2p, uint64_t id)
{
    const struct peer *peer = p2p_find_peer(p2p, id);
    return peer && !peer_is_outbound(peer);
}

/* Where the next one asked goes. Where both owe it, the last asked goes, who has had least time;
 * but an inbound peer goes before an outbound one, which an attacker cannot choose for us: one at
 * least shall be of those (hazard 60). */
static int choose_slot(const struct p2p *p2p, const struct block_request *request,
                       const struct peer *peer)
{
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++)
        if (!request->peer[slot])
            return slot;
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++)
        if (request->is_given_up[slot])
            return slot;
    int last = request->asked_us[1] >= request->asked_us[0] ? 1 : 0;
    bool is_taken = peer_is_outbound(peer) && !is_inbound(p2p, request->peer[last]) &&
                    is_inbound(p2p, request->peer[1 - last]);
    return is_taken ? 1 - last : last;
}

void block_request_failed(struct block_request *request, uint64_t peer)
{
    ASSERT(peer != 0);
    /* Full: one is overwritten, and may be asked again. Better than to ask nobody. */
    size_t at = request->n_tried < BLOCK_REQUEST_TRIED_MAX
                    ? request->n_tried++
                    : request->n_asked % BLOCK_REQUEST_TRIED_MAX;
    request->tried[at] = peer;
}

void block_request_ask(struct p2p *p2p, struct block_request *request, struct peer *peer,
                       int64_t now_us)
{
    ASSERT(peer->state == PEER_READY);
    ASSERT(block_request_slot(request, peer->id) < 0 && !request->is_delivered);
    int slot = choose_slot(p2p, request, peer);
    if (request->peer[slot]) {
        block_request_failed(request, request->peer[slot]);
        release(p2p, request, slot);
    }
    request->peer[slot] = peer->id;
    request->asked_us[slot] = now_us;
    request->n_asked++;
    /* Who still owes what others delivered meanwhile has been busy with that since then. */
    if (peer->fetch.n_in_flight++ == 0 && peer->fetch.n_late == 0)
        peer->fetch.busy_since_us = now_us;
}

void block_request_deny(struct p2p *p2p, struct block_request *request, int slot)
{
    block_request_failed(request, request->peer[slot]);
    block_request_clear(p2p, request, slot);
}

void block_request_forget(struct p2p *p2p, struct block_request *request)
{
    request->n_tried = 0;
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++)
        if (request->is_given_up[slot])
            release(p2p, request, slot);
}

void block_request_send(struct p2p *p2p, struct peer *peer, const struct block_node *const *nodes,
                        size_t n, uint32_t type)
{
    uint8_t bytes[3 + BLOCK_REQUEST_BATCH * WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    ASSERT(n <= BLOCK_REQUEST_BATCH);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct wire_inv inv = {.type = type};
        memcpy(inv.hash, nodes[i]->hash.b, 32);
        wire_inv_encode(&w, &inv);
    }
    peer_send(p2p, peer, "getdata", span_of(bytes, w.len));
}
