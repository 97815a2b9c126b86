/* test_startup_marks.c - what says "go through the block files again" stays until that is done and
 * durable: reindexing and the replay after a crash. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

#define CLOCK_BACK_S 9000000 /* to when the last blocks of the fixture were new */

static void close_rig(struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
}

static void open_again(struct fixture *f)
{
    rig_open(&f->rig);
    rig_settle(&f->rig);
}

/* A start after a crash: everything is found again, and by the start after that as well. */
static void assert_nothing_lost(struct fixture *f, const struct built_block *tip)
{
    f->rig.n_faults = 0;
    open_again(f);
    assert_int_equal(f->rig.n_faults, 0);
    assert_true(rig_is_at(&f->rig, tip));
    close_rig(f);
    open_again(f);
    assert_true(rig_is_at(&f->rig, tip));
}

/* The block that begins a branch while the files are read again makes the index's last file a new
 * one: what lies in the others is found only by going through them all. */
TEST(a_crash_right_after_a_reindex_forgets_nothing, struct fixture *f)
{
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    const struct built_block *side = builder_blocks(&f->b, f->b.genesis, 1, NULL);
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        f->rig.options.reindex = false;
        fixture_start_at_base(f);
        close_rig(f);
        f->rig.options.reindex = true;
        rig_open(&f->rig);
        rig_submit(&f->rig, side);
        while (!(chain_find(f->rig.chain, &side->block.hash)))
            assert_true(sim_env_step(f->rig.sim));
        assert_int_equal(rig_flush(&f->rig), 0);
        while (chain_is_importing(f->rig.chain))
            assert_true(sim_env_step(f->rig.sim));
        rig_crash(&f->rig, how[i], i);
        f->rig.options.reindex = false;
        assert_nothing_lost(f, base_tip(f));
        assert_non_null(chain_find(f->rig.chain, &side->block.hash));
        rig_deinit(&f->rig);
    }
}

TEST(after_a_reindex_a_start_has_nothing_to_do, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    f->rig.options.reindex = true;
    open_again(f);
    f->rig.options.reindex = false;
    /* Killed: the flush at the end of a reindex has come by itself. */
    sim_env_run_for(f->rig.sim, 20 * 1000000);
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_false(chain_is_importing(f->rig.chain));
}

/* What lies above it in the files is kept: it may be reconsidered. */
TEST(an_order_amid_a_reindex_leaves_no_block_out, struct fixture *f)
{
    for (int32_t from = 20; from < BASE_HEIGHT; from += 17) {
        fixture_start_at_base(f);
        close_rig(f);
        f->rig.options.reindex = true;
        rig_open(&f->rig);
        while (!chain_find(f->rig.chain, &f->base[from]->block.hash))
            assert_true(sim_env_step(f->rig.sim));
        assert_int_equal(rig_invalidate(&f->rig, f->base[from - 10]).code, REJECT_NONE);
        rig_settle(&f->rig);
        assert_false(chain_is_importing(f->rig.chain));
        assert_true(rig_is_at(&f->rig, f->base[from - 11]));
        f->rig.options.reindex = false;
        rig_crash(&f->rig, (enum sim_crash)(from % 3), 1);
        open_again(f);
        assert_true(rig_is_at(&f->rig, f->base[from - 11]));
        assert_int_equal(rig_reconsider(&f->rig, f->base[from - 10]).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
        rig_deinit(&f->rig);
    }
}

/* What a killed process has written may not be on the disk yet: rows about it come after a sync. */
TEST(a_replay_syncs_what_it_takes_in, struct fixture *f)
{
    fixture_start(f);
    rig_accept_chain(&f->rig, base_tip(f));
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    open_again(f);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_crash(&f->rig, SIM_CRASH_LOST, 2);
    assert_nothing_lost(f, base_tip(f));
    assert_int_equal(f->rig.n_warnings, 0);
}

/* -- A clock in the past ----------------------------------------------------------------------- */

static int64_t now_s(const struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.sim);
    return env_unix_s(env);
}

/* Blocks of today on an old tip, accepted but in no flush; then a crash and a clock of years ago.
 * Returns the last. */
static const struct built_block *crash_into_the_past(struct fixture *f, bool flushes)
{
    const struct builder_spec today = {.time = (uint32_t)now_s(f)};
    const struct built_block *tip = builder_block(&f->b, base_tip(f), &today);
    tip = builder_blocks(&f->b, tip, 20, NULL);
    if (flushes)
        assert_int_equal(rig_flush(&f->rig), 0);
    rig_accept_chain(&f->rig, tip);
    assert_true(rig_is_at(&f->rig, tip));
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    sim_env_set_unix_s(f->rig.sim, now_s(f) - CLOCK_BACK_S);
    return tip;
}

