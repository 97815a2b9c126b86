/* test_linearise.c - orders of graphs: valid, and as good as they can be. */
#include "mempool/linearise.h"

#include "mempool/diagram.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

/* Add a member that needs those of a set of others. Returns its bit. */
static uint64_t add(struct linear_graph *graph, int64_t fee_sat, int64_t size, uint64_t parents)
{
    uint32_t i = graph->n++;
    graph->rate[i] = (struct feerate){fee_sat, size};
    graph->ancestors[i] = UINT64_C(1) << i;
    for (; parents; parents &= parents - 1)
        graph->ancestors[i] |= graph->ancestors[__builtin_ctzll(parents)];
    return UINT64_C(1) << i;
}

static uint64_t all_of(const struct linear_graph *graph)
{
    return graph->n == 64 ? UINT64_MAX : (UINT64_C(1) << graph->n) - 1;
}

/* Each once, after all that it needs. */
static void assert_valid(const struct linear_graph *graph, uint64_t set, const uint8_t *order,
                         uint32_t n)
{
    uint64_t placed = ~set;
    assert_int_equal(n, __builtin_popcountll(set));
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bit = UINT64_C(1) << order[i];
        assert_int_equal(placed & bit, 0);
        placed |= bit;
        assert_int_equal(graph->ancestors[order[i]] & ~placed, 0);
    }
    assert_true(placed == UINT64_MAX);
}

/* The chunks of an order as a diagram. */
static uint32_t chunks_of(const struct linear_graph *graph, const uint8_t *order, uint32_t n,
                          struct feerate *rates)
{
    struct linear_chunk chunks[LINEAR_COUNT_MAX];
    uint32_t n_chunks = linear_cut_chunks(graph, order, n, chunks), at = 0;
    for (uint32_t c = 0; c < n_chunks; c++) {
        struct feerate sum = {0, 0};
        for (; at < chunks[c].end; at++) {
            sum.fee_sat += graph->rate[order[at]].fee_sat;
            sum.size += graph->rate[order[at]].size;
        }
        rates[c] = chunks[c].rate;
        assert_int_equal(sum.fee_sat, rates[c].fee_sat);
        assert_int_equal(sum.size, rates[c].size);
        assert_true(c == 0 || feerate_compare(rates[c - 1], rates[c]) >= 0);
    }
    assert_int_equal(at, n);
    return n_chunks;
}

TEST(one_alone_is_one_chunk)
{
    struct linear_graph graph = {0};
    uint8_t order[LINEAR_COUNT_MAX];
    struct feerate rates[LINEAR_COUNT_MAX];
    add(&graph, -5, 400, 0);
    assert_int_equal(linearise(&graph, 1, order), 1);
    assert_int_equal(order[0], 0);
    assert_int_equal(chunks_of(&graph, order, 1, rates), 1);
    assert_int_equal(rates[0].fee_sat, -5);
    assert_int_equal(linearise(&graph, 0, order), 0);
}

TEST(a_child_pays_for_what_it_needs)
{
    struct linear_graph graph = {0};
    uint8_t order[LINEAR_COUNT_MAX];
    struct feerate rates[LINEAR_COUNT_MAX];
    uint64_t cheap = add(&graph, 100, 400, 0), middle = add(&graph, 800, 400, 0);
    add(&graph, 2000, 400, cheap);
    add(&graph, 10, 400, cheap | middle);
    uint32_t n = linearise(&graph, all_of(&graph), order);
    assert_valid(&graph, all_of(&graph), order, n);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 1);
    assert_int_equal(chunks_of(&graph, order, n, rates), 3);
    assert_int_equal(rates[0].fee_sat, 2100);
    /* What is left out counts as placed. */
    uint64_t set = all_of(&graph) & ~cheap;
    n = linearise(&graph, set, order);
    assert_valid(&graph, set, order, n);
    assert_int_equal(order[0], 2);
}

/* Of what is equally good the smaller goes first, then by name, whatever the number is. */
TEST(equals_go_by_size_and_name)
{
    struct linear_graph graph = {0};
    uint8_t order[LINEAR_COUNT_MAX];
    for (uint8_t i = 0; i < 64; i++) {
        graph.name[i] = 63 - i;
        add(&graph, 100 * (1 + i % 2), 400 * (1 + i % 2), 0);
    }
    assert_int_equal(linearise(&graph, UINT64_MAX, order), 64);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(order[i], i < 32 ? 62 - 2 * i : 127 - 2 * i);
}

