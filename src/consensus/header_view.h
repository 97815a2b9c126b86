/* header_view.h - how rules about a chain of headers look back along it.
 *
 * Layer: consensus. chain/ keeps the headers; it gives the rules this view of them, so that they
 * stay pure and tests can use a plain array.
 *
 *     facts(n)    height, version, time and bits of one header: what rules compare
 *     prev(n)     one step back, for rules that look at each block of a period
 *     ancestor    a jump back, for the first block of a period
 *     median      of the eleven times up to n: what lock times are measured by */
#ifndef CONSENSUS_HEADER_VIEW_H
#define CONSENSUS_HEADER_VIEW_H

#include <stdint.h>

struct header_facts {
    int32_t height;
    int32_t version;
    uint32_t time;
    uint32_t bits;
};

/* A node stands for one header of a tree; its type is the caller's. The median time past is asked
 * for by node since a chain can keep it with each header. It never falls along a chain, unlike the
 * times themselves. */
struct header_view {
    struct header_facts (*facts)(const void *node);
    /* The one before; NULL for genesis. */
    const void *(*prev)(const void *node);
    /* The ancestor (or node itself) at 0 <= height <= node's height. */
    const void *(*ancestor)(const void *node, int32_t height);
    /* Median of the times of node and the ten before it. BIP-113, Specification */
    int64_t (*median_time_past)(const void *node);
};

#endif
