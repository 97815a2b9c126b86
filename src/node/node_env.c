/* node_env.c - see node_env.h
 *
 * A timer handed out is one of ours over one of the world, and its id stays when that is started
 * anew: whenever a clock is set, all timers that are due by it are. */
#include "node/node_env.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/hash_map.h"
#include "util/list.h"

#define JUMP_MAX_S (INT64_C(100) * 366 * 86400) /* no sum of a few overflows */
#define AT_ONCE_US 1000 /* so soon is as good as now, also where the clock stands still */

/* A timer that has not fired. due_us is of the clock that it is due by; fn and arg are the
 * caller's. In both the map and the list of its owner. */
struct node_timer {
    struct node_env *owner;
    struct list_link link;
    uint64_t id, real_id; /* real_id 0: does not run while the peers' clock stands still */
    bool is_peers;        /* due by the peers' clock */
    int64_t due_us;
    env_timer_fn *fn;
    void *arg;
};

/* env and peers are handed out by pointer, so it must not be moved. */
struct node_env {
    struct env env, peers;
    const struct env *real;
    _Atomic int64_t mock_time_s; /* read by any thread; 0: off */
    _Atomic int64_t offset_s;    /* likewise: of a clock that goes, from the real one */
    /* The peers' clock, for the loop thread alone. It never goes back. */
    bool is_still;
    int64_t still_us;       /* while it stands still */
    int64_t ahead_us;       /* of real's now_us, while it runs */
    struct hash_map timers; /* by id */
    struct list in_order;   /* of creation */
    uint64_t last_id;
};

/* -- Time ------------------------------------------------------------------------------------ */

static int64_t unix_s(void *ctx)
{
    struct node_env *node_env = ctx;
    int64_t mock_s = atomic_load_explicit(&node_env->mock_time_s, memory_order_relaxed);
    int64_t offset_s = atomic_load_explicit(&node_env->offset_s, memory_order_relaxed);
    /* At the last second that a header can name it stands still. */
    return mock_s ? mock_s
                  : MAX_OF(MIN_OF(env_unix_s(node_env->real) + offset_s, (int64_t)UINT32_MAX), 0);
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
    ASSERT(timer->owner->timers.count == timer->owner->in_order.count);
    struct node_env *owner = timer->owner;
    hash_map_remove(&owner->timers, hash_id(timer->id), has_id, &timer->id);
    list_remove(&owner->in_order, &timer->link);
}

/* Gone before it is told: what it calls may cancel its id, or start the next one. */
static void on_timer(void *arg)
{
    struct node_timer *timer = arg;
    ASSERT(timer->real_id != 0);
    env_timer_fn *fn = timer->fn;
    void *fn_arg = timer->arg;
    timer_unlink(timer);
    xfree(timer);
    fn(fn_arg);
}

static int64_t peers_now_us(void *ctx)
{
    const struct node_env *node_env = ctx;
    return node_env->is_still ? node_env->still_us
                              : env_now_us(node_env->real) + node_env->ahead_us;
}

static int64_t delay_us_of(const struct node_timer *timer)
{
    struct node_env *owner = timer->owner;
    int64_t now_us = timer->is_peers ? peers_now_us(owner) : env_now_us(owner->real);
    return timer->due_us > now_us ? timer->due_us - now_us : 0;
}

/* Have the world fire it when it is due; not while it is due by a clock that stands still. */
static void arm(struct node_timer *timer)
{
    ASSERT(timer->real_id == 0);
    const struct node_env *owner = timer->owner;
    int64_t delay_us = delay_us_of(timer);
    bool waits = timer->is_peers && owner->is_still && delay_us > AT_ONCE_US;
    timer->real_id = waits ? 0 : env_timer_start(owner->real, delay_us, on_timer, timer);
}

static void disarm(struct node_timer *timer)
{
    if (timer->real_id)
        env_timer_cancel(timer->owner->real, timer->real_id);
    timer->real_id = 0;
}

/* A timer of ours over one of the world: setting a clock can move it, and the id stays. */
static uint64_t start(struct node_env *node_env, bool is_peers, int64_t delay_us,
                      struct node_timer like)
{
    ASSERT(like.fn);
    int64_t now_us = is_peers ? peers_now_us(node_env) : env_now_us(node_env->real);
    delay_us = MAX_OF(delay_us, 0);
    delay_us = MIN_OF(delay_us, INT64_MAX - now_us);
    struct node_timer *timer = xcalloc(1, sizeof *timer);
    *timer = (struct node_timer){.owner = node_env,
                                 .id = ++node_env->last_id,
                                 .is_peers = is_peers,
                                 .due_us = now_us + delay_us,
                                 .fn = like.fn,
                                 .arg = like.arg};
    list_add(&node_env->in_order, &timer->link);
    hash_map_insert(&node_env->timers, hash_id(timer->id), timer);
    arm(timer);
    return timer->id;
}

