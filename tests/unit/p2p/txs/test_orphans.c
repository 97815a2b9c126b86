/* test_orphans.c - bounded, fair, and one try at a time. */
#include "p2p/txs/orphans.h"
#include "support/build.h"
#include "support/unit.h"
#include "util/assert.h"

#define PEERS 130

struct world {
    struct orphans orphans;
    struct arena arena;
    struct orphans_peer peer[PEERS]; /* their ids are one more */
};

static struct world *start(void)
{
    struct world *w = xcalloc(1, sizeof *w);
    orphans_init(&w->orphans, (struct siphash_key){1, 2}, NULL);
    arena_init(&w->arena, 65536);
    for (uint64_t i = 0; i < PEERS; i++)
        w->peer[i].id = 1 + i;
    return w;
}

static void stop(struct world *w)
{
    orphans_check(&w->orphans);
    for (size_t i = 0; i < PEERS; i++)
        orphans_peer_deinit(&w->orphans, &w->peer[i]);
    assert_int_equal(w->orphans.all.count, 0);
    assert_int_equal(w->orphans.weight_wu, 0);
    assert_int_equal(w->orphans.by_outpoint.count, 0);
    orphans_deinit(&w->orphans);
    arena_deinit(&w->arena);
    xfree(w);
}

/* Two inputs; the first is output 0 of parent, if there is one. */
static struct tx child_of(struct world *w, uint32_t salt, const struct txid *parent)
{
    struct tx tx = build_tx(&w->arena, salt, 2, 2);
    if (parent)
        tx.in[0].prevout = (struct outpoint){.txid = *parent, .vout = 0};
    tx_finish(&tx, &w->arena);
    return tx;
}

static struct tx orphan_of(struct world *w, uint32_t salt, uint32_t n_in)
{
    struct tx tx = build_tx(&w->arena, salt, n_in, 1);
    tx_finish(&tx, &w->arena);
    return tx;
}

/* Of a weight of four times bytes and little more: the script is of zeros. */
static struct tx heavy_of(struct world *w, uint32_t salt, size_t bytes)
{
    struct tx tx = build_tx(&w->arena, salt, 1, 1);
    uint8_t *script = arena_calloc(&w->arena, bytes, 1);
    tx.in[0].script_sig = span_of(script, bytes);
    tx_finish(&tx, &w->arena);
    return tx;
}

static bool add(struct world *w, size_t peer, const struct tx *tx)
{
    return orphans_add(&w->orphans, &w->peer[peer], tx);
}

static bool has(const struct world *w, const struct tx *tx)
{
    return orphans_find(&w->orphans, &tx->wtxid) != NULL;
}

/* The next one to try, and for whom; its end is told at once. */
static const struct orphan *next(struct world *w, struct orphans_peer **peer)
{
    const struct orphan *orphan = orphans_next(&w->orphans, peer);
    if (orphan)
        (*peer)->n_trying--;
    return orphan;
}

static size_t count_work(struct world *w)
{
    struct orphans_peer *peer;
    size_t n = 0;
    while (next(w, &peer))
        n++;
    return n;
}

TEST(an_orphan_is_kept_once_for_all_who_announce_it)
{
    struct world *w = start();
    struct tx tx = child_of(w, 1, NULL), other = child_of(w, 2, NULL);
    assert_true(add(w, 5, &tx));
    assert_false(add(w, 5, &tx));
    assert_false(add(w, 6, &tx));
    const struct orphan *orphan = orphans_find(&w->orphans, &tx.wtxid);
    assert_non_null(orphan);
    assert_int_equal(orphan->claims.count, 2);
    assert_memory_equal(orphan->raw, tx.raw.p, tx.raw.len);
    assert_int_equal(orphan->n_parents, 2);
    assert_true(orphans_has_from(&w->orphans, &tx.wtxid, &w->peer[6]));
    assert_false(orphans_has_from(&w->orphans, &tx.wtxid, &w->peer[7]));
    assert_false(has(w, &other));
    assert_false(orphans_remove(&w->orphans, &other.wtxid));
    assert_true(orphans_remove(&w->orphans, &tx.wtxid));
    assert_false(has(w, &tx));
    stop(w);
}

