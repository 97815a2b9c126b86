/* test_package.c - transactions that are judged together. */
#include "mempool/mempool_internal.h"
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(7, 160, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

static void add(struct mempool_rig *rig, const struct tx *tx)
{
    assert_reject(mempool_rig_add(rig, tx), REJECT_NONE);
}

/* A parent and its child. */
static void make_pair(struct mempool_rig *rig, struct tx pair[2], int32_t height,
                      int64_t parent_sat, int64_t child_sat)
{
    pair[0] = mempool_rig_pay(rig, height, 2, parent_sat);
    pair[1] = mempool_rig_pay_on(rig, &pair[0], 0, 1, child_sat);
}

TEST(a_child_pays_for_its_parent, struct mempool_rig *rig)
{
    struct tx pair[2];
    make_pair(rig, pair, 1, 0, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &pair[0]), REJECT_MIN_RELAY_FEE);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_int_equal(mempool_count(rig->pool), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(answer.tx[i].state, MEMPOOL_PACKAGE_VALID);
        assert_int_equal(answer.tx[i].effective.fee_sat, FEE_SAT);
        assert_int_equal(answer.tx[i].effective.size, answer.tx[0].vbytes + answer.tx[1].vbytes);
        assert_int_equal(answer.tx[i].effective_of, 3);
        assert_int_equal(answer.tx[i].fee_sat, i * FEE_SAT);
    }
    /* Once more: both are known. */
    answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_int_equal(answer.tx[0].state, MEMPOOL_PACKAGE_KNOWN);
    assert_int_equal(answer.tx[1].state, MEMPOOL_PACKAGE_KNOWN);
}

/* Who pays for himself is judged by that, and not by the others. */
TEST(each_is_tried_alone_first, struct mempool_rig *rig)
{
    struct tx pair[2];
    make_pair(rig, pair, 1, FEE_SAT, 0);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_TX_FAILED);
    assert_int_equal(answer.tx[0].state, MEMPOOL_PACKAGE_VALID);
    assert_int_equal(answer.tx[0].effective_of, 1);
    assert_reject(answer.tx[1].verdict.code, REJECT_MIN_RELAY_FEE);
    assert_true(mempool_rig_has(rig, &pair[0]) && !mempool_rig_has(rig, &pair[1]));
}

TEST(forms_of_packages_are_checked, struct mempool_rig *rig)
{
    struct tx tx[MEMPOOL_PACKAGE_COUNT_MAX + 1];
    make_pair(rig, tx, 1, FEE_SAT, FEE_SAT);
    struct tx reversed[2] = {tx[1], tx[0]}, twice[2] = {tx[0], tx[0]};
    struct tx rivals[2] = {tx[0], mempool_rig_pay(rig, 1, 1, 2 * FEE_SAT)};
    struct tx strangers[2] = {tx[0], mempool_rig_pay(rig, 2, 1, FEE_SAT)};
    struct tx empty[2] = {tx[0], tx[0]};
    int test = MEMPOOL_TEST_ONLY;
    empty[1].n_in = 0; /* two of those could not be told apart */
    tx_finish(&empty[1], &rig->builder.arena);
    assert_reject(mempool_rig_submit_package(rig, empty, 2, test).verdict.code,
                  REJECT_PACKAGE_CONFLICT);
    assert_reject(mempool_rig_submit_package(rig, &empty[1], 1, 0).verdict.code,
                  REJECT_PACKAGE_CONFLICT);
    assert_reject(mempool_rig_submit_package(rig, reversed, 2, test).verdict.code,
                  REJECT_PACKAGE_NOT_SORTED);
    assert_reject(mempool_rig_submit_package(rig, twice, 2, test).verdict.code,
                  REJECT_PACKAGE_DUPLICATES);
    assert_reject(mempool_rig_submit_package(rig, rivals, 2, test).verdict.code,
                  REJECT_PACKAGE_CONFLICT);
    assert_reject(mempool_rig_submit_package(rig, strangers, 2, test).verdict.code, REJECT_NONE);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, strangers, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_NOT_TREE);
    assert_int_equal(answer.tx[0].state, MEMPOOL_PACKAGE_UNDECIDED);
    for (int i = 0; i <= MEMPOOL_PACKAGE_COUNT_MAX; i++)
        tx[i] = mempool_rig_pay(rig, i + 1, 1, FEE_SAT);
    assert_reject(
        mempool_rig_submit_package(rig, tx, MEMPOOL_PACKAGE_COUNT_MAX + 1, test).verdict.code,
        REJECT_PACKAGE_TOO_MANY);
    assert_reject(mempool_rig_submit_package(rig, tx, MEMPOOL_PACKAGE_COUNT_MAX, test).verdict.code,
                  REJECT_NONE);
    for (int i = 0; i < 5; i++)
        tx[i] = mempool_rig_pay(rig, i + 1, 590, FEE_SAT); /* 101,000 weight units each */
    assert_reject(mempool_rig_submit_package(rig, tx, 5, test).verdict.code,
                  REJECT_PACKAGE_TOO_LARGE);
    assert_int_equal(mempool_count(rig->pool), 0);
}

