/* test_dns_seed.c - when seeds are asked, and what becomes of their answers. */
#include "p2p/connect/dns_seed.h"
#include "p2p/state.h"
#include "sim/sim_env.h"
#include "support/unit.h"
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

static uint64_t fake_resolve(void *ctx, const char *name, env_resolve_fn *done, void *arg)
{
    struct world *w = ctx;
    snprintf(w->name, sizeof w->name, "%s", name);
    w->done = done;
    w->arg = arg;
    return (uint64_t)++w->n_asked;
}

static void fake_cancel(void *ctx, uint64_t id)
{
    (void)id;
    ((struct world *)ctx)->n_cancelled++;
}

static void setup(struct world *w, bool dns_seed, bool connect_only)
{
    static const char *const seeds[] = {"seed.example.org"};
    memset(w, 0, sizeof *w);
    w->sim = sim_env_new(5);
    w->env = *sim_env_get(w->sim);
    w->env.names = (struct env_names){.ctx = w, .resolve = fake_resolve, .cancel = fake_cancel};
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

TEST(a_node_that_knows_nobody_asks_at_once)
{
    struct world w;
    setup(&w, true, false);
    sim_env_run_for(w.sim, 1000);
    assert_int_equal(w.n_asked, 1);
    assert_string_equal(w.name, "x9.seed.example.org");
    const char *const addresses[] = {"8.8.4.4", "nonsense", "2001:4860:4860::8888"};
    w.done(w.arg, addresses, COUNT_OF(addresses));
    struct address_book *book = p2p_address_book(w.p2p);
    assert_int_equal(address_book_count(book), 2);
    struct address_entry entry;
    for (size_t at = 0; address_book_next(book, &at, &entry);)
        assert_int_equal(entry.source, ADDRESS_SOURCE_DNS);
    teardown(&w);
    assert_int_equal(w.n_cancelled, 0); /* it has answered */
}

TEST(a_seed_that_does_not_answer_is_asked_as_a_node)
{
    struct world w;
    setup(&w, true, false);
    sim_env_run_for(w.sim, 1000);
    w.done(w.arg, NULL, 0);
    sim_env_run_for(w.sim, 1000);
    assert_int_equal(w.n_asked, 2); /* for its own addresses */
    assert_string_equal(w.name, "seed.example.org");
    assert_int_equal(w.p2p->named.n, 1);
    assert_int_equal(w.p2p->named.at[0]->purpose, NAMED_SEED);
    teardown(&w);
    assert_int_equal(w.n_cancelled, 1);
}

TEST(a_seed_with_a_port_or_an_address_is_a_node)
{
    static const char *const names[] = {"seed.example.org:5", "8.8.4.4"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct world w;
        setup(&w, true, false);
        w.network.dns_seeds = &names[i];
        sim_env_run_for(w.sim, 1000);
        assert_int_equal(w.p2p->named.n, 1);
        assert_string_equal(w.p2p->named.at[0]->text, names[i]);
        if (i == 0)
            assert_string_equal(w.name, "seed.example.org");
        teardown(&w);
    }
}

TEST(seed_nodes_come_before_dns_unless_it_is_forced)
{
    static const char *const nodes[] = {"10.1.2.3"};
    for (int is_forced = 0; is_forced < 2; is_forced++) {
        struct world w;
        setup(&w, true, false);
        dns_seed_stop(&w.p2p->seed);
        w.p2p->options.seed_nodes = nodes;
        w.p2p->options.n_seed_nodes = 1;
        w.p2p->options.dns_seed_forced = is_forced;
        dns_seed_start(&w.p2p->seed, w.p2p);
        sim_env_run_for(w.sim, DNS_SEED_LAST_US - 1);
        assert_int_equal(w.n_asked, is_forced);
        sim_env_run_for(w.sim, 1);
        assert_int_equal(w.n_asked, 1);
        teardown(&w);
    }
}

/* -connect turns seeds off, unless they are asked for by name: as in Core. */
TEST(seeds_are_asked_if_the_operator_wants_them)
{
    for (int i = 0; i < 4; i++) {
        bool dns_seed = i & 1, connect_only = i & 2;
        struct world w;
        setup(&w, dns_seed, connect_only);
        sim_env_run_for(w.sim, 60 * INT64_C(1000000));
        assert_int_equal(w.n_asked, dns_seed ? 1 : 0);
        teardown(&w);
    }
}
