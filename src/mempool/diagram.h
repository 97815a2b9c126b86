/* diagram.h - what a list of chunks earns: fees by size, the best first.
 *
 * Layer: mempool. Pure. The diagram of some chunks, sorted by falling rate, is a line through the
 * sums of their sizes and fees: what a miner earns who has room for so much. Which of two lists is
 * better needs no room to be chosen: the one whose line is nowhere below the other's. */
#ifndef MEMPOOL_DIAGRAM_H
#define MEMPOOL_DIAGRAM_H

#include <stddef.h>

#include "mempool/feerate.h"

enum diagram_order {
    DIAGRAM_EQUAL,        /* the same line */
    DIAGRAM_BETTER,       /* nowhere below and somewhere above */
    DIAGRAM_WORSE,        /* nowhere above and somewhere below */
    DIAGRAM_INCOMPARABLE, /* above here, below there */
};

/* Sort chunks, of as many clusters as you like, by falling rate. Those of equal rate come in the
 * order of their sizes, so that the result depends on nothing but what is in the list. */
void diagram_sort(struct feerate *chunks, size_t n);

/* How a's line lies to b's, each of chunks that are sorted by falling rate; a list may be empty.
 * Beyond its end a line goes on at the same height. Exact.
 *
 * Units:    fees in satoshi, of any sign; sizes at least 1, in the same unit for both
 * Spec:     Core CompareChunks() */
enum diagram_order diagram_compare(const struct feerate *a, size_t n_a, const struct feerate *b,
                                   size_t n_b);

#endif
