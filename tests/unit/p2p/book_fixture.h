/* book_fixture.h - an address book on a simulated machine for each test; it is whole at the end. */
#ifndef TESTS_UNIT_P2P_BOOK_FIXTURE_H
#define TESTS_UNIT_P2P_BOOK_FIXTURE_H

#include "p2p/addr/address_book_file.h"
#include "support/plant.h"
#include "support/unit.h"
#include "util/alloc.h"

/* What follows the book is there for tests that want it. */
struct world {
    struct sim_env *sim;
    struct net_grouping grouping;
    struct address_book *book;
    struct buffer bytes; /* of its file */
    char why[ADDRESS_BOOK_WHY_BYTES];
    uint8_t connected; /* the first byte of addresses that may not be called */
    uint8_t taken;     /* the first byte of groups that have a slot */
};

static inline int book_setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->sim = plant_what_is_wanted(sim_env_new(5));
    w->book = address_book_new(sim_env_get(w->sim), &w->grouping);
    buffer_init(&w->bytes);
    *state = w;
    return 0;
}

static inline int book_teardown(void **state)
{
    struct world *w = *state;
    address_book_check(w->book);
    address_book_free(w->book);
    buffer_deinit(&w->bytes);
    sim_env_free(w->sim);
    xfree(w);
    return 0;
}

FIXTURE(book_setup, book_teardown)

/* a.b.c.d as a number, at the usual port. */
static inline struct net_address host(uint32_t n)
{
    const uint8_t bytes[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                              (uint8_t)n};
    return net_address_of_ipv4(bytes, 8333);
}

#endif
