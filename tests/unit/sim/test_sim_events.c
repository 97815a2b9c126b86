/* test_sim_events.c - the virtual clock: order, ties, cancelling. */
#include "sim/sim_events.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/assert.h"

struct trace {
    struct sim_events events;
    int order[64];
    size_t n;
};

struct mark {
    struct trace *trace;
    int number;
};

static void note(void *arg)
{
    struct mark *mark = arg;
    mark->trace->order[mark->trace->n++] = mark->number;
}

TEST(events_run_by_time_and_equal_times_in_order_of_creation)
{
    struct trace trace = {0};
    sim_events_init(&trace.events, 100);
    static const int64_t at[] = {300, 200, 300, 50, 200};
    static const int want[] = {3, 1, 4, 0, 2};
    struct mark marks[5];
    for (int i = 0; i < 5; i++) {
        marks[i] = (struct mark){&trace, i};
        assert_true(sim_events_add(&trace.events, at[i], note, &marks[i]) != 0);
    }
    assert_int_equal(sim_events_next_us(&trace.events), 100); /* 50 is past: it means now */
    int64_t last = 0;
    while (sim_events_step(&trace.events)) {
        assert_true(trace.events.now_us >= last);
        last = trace.events.now_us;
    }
    assert_int_equal(trace.n, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(trace.order[i], want[i]);
    assert_int_equal(trace.events.now_us, 300);
    assert_true(sim_events_next_us(&trace.events) == INT64_MAX);
    sim_events_deinit(&trace.events);
}

TEST(a_cancelled_event_never_runs_and_a_fired_one_can_be_cancelled)
{
    struct trace trace = {0};
    sim_events_init(&trace.events, 0);
    struct mark a = {&trace, 1}, b = {&trace, 2};
    uint64_t first = sim_events_add(&trace.events, 10, note, &a);
    uint64_t second = sim_events_add(&trace.events, 20, note, &b);
    sim_events_cancel(&trace.events, second);
    sim_events_cancel(&trace.events, second);
    assert_true(sim_events_step(&trace.events));
    sim_events_cancel(&trace.events, first);
    assert_false(sim_events_step(&trace.events));
    assert_int_equal(trace.n, 1);
    assert_int_equal(trace.order[0], 1);
    sim_events_deinit(&trace.events);
}

static void count(void *arg)
{
    ++*(int64_t *)arg;
}

TEST(many_random_events_come_out_sorted)
{
    struct sim_events events;
    sim_events_init(&events, 0);
    struct sim_random random = sim_random_of(7, 0);
    int64_t ran = 0;
    uint64_t ids[1000];
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = sim_events_add(&events, (int64_t)sim_random_below(&random, 500), count, &ran);
    for (size_t i = 0; i < COUNT_OF(ids); i += 3)
        sim_events_cancel(&events, ids[i]);
    int64_t last = 0;
    while (sim_events_step(&events)) {
        assert_true(events.now_us >= last);
        last = events.now_us;
    }
    assert_int_equal(ran, 1000 - 334);
    sim_events_deinit(&events);
}