static uint64_t timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    return start(ctx, false, delay_us, (struct node_timer){.fn = fn, .arg = arg});
}

static uint64_t peers_timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    return start(ctx, true, delay_us, (struct node_timer){.fn = fn, .arg = arg});
}

static void timer_drop(struct node_timer *timer)
{
    disarm(timer);
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
    int64_t left_us = delay_us_of(*left), right_us = delay_us_of(*right);
    if (left_us != right_us)
        return left_us < right_us ? -1 : 1;
    if ((*left)->due_us != (*right)->due_us)
        return (*left)->due_us < (*right)->due_us ? -1 : 1;
    return (*left)->id < (*right)->id ? -1 : 1;
}

/* After what they are due by has moved. Started anew in the order in which they are due: those that
 * are overdue all get no delay, and equal times fire in the order of their start. */
static void arm_again(struct node_env *node_env, bool is_peers)
{
    struct node_timer **timers = xcalloc(node_env->timers.count + 1, sizeof *timers);
    size_t n = 0;
    LIST_EACH (struct node_timer, t, &node_env->in_order, link)
        if (t->is_peers == is_peers)
            timers[n++] = t;
    qsort(timers, n, sizeof *timers, compare_timers);
    for (size_t i = 0; i < n; i++) {
        disarm(timers[i]);
        arm(timers[i]);
    }
    xfree(timers);
}

void node_env_advance_timers(struct node_env *node_env, int64_t delta_us)
{
    ASSERT(delta_us >= 0);
    LIST_EACH (struct node_timer, t, &node_env->in_order, link)
        if (!t->is_peers)
            t->due_us -= delta_us;
    arm_again(node_env, false);
}

/* The wall clock was set, by so much: the peers' stands still, and has moved forward with it. When
 * that is set back it stays where it is, and goes on from there: who came since waits as long as in
 * Core. */
static void stand_still(struct node_env *node_env, int64_t jump_s)
{
    jump_s = MAX_OF(jump_s, 0);
    jump_s = MIN_OF(jump_s, JUMP_MAX_S);
    node_env->still_us = peers_now_us(node_env) + jump_s * 1000000;
    node_env->is_still = true;
}

void node_env_set_mock_time(struct node_env *node_env, int64_t time_s)
{
    ASSERT(node_env);
    int64_t was_s = unix_s(node_env);
    atomic_store_explicit(&node_env->mock_time_s, time_s, memory_order_relaxed);
    if (time_s) {
        /* At the start nothing waits. */
        stand_still(node_env, node_env->in_order.count > 0 ? time_s - was_s : 0);
    } else {
        node_env->ahead_us = peers_now_us(node_env) - env_now_us(node_env->real);
        node_env->is_still = false;
    }
    arm_again(node_env, true);
}

int64_t node_env_offset_s(const struct node_env *node_env)
{
    return atomic_load_explicit(&node_env->offset_s, memory_order_relaxed);
}

int64_t node_env_mock_time_s(const struct node_env *node_env)
{
    return atomic_load_explicit(&node_env->mock_time_s, memory_order_relaxed);
}

int64_t node_env_real_s(const struct node_env *node_env)
{
    return env_unix_s(node_env->real);
}

bool node_env_may_offset(const struct node_env *node_env, int64_t offset_s)
{
    ASSERT(node_env);
    return offset_s >= -(int64_t)UINT32_MAX && offset_s <= UINT32_MAX;
}

void node_env_set_offset(struct node_env *node_env, int64_t offset_s)
{
    ASSERT(node_env);
    int64_t was_s = unix_s(node_env);
    atomic_store_explicit(&node_env->mock_time_s, 0, memory_order_relaxed);
    atomic_store_explicit(&node_env->offset_s, offset_s, memory_order_relaxed);
    /* At the start nothing waits. */
    int64_t jump_s = node_env->in_order.count > 0 ? unix_s(node_env) - was_s : 0;
    jump_s = MIN_OF(MAX_OF(jump_s, 0), JUMP_MAX_S);
    node_env->ahead_us = peers_now_us(node_env) - env_now_us(node_env->real) + jump_s * 1000000;
    node_env->is_still = false;
    arm_again(node_env, true);
}

static int64_t now_us(void *ctx)
{
    const struct node_env *node_env = ctx;
    return env_now_us(node_env->real);
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
    node_env->peers = node_env->env;
    node_env->peers.clock.now_us = peers_now_us;
    node_env->peers.clock.timer_start = peers_timer_start;
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
    ASSERT(node_env->timers.count == 0);
    hash_map_deinit(&node_env->timers);
    xfree(node_env);
}

const struct env *node_env_env(const struct node_env *node_env)
{
    ASSERT(node_env);
    return &node_env->env;
}

const struct env *node_env_peers(const struct node_env *node_env)
{
    ASSERT(node_env);
    return &node_env->peers;
}
