/* tx_relay.c - see tx_relay.h. */
#include "p2p/txs/tx_relay.h"

#include "consensus/script_error.h"
#include "p2p/state.h"
#include "util/alloc.h"

#define GETDATA_BATCH 100
#define PARENTS_MAX   64 /* asked for on behalf of one orphan */

#define PREFETCH_AHEAD 8 /* transactions of a block */

/* A transaction in the mempool's hands. */
struct submission {
    struct p2p *p2p;
    uint64_t peer;
    struct tx_queue_item *item; /* NULL: an orphan, tried again */
    struct txid txid;
    struct wtxid wtxid;
    size_t len;
};

void tx_relay_init(struct p2p *p2p)
{
    struct tx_relay *txs = &p2p->txs;
    tx_fetch_init(&txs->fetch, p2p->key);
    orphans_init(&txs->orphans, p2p->key);
    recent_set_init(&txs->rejects, p2p->key, TX_RELAY_REJECTS_MAX);
    recent_set_init(&txs->confirmed, p2p->key, TX_RELAY_CONFIRMED_MAX);
}

void tx_relay_deinit(struct p2p *p2p)
{
    struct tx_relay *txs = &p2p->txs;
    tx_fetch_deinit(&txs->fetch);
    orphans_deinit(&txs->orphans);
    recent_set_deinit(&txs->rejects);
    recent_set_deinit(&txs->confirmed);
}

bool tx_relay_is_asked(const struct p2p *p2p, const struct peer *peer)
{
    (void)p2p;
    return peer->txs.n_in_flight > 0;
}

void tx_relay_peer_ready(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_READY && !peer->has_txs);
    bool is_preferred = peer_is_outbound(peer) || (peer->permissions & PERMISSION_NOBAN);
    tx_queue_peer_init(&peer->tx_queue, peer->id);
    tx_fetch_peer_init(&p2p->txs.fetch, &peer->txs, peer->id, is_preferred,
                       peer->permissions & PERMISSION_RELAY);
    peer->has_txs = true;
}

void tx_relay_peer_gone(struct p2p *p2p, struct peer *peer)
{
    ASSERT(peer->state == PEER_GONE);
    if (peer->has_txs)
        tx_fetch_peer_deinit(&p2p->txs.fetch, &peer->txs, p2p_now_us(p2p));
    peer->has_txs = false;
    tx_queue_peer_deinit(&p2p->txs.queue, &peer->tx_queue);
    orphans_peer_gone(&p2p->txs.orphans, peer->id);
}

/* -- Announcements ------------------------------------------------------------------------------
 */

static bool is_here(const struct p2p *p2p, const uint8_t id[32], bool is_wtxid)
{
    const struct tx_relay *txs = &p2p->txs;
    struct wtxid wtxid;
    struct txid txid;
    memcpy(wtxid.b, id, 32);
    memcpy(txid.b, id, 32);
    if (recent_set_has(&txs->rejects, id) || recent_set_has(&txs->confirmed, id))
        return true;
    if (is_wtxid)
        return mempool_find_wtxid(p2p->mempool, &wtxid) || orphans_find(&txs->orphans, &wtxid);
    return mempool_find(p2p->mempool, &txid) != NULL;
}

/* The transaction itself is here, was refused, or is in a block. */
static bool is_known(const struct p2p *p2p, const struct txid *txid, const struct wtxid *wtxid)
{
    return is_here(p2p, wtxid->b, true) || recent_set_has(&p2p->txs.confirmed, txid->b);
}

static bool any_wtxid_peer(const struct p2p *p2p)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->state == PEER_READY && peer->wants_wtxid)
            return true;
    return false;
}

/* How long to wait for somebody better to ask. */
static int64_t delay_of(const struct p2p *p2p, const struct peer *peer, bool is_wtxid)
{
    int64_t delay_us = 0;
    if (!peer->txs.is_preferred)
        delay_us += TX_FETCH_INBOUND_DELAY_US;
    if (!is_wtxid && any_wtxid_peer(p2p))
        delay_us += TX_FETCH_TXID_DELAY_US;
    return delay_us;
}

