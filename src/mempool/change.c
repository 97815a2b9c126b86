/* change.c - see change.h.
 *
 * What is left of the clusters that are touched and what comes are laid out as one row of nodes,
 * parents before children; nodes that hang together are joined to components, and each component
 * is ordered as the cluster that it would be. */
#include "mempool/change.h"

#include "mempool/cluster.h"
#include "mempool/diagram.h"
#include "mempool/linearise.h"
#include "mempool/mempool_internal.h"

#define NO_NODE UINT32_MAX

struct node {
    struct feerate rate; /* size 0: it goes */
    uint32_t joined;     /* a node of the same component, itself for the root */
    uint32_t next;       /* of the same component, or NO_NODE */
    uint32_t local;      /* its number there */
};

struct row {
    const struct pool_change *change;
    struct node *node;
    uint32_t n;
    uint32_t *base;     /* of each cluster touched: the node of its first entry */
    uint32_t newcomers; /* the node of the first of them */
};

void pool_change_init(struct pool_change *change, const struct mempool *mempool)
{
    *change = (struct pool_change){.mempool = mempool};
}

void pool_change_deinit(struct pool_change *change)
{
    ARRAY_FREE(&change->touched);
}

/* -- What goes and comes ----------------------------------------------------------------------- */

/* Its place among the clusters touched, or how many there are. A few, or a hundred at most. */
static size_t find_touched(const struct pool_change *change, uint32_t cluster)
{
    size_t i = 0;
    while (i < change->touched.n && change->touched.at[i].cluster != cluster)
        i++;
    return i;
}

static struct pool_touched *touch(struct pool_change *change, uint32_t cluster)
{
    size_t at = find_touched(change, cluster);
    if (at == change->touched.n)
        *ARRAY_ADD(&change->touched) = (struct pool_touched){.cluster = cluster};
    return &change->touched.at[at];
}

static const struct pool_cluster *cluster_at(const struct pool_change *change, size_t touched)
{
    return change->mempool->clusters.at[change->touched.at[touched].cluster];
}

bool pool_change_removes(const struct pool_change *change, const struct pool_entry *entry)
{
    size_t at = find_touched(change, entry->pub.cluster);
    return at < change->touched.n && (change->touched.at[at].gone >> entry->cluster_at & 1);
}

void pool_change_remove(struct pool_change *change, const struct pool_entry *entry)
{
    struct pool_touched *touched = touch(change, entry->pub.cluster);
    const struct pool_cluster *cluster = pool_cluster_of(change->mempool, entry);
    uint64_t fresh = pool_descendant_bits(change->mempool, entry) & ~touched->gone;
    touched->gone |= fresh;
    for (; fresh; fresh &= fresh - 1)
        change->gone_fee_sat += cluster->order[__builtin_ctzll(fresh)]->pub.modified_fee_sat;
}

void pool_change_add(struct pool_change *change, const struct pool_newcomer *newcomer)
{
    ASSERT(change->n_newcomers < MEMPOOL_PACKAGE_COUNT_MAX && newcomer->rate.size > 0);
    ASSERT((uint64_t)newcomer->before >> change->n_newcomers == 0);
    for (uint32_t i = 0; i < newcomer->n_parents; i++)
        (void)touch(change, newcomer->parents[i]->pub.cluster);
    change->newcomers[change->n_newcomers++] = *newcomer;
}

/* -- The row ----------------------------------------------------------------------------------- */

static uint32_t root_of(struct row *row, uint32_t at)
{
    while (row->node[at].joined != at) {
        row->node[at].joined = row->node[row->node[at].joined].joined;
        at = row->node[at].joined;
    }
    return at;
}

/* The lower one is the root, so that it is the first of its component. */
static void join(struct row *row, uint32_t a, uint32_t b)
{
    a = root_of(row, a);
    b = root_of(row, b);
    if (a < b)
        row->node[b].joined = a;
    else
        row->node[a].joined = b;
}

static uint32_t node_of(const struct row *row, const struct pool_entry *entry)
{
    size_t touched = find_touched(row->change, entry->pub.cluster);
    ASSERT(touched < row->change->touched.n);
    return row->base[touched] + entry->cluster_at;
}

