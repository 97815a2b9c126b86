/* pool_model_rules.c - see pool_model.h: who may come in, who has to go, and which events tell it.
 */
#include <math.h>

#include "mempool/mempool_internal.h"
#include "support/pool_model.h"

enum model_how {
    HOW_BYPASS = 1,         /* put back: neither fees nor version 3 */
    HOW_NO_REPLACEMENT = 2, /* a test of several */
    HOW_PACKAGE_FEES = 4,   /* judged with others */
};

/* Of one or of several: who comes, and whom that replaces. */
struct change {
    struct model_list comes, conflicts, gone;
    int64_t fee_sat, vbytes;
    bool is_sibling; /* version 3: room for a sibling */
};

/* -- Events ------------------------------------------------------------------------------------ */

static const struct mempool_rig_event *peek(const struct pool_model *m)
{
    return m->next_event < m->rig->n_events ? &m->rig->event[m->next_event] : NULL;
}

static bool next_is(const struct pool_model *m, enum mempool_reason reason)
{
    return peek(m) && peek(m)->reason == reason;
}

static void remove_entry(struct pool_model *m, int tx)
{
    int at = 0;
    while (m->pool[at].tx != tx)
        at++;
    m->n_pool--;
    memmove(&m->pool[at], &m->pool[at + 1], (size_t)(m->n_pool - at) * sizeof *m->pool);
}

static bool has_child(const struct pool_model *m, int tx)
{
    for (int i = 0; i < m->n_pool; i++)
        if (model_spends(m, m->pool[i].tx, tx))
            return true;
    return false;
}

static int take_event(struct pool_model *m, enum mempool_reason reason)
{
    if (!next_is(m, reason))
        model_fail(m, "event %zu is %s, not %s", m->next_event,
                   peek(m) ? mempool_reason_name(peek(m)->reason) : "missing",
                   mempool_reason_name(reason));
    model_counts.events[reason]++;
    int tx = model_number(m, &m->rig->event[m->next_event++].txid);
    if (reason != MEMPOOL_ADDED && !model_has(m, tx))
        model_fail(m, "%s of %d, which is not there", mempool_reason_name(reason), tx);
    return tx;
}

/* Exactly these go next, for that reason: children first, or when mined parents first. */
static void expect_gone(struct pool_model *m, enum mempool_reason reason,
                        const struct model_list *set)
{
    for (int i = 0; i < set->n; i++) {
        int tx = take_event(m, reason);
        if (!model_list_has(set, tx))
            model_fail(m, "%s of %d, which should stay", mempool_reason_name(reason), tx);
        if (reason == MEMPOOL_REMOVED_BLOCK ? model_parents(m, tx).n > 0 : has_child(m, tx))
            model_fail(m, "%s of %d before its relatives", mempool_reason_name(reason), tx);
        remove_entry(m, tx);
    }
}

static void expect_added(struct pool_model *m, const struct model_entry *entry, bool is_putback)
{
    int tx = take_event(m, MEMPOOL_ADDED);
    const struct mempool_rig_event *event = &m->rig->event[m->next_event - 1];
    if (tx != entry->tx || event->is_putback != is_putback)
        model_fail(m, "%d is added, put back %d, instead of %d", tx, event->is_putback, entry->tx);
    model_counts.putbacks += is_putback;
    m->pool[m->n_pool] = *entry;
    m->pool[m->n_pool++].order = m->n_added++;
}

/* -- Size -------------------------------------------------------------------------------------- */

int64_t model_floor(struct pool_model *m)
{
    double least = (double)m->options->incremental_sat_per_kvb;
    if (!m->block_since_bump || m->floor_sat_per_kvb == 0)
        return (int64_t)(m->floor_sat_per_kvb + 0.5);
    if (m->now_s > m->floor_update_s + 10) {
        double halflife_s = 12 * 3600;
        size_t bytes = mempool_memory_bytes(m->rig->pool);
        if (bytes < m->options->max_bytes / 4)
            halflife_s /= 4;
        else if (bytes < m->options->max_bytes / 2)
            halflife_s /= 2;
        m->floor_sat_per_kvb /= pow(2, (double)(m->now_s - m->floor_update_s) / halflife_s);
        m->floor_update_s = m->now_s;
        if (m->floor_sat_per_kvb < least / 2) {
            m->floor_sat_per_kvb = 0;
            return 0;
        }
    }
    return (int64_t)(fmax(m->floor_sat_per_kvb, least) + 0.5);
}

