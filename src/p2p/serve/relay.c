/* relay.c - see relay.h. */
#include "p2p/serve/relay.h"

#include <stdlib.h>

#include "p2p/core/recent_set.h"
#include "p2p/headers/header_ask.h"
#include "p2p/state.h"
#include "util/alloc.h"
#include "util/planted.h"

#define TRICKLE_TARGET     70 /* told in one go, and a share of what waits. Core: 14 a second */
#define FEE_FILTER_MAX_SAT INT64_C(9170997) /* asks for no transaction at all, while we sync */
#define INV_PART           35

/* -- Blocks -------------------------------------------------------------------------------------
 */

/* The last blocks of the way from one tip to another, oldest first. Returns: how many */
static size_t new_blocks(const struct block_node *from, const struct block_node *tip,
                         const struct block_node *out[RELAY_BLOCKS_MAX])
{
    const struct block_node *fork = from ? block_node_fork(from, tip) : tip->prev;
    int32_t above = tip->height - (fork ? fork->height : -1);
    size_t n = above < RELAY_BLOCKS_MAX ? (size_t)above : RELAY_BLOCKS_MAX;
    const struct block_node *node = tip;
    for (size_t i = n; i > 0; i--, node = node->prev)
        out[i - 1] = node;
    return n;
}

void relay_tip_changed(struct p2p *p2p, const struct block_node *tip)
{
    const struct block_node *from = p2p->relay.last_tip, *news[RELAY_BLOCKS_MAX];
    p2p->relay.last_tip = tip;
    if (chain_is_initial_download(p2p->chain))
        return;
    size_t n = new_blocks(from, tip, news);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        struct peer_relay *relay = &peer->relay;
        if (peer->state != PEER_READY)
            continue;
        for (size_t i = 0; i < n; i++, relay->n_tips++)
            if (relay->n_tips < RELAY_BLOCKS_MAX)
                relay->tips[relay->n_tips] = news[i];
        /* The sync is over: what peers are told of from now on is wanted. Core does so at once. */
        if (relay->fee_filter_sent == FEE_FILTER_MAX_SAT)
            relay->next_fee_filter_us = 0;
    }
    p2p_schedule_now(p2p);
}

static void tell_by_inv(struct p2p *p2p, struct peer *peer, const struct block_node *tip)
{
    uint8_t bytes[1 + WIRE_INV_BYTES];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    struct wire_inv inv = {.type = INV_BLOCK};
    memcpy(inv.hash, tip->hash.b, 32);
    write_compact_size(&w, 1);
    wire_inv_encode(&w, &inv);
    peer_send(p2p, peer, "inv", span_of(bytes, w.len));
}

/* Those of the new blocks that are to be told as headers: they are few, follow each other, and the
 * first one's parent is known to the peer. *n 0: it has them all.
 *
 * Returns:  false if a hash must do */
static bool choose_headers(const struct p2p *p2p, const struct peer *peer,
                           const struct block_node *out[RELAY_BLOCKS_MAX], size_t *n)
{
    const struct peer_relay *relay = &peer->relay;
    *n = 0;
    bool wants = peer->wants_headers || (peer->wants_compact && relay->n_tips == 1);
    if (!wants || relay->n_tips > RELAY_BLOCKS_MAX)
        return false;
    for (size_t i = 0; i < relay->n_tips; i++) {
        const struct block_node *node = relay->tips[i];
        if (!chain_contains(p2p->chain, node) || (i > 0 && node->prev != relay->tips[i - 1]))
            return false; /* a reorganisation came between */
        if (*n == 0 && peer_has_header(peer, node))
            continue;
        if (*n == 0 && node->prev && !peer_has_header(peer, node->prev))
            return false;
        out[(*n)++] = node;
    }
    return true;
}

static void tell_by_headers(struct p2p *p2p, struct peer *peer,
                            const struct block_node *const *told, size_t n)
{
    uint8_t bytes[1 + RELAY_BLOCKS_MAX * (BLOCK_HEADER_BYTES + 1)];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct block_header header = block_node_header(told[i]);
        block_header_encode(&w, &header);
        write_u8(&w, 0);
    }
    peer_send(p2p, peer, "headers", span_of(bytes, w.len));
}

