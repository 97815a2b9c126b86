/* test_ephemeral.c - dust that a child has to spend. */
#include "mempool/ephemeral.h"

#include "support/mempool_rig.h"
#include "support/unit.h"

#define FEE_SAT  10000
#define DUST_SAT 100

static int setup(void **state)
{
    *state = mempool_rig_new(7, 130, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

/* Without fee: outputs, the first of which is dust. */
static struct tx with_dust(struct mempool_rig *rig, int32_t height, uint32_t n_out, int64_t fee_sat)
{
    struct tx tx = mempool_rig_pay(rig, height, n_out, fee_sat);
    tx.out[n_out - 1].value_sat += tx.out[0].value_sat - DUST_SAT;
    tx.out[0].value_sat = DUST_SAT;
    tx_finish(&tx, &rig->builder.arena);
    return tx;
}

static struct tx spend(struct mempool_rig *rig, const struct tx *parent, uint32_t first, uint32_t n)
{
    struct builder_coin coins[4];
    for (uint32_t i = 0; i < n; i++)
        coins[i] = mempool_rig_output(parent, first + i);
    return mempool_rig_spend(rig, coins, n, 1, 5 * FEE_SAT);
}

TEST(dust_needs_a_child_that_spends_it, struct mempool_rig *rig)
{
    struct tx tx[2] = {with_dust(rig, 1, 2, 0)};
    assert_reject(mempool_rig_add(rig, &tx[0]), REJECT_MIN_RELAY_FEE);
    tx[1] = spend(rig, &tx[0], 1, 1);
    struct mempool_rig_package_answer answer = mempool_rig_submit_package(rig, tx, 2, 0);
    assert_reject(answer.verdict.code, REJECT_PACKAGE_UNSPENT_DUST);
    assert_reject(answer.tx[1].verdict.code, REJECT_EPHEMERAL_SPENDS);
    assert_non_null(strstr(answer.tx[1].verdict.detail, ") did not spend parent's ephemeral dust"));
    assert_int_equal(mempool_count(rig->pool), 0);
    tx[1] = spend(rig, &tx[0], 0, 2);
    answer = mempool_rig_submit_package(rig, tx, 2, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_int_equal(mempool_count(rig->pool), 2);
    /* Nor may the child be replaced by one that leaves it. */
    struct tx other = mempool_rig_spend(rig, (struct builder_coin[]){mempool_rig_output(&tx[0], 1)},
                                        1, 1, 50 * FEE_SAT);
    assert_reject(mempool_rig_add(rig, &other), REJECT_EPHEMERAL_SPENDS);
}

/* Whoever pays for himself has no reason to leave dust, and two outputs are too many. */
TEST(dust_is_one_and_free, struct mempool_rig *rig)
{
    struct tx tx = with_dust(rig, 1, 2, FEE_SAT);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_DUST);
    assert_string_equal(answer.verdict.detail, "tx with dust output must be 0-fee");
    tx = with_dust(rig, 1, 3, 0);
    tx.out[2].value_sat += tx.out[1].value_sat - DUST_SAT;
    tx.out[1].value_sat = DUST_SAT;
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_DUST);
}

/* Where nothing needs to be standard dust is no matter. */
TEST(without_policy_it_may_stay)
{
    struct mempool_options options = mempool_default_options();
    options.require_standard = false;
    struct mempool_rig *rig = mempool_rig_new(7, 110, &options);
    struct tx tx[2] = {with_dust(rig, 1, 2, FEE_SAT)};
    tx[1] = spend(rig, &tx[0], 1, 1);
    assert_reject(mempool_rig_submit_package(rig, tx, 2, 0).verdict.code, REJECT_NONE);
    mempool_rig_free(rig);
}
