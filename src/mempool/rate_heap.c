/* rate_heap.c - see rate_heap.h. */
#include "mempool/rate_heap.h"

static bool is_above(const struct rate_heap *heap, const struct rate_heap_item *a,
                     const struct rate_heap_item *b)
{
    return a->id != b->id && rate_heap_is_better(a, b) != heap->worst_first;
}

static void set(struct rate_heap *heap, uint32_t at, const struct rate_heap_item *item)
{
    heap->items.at[at] = *item;
    heap->places.at[item->id] = at;
}

/* Put an item where it belongs, instead of the one at that place. */
static void fix(struct rate_heap *heap, uint32_t at, struct rate_heap_item item)
{
    const struct rate_heap_item *items = heap->items.at;
    for (; at > 0 && is_above(heap, &item, &items[(at - 1) / 2]); at = (at - 1) / 2)
        set(heap, at, &items[(at - 1) / 2]);
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->items.n)
            break;
        if (child + 1 < heap->items.n && is_above(heap, &items[child + 1], &items[child]))
            child++;
        if (!is_above(heap, &items[child], &item))
            break;
        set(heap, at, &items[child]);
        at = child;
    }
    set(heap, at, &item);
}

void rate_heap_clear(struct rate_heap *heap)
{
    ARRAY_FREE(&heap->items);
    ARRAY_FREE(&heap->places);
}

void rate_heap_put(struct rate_heap *heap, uint32_t id, struct feerate rate, uint64_t rank)
{
    ASSERT(id != RATE_HEAP_NOWHERE && rate.size > 0 && rate.size <= UINT32_MAX);
    while (heap->places.n <= id)
        *ARRAY_ADD(&heap->places) = RATE_HEAP_NOWHERE;
    uint32_t at = heap->places.at[id];
    if (at == RATE_HEAP_NOWHERE) {
        (void)ARRAY_ADD(&heap->items);
        at = (uint32_t)heap->items.n - 1;
    }
    struct rate_heap_item item = {
        .fee_sat = rate.fee_sat, .size = (uint32_t)rate.size, .id = id, .rank = rank};
    fix(heap, at, item);
}

/* The last one takes its place, and may belong above or below it. */
void rate_heap_take(struct rate_heap *heap, uint32_t id)
{
    uint32_t at = id < heap->places.n ? heap->places.at[id] : RATE_HEAP_NOWHERE;
    if (at == RATE_HEAP_NOWHERE)
        return;
    ASSERT(at < heap->items.n && heap->items.at[at].id == id);
    heap->places.at[id] = RATE_HEAP_NOWHERE;
    struct rate_heap_item last = heap->items.at[--heap->items.n];
    if (last.id != id)
        fix(heap, at, last);
}

uint32_t rate_heap_at(const struct rate_heap *heap, size_t place)
{
    return place < heap->items.n ? heap->items.at[place].id : RATE_HEAP_NOWHERE;
}

size_t rate_heap_footprint_bytes(const struct rate_heap *heap)
{
    return ARRAY_FOOTPRINT_BYTES(&heap->items) + ARRAY_FOOTPRINT_BYTES(&heap->places);
}

void rate_heap_verify(const struct rate_heap *heap, uint32_t id, struct feerate rate, uint64_t rank)
{
    ASSERT(id < heap->places.n && heap->places.at[id] < heap->items.n);
    uint32_t at = heap->places.at[id];
    const struct rate_heap_item *items = heap->items.at;
    ASSERT(items[at].id == id && items[at].rank == rank);
    ASSERT(items[at].fee_sat == rate.fee_sat && items[at].size == rate.size);
    ASSERT(at == 0 || !is_above(heap, &items[at], &items[(at - 1) / 2]));
}
