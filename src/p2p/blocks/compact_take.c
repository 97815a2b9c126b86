/* compact_take.c - see compact_take.h. */
#include "p2p/blocks/compact_take.h"

#include "consensus/pow.h"
#include "consensus/script_flags.h"
#include "p2p/headers/header_ask.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/planted.h"

/* -- What waits for an answer -------------------------------------------------------------------
 */

static void end_pending(struct peer *peer)
{
    if (peer->compact)
        compact_fill_deinit(&peer->compact->fill);
    xfree(peer->compact);
    peer->compact = NULL;
}

/* It was asked to complete that block. */
static bool completes(const struct peer *peer, const struct block_node *node)
{
    return peer->compact && peer->compact->node == node;
}

void compact_take_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    end_pending(peer);
    compact_peers_gone(p2p, peer);
}

void compact_take_forget(struct p2p *p2p, const struct block_node *node)
{
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (completes(peer, node))
            end_pending(peer);
}

bool compact_take_is_asked(const struct p2p *p2p, const struct peer *peer)
{
    return peer->compact || block_late_is_asked(p2p, peer) || compact_peers_is_high(p2p, peer);
}

/* -- Who is trying the block already ------------------------------------------------------------
 */

struct attempts {
    size_t n;          /* peers that owe it, whole or completed */
    bool is_asked;     /* this one does */
    bool is_first;     /* it was asked before all others, or nobody was */
    bool has_outbound; /* a peer that we chose does */
};

static int first_slot(const struct block_request *request)
{
    int first = -1;
    for (int slot = 0; slot < BLOCK_REQUEST_SLOTS; slot++)
        if (request->peer[slot] &&
            (first < 0 || request->asked_us[slot] < request->asked_us[first]))
            first = slot;
    return first;
}

static struct attempts look(const struct p2p *p2p, const struct peer *who,
                            const struct block_node *node)
{
    const struct block_request *request = block_request_find(&p2p->fetch, node);
    struct attempts attempts = {0};
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next) {
        bool owes =
            completes(peer, node) || (request && block_request_slot(request, peer->id) >= 0);
        attempts.n += owes;
        attempts.has_outbound |= owes && peer_is_outbound(peer);
        attempts.is_asked |= owes && peer == who;
    }
    int first = request ? first_slot(request) : -1;
    attempts.is_first = attempts.n == 0 || (first >= 0 && request->peer[first] == who->id);
    return attempts;
}

/* Have the peer owe the block, where there is a place. */
static void owe(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    struct block_request *request = block_request_find(&p2p->fetch, node);
    if (!request)
        request = block_request_add(&p2p->fetch, node);
    if (!request->is_delivered && block_request_slot(request, peer->id) < 0 &&
        !block_request_was_tried(request, peer->id) &&
        block_request_live(request) < BLOCK_REQUEST_SLOTS)
        block_request_ask(p2p, request, peer, p2p_now_us(p2p));
}

/* It does not owe the block any more, and has not delivered it. */
static void release(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    struct block_request *request = block_request_find(&p2p->fetch, node);
    int slot = request ? block_request_slot(request, peer->id) : -1;
    if (slot >= 0)
        block_request_deny(p2p, request, slot);
    if (completes(peer, node))
        end_pending(peer);
    block_fetch_wake(p2p);
}

static void ask_whole(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    owe(p2p, peer, node);
    block_request_send(p2p, peer, &node, 1, INV_WITNESS_BLOCK);
}

/* -- Whole again --------------------------------------------------------------------------------
 */

static void log_made(const struct p2p *p2p, const struct compact_fill *fill)
{
    if (!log_is_on(p2p->log, LOG_CMPCTBLOCK))
        return;
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(fill->block.hash.b, 32));
    unsigned n_asked = 0, n_pool = 0;
    size_t bytes_asked = 0;
    for (uint32_t i = 0; i < fill->block.n_tx; i++) {
        bool is_asked = fill->from[i] == COMPACT_FROM_REPLY;
        n_asked += is_asked;
        bytes_asked += is_asked ? fill->block.tx[i].raw.len : 0;
        n_pool += fill->from[i] == COMPACT_FROM_POOL || fill->from[i] == COMPACT_FROM_EXTRA;
    }
    log_printf(p2p->log, LOG_CMPCTBLOCK,
               "Successfully reconstructed block %s with %u txn prefilled, %u txn from mempool "
               "(incl at least %u from extra pool) and %u txn (%zu bytes) requested",
               hash, fill->n_prefilled, n_pool, fill->n_extra, n_asked, bytes_asked);
}