/* Two pairs that pay the same: by the highest name in each. */
TEST(chunks_that_are_equal_go_by_their_highest_name)
{
    struct linear_graph graph = {.name = {0, 3, 1, 2}};
    uint8_t order[LINEAR_COUNT_MAX];
    uint64_t a = add(&graph, 0, 400, 0);
    add(&graph, 900, 400, a); /* named 0 and 3 */
    uint64_t b = add(&graph, 0, 400, 0);
    add(&graph, 900, 400, b); /* named 1 and 2 */
    assert_int_equal(linearise(&graph, 15, order), 4);
    assert_memory_equal(order, ((uint8_t[]){2, 3, 0, 1}), 4);
}

/* Those that come together: what pays best first, then the smallest, then by name. */
TEST(members_of_a_chunk_have_an_order_too)
{
    struct linear_graph graph = {.name = {0, 3, 1, 2, 4}};
    uint8_t order[LINEAR_COUNT_MAX];
    uint64_t all = add(&graph, 0, 400, 0);
    all |= add(&graph, 100, 400, 0);
    all |= add(&graph, 50, 200, 0);
    all |= add(&graph, 100, 400, 0);
    add(&graph, 50000, 400, all);
    assert_int_equal(linearise(&graph, 31, order), 5);
    assert_memory_equal(order, ((uint8_t[]){2, 3, 1, 0, 4}), 5);
}

/* -- Graphs of many shapes --------------------------------------------------------------------- */

enum shape { CHAIN, COMB, FAN_IN, DIAMONDS, TREE, SPARSE, DENSE, TWO_ROWS, LAYERS, SHAPE_COUNT };
enum fees { UNIFORM, FEW, STEEP, SIGNED, FEES_COUNT };

/* Whom the next member needs. */
static uint64_t draw_parents(struct sim_random *random, enum shape shape, uint32_t i, uint32_t n)
{
    uint64_t before = i == 0 ? 0 : UINT64_MAX >> (64 - i), parents = 0;
    switch (shape) {
    case CHAIN:
        return i > 0 ? UINT64_C(1) << (i - 1) : 0;
    case COMB:
        return before & 1;
    case FAN_IN:
        return i + 1 == n ? before : 0;
    case DIAMONDS: /* top, two sides, bottom, which is the next one's top */
        if (i == 0)
            return 0;
        return i % 3 ? UINT64_C(1) << ((i - 1) / 3 * 3) : UINT64_C(3) << (i - 2);
    case TREE:
        return i > 0 ? UINT64_C(1) << sim_random_below(random, i) : 0;
    case SPARSE:
        for (uint32_t k = 0; i > 0 && k < sim_random_below(random, 3); k++)
            parents |= UINT64_C(1) << sim_random_below(random, i);
        return parents;
    case DENSE:
        return before & sim_random_u64(random) & sim_random_u64(random);
    case TWO_ROWS:
        return i < n / 2 ? 0 : UINT64_MAX >> (64 - MAX_OF(n / 2, 1u)) & sim_random_u64(random);
    case LAYERS:
        return i < 8 ? 0 : UINT64_C(0xff) << (i / 8 * 8 - 8) & sim_random_u64(random);
    case SHAPE_COUNT:
        break;
    }
    fail();
    return 0;
}

static int64_t draw_fee(struct sim_random *random, enum fees fees)
{
    switch (fees) {
    case UNIFORM:
        return (int64_t)sim_random_below(random, 100000);
    case FEW: /* many equal rates */
        return (int64_t)sim_random_below(random, 4);
    case STEEP: /* from 1 to all the money */
        return (int64_t)(sim_random_below(random, 2) + 1) << sim_random_below(random, 50);
    case SIGNED:
        return (int64_t)sim_random_below(random, 200) - 100;
    case FEES_COUNT:
        break;
    }
    fail();
    return 0;
}

static struct linear_graph draw_graph(struct sim_random *random, enum shape shape, enum fees fees,
                                      uint32_t n)
{
    struct linear_graph graph = {0};
    for (uint32_t i = 0; i < n; i++) {
        int64_t size = fees == FEW ? 1 + (int64_t)sim_random_below(random, 2)
                                   : 1 + (int64_t)sim_random_below(random, 400000 / n);
        add(&graph, draw_fee(random, fees), size, draw_parents(random, shape, i, n));
    }
    return graph;
}

