/* test_fixed_seed.c - what this release knows is used last, and only where nobody is known. */
#include "p2p/fixed_seed.h"

#include "p2p/state.h"
#include "support/mesh_fixture.h"

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:18444"

static const char *const seeds[] = {"8.8.4.4", "9.9.9.9:7", "[2001:4860::5]:18444", ONION};
static const char *const node[] = {"10.77.0.1"};

FIXTURE(mesh_setup, mesh_teardown)

static struct address_book *start(struct fixture *f, uint64_t seed, struct p2p_options options)
{
    f->builder.network.fixed_seeds = seeds;
    f->builder.network.n_fixed_seeds = COUNT_OF(seeds);
    return p2p_address_book(fixture_node(f, seed, &options, NULL)->p2p);
}

static void wait(struct fixture *f, int64_t us)
{
    mesh_run(&f->mesh, us);
}

TEST(who_has_nobody_else_takes_them_at_once, struct fixture *f)
{
    struct address_book *book = start(f, 1, (struct p2p_options){.fixed_seeds = true});
    struct address_entry entry;
    size_t at = 0, n = 0;
    int64_t now_s = env_unix_s(sim_env_get(f->node->sim));
    wait(f, 1000000);
    assert_int_equal(address_book_count_of(book, NET_IPV4, false), 2);
    assert_int_equal(address_book_count_of(book, NET_IPV6, false), 1);
    assert_int_equal(address_book_count(book), 3); /* Tor cannot be reached */
    while (address_book_next(book, &at, &entry)) {
        assert_in_range(now_s - entry.address.time, 7 * 86400, 14 * 86400);
        assert_int_equal(entry.address.services, NODE_NETWORK | NODE_WITNESS);
        assert_true(net_address_is_internal(&entry.told_by));
        n += entry.address.at.port == MESH_PORT;
    }
    assert_int_equal(n, 2);
}

TEST(others_have_a_minute_to_tell_of_somebody, struct fixture *f)
{
    const struct p2p_options others[] = {
        {.fixed_seeds = true, .dns_seed = true},
        {.fixed_seeds = true, .add_nodes = node, .n_add_nodes = 1},
        {.fixed_seeds = true, .seed_nodes = node, .n_seed_nodes = 1},
    };
    mesh_init(&f->mesh, 2, &f->builder, NULL);
    f->builder.network.fixed_seeds = seeds;
    f->builder.network.n_fixed_seeds = COUNT_OF(seeds);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        const struct mesh_node *a = mesh_add(&f->mesh, &others[i], NULL);
        wait(f, FIXED_SEED_WAIT_US - 1000000);
        assert_int_equal(address_book_count(a->p2p->book), 0);
        wait(f, 2000000);
        assert_int_equal(address_book_count(a->p2p->book), 3);
    }
}

TEST(networks_of_which_somebody_is_known_get_none, struct fixture *f)
{
    struct address_book *book = start(
        f, 3,
        (struct p2p_options){.fixed_seeds = true,
                             .add_nodes = node,
                             .n_add_nodes = 1,
                             .reach.proxies[NET_TORV3] = {.address = "10.77.0.2", .port = 9}});
    struct net_peer_address known = {.services = SERVICES};
    int64_t now_s = env_unix_s(sim_env_get(f->node->sim));
    known.time = (uint32_t)now_s;
    assert_true(net_address_parse("1.2.3.4:8333", 0, &known.at));
    (void)address_book_add(book, &known, ADDRESS_SOURCE_GOSSIP, &known.at, 0, now_s);
    wait(f, FIXED_SEED_WAIT_US + 1000000);
    assert_int_equal(address_book_count_of(book, NET_IPV4, false), 1);
    assert_int_equal(address_book_count_of(book, NET_IPV6, false), 1);
    assert_int_equal(address_book_count_of(book, NET_TORV3, false), 1);
}

TEST(they_are_used_once, struct fixture *f)
{
    struct address_book *book = start(f, 4, (struct p2p_options){.fixed_seeds = true});
    wait(f, 1000000);
    assert_false(f->node->p2p->fixed.is_wanted);
    f->node->p2p->reach.only_networks = 1u << NET_CJDNS; /* of which nobody is known */
    wait(f, 2 * FIXED_SEED_WAIT_US);
    assert_int_equal(address_book_count(book), 3);
}

TEST(nobody_takes_them_against_the_operators_will, struct fixture *f)
{
    const struct p2p_options options[] = {{.fixed_seeds = false},
                                          {.fixed_seeds = true, .connect_only = true}};
    mesh_init(&f->mesh, 5, &f->builder, NULL);
    f->builder.network.fixed_seeds = seeds;
    f->builder.network.n_fixed_seeds = COUNT_OF(seeds);
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        const struct mesh_node *a = mesh_add(&f->mesh, &options[i], NULL);
        wait(f, 2 * FIXED_SEED_WAIT_US);
        assert_int_equal(address_book_count(a->p2p->book), 0);
    }
}