/* Returns: false if there is no room, or the peer has said so before. */
static bool want(struct p2p *p2p, struct peer *peer, const uint8_t id[32], bool is_wtxid)
{
    int64_t delay_us = delay_of(p2p, peer, is_wtxid);
    if (!tx_fetch_announced(&p2p->txs.fetch, &peer->txs, id, is_wtxid, delay_us, p2p_now_us(p2p)))
        return false;
    p2p_schedule(p2p, p2p_now_us(p2p) + delay_us);
    return true;
}

static void orphan_announced(struct p2p *p2p, struct peer *peer, const struct wtxid *wtxid);

void tx_relay_announced(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    bool is_wtxid = inv->type == INV_WTX;
    /* One kind of id for one peer. BIP-339, Specification */
    if (is_wtxid != peer->wants_wtxid)
        return;
    /* Asked first: a flood has to be cheap. */
    if (!tx_fetch_has_room(&p2p->txs.fetch, &peer->txs) || chain_is_initial_download(p2p->chain))
        return;
    struct wtxid wtxid;
    memcpy(wtxid.b, inv->hash, 32);
    if (is_wtxid)
        orphan_announced(p2p, peer, &wtxid);
    /* What there is no room for is not worth remembering either. */
    if (is_here(p2p, inv->hash, is_wtxid) || want(p2p, peer, inv->hash, is_wtxid))
        (void)recent_set_add(&peer->relay.known, inv->hash);
}

void tx_relay_not_found(struct p2p *p2p, struct peer *peer, const struct wire_inv *inv)
{
    if (peer->has_txs)
        tx_fetch_answered(&p2p->txs.fetch, &peer->txs, inv->hash, p2p_now_us(p2p));
    p2p_schedule_now(p2p);
}

/* -- Asking -------------------------------------------------------------------------------------
 */

static void ask(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    struct tx_fetch_id ids[GETDATA_BATCH];
    uint8_t bytes[3 + GETDATA_BATCH * WIRE_INV_BYTES];
    size_t n = tx_fetch_next(&p2p->txs.fetch, &peer->txs, now_us, ids, GETDATA_BATCH), kept = 0;
    for (size_t i = 0; i < n; i++) {
        /* It may have come by another way since it was announced. */
        if (is_here(p2p, ids[i].id, ids[i].is_wtxid))
            tx_fetch_forget(&p2p->txs.fetch, ids[i].id);
        else
            ids[kept++] = ids[i];
    }
    /* Who has no witnesses could not tell what is meant. BIP-144, Relay */
    uint32_t by_txid = peer->version.services & NODE_WITNESS ? INV_WITNESS_TX : INV_TX;
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, kept);
    for (size_t i = 0; i < kept; i++) {
        struct wire_inv inv = {.type = ids[i].is_wtxid ? INV_WTX : by_txid};
        memcpy(inv.hash, ids[i].id, 32);
        wire_inv_encode(&w, &inv);
    }
    if (kept > 0)
        peer_send(p2p, peer, "getdata", span_of(bytes, w.len));
}

/* -- What the mempool says -----------------------------------------------------------------------
 */

/* The peer's answer is no use: whoever else has announced the transaction is asked for it. Only now
 * that this is known, or everybody would be asked while the first answer is being checked. */
static void answered(struct p2p *p2p, struct peer *peer, const struct txid *txid,
                     const struct wtxid *wtxid)
{
    if (!peer || !peer->has_txs)
        return;
    tx_fetch_answered(&p2p->txs.fetch, &peer->txs, wtxid->b, p2p_now_us(p2p));
    tx_fetch_answered(&p2p->txs.fetch, &peer->txs, txid->b, p2p_now_us(p2p));
}

static void on_result(void *arg, const struct mempool_result *result);

static void submit(struct p2p *p2p, uint64_t peer, struct span raw, const struct txid *txid,
                   const struct wtxid *wtxid, struct tx_queue_item *item)
{
    ASSERT(p2p->mempool);
    struct submission *submission = xcalloc(1, sizeof *submission);
    *submission = (struct submission){
        .p2p = p2p, .peer = peer, .item = item, .txid = *txid, .wtxid = *wtxid, .len = raw.len};
    p2p->n_operations++;
    mempool_accept(p2p->mempool, raw, MEMPOOL_FROM_PEER, 0, on_result, submission);
}

