/* test_node_env.c - a node's time can be set, its timers moved; the world beneath is untouched. */
#include "node/node_env.h"
#include "support/unit.h"
#include "util/assert.h"

#define TIMERS_MAX 64

/* A world of nothing but a clock and timers, run by hand. */
struct fake {
    int64_t now_us;
    struct {
        int64_t due_us;
        uint64_t id;
        env_timer_fn *fn;
        void *arg;
    } timers[TIMERS_MAX];
    int n;
    uint64_t last_id;
    const char *made;
};

static int64_t fake_now_us(void *ctx)
{
    return ((struct fake *)ctx)->now_us;
}

static int64_t fake_unix_s(void *ctx)
{
    (void)ctx;
    return 1234567890;
}

static uint64_t fake_timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    struct fake *fake = ctx;
    assert_true(delay_us >= 0 && fake->n < TIMERS_MAX);
    fake->timers[fake->n].due_us = fake->now_us + delay_us;
    fake->timers[fake->n].id = ++fake->last_id;
    fake->timers[fake->n].fn = fn;
    fake->timers[fake->n++].arg = arg;
    return fake->last_id;
}

static void fake_remove(struct fake *fake, int at)
{
    memmove(&fake->timers[at], &fake->timers[at + 1],
            (size_t)(fake->n - at - 1) * sizeof fake->timers[0]);
    fake->n--;
}

static void fake_timer_cancel(void *ctx, uint64_t id)
{
    struct fake *fake = ctx;
    for (int i = 0; i < fake->n; i++) {
        if (fake->timers[i].id == id) {
            fake_remove(fake, i);
            return;
        }
    }
}

static int fake_make_dir(void *ctx, const char *path)
{
    ((struct fake *)ctx)->made = path;
    return -28;
}

/* Fire all that is due, earliest first, then in order of their start. */
static void fake_run(struct fake *fake)
{
    for (;;) {
        int best = -1;
        for (int i = 0; i < fake->n; i++) {
            if (fake->timers[i].due_us <= fake->now_us &&
                (best < 0 || fake->timers[i].due_us < fake->timers[best].due_us))
                best = i;
        }
        if (best < 0)
            return;
        env_timer_fn *fn = fake->timers[best].fn;
        void *arg = fake->timers[best].arg;
        fake_remove(fake, best);
        fn(arg);
    }
}

static struct env fake_env(struct fake *fake)
{
    return (struct env){.clock = {.ctx = fake,
                                  .now_us = fake_now_us,
                                  .unix_s = fake_unix_s,
                                  .timer_start = fake_timer_start,
                                  .timer_cancel = fake_timer_cancel},
                        .files = {.ctx = fake, .make_dir = fake_make_dir}};
}

struct trace {
    char text[TIMERS_MAX];
};

struct mark {
    struct trace *trace;
    char letter;
};

static void note(void *arg)
{
    struct mark *mark = arg;
    size_t n = strlen(mark->trace->text);
    mark->trace->text[n] = mark->letter;
}

TEST(the_wall_clock_stands_still_while_it_is_mocked)
{
    struct fake fake = {0};
    struct env real = fake_env(&fake);
    struct node_env *a = node_env_new(&real), *b = node_env_new(&real);
    const struct env *env = node_env_env(a), *other = node_env_env(b);
    assert_int_equal(env_unix_s(env), 1234567890);
    node_env_set_mock_time(a, 99);
    assert_int_equal(env_unix_s(env), 99);
    assert_int_equal(env_unix_s(other), 1234567890);
    node_env_set_mock_time(a, 0);
    assert_int_equal(env_unix_s(env), 1234567890);
    node_env_free(a);
    node_env_free(b);
    node_env_free(NULL);
}

TEST(timers_fire_and_are_cancelled_through_the_view)
{
    struct fake fake = {.now_us = 5};
    struct env real = fake_env(&fake);
    struct node_env *node_env = node_env_new(&real);
    const struct env *env = node_env_env(node_env);
    struct trace trace = {""};
    struct mark a = {&trace, 'a'}, b = {&trace, 'b'}, c = {&trace, 'c'};
    uint64_t first = env_timer_start(env, 10, note, &a);
    uint64_t second = env_timer_start(env, 10, note, &b);
    env_timer_start(env, -5, note, &c);
    assert_true(first != 0 && second != 0 && first != second);
    env_timer_cancel(env, first);
    env_timer_cancel(env, first);
    env_timer_cancel(env, 12345);
    fake.now_us = 15;
    fake_run(&fake);
    assert_string_equal(trace.text, "cb");
    env_timer_cancel(env, second);
    assert_int_equal(fake.n, 0);
    node_env_free(node_env);
}

