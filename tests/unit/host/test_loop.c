/* test_loop.c - timers fire in order, wake-ups are merged and bounded, signals arrive. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/loop.h"
#include "support/unit.h"

#define TRACE_MAX 4096

struct trace {
    struct loop *loop;
    int n, stop_at;
    int value[TRACE_MAX];
};

struct mark {
    struct trace *trace;
    int value;
};

static void note(void *arg)
{
    struct mark *mark = arg;
    struct trace *trace = mark->trace;
    assert_true(trace->n < TRACE_MAX);
    trace->value[trace->n++] = mark->value;
    if (trace->n == trace->stop_at)
        loop_stop(trace->loop);
}

TEST(timers_fire_by_time_and_equal_ones_in_order_of_creation)
{
    struct loop *loop = loop_new();
    assert_non_null(loop);
    struct trace trace = {.loop = loop, .stop_at = 5};
    struct mark marks[5];
    /* The last two are due at once; the first three well apart and in reverse. */
    int64_t delay_us[5] = {9000, 6000, 3000, 0, 0};
    int want[5] = {3, 4, 2, 1, 0};
    for (int i = 0; i < 5; i++) {
        marks[i] = (struct mark){&trace, i};
        assert_int_not_equal(loop_timer_start(loop, delay_us[i], note, &marks[i]), 0);
    }
    loop_run(loop);
    assert_int_equal(trace.n, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(trace.value[i], want[i]);
    loop_free(loop);
}

TEST(a_timer_never_fires_before_its_time)
{
    struct loop *loop = loop_new();
    struct trace trace = {.loop = loop, .stop_at = 1};
    struct mark mark = {&trace, 1};
    int64_t began_us = loop_now_us();
    loop_timer_start(loop, 5000, note, &mark);
    loop_run(loop);
    assert_true(loop_now_us() - began_us >= 5000);
    loop_free(loop);
}

TEST(a_cancelled_timer_does_not_fire_and_its_id_stays_dead)
{
    struct loop *loop = loop_new();
    struct trace trace = {.loop = loop, .stop_at = 1};
    struct mark first = {&trace, 1}, second = {&trace, 2};
    uint64_t dead = loop_timer_start(loop, 0, note, &first);
    loop_timer_cancel(loop, dead);
    uint64_t alive = loop_timer_start(loop, 0, note, &second);
    assert_true(alive != dead);
    /* The slot has a new tenant: the old id must not reach it. */
    loop_timer_cancel(loop, dead);
    loop_timer_cancel(loop, 0);
    loop_timer_cancel(loop, UINT64_MAX);
    loop_run(loop);
    assert_int_equal(trace.n, 1);
    assert_int_equal(trace.value[0], 2);
    loop_timer_cancel(loop, alive);
    loop_free(loop);
}

struct replacer {
    struct loop *loop;
    struct mark mark;
    uint64_t id;
    int n_wakes;
};

/* In each turn the timer that is due is replaced by another one that is due. */
static bool replace_timer(void *arg)
{
    struct replacer *replacer = arg;
    loop_timer_cancel(replacer->loop, replacer->id);
    replacer->id = loop_timer_start(replacer->loop, 0, note, &replacer->mark);
    return ++replacer->n_wakes < 200;
}

TEST(what_is_due_fires_however_often_it_is_replaced)
{
    struct loop *loop = loop_new();
    struct trace trace = {.loop = loop};
    struct replacer replacer = {.loop = loop, .mark = {&trace, 1}};
    struct loop_waker *waker = loop_waker_new(loop, replace_timer, &replacer);
    loop_wake(waker);
    while (trace.n == 0 && replacer.n_wakes < 200)
        loop_run_once(loop, true);
    assert_int_equal(trace.n, 1);
    assert_in_range(replacer.n_wakes, 1, 3);
    loop_waker_free(waker);
    loop_free(loop);
}

