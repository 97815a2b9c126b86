/* test_orders.c - orders and those who wait: answered once, in every way that a wait can end. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

/* -- Waiting for a block's fate ---------------------------------------------------------------- */

TEST(every_block_is_answered_once_whatever_its_fate, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *good = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    const struct built_block *side = builder_block(&f->b, f->base[100], NULL);
    const struct built_block *bad = block_spending(f, good, 2, BUILDER_TRUE);
    const struct built_block *child = builder_block(&f->b, bad, NULL);
    const struct built_block *lost = builder_blocks(&f->b, child, 2, NULL);
    const struct built_block *all[] = {good, side, bad, child, lost};
    const enum reject want[] = {REJECT_NONE, REJECT_NONE, REJECT_SCRIPT_FAILED, REJECT_PREV_INVALID,
                                REJECT_PREV_NOT_FOUND};
    struct answer answers[COUNT_OF(all)] = {0};
    rig_announce(&f->rig, child);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        submit_block(f, all[i], CHAIN_ACCEPT_FORCE, &answers[i]);
    rig_settle(&f->rig);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_true(answers[i].is_done);
        assert_int_equal(answers[i].verdict.code, want[i]);
        assert_int_equal(answers[i].result.is_connected, all[i] == good);
    }
    assert_int_equal(f->rig.n_faults, 0);
}

TEST(all_who_wait_are_answered_with_a_fault_when_the_chain_closes, struct fixture *f)
{
    enum { N = 40 };
    for (int steps = 0; steps < 240; steps += 13) {
        struct answer blocks[N] = {0}, orders[3] = {0}, trial = {0}, flush = {0};
        fixture_start(f);
        rig_announce(&f->rig, f->base[N]);
        for (int32_t i = 0; i < N; i++)
            submit_block(f, f->base[i + 1], i % 2 ? CHAIN_ACCEPT_DURABLE : 0, &blocks[i]);
        step_times(f, steps);
        const struct block_hash *hash = &f->base[N / 2]->block.hash;
        chain_invalidate(f->rig.chain, hash, note_verdict, &orders[0]);
        chain_reconsider(f->rig.chain, hash, note_verdict, &orders[1]);
        chain_precious(f->rig.chain, hash, note_verdict, &orders[2]);
        struct block_ref *ref = block_ref_take(built_bytes(f->base[1]), f->base[1]->block.raw.len);
        assert_true(block_ref_decode(ref));
        chain_test_block(f->rig.chain, ref, note_verdict, &trial);
        block_ref_drop(ref);
        chain_flush(f->rig.chain, note_error, &flush);
        assert_int_equal(rig_close(&f->rig), 0);
        for (int i = 0; i < N; i++) {
            assert_true(blocks[i].is_done);
            bool is_fault = reject_class(blocks[i].verdict.code) == REJECT_CLASS_FAULT;
            assert_true(is_fault || blocks[i].verdict.code == REJECT_NONE);
        }
        for (int i = 0; i < 3; i++) {
            assert_true(orders[i].is_done);
            assert_int_equal(orders[i].verdict.code, REJECT_FAULT);
        }
        assert_true(trial.is_done);
        assert_int_equal(trial.verdict.code, REJECT_FAULT);
        assert_true(flush.is_done);
        assert_int_equal(flush.error, 0);
        rig_deinit(&f->rig);
    }
}

TEST(a_block_that_comes_while_closing_is_a_fault, struct fixture *f)
{
    struct answer closed = {0}, block = {0}, order = {0};
    fixture_start(f);
    chain_close(f->rig.chain, note_error, &closed);
    submit_block(f, f->base[1], 0, &block);
    assert_true(block.is_done);
    assert_int_equal(block.verdict.code, REJECT_FAULT);
    chain_invalidate(f->rig.chain, &f->b.genesis->block.hash, note_verdict, &order);
    assert_int_equal(order.verdict.code, REJECT_FAULT);
    rig_wait(&f->rig, &closed.is_done);
    assert_int_equal(closed.error, 0);
    chain_free(f->rig.chain);
    f->rig.chain = NULL;
}

/* -- Durable answers --------------------------------------------------------------------------- */

