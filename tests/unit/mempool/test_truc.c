/* test_truc.c - version 3: a parent and one small child. */
#include "mempool/truc.h"

#include "support/mempool_rig.h"
#include "support/unit.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(7, 130, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

static struct tx version_3(struct mempool_rig *rig, struct tx tx)
{
    tx.version = POLICY_TRUC_VERSION;
    tx_finish(&tx, &rig->builder.arena);
    return tx;
}

static struct tx pay(struct mempool_rig *rig, int32_t height, uint32_t n_out, int64_t fee_sat)
{
    return version_3(rig, mempool_rig_pay(rig, height, n_out, fee_sat));
}

static struct tx pay_on(struct mempool_rig *rig, const struct tx *parent, uint32_t i,
                        uint32_t n_out, int64_t fee_sat)
{
    return version_3(rig, mempool_rig_pay_on(rig, parent, i, n_out, fee_sat));
}

static void assert_truc(const struct verdict *verdict, const char *why)
{
    assert_reject(verdict->code, REJECT_TRUC_VIOLATION);
    if (!strstr(verdict->detail, why))
        fail_msg("%s", verdict->detail);
}

static void assert_refused(struct mempool_rig *rig, const struct tx *tx, const char *why)
{
    struct mempool_rig_answer answer = mempool_rig_answer(rig, tx, 0, 0);
    assert_truc(&answer.verdict, why);
}

/* By itself it is as large as 10,000 bytes, as a child 1,000. */
TEST(sizes_have_limits, struct mempool_rig *rig)
{
    struct tx large = pay(rig, 1, 230, 500000), too_large = pay(rig, 2, 235, 500000);
    assert_in_range(tx_weight_wu(&large) / 4, 9000, POLICY_TRUC_VBYTES_MAX);
    assert_refused(rig, &too_large, ") is too big: ");
    assert_reject(mempool_rig_add(rig, &large), REJECT_NONE);
    struct tx child = pay_on(rig, &large, 0, 24, 50000);
    assert_refused(rig, &child, "version=3 child tx ");
    child = pay_on(rig, &large, 0, 20, 50000);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
}

/* The one child goes if the other pays for it; if it has a child of its own, or the parent is
 * itself a child, nobody can come. */
TEST(a_sibling_makes_room, struct mempool_rig *rig)
{
    struct tx parent = pay(rig, 1, 3, FEE_SAT), a = pay_on(rig, &parent, 0, 1, FEE_SAT),
              b = pay_on(rig, &parent, 1, 1, FEE_SAT + 5),
              c = pay_on(rig, &parent, 1, 1, 3 * FEE_SAT);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &a), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &b), REJECT_INSUFFICIENT_FEE_SIBLING);
    assert_reject(mempool_rig_add(rig, &c), REJECT_NONE);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_REPLACED, &a), 1);
    /* What conflicts with the child itself replaces it in the usual way. */
    struct tx d = pay_on(rig, &parent, 1, 2, 6 * FEE_SAT);
    assert_reject(mempool_rig_add(rig, &d), REJECT_NONE);
    assert_int_equal(mempool_count(rig->pool), 2);
    struct tx grandchild = pay_on(rig, &d, 0, 1, FEE_SAT);
    assert_refused(rig, &grandchild, ") would have too many ancestors");
}

/* Two versions do not mix, in either direction. */
TEST(versions_do_not_mix, struct mempool_rig *rig)
{
    struct tx three = pay(rig, 1, 1, FEE_SAT), two = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &three), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &two), REJECT_NONE);
    struct tx tx = mempool_rig_pay_on(rig, &three, 0, 1, FEE_SAT);
    assert_refused(rig, &tx, ") cannot spend from version=3 tx ");
    tx = pay_on(rig, &two, 0, 1, FEE_SAT);
    assert_refused(rig, &tx, ") cannot spend from non-version=3 tx ");
    /* But the one may replace the other. */
    tx = mempool_rig_pay(rig, 1, 1, 3 * FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
}