static bool is_gone(const struct row *row, uint32_t at)
{
    return row->node[at].rate.size == 0;
}

static void lay_cluster(struct row *row, size_t touched)
{
    const struct pool_cluster *cluster = cluster_at(row->change, touched);
    uint64_t gone = row->change->touched.at[touched].gone;
    ASSERT(!cluster->is_dirty);
    row->base[touched] = row->n;
    for (uint32_t i = 0; i < cluster->n; i++) {
        row->node[row->n] = (struct node){.joined = row->n};
        if (!(gone >> i & 1))
            row->node[row->n].rate = pool_entry_rate(cluster->order[i]);
        row->n++;
    }
}

/* The entry's edges, which stay within its cluster. */
static void join_parents(struct row *row, size_t touched, uint32_t at)
{
    const struct pool_entry *entry = cluster_at(row->change, touched)->order[at];
    for (uint32_t k = 0; k < entry->pub.n_parents; k++) {
        const struct pool_entry *parent = row->change->mempool->slots.at[entry->pub.parents[k]];
        join(row, row->base[touched] + at, row->base[touched] + parent->cluster_at);
    }
}

static void join_newcomer(struct row *row, uint32_t number)
{
    const struct pool_newcomer *newcomer = &row->change->newcomers[number];
    for (uint32_t k = 0; k < newcomer->n_parents; k++)
        if (!is_gone(row, node_of(row, newcomer->parents[k])))
            join(row, row->newcomers + number, node_of(row, newcomer->parents[k]));
    for (uint32_t bits = newcomer->before; bits; bits &= bits - 1)
        join(row, row->newcomers + number, row->newcomers + (uint32_t)__builtin_ctz(bits));
}

static void row_make(struct row *row, const struct pool_change *change)
{
    size_t n_touched = change->touched.n, n = change->n_newcomers;
    for (size_t i = 0; i < n_touched; i++)
        n += cluster_at(change, i)->n;
    *row = (struct row){.change = change};
    row->node = xcalloc(n + 1, sizeof *row->node);
    row->base = xcalloc(n_touched + 1, sizeof *row->base);
    for (size_t i = 0; i < n_touched; i++)
        lay_cluster(row, i);
    row->newcomers = row->n;
    for (uint32_t i = 0; i < change->n_newcomers; i++) {
        row->node[row->n] = (struct node){.rate = change->newcomers[i].rate, .joined = row->n};
        row->n++;
    }
    for (size_t i = 0; i < n_touched; i++)
        for (uint32_t k = 0; k < cluster_at(change, i)->n; k++)
            if (!is_gone(row, row->base[i] + k))
                join_parents(row, i, k);
    for (uint32_t i = 0; i < change->n_newcomers; i++)
        join_newcomer(row, i);
}

static void row_free(struct row *row)
{
    xfree(row->node);
    xfree(row->base);
}

/* Of a component. */
struct sum {
    uint32_t count;
    int64_t wu;
};

bool pool_change_fits(const struct pool_change *change)
{
    const struct mempool_options *options = &change->mempool->options;
    struct row row;
    row_make(&row, change);
    struct sum *sums = xcalloc(row.n + 1, sizeof *sums); /* by root */
    for (uint32_t i = 0; i < row.n; i++) {
        struct sum *sum = &sums[root_of(&row, i)];
        sum->count += !is_gone(&row, i);
        sum->wu += row.node[i].rate.size;
    }
    bool fits = true;
    for (uint32_t i = row.newcomers; fits && i < row.n; i++) {
        struct sum sum = sums[root_of(&row, i)];
        fits = sum.count <= options->cluster_count_max &&
               sum.wu <= (int64_t)options->cluster_vbytes_max * WITNESS_SCALE;
    }
    xfree(sums);
    row_free(&row);
    return fits;
}

/* -- Diagrams ---------------------------------------------------------------------------------- */

/* A list of chunks; room for one of each node is made beforehand. */
struct chunk_list {
    struct feerate *at;
    size_t n;
};

