/* test_stale_tip.c - one more outbound peer while no block comes, and the least useful goes. */
#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

enum { PEERS_MAX = P2P_FULL_OUTBOUND + 1 };

FIXTURE(mesh_setup, mesh_teardown)

/* A node with n outbound peers for everything, of its own choice as far as it knows. */
static void start(struct fixture *f, size_t n, int max_connections)
{
    struct p2p_options options = {.max_connections = max_connections};
    (void)fixture_node(f, 41, &options, NULL);
    const struct built_block *block = builder_block(&f->builder, f->builder.genesis, NULL);
    mesh_give(f->node, block);
    sim_env_set_unix_s(f->node->sim, block->block.header.time + 60);
    f->blocks[0] = block;
    for (size_t i = 0; i < n; i++) {
        struct net_address address;
        uint16_t port = (uint16_t)(700 + i);
        assert_true(net_address_parse("10.9.9.9", port, &address));
        f->raw[i] = raw_listen(&f->mesh, port);
        assert_non_null(dial(f->node->p2p, &address, PEER_FULL, false));
        raw_handshake(f->raw[i], SERVICES);
        raw_send_headers(f->raw[i], &block, 1); /* or it would be behind us, and let go for that */
    }
}

static struct peer *peer_at(struct fixture *f, size_t i)
{
    for (struct peer *peer = f->node->p2p->peers; peer; peer = peer->next)
        if (peer->address.port == 700 + i)
            return peer;
    return NULL;
}

static size_t count_full(const struct fixture *f)
{
    size_t n = 0;
    for (const struct peer *peer = f->node->p2p->peers; peer; peer = peer->next)
        n += peer->class == PEER_FULL;
    return n;
}

/* Does a ninth one get dialled within so long? Nobody is there, so it goes again. */
static bool dials_one_more(struct fixture *f, int64_t us)
{
    for (int64_t at_us = 0; at_us < us; at_us += 10000) {
        mesh_run(&f->mesh, 10000);
        if (count_full(f) > P2P_FULL_OUTBOUND)
            return true;
    }
    return false;
}

static void know_an_address(struct fixture *f)
{
    struct address_book *book = f->node->p2p->book;
    int64_t now_s = p2p_now_s(f->node->p2p);
    struct net_peer_address address = {.services = SERVICES, .time = (uint32_t)now_s};
    assert_true(net_address_parse("8.1.0.1", 8333, &address.at));
    (void)address_book_add(book, &address, ADDRESS_SOURCE_DNS, &address.at, 0, now_s);
}

static void expect_one_more(struct fixture *f)
{
    int64_t stale_us = STALE_TIP_SPACINGS * f->node->network.pow_target_spacing_s * 1000000;
    mesh_run(&f->mesh, stale_us - STALE_TIP_CHECK_US);
    assert_false(f->node->p2p->stale.wants_extra);
    mesh_run(&f->mesh, 2 * STALE_TIP_CHECK_US - 60000000);
    know_an_address(f);
    assert_false(f->node->p2p->stale.wants_extra);
    assert_true(dials_one_more(f, 120000000));
    assert_true(f->node->p2p->stale.wants_extra);
    /* A block: at the next look there is no need any more. */
    mesh_give(f->node, builder_blocks(&f->builder, f->builder.genesis, 2, NULL));
    mesh_run(&f->mesh, STALE_TIP_CHECK_US + 1000000);
    assert_false(f->node->p2p->stale.wants_extra);
}

TEST(one_more_is_dialled_when_no_block_comes, struct fixture *f)
{
    start(f, P2P_FULL_OUTBOUND, P2P_FULL_OUTBOUND);
    expect_one_more(f);
}

/* Whoever holds all our peers can have a block dripped at any time. */
TEST(a_block_that_is_owed_is_no_block, struct fixture *f)
{
    start(f, P2P_FULL_OUTBOUND, P2P_FULL_OUTBOUND);
    peer_at(f, 0)->fetch.n_in_flight = 1;
    expect_one_more(f);
    peer_at(f, 0)->fetch.n_in_flight = 0;
}

