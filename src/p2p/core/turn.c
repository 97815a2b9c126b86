/* turn.c - see turn.h. */
#include "p2p/core/turn.h"

#include "p2p/state.h"

int64_t p2p_now_us(const struct p2p *p2p)
{
    return env_now_us(p2p->env);
}

int64_t p2p_now_s(const struct p2p *p2p)
{
    return env_unix_s(p2p->env);
}

uint64_t p2p_random(const struct p2p *p2p, uint64_t below)
{
    uint64_t value;
    ASSERT(below > 0);
    env_random(p2p->env, &value, sizeof value);
    return value % below;
}

int64_t p2p_random_wait_us(const struct p2p *p2p, int64_t mean_us)
{
    ASSERT(mean_us > 0);
    /* Exponential, by von Neumann's way of comparing uniform draws: no logarithm, so the same on
     * every machine. */
    for (int64_t whole = 0;; whole++) {
        double first = (double)p2p_random(p2p, UINT64_C(1) << 53) / 9007199254740992.0;
        double last = first;
        bool is_odd = true;
        for (;;) {
            double next = (double)p2p_random(p2p, UINT64_C(1) << 53) / 9007199254740992.0;
            if (next >= last)
                break;
            last = next;
            is_odd = !is_odd;
        }
        if (is_odd)
            return (int64_t)(((double)whole + first) * (double)mean_us);
    }
}

static void on_timer(void *arg)
{
    struct p2p *p2p = arg;
    p2p->timer = 0;
    p2p->up->turn(p2p);
}

/* The timer rings no later than that. */
static void wake(struct p2p *p2p, int64_t at_us)
{
    int64_t now_us = p2p_now_us(p2p);
    if (at_us < now_us)
        at_us = now_us; /* so that what is due already is not replaced, and put off by that */
    if (!p2p->is_running || at_us == INT64_MAX || (p2p->timer && p2p->timer_us <= at_us))
        return;
    if (p2p->timer)
        env_timer_cancel(p2p->env, p2p->timer);
    p2p->timer_us = at_us;
    p2p->timer = env_timer_start(p2p->env, at_us - now_us, on_timer, p2p);
}

void p2p_schedule_part(struct p2p *p2p, enum turn_part part, int64_t at_us)
{
    ASSERT(part < TURN_PARTS);
    p2p->due_us[part] = MIN_OF(p2p->due_us[part], at_us);
    wake(p2p, at_us);
}

void p2p_schedule_part_now(struct p2p *p2p, enum turn_part part)
{
    p2p_schedule_part(p2p, part, 0);
}

void p2p_schedule(struct p2p *p2p, int64_t at_us)
{
    for (size_t i = 0; i < TURN_PARTS; i++)
        p2p->due_us[i] = MIN_OF(p2p->due_us[i], at_us);
    wake(p2p, at_us);
}

void p2p_schedule_now(struct p2p *p2p)
{
    p2p_schedule(p2p, 0);
}
