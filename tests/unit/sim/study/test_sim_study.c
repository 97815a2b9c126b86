/* test_sim_study.c - a small network: the same seed is the same trace, and all of it agrees. */
#include "sim/study/sim_study.h"
#include "support/unit.h"

static void scenario_of(struct scenario *s, int64_t seed)
{
    scenario_init(s);
    s->value[SCENARIO_SEED] = seed;
    s->value[SCENARIO_NODES] = 6;
    s->value[SCENARIO_MINUTES] = 4;
    s->value[SCENARIO_INTERVAL_S] = 30;
    s->value[SCENARIO_TXS_PER_MINUTE] = 20;
    s->value[SCENARIO_TOPOLOGY] = TOPOLOGY_RANDOM;
    s->value[SCENARIO_OUTBOUND] = 2;
    s->value[SCENARIO_GEOGRAPHY] = GEOGRAPHY_CITIES;
}

static struct sim_study_result run(const struct scenario *s)
{
    struct sim_study_result result;
    char error[SCENARIO_ERROR_BYTES];
    const struct sim_study_options options = {.scenario = s};
    assert_true(sim_study_run(&options, &result, error));
    return result;
}

TEST(blocks_and_transactions_reach_everybody)
{
    struct scenario s;
    scenario_of(&s, 1);
    struct sim_study_result r = run(&s);
    assert_true(r.has_agreed);
    assert_true(r.n_mined > 2 && r.n_txs > 10 && r.bytes > 10000 && r.n_refused == 0);
    assert_int_equal(r.n_mined, (uint64_t)r.height + r.n_stale);
    assert_in_range(r.n_samples, 1, 5 * r.n_mined);
    assert_true(r.median_us <= r.p90_us && r.p90_us <= r.p99_us && r.p99_us <= r.max_us);
    assert_true(r.verdicts_known > 3 * r.verdicts_made);
    scenario_deinit(&s);
}

TEST(a_seed_is_a_run_and_the_shared_cache_is_not_seen)
{
    struct scenario s;
    scenario_of(&s, 2);
    struct sim_study_result first = run(&s);
    s.value[SCENARIO_SHARED_CACHE] = 0;
    struct sim_study_result again = run(&s);
    assert_string_equal(first.trace_hash, again.trace_hash);
    assert_int_equal(again.verdicts_known, 0);
    s.value[SCENARIO_SEED] = 3;
    struct sim_study_result other = run(&s);
    assert_string_not_equal(first.trace_hash, other.trace_hash);
    scenario_deinit(&s);
}

TEST(after_a_partition_and_churn_all_agree)
{
    struct scenario s;
    scenario_of(&s, 4);
    s.value[SCENARIO_CHURN_PER_HOUR] = 120;
    s.value[SCENARIO_DOWN_S] = 20;
    struct scenario_partition partition = {.from_s = 30, .to_s = 150};
    for (uint32_t i = 3; i < 6; i++)
        *ARRAY_ADD(&partition.sides) = (struct scenario_link){i, 1};
    *ARRAY_ADD(&s.partitions) = partition;
    struct sim_study_result r = run(&s);
    assert_true(r.has_agreed);
    assert_true(r.height > 0);
    scenario_deinit(&s);
}