TEST(a_user_who_allows_fewer_gets_no_more, struct fixture *f)
{
    start(f, 2, P2P_FULL_OUTBOUND - 1);
    mesh_run(&f->mesh, INT64_C(3) * 3600 * 1000000);
    assert_false(f->node->p2p->stale.wants_extra);
}

TEST(of_one_too_many_the_least_useful_goes, struct fixture *f)
{
    start(f, PEERS_MAX, 50);
    for (size_t i = 0; i < PEERS_MAX; i++)
        peer_at(f, i)->score.last_block_us = 1000 + (int64_t)i;
    peer_at(f, 3)->score.last_block_us = 500;
    peer_at(f, 3)->fetch.n_in_flight = 1; /* it owes a block: it is left for now */
    mesh_run(&f->mesh, STALE_TIP_EVICT_US + 1000000);
    assert_non_null(peer_at(f, 3));
    assert_int_equal(count_full(f), PEERS_MAX);
    peer_at(f, 3)->fetch.n_in_flight = 0;
    mesh_run(&f->mesh, STALE_TIP_EVICT_US);
    assert_null(peer_at(f, 3));
    assert_int_equal(count_full(f), P2P_FULL_OUTBOUND);
    mesh_run(&f->mesh, 3 * STALE_TIP_EVICT_US); /* eight are no more than there are slots */
    assert_int_equal(count_full(f), P2P_FULL_OUTBOUND);
}

/* Three for blocks only; the last is one too many. */
static struct peer *add_block_only(struct fixture *f)
{
    struct peer *peer = NULL;
    for (size_t i = 0; i <= P2P_BLOCK_ONLY_OUTBOUND; i++) {
        struct net_address address;
        uint16_t port = (uint16_t)(800 + i);
        assert_true(net_address_parse("10.9.9.9", port, &address));
        struct raw_peer *raw = raw_listen(&f->mesh, port);
        peer = dial(f->node->p2p, &address, PEER_BLOCK_ONLY, false);
        assert_non_null(peer);
        raw_handshake(raw, SERVICES);
        raw_send_headers(raw, &f->blocks[0], 1);
    }
    return peer;
}

static size_t count_block_only(const struct fixture *f)
{
    size_t n = 0;
    for (const struct peer *peer = f->node->p2p->peers; peer; peer = peer->next)
        n += peer->class == PEER_BLOCK_ONLY;
    return n;
}

TEST(of_those_for_blocks_only_the_worse_of_the_two_youngest_goes, struct fixture *f)
{
    for (int is_better = 0; is_better < 2; is_better++) {
        start(f, 0, 50);
        struct peer *last = add_block_only(f);
        uint64_t id = last->id;
        last->prev->score.last_block_us = 1000;
        last->score.last_block_us = is_better ? 1001 : 1000;
        last->fetch.n_in_flight = last->prev->fetch.n_in_flight = 1; /* they owe a block */
        mesh_run(&f->mesh, 2 * STALE_TIP_EVICT_US);
        assert_int_equal(count_block_only(f), P2P_BLOCK_ONLY_OUTBOUND + 1);
        last->fetch.n_in_flight = last->prev->fetch.n_in_flight = 0;
        mesh_run(&f->mesh, 2 * STALE_TIP_EVICT_US);
        assert_int_equal(count_block_only(f), P2P_BLOCK_ONLY_OUTBOUND);
        assert_int_equal(p2p_find_peer(f->node->p2p, id) != NULL, is_better);
        if (!is_better)
            mesh_deinit(&f->mesh);
    }
}

TEST(of_equals_the_youngest_goes_after_its_time, struct fixture *f)
{
    start(f, PEERS_MAX, 50);
    struct peer *last = peer_at(f, PEERS_MAX - 1);
    last->connected_us = p2p_now_us(f->node->p2p) + STALE_TIP_EVICT_US - STALE_TIP_PROBATION_US / 2;
    mesh_run(&f->mesh, STALE_TIP_EVICT_US);
    assert_int_equal(count_full(f), PEERS_MAX); /* it has not had its time */
    mesh_run(&f->mesh, STALE_TIP_EVICT_US);
    assert_null(peer_at(f, PEERS_MAX - 1));
    assert_int_equal(count_full(f), P2P_FULL_OUTBOUND);
}
