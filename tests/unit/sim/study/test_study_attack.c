/* test_study_attack.c - attackers in a run: what they do is traced, and the others agree. */
#include "sim/study/study_attack.h"

#include "sim/study/sim_study.h"
#include "support/unit.h"

#define ATTACKER 5

/* What a trace said of attacks. */
struct seen {
    unsigned n_acts, n_links;
    const char *what; /* whose lines are counted */
    unsigned n_what;
};

static void on_line(void *ctx, const char *bytes, size_t len)
{
    struct seen *seen = ctx;
    char *line = xasprintf("%.*s", (int)len, bytes); /* a line has no end of its own */
    if (strstr(line, "\"ev\":\"link\""))
        seen->n_links += strstr(line, "\"from\":5,") != NULL;
    if (strstr(line, "\"ev\":\"attack\",\"node\":5,\"kind\":")) {
        seen->n_acts++;
        seen->n_what += strstr(line, seen->what) != NULL;
    }
    xfree(line);
}

static void scenario_of(struct scenario *s, const char *kind, uint32_t target)
{
    scenario_init(s);
    s->value[SCENARIO_SEED] = 1;
    s->value[SCENARIO_NODES] = 8;
    s->value[SCENARIO_MINUTES] = 20;
    s->value[SCENARIO_INTERVAL_S] = 30;
    s->value[SCENARIO_TXS_PER_MINUTE] = 6;
    s->value[SCENARIO_TOPOLOGY] = TOPOLOGY_RANDOM;
    s->value[SCENARIO_OUTBOUND] = 3;
    struct scenario_attacker attacker = {.node = ATTACKER, .target = target};
    snprintf(attacker.kind, sizeof attacker.kind, "%s", kind);
    *ARRAY_ADD(&s->attackers) = attacker;
}

static struct sim_study_result run(const struct scenario *s, struct seen *seen)
{
    struct sim_study_result result;
    char error[SCENARIO_ERROR_BYTES];
    const struct sim_study_options options = {.scenario = s, .trace = on_line, .ctx = seen};
    assert_true(sim_study_run(&options, &result, error));
    assert_true(result.has_agreed);
    assert_int_equal(result.n_acts, seen->n_acts);
    return result;
}

TEST(a_selfish_miner_with_much_power_wastes_the_blocks_of_others)
{
    struct scenario s;
    struct seen seen = {.what = "\"withholds\""};
    scenario_of(&s, "selfish", SCENARIO_NO_TARGET);
    struct scenario_machine machine = {
        .node = ATTACKER, .place = -1, .power_milli = 5000}; /* of 12 */
    *ARRAY_ADD(&s.machines) = machine;
    struct sim_study_result r = run(&s, &seen);
    assert_true(seen.n_what > 3 && seen.n_acts > seen.n_what);
    assert_true(r.n_mined > 20 && r.n_stale > 4);
    assert_true(seen.n_links >= 7); /* his people, at each of the others */
    scenario_deinit(&s);
}

TEST(stalling_lying_and_crowding_out_do_not_part_the_others)
{
    static const struct {
        const char *kind, *what;
        uint32_t target;
        unsigned least; /* lines with that */
    } cases[] = {{"stall", "\"keeps silent\"", SCENARIO_NO_TARGET, 1},
                 {"lie", "\"is dropped\"", SCENARIO_NO_TARGET, 7},
                 {"eclipse", "\"takes a place\"", 2, 100}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scenario s;
        struct seen seen = {.what = cases[i].what};
        scenario_of(&s, cases[i].kind, cases[i].target);
        struct sim_study_result r = run(&s, &seen);
        assert_true(seen.n_what >= cases[i].least);
        assert_true(r.n_mined > 20);
        assert_true(r.p99_us < 10000000);
        scenario_deinit(&s);
    }
}

TEST(a_seed_is_a_run_with_attackers_too)
{
    struct scenario s;
    struct seen first = {.what = "-"}, again = {.what = "-"};
    scenario_of(&s, "selfish", SCENARIO_NO_TARGET);
    s.value[SCENARIO_TOPOLOGY] = TOPOLOGY_OWN;
    struct sim_study_result a = run(&s, &first), b = run(&s, &again);
    assert_string_equal(a.trace_hash, b.trace_hash);
    scenario_deinit(&s);
}
