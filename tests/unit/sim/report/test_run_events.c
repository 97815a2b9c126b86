/* test_run_events.c - what each event must have, and the limits of each list. */
#include "sim/report/run_events.h"
#include "support/sim_trace.h"
#include "support/unit.h"

/* What is said of a trace of four nodes with this line at its end. */
static char *error_of(const char *event, const char *rest)
{
    struct buffer trace;
    sim_trace_begin(&trace, 4);
    sim_trace_mined(&trace, 1, 0, 5, (unsigned[]){1, 0});
    sim_trace_add(&trace, 2, event, "%s", rest);
    return sim_trace_error(&trace);
}

#define MINER  ",\"node\":0,\"height\":6"
#define HASH_A "\"aa11111111111111111111111111111111111111111111111111111111111111\""

/* clang-format off */
static const struct { const char *event, *rest, *want; } bad[] = {
    {"run", ",\"format\":1,\"nodes\":4", "second event"},
    {"node", ",\"node\":100000", "\"node\""},
    {"node", ",\"node\":1,\"lat\":91,\"lon\":0,\"place\":\"x\"", "earth"},
    {"node", ",\"node\":1,\"lat\":1,\"place\":\"x\"", "\"lon\""},
    {"node", ",\"node\":1,\"role\":5", "\"role\""},
    {"node", ",\"node\":1,\"power\":\"1\"", "\"power\""},
    {"link", ",\"from\":0", "\"to\""},
    {"link", ",\"from\":0,\"to\":4", "there are 4 nodes"},
    {"unlink", ",\"from\":-1,\"to\":1", "\"from\""},
    {"mined", MINER ",\"hash\":\"12\",\"parent\":" HASH_A ",\"txs\":1,\"bytes\":1", "\"hash\""},
    {"mined", MINER ",\"hash\":" HASH_A ",\"txs\":1,\"bytes\":1", "\"parent\""},
    {"mined", MINER ",\"hash\":" HASH_A ",\"parent\":" HASH_A ",\"txs\":1.5",
     "\"txs\""},
    {"tip", ",\"node\":0", "\"hash\""},
    {"tx", ",\"node\":7", "\"node\""},
    {"sample", ",\"tips\":1,\"mempool\":[1,2],\"traffic\":{}", "\"mempool\""},
    {"sample", ",\"tips\":1,\"mempool\":[1,2,3]", "\"traffic\""},
    {"sample", ",\"tips\":1,\"mempool\":[1,2,3],\"traffic\":{\"tx\":-1}", "\"traffic\""},
    {"sample", ",\"tips\":1,\"mempool\":[1,2,3],\"traffic\":{},\"agreement\":1.000001",
     "\"agreement\""},
    {"up", ",\"node\":1", "not down"},
    {"partition", "", "\"groups\""},
    {"attack", ",\"node\":1,\"kind\":\"\",\"what\":\"x\"", "\"kind\""},
    {"end", ",\"agreed\":true", "\"txs_mined\""},
};
/* clang-format on */

TEST(what_is_missing_or_wrong_is_named)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char *error = error_of(bad[i].event, bad[i].rest);
        if (!error || !strstr(error, bad[i].want) || strncmp(error, "line 4: ", 8) != 0)
            fail_msg("row %zu: %s", i, error ? error : "taken");
        xfree(error);
    }
}

TEST(what_is_not_known_is_passed_over)
{
    assert_null(error_of("weather", ",\"rain\":true"));
    assert_null(error_of("tip", ",\"node\":0,\"hash\":" HASH_A ",\"mood\":\"good\""));
    assert_null(
        error_of("sample", ",\"tips\":1,\"mempool\":[1,2,3],\"traffic\":{},\"agreement\":1.0"));
}

TEST(heights_and_hashes_are_those_of_a_chain)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_mined(&trace, 1, 0, 5, (unsigned[]){1, 0});
    sim_trace_mined(&trace, 2, 0, 7, (unsigned[]){2, 1});
    char *error = sim_trace_error(&trace);
    assert_non_null(error);
    assert_non_null(strstr(error, "parent's is 5"));
    xfree(error);
    sim_trace_begin(&trace, 2);
    sim_trace_mined(&trace, 1, 0, 5, (unsigned[]){1, 0});
    sim_trace_mined(&trace, 2, 1, 5, (unsigned[]){1, 0});
    error = sim_trace_error(&trace);
    assert_non_null(error);
    assert_non_null(strstr(error, "mined before"));
    xfree(error);
}

TEST(time_does_not_go_back)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_add(&trace, 5, "heal", "%s", "");
    sim_trace_add(&trace, 5, "heal", "%s", "");
    sim_trace_add(&trace, 4.999999, "heal", "%s", "");
    char *error = sim_trace_error(&trace);
    assert_non_null(error);
    assert_non_null(strstr(error, "line 4: the time goes back"));
    xfree(error);
}

TEST(the_first_line_is_kept_as_parameters)
{
    struct run *run = sim_trace_sample(1);
    assert_non_null(run);
    assert_string_equal(run->name, "by hand");
    assert_int_equal(run->seed, 7);
    assert_int_equal(run->parameters.n, 3); /* seed, nodes, interval_s */
    assert_string_equal(run->parameters.at[2].name, "interval_s");
    assert_string_equal(run->parameters.at[2].value, "600");
    assert_true(run->has_geography && run->has_ended && run->has_agreed);
    assert_int_equal(run->samples.n, 3);
    assert_int_equal(run->partitions.at[0].to_us, 130000000);
    assert_int_equal(run->partitions.at[0].n_groups, 2);
    assert_string_equal(names_get(&run->whats, run->attacks.at[0].what), "withholds");
    run_free(run);
}

TEST(the_lists_have_limits)
{
    static const char *const lines[] = {
        "{\"t\":180,\"ev\":\"sample\",\"tips\":1,\"mempool\":[1,2,3],\"traffic\":{}}",
        "{\"t\":180,\"ev\":\"partition\",\"groups\":[]}",
        "{\"t\":180,\"ev\":\"attack\",\"node\":1}",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct run *run = sim_trace_sample(1);
        run->has_ended = false;
        struct arena arena;
        arena_init(&arena, 4096);
        struct json_value *json;
        assert_true(json_parse(span_of_string(lines[i]), &arena, &json));
        char *error = NULL;
        size_t n = i == 0 ? RUN_SAMPLES_MAX - run->samples.n : RUN_MARKS_MAX - 1;
        while (n-- > 0)
            assert_true(run_apply(run, json, &error));
        assert_false(run_apply(run, json, &error));
        assert_non_null(strstr(error, "more than"));
        xfree(error);
        arena_deinit(&arena);
        run_free(run);
    }
}