static void expire(struct pool_model *m)
{
    struct model_list old = {0};
    for (int i = 0; i < m->n_pool; i++)
        if (m->pool[i].time_s < m->now_s - m->options->expiry_s)
            model_list_add(&old, m->pool[i].tx);
    old = model_with_descendants(m, &old);
    expect_gone(m, MEMPOOL_REMOVED_EXPIRY, &old);
}

static struct model_rate rate_of(const struct pool_model *m, const struct model_list *set)
{
    struct model_rate rate = {0, 0};
    for (int i = 0; i < set->n; i++) {
        rate.fee_sat += model_modified_fee(m, set->at[i]);
        rate.wu += m->tx[set->at[i]].wu;
    }
    return rate;
}

/* The lowest rate at which anything is mined. Returns: false if some cluster is too large */
static bool worst_level(const struct pool_model *m, struct model_rate *level,
                        struct model_rate *worst)
{
    struct model_rate chunks[MODEL_TXS_MAX];
    struct model_list all = model_all(m);
    int n = model_chunks(m, &all, chunks, level);
    if (n > 0)
        *worst = chunks[n - 1];
    return n > 0;
}

/* One chunk, of the lowest rate, children first; it is over when it has that rate as a whole. One
 * that falls into parts of the same rate may go at once, though a part of it would be enough.
 *
 * In,out:   last  the rate of the one before, then of this one; size 0: none was before, below 0:
 *                 it is not known, since a cluster was too large to be ordered by trying */
static void evict_chunk(struct pool_model *m, struct model_rate *last)
{
    struct model_rate level[MODEL_TXS_MAX], worst = {0, 0};
    struct model_list before = model_all(m), gone = {0};
    bool is_exact = worst_level(m, level, &worst) && last->wu >= 0;
    bool is_of_last = last->wu < 0 || (last->wu > 0 && model_rate_compare(*last, worst) == 0);
    if (is_exact && !is_of_last && peek(m)->memory_bytes <= m->options->max_bytes)
        model_fail(m, "evicted with %zu bytes of %zu", peek(m)->memory_bytes,
                   m->options->max_bytes);
    while (gone.n == 0 || (is_exact && model_rate_compare(rate_of(m, &gone), worst) != 0)) {
        int tx = take_event(m, MEMPOOL_REMOVED_SIZELIMIT), at = 0;
        while (before.at[at] != tx)
            at++;
        if (has_child(m, tx) || (is_exact && model_rate_compare(level[at], worst) != 0))
            model_fail(m, "%d is evicted, and is not of the worst", tx);
        remove_entry(m, tx);
        model_list_add(&gone, tx);
    }
    struct model_rate rate = rate_of(m, &gone);
    if (last->wu >= 0)
        *last = is_exact ? rate : (struct model_rate){0, -1};
    double floor =
        (double)rate.fee_sat * 4000 / (double)rate.wu + (double)m->options->incremental_sat_per_kvb;
    model_counts.chunks_evicted++;
    if (is_exact && floor > m->floor_sat_per_kvb) {
        m->floor_sat_per_kvb = floor;
        m->block_since_bump = false;
    } else if (!is_exact) {
        m->floor_sat_per_kvb = m->rig->pool->rolling_sat_per_kvb;
        m->block_since_bump = m->rig->pool->block_since_bump;
    }
}

void model_limit(struct pool_model *m)
{
    struct model_rate last = {0, 0};
    expire(m);
    while (next_is(m, MEMPOOL_REMOVED_SIZELIMIT))
        evict_chunk(m, &last);
}

void model_prioritise(struct pool_model *m, int tx, int64_t delta_sat)
{
    m->tx[tx].delta_sat += delta_sat;
}

/* -- One by itself ----------------------------------------------------------------------------- */

