/* tx_relay.c - see tx_relay.h. */
#include "p2p/txs/tx_relay.h"

#include "p2p/state.h"
#include "p2p/txs/tx_parents.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/planted.h"

#define GETDATA_MAX    1000 /* in one message. Core: MAX_GETDATA_SZ */
#define PREFETCH_AHEAD 8    /* transactions of a block */

void tx_relay_init(struct p2p *p2p)
{
    struct tx_relay *txs = &p2p->txs;
    tx_fetch_init(&txs->fetch, p2p->key);
    orphans_init(&txs->orphans, p2p->key, p2p->log);
    tx_known_init(&txs->known, p2p->key, p2p->mempool, &txs->orphans);
}

void tx_relay_deinit(struct p2p *p2p)
{
    struct tx_relay *txs = &p2p->txs;
    ASSERT(txs->judge.pairs.count == 0 && txs->judge.no_place.count == 0);
    tx_fetch_deinit(&txs->fetch);
    orphans_deinit(&txs->orphans);
    tx_known_deinit(&txs->known);
}

bool tx_relay_is_asked(const struct p2p *p2p, const struct peer *peer)
{
    (void)p2p;
    return peer->txs.n_in_flight > 0;
}

void tx_relay_peer_ready(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_READY && !peer->has_txs);
    bool is_preferred = peer_is_outbound(peer) || (peer->permissions & PERMISSION_NOBAN) ||
                        PLANTED(p2p->env, CALLERS_ASKED_FIRST);
    bool is_unlimited =
        (peer->permissions & PERMISSION_RELAY) || PLANTED(p2p->env, ANNOUNCEMENTS_UNLIMITED);
    tx_queue_peer_init(&peer->tx_queue, peer->id);
    peer->orphans = (struct orphans_peer){.id = peer->id};
    tx_fetch_peer_init(&p2p->txs.fetch, &peer->txs, peer->id,
                       (is_preferred ? TX_FETCH_PREFERRED : 0) |
                           (is_unlimited ? TX_FETCH_UNLIMITED : 0) |
                           (peer->wants_wtxid ? TX_FETCH_BY_WTXID : 0));
    peer->has_txs = true;
}

void tx_relay_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    if (peer->has_txs) {
        tx_fetch_peer_deinit(&p2p->txs.fetch, &peer->txs);
        orphans_peer_deinit(&p2p->txs.orphans, &peer->orphans);
    }
    peer->has_txs = false;
    tx_queue_peer_deinit(&p2p->txs.queue, &peer->tx_queue);
    p2p_schedule_part_now(p2p, TURN_TXS); /* what it owed is asked of others */
}

/* -- Announcements ----------------------------------------------------------------------------- */

static const char *name_of(uint32_t type)
{
    return type == INV_WTX ? "wtx" : type == INV_TX ? "tx" : "witness-tx";
}

static void log_inv(const struct p2p *p2p, const struct peer *peer, const struct wire_inv *inv,
                    bool is_new)
{
    char id[HEX_ID_BYTES];
    if (log_is_on(p2p->log, LOG_NET))
        log_printf(p2p->log, LOG_NET, "got inv: %s %s  %s peer=%llu", name_of(inv->type),
                   hex_encode_reversed(id, span_of(inv->hash, 32)), is_new ? "new" : "have",
                   peer_shown(peer->id));
}

/* Returns: false if there is no room, or the peer has said so before. */
static bool want(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    int64_t now_us = p2p_now_us(p2p);
    uint64_t other;
    if (PLANTED(p2p->env, FIRST_ANNOUNCER_ONLY) &&
        tx_fetch_announcers(&p2p->txs.fetch, inv->hash, &other, 1) > 0)
        return false;
    if (!tx_fetch_announced(&p2p->txs.fetch, &peer->txs, inv->hash, inv->type == INV_WTX, now_us))
        return false;
    /* No sooner can it be asked for. */
    bool is_at_once = peer->txs.traits & TX_FETCH_PREFERRED;
    p2p_schedule_part(p2p, TURN_TXS, is_at_once ? now_us : now_us + TX_FETCH_DELAY_US);
    return true;
}

bool tx_relay_is_heard(const struct peer *peer, uint32_t type)
{
    if (type == INV_WTX)
        return peer->wants_wtxid;
    return type == INV_WITNESS_TX || (type == INV_TX && !peer->wants_wtxid);
}

bool tx_relay_has_room(const struct p2p *p2p, const struct peer *peer)
{
    return tx_fetch_has_room(&p2p->txs.fetch, &peer->txs, 1) &&
           !chain_is_initial_download(p2p->chain);
}

void tx_relay_announced(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    bool is_wtxid = inv->type == INV_WTX;
    struct wtxid wtxid;
    ASSERT(peer->has_txs && tx_relay_is_heard(peer, inv->type));
    memcpy(wtxid.b, inv->hash, 32);
    bool is_here = (is_wtxid && tx_parents_announced(p2p, peer, &wtxid)) ||
                   tx_known_is_no_use(&p2p->txs.known, inv->hash, is_wtxid);
    /* What there is no room for is not worth remembering either. */
    if (is_here || want(p2p, peer, inv))
        tx_tell_knows(p2p, peer, inv->hash);
    log_inv(p2p, peer, inv, !is_here);
}

void tx_relay_not_found(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    if (peer->has_txs)
        tx_fetch_answered(&p2p->txs.fetch, &peer->txs, inv->hash);
    p2p_schedule_part_now(p2p, TURN_TXS);
}

/* -- Asking ------------------------------------------------------------------------------------ */

