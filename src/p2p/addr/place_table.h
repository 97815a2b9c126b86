/* place_table.h - a table of places in buckets that takes memory for those alone that are taken.
 *
 * Layer: p2p. Core's tables have 65,536 and 16,384 places; a node that is new, or of a small
 * network, knows some hundred addresses, which lie all over them. A full table is as large as an
 * array. */
#ifndef P2P_ADDR_PLACE_TABLE_H
#define P2P_ADDR_PLACE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define PLACE_TABLE_BUCKET 64 /* places of a bucket: a bit of a word each */

struct place_bucket {
    uint64_t taken;   /* a bit each place */
    uint32_t *values; /* of those that are taken, in their order; room for a power of two */
};

struct place_table {
    struct place_bucket *buckets;
    size_t n_places;
};

/* Every place is free. n_places is a multiple of PLACE_TABLE_BUCKET. */
void place_table_init(struct place_table *table, size_t n_places);
/* Free it. */
void place_table_deinit(struct place_table *table);
/* What a place has; 0: it is free. */
uint32_t place_table_get(const struct place_table *table, size_t place);
/* Give a place that is free a value, or with 0 one that is not free back. */
void place_table_set(struct place_table *table, size_t place, uint32_t value);
/* The first place from one on that is taken; n_places: there is none. */
size_t place_table_next(const struct place_table *table, size_t place);

#endif
