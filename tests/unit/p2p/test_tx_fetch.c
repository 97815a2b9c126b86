/* test_tx_fetch.c - one question at a time for each transaction, and no more than bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "p2p/tx_fetch.h"
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

static void each_is_asked_of_one_peer_at_a_time(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    assert_true(tell(&w, 0, 7, 0, 0));
    assert_false(tell(&w, 0, 7, 0, 0));
    assert_true(tell(&w, 1, 7, 0, 0));
    assert_int_equal(ask(&w, 1, 0), 7);
    assert_int_equal(ask(&w, 0, 0), -1);
    assert_int_equal(ask(&w, 0, TX_FETCH_TIMEOUT_US - 1), -1);
    stop(&w);
}

/* Hazard 55: who is asked and does not answer holds it up for a minute, not longer. */
static void after_a_minute_the_next_is_asked(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    tell(&w, 2, 7, 0, 0);
    assert_int_equal(ask(&w, 2, 0), 7);
    tell(&w, 3, 7, 0, 1);
    tell(&w, 0, 7, 0, 2);
    assert_int_equal(tx_fetch_expire(&w.fetch, TX_FETCH_TIMEOUT_US - 1), TX_FETCH_TIMEOUT_US);
    assert_int_equal(tx_fetch_expire(&w.fetch, TX_FETCH_TIMEOUT_US), INT64_MAX);
    assert_int_equal(ask(&w, 3, TX_FETCH_TIMEOUT_US), -1); /* the preferred one goes first */
    assert_int_equal(ask(&w, 0, TX_FETCH_TIMEOUT_US), 7);
    uint8_t id[32];
    assert_true(tx_fetch_is_asked(&w.fetch, &w.peer[0], id_of(id, 7)));
    assert_false(tx_fetch_is_asked(&w.fetch, &w.peer[2], id));
    stop(&w);
}

static void inbound_peers_wait_for_outbound_ones(void **state)
{
    (void)state;
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

static void an_answer_or_a_leaving_peer_frees_it_for_others(void **state)
{
    (void)state;
    struct world w;
    uint8_t id[32];
    start(&w);
    tell(&w, 2, 7, 0, 0);
    tell(&w, 3, 7, 0, 0);
    tell(&w, 4, 7, 0, 0);
    assert_int_equal(ask(&w, 2, 0), 7);
    tx_fetch_answered(&w.fetch, &w.peer[2], id_of(id, 7), 5); /* notfound */
    assert_int_equal(ask(&w, 3, 5), 7);
    tx_fetch_peer_deinit(&w.fetch, &w.peer[3], 6);
    tx_fetch_peer_init(&w.fetch, &w.peer[3], 3, false, false);
    assert_int_equal(ask(&w, 4, 6), 7);
    tx_fetch_answered(&w.fetch, &w.peer[4], id, 7);
    assert_false(tx_fetch_is_wanted(&w.fetch, id)); /* nobody is left */
    assert_int_equal(w.fetch.n_total, 0);
    stop(&w);
}

static void what_has_come_is_forgotten_everywhere(void **state)
{
    (void)state;
    struct world w;
    uint8_t id[32];
    start(&w);
    for (int i = 0; i < 5; i++)
        tell(&w, i, 7, 0, 0);
    assert_int_equal(ask(&w, 1, 0), 7);
    tx_fetch_forget(&w.fetch, id_of(id, 7));
    assert_int_equal(w.fetch.n_total, 0);
    assert_int_equal(w.peer[1].n_in_flight, 0);
    assert_int_equal(ask(&w, 0, 0), -1);
    stop(&w);
}

/* Hazard 50. */
static void announcements_and_questions_are_bounded(void **state)
{
    (void)state;
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

static void many_inbound_peers_share_what_there_is(void **state)
{
    (void)state;
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
    assert_true(peer[N - 1].n_announced >= TX_FETCH_TOTAL_MAX / N);
    /* Our own choice of peer is heard all the same. */
    assert_true(tx_fetch_announced(&fetch, &peer[0], id_of(id, n), true, 0, 0));
    for (int i = 0; i < N; i++)
        tx_fetch_peer_deinit(&fetch, &peer[i], 0);
    tx_fetch_deinit(&fetch);
}

static void questions_are_asked_in_order_of_time(void **state)
{
    (void)state;
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

static void a_long_random_life_keeps_the_lists_whole(void **state)
{
    (void)state;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_asked_of_one_peer_at_a_time),
        cmocka_unit_test(after_a_minute_the_next_is_asked),
        cmocka_unit_test(inbound_peers_wait_for_outbound_ones),
        cmocka_unit_test(an_answer_or_a_leaving_peer_frees_it_for_others),
        cmocka_unit_test(what_has_come_is_forgotten_everywhere),
        cmocka_unit_test(announcements_and_questions_are_bounded),
        cmocka_unit_test(many_inbound_peers_share_what_there_is),
        cmocka_unit_test(questions_are_asked_in_order_of_time),
        cmocka_unit_test(a_long_random_life_keeps_the_lists_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