TEST(trees_are_children_with_parents, struct mempool_rig *rig)
{
    struct tx tx[3] = {mempool_rig_pay(rig, 1, 2, FEE_SAT)};
    tx[1] = mempool_rig_pay_on(rig, &tx[0], 0, 2, FEE_SAT);
    assert_true(mempool_package_is_tree(tx, 1) && mempool_package_is_tree(tx, 2));
    struct builder_coin coins[2] = {mempool_rig_output(&tx[0], 1), mempool_rig_output(&tx[1], 0)};
    tx[2] = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT);
    assert_false(mempool_package_is_tree(tx, 3)); /* one parent spends from the other */
    tx[1] = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    coins[1] = mempool_rig_output(&tx[1], 0);
    tx[2] = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT);
    assert_true(mempool_package_is_tree(tx, 3));
    tx[1] = mempool_rig_pay(rig, 3, 1, FEE_SAT);
    assert_false(mempool_package_is_tree(tx, 3)); /* a stranger */
}

/* A parent that could never come in alone replaces what its child pays for. */
TEST(a_pair_replaces_a_pair, struct mempool_rig *rig)
{
    struct tx old[2], new[2];
    make_pair(rig, old, 1, FEE_SAT, FEE_SAT);
    add(rig, &old[0]);
    add(rig, &old[1]);
    make_pair(rig, new, 1, FEE_SAT - 1, FEE_SAT);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, new, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_RBF_FEES);
    assert_non_null(
        strstr(answer.verdict.detail, "less fees than conflicting txs; 0.00019999 < 0.0002"));
    assert_reject(answer.tx[0].verdict.code, REJECT_INSUFFICIENT_FEE); /* as it was alone */
    assert_reject(answer.tx[1].verdict.code, REJECT_INPUTS_UNKNOWN);
    make_pair(rig, new, 1, FEE_SAT - 1, 4 * FEE_SAT);
    answer = mempool_rig_submit_package(rig, new, 2, MEMPOOL_TEST_ONLY);
    assert_reject(answer.tx[0].verdict.code, REJECT_REPLACEMENT_DISALLOWED);
    answer = mempool_rig_submit_package(rig, new, 2, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_int_equal(answer.n_replaced, 2);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_REPLACED, &old[0]), 1);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_REPLACED, &old[1]), 1);
    assert_int_equal(mempool_count(rig->pool), 2);
}

