/* test_wire_peer.c - a node takes who speaks by hand for a peer, and is found again. */
#include "sim/actors/wire_peer.h"

#include "consensus/network.h"
#include "sim/sim_guest.h"
#include "support/unit.h"

#define STEP_US INT64_C(1000000)

struct rig {
    struct sim_world *world;
    struct sim_guest *guest;
    struct wire_peer *peer;
    unsigned n_ready, n_lost, n_pongs;
    bool has_asked; /* the node has sent getheaders, as to any peer with blocks */
};

static void on_ready(void *arg)
{
    ((struct rig *)arg)->n_ready++;
}

static void on_message(void *arg, const char *name, struct span payload)
{
    struct rig *rig = arg;
    rig->n_pongs += strcmp(name, "pong") == 0 && payload.len == 8 && payload.p[0] == 42;
    rig->has_asked |= strcmp(name, "getheaders") == 0;
}

static void on_lost(void *arg)
{
    ((struct rig *)arg)->n_lost++;
}

static const struct wire_peer_events events = {
    .ready = on_ready, .message = on_message, .lost = on_lost};

static void rig_init(struct rig *rig)
{
    const struct sim_world_options options = {.seed = 1, .n_nodes = 1};
    *rig = (struct rig){.world = sim_world_new(&options)};
    sim_world_start(rig->world, 0);
    sim_world_run_for(rig->world, STEP_US);
    rig->guest = sim_guest_new(rig->world, "9.9.9.9");
    const struct wire_peer_options peer = {.address = sim_world_address(rig->world, 0),
                                           .port = 18444,
                                           .magic = network_get(NETWORK_REGTEST)->magic,
                                           .events = &events,
                                           .arg = rig};
    rig->peer = wire_peer_new(sim_guest_env(rig->guest), &peer);
}

static void rig_deinit(struct rig *rig)
{
    wire_peer_free(rig->peer);
    sim_guest_free(rig->guest);
    sim_world_free(rig->world);
}

TEST(both_greet_and_the_node_answers)
{
    static const uint8_t nonce[8] = {42};
    struct rig rig;
    rig_init(&rig);
    wire_peer_send(rig.peer, "ping", span_of(nonce, sizeof nonce)); /* too early: not sent */
    sim_world_run_for(rig.world, STEP_US);
    assert_int_equal(rig.n_ready, 1);
    assert_true(wire_peer_is_ready(rig.peer));
    assert_true(rig.has_asked);
    assert_int_equal(rig.n_pongs, 0);
    wire_peer_send(rig.peer, "ping", span_of(nonce, sizeof nonce));
    sim_world_run_for(rig.world, STEP_US);
    assert_int_equal(rig.n_pongs, 1);
    /* Who did not answer pings would be let go within 20 minutes. */
    sim_world_run_for(rig.world, INT64_C(1800) * STEP_US);
    assert_int_equal(rig.n_lost, 0);
    rig_deinit(&rig);
}

TEST(it_comes_back_when_the_node_does)
{
    struct rig rig;
    rig_init(&rig);
    sim_world_run_for(rig.world, STEP_US);
    sim_world_crash(rig.world, 0, SIM_CRASH_KILLED);
    sim_world_run_for(rig.world, STEP_US);
    assert_int_equal(rig.n_lost, 1);
    assert_false(wire_peer_is_ready(rig.peer));
    sim_world_run_for(rig.world, 3 * WIRE_PEER_RETRY_US); /* nobody is there */
    sim_world_start(rig.world, 0);
    sim_world_run_for(rig.world, 3 * WIRE_PEER_RETRY_US);
    assert_int_equal(rig.n_ready, 2);
    assert_true(wire_peer_is_ready(rig.peer));
    rig_deinit(&rig);
}
