/* sim_pages.c - see sim_pages.h. */
#include "sim/sim_pages.h"

#include <pthread.h> /* lint: worlds of several threads share one store */
#include <stdatomic.h>
#include <string.h>

#include "crypto/siphash.h"
#include "util/alloc.h"
#include "util/assert.h"
#include "util/hash_map.h"

struct sim_page {
    atomic_size_t holders;
    struct sim_pages *pages; /* that it can be found in; NULL: in none */
    uint64_t hash;           /* its place there */
    uint8_t bytes[SIM_PAGE_BYTES];
};

struct sim_pages {
    atomic_size_t holders;
    pthread_mutex_t lock; /* of shared, and of the last hold of a page that is in it */
    struct hash_map shared;
};

struct sim_pages *sim_pages_new(void)
{
    struct sim_pages *pages = xcalloc(1, sizeof *pages);
    pages->holders = 1;
    int error = pthread_mutex_init(&pages->lock, NULL);
    ASSERT(error == 0);
    return pages;
}

struct sim_pages *sim_pages_hold(struct sim_pages *pages)
{
    ASSERT(pages && pages->holders > 0);
    pages->holders++;
    return pages;
}

void sim_pages_drop(struct sim_pages *pages)
{
    ASSERT(pages && pages->holders > 0);
    if (--pages->holders > 0)
        return;
    ASSERT(pages->shared.count == 0);
    hash_map_deinit(&pages->shared);
    pthread_mutex_destroy(&pages->lock);
    xfree(pages);
}

size_t sim_pages_count(struct sim_pages *pages)
{
    ASSERT(pages);
    pthread_mutex_lock(&pages->lock);
    size_t n = pages->shared.count;
    pthread_mutex_unlock(&pages->lock);
    return n;
}

struct sim_page *sim_page_hold(struct sim_page *page)
{
    if (page)
        page->holders++;
    return page;
}

static bool is_page(const void *value, const void *key)
{
    return value == key;
}

void sim_page_drop(struct sim_page *page)
{
    if (!page)
        return;
    ASSERT(page->holders > 0);
    struct sim_pages *pages = page->pages;
    if (pages)
        pthread_mutex_lock(&pages->lock);
    bool is_last = --page->holders == 0;
    if (pages && is_last)
        (void)hash_map_remove(&pages->shared, page->hash, is_page, page);
    if (pages)
        pthread_mutex_unlock(&pages->lock);
    if (is_last)
        xfree(page);
}

const uint8_t *sim_page_bytes(const struct sim_page *page)
{
    ASSERT(page);
    return page->bytes;
}

struct sim_page *sim_page_for_write(struct sim_page *take, uint8_t **bytes)
{
    ASSERT(bytes);
    struct sim_page *page = take;
    if (!take || take->pages || take->holders > 1) {
        page = take ? xmalloc(sizeof *page) : xcalloc(1, sizeof *page);
        page->holders = 1;
        page->pages = NULL;
        if (take)
            memcpy(page->bytes, take->bytes, sizeof page->bytes);
        sim_page_drop(take);
    }
    *bytes = page->bytes;
    return page;
}

static bool has_bytes(const void *value, const void *key)
{
    return memcmp(((const struct sim_page *)value)->bytes, key, SIM_PAGE_BYTES) == 0;
}

static bool is_zero(const uint8_t *bytes)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, SIM_PAGE_BYTES - 1) == 0;
}

struct sim_page *sim_page_share(struct sim_pages *pages, struct sim_page *take)
{
    ASSERT(pages);
    if (!take || take->pages)
        return take;
    if (is_zero(take->bytes)) {
        sim_page_drop(take);
        return NULL;
    }
    const struct siphash_key key = {0}; /* nobody outside chooses what is in it to do harm */
    uint64_t hash = siphash24(key, (struct span){take->bytes, SIM_PAGE_BYTES});
    pthread_mutex_lock(&pages->lock);
    struct sim_page *known = hash_map_find(&pages->shared, hash, has_bytes, take->bytes);
    if (known) {
        known->holders++;
    } else {
        take->hash = hash;
        take->pages = pages;
        hash_map_insert(&pages->shared, hash, take);
    }
    pthread_mutex_unlock(&pages->lock);
    if (!known)
        return take;
    sim_page_drop(take);
    return known;
}
