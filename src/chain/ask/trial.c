/* trial.c - see trial.h. */
#include "chain/ask/trial.h"

#include "chain/tree/node_view.h"
#include "consensus/block_check.h"
#include "consensus/pow.h"
#include "util/alloc.h"

/* One trial: waits for the chain to rest, then flies the block without committing it. */
struct trial {
    struct trials *trials;
    struct block_ref *ref;
    struct block_node node; /* of the block, in no tree */
    chain_order_fn *done;
    void *arg;
};

static void end(struct trial *trial, const struct verdict *verdict)
{
    struct trials *trials = trial->trials;
    ASSERT(verdict && trial->done);
    trial->done(trial->arg, verdict);
    block_ref_drop(trial->ref);
    xfree(trial);
    core_end(trials->core);
}

static void flight_ended(void *arg, const struct verdict *verdict)
{
    end(arg, verdict);
}

/* All that needs no coins. On the loop, since only our own user has blocks tried out. */
static bool check(const struct trial *trial, const struct block_node *tip, struct verdict *verdict)
{
    const struct trials *trials = trial->trials;
    const struct block *block = &trial->ref->block;
    struct header_context context = {
        .network = trials->core->network,
        .height = tip->height + 1,
        .bits_required =
            pow_next_bits(trials->core->network, block_node_view(), tip, block->header.time),
        .prev_time_s = tip->time,
        .prev_mtp_s = block_node_mtp(tip),
        .now_s = core_now_s(trials->core),
    };
    struct arena scratch;
    arena_init(&scratch, 64 << 10);
    /* In Core's order, which miners see: what the block says of itself first. */
    bool ok = block_check(block, trials->core->network, BLOCK_CHECK_MERKLE, &scratch, verdict) &&
              block_header_check_context(&block->header, &context, verdict) &&
              block_check_context(block, trials->core->network, context.height, context.prev_mtp_s,
                                  &scratch, verdict);
    arena_deinit(&scratch);
    return ok;
}

static void chain_rests(void *arg, const struct verdict *rest_verdict)
{
    struct trial *trial = arg;
    struct trials *trials = trial->trials;
    struct block_node *tip = active_chain_tip(trials->active);
    const struct block *block = &trial->ref->block;
    struct verdict verdict = *rest_verdict;
    if (verdict.code == REJECT_NONE && !block_hash_equal(&block->header.prev, &tip->hash))
        verdict.code = REJECT_PREVBLK_NOT_BEST;
    if (verdict.code != REJECT_NONE || !check(trial, tip, &verdict)) {
        end(trial, &verdict);
        return;
    }
    if (trials->pipeline->flights.n > 0) { /* somebody else's trial was faster */
        waiters_await_rest(trials->waiters, chain_rests, trial);
        return;
    }
    trial->node = (struct block_node){
        .hash = block->hash,
        .prev = tip,
        .height = tip->height + 1,
        .time = block->header.time,
        .bits = block->header.bits,
        .version = block->header.version,
        .data = {.file = -1},
        .undo = {.file = -1},
    };
    struct flight *flight =
        flight_new(&trials->pipeline->flights, &trial->node, FLIGHT_CONNECT, trial->ref);
    flight->is_test = true;
    flight->test_done = flight_ended;
    flight->test_arg = trial;
    pipeline_start_test(trials->pipeline, flight);
}

void trial_start(struct trials *trials, struct block_ref *block, chain_order_fn *done, void *arg)
{
    struct trial *trial = xcalloc(1, sizeof *trial);
    ASSERT(block && done);
    trial->trials = trials;
    trial->ref = block_ref_hold(block);
    trial->done = done;
    trial->arg = arg;
    core_begin(trials->core);
    if (!core_is_working(trials->core)) {
        struct verdict verdict = {.code = REJECT_FAULT};
        end(trial, &verdict);
        return;
    }
    waiters_await_rest(trials->waiters, chain_rests, trial);
}
