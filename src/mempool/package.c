/* package.c - transactions that are judged together: mempool_accept_package().
 *
 * First each alone, in order, as if the others were not; most packages end here. What fails for its
 * fees, or for inputs that the others make, is then judged as one: every step of a single check is
 * made for each of them in turn, and the rules between are those of the package. They come in at
 * once or not at all. Whenever something has been waited for and the entries or the tip are others
 * now, all rules are asked again. Spec: Core AcceptPackage(), AcceptMultipleTransactions() */

#include "mempool/accept.h"
#include "mempool/ephemeral.h"
#include "mempool/graph.h"
#include "mempool/limit.h"
#include "mempool/replace.h"
#include "mempool/truc.h"
#include "util/alloc.h"

struct pool_package {
    struct mempool *mempool;
    int flags;
    struct feerate max_rate;
    int64_t time_s;
    mempool_package_fn *done;
    void *arg;

    uint32_t n;
    uint8_t *raw[MEMPOOL_PACKAGE_COUNT_MAX]; /* owned */
    size_t len[MEMPOOL_PACKAGE_COUNT_MAX];
    struct mempool_package_tx tx[MEMPOOL_PACKAGE_COUNT_MAX];
    struct verdict verdict;
    struct pool_txids replaced;

    /* Each alone: how far, and why those failed that are to be judged again. */
    uint32_t at;
    struct verdict alone[MEMPOOL_PACKAGE_COUNT_MAX];

    /* Together: of these, by number. */
    struct pool_check *check[MEMPOOL_PACKAGE_COUNT_MAX];
    uint32_t number[MEMPOOL_PACKAGE_COUNT_MAX];
    uint32_t n_checks, n_formed;
    bool rules_hold; /* in this epoch, on this tip */
    uint64_t epoch;
    const struct block_node *tip;
};

/* -- Its form ---------------------------------------------------------------------------------- */

static bool spends_from(const struct tx *tx, const struct txid *txid)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (txid_equal(&tx->in[i].prevout.txid, txid))
            return true;
    return false;
}

static bool share_coin(const struct tx *a, const struct tx *b)
{
    for (uint32_t i = 0; i < a->n_in; i++)
        for (uint32_t k = 0; k < b->n_in; k++)
            if (outpoint_equal(&a->in[i].prevout, &b->in[k].prevout))
                return true;
    return false;
}

typedef bool pair_fn(const struct tx *before, const struct tx *after);

static bool is_twice(const struct tx *before, const struct tx *after)
{
    return txid_equal(&before->txid, &after->txid);
}

static bool is_reversed(const struct tx *before, const struct tx *after)
{
    return spends_from(before, &after->txid);
}

static bool any_pair(const struct tx *txs, size_t n, pair_fn *pair)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            if (pair(&txs[i], &txs[k]))
                return true;
    return false;
}

/* By their inputs: what has none could be any number of copies. */
static bool are_consistent(const struct tx *txs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (txs[i].n_in == 0)
            return false;
    return !any_pair(txs, n, share_coin);
}

/* The package whatever chain and entries are. Its weight bounds the work for pairs of inputs.
 * Spec: Core IsWellFormedPackage() */
static enum reject check_form(const struct tx *txs, size_t n)
{
    uint64_t weight_wu = 0;
    if (n > MEMPOOL_PACKAGE_COUNT_MAX)
        return REJECT_PACKAGE_TOO_MANY;
    for (size_t i = 0; i < n; i++)
        weight_wu += tx_weight_wu(&txs[i]);
    if (n > 1 && weight_wu > MEMPOOL_PACKAGE_WEIGHT_MAX_WU)
        return REJECT_PACKAGE_TOO_LARGE;
    if (any_pair(txs, n, is_twice))
        return REJECT_PACKAGE_DUPLICATES;
    if (any_pair(txs, n, is_reversed))
        return REJECT_PACKAGE_NOT_SORTED;
    return are_consistent(txs, n) ? REJECT_NONE : REJECT_PACKAGE_CONFLICT;
}

static bool is_child_with_parents(const struct tx *txs, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (!spends_from(&txs[n - 1], &txs[i].txid))
            return false;
    return true;
}

static bool is_child(const struct tx *before, const struct tx *after)
{
    return spends_from(after, &before->txid);
}