static void send_getdata(struct p2p *p2p, struct peer *peer, const struct tx_fetch_id *ids,
                         size_t n)
{
    struct buffer message;
    /* Who has no witnesses could not tell what is meant. BIP-144, Relay */
    uint32_t by_txid = peer->version.services & NODE_WITNESS ? INV_WITNESS_TX : INV_TX;
    buffer_init(&message);
    struct writer w = writer_to_growing(&message);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct wire_inv inv = {.type = ids[i].is_wtxid ? INV_WTX : by_txid};
        memcpy(inv.hash, ids[i].id, 32);
        wire_inv_encode(&w, &inv);
    }
    peer_send(p2p, peer, "getdata", buffer_span(&message));
    buffer_deinit(&message);
}

/* All that may be asked of a peer now. */
static void ask(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    struct tx_fetch *fetch = &p2p->txs.fetch;
    while (peer->state == PEER_READY && peer->txs.best.count > 0) {
        size_t max = MIN_OF(peer->txs.best.count, (size_t)GETDATA_MAX), kept = 0;
        struct tx_fetch_id *ids = xmalloc(max * sizeof *ids);
        size_t n = tx_fetch_next(fetch, &peer->txs, now_us, ids, max);
        for (size_t i = 0; i < n; i++) {
            /* It may have come by another way since it was announced. */
            if (tx_known_has(&p2p->txs.known, ids[i].id, ids[i].is_wtxid))
                tx_fetch_forget(fetch, ids[i].id);
            else
                ids[kept++] = ids[i];
        }
        if (kept > 0)
            send_getdata(p2p, peer, ids, kept);
        xfree(ids);
    }
}

/* -- Transactions come in ---------------------------------------------------------------------- */

enum fault tx_relay_on_tx(struct p2p *p2p, struct peer *peer, struct reader *r)
{
    ASSERT(peer->state == PEER_READY);
    struct arena arena;
    struct tx tx;
    if (!peer_may_send_txs(p2p, peer))
        return FAULT_UNWANTED_TX;
    arena_init(&arena, 4096);
    bool ok = tx_decode(r, &arena, true, &tx); /* what follows is ignored, as Core does */
    arena_deinit(&arena);                      /* ids and raw stay: values, and the payload's */
    if (!ok)
        return FAULT_MALFORMED;
    tx_tell_knows(p2p, peer, tx_tell_id(peer, &tx));
    bool was_asked = tx_fetch_is_asked(&p2p->txs.fetch, &peer->txs, tx.wtxid.b) ||
                     tx_fetch_is_asked(&p2p->txs.fetch, &peer->txs, tx.txid.b);
    if (was_asked)
        tx_fetch_delivered(&peer->txs);
    else if (chain_is_initial_download(p2p->chain))
        return FAULT_NONE;
    if (tx_judge_is_known(p2p, &tx.txid, &tx.wtxid)) {
        tx_fetch_answered(&p2p->txs.fetch, &peer->txs, tx.wtxid.b);
        tx_fetch_answered(&p2p->txs.fetch, &peer->txs, tx.txid.b);
        (void)tx_parents_announced(p2p, peer, &tx.wtxid);
        score_tx(&peer->score, tx.raw.len, false, p2p_now_us(p2p));
        const struct mempool_entry *entry = mempool_find_wtxid(p2p->mempool, &tx.wtxid);
        if (entry && (peer->permissions & PERMISSION_FORCERELAY))
            tx_tell(p2p, entry);
        return FAULT_NONE;
    }
    tx_queue_add(&p2p->txs.queue, &peer->tx_queue, &tx);
    tx_judge_next(p2p);
    return FAULT_NONE;
}

/* -- What happened elsewhere ------------------------------------------------------------------- */

void tx_relay_block_connected(struct p2p *p2p, const struct block *block)
{
    struct tx_relay *txs = &p2p->txs;
    if (!p2p->mempool || chain_is_initial_download(p2p->chain))
        return;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        if (i + PREFETCH_AHEAD < block->n_tx)
            tx_known_prefetch(&p2p->txs.known, tx + PREFETCH_AHEAD);
        tx_known_confirmed(&p2p->txs.known, tx);
        tx_fetch_forget(&txs->fetch, tx->txid.b);
        tx_fetch_forget(&txs->fetch, tx->wtxid.b);
    }
    orphans_block(&txs->orphans, block->tx, block->n_tx);
    p2p_schedule_part_now(p2p, TURN_TXS);
}

/* [tx 9] Who waited for it is tried again. */
void tx_relay_added(struct p2p *p2p, const struct mempool_entry *entry)
{
    struct tx_relay *txs = &p2p->txs;
    tx_fetch_forget(&txs->fetch, entry->tx.wtxid.b);
    tx_fetch_forget(&txs->fetch, entry->tx.txid.b);
    (void)orphans_remove(&txs->orphans, &entry->tx.wtxid);
    orphans_parent_arrived(&txs->orphans, &entry->tx);
    p2p_schedule_part_now(p2p, TURN_TXS);
}

/* -- Time -------------------------------------------------------------------------------------- */

int64_t tx_relay_tick(struct p2p *p2p, int64_t now_us)
{
    if (!p2p->mempool)
        return INT64_MAX;
    tx_fetch_advance(&p2p->txs.fetch, now_us);
    for (struct peer *peer = p2p->peers; peer && p2p->txs.fetch.n_best > 0; peer = peer->next)
        ask(p2p, peer, now_us);
    tx_judge_orphan(p2p);
    return tx_fetch_next_us(&p2p->txs.fetch);
}
