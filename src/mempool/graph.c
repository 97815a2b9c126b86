/* graph.c - the entries of a mempool, what they spend, who spends them.
 *
 * An entry is in both maps of ids, with each input in the map of outpoints, in a slot, in the list
 * by sequence and in a cluster; pool_add() puts it into all of them and pool_remove() takes it out.
 * Edges are numbers of slots. */
#include "mempool/graph.h"

#include "mempool/cluster.h"
#include "mempool/mempool_internal.h"
#include "util/array.h"

/* How many of a list are being fetched at a time, each step. */
#define PREFETCH_AHEAD 8

/* -- Finding ----------------------------------------------------------------------------------- */

static bool has_txid(const void *value, const void *key)
{
    return txid_equal(&((const struct pool_entry *)value)->pub.tx.txid, key);
}

static bool has_wtxid(const void *value, const void *key)
{
    return memcmp(((const struct pool_entry *)value)->pub.tx.wtxid.b, key, 32) == 0;
}

static bool has_outpoint(const void *value, const void *key)
{
    return outpoint_equal(((const struct pool_spend *)value)->outpoint, key);
}

static uint64_t hash_outpoint(const struct mempool *mempool, const struct outpoint *outpoint)
{
    return siphash13_id(mempool->key, outpoint->txid.b, outpoint->vout);
}

struct pool_entry *pool_find(const struct mempool *mempool, const struct txid *txid)
{
    return hash_map_find(&mempool->by_txid, pool_hash_id(mempool, txid->b), has_txid, txid);
}

void pool_find_all(const struct mempool *mempool, const struct tx *txs, uint32_t n,
                   struct pool_entry **entries)
{
    uint64_t hashes[2 * PREFETCH_AHEAD]; /* of those ahead, in a ring */
    for (uint32_t i = 0; i < n + 2 * PREFETCH_AHEAD; i++) {
        uint64_t *hash = &hashes[i % COUNT_OF(hashes)];
        uint32_t at = i - 2 * PREFETCH_AHEAD;
        if (i >= 2 * PREFETCH_AHEAD)
            entries[at] = hash_map_find(&mempool->by_txid, *hash, has_txid, &txs[at].txid);
        if (i < n) {
            *hash = pool_hash_id(mempool, txs[i].txid.b);
            hash_map_prefetch(&mempool->by_txid, *hash);
        }
        if (i >= PREFETCH_AHEAD && i < n + PREFETCH_AHEAD)
            hash_map_prefetch_value(&mempool->by_txid,
                                    hashes[(i - PREFETCH_AHEAD) % COUNT_OF(hashes)]);
    }
}

struct pool_entry *pool_spender(const struct mempool *mempool, const struct outpoint *outpoint)
{
    const struct pool_spend *spend =
        hash_map_find(&mempool->spent, hash_outpoint(mempool, outpoint), has_outpoint, outpoint);
    return spend ? spend->entry : NULL;
}

const struct mempool_entry *mempool_find(const struct mempool *mempool, const struct txid *txid)
{
    const struct pool_entry *entry = pool_find(mempool, txid);
    return entry ? &entry->pub : NULL;
}

const struct mempool_entry *mempool_find_wtxid(const struct mempool *mempool,
                                               const struct wtxid *wtxid)
{
    const struct pool_entry *entry =
        hash_map_find(&mempool->by_wtxid, pool_hash_id(mempool, wtxid->b), has_wtxid, wtxid);
    return entry ? &entry->pub : NULL;
}

const struct mempool_entry *mempool_spender(const struct mempool *mempool,
                                            const struct outpoint *outpoint)
{
    const struct pool_entry *entry = pool_spender(mempool, outpoint);
    return entry ? &entry->pub : NULL;
}

const struct mempool_entry *mempool_at(const struct mempool *mempool, uint32_t index)
{
    ASSERT(index < mempool->slots.n && mempool->slots.at[index]);
    return &mempool->slots.at[index]->pub;
}

