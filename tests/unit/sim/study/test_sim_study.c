/* test_sim_study.c - a small network: the same seed is the same trace, and all of it agrees. */
#include "sim/study/sim_study.h"
#include "unit/node/chain_text.h"

FIXTURE(arena_setup, arena_teardown)

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

/* -- A chain of one's own ---------------------------------------------------------------------- */

#define RULES                                                                                      \
    ",\"block_spacing_s\": 30, \"retarget_interval\": 4, \"coinbase_maturity\": 2, \"subsidy\": "  \
    "40,"                                                                                          \
    "\"halving_interval\": 12, \"addresses\": {\"hrp\": \"my\"}"

/* What a run has left, as it is looked at. */
struct look {
    int32_t start_height;
    uint32_t bits;
    char subsidies[200];
};

static void on_stats(void *arg, int status, const char *body)
{
    struct look *look = arg;
    assert_int_equal(status, 200);
    strncat(look->subsidies, body, sizeof look->subsidies - strlen(look->subsidies) - 1);
}

static void look_at(void *ctx, struct sim_world *world, size_t n_nodes, int32_t start_height)
{
    struct look *look = ctx;
    look->start_height = start_height;
    look->bits = chain_tip(node_chain(sim_world_node(world, n_nodes - 1)))->bits;
    sim_world_call(world, 0, "getblockstats", "[11, [\"subsidy\"]]", on_stats, look);
    sim_world_call(world, 0, "getblockstats", "[12, [\"subsidy\"]]", on_stats, look);
    sim_world_run_for(world, 1000000);
}

/* Its prefix, its maturity, its subsidy and halving; blocks come at twice the pace that its
 * retargets aim at. */
TEST(the_rules_of_a_chain_file_hold, struct arena *arena)
{
    struct scenario s;
    struct network network;
    struct look look = {0};
    struct sim_study_result result;
    char error[SCENARIO_ERROR_BYTES];
    scenario_of(&s, 5);
    s.value[SCENARIO_INTERVAL_S] = 15;
    *ARRAY_ADD(&s.attackers) =
        (struct scenario_attacker){.node = 5, .target = SCENARIO_NO_TARGET, .kind = "lie"};
    assert_chain_taken(arena, CHAIN_TEXT(RULES), &network);
    assert_true(sim_study_can_run(&s, &network, error));
    const struct sim_study_options options = {
        .scenario = &s, .captured = look_at, .ctx = &look, .network = &network};
    assert_true(sim_study_run(&options, &result, error));
    assert_true(result.has_agreed && result.height > 4 && result.n_txs > 10);
    assert_int_equal(result.n_refused, 0);
    assert_true(result.n_acts > 4);
    assert_int_equal(look.start_height, 2 + 10 + 2 + 1);
    assert_true(look.bits < 0x207fffff);
    assert_non_null(strstr(look.subsidies, "4000000000"));
    assert_non_null(strstr(look.subsidies, "2000000000"));
    scenario_deinit(&s);
}

static const struct {
    const char *text;
    int64_t txs_per_minute;
    const char *why; /* NULL: it can be run */
} chains[] = {
    {CHAIN_TEXT(",\"signet_challenge\": \"51\""), 0, "nobody here signs"},
    {CHAIN_TEXT(",\"coinbase_maturity\": 10001"), 0, "mature later"},
    {CHAIN_TEXT(",\"coinbase_maturity\": 10000"), 0, NULL},
    {CHAIN_TEXT(",\"activation_heights\": {\"segwit\": 2}"), 1, "transactions have witnesses"},
    {CHAIN_TEXT(",\"activation_heights\": {\"segwit\": 2}"), 0, NULL},
    {CHAIN_TEXT(",\"subsidy\": 0.49999999"), 1, "transactions need half a coin"},
    {CHAIN_TEXT(",\"subsidy\": 0.49999999"), 0, NULL},
    {CHAIN_TEXT(",\"subsidy\": 0.5"), 1, NULL},
};

TEST(chains_that_cannot_be_run_are_refused, struct arena *arena)
{
    struct scenario s;
    struct network network;
    scenario_init(&s);
    for (size_t i = 0; i < COUNT_OF(chains); i++) {
        char error[SCENARIO_ERROR_BYTES];
        assert_chain_taken(arena, chains[i].text, &network);
        s.value[SCENARIO_TXS_PER_MINUTE] = chains[i].txs_per_minute;
        bool can_run = sim_study_can_run(&s, &network, error);
        if (can_run != !chains[i].why || (!can_run && !strstr(error, chains[i].why)))
            fail_msg("%s: %s", chains[i].text, error);
    }
    scenario_deinit(&s);
}

/* Without transactions worthless coinbases do. */
TEST(a_chain_that_pays_nearly_nothing_runs, struct arena *arena)
{
    struct scenario s;
    struct network network;
    struct sim_study_result result;
    char error[SCENARIO_ERROR_BYTES];
    scenario_of(&s, 6);
    s.value[SCENARIO_TXS_PER_MINUTE] = 0;
    assert_chain_taken(arena,
                       CHAIN_TEXT(",\"subsidy\": 0.00000001, \"coinbase_maturity\": 1,"
                                  "\"activation_heights\": {\"segwit\": 500, \"csv\": 300}"),
                       &network);
    const struct sim_study_options options = {.scenario = &s, .network = &network};
    assert_true(sim_study_can_run(&s, &network, error));
    assert_true(sim_study_run(&options, &result, error));
    assert_true(result.has_agreed && result.height > 0);
    scenario_deinit(&s);
}
