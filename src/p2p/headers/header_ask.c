/* header_ask.c - see header_ask.h. */
#include "p2p/headers/header_ask.h"

#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/send.h"

void header_locator(const struct block_node *node, struct buffer *out)
{
    ASSERT(node);
    uint8_t hashes[WIRE_LOCATOR_MAX][32];
    size_t n = 0;
    int32_t step = 1;
    while (node && n < WIRE_LOCATOR_MAX - 1) {
        memcpy(hashes[n++], node->hash.b, 32);
        if (node->height == 0)
            break;
        if (n >= 10)
            step *= 2;
        node = block_node_ancestor(node, node->height > step ? node->height - step : 0);
    }
    struct writer w = writer_to_growing(out);
    write_compact_size(&w, n);
    write_bytes(&w, hashes, 32 * n);
}

void header_ask_send(struct p2p *p2p, struct peer *peer, const struct buffer *locator)
{
    ASSERT(locator->len > 0 && (locator->len - 1) % 32 == 0);
    static const uint8_t no_stop[32] = {0};
    struct buffer payload;
    buffer_init(&payload);
    struct writer w = writer_to_growing(&payload);
    write_u32(&w, WIRE_PROTOCOL_VERSION);
    write_bytes(&w, locator->p, locator->len);
    write_bytes(&w, no_stop, 32);
    peer_send(p2p, peer, "getheaders", buffer_span(&payload));
    buffer_deinit(&payload);
    peer->headers.is_asked = true;
    peer->headers.asked_us = p2p_now_us(p2p);
}

/* Where more is to follow: of a header alone and the tip that is worth as much, the tip. The header
 * may be one whose block nobody will ever have. */
static const struct block_node *best_end(const struct p2p *p2p)
{
    const struct chain *chain = p2p_chain_of(p2p);
    const struct block_node *best = chain_best_header(chain), *tip = chain_tip(chain);
    return u256_compare(best->chain_work, tip->chain_work) > 0 ? best : tip;
}

void header_ask(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    struct buffer locator;
    if (!node)
        node = best_end(p2p);
    buffer_init(&locator);
    header_locator(node, &locator);
    header_ask_send(p2p, peer, &locator);
    buffer_deinit(&locator);
    /* A new question: what was walked was the answer to another. */
    peer->headers.walked = NULL;
}

void header_ask_first(struct p2p *p2p, struct peer *peer)
{
    const struct block_node *best = chain_best_header(p2p_chain_of(p2p));
    header_ask(p2p, peer, best->prev ? best->prev : best);
}

void header_ask_anew(struct p2p *p2p, struct peer *peer)
{
    const struct block_node *known = peer->headers.best_known;
    if (known && known->prev)
        header_ask(p2p, peer, known->prev);
    else
        header_ask_first(p2p, peer);
}

bool header_is_asked(const struct p2p *p2p, const struct peer *peer)
{
    const struct peer_headers *headers = &peer->headers;
    /* Also a while after an answer: it may have been of the question before. */
    return headers->is_asked ||
           (headers->asked_us > 0 && p2p_now_us(p2p) - headers->asked_us < HEADER_ASK_ANSWER_US);
}

bool header_ask_is_due(const struct p2p *p2p, const struct peer *peer)
{
    return !peer->headers.is_asked ||
           p2p_now_us(p2p) - peer->headers.asked_us > HEADER_ASK_PAUSE_US;
}

void header_ask_soon(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_READY);
    peer->headers.ask_again = !header_ask_is_due(p2p, peer);
    if (peer->headers.ask_again)
        p2p_schedule(p2p, peer->headers.asked_us + HEADER_ASK_PAUSE_US + 1);
    else
        header_ask(p2p, peer, NULL);
}