/* -- Whoever came first ------------------------------------------------------------------------ */

/* The same graph as if its members had come in another order, which is drawn. */
static struct linear_graph renumber(struct sim_random *random, const struct linear_graph *graph)
{
    struct linear_graph other = {.n = graph->n};
    uint32_t number[LINEAR_COUNT_MAX];
    uint64_t placed = 0;
    for (uint32_t i = 0; i < graph->n; i++) {
        uint32_t from;
        do
            from = (uint32_t)sim_random_below(random, graph->n);
        while (placed >> from & 1 || graph->ancestors[from] & ~placed & ~(UINT64_C(1) << from));
        placed |= UINT64_C(1) << from;
        number[from] = i;
        other.rate[i] = graph->rate[from];
        other.name[i] = graph->name[from];
        for (uint64_t rest = graph->ancestors[from]; rest; rest &= rest - 1)
            other.ancestors[i] |= UINT64_C(1) << number[__builtin_ctzll(rest)];
    }
    return other;
}

TEST(what_is_best_has_one_order_only)
{
    struct sim_random random = sim_random_of(11, 3);
    for (int round = 0; round < 1500; round++) {
        enum shape shape = (enum shape)(round % SHAPE_COUNT);
        uint32_t n = 2 + (uint32_t)sim_random_below(&random, 24);
        struct linear_graph graph = draw_graph(&random, shape, round % 2 ? FEW : SIGNED, n);
        for (uint32_t i = 0; i < n; i++) { /* some permutation */
            uint32_t k = (uint32_t)sim_random_below(&random, i + 1);
            graph.name[i] = graph.name[k];
            graph.name[k] = (uint8_t)i;
        }
        struct linear_graph other = renumber(&random, &graph);
        uint8_t order[LINEAR_COUNT_MAX], again[LINEAR_COUNT_MAX];
        assert_int_equal(linearise(&graph, all_of(&graph), order), n);
        assert_int_equal(linearise(&other, all_of(&other), again), n);
        assert_valid(&graph, all_of(&graph), order, n);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(graph.name[order[i]], other.name[again[i]]);
    }
}

/* -- Against every order and every closure ----------------------------------------------------- */

static bool is_closure(const struct linear_graph *graph, uint64_t set, uint64_t placed)
{
    for (uint64_t rest = set; rest; rest &= rest - 1)
        if (graph->ancestors[__builtin_ctzll(rest)] & ~(set | placed))
            return false;
    return true;
}

static struct feerate sum_of(const struct linear_graph *graph, uint64_t set)
{
    struct feerate sum = {0, 0};
    for (; set; set &= set - 1) {
        sum.fee_sat += graph->rate[__builtin_ctzll(set)].fee_sat;
        sum.size += graph->rate[__builtin_ctzll(set)].size;
    }
    return sum;
}

/* The best that there is: again and again, of all closures the one that pays most, the smallest of
 * equals. Returns: how many chunks */
static uint32_t slow_best(const struct linear_graph *graph, struct feerate *rates)
{
    uint64_t placed = 0, all = all_of(graph);
    uint32_t n = 0;
    while (placed != all) {
        uint64_t best = 0, left = all & ~placed;
        for (uint64_t set = left; set; set = (set - 1) & left) {
            if (!is_closure(graph, set, placed))
                continue;
            int order = best ? feerate_compare(sum_of(graph, set), rates[n]) : 1;
            if (order > 0 || (order == 0 && __builtin_popcountll(set) < __builtin_popcountll(best)))
                rates[n] = sum_of(graph, best = set);
        }
        placed |= best;
        n++;
    }
    return n;
}

/* Every order, none of which may be better. */
static void assert_none_better(const struct linear_graph *graph, const struct feerate *rates,
                               uint32_t n_rates)
{
    uint8_t order[8], tried[8] = {0};
    uint64_t placed = 0;
    struct feerate other[LINEAR_COUNT_MAX];
    uint32_t at = 0;
    for (;;) {
        if (at == graph->n) {
            uint32_t n = chunks_of(graph, order, at, other);
            enum diagram_order compared = diagram_compare(rates, n_rates, other, n);
            assert_true(compared == DIAGRAM_BETTER || compared == DIAGRAM_EQUAL);
        }
        if (at == graph->n || tried[at] == graph->n) {
            if (at == 0)
                return;
            placed &= ~(UINT64_C(1) << order[--at]);
            continue;
        }
        uint8_t i = tried[at]++;
        if (placed >> i & 1 || graph->ancestors[i] & ~placed & ~(UINT64_C(1) << i))
            continue;
        order[at++] = i;
        placed |= UINT64_C(1) << i;
        if (at < graph->n)
            tried[at] = 0;
    }
}

