/* test_address_book_place.c - places are those that Core gives, or its files would be of no use. */
#include "p2p/addr/address_book.h"
#include "sim/sim_env.h"
#include "support/unit.h"

/* clang-format off */
/* By the key of Core's own tests, 1; worked out from its definition with another program
 * (Python's hashlib). The first of tried and of new stand in its documentation too. */
static const struct {
    const char *address;
    bool is_tried;
    unsigned bucket, position;
} places[] = {
    {"1.2.3.4:8333",                                   true,    6, 33},
    {"[1233:3432:2434:2343:3234:2345:6546:4534]:8333", true,  197, 34},
    {"2.0.0.0:8333",                                   false,  82,  8},
    {"1.0.0.0:8333",                                   false, 636, 33},
    {"[2803:0:1234:abcd::1]:45324",                    false, 613,  6},
};
/* clang-format on */

static struct address_book *new_book(struct sim_env *sim, const struct net_grouping *grouping)
{
    struct address_book *book = address_book_new(sim_env_get(sim), grouping);
    address_book_use_test_key(book);
    return book;
}

static void put(struct address_book *book, const struct net_address *at, bool tried)
{
    struct net_peer_address address = {.at = *at, .services = 9, .time = 1700000000};
    assert_true(address_book_add(book, &address, ADDRESS_SOURCE_GOSSIP, at, 0, address.time));
    if (tried)
        assert_true(address_book_good(book, at, address.time));
}

TEST(places_are_core_s)
{
    static const struct net_grouping grouping;
    struct sim_env *sim = sim_env_new(1);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct address_book *book = new_book(sim, &grouping);
        struct net_address address;
        struct address_place place;
        size_t at = 0;
        assert_true(net_address_parse(places[i].address, 0, &address));
        put(book, &address, places[i].is_tried);
        assert_true(address_book_next_place(book, places[i].is_tried, &at, &place));
        assert_int_equal(place.bucket, places[i].bucket);
        assert_int_equal(place.position, places[i].position);
        address_book_free(book);
    }
    sim_env_free(sim);
}

/* The hidden networks, whose addresses are longer; CJDNS's groups. */
TEST(places_of_the_hidden_networks_are_core_s)
{
    static const struct net_grouping grouping;
    struct sim_env *sim = sim_env_new(1);
    struct address_book *book = new_book(sim, &grouping);
    const struct net_address cjdns = {.network = NET_CJDNS,
                                      .bytes = {0xfc, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7},
                                      .port = 8333};
    struct address_place place;
    size_t at = 0;
    put(book, &cjdns, false);
    assert_true(address_book_next_place(book, false, &at, &place));
    assert_int_equal(place.bucket, 336);
    assert_int_equal(place.position, 24);
    address_book_free(book);
    sim_env_free(sim);
}

/* Two that Core's tests use, since they want one place in tried. */
TEST(who_collides_there_collides_here)
{
    static const struct net_grouping grouping;
    struct sim_env *sim = sim_env_new(1);
    struct address_book *book = new_book(sim, &grouping);
    struct net_address first, second;
    assert_true(net_address_parse("1.2.3.4:8333", 0, &first));
    assert_true(net_address_parse("1.2.5.45:8333", 0, &second));
    put(book, &first, true);
    put(book, &second, false);
    assert_false(address_book_good(book, &second, 1700000000));
    assert_int_equal(address_book_count_of(book, NET_NONE, true), 1);
    address_book_free(book);
    sim_env_free(sim);
}

/* Whoever else tells of it, and under another key, it is somewhere else. */
TEST(places_depend_on_the_source_and_the_key)
{
    static const struct net_grouping grouping;
    struct sim_env *sim = sim_env_new(1);
    size_t n_same = 0;
    for (uint8_t i = 1; i <= 100; i++) {
        struct address_book *book = new_book(sim, &grouping);
        struct net_peer_address address = {.services = 9, .time = 1700000000};
        const uint8_t bytes[4] = {i, 9, 9, 9};
        struct net_address by = net_address_of_ipv4(bytes, 1);
        struct address_place place;
        size_t at = 0;
        assert_true(net_address_parse("2.0.0.0:8333", 0, &address.at));
        assert_true(address_book_add(book, &address, ADDRESS_SOURCE_GOSSIP, &by, 0, 1700000000));
        assert_true(address_book_next_place(book, false, &at, &place));
        n_same += place.bucket == 82;
        address_book_free(book);
    }
    assert_true(n_same < 5);
    sim_env_free(sim);
}