/* What a reorganisation gives back was in a block: its family may be as it likes. */
TEST(blocks_are_not_asked, struct mempool_rig *rig)
{
    const struct built_block *fork = rig->tip;
    struct tx parent = pay(rig, 1, 2, FEE_SAT);
    mempool_rig_mine(rig, &parent, 1);
    struct tx a = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT),
              b = pay_on(rig, &parent, 1, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &a), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &b), REJECT_NONE);
    fork = mempool_rig_mine_on(rig, fork, NULL, 0);
    mempool_rig_mine_on(rig, fork, NULL, 0);
    mempool_rig_settle(rig);
    assert_true(mempool_rig_has(rig, &parent) && mempool_rig_has(rig, &a) &&
                mempool_rig_has(rig, &b));
}

TEST(packages_are_families_too, struct mempool_rig *rig)
{
    struct tx tx[3] = {pay(rig, 1, 2, FEE_SAT)};
    tx[1] = pay_on(rig, &tx[0], 0, 1, FEE_SAT);
    tx[2] = pay_on(rig, &tx[1], 0, 1, FEE_SAT);
    struct mempool_rig_package_answer answer =
        mempool_rig_submit_package(rig, tx, 3, MEMPOOL_TEST_ONLY);
    assert_truc(&answer.verdict, ") would have too many ancestors");
    tx[2] = pay_on(rig, &tx[0], 1, 1, FEE_SAT);
    answer = mempool_rig_submit_package(rig, tx, 3, MEMPOOL_TEST_ONLY);
    assert_truc(&answer.verdict, ") would exceed descendant count limit");
    tx[2] = mempool_rig_pay_on(rig, &tx[0], 1, 1, FEE_SAT);
    answer = mempool_rig_submit_package(rig, tx, 3, MEMPOOL_TEST_ONLY);
    assert_truc(&answer.verdict, ") would exceed descendant count limit");
    answer = mempool_rig_submit_package(rig, tx, 2, MEMPOOL_TEST_ONLY);
    assert_reject(answer.verdict.code, REJECT_NONE);
    struct tx pair[2] = {tx[0], tx[2]};
    answer = mempool_rig_submit_package(rig, pair, 2, MEMPOOL_TEST_ONLY);
    assert_truc(&answer.verdict, ") cannot spend from version=3 tx ");
    tx[0] = mempool_rig_pay(rig, 2, 2, FEE_SAT);
    tx[1] = pay_on(rig, &tx[0], 0, 1, FEE_SAT);
    answer = mempool_rig_submit_package(rig, tx, 2, MEMPOOL_TEST_ONLY);
    assert_truc(&answer.verdict, ") cannot spend from non-version=3 tx ");
}

/* A sibling does not make room for one that comes with others, nor for its parent's sake. */
TEST(siblings_stay_for_packages, struct mempool_rig *rig)
{
    struct tx parent = pay(rig, 1, 2, FEE_SAT), child = pay_on(rig, &parent, 0, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    struct tx tx[2] = {pay_on(rig, &parent, 1, 1, 9 * FEE_SAT), pay(rig, 2, 1, FEE_SAT)};
    struct mempool_rig_package_answer answer =
        mempool_rig_submit_package(rig, tx, 2, MEMPOOL_TEST_ONLY);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_TX_FAILED);
    assert_truc(&answer.tx[0].verdict, ") would exceed descendant count limit");
    tx[0] = pay_on(rig, &parent, 1, 1, 0);
    tx[1] = pay_on(rig, &tx[0], 0, 1, 9 * FEE_SAT);
    answer = mempool_rig_submit_package(rig, tx, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_TX_FAILED);
    assert_truc(&answer.tx[0].verdict, ") would exceed descendant count limit");
    assert_true(mempool_rig_has(rig, &child));
}
