/* test_tx_fetch.c - one question at a time for each transaction, and no more than bounded. */
#include "p2p/txs/tx_fetch.h"
#include "support/unit.h"
#include "util/assert.h"

struct world {
    struct tx_fetch fetch;
    struct tx_fetch_peer peer[5]; /* 0 and 1 are preferred */
};

static void start(struct world *w)
{
    tx_fetch_init(&w->fetch, (struct siphash_key){1, 2});
    for (uint64_t i = 0; i < 5; i++)
        tx_fetch_peer_init(&w->fetch, &w->peer[i], i, i < 2, false);
}

static void stop(struct world *w)
{
    tx_fetch_check(&w->fetch);
    for (int i = 0; i < 5; i++) {
        tx_fetch_peer_deinit(&w->fetch, &w->peer[i], 0);
        tx_fetch_check(&w->fetch);
    }
    assert_int_equal(w->fetch.wants.count, 0);
    tx_fetch_deinit(&w->fetch);
}

static const uint8_t *id_of(uint8_t id[32], uint32_t n)
{
    memset(id, 0, 32);
    memcpy(id, &n, 4);
    return id;
}

static bool tell(struct world *w, int peer, uint32_t n, int64_t delay_us, int64_t now_us)
{
    uint8_t id[32];
    return tx_fetch_announced(&w->fetch, &w->peer[peer], id_of(id, n), true, delay_us, now_us);
}

/* What the peer is asked now: the number, or -1. */
static int64_t ask(struct world *w, int peer, int64_t now_us)
{
    struct tx_fetch_id id;
    uint32_t n;
    if (tx_fetch_next(&w->fetch, &w->peer[peer], now_us, &id, 1) == 0)
        return -1;
    tx_fetch_check(&w->fetch);
    memcpy(&n, id.id, 4);
    return n;
}

/* Who is asked for something now: one of the peers, or -1. */
static int whom(struct world *w, int64_t now_us)
{
    for (int i = 0; i < 5; i++)
        if (ask(w, i, now_us) >= 0)
            return i;
    return -1;
}

TEST(each_is_asked_of_one_peer_at_a_time)
{
    struct world w;
    start(&w);
    assert_true(tell(&w, 0, 7, 0, 0));
    assert_false(tell(&w, 0, 7, 0, 0));
    assert_true(tell(&w, 1, 7, 0, 0));
    int first = whom(&w, 0);
    assert_in_range(first, 0, 1);
    assert_int_equal(whom(&w, 0), -1);
    assert_int_equal(whom(&w, TX_FETCH_PATIENCE_US - 1), -1);
    stop(&w);
}

/* Hazard 55: who announces and says nothing holds it up for a moment. */
TEST(after_a_moment_another_is_asked_as_well)
{
    struct world w;
    uint8_t id[32];
    start(&w);
    tell(&w, 2, 7, 0, 0);
    assert_int_equal(ask(&w, 2, 0), 7);
    tell(&w, 3, 7, 0, 1);
    tell(&w, 0, 7, 0, 2);
    assert_int_equal(tx_fetch_expire(&w.fetch, TX_FETCH_PATIENCE_US - 1), TX_FETCH_PATIENCE_US);
    assert_int_equal(whom(&w, TX_FETCH_PATIENCE_US - 1), -1);
    (void)tx_fetch_expire(&w.fetch, TX_FETCH_PATIENCE_US);
    assert_int_equal(whom(&w, TX_FETCH_PATIENCE_US), 0); /* the preferred one, who came last */
    assert_int_equal(whom(&w, TX_FETCH_PATIENCE_US), -1);
    /* The first may answer all the same. */
    assert_true(tx_fetch_is_asked(&w.fetch, &w.peer[2], id_of(id, 7)));
    assert_int_equal(w.peer[2].missed, 1);
    tx_fetch_delivered(&w.peer[2]);
    assert_int_equal(w.peer[2].missed, 0);
    tx_fetch_forget(&w.fetch, id);
    assert_int_equal(tx_fetch_expire(&w.fetch, 2 * TX_FETCH_PATIENCE_US), INT64_MAX);
    stop(&w);
}

