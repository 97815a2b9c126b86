/* test_rewind.c - the chain as it was before: what came since is forgotten, also amid a crash. */
#include <string.h>

#include "chain/intake/rewind.h"

#include "support/chain_inside.h"
#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

static struct verdict rewind_to(struct fixture *f, const struct chain_moment *moment)
{
    struct answer answer = {0};
    chain_rewind(f->rig.chain, moment, note_verdict, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer.verdict;
}

static void sync_blocks(struct fixture *f)
{
    struct answer answer = {0};
    chain_sync_blocks(f->rig.chain, note_verdict, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.verdict.code, REJECT_NONE);
}

/* Rows and note are gone: nothing is left to do. */
static bool is_through(struct fixture *f)
{
    struct index_rewind note;
    bool has_note;
    assert_int_equal(index_db_rewind(index_db_of(f->rig.chain), &has_note, &note), 0);
    return !has_note;
}

static void wait_through(struct fixture *f)
{
    for (int i = 0; !is_through(f); i++) {
        assert_true(i < 100000);
        (void)sim_env_step(f->rig.sim);
    }
}

static const struct block_node *find(struct fixture *f, const struct built_block *block)
{
    return chain_find(f->rig.chain, &block->block.hash);
}

TEST(what_came_since_is_forgotten_and_can_come_anew, struct fixture *f)
{
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain);
    const struct built_block *spend = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    const struct built_block *last = builder_blocks(&f->b, spend, 20, NULL);
    for (int i = 0; i < 3; i++) {
        rig_accept_chain(&f->rig, last);
        assert_true(rig_is_at(&f->rig, last));
        size_t n_down = f->rig.n_disconnected;
        assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
        assert_int_equal(f->rig.n_disconnected - n_down, 21);
        assert_null(find(f, last));
        assert_null(find(f, spend));
        assert_ptr_equal(chain_best_header(f->rig.chain), chain_tip(f->rig.chain));
        assert_null(chain_best_failed(f->rig.chain));
        assert_coins_as_if_only(f, base_tip(f));
    }
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_null(find(f, last));
    rig_accept_chain(&f->rig, last);
    assert_true(rig_is_at(&f->rig, last));
}

TEST(a_branch_with_more_work_and_a_header_alone_go_too, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *old = builder_blocks(&f->b, f->base[115], 3, NULL);
    rig_accept_chain(&f->rig, old); /* known before, so it stays */
    struct chain_moment moment = chain_now(f->rig.chain);
    const struct built_block *better = builder_blocks(&f->b, old, 30, NULL);
    rig_announce(&f->rig, builder_blocks(&f->b, f->base[50], 5, NULL));
    rig_accept_chain(&f->rig, better);
    assert_true(rig_is_at(&f->rig, better));
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_null(find(f, better));
    assert_non_null(find(f, old));
    assert_ptr_equal(chain_best_header(f->rig.chain), chain_tip(f->rig.chain));
}

TEST(what_was_called_invalid_since_is_good_again, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *other = builder_block(&f->b, base_tip(f), NULL);
    rig_accept_chain(&f->rig, other);
    rig_invalidate(&f->rig, other);
    struct chain_moment moment = chain_now(f->rig.chain);
    rig_invalidate(&f->rig, f->base[60]);
    assert_true(rig_is_at(&f->rig, f->base[59]));
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    /* Said before: that holds. */
    assert_true(block_node_has_failed(find(f, other)));
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE); /* there already */
}

