/* capture_fixture.h - a file of messages that a simulated node has heard, for tests of a replay. */
#ifndef SUPPORT_CAPTURE_FIXTURE_H
#define SUPPORT_CAPTURE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/program/sim_capture_export.h"
#include "sim/sim_world.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { CAPTURE_BLOCKS = 7 };

/* Two nodes meet, the first one mines; then all that the second one has heard is a file. */
struct capture_fixture {
    char dir[64];
    char *path; /* of the file */
    struct sim_summary mined;
};

static void tell_answer(void *arg, int status, const char *body)
{
    (void)body;
    *(int *)arg = status;
}

static void capture_play(struct sim_world *world, struct capture_fixture *f)
{
    int status = 0;
    sim_world_start(world, 0);
    sim_world_start(world, 1);
    sim_world_run_for(world, 60000000);
    for (int i = 0; i < CAPTURE_BLOCKS; i++) {
        sim_world_mine(world, 0);
        sim_world_run_for(world, 10000000);
    }
    assert_true(sim_world_summary(world, 1, &f->mined));
    assert_int_equal(f->mined.height, CAPTURE_BLOCKS);
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

static int capture_setup(void **state)
{
    struct capture_fixture *f = xcalloc(1, sizeof *f);
    strcpy(f->dir, "/tmp/cairn-replay-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    const struct sim_world_options options = {
        .seed = 3, .n_nodes = 2, .links = only_first, .captures = true};
    struct sim_world *world = sim_world_new(&options);
    capture_play(world, f);
    char peer[64];
    snprintf(peer, sizeof peer, "%s_18444", sim_world_address(world, 0));
    f->path = xasprintf("%s/%s/msgs_recv.dat", f->dir, peer);
    sim_world_free(world);
    *state = f;
    return 0;
}

static int capture_teardown(void **state)
{
    struct capture_fixture *f = *state;
    char *command = xasprintf("rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    xfree(command);
    xfree(f->path);
    xfree(f);
    return 0;
}

/* All that the file holds from byte n on is that text. */
static inline void capture_rewrite(const struct capture_fixture *f, long n, const char *text)
{
    FILE *file = fopen(f->path, "r+b");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), n), 0);
    assert_int_equal(fseek(file, n, SEEK_SET), 0);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#endif