/* Peers may hear of it, with what we had to ask for, before anything else is done with it: not even
 * its bytes are there yet. */
static void tell(struct p2p *p2p, const struct block_node *node, struct block_ref *ref,
                 const struct compact_fill *fill)
{
    if (node->prev != chain_tip(p2p->chain) || chain_is_initial_download(p2p->chain))
        return;
    bool *is_missed = xcalloc(fill->block.n_tx, sizeof *is_missed);
    for (uint32_t i = 0; i < fill->block.n_tx; i++)
        is_missed[i] = fill->from[i] == COMPACT_FROM_REPLY ||
                       (fill->from[i] == COMPACT_FROM_SENDER &&
                        !mempool_find_wtxid(p2p->mempool, &fill->block.tx[i].wtxid));
    p2p->up->block_made(p2p, node, ref, &fill->block, is_missed);
    xfree(is_missed);
}

static bool has_segwit(const struct p2p *p2p, const struct block_node *node)
{
    return network_is_buried_active(p2p->network, BURIED_SEGWIT, node->height);
}

/* Nothing is missing. Returns: false if it is not the block that the header names */
static bool complete(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                     struct compact_fill *fill, size_t message_bytes)
{
    struct arena scratch;
    arena_init(&scratch, 64 << 10);
    enum compact_result result = compact_fill_finish(fill, has_segwit(p2p, node), &scratch);
    arena_deinit(&scratch);
    if (result != COMPACT_OK)
        return false;
    size_t len = compact_fill_len(fill);
    struct block_ref *ref = block_ref_take(xmalloc(len), len);
    log_made(p2p, fill);
    tell(p2p, node, ref, fill);
    compact_fill_write(fill, ref->raw, len);
    if (tx_is_coinbase(&fill->block.tx[0]))
        block_ref_know_ids(ref, compact_fill_ids(fill), fill->block.n_tx);
    block_fetch_deliver(p2p, peer, node, ref, message_bytes);
    return true;
}

/* -- A block comes in ---------------------------------------------------------------------------
 */

static enum fault take_header(struct p2p *p2p, struct peer *peer, const struct compact_block *block,
                              const struct block_node **node)
{
    struct verdict verdict;
    const struct block_node *prev = chain_find(p2p->chain, &block->header.prev);
    *node = NULL;
    if (!prev) {
        if (!chain_is_initial_download(p2p->chain))
            header_ask_soon(p2p, peer);
        return FAULT_NONE;
    }
    struct u256 work = u256_add(prev->chain_work, pow_block_work(block->header.bits));
    if (u256_compare(work, header_sync_min_work(p2p)) < 0) {
        log_printf(p2p->log, LOG_NET, "Ignoring low-work compact block from peer %llu",
                   peer_shown(peer->id));
        return FAULT_NONE;
    }
    *node = chain_accept_header(p2p->chain, &block->header, &verdict);
    if (*node) {
        header_sync_update_known(peer, *node);
        laggards_told(p2p, peer);
        block_fetch_wake(p2p);
        return FAULT_NONE;
    }
    /* Who relays a block before it is verified cannot know that we have found it invalid. */
    return reject_class(verdict.code) == REJECT_CLASS_CONSENSUS &&
                   verdict.code != REJECT_DUPLICATE_INVALID
               ? FAULT_HEADER_INVALID
               : FAULT_NONE;
}

/* All that is known is held against the short ids. */
static void offer_all(const struct p2p *p2p, struct compact_fill *fill)
{
    const struct compact_extra *extra = &p2p->compact_extra;
    const struct mempool_entry *entry;
    uint64_t at = 0;
    bool wants = fill->n_missing > 0;
    while (wants && (entry = mempool_next(p2p->mempool, &at)))
        wants = compact_fill_offer(fill, &entry->tx, COMPACT_FROM_POOL);
    for (size_t i = 0; wants && i < extra->n; i++)
        wants = compact_fill_offer(fill, &extra->txs[i], COMPACT_FROM_EXTRA);
}

/* May what is missing be asked of it? The first one may, and those that we rely on, but that the
 * last place is kept for a peer that we chose. Core: already_in_flight */