/* By headers to who wants them, if they connect to what it has; a single one by short ids to who
 * wants that. BIP-130, Specification; BIP-152, sendcmpct; Core SendMessages() */
static void tell_blocks(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->relay.n_tips > 0);
    const struct block_node *tip = chain_tip(p2p->chain), *told[RELAY_BLOCKS_MAX];
    size_t n;
    bool is_by_headers = choose_headers(p2p, peer, told, &n);
    peer->relay.n_tips = 0;
    if (!is_by_headers) {
        if (!peer_has_header(peer, tip))
            tell_by_inv(p2p, peer, tip);
        return;
    }
    if (n == 0)
        return;
    if (n > 1 || !peer->wants_compact || !serve_recent_compact(p2p, peer, told[0])) {
        if (!peer->wants_headers) {
            tell_by_inv(p2p, peer, tip);
            return;
        }
        tell_by_headers(p2p, peer, told, n);
    }
    peer->headers.best_sent = told[n - 1];
}

/* -- Transactions -------------------------------------------------------------------------------
 */

/* Fewer ancestors first, so that parents are told before children; then the better fee. */
static int compare_entries(const void *a, const void *b)
{
    const struct mempool_entry *x = *(const struct mempool_entry *const *)a;
    const struct mempool_entry *y = *(const struct mempool_entry *const *)b;
    if (x->n_parents != y->n_parents && (x->n_parents == 0 || y->n_parents == 0))
        return x->n_parents == 0 ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static bool has_to_tell(const struct peer_relay *relay)
{
    return relay->queue.n > 0 || relay->wants_mempool;
}

static bool passes_filter(const struct peer *peer, const struct mempool_entry *entry)
{
    /* As fee * 1000 >= filter * size, which a filter of all money would make overflow. */
    return entry->fee_sat * 1000 / (int64_t)entry->vbytes >= peer->fee_filter_sat_per_kvb;
}

static void send_inv(struct p2p *p2p, struct peer *peer, const struct mempool_entry *const *entries,
                     size_t n)
{
    struct buffer message;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        /* BIP-339, Specification */
        struct wire_inv inv = {.type = peer->wants_wtxid ? INV_WTX : INV_TX};
        memcpy(inv.hash, peer->wants_wtxid ? entries[i]->tx.wtxid.b : entries[i]->tx.txid.b, 32);
        wire_inv_encode(&w, &inv);
        tx_tell_knows(p2p, peer, inv.hash);
    }
    if (n > 0)
        peer_send(p2p, peer, "inv", buffer_span(&message));
    buffer_deinit(&message);
}

/* All that it may want to hear of, even again. BIP-35, Specification; BIP-133, Specification */
static void tell_mempool(struct p2p *p2p, struct peer *peer)
{
    const struct mempool_entry *entries[INV_PART], *entry;
    uint64_t at = 0;
    size_t n = 0;
    peer->relay.wants_mempool = false;
    while ((entry = mempool_next(p2p->mempool, &at))) {
        if (passes_filter(peer, entry) && light_passes(peer, &entry->tx))
            entries[n++] = entry;
        if (n == INV_PART) {
            send_inv(p2p, peer, entries, n);
            n = 0;
        }
    }
    send_inv(p2p, peer, entries, n);
}

/* [tx 10] At a random moment of its own each peer is told.
 *
 * Tell a peer of what has gathered, the rest next time. */
