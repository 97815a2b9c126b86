/* orphans.c - see orphans.h. */
#include "p2p/txs/orphans.h"

#include <stdlib.h>

#include "p2p/core/peer_class.h"
#include "util/alloc.h"
#include "util/hex.h"

/* All orphans that spend one coin. */
struct orphan_coin {
    struct outpoint outpoint;
    struct list inputs; /* of struct orphan_input */
};

/* One input of an orphan. */
struct orphan_input {
    struct list_link link; /* of its coin */
    struct orphan_coin *coin;
    struct orphan *orphan;
};

void orphans_init(struct orphans *orphans, struct siphash_key key, const struct log *log)
{
    *orphans = (struct orphans){.key = key, .log = log};
    hash_map_init(&orphans->by_wtxid);
    hash_map_init(&orphans->by_outpoint);
}

void orphans_deinit(struct orphans *orphans)
{
    ASSERT(orphans->all.count == 0 && orphans->peers.count == 0);
    hash_map_deinit(&orphans->by_wtxid);
    hash_map_deinit(&orphans->by_outpoint);
}

static bool has_wtxid(const void *value, const void *key)
{
    return memcmp(((const struct orphan *)value)->wtxid.b, key, 32) == 0;
}

static uint64_t hash_of(const struct orphans *orphans, const struct wtxid *wtxid)
{
    return siphash13_id(orphans->key, wtxid->b, 0);
}

static struct orphan *find(const struct orphans *orphans, const struct wtxid *wtxid)
{
    return hash_map_find(&orphans->by_wtxid, hash_of(orphans, wtxid), has_wtxid, wtxid->b);
}

const struct orphan *orphans_find(const struct orphans *orphans, const struct wtxid *wtxid)
{
    return find(orphans, wtxid);
}

/* -- The log, in Core's words ------------------------------------------------------------------ */

/* What has become of it, and a number with what stands before and after that. */
static void log_orphan(const struct orphans *orphans, const struct orphan *orphan, const char *what,
                       const char *before, unsigned long long n, const char *after)
{
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES];
    if (log_is_on(orphans->log, LOG_TXPACKAGES))
        log_printf(orphans->log, LOG_TXPACKAGES, "%s %s (wtxid=%s)%s%llu%s", what,
                   hex_encode_reversed(txid, span_of(orphan->txid.b, 32)),
                   hex_encode_reversed(wtxid, span_of(orphan->wtxid.b, 32)), before, n, after);
}

static void log_announcer(const struct orphans *orphans, const struct orphan *orphan,
                          const struct orphans_peer *peer)
{
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES];
    if (log_is_on(orphans->log, LOG_TXPACKAGES))
        log_printf(orphans->log, LOG_TXPACKAGES,
                   "added peer=%llu as announcer of orphan tx %s (wtxid=%s)", peer_shown(peer->id),
                   hex_encode_reversed(txid, span_of(orphan->txid.b, 32)),
                   hex_encode_reversed(wtxid, span_of(orphan->wtxid.b, 32)));
}

/* -- The coins they spend ---------------------------------------------------------------------- */

static bool has_outpoint(const void *value, const void *key)
{
    return outpoint_equal(&((const struct orphan_coin *)value)->outpoint, key);
}

static uint64_t hash_of_outpoint(const struct orphans *orphans, const struct outpoint *outpoint)
{
    return siphash13_id(orphans->key, outpoint->txid.b, outpoint->vout);
}

static struct orphan_coin *find_coin(const struct orphans *orphans, const struct outpoint *outpoint)
{
    return hash_map_find(&orphans->by_outpoint, hash_of_outpoint(orphans, outpoint), has_outpoint,
                         outpoint);
}

