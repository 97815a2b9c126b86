/* test_tx_fetch.c - one question at a time for each transaction, and no more than bounded. */
#include "p2p/txs/tx_fetch.h"
#include "support/unit.h"
#include "util/assert.h"

#define DELAY TX_FETCH_DELAY_US
#define N     6

/* Peers 0 and 1 are preferred, 5 is not limited; all others are inbound. */
struct world {
    struct tx_fetch fetch;
    struct tx_fetch_peer peer[N];
};

static int traits_of(int peer)
{
    return peer < 2 ? TX_FETCH_PREFERRED : peer == 5 ? TX_FETCH_UNLIMITED : 0;
}

static void start(struct world *w)
{
    tx_fetch_init(&w->fetch, (struct siphash_key){1, 2});
    for (int i = 0; i < N; i++)
        tx_fetch_peer_init(&w->fetch, &w->peer[i], 1 + (uint64_t)i, traits_of(i));
}

static void stop(struct world *w)
{
    tx_fetch_check(&w->fetch);
    for (int i = 0; i < N; i++) {
        tx_fetch_peer_deinit(&w->fetch, &w->peer[i]);
        tx_fetch_check(&w->fetch);
    }
    assert_int_equal(w->fetch.wants.count, 0);
    assert_int_equal(w->fetch.n_by_wtxid, 0);
    tx_fetch_deinit(&w->fetch);
}

static const uint8_t *id_of(uint8_t id[32], uint32_t n)
{
    memset(id, 0, 32);
    memcpy(id, &n, 4);
    return id;
}

static bool tell(struct world *w, int peer, uint32_t n, int64_t now_us)
{
    uint8_t id[32];
    return tx_fetch_announced(&w->fetch, &w->peer[peer], id_of(id, n), true, now_us);
}

static bool tell_txid(struct world *w, int peer, uint32_t n, int64_t now_us)
{
    uint8_t id[32];
    return tx_fetch_announced(&w->fetch, &w->peer[peer], id_of(id, n), false, now_us);
}

/* What the peer is asked now: the number, or -1. */
static int64_t ask(struct world *w, int peer, int64_t now_us)
{
    struct tx_fetch_id id;
    uint32_t n;
    tx_fetch_advance(&w->fetch, now_us);
    if (tx_fetch_next(&w->fetch, &w->peer[peer], now_us, &id, 1) == 0)
        return -1;
    tx_fetch_check(&w->fetch);
    memcpy(&n, id.id, 4);
    return n;
}

/* Who is asked for something now: one of the peers, or -1. */
static int whom(struct world *w, int64_t now_us)
{
    for (int i = 0; i < N; i++)
        if (ask(w, i, now_us) >= 0)
            return i;
    return -1;
}

TEST(each_is_asked_of_one_peer_at_a_time)
{
    struct world w;
    start(&w);
    assert_true(tell(&w, 0, 7, 0));
    assert_false(tell(&w, 0, 7, 0));
    assert_true(tell(&w, 1, 7, 0));
    int first = whom(&w, 0);
    assert_in_range(first, 0, 1);
    assert_int_equal(tx_fetch_next_us(&w.fetch), TX_FETCH_TIMEOUT_US);
    assert_int_equal(whom(&w, TX_FETCH_TIMEOUT_US - 1), -1);
    assert_int_equal(whom(&w, TX_FETCH_TIMEOUT_US), 1 - first);
    stop(&w);
}

/* Hazard 55: who announces and says nothing holds it up for a minute, and is behind the others
 * from then on. What comes after that minute is no answer. */
TEST(after_a_minute_the_next_one_is_asked)
{
    struct world w;
    uint8_t id[32];
    start(&w);
    tell(&w, 2, 7, 0);
    assert_int_equal(ask(&w, 2, DELAY - 1), -1);
    assert_int_equal(ask(&w, 2, DELAY), 7);
    tell(&w, 3, 7, DELAY + 1);
    tell(&w, 0, 7, DELAY + 2);
    int64_t until_us = DELAY + TX_FETCH_TIMEOUT_US;
    assert_int_equal(whom(&w, until_us - 1), -1);
    assert_int_equal(tx_fetch_next_us(&w.fetch), until_us);
    assert_true(tx_fetch_is_asked(&w.fetch, &w.peer[2], id_of(id, 7)));
    assert_int_equal(whom(&w, until_us), 0); /* the preferred one, who came last */
    assert_false(tx_fetch_is_asked(&w.fetch, &w.peer[2], id));
    assert_true(tx_fetch_is_asked(&w.fetch, &w.peer[0], id));
    assert_int_equal(w.peer[2].missed, 1);
    tx_fetch_delivered(&w.peer[2]);
    assert_int_equal(w.peer[2].missed, 0);
    stop(&w);
}

