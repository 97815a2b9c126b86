/* sorted_map.c - a sorted array with room at both ends. */
#include "util/sorted_map.h"

#include <string.h>

#include "util/alloc.h"

enum { SORTED_MAP_FIRST_CAPACITY = 16 };

void sorted_map_init(struct sorted_map *map, sorted_map_compare_fn *compare)
{
    ASSERT(compare);
    *map = (struct sorted_map){.compare = compare};
}

void sorted_map_deinit(struct sorted_map *map)
{
    xfree(map->items);
    *map = (struct sorted_map){.compare = map->compare};
}

size_t sorted_map_lower_bound(const struct sorted_map *map, const void *key)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->compare(map->items[map->first + middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* True if the value at index exists and equals key. */
static bool is_at(const struct sorted_map *map, size_t index, const void *key)
{
    return index < map->count && map->compare(map->items[map->first + index], key) == 0;
}

void *sorted_map_find(const struct sorted_map *map, const void *key)
{
    size_t index = sorted_map_lower_bound(map, key);
    return is_at(map, index, key) ? map->items[map->first + index] : NULL;
}

/* Make room at both ends by centring the values; the array doubles if it is half full, so that
 * either happens only once in count / 4 inserts. */
static void make_room(struct sorted_map *map)
{
    size_t capacity = map->capacity ? map->capacity : SORTED_MAP_FIRST_CAPACITY;
    if (map->count >= capacity / 2)
        capacity *= 2;
    void **items = xcalloc(capacity, sizeof *items);
    size_t first = (capacity - map->count) / 2;
    if (map->count)
        memcpy(items + first, map->items + map->first, map->count * sizeof *items);
    xfree(map->items);
    map->items = items;
    map->capacity = capacity;
    map->first = first;
}

bool sorted_map_insert(struct sorted_map *map, void *value)
{
    ASSERT(value);
    size_t index = sorted_map_lower_bound(map, value);
    if (is_at(map, index, value))
        return false;
    if (map->first == 0 || map->first + map->count == map->capacity)
        make_room(map);

    void **at = map->items + map->first;
    if (index < map->count / 2) {
        memmove(at - 1, at, index * sizeof *at);
        map->first--;
        at--;
    } else {
        memmove(at + index + 1, at + index, (map->count - index) * sizeof *at);
    }
    at[index] = value;
    map->count++;
    VERIFY(index == 0 || map->compare(at[index - 1], value) < 0);
    VERIFY(index + 1 == map->count || map->compare(value, at[index + 1]) < 0);
    ASSERT(map->first + map->count <= map->capacity);
    return true;
}

void *sorted_map_remove(struct sorted_map *map, const void *key)
{
    ASSERT(key);
    size_t index = sorted_map_lower_bound(map, key);
    if (!is_at(map, index, key))
        return NULL;
    void **at = map->items + map->first;
    void *value = at[index];
    if (index < map->count / 2) {
        memmove(at + 1, at, index * sizeof *at);
        map->first++;
    } else {
        memmove(at + index, at + index + 1, (map->count - index - 1) * sizeof *at);
    }
    map->count--;
    return value;
}
