/* block_direct.c - see block_direct.h. */
#include "p2p/blocks/block_direct.h"

#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"
#include "util/hex.h"

/* Somebody else has it who is not known for owing blocks. */
static bool has_better(const struct p2p *p2p, const struct peer *who, const struct block_node *node)
{
    for (const struct peer *peer = p2p_first_peer(p2p); peer; peer = peer->next)
        if (peer != who && !peer->fetch.is_stalled && !peer->fetch.is_on_trial &&
            peer_can_serve(peer, node))
            return true;
    return false;
}

static bool is_missing(struct p2p *p2p, const struct peer *peer, const struct block_node *node)
{
    const struct block_request *request = block_request_find(p2p_fetch_of(p2p), node);
    if (block_node_has_data(node))
        return false;
    return !request || (!request->is_delivered && block_request_live(request) == 0 &&
                        block_request_slot(request, peer->id) < 0 &&
                        !block_request_was_tried(request, peer->id));
}

/* The blocks that we lack of the chain up to last, the newest first; one too many if there are more
 * than may be asked for. Returns: how many; 0 also if the chain is not ours so far back. */
static size_t list_missing(struct p2p *p2p, const struct peer *peer, const struct block_node *last,
                           const struct block_node *out[BLOCK_DIRECT_MAX + 1])
{
    size_t n = 0;
    const struct block_node *node = last;
    for (; !chain_contains(p2p_chain_of(p2p), node) && n <= BLOCK_DIRECT_MAX; node = node->prev)
        if (is_missing(p2p, peer, node))
            out[n++] = node;
    if (chain_contains(p2p_chain_of(p2p), node))
        return n;
    log_printf(p2p_log_of(p2p), LOG_NET,
               "Large reorg, won't direct fetch to the header at height %d", last->height);
    return 0;
}

static void log_asked(const struct p2p *p2p, const struct peer *peer, const struct block_node *node)
{
    if (!log_is_on(p2p_log_of(p2p), LOG_NET))
        return;
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(node->hash.b, 32));
    log_printf(p2p_log_of(p2p), LOG_NET, "Requesting block %s from peer=%llu", hash,
               peer_shown(peer->id));
}

void block_direct_ask(struct p2p *p2p, struct peer *peer, const struct block_node *last)
{
    ASSERT(peer->state == PEER_READY);
    const struct block_node *missing[BLOCK_DIRECT_MAX + 1], *asked[BLOCK_DIRECT_MAX];
    if (!block_fetch_is_current(p2p) || block_node_has_failed(last) ||
        !peer_announces_blocks(peer) ||
        u256_compare(chain_tip(p2p_chain_of(p2p))->chain_work, last->chain_work) > 0)
        return;
    size_t n = list_missing(p2p, peer, last, missing), n_asked = 0;
    bool is_late = peer->fetch.is_stalled || peer->fetch.is_on_trial;
    while (n > 0 && peer->fetch.n_in_flight < BLOCK_DIRECT_MAX) {
        const struct block_node *node = missing[--n];
        if (is_late && has_better(p2p, peer, node))
            continue;
        struct block_request *request = block_request_find(p2p_fetch_of(p2p), node);
        if (!request)
            request = block_request_add(p2p_fetch_of(p2p), node);
        block_request_ask(p2p, request, peer, p2p_now_us(p2p));
        log_asked(p2p, peer, node);
        asked[n_asked++] = node;
    }
    block_fetch_send(p2p, peer, asked, n_asked);
}
