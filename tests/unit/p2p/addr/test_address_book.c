/* test_address_book.c - no stranger fills the book with his own addresses. */
#include "p2p/addr/address_book.h"

#include <limits.h>

#include "../book_fixture.h"
#include "p2p/addr/address_book_internal.h"

#define NOW INT64_C(1700000000)

static bool add(struct world *w, uint32_t n, uint32_t told_by, int64_t time_s)
{
    struct net_peer_address address = {.at = host(n), .services = 9, .time = (uint32_t)time_s};
    struct net_address by = host(told_by);
    return address_book_add(w->book, &address, ADDRESS_SOURCE_GOSSIP, &by, 0, NOW);
}

static bool find(const struct world *w, const struct net_address *address,
                 struct address_entry *out)
{
    for (size_t at = 0; address_book_next(w->book, &at, out);)
        if (net_address_equal(&out->address.at, address))
            return true;
    return false;
}

TEST(an_address_is_kept_once_and_can_be_selected, struct world *w)
{
    struct net_peer_address out;
    int64_t last_try_s;
    assert_false(address_book_select(w->book, false, NOW, &out, &last_try_s));
    assert_true(add(w, 0x08080808, 0x01010101, NOW));
    assert_false(add(w, 0x08080808, 0x01010101, NOW));
    assert_false(add(w, 0x0a000001, 0x01010101, NOW)); /* private */
    assert_false(add(w, 0x7f000001, 0x01010101, NOW));
    assert_int_equal(address_book_count(w->book), 1);
    assert_true(address_book_select(w->book, false, NOW, &out, &last_try_s));
    struct net_address want = host(0x08080808);
    assert_true(net_address_equal(&out.at, &want));
    assert_int_equal(last_try_s, 0);
}

struct counted_random {
    struct sim_random random;
    unsigned n;
};

static void count_draws(void *ctx, void *out, size_t len)
{
    struct counted_random *counted = ctx;
    counted->n++;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)sim_random_u64(&counted->random);
}

/* A node that knows few others looks for one twice a second: that must not cost a core. */
TEST(selecting_from_a_small_book_takes_few_draws)
{
    struct counted_random counted = {0};
    const struct net_grouping grouping = {.has_private = false};
    const struct env env = {.random = {.ctx = &counted, .fill = count_draws}};
    struct world w = {.book = address_book_new(&env, &grouping)};
    struct net_address a = host(0x08080808);
    struct net_peer_address out;
    int64_t last_try_s;
    assert_true(add(&w, 0x08080808, 0x01010101, NOW));
    for (int is_tried = 0; is_tried < 2; is_tried++) {
        if (is_tried)
            assert_true(address_book_good(w.book, &a, NOW));
        address_book_attempt(w.book, &a, true, NOW); /* now it is unlikely to be taken */
        counted.n = 0;
        assert_true(address_book_select(w.book, false, NOW, &out, &last_try_s));
        assert_true(counted.n > 0 && counted.n < 200);
        address_book_check(w.book);
    }
    address_book_free(w.book);
}

TEST(what_worked_moves_to_tried, struct world *w)
{
    struct net_address a = host(0x08080808);
    struct address_entry entry;
    assert_true(add(w, 0x08080808, 0x01010101, NOW));
    assert_int_equal(address_book_count_of(w->book, NET_NONE, false), 1);
    address_book_attempt(w->book, &a, true, NOW);
    assert_true(find(w, &a, &entry));
    assert_int_equal(entry.attempts, 1);
    assert_true(address_book_good(w->book, &a, NOW + 1));
    assert_int_equal(address_book_count_of(w->book, NET_IPV4, true), 1);
    assert_int_equal(address_book_count_of(w->book, NET_NONE, false), 0);
    address_book_attempt(w->book, &a, true, NOW + 10);
    assert_true(find(w, &a, &entry));
    assert_true(entry.is_tried);
    assert_int_equal(entry.attempts, 1);
    assert_int_equal(entry.last_success_s, NOW + 1);
    struct net_peer_address out;
    int64_t last;
    assert_false(address_book_select(w->book, true, NOW, &out, &last)); /* none is new */
    struct net_address unknown = host(0x09090909);
    assert_false(address_book_good(w->book, &unknown, NOW));
}

/* One source reaches 64 of 1024 buckets, whatever it says. */
TEST(one_source_cannot_fill_the_book, struct world *w)
{
    for (uint32_t i = 0; i < 60000; i++)
        (void)add(w, 0x10000000 + i * 65537, 0x01010101, NOW);
    size_t n = address_book_count(w->book);
    assert_in_range(n, 1000, ADDRESS_BOOK_BUCKETS_PER_SOURCE * ADDRESS_BOOK_BUCKET_SIZE);
    /* Another one still finds room. */
    size_t taken = 0;
    for (uint32_t i = 0; i < 100; i++)
        taken += add(w, 0xc0000000 - i * 65537, 0x02020202, NOW);
    assert_in_range(taken, 80, 100);
}

