/* test_laggards.c - peers that we chose and that know less than we do are let go, with care. */
#include "p2p/connect/dial.h"
#include "p2p/state.h"
#include "support/mesh_fixture.h"

enum { PEERS_MAX = 6, S = 1000000 };

/* A node that has two of the three blocks. */
static int setup(void **state)
{
    (void)mesh_setup(state);
    struct fixture *f = *state;
    struct p2p_options options = {.max_connections = 40};
    (void)fixture_node(f, 43, &options, NULL);
    for (size_t i = 0; i < COUNT_OF(f->blocks); i++)
        f->blocks[i] = builder_block(&f->builder, i ? f->blocks[i - 1] : f->builder.genesis, NULL);
    mesh_give(f->node, f->blocks[0]);
    mesh_give(f->node, f->blocks[1]);
    /* Far behind, who owes headers goes for that: not here. */
    sim_env_set_unix_s(f->node->sim, f->blocks[2]->block.header.time);
    return 0;
}

FIXTURE(setup, mesh_teardown)

/* An outbound peer that tells of the first n blocks. */
static struct raw_peer *add(struct fixture *f, enum peer_class class, size_t n)
{
    struct net_address address;
    size_t i = 0;
    while (f->raw[i])
        i++;
    assert_true(i < PEERS_MAX);
    assert_true(net_address_parse("10.9.9.9", (uint16_t)(700 + i), &address));
    f->raw[i] = raw_listen(&f->mesh, (uint16_t)(700 + i));
    assert_non_null(dial(f->node->p2p, &address, class, false));
    raw_handshake(f->raw[i], SERVICES);
    if (n > 0)
        raw_send_headers(f->raw[i], f->blocks, n);
    mesh_run(&f->mesh, S);
    return f->raw[i];
}

TEST(who_never_catches_up_is_asked_once_more_and_goes, struct fixture *f)
{
    struct raw_peer *silent = add(f, PEER_FULL, 0), *behind = add(f, PEER_FULL, 1);
    mesh_run(&f->mesh, INT64_C(1190) * S);
    size_t n_behind = raw_count(behind, "getheaders");
    mesh_run(&f->mesh, INT64_C(20) * S);
    /* Beside the question of every ten minutes. */
    assert_int_equal(raw_count(behind, "getheaders"), n_behind + 2);
    mesh_run(&f->mesh, INT64_C(100) * S);
    assert_false(silent->is_closed || behind->is_closed);
    mesh_run(&f->mesh, INT64_C(20) * S);
    assert_true(silent->is_closed && behind->is_closed);
}

TEST(who_comes_up_to_where_we_were_stays, struct fixture *f)
{
    struct raw_peer *raw = add(f, PEER_BLOCK_ONLY, 1);
    mesh_run(&f->mesh, INT64_C(1210) * S);
    mesh_give(f->node, f->blocks[2]);
    raw_send_headers(raw, f->blocks, 2); /* what we had when its time began, and no more */
    mesh_run(&f->mesh, INT64_C(1000) * S);
    assert_false(raw->is_closed);
    raw_send_headers(raw, f->blocks, 3);
    mesh_run(&f->mesh, INT64_C(3000) * S);
    assert_false(raw->is_closed);
}

/* The limit: four of those that knew our tip may fall behind, and only peers for everything. */
TEST(a_few_that_knew_our_tip_are_spared, struct fixture *f)
{
    for (size_t i = 0; i < LAGGARDS_SPARED_MAX; i++)
        (void)add(f, PEER_FULL, 2);
    struct raw_peer *fifth = add(f, PEER_FULL, 2), *block_only = add(f, PEER_BLOCK_ONLY, 2);
    assert_int_equal(f->node->p2p->n_spared, LAGGARDS_SPARED_MAX);
    mesh_give(f->node, f->blocks[2]);
    mesh_run(&f->mesh, INT64_C(1400) * S);
    for (size_t i = 0; i < LAGGARDS_SPARED_MAX; i++)
        assert_false(f->raw[i]->is_closed);
    assert_true(fifth->is_closed && block_only->is_closed);
    raw_free(f->raw[0]);
    f->raw[0] = NULL;
    mesh_run(&f->mesh, S);
    assert_int_equal(f->node->p2p->n_spared, LAGGARDS_SPARED_MAX - 1);
}

TEST(whom_we_did_not_choose_may_know_nothing, struct fixture *f)
{
    struct raw_peer *manual = add(f, PEER_MANUAL, 0);
    mesh_run(&f->mesh, INT64_C(1400) * S);
    assert_false(manual->is_closed);
}
