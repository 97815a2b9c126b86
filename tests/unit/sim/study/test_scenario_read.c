/* test_scenario_read.c - scenario files: what is wrong is told with its field and line. */
#include "sim/study/scenario_read.h"
#include "support/unit.h"
#include "util/assert.h"

static const struct {
    const char *text, *error;
} bad[] = {
    {"", "f:1: this is no JSON"},
    {"{\n\"nodes\": 3,\n}", "f:3: this is no JSON"},
    {"[1]", "f:1: a scenario is an object"},
    {"{\n\"latncy_min_ms\": 1}", "f:2: latncy_min_ms is no field; is it latency_min_ms?"},
    {"{\"colour\": 1}", "f:1: colour is no field"},
    {"{\"nodes\": 1}", "f:1: nodes is \"1\", but must be a number from 2 to 10000"},
    {"{\"nodes\": \"5\"}", "f:1: nodes must be a number, not a string"},
    {"{\"nodes\": 2.5}", "f:1: nodes is \"2.5\""},
    {"{\"nodes\": 5,\n\"nodes\": 6}", "f:2: nodes stands here twice"},
    {"{\"topology\":\n\"torus\"}", "f:2: topology is \"torus\", but must be one of own,"},
    {"{\"name\": \"a\\\"b\"}", "f:1: name has no quotes"},
    {"{\"chain\": 5}", "f:1: chain must be the path of a chain file"},
    {"{\"chain\": \"\"}", "f:1: chain must be the path of a chain file"},
    {"{\"links\": [[0]]}", "f:1: links must be pairs"},
    {"{\"links\": [[0,-1]]}", "f:1: a node is a number"},
    {"{\"machines\": [\n{\"node\": 1, \"place\": \"Tokio\"}]}",
     "f:2: place is none of the cities; is it Tokyo?"},
    {"{\"machines\": [{\"place\": \"Tokyo\"}]}", "f:1: node is missing"},
    {"{\"machines\": [{\"node\": 1, \"powr\": 1}]}", "f:1: powr is no field; is it power?"},
    {"{\"machines\": [{\"node\": 1, \"power\": -1}]}", "f:1: power must be"},
    {"{\"attackers\": [{\"node\": 1, \"kind\": \"rude\"}]}", "f:1: kind must be one of"},
    {"{\"partitions\": [{\"from_s\": 9, \"to_s\": 9}]}", "f:1: a partition ends after it begins"},
    {"{\"partitions\": {}}", "f:1: partitions must be an array of objects"},
};

TEST(what_is_wrong_is_told_with_its_line)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct scenario s;
        char error[SCENARIO_ERROR_BYTES] = "";
        scenario_init(&s);
        assert_false(scenario_read(&s, "f", span_of_string(bad[i].text), error));
        if (strncmp(error, bad[i].error, strlen(bad[i].error)) != 0)
            fail_msg("%s: %s", bad[i].text, error);
        scenario_deinit(&s);
    }
}

TEST(all_members_are_read)
{
    static const char text[] =
        "{\"name\": \"n\", \"nodes\": 4, \"topology\": \"links\", \"links\": [[0,1],[1,2]],"
        "\"shared_cache\": false, \"attackers\": [{\"node\": 3, \"kind\": \"selfish\"},"
        "{\"node\": 2, \"kind\": \"eclipse\", \"target\": 0}],"
        "\"machines\": [{\"node\": 2, \"power\": 1.5, \"rate_kbytes_per_s\": 9}],"
        "\"partitions\": [{\"from_s\": 1, \"to_s\": 2, \"groups\": [[0],[1,2]]}]}";
    struct scenario s;
    char error[SCENARIO_ERROR_BYTES] = "";
    scenario_init(&s);
    assert_true(scenario_read(&s, "f", span_of_string(text), error));
    assert_string_equal(s.name, "n");
    assert_int_equal(s.links.n, 2);
    assert_int_equal(s.links.at[1].to, 2);
    assert_int_equal(s.value[SCENARIO_SHARED_CACHE], 0);
    assert_string_equal(s.attackers.at[0].kind, "selfish");
    assert_int_equal(s.attackers.at[0].target, SCENARIO_NO_TARGET);
    assert_int_equal(s.attackers.at[1].target, 0);
    assert_int_equal(s.machines.at[0].power_milli, 1500);
    assert_int_equal(s.machines.at[0].rate_kbytes_per_s, 9);
    assert_int_equal(s.partitions.at[0].sides.n, 3);
    assert_int_equal(s.partitions.at[0].sides.at[2].to, 1);
    assert_true(scenario_check(&s, error));
    scenario_deinit(&s);
}

/* It stands beside the scenario, whatever folder the program was started in. */
TEST(a_chain_file_is_looked_for_beside_the_scenario)
{
    static const struct {
        const char *file, *chain, *path;
    } rows[] = {{"s.json", "my.json", "my.json"},
                {"a/b/s.json", "my.json", "a/b/my.json"},
                {"/s.json", "c/my.json", "/c/my.json"},
                {"a/s.json", "/etc/my.json", "/etc/my.json"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct scenario s;
        char text[100], error[SCENARIO_ERROR_BYTES] = "";
        scenario_init(&s);
        snprintf(text, sizeof text, "{\"chain\": \"%s\"}", rows[i].chain);
        assert_true(scenario_read(&s, rows[i].file, span_of_string(text), error));
        assert_string_equal(s.chain, rows[i].path);
        scenario_deinit(&s);
    }
}

TEST(a_path_has_a_limit)
{
    struct scenario s;
    char text[SCENARIO_PATH_BYTES + 20], error[SCENARIO_ERROR_BYTES] = "";
    for (int more = 0; more <= 1; more++) {
        int len = SCENARIO_PATH_BYTES - 1 + more;
        scenario_init(&s);
        snprintf(text, sizeof text, "{\"chain\": \"%0*d\"}", len, 0);
        assert_int_equal(scenario_read(&s, "f", span_of_string(text), error), more == 0);
        scenario_deinit(&s);
    }
    assert_string_equal(error, "f:1: chain: the path is longer than 1023 bytes");
}
