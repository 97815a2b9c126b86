/* test_best_chain_model.c - candidates and what is invalid, on trees of headers without any blocks,
 * against a model that looks at every node. */
#include "chain/tree/best_chain.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

#define BITS 0x207fffffu

/* A tree and what is chosen from it, without blocks. */
struct choice {
    struct chain_core core;
    struct header_tree tree;
    struct active_chain active;
    struct best_chain best;
};

static int setup(void **state)
{
    struct choice *choice = xcalloc(1, sizeof *choice);
    struct siphash_key key = {0};
    header_tree_init(&choice->tree, key);
    best_chain_init(&choice->best, &choice->core, &choice->tree, &choice->active);
    struct block_header header = {.bits = BITS};
    struct block_hash hash = {{0xff}};
    struct block_node *genesis = header_tree_add(&choice->tree, &header, &hash);
    genesis->status = BLOCK_HAVE_DATA | BLOCK_VALID_TX | BLOCK_VALID_SCRIPTS;
    genesis->n_tx = 1;
    genesis->chain_tx = 1;
    active_chain_set_tip(&choice->active, genesis);
    best_chain_rebuild(&choice->best);
    *state = choice;
    return 0;
}

static int teardown(void **state)
{
    struct choice *choice = *state;
    best_chain_deinit(&choice->best);
    header_tree_deinit(&choice->tree);
    active_chain_deinit(&choice->active);
    xfree(choice);
    return 0;
}

FIXTURE(setup, teardown)

/* A header on prev; number makes its hash. */
static struct block_node *add(struct choice *choice, struct block_node *prev, uint32_t number)
{
    struct block_header header = {.prev = prev->hash, .bits = BITS, .time = number};
    struct block_hash hash = {{0}};
    memcpy(hash.b, &number, sizeof number);
    hash.b[31] = (uint8_t)(number * 7); /* the order of hashes is not that of numbers */
    return header_tree_add(&choice->tree, &header, &hash);
}

static struct block_node *add_stored(struct choice *choice, struct block_node *prev,
                                     uint32_t number)
{
    struct block_node *node = add(choice, prev, number);
    best_chain_block_stored(&choice->best, node, 1, false);
    return node;
}

/* What best_chain_target() must be: the best of all complete nodes that have not failed. */
static struct block_node *model_target(const struct choice *choice)
{
    struct block_node *best = NULL, *node;
    size_t at = 0;
    while ((node = hash_map_next(&choice->tree.by_hash, &at))) {
        bool usable = true;
        for (const struct block_node *up = node; up; up = up->prev)
            usable = usable && up->n_tx > 0 && !(up->status & BLOCK_FAILED_MASK);
        if (usable && (!best || block_node_is_better(node, best)))
            best = node;
    }
    return best;
}

static void assert_like_model(struct choice *choice)
{
    assert_ptr_equal(best_chain_target(&choice->best), model_target(choice));
    for (size_t i = 0; i < choice->best.candidates.count; i++) {
        const struct block_node *node = sorted_map_at(&choice->best.candidates, i);
        assert_true(node->chain_tx > 0);
        assert_false(node->status & BLOCK_FAILED_MASK);
        if (i > 0)
            assert_true(block_node_is_better(node, sorted_map_at(&choice->best.candidates, i - 1)));
    }
}

static void move_tip(struct choice *choice, struct block_node *tip)
{
    active_chain_set_tip(&choice->active, tip);
    best_chain_tip_moved(&choice->best);
}

/* -- One thing at a time ----------------------------------------------------------------------- */

TEST(alone_the_first_block_is_the_target, struct choice *choice)
{
    assert_ptr_equal(best_chain_target(&choice->best), choice->tree.genesis);
    assert_int_equal(choice->best.candidates.count, 1);
}

TEST(a_header_without_block_is_no_candidate, struct choice *choice)
{
    struct block_node *node = add(choice, choice->tree.genesis, 1);
    assert_ptr_equal(best_chain_target(&choice->best), choice->tree.genesis);
    best_chain_block_stored(&choice->best, node, 3, false);
    assert_ptr_equal(best_chain_target(&choice->best), node);
    assert_int_equal(node->chain_tx, 4);
}

TEST(a_gap_that_is_filled_completes_all_above_it, struct choice *choice)
{
    struct block_node *node[6] = {choice->tree.genesis};
    for (uint32_t i = 1; i < 6; i++)
        node[i] = add(choice, node[i - 1], i);
    static const int order[] = {3, 5, 2, 1}; /* 4 is missing */
    for (size_t i = 0; i < COUNT_OF(order); i++)
        best_chain_block_stored(&choice->best, node[order[i]], 1, false);
    assert_ptr_equal(best_chain_target(&choice->best), node[3]);
    assert_int_equal(node[5]->chain_tx, 0);
    best_chain_block_stored(&choice->best, node[4], 1, false);
    assert_ptr_equal(best_chain_target(&choice->best), node[5]);
    assert_int_equal(node[5]->chain_tx, 6);
}

TEST(the_first_of_equals_stays_whatever_the_hashes, struct choice *choice)
{
    struct block_node *first = add_stored(choice, choice->tree.genesis, 200);
    for (uint32_t i = 1; i < 60; i++) {
        (void)add_stored(choice, choice->tree.genesis, i);
        assert_ptr_equal(best_chain_target(&choice->best), first);
    }
}