bool mempool_package_is_tree(const struct tx *txs, size_t n)
{
    return is_child_with_parents(txs, n) &&
           (n < 2 || !(any_pair(txs, n - 1, is_child) || any_pair(txs, n - 1, is_reversed)));
}

/* -- The end ----------------------------------------------------------------------------------- */

/* What was in, or has come in, and had to go again since then. */
static void note_evicted(struct pool_package *package)
{
    for (uint32_t i = 0; i < package->n; i++) {
        struct mempool_package_tx *tx = &package->tx[i];
        bool was_in = tx->state == MEMPOOL_PACKAGE_VALID || tx->state == MEMPOOL_PACKAGE_KNOWN;
        bool was_other = tx->state == MEMPOOL_PACKAGE_OTHER_WITNESS;
        if ((!was_in || mempool_find_wtxid(package->mempool, &tx->wtxid)) &&
            (!was_other || pool_find(package->mempool, &tx->txid)))
            continue;
        tx->state = MEMPOOL_PACKAGE_REFUSED;
        tx->verdict = (struct verdict){.code = REJECT_MEMPOOL_FULL};
        package->verdict = (struct verdict){.code = REJECT_PACKAGE_TX_FAILED};
    }
}

/* In the order of Core's set of ids. Nothing can go twice while its package is judged, but what has
 * gone may have been sent again by somebody and gone again. */
static void sort_replaced(struct pool_txids *replaced)
{
    replaced->n = txids_sort_unique(replaced->at, replaced->n);
}

static void package_free(struct pool_package *package)
{
    for (uint32_t i = 0; i < package->n; i++)
        xfree(package->raw[i]);
    ARRAY_FREE(&package->replaced);
    xfree(package);
}

/* The checks are let go first: with them the mempool would seem to be at work for others. */
static void finish(struct pool_package *package)
{
    struct mempool *mempool = package->mempool;
    for (uint32_t i = 0; i < package->n_checks; i++) {
        const struct mempool_package_tx *tx = &package->tx[package->number[i]];
        struct pool_check *check = package->check[i];
        bool is_in = tx->state == MEMPOOL_PACKAGE_VALID && !(package->flags & MEMPOOL_TEST_ONLY);
        if (!is_in && check->verdict.code == REJECT_NONE)
            check->verdict.code = REJECT_PACKAGE_TX_FAILED; /* nobody is told */
        pool_check_end(check, is_in ? pool_find(mempool, &tx->txid) : NULL);
    }
    if (!(package->flags & MEMPOOL_TEST_ONLY)) {
        pool_limit(mempool);
        note_evicted(package);
    }
    for (uint32_t i = 0; i < package->n; i++) {
        struct mempool_package_tx *tx = &package->tx[i];
        if (tx->state != MEMPOOL_PACKAGE_UNDECIDED || package->alone[i].code == REJECT_NONE)
            continue;
        tx->state = MEMPOOL_PACKAGE_REFUSED;
        tx->verdict = package->alone[i];
    }
    sort_replaced(&package->replaced);
    struct mempool_package_result result = {
        .verdict = package->verdict,
        .tx = package->tx,
        .n = package->n,
        .replaced = package->replaced.at,
        .n_replaced = package->replaced.n,
    };
    struct pool_lane *lane = pool_lane_of(mempool, package->flags);
    package->done(package->arg, &result);
    package_free(package);
    ASSERT(lane->n_packages > 0);
    lane->n_packages--;
    pool_close_continue(mempool);
}

static void note_valid(struct mempool_package_tx *tx, const struct pool_check *check)
{
    tx->state = MEMPOOL_PACKAGE_VALID;
    tx->fee_sat = check->fee_sat;
    tx->vbytes = check->vbytes;
}

/* -- Together ---------------------------------------------------------------------------------- */

/* One has failed: no other has a verdict, but for a test those before it whose scripts hold.
 * code: of the package. */