/* Each rule that only pairs have, one after the other. */
TEST(only_lonely_pairs_replace, struct mempool_rig *rig)
{
    struct tx old[2], new[3];
    make_pair(rig, old, 1, 2 * FEE_SAT, FEE_SAT);
    add(rig, &old[0]);
    add(rig, &old[1]);
    make_pair(rig, new, 1, 2 * FEE_SAT + 1, FEE_SAT + 500);
    assert_reject(mempool_rig_submit_package(rig, new, 2, 0).verdict.code,
                  REJECT_PACKAGE_RBF_FEERATE);
    new[0] = mempool_rig_pay(rig, 1, 150, FEE_SAT);
    new[1] = mempool_rig_pay_on(rig, &new[0], 0, 1, 4 * FEE_SAT);
    assert_reject(mempool_rig_submit_package(rig, new, 2, 0).verdict.code,
                  REJECT_PACKAGE_RBF_DIAGRAM);
    /* A third, which comes in alone and so is an ancestor of the pair. */
    new[0] = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    new[1] = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    struct builder_coin coins[2] = {mempool_rig_output(&new[0], 0), mempool_rig_output(&new[1], 0)};
    new[2] = mempool_rig_spend(rig, coins, 2, 1, 9 * FEE_SAT);
    assert_reject(mempool_rig_submit_package(rig, new, 3, 0).verdict.code,
                  REJECT_PACKAGE_RBF_ANCESTORS);
    assert_true(mempool_rig_has(rig, &new[1]));
    /* A third that cannot: three are no pair. */
    new[1] = mempool_rig_pay(rig, 3, 1, 0);
    coins[1] = mempool_rig_output(&new[1], 0);
    new[2] = mempool_rig_spend(rig, coins, 2, 1, 9 * FEE_SAT);
    assert_reject(mempool_rig_submit_package(rig, new, 3, 0).verdict.code,
                  REJECT_PACKAGE_RBF_SHAPE);
    assert_true(mempool_rig_has(rig, &old[0]) && mempool_rig_has(rig, &old[1]));
}

/* Clusters are those of the mempool with the package: it is refused as a whole. */
TEST(clusters_hold_packages_too, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT), pair[2];
    add(rig, &tx);
    for (int i = 0; i < MEMPOOL_CLUSTER_COUNT_MAX - 2; i++) {
        tx = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
        add(rig, &tx);
    }
    pair[0] = mempool_rig_pay_on(rig, &tx, 0, 1, 0);
    pair[1] = mempool_rig_pay_on(rig, &pair[0], 0, 1, FEE_SAT);
    assert_reject(mempool_rig_submit_package(rig, pair, 2, 0).verdict.code,
                  REJECT_CLUSTER_TOO_LARGE);
    pair[0] = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
    pair[1] = mempool_rig_pay_on(rig, &pair[0], 0, 1, FEE_SAT);
    assert_reject(mempool_rig_submit_package(rig, pair, 2, MEMPOOL_TEST_ONLY).verdict.code,
                  REJECT_CLUSTER_TOO_LARGE);
    /* The parent alone still fits. */
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_TX_FAILED);
    assert_int_equal(answer.tx[0].state, MEMPOOL_PACKAGE_VALID);
    assert_reject(answer.tx[1].verdict.code, REJECT_CLUSTER_TOO_LARGE);
}

/* In a test those before the one whose script fails have a verdict, those behind it have none. */
TEST(a_bad_script_is_named, struct mempool_rig *rig)
{
    struct tx tx[3];
    for (int i = 0; i < 3; i++)
        tx[i] = mempool_rig_pay(rig, i + 1, 1, FEE_SAT);
    struct span item = span_of("x", 1);
    tx[1].in[0].witness = build_witness(&rig->builder.arena, &item, 1);
    tx_finish(&tx[1], &rig->builder.arena);
    struct mempool_rig_package_answer answer =
        mempool_rig_submit_package(rig, tx, 3, MEMPOOL_TEST_ONLY);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_TX_FAILED);
    assert_int_equal(answer.tx[0].state, MEMPOOL_PACKAGE_VALID);
    assert_reject(answer.tx[1].verdict.code, REJECT_TX_SCRIPT_FAILED);
    assert_int_equal(answer.tx[2].state, MEMPOOL_PACKAGE_UNDECIDED);
}

