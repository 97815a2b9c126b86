/* pool_model_compare.c - see pool_model.h: everything that can be seen, against the model. */
#include "mempool/mempool_internal.h"
#include "support/pool_model.h"
#include "util/alloc.h"

int model_number(const struct pool_model *m, const struct txid *txid)
{
    for (int i = 0; i < m->n_txs; i++)
        if (txid_equal(&m->tx[i].tx.txid, txid))
            return i;
    model_fail(m, "the mempool has what nobody has made");
}

static void expect(const struct pool_model *m, const char *what, int tx, int64_t got, int64_t want)
{
    if (got != want)
        model_fail(m, "%s of %d is %lld, not %lld", what, tx, (long long)got, (long long)want);
}

/* -- Entries ----------------------------------------------------------------------------------- */

static void compare_relatives(const struct pool_model *m, const char *what, int tx,
                              const struct mempool_entry **got, size_t n,
                              const struct model_list *want)
{
    expect(m, what, tx, (int64_t)n, want->n);
    for (size_t i = 0; i < n; i++)
        if (!model_list_has(want, model_number(m, &got[i]->tx.txid)))
            model_fail(m, "%s of %d is another", what, tx);
    xfree(got);
}

static void compare_edges(const struct pool_model *m, const struct mempool_entry *entry, int tx)
{
    struct model_list parents = model_parents(m, tx), children = {0};
    for (int i = 0; i < m->n_pool; i++)
        if (model_spends(m, m->pool[i].tx, tx))
            model_list_add(&children, m->pool[i].tx);
    expect(m, "parents", tx, entry->n_parents, parents.n);
    expect(m, "children", tx, entry->n_children, children.n);
    for (uint32_t i = 0; i < entry->n_parents; i++)
        if (!model_list_has(&parents,
                            model_number(m, &mempool_at(m->rig->pool, entry->parents[i])->tx.txid)))
            model_fail(m, "a parent of %d is another", tx);
    for (uint32_t i = 0; i < entry->tx.n_in; i++)
        if (mempool_spender(m->rig->pool, &entry->tx.in[i].prevout) != entry)
            model_fail(m, "what %d spends is spent by another", tx);
}

static void compare_entry(struct pool_model *m, const struct mempool_entry *entry,
                          struct model_entry *want)
{
    const struct model_tx *tx = &m->tx[want->tx];
    expect(m, "fee", want->tx, entry->fee_sat, tx->fee_sat);
    expect(m, "modified fee", want->tx, entry->modified_fee_sat, model_modified_fee(m, want->tx));
    expect(m, "weight", want->tx, entry->weight_wu, tx->wu);
    expect(m, "adjusted weight", want->tx, entry->adjusted_wu, tx->wu);
    expect(m, "size", want->tx, entry->vbytes, tx->vbytes);
    expect(m, "height", want->tx, entry->height, want->height);
    expect(m, "having been in a block", want->tx, entry->was_in_block, want->was_in_block);
    expect(m, "time", want->tx, entry->time_s, want->time_s);
    compare_edges(m, entry, want->tx);
    size_t n;
    struct model_list one = {.at = {want->tx}, .n = 1};
    struct model_list descendants = model_with_descendants(m, &one);
    struct model_list ancestors = model_ancestors(m, want->tx);
    descendants.at[0] = descendants.at[--descendants.n];
    const struct mempool_entry **list = mempool_descendants(m->rig->pool, entry, &n);
    compare_relatives(m, "descendants", want->tx, list, n, &descendants);
    list = mempool_ancestors(m->rig->pool, entry, &n);
    compare_relatives(m, "ancestors", want->tx, list, n, &ancestors);
}

/* -- Orders ------------------------------------------------------------------------------------ */

static struct model_rate chunk_of(const struct pool_model *m, const struct mempool_entry *entry)
{
    struct feerate rate = mempool_chunk(m->rig->pool, entry);
    return (struct model_rate){rate.fee_sat, rate.size};
}

