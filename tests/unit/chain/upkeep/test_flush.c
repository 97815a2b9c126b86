/* test_flush.c - what is durable when: the order of syncs, failing disks. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

static struct block_hash stored_tip(const struct fixture *f)
{
    return coins_store_tip(chain_coins(f->rig.chain));
}

/* -- When ------------------------------------------------------------------------------------- */

TEST(a_flush_brings_the_store_to_the_tip, struct fixture *f)
{
    fixture_start_at_base(f);
    struct block_hash none = {{0}}, tip = stored_tip(f);
    assert_true(block_hash_equal(&tip, &none));
    assert_int_equal(rig_flush(&f->rig), 0);
    tip = stored_tip(f);
    assert_true(block_hash_equal(&tip, &base_tip(f)->block.hash));
}

TEST(news_are_flushed_after_a_while_and_nothing_is_without_news, struct fixture *f)
{
    fixture_start_at_base(f);
    sim_env_run_for(f->rig.sim, 2 * FLUSH_INTERVAL_SYNCING_US);
    struct block_hash tip = stored_tip(f);
    assert_true(block_hash_equal(&tip, &base_tip(f)->block.hash));
    uint64_t changes = sim_disk_changes(sim_env_disk(f->rig.sim));
    uint64_t completed = flush_of(f->rig.chain)->completed;
    sim_env_run_for(f->rig.sim, 4 * FLUSH_INTERVAL_SYNCING_US);
    assert_int_equal(sim_disk_changes(sim_env_disk(f->rig.sim)), changes);
    assert_int_equal(flush_of(f->rig.chain)->completed, completed);
}

TEST(a_chain_that_has_caught_up_flushes_more_often, struct fixture *f)
{
    f->options.max_tip_age_s = INT32_MAX;
    fixture_start_at_base(f);
    assert_false(chain_is_initial_download(f->rig.chain));
    sim_env_run_for(f->rig.sim, FLUSH_INTERVAL_US / 2);
    struct block_hash tip = stored_tip(f);
    assert_false(block_hash_equal(&tip, &base_tip(f)->block.hash));
    sim_env_run_for(f->rig.sim, FLUSH_INTERVAL_US);
    tip = stored_tip(f);
    assert_true(block_hash_equal(&tip, &base_tip(f)->block.hash));
}

TEST(a_full_cache_is_flushed_at_once, struct fixture *f)
{
    f->options.cache_bytes = 100 << 10;
    fixture_start_at_base(f);
    const struct built_block *prev = base_tip(f);
    for (int32_t height = 4; height <= 20; height += 4) {
        struct tx tx = spend_base(f, height, 2000, 0, BUILDER_TRUE);
        prev = block_with(f, prev, &tx, 1);
        assert_true(rig_accept(&f->rig, prev).is_connected);
    }
    rig_settle(&f->rig);
    assert_true(flush_of(f->rig.chain)->completed > 0);
    assert_coins_as_if_only(f, prev);
}

TEST(flushes_ordered_together_are_each_answered_once, struct fixture *f)
{
    struct answer answers[20] = {0};
    fixture_start(f);
    for (int32_t i = 0; i < 20; i++) {
        rig_submit(&f->rig, f->base[i + 1]);
        chain_flush(f->rig.chain, note_error, &answers[i]);
        step_times(f, 2);
    }
    rig_settle(&f->rig);
    for (int i = 0; i < 20; i++) {
        assert_true(answers[i].is_done);
        assert_int_equal(answers[i].error, 0);
    }
}

/* -- In which order ---------------------------------------------------------------------------- */

/* At each change of the disk: what only the synced part of it would show. */
struct order_watch {
    struct fixture *f;
    bool is_watching;
    int crashes;
    int32_t height_last; /* of the tip that the last crash ended at */
};

/* The coins never name a block that index and block files do not have. */
static void check_order(void *arg)
{
    struct order_watch *watch = arg;
    if (!watch->is_watching)
        return;
    watch->is_watching = false;
    struct fixture *f = watch->f;
    struct chain_rig after;
    rig_init(&after, sim_env_crash(f->rig.sim, SIM_CRASH_LOST, (uint64_t)watch->crashes), &f->b,
             &f->options);
    rig_open(&after);
    int32_t height = chain_tip(after.chain)->height;
    assert_true(height >= watch->height_last); /* what was durable stays so */
    watch->height_last = height;
    watch->crashes++;
    rig_deinit(&after);
    watch->is_watching = true;
}

TEST(the_coins_are_never_ahead_of_index_and_blocks, struct fixture *f)
{
    f->options.flush_batch_bytes = 100;
    fixture_start(f);
    struct order_watch watch = {.f = f};
    sim_disk_watch(sim_env_disk(f->rig.sim), check_order, &watch);
    for (int32_t at = 10; at <= 40; at += 10) {
        rig_accept_chain(&f->rig, f->base[at]);
        watch.is_watching = true;
        assert_int_equal(rig_flush(&f->rig), 0);
        watch.is_watching = false;
        assert_int_equal(watch.height_last, at);
    }
    assert_true(watch.crashes > 20);
    sim_disk_watch(sim_env_disk(f->rig.sim), NULL, NULL);
}

