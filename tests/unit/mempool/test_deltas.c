/* test_deltas.c - fees that our user adds to. */
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

TEST(deltas_add_up_and_are_remembered)
{
    struct mempool_rig *rig = mempool_rig_new(2, 110, NULL);
    struct tx tx = mempool_rig_pay(rig, 1, 1, 5000);
    mempool_prioritise(rig->pool, &tx.txid, 700);
    mempool_prioritise(rig->pool, &tx.txid, 70);
    assert_int_equal(mempool_delta_sat(rig->pool, &tx.txid), 770);
    size_t at = 0;
    const struct mempool_delta *delta = mempool_next_delta(rig->pool, &at);
    assert_memory_equal(delta->txid.b, tx.txid.b, 32);
    assert_null(mempool_next_delta(rig->pool, &at));
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    const struct mempool_entry *entry = mempool_find(rig->pool, &tx.txid);
    assert_int_equal(entry->modified_fee_sat, 5770);
    assert_int_equal(mempool_total_fee_sat(rig->pool), 5000);
    mempool_prioritise(rig->pool, &tx.txid, -770);
    assert_int_equal(entry->modified_fee_sat, 5000);
    at = 0;
    assert_null(mempool_next_delta(rig->pool, &at));
    /* Absurd deltas are bounded, so that no sum can overflow. */
    mempool_prioritise(rig->pool, &tx.txid, INT64_MAX);
    mempool_prioritise(rig->pool, &tx.txid, INT64_MAX);
    assert_true(mempool_delta_sat(rig->pool, &tx.txid) < INT64_MAX / 64);
    mempool_prioritise(rig->pool, &tx.txid, INT64_MIN);
    assert_true(mempool_delta_sat(rig->pool, &tx.txid) > INT64_MIN / 64);
    mempool_verify(rig->pool);
    mempool_rig_free(rig);
}