/* Each after its parents, chunks by falling rate, and each mined at the rate of the best order. */
static void compare_order(const struct pool_model *m)
{
    struct model_rate chunks[MODEL_TXS_MAX], level[MODEL_TXS_MAX], last = {0, 0};
    struct model_list all = model_all(m), before = {0};
    int n_chunks = model_chunks(m, &all, chunks, level);
    size_t n;
    const struct mempool_entry **order = mempool_in_mining_order(m->rig->pool, &n);
    expect(m, "length of the order", -1, (int64_t)n, m->n_pool);
    for (size_t i = 0; i < n; i++) {
        int tx = model_number(m, &order[i]->tx.txid), at = 0;
        struct model_list parents = model_parents(m, tx);
        struct model_rate rate = chunk_of(m, order[i]);
        for (int k = 0; k < parents.n; k++)
            if (!model_list_has(&before, parents.at[k]))
                model_fail(m, "%d is mined before its parent %d", tx, parents.at[k]);
        while (all.at[at] != tx)
            at++;
        if (level[at].wu > 0 && model_rate_compare(level[at], rate) != 0)
            model_fail(m, "%d is mined at %lld for %lld, not %lld for %lld", tx,
                       (long long)rate.fee_sat, (long long)rate.wu, (long long)level[at].fee_sat,
                       (long long)level[at].wu);
        if (i > 0 && model_rate_compare(last, rate) < 0)
            model_fail(m, "%d is mined too late", tx);
        last = rate;
        model_list_add(&before, tx);
    }
    xfree(order);
    if (n_chunks >= 0 && !mempool_is_optimal(m->rig->pool))
        model_fail(m, "a small cluster is not in the best order");
}

static void compare_diagram(const struct pool_model *m)
{
    size_t n;
    struct feerate *diagram = mempool_feerate_diagram(m->rig->pool, &n);
    int64_t fee_sat = 0, wu = 0;
    for (int i = 0; i < m->n_pool; i++) {
        fee_sat += model_modified_fee(m, m->pool[i].tx);
        wu += m->tx[m->pool[i].tx].wu;
    }
    for (size_t i = 0; i < n; i++) {
        fee_sat -= diagram[i].fee_sat;
        wu -= diagram[i].size;
    }
    expect(m, "fees missing in the diagram", -1, fee_sat, 0);
    expect(m, "weight missing in the diagram", -1, wu, 0);
    xfree(diagram);
}

/* -- All --------------------------------------------------------------------------------------- */

static void compare_floor(struct pool_model *m)
{
    int64_t floor = model_floor(m), least = m->options->min_relay_sat_per_kvb;
    int64_t want = floor > least ? floor : least;
    int64_t got = mempool_min_feerate_sat_per_kvb(m->rig->pool);
    /* Each rounds once. */
    if (got > want + 1 || got < want - 1)
        model_fail(m, "the floor is %lld, not %lld", (long long)got, (long long)want);
    /* Halved again and again, the last digit would differ one day. */
    m->floor_sat_per_kvb = m->rig->pool->rolling_sat_per_kvb;
}