const struct mempool_entry *mempool_next(const struct mempool *mempool, uint64_t *at)
{
    ASSERT(*at == 0 || (*at <= mempool->slots.n && mempool->slots.at[*at - 1]));
    const struct pool_entry *entry =
        *at == 0 ? mempool->oldest : mempool->slots.at[(uint32_t)*at - 1]->newer;
    if (!entry)
        return NULL;
    if (entry->newer) {
        __builtin_prefetch(entry->newer);
        __builtin_prefetch(&entry->newer->newer);
    }
    *at = (uint64_t)entry->pub.index + 1;
    return &entry->pub;
}

/* -- Relatives --------------------------------------------------------------------------------- */

/* The entries of a set but one, in the order of their cluster. */
static const struct mempool_entry **list_of_bits(const struct mempool *mempool,
                                                 const struct pool_entry *entry, uint64_t bits,
                                                 size_t *n)
{
    const struct pool_cluster *cluster = pool_cluster_of(mempool, entry);
    bits &= ~(UINT64_C(1) << entry->cluster_at);
    const struct mempool_entry **list =
        xmalloc(((size_t)__builtin_popcountll(bits) + 1) * sizeof(void *));
    *n = 0;
    for (; bits; bits &= bits - 1)
        list[(*n)++] = &cluster->order[__builtin_ctzll(bits)]->pub;
    return list;
}

const struct mempool_entry **mempool_ancestors(const struct mempool *mempool,
                                               const struct mempool_entry *entry, size_t *n)
{
    struct pool_entry *own = pool_entry_of(entry);
    return list_of_bits(mempool, own, pool_ancestor_bits(mempool, own), n);
}

const struct mempool_entry **mempool_descendants(const struct mempool *mempool,
                                                 const struct mempool_entry *entry, size_t *n)
{
    struct pool_entry *own = pool_entry_of(entry);
    return list_of_bits(mempool, own, pool_descendant_bits(mempool, own), n);
}

/* -- Edges ------------------------------------------------------------------------------------- */

static size_t edges_bytes(size_t n)
{
    return alloc_footprint_bytes(n * sizeof(uint32_t));
}

/* Lists of edges are short, at most a cluster's, so they are searched, grown and cut one by one. */
static void edges_resize(struct mempool *mempool, uint32_t **list, uint32_t *n, uint32_t new_n)
{
    mempool->memory_bytes += edges_bytes(new_n) - edges_bytes(*n);
    *n = new_n;
    if (new_n > 0) {
        *list = xrealloc(*list, new_n, sizeof **list);
        return;
    }
    xfree(*list);
    *list = NULL;
}

static void edge_add(struct mempool *mempool, uint32_t **list, uint32_t *n, uint32_t index)
{
    edges_resize(mempool, list, n, *n + 1);
    (*list)[*n - 1] = index;
}

static bool edge_has(const uint32_t *list, uint32_t n, uint32_t index)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == index)
            return true;
    return false;
}

static void edge_remove(struct mempool *mempool, uint32_t **list, uint32_t *n, uint32_t index)
{
    uint32_t i = 0;
    while (i < *n && (*list)[i] != index)
        i++;
    ASSERT(i < *n);
    memmove(*list + i, *list + i + 1, (*n - 1 - i) * sizeof **list);
    edges_resize(mempool, list, n, *n - 1);
}

/* One edge for each parent, however many of its outputs are spent. Children need no search: what
 * would spend from it was refused while it was not here. */
static void link_parents(struct mempool *mempool, struct pool_entry *entry)
{
    struct mempool_entry *pub = &entry->pub;
    for (uint32_t i = 0; i < pub->tx.n_in; i++) {
        struct pool_entry *parent = pool_find(mempool, &pub->tx.in[i].prevout.txid);
        if (!parent || edge_has(pub->parents, pub->n_parents, parent->pub.index))
            continue;
        edge_add(mempool, &pub->parents, &pub->n_parents, parent->pub.index);
        edge_add(mempool, &parent->pub.children, &parent->pub.n_children, pub->index);
    }
}

