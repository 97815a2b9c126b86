/* sim_lanes.h - clocks beside one another, moved by several threads: the same run by any number.
 *
 * Layer: sim. There is a base, and lanes on it, one for each machine. Whatever a lane sends to
 * another takes at least a time, so that all lanes may be moved through a window of that length
 * without regard to each other; what they have sent is handed over after it. What a lane sends to
 * the base takes no time: it happens there after the window, in its order, before the next one.
 *
 * Where windows begin and end depends on events alone, and the order of those on a clock on nobody
 * but who made them (sim_events.h): the number of threads is seen in nothing but the time that a
 * run takes. */
#ifndef SIM_SIM_LANES_H
#define SIM_SIM_LANES_H

#include "sim/sim_events.h"
#include "util/team.h"

struct sim_lanes;

/* n lanes, on which nothing happens yet. Borrows base, and team, which may be NULL: the caller's
 * thread alone. Owns: the caller. */
struct sim_lanes *sim_lanes_new(struct sim_events *base, size_t n, const struct team *team);
/* Nothing must be left that owns what its events point to. */
void sim_lanes_free(struct sim_lanes *lanes);
/* The i-th clock. */
struct sim_events *sim_lanes_at(struct sim_lanes *lanes, size_t i);
/* True while lanes are moved: then code of the i-th machine must touch nothing but its own, and
 * tells others by sim_events_send(). */
bool sim_lanes_are_moving(const struct sim_lanes *lanes);
/* Run the next window, which is least_us long at most, or the base's next event. False: there is
 * nothing until limit_us. What is sent between lanes takes at least least_us, which may be 0. */
bool sim_lanes_step(struct sim_lanes *lanes, int64_t least_us, int64_t limit_us);
/* Hand over all that was sent. */
void sim_lanes_settle(struct sim_lanes *lanes);

#endif