/* First is who could have become the tip first, not whose block came first. */
TEST(a_block_that_waited_for_its_parent_comes_after_one_that_did_not, struct choice *choice)
{
    struct block_node *a1 = add(choice, choice->tree.genesis, 1), *a2 = add(choice, a1, 2);
    struct block_node *b1 = add(choice, choice->tree.genesis, 3), *b2 = add(choice, b1, 4);
    best_chain_block_stored(&choice->best, a2, 1, false);
    best_chain_block_stored(&choice->best, b1, 1, false);
    best_chain_block_stored(&choice->best, b2, 1, false);
    best_chain_block_stored(&choice->best, a1, 1, false);
    assert_ptr_equal(best_chain_target(&choice->best), b2);
}

TEST(what_the_tip_has_passed_is_forgotten, struct choice *choice)
{
    struct block_node *a1 = add_stored(choice, choice->tree.genesis, 1);
    struct block_node *b1 = add_stored(choice, choice->tree.genesis, 2);
    struct block_node *a2 = add_stored(choice, a1, 3);
    assert_int_equal(choice->best.candidates.count, 4);
    move_tip(choice, a2);
    assert_int_equal(choice->best.candidates.count, 1);
    assert_null(sorted_map_find(&choice->best.candidates, b1));
    /* More work on the branch that was passed brings it back. */
    struct block_node *b2 = add_stored(choice, b1, 4);
    assert_ptr_equal(best_chain_target(&choice->best), a2);
    struct block_node *b3 = add_stored(choice, b2, 5);
    assert_ptr_equal(best_chain_target(&choice->best), b3);
}

TEST(a_failed_block_takes_its_descendants_along, struct choice *choice)
{
    struct block_node *a1 = add_stored(choice, choice->tree.genesis, 1);
    struct block_node *a2 = add_stored(choice, a1, 2);
    struct block_node *a3 = add_stored(choice, a2, 3);
    struct block_node *b2 = add_stored(choice, a1, 4);
    move_tip(choice, a1);
    best_chain_mark_failed(&choice->best, a2);
    assert_true(a2->status & BLOCK_FAILED);
    assert_true(a3->status & BLOCK_FAILED_CHILD);
    assert_false(b2->status & BLOCK_FAILED_MASK);
    assert_ptr_equal(best_chain_target(&choice->best), b2);
    assert_false(choice->tree.best_header->status & BLOCK_FAILED_MASK);
}

/* The committed tip itself: branches that it had passed are candidates again. */
TEST(when_the_tip_fails_the_best_of_the_rest_is_found, struct choice *choice)
{
    struct block_node *a1 = add_stored(choice, choice->tree.genesis, 1);
    struct block_node *a2 = add_stored(choice, a1, 2), *a3 = add_stored(choice, a2, 3);
    struct block_node *b1 = add_stored(choice, choice->tree.genesis, 4);
    struct block_node *b2 = add_stored(choice, b1, 5);
    move_tip(choice, a3);
    best_chain_mark_failed(&choice->best, a2);
    assert_ptr_equal(best_chain_target(&choice->best), b2);
    assert_like_model(choice);
    best_chain_mark_failed(&choice->best, b1);
    assert_ptr_equal(best_chain_target(&choice->best), a1);
}

TEST(lost_data_makes_a_branch_incomplete_but_not_invalid, struct choice *choice)
{
    struct block_node *a1 = add_stored(choice, choice->tree.genesis, 1);
    struct block_node *a2 = add_stored(choice, a1, 2), *a3 = add_stored(choice, a2, 3);
    best_chain_data_lost(&choice->best, a2);
    assert_ptr_equal(best_chain_target(&choice->best), a1);
    assert_int_equal(a2->status & BLOCK_HAVE_DATA, 0);
    assert_int_equal(a2->data.file, -1);
    assert_int_equal(a3->chain_tx, 0);
    assert_true(a2->is_dirty);
    assert_ptr_equal(choice->tree.best_header, a3);
    best_chain_block_stored(&choice->best, a2, 1, false);
    assert_ptr_equal(best_chain_target(&choice->best), a3);
    assert_int_equal(a3->chain_tx, 4);
}

/* -- All things at random ---------------------------------------------------------------------- */

struct play {
    struct choice *choice;
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
    struct choice *choice = play->choice;
    struct block_node *node = any_node(play);
    switch (sim_random_below(&play->random, 8)) {
    case 0:
    case 1:
    case 2:
        if (play->n < COUNT_OF(play->node) && !(node->status & BLOCK_FAILED_MASK)) {
            play->node[play->n] = add(choice, node, (uint32_t)play->n + 1);
            play->n++;
        }
        break;
    case 3:
    case 4:
        if (!is_complete(node) && !(node->status & BLOCK_FAILED_MASK))
            best_chain_block_stored(&choice->best, node, 1, false);
        break;
    case 5:
        if (node->height > 0 && sim_random_below(&play->random, 4) == 0)
            best_chain_mark_failed(&choice->best, node);
        break;
    case 6:
        /* As the pipeline does it: only blocks beside the committed chain are lost. */
        if (is_complete(node) && !active_chain_contains(&choice->active, node))
            best_chain_data_lost(&choice->best, node);
        break;
    default:
        move_tip(choice, best_chain_target(&choice->best));
        break;
    }
}

TEST(the_target_is_always_that_of_the_model)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        void *state;
        (void)setup(&state);
        struct play play = {.choice = state, .random = sim_random_of(seed, 1)};
        play.node[play.n++] = play.choice->tree.genesis;
        for (int i = 0; i < 400; i++) {
            play_once(&play);
            assert_like_model(play.choice);
        }
        (void)teardown(&state);
    }
}
