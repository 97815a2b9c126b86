/* test_lent.c - what peers hold of our memory, and who takes too little of it. */
#include "p2p/serve/lent.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* The rest of what was sent, and no more than was lent; nothing when the queue is empty. */
TEST(what_is_held_ends_with_the_queue, struct fixture *f)
{
    enum { LEN = 400000 };
    static const uint8_t zeros[LEN];
    struct raw_peer *raw = fixture_caller(f, 61);
    raw_handshake(raw, SERVICES);
    struct p2p *p2p = f->node->p2p;
    struct peer *peer = p2p->peers;
    env_stream_pause(raw->env, raw->stream, true);
    for (int i = 0; i < 2; i++) {
        lent_add(p2p, peer, LEN);
        peer_send(p2p, peer, "inv", span_of(zeros, LEN));
    }
    assert_int_equal(lent_held(p2p, peer), 2 * LEN);
    peer->serve.lent.reading_bytes = 7;
    assert_int_equal(serve_held_bytes(p2p), 2 * LEN + 7);
    peer->serve.lent.reading_bytes = 0;
    raw->takes_any = true;
    env_stream_pause(raw->env, raw->stream, false);
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(serve_held_bytes(p2p), 0);
    lent_add(p2p, peer, 5); /* begins anew */
    assert_int_equal(peer->serve.lent.bytes, 5);
}

/* Both sides of the least rate. */
TEST(who_takes_enough_keeps_what_it_holds, struct fixture *f)
{
    mesh_init(&f->mesh, 62, &f->builder, NULL);
    struct raw_peer *raw = raw_join(&f->mesh, mesh_add(&f->mesh, NULL, NULL), SERVICES);
    struct p2p *p2p = f->mesh.nodes[0].p2p;
    struct peer *peer = p2p->peers;
    p2p->serve.held_max = 1;
    for (int more = 0; more < 2; more++) {
        peer->serve.lent.reading_bytes = peer->serve.lent.bytes = 1;
        peer->serve.lent.since_us = p2p_now_us(p2p) - LENT_SLOW_US;
        peer->serve.lent.at =
            peer->bytes_sent - LENT_SLOW_US / 1000000 * LENT_RATE_MIN + (more ? 0 : 1);
        list_add(&p2p->serve.waiting, &peer->serve.waiting); /* somebody waits */
        p2p_enter(p2p);
        (void)serve_tick(p2p, p2p_now_us(p2p));
        assert_int_equal(peer->state == PEER_GONE, !more);
        p2p_leave(p2p);
        if (more)
            break;
        raw_free(raw);
        raw = raw_join(&f->mesh, &f->mesh.nodes[0], SERVICES);
        peer = p2p->peers;
    }
    p2p->peers->serve.lent.reading_bytes = 0;
}
