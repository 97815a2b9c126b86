/* test_sim_world_calls.c - nodes of a simulated world answer calls, also when they crash. */
#include "sim/sim_spend.h"
#include "support/unit.h"

#define SECOND INT64_C(1000000)

struct answer {
    int n, status;
    char body[400];
};

static void on_answer(void *arg, int status, const char *body)
{
    struct answer *answer = arg;
    answer->n++;
    answer->status = status;
    snprintf(answer->body, sizeof answer->body, "%s", body);
}

static struct sim_world *start(uint64_t seed, size_t n, const struct sim_base *base)
{
    const struct sim_world_options options = {.seed = seed, .n_nodes = n, .base = base};
    struct sim_world *world = sim_world_new(&options);
    for (size_t i = 0; i < n; i++)
        sim_world_start(world, i);
    return world;
}

TEST(a_call_is_answered_once)
{
    struct sim_world *world = start(1, 1, NULL);
    struct answer answer = {0};
    sim_world_call(world, 0, "getblockcount", "[]", on_answer, &answer);
    sim_world_call(world, 0, "getblockcount", "[]", NULL, NULL);
    sim_world_run_for(world, SECOND);
    assert_int_equal(answer.n, 1);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"result\":0"));
    sim_world_call(world, 0, "nosuchcall", "[]", on_answer, &answer);
    sim_world_run_for(world, SECOND);
    assert_int_equal(answer.n, 2);
    assert_int_equal(answer.status, 404);
    sim_world_free(world);
}

TEST(a_crash_leaves_calls_without_an_answer)
{
    struct sim_world *world = start(2, 1, NULL);
    struct answer answer = {0};
    sim_world_call(world, 0, "waitfornewblock", "[]", on_answer, &answer);
    sim_world_run_for(world, SECOND);
    assert_int_equal(answer.n, 0);
    sim_world_crash(world, 0, SIM_CRASH_KILLED);
    assert_int_equal(answer.n, 1);
    assert_int_equal(answer.status, 0);
    sim_world_run_for(world, SECOND);
    assert_int_equal(answer.n, 1);
    sim_world_free(world);
}

TEST(a_summary_tells_what_a_node_has)
{
    struct sim_world *world = start(3, 1, NULL);
    struct sim_summary before, after;
    assert_true(sim_world_summary(world, 0, &before));
    assert_int_equal(before.height, 0);
    sim_world_mine(world, 0);
    sim_world_run_for(world, SECOND);
    assert_true(sim_world_summary(world, 0, &after));
    assert_int_equal(after.height, 1);
    assert_string_not_equal(before.tip, after.tip);
    assert_string_not_equal(before.muhash, after.muhash);
    sim_world_stop(world, 0);
    assert_false(sim_world_summary(world, 0, &after));
    sim_world_free(world);
}

TEST(a_transaction_sent_to_one_is_mined_by_another)
{
    struct sim_base *base = sim_base_new(101);
    struct sim_world *world = start(4, 2, base);
    sim_world_run_for(world, 5 * SECOND);
    struct sim_spend spend;
    sim_spend_init(&spend, sim_random_of(1, 1));
    sim_spend_add_mature(&spend, base, 101);
    sim_spend_send(&spend, world, 0);
    sim_world_run_for(world, 30 * SECOND);
    assert_int_equal(spend.n_accepted, 1);
    assert_int_equal(mempool_count(node_mempool(sim_world_node(world, 1))), 1);
    sim_world_mine(world, 1);
    sim_world_run_for(world, 5 * SECOND);
    for (size_t i = 0; i < 2; i++) {
        const struct block_node *tip = chain_tip(node_chain(sim_world_node(world, i)));
        assert_int_equal(tip->height, 102);
        assert_int_equal(tip->n_tx, 2);
    }
    sim_world_free(world);
    sim_base_free(base);
}
