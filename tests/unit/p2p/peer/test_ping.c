/* test_ping.c - pings are answered, measured, and missed. */
#include "p2p/session/messages.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(pings_are_answered_and_measured, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 28);
    raw_handshake(raw, SERVICES);
    raw_send(raw, "ping", "ABCDEFGH", 8);
    struct span pong = raw_expect(raw, "pong");
    assert_int_equal(pong.len, 8);
    assert_memory_equal(pong.p, "ABCDEFGH", 8);
    mesh_run(&f->mesh, 1000000);
    struct net_peer_info info;
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_in_range(info.min_ping_us, 40000, 41000);
    assert_int_equal(info.ping_wait_us, -1);
    /* Again after two minutes; a wrong nonce is no answer. */
    size_t n = raw_count(raw, "ping");
    raw->is_silent = true;
    mesh_run(&f->mesh, 121000000);
    assert_int_equal(raw_count(raw, "ping"), n + 1);
    raw_send(raw, "pong", "ABCDEFGH", 8);
    mesh_run(&f->mesh, 100000);
    assert_true(mesh_peer_info(&f->mesh.nodes[0], 0, &info));
    assert_true(info.ping_wait_us > 0);
}

/* What came before a ping has been dealt with when its pong comes, also what other threads do. */
TEST(a_pong_comes_after_the_answer_to_what_came_before, struct fixture *f)
{
    enum { PINGS = 2 * PEER_HELD_PINGS_MAX };
    struct raw_peer *raw = fixture_caller(f, 31);
    struct mesh_node *a = &f->mesh.nodes[0];
    raw_handshake(raw, SERVICES);
    const struct built_block *next = builder_block(&f->builder, f->builder.genesis, NULL);
    raw_send_block(raw, next);
    raw_send(raw, "ping", "ABCDEFGH", 8);
    const struct net_message_bytes *pongs =
        &a->p2p->peers->per_message[message_find(messages, "pong") - messages];
    for (int i = 0; i < 10000 && pongs->sent == 0; i++)
        mesh_run(&f->mesh, 10);
    assert_true(pongs->sent > 0);
    assert_true(mesh_is_at(a, next));
    (void)raw_expect(raw, "pong");
    /* Many at once, in order. */
    next = builder_block(&f->builder, next, NULL);
    raw_send_block(raw, next);
    for (uint64_t i = 0; i < PINGS; i++)
        raw_send(raw, "ping", &i, sizeof i);
    for (uint64_t i = 0; i < PINGS; i++)
        assert_memory_equal(raw_expect(raw, "pong").p, &i, sizeof i);
    assert_true(mesh_is_at(a, next));
}

TEST(a_ping_waits_for_ten_seconds_at_most, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 32);
    raw_handshake(raw, SERVICES);
    struct peer *peer = f->mesh.nodes[0].p2p->peers;
    peer->fetch.n_undecided++; /* something that takes for ever */
    raw_send(raw, "ping", "ABCDEFGH", 8);
    assert_null(raw_find(raw, "pong", PEER_HELD_PING_US - 1000000).p);
    assert_non_null(raw_find(raw, "pong", 2000000).p);
    peer->fetch.n_undecided--;
}

TEST(a_peer_that_answers_no_ping_is_gone_after_twenty_minutes, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 29);
    raw->is_silent = true;
    raw_handshake(raw, SERVICES);
    mesh_run(&f->mesh, INT64_C(1190) * 1000000);
    assert_false(raw->is_closed);
    mesh_run(&f->mesh, INT64_C(140) * 1000000);
    assert_true(raw->is_closed);
}
