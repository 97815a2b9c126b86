/* test_sim_world.c - machines start, stop and crash; nodes meet; the seed decides everything. */
#include "node/chain_file.h"
#include "sim/sim_world.h"
#include "support/unit.h"
#include "util/alloc.h"

#define SECOND INT64_C(1000000)

struct seen {
    size_t n_lines, n_tips, last_node;
    char last_line[600];
};

static void on_trace(void *ctx, const char *line)
{
    struct seen *seen = ctx;
    seen->n_lines++;
    strncpy(seen->last_line, line, sizeof seen->last_line - 1);
}

static void on_tip(void *ctx, size_t node, const char *hash)
{
    struct seen *seen = ctx;
    assert_int_equal(strlen(hash), 64);
    seen->n_tips++;
    seen->last_node = node;
}

static struct sim_world *make(uint64_t seed, size_t n, struct seen *seen)
{
    const struct sim_world_options options = {
        .seed = seed,
        .n_nodes = n,
        .net = {.latency_min_us = 20000, .latency_max_us = 80000},
        .trace = on_trace,
        .tip = on_tip,
        .ctx = seen,
        .traces_logs = true,
    };
    memset(seen, 0, sizeof *seen);
    return sim_world_new(&options);
}

static int32_t height(struct sim_world *world, size_t i)
{
    return chain_tip(node_chain(sim_world_node(world, i)))->height;
}

TEST(nodes_meet_and_follow_each_other)
{
    struct seen seen;
    struct sim_world *world = make(1, 3, &seen);
    for (size_t i = 0; i < 3; i++)
        sim_world_start(world, i);
    sim_world_run_for(world, 5 * SECOND);
    sim_world_mine(world, 1);
    sim_world_run_for(world, 5 * SECOND);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sim_world_state(world, i), SIM_MACHINE_ON);
        assert_int_equal(height(world, i), 1);
    }
    assert_int_equal(seen.n_tips, 3);
    assert_true(sim_net_bytes(sim_world_net(world)) > 0);
    assert_null(sim_world_failure(world));
    sim_world_free(world);
}

static bool is_in_a_row(void *ctx, size_t from, size_t to)
{
    (void)ctx;
    return from == to + 1 && from != 3; /* 2 to 1 to 0, and nobody to 3 */
}

TEST(links_may_be_drawn)
{
    const struct sim_world_options options = {
        .seed = 1, .n_nodes = 4, .links = is_in_a_row, .blocks_only = true};
    struct sim_world *world = sim_world_new(&options);
    for (size_t i = 0; i < 4; i++)
        sim_world_start(world, i);
    assert_string_equal(sim_world_address(world, 3), "20.4.0.1");
    sim_world_run_for(world, 120 * SECOND); /* long enough to hear of each other's addresses */
    sim_world_mine(world, 2);
    sim_world_run_for(world, 5 * SECOND);
    assert_int_equal(height(world, 0), 1);
    assert_int_equal(height(world, 1), 1);
    assert_int_equal(height(world, 3), 0);
    assert_int_equal(sim_world_events(world)->now_us, sim_world_now_us(world));
    sim_world_free(world);
}

TEST(a_machine_that_was_stopped_goes_on_where_it_was)
{
    struct seen seen;
    struct sim_world *world = make(2, 1, &seen);
    sim_world_start(world, 0);
    sim_world_mine(world, 0);
    sim_world_run_for(world, SECOND);
    sim_world_stop(world, 0);
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_STOPPING);
    sim_world_run_for(world, 5 * SECOND);
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_OFF);
    assert_null(sim_world_host(world, 0));
    sim_world_start(world, 0);
    assert_int_equal(height(world, 0), 1);
    sim_world_free(world);
}