/* The other way round: a branch that the moment knew as invalid has more work than its block. */
TEST(what_was_called_good_since_is_invalid_again, struct fixture *f)
{
    fixture_start_at_base(f);
    rig_invalidate(&f->rig, f->base[60]);
    assert_true(rig_is_at(&f->rig, f->base[59]));
    struct chain_moment moment = chain_now(f->rig.chain);
    assert_int_equal(rig_reconsider(&f->rig, f->base[60]).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, f->base[59]));
    assert_true(block_node_has_failed(find(f, f->base[60])));
    wait_through(f);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base[59]));
    assert_int_equal(rig_reconsider(&f->rig, f->base[60]).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

/* Found out on the way that it cannot be had: then it is good again, too. */
TEST(what_is_invalid_again_is_good_when_that_is_taken_back, struct fixture *f)
{
    f->options.check_invariants = false; /* damage is to be found by the rewind alone */
    fixture_start_at_base(f);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_invalidate(&f->rig, f->base[60]);
    struct chain_moment moment = chain_now(f->rig.chain);
    assert_int_equal(rig_reconsider(&f->rig, f->base[60]).code, REJECT_NONE);
    assert_int_equal(rig_flush(&f->rig), 0);
    const struct block_node *node = chain_at(f->rig.chain, 90);
    sim_disk_damage(sim_env_disk(f->rig.sim), "regtest/blocks/rev00000.dat", node->undo.offset, 1);
    assert_int_equal(rewind_to(f, &moment).code, REJECT_BLOCK_UNAVAILABLE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_false(block_node_has_failed(find(f, base_tip(f))));
    chain_check(f->rig.chain);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

/* Where nothing else came in between they have one note; else the second waits for the first. */
TEST(several_go_one_after_the_other, struct fixture *f)
{
    fixture_start_at_base(f);
    f->options.txindex = true;
    const struct built_block *last = base_tip(f);
    struct chain_moment first = chain_now(f->rig.chain), moment = first;
    for (int i = 0; i < 8; i++) {
        const struct built_block *gone = builder_blocks(&f->b, last, 3, NULL);
        rig_accept_chain(&f->rig, gone);
        assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, last));
        assert_null(find(f, gone));
        if (i % 2) {
            last = builder_blocks(&f->b, last, 2, NULL);
            rig_accept_chain(&f->rig, last); /* stays */
        }
        moment = chain_now(f->rig.chain);
    }
    sync_blocks(f);
    rig_crash(&f->rig, SIM_CRASH_POWER, 1);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last));
    assert_coins_as_if_only(f, last);
    assert_int_equal(rewind_to(f, &first).code, REJECT_NONE);
    wait_through(f);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

TEST(an_order_that_makes_no_sense_changes_nothing, struct fixture *f)
{
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain), unknown = moment;
    struct answer first = {0}, second = {0};
    unknown.tip.b[5] ^= 1;
    assert_int_equal(rewind_to(f, &unknown).code, REJECT_PREV_NOT_FOUND);
    const struct built_block *next = builder_block(&f->b, base_tip(f), NULL);
    rig_accept_chain(&f->rig, next);
    chain_rewind(f->rig.chain, &moment, note_verdict, &first);
    chain_rewind(f->rig.chain, &moment, note_verdict, &second);
    assert_true(second.is_done);
    assert_int_equal(second.verdict.code, REJECT_BLOCK_UNAVAILABLE);
    rig_wait(&f->rig, &first.is_done);
    assert_int_equal(first.verdict.code, REJECT_NONE);
}

enum end { UNANSWERED, ANSWERED, THROUGH };

/* 0: it found its mark on no block, and begins anew. */
static int32_t height_of_txindex(struct fixture *f)
{
    bool synced;
    int32_t height = -1;
    assert_true(chain_txindex_status(f->rig.chain, &synced, &height));
    return height;
}

struct scene {
    bool is_flushed; /* rows and coins are of what goes; else its bytes alone are on disk */
    bool again;      /* it is had again right away, durably */
};

/* After a crash at any step: all of it, or nothing; all if that was answered. */
static enum end crash_after(struct fixture *f, int steps, enum sim_crash how, struct scene scene)
{
    struct answer answer = {0};
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain);
    const struct built_block *spend = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    const struct built_block *last = builder_blocks(&f->b, spend, 5, NULL);
    rig_accept_chain(&f->rig, last);
    if (scene.is_flushed) {
        assert_int_equal(rig_flush(&f->rig), 0);
        rig_settle(&f->rig); /* the indexes have their marks there */
    }
    sync_blocks(f);
    chain_rewind(f->rig.chain, &moment, note_verdict, &answer);
    if (scene.again) {
        rig_wait(&f->rig, &answer.is_done);
        rig_accept_chain(&f->rig, last);
        sync_blocks(f);
    }
    step_times(f, steps);
    enum end end = !answer.is_done ? UNANSWERED : is_through(f) ? THROUGH : ANSWERED;
    rig_crash(&f->rig, how, (uint64_t)steps + 1);
    rig_open(&f->rig);
    if (end == THROUGH && !scene.again)
        assert_int_equal(height_of_txindex(f), base_tip(f)->height);
    rig_settle(&f->rig);
    bool is_back = rig_is_at(&f->rig, base_tip(f));
    if (scene.again)
        assert_true(rig_is_at(&f->rig, last));
    else
        assert_true(is_back || (end == UNANSWERED && rig_is_at(&f->rig, last)));
    assert_true(!is_back == (find(f, last) != NULL)); /* never half of it */
    assert_coins_as_if_only(f, is_back ? base_tip(f) : last);
    rig_accept_chain(&f->rig, last);
    assert_true(rig_is_at(&f->rig, last));
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_int_equal(f->rig.n_faults, 0);
    rig_deinit(&f->rig);
    f->rig = (struct chain_rig){0};
    return end;
}