TEST(blocks_too_new_for_a_wrong_clock_are_not_forgotten, struct fixture *f)
{
    for (int stops = 0; stops < 2; stops++) {
        fixture_start_at_base(f);
        const struct built_block *tip = crash_into_the_past(f, true);
        open_again(f);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
        assert_non_null(strstr(f->rig.warning, "date and time"));
        /* The node works meanwhile: a block of the wrong time is added behind the others. */
        const struct built_block *wrong = builder_blocks(&f->b, base_tip(f), 1, NULL);
        rig_accept_chain(&f->rig, wrong);
        assert_true(rig_is_at(&f->rig, wrong));
        assert_int_equal(rig_flush(&f->rig), 0);
        if (stops)
            close_rig(f);
        else
            rig_crash(&f->rig, SIM_CRASH_LOST, 2);
        sim_env_set_unix_s(f->rig.sim, now_s(f) + CLOCK_BACK_S);
        assert_nothing_lost(f, tip);
        assert_non_null(chain_find(f->rig.chain, &wrong->block.hash));
        rig_deinit(&f->rig);
    }
}

TEST(a_clock_that_is_set_right_brings_the_blocks_back, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *tip = crash_into_the_past(f, true);
    open_again(f);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    /* One second before the first of them may come, two hours ahead at most; then that second. */
    int64_t first_s = built_ancestor(tip, BASE_HEIGHT + 1)->block.header.time;
    sim_env_set_unix_s(f->rig.sim, first_s - 7200 - 60);
    sim_env_run_for(f->rig.sim, 45 * 1000000);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    sim_env_set_unix_s(f->rig.sim, tip->block.header.time);
    sim_env_run_for(f->rig.sim, 45 * 1000000);
    assert_true(rig_is_at(&f->rig, tip));
    assert_string_equal(f->rig.warning, ""); /* taken back */
    close_rig(f);
    open_again(f);
    assert_true(rig_is_at(&f->rig, tip));
}

TEST(a_reindex_with_a_wrong_clock_says_so_and_goes_on_later, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *tip = crash_into_the_past(f, false);
    f->rig.options.reindex = true;
    open_again(f);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_non_null(strstr(f->rig.warning, "appear to be from the future"));
    assert_int_equal(rig_flush(&f->rig), 0);
    close_rig(f);
    f->rig.options.reindex = false;
    sim_env_set_unix_s(f->rig.sim, now_s(f) + CLOCK_BACK_S);
    assert_nothing_lost(f, tip);
}

/* Core's limit for a new block, two hours, is that of a tip as well. */
TEST(a_tip_from_the_future_stops_the_start_before_anything_is_written, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    const int64_t tip_s = base_tip(f)->block.header.time;
    for (int how = 0; how < 2; how++) {
        f->rig.options.reindex_chainstate = how == 1;
        sim_env_set_unix_s(f->rig.sim, tip_s - 7201);
        struct chain *chain = chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network,
                                        &f->rig.options, &(struct chain_events){0});
        uint64_t changes = sim_disk_changes(sim_env_disk(f->rig.sim));
        char *error = NULL;
        assert_false(chain_open(chain, &error));
        assert_non_null(strstr(error, "appears to be from the future. This may be due to your "
                                      "computer's date and time being set incorrectly"));
        xfree(error);
        chain_free(chain);
        /* Only that the folder is there is made sure of. */
        assert_true(sim_disk_changes(sim_env_disk(f->rig.sim)) <= changes + 2);
    }
    f->rig.options.reindex_chainstate = false;
    sim_env_set_unix_s(f->rig.sim, tip_s - 7200);
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

/* -- A disk that cannot be read -----------------------------------------------------------------
 */

TEST(a_replay_that_cannot_read_a_block_stops_and_forgets_nothing, struct fixture *f)
{
    size_t n_faults = 0;
    for (uint64_t n = 0; n < 40; n += 3) {
        fixture_start(f);
        rig_accept_chain(&f->rig, f->base[100]);
        assert_int_equal(rig_flush(&f->rig), 0);
        rig_accept_chain(&f->rig, base_tip(f));
        rig_crash(&f->rig, SIM_CRASH_KILLED, n);
        rig_open(&f->rig);
        assert_true(chain_is_replaying(f->rig.chain));
        sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, n, -EIO, false);
        rig_settle(&f->rig);
        sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, 0, false);
        n_faults += f->rig.n_faults;
        (void)rig_close(&f->rig);
        assert_nothing_lost(f, base_tip(f));
        rig_deinit(&f->rig);
    }
    assert_true(n_faults > 5);
}
