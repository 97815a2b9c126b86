/* test_sim_scenario.c - a short scenario ends in agreement, twice the same; many: tests/sim. */
#include "sim/sim_scenario.h"
#include "support/unit.h"

struct lines {
    uint64_t n;
    bool has_healed, has_agreed;
};

static void on_trace(void *ctx, const char *line)
{
    struct lines *lines = ctx;
    lines->n++;
    lines->has_healed = lines->has_healed || strstr(line, "all is healed");
    if (strstr(line, "all agree")) {
        assert_true(lines->has_healed);
        lines->has_agreed = true;
    }
}

static struct sim_scenario_result run(const struct sim_base *base, uint64_t seed,
                                      struct lines *lines)
{
    *lines = (struct lines){0};
    const struct sim_scenario_options options = {.seed = seed,
                                                 .n_nodes = 3,
                                                 .base = base,
                                                 .faults_us = 60000000,
                                                 .trace = on_trace,
                                                 .ctx = lines,
                                                 .traces_logs = true};
    struct sim_scenario_result result;
    sim_scenario_run(&options, &result);
    return result;
}

TEST(a_network_agrees_after_faults_and_repeats_itself)
{
    struct sim_base *base = sim_base_new(SIM_SCENARIO_BASE_BLOCKS);
    struct lines lines;
    struct sim_scenario_result first = run(base, 1, &lines);
    assert_string_equal(first.failure, "");
    assert_true(first.is_good && lines.has_agreed);
    assert_int_equal(first.n_trace_lines, lines.n);
    assert_true(first.height > SIM_SCENARIO_BASE_BLOCKS && first.n_mined > 0);
    assert_true(first.agreed_us > 0 && first.agreed_us <= SIM_SCENARIO_PATIENCE_US);
    assert_true(first.n_encrypted > 0 && first.n_plain > 0 && first.compact_bytes > 0);
    struct sim_scenario_result second = run(base, 1, &lines);
    assert_string_equal(first.trace_hash, second.trace_hash);
    struct sim_scenario_result other = run(base, 2, &lines);
    assert_string_not_equal(first.trace_hash, other.trace_hash);
    sim_base_free(base);
}