/* Another witness of one that is here is not judged, and its child finds what is here. */
TEST(another_witness_is_named, struct mempool_rig *rig)
{
    struct tx pair[2];
    make_pair(rig, pair, 1, FEE_SAT, FEE_SAT);
    add(rig, &pair[0]);
    struct wtxid wtxid = pair[0].wtxid;
    struct span items[2] = {span_of("x", 1), builder_script_bytes(BUILDER_TRUE)};
    pair[0].in[0].witness = build_witness(&rig->builder.arena, items, 2);
    tx_finish(&pair[0], &rig->builder.arena);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_int_equal(answer.tx[0].state, MEMPOOL_PACKAGE_OTHER_WITNESS);
    assert_memory_equal(answer.tx[0].other_wtxid.b, wtxid.b, 32);
    assert_int_equal(answer.tx[1].state, MEMPOOL_PACKAGE_VALID);
}

/* A child that is left alone, since its parent is here, is told what is wrong with itself. */
TEST(who_is_left_alone_is_no_package, struct mempool_rig *rig)
{
    struct tx pair[2], old = mempool_rig_pay(rig, 2, 1, 5 * FEE_SAT);
    add(rig, &old);
    pair[0] = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    add(rig, &pair[0]);
    struct builder_coin coins[2] = {mempool_rig_output(&pair[0], 0), mempool_rig_coin(rig, 2)};
    pair[1] = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_TX_FAILED);
    assert_int_equal(answer.tx[0].state, MEMPOOL_PACKAGE_KNOWN);
    assert_reject(answer.tx[1].verdict.code, REJECT_INSUFFICIENT_FEE);
}

/* What was here under another witness, and had to go meanwhile, is no success. */
TEST(what_had_to_go_is_told, struct mempool_rig *rig)
{
    struct tx pair[2];
    make_pair(rig, pair, 1, FEE_SAT, FEE_SAT);
    add(rig, &pair[0]);
    struct span items[2] = {span_of("x", 1), builder_script_bytes(BUILDER_TRUE)};
    pair[0].in[0].witness = build_witness(&rig->builder.arena, items, 2);
    tx_finish(&pair[0], &rig->builder.arena);
    pair[1].version = 9;
    tx_finish(&pair[1], &rig->builder.arena);
    rig->pool->options.max_bytes = 1;
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_TX_FAILED);
    assert_reject(answer.tx[0].verdict.code, REJECT_MEMPOOL_FULL);
    assert_reject(answer.tx[1].verdict.code, REJECT_TX_VERSION);
}

static void count_busy(void *arg, const struct mempool_package_result *result)
{
    *(size_t *)arg += result->verdict.code == REJECT_MEMPOOL_BUSY;
}

/* The limit: so many at once, and one more is refused; later there is room again. What peers send
 * takes none of the user's, nor he theirs: hazard 64. */
TEST(packages_at_once_have_a_limit, struct mempool_rig *rig)
{
    struct tx pair[2];
    size_t n_busy = 0, n_busy_peers = 0;
    make_pair(rig, pair, 1, 0, FEE_SAT);
    struct mempool_package request = {.txs = pair, .n = 2, .flags = MEMPOOL_FROM_PEER};
    for (int i = 0; i < MEMPOOL_PEER_PACKAGES_MAX + 5; i++)
        mempool_accept_package(rig->pool, &request, count_busy, &n_busy_peers);
    request.flags = MEMPOOL_LOCAL;
    for (int i = 0; i < MEMPOOL_PACKAGES_MAX + 3; i++)
        mempool_accept_package(rig->pool, &request, count_busy, &n_busy);
    mempool_rig_settle(rig);
    for (int i = 0; i < 50; i++)
        mempool_rig_settle(rig);
    assert_int_equal(n_busy_peers, 5);
    assert_int_equal(n_busy, 3);
    assert_int_equal(mempool_count(rig->pool), 2);
    make_pair(rig, pair, 2, 0, FEE_SAT);
    assert_reject(mempool_rig_submit_package(rig, pair, 2, 0).verdict.code, REJECT_NONE);
}

