/* test_peer.c - what a peer is for, and which blocks it can be asked for. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* A peer of that class whose version offers so much. */
static struct peer peer_of(enum peer_class class, uint64_t services)
{
    return (struct peer){
        .class = class, .state = PEER_READY, .version = {.version = 70016, .services = services}};
}

TEST(a_class_says_what_a_peer_is_for)
{
    static const struct {
        enum peer_class class;
        bool is_outbound, is_block_only, has_blocks;
    } rows[] = {
        {PEER_INBOUND, false, false, true},    {PEER_FULL, true, false, true},
        {PEER_BLOCK_ONLY, true, true, true},   {PEER_FEELER, true, true, true},
        {PEER_ADDR_FETCH, true, false, false}, {PEER_MANUAL, true, false, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct peer peer = peer_of(rows[i].class, NODE_NETWORK | NODE_WITNESS);
        assert_int_equal(peer_is_outbound(&peer), rows[i].is_outbound);
        assert_int_equal(peer_is_block_only(&peer), rows[i].is_block_only);
        assert_int_equal(peer_has_blocks(&peer), rows[i].has_blocks);
    }
}

TEST(blocks_without_witnesses_are_none)
{
    struct peer peer = peer_of(PEER_FULL, NODE_NETWORK);
    assert_false(peer_has_blocks(&peer));
    peer.version.services = NODE_WITNESS;
    assert_false(peer_has_blocks(&peer));
    peer.version.services = NODE_WITNESS | NODE_NETWORK_LIMITED;
    assert_true(peer_has_blocks(&peer));
}

/* One that is pruned has the last 288 blocks, of which two may be gone in a moment; one that offers
 * nothing has what it has just announced. */
TEST(who_can_serve_a_block_is_seen_from_what_he_announced, struct fixture *f)
{
    struct mesh_node *a = fixture_node(f, 41, NULL, NULL);
    mesh_give(a, builder_blocks(&f->builder, f->builder.genesis, 300, NULL));
    struct peer peer = peer_of(PEER_FULL, NODE_NETWORK | NODE_WITNESS);
    assert_false(peer_announces_blocks(&peer));
    assert_false(peer_can_serve(&peer, chain_at(a->chain, 1)));
    peer.headers.best_known = chain_at(a->chain, 299);
    assert_true(peer_announces_blocks(&peer));
    assert_true(peer_can_serve(&peer, chain_at(a->chain, 1)));
    assert_true(peer_can_serve(&peer, chain_at(a->chain, 299)));
    assert_false(peer_can_serve(&peer, chain_at(a->chain, 300)));
    peer.version.services = NODE_NETWORK_LIMITED | NODE_WITNESS;
    assert_true(peer_can_serve(&peer, chain_at(a->chain, 299 - 286)));
    assert_false(peer_can_serve(&peer, chain_at(a->chain, 299 - 287)));
    peer.version.services = NODE_WITNESS;
    assert_true(peer_can_serve(&peer, chain_at(a->chain, 299 - 15)));
    assert_false(peer_can_serve(&peer, chain_at(a->chain, 299 - 16)));
    peer.state = PEER_GREETED;
    assert_false(peer_can_serve(&peer, chain_at(a->chain, 299)));
}

TEST(filters_are_for_those_who_may)
{
    const struct env env = {0};
    const struct p2p p2p = {.env = &env};
    struct peer peer = peer_of(PEER_INBOUND, 0);
    assert_int_equal(peer_asks_filter(&p2p, &peer), FAULT_NOT_OFFERED);
    peer.our_services = NODE_BLOOM;
    assert_int_equal(peer_asks_filter(&p2p, &peer), FAULT_NONE);
}
