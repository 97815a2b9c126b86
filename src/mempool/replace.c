/* replace.c - see replace.h. */
#include "mempool/replace.h"

#include <stdlib.h>

#include "mempool/change.h"
#include "mempool/cluster.h"
#include "mempool/graph.h"
#include "util/hex.h"
#include "util/parse.h"

/* What stands between one and its place, with the codes for it: by itself, with a sibling that has
 * to go, and in a package. */
enum replace_kind {
    REPLACE_SINGLE,
    REPLACE_SIBLING,
    REPLACE_PACKAGE,
    REPLACE_KIND_COUNT,
};

static const struct {
    enum reject too_many, fees, diagram;
} codes[REPLACE_KIND_COUNT] = {
    [REPLACE_SINGLE] = {REJECT_TOO_MANY_REPLACED, REJECT_INSUFFICIENT_FEE,
                        REJECT_REPLACEMENT_FAILED},
    [REPLACE_SIBLING] = {REJECT_TOO_MANY_REPLACED_SIBLING, REJECT_INSUFFICIENT_FEE_SIBLING,
                         REJECT_REPLACEMENT_FAILED},
    [REPLACE_PACKAGE] = {REJECT_PACKAGE_RBF_TOO_MANY, REJECT_PACKAGE_RBF_FEES,
                         REJECT_PACKAGE_RBF_DIAGRAM},
};

/* Of one replacement: who pays how much for what. */
struct replacement {
    enum replace_kind kind;
    const struct tx *tx; /* whom messages name */
    int64_t fee_sat;     /* modified */
    uint32_t vbytes;
    struct verdict *verdict;
};

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* In how many clusters is what conflicts? Counted by sorting: each of thousands of inputs may meet
 * a cluster of its own. */
static size_t count_clusters(struct pool_check *const *checks, uint32_t n)
{
    ARRAY(uint32_t) ids = {0};
    size_t n_clusters = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < checks[i]->n_conflicts; k++)
            *ARRAY_ADD(&ids) = checks[i]->conflicts[k]->pub.cluster;
    if (ids.n > 0)
        qsort(ids.at, ids.n, sizeof *ids.at, compare_ids);
    for (size_t i = 0; i < ids.n; i++)
        n_clusters += i == 0 || ids.at[i] != ids.at[i - 1];
    ARRAY_FREE(&ids);
    return n_clusters;
}

/* All that goes, if the clusters are not too many to be looked at: which is asked first. */
static bool gather(struct pool_change *change, struct pool_check *const *checks, uint32_t n,
                   const struct replacement *replacement)
{
    size_t n_clusters = count_clusters(checks, n);
    char txid[HEX_ID_BYTES];
    for (uint32_t i = 0; n_clusters <= REPLACE_CLUSTERS_MAX && i < n; i++)
        for (uint32_t k = 0; k < checks[i]->n_conflicts; k++)
            pool_change_remove(change, checks[i]->conflicts[k]);
    ASSERT(change->touched.n == (n_clusters <= REPLACE_CLUSTERS_MAX ? n_clusters : 0));
    if (n_clusters <= REPLACE_CLUSTERS_MAX)
        return true;
    return verdict_set(replacement->verdict, codes[replacement->kind].too_many,
                       "rejecting replacement %s; too many conflicting clusters (%zu > %d)",
                       hex_encode_reversed(txid, span_of(replacement->tx->txid.b, 32)), n_clusters,
                       REPLACE_CLUSTERS_MAX);
}

/* It pays for all that goes, and once more for having been relayed. Core: PaysForRBF() */
static bool pays(const struct pool_change *change, const struct replacement *replacement)
{
    char txid[HEX_ID_BYTES], own[AMOUNT_STRING_BYTES], least[AMOUNT_STRING_BYTES];
    enum reject code = codes[replacement->kind].fees;
    int64_t more_sat = replacement->fee_sat - change->gone_fee_sat;
    int64_t relay_sat =
        feerate_fee_sat(change->mempool->options.incremental_sat_per_kvb, replacement->vbytes);
    hex_encode_reversed(txid, span_of(replacement->tx->txid.b, 32));
    if (more_sat < 0)
        return verdict_set(replacement->verdict, code,
                           "rejecting replacement %s, less fees than conflicting txs; %s < %s",
                           txid, format_money(replacement->fee_sat, own),
                           format_money(change->gone_fee_sat, least));
    if (more_sat < relay_sat)
        return verdict_set(replacement->verdict, code,
                           "rejecting replacement %s, not enough additional fees to relay; %s < %s",
                           txid, format_money(more_sat, own), format_money(relay_sat, least));
    return true;
}

