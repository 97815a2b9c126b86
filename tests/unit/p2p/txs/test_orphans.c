/* test_orphans.c - bounded, fair, and one try at a time. */
#include "p2p/txs/orphans.h"
#include "support/build.h"
#include "support/unit.h"
#include "util/assert.h"

struct world {
    struct orphans orphans;
    struct arena arena;
};

static void start(struct world *w)
{
    orphans_init(&w->orphans, (struct siphash_key){1, 2});
    arena_init(&w->arena, 65536);
}

static void stop(struct world *w)
{
    orphans_deinit(&w->orphans);
    assert_int_equal(w->orphans.all.count, 0);
    assert_int_equal(w->orphans.bytes, 0);
    arena_deinit(&w->arena);
}

static struct tx child_of(struct world *w, uint32_t salt, const struct txid *parent)
{
    struct tx tx = build_tx(&w->arena, salt, 2, 1);
    if (parent)
        tx.in[0].prevout.txid = *parent;
    tx_finish(&tx, &w->arena);
    return tx;
}

TEST(an_orphan_is_kept_once_and_found_by_its_wtxid)
{
    struct world w;
    start(&w);
    struct tx tx = child_of(&w, 1, NULL), other = child_of(&w, 2, NULL);
    assert_true(orphans_add(&w.orphans, 5, &tx, 0));
    assert_false(orphans_add(&w.orphans, 6, &tx, 0));
    const struct orphan *orphan = orphans_find(&w.orphans, &tx.wtxid);
    assert_non_null(orphan);
    assert_int_equal(orphan->peer, 5);
    assert_int_equal(orphan->raw_len, tx.raw.len);
    assert_memory_equal(orphan->raw, tx.raw.p, tx.raw.len);
    assert_int_equal(orphan->n_parents, 2);
    assert_null(orphans_find(&w.orphans, &other.wtxid));
    orphans_remove(&w.orphans, &tx.wtxid);
    assert_null(orphans_find(&w.orphans, &tx.wtxid));
    stop(&w);
}

/* Hazard 53: peers take turns, whatever one of them sent. */
TEST(children_are_tried_one_by_one_and_peers_take_turns)
{
    struct world w;
    struct txid parent = {{9}};
    start(&w);
    for (uint32_t i = 0; i < 10; i++) {
        struct tx tx = child_of(&w, i, &parent);
        assert_true(orphans_add(&w.orphans, 1, &tx, 0));
    }
    struct tx honest = child_of(&w, 100, &parent), stranger = child_of(&w, 101, NULL);
    assert_true(orphans_add(&w.orphans, 2, &honest, 0));
    assert_true(orphans_add(&w.orphans, 3, &stranger, 0));
    assert_null(orphans_next(&w.orphans));
    orphans_parent_arrived(&w.orphans, &parent);
    orphans_parent_arrived(&w.orphans, &parent); /* twice is once */
    size_t n = 0, honest_at = 0;
    const struct orphan *orphan;
    while ((orphan = orphans_next(&w.orphans))) {
        n++;
        if (orphan->peer == 2)
            honest_at = n;
        assert_int_not_equal(orphan->peer, 3);
    }
    assert_int_equal(n, 11);
    assert_in_range(honest_at, 1, 2);
    assert_int_equal(w.orphans.all.count, 12); /* they stay until somebody decides */
    stop(&w);
}

TEST(a_flood_pushes_out_only_itself)
{
    struct world w;
    start(&w);
    struct tx honest = child_of(&w, 0, NULL);
    assert_true(orphans_add(&w.orphans, 1000, &honest, 0));
    uint32_t salt = 1;
    for (uint64_t peer = 1; peer <= 50; peer++)
        for (int i = 0; i < 120; i++) {
            struct tx tx = child_of(&w, salt++, NULL);
            assert_true(orphans_add(&w.orphans, peer, &tx, 0));
        }
    assert_in_range(w.orphans.all.count, ORPHANS_MAX - 50, ORPHANS_MAX);
    assert_non_null(orphans_find(&w.orphans, &honest.wtxid));
    for (size_t i = 0; i < w.orphans.shares.n; i++)
        assert_true(w.orphans.shares.at[i].count <= ORPHANS_PEER_MAX);
    orphans_peer_gone(&w.orphans, 7);
    LIST_EACH (struct orphan, o, &w.orphans.all, link)
        assert_int_not_equal(o->peer, 7);
    stop(&w);
}

