/* tx_parents.c - see tx_parents.h. */
#include "p2p/txs/tx_parents.h"

#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"
#include "p2p/txs/tx_relay.h"
#include "util/alloc.h"
#include "util/hex.h"

struct txids {
    struct txid *at; /* as of ARRAY() */
    size_t n, capacity;
};

/* Those that are not here. One that was refused for its fees is asked for again: this child may pay
 * for it. */
static void keep_missing(const struct tx_known *known, struct txids *parents)
{
    size_t n = 0;
    for (size_t i = 0; i < parents->n; i++) {
        const struct txid *parent = &parents->at[i];
        if (!tx_known_has(known, parent->b, false))
            parents->at[n++] = *parent;
    }
    parents->n = n;
}

/* Returns:  whether the peer can be asked for the parents, which is new. Core:
 * MaybeAddOrphanResolutionCandidate() */
static bool add_candidate(struct p2p *p2p, struct peer *peer, const struct wtxid *wtxid,
                          const struct txids *missing)
{
    struct tx_relay *txs = p2p_txs_of(p2p);
    struct tx_fetch *fetch = &txs->fetch;
    char text[HEX_ID_BYTES];
    if (!peer->has_txs || orphans_has_from(&txs->orphans, wtxid, &peer->orphans) ||
        !tx_fetch_has_room(fetch, &peer->txs, missing->n))
        return false;
    for (size_t i = 0; i < missing->n; i++)
        (void)tx_fetch_announced(fetch, &peer->txs, missing->at[i].b, false, p2p_now_us(p2p));
    if (log_is_on(p2p_log_of(p2p), LOG_TXPACKAGES))
        log_printf(p2p_log_of(p2p), LOG_TXPACKAGES,
                   "added peer=%llu as a candidate for resolving orphan %s", peer_shown(peer->id),
                   hex_encode_reversed(text, span_of(wtxid->b, 32)));
    p2p_schedule_part_now(p2p, TURN_TXS);
    return true;
}

bool tx_parents_announced(struct p2p *p2p, struct peer *peer, const struct wtxid *wtxid)
{
    struct tx_relay *txs = p2p_txs_of(p2p);
    ASSERT(peer->state == PEER_READY);
    const struct orphan *orphan = orphans_find(&txs->orphans, wtxid);
    if (!orphan)
        return false;
    if (orphans_has_from(&txs->orphans, wtxid, &peer->orphans))
        return true; /* before its parents are looked at: they may be thousands, and said often */
    struct txids missing = {0};
    for (size_t i = 0; i < orphan->n_parents; i++)
        *ARRAY_ADD(&missing) = orphan->parents[i];
    keep_missing(&txs->known, &missing);
    /* If none is missing any more it waits for its turn. */
    if (missing.n > 0 && add_candidate(p2p, peer, wtxid, &missing))
        (void)orphans_announced(&txs->orphans, wtxid, &peer->orphans);
    ARRAY_FREE(&missing);
    return true;
}

/* -- A new one --------------------------------------------------------------------------------- */

/* Can it never come in, whatever its witness? So it is if a parent was refused; of those refused
 * for their fees it may bring one along. */
static bool is_hopeless(const struct tx_known *known, const struct txids *parents)
{
    size_t n_poor = 0;
    for (size_t i = 0; i < parents->n; i++) {
        const struct txid *parent = &parents->at[i];
        if (recent_set_has(&known->rejects, parent->b))
            return true;
        n_poor += recent_set_has(&known->reconsiderable, parent->b) &&
                  !mempool_find(known->mempool, parent);
    }
    return n_poor > 1;
}

/* Refused by both names: no witness would help it. */
static void refuse(struct p2p *p2p, const struct tx *tx)
{
    struct tx_relay *txs = p2p_txs_of(p2p);
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES];
    if (log_is_on(p2p_log_of(p2p), LOG_MEMPOOL))
        log_printf(p2p_log_of(p2p), LOG_MEMPOOL,
                   "not keeping orphan with rejected parents %s (wtxid=%s)",
                   hex_encode_reversed(txid, span_of(tx->txid.b, 32)),
                   hex_encode_reversed(wtxid, span_of(tx->wtxid.b, 32)));
    (void)recent_set_add(&txs->known.rejects, tx->txid.b);
    (void)recent_set_add(&txs->known.rejects, tx->wtxid.b);
}

static void keep_for(struct p2p *p2p, struct peer *peer, const struct tx *tx,
                     const struct txids *missing)
{
    struct tx_relay *txs = p2p_txs_of(p2p);
    if (peer && add_candidate(p2p, peer, &tx->wtxid, missing))
        (void)orphans_add(&txs->orphans, &peer->orphans, tx);
}

/* All who have announced it by that id. */
static void keep_for_announcers(struct p2p *p2p, const struct tx *tx, const uint8_t id[32],
                                const struct txids *missing)
{
    struct tx_relay *txs = p2p_txs_of(p2p);
    struct tx_fetch *fetch = &txs->fetch;
    size_t max = fetch->peers.count;
    uint64_t *peers = xmalloc((max + 1) * sizeof *peers);
    size_t n = tx_fetch_announcers(fetch, id, peers, max);
    for (size_t i = 0; i < n; i++)
        keep_for(p2p, p2p_find_peer(p2p, peers[i]), tx, missing);
    xfree(peers);
}

void tx_parents_keep(struct p2p *p2p, struct peer *peer, const struct tx *tx)
{
    struct tx_relay *txs = p2p_txs_of(p2p);
    struct txids parents = {0};
    for (uint32_t i = 0; i < tx->n_in; i++)
        *ARRAY_ADD(&parents) = tx->in[i].prevout.txid;
    ASSERT(parents.n > 0);
    parents.n = txids_sort_unique(parents.at, parents.n);
    if (is_hopeless(&txs->known, &parents)) {
        refuse(p2p, tx);
    } else {
        keep_missing(&txs->known, &parents);
        keep_for(p2p, peer, tx, &parents);
        keep_for_announcers(p2p, tx, tx->wtxid.b, &parents);
        keep_for_announcers(p2p, tx, tx->txid.b, &parents);
    }
    ARRAY_FREE(&parents);
    tx_fetch_forget(&txs->fetch, tx->wtxid.b);
    tx_fetch_forget(&txs->fetch, tx->txid.b);
}
