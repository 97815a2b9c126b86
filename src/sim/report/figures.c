/* figures.c - see figures.h */
#include "sim/report/figures.h"

#include <stdio.h>
#include <stdlib.h>

#define TYPES_SHOWN 12 /* messages with a row of their own; the others share one */

static void add(struct figures *out, const char *group, const char *label, enum figure_kind kind,
                double value)
{
    struct figure *row = ARRAY_ADD(&out->rows);
    *row = (struct figure){.group = group, .kind = kind, .value = value};
    snprintf(row->label, sizeof row->label, "%s", label);
}

/* -- Blocks -------------------------------------------------------------------------------------
 */

uint32_t stale_branch_blocks(const struct run_block *block)
{
    ASSERT(block);
    uint32_t n = 0;
    for (bool is_end = block->n_children == 0; is_end && block && !block->is_main;
         block = block->parent)
        n++;
    return n;
}

struct block_counts {
    uint64_t n_main, n_txs;
    uint32_t n_forks, n_deep[4], depth_max; /* n_deep[3]: of three and more */
};

static struct block_counts count_blocks(const struct run *run)
{
    struct block_counts c = {0};
    for (size_t i = 0; i < run->blocks.n; i++) {
        const struct run_block *block = run->blocks.at[i];
        uint32_t depth = stale_branch_blocks(block);
        c.n_main += block->is_main;
        c.n_txs += block->is_main ? block->n_txs : 0;
        c.n_forks += depth > 0;
        c.n_deep[MIN_OF(depth, 3u)]++;
        c.depth_max = MAX_OF(c.depth_max, depth);
    }
    return c;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void add_blocks(const struct run *run, struct figures *out)
{
    static const char group[] = "Blocks";
    struct block_counts c = count_blocks(run);
    uint64_t n = run->blocks.n;
    add(out, group, "mined", FIGURE_COUNT, (double)n);
    add(out, group, "in the winning chain", FIGURE_COUNT, (double)c.n_main);
    add(out, group, "stale", FIGURE_COUNT, (double)(n - c.n_main));
    add(out, group, "stale rate", FIGURE_PERCENT, percent((double)(n - c.n_main), (double)n));
    if (n > 0)
        add(out, group, "time between two, mean", FIGURE_SECONDS,
            (double)run->t_us / 1e6 / (double)n);
    add(out, group, "forks", FIGURE_COUNT, c.n_forks);
    if (c.n_forks > 0) {
        add(out, group, "forks of one block", FIGURE_COUNT, c.n_deep[1]);
        add(out, group, "forks of two blocks", FIGURE_COUNT, c.n_deep[2]);
        add(out, group, "forks of three and more", FIGURE_COUNT, c.n_deep[3]);
        add(out, group, "deepest fork, blocks", FIGURE_COUNT, c.depth_max);
    }
    add(out, group, "reorganisations, of all nodes", FIGURE_COUNT, (double)run->n_reorgs);
    if (run->n_reorgs > 0)
        add(out, group, "deepest reorganisation, blocks", FIGURE_COUNT, run->reorg_depth_max);
    if (run->has_ended)
        add(out, group, "all nodes agree in the end", FIGURE_FLAG, run->has_agreed);
}

/* -- Propagation --------------------------------------------------------------------------------
 */

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* The median over the blocks that reached so many nodes, -1 if none did. */
static int64_t median_reach_us(const struct run *run, enum run_share share)
{
    ARRAY(int64_t) times = {0};
    for (size_t i = 0; i < run->blocks.n; i++)
        if (run->blocks.at[i]->reach_us[share] >= 0)
            *ARRAY_ADD(&times) = run->blocks.at[i]->reach_us[share];
    int64_t median = -1;
    if (times.n > 0) {
        qsort(times.at, times.n, sizeof times.at[0], compare_times);
        median = times.at[(times.n - 1) / 2];
    }
    ARRAY_FREE(&times);
    return median;
}

static void add_propagation(const struct run *run, struct figures *out)
{
    static const char group[] = "Propagation";
    static const struct {
        unsigned percent;
        const char *label;
    } shares[] = {{50, "a block reaches a node, median"},
                  {90, "a block reaches a node, 90 %"},
                  {99, "a block reaches a node, 99 %"},
                  {100, "a block reaches a node, last"}};
    static const char *const reaches[RUN_SHARES] = {"half of the nodes", "90 % of the nodes",
                                                    "99 % of the nodes", "all nodes"};
    if (run->delays.n == 0)
        return;
    for (size_t i = 0; i < COUNT_OF(shares); i++)
        add(out, group, shares[i].label, FIGURE_SECONDS,
            (double)delays_percentile_us(&run->delays, shares[i].percent) / 1e6);
    for (int i = 0; i < RUN_SHARES; i++) {
        char label[64];
        int64_t median_us = median_reach_us(run, (enum run_share)i);
        snprintf(label, sizeof label, "%s have it, median block", reaches[i]);
        if (median_us >= 0)
            add(out, group, label, FIGURE_SECONDS, (double)median_us / 1e6);
    }
    add(out, group, "arrivals counted", FIGURE_COUNT, (double)run->delays.n);
}

/* -- Transactions -------------------------------------------------------------------------------
 */

static void add_transactions(const struct run *run, struct figures *out)
{
    static const char group[] = "Transactions";
    uint64_t n_mined = run->n_txs_mined >= 0 ? (uint64_t)run->n_txs_mined : count_blocks(run).n_txs;
    double mempool = 0, agreement = 0;
    int64_t largest = 0, n_told = 0;
    int32_t lowest_e6 = 1000000;
    for (size_t i = 0; i < run->samples.n; i++) {
        const struct run_sample *sample = &run->samples.at[i];
        mempool += (double)sample->mempool[1];
        largest = MAX_OF(largest, sample->mempool[2]);
        if (sample->agreement_e6 < 0)
            continue;
        agreement += sample->agreement_e6;
        lowest_e6 = MIN_OF(lowest_e6, sample->agreement_e6);
        n_told++;
    }
    add(out, group, "sent", FIGURE_COUNT, (double)run->n_txs_sent);
    add(out, group, "mined", FIGURE_COUNT, (double)n_mined);
    if (run->samples.n > 0) {
        add(out, group, "waiting in a mempool, mean", FIGURE_COUNT,
            mempool / (double)run->samples.n);
        add(out, group, "waiting in a mempool, most", FIGURE_COUNT, (double)largest);
    }
    if (n_told > 0) {
        add(out, group, "mempool agreement, mean", FIGURE_PERCENT,
            agreement / 10000 / (double)n_told);
        add(out, group, "mempool agreement, lowest", FIGURE_PERCENT, lowest_e6 / 10000.0);
    }
}

/* -- Traffic ------------------------------------------------------------------------------------
 */

size_t traffic_by_size(const struct run *run, uint32_t *order, double *bytes)
{
    ASSERT(run && order && bytes);
    size_t n = run->types.list.n;
    for (size_t type = 0; type < n; type++) {
        bytes[type] = 0;
        for (size_t i = 0; i < run->samples.n; i++)
            bytes[type] += (double)run->samples.at[i].bytes[type];
        size_t at = type;
        for (; at > 0 && bytes[order[at - 1]] < bytes[type]; at--)
            order[at] = order[at - 1];
        order[at] = (uint32_t)type;
    }
    return n;
}

static void add_traffic(const struct run *run, struct figures *out)
{
    static const char group[] = "Traffic, a node and minute";
    uint32_t order[RUN_TYPES_MAX];
    double bytes[RUN_TYPES_MAX], total = 0, others = 0;
    size_t n = traffic_by_size(run, order, bytes);
    double node_minutes = (double)run->nodes.n * (double)run->t_us / 60e6;
    if (n == 0 || node_minutes <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        total += bytes[i];
        others += i >= TYPES_SHOWN ? bytes[order[i]] : 0;
    }
    add(out, group, "all messages", FIGURE_BYTES, total / node_minutes);
    for (size_t i = 0; i < MIN_OF(n, (size_t)TYPES_SHOWN); i++)
        add(out, group, names_get(&run->types, order[i]), FIGURE_BYTES,
            bytes[order[i]] / node_minutes);
    if (others > 0)
        add(out, group, "other messages", FIGURE_BYTES, others / node_minutes);
    add(out, group, "all nodes, whole run", FIGURE_BYTES,
        run->n_bytes >= 0 ? (double)run->n_bytes : total);
}

/* -- The network --------------------------------------------------------------------------------
 */

/* How long there was a partition. */
static double partitioned_s(const struct run *run)
{
    int64_t sum_us = 0;
    for (size_t i = 0; i < run->partitions.n; i++)
        sum_us += run->partitions.at[i].to_us - run->partitions.at[i].from_us;
    return (double)sum_us / 1e6;
}

static void add_network(const struct run *run, struct figures *out)
{
    static const char group[] = "Network";
    add(out, group, "nodes", FIGURE_COUNT, (double)run->nodes.n);
    add(out, group, "measured for", FIGURE_SECONDS, (double)run->t_us / 1e6);
    add(out, group, "connections in the end", FIGURE_COUNT, (double)run->links.n);
    if (run->n_downs > 0)
        add(out, group, "times that a node went down", FIGURE_COUNT, (double)run->n_downs);
    if (run->partitions.n > 0) {
        add(out, group, "partitions", FIGURE_COUNT, (double)run->partitions.n);
        add(out, group, "partitioned for", FIGURE_SECONDS, partitioned_s(run));
    }
    if (run->attacks.n > 0)
        add(out, group, "acts of attackers", FIGURE_COUNT, (double)run->attacks.n);
}

/* -- Roles --------------------------------------------------------------------------------------
 */

static void add_role(const struct run *run, struct figures *out, uint32_t role)
{
    static const char group[] = "Roles";
    double power = 0, all_power = 0, n_main = 0, all_main = 0, n_stale = 0, n = 0;
    for (size_t i = 0; i < run->nodes.n; i++) {
        double p = (double)run->nodes.at[i].power_e6;
        all_power += p;
        power += run->nodes.at[i].role == role ? p : 0;
        n += run->nodes.at[i].role == role;
    }
    for (size_t i = 0; i < run->blocks.n; i++) {
        const struct run_block *block = run->blocks.at[i];
        bool is_own = run->nodes.at[block->miner].role == role;
        all_main += block->is_main;
        n_main += is_own && block->is_main;
        n_stale += is_own && !block->is_main;
    }
    const char *name = names_get(&run->roles, role);
    char label[NAME_BYTES_MAX + 32];
    snprintf(label, sizeof label, "%s: nodes", name);
    add(out, group, label, FIGURE_COUNT, n);
    snprintf(label, sizeof label, "%s: share of mining power", name);
    add(out, group, label, FIGURE_PERCENT, percent(power, all_power));
    snprintf(label, sizeof label, "%s: share of the winning chain", name);
    add(out, group, label, FIGURE_PERCENT, percent(n_main, all_main));
    snprintf(label, sizeof label, "%s: stale rate", name);
    add(out, group, label, FIGURE_PERCENT, percent(n_stale, n_main + n_stale));
}

/* -- All of it ----------------------------------------------------------------------------------
 */

void figures_of_run(const struct run *run, struct figures *out)
{
    ASSERT(run && run->has_begun && out);
    *out = (struct figures){0};
    add_network(run, out);
    add_blocks(run, out);
    add_propagation(run, out);
    add_transactions(run, out);
    add_traffic(run, out);
    for (uint32_t role = 0; run->roles.list.n > 1 && role < run->roles.list.n; role++)
        add_role(run, out, role);
}

void figures_free(struct figures *figures)
{
    ASSERT(figures);
    ARRAY_FREE(&figures->rows);
}

const struct figure *figures_find(const struct figures *figures, const char *group,
                                  const char *label)
{
    ASSERT(figures && group && label);
    for (size_t i = 0; i < figures->rows.n; i++) {
        const struct figure *row = &figures->rows.at[i];
        if (strcmp(row->group, group) == 0 && strcmp(row->label, label) == 0)
            return row;
    }
    return NULL;
}

/* A value to the right in a column; "-" if there is no row. */
static void print_value(const struct figure *row, struct buffer *out)
{
    struct buffer value;
    buffer_init(&value);
    if (row)
        figure_text(&value, row->kind, row->value);
    else
        buffer_append_string(&value, "-");
    buffer_append_format(out, " %14.*s", (int)value.len, (const char *)value.p);
    buffer_deinit(&value);
}

/* A heading where a group begins, and the label. */
static void print_label(const struct figures *figures, size_t i, struct buffer *out)
{
    const struct figure *row = &figures->rows.at[i];
    if (i == 0 || strcmp(row->group, figures->rows.at[i - 1].group) != 0)
        buffer_append_format(out, "%s%s\n", i > 0 ? "\n" : "", row->group);
    buffer_append_format(out, "  %-38s", row->label);
}

void figures_print(const struct figures *figures, struct buffer *out)
{
    ASSERT(figures && out);
    for (size_t i = 0; i < figures->rows.n; i++) {
        print_label(figures, i, out);
        print_value(&figures->rows.at[i], out);
        buffer_append_string(out, "\n");
    }
}

void figures_print_both(const struct figures *a, const struct figures *b, struct buffer *out)
{
    ASSERT(a && b && out);
    for (size_t i = 0; i < a->rows.n; i++) {
        const struct figure *row = &a->rows.at[i];
        print_label(a, i, out);
        print_value(row, out);
        print_value(figures_find(b, row->group, row->label), out);
        buffer_append_string(out, "\n");
    }
    for (size_t i = 0; i < b->rows.n; i++) {
        const struct figure *row = &b->rows.at[i];
        if (figures_find(a, row->group, row->label))
            continue;
        buffer_append_format(out, "  %-38s %14s", row->label, "-");
        print_value(row, out);
        buffer_append_string(out, "\n");
    }
}
