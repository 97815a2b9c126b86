/* diagram.c - see diagram.h. */
#include "mempool/diagram.h"

#include <stdbool.h>
#include <stdlib.h>

static int by_falling_rate(const void *a, const void *b)
{
    const struct feerate *x = a, *y = b;
    int order = feerate_compare(*y, *x);
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

void diagram_sort(struct feerate *chunks, size_t n)
{
    ASSERT(chunks || n == 0);
    if (n > 1)
        qsort(chunks, n, sizeof *chunks, by_falling_rate);
}

/* A walk along one line. Sums are wider than what is summed: thousands of chunks may each have as
 * much as the field holds. */
struct walk {
    const struct feerate *next, *end;
    i128 fee_sat; /* the height reached */
    int64_t size; /* how far along */
};

/* The size at which the line has its next corner. */
static int64_t next_corner(const struct walk *walk)
{
    ASSERT(walk->next == walk->end || walk->next->size > 0);
    return walk->next < walk->end ? walk->size + walk->next->size : INT64_MAX;
}

/* The height at a place on the segment that begins where the walk is, times the segment's size. */
static i128 scaled_height(const struct walk *walk, int64_t at, int64_t *scale)
{
    *scale = walk->next < walk->end ? walk->next->size : 1;
    int64_t slope = walk->next < walk->end ? walk->next->fee_sat : 0;
    ASSERT(at >= walk->size);
    return walk->fee_sat * *scale + (i128)slope * (at - walk->size);
}

/* Pass the corner if it is at that place. */
static void walk_to(struct walk *walk, int64_t at)
{
    if (next_corner(walk) != at)
        return;
    walk->size = at;
    walk->fee_sat += walk->next->fee_sat;
    walk->next++;
}

/* Negative, 0 or positive as a's line is below, on or above b's at a place. */
static int compare_at(const struct walk *a, const struct walk *b, int64_t at)
{
    int64_t scale_a, scale_b;
    i128 height_a = scaled_height(a, at, &scale_a), height_b = scaled_height(b, at, &scale_b);
    i128 cross_a = height_a * scale_b, cross_b = height_b * scale_a;
    return cross_a < cross_b ? -1 : cross_a > cross_b;
}

/* Both lines are straight between corners: what they are at each corner of either is all there is
 * to know. */
enum diagram_order diagram_compare(const struct feerate *a, size_t n_a, const struct feerate *b,
                                   size_t n_b)
{
    ASSERT((a || n_a == 0) && (b || n_b == 0));
    struct walk x = {.next = a, .end = a + n_a}, y = {.next = b, .end = b + n_b};
    bool is_above = false, is_below = false;
    while (x.next < x.end || y.next < y.end) {
        int64_t at_x = next_corner(&x), at_y = next_corner(&y);
        int64_t at = at_x < at_y ? at_x : at_y;
        int order = compare_at(&x, &y, at);
        is_above |= order > 0;
        is_below |= order < 0;
        walk_to(&x, at);
        walk_to(&y, at);
    }
    if (is_above && is_below)
        return DIAGRAM_INCOMPARABLE;
    return is_above ? DIAGRAM_BETTER : is_below ? DIAGRAM_WORSE : DIAGRAM_EQUAL;
}
