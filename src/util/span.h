/* span.h - borrowed bytes: a pointer and a length.
 *
 * Layer: util. A span never owns; who hands one out says how long it lives. */
#ifndef UTIL_SPAN_H
#define UTIL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *p; /* may be NULL only if len is 0 */
    size_t len;
};

/* A view of len bytes at p, which it borrows. */
static inline struct span span_of(const void *p, size_t len)
{
    return (struct span){.p = p, .len = len};
}

/* The same of a string, without its zero. */
static inline struct span span_of_string(const char *s)
{
    return span_of(s, strlen(s));
}

/* Are the bytes the same? Not for secrets: it stops at the first that differs (hazard 74). */
static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

#endif