/* An index that is at a block when the flush ends notes later that it stands below what went: rows
 * wait for that, or a crash in between would leave it a mark on a block that nobody knows, and it
 * would begin anew. */
TEST(rows_wait_for_an_index_that_is_busy, struct fixture *f)
{
    bool is_over = false;
    f->options.txindex = true;
    f->options.check_invariants = false;
    for (int steps = 0; !is_over; steps++) {
        struct answer answer = {0};
        assert_true(steps < 1000);
        fixture_start_at_base(f);
        struct chain_moment moment = chain_now(f->rig.chain);
        const struct built_block *gone = builder_blocks(&f->b, base_tip(f), 3, NULL);
        rig_accept_chain(&f->rig, gone);
        assert_int_equal(rig_flush(&f->rig), 0);
        rig_settle(&f->rig); /* its mark is there */
        assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
        const struct built_block *last = builder_blocks(&f->b, base_tip(f), 30, NULL);
        rig_announce(&f->rig, last);
        for (int32_t height = base_tip(f)->height + 1; height <= last->height; height++)
            rig_submit(&f->rig, built_ancestor(last, height));
        chain_rewind(f->rig.chain, &moment, note_verdict, &answer); /* waits for the rows */
        step_times(f, steps);
        is_over = is_through(f);
        rig_crash(&f->rig, SIM_CRASH_KILLED, (uint64_t)steps + 1);
        rig_open(&f->rig);
        assert_true(height_of_txindex(f) >= base_tip(f)->height);
        rig_deinit(&f->rig);
        f->rig = (struct chain_rig){0};
    }
}

/* The same of a mark that is written already, but not told of. */
TEST(rows_wait_for_a_mark_that_is_on_its_way, struct fixture *f)
{
    f->options.txindex = true;
    f->options.check_invariants = false;
    fixture_start_at_base(f);
    struct sim_pool *pool = &sim_env_jobs(f->rig.sim)->pool[ENV_POOL_BLOCKING];
    struct chain_moment moment = chain_now(f->rig.chain);
    const struct built_block *gone = builder_blocks(&f->b, base_tip(f), 3, NULL);
    rig_accept_chain(&f->rig, gone);
    assert_int_equal(rig_flush(&f->rig), 0);
    pool->stall_one_in = 1;
    pool->stall_max_us = 100 * 1000000;
    step_times(f, 3); /* the job of the mark runs */
    pool->stall_one_in = 0;
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    sim_env_run_for(f->rig.sim, 2 * REWIND_REST_US);
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    rig_open(&f->rig);
    assert_true(height_of_txindex(f) >= base_tip(f)->height);
}

/* A flush may write marks amid one, whose note goes when the chain cannot go back. */
TEST(marks_without_a_note_are_taken_back, struct fixture *f)
{
    f->options.check_invariants = false; /* the mark is set behind everybody's back */
    fixture_start_at_base(f);
    const struct built_block *last = builder_blocks(&f->b, base_tip(f), 6, NULL);
    rig_accept_chain(&f->rig, last);
    struct block_node *node = header_tree_find(tree_of(f->rig.chain),
                                               &built_ancestor(last, last->height - 3)->block.hash);
    node->status |= BLOCK_FAILED | BLOCK_DROPPED;
    header_tree_mark_dirty(tree_of(f->rig.chain), node);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last));
    assert_int_equal(f->rig.n_faults, 0);
}