/* Give the mempool what it has room for. What has come by another way meanwhile is left out. */
static void judge_next(struct p2p *p2p)
{
    struct tx_queue *queue = &p2p->txs.queue;
    struct tx_queue_item *item;
    while ((item = tx_queue_take(queue, p2p_now_us(p2p)))) {
        struct peer *peer = p2p_find_peer(p2p, item->peer);
        if (is_known(p2p, &item->txid, &item->wtxid)) {
            answered(p2p, peer, &item->txid, &item->wtxid);
            tx_queue_done(queue, peer ? &peer->tx_queue : NULL, item);
        } else {
            submit(p2p, item->peer, span_of(item->raw, item->len), &item->txid, &item->wtxid, item);
        }
    }
}

/* Its parents are to be had from whoever has it, if from anybody. */
static void ask_parents(struct p2p *p2p, struct peer *peer, const struct orphan *orphan)
{
    size_t n = 0;
    for (size_t i = 0; i < orphan->n_parents && n < PARENTS_MAX; i++) {
        const uint8_t *parent = orphan->parents[i].b;
        if (is_here(p2p, parent, false))
            continue;
        /* As if it had announced the parent: most are under way from another peer already. */
        (void)want(p2p, peer, parent, false);
        n++;
    }
    p2p_schedule_now(p2p);
}

/* A peer has one that waits here: it may keep it from being lost, and has its parents. */
static void orphan_announced(struct p2p *p2p, struct peer *peer, const struct wtxid *wtxid)
{
    const struct orphan *orphan = orphans_announced(&p2p->txs.orphans, wtxid, peer->id);
    if (orphan && peer->has_txs)
        ask_parents(p2p, peer, orphan);
}

/* All who have announced it are its heirs; nobody need be asked for it any more. */
static void note_heirs(struct p2p *p2p, const struct tx *tx, const uint8_t id[32])
{
    uint64_t peers[ORPHANS_HEIRS_MAX];
    size_t n = tx_fetch_announcers(&p2p->txs.fetch, id, peers, COUNT_OF(peers));
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = p2p_find_peer(p2p, peers[i]);
        if (peer)
            orphan_announced(p2p, peer, &tx->wtxid);
    }
    tx_fetch_forget(&p2p->txs.fetch, id);
}

static void keep_orphan(struct p2p *p2p, struct peer *peer, const struct tx *tx)
{
    struct tx_relay *txs = &p2p->txs;
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (recent_set_has(&txs->rejects, tx->in[i].prevout.txid.b)) {
            /* A parent was refused: so would this be. */
            (void)recent_set_add(&txs->rejects, tx->wtxid.b);
            return;
        }
    if (!orphans_add(&txs->orphans, peer->id, tx, p2p_now_us(p2p))) {
        orphan_announced(p2p, peer, &tx->wtxid);
        return;
    }
    const struct orphan *orphan = orphans_find(&txs->orphans, &tx->wtxid);
    if (!orphan)
        return; /* it was pushed out at once */
    compact_extra_add(&p2p->compact_extra, tx);
    ask_parents(p2p, peer, orphan);
    note_heirs(p2p, tx, tx->wtxid.b);
    note_heirs(p2p, tx, tx->txid.b);
}

/* What a refusal lets us remember. By txid too if there is no witness: then both are one. */
static void remember_refusal(struct p2p *p2p, const struct submission *submission,
                             const struct verdict *verdict)
{
    enum reject_class class = reject_class(verdict->code);
    if (class == REJECT_CLASS_CONSENSUS || class == REJECT_CLASS_POLICY ||
        class == REJECT_CLASS_RECONSIDERABLE || class == REJECT_CLASS_PROTOCOL)
        (void)recent_set_add(&p2p->txs.rejects, submission->wtxid.b);
}

