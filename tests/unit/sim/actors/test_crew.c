/* test_crew.c - what members hear of blocks, and what nodes take from them. */
#include "sim/actors/crew.h"

#include "support/unit.h"

#define STEP_US     INT64_C(1000000)
#define BASE_BLOCKS 3

/* Two nodes that know nothing of each other, and a member at each. */
struct rig {
    struct sim_base *base;
    struct sim_world *world;
    struct sim_guest *guest;
    struct crew crew;
    struct crew_member *first, *second;
    unsigned n_heard, n_got, n_asked, n_unknown, n_ready, n_lost;
    struct shelf_block *newest;
};

static void on_heard(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct rig *rig = ctx;
    rig->n_heard++;
    rig->newest = block;
    crew_ask(from, block);
}

static void on_got(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    (void)from;
    ((struct rig *)ctx)->n_got += block->bytes != NULL;
}

static void on_asked(void *ctx, struct crew_member *from, struct shelf_block *block)
{
    struct rig *rig = ctx;
    rig->n_asked += block != NULL;
    rig->n_unknown += block == NULL;
    if (block && block->bytes)
        crew_send_block(from, block);
}

static void on_ready(void *ctx, struct crew_member *from)
{
    (void)from;
    ((struct rig *)ctx)->n_ready++;
}

static void on_lost(void *ctx, struct crew_member *from)
{
    (void)from;
    ((struct rig *)ctx)->n_lost++;
}

static bool is_linked(void *ctx, size_t from, size_t to)
{
    (void)ctx, (void)from, (void)to;
    return false;
}

static const struct crew_events events = {
    .heard = on_heard, .got = on_got, .asked = on_asked, .ready = on_ready, .lost = on_lost};

static int setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    rig->base = sim_base_new(BASE_BLOCKS);
    const struct sim_world_options options = {
        .seed = 1, .n_nodes = 2, .base = rig->base, .links = is_linked};
    rig->world = sim_world_new(&options);
    sim_world_start(rig->world, 0);
    sim_world_start(rig->world, 1);
    rig->guest = sim_guest_new(rig->world, "9.9.9.9");
    crew_init(&rig->crew, rig->world, 0, &events, rig);
    rig->first = crew_add(&rig->crew, rig->guest, 0, 5);
    rig->second = crew_add(&rig->crew, rig->guest, 1, 6);
    sim_world_run_for(rig->world, STEP_US);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    crew_deinit(&rig->crew);
    sim_guest_free(rig->guest);
    sim_world_free(rig->world);
    sim_base_free(rig->base);
    xfree(rig);
    return 0;
}

FIXTURE(setup, teardown)

static int32_t height_of(struct rig *rig, size_t node)
{
    return chain_tip(node_chain(sim_world_node(rig->world, node)))->height;
}

TEST(a_block_is_heard_of_and_carried_to_the_other_node, struct rig *rig)
{
    assert_int_equal(rig->n_ready, 2);
    assert_ptr_equal(crew_find(&rig->crew, 6), rig->second);
    assert_null(crew_find(&rig->crew, 7));
    for (unsigned i = 1; i <= 3; i++) {
        sim_world_mine(rig->world, 0);
        sim_world_run_for(rig->world, STEP_US);
        assert_int_equal(rig->n_heard, i);
        assert_int_equal(rig->n_got, i);
        assert_int_equal(rig->newest->height, BASE_BLOCKS + i);
        assert_int_equal(height_of(rig, 1), BASE_BLOCKS + i - 1);
        crew_tell_headers(rig->second, &rig->newest, 1);
        sim_world_run_for(rig->world, STEP_US);
        assert_int_equal(rig->n_asked, i);
        assert_int_equal(height_of(rig, 1), BASE_BLOCKS + i);
    }
    assert_int_equal(rig->n_unknown, 0);
}

TEST(headers_in_between_are_asked_for, struct rig *rig)
{
    sim_net_set_mute(sim_world_host(rig->world, 0), true);
    for (int i = 0; i < 12; i++) { /* so many are told of by an inv of the last */
        sim_world_mine(rig->world, 0);
        sim_world_run_for(rig->world, STEP_US / 10);
    }
    assert_int_equal(rig->n_heard, 0);
    sim_net_set_mute(sim_world_host(rig->world, 0), false);
    sim_world_run_for(rig->world, 9 * STEP_US);
    assert_int_equal(rig->n_heard, 12);
    assert_int_equal(rig->newest->height, BASE_BLOCKS + 12);
}

TEST(a_lost_connection_is_told, struct rig *rig)
{
    sim_world_crash(rig->world, 1, SIM_CRASH_KILLED);
    sim_world_run_for(rig->world, STEP_US);
    assert_int_equal(rig->n_lost, 1);
    assert_null(crew_find(&rig->crew, 6));
}
