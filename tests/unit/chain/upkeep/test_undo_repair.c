/* test_undo_repair.c - undo data that is damaged comes back byte for byte, from the blocks. */
#include <errno.h>

#include "chain/upkeep/undo_repair.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110, N_SPENDS = 6 };

/* Blocks that spend coins of far and near ones, scripts short and long. */
static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    for (int i = 1; i <= N_SPENDS; i++) {
        struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, i));
        struct tx txs[2] = {builder_spend(&f->b, &coin, 1, 2, 0, BUILDER_LONG)};
        struct builder_coin near = builder_coin_of(&txs[0], 1, BUILDER_LONG);
        txs[1] = builder_spend(&f->b, &near, 1, 1, 0, BUILDER_TRUE);
        struct builder_spec spec = {.tx = txs, .n_tx = 2};
        f->base = builder_block(&f->b, f->base, &spec);
    }
    fixture_start_at_base(f);
    assert_int_equal(rig_flush(&f->rig), 0);
    return 0;
}

FIXTURE(setup, rig_teardown)

static struct block_node *node_at(struct fixture *f, int32_t height)
{
    return block_node_ancestor(active_chain_tip(active_of(f->rig.chain)), height);
}

static void damage(struct fixture *f, const char *kind, const struct file_pos *pos)
{
    char path[64];
    snprintf(path, sizeof path, "regtest/blocks/%s%05d.dat", kind, (int)pos->file);
    sim_disk_damage(sim_env_disk(f->rig.sim), path, pos->offset + pos->len / 2, 0x10);
}

static struct span read_undo(struct fixture *f, const struct block_node *node, uint8_t **raw)
{
    assert_int_equal(block_files_read_undo(files_of(f->rig.chain), &node->undo, raw), 0);
    return span_of(*raw, node->undo.len);
}

/* Time for the round that begins a moment after a loss, and for one after it. */
static void settle(struct fixture *f)
{
    rig_settle(&f->rig);
    for (int i = 0; i < 2; i++) {
        sim_env_run_for(f->rig.sim, UNDO_REPAIR_DELAY_US);
        rig_settle(&f->rig);
    }
}

TEST(what_is_lost_is_looked_into_a_moment_later, struct fixture *f)
{
    struct block_node *node = node_at(f, N_BASE + 1);
    damage(f, "rev", &node->undo);
    lost_undo(lost_of(f->rig.chain), node);
    sim_env_run_for(f->rig.sim, UNDO_REPAIR_DELAY_US - 1);
    assert_true(undo_repair_is_busy(undo_repair_of(f->rig.chain)));
    assert_true(node->status & BLOCK_LOST_UNDO);
    sim_env_run_for(f->rig.sim, UNDO_REPAIR_DELAY_US);
    assert_false(node->status & BLOCK_LOST_UNDO);
}

TEST(undo_data_comes_back_as_it_was, struct fixture *f)
{
    uint8_t *before[N_SPENDS], *after;
    struct file_pos pos[N_SPENDS];
    for (int i = 0; i < N_SPENDS; i++) {
        struct block_node *node = node_at(f, N_BASE + 1 + i);
        pos[i] = node->undo;
        (void)read_undo(f, node, &before[i]);
        damage(f, "rev", &node->undo);
        lost_undo(lost_of(f->rig.chain), node);
    }
    assert_true(undo_repair_is_busy(undo_repair_of(f->rig.chain)));
    settle(f);
    assert_false(undo_repair_is_busy(undo_repair_of(f->rig.chain)));
    assert_string_equal(f->rig.loss, "");
    for (int i = 0; i < N_SPENDS; i++) {
        const struct block_node *node = node_at(f, N_BASE + 1 + i);
        assert_true(node->status & BLOCK_HAVE_UNDO);
        assert_memory_equal(&node->undo, &pos[i], sizeof pos[i]); /* in its old place */
        struct span got = read_undo(f, node, &after);
        assert_memory_equal(got.p, before[i], got.len);
        xfree(after);
        xfree(before[i]);
    }
    /* The way back is open. */
    (void)rig_invalidate(&f->rig, built_ancestor(f->base, N_BASE + 1));
    assert_int_equal(chain_tip(f->rig.chain)->height, N_BASE);
}

TEST(a_block_that_is_lost_itself_is_waited_for, struct fixture *f)
{
    struct block_node *node = node_at(f, N_BASE + 3), *source = node_at(f, 3);
    damage(f, "rev", &node->undo);
    damage(f, "blk", &source->data);
    lost_undo(lost_of(f->rig.chain), node);
    settle(f);
    assert_false(undo_repair_is_busy(undo_repair_of(f->rig.chain)));
    assert_true(node->status & BLOCK_LOST_UNDO);
    assert_true(source->status & BLOCK_LOST_DATA); /* met on the way */
    /* Over a restart, too. */
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    settle(f);
    node = node_at(f, N_BASE + 3);
    assert_true(node->status & BLOCK_LOST_UNDO);
    assert_true(rig_accept(&f->rig, built_ancestor(f->base, 3)).is_new);
    settle(f);
    assert_true(node->status & BLOCK_HAVE_UNDO);
    assert_string_equal(f->rig.loss, "");
    chain_check(f->rig.chain);
}

TEST(the_chain_can_be_closed_at_any_step, struct fixture *f)
{
    for (int steps = 0; steps < 60; steps += 7) {
        for (int i = 0; i < N_SPENDS; i++)
            lost_undo(lost_of(f->rig.chain), node_at(f, N_BASE + 1 + i));
        for (int i = 0; i < steps; i++)
            (void)sim_env_step(f->rig.sim);
        assert_int_equal(rig_close(&f->rig), 0);
        rig_open(&f->rig);
        settle(f);
        for (int i = 0; i < N_SPENDS; i++)
            assert_true(node_at(f, N_BASE + 1 + i)->status & BLOCK_HAVE_UNDO);
    }
}