/* Who sends it first cannot take it away again. */
TEST(an_orphan_stays_until_nobody_has_it)
{
    struct world *w = start();
    struct tx tx = child_of(w, 1, NULL), unknown = child_of(w, 2, NULL);
    assert_false(orphans_announced(&w->orphans, &unknown.wtxid, &w->peer[2]));
    assert_true(add(w, 1, &tx));
    assert_false(orphans_announced(&w->orphans, &tx.wtxid, &w->peer[1]));
    assert_true(orphans_announced(&w->orphans, &tx.wtxid, &w->peer[2]));
    orphans_peer_deinit(&w->orphans, &w->peer[1]);
    assert_true(has(w, &tx));
    orphans_peer_deinit(&w->orphans, &w->peer[2]);
    assert_false(has(w, &tx));
    stop(w);
}

/* -- Trying again ------------------------------------------------------------------------------ */

/* Hazard 53: peers take turns, whatever one of them sent. */
TEST(children_are_tried_one_by_one_and_peers_take_turns)
{
    struct world *w = start();
    struct tx parent = child_of(w, 1000, NULL);
    for (uint32_t i = 0; i < 10; i++) {
        struct tx tx = child_of(w, i, &parent.txid);
        assert_true(add(w, 1, &tx));
    }
    struct tx honest = child_of(w, 100, &parent.txid), stranger = child_of(w, 101, NULL);
    assert_true(add(w, 2, &honest));
    assert_true(add(w, 3, &stranger));
    struct orphans_peer *peer;
    assert_null(orphans_next(&w->orphans, &peer));
    orphans_parent_arrived(&w->orphans, &parent);
    orphans_parent_arrived(&w->orphans, &parent); /* twice is once */
    size_t n = 0, honest_at = 0;
    while (next(w, &peer)) {
        n++;
        if (peer == &w->peer[2])
            honest_at = n;
        assert_ptr_not_equal(peer, &w->peer[3]);
    }
    assert_int_equal(n, 11);
    assert_in_range(honest_at, 1, 2);
    assert_int_equal(w->orphans.all.count, 12); /* they stay until somebody decides */
    stop(w);
}

/* What spends an output that the parent has not got is no child of it yet. */
TEST(only_outputs_that_are_there_wake_a_child)
{
    struct world *w = start();
    struct tx parent = child_of(w, 1000, NULL); /* of two outputs */
    for (uint32_t vout = 1; vout <= 2; vout++) {
        struct tx tx = build_tx(&w->arena, vout, 1, 1);
        tx.in[0].prevout = (struct outpoint){.txid = parent.txid, .vout = vout};
        tx_finish(&tx, &w->arena);
        assert_true(add(w, 1, &tx));
    }
    orphans_parent_arrived(&w->orphans, &parent);
    assert_int_equal(count_work(w), 1);
    stop(w);
}

/* One of those who have announced it, by lot, so that nobody can choose whose turn it takes. */
TEST(an_orphan_is_tried_for_one_of_its_peers)
{
    struct world *w = start();
    size_t n_first = 0;
    for (uint32_t i = 0; i < 100; i++) {
        struct tx parent = child_of(w, 1000 + i, NULL), tx = child_of(w, i, &parent.txid);
        struct orphans_peer *peer;
        assert_true(add(w, 1, &tx));
        assert_false(add(w, 2, &tx));
        orphans_parent_arrived(&w->orphans, &parent);
        assert_non_null(next(w, &peer));
        n_first += peer == &w->peer[1];
        assert_null(next(w, &peer));
    }
    assert_in_range(n_first, 25, 75);
    stop(w);
}

TEST(one_may_go_while_it_waits_for_its_turn)
{
    struct world *w = start();
    struct tx parent = child_of(w, 1000, NULL), tx[3];
    for (uint32_t i = 0; i < 3; i++) {
        tx[i] = child_of(w, i, &parent.txid);
        assert_true(add(w, 1, &tx[i]));
    }
    orphans_parent_arrived(&w->orphans, &parent);
    assert_true(orphans_remove(&w->orphans, &tx[2].wtxid)); /* the last in the queue */
    struct tx more = child_of(w, 9, &parent.txid);
    assert_true(add(w, 1, &more));
    orphans_parent_arrived(&w->orphans, &parent);
    assert_int_equal(count_work(w), 3);
    stop(w);
}