static uint32_t adjusted_wu(const struct pool_check *check)
{
    return policy_adjusted_wu(&check->mempool->policy, tx_weight_wu(&check->tx),
                              check->sigops_cost);
}

static void add_newcomers(struct pool_change *change, struct pool_check *const *checks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        pool_change_add(change, &(struct pool_newcomer){
                                    .rate = {checks[i]->modified_fee_sat, adjusted_wu(checks[i])},
                                    .parents = checks[i]->parents,
                                    .n_parents = checks[i]->n_parents,
                                    .before = checks[i]->parents_before,
                                });
    }
}

static bool fits(const struct pool_change *change, struct verdict *verdict)
{
    return pool_change_fits(change) || verdict_set(verdict, REJECT_CLUSTER_TOO_LARGE, NULL);
}

static bool improves(const struct pool_change *change, const struct replacement *replacement)
{
    enum reject code = codes[replacement->kind].diagram;
    if (pool_change_improves(change))
        return true;
    return verdict_set(replacement->verdict, code,
                       code == REJECT_REPLACEMENT_FAILED
                           ? "insufficient feerate: does not improve feerate diagram"
                           : NULL);
}

/* -- One --------------------------------------------------------------------------------------- */

/* Of what it would replace, what it needs itself: the first by id. Returns: NULL: nothing */
static const struct pool_entry *needed_conflict(const struct pool_check *check)
{
    const struct pool_entry *first = NULL;
    for (uint32_t i = 0; i < check->n_parents; i++) {
        uint64_t ancestors = pool_ancestor_bits(check->mempool, check->parents[i]);
        for (uint32_t k = 0; k < check->n_conflicts; k++) {
            const struct pool_entry *conflict = check->conflicts[k];
            if (conflict->pub.cluster == check->parents[i]->pub.cluster &&
                (ancestors >> conflict->cluster_at & 1) &&
                (!first || txid_compare(&conflict->pub.tx.txid, &first->pub.tx.txid) < 0))
                first = conflict;
        }
    }
    return first;
}

/* Core: EntriesAndTxidsDisjoint(); asked when what is replaced is paid for and all fits */
static bool is_disjoint(struct pool_check *check)
{
    const struct pool_entry *needed = needed_conflict(check);
    char own[HEX_ID_BYTES], other[HEX_ID_BYTES];
    return !needed || verdict_set(&check->verdict, REJECT_SPENDS_CONFLICTING,
                                  "%s spends conflicting transaction %s",
                                  hex_encode_reversed(own, span_of(check->tx.txid.b, 32)),
                                  hex_encode_reversed(other, span_of(needed->pub.tx.txid.b, 32)));
}

static bool check_change(struct pool_change *change, struct pool_check *check)
{
    struct replacement replacement = {
        .kind = check->is_sibling_eviction ? REPLACE_SIBLING : REPLACE_SINGLE,
        .tx = &check->tx,
        .fee_sat = check->modified_fee_sat,
        .vbytes = check->vbytes,
        .verdict = &check->verdict,
    };
    if (!gather(change, &check, 1, &replacement) || !pays(change, &replacement))
        return false;
    add_newcomers(change, &check, 1);
    return fits(change, &check->verdict) && improves(change, &replacement) && is_disjoint(check);
}

/* With parents so many that no cluster holds them it need not be looked at. */
static bool has_room(struct pool_check *check)
{
    return pool_cluster_has_room(check->mempool, check->parents, check->n_parents,
                                 adjusted_wu(check)) ||
           verdict_set(&check->verdict, REJECT_CLUSTER_TOO_LARGE, NULL);
}

bool pool_replace_check(struct pool_check *check)
{
    if (check->n_conflicts == 0)
        return has_room(check);
    struct pool_change change;
    pool_change_init(&change, check->mempool);
    bool holds = check_change(&change, check);
    pool_change_deinit(&change);
    return holds;
}

/* -- A package --------------------------------------------------------------------------------- */

/* Parent and child by themselves, and worth more together than the parent alone: or the child would
 * only pay for the room that its parent takes. */
