/* test_link_command.c - commands of the socket, and their answers. */
#include "host/link_command.h"

#include "host/link_net.h"
#include "support/unit.h"
#include "util/alloc.h"

static int setup(void **state)
{
    struct link_net *net = xcalloc(1, sizeof *net);
    link_net_init(net, 1, -1);
    *state = net;
    return 0;
}

static int teardown(void **state)
{
    link_net_deinit(*state);
    xfree(*state);
    return 0;
}

FIXTURE(setup, teardown)

static void answers(struct link_net *net, const char *line, const char *want)
{
    char *changed = xstrdup(line);
    struct buffer answer;
    buffer_init(&answer);
    link_command(net, changed, &answer);
    buffer_append(&answer, "", 1);
    assert_string_equal((const char *)answer.p, want);
    buffer_deinit(&answer);
    xfree(changed);
}

static int64_t delay_us(struct link_net *net, uint32_t from, uint32_t to)
{
    int64_t due_us = -1;
    enum link_fate fate = link_pairs_judge(net->pairs, (const uint32_t[]){from, to}, 1, 0, &due_us);
    return fate == LINK_PASSES ? due_us : -(int64_t)fate;
}

TEST(links_are_set_for_one_pair_for_one_node_and_for_all, struct link_net *net)
{
    answers(net, "link 1 2 300 0 0 0", "ok");
    assert_int_equal(delay_us(net, 1, 2), 300);
    assert_int_equal(delay_us(net, 2, 1), 0);
    answers(net, "link * * 10 0 0 0\n", "ok");
    assert_int_equal(delay_us(net, 2, 1), 10);
    answers(net, "reset", "ok");
    answers(net, "link * * 1000 0 1000000 0", "ok");
    assert_int_equal(delay_us(net, 1, 2), -LINK_LOST);
    answers(net, "link 4 * 5000 0 0 0", "ok"); /* there is nobody to set it for */
    assert_int_equal(delay_us(net, 4, 5), -LINK_LOST);
}

TEST(groups_cut_and_heal, struct link_net *net)
{
    answers(net, "group 1 0 2 4", "ok");
    assert_int_equal(delay_us(net, 0, 1), -LINK_CUT);
    assert_int_equal(delay_us(net, 4, 2), 0);
    answers(net, "heal", "ok");
    assert_int_equal(delay_us(net, 0, 1), 0);
}

TEST(figures_are_told, struct link_net *net)
{
    net->counts = (struct link_counts){.passed = 5, .passed_bytes = 77, .lost = 2, .full = 1};
    answers(net, "stats", "ok nodes 0 passed 5 bytes 77 lost 2 cut 0 full 1 waiting 0");
}

TEST(bad_commands_change_nothing, struct link_net *net)
{
    static const char *const odd[] = {
        "",
        "  ",
        "bogus",
        "link",
        "link 1 2",
        "link 1 2 3 4 5",
        "link 1 2 -1 0 0 0",
        "link 1 2 x 0 0 0",
        "link 4096 0 0 0 0 0",
        "link 0 4096 0 0 0 0",
        "link 0 0 60000001 0 0 0",
        "link 0 0 0 60000001 0 0",
        "link 0 0 0 0 1000001 0",
        "link 0 0 0 0 0 1000000000001",
        "add",
        "add -1",
        "add 4096",
        "group",
        "group x",
        "group 4097",
        "group 1 x",
        "group 1 4096",
    };
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        answers(net, odd[i], "error not understood; see link_command.h");
    answers(net, "remove 3", "error no such node");
    answers(net, "remove", "error no such node");
    assert_int_equal(delay_us(net, 0, 0), 0);
    assert_int_equal(net->n_nodes, 0);
}
