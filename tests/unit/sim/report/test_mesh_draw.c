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

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

TEST(without_places_each_node_is_a_point)
{
    struct buffer trace;
    sim_trace_begin(&trace, 3);
    sim_trace_add(&trace, 0, "link", ",\"from\":0,\"to\":2");
    struct run *run = sim_trace_read(&trace);
    char *picture = draw(run);
    assert_int_equal(count(picture, "<circle"), 3);
    assert_int_equal(mesh_share_of(run).one_node_of, 1);
    assert_int_equal(mesh_share_of(run).one_link_of, 1);
    assert_non_null(strstr(picture, "<title>node 2, honest</title>"));
    xfree(picture);
    run_free(run);
}

/* Ten thousand points and their lines are megabytes, in which nobody sees anything. */
TEST(of_many_nodes_and_lines_some_are_drawn)
{
    enum { N = 2 * MESH_NODES_DRAWN_MAX, EACH = 14 };
    struct buffer trace;
    sim_trace_begin(&trace, N);
    sim_trace_add(&trace, 0, "node", ",\"node\":7,\"role\":\"selfish\"");
    for (int i = 0; i < N; i += 2)
        for (int k = 1; k <= EACH / 2; k++) {
            char text[80];
            snprintf(text, sizeof text, ",\"from\":%d,\"to\":%d", i, (i + 2 * k) % N);
            sim_trace_add(&trace, 0, "link", "%s", text);
        }
    struct run *run = sim_trace_read(&trace);
    struct mesh_share share = mesh_share_of(run);
    assert_int_equal(share.one_node_of, 2);
    assert_int_equal(share.one_link_of, N / 2 * EACH / 2 / MESH_LINKS_DRAWN_MAX + 1);
    char *picture = draw(run);
    assert_int_equal(count(picture, "<circle"), MESH_NODES_DRAWN_MAX + 1);
    assert_int_equal(count(picture, "f2 n"), 1);
    assert_true(strlen(picture) < 400000);
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
