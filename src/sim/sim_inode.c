/* sim_inode.c - a file as pages, each copied aside at the first write after a sync. */
#include "sim/sim_inode.h"

#include <string.h>

#include "util/array.h"
#include "util/assert.h"

enum { PAGE_BYTES = 4096 };

struct page {
    uint8_t *live;   /* NULL: zeros */
    uint8_t *synced; /* if dirty: as of the last sync; NULL: zeros */
    bool dirty;
};

struct sim_inode {
    int holders; /* names, journal entries and open files */
    uint64_t size, synced_size;
    struct page *pages;
    size_t n_pages;
    ARRAY(size_t) dirty; /* numbers of the dirty pages */
};

struct sim_inode *sim_inode_new(void)
{
    struct sim_inode *inode = xcalloc(1, sizeof *inode);
    inode->holders = 1;
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
        xfree(inode->pages[i].live);
        xfree(inode->pages[i].synced);
    }
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

/* The page, copied aside if this is its first change since the last sync. */
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
        page->synced = page->live ? xmemdup(page->live, PAGE_BYTES) : NULL;
        *ARRAY_ADD(&inode->dirty) = number;
    }
    if (!page->live)
        page->live = xcalloc(1, PAGE_BYTES);
    return page->live;
}

void sim_inode_write(struct sim_inode *inode, uint64_t offset, const uint8_t *p, size_t n)
{
    ASSERT(inode);
    while (n > 0) {
        size_t in_page = (size_t)(offset % PAGE_BYTES);
        size_t part = n < PAGE_BYTES - in_page ? n : PAGE_BYTES - in_page;
        memcpy(page_for_write(inode, (size_t)(offset / PAGE_BYTES)) + in_page, p, part);
        offset += part;
        p += part;
        n -= part;
    }
    inode->size = MAX_OF(inode->size, offset);
}

void sim_inode_read(const struct sim_inode *inode, uint64_t offset, uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t number = (size_t)(offset / PAGE_BYTES);
        size_t in_page = (size_t)(offset % PAGE_BYTES);
        size_t part = n < PAGE_BYTES - in_page ? n : PAGE_BYTES - in_page;
        const uint8_t *live = number < inode->n_pages ? inode->pages[number].live : NULL;
        if (live)
            memcpy(p, live + in_page, part);
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
    for (size_t i = (size_t)(size / PAGE_BYTES); size < inode->size && i < inode->n_pages; i++) {
        if (!inode->pages[i].live)
            continue;
        size_t from = i == size / PAGE_BYTES ? (size_t)(size % PAGE_BYTES) : 0;
        memset(page_for_write(inode, i) + from, 0, PAGE_BYTES - from);
    }
    inode->size = size;
}

void sim_inode_sync(struct sim_inode *inode)
{
    ASSERT(inode);
    for (size_t i = 0; i < inode->dirty.n; i++) {
        struct page *page = &inode->pages[inode->dirty.at[i]];
        xfree(page->synced);
        page->synced = NULL;
        page->dirty = false;
    }
    inode->dirty.n = 0;
    inode->synced_size = inode->size;
}

/* A page's contents after a crash, sector by sector old or new; NULL: zeros. */
static uint8_t *page_after_crash(const struct page *page, enum sim_crash how, bool all_new,
                                 struct sim_random *random)
{
    if (!page->dirty || how == SIM_CRASH_KILLED || all_new)
        return page->live ? xmemdup(page->live, PAGE_BYTES) : NULL;
    if (how == SIM_CRASH_LOST)
        return page->synced ? xmemdup(page->synced, PAGE_BYTES) : NULL;
    uint8_t *p = page->synced ? xmemdup(page->synced, PAGE_BYTES) : xcalloc(1, PAGE_BYTES);
    for (size_t at = 0; at < PAGE_BYTES; at += SIM_SECTOR_BYTES)
        if (sim_random_below(random, 2))
            memcpy(p + at, page->live + at, SIM_SECTOR_BYTES);
    return p;
}

struct sim_inode *sim_inode_after_crash(const struct sim_inode *inode, enum sim_crash how,
                                        struct sim_random *random)
{
    ASSERT(inode);
    struct sim_inode *copy = xcalloc(1, sizeof *copy);
    bool all_new = how == SIM_CRASH_POWER && sim_random_below(random, 4) == 0;
    bool new_size = how == SIM_CRASH_KILLED || all_new;
    if (how == SIM_CRASH_POWER && !all_new)
        new_size = sim_random_below(random, 2);
    copy->holders = 1;
    copy->n_pages = inode->n_pages;
    copy->pages = xcalloc(inode->n_pages ? inode->n_pages : 1, sizeof *copy->pages);
    for (size_t i = 0; i < inode->n_pages; i++)
        copy->pages[i].live = page_after_crash(&inode->pages[i], how, all_new, random);
    copy->size = inode->size > inode->synced_size ? inode->size : inode->synced_size;
    sim_inode_truncate(copy, new_size ? inode->size : inode->synced_size);
    sim_inode_sync(copy);
    return copy;
}
