/* test_player.c - what a simulated node has heard, played to another, ends on the same tip. */
#include "sim/replay/player.h"

#include "sim/program/sim_capture_file.h"
#include "sim/sim_guest.h"
#include "support/capture_fixture.h"

FIXTURE(capture_setup, capture_teardown)

TEST(the_other_node_ends_on_the_same_tip, struct capture_fixture *f)
{
    struct sim_capture_file *file = sim_capture_file_open(f->path);
    assert_non_null(file);
    assert_true(sim_capture_file_count(file) > CAPTURE_BLOCKS);
    const struct player_source source = sim_capture_file_source(file);
    const struct sim_world_options options = {.seed = 8, .n_nodes = 1};
    struct sim_world *world = sim_world_new(&options);
    struct sim_guest *guest = sim_guest_new(world, "9.9.9.9");
    const struct env *env = sim_guest_env(guest);
    int64_t begins_s = sim_capture_file_begins_us(file) / 1000000;
    sim_world_move_clock(world, 0, begins_s - env_unix_s(env));
    sim_world_start(world, 0);
    sim_world_run_for(world, 1000000);
    const struct player_options play = {.address = sim_world_address(world, 0),
                                        .port = 18444,
                                        .magic = network_find("regtest")->magic,
                                        .sources = &source,
                                        .n_sources = 1,
                                        .max_gap_us = -1,
                                        .linger_us = 1000000};
    struct player *player = player_new(env, &play);
    for (int i = 0; i < 1000 && !player_has_ended(player); i++)
        sim_world_run_for(world, 1000000);
    assert_true(player_has_ended(player));
    struct player_result result = player_result_of(player, 0);
    assert_true(result.has_connected && !result.was_closed);
    assert_int_equal(result.error, 0);
    assert_in_range(result.n_sent, CAPTURE_BLOCKS,
                    sim_capture_file_count(file)); /* without pongs */
    assert_true(result.n_received > 3);
    struct sim_summary got;
    assert_true(sim_world_summary(world, 0, &got));
    assert_string_equal(got.tip, f->mined.tip);
    assert_string_equal(got.muhash, f->mined.muhash);
    player_free(player);
    sim_guest_free(guest);
    sim_world_free(world);
    sim_capture_file_close(file);
}

static bool no_message(void *ctx, struct player_message *out)
{
    (void)ctx;
    (void)out;
    return false;
}

TEST(a_source_without_messages_ends_at_once, struct capture_fixture *f)
{
    (void)f;
    const struct player_source source = {.next = no_message};
    const struct sim_world_options options = {.seed = 8, .n_nodes = 1};
    struct sim_world *world = sim_world_new(&options);
    struct sim_guest *guest = sim_guest_new(world, "9.9.9.9");
    const struct player_options play = {.address = "8.8.8.8",
                                        .port = 1,
                                        .magic = network_find("regtest")->magic,
                                        .sources = &source,
                                        .n_sources = 1,
                                        .linger_us = 1000};
    struct player *player = player_new(sim_guest_env(guest), &play);
    assert_false(player_has_ended(player));
    sim_world_run_for(world, 2000);
    assert_true(player_has_ended(player));
    assert_false(player_result_of(player, 0).has_connected);
    player_free(player);
    sim_guest_free(guest);
    sim_world_free(world);
}
