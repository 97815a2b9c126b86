/* compact_peers.c - see compact_peers.h. */
#include "p2p/blocks/compact_peers.h"

#include "p2p/core/compact.h"
#include "p2p/state.h"

static void send_mode(struct p2p *p2p, struct peer *peer, bool is_high)
{
    uint8_t bytes[9];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u8(&w, is_high);
    write_u64(&w, COMPACT_VERSION);
    peer_send(p2p, peer, "sendcmpct", span_of(bytes, w.len));
}

void compact_peers_greet(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_READY);
    send_mode(p2p, peer, false);
}

static void remove_at(struct compact_peers *peers, size_t at)
{
    ASSERT(at < peers->n_high);
    peers->n_high--;
    memmove(&peers->high[at], &peers->high[at + 1], (peers->n_high - at) * sizeof peers->high[0]);
}

static size_t find(const struct compact_peers *peers, uint64_t id)
{
    size_t at = 0;
    while (at < peers->n_high && peers->high[at] != id)
        at++;
    return at;
}

void compact_peers_gone(struct p2p *p2p, const struct peer *peer)
{
    struct compact_peers *peers = &p2p->compact_peers;
    size_t at = find(peers, peer->id);
    if (at < peers->n_high)
        remove_at(peers, at);
}

bool compact_peers_is_high(const struct p2p *p2p, const struct peer *peer)
{
    return find(&p2p->compact_peers, peer->id) < p2p->compact_peers.n_high;
}

static bool is_outbound(const struct p2p *p2p, uint64_t id)
{
    const struct peer *peer = p2p_find_peer(p2p, id);
    return peer && peer_is_outbound(peer);
}

/* Whose place the next one takes: of who was first longest ago, but not that of the only outbound
 * one for an inbound one. */
static size_t choose_loser(const struct p2p *p2p, const struct peer *peer)
{
    const struct compact_peers *peers = &p2p->compact_peers;
    size_t n_outbound = 0;
    for (size_t i = 0; i < peers->n_high; i++)
        n_outbound += is_outbound(p2p, peers->high[i]);
    bool is_spared = !peer_is_outbound(peer) && n_outbound == 1 && is_outbound(p2p, peers->high[0]);
    return is_spared ? 1 : 0;
}

void compact_peers_was_first(struct p2p *p2p, struct peer *peer)
{
    ASSERT(p2p->compact_peers.n_high <= COMPACT_PEERS_HIGH_MAX);
    struct compact_peers *peers = &p2p->compact_peers;
    /* Without transactions short ids are of no use. */
    if (p2p->options.blocks_only || !p2p->mempool || !peer->knows_compact ||
        peer->state != PEER_READY)
        return;
    size_t at = find(peers, peer->id);
    if (at < peers->n_high) {
        remove_at(peers, at);
        peers->high[peers->n_high++] = peer->id;
        return;
    }
    if (peers->n_high == COMPACT_PEERS_HIGH_MAX) {
        at = choose_loser(p2p, peer);
        struct peer *loser = p2p_find_peer(p2p, peers->high[at]);
        remove_at(peers, at);
        if (loser)
            send_mode(p2p, loser, false);
    }
    peers->high[peers->n_high++] = peer->id;
    send_mode(p2p, peer, true);
}

/* Other versions are passed over: so the one that we speak stands, whatever else a peer knows. Any
 * number but zero is yes, as Core reads it. BIP-152, sendcmpct */
enum fault compact_peers_on_sendcmpct(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p;
    ASSERT(peer->state == PEER_READY);
    bool wants = read_u8(r) != 0;
    uint64_t version = read_u64(r);
    if (r->failed)
        return FAULT_MALFORMED;
    if (version != COMPACT_VERSION)
        return FAULT_NONE;
    peer->knows_compact = true;
    peer->wants_compact = wants;
    return FAULT_NONE;
}
