/* compact_tell.c - see compact_tell.h. */
#include "p2p/serve/compact_tell.h"

#include "p2p/state.h"
#include "util/alloc.h"

/* -- Telling ------------------------------------------------------------------------------------
 */

static void forget(struct compact_told *told)
{
    block_ref_drop(told->block);
    xfree(told->ends);
    buffer_deinit(&told->message);
    *told = (struct compact_told){0};
}

void compact_tell_deinit(struct p2p *p2p)
{
    forget(&p2p->serve.told);
}

/* Where its transactions lie in the block's bytes: the decoded one may be gone by the time they are
 * asked for. */
static void note_ends(struct compact_told *told, const struct block *block)
{
    told->n_tx = block->n_tx;
    told->ends = xmalloc(block->n_tx * sizeof *told->ends);
    size_t bytes = 0;
    for (uint32_t i = 0; i < block->n_tx; i++)
        bytes += block->tx[i].raw.len;
    ASSERT(bytes < told->block->raw_len);
    told->start = (uint32_t)(told->block->raw_len - bytes);
    uint32_t at = told->start;
    for (uint32_t i = 0; i < block->n_tx; i++)
        told->ends[i] = at += (uint32_t)block->tx[i].raw.len;
}

/* The coinbase, which nobody has, and of what we missed ourselves as much as there is room for. */
static bool *choose_prefilled(const struct block *block, const bool *is_missed)
{
    bool *is_prefilled = xcalloc(block->n_tx, sizeof *is_prefilled);
    size_t left = COMPACT_PREFILL_BYTES_MAX;
    is_prefilled[0] = true;
    for (uint32_t i = 1; i < block->n_tx; i++)
        if (is_missed[i] && block->tx[i].raw.len <= left) {
            is_prefilled[i] = true;
            left -= block->tx[i].raw.len;
        }
    return is_prefilled;
}

/* Who asked for it, knows what the block builds on, and has not told us of the block itself. Core
 * NewPoWValidBlock() */
static bool is_told(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    if (peer->state != PEER_READY || !peer->wants_compact ||
        peer->version.version < COMPACT_TELL_VERSION_MIN || !peer_has_room(p2p, peer))
        return false;
    header_sync_resolve(p2p, peer);
    return !peer_has_header(peer, node) && peer_has_header(peer, node->prev);
}

bool compact_tell_again(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    const struct compact_told *told = &p2p->serve.told;
    if (told->node != node || !node)
        return false;
    peer_send(p2p, peer, "cmpctblock", buffer_span(&told->message));
    return true;
}

void compact_tell(struct p2p *p2p, const struct block_node *node, struct block_ref *ref,
                  const struct block *block, const bool *is_missed)
{
    ASSERT(node->prev && block->n_tx > 0 && block->n_tx <= COMPACT_TXS_MAX);
    struct compact_told *told = &p2p->serve.told;
    /* One of each height, as in Core: who finds two blocks is not to make us send twice. */
    if (told->node && node->height <= told->node->height)
        return;
    forget(told);
    told->node = node;
    told->block = block_ref_hold(ref);
    told->told_us = p2p_now_us(p2p);
    note_ends(told, block);
    bool *is_prefilled = choose_prefilled(block, is_missed);
    uint64_t nonce;
    env_random(p2p->env, &nonce, sizeof nonce);
    struct writer w = writer_to_growing(&told->message);
    compact_block_encode(&w, block, nonce, is_prefilled);
    xfree(is_prefilled);
    struct peer *next;
    for (struct peer *peer = p2p->peers; peer; peer = next) {
        next = peer->next;
        if (!is_told(p2p, peer, node))
            continue;
        (void)compact_tell_again(p2p, peer, node);
        peer->headers.best_sent = node;
        /* What this node does with the block itself takes milliseconds. */
        env_stream_flush(p2p->env, peer->stream);
    }
}

void compact_tell_checked(struct p2p *p2p, const struct block_node *node, struct block_ref *ref)
{
    const struct block *block = &ref->block;
    const struct compact_told *told = &p2p->serve.told;
    if (chain_is_initial_download(p2p->chain) || told->node == node ||
        block->n_tx > COMPACT_TXS_MAX)
        return;
    /* Who keeps no transactions does not know what others lack. */
    bool knows = p2p->mempool && !p2p->options.blocks_only;
    bool *is_missed = xcalloc(block->n_tx, sizeof *is_missed);
    for (uint32_t i = 1; knows && i < block->n_tx; i++)
        is_missed[i] = !mempool_find_wtxid(p2p->mempool, &block->tx[i].wtxid);
    compact_tell(p2p, node, ref, block, is_missed);
    xfree(is_missed);
}

bool compact_tell_is_undecided(const struct p2p *p2p, const struct block_node *node)
{
    const struct compact_told *told = &p2p->serve.told;
    return node && told->node == node && node->prev == chain_tip(p2p->chain) &&
           !block_node_has_failed(node) && p2p_now_us(p2p) - told->told_us < COMPACT_TELL_WAIT_US;
}

/* -- Answers ------------------------------------------------------------------------------------
 */

void compact_tell_block(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                        const struct block *block)
{
    if (compact_tell_again(p2p, peer, node))
        return;
    bool *is_prefilled = xcalloc(block->n_tx, sizeof *is_prefilled);
    is_prefilled[0] = true;
    uint64_t nonce;
    env_random(p2p->env, &nonce, sizeof nonce);
    struct buffer message;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    compact_block_encode(&w, block, nonce, is_prefilled);
    lent_add(p2p, peer, message.len);
    peer_send(p2p, peer, "cmpctblock", buffer_span(&message));
    buffer_deinit(&message);
    xfree(is_prefilled);
}

static void send_txs(struct p2p *p2p, struct peer *peer, const struct buffer *message, uint32_t n)
{
    log_printf(p2p->log, LOG_CMPCTBLOCK,
               "Peer %llu sent us a GETBLOCKTXN, sending a BLOCKTXN with %u txns. (%zu bytes)",
               peer_shown(peer->id), n, message->len);
    lent_add(p2p, peer, message->len);
    peer_send(p2p, peer, "blocktxn", buffer_span(message));
}

enum fault compact_tell_txs(struct p2p *p2p, struct peer *peer, const struct block *block,
                            const struct compact_wanted *wanted)
{
    if (wanted->n > 0 && wanted->indexes[wanted->n - 1] >= block->n_tx)
        return FAULT_COMPACT_INDEXES;
    struct buffer message;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    compact_txs_encode_head(&w, &block->hash, wanted->n);
    for (uint32_t i = 0; i < wanted->n; i++)
        write_span(&w, block->tx[wanted->indexes[i]].raw);
    send_txs(p2p, peer, &message, wanted->n);
    buffer_deinit(&message);
    return FAULT_NONE;
}

enum fault compact_tell_told_txs(struct p2p *p2p, struct peer *peer,
                                 const struct compact_request *request)
{
    const struct compact_told *told = &p2p->serve.told;
    ASSERT(told->node);
    if (request->n > 0 && request->indexes[request->n - 1] >= told->n_tx)
        return FAULT_COMPACT_INDEXES;
    struct buffer message;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    compact_txs_encode_head(&w, &request->hash, request->n);
    for (uint32_t i = 0; i < request->n; i++) {
        uint32_t index = request->indexes[i];
        uint32_t from = index == 0 ? told->start : told->ends[index - 1];
        write_bytes(&w, told->block->raw + from, told->ends[index] - from);
    }
    send_txs(p2p, peer, &message, request->n);
    buffer_deinit(&message);
    return FAULT_NONE;
}