TEST(a_child_in_a_package_is_not_tried_before_that_is_over)
{
    struct world *w = start();
    struct tx parent = child_of(w, 1000, NULL), tx = child_of(w, 1, &parent.txid);
    assert_true(add(w, 1, &tx));
    orphans_hold(&w->orphans, &tx.wtxid);
    orphans_hold(&w->orphans, &tx.wtxid);
    orphans_parent_arrived(&w->orphans, &parent);
    assert_int_equal(count_work(w), 0);
    orphans_release(&w->orphans, &tx.wtxid);
    assert_int_equal(count_work(w), 0);
    orphans_release(&w->orphans, &tx.wtxid);
    assert_int_equal(count_work(w), 1);
    /* It may go meanwhile, and come again. */
    orphans_hold(&w->orphans, &tx.wtxid);
    assert_true(orphans_remove(&w->orphans, &tx.wtxid));
    orphans_release(&w->orphans, &tx.wtxid);
    assert_true(add(w, 1, &tx));
    orphans_release(&w->orphans, &tx.wtxid);
    orphans_parent_arrived(&w->orphans, &parent);
    assert_int_equal(count_work(w), 1);
    stop(w);
}

/* -- Packages ---------------------------------------------------------------------------------- */

static bool any(void *arg, const struct orphan *child)
{
    (void)arg;
    return child->n_held == 0;
}

static bool is_other(void *arg, const struct orphan *child)
{
    return memcmp(child->wtxid.b, ((const struct tx *)arg)->wtxid.b, 32) != 0;
}

TEST(the_newest_child_of_the_same_peer_is_found)
{
    struct world *w = start();
    struct tx parent = child_of(w, 1000, NULL), tx[3];
    for (uint32_t i = 0; i < 3; i++)
        tx[i] = child_of(w, i, &parent.txid);
    struct tx stranger = child_of(w, 10, NULL);
    const struct orphans *orphans = &w->orphans;
    assert_null(orphans_find_child(orphans, &parent.txid, &w->peer[1], any, NULL));
    assert_true(add(w, 1, &tx[0]) && add(w, 1, &tx[1]) && add(w, 2, &tx[2]));
    assert_true(add(w, 1, &stranger));
    const struct orphan *child = orphans_find_child(orphans, &parent.txid, &w->peer[1], any, NULL);
    assert_memory_equal(child->wtxid.b, tx[1].wtxid.b, 32);
    child = orphans_find_child(orphans, &parent.txid, &w->peer[1], is_other, &tx[1]);
    assert_memory_equal(child->wtxid.b, tx[0].wtxid.b, 32);
    /* New to this peer is what it has announced last. */
    assert_true(orphans_announced(&w->orphans, &tx[2].wtxid, &w->peer[1]));
    child = orphans_find_child(orphans, &parent.txid, &w->peer[1], any, NULL);
    assert_memory_equal(child->wtxid.b, tx[2].wtxid.b, 32);
    assert_null(orphans_find_child(orphans, &parent.txid, &w->peer[3], any, NULL));
    assert_null(orphans_find_child(orphans, &tx[0].txid, &w->peer[1], any, NULL));
    stop(w);
}

/* -- Blocks ------------------------------------------------------------------------------------ */

TEST(a_block_takes_its_own_and_wakes_children)
{
    struct world *w = start();
    struct tx mined = child_of(w, 1, NULL), child = child_of(w, 2, &mined.txid);
    struct orphans_peer *peer;
    assert_true(add(w, 1, &mined) && add(w, 1, &child));
    orphans_block(&w->orphans, &mined, 1);
    assert_false(has(w, &mined));
    const struct orphan *orphan = next(w, &peer);
    assert_non_null(orphan);
    assert_memory_equal(orphan->wtxid.b, child.wtxid.b, 32);
    assert_null(next(w, &peer));
    stop(w);
}

/* It can never come in, with whatever parents. */
TEST(a_block_takes_what_spends_the_same_coins)
{
    struct world *w = start();
    struct tx parent = child_of(w, 1000, NULL);
    struct tx mined = child_of(w, 1, &parent.txid), rival = child_of(w, 2, &parent.txid);
    struct tx stranger = child_of(w, 3, NULL);
    assert_true(add(w, 1, &rival) && add(w, 2, &stranger));
    assert_false(add(w, 2, &rival));
    orphans_block(&w->orphans, &mined, 1);
    assert_false(has(w, &rival));
    assert_true(has(w, &stranger));
    stop(w);
}

