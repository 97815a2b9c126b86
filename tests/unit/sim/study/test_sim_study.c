/* test_sim_study.c - an undisturbed network spreads blocks within what its links allow. */
#include "sim/study/sim_study.h"
#include "support/unit.h"

static struct sim_study_result run(uint64_t seed)
{
    const struct sim_study_options options = {
        .seed = seed,
        .n_nodes = 4,
        .minutes = 4,
        .interval_s = 20,
        .txs_per_minute = 20,
        .net = {.latency_min_us = 50000, .latency_max_us = 50000},
    };
    struct sim_study_result result;
    sim_study_run(&options, &result);
    return result;
}

TEST(blocks_reach_everybody_after_a_few_ways)
{
    struct sim_study_result r = run(1);
    assert_true(r.has_agreed);
    assert_true(r.n_mined > 4 && r.n_txs > 10 && r.bytes > 10000);
    assert_int_equal(r.n_mined, (uint64_t)r.height + r.n_stale);
    assert_in_range(r.n_samples, 1, 3 * r.n_mined);
    /* Pushed as a compact block: 50 ms a hop. Announced, asked for, sent: three times that. */
    assert_true(r.median_us >= 50000 && r.median_us < 250000);
    assert_true(r.median_us <= r.p90_us && r.p90_us <= r.p99_us && r.p99_us <= r.max_us);
}

TEST(the_same_seed_gives_the_same_figures)
{
    struct sim_study_result a = run(2), b = run(2), other = run(3);
    assert_int_equal(a.bytes, b.bytes);
    assert_int_equal(a.max_us, b.max_us);
    assert_int_equal(a.n_mined, b.n_mined);
    assert_true(a.bytes != other.bytes);
}
