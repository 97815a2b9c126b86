/* test_tx_judge.c - parents that cannot pay for themselves, and children that pay for both. */
#include "p2p/state.h"
#include "p2p/txs/tx_judge.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

#define RICH_SAT 100000 /* a fee for two */

struct pairs {
    struct fixture *f;
    struct mesh_node *node;
    const struct built_block *tip;
    struct raw_peer *peer;
};

static struct pairs start(struct fixture *f, uint64_t seed)
{
    struct pairs s = {.f = f};
    s.node = rich_node(f, seed, NULL, &s.tip);
    s.peer = raw_join(&f->mesh, s.node, SERVICES);
    return s;
}

/* It spends the coinbase of that height, and pays nothing. */
static struct tx poor(struct pairs *s, int32_t height)
{
    return spend(s->f, s->tip, height, 0);
}

static struct tx child_of(struct pairs *s, const struct tx *parent, uint32_t vout, int64_t fee_sat)
{
    struct builder_coin coin = builder_coin_of(parent, vout, BUILDER_WSH_TRUE);
    return builder_spend(&s->f->builder, &coin, 1, 2, fee_sat, BUILDER_WSH_TRUE);
}

static void send(struct pairs *s, struct raw_peer *peer, const struct tx *tx)
{
    raw_send(peer, "tx", tx->raw.p, tx->raw.len);
    mesh_run(&s->f->mesh, 500000);
}

static bool is_in(const struct pairs *s, const struct tx *tx)
{
    return mempool_find_wtxid(s->node->mempool, &tx->wtxid) != NULL;
}

static bool is_orphan(const struct pairs *s, const struct tx *tx)
{
    return orphans_find(&s->node->p2p->txs.orphans, &tx->wtxid) != NULL;
}

static void expect_asked(struct raw_peer *peer, const struct tx *tx)
{
    struct span asked = raw_expect(peer, "getdata");
    assert_int_equal(asked.p[0], 1);
    assert_memory_equal(asked.p + 5, tx->txid.b, 32);
}

TEST(a_child_that_waits_pays_for_its_parent, struct fixture *f)
{
    struct pairs s = start(f, 201);
    struct tx parent = poor(&s, 1), child = child_of(&s, &parent, 0, RICH_SAT);
    send(&s, s.peer, &child);
    assert_true(is_orphan(&s, &child));
    expect_asked(s.peer, &parent);
    send(&s, s.peer, &parent);
    assert_true(is_in(&s, &parent) && is_in(&s, &child));
    assert_false(is_orphan(&s, &child));
    assert_int_equal(s.node->p2p->peers->txs.all.count, 0);
}

/* It is not asked for by itself any more; but for a child that may pay for it, it is. */
TEST(a_parent_is_asked_for_again_when_a_child_comes, struct fixture *f)
{
    struct pairs s = start(f, 202);
    struct tx parent = poor(&s, 1), child = child_of(&s, &parent, 0, RICH_SAT);
    send(&s, s.peer, &parent);
    assert_false(is_in(&s, &parent));
    assert_true(tx_known_is_reconsiderable(&s.node->p2p->txs.known, &parent.wtxid));
    raw_send_inv(s.peer, "inv", INV_WTX, parent.wtxid.b);
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(raw_count(s.peer, "getdata"), 0);
    send(&s, s.peer, &child);
    expect_asked(s.peer, &parent);
    send(&s, s.peer, &parent);
    assert_true(is_in(&s, &parent) && is_in(&s, &child));
}

/* The newest child first; what is refused with its parent is not tried with it again, another is.
 */
TEST(each_pair_is_tried_once, struct fixture *f)
{
    struct pairs s = start(f, 203);
    struct tx parent = poor(&s, 1), low = child_of(&s, &parent, 0, 1);
    struct tx high = child_of(&s, &parent, 1, RICH_SAT);
    struct p2p *p2p = s.node->p2p;
    send(&s, s.peer, &low);
    expect_asked(s.peer, &parent);
    send(&s, s.peer, &parent);
    assert_false(is_in(&s, &parent) || is_in(&s, &low) || is_orphan(&s, &low));
    assert_true(tx_known_has_pair(&p2p->txs.known, &parent.wtxid, &low.wtxid));
    assert_false(tx_known_has_pair(&p2p->txs.known, &low.wtxid, &parent.wtxid));
    /* By itself it has been found too cheap, too: nobody is asked for it. */
    raw_send_inv(s.peer, "inv", INV_WTX, low.wtxid.b);
    send(&s, s.peer, &parent);
    assert_false(is_in(&s, &parent));
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(raw_count(s.peer, "getdata"), 1);
    send(&s, s.peer, &high);
    expect_asked(s.peer, &parent);
    send(&s, s.peer, &parent);
    assert_true(is_in(&s, &parent) && is_in(&s, &high) && !is_in(&s, &low));
}