static bool shares_coin(const struct pool_model *m, int a, int b)
{
    for (uint32_t i = 0; i < m->tx[a].tx.n_in; i++)
        for (uint32_t k = 0; k < m->tx[b].tx.n_in; k++)
            if (m->tx[a].in[i].tx == m->tx[b].in[k].tx &&
                m->tx[a].in[i].vout == m->tx[b].in[k].vout)
                return true;
    return false;
}

static bool is_final(const struct pool_model *m, int tx)
{
    const struct tx *it = &m->tx[tx].tx;
    bool is_open = (int64_t)it->lock_time < model_tip_height(m) + 1, all_final = true;
    for (uint32_t i = 0; i < it->n_in; i++)
        all_final = all_final && it->in[i].sequence == SEQUENCE_FINAL;
    return is_open || all_final;
}

/* Some output of it is a coin. */
static bool is_in_chain(const struct pool_model *m, int tx)
{
    int32_t height;
    bool is_coinbase;
    for (uint32_t k = 0; k < m->tx[tx].tx.n_out; k++)
        if (model_is_coin(m, (struct model_out){tx, k}, &height, &is_coinbase))
            return true;
    return false;
}

/* Its coins, and what is asked of them in the next block. */
static enum reject check_coins(const struct pool_model *m, int tx, const struct model_list *before)
{
    const struct model_tx *it = &m->tx[tx];
    int32_t next = model_tip_height(m) + 1;
    bool is_locked = false, is_young = false;
    for (uint32_t i = 0; i < it->tx.n_in; i++) {
        int32_t height = next;
        bool is_coinbase = false;
        bool waits = it->in[i].tx >= 0 &&
                     (model_has(m, it->in[i].tx) || model_list_has(before, it->in[i].tx));
        if (!waits && !model_is_coin(m, it->in[i], &height, &is_coinbase))
            return is_in_chain(m, tx) ? REJECT_ALREADY_KNOWN : REJECT_INPUTS_UNKNOWN;
        uint32_t sequence = it->tx.in[i].sequence;
        is_locked = is_locked || (sequence < 0xffff && height + (int32_t)sequence > next);
        is_young = is_young || (is_coinbase && next - height < 100);
    }
    if (is_locked)
        return REJECT_NON_BIP68_FINAL;
    if (is_young)
        return REJECT_PREMATURE_SPEND_YET;
    return it->fee_sat < 0 ? REJECT_IN_BELOW_OUT : REJECT_NONE;
}

static int64_t fee_for(int64_t sat_per_kvb, int64_t vbytes)
{
    return (sat_per_kvb * vbytes + 999) / 1000;
}

static enum reject check_fees(struct pool_model *m, int64_t fee_sat, int64_t vbytes)
{
    int64_t floor_sat = fee_for(model_floor(m), vbytes);
    if (floor_sat > 0 && fee_sat < floor_sat)
        return REJECT_MEMPOOL_MIN_FEE;
    return fee_sat < fee_for(m->options->min_relay_sat_per_kvb, vbytes) ? REJECT_MIN_RELAY_FEE
                                                                        : REJECT_NONE;
}

static bool is_truc(const struct pool_model *m, int tx)
{
    return m->tx[tx].tx.version == 3;
}

/* BIP-431. sibling: who could make room, or -1 */
static enum reject check_truc(const struct pool_model *m, int tx,
                              const struct model_list *conflicts, int *sibling)
{
    struct model_list parents = model_parents(m, tx);
    *sibling = -1;
    for (int i = 0; i < parents.n; i++)
        if (is_truc(m, tx) != is_truc(m, parents.at[i]))
            return REJECT_TRUC_VIOLATION;
    if (!is_truc(m, tx) || parents.n == 0)
        return REJECT_NONE;
    if (model_ancestors(m, tx).n > 1 || m->tx[tx].vbytes > 1000)
        return REJECT_TRUC_VIOLATION;
    struct model_list family = {.at = {parents.at[0]}, .n = 1};
    family = model_with_descendants(m, &family);
    int n_children = 0, child = -1;
    for (int i = 1; i < family.n; i++)
        if (model_spends(m, family.at[i], parents.at[0])) {
            n_children++;
            child = family.at[i];
            if (model_list_has(conflicts, child))
                return REJECT_NONE;
        }
    if (n_children == 0)
        return REJECT_NONE;
    if (family.n == 2 && model_parents(m, child).n == 1)
        *sibling = child;
    return REJECT_TRUC_VIOLATION;
}

