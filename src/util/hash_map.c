/* hash_map.c - open addressing with linear probing.
 *
 * A value sits at its home slot (hash masked by the capacity) or in the unbroken run of used
 * slots that starts there, so a search ends at the first free slot. Removal closes the gap by
 * shifting later values of the run back, which needs no tombstones. */
#include "util/hash_map.h"

#include <stdint.h>

enum { HASH_MAP_FIRST_CAPACITY = 16 };

void hash_map_init(struct hash_map *map)
{
    *map = (struct hash_map){0};
}

void hash_map_deinit(struct hash_map *map)
{
    xfree(map->slots);
    *map = (struct hash_map){0};
}

/* The slot of key, or SIZE_MAX. */
static size_t find_slot(const struct hash_map *map, uint64_t hash, hash_map_equal_fn *equal,
                        const void *key)
{
    ASSERT(equal && (map->count == 0 || map->count < map->capacity));
    if (map->count == 0)
        return SIZE_MAX;
    size_t mask = map->capacity - 1;
    for (size_t i = (size_t)hash & mask; map->slots[i].value; i = (i + 1) & mask)
        if (map->slots[i].hash == hash && equal(map->slots[i].value, key))
            return i;
    return SIZE_MAX;
}

void *hash_map_find(const struct hash_map *map, uint64_t hash, hash_map_equal_fn *equal,
                    const void *key)
{
    size_t i = find_slot(map, hash, equal, key);
    return i == SIZE_MAX ? NULL : map->slots[i].value;
}

static void place(struct hash_map *map, struct hash_map_slot slot)
{
    VERIFY(map->capacity > 0 && (map->capacity & (map->capacity - 1)) == 0);
    size_t mask = map->capacity - 1;
    size_t i = (size_t)slot.hash & mask;
    while (map->slots[i].value)
        i = (i + 1) & mask;
    map->slots[i] = slot;
}

static void set_capacity(struct hash_map *map, size_t capacity)
{
    struct hash_map old = *map;
    map->capacity = capacity;
    map->slots = xcalloc(map->capacity, sizeof *map->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].value)
            place(map, old.slots[i]);
    xfree(old.slots);
}

void hash_map_insert(struct hash_map *map, uint64_t hash, void *value)
{
    ASSERT(value);
    /* At 7/8 load a search looks at few slots, and at least one free slot ends every search. */
    if (map->count + 1 > map->capacity / 8 * 7)
        set_capacity(map, map->capacity ? 2 * map->capacity : HASH_MAP_FIRST_CAPACITY);
    place(map, (struct hash_map_slot){.hash = hash, .value = value});
    map->count++;
    ASSERT(map->count < map->capacity);
}

/* Close the gap at i. A later value of the run may move into the gap only if that does not put
 * it before its home slot; distances are counted round the end of the table. */
static void close_gap(struct hash_map *map, size_t gap)
{
    size_t mask = map->capacity - 1;
    for (size_t i = (gap + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
        size_t from_home = (i - (size_t)map->slots[i].hash) & mask;
        size_t from_gap = (i - gap) & mask;
        if (from_home >= from_gap) {
            map->slots[gap] = map->slots[i];
            gap = i;
        }
    }
    map->slots[gap] = (struct hash_map_slot){0};
}

void *hash_map_remove(struct hash_map *map, uint64_t hash, hash_map_equal_fn *equal,
                      const void *key)
{
    size_t i = find_slot(map, hash, equal, key);
    if (i == SIZE_MAX)
        return NULL;
    void *value = map->slots[i].value;
    close_gap(map, i);
    map->count--;
    return value;
}

/* Under an eighth it is halved, and then at a quarter: as many have to come or go until the next
 * change as this one costs. */
void hash_map_trim(struct hash_map *map)
{
    if (map->count == 0)
        hash_map_deinit(map);
    else if (map->capacity > HASH_MAP_FIRST_CAPACITY && map->count < map->capacity / 8)
        set_capacity(map, map->capacity / 2);
}

void *hash_map_next(const struct hash_map *map, size_t *at)
{
    while (*at < map->capacity) {
        void *value = map->slots[(*at)++].value;
        if (value)
            return value;
    }
    return NULL;
}
