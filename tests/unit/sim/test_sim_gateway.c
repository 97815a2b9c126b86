/* test_sim_gateway.c - datagrams to a simulated gateway and back. */
#include "sim/sim_gateway.h"

#include "sim/sim_env.h"
#include "support/unit.h"

static size_t echo(void *arg, struct span question, uint8_t *answer)
{
    (*(int *)arg)++;
    memcpy(answer, question.p, question.len);
    return question.len;
}

static void note(void *arg, struct span bytes)
{
    *(size_t *)arg += bytes.len;
}

TEST(a_question_is_answered_after_both_ways)
{
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    char address[32];
    const struct env_datagram_way way = {.to = "1.1.1.1", .port = 5};
    int n = 0, error;
    size_t got = 0;
    assert_false(env_datagram_gateway(env, false, address, sizeof address));
    assert_int_equal(env_datagram_open(env, &way, note, &got, &error), 0);
    assert_true(error < 0);
    sim_env_set_gateway(sim, "1.1.1.1", "1.1.1.2", echo, &n);
    assert_true(env_datagram_gateway(env, false, address, sizeof address));
    assert_string_equal(address, "1.1.1.1");
    uint64_t id = env_datagram_open(env, &way, note, &got, &error);
    assert_true(env_datagram_local(env, id, address, sizeof address));
    assert_string_equal(address, "1.1.1.2");
    assert_false(env_datagram_gateway(env, true, address, sizeof address));
    sim_env_set_gateway(sim, "::1", "::2", echo, &n);
    assert_true(env_datagram_gateway(env, true, address, sizeof address));
    assert_string_equal(address, "::1");
    const struct env_datagram_way from = {.to = "::1", .port = 5, .from = "::3"};
    uint64_t other = env_datagram_open(env, &from, note, &got, &error);
    assert_true(env_datagram_local(env, other, address, sizeof address));
    assert_string_equal(address, "::3");
    env_datagram_send(env, id, span_of_string("abc"));
    sim_env_run_for(sim, 2 * SIM_GATEWAY_US - 1);
    assert_int_equal(got, 0);
    sim_env_run_for(sim, 1);
    assert_int_equal(got, 3);
    env_datagram_send(env, id, span_of_string("abc"));
    env_datagram_close(env, id);
    sim_env_run_for(sim, 10 * SIM_GATEWAY_US);
    assert_int_equal(got, 3); /* nobody is there any more */
    assert_int_equal(n, 2);
    sim_env_free(sim);
}

static void join(void *arg, const char *address)
{
    strcat(strcat(arg, address), ";");
}

TEST(a_machine_has_the_addresses_that_it_is_given)
{
    static const char *const addresses[] = {"1.1.1.2", "::5"};
    struct sim_env *sim = sim_env_new(1);
    char got[64] = "";
    env_own_addresses(sim_env_get(sim), join, got);
    assert_string_equal(got, "");
    sim_env_set_addresses(sim, addresses, COUNT_OF(addresses));
    env_own_addresses(sim_env_get(sim), join, got);
    assert_string_equal(got, "1.1.1.2;::5;");
    sim_env_free(sim);
}

TEST(sockets_have_a_limit)
{
    struct sim_env *sim = sim_env_new(2);
    const struct env *env = sim_env_get(sim);
    const struct env_datagram_way way = {.to = "1.1.1.1", .port = 5};
    int n = 0, error;
    size_t got = 0;
    sim_env_set_gateway(sim, "1.1.1.1", "1.1.1.2", echo, &n);
    for (int i = 0; i < SIM_GATEWAY_SOCKETS; i++)
        assert_true(env_datagram_open(env, &way, note, &got, &error) != 0);
    assert_int_equal(env_datagram_open(env, &way, note, &got, &error), 0);
    sim_env_free(sim);
}