/* With each round twice as many: twenty inbound peers that say nothing are through soon. */
TEST(the_number_asked_doubles_while_nothing_comes)
{
    enum { N = 20 };
    static struct tx_fetch_peer peer[N];
    static const size_t want[] = {1, 2, 4, 8, 16, 20};
    struct tx_fetch fetch;
    struct tx_fetch_id out;
    uint8_t id[32];
    tx_fetch_init(&fetch, (struct siphash_key){3, 4});
    for (uint64_t i = 0; i < N; i++) {
        tx_fetch_peer_init(&fetch, &peer[i], i + 1, false, false);
        (void)tx_fetch_announced(&fetch, &peer[i], id_of(id, 7), true, 0, 0);
    }
    for (size_t round = 0; round < COUNT_OF(want); round++) {
        size_t n = 0;
        int64_t now_us = (int64_t)round * TX_FETCH_PATIENCE_US;
        (void)tx_fetch_expire(&fetch, now_us);
        for (size_t i = 0; i < N; i++)
            (void)tx_fetch_next(&fetch, &peer[i], now_us, &out, 1);
        for (size_t i = 0; i < N; i++)
            n += peer[i].n_in_flight;
        assert_int_equal(n, want[round]);
        tx_fetch_check(&fetch);
    }
    for (int i = 0; i < N; i++)
        tx_fetch_peer_deinit(&fetch, &peer[i], 0);
    tx_fetch_deinit(&fetch);
}

/* Who has kept us waiting is asked after those who have not, whoever announces first; and who
 * announces it after the wait is asked at once. */
TEST(who_kept_us_waiting_comes_after_the_others)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i < 20; i++)
        tell(&w, 2, i, 0, 0);
    while (ask(&w, 2, 0) >= 0)
        continue;
    int64_t later_us = TX_FETCH_PATIENCE_US;
    (void)tx_fetch_expire(&w.fetch, later_us);
    assert_int_equal(w.peer[2].missed, 20);
    tell(&w, 4, 5, 0, later_us);
    assert_int_equal(ask(&w, 4, later_us), 5);
    for (uint32_t i = 100; i < 120; i++) {
        tell(&w, 2, i, 0, later_us);
        tell(&w, 3, i, 0, later_us);
        assert_int_equal(whom(&w, later_us), 3);
    }
    stop(&w);
}

/* Of equals coming first is worth nothing. */
TEST(among_equals_the_lot_decides)
{
    struct world w;
    size_t n_first = 0;
    uint8_t id[32];
    start(&w);
    for (uint32_t i = 0; i < 200; i++) {
        tell(&w, 2, i, 0, 0);
        tell(&w, 3, i, 0, 0);
        n_first += whom(&w, 0) == 2;
        tx_fetch_forget(&w.fetch, id_of(id, i));
    }
    assert_in_range(n_first, 60, 140);
    stop(&w);
}

/* Though all give way to others who do not ask. */
TEST(a_long_list_of_better_ones_elsewhere_stops_nobody)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i < 1000; i++) {
        tell(&w, 0, i, 0, 0);
        tell(&w, 2, i, 0, 0);
    }
    assert_true(ask(&w, 2, 0) >= 0);
    stop(&w);
}

/* What comes later is no answer. */
TEST(after_a_minute_the_answer_counts_as_missed)
{
    struct world w;
    start(&w);
    tell(&w, 2, 7, 0, 0);
    assert_int_equal(ask(&w, 2, 0), 7);
    tell(&w, 3, 7, 0, 1);
    tell(&w, 0, 7, 0, 2);
    uint8_t id[32];
    assert_int_equal(tx_fetch_expire(&w.fetch, TX_FETCH_TIMEOUT_US - 1), TX_FETCH_TIMEOUT_US);
    assert_true(tx_fetch_is_asked(&w.fetch, &w.peer[2], id_of(id, 7)));
    assert_int_equal(tx_fetch_expire(&w.fetch, TX_FETCH_TIMEOUT_US), INT64_MAX);
    assert_false(tx_fetch_is_asked(&w.fetch, &w.peer[2], id));
    assert_int_equal(whom(&w, TX_FETCH_TIMEOUT_US), 0); /* the preferred one goes first */
    assert_true(tx_fetch_is_asked(&w.fetch, &w.peer[0], id));
    stop(&w);
}

TEST(inbound_peers_wait_for_outbound_ones)
{
    struct world w;
    start(&w);
    tell(&w, 2, 7, TX_FETCH_INBOUND_DELAY_US, 0);
    assert_int_equal(tx_fetch_next_us(&w.peer[2]), TX_FETCH_INBOUND_DELAY_US);
    tell(&w, 0, 7, 0, 1000);
    assert_int_equal(ask(&w, 2, 1000), -1);
    assert_int_equal(ask(&w, 0, 1000), 7);
    assert_int_equal(ask(&w, 2, TX_FETCH_INBOUND_DELAY_US), -1);
    stop(&w);
}

