/* sim_pages.h - pages of simulated disks: what many disks hold, one copy of it holds for all.
 *
 * Layer: sim. A page that is shared never changes, so that who looks at it cannot tell; a thousand
 * nodes that write the same block files take the place of one. Threads: any. */
#ifndef SIM_PAGES_H
#define SIM_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define SIM_PAGE_BYTES 4096

/* Where equal pages are found. */
struct sim_pages;
/* SIM_PAGE_BYTES of a file. NULL stands for one of zeros. */
struct sim_page;

/* An empty store with one holder. */
struct sim_pages *sim_pages_new(void);
/* One holder more. Returns: pages */
struct sim_pages *sim_pages_hold(struct sim_pages *pages);
/* One holder less; freed with the last. All its pages must be dropped by then. */
void sim_pages_drop(struct sim_pages *pages);
/* How many different pages it knows. */
size_t sim_pages_count(struct sim_pages *pages);

/* One holder more of a page. Returns: page; NULL is allowed */
struct sim_page *sim_page_hold(struct sim_page *page);
/* One holder less; freed with the last. NULL is allowed. */
void sim_page_drop(struct sim_page *page);
/* What is in it: SIM_PAGE_BYTES, until it is dropped. page is not NULL. */
const uint8_t *sim_page_bytes(const struct sim_page *page);

/* A page with the same bytes and no other holder, to be changed.
 *
 * In:       take   a holder's hold of the page: gone after it
 * Out:      bytes  its bytes
 * Returns:  take itself, where nobody else holds it or may come to find it */
struct sim_page *sim_page_for_write(struct sim_page *take, uint8_t **bytes);
/* The page that all use who have these bytes: NULL for zeros.
 *
 * In:       take  as above; not to be written to any more, as what is returned is not */
struct sim_page *sim_page_share(struct sim_pages *pages, struct sim_page *take);

#endif