/* A plain model beside the heap: many timers, a third of them cancelled. */
TEST(a_thousand_timers_keep_their_order)
{
    enum { N = 1000 };
    struct loop *loop = loop_new();
    static struct mark marks[N];
    struct trace *trace = test_calloc(1, sizeof *trace);
    *trace = (struct trace){.loop = loop};
    uint64_t id[N];
    int delay[N];
    uint32_t random = 1;
    for (int i = 0; i < N; i++) {
        random = random * 1664525 + 1013904223;
        /* Steps far wider than the time that starting a thousand timers takes. */
        delay[i] = (int)(random >> 16) % 8 * 20000;
        marks[i] = (struct mark){trace, i};
        id[i] = loop_timer_start(loop, delay[i], note, &marks[i]);
    }
    int left = 0;
    for (int i = 0; i < N; i++) {
        if (i % 3 == 1)
            loop_timer_cancel(loop, id[i]);
        else
            left++;
    }
    trace->stop_at = left;
    loop_run(loop);
    assert_int_equal(trace->n, left);
    for (int i = 1; i < left; i++) {
        int a = trace->value[i - 1], b = trace->value[i];
        assert_true(delay[a] < delay[b] || (delay[a] == delay[b] && a < b));
    }
    for (int i = 0; i < left; i++)
        assert_int_not_equal(trace->value[i] % 3, 1);
    test_free(trace);
    loop_free(loop);
}

static void start_again(void *arg)
{
    struct mark *mark = arg;
    note(mark);
    loop_timer_start(mark->trace->loop, 0, start_again, mark);
}

TEST(a_timer_without_delay_that_starts_itself_again_does_not_starve_others)
{
    struct loop *loop = loop_new();
    struct trace trace = {.loop = loop};
    struct mark greedy = {&trace, 1};
    loop_timer_start(loop, 0, start_again, &greedy);
    loop_run_once(loop, true);
    assert_int_equal(trace.n, 1);
    loop_run_once(loop, true);
    assert_int_equal(trace.n, 2);
    loop_free(loop);
}

struct wake_test {
    struct loop *loop;
    struct loop_waker *waker;
    int calls, more;
};

static bool on_wake(void *arg)
{
    struct wake_test *test = arg;
    test->calls++;
    if (test->more == 0) {
        loop_stop(test->loop);
        return false;
    }
    test->more--;
    return true;
}

static void *wake_from_a_thread(void *arg)
{
    struct wake_test *test = arg;
    for (int i = 0; i < 100; i++)
        loop_wake(test->waker);
    return NULL;
}

TEST(wake_ups_are_merged_and_ask_again_while_there_is_more)
{
    struct wake_test test = {.loop = loop_new(), .more = 3};
    test.waker = loop_waker_new(test.loop, on_wake, &test);
    assert_non_null(test.waker);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_from_a_thread, &test), 0);
    pthread_join(thread, NULL);
    loop_run(test.loop);
    /* All hundred were there before the run: one call, and three that it asked for. */
    assert_int_equal(test.calls, 4);
    loop_waker_free(test.waker);
    loop_free(test.loop);
}

TEST(a_signal_calls_its_watcher_on_the_loop)
{
    struct loop *loop = loop_new();
    struct trace trace = {.loop = loop, .stop_at = 1};
    struct mark mark = {&trace, 7};
    struct loop_signal *watch = loop_signal_new(loop, SIGHUP, note, &mark);
    assert_non_null(watch);
    raise(SIGHUP);
    loop_run(loop);
    assert_int_equal(trace.value[0], 7);
    loop_signal_free(watch);
    loop_free(loop);
}

TEST(writing_to_a_closed_pipe_is_an_error_not_the_end)
{
    int pipe_fd[2];
    loop_ignore_signals();
    assert_int_equal(pipe(pipe_fd), 0);
    close(pipe_fd[0]);
    assert_int_equal(write(pipe_fd[1], "x", 1), -1);
    close(pipe_fd[1]);
}

TEST(a_file_that_may_not_grow_is_an_error_not_the_end)
{
    loop_ignore_signals();
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 1, .rlim_max = old.rlim_max};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ssize_t first = pwrite(fileno(file), "x", 1, 0), second = pwrite(fileno(file), "x", 1, 1);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    fclose(file);
    assert_int_equal(first, 1);
    assert_int_equal(second, -1);
    assert_int_equal(error, EFBIG);
}

TEST(a_stop_before_the_run_ends_it_at_once)
{
    struct loop *loop = loop_new();
    struct trace trace = {.loop = loop};
    struct mark mark = {&trace, 1};
    loop_timer_start(loop, 0, note, &mark);
    loop_stop(loop);
    loop_run(loop);
    assert_int_equal(trace.n, 0);
    loop_free(loop);
}

TEST(the_clocks_agree_with_the_machine)
{
    int64_t a = loop_now_us(), b = loop_now_us();
    assert_true(a > 0 && b >= a);
    assert_true(loop_unix_s() > 1700000000);
}
