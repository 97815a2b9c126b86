/* light.c - see light.h. */
#include "p2p/serve/light.h"

#include "chain/disk/block_ref.h"
#include "consensus/merkle_proof.h"
#include "p2p/connect/connect.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"
#include "p2p/peer/send.h"
#include "p2p/serve/lent.h"
#include "util/alloc.h"

#define SCRATCH_BYTES 65536

void light_peer_gone(struct p2p *p2p, struct peer *peer)
{
    (void)p2p;
    bloom_free(peer->light.filter);
    peer->light.filter = NULL;
}

bool light_passes(struct peer *peer, const struct tx *tx)
{
    return !peer->light.filter || bloom_matches_tx(peer->light.filter, tx);
}

/* A filter, or its end, asks for transactions, whatever the version said: that needs a place, as
 * in the handshake. BIP-37, Extensions to existing messages */
static void set_filter(struct p2p *p2p, struct peer *peer, struct bloom *filter_take)
{
    if (peer->class == PEER_INBOUND && !peer->is_relay_admitted &&
        !connect_admit_relaying(p2p, peer)) {
        bloom_free(filter_take);
        log_printf(p2p_log_of(p2p), LOG_NET, "connection dropped after %s message, peer=%llu",
                   peer->frame.name, peer_shown(peer->id));
        peer_drop(p2p, peer, "no place for one more that relays transactions");
        return;
    }
    bloom_free(peer->light.filter);
    peer->light.filter = filter_take;
    peer->relay.tells_txs = peer_may_hear_txs(p2p, peer);
}

enum fault light_on_filterload(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    bool is_too_large;
    if (peer_asks_filter(p2p, peer) != FAULT_NONE)
        return FAULT_NOT_OFFERED;
    struct bloom *filter = bloom_read(r, &is_too_large);
    if (!filter)
        return is_too_large ? FAULT_FILTER : FAULT_MALFORMED;
    set_filter(p2p, peer, filter);
    return FAULT_NONE;
}

enum fault light_on_filteradd(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    if (peer_asks_filter(p2p, peer) != FAULT_NONE)
        return FAULT_NOT_OFFERED;
    struct span element = read_var_span(r);
    if (r->failed)
        return FAULT_MALFORMED;
    if (element.len > BLOOM_ELEMENT_MAX || !peer->light.filter)
        return FAULT_FILTER;
    bloom_insert(peer->light.filter, element);
    return FAULT_NONE;
}

enum fault light_on_filterclear(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)r;
    if (peer_asks_filter(p2p, peer) != FAULT_NONE)
        return FAULT_NOT_OFFERED;
    set_filter(p2p, peer, NULL);
    return FAULT_NONE;
}

static void send_lent(struct p2p *p2p, struct peer *peer, const char *name, struct span payload)
{
    lent_add(p2p, peer, payload.len);
    peer_send(p2p, peer, name, payload);
}

static void send_without_witness(struct p2p *p2p, struct peer *peer, const struct tx *tx)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    tx_encode(&w, tx, false);
    send_lent(p2p, peer, "tx", buffer_span(&bytes));
    buffer_deinit(&bytes);
}

/* -- Filtered blocks --------------------------------------------------------------------------- */

struct light_block {
    struct block_ref *block; /* held */
    struct bloom *filter;    /* a copy; NULL: there is none */
    bool *wanted;            /* of each transaction; NULL: nobody has looked */
    struct buffer proof;
};

struct light_block *light_block_new(const struct peer *peer, struct block_ref *block)
{
    struct light_block *light = xcalloc(1, sizeof *light);
    light->block = block_ref_hold(block);
    light->filter = peer->light.filter ? bloom_copy(peer->light.filter) : NULL;
    buffer_init(&light->proof);
    return light;
}

void light_block_run(struct light_block *light)
{
    const struct block *block = &light->block->block;
    struct arena scratch;
    ASSERT(!light->wanted && block->n_tx > 0);
    if (!light->filter)
        return;
    light->wanted = xcalloc(block->n_tx, sizeof *light->wanted);
    arena_init(&scratch, SCRATCH_BYTES);
    for (uint32_t i = 0; i < block->n_tx; i++)
        light->wanted[i] = bloom_matches_tx(light->filter, &block->tx[i]);
    merkle_proof_append(block, light->wanted, &scratch, &light->proof);
    arena_deinit(&scratch);
}

void light_block_send(struct p2p *p2p, struct peer *peer, const struct light_block *light)
{
    const struct block *block = &light->block->block;
    if (!light->wanted)
        return;
    /* Nothing of the peer's is handled meanwhile: it is the same filter still. */
    bloom_merge(peer->light.filter, light->filter);
    send_lent(p2p, peer, "merkleblock", buffer_span(&light->proof));
    for (uint32_t i = 0; i < block->n_tx; i++)
        if (light->wanted[i])
            send_without_witness(p2p, peer, &block->tx[i]);
}

void light_block_free(struct light_block *light)
{
    if (!light)
        return;
    block_ref_drop(light->block);
    bloom_free(light->filter);
    xfree(light->wanted);
    buffer_deinit(&light->proof);
    xfree(light);
}
