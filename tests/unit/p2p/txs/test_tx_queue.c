/* test_tx_queue.c - turns between peers, bounds on what waits, and what failing costs. */
#include "p2p/txs/tx_queue.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { PEERS = 6 };

struct fixture {
    struct tx_queue queue;
    struct tx_queue_peer peer[PEERS];
    uint8_t bytes[TX_QUEUE_BYTES_MAX + 1];
    uint8_t next_id;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    for (size_t i = 0; i < PEERS; i++)
        tx_queue_peer_init(&f->peer[i], i + 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < PEERS; i++)
        tx_queue_peer_deinit(&f->queue, &f->peer[i]);
    assert_int_equal(f->queue.bytes, 0);
    assert_int_equal(f->queue.peers.count, 0);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

/* A transaction of its own name from peer i, that long. */
static uint8_t give(struct fixture *f, size_t i, size_t len)
{
    struct tx tx = {.raw = span_of(f->bytes, len)};
    tx.txid.b[0] = tx.wtxid.b[0] = ++f->next_id;
    tx_queue_add(&f->queue, &f->peer[i], &tx);
    return f->next_id;
}

static void done(struct fixture *f, struct tx_queue_item *item)
{
    tx_queue_done(&f->queue, &f->peer[item->peer - 1], item);
}

/* Whose turn it is: judged at once. */
static uint64_t turn(struct fixture *f, int64_t now_us)
{
    struct tx_queue_item *item = tx_queue_take(&f->queue, now_us);
    if (!item)
        return 0;
    uint64_t peer = item->peer;
    done(f, item);
    return peer;
}

TEST(peers_take_turns_each_in_its_order, struct fixture *f)
{
    uint8_t first = give(f, 0, 100), second = give(f, 0, 100);
    give(f, 0, 100);
    uint8_t other = give(f, 1, 100);
    give(f, 1, 100);
    uint8_t want[] = {first, other, second};
    for (size_t i = 0; i < 3; i++) {
        struct tx_queue_item *item = tx_queue_take(&f->queue, 0);
        if (i == 0 && item->peer == 2) { /* both were never served: either may begin */
            want[0] = other;
            want[1] = first;
            want[2] = other + 1;
        }
        assert_int_equal(item->txid.b[0], want[i]);
        done(f, item);
    }
    give(f, 2, 100); /* a newcomer's turn is next */
    assert_int_equal(turn(f, 0), 3);
}

TEST(what_one_peer_has_waiting_is_bounded, struct fixture *f)
{
    struct tx_queue_item *taken = NULL;
    for (size_t i = 0; i < TX_QUEUE_PEER_MAX; i++) {
        assert_false(tx_queue_is_full(&f->queue, &f->peer[0]));
        give(f, 0, 10);
        if (i == 0)
            taken = tx_queue_take(&f->queue, 0);
    }
    assert_true(tx_queue_is_full(&f->queue, &f->peer[0])); /* the one being judged counts */
    assert_false(tx_queue_is_full(&f->queue, &f->peer[1]));
    done(f, taken);
    assert_false(tx_queue_is_full(&f->queue, &f->peer[0]));
    give(f, 1, TX_QUEUE_PEER_BYTES - 1);
    assert_false(tx_queue_is_full(&f->queue, &f->peer[1]));
    give(f, 1, 1);
    assert_true(tx_queue_is_full(&f->queue, &f->peer[1]));
}

TEST(what_waits_of_all_is_bounded, struct fixture *f)
{
    give(f, 0, TX_QUEUE_BYTES_MAX - 11);
    give(f, 1, 10);
    assert_false(tx_queue_is_full(&f->queue, &f->peer[1]));
    give(f, 2, 1);
    assert_true(tx_queue_is_full(&f->queue, &f->peer[1]));
    assert_false(tx_queue_is_full(&f->queue, &f->peer[3])); /* who has nothing may have one */
    give(f, 3, 10);
    assert_true(tx_queue_is_full(&f->queue, &f->peer[3]));
}

TEST(few_are_judged_at_once, struct fixture *f)
{
    struct tx_queue_item *item[TX_QUEUE_CHECKS_MAX];
    for (size_t i = 0; i < TX_QUEUE_CHECKS_MAX; i++) {
        give(f, i % 4, 10);
        item[i] = tx_queue_take(&f->queue, 0);
        assert_non_null(item[i]);
    }
    give(f, 5, 10);
    assert_null(tx_queue_take(&f->queue, 0));
    done(f, item[0]);
    assert_int_equal(turn(f, 0), 6);
    for (size_t i = 1; i < TX_QUEUE_CHECKS_MAX; i++)
        done(f, item[i]);
    assert_int_equal(f->queue.n_checking, 0);
}

TEST(the_bytes_being_judged_are_bounded, struct fixture *f)
{
    give(f, 0, TX_QUEUE_CHECKS_BYTES_MAX + 1);
    struct tx_queue_item *large = tx_queue_take(&f->queue, 0);
    assert_non_null(large); /* alone, or it would wait for ever */
    give(f, 1, 1);
    assert_null(tx_queue_take(&f->queue, 0));
    done(f, large);
    struct tx_queue_item *small = tx_queue_take(&f->queue, 0);
    assert_non_null(small);
    give(f, 0, TX_QUEUE_CHECKS_BYTES_MAX);
    assert_null(tx_queue_take(&f->queue, 0));
    done(f, small);
    assert_int_equal(turn(f, 0), 1);
}

TEST(who_wasted_our_time_comes_last_and_is_forgiven, struct fixture *f)
{
    (void)tx_queue_charge(&f->peer[0], TX_QUEUE_DOUBT_VB - 1, false, 0);
    assert_int_equal(tx_queue_level(&f->peer[0], 0), 0);
    (void)tx_queue_charge(&f->peer[0], 1, false, 0);
    assert_int_equal(tx_queue_level(&f->peer[0], 0), 1);
    for (size_t i = 0; i < 3; i++)
        give(f, 0, 10);
    for (size_t i = 0; i < 9; i++)
        give(f, 1, 10);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(turn(f, 0), 2);
    assert_int_equal(turn(f, 0), 1);
    give(f, 1, 10);
    int64_t forgiven_us = (int64_t)(1 / TX_QUEUE_FORGIVE_VB_S * 1e6) + 1;
    assert_int_equal(tx_queue_level(&f->peer[0], forgiven_us), 0);
    (void)turn(f, forgiven_us);
    (void)turn(f, forgiven_us);
    assert_int_equal(f->peer[1].items.count, 0); /* equals again: each had one turn of two */
    assert_int_equal(f->peer[0].items.count, 1);
    (void)tx_queue_charge(&f->peer[0], 1e12, false, 0);
    int64_t max_us = (int64_t)(TX_QUEUE_WASTED_MAX_VB / TX_QUEUE_FORGIVE_VB_S * 1e6);
    assert_int_equal(tx_queue_level(&f->peer[0], max_us), 0);
}

TEST(the_doubtful_have_few_places, struct fixture *f)
{
    struct tx_queue_item *item[TX_QUEUE_DOUBTFUL_MAX];
    (void)tx_queue_charge(&f->peer[0], 3 * TX_QUEUE_DOUBT_VB, false, 0);
    for (size_t i = 0; i < TX_QUEUE_DOUBTFUL_MAX; i++) {
        give(f, 0, 10);
        item[i] = tx_queue_take(&f->queue, 0);
        assert_true(item[i] && item[i]->is_doubtful);
    }
    give(f, 0, 10);
    assert_null(tx_queue_take(&f->queue, 0));
    give(f, 1, 10);
    assert_int_equal(turn(f, 0), 2);
    for (size_t i = 0; i < TX_QUEUE_DOUBTFUL_MAX; i++)
        done(f, item[i]);
    assert_int_equal(turn(f, 0), 1);
}

TEST(failing_without_end_is_told, struct fixture *f)
{
    struct tx_queue_peer *peer = &f->peer[0];
    assert_false(tx_queue_charge(peer, TX_QUEUE_BLAME_MAX_VB, true, 0));
    assert_true(tx_queue_charge(peer, 1, true, 0));
    assert_false(tx_queue_charge(&f->peer[1], 1e9, false, 0)); /* no proof of anything */
    /* At the rate that is put up with, never. */
    for (int64_t s = 1; s < 100000; s++)
        assert_false(tx_queue_charge(&f->peer[2], TX_QUEUE_FORGIVE_VB_S, true, s * 1000000));
}

TEST(a_peer_that_goes_leaves_nothing_behind, struct fixture *f)
{
    give(f, 0, 10);
    give(f, 0, 20);
    give(f, 1, 30);
    struct tx_queue_item *a = tx_queue_take(&f->queue, 0), *b = tx_queue_take(&f->queue, 0);
    struct tx_queue_item *of_first = a->peer == 1 ? a : b;
    tx_queue_peer_deinit(&f->queue, &f->peer[0]);
    assert_int_equal(f->queue.bytes, 0);
    tx_queue_done(&f->queue, NULL, of_first);
    done(f, of_first == a ? b : a);
    assert_int_equal(f->queue.n_checking, 0);
    assert_int_equal(f->queue.checking_bytes, 0);
    assert_null(tx_queue_take(&f->queue, 0));
}
