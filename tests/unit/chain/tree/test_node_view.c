/* test_node_view.c - block nodes as the rules see them. */
#include "chain/tree/node_view.h"
#include "support/unit.h"

#define NODES 30

TEST(the_view_shows_what_the_tree_holds)
{
    struct header_tree tree;
    struct block_node *node[NODES];
    header_tree_init(&tree, (struct siphash_key){1, 2});
    for (int32_t i = 0; i < NODES; i++) {
        struct block_header header = {
            .version = 100 + i, .time = 5000 + (uint32_t)i * 10, .bits = 0x207fffff};
        struct block_hash hash = {{(uint8_t)(i + 1)}};
        if (i > 0)
            header.prev = node[i - 1]->hash;
        node[i] = header_tree_add(&tree, &header, &hash);
    }
    const struct header_view *view = block_node_view();
    struct header_facts facts = view->facts(node[17]);
    assert_int_equal(facts.height, 17);
    assert_int_equal(facts.version, 117);
    assert_int_equal(facts.time, 5170);
    assert_int_equal(facts.bits, 0x207fffff);
    assert_ptr_equal(view->prev(node[17]), node[16]);
    assert_null(view->prev(node[0]));
    assert_ptr_equal(view->ancestor(node[29], 3), node[3]);
    assert_ptr_equal(view->ancestor(node[3], 3), node[3]);
    /* Times rise by ten: the median of eleven is five blocks back. */
    assert_int_equal(view->median_time_past(node[20]), 5150);
    header_tree_deinit(&tree);
}
