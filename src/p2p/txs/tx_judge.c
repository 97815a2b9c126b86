/* tx_judge.c - see tx_judge.h. */
#include "p2p/txs/tx_judge.h"

#include "consensus/script_error.h"
#include "p2p/state.h"
#include "p2p/txs/tx_parents.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/planted.h"

/* Whatever peers have sent, the mempool has room for all that is judged at once: each by itself, or
 * both of a pair, and one orphan. A pair's parent has its place in the queue, too. */
_Static_assert(TX_QUEUE_CHECKS_MAX + 2 * TX_JUDGE_PAIRS_MAX + 1 <= MEMPOOL_PEER_PENDING_MAX,
               "checks of peers' transactions");
_Static_assert(TX_QUEUE_CHECKS_BYTES_MAX + TX_JUDGE_PAIRS_MAX * MEMPOOL_PACKAGE_WEIGHT_MAX_WU +
                       ORPHANS_TX_WEIGHT_WU <=
                   MEMPOOL_PEER_PENDING_BYTES_MAX,
               "bytes of peers' transactions");
_Static_assert(TX_JUDGE_PAIRS_MAX <= MEMPOOL_PEER_PACKAGES_MAX, "peers' packages");

/* A transaction in the mempool's hands. */
struct submission {
    struct list_link link; /* of the pairs, if it has a child or is to have one */
    struct p2p *p2p;
    uint64_t peer;
    struct tx_queue_item *item; /* NULL: an orphan, tried again */
    struct txid txid;
    struct wtxid wtxid;
    size_t len;
    struct wtxid child; /* that is tried with it */
};

bool tx_judge_is_known(const struct p2p *p2p, const struct txid *txid, const struct wtxid *wtxid)
{
    return tx_known_has(&p2p->txs.known, wtxid->b, true) ||
           recent_set_has(&p2p->txs.known.confirmed, txid->b);
}

/* -- The log, in Core's words ------------------------------------------------------------------ */

struct names {
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES];
};

static struct names names_of(const struct txid *txid, const struct wtxid *wtxid)
{
    struct names names;
    hex_encode_reversed(names.txid, span_of(txid->b, 32));
    hex_encode_reversed(names.wtxid, span_of(wtxid->b, 32));
    return names;
}

static void log_accepted(const struct p2p *p2p, uint64_t peer, const struct txid *txid,
                         const struct wtxid *wtxid)
{
    if (!log_is_on(p2p->log, LOG_MEMPOOL))
        return;
    struct names names = names_of(txid, wtxid);
    log_printf(p2p->log, LOG_MEMPOOL,
               "AcceptToMemoryPool: peer=%llu: accepted %s (wtxid=%s) (poolsz %zu txn, %zu kB)",
               peer_shown(peer), names.txid, names.wtxid, mempool_count(p2p->mempool),
               mempool_memory_bytes(p2p->mempool) / 1000);
}

static void log_refused(const struct p2p *p2p, uint64_t peer, const struct txid *txid,
                        const struct wtxid *wtxid, const struct verdict *verdict)
{
    char reason[VERDICT_REASON_BYTES];
    if (!log_is_on(p2p->log, LOG_MEMPOOLREJ))
        return;
    struct names names = names_of(txid, wtxid);
    log_printf(p2p->log, LOG_MEMPOOLREJ, "%s (wtxid=%s) from peer=%llu was not accepted: %s%s%s",
               names.txid, names.wtxid, peer_shown(peer), verdict_reason(verdict, reason),
               verdict->detail[0] ? ", " : "", verdict->detail);
}

static void log_looking(const struct p2p *p2p, const struct txid *txid, const struct wtxid *wtxid,
                        bool is_first_time)
{
    if (!log_is_on(p2p->log, LOG_TXPACKAGES))
        return;
    struct names names = names_of(txid, wtxid);
    if (is_first_time)
        log_printf(p2p->log, LOG_TXPACKAGES,
                   "tx %s (wtxid=%s) failed but reconsiderable, looking for child in orphanage",
                   names.txid, names.wtxid);
    else
        log_printf(p2p->log, LOG_TXPACKAGES,
                   "found tx %s (wtxid=%s) in reconsiderable rejects, looking for child in "
                   "orphanage",
                   names.txid, names.wtxid);
}

