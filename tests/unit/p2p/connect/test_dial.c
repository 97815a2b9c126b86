/* test_dial.c - who may be dialled, and who has been. */
#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(what_cannot_or_may_not_be_dialled_is_not, struct fixture *f)
{
    mesh_init(&f->mesh, 56, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    static const uint8_t host[4] = {10, 9, 9, 9};
    struct net_address address = net_address_of_ipv4(host, 700), none = {0};
    uint8_t id[32];
    assert_null(dial(p2p, &none, PEER_FULL, false));
    net_address_host_id(&address, id);
    (void)recent_set_add(&p2p->discouraged, id);
    assert_null(dial(p2p, &address, PEER_FULL, false));
    assert_false(dial_has(p2p, &address));
    assert_non_null(dial(p2p, &address, PEER_MANUAL, false)); /* the user knows */
    assert_true(dial_has(p2p, &address));
    address.port++;
    assert_false(dial_has(p2p, &address));
}

TEST(full_peers_count_when_they_are_ready, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 57, NULL, NULL);
    static const uint8_t host[4] = {10, 9, 9, 9};
    struct net_address address = net_address_of_ipv4(host, 700);
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    assert_non_null(dial(a->p2p, &address, PEER_FULL, false));
    assert_int_equal(dial_count_full(a->p2p), 0);
    raw_handshake(raw, NODE_NETWORK | NODE_WITNESS);
    assert_int_equal(dial_count_full(a->p2p), 1);
}
