/* array.c - an array that grows at its end. */
#include "util/array.h"

#include <stdint.h>
#include <string.h>

enum { ARRAY_FIRST = 8 };

void *array_reserve(void *at, size_t n, size_t *capacity, size_t extra, size_t element_bytes)
{
    ASSERT(n <= *capacity && element_bytes > 0 && extra <= SIZE_MAX / 4 - n);
    ASSERT(at || n == 0);
    if (extra <= *capacity - n && at)
        return at;
    /* Doubling: n elements added one by one cost O(n) copying altogether. */
    size_t more = *capacity ? 2 * *capacity : ARRAY_FIRST;
    *capacity = more < n + extra ? n + extra : more;
    return xrealloc(at, *capacity, element_bytes);
}

void array_remove(void *at, size_t *n, size_t i, size_t element_bytes)
{
    ASSERT(i < *n);
    ASSERT(at && element_bytes > 0);
    unsigned char *gap = (unsigned char *)at + i * element_bytes;
    --*n;
    memmove(gap, gap + element_bytes, (*n - i) * element_bytes);
}
