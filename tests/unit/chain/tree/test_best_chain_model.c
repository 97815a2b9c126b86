/* test_best_chain_model.c - candidates and what is invalid, on trees of headers without any blocks,
 * against a model that looks at every node. */
#include "sim/sim_random.h"
#include "support/chain_inside.h"
#include "support/unit.h"
#include "util/alloc.h"

#define BITS 0x207fffffu

/* A chain that is nothing but its tree. */
static int setup(void **state)
{
    struct chain *chain = xcalloc(1, sizeof *chain);
    struct siphash_key key = {0};
    header_tree_init(&chain->tree, key);
    best_chain_init(chain);
    struct block_header header = {.bits = BITS};
    struct block_hash hash = {{0xff}};
    struct block_node *genesis = header_tree_add(&chain->tree, &header, &hash);
    genesis->status = BLOCK_HAVE_DATA | BLOCK_VALID_TX | BLOCK_VALID_SCRIPTS;
    genesis->n_tx = 1;
    genesis->chain_tx = 1;
    active_chain_set_tip(&chain->active, genesis);
    best_chain_rebuild(chain);
    *state = chain;
    return 0;
}

static int teardown(void **state)
{
    struct chain *chain = *state;
    sorted_map_deinit(&chain->candidates);
    header_tree_deinit(&chain->tree);
    xfree(chain->active.at);
    xfree(chain);
    return 0;
}

FIXTURE(setup, teardown)

/* A header on prev; number makes its hash. */
static struct block_node *add(struct chain *chain, struct block_node *prev, uint32_t number)
{
    struct block_header header = {.prev = prev->hash, .bits = BITS, .time = number};
    struct block_hash hash = {{0}};
    memcpy(hash.b, &number, sizeof number);
    hash.b[31] = (uint8_t)(number * 7); /* the order of hashes is not that of numbers */
    return header_tree_add(&chain->tree, &header, &hash);
}

static struct block_node *add_stored(struct chain *chain, struct block_node *prev, uint32_t number)
{
    struct block_node *node = add(chain, prev, number);
    best_chain_block_stored(chain, node, 1, false);
    return node;
}

/* What best_chain_target() must be: the best of all complete nodes that have not failed. */
static struct block_node *model_target(const struct chain *chain)
{
    struct block_node *best = NULL, *node;
    size_t at = 0;
    while ((node = hash_map_next(&chain->tree.by_hash, &at))) {
        bool usable = true;
        for (const struct block_node *up = node; up; up = up->prev)
            usable = usable && up->n_tx > 0 && !(up->status & BLOCK_FAILED_MASK);
        if (usable && (!best || block_node_is_better(node, best)))
            best = node;
    }
    return best;
}

static void assert_like_model(struct chain *chain)
{
    assert_ptr_equal(best_chain_target(chain), model_target(chain));
    for (size_t i = 0; i < chain->candidates.count; i++) {
        const struct block_node *node = sorted_map_at(&chain->candidates, i);
        assert_true(node->chain_tx > 0);
        assert_false(node->status & BLOCK_FAILED_MASK);
        if (i > 0)
            assert_true(block_node_is_better(node, sorted_map_at(&chain->candidates, i - 1)));
    }
}

static void move_tip(struct chain *chain, struct block_node *tip)
{
    active_chain_set_tip(&chain->active, tip);
    best_chain_tip_moved(chain);
}

/* -- One thing at a time ----------------------------------------------------------------------- */

TEST(alone_the_first_block_is_the_target, struct chain *chain)
{
    assert_ptr_equal(best_chain_target(chain), chain->tree.genesis);
    assert_int_equal(chain->candidates.count, 1);
}

TEST(a_header_without_block_is_no_candidate, struct chain *chain)
{
    struct block_node *node = add(chain, chain->tree.genesis, 1);
    assert_ptr_equal(best_chain_target(chain), chain->tree.genesis);
    best_chain_block_stored(chain, node, 3, false);
    assert_ptr_equal(best_chain_target(chain), node);
    assert_int_equal(node->chain_tx, 4);
}

TEST(a_gap_that_is_filled_completes_all_above_it, struct chain *chain)
{
    struct block_node *node[6] = {chain->tree.genesis};
    for (uint32_t i = 1; i < 6; i++)
        node[i] = add(chain, node[i - 1], i);
    static const int order[] = {3, 5, 2, 1}; /* 4 is missing */
    for (size_t i = 0; i < COUNT_OF(order); i++)
        best_chain_block_stored(chain, node[order[i]], 1, false);
    assert_ptr_equal(best_chain_target(chain), node[3]);
    assert_int_equal(node[5]->chain_tx, 0);
    best_chain_block_stored(chain, node[4], 1, false);
    assert_ptr_equal(best_chain_target(chain), node[5]);
    assert_int_equal(node[5]->chain_tx, 6);
}

TEST(the_first_of_equals_stays_whatever_the_hashes, struct chain *chain)
{
    struct block_node *first = add_stored(chain, chain->tree.genesis, 200);
    for (uint32_t i = 1; i < 60; i++) {
        (void)add_stored(chain, chain->tree.genesis, i);
        assert_ptr_equal(best_chain_target(chain), first);
    }
}