TEST(a_crash_takes_what_was_not_synced)
{
    struct seen seen;
    struct sim_world *world = make(3, 1, &seen);
    for (int i = 0; i < 12; i++) {
        static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
        sim_world_start(world, 0);
        sim_world_mine(world, 0);
        sim_world_run_for(world, i * SECOND / 500);
        int32_t before = height(world, 0);
        sim_world_crash(world, 0, how[i % 3]);
        assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_OFF);
        sim_world_start(world, 0);
        assert_true(height(world, 0) <= before + 1);
        sim_world_crash(world, 0, SIM_CRASH_KILLED);
        sim_world_run_for(world, SECOND);
    }
    assert_null(sim_world_failure(world));
    sim_world_free(world);
}

TEST(a_crash_amid_writes_comes_when_it_was_ordered)
{
    struct seen seen;
    struct sim_world *world = make(4, 1, &seen);
    /* While it starts, while it works, and not at all once it is spared. */
    sim_world_crash_in_write(world, 0, SIM_CRASH_POWER, 3);
    sim_world_start(world, 0);
    sim_world_run_for(world, SECOND);
    assert_int_equal(sim_world_n_crashes(world), 1);
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_OFF);
    sim_world_start(world, 0);
    sim_world_crash_in_write(world, 0, SIM_CRASH_LOST, 0);
    sim_world_mine(world, 0);
    sim_world_run_for(world, SECOND);
    assert_int_equal(sim_world_n_crashes(world), 2);
    sim_world_start(world, 0);
    sim_world_crash_in_write(world, 0, SIM_CRASH_LOST, 0);
    sim_world_spare(world, 0);
    sim_world_mine(world, 0);
    sim_world_run_for(world, SECOND);
    assert_int_equal(sim_world_n_crashes(world), 2);
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_ON);
    assert_null(sim_world_failure(world));
    sim_world_free(world);
}

TEST(a_crash_of_this_instant_is_not_taken_back)
{
    struct seen seen;
    struct sim_world *world = make(4, 1, &seen);
    sim_world_crash_in_write(world, 0, SIM_CRASH_POWER, 0);
    sim_world_start(world, 0);
    assert_int_equal(sim_world_n_crashes(world), 1);
    sim_world_spare(world, 0);
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_OFF);
    sim_world_start(world, 0);
    sim_world_run_for(world, SECOND);
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_ON);
    sim_world_mine(world, 0);
    sim_world_run_for(world, SECOND);
    assert_int_equal(height(world, 0), 1);
    assert_null(sim_world_failure(world));
    sim_world_free(world);
}

TEST(the_first_failure_is_kept_and_traced)
{
    struct seen seen;
    struct sim_world *world = make(5, 1, &seen);
    assert_null(sim_world_failure(world));
    sim_world_fail(world, "one %d", 1);
    sim_world_fail(world, "two");
    assert_string_equal(sim_world_failure(world), "one 1");
    assert_string_equal(seen.last_line, "     1.000000 FAILURE: two");
    sim_world_free(world);
}

static uint64_t trace_of(uint64_t seed, char hash[HEX_ID_BYTES])
{
    struct seen seen;
    struct sim_world *world = make(seed, 4, &seen);
    for (size_t i = 0; i < 4; i++)
        sim_world_start(world, i);
    for (size_t i = 0; i < 4; i++) {
        sim_world_run_for(world, 2 * SECOND);
        sim_world_mine(world, i);
    }
    sim_world_crash(world, 2, SIM_CRASH_POWER);
    sim_world_start(world, 2);
    sim_world_run_for(world, 10 * SECOND);
    uint64_t lines = sim_world_trace_hash(world, hash);
    assert_int_equal(lines, seen.n_lines);
    assert_null(sim_world_failure(world));
    sim_world_free(world);
    return lines;
}

TEST(a_broken_disk_is_no_failure_until_it_is_healed)
{
    struct seen seen;
    struct sim_world *world = make(8, 1, &seen);
    const struct sim_fault fault = {.ops = SIM_OP_WRITE, .error = -28, .forever = true};
    sim_world_start(world, 0);
    sim_world_run_for(world, SECOND);
    sim_world_break(world, 0, &fault);
    sim_world_mine(world, 0);
    sim_world_run_for(world, 5 * SECOND);
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_OFF);
    const char *error = sim_world_heal(world, 0);
    assert_non_null(error);
    assert_non_null(strstr(error, "No space left"));
    assert_null(sim_world_failure(world));
    sim_world_start(world, 0);
    sim_world_run_for(world, SECOND);
    sim_world_mine(world, 0);
    sim_world_run_for(world, 5 * SECOND);
    assert_int_equal(height(world, 0), 1);
    assert_null(sim_world_failure(world));
    sim_world_free(world);
}

