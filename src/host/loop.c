/* loop.c - see loop.h */
#include "host/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"

/* The low bits of a timer's id name its slot, the high bits count creations: ids of equal due
 * times therefore compare in order of creation, and a slot's next tenant has another id. */
#define SLOT_BITS 20
#define SLOT_MAX  ((uint64_t)1 << SLOT_BITS)

struct timer {
    int64_t due_us;
    uint64_t id;
    env_timer_fn *fn;
    void *arg;
};

struct timer_slot {
    uint64_t id;        /* 0: free */
    uint32_t heap_at;   /* where in the heap its timer is */
    uint32_t next_free; /* while free */
};

struct loop {
    struct event_base *base;
    /* The kernel's timer is set when the heap has a new first one. libevent's own would be set anew
     * in each turn of the loop: two system calls of five that a light call costs. */
    int timer_fd;
    struct event *timer_event; /* that timer_fd is due; added while there are timers */
    int64_t armed_us;          /* for the heap's first timer or earlier; INT64_MAX: it is not */
    struct timer *heap;        /* binary heap, earliest (due, id) first */
    struct timer_slot *slots;
    uint32_t n_timers, n_slots, capacity;
    uint32_t free_slot; /* UINT32_MAX: none */
    uint64_t created;
    bool stopping;
};

struct loop_waker {
    int fd;
    struct event *event;
    loop_wake_fn *fn;
    void *arg;
};

struct loop_signal {
    struct event *event;
    env_timer_fn *fn;
    void *arg;
};

/* -- Clocks ------------------------------------------------------------------------------- */

static int64_t clock_us(clockid_t id)
{
    struct timespec t;
    int rc = clock_gettime(id, &t);
    ASSERT(rc == 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t loop_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t loop_unix_s(void)
{
    return clock_us(CLOCK_REALTIME) / 1000000;
}

/* -- The heap of timers ------------------------------------------------------------------- */

static bool is_earlier(const struct timer *a, const struct timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->id < b->id;
}

static void heap_put(struct loop *loop, uint32_t at, struct timer timer)
{
    loop->heap[at] = timer;
    loop->slots[timer.id % SLOT_MAX].heap_at = at;
}

static void heap_move_up(struct loop *loop, uint32_t at, struct timer timer)
{
    while (at > 0 && is_earlier(&timer, &loop->heap[(at - 1) / 2])) {
        heap_put(loop, at, loop->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(loop, at, timer);
}

static void heap_move_down(struct loop *loop, uint32_t at, struct timer timer)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= loop->n_timers)
            break;
        if (child + 1 < loop->n_timers && is_earlier(&loop->heap[child + 1], &loop->heap[child]))
            child++;
        if (!is_earlier(&loop->heap[child], &timer))
            break;
        heap_put(loop, at, loop->heap[child]);
        at = child;
    }
    heap_put(loop, at, timer);
}

static void heap_remove(struct loop *loop, uint32_t at)
{
    ASSERT(at < loop->n_timers);
    struct timer_slot *slot = &loop->slots[loop->heap[at].id % SLOT_MAX];
    slot->id = 0;
    slot->next_free = loop->free_slot;
    loop->free_slot = (uint32_t)(slot - loop->slots);

    struct timer last = loop->heap[--loop->n_timers];
    if (at == loop->n_timers)
        return;
    if (at > 0 && is_earlier(&last, &loop->heap[(at - 1) / 2]))
        heap_move_up(loop, at, last);
    else
        heap_move_down(loop, at, last);
}

static uint32_t slot_take(struct loop *loop)
{
    if (loop->free_slot != UINT32_MAX) {
        uint32_t slot = loop->free_slot;
        loop->free_slot = loop->slots[slot].next_free;
        return slot;
    }
    if (loop->n_slots == loop->capacity) {
        loop->capacity = loop->capacity ? loop->capacity * 2 : 16;
        ASSERT(loop->capacity <= SLOT_MAX);
        loop->heap = xrealloc(loop->heap, loop->capacity, sizeof *loop->heap);
        loop->slots = xrealloc(loop->slots, loop->capacity, sizeof *loop->slots);
    }
    return loop->n_slots++;
}

/* INT64_MAX: never. What was due before is forgotten. */
static void set_alarm(struct loop *loop, int64_t due_us)
{
    struct itimerspec at = {0};
    if (due_us != INT64_MAX) {
        /* All zeros would be no time but none. */
        at.it_value.tv_sec = (time_t)(due_us / 1000000);
        at.it_value.tv_nsec = due_us % 1000000 * 1000 + 1;
    }
    int rc = timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    ASSERT(rc == 0);
    loop->armed_us = due_us;
}

/* An alarm that is due stays: who replaces a due timer in each turn would otherwise keep all timers
 * from firing. One that comes too early only arms again. */
static void arm(struct loop *loop)
{
    int64_t due_us = loop->n_timers > 0 ? loop->heap[0].due_us : INT64_MAX;
    if (loop->armed_us <= due_us && loop->n_timers > 0)
        return;
    if (loop->armed_us <= loop_now_us())
        return;
    if (loop->n_timers == 0)
        event_del(loop->timer_event);
    else if (!event_pending(loop->timer_event, EV_READ, NULL))
        event_add(loop->timer_event, NULL);
    set_alarm(loop, due_us);
}

/* Fire what was due and created when the batch began: a timer that starts itself again with no
 * delay gets one turn per turn of the loop, not the whole thread. */
static void on_timers(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct loop *loop = arg;
    loop->armed_us = INT64_MAX; /* arm() sets it anew, by which it is no longer due */
    int64_t began_us = loop_now_us();
    uint64_t id_end = (loop->created + 1) << SLOT_BITS;
    while (loop->n_timers > 0 && loop->heap[0].due_us <= began_us && loop->heap[0].id < id_end) {
        struct timer timer = loop->heap[0];
        heap_remove(loop, 0);
        timer.fn(timer.arg);
        if (loop_now_us() - began_us > LOOP_BATCH_US)
            break;
    }
    arm(loop);
}

uint64_t loop_timer_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    ASSERT(fn);
    struct loop *loop = ctx;
    int64_t now_us = loop_now_us();
    delay_us = MAX_OF(delay_us, 0);
    delay_us = MIN_OF(delay_us, INT64_MAX - now_us);

    uint32_t slot = slot_take(loop);
    uint64_t id = ++loop->created << SLOT_BITS | slot;
    loop->slots[slot].id = id;
    struct timer timer = {.due_us = now_us + delay_us, .id = id, .fn = fn, .arg = arg};
    heap_move_up(loop, loop->n_timers++, timer);
    if (loop->heap[0].id == id)
        arm(loop);
    return id;
}

