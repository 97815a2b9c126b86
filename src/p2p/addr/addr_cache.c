/* addr_cache.c - see addr_cache.h. */
#include "p2p/addr/addr_cache.h"

#include "util/alloc.h"

static void expire(struct addr_cache *cache, int64_t now_us)
{
    if (now_us < cache->until_us)
        return;
    xfree(cache->list);
    cache->list = NULL;
    cache->n = 0;
}

static struct addr_cache *find(struct addr_caches *caches, uint8_t network,
                               const struct net_address *local)
{
    for (size_t i = 0; i < caches->n; i++)
        if (caches->caches[i].network == network &&
            net_address_equal(&caches->caches[i].local, local))
            return &caches->caches[i];
    return NULL;
}

/* A place for another answer; NULL: all are in use. Those that have expired have no list. */
static struct addr_cache *free_place(struct addr_caches *caches)
{
    if (caches->n < ADDR_CACHES_MAX)
        return &caches->caches[caches->n++];
    for (size_t i = 0; i < caches->n; i++)
        if (!caches->caches[i].list)
            return &caches->caches[i];
    return NULL;
}

struct addr_cache *addr_caches_get(struct addr_caches *caches, uint8_t network,
                                   const struct net_address *local, int64_t now_us)
{
    ASSERT(caches->n <= ADDR_CACHES_MAX);
    for (size_t i = 0; i < caches->n; i++)
        expire(&caches->caches[i], now_us);
    struct addr_cache *cache = find(caches, network, local);
    if (cache)
        return cache;
    cache = free_place(caches);
    if (!cache)
        return &caches->caches[ADDR_CACHES_MAX - 1]; /* the shared one, whoever's it was */
    *cache = (struct addr_cache){.network = network, .local = *local};
    ASSERT(caches->n <= ADDR_CACHES_MAX);
    return cache;
}

void addr_caches_clear(struct addr_caches *caches)
{
    for (size_t i = 0; i < caches->n; i++)
        xfree(caches->caches[i].list);
    *caches = (struct addr_caches){0};
}
