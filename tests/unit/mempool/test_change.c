/* test_change.c - what clusters would be, against doing it. */
#include "mempool/change.h"

#include "mempool/cluster.h"
#include "mempool/diagram.h"
#include "mempool/graph.h"
#include "mempool/mempool_internal.h"
#include "sim/sim_random.h"
#include "support/mempool_rig.h"
#include "support/unit.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(7, 130, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

static struct pool_entry *entry_of(struct mempool_rig *rig, const struct tx *tx)
{
    struct pool_entry *entry = pool_find(rig->pool, &tx->txid);
    assert_non_null(entry);
    return entry;
}

/* A chain of n. */
static void add_chain(struct mempool_rig *rig, int32_t height, struct tx *tx, int n)
{
    for (int i = 0; i < n; i++) {
        tx[i] = i == 0 ? mempool_rig_pay(rig, height, 1, FEE_SAT)
                       : mempool_rig_pay_on(rig, &tx[i - 1], 0, 1, FEE_SAT);
        assert_reject(mempool_rig_add(rig, &tx[i]), REJECT_NONE);
    }
}

TEST(descendants_go_too_and_once, struct mempool_rig *rig)
{
    struct tx tx[6];
    struct pool_change change;
    add_chain(rig, 1, tx, 6);
    pool_change_init(&change, rig->pool);
    pool_change_remove(&change, entry_of(rig, &tx[4]));
    assert_int_equal(change.gone_fee_sat, 2 * FEE_SAT);
    pool_change_remove(&change, entry_of(rig, &tx[2]));
    pool_change_remove(&change, entry_of(rig, &tx[3]));
    assert_int_equal(change.gone_fee_sat, 4 * FEE_SAT);
    for (int i = 0; i < 6; i++)
        assert_int_equal(pool_change_removes(&change, entry_of(rig, &tx[i])), i >= 2);
    pool_change_deinit(&change);
    assert_int_equal(mempool_count(rig->pool), 6);
}

/* Newcomers join what they spend from: the limits are those of what hangs together then. */
TEST(limits_are_those_of_what_would_be, struct mempool_rig *rig)
{
    struct tx a[40], b[30];
    add_chain(rig, 1, a, 40);
    add_chain(rig, 2, b, 30);
    struct pool_entry *parents[2] = {entry_of(rig, &a[10]), entry_of(rig, &b[10])};
    struct pool_newcomer both = {.rate = {FEE_SAT, 400}, .parents = parents, .n_parents = 2};
    for (int n_gone = 5; n_gone <= 8; n_gone++) {
        struct pool_change change;
        pool_change_init(&change, rig->pool);
        pool_change_remove(&change, entry_of(rig, &a[40 - n_gone]));
        pool_change_add(&change, &both);
        assert_int_equal(pool_change_fits(&change), 70 - n_gone + 1 <= MEMPOOL_CLUSTER_COUNT_MAX);
        /* One more, which hangs on the first. */
        pool_change_add(&change, &(struct pool_newcomer){.rate = {FEE_SAT, 400}, .before = 1});
        assert_int_equal(pool_change_fits(&change), 70 - n_gone + 2 <= MEMPOOL_CLUSTER_COUNT_MAX);
        pool_change_deinit(&change);
    }
    struct pool_change change;
    pool_change_init(&change, rig->pool);
    both.rate.size = 4 * MEMPOOL_CLUSTER_VBYTES_MAX;
    both.n_parents = 0;
    pool_change_add(&change, &both);
    assert_true(pool_change_fits(&change));
    pool_change_add(&change, &(struct pool_newcomer){.rate = {FEE_SAT, 400}});
    assert_true(pool_change_fits(&change)); /* by itself */
    pool_change_add(&change, &(struct pool_newcomer){.rate = {FEE_SAT, 400}, .before = 1});
    assert_false(pool_change_fits(&change));
    pool_change_deinit(&change);
}

#define TREE_N     24
#define TREE_N_OUT 8
/* Outputs are worth an eighth each time: of these one can still spend. */
#define LEAST_SAT 1000000

/* Random trees; output 0 of each is never spent. */
static void add_trees(struct mempool_rig *rig, struct sim_random *random, struct tx *tx)
{
    uint32_t next_out[TREE_N];
    for (uint32_t i = 0; i < TREE_N; i++) {
        int64_t fee_sat = 500 + (int64_t)sim_random_below(random, 20000);
        uint32_t parent = i;
        next_out[i] = 1;
        do
            parent = i < 4 ? i : (uint32_t)sim_random_below(random, i);
        while (i >= 4 &&
               (next_out[parent] == TREE_N_OUT || tx[parent].out[0].value_sat < LEAST_SAT));
        tx[i] = i < 4
                    ? mempool_rig_pay(rig, (int32_t)i + 1, TREE_N_OUT, fee_sat)
                    : mempool_rig_pay_on(rig, &tx[parent], next_out[parent]++, TREE_N_OUT, fee_sat);
        assert_reject(mempool_rig_add(rig, &tx[i]), REJECT_NONE);
    }
}

/* A random entry goes, and one comes on a random one that stays. Returns: would it be better */
static bool ask(struct mempool_rig *rig, struct sim_random *random, const struct tx *tx,
                const struct tx **gone, struct tx *new_tx)
{
    struct pool_change change;
    struct pool_entry *parent;
    pool_change_init(&change, rig->pool);
    *gone = &tx[4 + sim_random_below(random, TREE_N - 4)];
    pool_change_remove(&change, entry_of(rig, *gone));
    do
        parent = entry_of(rig, &tx[sim_random_below(random, TREE_N)]);
    while (pool_change_removes(&change, parent) || parent->pub.tx.out[0].value_sat < LEAST_SAT);
    int64_t fee_sat = change.gone_fee_sat / 2 + (int64_t)sim_random_below(random, 20000);
    *new_tx = mempool_rig_pay_on(rig, &parent->pub.tx, 0, TREE_N_OUT, fee_sat);
    pool_change_add(&change, &(struct pool_newcomer){.rate = {fee_sat, tx_weight_wu(new_tx)},
                                                     .parents = &parent,
                                                     .n_parents = 1});
    assert_true(pool_change_fits(&change));
    bool improves = pool_change_improves(&change);
    pool_change_deinit(&change);
    return improves;
}

/* The answer is that of the diagrams of the whole mempool before and after it was really done. */
TEST(improvements_are_those_of_the_whole_diagram)
{
    size_t n_better = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct mempool_rig *rig = mempool_rig_new(seed, 130, NULL);
        struct sim_random random = sim_random_of(seed, 0);
        struct tx tx[TREE_N], new_tx;
        const struct tx *gone;
        add_trees(rig, &random, tx);
        bool improves = ask(rig, &random, tx, &gone, &new_tx);
        size_t n_before, n_after;
        struct feerate *before = mempool_feerate_diagram(rig->pool, &n_before);
        pool_remove_tree(rig->pool, entry_of(rig, gone), MEMPOOL_REMOVED_REPLACED);
        pool_clusters_settle(rig->pool);
        assert_reject(mempool_rig_add(rig, &new_tx), REJECT_NONE);
        struct feerate *after = mempool_feerate_diagram(rig->pool, &n_after);
        assert_int_equal(improves,
                         diagram_compare(after, n_after, before, n_before) == DIAGRAM_BETTER);
        n_better += improves;
        xfree(before);
        xfree(after);
        mempool_rig_free(rig);
    }
    assert_in_range(n_better, 5, 55);
}
