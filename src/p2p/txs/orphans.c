/* orphans.c - see orphans.h. */
#include "p2p/txs/orphans.h"

#include <stdlib.h>

#include "util/alloc.h"

void orphans_init(struct orphans *orphans, struct siphash_key key)
{
    *orphans = (struct orphans){.key = key};
    hash_map_init(&orphans->by_wtxid);
}

static bool has_wtxid(const void *value, const void *key)
{
    return memcmp(((const struct orphan *)value)->wtxid.b, key, 32) == 0;
}

static struct orphan *find(const struct orphans *orphans, const struct wtxid *wtxid)
{
    return hash_map_find(&orphans->by_wtxid, siphash13_id(orphans->key, wtxid->b, 0), has_wtxid,
                         wtxid->b);
}

const struct orphan *orphans_find(const struct orphans *orphans, const struct wtxid *wtxid)
{
    return find(orphans, wtxid);
}

/* -- Shares -------------------------------------------------------------------------------------
 */

static struct orphan_share *find_share(struct orphans *orphans, uint64_t peer)
{
    for (size_t i = 0; i < orphans->shares.n; i++)
        if (orphans->shares.at[i].peer == peer)
            return &orphans->shares.at[i];
    return NULL;
}

static struct orphan_share *get_share(struct orphans *orphans, uint64_t peer)
{
    struct orphan_share *share = find_share(orphans, peer);
    if (share)
        return share;
    share = ARRAY_ADD(&orphans->shares);
    *share = (struct orphan_share){.peer = peer};
    return share;
}

static void drop_share(struct orphans *orphans, struct orphan_share *share)
{
    *share = orphans->shares.at[--orphans->shares.n];
}

/* -- Taking out ---------------------------------------------------------------------------------
 */

static void give_work(struct orphans *orphans, struct orphan *orphan);

/* Charge a peer for it, or nobody any more. */
static void charge(struct orphans *orphans, struct orphan *orphan, uint64_t peer)
{
    struct orphan_share *share = get_share(orphans, peer);
    orphan->peer = peer;
    share->count++;
    share->bytes += orphan->raw_len;
}

static void discharge(struct orphans *orphans, struct orphan *orphan)
{
    struct orphan_share *share = find_share(orphans, orphan->peer);
    ASSERT(share && share->count > 0);
    if (orphan->has_work)
        list_remove(&share->work, &orphan->work);
    orphan->has_work = false;
    share->count--;
    share->bytes -= orphan->raw_len;
    if (share->count == 0)
        drop_share(orphans, share);
}

static void take_out(struct orphans *orphans, struct orphan *orphan)
{
    discharge(orphans, orphan);
    list_remove(&orphans->all, &orphan->link);
    orphans->bytes -= orphan->raw_len;
    (void)hash_map_remove(&orphans->by_wtxid, siphash13_id(orphans->key, orphan->wtxid.b, 0),
                          has_wtxid, orphan->wtxid.b);
    xfree(orphan->raw);
    xfree(orphan->parents);
    xfree(orphan->heirs.at);
    xfree(orphan);
}

static bool has_room(struct orphans *orphans, uint64_t peer, size_t len)
{
    const struct orphan_share *share = find_share(orphans, peer);
    return !share ||
           (share->count < ORPHANS_PEER_MAX && share->bytes + len <= ORPHANS_PEER_BYTES_MAX);
}

/* Its owner has it no longer: the first heir with room for it does, or it goes. The owner is no
 * heir, so this ends however often it is done. */
static void pass_on(struct orphans *orphans, struct orphan *orphan)
{
    bool has_work = orphan->has_work;
    while (orphan->heirs.n > 0) {
        uint64_t heir = orphan->heirs.at[0];
        ARRAY_REMOVE(&orphan->heirs, 0);
        if (!has_room(orphans, heir, orphan->raw_len))
            continue;
        discharge(orphans, orphan);
        charge(orphans, orphan, heir);
        if (has_work)
            give_work(orphans, orphan);
        return;
    }
    take_out(orphans, orphan);
}

static size_t find_heir(const struct orphan *orphan, uint64_t peer)
{
    size_t i = 0;
    while (i < orphan->heirs.n && orphan->heirs.at[i] != peer)
        i++;
    return i;
}

void orphans_deinit(struct orphans *orphans)
{
    LIST_EACH_REMOVING (struct orphan, orphan, &orphans->all, link)
        take_out(orphans, orphan);
    xfree(orphans->shares.at);
    hash_map_deinit(&orphans->by_wtxid);
}

void orphans_remove(struct orphans *orphans, const struct wtxid *wtxid)
{
    struct orphan *orphan = find(orphans, wtxid);
    if (orphan)
        take_out(orphans, orphan);
}

void orphans_peer_gone(struct orphans *orphans, uint64_t peer)
{
    ASSERT(peer != 0);
    LIST_EACH_REMOVING (struct orphan, orphan, &orphans->all, link) {
        size_t i = find_heir(orphan, peer);
        if (i < orphan->heirs.n)
            ARRAY_REMOVE_UNORDERED(&orphan->heirs, i);
        if (orphan->peer == peer)
            pass_on(orphans, orphan);
    }
}

/* The oldest of that peer. */
static void evict_from(struct orphans *orphans, uint64_t peer)
{
    LIST_EACH (struct orphan, orphan, &orphans->all, link)
        if (orphan->peer == peer) {
            pass_on(orphans, orphan);
            return;
        }
}

