/* ring.c - a bounded queue in one array. */
#include "util/ring.h"

#include <string.h>

#include "util/alloc.h"

void ring_init(struct ring *ring, size_t capacity, size_t element_bytes)
{
    ASSERT(capacity > 0 && element_bytes > 0);
    *ring = (struct ring){
        .slots = xcalloc(capacity, element_bytes),
        .element_bytes = element_bytes,
        .capacity = capacity,
    };
}

void ring_deinit(struct ring *ring)
{
    xfree(ring->slots);
    *ring = (struct ring){0};
}

static uint8_t *slot(const struct ring *ring, size_t index)
{
    ASSERT(index < ring->capacity && ring->first < ring->capacity);
    size_t at = ring->first + index;
    if (at >= ring->capacity)
        at -= ring->capacity;
    return ring->slots + at * ring->element_bytes;
}

bool ring_push(struct ring *ring, const void *element)
{
    ASSERT(ring->slots && element);
    if (ring_is_full(ring))
        return false;
    memcpy(slot(ring, ring->count), element, ring->element_bytes);
    ring->count++;
    return true;
}

bool ring_pop(struct ring *ring, void *element)
{
    ASSERT(ring->slots && ring->count <= ring->capacity);
    if (ring->count == 0)
        return false;
    if (element)
        memcpy(element, slot(ring, 0), ring->element_bytes);
    ring->first = ring->first + 1 == ring->capacity ? 0 : ring->first + 1;
    ring->count--;
    return true;
}