/* Everything but what it replaces and hangs together with. */
static enum reject check_rules(struct pool_model *m, int tx, int how,
                               const struct model_list *before, struct change *change)
{
    static const struct model_list nobody = {0};
    if (!is_final(m, tx))
        return REJECT_NON_FINAL;
    if (model_has(m, tx))
        return REJECT_ALREADY_IN_MEMPOOL;
    struct model_list conflicts = {0};
    for (int i = 0; i < m->n_pool; i++)
        if (shares_coin(m, m->pool[i].tx, tx))
            model_list_add(&conflicts, m->pool[i].tx);
    if (conflicts.n > 0 && (how & HOW_NO_REPLACEMENT))
        return REJECT_REPLACEMENT_DISALLOWED;
    enum reject code = check_coins(m, tx, before ? before : &nobody);
    if (code != REJECT_NONE)
        return code;
    if (!(how & (HOW_BYPASS | HOW_PACKAGE_FEES)))
        code = check_fees(m, model_modified_fee(m, tx), m->tx[tx].vbytes);
    int sibling = -1;
    if (code == REJECT_NONE && !(how & HOW_BYPASS))
        code = check_truc(m, tx, &conflicts, &sibling);
    if (sibling >= 0 && !(how & (HOW_NO_REPLACEMENT | HOW_PACKAGE_FEES))) {
        model_list_add(&conflicts, sibling);
        change->is_sibling = true;
        code = REJECT_NONE;
    }
    for (int i = 0; i < conflicts.n; i++)
        model_list_add(&change->conflicts, conflicts.at[i]);
    model_list_add(&change->comes, tx);
    change->fee_sat += model_modified_fee(m, tx);
    change->vbytes += m->tx[tx].vbytes;
    change->gone = model_with_descendants(m, &change->conflicts);
    return code;
}

/* -- What changes ------------------------------------------------------------------------------ */

/* A set as it would be afterwards. */
static struct model_list after(const struct model_list *set, const struct change *change)
{
    struct model_list list = {0};
    for (int i = 0; i < set->n; i++)
        if (!model_list_has(&change->gone, set->at[i]))
            model_list_add(&list, set->at[i]);
    for (int i = 0; i < change->comes.n; i++)
        model_list_add(&list, change->comes.at[i]);
    return list;
}

static bool fits(const struct pool_model *m, const struct change *change)
{
    struct model_list all = model_all(m), then = after(&all, change);
    for (int i = 0; i < change->comes.n; i++) {
        struct model_list cluster = model_cluster(m, &then, change->comes.at[i]);
        if (cluster.n > (int)m->options->cluster_count_max ||
            rate_of(m, &cluster).wu > 4 * (int64_t)m->options->cluster_vbytes_max)
            return false;
    }
    return true;
}

static void add_cluster(const struct pool_model *m, struct model_list *touched, int tx)
{
    struct model_list all = model_all(m), cluster = model_cluster(m, &all, tx);
    for (int i = 0; i < cluster.n; i++)
        model_list_add(touched, cluster.at[i]);
}

/* The clusters that somebody leaves or joins, before and after. If they are too large for the model
 * the mempool is believed: then its events tell what it has found; of a test nothing does. */
static bool improves(struct pool_model *m, const struct change *change)
{
    struct model_rate before_chunks[MODEL_TXS_MAX], after_chunks[MODEL_TXS_MAX];
    struct model_list touched = {0};
    for (int i = 0; i < change->conflicts.n; i++)
        add_cluster(m, &touched, change->conflicts.at[i]);
    for (int i = 0; i < change->comes.n; i++) {
        struct model_list parents = model_parents(m, change->comes.at[i]);
        for (int k = 0; k < parents.n; k++)
            add_cluster(m, &touched, parents.at[k]);
    }
    struct model_list then = after(&touched, change);
    int n_before = model_chunks(m, &touched, before_chunks, NULL);
    int n_after = model_chunks(m, &then, after_chunks, NULL);
    m->is_undecided = n_before < 0 || n_after < 0;
    if (m->is_undecided)
        return next_is(m, MEMPOOL_REMOVED_REPLACED);
    return model_improves(after_chunks, n_after, before_chunks, n_before);
}