static void unlink_all(struct mempool *mempool, struct pool_entry *entry)
{
    struct mempool_entry *pub = &entry->pub;
    for (uint32_t i = 0; i < pub->n_parents; i++) {
        struct mempool_entry *parent = &mempool->slots.at[pub->parents[i]]->pub;
        edge_remove(mempool, &parent->children, &parent->n_children, pub->index);
    }
    for (uint32_t i = 0; i < pub->n_children; i++) {
        struct mempool_entry *child = &mempool->slots.at[pub->children[i]]->pub;
        edge_remove(mempool, &child->parents, &child->n_parents, pub->index);
    }
    edges_resize(mempool, &pub->parents, &pub->n_parents, 0);
    edges_resize(mempool, &pub->children, &pub->n_children, 0);
}

/* -- Memory ------------------------------------------------------------------------------------ */

/* An entry with what lies behind it. */
static size_t entry_bytes(const struct tx *tx)
{
    return sizeof(struct pool_entry) + tx->n_in * sizeof *tx->in +
           tx->n_in * sizeof(struct pool_spend) + tx->n_out * sizeof *tx->out + tx->raw.len;
}

/* Every block of the heap that has come with an entry or is a table of them: what -maxmempool
 * limits is what the process grows by. Core: DynamicMemoryUsage() */
size_t pool_memory_bytes(const struct mempool *mempool)
{
    return mempool->memory_bytes + mempool->bytes_beside +
           pool_clusters_memory_bytes(&mempool->clusters) +
           hash_map_footprint_bytes(&mempool->by_txid) +
           hash_map_footprint_bytes(&mempool->by_wtxid) +
           hash_map_footprint_bytes(&mempool->spent) + ARRAY_FOOTPRINT_BYTES(&mempool->slots) +
           ARRAY_FOOTPRINT_BYTES(&mempool->free_slots) +
           hash_map_footprint_bytes(&mempool->deltas) +
           mempool->deltas.count * alloc_footprint_bytes(sizeof(struct mempool_delta));
}

/* After a removal: tables that are much too large by now become smaller. */
static void trim_tables(struct mempool *mempool)
{
    hash_map_trim(&mempool->by_txid);
    hash_map_trim(&mempool->by_wtxid);
    hash_map_trim(&mempool->spent);
    if (mempool->count > 0)
        return;
    ARRAY_FREE(&mempool->slots);
    ARRAY_FREE(&mempool->free_slots);
}

/* -- Adding and removing ----------------------------------------------------------------------- */

static void take_slot(struct mempool *mempool, struct pool_entry *entry)
{
    if (mempool->free_slots.n > 0) {
        entry->pub.index = mempool->free_slots.at[--mempool->free_slots.n];
        ASSERT(entry->pub.index < mempool->slots.n && !mempool->slots.at[entry->pub.index]);
    } else {
        ARRAY_RESERVE(&mempool->slots, 1);
        entry->pub.index = (uint32_t)mempool->slots.n++;
    }
    mempool->slots.at[entry->pub.index] = entry;
}

static void give_slot(struct mempool *mempool, uint32_t index)
{
    ASSERT(index < mempool->slots.n && mempool->slots.at[index]);
    mempool->slots.at[index] = NULL;
    *ARRAY_ADD(&mempool->free_slots) = index;
}

/* Before a removal and after an addition, so that who hears of it always finds a whole entry. */
static void tell(struct mempool *mempool, const struct pool_entry *entry,
                 enum mempool_reason reason, const struct pool_addition *addition)
{
    ASSERT((unsigned)reason < MEMPOOL_REASON_COUNT);
    mempool->sequence++;
    mempool->epoch++;
    struct mempool_event event = {.sequence = mempool->sequence,
                                  .reason = reason,
                                  .entry = &entry->pub,
                                  .replaced_by = mempool->replacement,
                                  .is_putback = addition && addition->is_putback,
                                  .is_of_package = addition && addition->is_of_package};
    if (mempool->events.changed)
        mempool->events.changed(mempool->events.ctx, &event);
}