TEST(they_expire_after_twenty_minutes)
{
    struct world w;
    start(&w);
    struct tx a = child_of(&w, 1, NULL), b = child_of(&w, 2, NULL);
    assert_true(orphans_add(&w.orphans, 1, &a, 0));
    assert_true(orphans_add(&w.orphans, 1, &b, 10));
    assert_int_equal(orphans_expire(&w.orphans, ORPHANS_LIFE_US - 1), ORPHANS_LIFE_US);
    assert_int_equal(w.orphans.all.count, 2);
    assert_int_equal(orphans_expire(&w.orphans, ORPHANS_LIFE_US), ORPHANS_LIFE_US + 10);
    assert_int_equal(w.orphans.all.count, 1);
    assert_int_equal(orphans_expire(&w.orphans, ORPHANS_LIFE_US + 10), INT64_MAX);
    stop(&w);
}

TEST(a_block_takes_its_own_and_wakes_children)
{
    struct world w;
    start(&w);
    struct tx mined = child_of(&w, 1, NULL), child = child_of(&w, 2, &mined.txid);
    assert_true(orphans_add(&w.orphans, 1, &mined, 0));
    assert_true(orphans_add(&w.orphans, 1, &child, 0));
    orphans_block(&w.orphans, &mined, 1);
    assert_null(orphans_find(&w.orphans, &mined.wtxid));
    const struct orphan *next = orphans_next(&w.orphans);
    assert_non_null(next);
    assert_memory_equal(next->wtxid.b, child.wtxid.b, 32);
    assert_null(orphans_next(&w.orphans));
    stop(&w);
}

TEST(a_block_wakes_the_children_of_all_its_transactions)
{
    enum { N = 200 };
    struct world w;
    start(&w);
    struct tx mined[N], child[N + 1];
    for (uint32_t i = 0; i < N; i++)
        mined[i] = child_of(&w, 1000 + i, NULL);
    for (uint32_t i = 0; i < N; i++) {
        child[i] = child_of(&w, 2000 + i, &mined[i].txid);
        assert_true(orphans_add(&w.orphans, 1 + i % 4, &child[i], 0));
    }
    child[N] = child_of(&w, 3000, NULL);
    assert_true(orphans_add(&w.orphans, 1, &child[N], 0));
    assert_true(orphans_add(&w.orphans, 1, &mined[7], 0));
    orphans_block(&w.orphans, mined, N);
    assert_int_equal(w.orphans.all.count, N + 1);
    size_t n = 0;
    for (const struct orphan *orphan; (orphan = orphans_next(&w.orphans)); n++)
        assert_memory_not_equal(orphan->wtxid.b, child[N].wtxid.b, 32);
    assert_int_equal(n, N);
    stop(&w);
}

TEST(one_may_go_while_it_waits_for_its_turn)
{
    struct world w;
    struct txid parent = {{9}};
    struct tx tx[3];
    start(&w);
    for (uint32_t i = 0; i < 3; i++) {
        tx[i] = child_of(&w, i, &parent);
        assert_true(orphans_add(&w.orphans, 1, &tx[i], 0));
    }
    orphans_parent_arrived(&w.orphans, &parent);
    orphans_remove(&w.orphans, &tx[2].wtxid); /* the last in the queue */
    struct tx more = child_of(&w, 9, &parent);
    assert_true(orphans_add(&w.orphans, 1, &more, 0));
    orphans_parent_arrived(&w.orphans, &parent);
    size_t n = 0;
    while (orphans_next(&w.orphans))
        n++;
    assert_int_equal(n, 3);
    stop(&w);
}

static uint64_t owner_of(const struct world *w, const struct tx *tx)
{
    const struct orphan *orphan = orphans_find(&w->orphans, &tx->wtxid);
    return orphan ? orphan->peer : 0;
}

