/* test_choose.c - whom a node calls next: tested ones of every group alike, then as Core draws. */
#include "p2p/connect/choose.h"

#include "../book_fixture.h"
#include "p2p/core/wire.h"

#define NOW    INT64_C(1700000000)
#define NEEDED (NODE_NETWORK | NODE_WITNESS)

static bool may_call(void *ctx, const struct net_address *address)
{
    const struct world *w = ctx;
    return address->bytes[0] != w->connected;
}

static bool is_up(void *ctx, const struct net_address *address)
{
    return !may_call(ctx, address);
}

static bool has_group(void *ctx, const struct net_address *address)
{
    const struct world *w = ctx;
    return address->bytes[0] == w->taken;
}

static struct choose choice(struct world *w)
{
    return (struct choose){.book = w->book,
                           .services_needed = NEEDED,
                           .ctx = w,
                           .may_call = may_call,
                           .is_up = is_up,
                           .has_group = has_group};
}

/* An address a.b.c.d, told by itself; tried if that is said. */
static void put(struct world *w, uint32_t n, bool tried, uint64_t services, uint16_t port)
{
    struct net_peer_address address = {.at = host(n), .services = services, .time = (uint32_t)NOW};
    address.at.port = port;
    (void)address_book_add(w->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0, NOW);
    if (tried)
        (void)address_book_good(w->book, &address.at, NOW - 5000);
}

TEST(an_empty_book_has_nobody, struct world *w)
{
    struct choose choose = choice(w);
    struct net_peer_address out;
    assert_false(choose_for_slot(&choose, NOW, &out));
    assert_false(choose_for_feeler(&choose, NOW, &out));
}

/* 100 groups of one each and one of some hundreds: it gets about one of a hundred. */
TEST(groups_that_were_tested_have_the_same_chance, struct world *w)
{
    struct choose choose = choice(w);
    struct net_peer_address out;
    size_t n_crowd = 0;
    for (uint32_t i = 0; i < 600; i++)
        put(w, 0x5a5a0000 + i, true, NEEDED, 8333);
    for (uint32_t i = 0; i < 100; i++)
        put(w, 0x10000000 + i * 65536, true, NEEDED, 8333);
    for (uint32_t i = 0; i < 300; i++) /* what was only heard of */
        put(w, 0x5b000000 + i * 65536, false, NEEDED, 8333);
    for (int i = 0; i < 1000; i++) {
        assert_true(choose_for_slot(&choose, NOW, &out));
        assert_int_not_equal(out.at.bytes[0], 0x5b);
        n_crowd += out.at.bytes[0] == 0x5a;
    }
    assert_in_range(n_crowd, 1, 40);
}

/* Below the limit as Core does: new ones too. At it, none. */
TEST(with_few_tested_groups_new_ones_are_called_as_well, struct world *w)
{
    struct choose choose = choice(w);
    struct net_peer_address out;
    size_t n_new[2] = {0};
    for (uint32_t i = 0; i < 200; i++)
        put(w, 0x5b000000 + i * 65536, false, NEEDED, 8333);
    for (uint32_t n = 0;
         address_book_count_of(w->book, NET_NONE, true) < ADDRESS_BOOK_EVEN_GROUPS_MIN - 1; n++)
        put(w, 0x10000000 + n * 65536, true, NEEDED, 8333);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            assert_true(choose_for_slot(&choose, NOW, &out));
            n_new[round] += out.at.bytes[0] == 0x5b;
        }
        for (uint32_t n = 0;
             address_book_count_of(w->book, NET_NONE, true) < ADDRESS_BOOK_EVEN_GROUPS_MIN + 3; n++)
            put(w, 0x20000000 + n * 65536, true, NEEDED, 8333);
    }
    assert_in_range(n_new[0], 50, 150);
    assert_int_equal(n_new[1], 0);
}

TEST(who_is_connected_of_a_taken_group_or_of_no_use_is_passed_over, struct world *w)
{
    struct choose choose = choice(w);
    struct net_peer_address out;
    w->connected = 0x11;
    w->taken = 0x12;
    put(w, 0x11010101, false, NEEDED, 8333);
    put(w, 0x12010101, false, NEEDED, 8333);
    put(w, 0x13010101, false, NODE_NETWORK, 8333);
    assert_false(choose_for_slot(&choose, NOW, &out));
    put(w, 0x14010101, false, NEEDED, 22); /* a port of another service: if nothing else is there */
    assert_true(choose_for_slot(&choose, NOW, &out));
    assert_int_equal(out.at.bytes[0], 0x14);
    put(w, 0x15010101, false, NEEDED, 8333);
    size_t n_bad = 0;
    for (int i = 0; i < 50; i++) {
        assert_true(choose_for_slot(&choose, NOW, &out));
        n_bad += out.at.port == 22;
    }
    assert_in_range(n_bad, 0, 2);
    /* A feeler asks for no services, and the group does not matter. */
    bool seen[256] = {false};
    for (int i = 0; i < 300; i++) {
        assert_true(choose_for_feeler(&choose, NOW, &out));
        seen[out.at.bytes[0]] = true;
    }
    assert_true(seen[0x12] && seen[0x13] && !seen[0x11]);
}

/* Nobody dials him, so that he would seem to fail the test that decides who keeps the place. */
TEST(who_is_connected_counts_as_tested, struct world *w)
{
    struct choose choose = choice(w);
    struct net_peer_address old, out;
    struct address_entry entry;
    int64_t last_try_s;
    uint32_t n = 0x08080000;
    do
        put(w, ++n, true, NEEDED, 8333);
    while (!address_book_select_collision(w->book, &old, &last_try_s));
    put(w, n, false, NEEDED, 8333);
    struct net_address newcomer = host(n);
    assert_false(address_book_good(w->book, &newcomer, NOW + 19000));
    assert_true(choose_for_feeler(&choose, NOW + 20000, &out));
    assert_true(net_address_equal(&out.at, &old.at));
    w->connected = old.at.bytes[0]; /* as everybody in this book */
    assert_false(choose_for_feeler(&choose, NOW + 20000, &out));
    assert_true(address_book_find(w->book, &old.at, &entry));
    assert_int_equal(entry.last_success_s, NOW + 20000);
    assert_true(entry.is_tried);
}
