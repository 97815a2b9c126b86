/* test_p2p.c - whole nodes on a simulated network: they find each other's blocks and transactions.
 */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

TEST(two_nodes_shake_hands, struct fixture *f)
{
    mesh_init(&f->mesh, 1, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_connect(a, b);
    struct net_peer_info info;
    mesh_run(&f->mesh, 1000000);
    assert_true(mesh_peer_info(a, 0, &info));
    assert_string_equal(info.connection_type, "manual");
    assert_true(span_equal(info.user_agent, span_of_string("/Cairn:test/")));
    assert_string_equal(info.address, "10.0.2.1:18444");
    assert_int_equal(info.version, WIRE_PROTOCOL_VERSION);
    assert_true(info.services & NODE_NETWORK);
    assert_in_range(info.min_ping_us, 40000, 45000); /* the way there and back */
    assert_true(mesh_peer_info(b, 0, &info));
    assert_string_equal(info.connection_type, "inbound");
    assert_int_equal(a->n_peers, 1);
    assert_int_equal(b->n_peers, 1);
}

TEST(a_new_node_syncs_headers_first_and_then_all_blocks, struct fixture *f)
{
    mesh_init(&f->mesh, 2, &f->builder, NULL);
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 2500, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_give(a, tip);
    mesh_connect(b, a);
    assert_true(mesh_wait_tip(&f->mesh, tip, 60) >= 0);
    struct net_peer_info info;
    assert_true(mesh_peer_info(b, 0, &info));
    assert_int_equal(info.synced_headers, 2500);
    assert_int_equal(info.synced_blocks, 2500);
    assert_true(info.last_block_s > 0);
}

TEST(a_new_block_reaches_everybody_along_a_line, struct fixture *f)
{
    mesh_init(&f->mesh, 3, &f->builder, NULL);
    struct mesh_node *node[5];
    for (int i = 0; i < 5; i++) {
        node[i] = mesh_add(&f->mesh, NULL, NULL);
        if (i > 0)
            mesh_connect(node[i], node[i - 1]);
    }
    const struct built_block *tip = builder_blocks(&f->builder, f->builder.genesis, 3, NULL);
    mesh_give(node[0], tip);
    assert_true(mesh_wait_tip(&f->mesh, tip, 10) >= 0);
    const struct built_block *next = builder_block(&f->builder, tip, NULL);
    mesh_give(node[4], next);
    int64_t took_us = mesh_wait_tip(&f->mesh, next, 10);
    assert_in_range(took_us, 1, 1000000);
}

TEST(the_longer_of_two_branches_wins_everywhere, struct fixture *f)
{
    mesh_init(&f->mesh, 4, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 20, NULL);
    const struct built_block *one = builder_blocks(&f->builder, base, 10, NULL);
    const struct built_block *two = builder_blocks(&f->builder, base, 12, NULL);
    mesh_give(a, one);
    mesh_give(b, two);
    mesh_connect(a, b);
    assert_true(mesh_wait_tip(&f->mesh, two, 20) >= 0);
}

TEST(a_partition_heals, struct fixture *f)
{
    mesh_init(&f->mesh, 5, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, NULL, NULL), *b = mesh_add(&f->mesh, NULL, NULL);
    mesh_connect(a, b);
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 5, NULL);
    mesh_give(a, base);
    assert_true(mesh_wait_tip(&f->mesh, base, 10) >= 0);
    sim_net_set_group(b->host, 1);
    const struct built_block *one = builder_blocks(&f->builder, base, 3, NULL);
    const struct built_block *two = builder_blocks(&f->builder, base, 5, NULL);
    mesh_give(a, one);
    mesh_give(b, two);
    mesh_run(&f->mesh, 20000000);
    assert_true(mesh_is_at(a, one));
    sim_net_set_group(b->host, 0);
    assert_true(mesh_wait_tip(&f->mesh, two, 60) >= 0);
}

TEST(a_transaction_is_told_to_everybody_and_mined_by_another, struct fixture *f)
{
    mesh_init(&f->mesh, 6, &f->builder, NULL);
    struct mesh_node *node[3];
    for (int i = 0; i < 3; i++) {
        node[i] = mesh_add(&f->mesh, NULL, NULL);
        if (i > 0)
            mesh_connect(node[i], node[i - 1]);
    }
    const struct built_block *block[120], *tip;
    tip = builder_blocks(&f->builder, f->builder.genesis, 120, block);
    mesh_give(node[0], tip);
    assert_true(mesh_wait_tip(&f->mesh, tip, 20) >= 0);
    struct builder_coin coin = builder_coinbase_coin(block[0]);
    struct tx parent = builder_spend(&f->builder, &coin, 1, 2, 10000, BUILDER_WSH_TRUE);
    struct builder_coin of_parent = builder_coin_of(&parent, 0, BUILDER_WSH_TRUE);
    struct tx child = builder_spend(&f->builder, &of_parent, 1, 1, 20000, BUILDER_WSH_TRUE);
    struct verdict verdict = mesh_give_tx(node[0], &parent);
    assert_string_equal(reject_string(verdict.code), "");
    verdict = mesh_give_tx(node[0], &child);
    assert_string_equal(reject_string(verdict.code), "");
    mesh_run(&f->mesh, 60000000);
    for (int i = 0; i < 3; i++) {
        assert_non_null(mempool_find(node[i]->mempool, &parent.txid));
        assert_non_null(mempool_find(node[i]->mempool, &child.txid));
    }
    const struct tx txs[] = {parent, child};
    struct builder_spec spec = {.tx = txs, .n_tx = 2};
    const struct built_block *mined = builder_block(&f->builder, tip, &spec);
    mesh_give(node[2], mined);
    assert_true(mesh_wait_tip(&f->mesh, mined, 20) >= 0);
    assert_int_equal(mempool_count(node[0]->mempool), 0);
}

/* Hazard 63: of ids that all fall into one place under a key that everybody knows few do so under
 * ours. */
TEST(ids_made_to_collide_do_not, struct fixture *f)
{
    enum { IDS = 200, PLACES = 1024 };
    const struct p2p *p2p = fixture_node(f, 9, NULL, NULL)->p2p;
    const struct siphash_key known = {0};
    size_t n = 0, n_together = 0;
    for (uint64_t i = 0; n < IDS; i++) {
        uint8_t id[32] = {0};
        memcpy(id, &i, sizeof i);
        if (siphash13_id(known, id, 0) % PLACES != 0)
            continue;
        n++;
        n_together += siphash13_id(p2p->key, id, 0) % PLACES == 0;
    }
    assert_true(n_together < 10);
}