TEST(a_block_wakes_the_children_of_all_its_transactions)
{
    enum { N = 200 };
    struct world *w = start();
    struct tx mined[N], child[N + 1];
    struct orphans_peer *peer;
    for (uint32_t i = 0; i < N; i++)
        mined[i] = child_of(w, 1000 + i, NULL);
    for (uint32_t i = 0; i < N; i++) {
        child[i] = child_of(w, 2000 + i, &mined[i].txid);
        assert_true(add(w, 1 + i % 4, &child[i]));
    }
    child[N] = child_of(w, 3000, NULL);
    assert_true(add(w, 1, &child[N]) && add(w, 1, &mined[7]));
    orphans_block(&w->orphans, mined, N);
    assert_int_equal(w->orphans.all.count, N + 1);
    size_t n = 0;
    for (const struct orphan *orphan; (orphan = next(w, &peer)); n++)
        assert_memory_not_equal(orphan->wtxid.b, child[N].wtxid.b, 32);
    assert_int_equal(n, N);
    stop(w);
}

/* -- Limits ------------------------------------------------------------------------------------ */

/* Four peers have all there is; one more makes their shares smaller. */
TEST(announcements_are_bounded)
{
    struct world *w = start();
    struct tx first = orphan_of(w, 0, 1), honest = orphan_of(w, 1, 1);
    assert_true(add(w, 0, &first));
    for (uint32_t i = 1; i < ORPHANS_SCORE_MAX; i++) {
        struct tx tx = orphan_of(w, 1 + i, 1);
        assert_true(add(w, i % 4, &tx));
    }
    assert_int_equal(w->orphans.all.count, ORPHANS_SCORE_MAX);
    assert_true(has(w, &first));
    assert_true(add(w, 4, &honest)); /* one too many: the oldest of who has too many goes */
    assert_int_equal(w->orphans.all.count, ORPHANS_SCORE_MAX);
    assert_false(has(w, &first));
    assert_true(has(w, &honest));
    stop(w);
}

/* What has been announced by many counts for each of them. */
TEST(announcements_of_the_same_orphans_are_bounded)
{
    enum { N = 30 };
    struct world *w = start();
    struct tx tx[N];
    for (uint32_t i = 0; i < N; i++)
        tx[i] = orphan_of(w, i, 1);
    for (size_t peer = 0; peer < 101; peer++)
        for (size_t i = 0; i < N; i++)
            (void)add(w, peer, &tx[i]);
    assert_int_equal(w->orphans.n_claims, ORPHANS_SCORE_MAX);
    orphans_check(&w->orphans);
    stop(w);
}

/* Ten inputs count as one announcement more: they are what a block and a parent are looked up by.
 */
TEST(inputs_are_bounded)
{
    enum { INPUTS = 299, SCORE = 1 + INPUTS / ORPHANS_INPUTS_PER_SCORE };
    struct world *w = start();
    struct tx first = orphan_of(w, 0, INPUTS);
    assert_true(add(w, 1, &first));
    for (uint32_t i = 1; i < ORPHANS_SCORE_MAX / SCORE; i++) {
        struct tx tx = orphan_of(w, i, INPUTS);
        assert_true(add(w, i % 100, &tx));
    }
    assert_int_equal(w->orphans.all.count, ORPHANS_SCORE_MAX / SCORE);
    struct tx last = orphan_of(w, 5000, INPUTS);
    assert_true(add(w, 101, &last));
    assert_int_equal(w->orphans.all.count, ORPHANS_SCORE_MAX / SCORE);
    stop(w);
}

TEST(weight_grows_with_the_number_of_peers)
{
    struct world *w = start();
    struct tx tx[5], too_heavy = heavy_of(w, 9, ORPHANS_TX_WEIGHT_WU / 4);
    for (uint32_t i = 0; i < 5; i++)
        tx[i] = heavy_of(w, i, ORPHANS_PEER_WEIGHT_WU / 4 / 2 - 200);
    assert_false(add(w, 1, &too_heavy));
    assert_int_equal(w->orphans.all.count, 0);
    assert_true(add(w, 1, &tx[0]) && add(w, 1, &tx[1]));
    assert_true(add(w, 1, &tx[2])); /* three halves: the oldest goes */
    assert_false(has(w, &tx[0]));
    assert_int_equal(w->orphans.all.count, 2);
    assert_true(add(w, 2, &tx[0])); /* two peers have four halves, whoever fills them */
    assert_true(add(w, 1, &tx[3]));
    assert_int_equal(w->orphans.all.count, 4);
    assert_true(add(w, 1, &tx[4]));
    assert_true(has(w, &tx[0]) && has(w, &tx[4]) && !has(w, &tx[1]));
    stop(w);
}