static void trickle(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    struct peer_relay *relay = &peer->relay;
    size_t max = TRICKLE_TARGET + relay->queue.n / 1000 * 5, n = 0, kept = 0;
    if (relay->wants_mempool)
        tell_mempool(p2p, peer);
    if (max > RELAY_TRICKLE_MAX || (peer->permissions & PERMISSION_NOBAN))
        max = RELAY_TRICKLE_MAX;
    if (PLANTED(p2p->env, ALL_TOLD_AT_ONCE))
        max = WIRE_INV_MAX;
    const struct mempool_entry **entries = xmalloc((relay->queue.n + 1) * sizeof *entries);
    for (size_t i = 0; i < relay->queue.n; i++) {
        /* It may have left the mempool, or the peer may have told us meanwhile. */
        const struct mempool_entry *entry = mempool_find_wtxid(p2p->mempool, &relay->queue.at[i]);
        if (entry && !tx_tell_is_known(p2p, peer, &entry->tx) && passes_filter(peer, entry) &&
            light_passes(peer, &entry->tx))
            entries[n++] = entry;
    }
    qsort(entries, n, sizeof *entries, compare_entries);
    for (size_t i = max; i < n; i++)
        relay->queue.at[kept++] = entries[i]->tx.wtxid;
    relay->queue.n = kept;
    relay->told_sequence = mempool_sequence(p2p->mempool);
    send_inv(p2p, peer, entries, n < max ? n : max);
    xfree(entries);
    if (kept > 0)
        relay->next_us = now_us + (peer->permissions & PERMISSION_NOBAN
                                       ? 0
                                       : p2p_random_wait_us(p2p, RELAY_INTERVAL_OUT_US));
}

/* -- Fee filter ---------------------------------------------------------------------------------
 */

static void send_fee_filter(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    if (!peer_may_send_txs(p2p, peer) || (peer->permissions & PERMISSION_FORCERELAY)) {
        peer->relay.next_fee_filter_us = INT64_MAX;
        return;
    }
    bool is_syncing = chain_is_initial_download(p2p->chain);
    int64_t rate = is_syncing ? FEE_FILTER_MAX_SAT : mempool_min_feerate_sat_per_kvb(p2p->mempool);
    peer->relay.next_fee_filter_us =
        now_us +
        (is_syncing ? RELAY_FEE_FILTER_US / 60 : p2p_random_wait_us(p2p, RELAY_FEE_FILTER_US));
    if (rate == peer->relay.fee_filter_sent)
        return;
    uint8_t bytes[8];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    /* BIP-133, Specification */
    write_u64(&w, (uint64_t)rate);
    peer_send(p2p, peer, "feefilter", span_of(bytes, w.len));
    peer->relay.fee_filter_sent = rate;
}

enum fault relay_on_fee_filter(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)p2p;
    /* BIP-133, Specification */
    int64_t rate = (int64_t)read_u64(r);
    if (rate >= 0 && rate <= MAX_MONEY_SAT)
        peer->fee_filter_sat_per_kvb = rate;
    return FAULT_NONE;
}

/* -- Peers --------------------------------------------------------------------------------------
 */

void relay_init(struct p2p *p2p)
{
    known_by_init(&p2p->relay.known, p2p->key, RELAY_KNOWN_MAX);
}

void relay_deinit(struct p2p *p2p)
{
    ASSERT(!p2p->peers);
    known_by_deinit(&p2p->relay.known);
}

void relay_peer_ready(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_READY && !peer->relay.has_place);
    peer->relay.has_place = true;
    peer->relay.place = known_by_join(&p2p->relay.known);
    /* With -blocksonly too: the user's own transactions go out. */
    peer->relay.tells_txs = peer->version.relay && peer_may_hear_txs(p2p, peer);
    if (p2p->mempool)
        peer->relay.told_sequence = mempool_sequence(p2p->mempool);
    send_fee_filter(p2p, peer, p2p_now_us(p2p));
}

void relay_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    if (peer->relay.has_place)
        known_by_leave(&p2p->relay.known, peer->relay.place);
    peer->relay.has_place = false;
    ARRAY_FREE(&peer->relay.queue);
}

/* -- What they tell us ---------------------------------------------------------------------------
 */

