/* test_selfish.c - the selfish miner's moves, one after another; see tests/sim/sim_selfish.c. */
#include "sim/actors/selfish.h"

#include "support/unit.h"

#define STEP_US     INT64_C(1000000)
#define BASE_BLOCKS 3
#define MINER       3

/* Three public nodes in a line; the first hears of the attacker's blocks at once, the last is not
 * told. */
struct rig {
    struct sim_base *base;
    struct sim_world *world;
    struct selfish *selfish;
    unsigned n_acts;
    char what[64]; /* the last act */
};

static void on_act(void *ctx, size_t node, const char *kind, const char *what, int32_t height)
{
    struct rig *rig = ctx;
    assert_int_equal(node, MINER);
    assert_string_equal(kind, "selfish");
    rig->n_acts++;
    snprintf(rig->what, sizeof rig->what, "%s %d", what, height);
}

static bool is_linked(void *ctx, size_t from, size_t to)
{
    (void)ctx;
    return from < MINER && to + 1 == from;
}

static int setup(void **state)
{
    static const enum selfish_reach reach[] = {SELFISH_BOTH, SELFISH_SLOW, SELFISH_EAR,
                                               SELFISH_BOTH};
    struct rig *rig = xcalloc(1, sizeof *rig);
    rig->base = sim_base_new(BASE_BLOCKS);
    const struct sim_world_options options = {
        .seed = 1,
        .n_nodes = MINER + 1,
        .net = {.latency_min_us = 20000, .latency_max_us = 20000},
        .base = rig->base,
        .links = is_linked,
        .blocks_only = true};
    rig->world = sim_world_new(&options);
    for (size_t i = 0; i <= MINER; i++)
        sim_world_start(rig->world, i);
    const struct selfish_options selfish = {.crew = {.world = rig->world,
                                                     .node = MINER,
                                                     .n_nodes = MINER + 1,
                                                     .act = on_act,
                                                     .ctx = rig},
                                            .reach = reach,
                                            .own_us = 1000,
                                            .near_us = 1000,
                                            .slow_us = 90000};
    rig->selfish = selfish_new(&selfish);
    sim_world_run_for(rig->world, 30 * STEP_US);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    assert_null(sim_world_failure(rig->world));
    selfish_free(rig->selfish);
    sim_world_free(rig->world);
    sim_base_free(rig->base);
    xfree(rig);
    return 0;
}

FIXTURE(setup, teardown)

static const struct block_node *tip_of(struct rig *rig, size_t node)
{
    return chain_tip(node_chain(sim_world_node(rig->world, node)));
}

/* Find a block; what the attacker did then is rig->what. */
static void mine(struct rig *rig, size_t node)
{
    sim_world_mine(rig->world, node);
    sim_world_run_for(rig->world, 5 * STEP_US);
}

static bool agree(struct rig *rig, size_t a, size_t b)
{
    return block_hash_equal(&tip_of(rig, a)->hash, &tip_of(rig, b)->hash);
}

TEST(without_a_lead_he_adopts_what_others_find, struct rig *rig)
{
    mine(rig, 2);
    assert_string_equal(rig->what, "adopts 4");
    mine(rig, 0);
    assert_string_equal(rig->what, "adopts 5");
    for (size_t i = 0; i < MINER; i++)
        assert_true(agree(rig, i, MINER));
}

TEST(a_lead_of_one_ends_in_a_race_that_his_next_block_wins, struct rig *rig)
{
    mine(rig, MINER);
    assert_string_equal(rig->what, "withholds 4");
    for (size_t i = 0; i < MINER; i++)
        assert_int_equal(tip_of(rig, i)->height, BASE_BLOCKS);
    mine(rig, 2);
    assert_string_equal(rig->what, "races 4");
    assert_true(agree(rig, 0, MINER));  /* served before the honest block came */
    assert_false(agree(rig, 1, MINER)); /* told too late */
    assert_true(agree(rig, 1, 2));
    mine(rig, MINER);
    assert_string_equal(rig->what, "wins a race 5");
    for (size_t i = 0; i < MINER; i++)
        assert_true(agree(rig, i, MINER));
}

TEST(a_race_is_lost_to_the_next_honest_block, struct rig *rig)
{
    mine(rig, MINER);
    mine(rig, 2);
    mine(rig, 1);
    assert_string_equal(rig->what, "adopts 5");
    for (size_t i = 0; i < MINER; i++)
        assert_true(agree(rig, i, MINER));
    assert_int_equal(selfish_result_of(rig->selfish).n_raced, 1);
}

TEST(a_lead_of_two_throws_the_honest_block_away, struct rig *rig)
{
    mine(rig, MINER);
    mine(rig, MINER);
    assert_string_equal(rig->what, "withholds 5");
    mine(rig, 1);
    assert_string_equal(rig->what, "releases all 5");
    for (size_t i = 0; i < MINER; i++)
        assert_true(agree(rig, i, MINER));
    assert_int_equal(tip_of(rig, 0)->height, BASE_BLOCKS + 2);
}

TEST(of_a_longer_lead_he_tells_one_by_one, struct rig *rig)
{
    for (int i = 0; i < 4; i++)
        mine(rig, MINER);
    mine(rig, 1);
    assert_string_equal(rig->what, "releases one 4");
    assert_int_equal(tip_of(rig, 0)->height, BASE_BLOCKS + 1);
    mine(rig, 1);
    assert_string_equal(rig->what, "releases one 5");
    mine(rig, 2);
    assert_string_equal(rig->what, "releases all 7");
    for (size_t i = 0; i < MINER; i++)
        assert_true(agree(rig, i, MINER));
    const struct selfish_result result = selfish_result_of(rig->selfish);
    assert_int_equal(result.n_own, 4);
    assert_int_equal(result.n_released, 1);
    assert_int_equal(result.n_adopted, 0);
}