/* -- When the disk fails ----------------------------------------------------------------------- */

struct failing {
    unsigned ops;
    uint64_t n; /* operations that still work */
    int error;
    bool forever;
};

/* Connect and flush on a disk that fails somewhere; then start again on a good one. */
static void run_failing(struct fixture *f, const struct failing *row, bool *failed)
{
    struct answer flush = {0}, blocks[BASE_HEIGHT + 1] = {0};
    fixture_start(f);
    rig_accept_chain(&f->rig, f->base[20]);
    assert_int_equal(rig_flush(&f->rig), 0);
    struct sim_disk *disk = sim_env_disk(f->rig.sim);
    sim_disk_fail(disk, row->ops, row->n, row->error, row->forever);
    rig_announce(&f->rig, f->base[30]);
    for (int32_t at = 21; at <= 30; at++)
        submit_block(f, f->base[at], CHAIN_ACCEPT_DURABLE, &blocks[at]);
    step_times(f, 30);
    if (f->rig.n_faults == 0)
        chain_flush(f->rig.chain, note_error, &flush);
    rig_settle(&f->rig);
    sim_env_run_for(f->rig.sim, 3 * FLUSH_INTERVAL_SYNCING_US);
    *failed = f->rig.n_faults > 0;
    assert_true(f->rig.n_faults <= 1);
    assert_int_equal(f->rig.n_invalid, 0);
    sim_disk_fail(disk, 0, 0, 0, false);
    int32_t acknowledged = 20;
    for (int32_t at = 21; at <= 30; at++)
        if (blocks[at].is_done && blocks[at].verdict.code == REJECT_NONE)
            acknowledged = at;
    /* After a fault nothing is written any more, although the disk would do it again. */
    uint64_t changes = sim_disk_changes(disk);
    assert_int_equal(rig_close(&f->rig), *failed ? -EIO : 0);
    if (*failed)
        assert_int_equal(sim_disk_changes(disk), changes);
    for (int32_t at = 21; at <= 30; at++)
        assert_true(blocks[at].is_done);
    rig_crash(&f->rig, SIM_CRASH_LOST, 1);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    for (int32_t at = 1; at <= acknowledged; at++) {
        const struct block_node *node = chain_find(f->rig.chain, &f->base[at]->block.hash);
        assert_non_null(node);
        assert_true(node->status & BLOCK_HAVE_DATA);
    }
    for (int32_t at = 1; at <= 30; at++) {
        const struct block_node *node = chain_find(f->rig.chain, &f->base[at]->block.hash);
        assert_true(!node || !(node->status & BLOCK_FAILED_MASK));
    }
    rig_accept_chain(&f->rig, base_tip(f));
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_coins_as_if_only(f, base_tip(f));
    rig_deinit(&f->rig);
}

TEST(a_disk_that_fails_is_told_once_and_loses_nothing_acknowledged, struct fixture *f)
{
    static const unsigned ops[] = {SIM_OP_WRITE, SIM_OP_SYNC, SIM_OP_OPEN, SIM_OP_CHANGES};
    static const int errors[] = {-EIO, -ENOSPC};
    f->options.flush_batch_bytes = 200;
    int n_failed = 0;
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        for (uint64_t n = 0; n < 40; n += 1 + n / 4) {
            bool failed;
            struct failing row = {ops[i], n, errors[n % 2], n % 3 == 0};
            run_failing(f, &row, &failed);
            n_failed += failed;
        }
    assert_true(n_failed > 20);
}

TEST(a_flush_after_a_fault_is_answered_with_an_error, struct fixture *f)
{
    struct answer answer = {0};
    fixture_start(f);
    core_fault(core_of(f->rig.chain), -EIO, "a test");
    chain_flush(f->rig.chain, note_error, &answer);
    assert_true(answer.is_done);
    assert_int_equal(answer.error, -EIO);
    assert_string_equal(f->rig.fault, "a test: Input/output error");
    core_fault(core_of(f->rig.chain), -ENOSPC, "another");
    assert_int_equal(f->rig.n_faults, 1);
}

TEST(all_flushes_under_way_end_in_an_error_when_the_disk_fails, struct fixture *f)
{
    struct answer answers[3] = {0};
    fixture_start_at_base(f);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_SYNC, 0, -EIO, true);
    for (int i = 0; i < 3; i++)
        chain_flush(f->rig.chain, note_error, &answers[i]);
    rig_settle(&f->rig);
    for (int i = 0; i < 3; i++) {
        assert_true(answers[i].is_done);
        assert_int_not_equal(answers[i].error, 0);
    }
    assert_int_equal(f->rig.n_faults, 1);
}