/* Who has kept us waiting is asked after those who have not, whoever announces first. */
TEST(who_kept_us_waiting_comes_after_the_others)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i < 20; i++)
        tell(&w, 2, i, 0);
    while (ask(&w, 2, DELAY) >= 0)
        continue;
    int64_t later_us = DELAY + TX_FETCH_TIMEOUT_US;
    tx_fetch_advance(&w.fetch, later_us);
    assert_int_equal(w.peer[2].missed, 20);
    for (uint32_t i = 100; i < 120; i++) {
        tell(&w, 2, i, later_us);
        tell(&w, 3, i, later_us);
        assert_int_equal(whom(&w, later_us + DELAY), 3);
    }
    stop(&w);
}

TEST(misses_are_counted_up_to_a_limit)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i <= TX_FETCH_MISSED_MAX; i++)
        tell(&w, 0, i, 0);
    while (ask(&w, 0, 0) >= 0)
        continue;
    tx_fetch_advance(&w.fetch, TX_FETCH_TIMEOUT_US);
    assert_int_equal(w.peer[0].missed, TX_FETCH_MISSED_MAX);
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
        int64_t now_us = i * 10 * DELAY;
        tell(&w, 2, i, now_us);
        tell(&w, 3, i, now_us);
        n_first += whom(&w, now_us + DELAY) == 2;
        tx_fetch_forget(&w.fetch, id_of(id, i));
    }
    assert_in_range(n_first, 60, 140);
    stop(&w);
}

/* -- Delays ------------------------------------------------------------------------------------ */

TEST(inbound_peers_wait_for_outbound_ones)
{
    struct world w;
    start(&w);
    tell(&w, 2, 7, 0);
    assert_int_equal(tx_fetch_next_us(&w.fetch), DELAY);
    tell(&w, 0, 7, 1000);
    assert_int_equal(ask(&w, 2, 1000), -1);
    assert_int_equal(ask(&w, 0, 1000), 7);
    assert_int_equal(ask(&w, 2, DELAY), -1);
    stop(&w);
}

/* One whose own wait is not over takes nobody's place, however good it is. */
TEST(a_better_one_that_still_waits_is_not_waited_for)
{
    struct world w;
    start(&w);
    struct tx_fetch_peer other;
    tx_fetch_peer_init(&w.fetch, &other, 99, TX_FETCH_BY_WTXID);
    tell(&w, 2, 7, 0);
    assert_true(tell_txid(&w, 0, 7, 1)); /* preferred, but by txid */
    assert_int_equal(ask(&w, 0, DELAY), -1);
    assert_int_equal(ask(&w, 2, DELAY), 7);
    assert_int_equal(ask(&w, 0, DELAY + 1), -1);
    tx_fetch_peer_deinit(&w.fetch, &other);
    stop(&w);
}

/* Both are ready, none is asked yet: the better one is. */
TEST(a_better_one_takes_the_place_of_one_not_asked_yet)
{
    struct world w;
    start(&w);
    tell(&w, 2, 7, 0);
    tx_fetch_advance(&w.fetch, DELAY);
    assert_int_equal(w.peer[2].best.count, 1);
    tell(&w, 0, 7, DELAY);
    assert_int_equal(w.peer[2].best.count, 0);
    assert_int_equal(ask(&w, 2, DELAY), -1);
    assert_int_equal(ask(&w, 0, DELAY), 7);
    stop(&w);
}

/* When the one that is asked gives up, those whose wait is not over go on waiting. */
TEST(a_wait_is_not_cut_short_when_another_gives_up)
{
    struct world w;
    uint8_t id[32];
    start(&w);
    tell(&w, 0, 7, 0);
    assert_int_equal(ask(&w, 0, 0), 7);
    tell(&w, 2, 7, 10);
    tx_fetch_answered(&w.fetch, &w.peer[0], id_of(id, 7)); /* notfound */
    assert_int_equal(whom(&w, 10 + DELAY - 1), -1);
    assert_int_equal(whom(&w, 10 + DELAY), 2);
    stop(&w);
}

/* While nobody announces by wtxid a txid waits for nothing. */
TEST(txids_wait_where_there_are_wtxids)
{
    struct world w;
    struct tx_fetch_peer other;
    start(&w);
    assert_true(tell_txid(&w, 0, 1, 0));
    assert_int_equal(ask(&w, 0, 0), 1);
    tx_fetch_peer_init(&w.fetch, &other, 99, TX_FETCH_BY_WTXID);
    assert_true(tell_txid(&w, 0, 2, 0));
    assert_true(tell_txid(&w, 2, 3, 0));
    assert_int_equal(ask(&w, 0, DELAY - 1), -1);
    assert_int_equal(ask(&w, 0, DELAY), 2);
    assert_int_equal(ask(&w, 2, 2 * DELAY - 1), -1);
    assert_int_equal(ask(&w, 2, 2 * DELAY), 3);
    tx_fetch_peer_deinit(&w.fetch, &other);
    assert_true(tell_txid(&w, 0, 4, 2 * DELAY));
    assert_int_equal(ask(&w, 0, 2 * DELAY), 4);
    stop(&w);
}

