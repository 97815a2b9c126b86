/* test_block_request.c - two places for each block: who gets one, who loses his. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

enum { PEERS = BLOCK_REQUEST_TRIED_MAX + 4 };

static int setup(void **state)
{
    (void)mesh_setup(state);
    struct p2p_options options = {.max_connections = 2 * PEERS};
    (void)fixture_node(*state, 61, &options, NULL);
    return 0;
}

FIXTURE(setup, mesh_teardown)

/* A new inbound peer. */
static struct peer *add_peer(struct fixture *f)
{
    (void)raw_join(&f->mesh, f->node, SERVICES);
    return f->node->p2p->peers_last;
}

static struct block_request *add_request(struct fixture *f)
{
    return block_request_add(&f->node->p2p->fetch, chain_at(f->node->chain, 0));
}

TEST(empty_places_come_first_then_those_of_the_silent, struct fixture *f)
{
    struct peer *a = add_peer(f), *b = add_peer(f), *c = add_peer(f);
    struct block_request *r = add_request(f);
    assert_ptr_equal(block_request_find(&f->node->p2p->fetch, r->node), r);
    assert_false(block_request_has_peer(r));
    block_request_ask(f->node->p2p, r, a, 1);
    block_request_ask(f->node->p2p, r, b, 2);
    assert_int_equal(block_request_live(r), 2);
    assert_int_equal(block_request_slot(r, a->id), 0);
    assert_int_equal(block_request_slot(r, b->id), 1);
    r->is_given_up[0] = true;
    assert_int_equal(block_request_live(r), 1);
    block_request_ask(f->node->p2p, r, c, 3);
    assert_int_equal(block_request_slot(r, c->id), 0);
    assert_int_equal(block_request_slot(r, a->id), -1);
    assert_true(block_request_was_tried(r, a->id));
    assert_false(block_request_was_tried(r, b->id));
    assert_int_equal(a->fetch.n_in_flight, 0);
    assert_int_equal(a->fetch.n_late, 1); /* it may still come from there */
    assert_int_equal(c->fetch.n_in_flight, 1);
    block_request_clear(f->node->p2p, r, 0);
    assert_int_equal(c->fetch.n_in_flight, 0);
    assert_int_equal(c->fetch.n_late, 0);
    block_request_remove(f->node->p2p, r);
    assert_int_equal(b->fetch.n_in_flight, 0);
    assert_int_equal(f->node->p2p->fetch.requests.count, 0);
}

TEST(of_two_that_are_slow_the_later_loses_its_place_and_an_inbound_one_first, struct fixture *f)
{
    struct peer *a = add_peer(f), *b = add_peer(f), *c = add_peer(f), *d = add_peer(f);
    struct block_request *r = add_request(f);
    block_request_ask(f->node->p2p, r, a, 1);
    block_request_ask(f->node->p2p, r, b, 2);
    block_request_ask(f->node->p2p, r, c, 3);
    assert_int_equal(block_request_slot(r, b->id), -1);
    assert_int_equal(block_request_slot(r, c->id), 1);
    /* The later one is of our choice, the other is not. */
    c->class = d->class = PEER_MANUAL;
    block_request_ask(f->node->p2p, r, d, 4);
    c->class = d->class = PEER_INBOUND;
    assert_int_equal(block_request_slot(r, d->id), 0);
    assert_int_equal(block_request_slot(r, c->id), 1);
    block_request_remove(f->node->p2p, r);
}

TEST(all_that_failed_are_remembered, struct fixture *f)
{
    struct peer *peers[PEERS];
    for (size_t i = 0; i < PEERS; i++)
        peers[i] = add_peer(f);
    struct block_request *r = add_request(f);
    /* The first keeps its place; each other one loses it to the next. */
    size_t n = BLOCK_REQUEST_TRIED_MAX + 2;
    for (size_t i = 0; i < n; i++)
        block_request_ask(f->node->p2p, r, peers[i], (int64_t)i);
    assert_int_equal(r->n_tried, BLOCK_REQUEST_TRIED_MAX);
    for (size_t i = 1; i < n - 1; i++)
        assert_true(block_request_was_tried(r, peers[i]->id));
    block_request_ask(f->node->p2p, r, peers[n], 100);
    assert_int_equal(r->n_tried, BLOCK_REQUEST_TRIED_MAX);
    assert_true(block_request_was_tried(r, peers[n - 1]->id));
    r->is_given_up[0] = r->is_given_up[1] = true;
    block_request_forget(f->node->p2p, r);
    assert_int_equal(r->n_tried, 0);
    assert_false(block_request_has_peer(r));
    block_request_remove(f->node->p2p, r);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(peers[i]->fetch.n_in_flight, 0);
}

TEST(who_denies_a_block_owes_it_no_more_and_is_remembered, struct fixture *f)
{
    struct peer *a = add_peer(f);
    struct block_request *r = add_request(f);
    block_request_ask(f->node->p2p, r, a, 1);
    block_request_deny(f->node->p2p, r, block_request_slot(r, a->id));
    assert_int_equal(a->fetch.n_in_flight, 0);
    assert_int_equal(a->fetch.n_late, 0); /* it will not come */
    assert_false(block_request_has_peer(r));
    assert_true(block_request_was_tried(r, a->id));
    block_request_remove(f->node->p2p, r);
}

/* The request of the one block after its only peer, of that class, has gone; NULL: it has ended. */
static struct block_request *after_leaving(struct fixture *f, enum peer_class class)
{
    struct p2p *p2p = f->node->p2p;
    struct peer *a = add_peer(f);
    struct block_request *r = add_request(f);
    a->class = class;
    p2p->n_in -= class != PEER_INBOUND;
    p2p->n_out += class != PEER_INBOUND;
    block_request_ask(p2p, r, a, 1);
    p2p_enter(p2p);
    peer_drop(p2p, a, "test");
    assert_int_equal(a->fetch.n_in_flight, 0);
    p2p_leave(p2p);
    r = block_request_find(&p2p->fetch, chain_at(f->node->chain, 0));
    assert_false(r && block_request_has_peer(r));
    return r;
}

TEST(who_goes_owes_nothing, struct fixture *f)
{
    assert_null(after_leaving(f, PEER_FULL));
}

TEST(who_came_and_goes_is_remembered, struct fixture *f)
{
    struct block_request *r = after_leaving(f, PEER_INBOUND);
    assert_non_null(r);
    assert_int_equal(r->n_tried, 1);
}
