/* recent_set.c - see recent_set.h. */
#include "p2p/recent_set.h"

#include <string.h>

#include "util/alloc.h"

void recent_set_init(struct recent_set *set, struct siphash_key key, size_t n_max)
{
    ASSERT(n_max > 0);
    *set = (struct recent_set){.key = key, .n_max = n_max, .slots = 16};
    while (set->slots < 2 * n_max)
        set->slots *= 2;
}

void recent_set_deinit(struct recent_set *set)
{
    xfree(set->table[0]);
    xfree(set->table[1]);
    set->table[0] = set->table[1] = NULL;
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

static size_t find(const struct recent_set *set, const uint64_t *table, uint64_t hash)
{
    size_t at = (size_t)hash & (set->slots - 1);
    while (table[at] != 0 && table[at] != hash)
        at = (at + 1) & (set->slots - 1);
    return at;
}

static bool has_hash(const struct recent_set *set, uint64_t hash)
{
    for (int i = 0; i < 2; i++)
        if (set->table[i] && set->table[i][find(set, set->table[i], hash)] == hash)
            return true;
    return false;
}

bool recent_set_has(const struct recent_set *set, const uint8_t id[32])
{
    return has_hash(set, hash_of(set, id));
}

bool recent_set_add(struct recent_set *set, const uint8_t id[32])
{
    uint64_t hash = hash_of(set, id);
    bool is_new = !has_hash(set, hash);
    if (!set->table[0])
        set->table[0] = xcalloc(set->slots, sizeof *set->table[0]);
    if (set->count == set->n_max) {
        uint64_t *old = set->table[1];
        if (!old)
            old = xmalloc(set->slots * sizeof *old);
        memset(old, 0, set->slots * sizeof *old);
        set->table[1] = set->table[0];
        set->table[0] = old;
        set->count = 0;
    }
    size_t at = find(set, set->table[0], hash);
    if (set->table[0][at] == 0) {
        set->table[0][at] = hash;
        set->count++;
    }
    return is_new;
}
