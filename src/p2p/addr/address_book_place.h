/* address_book_place.h - where in its tables a book keeps an address: keyed hashes.
 *
 * Layer: p2p, internal. Pure. Core's to the bit: both nodes' files say in which bucket an address
 * stands, and each goes on with the other's. */
#ifndef P2P_ADDR_ADDRESS_BOOK_PLACE_H
#define P2P_ADDR_ADDRESS_BOOK_PLACE_H

#include "p2p/core/net_group.h"

#define ADDRESS_BOOK_NEW_BUCKETS        1024
#define ADDRESS_BOOK_TRIED_BUCKETS      256
#define ADDRESS_BOOK_BUCKET_SIZE        64
#define ADDRESS_BOOK_BUCKETS_PER_SOURCE 64 /* of new, that one source group can reach */
#define ADDRESS_BOOK_BUCKETS_PER_GROUP  8  /* of tried, that one address group can reach */

/* What decides about places. */
struct place_rule {
    uint8_t key[32]; /* secret: or anybody could aim at a place */
    const struct net_grouping *grouping;
    bool is_without_buckets; /* see PLANTED_WEAKNESSES */
};

/* The place in tried: bucket * ADDRESS_BOOK_BUCKET_SIZE + position. One group reaches few buckets.
 */
size_t place_in_tried(const struct place_rule *rule, const struct net_address *address);
/* The bucket of new that is for it when that source tells of it: one source reaches few. */
size_t place_bucket_of_new(const struct place_rule *rule, const struct net_address *address,
                           const struct net_address *told_by);
/* The place in a bucket of new, counted as in tried. */
size_t place_in_new(const struct place_rule *rule, size_t bucket,
                    const struct net_address *address);

#endif
