/* recent_set.c - see recent_set.h. */
#include "p2p/core/recent_set.h"

#include "util/alloc.h"

#define SLOTS_FIRST 64

void recent_set_init(struct recent_set *set, struct siphash_key key, size_t n_max)
{
    ASSERT(n_max > 0);
    *set = (struct recent_set){.key = key, .n_max = n_max};
}

void recent_set_deinit(struct recent_set *set)
{
    xfree(set->table[0]);
    xfree(set->table[1]);
    set->table[0] = set->table[1] = NULL;
    set->slots[0] = set->slots[1] = 0;
    set->count = 0;
}

void recent_set_clear(struct recent_set *set)
{
    recent_set_deinit(set);
}

/* 0 marks a free slot. */
static uint64_t hash_of(const struct recent_set *set, const uint8_t id[32])
{
    uint64_t hash = siphash13_id(set->key, id, 0);
    return hash ? hash : 1;
}

/* Where the hash is, or the free slot where it belongs. */
static size_t find(const uint64_t *table, size_t slots, uint64_t hash)
{
    size_t at = (size_t)hash & (slots - 1);
    while (table[at] != 0 && table[at] != hash)
        at = (at + 1) & (slots - 1);
    return at;
}

/* Two ids with one hash are taken for one: 64 bits under a key that peers do not know, so that none
 * can be made to look like another on purpose. */
static bool has_hash_in(const struct recent_set *set, int i, uint64_t hash)
{
    return set->table[i] && set->table[i][find(set->table[i], set->slots[i], hash)] == hash;
}

bool recent_set_has(const struct recent_set *set, const uint8_t id[32])
{
    ASSERT(set->n_max > 0);
    if (!set->table[0] && !set->table[1])
        return false;
    uint64_t hash = hash_of(set, id);
    return has_hash_in(set, 0, hash) || has_hash_in(set, 1, hash);
}

void recent_set_prefetch(const struct recent_set *set, const uint8_t id[32])
{
    uint64_t hash = hash_of(set, id);
    for (int i = 0; i < 2; i++)
        if (set->table[i])
            __builtin_prefetch(&set->table[i][hash & (set->slots[i] - 1)]);
}

/* The younger generation becomes the older one. */
static void turn_over(struct recent_set *set)
{
    xfree(set->table[1]);
    set->table[1] = set->table[0];
    set->slots[1] = set->slots[0];
    set->table[0] = NULL;
    set->slots[0] = 0;
    set->count = 0;
}

/* Twice the slots for the younger generation. */
static void grow(struct recent_set *set)
{
    size_t slots = set->slots[0] ? 2 * set->slots[0] : SLOTS_FIRST;
    uint64_t *table = xcalloc(slots, sizeof *table);
    for (size_t i = 0; i < set->slots[0]; i++)
        if (set->table[0][i] != 0)
            table[find(table, slots, set->table[0][i])] = set->table[0][i];
    xfree(set->table[0]);
    set->table[0] = table;
    set->slots[0] = slots;
}

bool recent_set_add(struct recent_set *set, const uint8_t id[32])
{
    ASSERT(set->count <= set->n_max);
    uint64_t hash = hash_of(set, id);
    if (has_hash_in(set, 0, hash))
        return false;
    bool is_new = !has_hash_in(set, 1, hash);
    if (set->count == set->n_max)
        turn_over(set);
    if (2 * set->count >= set->slots[0])
        grow(set);
    set->table[0][find(set->table[0], set->slots[0], hash)] = hash;
    set->count++;
    return is_new;
}
