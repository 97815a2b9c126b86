/* place_table.c - see place_table.h. */
#include "p2p/addr/place_table.h"

#include <string.h>

#include "util/alloc.h"
#include "util/assert.h"

#define VALUES_MIN 4 /* that there is room for in a bucket with any */

void place_table_init(struct place_table *table, size_t n_places)
{
    ASSERT(table && n_places > 0 && n_places % PLACE_TABLE_BUCKET == 0);
    *table = (struct place_table){.n_places = n_places};
    table->buckets = xcalloc(n_places / PLACE_TABLE_BUCKET, sizeof *table->buckets);
}

void place_table_deinit(struct place_table *table)
{
    ASSERT(table);
    for (size_t i = 0; i < table->n_places / PLACE_TABLE_BUCKET; i++)
        xfree(table->buckets[i].values);
    xfree(table->buckets);
    *table = (struct place_table){0};
}

static uint64_t bit_of(size_t place)
{
    return UINT64_C(1) << place % PLACE_TABLE_BUCKET;
}

static size_t count(uint64_t bits)
{
    return (size_t)__builtin_popcountll(bits);
}

/* How many of its bucket lie before it. */
static size_t rank_of(const struct place_bucket *bucket, size_t place)
{
    return count(bucket->taken & (bit_of(place) - 1));
}

uint32_t place_table_get(const struct place_table *table, size_t place)
{
    ASSERT(place < table->n_places);
    const struct place_bucket *bucket = &table->buckets[place / PLACE_TABLE_BUCKET];
    return bucket->taken & bit_of(place) ? bucket->values[rank_of(bucket, place)] : 0;
}

/* Room for one more: it has room for the next power of two of what it has. */
static void make_room(struct place_bucket *bucket, size_t n)
{
    if (n == 0)
        bucket->values = xcalloc(VALUES_MIN, sizeof *bucket->values);
    else if (n >= VALUES_MIN && (n & (n - 1)) == 0)
        bucket->values = xrealloc(bucket->values, 2 * n, sizeof *bucket->values);
}

void place_table_set(struct place_table *table, size_t place, uint32_t value)
{
    ASSERT(place < table->n_places && !value == (place_table_get(table, place) != 0));
    struct place_bucket *bucket = &table->buckets[place / PLACE_TABLE_BUCKET];
    size_t n = count(bucket->taken), at = rank_of(bucket, place);
    if (value) {
        make_room(bucket, n);
        memmove(bucket->values + at + 1, bucket->values + at, (n - at) * sizeof *bucket->values);
        bucket->values[at] = value;
    } else if (n == 1) {
        xfree(bucket->values);
        bucket->values = NULL;
    } else {
        memmove(bucket->values + at, bucket->values + at + 1,
                (n - at - 1) * sizeof *bucket->values);
    }
    bucket->taken ^= bit_of(place);
}

size_t place_table_next(const struct place_table *table, size_t place)
{
    ASSERT(place <= table->n_places);
    while (place < table->n_places) {
        const struct place_bucket *bucket = &table->buckets[place / PLACE_TABLE_BUCKET];
        uint64_t left = bucket->taken & ~(bit_of(place) - 1);
        place -= place % PLACE_TABLE_BUCKET;
        if (left)
            return place + (size_t)__builtin_ctzll(left);
        place += PLACE_TABLE_BUCKET;
    }
    return place;
}