TEST(a_durable_block_survives_a_power_cut_right_after_its_answer, struct fixture *f)
{
    fixture_start(f);
    for (int32_t height = 1; height <= 12; height++) {
        struct chain_block_result result = accept_with(f, f->base[height], CHAIN_ACCEPT_DURABLE);
        assert_true(result.is_connected);
        struct chain_rig after;
        rig_init(&after, sim_env_crash(f->rig.sim, SIM_CRASH_LOST, (uint64_t)height), &f->b,
                 &f->options);
        rig_open(&after);
        rig_settle(&after);
        assert_true(rig_is_at(&after, f->base[height]));
        rig_deinit(&after);
    }
}

TEST(durable_blocks_submitted_together_are_all_answered, struct fixture *f)
{
    struct answer answers[50] = {0};
    fixture_start(f);
    rig_announce(&f->rig, f->base[50]);
    for (int32_t i = 50; i-- > 0;)
        submit_block(f, f->base[i + 1], CHAIN_ACCEPT_DURABLE, &answers[i]);
    rig_settle(&f->rig);
    for (int i = 0; i < 50; i++) {
        assert_true(answers[i].is_done);
        assert_int_equal(answers[i].verdict.code, REJECT_NONE);
        assert_true(answers[i].result.is_new);
    }
    assert_true(rig_is_at(&f->rig, f->base[50]));
}

/* Durability was promised and cannot be had: no answer may say otherwise. */
TEST(a_durable_block_whose_bytes_cannot_be_kept_is_a_fault, struct fixture *f)
{
    static const enum sim_disk_op ops[] = {SIM_OP_WRITE, SIM_OP_SYNC};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        struct answer answer = {0};
        fixture_start(f);
        assert_true(accept_with(f, f->base[1], CHAIN_ACCEPT_DURABLE).is_connected);
        sim_disk_fail(sim_env_disk(f->rig.sim), ops[i], 0, -EIO, true);
        submit_block(f, f->base[2], CHAIN_ACCEPT_DURABLE, &answer);
        rig_settle(&f->rig);
        assert_int_equal(f->rig.n_faults, 1);
        assert_int_equal(f->rig.n_invalid, 0);
        sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
        assert_int_equal(rig_close(&f->rig), -EIO);
        assert_true(answer.is_done);
        assert_int_equal(answer.verdict.code, REJECT_FAULT);
        rig_deinit(&f->rig);
    }
}

/* -- Orders ------------------------------------------------------------------------------------ */

TEST(an_invalidation_of_a_side_branch_moves_nothing, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *side = builder_blocks(&f->b, f->base[110], 5, NULL);
    rig_accept_chain(&f->rig, side);
    size_t changes = f->rig.n_tip_changed;
    assert_int_equal(rig_invalidate(&f->rig, built_ancestor(side, 112)).code, REJECT_NONE);
    assert_int_equal(f->rig.n_tip_changed, changes);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    /* More work on it is refused now, and taken after the order is taken back. */
    const struct built_block *more = builder_blocks(&f->b, side, 10, NULL);
    struct chain_block_result result = rig_accept(&f->rig, built_ancestor(more, 116));
    assert_int_equal(result.verdict.code, REJECT_PREV_INVALID);
    assert_int_equal(rig_reconsider(&f->rig, side).code, REJECT_NONE);
    rig_accept_chain(&f->rig, more);
    assert_true(rig_is_at(&f->rig, more));
    chain_check(f->rig.chain);
}

TEST(an_invalidated_branch_stays_so_over_a_restart, struct fixture *f)
{
    fixture_start_at_base(f);
    (void)rig_invalidate(&f->rig, f->base[115]);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base[114]));
    (void)rig_reconsider(&f->rig, f->base[115]);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_coins_as_if_only(f, base_tip(f));
}

TEST(what_was_answered_outlives_a_power_cut, struct fixture *f)
{
    fixture_start_at_base(f);
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        assert_int_equal(rig_invalidate(&f->rig, f->base[115]).code, REJECT_NONE);
        rig_crash(&f->rig, how[i], i);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_true(rig_is_at(&f->rig, f->base[114]));
        assert_int_equal(rig_reconsider(&f->rig, f->base[115]).code, REJECT_NONE);
        rig_crash(&f->rig, how[i], i);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
    }
}

