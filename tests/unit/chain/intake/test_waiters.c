/* test_waiters.c - who waits for rest, for a fate or for durability is answered once. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

TEST(who_waits_for_rest_is_answered_when_the_last_block_has_landed, struct fixture *f)
{
    struct answer answer = {0};
    fixture_start(f);
    rig_announce(&f->rig, f->base[60]);
    for (int32_t at = 1; at <= 60; at++)
        rig_submit(&f->rig, f->base[at]);
    while (chain_tip(f->rig.chain)->height == 0)
        assert_true(sim_env_step(f->rig.sim));
    waiters_await_rest(waiters_of(f->rig.chain), note_verdict, &answer);
    assert_false(answer.is_done); /* never within the call */
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.verdict.code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, f->base[60]));
}

TEST(what_is_told_to_orders_is_not_told_to_blocks, struct fixture *f)
{
    struct answer order = {0}, block = {0};
    struct verdict verdict = {.code = REJECT_BLOCK_UNAVAILABLE};
    fixture_start_at_base(f);
    const struct built_block *next = builder_block(&f->b, base_tip(f), NULL);
    submit_block(f, next, 0, &block);
    while (waiters_of(f->rig.chain)->list.count == 0)
        assert_true(sim_env_step(f->rig.sim));
    waiters_await_rest(waiters_of(f->rig.chain), note_verdict, &order);
    waiters_refuse_orders(waiters_of(f->rig.chain), &verdict);
    rig_wait(&f->rig, &order.is_done);
    rig_wait(&f->rig, &block.is_done);
    assert_int_equal(order.verdict.code, REJECT_BLOCK_UNAVAILABLE);
    assert_int_equal(block.verdict.code, REJECT_NONE);
}

TEST(durability_is_told_after_a_sync_and_refused_when_the_disk_has_failed, struct fixture *f)
{
    struct answer answers[2] = {0};
    fixture_start_at_base(f);
    waiters_sync(waiters_of(f->rig.chain), note_verdict, &answers[0]);
    assert_false(answers[0].is_done);
    assert_true(waiters_part.is_busy(waiters_of(f->rig.chain)));
    rig_wait(&f->rig, &answers[0].is_done);
    assert_int_equal(answers[0].verdict.code, REJECT_NONE);
    core_fault(core_of(f->rig.chain), -EIO, "a test");
    waiters_sync(waiters_of(f->rig.chain), note_verdict, &answers[1]);
    assert_true(answers[1].is_done);
    assert_int_equal(answers[1].verdict.code, REJECT_FAULT);
}
