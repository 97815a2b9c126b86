/* test_best_chain.c - candidates and what is invalid, without any block being read or verified. */
#include "sim/sim_env.h"
#include "support/chain_inside.h"
#include "support/unit.h"
#include "util/alloc.h"

/* A chain that was never opened: only tree, candidates and committed chain are used. */
struct fixture {
    struct sim_env *sim;
    struct chain *chain;
    struct block_node *genesis;
    uint32_t salt;
};

static struct block_node *add_header(struct fixture *f, struct block_node *prev)
{
    struct block_header header = {.bits = 0x207fffff, .nonce = f->salt++, .time = f->salt};
    if (prev)
        header.prev = prev->hash;
    struct block_hash hash = block_header_hash(&header);
    return header_tree_add(tree_of(f->chain), &header, &hash);
}

static void store(struct fixture *f, struct block_node *node)
{
    node->data.file = 0;
    node->status |= BLOCK_VALID_TX;
    best_chain_block_stored(best_of(f->chain), node, 3, false);
}

static struct block_node *add_block(struct fixture *f, struct block_node *prev)
{
    struct block_node *node = add_header(f, prev);
    store(f, node);
    return node;
}

static void move_tip(struct fixture *f, struct block_node *tip)
{
    active_chain_set_tip(active_of(f->chain), tip);
    best_chain_tip_moved(best_of(f->chain));
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct chain_options options = {.data_dir = "x", .cache_bytes = 1 << 20};
    struct chain_events events = {0};
    f->sim = sim_env_new(1);
    f->chain =
        chain_new(sim_env_get(f->sim), NULL, network_get(NETWORK_REGTEST), &options, &events);
    f->genesis = add_header(f, NULL);
    f->genesis->n_tx = 1;
    f->genesis->chain_tx = 1;
    active_chain_set_tip(active_of(f->chain), f->genesis);
    best_chain_rebuild(best_of(f->chain));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    chain_free(f->chain);
    sim_env_free(f->sim);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

static bool is_candidate(const struct fixture *f, const struct block_node *node)
{
    return sorted_map_find(&best_of(f->chain)->candidates, node) != NULL;
}

TEST(a_new_chain_is_its_own_target, struct fixture *f)
{
    assert_ptr_equal(best_chain_target(best_of(f->chain)), f->genesis);
    assert_int_equal(best_of(f->chain)->candidates.count, 1);
}

TEST(the_target_has_the_most_work, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), a);
    struct block_node *b = add_block(f, f->genesis);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), a); /* the first of equals */
    struct block_node *b2 = add_block(f, b);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), b2);
    assert_int_equal(best_of(f->chain)->candidates.count, 4);
}

TEST(a_gap_keeps_what_is_above_it_out, struct fixture *f)
{
    struct block_node *a = add_header(f, f->genesis);
    struct block_node *b = add_block(f, a);
    struct block_node *c = add_header(f, b);
    struct block_node *d = add_block(f, c);
    struct block_node *side = add_block(f, b);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), f->genesis);
    assert_int_equal(d->chain_tx, 0);
    store(f, a);
    assert_int_equal(a->chain_tx, 4);
    assert_int_equal(b->chain_tx, 7);
    assert_int_equal(side->chain_tx, 10);
    assert_int_equal(d->chain_tx, 0); /* the second gap is still there */
    assert_ptr_equal(best_chain_target(best_of(f->chain)), side);
    store(f, c);
    assert_int_equal(d->chain_tx, 13);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), d);
}

TEST(what_the_tip_has_passed_is_no_candidate, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis);
    struct block_node *b = add_block(f, f->genesis);
    struct block_node *a2 = add_block(f, a);
    move_tip(f, a);
    assert_false(is_candidate(f, f->genesis));
    assert_false(is_candidate(f, b)); /* as much work, but later */
    assert_true(is_candidate(f, a) && is_candidate(f, a2));
    move_tip(f, a2);
    assert_int_equal(best_of(f->chain)->candidates.count, 1);
    assert_true(is_candidate(f, a2));
}

