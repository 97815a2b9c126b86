/* sorted_map.h - pointers kept in the order of the caller's comparison.
 *
 * Layer: util. One array and binary search. Adding or removing at either end moves nothing; in
 * the middle the shorter side moves. Meant for up to some ten thousand values (block candidates,
 * timers), where one array beats a tree. */
#ifndef UTIL_SORTED_MAP_H
#define UTIL_SORTED_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "util/assert.h"

/* Negative, 0 or positive as a comes before, is the same as, or comes after b. A total order
 * that must not change while the values are in the map. */
typedef int sorted_map_compare_fn(const void *a, const void *b);

struct sorted_map {
    void **items;    /* the map's values are items[first .. first + count - 1] */
    size_t capacity; /* of items */
    size_t first;
    size_t count;
    sorted_map_compare_fn *compare;
};

/* Make an empty map; nothing is allocated until the first insert. */
void sorted_map_init(struct sorted_map *map, sorted_map_compare_fn *compare);

/* Free the array, not the values. */
void sorted_map_deinit(struct sorted_map *map);

/* Add a value (not NULL).
 *
 * Returns:  false, with nothing changed, if an equal one is in the map */
bool sorted_map_insert(struct sorted_map *map, void *value);

/* Remove the value that compares equal to key (which is shaped like a value).
 *
 * Returns:  the removed value, or NULL if there was none */
void *sorted_map_remove(struct sorted_map *map, const void *key);

/* The value that compares equal to key, or NULL. */
void *sorted_map_find(const struct sorted_map *map, const void *key);

/* The index of the first value that does not come before key; count if all do. */
size_t sorted_map_lower_bound(const struct sorted_map *map, const void *key);

/* The value at an index below count; indexes hold until the next change. */
static inline void *sorted_map_at(const struct sorted_map *map, size_t index)
{
    ASSERT(index < map->count);
    return map->items[map->first + index];
}

/* The least value, or NULL if the map is empty. */
static inline void *sorted_map_first(const struct sorted_map *map)
{
    return map->count ? map->items[map->first] : NULL;
}

/* The greatest value, likewise. */
static inline void *sorted_map_last(const struct sorted_map *map)
{
    return map->count ? map->items[map->first + map->count - 1] : NULL;
}

#endif
