/* test_tx_parents.c - whom an orphan's parents are asked of. */
#include <time.h>

#include "p2p/state.h"
#include "p2p/txs/tx_parents.h"
#include "support/build.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

struct family {
    struct mesh_node *node;
    const struct built_block *tip;
    struct tx parent, child;
};

static struct family start(struct fixture *f, uint64_t seed)
{
    struct family s;
    s.node = rich_node(f, seed, NULL, &s.tip);
    s.parent = spend(f, s.tip, 1, 1000);
    struct builder_coin coin = builder_coin_of(&s.parent, 0, BUILDER_WSH_TRUE);
    s.child = builder_spend(&f->builder, &coin, 1, 2, 1000, BUILDER_WSH_TRUE);
    return s;
}

static void send_tx(struct raw_peer *raw, const struct tx *tx)
{
    raw_send(raw, "tx", tx->raw.p, tx->raw.len);
}

static bool is_asked_for(struct raw_peer *raw, const struct tx *tx, int64_t us)
{
    struct span getdata = raw_find(raw, "getdata", us);
    return getdata.p && memcmp(getdata.p + 5, tx->txid.b, 32) == 0;
}

static const struct orphan *orphan_of(const struct family *s)
{
    return orphans_find(&s->node->p2p->txs.orphans, &s->child.wtxid);
}

/* Those too that announced it before it was known to be an orphan; each in his turn. */
TEST(all_who_have_announced_a_child_may_be_asked, struct fixture *f)
{
    struct family s = start(f, 401);
    struct raw_peer *raw[4];
    for (size_t i = 0; i < 4; i++)
        raw[i] = raw_join(&f->mesh, s.node, SERVICES);
    for (size_t i = 0; i < 2; i++)
        raw_send_inv(raw[i], "inv", INV_WTX, s.child.wtxid.b);
    mesh_run(&f->mesh, 3000000); /* one of the two is asked for it */
    struct raw_peer *sender = raw_count(raw[0], "getdata") ? raw[0] : raw[1];
    (void)raw_expect(sender, "getdata");
    send_tx(sender, &s.child);
    mesh_run(&f->mesh, 500000);
    raw_send_inv(raw[2], "inv", INV_WTX, s.child.wtxid.b);
    mesh_run(&f->mesh, 500000);
    assert_non_null(orphan_of(&s));
    assert_int_equal(orphan_of(&s)->claims.count, 3);
    mesh_run(&f->mesh, 3 * (TX_FETCH_TIMEOUT_US + 1000000));
    for (size_t i = 0; i < 3; i++)
        assert_true(is_asked_for(raw[i], &s.parent, 0));
    assert_int_equal(raw_count(raw[3], "getdata"), 0);
}

/* One kind of id for each peer: by txid another witness may be meant. */
TEST(an_orphan_announced_by_txid_is_asked_for_itself, struct fixture *f)
{
    struct family s = start(f, 402);
    struct raw_peer *one = raw_join(&f->mesh, s.node, SERVICES);
    struct raw_peer *two = raw_join(&f->mesh, s.node, SERVICES);
    send_tx(one, &s.child);
    mesh_run(&f->mesh, 500000);
    for (struct peer *peer = s.node->p2p->peers; peer; peer = peer->next)
        peer->wants_wtxid = false; /* as if neither had asked for wtxids */
    raw_send_inv(two, "inv", INV_TX, s.child.txid.b);
    assert_true(is_asked_for(two, &s.child, 10000000));
    assert_int_equal(orphan_of(&s)->claims.count, 1);
}

/* Costs: of an announcement that is heard again, as often as a peer likes to say it. */
static clock_t time_to_announce_again(struct mesh_node *node, uint32_t n_parents)
{
    struct p2p *p2p = node->p2p;
    struct arena arena;
    arena_init(&arena, 65536);
    struct tx tx = build_tx(&arena, n_parents, n_parents, 1);
    tx_finish(&tx, &arena);
    assert_true(orphans_add(&p2p->txs.orphans, &p2p->peers->orphans, &tx));
    clock_t begun = clock();
    for (int i = 0; i < 2000; i++)
        assert_true(tx_parents_announced(p2p, p2p->peers, &tx.wtxid));
    clock_t taken = clock() - begun;
    arena_deinit(&arena);
    return taken;
}

