/* test_closure.c - the best part of a set, against trying all parts. */
#include "mempool/closure.h"

#include "sim/sim_random.h"
#include "support/unit.h"

enum { N = 9 };
#define ALL ((UINT64_C(1) << N) - 1)

static struct linear_graph draw(struct sim_random *random)
{
    struct linear_graph graph = {.n = N};
    for (uint32_t i = 0; i < N; i++) {
        graph.rate[i] = (struct feerate){(int64_t)sim_random_below(random, 12) - 2,
                                         1 + (int64_t)sim_random_below(random, 4)};
        graph.ancestors[i] = UINT64_C(1) << i;
        for (uint32_t k = 0; k < i; k++)
            if (sim_random_below(random, 4) == 0)
                graph.ancestors[i] |= graph.ancestors[k];
    }
    return graph;
}

static struct feerate sum_of(const struct linear_graph *graph, uint64_t set)
{
    struct feerate sum = {0, 0};
    for (uint32_t i = 0; i < N; i++) {
        sum.fee_sat += set >> i & 1 ? graph->rate[i].fee_sat : 0;
        sum.size += set >> i & 1 ? graph->rate[i].size : 0;
    }
    return sum;
}

/* Of all closures within a set, the smallest that is furthest above its rate. */
static uint64_t slow_find(const struct linear_graph *graph, uint64_t set)
{
    struct feerate all = sum_of(graph, set);
    uint64_t best = 0;
    int64_t best_gain = 0;
    for (uint64_t part = set; part; part = (part - 1) & set) {
        uint64_t needed = 0;
        for (uint32_t i = 0; i < N; i++)
            needed |= part >> i & 1 ? graph->ancestors[i] & set : 0;
        struct feerate sum = sum_of(graph, part);
        int64_t gain = sum.fee_sat * all.size - all.fee_sat * sum.size;
        if (needed == part &&
            (gain > best_gain || (gain == best_gain && best && (part & best) == part))) {
            best = part;
            best_gain = gain;
        }
    }
    return best;
}

TEST(the_best_part_is_found)
{
    struct sim_random random = sim_random_of(9, 5);
    for (int round = 0; round < 3000; round++) {
        struct linear_graph graph = draw(&random);
        struct closure closure;
        uint64_t best, upper, whole = 0;
        closure_init(&closure, &graph, ALL, 10000);
        assert_true(closure_find(&closure, ALL, &best));
        assert_int_equal(best, slow_find(&graph, ALL));
        assert_true(closure.steps < 10000 || closure.set == ALL);
        if (best == 0)
            continue;
        /* And in both parts. */
        assert_true(closure_find(&closure, ALL & ~best, &upper));
        assert_int_equal(upper, slow_find(&graph, ALL & ~best));
        assert_true(closure_find(&closure, best, &whole));
        assert_int_equal(whole, slow_find(&graph, best));
    }
}

/* Two pairs of one rate, each of a poor one and one that pays for it. */
TEST(a_whole_is_ordered_by_what_pays_for_what)
{
    struct linear_graph graph = {
        .n = 4, .rate = {{0, 1}, {0, 1}, {8, 1}, {8, 1}}, .ancestors = {1, 2, 4 | 2, 8 | 1}};
    struct closure closure;
    uint64_t best;
    uint8_t order[4];
    closure_init(&closure, &graph, 15, 1000);
    assert_true(closure_find(&closure, 15, &best));
    assert_int_equal(best, 0);
    assert_int_equal(closure_order_whole(&closure, order), 4);
    assert_memory_equal(order, ((uint8_t[]){0, 3, 1, 2}), 4);
}

TEST(without_enough_steps_it_says_so)
{
    struct sim_random random = sim_random_of(9, 6);
    struct linear_graph graph = draw(&random);
    struct closure closure;
    uint64_t best;
    closure_init(&closure, &graph, ALL, 2);
    assert_false(closure_find(&closure, ALL, &best));
    assert_int_equal(closure.steps, 0);
}