static void fail_for(struct pool_package *package, uint32_t i, enum reject code)
{
    struct mempool_package_tx *tx = &package->tx[package->number[i]];
    ASSERT(package->check[i]->verdict.code != REJECT_NONE);
    package->verdict = (struct verdict){.code = code};
    tx->state = MEMPOOL_PACKAGE_REFUSED;
    tx->verdict = package->check[i]->verdict;
    for (uint32_t k = 0; k < i; k++) {
        const struct pool_check *check = package->check[k];
        tx = &package->tx[package->number[k]];
        if (!(package->flags & MEMPOOL_TEST_ONLY) || !check->scripts_hold)
            continue;
        note_valid(tx, check);
        tx->effective = (struct feerate){check->modified_fee_sat, check->vbytes};
        tx->effective_of = UINT32_C(1) << package->number[k];
    }
    finish(package);
}

static void fail_member(struct pool_package *package, uint32_t i)
{
    fail_for(package, i, REJECT_PACKAGE_TX_FAILED);
}

/* The rules of one, with those before it. Returns: false: it has failed, or a read is under way */
static bool judge_member(struct pool_package *package, uint32_t i, bool coins_were_read)
{
    struct pool_check *check = package->check[i];
    if (check->verdict.code != REJECT_NONE) { /* its form, or its scripts */
        fail_member(package, i);
        return false;
    }
    check->tip = package->tip;
    check->epoch = package->epoch;
    enum reject code = pool_check_entries(check);
    if (code != REJECT_NONE) {
        check->verdict.code = code;
        fail_member(package, i);
        return false;
    }
    enum pool_find found = pool_check_find_coins(check, coins_were_read);
    ASSERT(found != POOL_FIND_WAITS);
    if (found == POOL_FIND_READ) {
        pool_check_read(check);
        return false;
    }
    if (found == POOL_FIND_ALL && pool_check_rules(check) && pool_check_max_rate(check))
        return true;
    fail_member(package, i);
    return false;
}

/* What all of them pay, and take. */
static struct feerate rate_of_all(const struct pool_package *package)
{
    struct feerate rate = {0, 0};
    for (uint32_t i = 0; i < package->n_checks; i++) {
        rate.fee_sat += package->check[i]->modified_fee_sat;
        rate.size += package->check[i]->vbytes;
    }
    return rate;
}

/* The rules of the whole, in Core's order. Returns: false: it is over */
static bool judge_whole(struct pool_package *package)
{
    uint32_t n = package->n_checks;
    struct feerate rate = rate_of_all(package);
    for (uint32_t i = 0; i < n; i++) {
        if (pool_truc_check_in_package(package->check, n, i, &package->verdict))
            continue;
        finish(package);
        return false;
    }
    if (!(package->flags & MEMPOOL_TEST_ONLY) &&
        !pool_pays(package->mempool, rate.fee_sat, (uint32_t)MIN_OF(rate.size, (int64_t)UINT32_MAX),
                   &package->check[n - 1]->verdict)) {
        fail_member(package, n - 1);
        return false;
    }
    if (!pool_replace_check_package(package->check, n, &package->verdict)) {
        finish(package);
        return false;
    }
    for (uint32_t i = 0; package->mempool->options.require_standard && i < n; i++) {
        if (pool_dust_is_spent(package->check[i]))
            continue;
        fail_for(package, i, REJECT_PACKAGE_UNSPENT_DUST);
        return false;
    }
    return true;
}

static void commit(struct pool_package *package)
{
    struct feerate rate = rate_of_all(package);
    bool is_test = package->flags & MEMPOOL_TEST_ONLY;
    uint32_t of_all = 0;
    for (uint32_t i = 0; i < package->n_checks; i++)
        of_all |= UINT32_C(1) << package->number[i];
    if (!is_test)
        pool_replace_commit(package->check, package->n_checks, &package->replaced);
    for (uint32_t i = 0; i < package->n_checks; i++) {
        struct pool_check *check = package->check[i];
        struct mempool_package_tx *tx = &package->tx[package->number[i]];
        note_valid(tx, check);
        tx->effective = is_test ? (struct feerate){check->modified_fee_sat, check->vbytes} : rate;
        tx->effective_of = is_test ? UINT32_C(1) << package->number[i] : of_all;
        if (!is_test)
            pool_check_add(check);
    }
    finish(package);
}