TEST(small_graphs_are_ordered_as_well_as_by_trying_all)
{
    struct sim_random random = sim_random_of(9, 2);
    for (int round = 0; round < 4000; round++) {
        enum shape shape = (enum shape)(round % SHAPE_COUNT);
        enum fees fees = (enum fees)(round / SHAPE_COUNT % FEES_COUNT);
        uint32_t n = 2 + (uint32_t)sim_random_below(&random, round % 10 ? 7 : 9);
        struct linear_graph graph = draw_graph(&random, shape, fees, n);
        uint8_t order[LINEAR_COUNT_MAX];
        struct feerate rates[LINEAR_COUNT_MAX], best[LINEAR_COUNT_MAX];
        assert_valid(&graph, all_of(&graph), order, linearise(&graph, all_of(&graph), order));
        uint32_t n_chunks = chunks_of(&graph, order, n, rates), n_best = slow_best(&graph, best);
        assert_int_equal(diagram_compare(rates, n_chunks, best, n_best), DIAGRAM_EQUAL);
        /* Not only the same line: no chunk can be cut. */
        assert_int_equal(n_chunks, n_best);
        if (n <= 6)
            assert_none_better(&graph, rates, n_chunks);
    }
}

/* -- Against the best ancestors first ---------------------------------------------------------- */

/* A slow one, written anew. */
static void slow_by_ancestors(const struct linear_graph *graph, uint8_t *order)
{
    uint64_t placed = 0, all = all_of(graph);
    for (uint32_t n = 0; n < graph->n;) {
        uint64_t best = 0;
        for (uint32_t i = 0; i < graph->n; i++) {
            uint64_t set = graph->ancestors[i] & ~placed;
            if (!(placed >> i & 1) &&
                (!best || feerate_compare(sum_of(graph, set), sum_of(graph, best)) > 0))
                best = set;
        }
        assert_true(best && (best & ~all) == 0);
        placed |= best;
        for (; best; best &= best - 1)
            order[n++] = (uint8_t)__builtin_ctzll(best);
    }
}

/* However few steps it has. Returns: how it compares with all of them. */
static enum diagram_order compare_with_ancestors(const struct linear_graph *graph, uint64_t steps)
{
    uint8_t order[LINEAR_COUNT_MAX], slow[LINEAR_COUNT_MAX];
    struct feerate ours[LINEAR_COUNT_MAX], theirs[LINEAR_COUNT_MAX];
    bool is_best;
    assert_valid(graph, all_of(graph), order,
                 linearise_within(graph, all_of(graph), steps, order, &is_best));
    slow_by_ancestors(graph, slow);
    if (steps == 0)
        assert_memory_equal(order, slow, graph->n);
    assert_true(steps < LINEAR_STEPS_MAX || is_best);
    assert_false(steps == 0 && is_best);
    uint32_t n = chunks_of(graph, order, graph->n, ours);
    return diagram_compare(ours, n, theirs, chunks_of(graph, slow, graph->n, theirs));
}

TEST(large_graphs_are_never_worse_than_by_ancestors)
{
    struct sim_random random = sim_random_of(9, 3);
    unsigned n_better = 0;
    for (int round = 0; round < 3000; round++) {
        enum shape shape = (enum shape)(round % SHAPE_COUNT);
        enum fees fees = (enum fees)(round / SHAPE_COUNT % FEES_COUNT);
        uint32_t n = round % 3 ? 64 : 11 + (uint32_t)sim_random_below(&random, 54);
        struct linear_graph graph = draw_graph(&random, shape, fees, n);
        uint64_t few = sim_random_below(&random, 3000);
        enum diagram_order compared = compare_with_ancestors(&graph, LINEAR_STEPS_MAX);
        assert_true(compared == DIAGRAM_BETTER || compared == DIAGRAM_EQUAL);
        n_better += compared == DIAGRAM_BETTER;
        compared = compare_with_ancestors(&graph, few);
        assert_true(compared == DIAGRAM_BETTER || compared == DIAGRAM_EQUAL);
        assert_int_equal(compare_with_ancestors(&graph, 0), DIAGRAM_EQUAL);
    }
    assert_true(n_better > 500);
}

