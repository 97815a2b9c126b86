/* test_sim_replay.c - what a simulated node has heard, played to another, ends on the same tip. */
#include "sim/program/sim_replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/program/sim_capture_export.h"
#include "sim/program/sim_capture_file.h"
#include "sim/sim_guest.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { N_BLOCKS = 7 };

/* Two nodes meet, the first one mines; then all that the second one has heard is a file. */
struct fixture {
    char dir[64];
    char *path; /* of the file */
    struct sim_summary mined;
};

static void tell_answer(void *arg, int status, const char *body)
{
    (void)body;
    *(int *)arg = status;
}

static void play(struct sim_world *world, struct fixture *f)
{
    int status = 0;
    sim_world_start(world, 0);
    sim_world_start(world, 1);
    sim_world_run_for(world, 60000000);
    for (int i = 0; i < N_BLOCKS; i++) {
        sim_world_mine(world, 0);
        sim_world_run_for(world, 10000000);
    }
    assert_true(sim_world_summary(world, 1, &f->mined));
    assert_int_equal(f->mined.height, N_BLOCKS);
    sim_world_call(world, 1, "ping", "[]", tell_answer, &status);
    sim_world_run_for(world, 10000000);
    assert_int_equal(status, 200);
    assert_int_equal(sim_capture_export(world, 1, f->dir), 1);
}

static bool only_first(void *ctx, size_t from, size_t to)
{
    (void)ctx;
    return from == 1 && to == 0;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    strcpy(f->dir, "/tmp/cairn-replay-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    const struct sim_world_options options = {
        .seed = 3, .n_nodes = 2, .links = only_first, .captures = true};
    struct sim_world *world = sim_world_new(&options);
    play(world, f);
    char peer[64];
    snprintf(peer, sizeof peer, "%s_18444", sim_world_address(world, 0));
    f->path = xasprintf("%s/%s/msgs_recv.dat", f->dir, peer);
    sim_world_free(world);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char *command = xasprintf("rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    xfree(command);
    xfree(f->path);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

static int run(const char *first, const char *second, const char *third)
{
    const struct sim_outside nothing = {NULL, NULL, NULL};
    char *argv[] = {(char *)"replay", (char *)first, (char *)second, (char *)third};
    int n = 1;
    while (n < 4 && argv[n])
        n++;
    return sim_replay_command(n, argv, &nothing);
}

static void cut(const char *path, long n, const char *more)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), n), 0);
    assert_int_equal(fseek(file, n, SEEK_SET), 0);
    assert_true(fputs(more, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

TEST(the_other_node_ends_on_the_same_tip, struct fixture *f)
{
    struct sim_capture_file *file = sim_capture_file_open(f->path);
    assert_non_null(file);
    assert_true(sim_capture_file_count(file) > N_BLOCKS);
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
    assert_in_range(result.n_sent, N_BLOCKS, sim_capture_file_count(file)); /* without pongs */
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

TEST(a_command_plays_files, struct fixture *f)
{
    assert_int_equal(run(f->path, NULL, NULL), 0);
    assert_int_equal(run(f->path, f->path, "--max-gap=1"), 0); /* two peers say the same */
    /* A node of another network closes the connection: the status says it. */
    assert_int_equal(run(f->path, "--chain=signet", NULL), 1);
    assert_int_equal(run("--help", NULL, NULL), 0);
}

TEST(what_is_no_capture_is_refused, struct fixture *f)
{
    assert_int_equal(run(NULL, NULL, NULL), 2);
    assert_int_equal(run(f->path, "--chain=moon", NULL), 2);
    assert_int_equal(run(f->path, "--to=nowhere", NULL), 2);
    assert_int_equal(run(f->path, "--to=[::1]:0", NULL), 2);
    assert_int_equal(run(f->path, "--max-gap=-1", NULL), 2);
    assert_int_equal(run("no/such/file", NULL, NULL), 1);
    cut(f->path, 60, "");
    assert_int_equal(run(f->path, NULL, NULL), 1);
    cut(f->path, 0, "this is not a capture but a text of its own");
    assert_int_equal(run(f->path, NULL, NULL), 1);
    cut(f->path, 0, "");
    assert_int_equal(run(f->path, NULL, NULL), 1);
}
