/* writes.c - see writes.h. */
#include "chain/disk/writes.h"

#include <errno.h>

void writes_init(struct writes *writes, struct chain_core *core)
{
    ASSERT(core);
    *writes = (struct writes){.core = core};
}

unsigned writes_start(struct writes *writes, size_t bytes, bool is_undo)
{
    writes->pending[writes->epoch]++;
    writes->n_undo += is_undo;
    writes->bytes += bytes;
    ASSERT(writes->n_undo <= writes_pending(writes));
    return writes->epoch;
}

void writes_done(struct writes *writes, unsigned epoch, size_t bytes, bool is_undo, int error)
{
    struct chain_core *core = writes->core;
    ASSERT(epoch < 2 && writes->pending[epoch] > 0 && writes->bytes >= bytes);
    ASSERT(!is_undo || writes->n_undo > 0);
    writes->pending[epoch]--;
    writes->n_undo -= is_undo;
    writes->bytes -= bytes;
    if (error && !(error == -ECANCELED && core->faulted))
        core_fault(core, error, "writing block files");
    core_wake(core);
}

bool writes_have_room(const struct writes *writes)
{
    size_t limit = writes->core->options.unwritten_max;
    return writes->bytes < (limit ? limit : CHAIN_UNWRITTEN_MAX);
}

size_t writes_pending(const struct writes *writes)
{
    return writes->pending[0] + writes->pending[1];
}

void writes_begin_epoch(struct writes *writes)
{
    ASSERT(writes_are_drained(writes));
    writes->epoch ^= 1;
}

bool writes_are_drained(const struct writes *writes)
{
    return writes->pending[writes->epoch ^ 1] == 0;
}

static bool is_busy(const void *part)
{
    return writes_pending(part) > 0;
}

const struct chain_part writes_part = {.is_busy = is_busy};