/* All that a node needs: of an entry by its parents, of a newcomer by both kinds. */
static uint64_t ancestors_of(const struct row *row, const struct linear_graph *graph,
                             size_t touched, uint32_t at)
{
    const struct mempool *mempool = row->change->mempool;
    uint64_t bits = UINT64_C(1) << row->node[at].local;
    if (at < row->newcomers) {
        const struct pool_entry *entry =
            cluster_at(row->change, touched)->order[at - row->base[touched]];
        for (uint32_t k = 0; k < entry->pub.n_parents; k++) {
            uint32_t parent = mempool->slots.at[entry->pub.parents[k]]->cluster_at;
            bits |= graph->ancestors[row->node[row->base[touched] + parent].local];
        }
        return bits;
    }
    const struct pool_newcomer *newcomer = &row->change->newcomers[at - row->newcomers];
    for (uint32_t k = 0; k < newcomer->n_parents; k++) {
        uint32_t parent = node_of(row, newcomer->parents[k]);
        if (!is_gone(row, parent))
            bits |= graph->ancestors[row->node[parent].local];
    }
    for (uint32_t before = newcomer->before; before; before &= before - 1)
        bits |= graph->ancestors[row->node[row->newcomers + (uint32_t)__builtin_ctz(before)].local];
    return bits;
}

/* The chunks of the component that begins with a node. */
static void order_component(struct row *row, uint32_t first, struct chunk_list *list)
{
    struct linear_graph graph = {0};
    struct linear_chunk chunks[LINEAR_COUNT_MAX];
    uint8_t order[LINEAR_COUNT_MAX];
    size_t touched = 0;
    for (uint32_t at = first; at != NO_NODE; at = row->node[at].next) {
        ASSERT(graph.n < LINEAR_COUNT_MAX);
        while (touched + 1 < row->change->touched.n && row->base[touched + 1] <= at)
            touched++;
        row->node[at].local = graph.n;
        graph.rate[graph.n] = row->node[at].rate;
        graph.ancestors[graph.n] = ancestors_of(row, &graph, touched, at);
        graph.n++;
    }
    uint32_t n = linearise(&graph, UINT64_MAX >> (64 - graph.n), order);
    uint32_t n_chunks = linear_cut_chunks(&graph, order, n, chunks);
    for (uint32_t i = 0; i < n_chunks; i++)
        list->at[list->n++] = chunks[i].rate;
}

static struct chunk_list chunks_after(struct row *row)
{
    struct chunk_list list = {.at = xcalloc(row->n + 1, sizeof *list.at)};
    for (uint32_t i = 0; i < row->n; i++)
        row->node[i].next = NO_NODE;
    /* From the end: each goes before those of its component that are behind it. */
    for (uint32_t i = row->n; i-- > 0;) {
        uint32_t root = root_of(row, i);
        if (is_gone(row, i) || root == i)
            continue;
        row->node[i].next = row->node[root].next;
        row->node[root].next = i;
    }
    for (uint32_t i = 0; i < row->n; i++)
        if (!is_gone(row, i) && root_of(row, i) == i)
            order_component(row, i, &list);
    return list;
}

static struct chunk_list chunks_before(const struct row *row)
{
    struct chunk_list list = {.at = xcalloc(row->n + 1, sizeof *list.at)};
    for (size_t i = 0; i < row->change->touched.n; i++) {
        const struct pool_cluster *cluster = cluster_at(row->change, i);
        for (uint32_t k = 0; k < cluster->n_chunks; k++)
            list.at[list.n++] = cluster->chunks[k].rate;
    }
    return list;
}

bool pool_change_improves(const struct pool_change *change)
{
    struct row row;
    row_make(&row, change);
    struct chunk_list before = chunks_before(&row), after = chunks_after(&row);
    diagram_sort(before.at, before.n);
    diagram_sort(after.at, after.n);
    bool improves = diagram_compare(after.at, after.n, before.at, before.n) == DIAGRAM_BETTER;
    xfree(before.at);
    xfree(after.at);
    row_free(&row);
    return improves;
}