/* All steps up to when nothing is left to do, and some more. */
static void crash_everywhere(struct fixture *f, struct scene scene)
{
    int n[THROUGH + 1] = {0};
    f->options.txindex = f->options.coin_stats_index = true;
    f->options.check_invariants = false;
    for (int steps = 0; n[THROUGH] < 3 && steps < 400; steps++)
        n[crash_after(f, steps, steps % 2 ? SIM_CRASH_POWER : SIM_CRASH_KILLED, scene)]++;
    assert_int_equal(n[THROUGH], 3);
    assert_true(n[ANSWERED] > 5 && (scene.again || n[UNANSWERED] > 5));
}

TEST(a_crash_at_any_step_leaves_all_of_it_or_nothing, struct fixture *f)
{
    crash_everywhere(f, (struct scene){.is_flushed = true});
    crash_everywhere(f, (struct scene){.is_flushed = false});
}

TEST(a_crash_at_any_step_loses_nothing_that_came_again, struct fixture *f)
{
    crash_everywhere(f, (struct scene){.is_flushed = true, .again = true});
    crash_everywhere(f, (struct scene){.is_flushed = false, .again = true});
}

/* The chain has nowhere to go, so the note is all that there is to wait for. */
TEST(a_side_branch_is_forgotten_for_good_too, struct fixture *f)
{
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain);
    const struct built_block *side = builder_blocks(&f->b, f->base[100], 3, NULL);
    rig_accept_chain(&f->rig, side);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_int_equal(rig_flush(&f->rig), 0);
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    assert_null(find(f, side));
    rig_crash(&f->rig, SIM_CRASH_LOST, 1);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_null(find(f, side));
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

/* What is forgotten may have lost its bytes: what is stored where they were to be is none of it. */
TEST(a_second_crash_does_not_take_what_came_after_the_first, struct fixture *f)
{
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_accept_chain(&f->rig, builder_blocks(&f->b, base_tip(f), 6, NULL));
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    rig_crash(&f->rig, SIM_CRASH_LOST, 1);
    rig_open(&f->rig);
    const struct built_block *last = builder_blocks(&f->b, base_tip(f), 3, NULL);
    rig_accept_chain(&f->rig, last);
    sync_blocks(f);
    assert_false(is_through(f));
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last));
}

/* Found out on the way: all is as before, also for a start; and rows of an order before that one
 * are still taken away. */
TEST(one_that_meets_damage_is_taken_back, struct fixture *f)
{
    f->options.check_invariants = false; /* damage is to be found by the rewind alone */
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain);
    const struct built_block *gone = builder_blocks(&f->b, base_tip(f), 3, NULL);
    const struct built_block *last = builder_blocks(&f->b, base_tip(f), 6, NULL);
    rig_accept_chain(&f->rig, gone);
    assert_int_equal(rig_flush(&f->rig), 0);
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    rig_accept_chain(&f->rig, last);
    sync_blocks(f);
    const struct block_node *node = chain_at(f->rig.chain, base_tip(f)->height + 3);
    sim_disk_damage(sim_env_disk(f->rig.sim), "regtest/blocks/rev00000.dat", node->undo.offset, 1);
    assert_false(is_through(f));
    struct verdict verdict = rewind_to(f, &moment);
    assert_int_equal(verdict.code, REJECT_BLOCK_UNAVAILABLE);
    assert_non_null(strstr(verdict.detail, "damaged"));
    assert_true(rig_is_at(&f->rig, last));
    assert_int_equal(f->rig.n_faults, 0);
    wait_through(f);
    assert_true(rig_is_at(&f->rig, last));
    rig_crash(&f->rig, SIM_CRASH_LOST, 1);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last));
    assert_null(find(f, gone));
}

