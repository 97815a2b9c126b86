/* address_book.h - the nodes we have heard of, kept so that no stranger can fill it with his own.
 *
 * Layer: p2p. Two tables of buckets: "new" for what was only heard, "tried" for what we were
 * connected to. Which bucket an address belongs in is a keyed hash of its group (and of who told
 * us), so that one operator's addresses can fill few buckets, whatever he sends. An address in
 * "tried" is replaced only after it was tested and failed. Places are Core's to the bit, and so is
 * peers.dat: either node can go on with the other's. Spec: Core addrman; Heilman et al., "Eclipse
 * attacks on Bitcoin's peer-to-peer network" (2015) */
#ifndef P2P_ADDR_ADDRESS_BOOK_H
#define P2P_ADDR_ADDRESS_BOOK_H

#include "p2p/addr/address_book_place.h"
#include "p2p/core/net_group.h"
#include "util/buffer.h"
#include "util/env.h"

#define ADDRESS_BOOK_NEW_PER_ADDRESS 8  /* places of one address in new */
#define ADDRESS_BOOK_COLLISIONS_MAX  10 /* tests under way for a place in tried */
#define ADDRESS_BOOK_EVEN_GROUPS_MIN 64 /* in tried, that are enough to choose among them */
#define ADDRESS_BOOK_FILE_MAX_BYTES  (32u << 20)
#define ADDRESS_BOOK_SAMPLE_PERCENT  23 /* of the book, at most, told to one peer */

/* Where an address came from. Each has its own quota of entries. */
enum address_source {
    ADDRESS_SOURCE_GOSSIP,
    ADDRESS_SOURCE_DHT,
    ADDRESS_SOURCE_LAN, /* never selected as a random peer */
    ADDRESS_SOURCE_DNS,
    ADDRESS_SOURCE_MANUAL,
    ADDRESS_SOURCE_ANCHOR,
    ADDRESS_SOURCE_COUNT,
};

struct address_book;

/* One address of the book, as others see it. */
struct address_entry {
    struct net_peer_address address;
    enum address_source source;
    struct net_address told_by;
    bool is_tried;
    int64_t last_try_s, last_success_s; /* 0: never */
    int attempts;                       /* since the last success */
};

/* A place of one of the tables, and who has it. */
struct address_place {
    uint16_t bucket, position;
    struct address_entry entry;
};

/* An empty book with a random key. Borrows env, for randomness only: times are handed in; and
 * grouping, which must not change while there are entries. */
struct address_book *address_book_new(const struct env *env, const struct net_grouping *grouping);
/* Give an empty book the key that tests expect, 1. */
void address_book_use_test_key(struct address_book *book);
/* NULL is allowed. */
void address_book_free(struct address_book *book);

/* Hear of an address. told_by is the peer that said so (or the address itself).
 *
 * In:       penalty_s  taken off its claimed time, unless it speaks of itself
 * Returns:  true if it is new to the book */
bool address_book_add(struct address_book *book, const struct net_peer_address *address,
                      enum address_source source, const struct net_address *told_by,
                      int64_t penalty_s, int64_t now_s);

/* We connected to it and it spoke our protocol: it moves to tried, or waits for the test of who is
 * in its place. Returns: true if it is in tried now. */
bool address_book_good(struct address_book *book, const struct net_address *address, int64_t now_s);
/* We try to connect. count: a failure says something about it (we are online). */
void address_book_attempt(struct address_book *book, const struct net_address *address, bool count,
                          int64_t now_s);
/* A connection to it has ended: it was there until now. */
void address_book_connected(struct address_book *book, const struct net_address *address,
                            int64_t now_s);
/* What it says it offers. */
void address_book_set_services(struct address_book *book, const struct net_address *address,
                               uint64_t services);

/* A random address to connect to: tried or new with even chances, worse for failed ones.
 *
 * In:       new_only  for feelers
 * Returns:  false if there is none */
NODISCARD bool address_book_select(struct address_book *book, bool new_only, int64_t now_s,
                                   struct net_peer_address *out, int64_t *last_try_s);
/* An address in tried whose place another one wants: connect to it to see. False if none. */
NODISCARD bool address_book_select_collision(struct address_book *book,
                                             struct net_peer_address *out, int64_t *last_try_s);
/* Decide the tests that have ended. */
void address_book_resolve_collisions(struct address_book *book, int64_t now_s);

/* The same, but only of networks whose bit (1 << enum net_network) is set; 0: of all. */
NODISCARD bool address_book_select_of(struct address_book *book, bool new_only, unsigned networks,
                                      int64_t now_s, struct net_peer_address *out,
                                      int64_t *last_try_s);

/* The same, from tried alone, each network group as likely as each other: who holds few groups
 * holds few of our slots, however many addresses he has and however they came into tried. Not in
 * Core.
 *
 * Returns:  false if tried has fewer than ADDRESS_BOOK_EVEN_GROUPS_MIN groups, or none is found */
NODISCARD bool address_book_select_evenly(struct address_book *book, unsigned networks,
                                          int64_t now_s, struct net_peer_address *out,
                                          int64_t *last_try_s);

/* Random addresses worth telling: at most max and ADDRESS_BOOK_SAMPLE_PERCENT of the book (both 0:
 * no limit), none that is terrible. network NET_NONE: of all.
 * Returns:  how many; *out is freed with xfree() */
size_t address_book_sample(struct address_book *book, size_t max, unsigned percent_max,
                           uint8_t network, int64_t now_s, struct net_peer_address **out);

/* Addresses in all. */
size_t address_book_count(const struct address_book *book);
/* Of a network (NET_NONE: all), in new or in tried. */
size_t address_book_count_of(const struct address_book *book, uint8_t network, bool tried);
/* Visit all: start with *at = 0; false at the end. */
bool address_book_next(const struct address_book *book, size_t *at, struct address_entry *out);

/* Visit the taken places of a table, in its order: start with *at = 0; false at the end. */
bool address_book_next_place(const struct address_book *book, bool tried, size_t *at,
                             struct address_place *out);
/* The entry of an address. Returns: false if it is not in the book */
bool address_book_find(const struct address_book *book, const struct net_address *address,
                       struct address_entry *out);

/* Assert that tables, entries and counts agree. Costly. */
void address_book_check(const struct address_book *book);

#endif
