/* test_study_sample.c - a sample of two nodes: one tip, empty mempools, the traffic since. */
#include "sim/study/study_sample.h"
#include "support/unit.h"

static void keep(void *ctx, const char *line, size_t len)
{
    snprintf(ctx, 1000, "%.*s", (int)len, line);
}

TEST(two_nodes_that_have_met_agree)
{
    struct sim_base *base = sim_base_new(3);
    const struct sim_world_options options = {.n_nodes = 2, .base = base};
    struct sim_world *world = sim_world_new(&options);
    struct study_trace trace;
    struct study_sample sample;
    char line[1000] = "";
    study_trace_init(&trace, keep, line);
    study_sample_init(&sample, world, 2); /* both are off */
    sim_world_start(world, 0);
    sim_world_start(world, 1);
    sim_world_run_for(world, 20000000);
    study_sample_take(&sample, &trace);
    assert_non_null(strstr(line, "\"tips\":1,\"mempool\":[0,0,0],\"agreement\":1.000"));
    assert_non_null(strstr(line, "\"version\":"));
    study_sample_take(&sample, &trace);
    assert_non_null(strstr(line, "\"traffic\":{}"));
    study_sample_deinit(&sample);
    study_trace_deinit(&trace);
    sim_world_free(world);
    sim_base_free(base);
}
