/* test_mesh_draw.c - a map where there are places, points where there are none. */
#include "sim/report/mesh_draw.h"
#include "support/sim_trace.h"
#include "support/unit.h"

static char *draw(const struct run *run)
{
    struct buffer out;
    buffer_init(&out);
    mesh_draw(run, "mesh", &out, NULL);
    buffer_append(&out, "", 1);
    return (char *)out.p;
}

TEST(places_are_named_and_counted)
{
    struct run *run = sim_trace_sample(1);
    char *picture = draw(run), *again = draw(run);
    assert_string_equal(picture, again);
    assert_non_null(strstr(picture, ">Frankfurt</text>"));
    assert_non_null(strstr(picture, "<title>T&lt;o&gt;kyo &amp; co: 2 nodes</title>"));
    /* Node 5 is no honest one. */
    assert_non_null(strstr(picture, "class=\"f2 n\""));
    xfree(picture);
    xfree(again);
    run_free(run);
}

TEST(without_places_each_node_is_a_point)
{
    struct buffer trace;
    sim_trace_begin(&trace, 3);
    sim_trace_add(&trace, 0, "link", ",\"from\":0,\"to\":2");
    struct run *run = sim_trace_read(&trace);
    char *picture = draw(run);
    size_t n = 0;
    for (const char *at = picture; (at = strstr(at, "<circle")) != NULL; at++)
        n++;
    assert_int_equal(n, 3);
    assert_non_null(strstr(picture, "<title>node 2, honest</title>"));
    xfree(picture);
    run_free(run);
}

/* A trace is from outside: what it says twice must not do harm. */
TEST(a_node_that_is_told_of_twice_is_where_it_was_last)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_add(&trace, 0, "node", ",\"node\":0,\"place\":\"Here\",\"lat\":1.00,\"lon\":2.00");
    sim_trace_add(&trace, 0, "node", ",\"node\":0,\"place\":\"There\",\"lat\":3.00,\"lon\":4.00");
    struct run *run = sim_trace_read(&trace);
    char *picture = draw(run);
    assert_non_null(strstr(picture, ">There</text>"));
    assert_null(strstr(picture, "Here"));
    xfree(picture);
    run_free(run);
}
