/* linearise.c - see linearise.h.
 *
 * Again and again the member whose ancestors that are not placed yet, with itself, pay the highest
 * rate, is placed with them. Better orders exist; this one is valid, and good for the common
 * shapes. */
#include "mempool/linearise.h"

static struct feerate rate_of_set(const struct linear_graph *graph, uint64_t set)
{
    struct feerate rate = {0, 0};
    for (; set; set &= set - 1) {
        struct feerate own = graph->rate[__builtin_ctzll(set)];
        rate.fee_sat += own.fee_sat;
        rate.size += own.size;
    }
    return rate;
}

/* The unplaced ancestors of the member for which they pay best; of equals the first. Only the rates
 * of those are worked out anew that have lost an ancestor to what was placed last. */
static uint64_t best_ancestors(const struct linear_graph *graph, uint64_t left,
                               struct feerate *rates, uint64_t placed_last)
{
    uint64_t best = 0;
    struct feerate best_rate = {0, 0};
    for (uint64_t rest = left; rest; rest &= rest - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(rest);
        if (graph->ancestors[i] & placed_last)
            rates[i] = rate_of_set(graph, graph->ancestors[i] & left);
        if (!best || feerate_compare(rates[i], best_rate) > 0) {
            best = graph->ancestors[i] & left;
            best_rate = rates[i];
        }
    }
    return best;
}

/* What is placed together is in the order of its numbers: what is needed first. */
uint32_t linearise(const struct linear_graph *graph, uint64_t set, uint8_t *order)
{
    ASSERT(graph->n <= LINEAR_COUNT_MAX);
    struct feerate rates[LINEAR_COUNT_MAX];
    uint64_t left = set, placed = set; /* at first all rates have to be computed */
    uint32_t n = 0;
    while (left) {
        placed = best_ancestors(graph, left, rates, placed);
        ASSERT(placed && (placed & ~left) == 0);
        for (uint64_t rest = placed; rest; rest &= rest - 1)
            order[n++] = (uint8_t)__builtin_ctzll(rest);
        left &= ~placed;
    }
    return n;
}

uint32_t linear_cut_chunks(const struct linear_graph *graph, const uint8_t *order, uint32_t n,
                           struct linear_chunk *chunks)
{
    ASSERT(n <= graph->n);
    uint32_t n_chunks = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct linear_chunk chunk = {.end = i + 1, .rate = graph->rate[order[i]]};
        while (n_chunks > 0 && feerate_compare(chunk.rate, chunks[n_chunks - 1].rate) > 0) {
            n_chunks--;
            chunk.rate.fee_sat += chunks[n_chunks].rate.fee_sat;
            chunk.rate.size += chunks[n_chunks].rate.size;
        }
        chunks[n_chunks++] = chunk;
    }
    return n_chunks;
}
