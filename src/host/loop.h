/* loop.h - the one thread that owns all mutable state: timers, wake-ups, signals.
 *
 * Layer: host. A libevent event_base with ordered timers on top. Everything is called on the
 * loop thread except loop_wake() and the clocks. No call back from here may block; batches are
 * cut after LOOP_BATCH_US so that sockets get their turn (the promise is 50 ms at most). */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/env.h"

struct event_base;
struct loop;
struct loop_waker;
struct loop_signal;

/* How long one batch of timers or wake-ups may run before sockets are looked at again. */
#define LOOP_BATCH_US 10000

/* Microseconds of the monotonic clock: for waiting and measuring. Any thread. */
int64_t loop_now_us(void);
/* Seconds of the wall clock, which may jump either way: for times that others see. Any thread. */
int64_t loop_unix_s(void);

/* Make a loop. Owns: the caller, freed with loop_free() after everything that was made on it.
 * Fails: NULL if the kernel gives no epoll or eventfd. */
NODISCARD struct loop *loop_new(void);
void loop_free(struct loop *loop); /* pending timers are dropped without a call */

/* The base that sockets are registered with. Owns: the loop. */
struct event_base *loop_base(struct loop *loop);

/* Run until loop_stop(). A stop that was asked for before the run ends it at once. */
void loop_run(struct loop *loop);
/* Run whatever is ready now, or wait until one thing is. Returns: false if nothing can happen. */
bool loop_run_once(struct loop *loop, bool wait);
/* Make loop_run() return after the current turn. */
void loop_stop(struct loop *loop);

/* Call fn(arg) once, delay_us (0 if negative) from now; equal times fire in order of creation.
 * Returns: an id, never 0 and never used again. */
uint64_t loop_timer_start(void *loop, int64_t delay_us, env_timer_fn *fn, void *arg);
/* Forget a timer. An id that fired, was cancelled, or is 0 does nothing. */
void loop_timer_cancel(void *loop, uint64_t id);

/* Work that other threads ask the loop to do. fn returns true if it stopped early and wants
 * another turn. */
typedef bool loop_wake_fn(void *arg);

/* Make a waker. Owns: the caller. Fails: NULL if no eventfd is to be had. */
NODISCARD struct loop_waker *loop_waker_new(struct loop *loop, loop_wake_fn *fn, void *arg);
/* Free a waker, which no thread may wake any more; a wake-up on its way is dropped. NULL is
 * allowed. */
void loop_waker_free(struct loop_waker *waker);
/* Have fn called on the loop thread soon; calls before it ran are merged. Any thread. */
void loop_wake(struct loop_waker *waker);

/* Call fn(arg) on the loop thread for each signal of that number. Only one loop of a process may
 * watch signals. Owns: the caller. Fails: NULL. */
NODISCARD struct loop_signal *loop_signal_new(struct loop *loop, int number, env_timer_fn *fn,
                                              void *arg);
/* Watch the signal no more. */
void loop_signal_free(struct loop_signal *watch);

/* Ignore SIGPIPE and SIGXFSZ: a peer that goes away and a file that may not grow (EFBIG) are errors
 * of one write, not the end of the process. */
void loop_ignore_signals(void);

#endif
