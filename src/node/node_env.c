/* node_env.c - see node_env.h */
#include "node/node_env.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/hash_map.h"
#include "util/list.h"

#define JUMP_MAX_S (INT64_C(100) * 366 * 86400) /* no sum of a few overflows */

struct node_timer {
    struct node_env *owner;
    struct list_link link;
    uint64_t id, real_id;
    int64_t due_us;
    env_timer_fn *fn;
    void *arg;
};

struct node_env {
    struct env env;
    const struct env *real;
    _Atomic int64_t mock_time_s; /* read by any thread; 0: off */
    _Atomic int64_t ahead_us;    /* of real's now_us: what the wall clock was set forward */
    struct hash_map timers;      /* by id */
    struct list in_order;        /* of creation */
    uint64_t last_id;
};

/* -- Time ------------------------------------------------------------------------------------ */

static int64_t unix_s(void *ctx)
{
    struct node_env *node_env = ctx;
    int64_t mock_s = atomic_load_explicit(&node_env->mock_time_s, memory_order_relaxed);
    return mock_s ? mock_s : env_unix_s(node_env->real);
}

static uint64_t hash_id(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15);
}

static bool has_id(const void *value, const void *key)
{
    const uint64_t *id = key;
    return ((const struct node_timer *)value)->id == *id;
}

static void timer_unlink(struct node_timer *timer)
{
    struct node_env *owner = timer->owner;
    hash_map_remove(&owner->timers, hash_id(timer->id), has_id, &timer->id);
    list_remove(&owner->in_order, &timer->link);
}

static void on_timer(void *arg)
{
    struct node_timer *timer = arg;
    env_timer_fn *fn = timer->fn;
    void *fn_arg = timer->arg;
    timer_unlink(timer);
    xfree(timer);
    fn(fn_arg);
}

static uint64_t timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    struct node_env *node_env = ctx;
    const struct env *real = node_env->real;
    int64_t now_us = env_now_us(real);
    if (delay_us < 0)
        delay_us = 0;
    if (delay_us > INT64_MAX - now_us)
        delay_us = INT64_MAX - now_us;
    struct node_timer *timer = xcalloc(1, sizeof *timer);
    *timer = (struct node_timer){.owner = node_env,
                                 .id = ++node_env->last_id,
                                 .due_us = now_us + delay_us,
                                 .fn = fn,
                                 .arg = arg};
    list_add(&node_env->in_order, &timer->link);
    hash_map_insert(&node_env->timers, hash_id(timer->id), timer);
    timer->real_id = env_timer_start(real, delay_us, on_timer, timer);
    return timer->id;
}

static void timer_drop(struct node_timer *timer)
{
    const struct env *real = timer->owner->real;
    env_timer_cancel(real, timer->real_id);
    timer_unlink(timer);
    xfree(timer);
}

static void timer_cancel(void *ctx, uint64_t id)
{
    struct node_env *node_env = ctx;
    struct node_timer *timer = hash_map_find(&node_env->timers, hash_id(id), has_id, &id);
    if (timer)
        timer_drop(timer);
}

static int compare_timers(const void *a, const void *b)
{
    const struct node_timer *const *left = a, *const *right = b;
    if ((*left)->due_us != (*right)->due_us)
        return (*left)->due_us < (*right)->due_us ? -1 : 1;
    return (*left)->id < (*right)->id ? -1 : 1;
}

void node_env_advance_timers(struct node_env *node_env, int64_t delta_us)
{
    ASSERT(delta_us >= 0);
    size_t n = node_env->timers.count, i = 0;
    if (n == 0)
        return;
    const struct env *real = node_env->real;
    int64_t now_us = env_now_us(real);
    struct node_timer **timers = xcalloc(n, sizeof *timers);
    LIST_EACH (struct node_timer, t, &node_env->in_order, link) {
        t->due_us -= delta_us;
        timers[i++] = t;
    }
    /* Started anew in the order in which they are due: those that are overdue all get no delay,
     * and equal times fire in the order of their start. */
    qsort(timers, n, sizeof *timers, compare_timers);
    for (i = 0; i < n; i++) {
        struct node_timer *t = timers[i];
        env_timer_cancel(real, t->real_id);
        int64_t delay_us = t->due_us > now_us ? t->due_us - now_us : 0;
        t->real_id = env_timer_start(real, delay_us, on_timer, t);
    }
    xfree(timers);
}

/* Peers' timeouts are told in seconds of the wall clock by whoever sets it, as in Core, whose
 * peers' clock is the mocked one. Real time goes on as well; setting back moves nothing. */
void node_env_set_mock_time(struct node_env *node_env, int64_t time_s)
{
    ASSERT(node_env);
    int64_t jump_s = time_s ? time_s - unix_s(node_env) : 0;
    atomic_store_explicit(&node_env->mock_time_s, time_s, memory_order_relaxed);
    if (jump_s <= 0 || node_env->in_order.count == 0)
        return;
    if (jump_s > JUMP_MAX_S)
        jump_s = JUMP_MAX_S;
    atomic_fetch_add_explicit(&node_env->ahead_us, jump_s * 1000000, memory_order_relaxed);
    node_env_advance_timers(node_env, jump_s * 1000000);
}

static int64_t now_us(void *ctx)
{
    struct node_env *node_env = ctx;
    const struct env *real = node_env->real;
    return env_now_us(real) + atomic_load_explicit(&node_env->ahead_us, memory_order_relaxed);
}

struct node_env *node_env_new(const struct env *real)
{
    struct node_env *node_env = xcalloc(1, sizeof *node_env);
    node_env->env = *real; /* all but the clock is the world's own */
    node_env->env.clock = (struct env_clock){.ctx = node_env,
                                             .now_us = now_us,
                                             .unix_s = unix_s,
                                             .timer_start = timer_start,
                                             .timer_cancel = timer_cancel};
    node_env->real = real;
    hash_map_init(&node_env->timers);
    return node_env;
}

void node_env_free(struct node_env *node_env)
{
    if (!node_env)
        return;
    LIST_EACH_REMOVING (struct node_timer, timer, &node_env->in_order, link)
        timer_drop(timer);
    hash_map_deinit(&node_env->timers);
    xfree(node_env);
}

const struct env *node_env_env(const struct node_env *node_env)
{
    return &node_env->env;
}