/* Who takes most makes room: a flood can only push out itself. */
static void make_room(struct orphans *orphans)
{
    while (orphans->all.count > ORPHANS_MAX || orphans->bytes > ORPHANS_BYTES_MAX) {
        const struct orphan_share *most = NULL;
        bool by_bytes = orphans->bytes > ORPHANS_BYTES_MAX;
        for (size_t i = 0; i < orphans->shares.n; i++) {
            const struct orphan_share *share = &orphans->shares.at[i];
            size_t amount = by_bytes ? share->bytes : share->count;
            if (!most || amount > (by_bytes ? most->bytes : most->count))
                most = share;
        }
        ASSERT(most);
        evict_from(orphans, most->peer);
    }
}

/* -- Putting in ---------------------------------------------------------------------------------
 */

static int compare_txids(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static void list_parents(struct orphan *orphan, const struct tx *tx)
{
    orphan->parents = xmalloc((tx->n_in + 1) * sizeof *orphan->parents);
    for (uint32_t i = 0; i < tx->n_in; i++)
        orphan->parents[i] = tx->in[i].prevout.txid;
    qsort(orphan->parents, tx->n_in, sizeof *orphan->parents, compare_txids);
    size_t n = 0;
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (n == 0 || !txid_equal(&orphan->parents[n - 1], &orphan->parents[i]))
            orphan->parents[n++] = orphan->parents[i];
    orphan->n_parents = n;
}

bool orphans_add(struct orphans *orphans, uint64_t peer, const struct tx *tx, int64_t now_us)
{
    ASSERT(peer != 0);
    if (find(orphans, &tx->wtxid) || tx->raw.len > ORPHANS_PEER_BYTES_MAX / 2)
        return false;
    struct orphan *orphan = xcalloc(1, sizeof *orphan);
    orphan->raw = xmemdup(tx->raw.p, tx->raw.len);
    orphan->raw_len = tx->raw.len;
    orphan->weight_wu = tx_weight_wu(tx);
    orphan->txid = tx->txid;
    orphan->wtxid = tx->wtxid;
    orphan->until_us = now_us + ORPHANS_LIFE_US;
    list_parents(orphan, tx);
    list_add(&orphans->all, &orphan->link);
    orphans->bytes += orphan->raw_len;
    charge(orphans, orphan, peer);
    struct orphan_share *share = find_share(orphans, peer);
    hash_map_insert(&orphans->by_wtxid, siphash13_id(orphans->key, orphan->wtxid.b, 0), orphan);
    while (share && (share->count > ORPHANS_PEER_MAX || share->bytes > ORPHANS_PEER_BYTES_MAX)) {
        evict_from(orphans, peer);
        share = find_share(orphans, peer);
    }
    make_room(orphans);
    return true;
}

const struct orphan *orphans_announced(struct orphans *orphans, const struct wtxid *wtxid,
                                       uint64_t peer)
{
    ASSERT(peer != 0);
    struct orphan *orphan = find(orphans, wtxid);
    if (!orphan || orphan->peer == peer || find_heir(orphan, peer) < orphan->heirs.n ||
        orphan->heirs.n >= ORPHANS_HEIRS_MAX)
        return NULL;
    *ARRAY_ADD(&orphan->heirs) = peer;
    return orphan;
}

/* -- Trying again -------------------------------------------------------------------------------
 */

static bool has_parent(const struct orphan *orphan, const struct txid *parent)
{
    return orphan->n_parents > 0 && bsearch(parent, orphan->parents, orphan->n_parents,
                                            sizeof *orphan->parents, compare_txids) != NULL;
}

/* It has a parent now: it is tried when its turn comes. */
static void give_work(struct orphans *orphans, struct orphan *orphan)
{
    struct orphan_share *share = find_share(orphans, orphan->peer);
    ASSERT(share);
    list_add(&share->work, &orphan->work);
    orphan->has_work = true;
}

void orphans_parent_arrived(struct orphans *orphans, const struct txid *parent)
{
    /* At most ORPHANS_MAX binary searches; what is found is tried one at a time. */
    LIST_EACH (struct orphan, orphan, &orphans->all, link)
        if (!orphan->has_work && has_parent(orphan, parent))
            give_work(orphans, orphan);
}

void orphans_block(struct orphans *orphans, const struct tx *tx, size_t n)
{
    if (orphans->all.count == 0)
        return;
    struct txid *ids = xmalloc((n + 1) * sizeof *ids);
    for (size_t i = 0; i < n; i++) {
        orphans_remove(orphans, &tx[i].wtxid);
        ids[i] = tx[i].txid;
    }
    qsort(ids, n, sizeof *ids, compare_txids);
    /* Each parent is looked for in the block, not each transaction in all orphans: those are
     * bounded by bytes, and would be gone through thousands of times. Hazard 53 */
    LIST_EACH (struct orphan, orphan, &orphans->all, link)
        for (size_t i = 0; !orphan->has_work && i < orphan->n_parents; i++)
            if (bsearch(&orphan->parents[i], ids, n, sizeof *ids, compare_txids))
                give_work(orphans, orphan);
    xfree(ids);
}

const struct orphan *orphans_next(struct orphans *orphans)
{
    for (size_t i = 0; i < orphans->shares.n; i++) {
        struct orphan_share *share = &orphans->shares.at[(orphans->turn + i) % orphans->shares.n];
        struct orphan *orphan = LIST_POP(struct orphan, &share->work, work);
        if (!orphan)
            continue;
        orphans->turn = (orphans->turn + i + 1) % orphans->shares.n;
        orphan->has_work = false;
        return orphan;
    }
    return NULL;
}

int64_t orphans_expire(struct orphans *orphans, int64_t now_us)
{
    struct orphan *oldest;
    while ((oldest = LIST_FIRST(struct orphan, &orphans->all, link)) && oldest->until_us <= now_us)
        take_out(orphans, oldest);
    return oldest ? oldest->until_us : INT64_MAX;
}