/* 8 buckets of tried are all that one group can reach. */
TEST(one_group_cannot_fill_tried, struct world *w)
{
    for (uint32_t i = 0; i < 3000; i++) {
        struct net_address a = host(0x08080000 + i);
        (void)add(w, 0x08080000 + i, 0x01000000 + i * 65536, NOW);
        (void)address_book_good(w->book, &a, NOW);
    }
    assert_in_range(address_book_count_of(w->book, NET_NONE, true), 50,
                    ADDRESS_BOOK_BUCKETS_PER_GROUP * ADDRESS_BOOK_BUCKET_SIZE);
}

TEST(who_is_in_tried_is_tested_before_he_is_replaced, struct world *w)
{
    uint32_t loser = 0;
    /* Fill tried until somebody finds his place taken. */
    for (uint32_t i = 0; i < 3000 && loser == 0; i++) {
        struct net_address a = host(0x08080000 + i);
        if (add(w, 0x08080000 + i, 0x01000000 + i * 65536, NOW) &&
            !address_book_good(w->book, &a, NOW))
            loser = 0x08080000 + i;
    }
    assert_true(loser != 0);
    struct net_peer_address old;
    int64_t last_try_s;
    assert_true(address_book_select_collision(w->book, &old, &last_try_s));
    struct net_address newcomer = host(loser);
    struct address_entry entry;
    /* He worked within four hours: he stays. */
    address_book_resolve_collisions(w->book, NOW + 3600);
    assert_true(find(w, &newcomer, &entry));
    assert_false(entry.is_tried);
    assert_false(address_book_select_collision(w->book, &old, &last_try_s));
    /* Later he is tested, and does not answer within a minute: the newcomer gets the place. */
    assert_false(address_book_good(w->book, &newcomer, NOW + 20000));
    assert_true(address_book_select_collision(w->book, &old, &last_try_s));
    address_book_attempt(w->book, &old.at, false, NOW + 20010);
    address_book_resolve_collisions(w->book, NOW + 20020);
    assert_true(find(w, &newcomer, &entry) && !entry.is_tried);
    address_book_resolve_collisions(w->book, NOW + 20071);
    assert_true(find(w, &newcomer, &entry) && entry.is_tried);
    assert_true(!find(w, &old.at, &entry) || !entry.is_tried);
}

/* A file may say anything of how often it was tried. */
TEST(failures_are_counted_up_to_a_limit, struct world *w)
{
    struct net_address a = host(0x08080808), b = host(0x09090909);
    struct address_entry entry;
    assert_true(add(w, 0x08080808, 0x01000000, NOW) && add(w, 0x09090909, 0x02000000, NOW));
    book_find(w->book, &a)->attempts = INT_MAX - 1;
    for (int i = 1; i <= 2; i++) {
        (void)address_book_good(w->book, &b, NOW + 10 * i);
        address_book_attempt(w->book, &a, true, NOW + 10 * i + 5);
        assert_true(find(w, &a, &entry));
        assert_int_equal(entry.attempts, INT_MAX);
    }
}

TEST(terrible_addresses_make_room_and_are_not_told, struct world *w)
{
    struct net_peer_address *list;
    assert_true(add(w, 0x08080808, 0x01010101, NOW - 31 * 86400)); /* a month old */
    assert_true(add(w, 0x09090909, 0x01010101, NOW));
    assert_true(add(w, 0x0b0b0b0b, 0x01010101, NOW + 700)); /* from the future */
    size_t n = address_book_sample(w->book, 0, 0, NET_NONE, NOW, &list);
    assert_int_equal(n, 1);
    struct net_address want = host(0x09090909);
    assert_true(net_address_equal(&list[0].at, &want));
    xfree(list);
    /* Three failures of one that never worked. */
    struct net_address other = host(0x0c0c0c0c);
    assert_true(add(w, 0x0c0c0c0c, 0x01010101, NOW));
    (void)address_book_good(w->book, &other, NOW);
    for (int i = 1; i <= 3; i++) {
        address_book_attempt(w->book, &want, true, NOW + i * 1000);
        (void)address_book_good(w->book, &other, NOW + i * 1000 + 1);
    }
    n = address_book_sample(w->book, 0, 0, NET_NONE, NOW + 5000, &list);
    for (size_t i = 0; i < n; i++)
        assert_false(net_address_equal(&list[i].at, &want));
    xfree(list);
}