static bool may_ask(const struct p2p *p2p, const struct peer *peer, const struct attempts *attempts)
{
    if (attempts->is_first || PLANTED(p2p->env, COMPACT_FROM_ONE))
        return attempts->is_first;
    return compact_peers_is_high(p2p, peer) && (peer_is_outbound(peer) || attempts->has_outbound ||
                                                attempts->n < COMPACT_TAKE_PARALLEL_MAX - 1);
}

static void ask_missing(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                        struct compact_fill *fill)
{
    struct buffer message;
    ASSERT(!peer->compact);
    compact_fill_keep(fill);
    peer->compact = xmalloc(sizeof *peer->compact);
    *peer->compact = (struct compact_pending){.node = node, .fill = *fill};
    owe(p2p, peer, node);
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    compact_fill_request(&peer->compact->fill, &w);
    peer_send(p2p, peer, "getblocktxn", buffer_span(&message));
    buffer_deinit(&message);
}

/* With all that is known. FAILED too where that is more than a block: it would be copied, and with
 * ids of its own choice a peer could name as much of the mempool as it likes. */
static enum compact_result begin(const struct p2p *p2p, struct compact_fill *fill,
                                 const struct compact_block *block, const struct arena *arena)
{
    uint64_t random;
    env_random(p2p->env, &random, sizeof random);
    enum compact_result result = compact_fill_begin(fill, block, arena, random);
    if (result == COMPACT_OK)
        offer_all(p2p, fill);
    return result == COMPACT_OK && fill->bytes > COMPACT_FILL_BYTES_MAX ? COMPACT_FAILED : result;
}

/* Put it together. Takes the arena over. */
static enum fault fill_block(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                             const struct compact_block *block, const struct arena *arena)
{
    struct compact_fill fill;
    struct attempts attempts = look(p2p, peer, node);
    bool is_tried = attempts.is_asked || (attempts.n < COMPACT_TAKE_PARALLEL_MAX &&
                                          peer->fetch.n_in_flight < BLOCK_FETCH_PEER_MAX);
    bool is_completing = peer->compact != NULL; /* another block, which it may yet deliver */
    enum compact_result result = begin(p2p, &fill, block, arena);
    bool is_whole = result == COMPACT_OK && fill.n_missing == 0;
    bool is_done = is_whole && complete(p2p, peer, node, &fill, peer->frame.payload_size);
    if (result == COMPACT_OK && !is_whole && is_tried && !is_completing &&
        may_ask(p2p, peer, &attempts)) {
        ask_missing(p2p, peer, node, &fill);
        return FAULT_NONE; /* it keeps what it was filled with */
    }
    if (!is_done && result != COMPACT_INVALID && is_tried && attempts.is_first)
        ask_whole(p2p, peer, node);
    else if (!is_done)
        release(p2p, peer, node);
    compact_fill_deinit(&fill);
    return result == COMPACT_INVALID ? FAULT_COMPACT_INVALID : FAULT_NONE;
}

/* Is it here, if only on its way to become the tip? */
static bool is_here(const struct p2p *p2p, const struct block_node *node)
{
    const struct block_request *request = block_request_find(&p2p->fetch, node);
    return block_node_has_data(node) || (request && request->is_delivered);
}

/* Is it further above the tip than blocks are put together? Those that are here count as connected:
 * Core connects each as it comes. Else of several that come together the later ones would be put
 * together when the tip has moved, and be here before one in their midst that was asked for whole.
 */
static bool is_far_ahead(const struct p2p *p2p, const struct block_node *node)
{
    int32_t height = chain_tip(p2p->chain)->height;
    if (node->height > height + COMPACT_TAKE_AHEAD_MAX + COMPACT_TAKE_UNCONNECTED_MAX)
        return true;
    const struct block_node *first_gap = node;
    for (const struct block_node *at = node->prev; at && at->height > height; at = at->prev)
        if (!is_here(p2p, at))
            first_gap = at;
    return node->height >= MAX_OF(first_gap->height, height + 1) + COMPACT_TAKE_AHEAD_MAX;
}

/* Is it worth being put together? It is not here, was asked for or comes from whom we rely on, and
 * is the next block or the one after it. */
