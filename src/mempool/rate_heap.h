/* rate_heap.h - numbers by the feerate that stands for each, the worst or the best on top.
 *
 * Layer: mempool, internal. A binary heap that knows where each number is, so that it can be moved
 * or taken out. Rates and places lie here, beside one another, and not in what is numbered: a block
 * takes thousands out, and to look up each neighbour elsewhere is most of what that would cost. */
#ifndef MEMPOOL_RATE_HEAP_H
#define MEMPOOL_RATE_HEAP_H

#include "mempool/feerate.h"
#include "util/array.h"

struct rate_heap_item {
    int64_t fee_sat;
    uint32_t size;
    uint32_t id;
    uint64_t rank; /* decides between equal rates and sizes, and after it the id */
};

/* The item at place i is above those at 2 * i + 1 and 2 * i + 2. */
struct rate_heap {
    bool worst_first; /* else best first: exactly the other way round */
    ARRAY(struct rate_heap_item) items;
    ARRAY(uint32_t) places; /* by id; RATE_HEAP_NOWHERE */
};
#define RATE_HEAP_NOWHERE UINT32_MAX

/* Free what it holds; it is empty then, of the same kind. */
void rate_heap_clear(struct rate_heap *heap);
/* Put id in, or move it if it is there with another rate or rank. Of equal rates the smaller size
 * is the better one, of equal sizes the lower rank. rate.size fits into 32 bits. Ids are small:
 * there is a place for each below. */
void rate_heap_put(struct rate_heap *heap, uint32_t id, struct feerate rate, uint64_t rank);
/* Take id out, if it is there. */
void rate_heap_take(struct rate_heap *heap, uint32_t id);
/* The id at a place, 0 for the top.
 *
 * Returns:  RATE_HEAP_NOWHERE if there are not so many */
uint32_t rate_heap_at(const struct rate_heap *heap, size_t place);
/* The item at a place: which there is one at. */
static inline const struct rate_heap_item *rate_heap_item_at(const struct rate_heap *heap,
                                                             size_t place)
{
    ASSERT(place < heap->items.n);
    return &heap->items.at[place];
}
/* Does an item come before another, the better one first? Total, so that nothing depends on how the
 * heap came about. */
static inline bool rate_heap_is_better(const struct rate_heap_item *a,
                                       const struct rate_heap_item *b)
{
    struct feerate x = {a->fee_sat, a->size}, y = {b->fee_sat, b->size};
    int order = feerate_compare(x, y);
    if (order != 0)
        return order > 0;
    if (a->size != b->size)
        return a->size < b->size;
    return a->rank != b->rank ? a->rank < b->rank : a->id < b->id;
}
/* What it takes. Units: bytes of the heap (alloc.h) */
size_t rate_heap_footprint_bytes(const struct rate_heap *heap);
/* Assert that id is at its place with this rate and rank. */
void rate_heap_verify(const struct rate_heap *heap, uint32_t id, struct feerate rate,
                      uint64_t rank);

#endif
