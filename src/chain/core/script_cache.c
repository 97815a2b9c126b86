/* script_cache.c - see script_cache.h. */
#include "chain/core/script_cache.h"

#include "util/alloc.h"

/* Sizes of the table, in buckets: 64 KiB, 1 MiB, then all that it may take, of which the system
 * gives what is touched. So no more than a mebibyte of entries is ever moved at once, which is done
 * on the loop, and a node that sees few transactions stays small. */
#define FIRST_BUCKETS  256
#define SECOND_BUCKETS 4096

_Static_assert(sizeof(struct script_cache_bucket) == 256, "whole lines of the processor's cache");

void script_cache_init(struct script_cache *cache, size_t max_bytes, struct siphash_key salt)
{
    *cache = (struct script_cache){.max_bytes = max_bytes, .salt = salt};
}

void script_cache_deinit(struct script_cache *cache)
{
    xfree(cache->buckets);
    *cache = (struct script_cache){0};
}

size_t script_cache_bytes(const struct script_cache *cache)
{
    return cache->n_buckets * sizeof *cache->buckets;
}

/* -- Places ------------------------------------------------------------------------------------ */

/* Where an entry may lie: by the upper and by the lower half of one hash. */
struct places {
    struct script_cache_bucket *bucket[2];
};

/* Any number of buckets will do: a half is taken as a fraction of the table. */
static struct places places_of(const struct script_cache *cache, const struct wtxid *wtxid,
                               uint32_t flags)
{
    ASSERT(cache->n_buckets > 0 && cache->n_buckets <= UINT32_MAX);
    uint64_t hash = siphash13_id(cache->salt, wtxid->b, flags);
    size_t upper = (size_t)((hash >> 32) * cache->n_buckets >> 32);
    size_t lower = (size_t)((hash & UINT32_MAX) * cache->n_buckets >> 32);
    return (struct places){{cache->buckets + upper, cache->buckets + lower}};
}

/* The way of that entry; the number of them if it is not here. */
static unsigned find_way(const struct script_cache_bucket *bucket, const struct wtxid *wtxid,
                         uint32_t flags)
{
    unsigned way = 0;
    while (way < bucket->n &&
           (bucket->flags[way] != flags || memcmp(bucket->wtxid[way].b, wtxid->b, 32) != 0))
        way++;
    return way < bucket->n ? way : SCRIPT_CACHE_WAYS;
}

/* The bucket that has it; NULL: none. */
static struct script_cache_bucket *find(const struct script_cache *cache, const struct wtxid *wtxid,
                                        uint32_t flags, unsigned *way)
{
    if (!cache->buckets)
        return NULL;
    struct places places = places_of(cache, wtxid, flags);
    for (int i = 0; i < 2; i++) {
        *way = find_way(places.bucket[i], wtxid, flags);
        if (*way < SCRIPT_CACHE_WAYS)
            return places.bucket[i];
    }
    return NULL;
}

static void put(struct script_cache_bucket *bucket, unsigned way, const struct wtxid *wtxid,
                uint32_t flags)
{
    ASSERT(way < SCRIPT_CACHE_WAYS && way <= bucket->n);
    bucket->wtxid[way] = *wtxid;
    bucket->flags[way] = flags;
    bucket->mined = (uint8_t)(bucket->mined & ~(1u << way));
    bucket->n = (uint8_t)(bucket->n + (way == bucket->n));
}

/* Into the emptier of its two. False: both are full. */
static bool put_free(struct script_cache *cache, const struct places *places,
                     const struct wtxid *wtxid, uint32_t flags)
{
    struct script_cache_bucket *bucket =
        places->bucket[places->bucket[1]->n < places->bucket[0]->n];
    if (bucket->n == SCRIPT_CACHE_WAYS)
        return false;
    put(bucket, bucket->n, wtxid, flags);
    cache->count++;
    return true;
}

/* -- Room -------------------------------------------------------------------------------------- */

/* How many buckets it grows to; 0: it does not. While it grows there are two tables, which together
 * keep to the limit. */