/* read: whose coins have just been read, or NULL. */
static void judge(struct pool_package *package, const struct pool_check *read)
{
    struct mempool *mempool = package->mempool;
    const struct block_node *tip = chain_tip(mempool->chain);
    bool is_same = package->epoch == mempool->epoch && package->tip == tip;
    package->rules_hold = package->rules_hold && is_same;
    for (uint32_t i = 0; package->rules_hold && i < package->n_checks; i++)
        package->rules_hold = package->check[i]->verdict.code == REJECT_NONE;
    if (!package->rules_hold) {
        package->epoch = mempool->epoch;
        package->tip = tip;
        for (uint32_t i = 0; i < package->n_checks; i++)
            if (!judge_member(package, i, package->check[i] == read))
                return;
        if (!judge_whole(package))
            return;
        package->rules_hold = true;
    }
    for (uint32_t i = 0; i < package->n_checks; i++) {
        if (package->check[i]->scripts_hold)
            continue;
        pool_check_run_scripts(package->check[i]);
        return;
    }
    commit(package);
}

static void proceed(struct pool_check *check, bool coins_were_read)
{
    struct pool_package *package = check->package;
    if (package->n_formed < package->n_checks && ++package->n_formed < package->n_checks)
        return;
    if (package->mempool->closing) {
        check = package->check[0];
        check->verdict = (struct verdict){.code = REJECT_FAULT};
        fail_member(package, 0);
        return;
    }
    judge(package, coins_were_read ? check : NULL);
}

/* For the checks of those of the numbers noted. */
static bool has_room(const struct pool_package *package, uint32_t n)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += package->len[package->number[i]];
    return pool_has_room(package->mempool, package->flags, n, bytes);
}

/* Those of the numbers noted. */
static void judge_together(struct pool_package *package, uint32_t n)
{
    bool is_test = package->flags & MEMPOOL_TEST_ONLY;
    ASSERT(n > 0 && package->n_checks == 0);
    if (!has_room(package, n)) {
        package->verdict = (struct verdict){.code = REJECT_MEMPOOL_BUSY};
        finish(package);
        return;
    }
    package->n_checks = n;
    for (uint32_t i = 0; i < n; i++) {
        struct pool_check like = {
            .flags = package->flags | POOL_CHECK_LATE_LIMIT |
                     (is_test ? POOL_CHECK_NO_REPLACEMENT : POOL_CHECK_PACKAGE_FEES),
            .max_rate = package->max_rate,
            .time_s = package->time_s,
            .proceed = proceed,
            .package = package,
            .before = package->check,
            .n_before = i,
        };
        uint32_t number = package->number[i];
        package->check[i] = pool_check_start(
            package->mempool, span_of(package->raw[number], package->len[number]), &like);
    }
}

/* -- Each alone -------------------------------------------------------------------------------- */

static void try_next(struct pool_package *package);

/* May it come in with the others? Core: TX_RECONSIDERABLE, TX_MISSING_INPUTS */
static bool is_worth_another_try(const struct pool_package *package, const struct verdict *verdict)
{
    enum reject_class class = reject_class(verdict->code);
    return package->n > 1 &&
           (class == REJECT_CLASS_RECONSIDERABLE || class == REJECT_CLASS_MISSING);
}

static void note_known(struct mempool_package_tx *tx, const struct mempool_entry *entry)
{
    tx->state = MEMPOOL_PACKAGE_KNOWN;
    tx->fee_sat = entry->fee_sat;
    tx->vbytes = entry->vbytes;
}

static void on_alone(void *arg, const struct mempool_result *result)
{
    struct pool_package *package = arg;
    struct mempool_package_tx *tx = &package->tx[package->at];
    for (size_t i = 0; i < result->n_replaced; i++)
        *ARRAY_ADD(&package->replaced) = result->replaced[i];
    if (result->was_known) {
        note_known(tx, result->entry);
    } else if (result->verdict.code == REJECT_NONE) {
        tx->state = MEMPOOL_PACKAGE_VALID;
        tx->fee_sat = result->fee_sat;
        tx->vbytes = result->vbytes;
        tx->effective = (struct feerate){result->modified_fee_sat, result->vbytes};
        tx->effective_of = UINT32_C(1) << package->at;
    } else {
        package->alone[package->at] = result->verdict;
        if (!is_worth_another_try(package, &result->verdict))
            package->verdict = (struct verdict){.code = REJECT_PACKAGE_TX_FAILED};
    }
    package->at++;
    try_next(package);
}

