/* test_header_tree.c - the tree against naive walks: ancestors, forks, median time, work. */
#include "chain/tree/header_tree.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/array.h"

static const struct siphash_key key = {1, 2};

/* Add a block on prev (NULL: genesis) whose hash is made of number. */
static struct block_node *add(struct header_tree *tree, struct block_node *prev, uint64_t number,
                              uint32_t bits, uint32_t time)
{
    struct block_header header = {.version = 4, .time = time, .bits = bits, .nonce = 7};
    struct block_hash hash = {{0}};
    memcpy(hash.b, &number, sizeof number);
    memset(header.merkle_root, (int)(number & 0xff), 32);
    hash.b[31] = 1;
    if (prev)
        header.prev = prev->hash;
    struct block_node *node = header_tree_add(tree, &header, &hash);
    struct block_header back = block_node_header(node);
    assert_memory_equal(&back, &header, sizeof header);
    assert_ptr_equal(header_tree_find(tree, &hash), node);
    return node;
}

static const struct block_node *naive_ancestor(const struct block_node *node, int32_t height)
{
    while (node && node->height != height)
        node = node->prev;
    return node;
}

static const struct block_node *naive_fork(const struct block_node *a, const struct block_node *b)
{
    while (a != b) {
        if (a->height >= b->height)
            a = a->prev;
        else
            b = b->prev;
    }
    return a;
}

enum { N_RANDOM = 2000 };

TEST(a_random_tree_agrees_with_naive_walks)
{
    struct header_tree tree;
    header_tree_init(&tree, key);
    struct sim_random random = sim_random_of(3, 0);
    struct block_node *nodes[N_RANDOM];
    nodes[0] = add(&tree, NULL, 0, 0x207fffff, 1000);
    for (size_t i = 1; i < N_RANDOM; i++) {
        /* Mostly long branches: extend one of the last few. */
        size_t back = (size_t)sim_random_below(&random, i < 8 ? i : 8);
        if (sim_random_below(&random, 50) == 0)
            back = (size_t)sim_random_below(&random, i);
        nodes[i] = add(&tree, nodes[i - 1 - back], i, 0x207fffff,
                       (uint32_t)(1000 + sim_random_below(&random, 100000)));
        assert_int_equal(nodes[i]->height, nodes[i]->prev->height + 1);
    }
    assert_int_equal(tree.count, N_RANDOM);
    for (int i = 0; i < 5000; i++) {
        struct block_node *a = nodes[sim_random_below(&random, N_RANDOM)];
        struct block_node *b = nodes[sim_random_below(&random, N_RANDOM)];
        int32_t height = (int32_t)sim_random_below(&random, (uint64_t)a->height + 1);
        assert_ptr_equal(block_node_ancestor(a, height), naive_ancestor(a, height));
        assert_ptr_equal(block_node_fork(a, b), naive_fork(a, b));
    }
    assert_null(block_node_ancestor(nodes[0], -1));
    assert_null(block_node_ancestor(nodes[0], 1));
    assert_ptr_equal(block_node_ancestor(nodes[5], nodes[5]->height), nodes[5]);
    header_tree_deinit(&tree);
}

TEST(ancestors_of_a_long_chain_take_few_steps)
{
    struct header_tree tree;
    header_tree_init(&tree, key);
    struct block_node *tip = add(&tree, NULL, 0, 0x207fffff, 0);
    for (uint64_t i = 1; i < 100000; i++)
        tip = add(&tree, tip, i, 0x207fffff, (uint32_t)i);
    struct sim_random random = sim_random_of(4, 0);
    for (int i = 0; i < 1000; i++) {
        int32_t height = (int32_t)sim_random_below(&random, 100000);
        int steps = 0;
        for (const struct block_node *at = tip; at->height > height; steps++)
            at = at->skip->height >= height ? at->skip : at->prev;
        assert_true(steps <= 3 * 17); /* 2^17 > 100,000 */
        assert_int_equal(block_node_ancestor(tip, height)->time, height);
    }
    header_tree_deinit(&tree);
}

TEST(median_time_is_of_up_to_eleven_blocks)
{
    static const uint32_t times[] = {50, 10, 90, 20, 80, 30, 70, 40, 60, 55, 45, 100, 5};
    /* The median (upper of two) of all blocks so far, from the 11th on of the last 11. */
    static const int64_t want[] = {50, 50, 50, 50, 50, 50, 50, 50, 50, 55, 50, 55, 55};
    struct header_tree tree;
    header_tree_init(&tree, key);
    struct block_node *node = NULL;
    uint32_t most = 0;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        node = add(&tree, node, i, 0x207fffff, times[i]);
        most = times[i] > most ? times[i] : most;
        assert_int_equal(block_node_mtp(node), want[i]);
        assert_int_equal(node->time_max, most);
    }
    header_tree_deinit(&tree);
}

/* clang-format off */
static const struct { uint32_t bits; const char *work; } works[] = {
    {0x1d00ffff, "0000000000000000000000000000000000000000000000000000000100010001"},
    {0x207fffff, "0000000000000000000000000000000000000000000000000000000000000002"},
    {0x00000000, "0000000000000000000000000000000000000000000000000000000000000000"},
    {0x1d80ffff, "0000000000000000000000000000000000000000000000000000000000000000"}, /* negative */
    {0xff123456, "0000000000000000000000000000000000000000000000000000000000000000"}, /* too large */
};
/* clang-format on */