/* No new sequence: nothing has changed, and who counts events would look for a change. */
void pool_tell_again(struct mempool *mempool, const struct pool_entry *entry)
{
    struct mempool_event event = {
        .sequence = mempool->sequence, .reason = MEMPOOL_SENT_AGAIN, .entry = &entry->pub};
    if (mempool->events.changed)
        mempool->events.changed(mempool->events.ctx, &event);
}

/* The rows of the index of outpoints are in the entry, which must not move after this. */
static void index_entry(struct mempool *mempool, struct pool_entry *entry)
{
    const struct tx *tx = &entry->pub.tx;
    hash_map_insert(&mempool->by_txid, pool_hash_id(mempool, tx->txid.b), entry);
    hash_map_insert(&mempool->by_wtxid, pool_hash_id(mempool, tx->wtxid.b), entry);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        entry->spends[i] = (struct pool_spend){&tx->in[i].prevout, entry};
        hash_map_insert(&mempool->spent, hash_outpoint(mempool, &tx->in[i].prevout),
                        &entry->spends[i]);
    }
}

static void count_entry(struct mempool *mempool, struct pool_entry *entry)
{
    mempool->memory_bytes += alloc_footprint_bytes(entry_bytes(&entry->pub.tx));
    mempool->count++;
    mempool->vbytes += entry->pub.vbytes;
    mempool->total_fee_sat += entry->pub.fee_sat;
    mempool->n_unbroadcast += entry->pub.is_unbroadcast;
    if (mempool->count == 1 || entry->pub.time_s < mempool->oldest_time_s)
        mempool->oldest_time_s = entry->pub.time_s;
}

static void append(struct mempool *mempool, struct pool_entry *entry)
{
    ASSERT(!mempool->newest || mempool->newest->pub.sequence < entry->pub.sequence);
    entry->older = mempool->newest;
    if (mempool->newest)
        mempool->newest->newer = entry;
    else
        mempool->oldest = entry;
    mempool->newest = entry;
}

/* A span of the bytes at from, in their copy. */
static struct span span_moved(struct span span, const uint8_t *from, const uint8_t *to)
{
    return span.p ? span_of(to + (span.p - from), span.len) : span;
}

/* What a transaction borrows from others lies behind the entry: one allocation has no more waste
 * than it has bytes, and what the check took from other threads goes back to them. */
static void copy_tx(struct pool_entry *entry, const struct tx *from)
{
    struct tx *tx = &entry->pub.tx;
    *tx = *from;
    tx->in = (void *)(entry + 1);
    entry->spends = (void *)(tx->in + tx->n_in);
    tx->out = (void *)(entry->spends + tx->n_in);
    uint8_t *raw = (void *)(tx->out + tx->n_out);
    memcpy(raw, from->raw.p, from->raw.len);
    tx->raw = span_of(raw, from->raw.len);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        tx->in[i] = from->in[i];
        tx->in[i].script_sig = span_moved(from->in[i].script_sig, from->raw.p, raw);
        tx->in[i].witness = span_moved(from->in[i].witness, from->raw.p, raw);
    }
    for (uint32_t i = 0; i < tx->n_out; i++) {
        tx->out[i] = from->out[i];
        tx->out[i].script_pubkey = span_moved(from->out[i].script_pubkey, from->raw.p, raw);
    }
}

