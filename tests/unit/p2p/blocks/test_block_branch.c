/* test_block_branch.c - which blocks come next: limits, forks, and that all are asked for in the
 * end. */
#include "p2p/blocks/block_branch.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

#define EASIEST 0x207fffffu

static const struct siphash_key key = {1, 2};

struct fixture {
    struct header_tree tree;
    struct block_node *genesis;
    uint64_t n;
};

static struct block_node *add(struct fixture *f, struct block_node *prev)
{
    struct block_header header = {.version = 4, .time = 1000, .bits = EASIEST};
    struct block_hash hash = {{0}};
    memcpy(hash.b, &f->n, sizeof f->n);
    f->n++;
    if (prev)
        header.prev = prev->hash;
    return header_tree_add(&f->tree, &header, &hash);
}

static struct block_node *add_many(struct fixture *f, struct block_node *prev, size_t n)
{
    for (size_t i = 0; i < n; i++)
        prev = add(f, prev);
    return prev;
}

/* As the chain does when a block is here. */
static void store(struct block_node *node)
{
    node->status |= BLOCK_HAVE_DATA;
    node->n_tx = 1;
    if (node->prev && node->prev->chain_tx == 0)
        return;
    for (struct block_node *at = node; at;) {
        if (at->n_tx > 0) {
            at->chain_tx = (at->prev ? at->prev->chain_tx : 0) + 1;
            at = block_node_next_descendant(node, at);
        } else {
            at = block_node_after_subtree(node, at);
        }
    }
}