static bool pays(const struct pool_model *m, const struct change *change)
{
    int64_t more_sat = change->fee_sat - rate_of(m, &change->gone).fee_sat;
    return more_sat >= fee_for(m->options->incremental_sat_per_kvb, change->vbytes);
}

static bool needs_what_goes(const struct pool_model *m, const struct change *change)
{
    struct model_list ancestors = model_ancestors(m, change->comes.at[0]);
    for (int i = 0; i < ancestors.n; i++)
        if (model_list_has(&change->conflicts, ancestors.at[i]))
            return true;
    return false;
}

static enum reject check_change(struct pool_model *m, const struct change *change)
{
    if (change->gone.n > 0 && !pays(m, change))
        return change->is_sibling ? REJECT_INSUFFICIENT_FEE_SIBLING : REJECT_INSUFFICIENT_FEE;
    if (!fits(m, change))
        return REJECT_CLUSTER_TOO_LARGE;
    enum reject code = needs_what_goes(m, change) ? REJECT_SPENDS_CONFLICTING : REJECT_NONE;
    if (change->gone.n == 0 || improves(m, change))
        return code;
    bool is_believed = m->is_undecided && model_list_has(&m->said_conflicting, change->comes.at[0]);
    return is_believed && code != REJECT_NONE ? code : REJECT_REPLACEMENT_FAILED;
}

static void commit(struct pool_model *m, const struct change *change,
                   const struct model_entry *like, bool is_putback)
{
    struct model_entry entry = *like;
    entry.height = model_tip_height(m);
    expect_gone(m, MEMPOOL_REMOVED_REPLACED, &change->gone);
    for (int i = 0; i < change->comes.n; i++) {
        entry.tx = change->comes.at[i];
        expect_added(m, &entry, is_putback);
    }
}

enum reject model_accept(struct pool_model *m, int tx, bool is_test)
{
    struct change change = {0};
    struct model_entry entry = {.time_s = m->now_s};
    enum reject code = check_rules(m, tx, 0, NULL, &change);
    if (code == REJECT_NONE)
        code = check_change(m, &change);
    if (code != REJECT_NONE || is_test)
        return code;
    commit(m, &change, &entry, false);
    model_limit(m);
    return model_has(m, tx) ? REJECT_NONE : REJECT_MEMPOOL_FULL;
}

/* -- Several ----------------------------------------------------------------------------------- */

static enum reject check_form(const struct pool_model *m, const int *txs, int n, bool is_test)
{
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            if (txs[i] == txs[k])
                return REJECT_PACKAGE_DUPLICATES;
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            if (model_spends(m, txs[i], txs[k]))
                return REJECT_PACKAGE_NOT_SORTED;
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            if (shares_coin(m, txs[i], txs[k]))
                return REJECT_PACKAGE_CONFLICT;
    for (int i = 0; i + 1 < n; i++)
        if (!is_test && !model_spends(m, txs[n - 1], txs[i]))
            return REJECT_PACKAGE_NOT_TREE;
    return REJECT_NONE;
}

/* Version 3 among those judged together: at most one parent, waiting or with it, which has nobody
 * else. */
static bool breaks_truc(const struct pool_model *m, const struct model_list *set, int tx)
{
    struct model_list parents = model_parents(m, tx);
    for (int i = 0; i < set->n; i++)
        if (model_spends(m, tx, set->at[i]))
            model_list_add(&parents, set->at[i]);
    for (int i = 0; i < parents.n; i++)
        if (is_truc(m, tx) != is_truc(m, parents.at[i]))
            return true;
    if (!is_truc(m, tx) || parents.n == 0)
        return false;
    if (parents.n > 1 || m->tx[tx].vbytes > 1000 || has_child(m, parents.at[0]))
        return true;
    for (int i = 0; i < set->n; i++)
        if (set->at[i] != tx &&
            (model_spends(m, set->at[i], parents.at[0]) || model_spends(m, set->at[i], tx)))
            return true;
    return false;
}

