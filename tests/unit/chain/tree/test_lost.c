/* test_lost.c - what is damaged or missing in the block files is known, over restarts too, until it
 * is there again. */
#include <errno.h>

#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 30 };

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    rig_start(&f->rig, 1, &f->b, NULL);
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.block_file_bytes = 1000; /* several files */
    rig_open(&f->rig);
    rig_accept_chain(&f->rig, f->base);
    assert_true(rig_is_at(&f->rig, f->base));
    assert_true(block_files_count(files_of(f->rig.chain)) > 2);
    return 0;
}

FIXTURE(setup, rig_teardown)

static struct block_node *node_at(struct fixture *f, int32_t height)
{
    return block_node_ancestor(active_chain_tip(active_of(f->rig.chain)), height);
}

static void reopen(struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
}

static void remove_file(struct fixture *f, const char *name)
{
    const struct env *env = sim_env_get(f->rig.sim);
    char *path = xasprintf("regtest/blocks/%s", name);
    assert_int_equal(env_remove(env, path), 0);
    xfree(path);
}

static void damage(struct fixture *f, int32_t height)
{
    const struct file_pos *pos = &node_at(f, height)->data;
    char *path = xasprintf("regtest/blocks/blk%05d.dat", (int)pos->file);
    sim_disk_damage(sim_env_disk(f->rig.sim), path, pos->offset + 90, 1);
    xfree(path);
}

TEST(a_file_that_was_mended_is_believed_at_the_next_start, struct fixture *f)
{
    damage(f, 7);
    lost_block(lost_of(f->rig.chain), node_at(f, 7));
    reopen(f);
    assert_true(node_at(f, 7)->status & BLOCK_LOST_DATA);
    damage(f, 7); /* the same bit again */
    reopen(f);
    assert_true(node_at(f, 7)->status & BLOCK_HAVE_DATA);
    assert_null(chain_loss(f->rig.chain));
    chain_check(f->rig.chain);
}

TEST(a_mark_outlives_a_restart_and_goes_with_the_block, struct fixture *f)
{
    const struct block_node *nodes[4];
    damage(f, 7);
    damage(f, 9);
    assert_null(chain_loss(f->rig.chain));
    lost_block(lost_of(f->rig.chain), node_at(f, 7));
    lost_block(lost_of(f->rig.chain), node_at(f, 9));
    lost_block(lost_of(f->rig.chain), node_at(f, 9)); /* once is enough */
    assert_int_equal(f->rig.n_losses, 1);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(chain_lost_blocks(f->rig.chain, nodes, 4), 2);
        assert_int_equal(nodes[0]->height, 9);
        assert_int_equal(nodes[1]->height, 7);
        assert_int_equal(chain_lost_blocks(f->rig.chain, nodes, 1), 1);
        assert_non_null(strstr(chain_loss(f->rig.chain), "Damaged or missing in the block files: 2 "
                                                         "stored blocks"));
        chain_check(f->rig.chain);
        reopen(f);
    }
    assert_true(rig_is_at(&f->rig, f->base));
    struct chain_block_result result = rig_accept(&f->rig, built_ancestor(f->base, 9));
    assert_true(result.is_new);
    assert_int_equal(chain_lost_blocks(f->rig.chain, nodes, 4), 1);
    assert_true(rig_accept(&f->rig, built_ancestor(f->base, 7)).is_new);
    assert_string_equal(f->rig.loss, "");
    reopen(f);
    assert_null(chain_loss(f->rig.chain));
    assert_true(node_at(f, 7)->status & BLOCK_HAVE_DATA);
}