static void log_pair(const struct p2p *p2p, uint64_t peer, const struct mempool_package_tx tx[2],
                     bool is_accepted)
{
    if (!log_is_on(p2p->log, LOG_TXPACKAGES))
        return;
    struct names parent = names_of(&tx[0].txid, &tx[0].wtxid);
    struct names child = names_of(&tx[1].txid, &tx[1].wtxid);
    log_printf(p2p->log, LOG_TXPACKAGES,
               "package evaluation for parent %s (wtxid=%s, sender=%llu) + child %s (wtxid=%s, "
               "sender=%llu): %s",
               parent.txid, parent.wtxid, peer_shown(peer), child.txid, child.wtxid,
               peer_shown(peer), is_accepted ? "package accepted" : "package rejected");
}

/* -- What a verdict has for consequences ------------------------------------------------------- */

/* The peer's answer is no use: whoever else has announced the transaction is asked for it. Only now
 * that this is known, or everybody would be asked while the first answer is being checked. */
static void answered(struct p2p *p2p, struct peer *peer, const struct txid *txid,
                     const struct wtxid *wtxid)
{
    if (!peer || !peer->has_txs)
        return;
    tx_fetch_answered(&p2p->txs.fetch, &peer->txs, wtxid->b);
    tx_fetch_answered(&p2p->txs.fetch, &peer->txs, txid->b);
}

/* is_new: it was not here before. */
static void accepted(struct p2p *p2p, uint64_t id, const struct txid *txid,
                     const struct wtxid *wtxid, size_t len, bool is_new)
{
    struct tx_relay *txs = &p2p->txs;
    struct peer *peer = p2p_find_peer(p2p, id);
    tx_fetch_forget(&txs->fetch, wtxid->b);
    tx_fetch_forget(&txs->fetch, txid->b);
    (void)orphans_remove(&txs->orphans, wtxid);
    if (is_new)
        log_accepted(p2p, id, txid, wtxid);
    if (!peer)
        return;
    score_tx(&peer->score, len, is_new, p2p_now_us(p2p));
    if (is_new)
        peer->last_tx_s = p2p_now_s(p2p);
}

/* Nothing has been found out about it: the mempool is full of work, or our world has failed. */
static bool is_undecided(enum reject code)
{
    return code == REJECT_MEMPOOL_BUSY || reject_class(code) == REJECT_CLASS_FAULT;
}

/* Whatever it was refused for, but not for what it lacks. */
static void refused(struct p2p *p2p, const struct txid *txid, const struct wtxid *wtxid,
                    enum reject code)
{
    struct tx_relay *txs = &p2p->txs;
    ASSERT(code != REJECT_NONE && reject_class(code) != REJECT_CLASS_MISSING);
    if (is_undecided(code))
        return;
    tx_known_refused(&p2p->txs.known, txid, wtxid, code);
    if (tx_known_is_no_use(&p2p->txs.known, wtxid->b, true))
        tx_fetch_forget(&txs->fetch, wtxid->b);
    (void)orphans_remove(&txs->orphans, wtxid);
}

