/* node_env.h - the node's own view of the world: everything as it is, but time that tests can set.
 *
 * Layer: node. A struct env over another one. setmocktime replaces the wall clock, mockscheduler
 * moves the timers; both belong to one node, so nodes of one process do not disturb each other. */
#ifndef NODE_NODE_ENV_H
#define NODE_NODE_ENV_H

#include "util/assert.h"
#include "util/env.h"

struct node_env;

/* Make a view of real, which is borrowed for its life. Owns: the caller. */
NODISCARD struct node_env *node_env_new(const struct env *real);
/* Free it; timers that are still to fire are cancelled. */
void node_env_free(struct node_env *node_env); /* NULL is allowed */

/* The view to hand down. */
const struct env *node_env_env(const struct node_env *node_env);
/* The same for what speaks to peers, whose now_us and timers follow the wall clock that is set, as
 * in Core: they stand still with it, and move on when it is set forward. Never back: set back, they
 * stand still. What is due within a millisecond happens all the same. Loop thread. */
const struct env *node_env_peers(const struct node_env *node_env);

/* Let the wall clock stand still at unix_s, and the peers' with it; 0 gives back the one that goes.
 */
void node_env_set_mock_time(struct node_env *node_env, int64_t unix_s);
/* The real wall clock. */
int64_t node_env_real_s(const struct node_env *node_env);
/* How far the clock is from that while it goes. */
int64_t node_env_offset_s(const struct node_env *node_env);
/* What node_env_set_mock_time() has set; 0: the clock goes. */
int64_t node_env_mock_time_s(const struct node_env *node_env);
/* Would the time then be one that a header can have? */
bool node_env_may_offset(const struct node_env *node_env, int64_t offset_s);
/* Let the wall clock be that far from the real one, and go on. The peers' moves forward with it,
 * never back. What set_mock_time() has set is taken back. */
void node_env_set_offset(struct node_env *node_env, int64_t offset_s);
/* Make all timers but the peers' due delta_us sooner; they fire in the order of their times, then
 * creation.
 * Units: microseconds, not negative. */
void node_env_advance_timers(struct node_env *node_env, int64_t delta_us);

#endif
