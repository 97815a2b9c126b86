/* hash_map.h - pointers found by a 64-bit hash and an equality test.
 *
 * Layer: util. Open addressing, linear probing, backward-shift deletion, grown at 7/8 load. The
 * caller hashes (keyed, where strangers choose the keys: see crypto/siphash.h) and owns what the
 * entries point to. Iteration order is arbitrary and must never reach behaviour. */
#ifndef UTIL_HASH_MAP_H
#define UTIL_HASH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/alloc.h"

/* The hash is kept: growing needs no key, and most slots that differ are told apart by it. */
struct hash_map_slot {
    uint64_t hash;
    void *value; /* NULL: free */
};

struct hash_map {
    struct hash_map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

/* True if value is the one that key names. */
typedef bool hash_map_equal_fn(const void *value, const void *key);

/* Make an empty map, which owns no memory yet. All zeros are one, too. */
void hash_map_init(struct hash_map *map);
void hash_map_deinit(struct hash_map *map); /* frees the table, not the values */

/* The value for key, or NULL. */
void *hash_map_find(const struct hash_map *map, uint64_t hash, hash_map_equal_fn *equal,
                    const void *key);

/* Fetch what a search by that hash will read first: its slot, ... */
static inline void hash_map_prefetch(const struct hash_map *map, uint64_t hash)
{
    if (map->capacity > 0)
        __builtin_prefetch(&map->slots[hash & (map->capacity - 1)]);
}
/* ... and, when the slot is here, the value that it has. */
static inline void hash_map_prefetch_value(const struct hash_map *map, uint64_t hash)
{
    if (map->capacity > 0)
        __builtin_prefetch(map->slots[hash & (map->capacity - 1)].value);
}

/* Add a value (not NULL) whose key is not in the map. */
void hash_map_insert(struct hash_map *map, uint64_t hash, void *value);

/* Remove and return the value for key, or NULL. */
void *hash_map_remove(struct hash_map *map, uint64_t hash, hash_map_equal_fn *equal,
                      const void *key);

/* Give back memory if there is much more of it than what is left needs; costs O(capacity) then, so
 * it may be called after each removal. */
void hash_map_trim(struct hash_map *map);

/* What its table takes from the heap. */
static inline size_t hash_map_footprint_bytes(const struct hash_map *map)
{
    return alloc_footprint_bytes(map->capacity * sizeof *map->slots);
}

/* Visit the values: start with *at = 0, ends with NULL. The map must not change meanwhile. */
void *hash_map_next(const struct hash_map *map, size_t *at);

#endif