TEST(an_order_that_cannot_be_kept_is_a_fault, struct fixture *f)
{
    fixture_start_at_base(f);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_SYNC, 0, -EIO, true);
    assert_int_equal(rig_invalidate(&f->rig, f->base[115]).code, REJECT_FAULT);
    assert_int_equal(f->rig.n_faults, 1);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_SYNC, 0, 0, false);
}

TEST(an_invalidated_tip_is_left_even_if_the_crash_comes_before_it_was, struct fixture *f)
{
    struct answer answer = {0};
    fixture_start_at_base(f);
    chain_invalidate(f->rig.chain, &f->base[100]->block.hash, note_verdict, &answer);
    assert_int_equal(rig_flush(&f->rig), 0); /* index and coins, amid the way down */
    rig_crash(&f->rig, SIM_CRASH_LOST, 3);
    assert_true(answer.is_done);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base[99]));
    assert_coins_as_if_only(f, f->base[99]);
}

/* Damage on the way back is the order's failure, not the node's: all is as it was before. */
TEST(an_order_that_would_go_back_over_damage_is_refused, struct fixture *f)
{
    static const char *const files[] = {"regtest/blocks/blk00000.dat",
                                        "regtest/blocks/rev00000.dat"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        fixture_start_at_base(f);
        assert_int_equal(rig_close(&f->rig), 0);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        const struct block_node *node = chain_at(f->rig.chain, BASE_HEIGHT - 10);
        uint64_t at = i == 0 ? node->data.offset + 90 : node->undo.offset;
        sim_disk_damage(sim_env_disk(f->rig.sim), files[i], at, 1);
        struct verdict verdict = rig_invalidate(&f->rig, f->base[BASE_HEIGHT - 15]);
        assert_int_equal(verdict.code, REJECT_BLOCK_UNAVAILABLE);
        assert_non_null(strstr(verdict.detail, "damaged"));
        assert_true(rig_is_at(&f->rig, base_tip(f)));
        assert_int_equal(f->rig.n_faults, 0);
        chain_check(f->rig.chain);
        /* Above the damage orders are obeyed, and the chain grows. */
        assert_int_equal(rig_invalidate(&f->rig, f->base[BASE_HEIGHT - 5]).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, f->base[BASE_HEIGHT - 6]));
        assert_int_equal(rig_reconsider(&f->rig, f->base[BASE_HEIGHT - 5]).code, REJECT_NONE);
        const struct built_block *next = builder_block(&f->b, base_tip(f), NULL);
        assert_true(rig_accept(&f->rig, next).is_connected);
        rig_deinit(&f->rig);
    }
}

/* Of two branches of like work the one seen first stays, whatever the hashes are. */
TEST(a_restart_does_not_change_who_was_first, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *tip = base_tip(f);
    for (int i = 0; i < 8; i++) {
        const struct built_block *first = builder_block(&f->b, tip, NULL);
        const struct built_block *second = builder_block(&f->b, tip, NULL);
        const struct built_block *third = builder_block(&f->b, tip, NULL);
        assert_true(rig_accept(&f->rig, first).is_connected);
        assert_false(rig_accept(&f->rig, second).is_connected);
        assert_int_equal(rig_close(&f->rig), 0);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_true(rig_is_at(&f->rig, first));
        assert_false(rig_accept(&f->rig, third).is_connected);
        assert_true(rig_is_at(&f->rig, first));
        tip = first;
    }
}

