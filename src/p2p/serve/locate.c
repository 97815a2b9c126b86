/* locate.c - see locate.h. */
#include "p2p/serve/locate.h"

#include "chain/chain.h"
#include "p2p/core/permissions.h"
#include "p2p/core/wire.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/send.h"
#include "p2p/serve/compact_tell.h"
#include "util/buffer.h"

#define KEPT_BLOCKS_SERVED 288          /* NODE_NETWORK_LIMITED: BIP-159, New service bit */
#define KEPT_BLOCKS_SLACK  2            /* the peer's tip may be a little behind */
#define OLD_FORK_S         (30 * 86400) /* older side branches tell who we are: not served */

/* -- What a stranger may know ------------------------------------------------------------------ */

/* Side branches are shown while they are news: an old one would tell who has seen it. */
bool locate_is_public(const struct p2p *p2p, const struct block_node *node)
{
    const struct block_node *best = chain_best_header(p2p_chain_of(p2p));
    if (chain_contains(p2p_chain_of(p2p), node))
        return true;
    return block_node_was_connected(node) && (int64_t)best->time - (int64_t)node->time < OLD_FORK_S;
}

/* A pruned node that served what is older would soon not be able to, and tell how far it has
 * pruned. */
bool locate_is_pruned_for(const struct p2p *p2p, const struct peer *peer,
                          const struct block_node *node)
{
    return !(peer->our_services & NODE_NETWORK) && !(peer->permissions & PERMISSION_NOBAN) &&
           chain_tip(p2p_chain_of(p2p))->height - node->height >
               KEPT_BLOCKS_SERVED + KEPT_BLOCKS_SLACK;
}

/* -- Headers and lists of blocks --------------------------------------------------------------- */

/* The last block of the locator that is in our chain; genesis if none is. */
static const struct block_node *find_fork(const struct p2p *p2p, const struct wire_locator *locator)
{
    for (size_t i = 0; i < locator->n; i++) {
        struct block_hash hash;
        memcpy(hash.b, locator->hashes.p + 32 * i, 32);
        const struct block_node *node = chain_find(p2p_chain_of(p2p), &hash);
        if (node && chain_contains(p2p_chain_of(p2p), node))
            return node;
        /* A peer on a branch of ours that descends from the tip has all that we have. */
        const struct block_node *tip = chain_tip(p2p_chain_of(p2p));
        if (node && block_node_ancestor(node, tip->height) == tip)
            return tip;
    }
    return chain_at(p2p_chain_of(p2p), 0);
}

/* The block after the tip, if this peer was told of it and it is not verified yet: it may have come
 * to ask because of it, and asks once. */
static const struct block_node *told_ahead(const struct p2p *p2p, const struct peer *peer)
{
    const struct block_node *told = peer->headers.best_sent;
    return told && compact_tell_is_undecided(p2p, told) ? told : NULL;
}

static const struct block_node *next_header(const struct p2p *p2p, const struct peer *peer,
                                            const struct block_node *node)
{
    const struct block_node *tip = chain_tip(p2p_chain_of(p2p));
    if (node->height < tip->height)
        return chain_at(p2p_chain_of(p2p), node->height + 1);
    return node == tip ? told_ahead(p2p, peer) : NULL;
}

static void send_headers(struct p2p *p2p, struct peer *peer, const struct block_node *from,
                         const struct block_hash *stop)
{
    struct buffer message, headers;
    buffer_init(&message);
    buffer_init(&headers);
    struct writer w = writer_to_growing(&headers);
    size_t n = 0;
    const struct block_node *node = from, *last = NULL;
    while (node && n < WIRE_HEADERS_MAX) {
        struct block_header header = block_node_header(node);
        block_header_encode(&w, &header);
        write_u8(&w, 0);
        last = node;
        n++;
        if (block_hash_equal(&node->hash, stop))
            break;
        node = next_header(p2p, peer, node);
    }
    struct writer head = writer_to_growing(&message);
    write_compact_size(&head, n);
    write_span(&head, buffer_span(&headers));
    peer_send(p2p, peer, "headers", buffer_span(&message));
    buffer_deinit(&headers);
    buffer_deinit(&message);
    /* Told of nothing, it has our tip: new blocks can be told as headers. Core */
    if (!last)
        last = chain_tip(p2p_chain_of(p2p));
    if (!peer->headers.best_sent ||
        u256_compare(last->chain_work, peer->headers.best_sent->chain_work) > 0)
        peer->headers.best_sent = last;
}

enum fault locate_on_getheaders(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct wire_locator locator;
    if (!wire_locator_decode(r, &locator))
        return FAULT_MALFORMED;
    const struct block_node *node;
    if (locator.n == 0) {
        /* One header by its hash. */
        node = chain_find(p2p_chain_of(p2p), &locator.stop);
        if (!node || !locate_is_public(p2p, node))
            return FAULT_NONE;
    } else {
        node = next_header(p2p, peer, find_fork(p2p, &locator));
    }
    send_headers(p2p, peer, node, &locator.stop);
    return FAULT_NONE;
}

enum fault locate_on_getblocks(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct wire_locator locator;
    if (!wire_locator_decode(r, &locator))
        return FAULT_MALFORMED;
    const struct block_node *node = find_fork(p2p, &locator);
    struct buffer list, message;
    buffer_init(&list);
    buffer_init(&message);
    struct writer w = writer_to_growing(&list);
    size_t n = 0;
    while ((node = chain_at(p2p_chain_of(p2p), node->height + 1)) && n < LOCATE_GETBLOCKS_MAX) {
        if (block_hash_equal(&node->hash, &locator.stop) || locate_is_pruned_for(p2p, peer, node))
            break;
        struct wire_inv inv = {.type = INV_BLOCK};
        memcpy(inv.hash, node->hash.b, 32);
        wire_inv_encode(&w, &inv);
        if (++n == LOCATE_GETBLOCKS_MAX) {
            peer->serve.continue_at = node->hash;
            peer->serve.has_continue = true;
        }
    }
    struct writer head = writer_to_growing(&message);
    write_compact_size(&head, n);
    write_span(&head, buffer_span(&list));
    if (n > 0)
        peer_send(p2p, peer, "inv", buffer_span(&message));
    buffer_deinit(&message);
    buffer_deinit(&list);
    return FAULT_NONE;
}
