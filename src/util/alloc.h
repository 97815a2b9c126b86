/* alloc.h - heap memory that never comes back NULL.
 *
 * Layer: util. Out of memory aborts. That is sound only because every size that a peer or
 * client chooses is bounded before it is allocated. */
#ifndef UTIL_ALLOC_H
#define UTIL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include "util/assert.h"

/* Allocate size bytes (uninitialised). Owns: the caller; free with xfree(). size 0 is allowed. */
NODISCARD void *xmalloc(size_t size);

/* Allocate n zeroed elements of size bytes; aborts if the product overflows. */
NODISCARD void *xcalloc(size_t n, size_t size);

/* The same for a big table of which little may ever be used: each page takes memory when it is
 * first written to, whatever the heap has been through. Free with xfree_sparse() and the same
 * numbers. */
NODISCARD void *xcalloc_sparse(size_t n, size_t size);

/* Resize to n elements of size bytes; aborts if the product overflows. p may be NULL. */
NODISCARD void *xrealloc(void *p, size_t n, size_t size);

/* Copy len bytes into a new allocation. */
NODISCARD void *xmemdup(const void *p, size_t len);
/* Copy a zero-terminated string into a new allocation. */
NODISCARD char *xstrdup(const char *s);

/* A new string from a printf format. */
NODISCARD char *xasprintf(const char *format, ...) PRINTF(1, 2);
/* The same into *error, in what says whether it has succeeded. Returns: false */
bool fail_with(char **error, const char *format, ...) PRINTF(2, 3);

/* What the heap holds, as its allocator counts it. */
struct alloc_stats {
    size_t used_bytes, free_bytes; /* of what the system gave */
    size_t n_free_chunks;
    size_t n_regions; /* that the system gave: the heap, and each large allocation by itself */
};
/* The figures of this moment. */
struct alloc_stats alloc_stats(void);

/* The allocator's own statistics as XML, in a new allocation; NULL if it has none. */
NODISCARD char *alloc_describe(void);

/* What an allocation of so many bytes takes from the heap, with the allocator's own word and what
 * it rounds up: as in the GNU C library, whichever is used, so that what is limited by this is the
 * same everywhere; 0 for 0. */
static inline size_t alloc_footprint_bytes(size_t size)
{
    size_t taken = (size + sizeof(size_t) + 15) / 16 * 16;
    return size == 0 ? 0 : taken < 32 ? 32 : taken;
}

/* Free what the functions above returned; NULL is allowed. */
void xfree(void *p);
/* Free what xcalloc_sparse() returned for the same numbers; NULL is allowed. */
void xfree_sparse(void *p, size_t n, size_t size);

#endif
