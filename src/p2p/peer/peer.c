/* peer.c - see peer.h. */
#include "p2p/peer/peer.h"

#include "p2p/state.h"
#include "util/planted.h"

#define KEPT_BLOCKS      288 /* that a pruned node serves. BIP-159, New service bit */
#define KEPT_BLOCKS_ASK  (KEPT_BLOCKS - 2)
#define ANNOUNCED_BLOCKS 16 /* that who announces the last of them is asked for. Core */

const char *peer_class_name(enum peer_class class)
{
    static const char *const names[PEER_CLASS_COUNT] = {
        [PEER_INBOUND] = "inbound",
        [PEER_FULL] = "outbound-full-relay",
        [PEER_BLOCK_ONLY] = "block-relay-only",
        [PEER_FEELER] = "feeler",
        [PEER_ADDR_FETCH] = "addr-fetch",
        [PEER_MANUAL] = "manual",
        [PEER_PRIVATE] = "private-broadcast",
    };
    ASSERT(class < PEER_CLASS_COUNT);
    return names[class];
}

bool peer_is_outbound(const struct peer *peer)
{
    return peer->class != PEER_INBOUND;
}

bool peer_is_private(const struct peer *peer)
{
    return peer->class == PEER_PRIVATE;
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
    ASSERT(node && node->height >= 0);
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

bool peer_lacks_next(const struct peer *peer, const struct block_node *tip)
{
    const struct block_node *best = peer->headers.best_known;
    ASSERT(tip);
    return best && !(peer->version.services & NODE_NETWORK) &&
           tip->height < best->height - KEPT_BLOCKS_ASK - 1;
}

bool peer_has_header(const struct peer *peer, const struct block_node *node)
{
    ASSERT(node);
    const struct block_node *known = peer->headers.best_known, *sent = peer->headers.best_sent;
    return (known && block_node_ancestor(known, node->height) == node) ||
           (sent && block_node_ancestor(sent, node->height) == node);
}

bool peer_may_send_txs(const struct p2p *p2p, const struct peer *peer)
{
    if (!p2p->mempool || peer_is_block_only(peer))
        return false;
    return !p2p->options.blocks_only || (peer->permissions & PERMISSION_RELAY);
}

bool peer_may_hear_txs(const struct p2p *p2p, const struct peer *peer)
{
    return p2p->mempool && !peer_is_block_only(peer);
}

enum fault peer_asks_filter(const struct p2p *p2p, const struct peer *peer)
{
    bool is_offered = (peer->our_services & NODE_BLOOM) || PLANTED(p2p->env, FILTERS_FOR_ALL);
    return is_offered ? FAULT_NONE : FAULT_NOT_OFFERED;
}

struct net_address peer_own_end(const struct p2p *p2p, const struct peer *peer)
{
    ASSERT(peer->stream != 0);
    char text[NET_ADDRESS_TEXT_MAX];
    struct net_address at = {0};
    uint16_t port = env_stream_local(p2p->env, peer->stream, text, sizeof text);
    if (port == 0 || !net_address_parse(text, port, &at))
        return (struct net_address){0};
    return at;
}

const struct p2p_options *p2p_options_of(const struct p2p *p2p)
{
    return &p2p->options;
}

struct chain *p2p_chain_of(const struct p2p *p2p)
{
    return p2p->chain;
}

struct block_fetch *p2p_fetch_of(struct p2p *p2p)
{
    return &p2p->fetch;
}

struct filters *p2p_filters_of(struct p2p *p2p)
{
    return &p2p->filters;
}

struct snapshots *p2p_snapshots_of(const struct p2p *p2p)
{
    ASSERT(p2p->snapshots);
    return p2p->snapshots;
}

const struct log *p2p_log_of(const struct p2p *p2p)
{
    return p2p->log;
}

struct tx_relay *p2p_txs_of(struct p2p *p2p)
{
    return &p2p->txs;
}

uint64_t p2p_local_services(const struct p2p *p2p)
{
    /* BIP-144, Handshake; BIP-159, New service bit */
    uint64_t services = NODE_WITNESS | NODE_NETWORK_LIMITED;
    if (!chain_is_pruned(p2p->chain) && !chain_lacks_past(p2p->chain))
        services |= NODE_NETWORK;
    if (p2p->options.peer_bloom_filters)
        services |= NODE_BLOOM; /* BIP-111, Specification */
    if (p2p->options.peer_block_filters)
        services |= NODE_COMPACT_FILTERS; /* BIP-158, Signaling */
    if (p2p->options.v2_transport)
        services |= NODE_P2P_V2; /* BIP-324, Signaling v2 support */
    return services;
}
