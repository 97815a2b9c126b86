/* test_active_chain.c - the committed chain by height, as its tip moves. */
#include "chain/tree/active_chain.h"
#include "support/unit.h"

enum { N = 3000 }; /* more than the array grows by */

/* A chain of nodes from height 0 on, above prev if there is one. */
static void chain_up(struct block_node *nodes, int n, struct block_node *prev)
{
    for (int i = 0; i < n; i++) {
        nodes[i] = (struct block_node){.prev = prev, .height = prev ? prev->height + 1 : 0};
        nodes[i].n_tx = 1;
        nodes[i].status = BLOCK_VALID_SCRIPTS;
        prev = &nodes[i];
    }
}

TEST(nothing_is_in_one_that_is_empty)
{
    struct active_chain active = {0};
    struct block_node node = {.height = 0};
    assert_null(active_chain_tip(&active));
    assert_null(active_chain_at(&active, 0));
    assert_false(active_chain_contains(&active, &node));
    active_chain_deinit(&active);
}

TEST(it_holds_the_tip_and_what_is_below_it_alone)
{
    static struct block_node nodes[N];
    struct active_chain active = {0};
    struct header_tree tree = {.genesis = &nodes[0]};
    chain_up(nodes, N, NULL);
    active_chain_set_tip(&active, &nodes[N - 1]);
    assert_ptr_equal(active_chain_tip(&active), &nodes[N - 1]);
    assert_ptr_equal(active_chain_at(&active, 0), &nodes[0]);
    assert_null(active_chain_at(&active, -1));
    assert_null(active_chain_at(&active, N));
    active_chain_check(&active, &tree);
    active_chain_set_tip(&active, &nodes[10]);
    assert_null(active_chain_at(&active, 11));
    assert_false(active_chain_contains(&active, &nodes[11]));
    assert_true(active_chain_contains(&active, &nodes[10]));
    active_chain_deinit(&active);
}

TEST(another_branch_replaces_what_is_above_the_fork)
{
    static struct block_node nodes[20], branch[30];
    struct active_chain active = {0};
    struct header_tree tree = {.genesis = &nodes[0]};
    chain_up(nodes, 20, NULL);
    chain_up(branch, 30, &nodes[9]);
    active_chain_set_tip(&active, &nodes[19]);
    active_chain_set_tip(&active, &branch[29]);
    assert_true(active_chain_contains(&active, &nodes[9]));
    assert_false(active_chain_contains(&active, &nodes[10]));
    assert_ptr_equal(active_chain_at(&active, 10), &branch[0]);
    active_chain_check(&active, &tree);
    active_chain_deinit(&active);
}
