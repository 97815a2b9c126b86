/* study_sample.c - see study_sample.h */
#include "sim/study/study_sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/ids.h"
#include "util/alloc.h"

/* -- Traffic ---------------------------------------------------------------------------------- */

/* Few enough to be searched; kept in order of names. */
static struct study_bytes *bytes_of(struct study_sample *sample, const char *name)
{
    size_t at = 0;
    while (at < sample->bytes.n && strcmp(sample->bytes.at[at].name, name) < 0)
        at++;
    if (at < sample->bytes.n && strcmp(sample->bytes.at[at].name, name) == 0)
        return &sample->bytes.at[at];
    (void)ARRAY_ADD(&sample->bytes);
    memmove(sample->bytes.at + at + 1, sample->bytes.at + at,
            (sample->bytes.n - 1 - at) * sizeof *sample->bytes.at);
    sample->bytes.at[at] = (struct study_bytes){.name = name};
    return &sample->bytes.at[at];
}

static void on_message(void *arg, const char *name, uint64_t received)
{
    bytes_of(arg, name)->now += received;
}

static bool is_on(const struct study_sample *sample, size_t i)
{
    return sim_world_state(sample->world, i) == SIM_MACHINE_ON;
}

static void count_traffic(struct study_sample *sample)
{
    for (size_t i = 0; i < sample->bytes.n; i++) {
        sample->bytes.at[i].before = sample->bytes.at[i].now;
        sample->bytes.at[i].now = 0;
    }
    for (size_t i = 0; i < sample->n_nodes; i++)
        if (is_on(sample, i))
            p2p_each_message(node_p2p(sim_world_node(sample->world, i)), on_message, sample);
}

void study_sample_init(struct study_sample *sample, struct sim_world *world, size_t n_nodes)
{
    ASSERT(sample && world && n_nodes > 0);
    *sample = (struct study_sample){.world = world, .n_nodes = n_nodes};
    count_traffic(sample);
}

void study_sample_deinit(struct study_sample *sample)
{
    ASSERT(sample);
    ARRAY_FREE(&sample->bytes);
}

/* A node that has stopped takes its count with it: what came since is what can be seen. */
static void write_traffic(struct study_sample *sample, struct buffer *out)
{
    count_traffic(sample);
    const char *comma = "";
    for (size_t i = 0; i < sample->bytes.n; i++) {
        const struct study_bytes *b = &sample->bytes.at[i];
        if (b->now <= b->before)
            continue;
        buffer_append_format(out, "%s\"%s\":%" PRIu64, comma, b->name, b->now - b->before);
        comma = ",";
    }
    buffer_append(out, "", 1);
}

/* -- Tips and mempools ------------------------------------------------------------------------ */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* How many different ones there are; sorts them. */
static size_t count_different(struct block_hash *hashes, size_t n)
{
    size_t different = n > 0;
    if (n > 0)
        qsort(hashes, n, sizeof *hashes, compare_ids);
    for (size_t i = 1; i < n; i++)
        different += compare_ids(&hashes[i - 1], &hashes[i]) != 0;
    return different;
}

/* The i-th node whose mempool is looked at. */
static size_t chosen(const struct study_sample *sample, size_t i)
{
    size_t n = MIN_OF(sample->n_nodes, STUDY_SAMPLE_NODES);
    return i * sample->n_nodes / n;
}

struct ids {
    ARRAY(struct txid) id;
    size_t n_nodes; /* that are running */
};

static void collect_ids(const struct study_sample *sample, struct ids *all)
{
    for (size_t i = 0; i < MIN_OF(sample->n_nodes, STUDY_SAMPLE_NODES); i++) {
        size_t node = chosen(sample, i);
        if (!is_on(sample, node))
            continue;
        struct mempool *mempool = node_mempool(sim_world_node(sample->world, node));
        uint64_t at = 0;
        const struct mempool_entry *entry;
        while ((entry = mempool_next(mempool, &at)) != NULL)
            *ARRAY_ADD(&all->id) = entry->tx.txid;
        all->n_nodes++;
    }
    if (all->id.n > 0)
        qsort(all->id.at, all->id.n, sizeof *all->id.at, compare_ids);
}

/* In thousandths. The mean of the nodes' shares of what most have is how often those are there at
 * all, divided by how often they could be. 1000 if there are none. */
static unsigned agreement(const struct study_sample *sample)
{
    struct ids all = {.n_nodes = 0};
    size_t common = 0, there = 0;
    collect_ids(sample, &all);
    for (size_t i = 0, n; i < all.id.n; i += n) {
        for (n = 1; i + n < all.id.n && compare_ids(&all.id.at[i], &all.id.at[i + n]) == 0;)
            n++;
        if (2 * n <= all.n_nodes)
            continue;
        common++;
        there += n;
    }
    size_t could = common * all.n_nodes;
    ARRAY_FREE(&all.id);
    return could ? (unsigned)(there * 1000 / could) : 1000;
}

void study_sample_take(struct study_sample *sample, struct study_trace *trace)
{
    ASSERT(sample && trace);
    struct block_hash *tips = xcalloc(sample->n_nodes, sizeof *tips);
    size_t *sizes = xcalloc(sample->n_nodes, sizeof *sizes), n = 0;
    for (size_t i = 0; i < sample->n_nodes; i++) {
        if (!is_on(sample, i))
            continue;
        struct node *node = sim_world_node(sample->world, i);
        tips[n] = chain_tip(node_chain(node))->hash;
        sizes[n++] = mempool_count(node_mempool(node));
    }
    if (n > 0)
        qsort(sizes, n, sizeof *sizes, compare_sizes);
    unsigned milli = agreement(sample);
    struct buffer traffic;
    buffer_init(&traffic);
    write_traffic(sample, &traffic);
    study_trace_line(
        trace, sim_world_now_us(sample->world), "sample",
        ",\"tips\":%zu,\"mempool\":[%zu,%zu,%zu],\"agreement\":%u.%03u,\"traffic\":{%s}",
        count_different(tips, n), n ? sizes[0] : 0, n ? sizes[n / 2] : 0, n ? sizes[n - 1] : 0,
        milli / 1000, milli % 1000, (const char *)traffic.p);
    buffer_deinit(&traffic);
    xfree(tips);
    xfree(sizes);
}