TEST(an_announcement_heard_again_costs_no_more_for_many_parents, struct fixture *f)
{
    struct family s = start(f, 406);
    (void)raw_join(&f->mesh, s.node, SERVICES);
    clock_t few = time_to_announce_again(s.node, 1), many = time_to_announce_again(s.node, 2000);
    assert_true(many < 50 * few + CLOCKS_PER_SEC / 100);
}

/* What came meanwhile is not asked for. */
TEST(only_parents_that_are_missing_are_asked_for, struct fixture *f)
{
    struct family s = start(f, 403);
    struct raw_peer *raw = raw_join(&f->mesh, s.node, SERVICES);
    struct tx here = spend(f, s.tip, 2, 1000), missing = spend(f, s.tip, 3, 1000);
    struct builder_coin coins[3] = {builder_coin_of(&here, 0, BUILDER_WSH_TRUE),
                                    builder_coin_of(&missing, 0, BUILDER_WSH_TRUE),
                                    builder_coin_of(&missing, 1, BUILDER_WSH_TRUE)};
    struct tx child = builder_spend(&f->builder, coins, 3, 1, 1000, BUILDER_WSH_TRUE);
    give_tx(s.node, &here);
    send_tx(raw, &child);
    struct span getdata = raw_expect(raw, "getdata");
    assert_int_equal(getdata.p[0], 1); /* once, though it is spent twice */
    assert_memory_equal(getdata.p + 5, missing.txid.b, 32);
}

/* Named limit: parents count as announcements, and whoever cannot be asked for them is not heard.
 */
TEST(an_orphan_of_more_parents_than_may_be_asked_for_is_not_kept, struct fixture *f)
{
    struct family s = start(f, 404);
    struct raw_peer *raw = raw_join(&f->mesh, s.node, SERVICES);
    struct tx_fetch *fetch = &s.node->p2p->txs.fetch;
    struct peer *peer = s.node->p2p->peers;
    uint8_t id[32] = {0};
    for (uint32_t i = 0; i < TX_FETCH_ANNOUNCEMENTS_MAX; i++) {
        memcpy(id, &i, sizeof i);
        assert_true(tx_fetch_announced(fetch, &peer->txs, id, true, 0));
    }
    send_tx(raw, &s.child);
    mesh_run(&f->mesh, 100000);
    assert_null(orphan_of(&s));
    tx_fetch_forget(fetch, id); /* one less */
    send_tx(raw, &s.child);
    mesh_run(&f->mesh, 100000);
    assert_non_null(orphan_of(&s));
}

/* By both names, so that no witness of it is asked for; and so on down the line. */
TEST(children_of_what_was_refused_are_refused, struct fixture *f)
{
    struct family s = start(f, 405);
    struct raw_peer *raw = raw_join(&f->mesh, s.node, SERVICES);
    struct p2p *p2p = s.node->p2p;
    struct builder_coin coin = builder_coin_of(&s.child, 0, BUILDER_WSH_TRUE);
    struct tx grandchild = builder_spend(&f->builder, &coin, 1, 1, 1000, BUILDER_WSH_TRUE);
    (void)recent_set_add(&p2p->txs.known.rejects, s.parent.txid.b);
    send_tx(raw, &s.child);
    send_tx(raw, &grandchild);
    mesh_run(&f->mesh, 10000000);
    assert_int_equal(p2p->txs.orphans.all.count, 0);
    assert_true(tx_known_has(&p2p->txs.known, s.child.txid.b, false));
    assert_true(tx_known_has(&p2p->txs.known, s.child.wtxid.b, true));
    assert_true(tx_known_has(&p2p->txs.known, grandchild.txid.b, false));
    assert_int_equal(raw_count(raw, "getdata"), 0);
}