static enum reject check_package_change(struct pool_model *m, const struct change *change)
{
    const int *tx = change->comes.at;
    if (change->gone.n > 0) {
        if (change->comes.n != 2 || !model_spends(m, tx[1], tx[0]))
            return REJECT_PACKAGE_RBF_SHAPE;
        if (model_parents(m, tx[0]).n + model_parents(m, tx[1]).n > 0)
            return REJECT_PACKAGE_RBF_ANCESTORS;
        if (!pays(m, change))
            return REJECT_PACKAGE_RBF_FEES;
        struct model_rate parent = {model_modified_fee(m, tx[0]), m->tx[tx[0]].vbytes};
        struct model_rate both = {change->fee_sat, change->vbytes};
        if (model_rate_compare(both, parent) <= 0)
            return REJECT_PACKAGE_RBF_FEERATE;
    }
    if (!fits(m, change))
        return REJECT_CLUSTER_TOO_LARGE;
    return change->gone.n > 0 && !improves(m, change) ? REJECT_PACKAGE_RBF_DIAGRAM : REJECT_NONE;
}

static void fail_member(struct model_package_result *result, int number, enum reject code)
{
    result->code = REJECT_PACKAGE_TX_FAILED;
    result->state[number] = MEMPOOL_PACKAGE_REFUSED;
    result->tx_code[number] = code;
}

/* Those of the numbers. */
static void judge_together(struct pool_model *m, const int *txs, const int *number, int n,
                           bool is_test, struct model_package_result *result)
{
    struct change change = {0};
    struct model_entry entry = {.time_s = m->now_s};
    enum reject code;
    for (int i = 0; i < n; i++) {
        struct model_list before = change.comes;
        code = check_rules(m, txs[number[i]], is_test ? HOW_NO_REPLACEMENT : HOW_PACKAGE_FEES,
                           &before, &change);
        if (code != REJECT_NONE) {
            fail_member(result, number[i], code);
            return;
        }
    }
    for (int i = 0; i < n; i++)
        if (breaks_truc(m, &change.comes, txs[number[i]]))
            result->code = REJECT_TRUC_VIOLATION;
    if (result->code != REJECT_NONE)
        return;
    code = is_test ? REJECT_NONE : check_fees(m, change.fee_sat, change.vbytes);
    if (code != REJECT_NONE) {
        fail_member(result, number[n - 1], code);
        return;
    }
    result->code = check_package_change(m, &change);
    if (result->code != REJECT_NONE)
        return;
    if (!is_test)
        commit(m, &change, &entry, false);
    for (int i = 0; i < n; i++)
        result->state[number[i]] = MEMPOOL_PACKAGE_VALID;
}

/* Each as if there were no others. Returns: how many are left, their numbers */
static int judge_alone(struct pool_model *m, const int *txs, int n, enum reject *alone, int *left,
                       struct model_package_result *result)
{
    struct model_entry entry = {.time_s = m->now_s};
    int n_left = 0;
    for (int i = 0; i < n; i++) {
        struct change change = {0};
        if (model_has(m, txs[i])) {
            result->state[i] = MEMPOOL_PACKAGE_KNOWN;
            continue;
        }
        alone[i] = check_rules(m, txs[i], 0, NULL, &change);
        if (alone[i] == REJECT_NONE)
            alone[i] = check_change(m, &change);
        if (alone[i] == REJECT_NONE) {
            commit(m, &change, &entry, false);
            result->state[i] = MEMPOOL_PACKAGE_VALID;
            continue;
        }
        enum reject_class class = reject_class(alone[i]);
        if (n == 1 || (class != REJECT_CLASS_RECONSIDERABLE && class != REJECT_CLASS_MISSING))
            result->code = REJECT_PACKAGE_TX_FAILED;
        left[n_left++] = i;
    }
    return n_left;
}