/* Nor does a crash, whatever has been written by then; a reindex finds the files in order too. */
TEST(a_crash_does_not_change_who_was_first, struct fixture *f)
{
    enum { N_BRANCHES = 6 };
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    for (uint64_t seed = 0; seed < 24; seed++) {
        struct answer answer = {0};
        rig_start(&f->rig, seed, &f->b, &f->options);
        rig_accept_chain(&f->rig, base_tip(f));
        assert_int_equal(rig_flush(&f->rig), 0);
        const struct built_block *first = builder_blocks(&f->b, base_tip(f), 2, NULL);
        rig_announce(&f->rig, first);
        (void)rig_accept(&f->rig, first->prev);
        submit_block(f, first, CHAIN_ACCEPT_DURABLE, &answer);
        rig_wait(&f->rig, &answer.is_done);
        for (int i = 0; i < N_BRANCHES; i++)
            rig_accept_chain(&f->rig, builder_blocks(&f->b, base_tip(f), 2, NULL));
        assert_true(rig_is_at(&f->rig, first));
        if (seed % 4 == 1)
            (void)rig_flush(&f->rig);
        rig_crash(&f->rig, how[seed % 3], seed);
        f->rig.options.reindex = seed % 4 >= 2;
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_true(rig_is_at(&f->rig, first));
        f->rig.options.reindex = false;
        rig_deinit(&f->rig);
    }
}

TEST(a_precious_block_wins_over_the_tip_after_a_restart_too, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *a = builder_block(&f->b, base_tip(f), NULL);
    const struct built_block *b = builder_block(&f->b, base_tip(f), NULL);
    assert_true(rig_accept(&f->rig, a).is_connected);
    assert_false(rig_accept(&f->rig, b).is_connected);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    (void)rig_precious(&f->rig, b);
    assert_true(rig_is_at(&f->rig, b));
    /* And what it was is not made precious by another restart. */
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, b));
    (void)rig_precious(&f->rig, a);
    assert_true(rig_is_at(&f->rig, a));
}

TEST(a_header_without_its_block_cannot_be_precious, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *next = builder_blocks(&f->b, base_tip(f), 2, NULL);
    rig_announce(&f->rig, next);
    assert_int_equal(rig_precious(&f->rig, next).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    rig_accept_chain(&f->rig, next);
    assert_true(rig_is_at(&f->rig, next));
}

/* Orders of all kinds on a tree with many tips; the chain checks itself after every event. */
TEST(random_orders_keep_the_invariants, struct fixture *f)
{
    fixture_start_at_base(f);
    struct sim_random random = sim_random_of(5, 0);
    const struct built_block *known[60];
    size_t n = 0;
    for (int32_t at = 112; at <= BASE_HEIGHT; at++)
        known[n++] = f->base[at];
    for (int i = 0; i < 300; i++) {
        const struct built_block *at = known[sim_random_below(&random, n)];
        uint64_t what = sim_random_below(&random, 5);
        if (what == 0 && n < COUNT_OF(known)) {
            known[n] = builder_block(&f->b, at, NULL);
            rig_submit(&f->rig, known[n++]);
        } else if (what == 1) {
            (void)rig_invalidate(&f->rig, at);
        } else if (what == 2) {
            (void)rig_precious(&f->rig, at);
        } else {
            (void)rig_reconsider(&f->rig, at);
        }
        chain_check(f->rig.chain);
    }
    rig_settle(&f->rig);
    for (size_t i = 0; i < n; i++)
        (void)rig_reconsider(&f->rig, known[i]);
    for (size_t i = 0; i < n; i++)
        (void)rig_accept(&f->rig, known[i]);
    for (size_t i = 0; i < n; i++)
        assert_true(known[i]->height <= chain_tip(f->rig.chain)->height);
    assert_int_equal(f->rig.n_faults, 0);
}

/* -- Many who wait ----------------------------------------------------------------------------- */

struct reorder {
    struct fixture *f;
    struct answer inner;
    int calls;
};

static void order_again(void *arg, const struct verdict *verdict)
{
    struct reorder *reorder = arg;
    (void)verdict;
    reorder->calls++;
    chain_reconsider(reorder->f->rig.chain, &reorder->f->base[3]->block.hash, note_verdict,
                     &reorder->inner);
}

TEST(an_order_given_from_within_an_answer_is_answered, struct fixture *f)
{
    struct reorder reorder = {.f = f};
    fixture_start_at_base(f);
    chain_invalidate(f->rig.chain, &f->base[119]->block.hash, order_again, &reorder);
    rig_wait(&f->rig, &reorder.inner.is_done);
    assert_int_equal(reorder.calls, 1);
    assert_int_equal(reorder.inner.verdict.code, REJECT_NONE);
}
