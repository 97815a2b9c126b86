/* test_past_check.c - the blocks below a snapshot's: checked, compared, and what if they differ. */
#include "chain/pipeline/past_check.h"

#include <errno.h>

#include "chain/coins/snapshot_dir.h"
#include "support/snapshot_rig.h"

static int setup(void **state)
{
    (void)snapshot_setup(state);
    struct snapshot_rig *s = *state;
    assert_int_equal(snapshot_load_now(s).error, 0);
    return 0;
}

FIXTURE(setup, snapshot_teardown)

static bool has_mark(struct snapshot_rig *s, const char *mark)
{
    const struct env *env = sim_env_get(s->rig.sim);
    struct env_file *file;
    char path[100];
    snprintf(path, sizeof path, "regtest/chainstate_snapshot/%s", mark);
    int error = env_file_open(env, path, ENV_OPEN_READ, &file);
    if (!error)
        env_file_close(env, file);
    return !error;
}

TEST(the_next_blocks_are_asked_for, struct snapshot_rig *s)
{
    const struct block_node *missing[PAST_CHECK_AHEAD_MAX];
    assert_int_equal(chain_past_missing(s->rig.chain, missing, 3), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(missing[i]->height, SNAPSHOT_KNOWN + 1 + i);
    snapshot_give(s, SNAPSHOT_KNOWN + 2, SNAPSHOT_KNOWN + 2);
    size_t n = chain_past_missing(s->rig.chain, missing, PAST_CHECK_AHEAD_MAX);
    assert_int_equal(n, SNAPSHOT_BASE - SNAPSHOT_KNOWN - 1);
    assert_int_equal(missing[1]->height, SNAPSHOT_KNOWN + 3);
}

TEST(in_the_end_nothing_is_assumed, struct snapshot_rig *s)
{
    struct chain_past past;
    snapshot_give(s, SNAPSHOT_BASE + 1, SNAPSHOT_BASE + 3);
    snapshot_give(s, SNAPSHOT_KNOWN + 1, SNAPSHOT_BASE - 1);
    assert_true(chain_lacks_past(s->rig.chain));
    assert_true(chain_has_past_check(s->rig.chain, &past));
    assert_int_equal(past.tip->height, SNAPSHOT_BASE - 1);
    assert_int_equal(s->rig.n_connected, SNAPSHOT_KNOWN + 3); /* nobody is told of the rest */
    snapshot_give(s, SNAPSHOT_BASE, SNAPSHOT_BASE);
    assert_false(chain_lacks_past(s->rig.chain));
    assert_true(chain_has_past_check(s->rig.chain, &past) && past.is_checked);
    assert_true(has_mark(s, SNAPSHOT_MARK_CHECKED));
    assert_int_equal(chain_at(s->rig.chain, SNAPSHOT_BASE)->chain_tx, s->facts.chain_tx);
    /* All can be taken back from now on, as if it had never been different. */
    (void)rig_invalidate(&s->rig, built_ancestor(s->base, 3));
    assert_int_equal(chain_tip(s->rig.chain)->height, 2);
    (void)rig_reconsider(&s->rig, built_ancestor(s->base, 3));
    rig_settle(&s->rig);
    assert_int_equal(chain_tip(s->rig.chain)->height, SNAPSHOT_BASE + 3);
    chain_check(s->rig.chain);
}

/* The chain was on a branch of its own: that is left when there is a way up. As in Core */
TEST_WITH(snapshot_setup, snapshot_teardown, another_branch_is_left_when_the_next_block_is_there,
          struct snapshot_rig *s)
{
    struct chain_past past;
    const struct built_block *known = built_ancestor(s->base, SNAPSHOT_KNOWN);
    rig_accept_chain(&s->rig, builder_blocks(&s->b, known, 9, NULL));
    assert_int_equal(snapshot_load_now(s).error, 0);
    rig_settle(&s->rig);
    assert_true(chain_has_past_check(s->rig.chain, &past));
    assert_int_equal(past.tip->height, SNAPSHOT_KNOWN + 9);
    snapshot_give(s, SNAPSHOT_KNOWN + 1, SNAPSHOT_BASE);
    assert_false(chain_lacks_past(s->rig.chain));
    assert_int_equal(s->rig.n_faults, 0);
}

TEST(nobody_goes_back_below_what_is_assumed, struct snapshot_rig *s)
{
    struct verdict verdict = rig_invalidate(&s->rig, built_ancestor(s->base, SNAPSHOT_BASE));
    assert_int_equal(verdict.code, REJECT_BLOCK_UNAVAILABLE);
    /* However much work another branch has. */
    const struct built_block *fork = built_ancestor(s->base, SNAPSHOT_KNOWN);
    rig_accept_chain(&s->rig, builder_blocks(&s->b, fork, SNAPSHOT_TIP, NULL));
    assert_true(rig_is_at(&s->rig, s->base));
    chain_check(s->rig.chain);
    /* When all is checked it wins. */
    snapshot_give(s, SNAPSHOT_KNOWN + 1, SNAPSHOT_BASE);
    assert_false(chain_lacks_past(s->rig.chain));
    assert_int_equal(chain_tip(s->rig.chain)->height, SNAPSHOT_KNOWN + SNAPSHOT_TIP);
    assert_int_equal(s->rig.n_faults, 0);
}

/* All its blocks are checked, and their coins are not compared yet. */
TEST(nobody_goes_back_before_the_coins_are_compared, struct snapshot_rig *s)
{
    const struct header_tree *tree = tree_of(s->rig.chain);
    snapshot_give(s, SNAPSHOT_KNOWN + 1, SNAPSHOT_BASE - 1);
    rig_submit(&s->rig, built_ancestor(s->base, SNAPSHOT_BASE));
    while (tree->checked != tree->assumed)
        assert_true(sim_env_step(s->rig.sim));
    assert_non_null(tree->assumed);
    struct verdict verdict = rig_invalidate(&s->rig, built_ancestor(s->base, SNAPSHOT_BASE - 1));
    assert_int_equal(verdict.code, REJECT_BLOCK_UNAVAILABLE);
    rig_settle(&s->rig);
    assert_false(chain_lacks_past(s->rig.chain));
    assert_true(rig_is_at(&s->rig, s->base));
}

TEST(nobody_is_preferred_below_what_is_assumed, struct snapshot_rig *s)
{
    const struct built_block *fork = built_ancestor(s->base, SNAPSHOT_KNOWN);
    const struct built_block *side = builder_blocks(&s->b, fork, SNAPSHOT_TIP, NULL);
    rig_accept_chain(&s->rig, side);
    (void)rig_precious(&s->rig, side);
    rig_settle(&s->rig);
    assert_true(rig_is_at(&s->rig, s->base));
    assert_int_equal(s->rig.n_faults, 0);
    chain_check(s->rig.chain);
}

TEST(a_damaged_name_of_its_block_is_no_end, struct snapshot_rig *s)
{
    const struct env *env = sim_env_get(s->rig.sim);
    assert_int_equal(rig_close(&s->rig), 0);
    assert_int_equal(snapshot_dir_mark(env, "regtest", "base_blockhash"), 0); /* one byte */
    s->rig.options.reindex = true;
    rig_open(&s->rig);
    rig_settle(&s->rig);
    assert_false(chain_lacks_past(s->rig.chain));
    assert_int_equal(chain_tip(s->rig.chain)->height, SNAPSHOT_KNOWN);
}

TEST(what_was_checked_is_kept_over_crashes, struct snapshot_rig *s)
{
    static const enum sim_crash hows[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    for (int32_t height = SNAPSHOT_KNOWN + 1; height < SNAPSHOT_BASE; height++) {
        struct chain_past past;
        snapshot_give(s, SNAPSHOT_KNOWN + 1, height);
        if (height % 4 == 0)
            assert_int_equal(rig_close(&s->rig), 0);
        snapshot_rig_crash(s, hows[height % 3], (uint64_t)height);
        assert_true(chain_has_past_check(s->rig.chain, &past));
        assert_true(past.tip->height >= SNAPSHOT_KNOWN && past.tip->height <= height);
        assert_true(height % 4 != 0 || past.tip->height == height);
        assert_true(rig_is_at(&s->rig, s->base));
        chain_check(s->rig.chain);
    }
    snapshot_give(s, SNAPSHOT_KNOWN + 1, SNAPSHOT_TIP);
    assert_true(rig_is_at(&s->rig, s->tip));
    assert_false(chain_lacks_past(s->rig.chain));
}

static void assert_refused(struct snapshot_rig *s)
{
    assert_int_equal(s->rig.n_faults, 1);
    assert_memory_equal(s->rig.fault, "Cairn failed to validate the -assumeutxo snapshot state.",
                        56);
    assert_true(has_mark(s, SNAPSHOT_MARK_INVALID) && !has_mark(s, SNAPSHOT_MARK_CHECKED));
}

TEST(other_coins_stop_the_node, struct snapshot_rig *s)
{
    s->coins_hash[0] = s->coins_hash[0] == '0' ? '1' : '0';
    for (int32_t height = SNAPSHOT_KNOWN + 1; height <= SNAPSHOT_BASE; height++)
        (void)rig_accept(&s->rig, built_ancestor(s->tip, height));
    rig_settle(&s->rig);
    assert_refused(s);
}

TEST(an_invalid_block_stops_the_node, struct snapshot_rig *s)
{
    struct header_tree *tree = tree_of(s->rig.chain);
    struct block_node *node = block_node_ancestor(tree->assumed, SNAPSHOT_BASE - 1);
    best_chain_mark_failed(best_of(s->rig.chain), node);
    assert_false(block_node_has_failed(node));
    core_wake(core_of(s->rig.chain));
    rig_settle(&s->rig);
    assert_refused(s);
}
