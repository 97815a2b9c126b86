/* sim_events.h - the virtual clock and everything that will happen on it.
 *
 * Layer: sim. Time moves only by running the next event; equal times run in order of creation, so
 * a run depends on nothing but its seed.
 *
 * An event is a row of a table, and its place in a heap beside it; both are used again. A thousand
 * nodes have a hundred thousand events waiting and make millions a second, so that none of them is
 * allocated alone, looked up by hashing or found by searching.
 *
 * Several clocks may run beside one another: see sim_lanes.h. What one of them sends to another is
 * put in order by time, then by the sender's number, then by his count: neither who hands it over
 * matters, nor when. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/array.h"
#include "util/assert.h"

#define SIM_EVENTS_MAX ((1 << 24) - 1) /* that wait at once */

/* One of several that share a clock. Zeros: nothing of his waits. */
struct sim_owner {
    uint32_t first_row; /* of his events; 0: none */
};

struct sim_event_place {
    int64_t at_us;  /* never before the clock */
    uint64_t order; /* of equal times: who made it, then his count */
    uint32_t row;
};

struct sim_event_row {
    uint64_t id; /* counts up in steps; what is below one is the row's number. 0: free */
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
    int64_t now_us;                     /* of one of several: when it last ran */
    uint64_t n_made;                    /* events for itself and for others */
    uint64_t n_ids;
    /* If it is one of several; zeros: it is alone. */
    uint32_t number;
    const struct sim_events *base; /* the clock that it is never behind, or NULL */
    struct sim_part *part;         /* NULL: what it sends is handed over at once */
    size_t place, box;             /* in its part; where what is sent to it waits */
};

/* An event that one clock sends to another. */
struct sim_letter {
    struct sim_events *to;
    struct sim_owner *owner; /* of the event, or NULL */
    struct sim_event_place place;
    void (*fn)(void *arg);
    void *arg;
};

struct sim_box {
    ARRAY(struct sim_letter) letters;
    int64_t least_us; /* of their times; INT64_MAX: there are none */
};

/* Clocks that one thread moves. */
struct sim_part {
    int64_t *next_us;    /* of each of them, the time of its next event; INT64_MAX: none */
    int64_t least_us;    /* nothing of theirs is before that */
    struct sim_box *out; /* what they have sent, by whom it is for */
};

/* No events; the clock says now_us. */
void sim_events_init(struct sim_events *events, int64_t now_us);
/* Forget what has not happened yet. */
void sim_events_deinit(struct sim_events *events);

/* What the clock says; of one of several that is what its base says, if that is later. */
static inline int64_t sim_events_now_us(const struct sim_events *events)
{
    return events->base ? MAX_OF(events->now_us, events->base->now_us) : events->now_us;
}

/* Call fn(arg) when the clock reaches at_us (now, if that is past). Returns an id, never 0. */
uint64_t sim_events_add(struct sim_events *events, int64_t at_us, void (*fn)(void *arg), void *arg);
/* The same for one of several machines that share the clock; owner may be NULL. */
uint64_t sim_events_add_for(struct sim_events *events, struct sim_owner *owner, int64_t at_us,
                            void (*fn)(void *arg), void *arg);
/* Forget all that is owner's: its machine is gone, and what args point to with it. */
void sim_events_forget(struct sim_events *events, struct sim_owner *owner);
/* The same; drop(arg) frees what they point to. */
void sim_events_drop(struct sim_events *events, struct sim_owner *owner, void (*drop)(void *arg));
/* Take an event back; one that is gone already is ignored. */
void sim_events_cancel(struct sim_events *events, uint64_t id);

/* The same on another clock, which may be its own; owner is there. If another thread may be moving
 * that one, at_us must not be before the time up to which it does: see sim_lanes.h. */
void sim_events_send(struct sim_events *from, struct sim_events *to, struct sim_owner *owner,
                     int64_t at_us, void (*fn)(void *arg), void *arg);
/* Hand over what was sent. */
void sim_events_take(const struct sim_letter *letter);

/* Time of the next event; INT64_MAX if there is none. */
int64_t sim_events_next_us(const struct sim_events *events);
/* Move the clock to the next event and run it. False if there is none. */
bool sim_events_step(struct sim_events *events);

#endif