/* Who has the last word has it. */
TEST(one_whose_blocks_are_called_good_meanwhile_is_taken_back, struct fixture *f)
{
    int n_taken_back = 0;
    f->options.check_invariants = false;
    for (int steps = 0; steps < 40; steps++) {
        struct answer answer = {0}, reconsidered = {0};
        fixture_start_at_base(f);
        struct chain_moment moment = chain_now(f->rig.chain);
        const struct built_block *last = builder_blocks(&f->b, base_tip(f), 6, NULL);
        rig_accept_chain(&f->rig, last);
        chain_rewind(f->rig.chain, &moment, note_verdict, &answer);
        step_times(f, steps);
        chain_reconsider(f->rig.chain, &last->block.hash, note_verdict, &reconsidered);
        rig_wait(&f->rig, &answer.is_done);
        rig_settle(&f->rig);
        n_taken_back += answer.verdict.code == REJECT_BLOCK_UNAVAILABLE;
        assert_true(rig_is_at(&f->rig, answer.verdict.code ? last : base_tip(f)));
        wait_through(f);
        chain_check(f->rig.chain);
        rig_deinit(&f->rig);
        f->rig = (struct chain_rig){0};
    }
    assert_true(n_taken_back > 0 && n_taken_back < 40);
}

static void count_read(void *arg, const struct chain_block_read *read)
{
    size_t *n_answered = arg;
    assert_true(read->error <= 0);
    ++*n_answered;
}

TEST(reads_that_are_under_way_are_answered_though_their_block_is_forgotten, struct fixture *f)
{
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain);
    const struct built_block *last = builder_blocks(&f->b, base_tip(f), 3, NULL);
    rig_accept_chain(&f->rig, last);
    struct answer answer = {0};
    chain_rewind(f->rig.chain, &moment, note_verdict, &answer);
    size_t n_asked = 0, n_answered = 0;
    for (int i = 0; !answer.is_done || n_answered < n_asked; i++) {
        const struct block_node *node = find(f, last);
        assert_true(i < 100000);
        if (node && n_asked < n_answered + 20) {
            n_asked++;
            chain_read_block(f->rig.chain, node, true, count_read, &n_answered);
        }
        (void)sim_env_step(f->rig.sim);
    }
    assert_int_equal(answer.verdict.code, REJECT_NONE);
    assert_null(find(f, last));
    assert_true(n_asked > 1);
}

/* -- Block files that are still to be gone through ------------------------------------------------
 */

TEST(it_is_refused_while_all_block_files_are_gone_through, struct fixture *f)
{
    fixture_start_at_base(f);
    struct chain_moment moment = chain_now(f->rig.chain);
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.reindex = true;
    rig_open(&f->rig);
    moment.tip = f->b.genesis->block.hash;
    assert_int_equal(rewind_to(f, &moment).code, REJECT_BLOCK_UNAVAILABLE);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

/* By a clock that is months late. What is gone lies behind it in the files: once the clock is right
 * they are gone through again. */
TEST(what_waits_for_the_clock_brings_nothing_back, struct fixture *f)
{
    enum { LATE_S = 9000000 }; /* to when the fixture's blocks were new */
    const struct env *env;
    fixture_start_at_base(f);
    env = sim_env_get(f->rig.sim);
    const struct builder_spec today = {.time = (uint32_t)env_unix_s(env)};
    const struct built_block *early = builder_block(&f->b, base_tip(f), &today);
    assert_int_equal(rig_flush(&f->rig), 0);
    /* rig_accept_chain() would let enough time pass for a flush. */
    assert_true(rig_accept(&f->rig, early).is_connected);
    struct chain_moment moment = chain_now(f->rig.chain);
    assert_true(rig_accept(&f->rig, builder_block(&f->b, early, NULL)).is_connected);
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
    sync_blocks(f);
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    env = sim_env_get(f->rig.sim);
    sim_env_set_unix_s(f->rig.sim, env_unix_s(env) - LATE_S);
    rig_open(&f->rig);
    sim_env_run_for(f->rig.sim, 10 * REWIND_REST_US);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    moment = chain_now(f->rig.chain);
    assert_int_equal(rewind_to(f, &moment).code, REJECT_BLOCK_UNAVAILABLE);
    assert_false(is_through(f));
    sim_env_set_unix_s(f->rig.sim, env_unix_s(env) + LATE_S);
    sim_env_run_for(f->rig.sim, 60 * 1000000);
    assert_true(rig_is_at(&f->rig, early));
    wait_through(f);
    moment = chain_now(f->rig.chain);
    assert_int_equal(rewind_to(f, &moment).code, REJECT_NONE);
}