TEST(work_follows_the_target)
{
    for (size_t i = 0; i < COUNT_OF(works); i++) {
        struct header_tree tree;
        char hex[U256_HEX_BYTES];
        header_tree_init(&tree, key);
        struct block_node *node = add(&tree, NULL, 0, works[i].bits, 0);
        assert_string_equal(u256_to_hex(node->chain_work, hex), works[i].work);
        struct block_node *child = add(&tree, node, 1, 0x1d00ffff, 0);
        struct u256 difference = u256_sub(child->chain_work, node->chain_work);
        assert_true(u256_compare(difference, u256_of(0x100010001)) == 0);
        header_tree_deinit(&tree);
    }
}

TEST(the_better_node_has_more_work_then_came_first_then_has_the_smaller_hash)
{
    struct header_tree tree;
    header_tree_init(&tree, key);
    struct block_node *genesis = add(&tree, NULL, 0, 0x207fffff, 0);
    struct block_node *a = add(&tree, genesis, 1, 0x207fffff, 0);
    struct block_node *b = add(&tree, genesis, 2, 0x207fffff, 0);
    struct block_node *c = add(&tree, b, 3, 0x207fffff, 0);
    assert_true(block_node_is_better(c, a));
    assert_false(block_node_is_better(a, c));
    assert_true(block_node_is_better(a, b)); /* by hash */
    assert_false(block_node_is_better(b, a));
    a->sequence = 2;
    b->sequence = 1;
    assert_true(block_node_is_better(b, a));
    assert_false(block_node_is_better(a, b));
    assert_false(block_node_is_better(a, a));
    header_tree_deinit(&tree);
}

TEST(the_best_header_has_most_work_and_no_failed_ancestor)
{
    struct header_tree tree;
    header_tree_init(&tree, key);
    struct block_node *genesis = add(&tree, NULL, 0, 0x207fffff, 0);
    assert_ptr_equal(tree.best_header, genesis);
    struct block_node *a = add(&tree, genesis, 1, 0x207fffff, 0);
    struct block_node *b = add(&tree, genesis, 2, 0x207fffff, 0);
    assert_ptr_equal(tree.best_header, a); /* the first of equals stays */
    b->status |= BLOCK_FAILED;
    struct block_node *c = add(&tree, b, 3, 0x1d00ffff, 0);
    assert_true(c->status & BLOCK_FAILED_CHILD);
    assert_ptr_equal(tree.best_header, a);
    struct block_node *d = add(&tree, a, 4, 0x207fffff, 0);
    assert_ptr_equal(tree.best_header, d);
    assert_int_equal(d->status, 0);
    assert_int_equal(d->data.file, -1);
    assert_int_equal(d->undo.file, -1);
    header_tree_deinit(&tree);
}

TEST(descendants_are_visited_once_each_parents_first)
{
    struct header_tree tree;
    header_tree_init(&tree, key);
    /*      0
     *    1   2
     *   3 4   5
     *     6      */
    static const int parent[] = {-1, 0, 0, 1, 1, 2, 4};
    struct block_node *nodes[7];
    for (uint64_t i = 0; i < 7; i++)
        nodes[i] = add(&tree, i ? nodes[parent[i]] : NULL, i, 0x207fffff, (uint32_t)i);
    static const unsigned want[] = {0x7f, 0x5a, 0x24, 0x08, 0x50, 0x20, 0x40}; /* bit i: node i */
    for (size_t root = 0; root < 7; root++) {
        unsigned seen = 0;
        for (struct block_node *at = nodes[root]; at;
             at = block_node_next_descendant(nodes[root], at)) {
            assert_false(seen & 1u << at->time);
            assert_true(at == nodes[root] || (seen & 1u << at->prev->time));
            seen |= 1u << at->time;
        }
        assert_int_equal(seen, want[root]);
    }
    header_tree_deinit(&tree);
}

TEST(a_dirty_node_is_listed_once)
{
    struct header_tree tree;
    header_tree_init(&tree, key);
    struct block_node *genesis = add(&tree, NULL, 0, 0x207fffff, 0);
    struct block_node *a = add(&tree, genesis, 1, 0x207fffff, 0);
    header_tree_mark_dirty(&tree, genesis);
    header_tree_mark_dirty(&tree, a);
    size_t n = 0;
    for (struct block_node *at = tree.dirty; at; at = at->dirty_next, n++)
        assert_true(at->is_dirty);
    assert_int_equal(n, 2);
    header_tree_deinit(&tree);
}

/* Also one that comes while its parent is to be forgotten: it must not be left without. */
TEST(what_is_dropped_goes_with_all_that_is_on_it)
{
    struct header_tree tree;
    struct block_nodes roots = {0}, out = {0};
    header_tree_init(&tree, key);
    struct block_node *genesis = add(&tree, NULL, 0, 0x207fffff, 0);
    struct block_node *a = add(&tree, genesis, 1, 0x207fffff, 0);
    struct block_node *b = add(&tree, genesis, 2, 0x207fffff, 0);
    a->status = BLOCK_FAILED | BLOCK_DROPPED;
    struct block_node *c = add(&tree, a, 3, 0x207fffff, 0);
    struct block_node *d = add(&tree, c, 4, 0x207fffff, 0);
    assert_null(tree.best_failed); /* none of them is worth a warning */
    *ARRAY_ADD(&roots) = a;
    header_tree_forget(&tree, &roots, &out);
    assert_int_equal(out.n, 3);
    assert_ptr_equal(out.at[0], a);
    assert_true(a->is_gone && c->is_gone && d->is_gone && !b->is_gone);
    assert_null(header_tree_find(&tree, &d->hash));
    assert_ptr_equal(genesis->first_child, b);
    assert_null(b->next_sibling);
    assert_int_equal(tree.count, 2);
    ARRAY_FREE(&roots);
    ARRAY_FREE(&out);
    header_tree_deinit(&tree);
}
