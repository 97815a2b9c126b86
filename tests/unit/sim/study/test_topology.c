/* test_topology.c - connections as asked for, all nodes joined. */
#include "sim/study/topology.h"
#include "support/unit.h"
#include "util/assert.h"

static size_t n_links(int64_t kind, int64_t nodes)
{
    struct scenario s;
    struct topology t;
    char error[SCENARIO_ERROR_BYTES] = "";
    scenario_init(&s);
    s.value[SCENARIO_NODES] = nodes;
    s.value[SCENARIO_TOPOLOGY] = kind;
    s.value[SCENARIO_OUTBOUND] = 3;
    assert_true(topology_init(&t, &s, error));
    size_t n = 0;
    for (int64_t i = 0; i < nodes; i++)
        n += t.links[i].n;
    assert_int_equal(n, t.n);
    topology_deinit(&t);
    scenario_deinit(&s);
    return n;
}

TEST(each_kind_has_its_number_of_links)
{
    assert_int_equal(n_links(TOPOLOGY_RING, 2), 1);
    assert_int_equal(n_links(TOPOLOGY_RING, 9), 9);
    assert_int_equal(n_links(TOPOLOGY_LINE, 9), 8);
    assert_int_equal(n_links(TOPOLOGY_STAR, 9), 8);
    assert_int_equal(n_links(TOPOLOGY_FULL, 9), 36);
    assert_int_equal(n_links(TOPOLOGY_RANDOM, 40), 120);
}

TEST(links_that_cannot_be_are_refused)
{
    static const struct {
        struct scenario_link link[3];
        size_t n;
        const char *error;
    } cases[] = {{{{0, 1}, {1, 0}}, 2, "connected twice"},
                 {{{0, 1}, {1, 1}}, 2, "cannot connect to itself"},
                 {{{0, 1}}, 1, "no way from node 0 to node 2"},
                 {{{0, 1}, {2, 1}}, 2, NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scenario s;
        struct topology t;
        char error[SCENARIO_ERROR_BYTES] = "";
        scenario_init(&s);
        s.value[SCENARIO_NODES] = 3;
        s.value[SCENARIO_TOPOLOGY] = TOPOLOGY_LINKS;
        for (size_t k = 0; k < cases[i].n; k++)
            *ARRAY_ADD(&s.links) = cases[i].link[k];
        assert_int_equal(topology_init(&t, &s, error), cases[i].error == NULL);
        assert_true(!cases[i].error || strstr(error, cases[i].error));
        topology_deinit(&t);
        scenario_deinit(&s);
    }
}

TEST(a_selfish_miner_has_no_links)
{
    static const struct {
        int64_t kind;
        uint32_t node;
        size_t n; /* 0: the others fall apart */
    } cases[] = {{TOPOLOGY_RING, 2, 4}, {TOPOLOGY_LINE, 0, 4}, {TOPOLOGY_LINE, 3, 0},
                 {TOPOLOGY_STAR, 5, 4}, {TOPOLOGY_STAR, 0, 0}, {TOPOLOGY_FULL, 1, 10}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scenario s;
        struct topology t;
        char error[SCENARIO_ERROR_BYTES] = "";
        scenario_init(&s);
        s.value[SCENARIO_NODES] = 6;
        s.value[SCENARIO_TOPOLOGY] = cases[i].kind;
        *ARRAY_ADD(&s.attackers) = (struct scenario_attacker){
            .node = cases[i].node, .target = SCENARIO_NO_TARGET, .kind = "selfish"};
        assert_int_equal(topology_init(&t, &s, error), cases[i].n > 0);
        assert_int_equal(t.n, cases[i].n);
        assert_true(cases[i].n > 0 || strstr(error, "a selfish miner relays nothing"));
        assert_int_equal(cases[i].n > 0 ? t.links[cases[i].node].n : 0, 0);
        topology_deinit(&t);
        scenario_deinit(&s);
    }
}