/* Many that pay well need the same poor one: together they are worth it, each alone is not. What
 * looks better to greed is in between. */
TEST(many_that_share_what_they_need_are_placed_together)
{
    for (uint32_t n_children = 2; n_children <= 31; n_children++) {
        struct linear_graph graph = {0};
        struct feerate rates[LINEAR_COUNT_MAX];
        uint8_t order[LINEAR_COUNT_MAX];
        /* Alone with it: 12,000 for 2,400. All: at least 24,000 for 2,800. Bait: 6,000 for 1,000.
         */
        uint64_t poor = add(&graph, 0, 2000, 0), good = 0;
        for (uint32_t i = 0; i < n_children; i++)
            good |= add(&graph, 12000, 400, poor);
        for (uint32_t i = 0; i < n_children; i++)
            add(&graph, 6000, 1000, 0);
        add(&graph, 1, 100000, all_of(&graph)); /* one cluster */
        assert_int_equal(compare_with_ancestors(&graph, LINEAR_STEPS_MAX), DIAGRAM_BETTER);
        uint32_t n = linearise(&graph, all_of(&graph), order);
        assert_int_equal(n, 2 * n_children + 2);
        assert_int_equal(chunks_of(&graph, order, n, rates), n_children + 2);
        assert_int_equal(rates[0].fee_sat, 12000 * (int64_t)n_children);
        assert_int_equal(rates[1].fee_sat, 6000);
    }
}

/* The same, wider: pairs of rows, each child of which needs two of the poor. */
TEST(chained_pairs_are_placed_together)
{
    struct linear_graph graph = {0};
    struct feerate rates[LINEAR_COUNT_MAX];
    uint8_t order[LINEAR_COUNT_MAX];
    for (int i = 0; i < 21; i++)
        add(&graph, 0, 1000, 0);
    for (int i = 0; i < 20; i++)
        add(&graph, 30000, 1000, UINT64_C(3) << i);
    for (int i = 0; i < 20; i++)
        add(&graph, 13000, 1000, 0); /* better than 30,000 for 3,000, worse than all together */
    add(&graph, 1, 100000, all_of(&graph));
    assert_int_equal(compare_with_ancestors(&graph, LINEAR_STEPS_MAX), DIAGRAM_BETTER);
    uint32_t n = linearise(&graph, all_of(&graph), order);
    assert_int_equal(chunks_of(&graph, order, n, rates), 22);
    assert_int_equal(rates[0].fee_sat, 600000);
    assert_int_equal(rates[0].size, 41000);
}

/* Equal rates: each chain apart is a chunk, its parts are not. */
TEST(chunks_of_one_rate_are_cut_apart)
{
    struct linear_graph graph = {0};
    struct feerate rates[LINEAR_COUNT_MAX];
    uint8_t order[LINEAR_COUNT_MAX];
    for (int i = 0; i < 32; i++) {
        uint64_t poor = add(&graph, 0, 1000, 0);
        add(&graph, 5000, 1000, poor);
    }
    uint32_t n = linearise(&graph, UINT64_MAX, order);
    assert_int_equal(chunks_of(&graph, order, n, rates), 32);
    for (uint8_t i = 0; i < 64; i++)
        assert_int_equal(order[i], i);
    /* A chain of equals is as many as it has members. */
    graph.n = 0;
    for (uint64_t last = 0; graph.n < 64;)
        last = add(&graph, 700, 350, last);
    assert_int_equal(chunks_of(&graph, order, linearise(&graph, UINT64_MAX, order), rates), 64);
}

TEST(the_worst_known_graphs_need_a_part_of_the_steps)
{
    struct sim_random random = sim_random_of(9, 4);
    for (int round = 0; round < 2000; round++) {
        enum shape shape = (enum shape)(round % SHAPE_COUNT);
        enum fees fees = (enum fees)(round / SHAPE_COUNT % FEES_COUNT);
        struct linear_graph graph = draw_graph(&random, shape, fees, 64);
        uint8_t all[LINEAR_COUNT_MAX], part[LINEAR_COUNT_MAX];
        bool is_best;
        linearise(&graph, UINT64_MAX, all);
        linearise_within(&graph, UINT64_MAX, LINEAR_STEPS_MAX / 10, part, &is_best);
        assert_true(is_best);
        assert_memory_equal(all, part, 64);
    }
}