TEST(an_answer_or_a_leaving_peer_frees_it_for_others)
{
    struct world w;
    uint8_t id[32];
    start(&w);
    tell(&w, 2, 7, 0, 0);
    tell(&w, 3, 7, 0, 0);
    tell(&w, 4, 7, 0, 0);
    int first = whom(&w, 0);
    tx_fetch_answered(&w.fetch, &w.peer[first], id_of(id, 7), 5); /* notfound */
    int second = whom(&w, 5);
    assert_true(first >= 2 && second >= 2 && second != first);
    tx_fetch_peer_deinit(&w.fetch, &w.peer[second], 6);
    tx_fetch_peer_init(&w.fetch, &w.peer[second], (uint64_t)second, false, false);
    int third = whom(&w, 6);
    assert_true(third >= 2 && third != first && third != second);
    tx_fetch_answered(&w.fetch, &w.peer[third], id, 7);
    assert_int_equal(w.fetch.wants.count, 0); /* nobody is left */
    assert_int_equal(w.fetch.n_total, 0);
    stop(&w);
}

TEST(what_has_come_is_forgotten_everywhere)
{
    struct world w;
    uint8_t id[32];
    start(&w);
    for (int i = 0; i < 5; i++)
        tell(&w, i, 7, 0, 0);
    int first = whom(&w, 0);
    assert_in_range(first, 0, 1);
    tx_fetch_forget(&w.fetch, id_of(id, 7));
    assert_int_equal(w.fetch.n_total, 0);
    assert_int_equal(w.peer[first].n_in_flight, 0);
    assert_int_equal(ask(&w, 0, 0), -1);
    stop(&w);
}

/* Hazard 50. */
TEST(announcements_and_questions_are_bounded)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i < 2 * TX_FETCH_ANNOUNCEMENTS_MAX; i++)
        assert_int_equal(tell(&w, 2, i, 0, 0), i < TX_FETCH_ANNOUNCEMENTS_MAX);
    size_t asked = 0;
    while (ask(&w, 2, 0) >= 0)
        asked++;
    assert_int_equal(asked, TX_FETCH_IN_FLIGHT_MAX);
    assert_int_equal(tx_fetch_next_us(&w.peer[2]), INT64_MAX);
    stop(&w);
}

TEST(many_inbound_peers_share_what_there_is)
{
    enum { N = 60 };
    static struct tx_fetch_peer peer[N];
    struct tx_fetch fetch;
    uint32_t n = 0;
    uint8_t id[32];
    tx_fetch_init(&fetch, (struct siphash_key){1, 2});
    for (uint64_t i = 0; i < N; i++)
        tx_fetch_peer_init(&fetch, &peer[i], i, i == 0, false);
    for (int i = 1; i < N; i++)
        for (int j = 0; j < 3000; j++)
            (void)tx_fetch_announced(&fetch, &peer[i], id_of(id, n++), true, 0, 0);
    assert_in_range(fetch.n_total, TX_FETCH_TOTAL_MAX, 2 * TX_FETCH_TOTAL_MAX);
    assert_true(peer[N - 1].all.count >= TX_FETCH_TOTAL_MAX / N);
    /* Our own choice of peer is heard all the same. */
    assert_true(tx_fetch_announced(&fetch, &peer[0], id_of(id, n), true, 0, 0));
    for (int i = 0; i < N; i++)
        tx_fetch_peer_deinit(&fetch, &peer[i], 0);
    tx_fetch_deinit(&fetch);
}

TEST(questions_are_asked_in_order_of_time)
{
    struct world w;
    start(&w);
    tell(&w, 0, 1, 30, 0);
    tell(&w, 0, 2, 10, 0);
    tell(&w, 0, 3, 20, 0);
    assert_int_equal(ask(&w, 0, 9), -1);
    assert_int_equal(ask(&w, 0, 30), 2);
    assert_int_equal(ask(&w, 0, 30), 3);
    assert_int_equal(ask(&w, 0, 30), 1);
    stop(&w);
}

TEST(a_long_random_life_keeps_the_lists_whole)
{
    struct world w;
    uint64_t seed = 4;
    uint8_t id[32];
    start(&w);
    for (int i = 0; i < 40000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        int peer = (int)(seed >> 33) % 5;
        uint32_t n = (uint32_t)(seed >> 40) % 200;
        int64_t now_us = (int64_t)i * 500000;
        switch (seed >> 20 & 7) {
        case 0:
            (void)ask(&w, peer, now_us);
            break;
        case 1:
            tx_fetch_answered(&w.fetch, &w.peer[peer], id_of(id, n), now_us);
            break;
        case 2:
            tx_fetch_forget(&w.fetch, id_of(id, n));
            break;
        case 3:
            (void)tx_fetch_expire(&w.fetch, now_us);
            break;
        default:
            (void)tell(&w, peer, n, (int64_t)(seed >> 60) * 1000000, now_us);
            break;
        }
        if (i % 100 == 0)
            tx_fetch_check(&w.fetch);
    }
    stop(&w);
}