/* A hundred may be under way; what is announced beyond that waits longer, and is asked for all the
 * same. */
TEST(who_is_asked_for_much_already_waits_longer)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i < TX_FETCH_OVERLOADED - 1; i++) {
        tell(&w, 2, i, 0);
        tell(&w, 5, 1000 + i, 0);
    }
    while (whom(&w, DELAY) >= 0)
        continue;
    tell(&w, 2, 500, DELAY);
    assert_int_equal(ask(&w, 2, 2 * DELAY), 500); /* the hundredth */
    tell(&w, 2, 501, 2 * DELAY);
    assert_int_equal(ask(&w, 2, 4 * DELAY - 1), -1);
    assert_int_equal(ask(&w, 2, 4 * DELAY), 501);
    assert_int_equal(w.peer[2].n_in_flight, TX_FETCH_OVERLOADED + 1);
    tell(&w, 5, 2000, 0);
    assert_int_equal(ask(&w, 5, 4 * DELAY), 2000);
    tell(&w, 5, 2001, 4 * DELAY); /* is not limited */
    assert_int_equal(ask(&w, 5, 5 * DELAY), 2001);
    stop(&w);
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* The transaction of a wtxid has no witness: it is the parent of an orphan, by its txid. */
TEST(each_peer_is_asked_by_the_id_it_announced)
{
    struct world w;
    struct tx_fetch_id id;
    start(&w);
    tell(&w, 0, 7, 0);
    assert_true(tell_txid(&w, 1, 7, 0));
    int first = w.peer[0].best.count > 0 ? 0 : 1;
    for (int i = 0; i < 2; i++) {
        int peer = i == 0 ? first : 1 - first;
        assert_int_equal(tx_fetch_next(&w.fetch, &w.peer[peer], 0, &id, 1), 1);
        assert_int_equal(id.is_wtxid, peer == 0);
        tx_fetch_answered(&w.fetch, &w.peer[peer], id.id);
    }
    stop(&w);
}

TEST(an_answer_or_a_leaving_peer_frees_it_for_others)
{
    struct world w;
    uint8_t id[32];
    start(&w);
    tell(&w, 2, 7, 0);
    tell(&w, 3, 7, 0);
    tell(&w, 4, 7, 0);
    int first = whom(&w, DELAY);
    tx_fetch_answered(&w.fetch, &w.peer[first], id_of(id, 7)); /* notfound */
    int second = whom(&w, DELAY);
    assert_true(first >= 2 && second >= 2 && second != first);
    tx_fetch_peer_deinit(&w.fetch, &w.peer[second]);
    tx_fetch_peer_init(&w.fetch, &w.peer[second], 1 + (uint64_t)second, 0);
    int third = whom(&w, DELAY);
    assert_true(third >= 2 && third != first && third != second);
    tx_fetch_answered(&w.fetch, &w.peer[third], id);
    assert_int_equal(w.fetch.wants.count, 0); /* nobody is left */
    assert_int_equal(w.fetch.n_total, 0);
    stop(&w);
}

TEST(what_has_come_is_forgotten_everywhere)
{
    struct world w;
    uint8_t id[32];
    start(&w);
    for (int i = 0; i < N; i++)
        tell(&w, i, 7, 0);
    int first = whom(&w, 0);
    assert_in_range(first, 0, 1);
    tx_fetch_forget(&w.fetch, id_of(id, 7));
    assert_int_equal(w.fetch.n_total, 0);
    assert_int_equal(w.peer[first].n_in_flight, 0);
    assert_int_equal(whom(&w, DELAY), -1);
    assert_int_equal(tx_fetch_next_us(&w.fetch), INT64_MAX);
    stop(&w);
}

