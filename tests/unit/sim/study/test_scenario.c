/* test_scenario.c - fields by their names and limits. */
#include "sim/study/scenario.h"
#include "support/unit.h"

TEST(a_field_has_its_name_an_older_one_and_limits)
{
    struct scenario s;
    char error[SCENARIO_ERROR_BYTES];
    scenario_init(&s);
    assert_int_equal(scenario_find("latency-min-ms", 14), SCENARIO_LATENCY_MIN_MS);
    assert_int_equal(scenario_find("latency_min_ms", 14), SCENARIO_LATENCY_MIN_MS);
    assert_int_equal(scenario_find("latency-min", 11), SCENARIO_LATENCY_MIN_MS);
    assert_int_equal(scenario_find("latency", 7), SCENARIO_FIELDS);
    assert_true(scenario_set(&s, SCENARIO_NODES, "10000", error));
    assert_false(scenario_set(&s, SCENARIO_NODES, "10001", error));
    assert_non_null(strstr(error, "nodes is \"10001\""));
    assert_true(scenario_set(&s, SCENARIO_TOPOLOGY, "ring", error));
    assert_int_equal(s.value[SCENARIO_TOPOLOGY], TOPOLOGY_RING);
    assert_false(scenario_set(&s, SCENARIO_TOPOLOGY, "torus", error));
    assert_non_null(strstr(error, "own, random, ring, line, star, full, links"));
    scenario_deinit(&s);
}

TEST(what_cannot_be_together_is_refused)
{
    struct scenario s;
    char error[SCENARIO_ERROR_BYTES];
    scenario_init(&s);
    assert_true(scenario_check(&s, error));
    s.value[SCENARIO_TOPOLOGY] = TOPOLOGY_RANDOM;
    s.value[SCENARIO_OUTBOUND] = 10;
    assert_false(scenario_check(&s, error));
    s.value[SCENARIO_OUTBOUND] = 9;
    assert_true(scenario_check(&s, error));
    s.value[SCENARIO_MINERS] = 21;
    assert_false(scenario_check(&s, error));
    s.value[SCENARIO_MINERS] = 0;
    *ARRAY_ADD(&s.attackers) = (struct scenario_attacker){.node = 20, .kind = "lie"};
    assert_false(scenario_check(&s, error));
    assert_non_null(strstr(error, "attackers: there is no node 20"));
    scenario_deinit(&s);
}

TEST(attackers_are_where_they_can_be)
{
    const uint32_t none = SCENARIO_NO_TARGET;
    const struct {
        struct scenario_attacker attackers[2];
        const char *error;
    } cases[] = {
        {{{1, none, "selfish"}, {2, none, "stall"}}, NULL},
        {{{1, 3, "eclipse"}, {2, none, "lie"}}, NULL},
        {{{1, none, "selfish"}, {2, none, "selfish"}}, "no more than one"},
        {{{1, none, "stall"}, {1, none, "lie"}}, "node 1 is there twice"},
        {{{1, none, "eclipse"}, {2, none, "lie"}}, "which is missing"},
        {{{1, none, "stall"}, {2, 3, "lie"}}, "the others have none"},
        {{{1, none, "selfish"}, {2, 1, "eclipse"}}, "target: node 1 cannot be reached"},
        {{{1, none, "stall"}, {2, 20, "eclipse"}}, "target: node 20 cannot be reached"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scenario s;
        char error[SCENARIO_ERROR_BYTES];
        scenario_init(&s);
        *ARRAY_ADD(&s.attackers) = cases[i].attackers[0];
        *ARRAY_ADD(&s.attackers) = cases[i].attackers[1];
        assert_int_equal(scenario_check(&s, error), cases[i].error == NULL);
        assert_true(!cases[i].error || strstr(error, cases[i].error));
        assert_int_equal(scenario_is_private(&s, 1),
                         strcmp(cases[i].attackers[0].kind, "selfish") == 0);
        scenario_deinit(&s);
    }
}

TEST(a_misspelt_name_is_known_again)
{
    static const char *const names[] = {"jitter_ms", "loss_ppm"};
    assert_string_equal(scenario_near("jiter_ms", names, 2), "jitter_ms");
    assert_null(scenario_near("bandwidth", names, 2));
}