static bool is_wanted(struct p2p *p2p, struct peer *peer, const struct block_node *node)
{
    const struct block_node *tip = chain_tip(p2p->chain);
    struct attempts attempts = look(p2p, peer, node);
    if (is_here(p2p, node))
        return false;
    if (!attempts.is_asked && !compact_peers_is_high(p2p, peer) &&
        !PLANTED(p2p->env, COMPACT_FROM_ANYBODY)) {
        log_printf(p2p->log, LOG_NET,
                   "Peer %llu, not marked as high-bandwidth, sent us an unsolicited compact block!",
                   peer_shown(peer->id));
        return false;
    }
    if (p2p->options.blocks_only || !p2p->mempool)
        return false;
    if (u256_compare(node->chain_work, tip->chain_work) <= 0 || node->n_tx > 0 ||
        is_far_ahead(p2p, node)) {
        if (attempts.is_asked)
            ask_whole(p2p, peer, node);
        return false;
    }
    if (attempts.n == 0 && !block_fetch_is_current(p2p))
        return false;
    if (completes(peer, node)) {
        log_printf(p2p->log, LOG_NET, "Peer sent us compact block we were already syncing!");
        return false;
    }
    return true;
}

enum fault compact_take_on_cmpctblock(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct compact_block block;
    struct arena arena;
    const struct block_node *node;
    if (chain_is_importing(p2p->chain)) {
        log_printf(p2p->log, LOG_NET, "Unexpected cmpctblock message received from peer %llu",
                   peer_shown(peer->id));
        return FAULT_NONE;
    }
    arena_init(&arena, 4096);
    enum fault fault = FAULT_MALFORMED;
    if (compact_block_decode(r, &arena, &block)) {
        fault = take_header(p2p, peer, &block, &node);
        if (node && is_wanted(p2p, peer, node))
            return fill_block(p2p, peer, node, &block, &arena);
    }
    arena_deinit(&arena);
    return fault;
}

/* -- An answer comes in -------------------------------------------------------------------------
 */

/* It completes the block, or the whole of it is needed. */
static enum fault supply(struct p2p *p2p, struct peer *peer, const struct compact_txs *txs)
{
    struct compact_pending *pending = peer->compact;
    const struct block_node *node = pending->node;
    struct attempts attempts = look(p2p, peer, node);
    if (compact_fill_supply(&pending->fill, txs->txs, txs->n) != COMPACT_OK) {
        release(p2p, peer, node);
        return FAULT_COMPACT_TXS;
    }
    if (complete(p2p, peer, node, &pending->fill, peer->frame.payload_size)) {
        end_pending(peer);
        return FAULT_NONE;
    }
    if (!attempts.is_first) {
        log_printf(p2p->log, LOG_NET,
                   "Peer %llu sent us a compact block but it failed to reconstruct, waiting on "
                   "first download to complete",
                   peer_shown(peer->id));
        release(p2p, peer, node);
        return FAULT_NONE;
    }
    /* Two may have the same short id. It is remembered, so that no second answer is taken. */
    compact_fill_deinit(&pending->fill);
    pending->has_failed = true;
    ask_whole(p2p, peer, node);
    return FAULT_NONE;
}

static enum fault take_txs(struct p2p *p2p, struct peer *peer, const struct compact_txs *txs)
{
    const struct block_node *node = peer->compact ? peer->compact->node : NULL;
    if (!node || !block_hash_equal(&node->hash, &txs->hash)) {
        log_printf(p2p->log, LOG_NET,
                   "Peer %llu sent us block transactions for block we weren't expecting",
                   peer_shown(peer->id));
        return FAULT_NONE;
    }
    if (peer->compact->has_failed) {
        release(p2p, peer, node);
        return FAULT_COMPACT_AGAIN;
    }
    if (is_here(p2p, node)) {
        end_pending(peer); /* others were quicker */
        return FAULT_NONE;
    }
    return supply(p2p, peer, txs);
}

enum fault compact_take_on_blocktxn(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct compact_txs txs;
    struct arena arena;
    if (chain_is_importing(p2p->chain)) {
        log_printf(p2p->log, LOG_NET, "Unexpected blocktxn message received from peer %llu",
                   peer_shown(peer->id));
        return FAULT_NONE;
    }
    arena_init(&arena, 4096);
    enum fault fault = FAULT_MALFORMED;
    if (compact_txs_decode(r, &arena, &txs))
        fault = take_txs(p2p, peer, &txs);
    arena_deinit(&arena);
    return fault;
}