enum fault relay_on_inv(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    if (wire_count_exceeds(*r, WIRE_INV_MAX))
        return FAULT_OVERSIZED;
    size_t n = wire_count_decode(r, WIRE_INV_MAX, WIRE_INV_BYTES);
    bool asks_headers = false, names_block = false;
    enum fault fault = FAULT_NONE;
    struct recent_set seen[2]; /* of this message: what it names twice counts once */
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        recent_set_init(&seen[i], p2p->key, WIRE_INV_MAX);
    for (size_t i = 0; i < n && fault == FAULT_NONE; i++) {
        struct wire_inv inv;
        wire_inv_decode(r, &inv);
        if (inv.type == INV_BLOCK) {
            struct block_hash hash;
            memcpy(hash.b, inv.hash, 32);
            names_block = true;
            asks_headers |= !header_sync_announced(p2p, peer, &hash);
            if (asks_headers && PLANTED(p2p->env, EACH_BLOCK_ASKED_FOR))
                header_ask(p2p, peer, NULL);
        } else if (!r->failed && tx_relay_is_heard(peer, inv.type)) {
            if (!peer_may_send_txs(p2p, peer))
                fault = FAULT_UNWANTED_TX;
            else if (tx_relay_has_room(p2p, peer) &&
                     (n == 1 || recent_set_add(&seen[inv.type == INV_WTX], inv.hash)))
                tx_relay_announced(p2p, peer, &inv);
        }
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        recent_set_deinit(&seen[i]);
    if (fault != FAULT_NONE || r->failed)
        return fault != FAULT_NONE ? fault : FAULT_MALFORMED;
    /* At most one question for one inv, however many blocks it names: hazard 51. */
    if (asks_headers)
        header_sync_ask_for_inv(p2p, peer);
    if (names_block)
        block_fetch_wake(p2p);
    return FAULT_NONE;
}

enum fault relay_on_mempool(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    (void)r;
    if (!(peer->permissions & PERMISSION_MEMPOOL)) {
        if (peer_asks_filter(p2p, peer) != FAULT_NONE)
            return FAULT_NOT_OFFERED;
        if (upload_is_reached(&p2p->upload))
            return FAULT_UPLOAD_LIMIT;
    }
    if (!p2p->mempool || !peer->relay.tells_txs)
        return FAULT_NONE;
    struct peer_relay *relay = &peer->relay;
    int64_t now_us = p2p_now_us(p2p);
    if (!has_to_tell(relay))
        relay->next_us = now_us + tx_tell_wait_us(p2p, peer, now_us);
    relay->wants_mempool = true;
    p2p_schedule_part(p2p, TURN_TELL, relay->next_us);
    return FAULT_NONE;
}

/* -- Time ---------------------------------------------------------------------------------------
 */

/* What our user gave us and nobody has fetched is told to those who have come since. Core:
 * ReattemptInitialBroadcast() */
static int64_t tell_again(struct p2p *p2p, int64_t now_us)
{
    struct relay *relay = &p2p->relay;
    if (!p2p->mempool)
        return INT64_MAX;
    if (relay->next_again_us > now_us)
        return relay->next_again_us;
    const struct mempool_entry *entry;
    uint64_t at = 0;
    while (mempool_unbroadcast_count(p2p->mempool) > 0 && (entry = mempool_next(p2p->mempool, &at)))
        if (entry->is_unbroadcast)
            tx_tell(p2p, entry);
    relay->next_again_us =
        now_us + RELAY_AGAIN_US + (int64_t)p2p_random(p2p, (uint64_t)RELAY_AGAIN_US / 2);
    return relay->next_again_us;
}

int64_t relay_tick(struct p2p *p2p, int64_t now_us)
{
    int64_t next_us = tell_again(p2p, now_us);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        struct peer_relay *relay = &peer->relay;
        if (peer->state != PEER_READY)
            continue;
        /* Who does not read is told when he does. */
        bool is_due = has_to_tell(relay) && relay->next_us <= now_us;
        bool has_room = (is_due || relay->n_tips > 0) && peer_has_room(p2p, peer);
        if (relay->n_tips > 0 && has_room)
            tell_blocks(p2p, peer);
        if (is_due && has_room)
            trickle(p2p, peer, now_us);
        if (relay->next_fee_filter_us <= now_us)
            send_fee_filter(p2p, peer, now_us);
        if (has_to_tell(relay) && (has_room || relay->next_us > now_us))
            next_us = MIN_OF(next_us, relay->next_us);
        next_us = MIN_OF(next_us, relay->next_fee_filter_us);
    }
    return next_us;
}
