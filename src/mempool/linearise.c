/* linearise.c - see linearise.h.
 *
 * The best order places first what pays most together, however many have to come together for
 * that: closure.c finds it by a maximum flow. What is left is cut at its own rate, which each time
 * separates what pays more from what pays less; so few cuts do (the known decomposition of a
 * parametric minimum cut). A simple order, good for the common shapes, is the floor. */
#include "mempool/linearise.h"

#include <string.h>

#include "mempool/closure.h"
#include "mempool/diagram.h"

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

/* Again and again the member whose ancestors that are not placed yet, with itself, pay the highest
 * rate, is placed with them; those in the order of their numbers: what is needed first. */
static uint32_t order_by_ancestors(const struct linear_graph *graph, uint64_t set, uint8_t *order)
{
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

/* Cut what is left of the set in two where that gains most, and each half likewise, until no cut
 * gains anything. Returns: whether the steps sufficed; what they did not is ordered by ancestors */
static bool order_by_closures(const struct linear_graph *graph, uint64_t set, uint64_t steps,
                              uint8_t *order)
{
    struct closure closure;
    uint64_t todo[LINEAR_COUNT_MAX], best;
    uint32_t n = 0, n_todo = 0;
    bool suffices = true;
    closure_init(&closure, graph, set, steps);
    todo[n_todo++] = set;
    while (n_todo > 0) {
        uint64_t part = todo[--n_todo];
        suffices = suffices && closure_find(&closure, part, &best);
        if (!suffices) {
            n += order_by_ancestors(graph, part, order + n);
        } else if (best) {
            ASSERT(best != part && (best & ~part) == 0 && n_todo + 2 <= LINEAR_COUNT_MAX);
            todo[n_todo++] = part & ~best;
            todo[n_todo++] = best;
        } else {
            n += closure_order_whole(&closure, order + n);
        }
    }
    return suffices;
}

static uint32_t diagram_of(const struct linear_graph *graph, const uint8_t *order, uint32_t n,
                           struct feerate *rates)
{
    struct linear_chunk chunks[LINEAR_COUNT_MAX];
    uint32_t n_chunks = linear_cut_chunks(graph, order, n, chunks);
    for (uint32_t i = 0; i < n_chunks; i++)
        rates[i] = chunks[i].rate;
    return n_chunks;
}

/* The order by ancestors instead, if the one found is worse anywhere. */
static void fall_back(const struct linear_graph *graph, uint64_t set, uint8_t *order, uint32_t n)
{
    uint8_t least[LINEAR_COUNT_MAX];
    struct feerate a[LINEAR_COUNT_MAX], b[LINEAR_COUNT_MAX];
    order_by_ancestors(graph, set, least);
    uint32_t n_a = diagram_of(graph, order, n, a), n_b = diagram_of(graph, least, n, b);
    enum diagram_order compared = diagram_compare(a, n_a, b, n_b);
    if (compared == DIAGRAM_WORSE || compared == DIAGRAM_INCOMPARABLE)
        memcpy(order, least, n * sizeof *order);
}

/* -- Which of equals is first ------------------------------------------------------------------ */

/* A part of an order that moves as one: a chunk, or a member. */
struct part {
    uint64_t members, needs; /* needs: of the members of other parts */
    struct feerate rate;
    uint8_t name; /* the highest */
};

static bool goes_before(const struct part *a, const struct part *b)
{
    int order = feerate_compare(a->rate, b->rate);
    if (order != 0)
        return order > 0;
    if (a->rate.size != b->rate.size)
        return a->rate.size < b->rate.size;
    return a->name < b->name;
}

static void part_add(const struct linear_graph *graph, struct part *part, uint8_t member)
{
    part->members |= UINT64_C(1) << member;
    part->needs |= graph->ancestors[member];
    part->rate.fee_sat += graph->rate[member].fee_sat;
    part->rate.size += graph->rate[member].size;
    part->name = MAX_OF(part->name, graph->name[member]);
}

/* Sort parts in place: again and again the first that has all it needs. placed: members that are
 * placed before, or do not count */
static void sort_parts(struct part *parts, uint32_t n, uint64_t placed)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t best = n;
        for (uint32_t k = i; k < n; k++)
            if ((parts[k].needs & ~parts[k].members & ~placed) == 0 &&
                (best == n || goes_before(&parts[k], &parts[best])))
                best = k;
        ASSERT(best < n);
        struct part next = parts[best];
        memmove(&parts[i + 1], &parts[i], (best - i) * sizeof *parts);
        parts[i] = next;
        placed |= next.members;
    }
}

/* A chunk's members in their order. */
static void sort_members(const struct linear_graph *graph, uint64_t set, uint8_t *order)
{
    struct part parts[LINEAR_COUNT_MAX];
    uint32_t n = 0;
    for (uint64_t rest = set; rest; rest &= rest - 1) {
        parts[n] = (struct part){0};
        part_add(graph, &parts[n++], (uint8_t)__builtin_ctzll(rest));
    }
    sort_parts(parts, n, ~set);
    for (uint32_t i = 0; i < n; i++)
        order[i] = (uint8_t)__builtin_ctzll(parts[i].members);
}

/* An order whose chunks are what they are to be: chunks of one rate change places, and members
 * within a chunk. */
static void arrange(const struct linear_graph *graph, uint64_t set, uint8_t *order, uint32_t n)
{
    struct linear_chunk chunks[LINEAR_COUNT_MAX];
    struct part parts[LINEAR_COUNT_MAX];
    uint32_t n_chunks = linear_cut_chunks(graph, order, n, chunks), at = 0;
    for (uint32_t i = 0; i < n_chunks; i++) {
        parts[i] = (struct part){0};
        while (at < chunks[i].end)
            part_add(graph, &parts[i], order[at++]);
    }
    sort_parts(parts, n_chunks, ~set);
    at = 0;
    for (uint32_t i = 0; i < n_chunks; i++) {
        sort_members(graph, parts[i].members, order + at);
        at += (uint32_t)__builtin_popcountll(parts[i].members);
    }
    ASSERT(at == n);
}

uint32_t linearise_within(const struct linear_graph *graph, uint64_t set, uint64_t steps,
                          uint8_t *order, bool *is_best)
{
    uint32_t n = (uint32_t)__builtin_popcountll(set);
    ASSERT(graph->n <= LINEAR_COUNT_MAX);
    *is_best = n <= 1;
    if (n <= 1 || steps == 0)
        return order_by_ancestors(graph, set, order);
    *is_best = order_by_closures(graph, set, steps, order);
    if (!*is_best)
        fall_back(graph, set, order, n);
    arrange(graph, set, order, n);
    return n;
}

uint32_t linearise(const struct linear_graph *graph, uint64_t set, uint8_t *order)
{
    bool is_best;
    return linearise_within(graph, set, LINEAR_STEPS_MAX, order, &is_best);
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