/* Who sends it first cannot take it away again. */
TEST(an_orphan_passes_to_who_else_has_announced_it)
{
    struct world w;
    struct txid parent = {{9}};
    start(&w);
    struct tx tx = child_of(&w, 1, &parent), unknown = child_of(&w, 2, NULL);
    assert_null(orphans_announced(&w.orphans, &unknown.wtxid, 2));
    assert_true(orphans_add(&w.orphans, 1, &tx, 0));
    assert_null(orphans_announced(&w.orphans, &tx.wtxid, 1)); /* its owner */
    assert_non_null(orphans_announced(&w.orphans, &tx.wtxid, 2));
    assert_null(orphans_announced(&w.orphans, &tx.wtxid, 2));
    assert_non_null(orphans_announced(&w.orphans, &tx.wtxid, 3));
    assert_non_null(orphans_announced(&w.orphans, &tx.wtxid, 4));
    orphans_parent_arrived(&w.orphans, &parent);
    orphans_peer_gone(&w.orphans, 3);
    assert_int_equal(owner_of(&w, &tx), 1);
    orphans_peer_gone(&w.orphans, 1);
    assert_int_equal(owner_of(&w, &tx), 2);
    const struct orphan *next = orphans_next(&w.orphans); /* its turn was not lost */
    assert_true(next && next->peer == 2);
    assert_null(orphans_next(&w.orphans));
    orphans_peer_gone(&w.orphans, 2);
    assert_int_equal(owner_of(&w, &tx), 4);
    orphans_peer_gone(&w.orphans, 4);
    assert_null(orphans_find(&w.orphans, &tx.wtxid));
    stop(&w);
}

/* A flood by who sent it first: pushed out of his share, it is in another's. */
TEST(a_flood_by_its_sender_does_not_push_it_out)
{
    struct world w;
    start(&w);
    struct tx tx = child_of(&w, 0, NULL), lost = child_of(&w, 1, NULL);
    assert_true(orphans_add(&w.orphans, 1, &tx, 0));
    assert_true(orphans_add(&w.orphans, 1, &lost, 0));
    assert_non_null(orphans_announced(&w.orphans, &tx.wtxid, 2));
    for (uint32_t i = 2; i < ORPHANS_PEER_MAX; i++) {
        struct tx noise = child_of(&w, i, NULL);
        assert_true(orphans_add(&w.orphans, 1, &noise, 0));
    }
    assert_int_equal(owner_of(&w, &tx), 1); /* the share is just full */
    for (uint32_t i = 0; i < 2; i++) {
        struct tx noise = child_of(&w, 1000 + i, NULL);
        assert_true(orphans_add(&w.orphans, 1, &noise, 0));
    }
    assert_int_equal(owner_of(&w, &tx), 2);
    assert_int_equal(owner_of(&w, &lost), 0);
    stop(&w);
}

/* An heir whose share is full does not lose one of its own for it. */
TEST(an_heir_without_room_is_passed_over)
{
    struct world w;
    start(&w);
    struct tx own[ORPHANS_PEER_MAX], tx = child_of(&w, 9999, NULL);
    for (uint32_t i = 0; i < ORPHANS_PEER_MAX; i++) {
        own[i] = child_of(&w, i, NULL);
        assert_true(orphans_add(&w.orphans, 2, &own[i], 0));
    }
    assert_true(orphans_add(&w.orphans, 1, &tx, 0));
    assert_non_null(orphans_announced(&w.orphans, &tx.wtxid, 2));
    assert_non_null(orphans_announced(&w.orphans, &tx.wtxid, 3));
    orphans_peer_gone(&w.orphans, 1);
    assert_int_equal(owner_of(&w, &tx), 3);
    for (uint32_t i = 0; i < ORPHANS_PEER_MAX; i++)
        assert_int_equal(owner_of(&w, &own[i]), 2);
    stop(&w);
}

TEST(the_number_of_heirs_is_bounded)
{
    struct world w;
    start(&w);
    struct tx tx = child_of(&w, 1, NULL);
    assert_true(orphans_add(&w.orphans, 1, &tx, 0));
    for (uint64_t i = 0; i < ORPHANS_HEIRS_MAX; i++)
        assert_non_null(orphans_announced(&w.orphans, &tx.wtxid, 2 + i));
    assert_null(orphans_announced(&w.orphans, &tx.wtxid, 5000));
    stop(&w);
}