static void store_all(struct block_node *node)
{
    struct block_node **path = xmalloc(((size_t)node->height + 1) * sizeof(struct block_node *));
    size_t n = 0;
    for (struct block_node *at = node; at && at->chain_tx == 0; at = at->prev)
        path[n++] = at;
    while (n > 0)
        store(path[--n]);
    xfree(path);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    header_tree_init(&f->tree, key);
    f->genesis = add(f, NULL);
    store(f->genesis);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    header_tree_deinit(&f->tree);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

TEST(the_first_missing_block_is_found_wherever_it_is, struct fixture *f)
{
    struct block_node *tip = add_many(f, f->genesis, 3000);
    assert_int_equal(block_branch_missing(tip)->height, 1);
    for (int32_t height = 1; height <= 3000; height += 457) {
        store_all((struct block_node *)block_node_ancestor(tip, height));
        assert_int_equal(block_branch_missing(tip)->height, height + 1);
    }
    /* Those that came too early do not count. */
    store((struct block_node *)block_node_ancestor(tip, 2999));
    int32_t missing = block_branch_missing(tip)->height;
    store((struct block_node *)block_node_ancestor(tip, missing + 1));
    assert_int_equal(block_branch_missing(tip)->height, missing);
    store((struct block_node *)block_node_ancestor(tip, missing));
    assert_int_equal(block_branch_missing(tip)->height, missing + 2);
    store_all(tip);
    assert_null(block_branch_missing(tip));
}

/* Issue 7, 0: the window moves past what is stored, though the tip stays where it is. */
TEST(the_window_of_a_deep_fork_moves_though_the_tip_does_not, struct fixture *f)
{
    struct block_node *tip = add_many(f, f->genesis, 1100), *goal = add_many(f, f->genesis, 1101);
    struct block_branch out[BLOCK_BRANCHES_MAX];
    struct block_known known = {goal, false};
    store_all(tip);
    assert_int_equal(block_branches(tip, u256_of(0), &known, 1, out), 1);
    assert_int_equal(out[0].from, 1);
    assert_int_equal(out[0].to, BLOCK_BRANCH_WINDOW);
    store_all((struct block_node *)block_node_ancestor(goal, BLOCK_BRANCH_WINDOW));
    assert_int_equal(block_branches(tip, u256_of(0), &known, 1, out), 1);
    assert_int_equal(out[0].from, BLOCK_BRANCH_WINDOW + 1);
    assert_int_equal(out[0].to, 1101);
    store_all(goal);
    assert_int_equal(block_branches(tip, u256_of(0), &known, 1, out), 0);
}

TEST(a_chain_with_as_much_work_as_the_tip_is_followed_one_with_less_is_not, struct fixture *f)
{
    struct block_node *tip = add_many(f, f->genesis, 10);
    struct block_node *equal = add_many(f, f->genesis, 10), *less = equal->prev;
    struct block_branch out[BLOCK_BRANCHES_MAX];
    store_all(tip);
    assert_int_equal(block_branches(tip, u256_of(0), &(struct block_known){less, true}, 1, out), 0);
    assert_int_equal(block_branches(tip, u256_of(0), &(struct block_known){equal, true}, 1, out),
                     1);
    struct u256 more = u256_add(equal->chain_work, u256_of(1));
    assert_int_equal(block_branches(tip, more, &(struct block_known){equal, true}, 1, out), 0);
    assert_int_equal(
        block_branches(tip, equal->chain_work, &(struct block_known){equal, true}, 1, out), 1);
    /* Above a block that has failed nothing is wanted; what is below it may be. */
    struct block_node *above = add(f, equal);
    above->status |= BLOCK_FAILED;
    assert_int_equal(block_branches(tip, u256_of(0), &(struct block_known){above, true}, 1, out),
                     1);
    assert_ptr_equal(out[0].goal, equal);
    equal->status |= BLOCK_FAILED;
    assert_int_equal(block_branches(tip, u256_of(0), &(struct block_known){above, true}, 1, out),
                     0);
}

TEST(no_more_than_sixteen_chains_are_followed_those_of_outbound_peers_first, struct fixture *f)
{
    struct block_branch out[BLOCK_BRANCHES_MAX];
    struct block_known known[BLOCK_BRANCHES_MAX + 1];
    for (size_t i = 0; i <= BLOCK_BRANCHES_MAX; i++)
        known[i] = (struct block_known){add_many(f, f->genesis, 30 - i), false};
    assert_int_equal(block_branches(f->genesis, u256_of(0), known, BLOCK_BRANCHES_MAX, out),
                     BLOCK_BRANCHES_MAX);
    assert_int_equal(block_branches(f->genesis, u256_of(0), known, BLOCK_BRANCHES_MAX + 1, out),
                     BLOCK_BRANCHES_MAX);
    assert_ptr_equal(out[0].goal, known[0].best); /* the most work */
    for (size_t i = 0; i < BLOCK_BRANCHES_MAX; i++)
        assert_ptr_not_equal(out[i].goal, known[BLOCK_BRANCHES_MAX].best);
    known[BLOCK_BRANCHES_MAX].is_outbound = true; /* the least */
    assert_int_equal(block_branches(f->genesis, u256_of(0), known, BLOCK_BRANCHES_MAX + 1, out),
                     BLOCK_BRANCHES_MAX);
    assert_ptr_equal(out[0].goal, known[BLOCK_BRANCHES_MAX].best);
    assert_ptr_equal(out[1].goal, known[0].best);
}

TEST(each_further_chain_has_a_window_of_its_own, struct fixture *f)
{
    struct block_node *a = add_many(f, f->genesis, 2000), *b = add_many(f, f->genesis, 1900);
    struct block_node *c = add_many(f, (struct block_node *)block_node_ancestor(a, 1000), 700);
    struct block_node *d = add_many(f, (struct block_node *)block_node_ancestor(a, 1025), 500);
    struct block_known known[] = {{a, false}, {b, false}, {c, false}, {d, false}, {a->prev, false}};
    struct block_branch out[BLOCK_BRANCHES_MAX];
    size_t n = block_branches(f->genesis, u256_of(0), known, 5, out);
    int32_t lengths[BLOCK_BRANCHES_MAX] = {0};
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++)
        lengths[i] = out[i].to - out[i].from + 1;
    assert_int_equal(lengths[0], BLOCK_BRANCH_WINDOW);
    assert_ptr_equal(out[1].goal, a->prev);
    assert_int_equal(lengths[1], 0); /* on the way to a */
    assert_ptr_equal(out[2].goal, b);
    assert_int_equal(lengths[2], BLOCK_BRANCH_SIDE);
    assert_ptr_equal(out[3].goal, c);
    assert_int_equal(out[3].from, 1001);
    assert_int_equal(out[3].first, 1);
    assert_int_equal(lengths[3], BLOCK_BRANCH_SIDE);
    assert_ptr_equal(out[4].goal, d); /* leaves a's way just beyond the window */
    assert_int_equal(lengths[4], 0);
}

/* -- The property ------------------------------------------------------------------------------ */

enum { N_TREE = 6000, N_KNOWN = 24, N_WITHHELD_MAX = 12 };

struct world {
    struct fixture f;
    struct block_node *nodes[N_TREE];
    struct block_known known[N_KNOWN];
    bool withholds[N_KNOWN];
};