static size_t larger_size(const struct script_cache *cache)
{
    size_t all = cache->max_bytes / sizeof *cache->buckets, now = cache->n_buckets;
    size_t wanted = now == 0 ? FIRST_BUCKETS : now < SECOND_BUCKETS ? SECOND_BUCKETS : all;
    ASSERT(now <= all);
    size_t n = MIN_OF(wanted, all - now);
    return n > now ? n : 0;
}

/* Into the place of one whose transaction is in a block. False: there is none. */
static bool put_over_mined(const struct places *places, const struct wtxid *wtxid, uint32_t flags)
{
    for (int i = 0; i < 2; i++) {
        struct script_cache_bucket *bucket = places->bucket[i];
        if (bucket->mined) {
            put(bucket, (unsigned)__builtin_ctz(bucket->mined), wtxid, flags);
            return true;
        }
    }
    return false;
}

static void put_over_oldest(struct script_cache *cache, const struct places *places,
                            const struct wtxid *wtxid, uint32_t flags)
{
    struct script_cache_bucket *bucket = places->bucket[cache->turn++ % 2];
    ASSERT(bucket->n == SCRIPT_CACHE_WAYS && bucket->next < SCRIPT_CACHE_WAYS);
    put(bucket, bucket->next, wtxid, flags);
    bucket->next = (uint8_t)((bucket->next + 1) % SCRIPT_CACHE_WAYS);
}

/* One more that is not here yet. */
static void insert(struct script_cache *cache, const struct wtxid *wtxid, uint32_t flags)
{
    struct places places = places_of(cache, wtxid, flags);
    if (!put_free(cache, &places, wtxid, flags) && !put_over_mined(&places, wtxid, flags))
        put_over_oldest(cache, &places, wtxid, flags);
}

/* False: it is as large as it may be. */
static bool grow(struct script_cache *cache)
{
    struct script_cache_bucket *old = cache->buckets;
    size_t n_old = cache->n_buckets, n = larger_size(cache);
    if (n == 0)
        return false;
    cache->buckets = xcalloc(n, sizeof *cache->buckets);
    cache->n_buckets = n;
    cache->count = 0;
    for (size_t i = 0; i < n_old; i++)
        for (unsigned way = 0; way < old[i].n; way++)
            if (!(old[i].mined >> way & 1))
                insert(cache, &old[i].wtxid[way], old[i].flags[way]);
    xfree(old);
    ASSERT(script_cache_bytes(cache) <= cache->max_bytes);
    return true;
}

void script_cache_add(struct script_cache *cache, const struct wtxid *wtxid, uint32_t flags)
{
    unsigned way;
    struct script_cache_bucket *bucket = find(cache, wtxid, flags, &way);
    if (bucket) {
        bucket->mined = (uint8_t)(bucket->mined & ~(1u << way));
        return;
    }
    if (!cache->buckets && !grow(cache))
        return;
    struct places places = places_of(cache, wtxid, flags);
    if (put_free(cache, &places, wtxid, flags) || put_over_mined(&places, wtxid, flags))
        return;
    if (grow(cache))
        places = places_of(cache, wtxid, flags);
    if (!put_free(cache, &places, wtxid, flags))
        put_over_oldest(cache, &places, wtxid, flags);
}

/* -- Asking ------------------------------------------------------------------------------------ */

bool script_cache_has(const struct script_cache *cache, const struct wtxid *wtxid, uint32_t flags)
{
    unsigned way;
    return find(cache, wtxid, flags, &way) != NULL;
}

bool script_cache_mined(struct script_cache *cache, const struct wtxid *wtxid, uint32_t flags)
{
    unsigned way;
    struct script_cache_bucket *bucket = find(cache, wtxid, flags, &way);
    if (bucket)
        bucket->mined = (uint8_t)(bucket->mined | 1u << way);
    return bucket != NULL;
}

void script_cache_prefetch(const struct script_cache *cache, const struct wtxid *wtxid,
                           uint32_t flags)
{
    if (!cache->buckets)
        return;
    struct places places = places_of(cache, wtxid, flags);
    for (size_t at = 0; at < sizeof(struct script_cache_bucket); at += 64) {
        __builtin_prefetch((const char *)places.bucket[0] + at);
        __builtin_prefetch((const char *)places.bucket[1] + at);
    }
}
