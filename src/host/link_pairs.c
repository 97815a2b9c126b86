/* link_pairs.c - see link_pairs.h */
#include "host/link_pairs.h"

#include <string.h>

#include "util/alloc.h"
#include "util/hash_map.h"

#define SPREAD UINT64_C(0x9e3779b97f4a7c15)

struct pair {
    uint32_t from, to;
    bool has_rule;
    struct link_rule rule;
    uint64_t random;  /* where its draws are */
    int64_t last_us;  /* when the packet before this one arrives */
    int64_t clear_us; /* when a narrow link has passed on what was given to it */
};

struct link_pairs {
    struct hash_map map;
    struct link_rule all;
    uint64_t seed;
    uint32_t group[LINK_NODES_MAX];
};

/* -- Finding ---------------------------------------------------------------------------------- */

static uint64_t pair_hash(uint32_t from, uint32_t to)
{
    return ((uint64_t)from << 32 | to) * SPREAD;
}

static bool is_pair(const void *value, const void *key)
{
    const struct pair *pair = value;
    const uint32_t *ends = key;
    return pair->from == ends[0] && pair->to == ends[1];
}

static struct pair *get_pair(struct link_pairs *pairs, const uint32_t ends[2])
{
    uint64_t hash = pair_hash(ends[0], ends[1]);
    struct pair *pair = hash_map_find(&pairs->map, hash, is_pair, ends);
    if (pair)
        return pair;
    pair = xcalloc(1, sizeof *pair);
    pair->from = ends[0];
    pair->to = ends[1];
    pair->random = pairs->seed ^ hash;
    hash_map_insert(&pairs->map, hash, pair);
    return pair;
}

/* -- Luck ------------------------------------------------------------------------------------- */

/* The next draw, from 0 to below: splitmix64 of Steele, Lea and Flood, which is enough for loss. */
static int64_t draw(struct pair *pair, int64_t below)
{
    uint64_t z = pair->random += SPREAD;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)below);
}

/* -- Public ----------------------------------------------------------------------------------- */

struct link_pairs *link_pairs_new(uint64_t seed)
{
    struct link_pairs *pairs = xcalloc(1, sizeof *pairs);
    hash_map_init(&pairs->map);
    pairs->seed = seed;
    return pairs;
}

void link_pairs_free(struct link_pairs *pairs)
{
    if (!pairs)
        return;
    size_t at = 0;
    for (struct pair *pair; (pair = hash_map_next(&pairs->map, &at));)
        xfree(pair);
    hash_map_deinit(&pairs->map);
    xfree(pairs);
}

bool link_rule_is_possible(const struct link_rule *rule)
{
    ASSERT(rule);
    return rule->delay_us >= 0 && rule->delay_us <= LINK_DELAY_US_MAX && rule->jitter_us >= 0 &&
           rule->jitter_us <= LINK_DELAY_US_MAX && rule->loss_ppm >= 0 &&
           rule->loss_ppm <= LINK_LOSS_PPM_MAX && rule->rate_bytes_s >= 0 &&
           rule->rate_bytes_s <= LINK_RATE_MAX;
}

void link_pairs_set_all(struct link_pairs *pairs, const struct link_rule *rule)
{
    ASSERT(pairs && link_rule_is_possible(rule));
    pairs->all = *rule;
}

void link_pairs_set(struct link_pairs *pairs, uint32_t from, uint32_t to,
                    const struct link_rule *rule)
{
    ASSERT(pairs && from < LINK_NODES_MAX && to < LINK_NODES_MAX && link_rule_is_possible(rule));
    struct pair *pair = get_pair(pairs, (const uint32_t[]){from, to});
    pair->has_rule = true;
    pair->rule = *rule;
}

void link_pairs_reset(struct link_pairs *pairs)
{
    ASSERT(pairs);
    size_t at = 0;
    for (struct pair *pair; (pair = hash_map_next(&pairs->map, &at));)
        pair->has_rule = false;
}

void link_pairs_group(struct link_pairs *pairs, uint32_t node, uint32_t group)
{
    ASSERT(pairs && node < LINK_NODES_MAX);
    pairs->group[node] = group;
}

void link_pairs_heal(struct link_pairs *pairs)
{
    ASSERT(pairs);
    memset(pairs->group, 0, sizeof pairs->group);
}

enum link_fate link_pairs_judge(struct link_pairs *pairs, const uint32_t ends[2], uint32_t bytes,
                                int64_t now_us, int64_t *due_us)
{
    ASSERT(pairs && ends[0] < LINK_NODES_MAX && ends[1] < LINK_NODES_MAX && due_us);
    if (pairs->group[ends[0]] != pairs->group[ends[1]])
        return LINK_CUT;
    struct pair *pair = get_pair(pairs, ends);
    const struct link_rule *rule = pair->has_rule ? &pair->rule : &pairs->all;
    int64_t sent_us = now_us;
    if (rule->rate_bytes_s > 0) {
        int64_t start_us = MAX_OF(now_us, pair->clear_us);
        if (start_us - now_us > LINK_BACKLOG_US_MAX)
            return LINK_FULL;
        sent_us = start_us + (int64_t)bytes * 1000000 / rule->rate_bytes_s;
        pair->clear_us = sent_us;
    }
    /* What is lost has taken its time on a narrow link. */
    if (rule->loss_ppm > 0 && draw(pair, LINK_LOSS_PPM_MAX) < rule->loss_ppm)
        return LINK_LOST;
    int64_t jitter_us = rule->jitter_us > 0 ? draw(pair, rule->jitter_us + 1) : 0;
    /* In order: jitter comes from queues, and TCP would take a packet that is overtaken for lost.
     */
    *due_us = MAX_OF(sent_us + rule->delay_us + jitter_us, pair->last_us);
    pair->last_us = *due_us;
    return LINK_PASSES;
}