/* Many wrong children by others keep nobody from having the right one tried. */
TEST(only_children_of_the_same_peer_are_tried, struct fixture *f)
{
    struct pairs s = start(f, 204);
    struct raw_peer *other = raw_join(&f->mesh, s.node, SERVICES);
    struct tx parent = poor(&s, 1), child = child_of(&s, &parent, 0, RICH_SAT);
    send(&s, s.peer, &child);
    send(&s, other, &parent);
    assert_false(is_in(&s, &parent));
    assert_true(is_orphan(&s, &child));
    /* Who announces the child has it. */
    raw_send_inv(other, "inv", INV_WTX, child.wtxid.b);
    mesh_run(&f->mesh, 500000);
    send(&s, other, &parent);
    assert_true(is_in(&s, &parent) && is_in(&s, &child));
}

/* One alone can be brought along. */
TEST(a_child_of_two_poor_parents_is_not_kept, struct fixture *f)
{
    struct pairs s = start(f, 205);
    struct tx one = poor(&s, 1), two = poor(&s, 2);
    struct builder_coin coins[2] = {builder_coin_of(&one, 0, BUILDER_WSH_TRUE),
                                    builder_coin_of(&two, 0, BUILDER_WSH_TRUE)};
    struct tx child = builder_spend(&f->builder, coins, 2, 1, RICH_SAT, BUILDER_WSH_TRUE);
    /* They are known by their wtxids, which are not what the child names: say so here. */
    send(&s, s.peer, &one);
    send(&s, s.peer, &two);
    struct recent_set *set = &s.node->p2p->txs.known.reconsiderable;
    (void)recent_set_add(set, one.txid.b);
    (void)recent_set_add(set, two.txid.b);
    send(&s, s.peer, &child);
    assert_false(is_orphan(&s, &child));
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(raw_count(s.peer, "getdata"), 0);
    assert_true(
        tx_known_has(&s.node->p2p->txs.known, child.wtxid.b, true)); /* whatever its witness */
    assert_true(tx_known_has(&s.node->p2p->txs.known, child.txid.b, false));
}

/* What fails for more than fees takes its child's place in nothing, and costs nobody his
 * connection. */
TEST(a_child_that_fails_goes_and_its_sender_stays, struct fixture *f)
{
    struct pairs s = start(f, 206);
    struct tx parent = poor(&s, 1);
    struct tx child = child_of(&s, &parent, 0, RICH_SAT);
    uint8_t *raw = xmemdup(child.raw.p, child.raw.len);
    raw[child.raw.len - 5] ^= 1; /* its witness script, before the lock time: it is another now */
    struct arena arena;
    struct reader r = reader_of(span_of(raw, child.raw.len));
    arena_init(&arena, 4096);
    assert_true(tx_decode(&r, &arena, true, &child));
    struct tx good = child_of(&s, &parent, 1, RICH_SAT);
    send(&s, s.peer, &child);
    send(&s, s.peer, &parent);
    assert_false(is_orphan(&s, &child) || is_in(&s, &parent));
    assert_true(tx_known_has(&s.node->p2p->txs.known, child.wtxid.b, true));
    send(&s, s.peer, &good);
    send(&s, s.peer, &parent);
    assert_true(is_in(&s, &parent) && is_in(&s, &good));
    assert_false(s.peer->is_closed);
    arena_deinit(&arena);
    xfree(raw);
}

TEST(a_pair_is_tried_again_on_a_new_tip, struct fixture *f)
{
    struct pairs s = start(f, 207);
    struct tx parent = poor(&s, 1), low = child_of(&s, &parent, 0, 1);
    send(&s, s.peer, &low);
    send(&s, s.peer, &parent);
    assert_true(tx_known_has_pair(&s.node->p2p->txs.known, &parent.wtxid, &low.wtxid));
    mesh_give(s.node, builder_block(&f->builder, s.tip, NULL));
    assert_false(tx_known_has_pair(&s.node->p2p->txs.known, &parent.wtxid, &low.wtxid));
    assert_false(tx_known_is_no_use(&s.node->p2p->txs.known, parent.wtxid.b, true));
}

/* A pong says that all before the ping has been dealt with, the child that came in with its parent
 * included. */