struct model_package_result model_package(struct pool_model *m, const int *txs, int n, bool is_test)
{
    struct model_package_result result = {.code = check_form(m, txs, n, is_test)};
    enum reject alone[MEMPOOL_PACKAGE_COUNT_MAX] = {REJECT_NONE};
    int number[MEMPOOL_PACKAGE_COUNT_MAX], n_left = n;
    for (int i = 0; i < n; i++)
        number[i] = i;
    if (result.code == REJECT_NONE && !is_test)
        n_left = judge_alone(m, txs, n, alone, number, &result);
    if (result.code == REJECT_NONE && !is_test && n_left == 1)
        result.code = REJECT_PACKAGE_TX_FAILED; /* alone is alone */
    if (result.code == REJECT_NONE && n_left > 0)
        judge_together(m, txs, number, n_left, is_test, &result);
    if (!is_test)
        model_limit(m);
    for (int i = 0; i < n; i++) {
        bool was_in =
            result.state[i] == MEMPOOL_PACKAGE_VALID || result.state[i] == MEMPOOL_PACKAGE_KNOWN;
        if (!is_test && was_in && !model_has(m, txs[i])) {
            fail_member(&result, i, REJECT_MEMPOOL_FULL);
        } else if (result.state[i] == MEMPOOL_PACKAGE_UNDECIDED && alone[i] != REJECT_NONE) {
            result.state[i] = MEMPOOL_PACKAGE_REFUSED;
            result.tx_code[i] = alone[i];
        }
    }
    return result;
}

/* -- Blocks ------------------------------------------------------------------------------------ */

void model_connect(struct pool_model *m, const struct model_block *block)
{
    struct model_list conflicts = {0};
    m->chain.at[m->chain.n++] = *block;
    m->block_since_bump = true;
    m->floor_update_s = m->now_s;
    for (int i = 0; i < block->n; i++) {
        struct model_list one = {.at = {block->tx[i]}, .n = 1};
        if (model_has(m, block->tx[i]))
            expect_gone(m, MEMPOOL_REMOVED_BLOCK, &one);
        m->tx[block->tx[i]].delta_sat = 0;
    }
    for (int i = 0; i < m->n_pool; i++)
        for (int k = 0; k < block->n; k++)
            if (shares_coin(m, m->pool[i].tx, block->tx[k]))
                model_list_add(&conflicts, m->pool[i].tx);
    conflicts = model_with_descendants(m, &conflicts);
    expect_gone(m, MEMPOOL_REMOVED_CONFLICT, &conflicts);
}

/* Its transactions wait before those of blocks above it; entries that are not valid without it wait
 * behind all blocks, in the order in which they came. */
void model_disconnect(struct pool_model *m)
{
    static const struct model_list nobody = {0};
    struct model_putback *waits = &m->putback;
    struct model_block block = m->chain.at[--m->chain.n];
    memmove(&waits->at[block.n], waits->at, (size_t)waits->n * sizeof *waits->at);
    for (int i = 0; i < block.n; i++)
        waits->at[i] =
            (struct model_entry){.tx = block.tx[i], .time_s = m->now_s, .was_in_block = true};
    waits->n_blocks += block.n;
    waits->n += block.n;
    struct model_list invalid = {0};
    for (int i = 0; i < m->n_pool; i++)
        if (!is_final(m, m->pool[i].tx) || check_coins(m, m->pool[i].tx, &nobody) != REJECT_NONE)
            model_list_add(&invalid, m->pool[i].tx);
    invalid = model_with_descendants(m, &invalid);
    for (int i = 0; i < m->n_pool; i++) {
        if (!model_list_has(&invalid, m->pool[i].tx))
            continue;
        int at = waits->n_blocks;
        while (at < waits->n && waits->at[at].order < m->pool[i].order)
            at++;
        memmove(&waits->at[at + 1], &waits->at[at], (size_t)(waits->n++ - at) * sizeof *waits->at);
        waits->at[at] = m->pool[i];
        waits->at[at].was_in_block = false;
    }
    expect_gone(m, MEMPOOL_REMOVED_REORG, &invalid);
}

void model_rest(struct pool_model *m)
{
    model_limit(m);
    for (int i = 0; i < m->putback.n; i++) {
        struct model_entry *entry = &m->putback.at[i];
        struct change change = {0};
        if (check_rules(m, entry->tx, HOW_BYPASS, NULL, &change) != REJECT_NONE ||
            check_change(m, &change) != REJECT_NONE)
            continue;
        commit(m, &change, entry, true);
        model_limit(m);
    }
    m->putback.n = m->putback.n_blocks = 0;
}