/* [tx 7] Its scripts are right: it is an entry. */
struct pool_entry *pool_add(struct mempool *mempool, const struct pool_addition *addition)
{
    ASSERT(addition->tx->n_in > 0 && addition->fee_sat >= 0);
    VERIFY(!pool_find(mempool, &addition->tx->txid));
    uint32_t weight_wu = tx_weight_wu(addition->tx);
    struct pool_entry *entry = xcalloc(1, entry_bytes(addition->tx));
    entry->locks = addition->locks;
    entry->coin_height_max = addition->coin_height_max;
    entry->coinbase_height_max = addition->coinbase_height_max;
    entry->pub = (struct mempool_entry){
        .fee_sat = addition->fee_sat,
        .modified_fee_sat = addition->fee_sat + addition->delta_sat,
        .vbytes = policy_vbytes(&mempool->policy, weight_wu, addition->sigops_cost),
        .weight_wu = weight_wu,
        .adjusted_wu = policy_adjusted_wu(&mempool->policy, weight_wu, addition->sigops_cost),
        .sigops_cost = addition->sigops_cost,
        .time_s = addition->time_s,
        .was_in_block = addition->was_in_block,
        .height = chain_tip(mempool->chain)->height,
        .sequence = mempool->sequence + 1,
        .is_unbroadcast = addition->is_unbroadcast,
    };
    copy_tx(entry, addition->tx);
    take_slot(mempool, entry);
    index_entry(mempool, entry);
    link_parents(mempool, entry);
    append(mempool, entry);
    count_entry(mempool, entry);
    pool_cluster_join(mempool, entry);
    pool_clusters_settle(mempool);
    ASSERT(mempool->count == mempool->by_txid.count && mempool->count == mempool->by_wtxid.count);
    tell(mempool, entry, MEMPOOL_ADDED, addition);
    return entry;
}

static void unindex_entry(struct mempool *mempool, struct pool_entry *entry)
{
    const struct tx *tx = &entry->pub.tx;
    void *was =
        hash_map_remove(&mempool->by_txid, pool_hash_id(mempool, tx->txid.b), has_txid, &tx->txid);
    ASSERT(was == entry);
    was = hash_map_remove(&mempool->by_wtxid, pool_hash_id(mempool, tx->wtxid.b), has_wtxid,
                          &tx->wtxid);
    ASSERT(was == entry);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct outpoint *outpoint = &tx->in[i].prevout;
        was = hash_map_remove(&mempool->spent, hash_outpoint(mempool, outpoint), has_outpoint,
                              outpoint);
        ASSERT(was == &entry->spends[i]);
    }
}

static void remove_from_list(struct mempool *mempool, struct pool_entry *entry)
{
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        mempool->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        mempool->newest = entry->older;
}

/* Lines of an entry beside the first, which the search has just read. */
static void prefetch_entry(const struct pool_entry *entry)
{
    for (size_t at = 64; at < sizeof *entry; at += 64)
        __builtin_prefetch((const char *)entry + at);
}

/* What an entry points to. */
static void prefetch_parts(const struct mempool *mempool, const struct pool_entry *entry)
{
    __builtin_prefetch(entry->pub.tx.in);
    __builtin_prefetch(entry->spends);
    __builtin_prefetch(&mempool->clusters.at[entry->pub.cluster]);
}

/* Its rows in the indexes; the map of txids has been looked at just before. */
static void prefetch_rows(const struct mempool *mempool, const struct pool_entry *entry)
{
    hash_map_prefetch(&mempool->by_wtxid, pool_hash_id(mempool, entry->pub.tx.wtxid.b));
    hash_map_prefetch(&mempool->spent, hash_outpoint(mempool, &entry->pub.tx.in[0].prevout));
    __builtin_prefetch(mempool->clusters.at[entry->pub.cluster]);
}

/* One step leads to the next, so each begins so much earlier. */
void pool_remove_prefetch(const struct mempool *mempool, struct pool_entry *const *entries,
                          uint32_t n, uint32_t i)
{
    enum { ROWS = PREFETCH_AHEAD, PARTS = 2 * PREFETCH_AHEAD, LINES = 3 * PREFETCH_AHEAD };
    if (i + LINES < n && entries[i + LINES])
        prefetch_entry(entries[i + LINES]);
    if (i + PARTS < n && entries[i + PARTS])
        prefetch_parts(mempool, entries[i + PARTS]);
    if (i + ROWS < n && entries[i + ROWS])
        prefetch_rows(mempool, entries[i + ROWS]);
}

