/* test_block_plan.c - the most urgent blocks from those who have them first. */
#include "p2p/blocks/block_plan.h"
#include "support/unit.h"
#include "util/assert.h"

#define ITEMS 1000

static bool anybody(void *ctx, void *who, void *what)
{
    (void)ctx, (void)who, (void)what;
    return true;
}

static bool only_b_has_the_first(void *ctx, void *who, void *what)
{
    (void)ctx;
    return *(char *)who == 'b' || *(size_t *)what != 0;
}

static size_t numbers[ITEMS];
static char a = 'a', b = 'b';

static void items_init(struct plan_item *items)
{
    for (size_t i = 0; i < ITEMS; i++) {
        numbers[i] = i;
        items[i] = (struct plan_item){.position = i, .what = &numbers[i]};
    }
}

/* Requests of each peer, and the first position that the second one got. */
static void run(struct plan *plan, size_t *n, size_t *first_of_b)
{
    struct plan_peer *peer;
    struct plan_item *item;
    n[0] = n[1] = 0;
    *first_of_b = ITEMS;
    while (plan_next(plan, &peer, &item)) {
        size_t i = (size_t)(peer - plan->peers);
        n[i]++;
        if (i == 1 && item->position < *first_of_b)
            *first_of_b = item->position;
    }
}

TEST(limits_follow_the_rate)
{
    assert_int_equal(plan_limit(0, 0.1, 1000, 16, 64), 16);
    assert_int_equal(plan_limit(1, 0.1, 1000, 16, 64), 1);
    assert_int_equal(plan_limit(1e9, 0.1, 1000, 16, 64), 64);
    assert_int_equal(plan_limit(10000, 0, 1000, 16, 64), (size_t)(10 * PLAN_AHEAD_S));
}

TEST(equal_peers_share_evenly)
{
    struct plan_item items[ITEMS];
    struct plan_peer peers[2] = {{.rate_bytes_s = 1e6, .rtt_s = 0.05, .limit = 64, .who = &a},
                                 {.rate_bytes_s = 1e6, .rtt_s = 0.05, .limit = 64, .who = &b}};
    struct plan plan = {peers, 2, items, ITEMS, 0, 20000, anybody, NULL};
    size_t n[2], first;
    items_init(items);
    run(&plan, n, &first);
    assert_int_equal(n[0], 64);
    assert_int_equal(n[1], 64);
    assert_int_equal(first, 1);
}

TEST(a_slow_peer_gets_blocks_that_are_not_needed_soon)
{
    struct plan_item items[ITEMS];
    struct plan_peer peers[2] = {{.rate_bytes_s = 1e6, .rtt_s = 0.05, .limit = 64, .who = &a},
                                 {.rate_bytes_s = 2e4, .rtt_s = 0.05, .limit = 2, .who = &b}};
    struct plan plan = {peers, 2, items, ITEMS, 0, 20000, anybody, NULL};
    size_t n[2], first;
    items_init(items);
    run(&plan, n, &first);
    assert_int_equal(n[0], 64);
    assert_int_equal(n[1], 2);
    /* It needs a second for a block; the others deliver fifty meanwhile. */
    assert_in_range(first, 20, 120);
}

TEST(a_slow_peer_alone_takes_what_comes_next)
{
    struct plan_item items[ITEMS];
    struct plan_peer peers[2] = {{.rate_bytes_s = 100, .rtt_s = 2, .limit = 3, .who = &a}};
    struct plan plan = {peers, 1, items, ITEMS, 0, 1e6, anybody, NULL};
    struct plan_peer *peer;
    struct plan_item *item;
    items_init(items);
    for (size_t i = 0; i < 3; i++) {
        assert_true(plan_next(&plan, &peer, &item));
        assert_int_equal(item->position, i);
    }
    assert_false(plan_next(&plan, &peer, &item));
    assert_int_equal(peers[0].n_in_flight, 3);
}

TEST(only_who_has_a_block_is_asked_for_it)
{
    struct plan_item items[ITEMS];
    struct plan_peer peers[2] = {{.rate_bytes_s = 1e6, .rtt_s = 0.05, .limit = 10, .who = &a},
                                 {.rate_bytes_s = 1e6, .rtt_s = 0.06, .limit = 10, .who = &b}};
    struct plan plan = {peers, 2, items, ITEMS, 0, 20000, only_b_has_the_first, NULL};
    size_t n[2], first;
    items_init(items);
    run(&plan, n, &first);
    assert_int_equal(first, 0);
    assert_int_equal(n[0] + n[1], 20);
}

static bool only_b_has_any(void *ctx, void *who, void *what)
{
    (void)ctx, (void)what;
    return *(char *)who == 'b';
}

/* A new block that only a slow peer has told of: the quick one that has nothing is no reason to
 * wait, for nobody would look again. */
TEST(who_alone_has_the_next_block_is_asked_however_slow)
{
    struct plan_item items[ITEMS];
    struct plan_peer peers[2] = {{.rate_bytes_s = 1e7, .rtt_s = 0.01, .limit = 64, .who = &a},
                                 {.rate_bytes_s = 1e4, .rtt_s = 1.5, .limit = 64, .who = &b}};
    struct plan plan = {peers, 2, items, 1, 0, 20000, only_b_has_any, NULL};
    size_t n[2], first;
    items_init(items);
    run(&plan, n, &first);
    assert_int_equal(n[0], 0);
    assert_int_equal(n[1], 1);
}

TEST(nothing_is_planned_without_peers_or_items)
{
    struct plan_peer *peer;
    struct plan_item *item, items[1] = {{.position = 0, .what = &numbers[0]}};
    struct plan_peer one = {.limit = 1, .who = &a};
    struct plan none = {NULL, 0, items, 1, 0, 1000, anybody, NULL};
    assert_false(plan_next(&none, &peer, &item));
    struct plan empty = {&one, 1, NULL, 0, 0, 1000, anybody, NULL};
    assert_false(plan_next(&empty, &peer, &item));
}
