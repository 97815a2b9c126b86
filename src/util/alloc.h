/* alloc.h - heap memory that never comes back NULL.
 *
 * Layer: util. Out of memory aborts. That is sound only because every size that a peer or
 * client chooses is bounded before it is allocated. */
#ifndef UTIL_ALLOC_H
#define UTIL_ALLOC_H

#include <stddef.h>

#include "util/assert.h"

/* Allocate size bytes (uninitialised). Owns: the caller; free with xfree(). size 0 is allowed. */
NODISCARD void *xmalloc(size_t size);

/* Allocate n zeroed elements of size bytes; aborts if the product overflows. */
NODISCARD void *xcalloc(size_t n, size_t size);

/* Resize to n elements of size bytes; aborts if the product overflows. p may be NULL. */
NODISCARD void *xrealloc(void *p, size_t n, size_t size);

/* Copy len bytes, or a zero-terminated string, into a new allocation. */
NODISCARD void *xmemdup(const void *p, size_t len);
NODISCARD char *xstrdup(const char *s);

/* A new string from a printf format. */
NODISCARD char *xasprintf(const char *format, ...) PRINTF(1, 2);

/* Free what the functions above returned; NULL is allowed. */
void xfree(void *p);

#endif
