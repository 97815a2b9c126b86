/* test_trial_races.c - blocks that are only tried out: the verdict is that of the real thing,
 * and nothing is left behind, whatever else goes on. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

static int setup(void **state)
{
    (void)fixture_setup(state);
    fixture_start_at_base(*state);
    return 0;
}

FIXTURE(setup, fixture_teardown)

static void try_later(struct fixture *f, const struct built_block *block, struct answer *answer)
{
    struct block_ref *ref = block_ref_take(built_bytes(block), block->block.raw.len);
    assert_true(block_ref_decode(ref));
    chain_test_block(f->rig.chain, ref, note_verdict, answer);
    block_ref_drop(ref); /* the trial holds its own */
}

static struct verdict try_now(struct fixture *f, const struct built_block *block)
{
    struct answer answer = {0};
    try_later(f, block, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer.verdict;
}

/* -- Verdicts ---------------------------------------------------------------------------------- */

/* A block whose header was changed, without the work being done again. */
static const struct built_block *with_header(struct fixture *f, uint32_t time, uint32_t bits,
                                             int32_t version)
{
    struct built_block *block = arena_calloc(&f->b.arena, 1, sizeof *block);
    *block = *builder_block(&f->b, base_tip(f), NULL);
    block->block.header.time = time ? time : block->block.header.time;
    block->block.header.bits = bits ? bits : block->block.header.bits;
    block->block.header.version = version;
    build_block_again(&f->b.arena, &block->block);
    return block;
}

TEST(each_kind_of_block_gets_its_verdict, struct fixture *f)
{
    const struct block_node *tip = chain_tip(f->rig.chain);
    uint32_t mtp = (uint32_t)block_node_mtp(tip);
    uint32_t now_s = (uint32_t)core_now_s(core_of(f->rig.chain));
    struct tx tx[2] = {spend_base(f, 4, 1, 0, BUILDER_TRUE), spend_base(f, 4, 1, 1, BUILDER_TRUE)};
    struct tx from_nothing = spend_base(f, 4, 1, -1, BUILDER_TRUE);
    struct builder_spec greedy = {.extra_sat = 1};
    struct built_block height = *builder_block(&f->b, base_tip(f), NULL);
    height.block.tx[0] = f->base[9]->block.tx[0];
    fixture_seal(f, &height);
    const struct {
        const struct built_block *block;
        enum reject reject;
    } rows[] = {
        {builder_block(&f->b, base_tip(f), NULL), REJECT_NONE},
        {block_spending(f, base_tip(f), 4, BUILDER_TRUE), REJECT_NONE},
        {block_spending(f, base_tip(f), 1, BUILDER_WSH_TRUE), REJECT_NONE},
        {block_spending(f, base_tip(f), 2, BUILDER_TRUE), REJECT_SCRIPT_FAILED},
        {block_spending(f, base_tip(f), 60, BUILDER_TRUE), REJECT_PREMATURE_SPEND},
        {block_with(f, base_tip(f), tx, 2), REJECT_INPUTS_MISSING},
        {block_with(f, base_tip(f), &from_nothing, 1), REJECT_IN_BELOW_OUT},
        {builder_block(&f->b, base_tip(f), &greedy), REJECT_CB_AMOUNT},
        {&height, REJECT_CB_HEIGHT},
        {f->base[BASE_HEIGHT], REJECT_PREVBLK_NOT_BEST}, /* the tip itself */
        {builder_block(&f->b, f->base[7], NULL), REJECT_PREVBLK_NOT_BEST},
        {with_header(f, mtp, 0, 0x20000000), REJECT_TIME_TOO_OLD},
        {with_header(f, mtp + 1, 0, 0x20000000), REJECT_NONE},
        {with_header(f, now_s + 7300, 0, 0x20000000), REJECT_TIME_TOO_NEW},
        {with_header(f, 0, 0x1d00ffff, 0x20000000), REJECT_BAD_DIFFBITS},
        {with_header(f, 0, 0, 1), REJECT_BAD_VERSION},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(try_now(f, rows[i].block).code, rows[i].reject);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

TEST(the_work_is_not_asked_for, struct fixture *f)
{
    struct built_block block = *builder_block(&f->b, base_tip(f), NULL);
    struct verdict ignored;
    do {
        block.block.header.nonce++;
        build_block_again(&f->b.arena, &block.block);
    } while (chain_accept_header(f->rig.chain, &block.block.header, &ignored));
    assert_int_equal(ignored.code, REJECT_HIGH_HASH);
    assert_int_equal(try_now(f, &block).code, REJECT_NONE);
}

/* -- Traces ------------------------------------------------------------------------------------ */

TEST(a_trial_leaves_nothing_behind, struct fixture *f)
{
    assert_int_equal(rig_flush(&f->rig), 0);
    struct coin_stats before = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    uint64_t bytes = chain_disk_bytes(f->rig.chain);
    uint64_t changes = sim_disk_changes(sim_env_disk(f->rig.sim));
    size_t n_nodes = tree_of(f->rig.chain)->count, n_tip_changed = f->rig.n_tip_changed;
    for (int32_t height = 1; height <= 16; height++)
        (void)try_now(f, block_spending(f, base_tip(f), height, BUILDER_LONG));
    rig_settle(&f->rig);
    assert_int_equal(sim_disk_changes(sim_env_disk(f->rig.sim)), changes);
    assert_int_equal(chain_disk_bytes(f->rig.chain), bytes);
    assert_int_equal(tree_of(f->rig.chain)->count, n_nodes);
    assert_int_equal(f->rig.n_tip_changed, n_tip_changed);
    assert_int_equal(f->rig.n_invalid, 0);
    assert_int_equal(overlay_of(f->rig.chain)->count, 0);
    assert_int_equal(flights_of(f->rig.chain)->pending_inputs, 0);
    struct coin_stats after = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    assert_memory_equal(before.hash, after.hash, 32);
}

TEST(a_block_refused_in_a_trial_may_still_come, struct fixture *f)
{
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    assert_int_equal(try_now(f, bad).code, REJECT_SCRIPT_FAILED);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_SCRIPT_FAILED);
    const struct built_block *good = builder_block(&f->b, base_tip(f), NULL);
    assert_int_equal(try_now(f, good).code, REJECT_NONE);
    assert_true(rig_accept(&f->rig, good).is_connected);
    assert_int_equal(try_now(f, good).code, REJECT_PREVBLK_NOT_BEST);
}

TEST(coins_that_only_the_store_has_are_found, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    const struct built_block *good = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    assert_int_equal(try_now(f, bad).code, REJECT_SCRIPT_FAILED);
    assert_int_equal(try_now(f, good).code, REJECT_NONE);
}

/* -- Amid other things ------------------------------------------------------------------------- */

TEST(trials_at_the_same_time_are_each_answered, struct fixture *f)
{
    struct answer answers[12] = {0};
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        try_later(f, block_spending(f, base_tip(f), i % 2 ? 2 : 4, BUILDER_TRUE), &answers[i]);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        rig_wait(&f->rig, &answers[i].is_done);
        assert_int_equal(answers[i].verdict.code, i % 2 ? REJECT_SCRIPT_FAILED : REJECT_NONE);
    }
}

/* Whatever comes between, the answer is one of the block on some tip, and never a fault. */
TEST(a_trial_amid_blocks_and_orders_is_answered_once, struct fixture *f)
{
    const struct built_block *tip = base_tip(f);
    int n_valid = 0;
    for (int steps = 0; steps < 40; steps++) {
        struct answer trial = {0}, order = {0};
        const struct built_block *block = block_spending(f, tip, 4, BUILDER_TRUE);
        const struct built_block *next = builder_block(&f->b, tip, NULL);
        try_later(f, block, &trial);
        step_times(f, steps % 10);
        if (steps % 2)
            rig_submit(&f->rig, next);
        else
            chain_invalidate(f->rig.chain, &f->base[60]->block.hash, note_verdict, &order);
        rig_wait(&f->rig, &trial.is_done);
        assert_true(trial.verdict.code == REJECT_NONE ||
                    trial.verdict.code == REJECT_PREVBLK_NOT_BEST);
        n_valid += trial.verdict.code == REJECT_NONE;
        rig_settle(&f->rig);
        if (steps % 2 == 0) {
            assert_true(order.is_done);
            assert_int_equal(rig_reconsider(&f->rig, f->base[60]).code, REJECT_NONE);
        } else {
            tip = next;
        }
        assert_true(rig_is_at(&f->rig, tip));
    }
    assert_true(n_valid > 3 && n_valid < 40);
    assert_coins_as_if_only(f, tip);
}

TEST(flushes_amid_trials_harm_nothing, struct fixture *f)
{
    for (int steps = 0; steps < 12; steps++) {
        struct answer trial = {0}, flush = {0};
        try_later(f, block_spending(f, base_tip(f), 4, BUILDER_TRUE), &trial);
        step_times(f, steps);
        chain_flush(f->rig.chain, note_error, &flush);
        rig_wait(&f->rig, &trial.is_done);
        rig_wait(&f->rig, &flush.is_done);
        assert_int_equal(trial.verdict.code, REJECT_NONE);
        assert_int_equal(flush.error, 0);
    }
}

TEST(closing_answers_a_trial_with_a_fault, struct fixture *f)
{
    for (int steps = 0; steps < 20; steps++) {
        struct answer trials[3] = {0};
        for (size_t i = 0; i < COUNT_OF(trials); i++)
            try_later(f, block_spending(f, base_tip(f), 4, BUILDER_TRUE), &trials[i]);
        step_times(f, steps);
        assert_int_equal(rig_close(&f->rig), 0);
        for (size_t i = 0; i < COUNT_OF(trials); i++) {
            assert_true(trials[i].is_done);
            assert_true(trials[i].verdict.code == REJECT_NONE ||
                        trials[i].verdict.code == REJECT_FAULT);
        }
        rig_open(&f->rig);
    }
}

TEST(after_a_fault_a_trial_is_a_fault, struct fixture *f)
{
    struct answer before = {0}, after = {0};
    const struct built_block *block = builder_block(&f->b, base_tip(f), NULL);
    try_later(f, block, &before);
    core_fault(core_of(f->rig.chain), -EIO, "a test");
    try_later(f, block, &after);
    assert_int_equal(after.verdict.code, REJECT_FAULT);
    assert_int_equal(rig_close(&f->rig), -EIO);
    assert_true(before.is_done);
    assert_int_equal(before.verdict.code, REJECT_FAULT);
}

TEST(a_disk_that_fails_amid_a_trial_blames_no_block, struct fixture *f)
{
    struct answer trial = {0};
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, -EIO, true);
    try_later(f, block_spending(f, base_tip(f), 4, BUILDER_TRUE), &trial);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_faults, 1);
    sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
    assert_int_equal(rig_close(&f->rig), -EIO);
    assert_true(trial.is_done);
    assert_int_equal(trial.verdict.code, REJECT_FAULT);
}
