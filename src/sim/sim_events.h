/* sim_events.h - the virtual clock and everything that will happen on it.
 *
 * Layer: sim. Time moves only by running the next event; equal times run in order of creation, so
 * a run depends on nothing but its seed.
 *
 * An event is a row of a table, and its place in a heap beside it; both are used again. A thousand
 * nodes have a hundred thousand events waiting and make millions a second, so that none of them is
 * allocated alone, looked up by hashing or found by searching. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/array.h"

#define SIM_EVENTS_MAX ((1 << 24) - 1) /* that wait at once */

/* One of several that share a clock. Zeros: nothing of his waits. */
struct sim_owner {
    uint32_t first_row; /* of his events; 0: none */
};

/* Ids count up in steps, so that they break ties in order of creation; what is below a step is the
 * number of the event's row. */
struct sim_event_place {
    int64_t at_us; /* never before the clock */
    uint64_t id;
};

struct sim_event_row {
    uint64_t id; /* 0: free */
    void (*fn)(void *arg);
    void *arg;
    struct sim_owner *owner;     /* or NULL */
    uint32_t place;              /* in the heap */
    uint32_t next_row, prev_row; /* of the same owner, or next: of those that are free */
};

struct sim_events {
    ARRAY(struct sim_event_place) heap; /* earliest first, four children each */
    ARRAY(struct sim_event_row) rows;   /* the first is never used */
    uint32_t free_row;                  /* 0: none */
    int64_t now_us;
    uint64_t n_made;
};

/* No events; the clock says now_us. */
void sim_events_init(struct sim_events *events, int64_t now_us);
/* Forget what has not happened yet. */
void sim_events_deinit(struct sim_events *events);

/* Call fn(arg) when the clock reaches at_us (now, if that is past). Returns an id, never 0. */
uint64_t sim_events_add(struct sim_events *events, int64_t at_us, void (*fn)(void *arg), void *arg);
/* The same for one of several machines that share the clock; owner may be NULL. */
uint64_t sim_events_add_for(struct sim_events *events, struct sim_owner *owner, int64_t at_us,
                            void (*fn)(void *arg), void *arg);
/* Forget all that is owner's: its machine is gone, and what args point to with it. */
void sim_events_forget(struct sim_events *events, struct sim_owner *owner);
/* Take an event back; one that is gone already is ignored. */
void sim_events_cancel(struct sim_events *events, uint64_t id);

/* Time of the next event; INT64_MAX if there is none. */
int64_t sim_events_next_us(const struct sim_events *events);
/* Move the clock to the next event and run it. False if there is none. */
bool sim_events_step(struct sim_events *events);

#endif
