/* watchdog.h - signs of life for systemd, which restarts what gives none (WatchdogSec=).
 *
 * Layer: host. Loop thread: that a timer of the loop runs is the sign. Twice in the time that
 * systemd grants, as sd_watchdog_enabled(3) advises. */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

#include "util/assert.h"

struct loop;
struct watchdog;

/* Begin to give them, if systemd wants them of this process. Returns: NULL if it does not. Owns:
 * the caller. */
struct watchdog *watchdog_new(struct loop *loop);
/* No more of them. NULL is allowed. */
void watchdog_free(struct watchdog *watchdog);

#endif
