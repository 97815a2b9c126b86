/* test_evict.c - an attacker cannot push out those who are hard to imitate. */
#include "p2p/connect/evict.h"
#include "support/unit.h"
#include "util/assert.h"

#define N 100

static void fill(struct evict_candidate *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        list[i] = (struct evict_candidate){.id = i + 1,
                                           .group_hash = 1000 + i % 10,
                                           .connected_us = (int64_t)i,
                                           .min_ping_us = 100000 + (int64_t)i,
                                           .last_block_us = -1,
                                           .last_tx_us = -1,
                                           .relays_txs = true};
}

TEST(nobody_goes_while_there_are_few)
{
    struct evict_candidate list[N];
    assert_int_equal(evict_choose(list, 0), 0);
    fill(list, 12);
    assert_int_equal(evict_choose(list, 12), 0);
    fill(list, N);
    assert_true(evict_choose(list, N) != 0);
}

TEST(the_youngest_of_the_largest_group_goes)
{
    struct evict_candidate list[N];
    fill(list, N);
    for (size_t i = 60; i < N; i++)
        list[i].group_hash = 5000; /* the attacker's, and the last to come */
    assert_int_equal(evict_choose(list, N), N);
}

TEST(the_protected_never_go)
{
    struct evict_candidate list[N];
    fill(list, N);
    for (size_t i = 0; i < N; i++)
        list[i].is_protected = true;
    assert_int_equal(evict_choose(list, N), 0);
}

/* A peer with one thing that cannot be had for nothing stays, though it came last. */
TEST(each_merit_protects)
{
    for (int merit = 0; merit < 5; merit++) {
        struct evict_candidate list[N];
        fill(list, N);
        struct evict_candidate *c = &list[N - 1];
        c->group_hash = 1009; /* the largest group is another */
        c->connected_us = 1000;
        list[N - 2].group_hash = 1009;
        if (merit == 0)
            c->min_ping_us = 5;
        else if (merit == 1)
            c->last_tx_us = 500;
        else if (merit == 2)
            c->last_block_us = 500;
        else if (merit == 3)
            c->useful_bytes = 1000000;
        else
            c->group_hash = 1;
        assert_int_not_equal(evict_choose(list, N), N);
    }
}

/* The last to come are in one group, the only one of more than one: first those from this machine,
 * then those that come through Tor. Does one of them go? */
static bool one_of_them_goes(size_t n_local, size_t n_onion)
{
    struct evict_candidate list[N];
    size_t first_onion = N - n_onion, first = first_onion - n_local;
    fill(list, N);
    for (size_t i = 0; i < N; i++) {
        list[i].group_hash = i < first ? 1000 + i : 5000;
        list[i].is_local = i >= first && i < first_onion;
        list[i].is_onion = i >= first_onion;
    }
    return evict_choose(list, N) > first;
}

/* Four groups and eight short ways keep their places: of 88 half stay, and 22 of them may be such.
 * Of those one too many is alone in its group, two are not. */
TEST(those_from_here_and_through_tor_have_places_of_their_own)
{
    assert_false(one_of_them_goes(0, 23));
    assert_true(one_of_them_goes(0, 24));
    assert_false(one_of_them_goes(23, 0));
    assert_true(one_of_them_goes(24, 0));
    assert_false(one_of_them_goes(3, 20));
    assert_false(one_of_them_goes(20, 3));
    assert_true(one_of_them_goes(3, 21));
    assert_true(one_of_them_goes(21, 3));
    assert_false(one_of_them_goes(11, 12));
    assert_true(one_of_them_goes(12, 12));
}

TEST(who_is_discouraged_goes_first)
{
    struct evict_candidate list[N];
    fill(list, N);
    list[90].is_discouraged = true;
    assert_int_equal(evict_choose(list, N), 91);
}

TEST(the_order_of_the_list_does_not_matter)
{
    struct evict_candidate a[N], b[N];
    fill(a, N);
    fill(b, N);
    for (size_t i = 0; i < N / 2; i++) {
        struct evict_candidate c = b[i];
        b[i] = b[N - 1 - i];
        b[N - 1 - i] = c;
    }
    assert_int_equal(evict_choose(a, N), evict_choose(b, N));
}
