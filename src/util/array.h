/* array.h - an array that grows at its end.
 *
 * Layer: util. ARRAY(struct x) is the type of a member or variable {at, n, capacity}: zeros are an
 * empty array, at[0 .. n - 1] its elements. Whoever fills one from outside input bounds it first.
 *
 *     ARRAY(struct ban) bans;
 *     *ARRAY_ADD(&list->bans) = ban;
 */
#ifndef UTIL_ARRAY_H
#define UTIL_ARRAY_H

#include <stddef.h>

#include "util/alloc.h"

#define ARRAY(type)                                                                                \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t n, capacity;                                                                        \
    }

/* Make room for extra more elements behind the n there are.
 *
 * In:       at        what was returned before, NULL at first
 * Out:      capacity  raised to what there is room for now, at least by half
 * Returns:  at, maybe moved; free with xfree() */
NODISCARD void *array_reserve(void *at, size_t n, size_t *capacity, size_t extra,
                              size_t element_bytes);

/* One more element at the end of an ARRAY: a pointer to it, its bytes undefined. What is put there
 * in the same expression must not need the array. */
#define ARRAY_ADD(array) (ARRAY_RESERVE(array, 1), &(array)->at[(array)->n++])

/* Room for extra more elements, whose number does not change. */
#define ARRAY_RESERVE(array, extra)                                                                \
    ((array)->at =                                                                                 \
         array_reserve((array)->at, (array)->n, &(array)->capacity, extra, sizeof *(array)->at))

/* Take element i out; those behind it move up. */
#define ARRAY_REMOVE(array, i) array_remove((array)->at, &(array)->n, i, sizeof *(array)->at)
void array_remove(void *at, size_t *n, size_t i, size_t element_bytes);

/* Take element i out; the last one takes its place. */
#define ARRAY_REMOVE_UNORDERED(array, i) ((array)->at[i] = (array)->at[--(array)->n])

/* What an ARRAY takes from the heap. */
#define ARRAY_FOOTPRINT_BYTES(array) alloc_footprint_bytes((array)->capacity * sizeof *(array)->at)

/* Free the memory of an ARRAY, which is empty then. */
#define ARRAY_FREE(array)                                                                          \
    (xfree((array)->at), (array)->at = NULL, (array)->n = (array)->capacity = 0)

#endif