static void decided(struct p2p *p2p, const struct submission *submission,
                    const struct mempool_result *result)
{
    struct tx_relay *txs = &p2p->txs;
    struct peer *peer = p2p_find_peer(p2p, submission->peer);
    enum reject_class class = reject_class(result->verdict.code);
    bool is_in = result->verdict.code == REJECT_NONE;
    if (is_in || result->was_known) {
        tx_fetch_forget(&txs->fetch, submission->wtxid.b);
        tx_fetch_forget(&txs->fetch, submission->txid.b);
        orphans_remove(&txs->orphans, &submission->wtxid);
        if (peer)
            score_tx(&peer->score, submission->len, is_in, p2p_now_us(p2p));
        if (peer && is_in)
            peer->last_tx_s = p2p_now_s(p2p);
        return;
    }
    if (class == REJECT_CLASS_MISSING) {
        if (peer && peer->has_txs && result->tx && submission->item)
            keep_orphan(p2p, peer, result->tx);
        answered(p2p, peer, &submission->txid, &submission->wtxid);
        return;
    }
    remember_refusal(p2p, submission, &result->verdict);
    if (result->tx)
        compact_extra_add(&p2p->compact_extra, result->tx); /* a miner may think otherwise */
    answered(p2p, peer, &submission->txid, &submission->wtxid);
    if (recent_set_has(&txs->rejects, submission->wtxid.b))
        tx_fetch_forget(&txs->fetch, submission->wtxid.b);
    orphans_remove(&txs->orphans, &submission->wtxid);
    char reason[VERDICT_REASON_BYTES];
    if (!log_is_on(p2p->log, LOG_MEMPOOL))
        return;
    log_printf(p2p->log, LOG_MEMPOOL, "peer=%llu: a transaction was refused: %s",
               (unsigned long long)submission->peer, verdict_reason(&result->verdict, reason));
}

/* Later rules are no proof: who knows them already relays what we refuse. */
static bool is_of_later_rules(enum script_error error)
{
    return error == SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS ||
           error == SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM ||
           error == SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION ||
           error == SCRIPT_ERR_DISCOURAGE_OP_SUCCESS ||
           error == SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE;
}

/* What was refused has cost us something; its sender's turn comes later for it. Core judges one
 * message of each peer in turn, and so waits for the costly ones, but blames nobody: with our
 * threads they would cost more, so whose scripts fail without end has to go. */
static void charge(struct p2p *p2p, const struct submission *submission,
                   const struct mempool_result *result)
{
    struct peer *peer = p2p_find_peer(p2p, submission->peer);
    const struct verdict *verdict = &result->verdict;
    enum reject_class class = reject_class(verdict->code);
    if (!peer || verdict->code == REJECT_NONE || class == REJECT_CLASS_FAULT)
        return;
    bool is_script =
        verdict->code == REJECT_TX_SCRIPT_FAILED || verdict->code == REJECT_TX_SCRIPT_STRIPPED;
    double cost_vb = result->scripts_ran ? (double)result->vbytes
                                         : (double)submission->len / TX_QUEUE_REFUSED_DIVIDE;
    bool is_blamed = is_script && !is_of_later_rules((enum script_error)verdict->script_error);
    if (tx_queue_charge(&peer->tx_queue, cost_vb, is_blamed, p2p_now_us(p2p)))
        peer_fault(p2p, peer, FAULT_TXS_FAIL, "");
}

static void on_result(void *arg, const struct mempool_result *result)
{
    struct submission *submission = arg;
    struct p2p *p2p = submission->p2p;
    p2p_enter(p2p);
    ASSERT(p2p->n_operations > 0);
    p2p->n_operations--;
    struct peer *peer = p2p_find_peer(p2p, submission->peer);
    if (!submission->item)
        p2p->txs.orphan_pending = false;
    else
        tx_queue_done(&p2p->txs.queue, peer ? &peer->tx_queue : NULL, submission->item);
    if (p2p->is_running) {
        decided(p2p, submission, result);
        charge(p2p, submission, result);
        judge_next(p2p);
        if (peer && peer->state != PEER_GONE)
            peer_decided(p2p, peer);
    }
    xfree(submission);
    p2p_schedule_now(p2p); /* its peer may go on; orphans may have work */
    p2p_leave(p2p);
}

