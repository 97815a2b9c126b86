/* test_sim_capture_export.c - a simulated node's capture comes out in files. */
#include "sim/program/sim_capture_export.h"

#include "support/capture_fixture.h"

FIXTURE(capture_setup, capture_teardown)

TEST(both_directions_come_out, struct capture_fixture *f)
{
    assert_int_equal(access(f->path, R_OK), 0);
    char *sent = xasprintf("%.*ssent.dat", (int)(strlen(f->path) - strlen("recv.dat")), f->path);
    assert_int_equal(access(sent, R_OK), 0);
    xfree(sent);
}

TEST(a_folder_that_cannot_be_made_is_told, struct capture_fixture *f)
{
    (void)f;
    const struct sim_world_options options = {.seed = 3, .n_nodes = 1, .captures = true};
    struct sim_world *world = sim_world_new(&options);
    sim_world_start(world, 0);
    sim_world_run_for(world, 1000000);
    assert_int_equal(sim_capture_export(world, 0, "/no/such/place"), -1);
    assert_int_equal(sim_capture_export(world, 0, f->dir), 0); /* it has met nobody */
    sim_world_free(world);
}