TEST(what_was_had_again_and_lost_again_is_listed_once, struct fixture *f)
{
    const struct block_node *nodes[4];
    lost_block(lost_of(f->rig.chain), node_at(f, 7));
    lost_block(lost_of(f->rig.chain), node_at(f, 9));
    assert_true(rig_accept(&f->rig, built_ancestor(f->base, 9)).is_new);
    assert_non_null(strstr(chain_loss(f->rig.chain), " 1 stored blocks"));
    assert_non_null(strstr(chain_loss(f->rig.chain), "at height 7"));
    for (int again = 0; again < 2; again++) {
        assert_int_equal(rig_flush(&f->rig), 0); /* it is not in memory any more */
        lost_block(lost_of(f->rig.chain), node_at(f, 9));
        assert_int_equal(chain_lost_blocks(f->rig.chain, nodes, 4), 2);
        assert_int_equal(nodes[0]->height + nodes[1]->height, 16);
        assert_true(rig_accept(&f->rig, built_ancestor(f->base, 9)).is_new);
    }
    assert_true(rig_accept(&f->rig, built_ancestor(f->base, 7)).is_new);
    assert_string_equal(f->rig.loss, "");
    assert_int_equal(rig_flush(&f->rig), 0);
    lost_block(lost_of(f->rig.chain), node_at(f, 9));
    assert_int_equal(chain_lost_blocks(f->rig.chain, nodes, 4), 1);
}

TEST(files_that_are_missing_or_short_are_found_at_the_start, struct fixture *f)
{
    size_t n_in_file = 0, n_undo = 0;
    for (int32_t h = 1; h <= N_BASE; h++) {
        n_in_file += node_at(f, h)->data.file == 1;
        n_undo += node_at(f, h)->undo.file == 2;
    }
    assert_true(n_in_file > 0 && n_undo > 0);
    assert_int_equal(rig_close(&f->rig), 0);
    remove_file(f, "blk00001.dat");
    remove_file(f, "rev00002.dat");
    rig_open(&f->rig);
    assert_int_equal(lost_of(f->rig.chain)->n_blocks, n_in_file);
    assert_int_equal(lost_of(f->rig.chain)->n_undo, n_undo);
    sim_env_run_for(f->rig.sim, UNDO_REPAIR_DELAY_US);
    rig_settle(&f->rig);
    assert_int_equal(lost_of(f->rig.chain)->n_undo, 0); /* these blocks spend nothing */
    assert_true(rig_is_at(&f->rig, f->base));
    for (int32_t h = N_BASE; h > 0; h--)
        if (node_at(f, h)->status & BLOCK_LOST_DATA)
            assert_true(rig_accept(&f->rig, built_ancestor(f->base, h)).is_new);
    assert_string_equal(f->rig.loss, "");
    chain_check(f->rig.chain);
}

TEST(a_start_without_any_of_its_files_is_refused, struct fixture *f)
{
    size_t n = block_files_count(files_of(f->rig.chain));
    assert_int_equal(rig_close(&f->rig), 0);
    for (size_t i = 0; i < n; i++) {
        char *name = xasprintf("blk%05zu.dat", i);
        remove_file(f, name);
        xfree(name);
    }
    const struct chain_events events = {.ctx = NULL};
    char *error = NULL;
    struct chain *chain =
        chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network, &f->rig.options, &events);
    assert_false(chain_open(chain, &error));
    assert_non_null(strstr(error, "is the disk mounted"));
    xfree(error);
    chain_free(chain);
}

TEST(a_lost_block_beside_the_chain_counts_as_never_stored, struct fixture *f)
{
    const struct built_block *side =
        builder_blocks(&f->b, built_ancestor(f->base, N_BASE - 2), 1, NULL);
    struct chain_block_result result = rig_accept(&f->rig, side);
    assert_true(result.is_new && !result.is_connected);
    reopen(f); /* it is no longer in memory */
    struct block_node *node = header_tree_find(tree_of(f->rig.chain), &side->block.hash);
    lost_block(lost_of(f->rig.chain), node);
    assert_int_equal(node->n_tx, 0);
    assert_int_equal(node->data.file, -1);
    chain_check(f->rig.chain);
    assert_true(rig_accept(&f->rig, side).is_new);
    assert_null(chain_loss(f->rig.chain));
}

TEST(the_first_block_is_a_constant_whatever_the_disk_says, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    remove_file(f, "blk00000.dat");
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(chain_at(f->rig.chain, 0)->status & BLOCK_HAVE_DATA);
    assert_true(lost_of(f->rig.chain)->n_blocks > 0);
}