void loop_timer_cancel(void *ctx, uint64_t id)
{
    struct loop *loop = ctx;
    uint64_t slot = id % SLOT_MAX;
    if (id == 0 || slot >= loop->n_slots || loop->slots[slot].id != id)
        return;
    bool was_first = loop->slots[slot].heap_at == 0;
    heap_remove(loop, loop->slots[slot].heap_at);
    if (was_first)
        arm(loop);
}

/* -- Wake-ups ------------------------------------------------------------------------------ */

void loop_wake(struct loop_waker *waker)
{
    uint64_t one = 1;
    ssize_t n;
    do {
        n = write(waker->fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
    /* EAGAIN means that the counter is full: the loop is woken anyway. */
    ASSERT(n == sizeof one || errno == EAGAIN);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct loop_waker *waker = arg;
    uint64_t count;
    /* Emptied before the work is looked at: a wake-up that comes meanwhile is not lost. */
    ssize_t n = read(fd, &count, sizeof count);
    ASSERT(n == sizeof count || errno == EAGAIN || errno == EINTR);
    if (waker->fn(waker->arg))
        loop_wake(waker);
}

struct loop_waker *loop_waker_new(struct loop *loop, loop_wake_fn *fn, void *arg)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct loop_waker *waker = xcalloc(1, sizeof *waker);
    *waker = (struct loop_waker){.fd = fd, .fn = fn, .arg = arg};
    waker->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_wake, waker);
    if (!waker->event || event_add(waker->event, NULL) != 0) {
        loop_waker_free(waker);
        return NULL;
    }
    return waker;
}

void loop_waker_free(struct loop_waker *waker)
{
    if (!waker)
        return;
    if (waker->event)
        event_free(waker->event);
    close(waker->fd);
    xfree(waker);
}

/* -- Signals ------------------------------------------------------------------------------ */

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    struct loop_signal *watch = arg;
    watch->fn(watch->arg);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, env_timer_fn *fn, void *arg)
{
    ASSERT(loop);
    struct loop_signal *watch = xcalloc(1, sizeof *watch);
    *watch = (struct loop_signal){.fn = fn, .arg = arg};
    watch->event = evsignal_new(loop->base, number, on_signal, watch);
    if (!watch->event || event_add(watch->event, NULL) != 0) {
        loop_signal_free(watch);
        return NULL;
    }
    return watch;
}

void loop_signal_free(struct loop_signal *watch)
{
    if (!watch)
        return;
    if (watch->event)
        event_free(watch->event);
    xfree(watch);
}

void loop_ignore_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    int rc = sigaction(SIGPIPE, &ignore, NULL) | sigaction(SIGXFSZ, &ignore, NULL);
    ASSERT(rc == 0);
}

/* -- The loop ------------------------------------------------------------------------------ */

struct loop *loop_new(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    /* No locks: only the loop thread touches the base. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (!base)
        return NULL;

    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->base = base;
    loop->free_slot = UINT32_MAX;
    loop->armed_us = INT64_MAX;
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    loop->timer_event = event_new(base, loop->timer_fd, EV_READ | EV_PERSIST, on_timers, loop);
    if (loop->timer_fd < 0 || !loop->timer_event) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->timer_event)
        event_free(loop->timer_event);
    if (loop->timer_fd >= 0)
        close(loop->timer_fd);
    event_base_free(loop->base);
    xfree(loop->heap);
    xfree(loop->slots);
    xfree(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

bool loop_run_once(struct loop *loop, bool wait)
{
    /* EXIT_ON_EMPTY is libevent's default; without any event left nothing can ever happen. */
    return event_base_loop(loop->base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK) == 0;
}

void loop_run(struct loop *loop)
{
    ASSERT(loop);
    while (!loop->stopping && loop_run_once(loop, true))
        continue;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}