TEST(who_may_still_deliver_is_listed)
{
    struct world w;
    uint8_t id[32];
    uint64_t peers[N];
    start(&w);
    assert_int_equal(tx_fetch_announcers(&w.fetch, id_of(id, 7), peers, N), 0);
    for (int i = 0; i < 4; i++)
        tell(&w, i, 7, 0);
    int first = whom(&w, 0);
    assert_int_equal(tx_fetch_announcers(&w.fetch, id, peers, N), 4);
    assert_int_equal(tx_fetch_announcers(&w.fetch, id, peers, 3), 3);
    tx_fetch_answered(&w.fetch, &w.peer[first], id);
    assert_int_equal(tx_fetch_announcers(&w.fetch, id, peers, N), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_not_equal(peers[i], w.peer[first].id);
    stop(&w);
}

/* -- Limits ------------------------------------------------------------------------------------ */

/* Hazard 50. */
TEST(announcements_of_a_peer_are_bounded)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i < 2 * TX_FETCH_ANNOUNCEMENTS_MAX; i++) {
        assert_int_equal(tell(&w, 2, i, 0), i < TX_FETCH_ANNOUNCEMENTS_MAX);
        assert_true(tell(&w, 5, i, 0)); /* is not limited */
    }
    assert_false(tx_fetch_has_room(&w.fetch, &w.peer[2], 1));
    assert_true(tx_fetch_has_room(&w.fetch, &w.peer[3], TX_FETCH_ANNOUNCEMENTS_MAX));
    assert_false(tx_fetch_has_room(&w.fetch, &w.peer[3], TX_FETCH_ANNOUNCEMENTS_MAX + 1));
    stop(&w);
}

TEST(who_is_not_limited_has_what_all_have)
{
    struct world w;
    start(&w);
    for (uint32_t i = 0; i < TX_FETCH_TOTAL_MAX; i++)
        (void)tell(&w, 5, i, 0);
    assert_int_equal(w.peer[5].all.count, TX_FETCH_TOTAL_MAX);
    assert_false(tell(&w, 5, TX_FETCH_TOTAL_MAX, 0));
    stop(&w);
}

TEST(many_inbound_peers_share_what_there_is)
{
    enum { PEERS = 60 };
    static struct tx_fetch_peer peer[PEERS];
    struct tx_fetch fetch;
    uint32_t n = 0;
    uint8_t id[32];
    tx_fetch_init(&fetch, (struct siphash_key){1, 2});
    for (uint64_t i = 0; i < PEERS; i++)
        tx_fetch_peer_init(&fetch, &peer[i], 1 + i, i == 0 ? TX_FETCH_PREFERRED : 0);
    for (int i = 1; i < PEERS; i++)
        for (int j = 0; j < 3000; j++)
            (void)tx_fetch_announced(&fetch, &peer[i], id_of(id, n++), true, 0);
    assert_in_range(fetch.n_total, TX_FETCH_TOTAL_MAX, 2 * TX_FETCH_TOTAL_MAX);
    assert_true(peer[PEERS - 1].all.count >= TX_FETCH_TOTAL_MAX / PEERS);
    /* Our own choice of peer is heard all the same. */
    assert_true(tx_fetch_announced(&fetch, &peer[0], id_of(id, n), true, 0));
    for (int i = 0; i < PEERS; i++)
        tx_fetch_peer_deinit(&fetch, &peer[i]);
    tx_fetch_deinit(&fetch);
}

TEST(questions_are_asked_in_order_of_time)
{
    struct world w;
    struct tx_fetch_id ids[4];
    start(&w);
    tell(&w, 2, 1, 30);
    tell(&w, 2, 3, 40);
    tell(&w, 2, 2, 50);
    assert_int_equal(ask(&w, 2, DELAY + 29), -1);
    assert_int_equal(ask(&w, 2, DELAY + 40), 1);
    tx_fetch_advance(&w.fetch, DELAY + 50);
    assert_int_equal(tx_fetch_next_us(&w.fetch), INT64_MIN); /* at once */
    assert_int_equal(tx_fetch_next(&w.fetch, &w.peer[2], DELAY + 50, ids, 4), 2);
    assert_true(ids[0].id[0] == 3 && ids[1].id[0] == 2);
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
        int peer = (int)((seed >> 33) % N);
        uint32_t n = (uint32_t)(seed >> 40) % 200;
        int64_t now_us = (int64_t)i * 500000;
        switch (seed >> 20 & 7) {
        case 0:
            (void)ask(&w, peer, now_us);
            break;
        case 1:
            tx_fetch_answered(&w.fetch, &w.peer[peer], id_of(id, n));
            break;
        case 2:
            tx_fetch_forget(&w.fetch, id_of(id, n));
            break;
        case 3:
            tx_fetch_advance(&w.fetch, now_us);
            break;
        case 4:
            if (seed >> 60 == 0) {
                tx_fetch_peer_deinit(&w.fetch, &w.peer[peer]);
                tx_fetch_peer_init(&w.fetch, &w.peer[peer], 1 + (uint64_t)peer, traits_of(peer));
            }
            break;
        default:
            (void)(seed >> 63 ? tell(&w, peer, n, now_us) : tell_txid(&w, peer, n, now_us));
            break;
        }
        if (i % 100 == 0)
            tx_fetch_check(&w.fetch);
    }
    stop(&w);
}