/* The checks of a package take their place beside those of single transactions: it is refused when
 * not all of them have one, whoever is first. */
TEST(checks_of_packages_need_room, struct mempool_rig *rig)
{
    static struct mempool_rig_answer answer[MEMPOOL_PEER_PENDING_MAX];
    struct tx pair[2], rival = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    make_pair(rig, pair, 1, FEE_SAT, FEE_SAT);
    for (int n_free = 1; n_free <= 2; n_free++) {
        memset(answer, 0, sizeof answer);
        for (int i = 0; i < MEMPOOL_PEER_PENDING_MAX - n_free; i++)
            mempool_rig_submit(rig, &rival, MEMPOOL_FROM_PEER | MEMPOOL_TEST_ONLY, &answer[i]);
        struct mempool_rig_package_answer got =
            mempool_rig_submit_package(rig, pair, 2, MEMPOOL_FROM_PEER | MEMPOOL_TEST_ONLY);
        assert_reject(got.verdict.code, n_free < 2 ? REJECT_MEMPOOL_BUSY : REJECT_NONE);
        mempool_rig_settle(rig);
        for (int i = 0; i < MEMPOOL_PEER_PENDING_MAX - n_free; i++)
            assert_reject(answer[i].verdict.code, REJECT_NONE);
    }
    assert_int_equal(mempool_pending(rig->pool), 0);
}

/* As Core keeps a set of ids: by their bytes as they are sent. */
TEST(what_was_replaced_is_told_by_id, struct mempool_rig *rig)
{
    enum { N = 6 };
    struct tx old[N], pair[2];
    struct builder_coin coins[N];
    for (int i = 0; i < N; i++) {
        old[i] = mempool_rig_pay(rig, i + 1, 1, FEE_SAT);
        add(rig, &old[i]);
        coins[i] = mempool_rig_coin(rig, i + 1);
    }
    pair[0] = mempool_rig_spend(rig, coins, N - 2, 1, 20 * FEE_SAT);
    coins[N - 3] = mempool_rig_output(&pair[0], 0);
    pair[1] = mempool_rig_spend(rig, &coins[N - 3], 3, 1, 20 * FEE_SAT);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_int_equal(answer.n_replaced, N);
    for (int i = 1; i < N; i++)
        assert_true(memcmp(answer.replaced[i - 1].b, answer.replaced[i].b, 32) < 0);
}

/* A block comes at every stage: what the package spends is gone, or it is in. */
TEST(the_tip_may_move_meanwhile, struct mempool_rig *rig)
{
    size_t n_in = 0, n_late = 0;
    for (int32_t height = 1; height <= 14; height++) {
        struct tx pair[2], rival = mempool_rig_pay(rig, height, 1, 2 * FEE_SAT);
        make_pair(rig, pair, height, 0, FEE_SAT);
        struct builder_spec spec = {.tx = &rival, .n_tx = 1};
        const struct built_block *block = builder_block(&rig->builder, rig->tip, &spec);
        rig_submit(&rig->chain, block);
        for (int i = 0; i < height && !rig_is_at(&rig->chain, block); i++)
            (void)sim_env_step(rig->chain.sim);
        struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, pair, 2, 0);
        n_in += answer.verdict.code == REJECT_NONE;
        n_late += answer.verdict.code != REJECT_NONE;
        mempool_rig_settle(rig);
        rig->tip = block;
        assert_int_equal(mempool_count(rig->pool), 0);
    }
    assert_true(n_late > 0 && n_in + n_late == 14);
}
