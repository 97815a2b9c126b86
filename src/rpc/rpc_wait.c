/* rpc_wait.c - answers that come with a new tip, with time, or with the end of the node. */
#include "rpc/methods.h"

/* What the call waits for. In its arena, once it waits. */
struct wait {
    bool (*is_over)(const struct wait *wait, const struct block_node *tip);
    struct block_hash hash; /* is_other_block, is_that_block */
    int32_t height;         /* is_high_enough */
};

static bool is_other_block(const struct wait *wait, const struct block_node *tip)
{
    return !block_hash_equal(&wait->hash, &tip->hash);
}

static bool is_that_block(const struct wait *wait, const struct block_node *tip)
{
    return block_hash_equal(&wait->hash, &tip->hash);
}

static bool is_high_enough(const struct wait *wait, const struct block_node *tip)
{
    return tip->height >= wait->height;
}

static void write_tip(struct rpc_call *call)
{
    const struct block_node *tip = chain_tip(call->rpc->node->chain);
    json_open_object(&call->out);
    json_field_id(&call->out, "hash", tip->hash.b);
    json_field_int(&call->out, "height", tip->height);
    json_close_object(&call->out);
}

/* Also where time is over or the node stops: with the tip as it is then, as Core does. */
static void end_wait(struct rpc_call *call)
{
    ASSERT(call->state);
    write_tip(call);
    rpc_finish(call);
}

static void on_tip(struct rpc_call *call)
{
    const struct wait *wait = call->state;
    ASSERT(wait);
    if (wait->is_over(wait, chain_tip(call->rpc->node->chain)))
        end_wait(call);
}

static void on_timeout(void *arg)
{
    struct rpc_call *call = arg;
    call->timer = 0;
    end_wait(call);
}

/* Wait until is_over, at most as long as the argument at timeout_index says. */
static enum rpc_progress start_wait(struct rpc_call *call, const struct wait *wait,
                                    size_t timeout_index)
{
    int32_t timeout_ms = 0;
    if (!rpc_arg_int32(call, timeout_index, &timeout_ms))
        return RPC_DONE;
    if (timeout_ms < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "Negative timeout");
    if (call->rpc->is_interrupted || wait->is_over(wait, chain_tip(call->rpc->node->chain))) {
        write_tip(call);
        return RPC_DONE;
    }
    if (!rpc_park(call))
        return RPC_DONE;
    struct wait *kept = arena_alloc(&call->arena, sizeof *kept);
    *kept = *wait;
    call->state = kept;
    call->on_tip = on_tip;
    call->on_interrupt = end_wait;
    if (timeout_ms > 0)
        rpc_call_timer(call, timeout_ms, on_timeout);
    return RPC_PENDING;
}

enum rpc_progress rpc_waitfornewblock(struct rpc_call *call)
{
    struct wait wait = {.is_over = is_other_block, .hash = chain_tip(call->rpc->node->chain)->hash};
    const struct json_value *current = rpc_arg(call, 1);
    if (current && !rpc_read_id(call, current, "current_tip", wait.hash.b))
        return RPC_DONE;
    return start_wait(call, &wait, 0);
}

enum rpc_progress rpc_waitforblock(struct rpc_call *call)
{
    struct wait wait = {.is_over = is_that_block};
    if (!rpc_read_id(call, rpc_arg(call, 0), "blockhash", wait.hash.b))
        return RPC_DONE;
    return start_wait(call, &wait, 1);
}

enum rpc_progress rpc_waitforblockheight(struct rpc_call *call)
{
    struct wait wait = {.is_over = is_high_enough};
    if (!rpc_arg_int32(call, 0, &wait.height))
        return RPC_DONE;
    return start_wait(call, &wait, 1);
}
