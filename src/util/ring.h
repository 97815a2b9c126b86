/* ring.h - a bounded first-in first-out queue of values of one size.
 *
 * Layer: util. The limit is part of the type: a full ring says so instead of growing, and its
 * owner decides what a full queue means. Not thread-safe. */
#ifndef UTIL_RING_H
#define UTIL_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

struct ring {
    uint8_t *slots;       /* owned, capacity of them */
    size_t element_bytes; /* of one */
    size_t capacity;      /* the most elements it can hold */
    size_t first;         /* the slot of the oldest */
    size_t count;
};

/* Make an empty ring for at most capacity elements; its memory is allocated at once. */
void ring_init(struct ring *ring, size_t capacity, size_t element_bytes);

/* Free the memory. */
void ring_deinit(struct ring *ring);

/* Copy an element to the end of the queue; false if the ring is full. */
NODISCARD bool ring_push(struct ring *ring, const void *element);

/* Remove the oldest element; false if the ring is empty.
 *
 * Out:      element  a copy of it; may be NULL to drop it */
bool ring_pop(struct ring *ring, void *element);

/* True if a push would fail. */
static inline bool ring_is_full(const struct ring *ring)
{
    return ring->count == ring->capacity;
}

#endif
