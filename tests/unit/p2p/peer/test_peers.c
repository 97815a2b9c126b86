/* test_peers.c - peers are found, dropped at any time, and blamed. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

static struct peer *add(struct p2p *p2p, uint16_t port, uint64_t *stream)
{
    static const uint8_t host[4] = {10, 9, 9, 9};
    struct net_address address = net_address_of_ipv4(host, port);
    *stream = env_stream_connect(p2p->env, "10.9.9.9", port, p2p->up->outbound, p2p);
    return peer_new(p2p, PEER_FULL, &address, *stream);
}

TEST(peers_are_found_by_id_and_by_stream, struct fixture *f)
{
    uint64_t stream[2];
    mesh_init(&f->mesh, 51, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    struct peer *a = add(p2p, 1, &stream[0]), *b = add(p2p, 2, &stream[1]);
    assert_true(a->id != b->id);
    assert_ptr_equal(p2p_find_peer(p2p, a->id), a);
    assert_ptr_equal(p2p_find_stream(p2p, stream[1]), b);
    assert_null(p2p_find_peer(p2p, b->id + 1));
    assert_int_equal(p2p->n_out, 2);
}

/* A loop may drop the peer at which it stands, and any other. */
TEST(who_is_dropped_is_not_found_but_stays_until_the_end, struct fixture *f)
{
    uint64_t stream[3];
    mesh_init(&f->mesh, 52, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    struct peer *peers[3];
    for (uint16_t i = 0; i < 3; i++)
        peers[i] = add(p2p, (uint16_t)(i + 1), &stream[i]);
    p2p_enter(p2p);
    p2p_enter(p2p);
    peer_drop(p2p, peers[1], "");
    peer_drop(p2p, peers[1], ""); /* once is enough */
    assert_int_equal(peers[1]->state, PEER_GONE);
    assert_false(peers[1]->was_ready);
    assert_null(p2p_find_peer(p2p, peers[1]->id));
    assert_null(p2p_find_stream(p2p, stream[1]));
    assert_ptr_equal(peers[0]->next, peers[2]);
    assert_ptr_equal(peers[1]->next, peers[2]);
    p2p_leave(p2p);
    assert_ptr_equal(p2p->gone, peers[1]);
    p2p_leave(p2p);
    assert_null(p2p->gone);
    assert_int_equal(p2p->n_out, 2);
}

TEST(faults_have_the_consequences_of_their_table, struct fixture *f)
{
    uint64_t stream;
    mesh_init(&f->mesh, 53, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    p2p_enter(p2p);
    struct peer *peer = add(p2p, 1, &stream);
    struct net_address address = peer->address;
    peer_fault(p2p, peer, FAULT_NONE, "");
    assert_int_equal(peer->state, PEER_CONNECTING);
    peer_fault(p2p, peer, FAULT_MALFORMED, "");
    assert_int_equal(peer->state, PEER_GONE);
    assert_false(p2p_is_discouraged(p2p, &address));
    peer = add(p2p, 2, &stream);
    peer->permissions = PERMISSION_NOBAN;
    peer_fault(p2p, peer, FAULT_BLOCK_INVALID, "");
    assert_int_equal(peer->state, PEER_CONNECTING);
    peer->permissions = 0;
    peer_fault(p2p, peer, FAULT_BLOCK_INVALID, "");
    assert_int_equal(peer->state, PEER_GONE);
    assert_true(p2p_is_discouraged(p2p, &address));
    p2p_leave(p2p);
}
