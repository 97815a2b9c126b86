/* watchdog.c - see watchdog.h */
#include "host/watchdog.h"

#include <stdlib.h>
#include <unistd.h>

#include "host/loop.h"
#include "host/notify.h"
#include "util/alloc.h"
#include "util/parse.h"

#define PERIOD_US_MIN 1000 /* of what systemd grants: no more than 2,000 signs a second */

struct watchdog {
    struct loop *loop;
    uint64_t timer;
    int64_t period_us;
};

static void on_time(void *arg)
{
    struct watchdog *watchdog = arg;
    notify_systemd("WATCHDOG=1");
    watchdog->timer = loop_timer_start(watchdog->loop, watchdog->period_us / 2, on_time, watchdog);
}

/* Microseconds that systemd grants this process; 0: it is not watched. */
static int64_t granted_us(void)
{
    const char *period = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t us, for_whom;
    if (!period || !parse_int64(period, &us) || us < PERIOD_US_MIN)
        return 0;
    bool is_ours = !pid || (parse_int64(pid, &for_whom) && for_whom == getpid());
    return is_ours ? us : 0;
}

struct watchdog *watchdog_new(struct loop *loop)
{
    ASSERT(loop);
    int64_t us = granted_us();
    if (us == 0)
        return NULL;
    struct watchdog *watchdog = xcalloc(1, sizeof *watchdog);
    *watchdog = (struct watchdog){.loop = loop, .period_us = us};
    watchdog->timer = loop_timer_start(loop, 0, on_time, watchdog);
    return watchdog;
}

void watchdog_free(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    loop_timer_cancel(watchdog->loop, watchdog->timer);
    xfree(watchdog);
}
