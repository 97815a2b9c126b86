/* test_compact_peers.c - who is to tell us of new blocks by short ids. */
#include "support/compact_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(everybody_is_told_that_we_know_them, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 1, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    assert_int_equal(raw_count(raw, "sendcmpct"), 1);
    assert_int_equal(compact_mode(raw), 0);
}

TEST(an_old_peer_is_told_nothing, struct fixture *f)
{
    struct raw_peer *raw = fixture_caller(f, 2);
    raw_send_version(raw, SERVICES, 70013, 5);
    mesh_run(&f->mesh, 100000);
    raw_send(raw, "verack", NULL, 0);
    mesh_run(&f->mesh, 100000);
    assert_int_equal(mesh_count_ready(f->node), 1);
    assert_int_equal(raw_count(raw, "sendcmpct"), 0);
}

/* clang-format off */
static const struct { bool wants; uint64_t version; bool knows, is_wanted; } modes[] = {
    {true,  1, false, false}, /* without witnesses: nobody speaks that any more */
    {true,  3, false, false},
    {false, 2, true,  false},
    {true,  2, true,  true},
    {false, 1, true,  true},  /* says nothing about the other one */
    {false, 2, true,  false},
};
/* clang-format on */

TEST(only_version_2_counts, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct mesh_node *node = compact_node(f, 3, NULL, &tip, txs);
    struct raw_peer *raw = raw_join(&f->mesh, node, SERVICES);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct net_peer_info info;
        compact_send_mode(raw, modes[i].wants, modes[i].version);
        mesh_run(&f->mesh, 100000);
        assert_int_equal(node->p2p->peers->knows_compact, modes[i].knows);
        assert_true(mesh_peer_info(node, 0, &info));
        assert_int_equal(info.is_high_bandwidth_from, modes[i].is_wanted);
        assert_false(info.is_high_bandwidth_to);
    }
    raw_send(raw, "sendcmpct", "\2\2\0\0\0\0\0\0\0", 9); /* a number that is no boolean is yes */
    mesh_run(&f->mesh, 100000);
    assert_true(node->p2p->peers->wants_compact && !raw->is_closed);
}

/* The fourth takes the place of the one that was first longest ago. */
TEST(three_that_were_first_are_asked, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 4, NULL, &tip, txs);
    struct raw_peer *raw[4];
    for (int i = 0; i < 4; i++)
        raw[i] = compact_join(f);
    for (int i = 0; i < 3; i++) {
        tip = compact_be_first(f, raw[i], tip);
        assert_int_equal(compact_mode(raw[i]), 1);
    }
    tip = compact_be_first(f, raw[0], tip); /* again: nothing need be said */
    assert_int_equal(raw_count(raw[0], "sendcmpct"), 2);
    tip = compact_be_first(f, raw[3], tip);
    assert_int_equal(compact_mode(raw[0]), 1);
    assert_int_equal(compact_mode(raw[1]), 0);
    assert_int_equal(compact_mode(raw[2]), 1);
    assert_int_equal(compact_mode(raw[3]), 1);
    assert_int_equal(f->node->p2p->compact_peers.n_high, COMPACT_PEERS_HIGH_MAX);
}

/* Hazard 60. */
TEST(the_only_one_that_we_chose_keeps_its_place, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 5, NULL, &tip, txs);
    struct raw_peer *chosen = compact_join_outbound(f), *raw[3];
    for (int i = 0; i < 3; i++)
        raw[i] = compact_join(f);
    tip = compact_be_first(f, chosen, tip);
    for (int i = 0; i < 3; i++)
        tip = compact_be_first(f, raw[i], tip);
    assert_int_equal(compact_mode(chosen), 1);
    assert_int_equal(compact_mode(raw[0]), 0);
    assert_int_equal(compact_mode(raw[2]), 1);
}

TEST(who_leaves_makes_room, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 6, NULL, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    tip = compact_be_first(f, raw, tip);
    assert_int_equal(f->node->p2p->compact_peers.n_high, 1);
    raw_free(raw);
    mesh_run(&f->mesh, 100000);
    assert_int_equal(f->node->p2p->compact_peers.n_high, 0);
}

TEST(without_transactions_nobody_is_asked, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    struct p2p_options options = {.blocks_only = true};
    (void)compact_node(f, 7, &options, &tip, txs);
    struct raw_peer *raw = compact_join(f);
    tip = compact_be_first(f, raw, tip);
    assert_int_equal(compact_mode(raw), 0);
}

TEST(who_does_not_know_them_is_not_asked, struct fixture *f)
{
    const struct built_block *tip;
    struct tx txs[COMPACT_TXS];
    (void)compact_node(f, 8, NULL, &tip, txs);
    struct raw_peer *raw = raw_join(&f->mesh, f->node, SERVICES);
    tip = compact_be_first(f, raw, tip);
    assert_int_equal(f->node->p2p->compact_peers.n_high, 0);
}