static void make_world(struct world *w, struct sim_random *random)
{
    header_tree_init(&w->f.tree, key);
    w->nodes[0] = add(&w->f, NULL);
    store(w->nodes[0]);
    for (size_t i = 1; i < N_TREE; i++) {
        /* Few, long branches: now and then one begins anywhere. */
        bool begins = sim_random_below(random, 700) == 0;
        w->nodes[i] = add(&w->f, w->nodes[begins ? sim_random_below(random, i) : i - 1]);
    }
    size_t n_withheld = 0;
    for (size_t i = 0; i < N_KNOWN; i++) {
        size_t at = (size_t)sim_random_below(random, N_TREE);
        bool withholds = sim_random_below(random, 3) == 0 && n_withheld < N_WITHHELD_MAX;
        n_withheld += withholds;
        w->known[i] = (struct block_known){w->nodes[at], sim_random_below(random, 4) == 0};
        w->withholds[i] = withholds;
    }
    /* A part is here already: some in order, some not. */
    for (size_t i = 0; i < 3; i++)
        store_all(w->nodes[sim_random_below(random, N_TREE)]);
    for (size_t i = 0; i < N_TREE / 10; i++) {
        struct block_node *node = w->nodes[sim_random_below(random, N_TREE)];
        if (node->n_tx == 0)
            store(node);
    }
}

static const struct block_node *best_stored(const struct world *w)
{
    const struct block_node *tip = w->nodes[0];
    for (size_t i = 0; i < N_TREE; i++)
        if (w->nodes[i]->chain_tx > 0 && block_node_is_better(w->nodes[i], tip))
            tip = w->nodes[i];
    return tip;
}

static bool can_be_had(const struct world *w, const struct block_node *node)
{
    for (size_t i = 0; i < N_KNOWN; i++)
        if (!w->withholds[i] && block_node_ancestor(w->known[i].best, node->height) == node)
            return true;
    return false;
}

/* What is asked for is missing, not asked for twice, and bounded. */
static void check(const struct block_branch *branches, size_t n)
{
    size_t asked = 0;
    for (size_t i = 0; i < n; i++)
        for (int32_t height = branches[i].from; height <= branches[i].to; height++) {
            const struct block_node *node = block_node_ancestor(branches[i].goal, height);
            assert_int_equal(node->chain_tx, 0);
            asked++;
            for (size_t k = 0; k < i; k++)
                assert_false(height >= branches[k].from && height <= branches[k].to &&
                             block_node_ancestor(branches[k].goal, height) == node);
        }
    assert_in_range(asked, 0, BLOCK_BRANCH_ALL_MAX);
}

/* Deliver some of what is asked for. Returns how much of it could be had. */
static size_t deliver(struct world *w, const struct block_branch *branches, size_t n,
                      struct sim_random *random)
{
    size_t could = 0;
    for (size_t i = 0; i < n; i++)
        for (int32_t height = branches[i].from; height <= branches[i].to; height++) {
            const struct block_node *node = block_node_ancestor(branches[i].goal, height);
            if (node->n_tx > 0 || !can_be_had(w, node))
                continue;
            could++;
            if (could == 1 || sim_random_below(random, 2) == 0)
                store((struct block_node *)node);
        }
    return could;
}

static void run_world(uint64_t seed)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct sim_random random = sim_random_of(seed, 0);
    struct block_branch out[BLOCK_BRANCHES_MAX];
    make_world(w, &random);
    for (size_t turn = 0;; turn++) {
        assert_in_range(turn, 0, 2000);
        size_t n = block_branches(best_stored(w), u256_of(0), w->known, N_KNOWN, out);
        check(out, n);
        if (deliver(w, out, n, &random) == 0)
            break;
    }
    const struct block_node *tip = best_stored(w);
    for (size_t i = 0; i < N_KNOWN; i++)
        if (!w->withholds[i] && block_node_is_better(w->known[i].best, tip) &&
            w->known[i].best->chain_tx == 0)
            fail_msg("seed %d: a chain that could be had is not here", (int)seed);
    header_tree_deinit(&w->f.tree);
    xfree(w);
}

/* Whatever is known and can be had, on the way to a chain better than the tip, is asked for in the
 * end, also beside chains that are withheld. $CAIRN_SEED: that one only. */
TEST(all_that_can_be_had_is_asked_for_in_the_end)
{
    const char *seed = getenv("CAIRN_SEED");
    if (seed) {
        run_world(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 1; i <= 25; i++)
        run_world(i);
}