/* All have been tried. If one can never come in, the others stay as they are; nor do they help one
 * that is left alone. */
static void tried_all(struct pool_package *package)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < package->n; i++)
        if (package->alone[i].code != REJECT_NONE)
            package->number[n++] = i;
    if (n == 1)
        package->verdict = (struct verdict){.code = REJECT_PACKAGE_TX_FAILED};
    if (package->verdict.code != REJECT_NONE || n == 0)
        finish(package);
    else
        judge_together(package, n);
}

/* What is in needs no check; our user may want it sent again. */
static bool skip_known(struct pool_package *package)
{
    struct mempool *mempool = package->mempool;
    struct mempool_package_tx *tx = &package->tx[package->at];
    const struct pool_entry *entry = pool_find(mempool, &tx->txid);
    if (!entry)
        return false;
    if (memcmp(entry->pub.tx.wtxid.b, tx->wtxid.b, sizeof tx->wtxid.b) == 0) {
        note_known(tx, &entry->pub);
    } else {
        tx->state = MEMPOOL_PACKAGE_OTHER_WITNESS;
        tx->other_wtxid = entry->pub.tx.wtxid;
    }
    if (package->flags & MEMPOOL_LOCAL)
        pool_tell_again(mempool, entry);
    return true;
}

static void try_next(struct pool_package *package)
{
    while (package->at < package->n && skip_known(package))
        package->at++;
    if (package->at == package->n) {
        tried_all(package);
        return;
    }
    struct pool_check like = {
        .flags = package->flags | POOL_CHECK_LATE_LIMIT,
        .max_rate = package->max_rate,
        .time_s = package->time_s,
        .done = on_alone,
        .arg = package,
    };
    pool_accept_member(package->mempool,
                       span_of(package->raw[package->at], package->len[package->at]), &like);
}

/* -- The beginning ----------------------------------------------------------------------------- */

static void begin(void *arg)
{
    struct pool_package *package = arg;
    if (package->mempool->closing)
        package->verdict = (struct verdict){.code = REJECT_FAULT};
    if (package->verdict.code != REJECT_NONE) {
        finish(package);
    } else if (package->flags & MEMPOOL_TEST_ONLY) {
        for (uint32_t i = 0; i < package->n; i++)
            package->number[i] = i;
        judge_together(package, package->n);
    } else {
        try_next(package);
    }
}

void mempool_accept_package(struct mempool *mempool, const struct mempool_package *request,
                            mempool_package_fn *done, void *arg)
{
    const struct tx *txs = request->txs;
    size_t n = request->n;
    ASSERT(n > 0 && done);
    struct pool_package *package = xcalloc(1, sizeof *package);
    *package = (struct pool_package){.mempool = mempool,
                                     .flags = request->flags,
                                     .max_rate = request->max_rate,
                                     .time_s = pool_now_s(mempool),
                                     .done = done,
                                     .arg = arg};
    package->verdict.code = check_form(txs, n);
    if (package->verdict.code == REJECT_NONE && !(request->flags & MEMPOOL_TEST_ONLY) &&
        !is_child_with_parents(txs, n))
        package->verdict.code = REJECT_PACKAGE_NOT_TREE;
    struct pool_lane *lane = pool_lane_of(mempool, request->flags);
    bool is_of_peer = request->flags & MEMPOOL_FROM_PEER;
    if (lane->n_packages >= (is_of_peer ? MEMPOOL_PEER_PACKAGES_MAX : MEMPOOL_PACKAGES_MAX))
        package->verdict.code = REJECT_MEMPOOL_BUSY;
    lane->n_packages++;
    package->n = (uint32_t)MIN_OF(n, (size_t)MEMPOOL_PACKAGE_COUNT_MAX);
    for (uint32_t i = 0; i < package->n; i++) {
        package->tx[i].txid = txs[i].txid;
        package->tx[i].wtxid = txs[i].wtxid;
        package->tx[i].weight_wu = tx_weight_wu(&txs[i]);
        if (package->verdict.code != REJECT_NONE)
            continue; /* what is not judged is not even copied */
        package->raw[i] = xmemdup(txs[i].raw.p, txs[i].raw.len);
        package->len[i] = txs[i].raw.len;
    }
    env_timer_start(mempool->env, 0, begin, package);
}