TEST(a_sample_is_a_bounded_part_of_the_book, struct world *w)
{
    struct net_peer_address *list;
    for (uint32_t i = 0; i < 1000; i++)
        (void)add(w, 0x10000000 + i * 65537, 0x01010101 + i * 65536, NOW);
    size_t count = address_book_count(w->book);
    size_t n = address_book_sample(w->book, 1000, 23, NET_NONE, NOW, &list);
    assert_int_equal(n, count * 23 / 100);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(net_address_equal(&list[i].at, &list[j].at));
    xfree(list);
    n = address_book_sample(w->book, 10, 23, NET_NONE, NOW, &list);
    assert_int_equal(n, 10);
    xfree(list);
    n = address_book_sample(w->book, 10, 23, NET_IPV6, NOW, &list);
    assert_int_equal(n, 0);
    xfree(list);
}

/* A place counts once; who is there is seen by place and by address. */
TEST(places_are_visited_in_their_order, struct world *w)
{
    size_t at = 0, n = 0, last = 0;
    struct address_place place;
    struct address_entry entry;
    for (uint32_t i = 0; i < 200; i++)
        (void)add(w, 0x10000000 + i * 65537, 0x01010101 + i * 65536, NOW);
    struct net_address a = host(0x10000000), unknown = host(0x09090909);
    assert_true(address_book_good(w->book, &a, NOW));
    while (address_book_next_place(w->book, false, &at, &place)) {
        size_t key = (size_t)place.bucket * ADDRESS_BOOK_BUCKET_SIZE + place.position;
        assert_true(n == 0 || key > last);
        last = key;
        n++;
    }
    assert_int_equal(n, address_book_count_of(w->book, NET_NONE, false));
    at = 0;
    assert_true(address_book_next_place(w->book, true, &at, &place));
    assert_true(net_address_equal(&place.entry.address.at, &a));
    assert_false(address_book_next_place(w->book, true, &at, &place));
    assert_true(address_book_find(w->book, &a, &entry) && entry.is_tried);
    assert_false(address_book_find(w->book, &unknown, &entry));
}

TEST(an_address_can_be_chosen_of_some_networks_only, struct world *w)
{
    struct net_peer_address address = {.at = {.network = NET_TORV3, .bytes = {7}, .port = 8333},
                                       .services = 9,
                                       .time = (uint32_t)NOW},
                            out;
    int64_t last;
    for (uint32_t i = 0; i < 300; i++)
        (void)add(w, 0x10000000 + i * 65537, 0x01010101 + i * 65536, NOW);
    assert_false(address_book_select_of(w->book, false, 1u << NET_TORV3, NOW, &out, &last));
    assert_true(address_book_add(w->book, &address, ADDRESS_SOURCE_GOSSIP, &address.at, 0, NOW));
    for (int i = 0; i < 20; i++) {
        assert_true(address_book_select_of(w->book, false, 1u << NET_TORV3, NOW, &out, &last));
        assert_int_equal(out.at.network, NET_TORV3);
        assert_true(address_book_select_of(w->book, false, 1u << NET_IPV4, NOW, &out, &last));
        assert_int_equal(out.at.network, NET_IPV4);
    }
}

TEST(each_source_has_its_quota, struct world *w)
{
    for (uint32_t i = 0; i < 400; i++) {
        struct net_peer_address address = {
            .at = host(0x10000000 + i * 65537), .services = 9, .time = (uint32_t)NOW};
        struct net_address by = host(0x20000000 + i * 65537);
        (void)address_book_add(w->book, &address, ADDRESS_SOURCE_LAN, &by, 0, NOW);
    }
    assert_in_range(address_book_count(w->book), 200, 256);
    /* And peers of the LAN are never chosen as random ones. */
    struct net_peer_address out;
    int64_t last;
    assert_false(address_book_select(w->book, false, NOW, &out, &last));
    assert_true(add(w, 0x08080808, 0x01010101, NOW));
    for (int i = 0; i < 20; i++)
        if (address_book_select(w->book, false, NOW, &out, &last))
            assert_int_equal(out.at.bytes[0], 8);
}

/* Whatever is done to it in whatever order, its tables agree. */
TEST(a_long_random_life_keeps_the_tables_whole, struct world *w)
{
    uint64_t seed = 99;
    for (int i = 0; i < 60000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        uint32_t n = 0x10000000 + (uint32_t)(seed >> 33) % 4000 * 65537;
        struct net_address a = host(n);
        int64_t now_s = NOW + i * 10;
        struct net_peer_address address = {.at = a, .services = 9, .time = (uint32_t)now_s};
        struct net_address by = host(0x01010101 + (uint32_t)(seed >> 50) % 64 * 65536);
        switch (seed >> 20 & 7) {
        case 0:
            (void)address_book_good(w->book, &a, now_s);
            break;
        case 1:
            address_book_attempt(w->book, &a, true, now_s);
            break;
        case 2:
            address_book_resolve_collisions(w->book, now_s);
            break;
        default:
            (void)address_book_add(w->book, &address, ADDRESS_SOURCE_GOSSIP, &by, 0, now_s);
            break;
        }
        if (i % 5000 == 0)
            address_book_check(w->book);
    }
    assert_true(address_book_count(w->book) > 500);
}
