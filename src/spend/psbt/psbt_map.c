/* psbt_map.c - records of a map: found, put in, taken out. */
#include <stdlib.h>
#include <string.h>

#include "spend/psbt/psbt_fields_internal.h"
#include "util/reader.h"

struct span psbt_get(const struct psbt_map *map, uint64_t type)
{
    const struct psbt_record *record = psbt_find(map, type, span_of("", 0));
    return record ? record->value : span_of(NULL, 0);
}

bool psbt_get_u32(const struct psbt_map *map, uint64_t type, uint32_t *out)
{
    ASSERT(map && out);
    struct reader r = reader_of(psbt_get(map, type));
    if (reader_left(&r) != 4)
        return false;
    *out = read_u32(&r);
    return true;
}

const struct psbt_record *psbt_find(const struct psbt_map *map, uint64_t type, struct span data)
{
    ASSERT(map);
    for (size_t i = 0; i < map->n; i++) {
        if (map->at[i].type == type && span_equal(map->at[i].data, data))
            return &map->at[i];
    }
    return NULL;
}

const struct psbt_record *psbt_next(const struct psbt_map *map, uint64_t type, size_t *from)
{
    ASSERT(map && from);
    while (*from < map->n && map->at[*from].type != type)
        ++*from;
    return *from < map->n ? &map->at[(*from)++] : NULL;
}

static struct span copy(struct arena *arena, struct span bytes)
{
    uint8_t *p = arena_alloc(arena, bytes.len + 1);
    if (bytes.len > 0)
        memcpy(p, bytes.p, bytes.len);
    return span_of(p, bytes.len);
}

/* -- Many at once ----------------------------------------------------------------------------- */

/* A record among others, with its number there. */
struct numbered {
    const struct psbt_record *record;
    size_t number;
};

static int compare_keys(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    struct span k = x->record->key, l = y->record->key;
    size_t len = k.len < l.len ? k.len : l.len;
    int order = len > 0 ? memcmp(k.p, l.p, len) : 0;
    if (order == 0)
        order = (k.len > l.len) - (k.len < l.len);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

bool *psbt_find_duplicates(const struct psbt_record *records, size_t n, struct arena *arena)
{
    ASSERT(records || n == 0);
    bool *is_duplicate = arena_calloc(arena, n + 1, sizeof *is_duplicate);
    struct numbered *order = arena_calloc(arena, n + 1, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct numbered){&records[i], i};
    qsort(order, n, sizeof *order, compare_keys);
    for (size_t i = 1; i < n; i++)
        is_duplicate[order[i].number] = span_equal(order[i - 1].record->key, order[i].record->key);
    return is_duplicate;
}

static int compare_global(const void *a, const void *b)
{
    return psbt_compare_records(PSBT_MAP_GLOBAL, a, b);
}

static int compare_input(const void *a, const void *b)
{
    return psbt_compare_records(PSBT_MAP_INPUT, a, b);
}

static int compare_output(const void *a, const void *b)
{
    return psbt_compare_records(PSBT_MAP_OUTPUT, a, b);
}

void psbt_put_all(struct psbt *psbt, struct psbt_map *map, const struct psbt_record *records,
                  size_t n)
{
    ASSERT(psbt && map && (records || n == 0));
    static int (*const compare[])(const void *, const void *) = {
        [PSBT_MAP_GLOBAL] = compare_global,
        [PSBT_MAP_INPUT] = compare_input,
        [PSBT_MAP_OUTPUT] = compare_output,
    };
    size_t all = map->n + n, kept = 0;
    if (n == 0)
        return;
    struct psbt_record *at = arena_calloc(psbt->arena, all + 1, sizeof *at);
    if (map->n > 0)
        memcpy(at, map->at, map->n * sizeof *at);
    if (n > 0)
        memcpy(at + map->n, records, n * sizeof *at);
    const bool *is_duplicate = psbt_find_duplicates(at, all, psbt->arena);
    for (size_t i = 0; i < all; i++) {
        if (!is_duplicate[i])
            at[kept++] = at[i];
    }
    qsort(at, kept, sizeof *at, compare[map->kind]);
    *map = (struct psbt_map){.kind = map->kind, .at = at, .n = kept, .capacity = all + 1};
}

/* -- One -------------------------------------------------------------------------------------- */

static struct psbt_record new_record(struct arena *arena, uint64_t type, struct span data,
                                     struct span value)
{
    uint8_t *p = arena_alloc(arena, 9 + data.len);
    struct writer w = writer_to_buffer(p, 9 + data.len);
    write_compact_size(&w, type);
    size_t head = w.len;
    write_span(&w, data);
    return (struct psbt_record){.type = type,
                                .key = span_of(p, w.len),
                                .data = span_of(p + head, data.len),
                                .value = copy(arena, value)};
}

/* Where a record has its place among those that are there. */
static size_t place_of(const struct psbt_map *map, const struct psbt_record *record)
{
    size_t low = 0, high = map->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (psbt_compare_records(map->kind, &map->at[middle], record) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct psbt *psbt, struct psbt_map *map, const struct psbt_record *record)
{
    size_t at = place_of(map, record);
    if (map->n == map->capacity) {
        size_t capacity = 2 * map->capacity + 8;
        struct psbt_record *larger = arena_calloc(psbt->arena, capacity, sizeof *larger);
        if (map->n > 0)
            memcpy(larger, map->at, map->n * sizeof *larger);
        map->at = larger;
        map->capacity = capacity;
    }
    memmove(&map->at[at + 1], &map->at[at], (map->n - at) * sizeof *map->at);
    map->at[at] = *record;
    map->n++;
}

void psbt_put(struct psbt *psbt, struct psbt_map *map, uint64_t type, struct span data,
              struct span value)
{
    ASSERT(psbt && map);
    if (psbt_find(map, type, data))
        return;
    struct psbt_record record = new_record(psbt->arena, type, data, value);
    insert(psbt, map, &record);
}

void psbt_set(struct psbt *psbt, struct psbt_map *map, uint64_t type, struct span data,
              struct span value)
{
    ASSERT(psbt && map);
    for (size_t i = 0; i < map->n; i++) {
        if (map->at[i].type == type && span_equal(map->at[i].data, data)) {
            map->at[i].value = copy(psbt->arena, value);
            return;
        }
    }
    psbt_put(psbt, map, type, data, value);
}

void psbt_remove(struct psbt_map *map, uint64_t type)
{
    ASSERT(map);
    size_t kept = 0;
    for (size_t i = 0; i < map->n; i++) {
        if (map->at[i].type != type)
            map->at[kept++] = map->at[i];
    }
    map->n = kept;
}

size_t psbt_map_bytes(const struct psbt_map *map)
{
    ASSERT(map);
    size_t n = 0;
    for (size_t i = 0; i < map->n; i++)
        n += map->at[i].key.len + map->at[i].value.len;
    return n;
}

bool psbt_is_final(const struct psbt_map *input)
{
    ASSERT(input && input->kind == PSBT_MAP_INPUT);
    struct span witness = psbt_get(input, PSBT_IN_FINAL_SCRIPTWITNESS);
    return psbt_get(input, PSBT_IN_FINAL_SCRIPTSIG).len > 0 ||
           (witness.len > 0 && witness.p[0] > 0);
}