TEST(a_pong_waits_for_pairs_and_for_orphans, struct fixture *f)
{
    static const uint8_t nonce[8] = {9};
    struct pairs s = start(f, 208);
    struct tx parent = poor(&s, 1), child = child_of(&s, &parent, 0, RICH_SAT);
    struct tx grandchild = child_of(&s, &child, 0, 1000);
    send(&s, s.peer, &grandchild);
    send(&s, s.peer, &child);
    raw_send(s.peer, "tx", parent.raw.p, parent.raw.len);
    raw_send(s.peer, "ping", nonce, sizeof nonce);
    (void)raw_expect(s.peer, "pong");
    assert_true(is_in(&s, &parent) && is_in(&s, &child) && is_in(&s, &grandchild));
}

/* Named limit: so many are in the mempool's hands at once, the others have their turn later. */
TEST(few_pairs_are_tried_at_once, struct fixture *f)
{
    enum { N = 2 * TX_JUDGE_PAIRS_MAX };
    struct pairs s = start(f, 209);
    struct tx_judge *judge = &s.node->p2p->txs.judge;
    struct tx parent[N], child[N];
    for (int32_t i = 0; i < N; i++) {
        parent[i] = poor(&s, 1 + i);
        child[i] = child_of(&s, &parent[i], 0, RICH_SAT);
        send(&s, s.peer, &child[i]);
    }
    for (size_t i = 0; i < N; i++)
        raw_send(s.peer, "tx", parent[i].raw.p, parent[i].raw.len);
    size_t most = 0, waiting = 0;
    for (int i = 0; i < 100000 && mempool_count(s.node->mempool) < 2 * N; i++) {
        mesh_run(&f->mesh, 5);
        most = MAX_OF(most, judge->pairs.count);
        waiting = MAX_OF(waiting, judge->no_place.count);
    }
    assert_int_equal(most, TX_JUDGE_PAIRS_MAX);
    assert_true(waiting > 0);
    mesh_run(&f->mesh, 500000);
    assert_int_equal(mempool_count(s.node->mempool), 2 * N);
    assert_int_equal(judge->pairs.count + judge->no_place.count, 0);
}

/* The answer was no use then, and whoever else has it is asked at once. */
TEST(a_parent_whose_child_goes_before_its_turn_is_asked_of_others, struct fixture *f)
{
    enum { N = TX_JUDGE_PAIRS_MAX + 1 };
    struct pairs s = start(f, 212);
    struct raw_peer *other = raw_join(&f->mesh, s.node, SERVICES);
    struct p2p *p2p = s.node->p2p;
    struct tx parent[N], child[N];
    for (int32_t i = 0; i < N; i++) {
        parent[i] = poor(&s, 1 + i);
        child[i] = child_of(&s, &parent[i], 0, RICH_SAT);
        send(&s, s.peer, &parent[i]);
        send(&s, s.peer, &child[i]);
        expect_asked(s.peer, &parent[i]);
    }
    raw_send_inv(other, "inv", INV_WTX, child[N - 1].wtxid.b);
    for (size_t i = 0; i < N; i++)
        raw_send(s.peer, "tx", parent[i].raw.p, parent[i].raw.len);
    for (int i = 0; i < 100000 && p2p->txs.judge.no_place.count == 0; i++)
        mesh_run(&f->mesh, 5);
    assert_int_equal(p2p->txs.judge.no_place.count, 1);
    assert_true(orphans_remove(&p2p->txs.orphans, &child[N - 1].wtxid));
    mesh_run(&f->mesh, 5000000);
    assert_int_equal(mempool_count(s.node->mempool), 2 * TX_JUDGE_PAIRS_MAX);
    expect_asked(other, &parent[N - 1]);
}

/* Those under way end in any case. */
TEST(a_sender_may_go_while_its_pairs_are_judged, struct fixture *f)
{
    enum { N = 2 * TX_JUDGE_PAIRS_MAX };
    struct pairs s = start(f, 210);
    struct tx_judge *judge = &s.node->p2p->txs.judge;
    struct tx parent[N];
    for (int32_t i = 0; i < N; i++) {
        parent[i] = poor(&s, 1 + i);
        struct tx child = child_of(&s, &parent[i], 0, RICH_SAT);
        send(&s, s.peer, &child);
    }
    for (size_t i = 0; i < N; i++)
        raw_send(s.peer, "tx", parent[i].raw.p, parent[i].raw.len);
    for (int i = 0; i < 100000 && judge->pairs.count == 0; i++)
        mesh_run(&f->mesh, 5);
    assert_true(judge->pairs.count > 0);
    raw_free(s.peer);
    mesh_run(&f->mesh, 2000000);
    assert_int_equal(judge->pairs.count + judge->no_place.count, 0);
    assert_int_equal(s.node->p2p->txs.orphans.all.count, 0);
    assert_int_equal(s.node->p2p->txs.queue.n_checking, 0);
    p2p_check(s.node->p2p);
}
