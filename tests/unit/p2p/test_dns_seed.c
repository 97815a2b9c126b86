/* test_dns_seed.c - when seeds are asked, and what becomes of their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "p2p/dns_seed.h"
#include "sim/sim_env.h"
#include "util/alloc.h"

/* A world whose names all have the same two addresses, told when the test says so. */
struct world {
    struct sim_env *sim;
    struct env env;
    struct network network;
    struct chain *chain;
    struct p2p *p2p;
    struct p2p_options options;
    char name[64];
    env_resolve_fn *done;
    void *arg;
    int n_asked, n_cancelled;
};

static uint64_t fake_resolve(void *ctx, const char *name, env_resolve_fn *done, void *arg);
static void fake_cancel(void *ctx, uint64_t id);

/* The env of a simulation passes its own context: the world is found through the last one made. */
static struct world *world_of(void *set)
{
    static struct world *current; /* tests only: one world at a time */
    if (set)
        current = set;
    return current;
}

static uint64_t fake_resolve(void *ctx, const char *name, env_resolve_fn *done, void *arg)
{
    (void)ctx;
    struct world *w = world_of(NULL);
    snprintf(w->name, sizeof w->name, "%s", name);
    w->done = done;
    w->arg = arg;
    return (uint64_t)++w->n_asked;
}

static void fake_cancel(void *ctx, uint64_t id)
{
    (void)ctx;
    (void)id;
    world_of(NULL)->n_cancelled++;
}

static void setup(struct world *w, bool dns_seed, bool connect_only)
{
    static const char *const seeds[] = {"seed.example.org"};
    memset(w, 0, sizeof *w);
    world_of(w);
    w->sim = sim_env_new(5);
    w->env = *sim_env_get(w->sim);
    w->env.resolve = fake_resolve;
    w->env.resolve_cancel = fake_cancel;
    w->network = *network_get(NETWORK_REGTEST);
    w->network.dns_seeds = seeds;
    w->network.n_dns_seeds = 1;
    const struct chain_options chain_options = {
        .data_dir = "d", .cache_bytes = 4 << 20, .max_tip_age_s = 86400};
    const struct chain_events events = {0};
    char *error = NULL;
    w->chain = chain_new(&w->env, NULL, &w->network, &chain_options, &events);
    assert_true(chain_open(w->chain, &error));
    w->options = (struct p2p_options){
        .user_agent = "/t/", .dns_seed = dns_seed, .connect_only = connect_only};
    w->p2p = p2p_new(&w->env, NULL, &w->network, w->chain, NULL, &w->options, NULL);
    assert_true(p2p_start(w->p2p, &error));
}

static void on_closed(void *arg, int error)
{
    assert_int_equal(error, 0);
    *(bool *)arg = true;
}

static void teardown(struct world *w)
{
    bool closed = false;
    p2p_stop(w->p2p);
    chain_close(w->chain, on_closed, &closed);
    while (!closed)
        assert_true(sim_env_step(w->sim));
    p2p_free(w->p2p);
    chain_free(w->chain);
    sim_env_free(w->sim);
}

static void a_node_that_knows_nobody_asks_at_once(void **state)
{
    (void)state;
    struct world w;
    setup(&w, true, false);
    sim_env_run_for(w.sim, 1000);
    assert_int_equal(w.n_asked, 1);
    assert_string_equal(w.name, "x9.seed.example.org");
    const char *const addresses[] = {"8.8.4.4", "nonsense", "2001:4860:4860::8888"};
    w.done(w.arg, addresses, COUNT_OF(addresses));
    struct address_book *book = p2p_address_book(w.p2p);
    assert_int_equal(address_book_count_source(book, ADDRESS_SOURCE_DNS), 2);
    teardown(&w);
    assert_int_equal(w.n_cancelled, 1);
}

static void nobody_is_asked_against_the_operators_will(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { bool dns_seed, connect_only; } cases[] = {{false, false}, {true, true}};
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world w;
        setup(&w, cases[i].dns_seed, cases[i].connect_only);
        sim_env_run_for(w.sim, 60 * INT64_C(1000000));
        assert_int_equal(w.n_asked, 0);
        teardown(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_that_knows_nobody_asks_at_once),
        cmocka_unit_test(nobody_is_asked_against_the_operators_will),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
