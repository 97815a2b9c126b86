/* chain_core.c - see chain_core.h. */
#include "chain/core/chain_core.h"

#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

void core_init(struct chain_core *core, const struct env *env, const struct log *log,
               const struct network *network, const struct chain_options *options,
               const struct chain_events *events)
{
    ASSERT(env && network && options->data_dir);
    *core = (struct chain_core){
        .env = env, .log = log, .network = network, .options = *options, .events = *events};
    core->data_dir = xstrdup(options->data_dir);
    atomic_init(&core->stops_jobs, false);
    scratch_pool_init(&core->scratch);
    struct siphash_key salt;
    env_random(env, &salt, sizeof salt);
    script_cache_init(&core->script_cache, options->script_cache_bytes, salt);
}

void core_set_turn(struct chain_core *core, void (*turn)(void *arg), void *arg)
{
    ASSERT(turn && !core->turn && !core->is_open);
    core->turn = turn;
    core->turn_arg = arg;
}

void core_deinit(struct chain_core *core)
{
    ASSERT(core->ops_pending == 0 && !core->in_turn);
    core_stop_turns(core);
    script_cache_deinit(&core->script_cache);
    scratch_pool_deinit(&core->scratch);
    xfree(core->data_dir);
}

bool core_is_working(const struct chain_core *core)
{
    return core->is_open && !core->closing && !core->faulted;
}

int64_t core_now_s(const struct chain_core *core)
{
    return env_unix_s(core->env);
}

/* -- Operations and turns ---------------------------------------------------------------------- */

void core_begin(struct chain_core *core)
{
    core->ops_pending++;
    ASSERT(core->ops_pending > 0);
}

void core_end(struct chain_core *core)
{
    ASSERT(core->ops_pending > 0);
    core->ops_pending--;
    core_ended(core);
}

void core_ended(struct chain_core *core)
{
    if (core->closing)
        core_wake_soon(core);
}

static void take_turn(struct chain_core *core)
{
    ASSERT(core->turn && !core->in_turn);
    core->in_turn = true;
    core->turn(core->turn_arg);
    core->in_turn = false;
}

static void on_turn_timer(void *arg)
{
    struct chain_core *core = arg;
    core->turn_timer = 0;
    take_turn(core);
}

void core_wake(struct chain_core *core)
{
    /* Within a turn a part may be amid its step: what is new is looked at in the next one. */
    if (core->in_turn)
        core_wake_soon(core);
    else
        take_turn(core);
}

void core_wake_soon(struct chain_core *core)
{
    /* However many parts ask, one turn answers all of them. */
    if (core->turn_timer == 0)
        core->turn_timer = env_timer_start(core->env, 0, on_turn_timer, core);
}

void core_stop_turns(struct chain_core *core)
{
    if (core->turn_timer)
        env_timer_cancel(core->env, core->turn_timer);
    core->turn_timer = 0;
}

/* -- Failing ----------------------------------------------------------------------------------- */

void core_fault(struct chain_core *core, int error, const char *what)
{
    char message[300];
    ASSERT(error < 0);
    snprintf(message, sizeof message, "%s: %s", what, strerror(-error));
    core_fault_because(core, message);
}

void core_fault_because(struct chain_core *core, const char *message)
{
    ASSERT(message);
    if (core->faulted)
        return; /* what fails after the first fault mostly follows from it, and would mislead */
    core->faulted = true;
    log_error(core->log, "%s", message);
    if (core->events.fault)
        core->events.fault(core->events.ctx, message);
}

void core_warn(struct chain_core *core, const char *message)
{
    ASSERT(message);
    log_warning(core->log, "%s", message);
    if (core->events.warning)
        core->events.warning(core->events.ctx, message);
}