/* First is who could have become the tip first, not whose block came first. */
TEST(a_block_that_waited_for_its_parent_comes_after_one_that_did_not, struct chain *chain)
{
    struct block_node *a1 = add(chain, chain->tree.genesis, 1), *a2 = add(chain, a1, 2);
    struct block_node *b1 = add(chain, chain->tree.genesis, 3), *b2 = add(chain, b1, 4);
    best_chain_block_stored(chain, a2, 1, false);
    best_chain_block_stored(chain, b1, 1, false);
    best_chain_block_stored(chain, b2, 1, false);
    best_chain_block_stored(chain, a1, 1, false);
    assert_ptr_equal(best_chain_target(chain), b2);
}

TEST(what_the_tip_has_passed_is_forgotten, struct chain *chain)
{
    struct block_node *a1 = add_stored(chain, chain->tree.genesis, 1);
    struct block_node *b1 = add_stored(chain, chain->tree.genesis, 2);
    struct block_node *a2 = add_stored(chain, a1, 3);
    assert_int_equal(chain->candidates.count, 4);
    move_tip(chain, a2);
    assert_int_equal(chain->candidates.count, 1);
    assert_null(sorted_map_find(&chain->candidates, b1));
    /* More work on the branch that was passed brings it back. */
    struct block_node *b2 = add_stored(chain, b1, 4);
    assert_ptr_equal(best_chain_target(chain), a2);
    struct block_node *b3 = add_stored(chain, b2, 5);
    assert_ptr_equal(best_chain_target(chain), b3);
}

TEST(a_failed_block_takes_its_descendants_along, struct chain *chain)
{
    struct block_node *a1 = add_stored(chain, chain->tree.genesis, 1);
    struct block_node *a2 = add_stored(chain, a1, 2);
    struct block_node *a3 = add_stored(chain, a2, 3);
    struct block_node *b2 = add_stored(chain, a1, 4);
    move_tip(chain, a1);
    best_chain_mark_failed(chain, a2);
    assert_true(a2->status & BLOCK_FAILED);
    assert_true(a3->status & BLOCK_FAILED_CHILD);
    assert_false(b2->status & BLOCK_FAILED_MASK);
    assert_ptr_equal(best_chain_target(chain), b2);
    assert_false(chain->tree.best_header->status & BLOCK_FAILED_MASK);
}

/* The committed tip itself: branches that it had passed are candidates again. */
TEST(when_the_tip_fails_the_best_of_the_rest_is_found, struct chain *chain)
{
    struct block_node *a1 = add_stored(chain, chain->tree.genesis, 1);
    struct block_node *a2 = add_stored(chain, a1, 2), *a3 = add_stored(chain, a2, 3);
    struct block_node *b1 = add_stored(chain, chain->tree.genesis, 4);
    struct block_node *b2 = add_stored(chain, b1, 5);
    move_tip(chain, a3);
    best_chain_mark_failed(chain, a2);
    assert_ptr_equal(best_chain_target(chain), b2);
    assert_like_model(chain);
    best_chain_mark_failed(chain, b1);
    assert_ptr_equal(best_chain_target(chain), a1);
}

TEST(lost_data_makes_a_branch_incomplete_but_not_invalid, struct chain *chain)
{
    struct block_node *a1 = add_stored(chain, chain->tree.genesis, 1);
    struct block_node *a2 = add_stored(chain, a1, 2), *a3 = add_stored(chain, a2, 3);
    best_chain_data_lost(chain, a2);
    assert_ptr_equal(best_chain_target(chain), a1);
    assert_int_equal(a2->status & BLOCK_HAVE_DATA, 0);
    assert_int_equal(a2->data.file, -1);
    assert_int_equal(a3->chain_tx, 0);
    assert_true(a2->is_dirty);
    assert_ptr_equal(chain->tree.best_header, a3);
    best_chain_block_stored(chain, a2, 1, false);
    assert_ptr_equal(best_chain_target(chain), a3);
    assert_int_equal(a3->chain_tx, 4);
}

/* -- All things at random ---------------------------------------------------------------------- */

struct play {
    struct chain *chain;
    struct sim_random random;
    struct block_node *node[80];
    size_t n;
};

static struct block_node *any_node(struct play *play)
{
    return play->node[sim_random_below(&play->random, play->n)];
}

static bool is_complete(const struct block_node *node)
{
    return node->n_tx > 0;
}

static void play_once(struct play *play)
{
    struct chain *chain = play->chain;
    struct block_node *node = any_node(play);
    switch (sim_random_below(&play->random, 8)) {
    case 0:
    case 1:
    case 2:
        if (play->n < COUNT_OF(play->node) && !(node->status & BLOCK_FAILED_MASK)) {
            play->node[play->n] = add(chain, node, (uint32_t)play->n + 1);
            play->n++;
        }
        break;
    case 3:
    case 4:
        if (!is_complete(node) && !(node->status & BLOCK_FAILED_MASK))
            best_chain_block_stored(chain, node, 1, false);
        break;
    case 5:
        if (node->height > 0 && sim_random_below(&play->random, 4) == 0)
            best_chain_mark_failed(chain, node);
        break;
    case 6:
        /* As the pipeline does it: only blocks beside the committed chain are lost. */
        if (is_complete(node) && !chain_contains(chain, node))
            best_chain_data_lost(chain, node);
        break;
    default:
        move_tip(chain, best_chain_target(chain));
        break;
    }
}

TEST(the_target_is_always_that_of_the_model)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        void *state;
        (void)setup(&state);
        struct play play = {.chain = state, .random = sim_random_of(seed, 1)};
        play.node[play.n++] = play.chain->tree.genesis;
        for (int i = 0; i < 400; i++) {
            play_once(&play);
            assert_like_model(play.chain);
        }
        (void)teardown(&state);
    }
}