static void link_inputs(struct orphans *orphans, struct orphan *orphan, const struct tx *tx)
{
    orphan->inputs = xcalloc(tx->n_in + 1, sizeof *orphan->inputs);
    orphan->n_in = tx->n_in;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct outpoint *outpoint = &tx->in[i].prevout;
        struct orphan_coin *coin = find_coin(orphans, outpoint);
        if (!coin) {
            coin = xcalloc(1, sizeof *coin);
            coin->outpoint = *outpoint;
            hash_map_insert(&orphans->by_outpoint, hash_of_outpoint(orphans, outpoint), coin);
        }
        orphan->inputs[i] = (struct orphan_input){.coin = coin, .orphan = orphan};
        list_add(&coin->inputs, &orphan->inputs[i].link);
    }
}

static void unlink_inputs(struct orphans *orphans, struct orphan *orphan)
{
    for (uint32_t i = 0; i < orphan->n_in; i++) {
        struct orphan_coin *coin = orphan->inputs[i].coin;
        list_remove(&coin->inputs, &orphan->inputs[i].link);
        if (coin->inputs.count > 0)
            continue;
        (void)hash_map_remove(&orphans->by_outpoint, hash_of_outpoint(orphans, &coin->outpoint),
                              has_outpoint, &coin->outpoint);
        xfree(coin);
    }
    xfree(orphan->inputs);
}

/* -- Claims ------------------------------------------------------------------------------------ */

static size_t input_score(const struct orphan *orphan)
{
    return orphan->n_in / ORPHANS_INPUTS_PER_SCORE;
}

static struct orphan_claim *find_claim(const struct orphan *orphan, const struct orphans_peer *peer)
{
    LIST_EACH (struct orphan_claim, claim, &orphan->claims, of_orphan)
        if (claim->peer == peer)
            return claim;
    return NULL;
}

static void add_claim(struct orphans *orphans, struct orphan *orphan, struct orphans_peer *peer)
{
    struct orphan_claim *claim = xcalloc(1, sizeof *claim);
    ASSERT(peer->id != 0 && !find_claim(orphan, peer));
    claim->orphan = orphan;
    claim->peer = peer;
    if (peer->claims.count == 0)
        list_add(&orphans->peers, &peer->link);
    list_add(&orphan->claims, &claim->of_orphan);
    list_add(&peer->claims, &claim->of_peer);
    orphans->n_claims++;
    peer->score += 1 + input_score(orphan);
    peer->weight_wu += orphan->weight_wu;
}

/* The orphan itself stays. */
static void drop_claim(struct orphans *orphans, struct orphan_claim *claim)
{
    struct orphans_peer *peer = claim->peer;
    const struct orphan *orphan = claim->orphan;
    ASSERT(orphans->n_claims > 0 && peer->weight_wu >= orphan->weight_wu);
    if (claim->has_work)
        list_remove(&peer->work, &claim->work);
    list_remove(&claim->orphan->claims, &claim->of_orphan);
    list_remove(&peer->claims, &claim->of_peer);
    if (peer->claims.count == 0)
        list_remove(&orphans->peers, &peer->link);
    orphans->n_claims--;
    peer->score -= 1 + input_score(orphan);
    peer->weight_wu -= orphan->weight_wu;
    xfree(claim);
}

static void take_out(struct orphans *orphans, struct orphan *orphan)
{
    LIST_EACH_REMOVING (struct orphan_claim, claim, &orphan->claims, of_orphan)
        drop_claim(orphans, claim);
    list_remove(&orphans->all, &orphan->link);
    orphans->weight_wu -= orphan->weight_wu;
    orphans->input_score -= input_score(orphan);
    (void)hash_map_remove(&orphans->by_wtxid, hash_of(orphans, &orphan->wtxid), has_wtxid,
                          orphan->wtxid.b);
    unlink_inputs(orphans, orphan);
    xfree(orphan->raw);
    xfree(orphan->parents);
    xfree(orphan);
}

bool orphans_has_from(const struct orphans *orphans, const struct wtxid *wtxid,
                      const struct orphans_peer *peer)
{
    const struct orphan *orphan = find(orphans, wtxid);
    return orphan && find_claim(orphan, peer);
}

