/* test_rate_heap.c - numbers by feerate, against a list that is searched. */
#include "mempool/rate_heap.h"
#include "sim/sim_random.h"
#include "support/unit.h"

enum { N = 200, STEPS = 30000 };

/* What the heap should hold. */
static struct {
    bool is_in;
    struct feerate rate;
    uint64_t rank;
} model[N];

/* By rate, then the smaller one, then by rank, then by id. */
static bool is_better(uint32_t a, uint32_t b)
{
    int order = feerate_compare(model[a].rate, model[b].rate);
    if (order != 0)
        return order > 0;
    if (model[a].rate.size != model[b].rate.size)
        return model[a].rate.size < model[b].rate.size;
    return model[a].rank != model[b].rank ? model[a].rank < model[b].rank : a < b;
}

static uint32_t top_of_model(bool worst_first)
{
    uint32_t top = RATE_HEAP_NOWHERE;
    for (uint32_t i = 0; i < N; i++) {
        if (!model[i].is_in)
            continue;
        if (top == RATE_HEAP_NOWHERE || is_better(i, top) != worst_first)
            top = i;
    }
    return top;
}

static void change(struct rate_heap *heap, struct sim_random *random, uint64_t rank)
{
    uint32_t id = (uint32_t)sim_random_below(random, N);
    if (sim_random_below(random, 3) == 0) {
        model[id].is_in = false;
        rate_heap_take(heap, id);
        return;
    }
    model[id].is_in = true;
    /* Many equal rates, some of them negative; some of sizes beyond 31 bits. */
    int64_t size = sim_random_below(random, 50) == 0 ? UINT32_MAX : 1 + (int64_t)(rank % 5);
    model[id].rate = (struct feerate){(int64_t)sim_random_below(random, 60) - 10, size};
    model[id].rank = rank % 4;
    rate_heap_put(heap, id, model[id].rate, rank % 4);
}

static void verify(const struct rate_heap *heap)
{
    size_t n = 0;
    for (uint32_t i = 0; i < N; i++) {
        if (!model[i].is_in)
            continue;
        rate_heap_verify(heap, i, model[i].rate, model[i].rank);
        n++;
    }
    assert_int_equal(n, heap->items.n);
}

TEST(the_top_is_always_the_worst_or_the_best)
{
    for (int kind = 0; kind < 2; kind++) {
        struct rate_heap heap = {.worst_first = kind == 0};
        struct sim_random random = sim_random_of(5, (uint64_t)kind);
        memset(model, 0, sizeof model);
        for (uint64_t step = 1; step < STEPS; step++) {
            change(&heap, &random, step);
            if (step % 100 == 0)
                verify(&heap);
            assert_int_equal(rate_heap_at(&heap, 0), top_of_model(heap.worst_first));
            assert_int_equal(rate_heap_at(&heap, heap.items.n), RATE_HEAP_NOWHERE);
        }
        assert_true(rate_heap_footprint_bytes(&heap) >= heap.items.n * sizeof *heap.items.at);
        rate_heap_clear(&heap);
        assert_int_equal(rate_heap_footprint_bytes(&heap), 0);
        assert_int_equal(rate_heap_at(&heap, 0), RATE_HEAP_NOWHERE);
    }
}

TEST(taking_out_what_is_not_there_does_nothing)
{
    struct rate_heap heap = {.worst_first = false};
    rate_heap_take(&heap, 7);
    rate_heap_put(&heap, 3, (struct feerate){1, 1}, 1);
    rate_heap_take(&heap, 2);
    rate_heap_take(&heap, 4);
    assert_int_equal(rate_heap_at(&heap, 0), 3);
    rate_heap_take(&heap, 3);
    rate_heap_take(&heap, 3);
    assert_int_equal(rate_heap_at(&heap, 0), RATE_HEAP_NOWHERE);
    rate_heap_clear(&heap);
}
