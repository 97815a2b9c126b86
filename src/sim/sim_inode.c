/* sim_inode.c - a file as pages, each copied aside at the first write after a sync. */
#include "sim/sim_inode.h"

#include <string.h>

#include "util/array.h"
#include "util/assert.h"

struct page {
    struct sim_page *live;   /* held, as the next */
    struct sim_page *synced; /* if dirty: as of the last sync */
    bool dirty;
};

struct sim_inode {
    struct sim_pages *shared; /* held: where its pages have equals */
    int holders;              /* names, journal entries and open files */
    uint64_t size, synced_size;
    struct page *pages;
    size_t n_pages;
    ARRAY(size_t) dirty; /* numbers of the dirty pages */
};

struct sim_inode *sim_inode_new(struct sim_pages *pages)
{
    ASSERT(pages);
    struct sim_inode *inode = xcalloc(1, sizeof *inode);
    inode->holders = 1;
    inode->shared = sim_pages_hold(pages);
    return inode;
}

uint64_t sim_inode_size(const struct sim_inode *inode)
{
    return inode->size;
}

void sim_inode_drop(struct sim_inode *inode)
{
    if (!inode || --inode->holders > 0)
        return;
    for (size_t i = 0; i < inode->n_pages; i++) {
        sim_page_drop(inode->pages[i].live);
        sim_page_drop(inode->pages[i].synced);
    }
    sim_pages_drop(inode->shared);
    xfree(inode->pages);
    ARRAY_FREE(&inode->dirty);
    xfree(inode);
}

struct sim_inode *sim_inode_hold(struct sim_inode *inode)
{
    if (inode)
        inode->holders++;
    return inode;
}

/* The bytes of a page to be changed; at its first change since the last sync it is kept, too. */
static uint8_t *page_for_write(struct sim_inode *inode, size_t number)
{
    if (number >= inode->n_pages) {
        size_t n = number + 1 > 2 * inode->n_pages ? number + 1 : 2 * inode->n_pages;
        inode->pages = xrealloc(inode->pages, n, sizeof *inode->pages);
        memset(inode->pages + inode->n_pages, 0, (n - inode->n_pages) * sizeof *inode->pages);
        inode->n_pages = n;
    }
    struct page *page = &inode->pages[number];
    if (!page->dirty) {
        page->dirty = true;
        page->synced = sim_page_hold(page->live);
        *ARRAY_ADD(&inode->dirty) = number;
    }
    uint8_t *bytes;
    page->live = sim_page_for_write(page->live, &bytes);
    return bytes;
}

/* It is changed, and looked for among its equals. */
static void page_written(struct sim_inode *inode, size_t number)
{
    struct page *page = &inode->pages[number];
    page->live = sim_page_share(inode->shared, page->live);
}

void sim_inode_write(struct sim_inode *inode, uint64_t offset, const uint8_t *p, size_t n)
{
    ASSERT(inode);
    while (n > 0) {
        size_t in_page = (size_t)(offset % SIM_PAGE_BYTES);
        size_t part = n < SIM_PAGE_BYTES - in_page ? n : SIM_PAGE_BYTES - in_page;
        size_t number = (size_t)(offset / SIM_PAGE_BYTES);
        memcpy(page_for_write(inode, number) + in_page, p, part);
        page_written(inode, number);
        offset += part;
        p += part;
        n -= part;
    }
    inode->size = MAX_OF(inode->size, offset);
}

void sim_inode_read(const struct sim_inode *inode, uint64_t offset, uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t number = (size_t)(offset / SIM_PAGE_BYTES);
        size_t in_page = (size_t)(offset % SIM_PAGE_BYTES);
        size_t part = n < SIM_PAGE_BYTES - in_page ? n : SIM_PAGE_BYTES - in_page;
        const struct sim_page *live = number < inode->n_pages ? inode->pages[number].live : NULL;
        if (live)
            memcpy(p, sim_page_bytes(live) + in_page, part);
        else
            memset(p, 0, part);
        offset += part;
        p += part;
        n -= part;
    }
}

void sim_inode_truncate(struct sim_inode *inode, uint64_t size)
{
    ASSERT(inode);
    /* What is cut off must read as zeros if the file grows again. */
    for (size_t i = (size_t)(size / SIM_PAGE_BYTES); size < inode->size && i < inode->n_pages;
         i++) {
        if (!inode->pages[i].live)
            continue;
        size_t from = i == size / SIM_PAGE_BYTES ? (size_t)(size % SIM_PAGE_BYTES) : 0;
        memset(page_for_write(inode, i) + from, 0, SIM_PAGE_BYTES - from);
        page_written(inode, i);
    }
    inode->size = size;
}

void sim_inode_sync(struct sim_inode *inode)
{
    ASSERT(inode);
    for (size_t i = 0; i < inode->dirty.n; i++) {
        struct page *page = &inode->pages[inode->dirty.at[i]];
        sim_page_drop(page->synced);
        page->synced = NULL;
        page->dirty = false;
    }
    inode->dirty.n = 0;
    inode->synced_size = inode->size;
}

/* A page after a crash, sector by sector old or new. */
static struct sim_page *page_after_crash(const struct page *page, enum sim_crash how, bool all_new,
                                         struct sim_random *random)
{
    if (!page->dirty || how == SIM_CRASH_KILLED || all_new)
        return sim_page_hold(page->live);
    if (how == SIM_CRASH_LOST)
        return sim_page_hold(page->synced);
    uint8_t *bytes;
    struct sim_page *torn = sim_page_for_write(sim_page_hold(page->synced), &bytes);
    for (size_t at = 0; at < SIM_PAGE_BYTES; at += SIM_SECTOR_BYTES) {
        if (!sim_random_below(random, 2))
            continue;
        if (page->live)
            memcpy(bytes + at, sim_page_bytes(page->live) + at, SIM_SECTOR_BYTES);
        else
            memset(bytes + at, 0, SIM_SECTOR_BYTES);
    }
    return torn;
}

struct sim_inode *sim_inode_after_crash(const struct sim_inode *inode, enum sim_crash how,
                                        struct sim_random *random)
{
    ASSERT(inode);
    struct sim_inode *copy = sim_inode_new(inode->shared);
    bool all_new = how == SIM_CRASH_POWER && sim_random_below(random, 4) == 0;
    bool new_size = how == SIM_CRASH_KILLED || all_new;
    if (how == SIM_CRASH_POWER && !all_new)
        new_size = sim_random_below(random, 2);
    copy->n_pages = inode->n_pages;
    copy->pages = xcalloc(inode->n_pages ? inode->n_pages : 1, sizeof *copy->pages);
    for (size_t i = 0; i < inode->n_pages; i++)
        copy->pages[i].live =
            sim_page_share(inode->shared, page_after_crash(&inode->pages[i], how, all_new, random));
    copy->size = inode->size > inode->synced_size ? inode->size : inode->synced_size;
    sim_inode_truncate(copy, new_size ? inode->size : inode->synced_size);
    sim_inode_sync(copy);
    return copy;
}