TEST(a_start_may_have_options_of_its_own)
{
    struct seen seen;
    struct sim_world *world = make(9, 1, &seen);
    const struct sim_start reindex = {.reindex = true, .prune = true};
    sim_world_start(world, 0);
    sim_world_mine(world, 0);
    sim_world_run_for(world, SECOND);
    sim_world_stop(world, 0);
    sim_world_run_for(world, SECOND);
    sim_world_start_with(world, 0, &reindex);
    assert_int_equal(height(world, 0), 0);
    assert_true(chain_is_pruned(node_chain(sim_world_node(world, 0))));
    sim_world_run_for(world, SECOND);
    assert_int_equal(height(world, 0), 1);
    sim_world_free(world);
}

TEST(a_clock_set_back_stays_so_over_a_crash)
{
    struct seen seen;
    struct sim_world *world = make(10, 1, &seen);
    sim_world_start(world, 0);
    sim_world_mine(world, 0);
    sim_world_run_for(world, SECOND);
    sim_world_stop(world, 0);
    sim_world_run_for(world, SECOND);
    sim_world_move_clock(world, 0, -100000);
    sim_world_start(world, 0); /* its tip is of the future */
    assert_int_equal(sim_world_state(world, 0), SIM_MACHINE_OFF);
    assert_non_null(strstr(sim_world_heal(world, 0), "future"));
    assert_null(sim_world_failure(world));
    sim_world_move_clock(world, 0, 100000);
    sim_world_start(world, 0);
    assert_int_equal(height(world, 0), 1);
    sim_world_free(world);
}

TEST(the_same_seed_is_the_same_run)
{
    char a[HEX_ID_BYTES], b[HEX_ID_BYTES], other[HEX_ID_BYTES];
    uint64_t lines = trace_of(6, a);
    assert_true(lines > 50);
    assert_int_equal(trace_of(6, b), lines);
    assert_string_equal(a, b);
    (void)trace_of(7, other);
    assert_string_not_equal(a, other);
}

/* Blocks every second where ten are wanted: each interval of four is harder than the last. */
TEST(a_world_can_be_of_a_chain_of_ones_own)
{
    static const char text[] =
        "{\"name\": \"my\", \"p2p_port\": 28555, \"rpc_port\": 2, "
        "\"genesis\": \"regtest\", \"block_spacing_s\": 10, \"retarget_interval\": 4, "
        "\"coinbase_maturity\": 2, \"halving_interval\": 3}";
    struct network network;
    struct arena arena;
    char *error = NULL;
    arena_init(&arena, 4096);
    if (!chain_file_parse(span_of_string(text), "f", &arena, &network, &error))
        fail_msg("%s", error);
    const struct sim_world_options options = {
        .seed = 7,
        .n_nodes = 2,
        .net = {.latency_min_us = 20000, .latency_max_us = 80000},
        .network = &network,
    };
    struct sim_world *world = sim_world_new(&options);
    for (size_t i = 0; i < 2; i++)
        sim_world_start(world, i);
    sim_world_run_for(world, 5 * SECOND);
    for (int i = 0; i < 9; i++) {
        sim_world_mine(world, 0);
        sim_world_run_for(world, SECOND);
    }
    sim_world_run_for(world, 5 * SECOND);
    const struct block_node *tip = chain_tip(node_chain(sim_world_node(world, 1)));
    assert_int_equal(tip->height, 9);
    assert_int_equal(tip->bits >> 24, 0x20);
    assert_true(tip->bits < 0x20200000);
    assert_null(sim_world_failure(world));
    sim_world_free(world);
    arena_deinit(&arena);
}