/* Give up what a peer has announced; an orphan that was its alone goes. */
static void give_up(struct orphans *orphans, struct orphan_claim *claim)
{
    struct orphan *orphan = claim->orphan;
    if (orphan->claims.count == 1)
        take_out(orphans, orphan);
    else
        drop_claim(orphans, claim);
}

/* -- Limits ------------------------------------------------------------------------------------ */

static size_t score_of(const struct orphans *orphans)
{
    return orphans->n_claims + orphans->input_score;
}

static bool is_over(const struct orphans *orphans)
{
    return score_of(orphans) > ORPHANS_SCORE_MAX ||
           orphans->weight_wu > orphans->peers.count * (uint64_t)ORPHANS_PEER_WEIGHT_WU;
}

/* How far a peer exceeds its share, in parts of a denominator that is the same for all.
 * score_max: of each. */
static uint64_t excess_of(const struct orphans_peer *peer, size_t score_max)
{
    uint64_t by_score = peer->score * (uint64_t)ORPHANS_PEER_WEIGHT_WU;
    uint64_t by_weight = peer->weight_wu * score_max;
    return MAX_OF(by_score, by_weight);
}

/* The oldest that is not waiting to be tried again; else the oldest. */
static struct orphan_claim *find_first_to_go(const struct orphans_peer *peer)
{
    struct orphan_claim *claim = LIST_FIRST(struct orphan_claim, &peer->claims, of_peer);
    if (peer->work.count == peer->claims.count)
        return claim;
    while (claim->has_work)
        claim = LIST_NEXT(struct orphan_claim, claim, of_peer);
    return claim;
}

/* Who exceeds his share most makes room, one by one: who keeps to his share loses nothing, however
 * many others flood us, since all shares together are what there is. To be called whenever
 * something came or a peer lost its last one, as its share goes then. Hazard 54 */
static void make_room(struct orphans *orphans)
{
    size_t n_before = orphans->all.count, n = 0;
    size_t score_max = orphans->peers.count ? ORPHANS_SCORE_MAX / orphans->peers.count : 1;
    score_max = MAX_OF(score_max, (size_t)1);
    for (; is_over(orphans); n++) {
        const struct orphans_peer *most = NULL;
        LIST_EACH (struct orphans_peer, peer, &orphans->peers, link)
            if (!most || excess_of(peer, score_max) > excess_of(most, score_max))
                most = peer;
        ASSERT(most);
        give_up(orphans, find_first_to_go(most));
    }
    if (n > 0)
        log_printf(orphans->log, LOG_TXPACKAGES,
                   "orphanage overflow, removed %zu tx (%zu announcements)",
                   n_before - orphans->all.count, n);
}

/* -- Taking out -------------------------------------------------------------------------------- */

bool orphans_remove(struct orphans *orphans, const struct wtxid *wtxid)
{
    struct orphan *orphan = find(orphans, wtxid);
    if (!orphan)
        return false;
    log_orphan(orphans, orphan, "removed orphan tx", " (", orphan->claims.count, " announcements)");
    take_out(orphans, orphan);
    make_room(orphans);
    return true;
}

void orphans_peer_deinit(struct orphans *orphans, struct orphans_peer *peer)
{
    size_t n = peer->claims.count;
    LIST_EACH_REMOVING (struct orphan_claim, claim, &peer->claims, of_peer)
        give_up(orphans, claim);
    ASSERT(peer->score == 0 && peer->weight_wu == 0 && peer->work.count == 0);
    if (n > 0)
        log_printf(orphans->log, LOG_TXPACKAGES, "Erased %zu orphan transaction(s) from peer=%llu",
                   n, peer_shown(peer->id));
    make_room(orphans);
}

/* -- Putting in -------------------------------------------------------------------------------- */