/* The peer whose only orphan is light, and another one that fills the room of both. */
static struct world *start_with_two_shares(struct tx *light, struct tx heavy[4])
{
    struct world *w = start();
    *light = child_of(w, 100, NULL);
    assert_true(add(w, 2, light));
    for (uint32_t i = 0; i < 4; i++) {
        heavy[i] = heavy_of(w, i, ORPHANS_PEER_WEIGHT_WU / 4 / 2 - 400);
        assert_true(add(w, 1, &heavy[i]));
    }
    assert_int_equal(w->orphans.all.count, 5);
    return w;
}

static void stop_with_one_share(struct world *w, const struct tx *light, const struct tx heavy[4])
{
    assert_int_equal(w->orphans.all.count, 2);
    assert_true(!has(w, light) && has(w, &heavy[2]) && has(w, &heavy[3]));
    stop(w);
}

/* However the peer loses its last one, what it has made room for goes too. */
TEST(a_share_goes_with_its_peer)
{
    struct tx light, heavy[4];
    struct world *w = start_with_two_shares(&light, heavy);
    orphans_peer_deinit(&w->orphans, &w->peer[2]);
    stop_with_one_share(w, &light, heavy);
}

TEST(a_share_goes_with_the_last_orphan_that_is_removed)
{
    struct tx light, heavy[4];
    struct world *w = start_with_two_shares(&light, heavy);
    assert_true(orphans_remove(&w->orphans, &light.wtxid));
    stop_with_one_share(w, &light, heavy);
}

TEST(a_share_goes_with_the_last_orphan_that_a_block_has)
{
    struct tx light, heavy[4];
    struct world *w = start_with_two_shares(&light, heavy);
    orphans_block(&w->orphans, &light, 1);
    stop_with_one_share(w, &light, heavy);
}

/* Hazard 54: who keeps to his share loses nothing, by number or by weight, whatever a hundred
 * others send; and what is to be tried goes last. */
TEST(a_flood_pushes_out_only_itself)
{
    struct world *w = start();
    struct tx parent = child_of(w, 1000000, NULL), honest[24];
    uint32_t salt = 1;
    for (size_t i = 0; i < COUNT_OF(honest); i++) {
        honest[i] = heavy_of(w, salt++, ORPHANS_PEER_WEIGHT_WU / 4 / COUNT_OF(honest) - 200);
        assert_true(add(w, 120, &honest[i]));
    }
    struct tx tried = child_of(w, salt++, &parent.txid);
    assert_true(add(w, 0, &tried));
    orphans_parent_arrived(&w->orphans, &parent);
    for (size_t peer = 0; peer < 100; peer++)
        for (int i = 0; i < 60; i++) {
            struct tx tx = i % 30 == 0 ? heavy_of(w, salt++, 90000) : orphan_of(w, salt++, 1);
            (void)add(w, peer, &tx);
        }
    for (size_t i = 0; i < COUNT_OF(honest); i++)
        assert_true(has(w, &honest[i]));
    assert_true(has(w, &tried));
    orphans_check(&w->orphans);
    stop(w);
}

TEST(a_long_random_life_keeps_the_sums)
{
    enum { N = 60 };
    struct world *w = start();
    struct tx tx[N];
    uint64_t seed = 8;
    for (uint32_t i = 0; i < N; i++)
        tx[i] = i % 3 == 0 ? heavy_of(w, i, 50000) : child_of(w, i, i > 3 ? &tx[i - 3].txid : NULL);
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        const struct tx *one = &tx[(seed >> 33) % N];
        struct orphans_peer *peer = &w->peer[(seed >> 45) % 6];
        switch (seed >> 25 & 7) {
        case 0:
            (void)orphans_remove(&w->orphans, &one->wtxid);
            break;
        case 1:
            orphans_parent_arrived(&w->orphans, one);
            break;
        case 2:
            (void)next(w, &peer);
            break;
        case 3:
            if (seed >> 60 == 0)
                orphans_peer_deinit(&w->orphans, peer);
            else if (seed >> 60 == 1)
                orphans_block(&w->orphans, one, 1);
            break;
        default:
            (void)orphans_add(&w->orphans, peer, one);
            break;
        }
        if (i % 50 == 0 || (seed >> 25 & 7) < 4)
            orphans_check(&w->orphans);
    }
    stop(w);
}
