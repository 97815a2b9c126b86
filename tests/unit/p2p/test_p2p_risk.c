/* test_p2p_risk.c - what speaks for an eclipse is named, and nothing else. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

struct seen {
    struct net_eclipse_risk risk;
    char reasons[400];
};

static void see(void *arg, const struct net_eclipse_risk *risk)
{
    struct seen *seen = arg;
    seen->risk = *risk;
    seen->reasons[0] = '\0';
    for (size_t i = 0; i < risk->n_reasons; i++) {
        strcat(seen->reasons, risk->reasons[i]);
        strcat(seen->reasons, ";");
    }
}

static struct net_address host(uint32_t n)
{
    uint8_t bytes[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    return net_address_of_ipv4(bytes, 8333);
}

static void tell(struct mesh_node *a, uint32_t n, uint32_t by)
{
    int64_t now_s = env_unix_s(sim_env_get(a->sim));
    struct net_peer_address address = {.at = host(n), .services = 9, .time = (uint32_t)now_s};
    struct net_address source = host(by);
    (void)address_book_add(p2p_address_book(a->p2p), &address, ADDRESS_SOURCE_GOSSIP, &source, 0,
                           now_s);
}

TEST(a_node_that_knows_few_is_at_some_risk, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 140, NULL, NULL);
    struct seen seen;
    p2p_eclipse_risk(a->p2p, see, &seen);
    assert_string_equal(seen.risk.level, "elevated");
    assert_non_null(strstr(seen.reasons, "few outbound peers;"));
    assert_int_equal(seen.risk.n_outbound, 0);
    assert_false(seen.risk.has_asmap);
}

/* A peer that only a proxy can name has no group: it speaks neither for nor against. */
TEST(who_has_no_address_does_not_count, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 142, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    struct seen seen;
    mesh_connect(a, b);
    p2p_eclipse_risk(a->p2p, see, &seen);
    assert_int_equal(seen.risk.n_outbound, 1);
    a->p2p->peers->address = (struct net_address){.network = NET_NONE};
    p2p_eclipse_risk(a->p2p, see, &seen);
    assert_int_equal(seen.risk.n_outbound, 0);
    assert_int_equal(seen.risk.n_outbound_groups, 0);
}

/* Who told most of what is in new, and who holds most of tried. */
TEST(one_group_that_fills_the_book_is_seen, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 141, NULL, NULL);
    struct seen seen;
    for (uint32_t i = 0; i < 300; i++)
        tell(a, 0x10000000 + i * 65537, 0x20000000 + i * 65537);
    p2p_eclipse_risk(a->p2p, see, &seen);
    assert_null(strstr(seen.reasons, "fills"));
    assert_true(seen.risk.new_source_share < 0.02);
    for (uint32_t i = 0; i < 300; i++)
        tell(a, 0x30000000 + i * 65537, 0x01010101);
    p2p_eclipse_risk(a->p2p, see, &seen);
    assert_non_null(strstr(seen.reasons, "one network group fills the address book"));
    assert_true(seen.risk.new_source_share > 0.3);
    for (uint32_t i = 0; i < 100; i++) {
        struct net_address one = host(0x40400000 + i);
        tell(a, 0x40400000 + i, 0x50000000 + i * 65537);
        (void)address_book_good(p2p_address_book(a->p2p), &one, 1700000000);
    }
    p2p_eclipse_risk(a->p2p, see, &seen);
    assert_true(seen.risk.tried_group_share > 0.99);
}
