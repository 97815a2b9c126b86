/* sim_events.h - the virtual clock and everything that will happen on it.
 *
 * Layer: sim. Time moves only by running the next event; equal times run in order of creation, so
 * a run depends on nothing but its seed. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/array.h"
#include "util/hash_map.h"

struct sim_event;

struct sim_events {
    ARRAY(struct sim_event *) heap; /* earliest first */
    struct hash_map by_id;
    int64_t now_us;
    uint64_t last_id;
};

/* No events; the clock says now_us. */
void sim_events_init(struct sim_events *events, int64_t now_us);
/* Forget what has not happened yet. */
void sim_events_deinit(struct sim_events *events);

/* Call fn(arg) when the clock reaches at_us (now, if that is past). Returns an id, never 0. */
uint64_t sim_events_add(struct sim_events *events, int64_t at_us, void (*fn)(void *arg), void *arg);
/* The same for one of several machines that share the clock: owner is only compared. */
uint64_t sim_events_add_for(struct sim_events *events, const void *owner, int64_t at_us,
                            void (*fn)(void *arg), void *arg);
/* Forget all that is owner's: its machine is gone, and what args point to with it. */
void sim_events_forget(struct sim_events *events, const void *owner);
/* Take an event back; one that is gone already is ignored. */
void sim_events_cancel(struct sim_events *events, uint64_t id);

/* Time of the next event; INT64_MAX if there is none. */
int64_t sim_events_next_us(const struct sim_events *events);
/* Move the clock to the next event and run it. False if there is none. */
bool sim_events_step(struct sim_events *events);

#endif