static void list_parents(struct orphan *orphan, const struct tx *tx)
{
    orphan->parents = xmalloc((tx->n_in + 1) * sizeof *orphan->parents);
    for (uint32_t i = 0; i < tx->n_in; i++)
        orphan->parents[i] = tx->in[i].prevout.txid;
    orphan->n_parents = txids_sort_unique(orphan->parents, tx->n_in);
}

bool orphans_add(struct orphans *orphans, struct orphans_peer *peer, const struct tx *tx)
{
    uint32_t weight_wu = tx_weight_wu(tx);
    if (find(orphans, &tx->wtxid)) {
        (void)orphans_announced(orphans, &tx->wtxid, peer);
        return false;
    }
    if (weight_wu > ORPHANS_TX_WEIGHT_WU)
        return false;
    struct orphan *orphan = xcalloc(1, sizeof *orphan);
    orphan->raw = xmemdup(tx->raw.p, tx->raw.len);
    orphan->raw_len = tx->raw.len;
    orphan->weight_wu = weight_wu;
    orphan->txid = tx->txid;
    orphan->wtxid = tx->wtxid;
    list_parents(orphan, tx);
    link_inputs(orphans, orphan, tx);
    list_add(&orphans->all, &orphan->link);
    orphans->weight_wu += weight_wu;
    orphans->input_score += input_score(orphan);
    hash_map_insert(&orphans->by_wtxid, hash_of(orphans, &orphan->wtxid), orphan);
    add_claim(orphans, orphan, peer);
    log_orphan(orphans, orphan, "stored orphan tx", ", weight: ", weight_wu, "");
    make_room(orphans);
    return find(orphans, &tx->wtxid) != NULL;
}

bool orphans_announced(struct orphans *orphans, const struct wtxid *wtxid,
                       struct orphans_peer *peer)
{
    struct orphan *orphan = find(orphans, wtxid);
    if (!orphan || find_claim(orphan, peer))
        return false;
    add_claim(orphans, orphan, peer);
    log_announcer(orphans, orphan, peer);
    make_room(orphans);
    return true;
}

/* -- Trying again ------------------------------------------------------------------------------ */

/* It has a parent now: it is tried for one of those who have announced it, by lot. */
static void give_work(struct orphans *orphans, struct orphan *orphan)
{
    LIST_EACH (struct orphan_claim, claim, &orphan->claims, of_orphan)
        if (claim->has_work)
            return;
    uint64_t lot = siphash13_id(orphans->key, orphan->wtxid.b, (uint32_t)++orphans->n_lots);
    struct orphan_claim *claim = LIST_FIRST(struct orphan_claim, &orphan->claims, of_orphan);
    for (uint64_t i = lot % orphan->claims.count; i > 0; i--)
        claim = LIST_NEXT(struct orphan_claim, claim, of_orphan);
    list_add(&claim->peer->work, &claim->work);
    claim->has_work = true;
    log_orphan(orphans, orphan, "added", " to peer ", peer_shown(claim->peer->id), " workset");
}

void orphans_parent_arrived(struct orphans *orphans, const struct tx *parent)
{
    if (orphans->all.count == 0)
        return;
    struct outpoint outpoint = {.txid = parent->txid};
    for (; outpoint.vout < parent->n_out; outpoint.vout++) {
        const struct orphan_coin *coin = find_coin(orphans, &outpoint);
        if (coin)
            LIST_EACH (struct orphan_input, input, &coin->inputs, link)
                give_work(orphans, input->orphan);
    }
}

/* Whatever spends a coin that a block has spent can never come in. */
static void drop_spenders(struct orphans *orphans, const struct outpoint *outpoint)
{
    const struct orphan_coin *coin;
    while ((coin = find_coin(orphans, outpoint)))
        take_out(orphans, LIST_FIRST(struct orphan_input, &coin->inputs, link)->orphan);
}

