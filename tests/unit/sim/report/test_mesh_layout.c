/* test_mesh_layout.c - nodes have places within the square, the same each time. */
#include "sim/report/mesh_layout.h"
#include "support/sim_trace.h"
#include "support/unit.h"

/* Two crowds of four with one link between them. */
static struct run *two_crowds(void)
{
    struct buffer trace;
    sim_trace_begin(&trace, 8);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned j = i + 1; j < 8; j++)
            if (i % 2 == j % 2 || j == 1)
                sim_trace_add(&trace, 0, "link", ",\"from\":%u,\"to\":%u", i, j);
    return sim_trace_read(&trace);
}

static double distance(struct mesh_point a, struct mesh_point b)
{
    return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

TEST(who_is_linked_is_near)
{
    struct run *run = two_crowds();
    struct mesh_point points[8], again[8];
    mesh_layout(run, points);
    mesh_layout(run, again);
    assert_memory_equal(points, again, sizeof points);
    double own = 0, other = 0;
    for (int i = 2; i < 8; i++) {
        assert_true(points[i].x >= 0 && points[i].x <= 1 && points[i].y >= 0 && points[i].y <= 1);
        own += distance(points[i], points[i % 2]);
        other += distance(points[i], points[1 - i % 2]);
    }
    assert_true(own < other);
    run_free(run);
}

TEST(many_stand_on_a_spiral_and_one_alone_in_the_middle)
{
    struct buffer trace;
    sim_trace_begin(&trace, MESH_PUSHED_MAX + 1);
    struct run *run = sim_trace_read(&trace);
    struct mesh_point points[MESH_PUSHED_MAX + 1];
    mesh_layout(run, points);
    for (int i = 0; i <= MESH_PUSHED_MAX; i++)
        assert_true(distance(points[i], (struct mesh_point){0.5, 0.5}) <= 0.25);
    run_free(run);
    sim_trace_begin(&trace, 1);
    run = sim_trace_read(&trace);
    mesh_layout(run, points);
    assert_true(points[0].x >= 0 && points[0].x <= 1);
    run_free(run);
}