TEST(a_failed_block_takes_its_descendants_along, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis);
    struct block_node *bad = add_block(f, a);
    struct block_node *child = add_block(f, bad);
    struct block_node *header = add_header(f, child);
    struct block_node *other = add_block(f, a);
    move_tip(f, a);
    best_chain_mark_failed(best_of(f->chain), bad);
    assert_true(bad->status & BLOCK_FAILED);
    assert_true(child->status & BLOCK_FAILED_CHILD);
    assert_true(header->status & BLOCK_FAILED_CHILD);
    assert_false(other->status & BLOCK_FAILED_MASK);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), other);
    assert_false(tree_of(f->chain)->best_header->status & BLOCK_FAILED_MASK);
    assert_true(bad->is_dirty && child->is_dirty && header->is_dirty);
    /* What comes on top of it is failed too. */
    assert_true(add_header(f, header)->status & BLOCK_FAILED_CHILD);
    struct block_node *later = add_block(f, child);
    assert_false(is_candidate(f, later));
}

TEST(a_tip_that_fails_is_left_for_the_best_of_the_rest, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis);
    struct block_node *b = add_block(f, a);
    struct block_node *c = add_block(f, b);
    struct block_node *side = add_block(f, a);
    move_tip(f, c);
    best_chain_mark_failed(best_of(f->chain), b);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), side);
    /* Going down, step by step, keeps it; so does what comes meanwhile. */
    move_tip(f, b);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), side);
    struct block_node *late = add_block(f, side);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), late);
    move_tip(f, a);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), late);
    move_tip(f, late);
    assert_int_equal(best_of(f->chain)->candidates.count, 1);
}

TEST(with_nothing_else_the_chain_goes_back_to_what_is_valid, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis);
    struct block_node *b = add_block(f, a);
    move_tip(f, b);
    best_chain_mark_failed(best_of(f->chain), a);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), f->genesis);
    move_tip(f, a);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), f->genesis);
    move_tip(f, f->genesis);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), f->genesis);
}

TEST(lost_data_makes_a_gap, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis);
    struct block_node *b = add_block(f, a);
    struct block_node *c = add_block(f, b);
    move_tip(f, a);
    best_chain_data_lost(best_of(f->chain), b);
    assert_int_equal(b->n_tx, 0);
    assert_false(b->status & BLOCK_HAVE_DATA);
    assert_int_equal(c->chain_tx, 0);
    assert_true(c->status & BLOCK_HAVE_DATA); /* its own is still there */
    assert_ptr_equal(best_chain_target(best_of(f->chain)), a);
    store(f, b);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), c);
}

TEST(a_rebuild_finds_the_same_candidates, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis);
    struct block_node *b = add_block(f, a), *side = add_block(f, a);
    struct block_node *bad = add_block(f, b), *best = add_header(f, side);
    move_tip(f, b);
    best_chain_mark_failed(best_of(f->chain), bad);
    size_t count = best_of(f->chain)->candidates.count;
    struct block_node *target = best_chain_target(best_of(f->chain));
    side->chain_tx = 99; /* as an index would have it that was written too early */
    best_chain_rebuild(best_of(f->chain));
    assert_int_equal(best_of(f->chain)->candidates.count, count);
    assert_ptr_equal(best_chain_target(best_of(f->chain)), target);
    assert_ptr_equal(tree_of(f->chain)->best_header, best);
    assert_int_equal(side->chain_tx, 7);
}

TEST(the_best_that_has_failed_is_known, struct fixture *f)
{
    struct block_node *a = add_block(f, f->genesis), *b = add_block(f, a), *c = add_header(f, b);
    assert_null(chain_best_failed(f->chain));
    best_chain_mark_failed(best_of(f->chain), b);
    assert_ptr_equal(chain_best_failed(f->chain), c);
    struct block_node *d = add_header(f, c);
    assert_ptr_equal(chain_best_failed(f->chain), d);
    best_chain_rebuild(best_of(f->chain));
    assert_ptr_equal(chain_best_failed(f->chain), d);
    b->status = c->status = d->status = 0; /* as an order does that gives them another chance */
    best_chain_rebuild(best_of(f->chain));
    assert_null(chain_best_failed(f->chain));
}
