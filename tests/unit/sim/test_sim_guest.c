/* test_sim_guest.c - a guest has the world's clock and reaches its nodes. */
#include "sim/sim_guest.h"

#include "support/unit.h"

struct seen {
    bool has_connected;
};

static void on_connect(void *arg, uint64_t stream, const char *address, uint16_t port)
{
    struct seen *seen = arg;
    (void)stream;
    (void)address;
    (void)port;
    seen->has_connected = true;
}

static void on_close(void *arg, uint64_t stream, int error)
{
    (void)arg;
    (void)stream;
    (void)error;
}

TEST(a_guest_reaches_a_node)
{
    static const struct env_stream_events events = {.on_connect = on_connect, .on_close = on_close};
    const struct sim_world_options options = {.seed = 1, .n_nodes = 1};
    struct sim_world *world = sim_world_new(&options);
    struct sim_guest *guest = sim_guest_new(world, "9.9.9.9");
    const struct env *env = sim_guest_env(guest);
    struct seen seen = {0};
    sim_world_start(world, 0);
    sim_world_run_for(world, 1000000);
    assert_int_equal(env_now_us(env), sim_world_now_us(world));
    uint64_t stream = env_stream_connect(env, sim_world_address(world, 0), 18444, &events, &seen);
    assert_true(stream != 0);
    sim_world_run_for(world, 1000000);
    assert_true(seen.has_connected);
    sim_guest_free(guest);
    sim_world_free(world);
}
