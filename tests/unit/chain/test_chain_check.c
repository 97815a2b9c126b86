/* test_chain_check.c - the check of invariants notices each one that is broken. */
#include "chain/chain_parts.h"
#include "support/chain_inside.h"
#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

struct fixture {
    struct chain_builder b;
    struct chain_rig rig;
};

/* A chain of 20 blocks, with a side branch and a header without block. */
static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->b);
    const struct built_block *last = builder_blocks(&f->b, f->b.genesis, 20, NULL);
    rig_start(&f->rig, 1, &f->b, NULL);
    rig_accept_chain(&f->rig, last);
    rig_accept_chain(&f->rig, builder_blocks(&f->b, built_ancestor(last, 17), 3, NULL));
    rig_announce(&f->rig, builder_block(&f->b, last, NULL));
    chain_check(f->rig.chain);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    chain_check(f->rig.chain);
    rig_deinit(&f->rig);
    chain_builder_deinit(&f->b);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

/* Break something, see it noticed, mend it. */
#define assert_noticed(f, field, value)                                                            \
    do {                                                                                           \
        __typeof__(field) was = (field);                                                           \
        (field) = (value);                                                                         \
        expect_assert_failure(chain_check((f)->rig.chain));                                        \
        (field) = was;                                                                             \
        chain_check((f)->rig.chain);                                                               \
    } while (0)

TEST(a_node_out_of_place_is_noticed, struct fixture *f)
{
    struct block_node *node = active_of(f->rig.chain)->at[10];
    assert_noticed(f, node->height, 11);
    assert_noticed(f, node->chain_work, u256_of(5));
    assert_noticed(f, node->time_max, node->time - 1);
    assert_noticed(f, node->skip, node);
    assert_noticed(f, node->first_child, NULL);
}

TEST(wrong_marks_of_stored_data_are_noticed, struct fixture *f)
{
    struct block_node *node = active_of(f->rig.chain)->at[10];
    assert_noticed(f, node->status, node->status & ~(uint32_t)BLOCK_HAVE_DATA);
    assert_noticed(f, node->status, node->status & ~(uint32_t)BLOCK_HAVE_UNDO);
    assert_noticed(f, node->status, node->status & ~(uint32_t)BLOCK_VALID_TX);
    assert_noticed(f, node->data.file, -1);
    assert_noticed(f, node->n_tx, 0);
    assert_noticed(f, node->chain_tx, 3);
}

TEST(a_wrong_committed_chain_is_noticed, struct fixture *f)
{
    struct chain *chain = f->rig.chain;
    struct block_node *node = active_of(chain)->at[10];
    assert_noticed(f, active_of(chain)->at[10], node->prev);
    assert_noticed(f, node->status, node->status & ~(uint32_t)BLOCK_VALID_SCRIPTS);
}

TEST(a_failed_block_with_children_that_have_not_is_noticed, struct fixture *f)
{
    struct block_node *node = active_of(f->rig.chain)->at[10];
    assert_noticed(f, node->status, node->status | BLOCK_FAILED);
    assert_noticed(f, node->status, node->status | BLOCK_FAILED_CHILD);
    struct block_node *best = tree_of(f->rig.chain)->best_header;
    assert_noticed(f, best->status, best->status | BLOCK_FAILED);
}

TEST(wrong_candidates_are_noticed, struct fixture *f)
{
    struct chain *chain = f->rig.chain;
    assert_int_equal(best_of(chain)->candidates.count, 1);
    struct block_node *tip = sorted_map_last(&best_of(chain)->candidates);
    /* None; one that is behind the tip; one whose block is missing. */
    assert_noticed(f, best_of(chain)->candidates.count, 0);
    void **slot = &best_of(chain)->candidates.items[best_of(chain)->candidates.first];
    assert_noticed(f, *slot, tip->prev);
    assert_noticed(f, *slot, tip->first_child);
}

TEST(a_broken_list_of_what_is_to_be_written_is_noticed, struct fixture *f)
{
    struct header_tree *tree = tree_of(f->rig.chain);
    assert_non_null(tree->dirty);
    assert_noticed(f, tree->dirty, NULL);
    assert_noticed(f, tree->dirty->is_dirty, false);
    assert_noticed(f, tree->count, 4);
}

TEST(a_check_that_is_wanted_is_made, struct fixture *f)
{
    struct chain *chain = f->rig.chain;
    struct block_node *node = active_of(chain)->at[10];
    node->n_tx++;
    chain_turn(chain); /* not wanted: nothing is noticed */
    options_of(chain)->check_invariants = true;
    expect_assert_failure(chain_turn(chain));
    chain->next_check_us = INT64_MAX;
    chain_turn(chain); /* not due yet */
    node->n_tx--;
    chain->next_check_us = 0;
    chain_turn(chain);
}
