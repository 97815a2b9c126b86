/* test_private_queue.c - own transactions wait for their turn, and to come back. */
#include "p2p/core/private_queue.h"

#include "support/unit.h"
#include "util/alloc.h"

static int setup(void **state)
{
    struct private_queue *queue = xcalloc(1, sizeof *queue);
    private_queue_init(queue, (struct siphash_key){1, 2});
    *state = queue;
    return 0;
}

static int teardown(void **state)
{
    private_queue_deinit(*state);
    xfree(*state);
    return 0;
}

FIXTURE(setup, teardown)

static struct wtxid name_of(uint32_t n)
{
    struct wtxid wtxid = {{0}};
    memcpy(wtxid.b, &n, sizeof n);
    return wtxid;
}

static enum private_added add(struct private_queue *queue, uint32_t n)
{
    struct wtxid wtxid = name_of(n);
    struct txid txid;
    memcpy(txid.b, wtxid.b, sizeof txid.b);
    return private_queue_add(queue, &txid, &wtxid, span_of_string("raw"), 100);
}

static uint32_t pick(struct private_queue *queue, uint64_t peer, int64_t now_us)
{
    uint32_t n;
    struct private_tx *tx = private_queue_pick(queue, peer, "1.2.3.4:8333", 200, now_us);
    assert_non_null(tx);
    memcpy(&n, tx->wtxid.b, sizeof n);
    return n;
}

TEST(the_queue_has_a_limit, struct private_queue *queue)
{
    for (uint32_t i = 0; i < PRIVATE_QUEUE_MAX; i++)
        assert_int_equal(add(queue, i), PRIVATE_ADDED);
    assert_int_equal(add(queue, PRIVATE_QUEUE_MAX), PRIVATE_FULL);
    assert_int_equal(add(queue, 7), PRIVATE_KNOWN); /* full or not */
    struct wtxid wtxid = name_of(7);
    private_queue_remove(queue, private_queue_find(queue, &wtxid));
    assert_null(private_queue_find(queue, &wtxid));
    assert_int_equal(add(queue, PRIVATE_QUEUE_MAX), PRIVATE_ADDED);
}

TEST(who_was_given_to_the_fewest_is_next, struct private_queue *queue)
{
    assert_null(private_queue_pick(queue, 1, "x", 0, 0));
    (void)add(queue, 1);
    (void)add(queue, 2);
    assert_int_equal(pick(queue, 11, 10), 1);
    assert_int_equal(pick(queue, 12, 20), 2);
    assert_int_equal(pick(queue, 13, 30), 1); /* it has waited longer */
    (void)add(queue, 3);
    assert_int_equal(pick(queue, 14, 40), 3);
    assert_int_equal(pick(queue, 15, 50), 2);
    assert_int_equal(pick(queue, 16, 60), 3);
    private_queue_confirm(queue, 11, 200, 70);
    assert_int_equal(pick(queue, 17, 80), 2); /* all twice: 1 has reached somebody */
}

TEST(a_peer_knows_what_it_was_given, struct private_queue *queue)
{
    struct private_send *send;
    (void)add(queue, 1);
    (void)pick(queue, 11, 10);
    struct private_tx *tx = private_queue_of_peer(queue, 11, &send);
    assert_non_null(tx);
    assert_string_equal(send->address, "1.2.3.4:8333");
    assert_int_equal(send->sent_s, 200);
    assert_int_equal(send->received_s, 0);
    private_queue_confirm(queue, 11, 300, 20);
    private_queue_confirm(queue, 11, 400, 30); /* once */
    assert_int_equal(send->received_s, 300);
    assert_int_equal(tx->n_confirmed, 1);
    assert_null(private_queue_of_peer(queue, 12, NULL));
    private_queue_confirm(queue, 12, 300, 20);
    private_queue_remove(queue, tx);
    assert_null(private_queue_of_peer(queue, 11, NULL));
}

TEST(who_is_removed_says_where_he_was, struct private_queue *queue)
{
    for (uint32_t i = 1; i <= 3; i++)
        (void)add(queue, i);
    assert_int_equal(private_queue_remove(queue, queue->txs.at[1]), 1);
    assert_int_equal(private_queue_remove(queue, queue->txs.at[1]), 1);
    assert_int_equal(private_queue_remove(queue, queue->txs.at[0]), 0);
    assert_int_equal(queue->txs.n, 0);
}

TEST(sends_that_are_remembered_have_a_limit, struct private_queue *queue)
{
    (void)add(queue, 1);
    for (uint64_t i = 0; i <= PRIVATE_SENDS_MAX; i++)
        (void)pick(queue, 100 + i, 10);
    assert_null(private_queue_of_peer(queue, 100, NULL));
    struct private_tx *tx = private_queue_of_peer(queue, 101, NULL);
    assert_int_equal(tx->sends.n, PRIVATE_SENDS_MAX);
    assert_int_equal(tx->n_picked, PRIVATE_SENDS_MAX + 1);
}

TEST(what_does_not_come_back_becomes_stale, struct private_queue *queue)
{
    (void)add(queue, 1);
    struct private_tx *tx = queue->txs.at[0];
    assert_false(private_tx_is_stale(tx, 100 + PRIVATE_STALE_FIRST_S));
    assert_true(private_tx_is_stale(tx, 100 + PRIVATE_STALE_FIRST_S + 1));
    (void)pick(queue, 11, 6);
    assert_true(private_tx_is_stale(tx, 500)); /* nobody has said that he has it */
    private_queue_confirm(queue, 11, 600, 7);
    assert_false(private_tx_is_stale(tx, 600 + PRIVATE_STALE_S));
    assert_true(private_tx_is_stale(tx, 600 + PRIVATE_STALE_S + 1));
}
