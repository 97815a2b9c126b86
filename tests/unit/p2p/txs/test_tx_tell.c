/* test_tx_tell.c - who is told of a transaction. */
#include "p2p/p2p_internal.h"
#include "p2p/txs/tx_tell.h"
#include "support/mesh.h"
#include "support/unit.h"
#include "util/alloc.h"

struct fixture {
    struct chain_builder builder;
    struct mesh mesh;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->builder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mesh_deinit(&f->mesh);
    chain_builder_deinit(&f->builder);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

#define SERVICES (NODE_NETWORK | NODE_WITNESS)

/* A node with coins to spend: those of the first twenty blocks are mature. */
static struct mesh_node *rich_node(struct fixture *f, uint64_t seed,
                                   const struct p2p_options *options,
                                   const struct built_block **tip)
{
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    struct mesh_node *a = mesh_add(&f->mesh, options, NULL);
    *tip = builder_blocks(&f->builder, f->builder.genesis, 120, NULL);
    mesh_give(a, *tip);
    return a;
}

static struct tx spend(struct fixture *f, const struct built_block *tip, int32_t height,
                       int64_t fee_sat)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(tip, height));
    return builder_spend(&f->builder, &coin, 1, 2, fee_sat, BUILDER_WSH_TRUE);
}

static void give_tx(struct mesh_node *node, const struct tx *tx)
{
    struct verdict verdict = mesh_give_tx(node, tx);
    assert_string_equal(reject_string(verdict.code), "");
}

/* Everything that waits for a peer that does not read stays bounded. */
TEST(a_queue_for_a_peer_has_a_limit, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 68, NULL, &tip);
    struct raw_peer *raw = raw_connect(&f->mesh, a);
    raw_handshake(raw, SERVICES);
    for (int32_t i = 1; i <= 15; i++) {
        struct tx tx = spend(f, tip, i, 1000);
        give_tx(a, &tx);
    }
    struct p2p_peer_info info;
    assert_true(mesh_peer_info(a, 0, &info));
    assert_in_range(info.n_tx_to_send, 0, 15);
    mesh_run(&f->mesh, 60000000);
    assert_true(mesh_peer_info(a, 0, &info));
    assert_int_equal(info.n_tx_to_send, 0);
    raw_free(raw);
}

TEST(who_knows_it_is_not_told, struct fixture *f)
{
    const struct built_block *tip;
    struct mesh_node *a = rich_node(f, 69, NULL, &tip);
    struct raw_peer *raw = raw_connect(&f->mesh, a);
    raw_handshake(raw, SERVICES);
    struct tx tx = spend(f, tip, 1, 1000);
    give_tx(a, &tx);
    struct peer *peer = a->p2p->peers;
    const struct mempool_entry *entry = mempool_find(a->mempool, &tx.txid);
    assert_non_null(entry);
    mesh_run(&f->mesh, 60000000); /* it was told */
    assert_true(tx_tell_is_known(peer, entry));
    tx_tell(a->p2p, entry);
    assert_int_equal(peer->relay.n_queue, 0);
    recent_set_clear(&peer->relay.known);
    assert_false(tx_tell_is_known(peer, entry));
    tx_tell(a->p2p, entry);
    assert_int_equal(peer->relay.n_queue, 1);
    raw_free(raw);
}