void orphans_block(struct orphans *orphans, const struct tx *tx, size_t n)
{
    size_t n_before = orphans->all.count;
    for (size_t i = 0; i < n && orphans->all.count > 0; i++) {
        for (uint32_t k = 0; k < tx[i].n_in; k++)
            drop_spenders(orphans, &tx[i].in[k].prevout);
        orphans_parent_arrived(orphans, &tx[i]);
    }
    if (n_before > orphans->all.count)
        log_printf(orphans->log, LOG_TXPACKAGES,
                   "Erased %zu orphan transaction(s) included or conflicted by block",
                   n_before - orphans->all.count);
    make_room(orphans);
}

static struct orphan_claim *find_work(const struct orphans_peer *peer)
{
    struct orphan_claim *claim = LIST_FIRST(struct orphan_claim, &peer->work, work);
    while (claim && claim->orphan->n_held > 0)
        claim = LIST_NEXT(struct orphan_claim, claim, work);
    return claim;
}

const struct orphan *orphans_next(struct orphans *orphans, struct orphans_peer **peer)
{
    LIST_EACH (struct orphans_peer, one, &orphans->peers, link) {
        struct orphan_claim *claim = find_work(one);
        if (!claim)
            continue;
        list_remove(&one->work, &claim->work);
        claim->has_work = false;
        list_remove(&orphans->peers, &one->link);
        list_add(&orphans->peers, &one->link);
        one->n_trying++;
        *peer = one;
        return claim->orphan;
    }
    return NULL;
}

/* -- Packages ---------------------------------------------------------------------------------- */

static bool spends_from(const struct orphan *orphan, const struct txid *parent)
{
    return orphan->n_parents > 0 && bsearch(parent, orphan->parents, orphan->n_parents,
                                            sizeof *orphan->parents, txids_compare) != NULL;
}

const struct orphan *orphans_find_child(const struct orphans *orphans, const struct txid *parent,
                                        const struct orphans_peer *peer,
                                        bool (*fits)(void *arg, const struct orphan *child),
                                        void *arg)
{
    ASSERT(peer->claims.count <= orphans->n_claims);
    /* At most ORPHANS_SCORE_MAX binary searches. */
    struct orphan_claim *claim = LIST_LAST(struct orphan_claim, &peer->claims, of_peer);
    for (; claim; claim = LIST_PREV(struct orphan_claim, claim, of_peer))
        if (spends_from(claim->orphan, parent) && fits(arg, claim->orphan))
            return claim->orphan;
    return NULL;
}

void orphans_hold(struct orphans *orphans, const struct wtxid *wtxid)
{
    struct orphan *orphan = find(orphans, wtxid);
    ASSERT(orphan);
    orphan->n_held++;
}

void orphans_release(struct orphans *orphans, const struct wtxid *wtxid)
{
    struct orphan *orphan = find(orphans, wtxid);
    if (orphan && orphan->n_held > 0) /* 0: it has gone and come again */
        orphan->n_held--;
}

/* -- Invariants -------------------------------------------------------------------------------- */

void orphans_check(const struct orphans *orphans)
{
    size_t n_claims = 0, score = 0, of_peers = 0;
    uint64_t weight_wu = 0;
    LIST_EACH (struct orphan, orphan, &orphans->all, link) {
        ASSERT(orphan->claims.count > 0 && find(orphans, &orphan->wtxid) == orphan);
        n_claims += orphan->claims.count;
        score += input_score(orphan);
        weight_wu += orphan->weight_wu;
    }
    LIST_EACH (struct orphans_peer, peer, &orphans->peers, link) {
        ASSERT(peer->claims.count > 0 && peer->work.count <= peer->claims.count);
        of_peers += peer->claims.count;
    }
    ASSERT(n_claims == orphans->n_claims && of_peers == n_claims);
    ASSERT(score == orphans->input_score && weight_wu == orphans->weight_wu);
    ASSERT(!is_over(orphans));
}