void model_compare(struct pool_model *m, bool is_limited)
{
    int64_t fees_sat = 0, vbytes = 0;
    uint64_t at = 0;
    const struct mempool *pool = m->rig->pool;
    if (m->next_event != m->rig->n_events)
        model_fail(m, "%s of %d too much", mempool_reason_name(m->rig->event[m->next_event].reason),
                   model_number(m, &m->rig->event[m->next_event].txid));
    m->rig->n_events = m->next_event = 0;
    for (int i = 0; i < m->n_pool; i++) {
        const struct mempool_entry *entry = mempool_next(pool, &at);
        if (!entry || model_number(m, &entry->tx.txid) != m->pool[i].tx)
            model_fail(m, "entry %d is %d, not %d", i,
                       entry ? model_number(m, &entry->tx.txid) : -1, m->pool[i].tx);
        compare_entry(m, entry, &m->pool[i]);
        fees_sat += entry->fee_sat;
        vbytes += entry->vbytes;
    }
    if (mempool_next(pool, &at))
        model_fail(m, "there are more than %d entries", m->n_pool);
    expect(m, "count", -1, (int64_t)mempool_count(pool), m->n_pool);
    expect(m, "fees", -1, mempool_total_fee_sat(pool), fees_sat);
    expect(m, "sizes", -1, (int64_t)mempool_vbytes(pool), vbytes);
    if (is_limited && m->n_pool > 0 && mempool_memory_bytes(pool) > m->options->max_bytes)
        model_fail(m, "%zu bytes are more than %zu", mempool_memory_bytes(pool),
                   m->options->max_bytes);
    for (int i = 0; i < m->n_txs; i++)
        expect(m, "delta", i, mempool_delta_sat(pool, &m->tx[i].tx.txid), m->tx[i].delta_sat);
    compare_floor(m);
    compare_order(m);
    compare_diagram(m);
    mempool_verify(pool);
    model_counts.compared++;
}

/* -- For a block ------------------------------------------------------------------------------- */

/* A chunk of the order: [begin, end). */
struct piece {
    size_t begin, end;
    int64_t fee_sat, wu;
};

/* Members of one cluster that follow each other, up to where they have the rate of their chunk. */
static struct piece next_piece(const struct pool_model *m, const struct mempool_entry **order,
                               size_t begin, size_t n)
{
    struct piece piece = {.begin = begin, .end = begin};
    struct model_rate rate = chunk_of(m, order[begin]);
    do {
        if (piece.end == n)
            model_fail(m, "the last chunk has no end");
        piece.fee_sat += order[piece.end]->modified_fee_sat;
        piece.wu += order[piece.end]->adjusted_wu;
        piece.end++;
    } while (model_rate_compare((struct model_rate){piece.fee_sat, piece.wu}, rate) != 0);
    return piece;
}

static bool is_in(const uint32_t *list, int n, uint32_t value)
{
    for (int i = 0; i < n; i++)
        if (list[i] == value)
            return true;
    return false;
}

void model_compare_selection(struct pool_model *m, const struct mempool_selection *selection,
                             struct model_block *block)
{
    size_t n, n_got, at = 0;
    int64_t fees_sat, wu = 0, sum_sat = 0;
    uint32_t skipped[MODEL_TXS_MAX];
    int n_skipped = 0;
    const struct mempool_entry **order = mempool_in_mining_order(m->rig->pool, &n);
    const struct mempool_entry **got =
        mempool_select_for_block(m->rig->pool, selection, &n_got, &fees_sat);
    block->n = 0;
    for (struct piece piece; at < n; at = piece.end) {
        piece = next_piece(m, order, at, n);
        if (is_in(skipped, n_skipped, order[at]->cluster))
            continue; /* it needs a chunk that did not fit */
        if (piece.fee_sat * 1000 < selection->min_sat_per_kvb * ((piece.wu + 3) / 4))
            break;
        if (wu + piece.wu > selection->max_weight_wu) {
            if (wu + 4000 > selection->max_weight_wu)
                break;
            skipped[n_skipped++] = order[at]->cluster;
            continue;
        }
        wu += piece.wu;
        for (size_t i = piece.begin; i < piece.end; i++) {
            int tx = model_number(m, &order[i]->tx.txid);
            if ((size_t)block->n >= n_got || got[block->n] != order[i])
                model_fail(m, "the block has another at %d than %d", block->n, tx);
            if (block->n == MODEL_BLOCK_TXS_MAX)
                model_fail(m, "the block is too large for the model");
            block->tx[block->n++] = tx;
            sum_sat += m->tx[tx].fee_sat;
        }
    }
    expect(m, "length of the block", -1, (int64_t)n_got, block->n);
    expect(m, "fees of the block", -1, fees_sat, sum_sat);
    xfree(order);
    xfree(got);
}