static void decided(struct p2p *p2p, const struct submission *submission,
                    const struct mempool_result *result)
{
    const struct txid *txid = &submission->txid;
    const struct wtxid *wtxid = &submission->wtxid;
    struct peer *peer = p2p_find_peer(p2p, submission->peer);
    enum reject code = result->verdict.code;
    if (code == REJECT_NONE || result->was_known) {
        accepted(p2p, submission->peer, txid, wtxid, submission->len, code == REJECT_NONE);
        return;
    }
    log_refused(p2p, submission->peer, txid, wtxid, &result->verdict);
    /* A miner may think otherwise. What has no witness, or is here already, would only take the
     * place of others. */
    if (submission->item && result->tx && code != REJECT_TX_SCRIPT_STRIPPED &&
        !is_undecided(code) && !orphans_find(&p2p->txs.orphans, wtxid))
        compact_extra_add(&p2p->compact_extra, result->tx);
    if (reject_class(code) != REJECT_CLASS_MISSING)
        refused(p2p, txid, wtxid, code);
    else if (peer && peer->has_txs && result->tx && submission->item &&
             !recent_set_has(&p2p->txs.known.rejects, wtxid->b))
        tx_parents_keep(p2p, peer, result->tx);
    if (PLANTED(p2p->env, OLDEST_ORPHAN_GOES) && p2p->txs.orphans.all.count > 100)
        (void)orphans_remove(&p2p->txs.orphans,
                             &LIST_FIRST(struct orphan, &p2p->txs.orphans.all, link)->wtxid);
    answered(p2p, peer, txid, wtxid);
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

static bool is_script_failure(const struct verdict *verdict)
{
    return verdict->code == REJECT_TX_SCRIPT_FAILED || verdict->code == REJECT_TX_SCRIPT_STRIPPED;
}

/* What was refused has cost us something; its sender's turn comes later for it. Core judges one
 * message of each peer in turn, and so waits for the costly ones, but blames nobody: with our
 * threads they would cost more, so whose scripts fail without end has to go. */
static void charge(struct p2p *p2p, uint64_t id, const struct verdict *verdict, double cost_vb)
{
    struct peer *peer = p2p_find_peer(p2p, id);
    if (!peer || verdict->code == REJECT_NONE || reject_class(verdict->code) == REJECT_CLASS_FAULT)
        return;
    bool is_blamed =
        is_script_failure(verdict) && !is_of_later_rules((enum script_error)verdict->script_error);
    if (tx_queue_charge(&peer->tx_queue, cost_vb, is_blamed, p2p_now_us(p2p)))
        peer_fault(p2p, peer, FAULT_TXS_FAIL, "");
}

/* -- A parent with its child ------------------------------------------------------------------- */

/* For what child is looked. */
struct match {
    const struct p2p *p2p;
    const struct submission *parent;
};

/* A child that has not been tried with it. */
static bool fits(void *arg, const struct orphan *child)
{
    const struct match *match = arg;
    const struct submission *parent = match->parent;
    const struct tx_relay *txs = &match->p2p->txs;
    if (tx_known_has_pair(&match->p2p->txs.known, &parent->wtxid, &child->wtxid) ||
        recent_set_has(&txs->known.rejects, child->wtxid.b))
        return false;
    LIST_EACH (struct submission, other, &txs->judge.pairs, link)
        if (memcmp(other->wtxid.b, parent->wtxid.b, 32) == 0 &&
            memcmp(other->child.b, child->wtxid.b, 32) == 0)
            return false;
    return true;
}

static void on_pair_result(void *arg, const struct mempool_package_result *result);

/* Both come from our own tables, decoded before. */
static void submit_pair(struct submission *submission, const struct orphan *child)
{
    struct p2p *p2p = submission->p2p;
    const struct span raw[2] = {span_of(submission->item->raw, submission->item->len),
                                span_of(child->raw, child->raw_len)};
    struct arena arena;
    struct tx txs[2];
    arena_init(&arena, 4096);
    for (size_t i = 0; i < 2; i++) {
        struct reader r = reader_of(raw[i]);
        bool ok = tx_decode(&r, &arena, true, &txs[i]);
        ASSERT(ok);
    }
    const struct mempool_package package = {.txs = txs, .n = 2, .flags = MEMPOOL_FROM_PEER};
    submission->child = child->wtxid;
    list_add(&p2p->txs.judge.pairs, &submission->link);
    orphans_hold(&p2p->txs.orphans, &child->wtxid);
    p2p->n_operations++;
    mempool_accept_package(p2p->mempool, &package, on_pair_result, submission);
    arena_deinit(&arena);
}

/* Only children that the same peer has announced are tried: nobody can keep the right one away by
 * sending many wrong ones. Core: Find1P1CPackage()
 *
 * Returns:  false if there is none */
static bool try_pair(struct submission *submission)
{
    struct p2p *p2p = submission->p2p;
    struct tx_judge *judge = &p2p->txs.judge;
    struct match match = {.p2p = p2p, .parent = submission};
    const struct peer *peer = p2p_find_peer(p2p, submission->peer);
    const struct orphan *child = peer ? orphans_find_child(&p2p->txs.orphans, &submission->txid,
                                                           &peer->orphans, fits, &match)
                                      : NULL;
    if (!child)
        return false;
    if (judge->pairs.count >= TX_JUDGE_PAIRS_MAX)
        list_add(&judge->no_place, &submission->link);
    else
        submit_pair(submission, child);
    return true;
}

/* -- The end ----------------------------------------------------------------------------------- */

/* Nothing more is to be done with a transaction. Takes submission and frees it. */
static void finish(struct submission *submission_take)
{
    struct p2p *p2p = submission_take->p2p;
    struct peer *peer = p2p_find_peer(p2p, submission_take->peer);
    if (submission_take->item) {
        tx_queue_done(&p2p->txs.queue, peer ? &peer->tx_queue : NULL, submission_take->item);
    } else {
        p2p->txs.judge.orphan_pending = false;
        if (peer)
            peer->orphans.n_trying--;
    }
    xfree(submission_take);
    if (p2p->is_running && peer && peer->state != PEER_GONE)
        peer_decided(p2p, peer);
}

/* One place has become free. */
static void try_waiting_pairs(struct p2p *p2p)
{
    struct tx_judge *judge = &p2p->txs.judge;
    struct submission *submission;
    while (judge->pairs.count < TX_JUDGE_PAIRS_MAX &&
           (submission = LIST_POP(struct submission, &judge->no_place, link))) {
        if (p2p->is_running && try_pair(submission))
            continue;
        answered(p2p, p2p_find_peer(p2p, submission->peer), &submission->txid, &submission->wtxid);
        finish(submission);
    }
}

static void go_on(struct p2p *p2p)
{
    if (p2p->is_running)
        tx_judge_next(p2p);
    p2p_schedule_part_now(p2p, TURN_PEERS); /* its peer may go on */
    p2p_schedule_part_now(p2p, TURN_TXS);   /* orphans may have work */
}

/* The child first: so it is no orphan any more when its parent is known to be in. */
static void decided_pair(struct p2p *p2p, const struct submission *submission,
                         const struct mempool_package_result *result)
{
    struct peer *peer = p2p_find_peer(p2p, submission->peer);
    bool is_known = true; /* what became of each */
    double cost_vb = 0;
    for (uint32_t i = 0; i < result->n; i++) {
        const struct mempool_package_tx *tx = &result->tx[i];
        is_known =
            is_known && !(tx->state == MEMPOOL_PACKAGE_REFUSED && is_undecided(tx->verdict.code));
        cost_vb += tx->weight_wu / (double)WITNESS_SCALE;
    }
    if (result->verdict.code != REJECT_NONE && !is_undecided(result->verdict.code) && is_known)
        tx_known_refused_pair(&p2p->txs.known, &submission->wtxid, &submission->child);
    for (uint32_t i = result->n; i-- > 0;) {
        const struct mempool_package_tx *tx = &result->tx[i];
        bool is_in = tx->state == MEMPOOL_PACKAGE_VALID;
        if (is_in || tx->state == MEMPOOL_PACKAGE_KNOWN)
            accepted(p2p, submission->peer, &tx->txid, &tx->wtxid, tx->weight_wu / WITNESS_SCALE,
                     is_in);
        if (tx->state == MEMPOOL_PACKAGE_OTHER_WITNESS)
            refused(p2p, &tx->txid, &tx->wtxid, REJECT_SAME_NONWITNESS_DATA);
        if (tx->state != MEMPOOL_PACKAGE_REFUSED)
            continue;
        log_refused(p2p, submission->peer, &tx->txid, &tx->wtxid, &tx->verdict);
        if (reject_class(tx->verdict.code) != REJECT_CLASS_MISSING)
            refused(p2p, &tx->txid, &tx->wtxid, tx->verdict.code);
        charge(p2p, submission->peer, &tx->verdict,
               is_script_failure(&tx->verdict)
                   ? cost_vb
                   : tx->weight_wu / (double)WITNESS_SCALE / TX_QUEUE_REFUSED_DIVIDE);
    }
    answered(p2p, peer, &submission->txid, &submission->wtxid);
}

static void on_pair_result(void *arg, const struct mempool_package_result *result)
{
    struct submission *submission = arg;
    struct p2p *p2p = submission->p2p;
    p2p_enter(p2p);
    ASSERT(p2p->n_operations > 0 && result->n == 2);
    p2p->n_operations--;
    list_remove(&p2p->txs.judge.pairs, &submission->link);
    orphans_release(&p2p->txs.orphans, &submission->child);
    log_pair(p2p, submission->peer, result->tx, result->verdict.code == REJECT_NONE);
    if (p2p->is_running)
        decided_pair(p2p, submission, result);
    finish(submission);
    try_waiting_pairs(p2p);
    go_on(p2p);
    p2p_leave(p2p);
}

/* -- One alone --------------------------------------------------------------------------------- */

static void on_result(void *arg, const struct mempool_result *result)
{
    struct submission *submission = arg;
    struct p2p *p2p = submission->p2p;
    bool is_first_time = submission->item != NULL;
    p2p_enter(p2p);
    ASSERT(p2p->n_operations > 0);
    p2p->n_operations--;
    bool is_poor = reject_class(result->verdict.code) == REJECT_CLASS_RECONSIDERABLE;
    if (p2p->is_running) {
        decided(p2p, submission, result);
        charge(p2p, submission->peer, &result->verdict,
               result->scripts_ran ? (double)result->vbytes
                                   : (double)submission->len / TX_QUEUE_REFUSED_DIVIDE);
    }
    bool goes_on = false;
    if (p2p->is_running && is_poor && is_first_time) {
        log_looking(p2p, &submission->txid, &submission->wtxid, true);
        goes_on = try_pair(submission);
    }
    if (!goes_on)
        finish(submission);
    go_on(p2p);
    p2p_leave(p2p);
}

static struct submission *new_submission(struct p2p *p2p, uint64_t peer, const struct txid *txid,
                                         const struct wtxid *wtxid, size_t len)
{
    ASSERT(p2p->mempool && peer != 0);
    struct submission *submission = xcalloc(1, sizeof *submission);
    *submission =
        (struct submission){.p2p = p2p, .peer = peer, .txid = *txid, .wtxid = *wtxid, .len = len};
    return submission;
}

static void submit(struct submission *submission, struct span raw)
{
    struct p2p *p2p = submission->p2p;
    p2p->n_operations++;
    mempool_accept(p2p->mempool, raw, MEMPOOL_FROM_PEER, 0, on_result, submission);
}

void tx_judge_next(struct p2p *p2p)
{
    struct tx_queue_item *item;
    while ((item = tx_queue_take(&p2p->txs.queue, p2p_now_us(p2p)))) {
        struct peer *peer = p2p_find_peer(p2p, item->peer);
        struct submission *submission =
            new_submission(p2p, item->peer, &item->txid, &item->wtxid, item->len);
        submission->item = item;
        bool is_known = tx_judge_is_known(p2p, &item->txid, &item->wtxid);
        bool is_poor = !is_known && tx_known_is_reconsiderable(&p2p->txs.known, &item->wtxid);
        if (is_poor)
            log_looking(p2p, &item->txid, &item->wtxid, false);
        if (!is_known && !is_poor) {
            submit(submission, span_of(item->raw, item->len));
        } else if (is_known || !try_pair(submission)) {
            answered(p2p, peer, &item->txid, &item->wtxid);
            finish(submission);
        }
    }
}

void tx_judge_orphan(struct p2p *p2p)
{
    struct orphans_peer *peer;
    if (p2p->txs.judge.orphan_pending && !PLANTED(p2p->env, ORPHANS_ALL_AT_ONCE))
        return;
    const struct orphan *orphan = orphans_next(&p2p->txs.orphans, &peer);
    if (!orphan)
        return;
    p2p->txs.judge.orphan_pending = true;
    submit(new_submission(p2p, peer->id, &orphan->txid, &orphan->wtxid, orphan->raw_len),
           span_of(orphan->raw, orphan->raw_len));
    if (PLANTED(p2p->env, ORPHANS_ALL_AT_ONCE))
        p2p_schedule_part_now(p2p, TURN_TXS);
}