void pool_remove(struct mempool *mempool, struct pool_entry *entry, enum mempool_reason reason)
{
    ASSERT(mempool->count > 0 && mempool->vbytes >= entry->pub.vbytes);
    tell(mempool, entry, reason, NULL);
    unindex_entry(mempool, entry);
    unlink_all(mempool, entry);
    pool_cluster_leave(mempool, entry);
    remove_from_list(mempool, entry);
    give_slot(mempool, entry->pub.index);
    mempool->memory_bytes -= alloc_footprint_bytes(entry_bytes(&entry->pub.tx));
    mempool->count--;
    mempool->vbytes -= entry->pub.vbytes;
    mempool->total_fee_sat -= entry->pub.fee_sat;
    mempool->n_unbroadcast -= entry->pub.is_unbroadcast;
    ASSERT(mempool->count == mempool->by_txid.count && mempool->count == mempool->by_wtxid.count);
    ASSERT(mempool->count > 0 ||
           (mempool->vbytes == 0 && mempool->memory_bytes == 0 && mempool->total_fee_sat == 0));
    trim_tables(mempool);
    xfree(entry);
}

void pool_remove_tree(struct mempool *mempool, struct pool_entry *entry, enum mempool_reason reason)
{
    struct pool_entry *list[MEMPOOL_CLUSTER_COUNT_MAX];
    const struct pool_cluster *cluster = pool_cluster_of(mempool, entry);
    uint32_t n = 0;
    for (uint64_t bits = pool_descendant_bits(mempool, entry); bits; bits &= bits - 1)
        list[n++] = cluster->order[__builtin_ctzll(bits)];
    while (n > 0)
        pool_remove(mempool, list[--n], reason);
}

/* -- Invariants -------------------------------------------------------------------------------- */

static void verify_entry(const struct mempool *mempool, const struct pool_entry *entry)
{
    const struct mempool_entry *pub = &entry->pub;
    ASSERT(mempool->slots.at[pub->index] == entry);
    ASSERT(pool_find(mempool, &pub->tx.txid) == entry);
    ASSERT(mempool_find_wtxid(mempool, &pub->tx.wtxid) == pub);
    ASSERT(!entry->older || entry->older->pub.sequence < pub->sequence);
    ASSERT(pub->time_s >= mempool->oldest_time_s);
    uint32_t n_parents = 0;
    for (uint32_t i = 0; i < pub->tx.n_in; i++) {
        const struct outpoint *outpoint = &pub->tx.in[i].prevout;
        ASSERT(pool_spender(mempool, outpoint) == entry);
        const struct pool_entry *parent = pool_find(mempool, &outpoint->txid);
        ASSERT(!parent || edge_has(pub->parents, pub->n_parents, parent->pub.index));
        ASSERT(!parent || outpoint->vout < parent->pub.tx.n_out);
        n_parents += parent != NULL;
    }
    ASSERT(pub->n_parents <= n_parents && (pub->n_parents > 0) == (n_parents > 0));
    for (uint32_t i = 0; i < pub->n_children; i++) {
        const struct mempool_entry *child = mempool_at(mempool, pub->children[i]);
        ASSERT(edge_has(child->parents, child->n_parents, pub->index));
    }
}

void pool_graph_verify(const struct mempool *mempool)
{
    size_t count = 0, vbytes = 0, memory_bytes = 0, n_spent = 0, n_in_clusters = 0;
    for (const struct pool_entry *entry = mempool->oldest; entry; entry = entry->newer) {
        verify_entry(mempool, entry);
        count++;
        vbytes += entry->pub.vbytes;
        n_spent += entry->pub.tx.n_in;
        memory_bytes += alloc_footprint_bytes(entry_bytes(&entry->pub.tx));
        memory_bytes += edges_bytes(entry->pub.n_parents) + edges_bytes(entry->pub.n_children);
    }
    ASSERT(count == mempool->count && vbytes == mempool->vbytes);
    ASSERT(memory_bytes == mempool->memory_bytes && n_spent == mempool->spent.count);
    ASSERT(mempool->by_txid.count == count && mempool->by_wtxid.count == count);
    for (uint32_t id = 0; id < mempool->clusters.n; id++) {
        if (!mempool->clusters.at[id])
            continue;
        pool_cluster_verify(mempool, id);
        n_in_clusters += mempool->clusters.at[id]->n;
    }
    ASSERT(n_in_clusters == count && mempool->clusters.dirty.n == 0);
}
