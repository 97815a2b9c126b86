/* test_tx_tell.c - who is told of a transaction. */
#include "p2p/state.h"
#include "p2p/txs/tx_tell.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* Everything that waits for a peer that does not read stays bounded. */
TEST(a_queue_for_a_peer_has_a_limit, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 68, NULL, &tip);
    (void)raw_join(&f->mesh, a, SERVICES);
    for (int32_t i = 1; i <= 15; i++) {
        struct tx tx = spend(f, tip, i, 1000);
        give_tx(a, &tx);
    }
    struct net_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_in_range(info.n_inv_to_send, 0, 15);
    mesh_run(&f->mesh, 60000000);
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.n_inv_to_send, 0);
}

TEST(who_knows_it_is_not_told, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 69, NULL, &tip);
    (void)raw_join(&f->mesh, a, SERVICES);
    struct tx tx = spend(f, tip, 1, 1000);
    give_tx(a, &tx);
    struct peer *peer = a->p2p->peers;
    const struct mempool_entry *entry = mempool_find(a->mempool, &tx.txid);
    assert_non_null(entry);
    mesh_run(&f->mesh, 60000000); /* it was told */
    assert_true(tx_tell_is_known(a->p2p, peer, &entry->tx));
    tx_tell(a->p2p, entry);
    assert_int_equal(peer->relay.queue.n, 0);
    known_by_leave(&a->p2p->relay.known, peer->relay.place); /* and comes again */
    assert_int_equal(known_by_join(&a->p2p->relay.known), peer->relay.place);
    assert_false(tx_tell_is_known(a->p2p, peer, &entry->tx));
    tx_tell(a->p2p, entry);
    assert_int_equal(peer->relay.queue.n, 1);
}