static bool check_pair(struct pool_check *const *checks, uint32_t n,
                       const struct replacement *replacement)
{
    if (n != 2 || checks[1]->parents_before == 0)
        return verdict_set(replacement->verdict, REJECT_PACKAGE_RBF_SHAPE, NULL);
    for (uint32_t i = 0; i < n; i++)
        if (checks[i]->n_parents > 0)
            return verdict_set(replacement->verdict, REJECT_PACKAGE_RBF_ANCESTORS, NULL);
    return true;
}

static bool is_chunk(struct pool_check *const *checks, const struct replacement *replacement)
{
    struct feerate parent = {checks[0]->modified_fee_sat, checks[0]->vbytes};
    struct feerate both = {replacement->fee_sat, replacement->vbytes};
    int64_t parent_rate = parent.fee_sat * 1000 / parent.size,
            both_rate = both.fee_sat * 1000 / both.size;
    if (feerate_compare(both, parent) > 0)
        return true;
    return verdict_set(replacement->verdict, REJECT_PACKAGE_RBF_FEERATE,
                       "package feerate %lld.%08lld BTC/kvB <= parent feerate is %lld.%08lld "
                       "BTC/kvB",
                       (long long)(both_rate / COIN_SAT), (long long)(both_rate % COIN_SAT),
                       (long long)(parent_rate / COIN_SAT), (long long)(parent_rate % COIN_SAT));
}

static bool check_package_change(struct pool_change *change, struct pool_check *const *checks,
                                 uint32_t n, struct verdict *verdict)
{
    struct replacement replacement = {
        .kind = REPLACE_PACKAGE, .tx = &checks[n - 1]->tx, .verdict = verdict};
    bool replaces = false;
    for (uint32_t i = 0; i < n; i++) {
        replaces |= checks[i]->n_conflicts > 0;
        replacement.fee_sat += checks[i]->modified_fee_sat;
        replacement.vbytes += checks[i]->vbytes;
    }
    if (replaces &&
        (!check_pair(checks, n, &replacement) || !gather(change, checks, n, &replacement) ||
         !pays(change, &replacement) || !is_chunk(checks, &replacement)))
        return false;
    add_newcomers(change, checks, n);
    return fits(change, verdict) && (!replaces || improves(change, &replacement));
}

bool pool_replace_check_package(struct pool_check *const *checks, uint32_t n,
                                struct verdict *verdict)
{
    ASSERT(n > 0 && n <= MEMPOOL_PACKAGE_COUNT_MAX);
    struct pool_change change;
    for (uint32_t i = 0; i < n; i++)
        if (checks[i]->n_parents >= MEMPOOL_CLUSTER_COUNT_MAX)
            return verdict_set(verdict, REJECT_CLUSTER_TOO_LARGE, NULL);
    pool_change_init(&change, checks[0]->mempool);
    bool holds = check_package_change(&change, checks, n, verdict);
    pool_change_deinit(&change);
    return holds;
}

/* -- Now --------------------------------------------------------------------------------------- */

/* The same entry may be meant by several of a package, and a descendant of one replaced may be
 * replaced itself: so they are named by id, and looked for each time. */
void pool_replace_commit(struct pool_check *const *checks, uint32_t n, struct pool_txids *replaced)
{
    struct mempool *mempool = checks[0]->mempool;
    struct pool_change change;
    pool_change_init(&change, mempool);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < checks[i]->n_conflicts; k++)
            pool_change_remove(&change, checks[i]->conflicts[k]);
    size_t first = replaced->n;
    for (size_t i = 0; i < change.touched.n; i++) {
        const struct pool_cluster *cluster = mempool->clusters.at[change.touched.at[i].cluster];
        for (uint64_t bits = change.touched.at[i].gone; bits; bits &= bits - 1)
            *ARRAY_ADD(replaced) = cluster->order[__builtin_ctzll(bits)]->pub.tx.txid;
    }
    pool_change_deinit(&change);
    mempool->replacement = &checks[n - 1]->tx.txid; /* of a package, the child that pays */
    /* From the end: in each cluster children are behind their parents. */
    for (size_t i = replaced->n; i-- > first;) {
        struct pool_entry *entry = pool_find(mempool, &replaced->at[i]);
        ASSERT(entry);
        pool_remove(mempool, entry, MEMPOOL_REMOVED_REPLACED);
    }
    mempool->replacement = NULL;
    pool_clusters_settle(mempool);
}
