/* address_book_internal.h - the tables of an address book, as it and its file see them.
 *
 * Layer: p2p, for src/p2p/addr/address_book*.c alone. */
#ifndef P2P_ADDR_ADDRESS_BOOK_INTERNAL_H
#define P2P_ADDR_ADDRESS_BOOK_INTERNAL_H

#include "p2p/addr/address_book.h"
#include "p2p/addr/place_table.h"
#include "util/hash_map.h"

_Static_assert(ADDRESS_BOOK_BUCKET_SIZE == PLACE_TABLE_BUCKET, "a bucket is a bucket");

#define ADDRESS_BOOK_NEW_PLACES   ((size_t)ADDRESS_BOOK_NEW_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE)
#define ADDRESS_BOOK_TRIED_PLACES ((size_t)ADDRESS_BOOK_TRIED_BUCKETS * ADDRESS_BOOK_BUCKET_SIZE)
#define ADDRESS_BOOK_NETWORKS     (NET_CJDNS + 1)
#define ADDRESS_BOOK_GROUP_SLOTS  8192 /* counters of groups; some share one, by a secret hash */

struct book_entry {
    struct net_peer_address address;
    struct net_address told_by;
    uint8_t source;
    bool is_tried;
    uint8_t n_new; /* places in new */
    int attempts;
    int64_t last_try_s, last_success_s, last_counted_s;
    uint32_t id, order_at; /* its index in order[] */
};

/* How full the buckets of a table are, and which ones are not empty. */
struct book_buckets {
    uint8_t taken[ADDRESS_BOOK_NEW_BUCKETS]; /* places of each; tried has fewer buckets */
    uint16_t used[ADDRESS_BOOK_NEW_BUCKETS]; /* numbers of those that are not empty */
    uint16_t at[ADDRESS_BOOK_NEW_BUCKETS];   /* where each is in used */
    size_t n_used;
};

struct address_book {
    const struct env *env;
    struct place_rule rule;      /* its key is in the file */
    struct siphash_key map_key;  /* of by_address; it is not */
    struct book_entry **entries; /* by id; a freed id is NULL and in the free list */
    size_t n_ids;
    uint32_t *order; /* ids of all entries, shuffled as they are drawn */
    size_t count;
    struct hash_map by_address;
    struct place_table fresh, tried; /* new, and tried: id + 1 */
    size_t n_fresh, n_tried;         /* places that are taken */
    struct book_buckets fresh_buckets, tried_buckets;
    uint16_t tried_per_group[ADDRESS_BOOK_GROUP_SLOTS];
    size_t n_tried_groups; /* counters that are not 0 */
    size_t per_source[ADDRESS_SOURCE_COUNT];
    size_t per_network[ADDRESS_BOOK_NETWORKS][2];     /* entries; [1]: in tried */
    uint32_t collisions[ADDRESS_BOOK_COLLISIONS_MAX]; /* ids of new that want a place in tried */
    size_t n_collisions;
    int64_t last_good_s;
};

/* The entry of an address, or NULL. */
struct book_entry *book_find(const struct address_book *book, const struct net_address *address);
/* A new one, in no table yet; there must be none of that address. */
struct book_entry *book_create(struct address_book *book, const struct net_peer_address *address,
                               enum address_source source, const struct net_address *told_by);
/* Forget one that is in no table. */
void book_destroy(struct address_book *book, struct book_entry *entry);

/* Give it a place of new that is free. */
void book_put_new(struct address_book *book, struct book_entry *entry, size_t place);
/* Give it its place in tried, which is free; it is in no table. */
void book_put_tried(struct address_book *book, struct book_entry *entry, size_t place);
/* Empty a place of new; its entry goes if that was its last one. */
void book_clear_new(struct address_book *book, size_t place);
/* Empty a place of tried; its entry goes. */
void book_clear_tried(struct address_book *book, size_t place);

#endif