/* -- Transactions come in ------------------------------------------------------------------------
 */

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
    (void)recent_set_add(&peer->relay.known, tx.wtxid.b);
    (void)recent_set_add(&peer->relay.known, tx.txid.b);
    bool was_asked = tx_fetch_is_asked(&p2p->txs.fetch, &peer->txs, tx.wtxid.b) ||
                     tx_fetch_is_asked(&p2p->txs.fetch, &peer->txs, tx.txid.b);
    if (was_asked)
        tx_fetch_delivered(&peer->txs);
    else if (chain_is_initial_download(p2p->chain))
        return FAULT_NONE;
    if (is_known(p2p, &tx.txid, &tx.wtxid)) {
        answered(p2p, peer, &tx.txid, &tx.wtxid);
        orphan_announced(p2p, peer, &tx.wtxid);
        score_tx(&peer->score, tx.raw.len, false, p2p_now_us(p2p));
        const struct mempool_entry *entry = mempool_find_wtxid(p2p->mempool, &tx.wtxid);
        if (entry && (peer->permissions & PERMISSION_FORCERELAY))
            tx_tell(p2p, entry);
        return FAULT_NONE;
    }
    tx_queue_add(&p2p->txs.queue, &peer->tx_queue, &tx);
    judge_next(p2p);
    return FAULT_NONE;
}

/* -- What happened elsewhere ---------------------------------------------------------------------
 */

static void prefetch_confirmed(const struct tx_relay *txs, const struct tx *tx)
{
    recent_set_prefetch(&txs->confirmed, tx->txid.b);
    if (tx->has_witness)
        recent_set_prefetch(&txs->confirmed, tx->wtxid.b);
}

void tx_relay_block_connected(struct p2p *p2p, const struct block *block)
{
    struct tx_relay *txs = &p2p->txs;
    if (!p2p->mempool || chain_is_initial_download(p2p->chain))
        return;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        if (i + PREFETCH_AHEAD < block->n_tx)
            prefetch_confirmed(txs, tx + PREFETCH_AHEAD);
        (void)recent_set_add(&txs->confirmed, tx->txid.b);
        if (tx->has_witness)
            (void)recent_set_add(&txs->confirmed, tx->wtxid.b);
        tx_fetch_forget(&txs->fetch, tx->txid.b);
        tx_fetch_forget(&txs->fetch, tx->wtxid.b);
    }
    orphans_block(&txs->orphans, block->tx, block->n_tx);
    p2p_schedule_now(p2p);
}

void tx_relay_tip_changed(struct p2p *p2p)
{
    /* What was refused on the old tip may be good on the new one. */
    recent_set_clear(&p2p->txs.rejects);
}

/* [tx 9] Who waited for it is tried again. */
void tx_relay_added(struct p2p *p2p, const struct mempool_entry *entry)
{
    tx_fetch_forget(&p2p->txs.fetch, entry->tx.wtxid.b);
    tx_fetch_forget(&p2p->txs.fetch, entry->tx.txid.b);
    orphans_parent_arrived(&p2p->txs.orphans, &entry->tx.txid);
    p2p_schedule_now(p2p);
}

/* -- Time ---------------------------------------------------------------------------------------
 */

/* One orphan per turn, and none while the last one is still being looked at: hazard 53. */
static void try_orphan(struct p2p *p2p)
{
    if (p2p->txs.orphan_pending)
        return;
    const struct orphan *orphan = orphans_next(&p2p->txs.orphans);
    if (!orphan)
        return;
    p2p->txs.orphan_pending = true;
    submit(p2p, orphan->peer, span_of(orphan->raw, orphan->raw_len), &orphan->txid, &orphan->wtxid,
           NULL);
}

int64_t tx_relay_tick(struct p2p *p2p, int64_t now_us)
{
    if (!p2p->mempool)
        return INT64_MAX;
    int64_t next_us = tx_fetch_expire(&p2p->txs.fetch, now_us);
    int64_t orphan_us = orphans_expire(&p2p->txs.orphans, now_us);
    next_us = MIN_OF(next_us, orphan_us);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next) {
        if (peer->state != PEER_READY)
            continue;
        int64_t at_us = tx_fetch_next_us(&peer->txs);
        if (at_us <= now_us) {
            ask(p2p, peer, now_us);
            at_us = tx_fetch_next_us(&peer->txs);
        }
        next_us = MIN_OF(next_us, at_us);
    }
    try_orphan(p2p);
    return next_us;
}
