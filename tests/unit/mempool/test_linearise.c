/* test_linearise.c - orders of graphs: valid, and as good as they can be. */
#include "mempool/linearise.h"

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

/* Of what is equally good the first goes first. */
TEST(equals_keep_their_order)
{
    struct linear_graph graph = {0};
    uint8_t order[LINEAR_COUNT_MAX];
    for (int i = 0; i < 64; i++)
        add(&graph, 100 * (1 + i % 2), 400 * (1 + i % 2), 0);
    assert_int_equal(linearise(&graph, UINT64_MAX, order), 64);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(order[i], i);
}
