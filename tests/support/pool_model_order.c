/* pool_model_order.c - see pool_model.h: the best order of a cluster, found by trying every part of
 * it that could be mined first. */
#include "support/pool_model.h"

__extension__ typedef __int128 wide;

int model_rate_compare(struct model_rate a, struct model_rate b)
{
    wide left = (wide)a.fee_sat * b.wu, right = (wide)b.fee_sat * a.wu;
    return left < right ? -1 : left > right;
}

struct model_list model_cluster(const struct pool_model *m, const struct model_list *set, int tx)
{
    struct model_list cluster = {.at = {tx}, .n = 1};
    for (int i = 0; i < cluster.n; i++)
        for (int k = 0; k < set->n; k++)
            if (model_spends(m, set->at[k], cluster.at[i]) ||
                model_spends(m, cluster.at[i], set->at[k]))
                model_list_add(&cluster, set->at[k]);
    return cluster;
}

/* All parts of a cluster, as rows of bits. */
struct parts {
    struct model_rate rate[1 << MODEL_EXACT_MAX];
    uint32_t needs[1 << MODEL_EXACT_MAX]; /* what its members spend from */
};

static void sum_parts(const struct pool_model *m, const struct model_list *cluster,
                      struct parts *parts)
{
    parts->rate[0] = (struct model_rate){0, 0};
    parts->needs[0] = 0;
    for (uint32_t part = 1; part < UINT32_C(1) << cluster->n; part++) {
        int first = __builtin_ctz(part);
        uint32_t rest = part & (part - 1), needs = 0;
        for (int k = 0; rest == 0 && k < cluster->n; k++)
            if (model_spends(m, cluster->at[first], cluster->at[k]))
                needs |= UINT32_C(1) << k;
        uint32_t single = UINT32_C(1) << first;
        if (rest == 0) {
            parts->rate[part] = (struct model_rate){model_modified_fee(m, cluster->at[first]),
                                                    m->tx[cluster->at[first]].wu};
            parts->needs[part] = needs;
            continue;
        }
        parts->rate[part].fee_sat = parts->rate[rest].fee_sat + parts->rate[single].fee_sat;
        parts->rate[part].wu = parts->rate[rest].wu + parts->rate[single].wu;
        parts->needs[part] = parts->needs[rest] | parts->needs[single];
    }
}

/* Of what is left, the part of the highest rate that needs nothing else; the largest of equals. */
static uint32_t best_part(const struct parts *parts, uint32_t left)
{
    uint32_t best = 0;
    for (uint32_t part = left; part; part = (part - 1) & left) {
        if (parts->needs[part] & left & ~part)
            continue;
        int order = best ? model_rate_compare(parts->rate[part], parts->rate[best]) : 1;
        if (order > 0 || (order == 0 && parts->rate[part].wu > parts->rate[best].wu))
            best = part;
    }
    return best;
}

static int chunks_of_cluster(const struct pool_model *m, const struct model_list *cluster,
                             struct model_rate *chunks, struct model_rate *level)
{
    static struct parts parts; /* a scratch: nothing is kept in it */
    int n = 0;
    sum_parts(m, cluster, &parts);
    for (uint32_t left = (UINT32_C(1) << cluster->n) - 1; left;) {
        uint32_t part = best_part(&parts, left);
        for (int k = 0; k < cluster->n; k++)
            if (part >> k & 1)
                level[k] = parts.rate[part];
        chunks[n++] = parts.rate[part];
        left &= ~part;
    }
    return n;
}

static int compare_falling(const void *a, const void *b)
{
    return model_rate_compare(*(const struct model_rate *)b, *(const struct model_rate *)a);
}

static int place_of(const struct model_list *set, int tx)
{
    int at = 0;
    while (set->at[at] != tx)
        at++;
    return at;
}

int model_chunks(const struct pool_model *m, const struct model_list *set,
                 struct model_rate *chunks, struct model_rate *level)
{
    int n = 0;
    bool is_exact = true;
    struct model_list done = {0};
    for (int i = 0; i < set->n; i++) {
        if (model_list_has(&done, set->at[i]))
            continue;
        struct model_list cluster = model_cluster(m, set, set->at[i]);
        struct model_rate own[MODEL_EXACT_MAX] = {{0, 0}};
        bool is_small = cluster.n <= MODEL_EXACT_MAX;
        if (is_small)
            n += chunks_of_cluster(m, &cluster, chunks + n, own);
        is_exact = is_exact && is_small;
        model_counts.exact += is_small;
        model_counts.inexact += !is_small;
        for (int k = 0; k < cluster.n; k++) {
            done.at[done.n++] = cluster.at[k];
            if (level)
                level[place_of(set, cluster.at[k])] = is_small ? own[k] : (struct model_rate){0, 0};
        }
    }
    qsort(chunks, (size_t)n, sizeof *chunks, compare_falling);
    return is_exact ? n : -1;
}

/* -- Diagrams ---------------------------------------------------------------------------------- */

/* What is earned with room for wu: a fraction, over below. */
static wide earned(const struct model_rate *chunks, int n, int64_t wu, int64_t *below)
{
    wide fee_sat = 0;
    int i = 0;
    for (; i < n && wu >= chunks[i].wu; i++) {
        fee_sat += chunks[i].fee_sat;
        wu -= chunks[i].wu;
    }
    *below = i < n ? chunks[i].wu : 1;
    return fee_sat * *below + (i < n ? (wide)chunks[i].fee_sat * wu : 0);
}

bool model_improves(const struct model_rate *a, int n_a, const struct model_rate *b, int n_b)
{
    bool is_above = false;
    int64_t of_a = 0, of_b = 0;
    for (int i = 0; i < n_a + n_b; i++) {
        int64_t wu = i < n_a ? (of_a += a[i].wu) : (of_b += b[i - n_a].wu);
        int64_t below_a, below_b;
        wide left = earned(a, n_a, wu, &below_a), right = earned(b, n_b, wu, &below_b);
        if (left * below_b < right * below_a)
            return false;
        is_above = is_above || left * below_b > right * below_a;
    }
    return is_above;
}