TEST(advancing_fires_what_falls_due_in_the_right_order)
{
    struct fake fake = {.now_us = 1000};
    struct env real = fake_env(&fake);
    struct node_env *node_env = node_env_new(&real);
    const struct env *env = node_env_env(node_env);
    struct trace trace = {""};
    struct mark marks[5];
    /* Created out of order; d and e are due at the same time; c is beyond the step. */
    static const int64_t delays_us[5] = {300, 100, 5000, 200, 200};
    for (int i = 0; i < 5; i++) {
        marks[i] = (struct mark){&trace, (char)('a' + i)};
        env_timer_start(env, delays_us[i], note, &marks[i]);
    }
    fake_run(&fake);
    assert_string_equal(trace.text, "");
    node_env_advance_timers(node_env, 1000);
    /* Not from inside the call. */
    assert_string_equal(trace.text, "");
    fake_run(&fake);
    assert_string_equal(trace.text, "bdea");
    /* The last one has 4000 left. */
    fake.now_us += 3999;
    fake_run(&fake);
    assert_string_equal(trace.text, "bdea");
    fake.now_us += 1;
    fake_run(&fake);
    assert_string_equal(trace.text, "bdeac");
    node_env_advance_timers(node_env, 1);
    node_env_free(node_env);
}

TEST(the_peers_clock_stands_still_and_moves_with_the_wall_clock_that_is_set)
{
    struct fake fake = {.now_us = 7};
    struct env real = fake_env(&fake);
    struct node_env *node_env = node_env_new(&real);
    const struct env *env = node_env_peers(node_env);
    struct trace trace = {""};
    struct mark a = {&trace, 'a'}, b = {&trace, 'b'}, c = {&trace, 'c'};
    node_env_set_mock_time(node_env, 2000000000); /* at the start nothing waits yet */
    assert_int_equal(env_now_us(env), 7);
    env_timer_start(env, 60000000, note, &a);
    env_timer_start(env, 60000001, note, &b);
    env_timer_start(env, 1000, note, &c); /* as good as now */
    fake.now_us += 70000000;
    fake_run(&fake);
    assert_string_equal(trace.text, "c");
    assert_int_equal(env_now_us(env), 7);
    node_env_set_mock_time(node_env, 1999999990); /* back: nothing moves */
    assert_int_equal(env_now_us(env), 7);
    node_env_set_mock_time(node_env, 2000000049); /* and on from there */
    assert_int_equal(env_now_us(env), 59000007);
    node_env_set_mock_time(node_env, 2000000050);
    fake_run(&fake);
    assert_string_equal(trace.text, "ca");
    node_env_set_mock_time(node_env, 0); /* it runs again, from where it stood */
    assert_int_equal(env_now_us(env), 60000007);
    fake.now_us++;
    fake_run(&fake);
    assert_string_equal(trace.text, "cab");
    assert_int_equal(env_now_us(env), 60000008);
    assert_int_equal(env_unix_s(env), 1234567890);
    node_env_free(node_env);
}

TEST(all_clocks_but_the_peers_run_on_while_the_wall_clock_is_set)
{
    struct fake fake = {.now_us = 7};
    struct env real = fake_env(&fake);
    struct node_env *node_env = node_env_new(&real);
    const struct env *env = node_env_env(node_env), *peers = node_env_peers(node_env);
    struct trace trace = {""};
    struct mark a = {&trace, 'a'}, b = {&trace, 'b'};
    env_timer_start(env, 2000, note, &a);
    env_timer_start(peers, 2000, note, &b);
    node_env_set_mock_time(node_env, 1234567890);
    node_env_advance_timers(node_env, 1); /* the peers' are none of those */
    fake.now_us += 1999;
    fake_run(&fake);
    assert_string_equal(trace.text, "a");
    assert_int_equal(env_now_us(env), 2006);
    node_env_set_mock_time(node_env, INT64_MAX);
    fake_run(&fake);
    assert_string_equal(trace.text, "ab");
    assert_int_equal(env_now_us(env), 2006);
    node_env_free(node_env);
}

TEST(freeing_the_view_cancels_its_timers)
{
    struct fake fake = {0};
    struct env real = fake_env(&fake);
    struct node_env *node_env = node_env_new(&real);
    const struct env *env = node_env_env(node_env);
    struct trace trace = {""};
    struct mark a = {&trace, 'a'};
    env_timer_start(env, 10, note, &a);
    env_timer_start(env, 10, note, &a);
    assert_int_equal(fake.n, 2);
    node_env_free(node_env);
    assert_int_equal(fake.n, 0);
}

TEST(everything_but_the_clock_is_the_worlds_own)
{
    struct fake fake = {0};
    struct env real = fake_env(&fake);
    struct node_env *node_env = node_env_new(&real);
    const struct env *env = node_env_env(node_env);
    assert_memory_equal(&env->random, &real.random, sizeof real - offsetof(struct env, random));
    assert_int_equal(offsetof(struct env, clock), 0); /* so nothing was left out */
    assert_int_equal(env_make_dir(env, "here"), -28);
    assert_string_equal(fake.made, "here");
    fake.now_us = 77;
    assert_int_equal(env_now_us(env), 77);
    node_env_free(node_env);
}
