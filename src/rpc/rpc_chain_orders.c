/* rpc_chain_orders.c - orders to the chain: which branch to follow, what to check, what to drop. */
#include "rpc/chain_json.h"
#include "rpc/methods.h"

#define PRUNE_TIME_FROM    INT64_C(1000000000) /* larger heights are times */
#define PRUNE_TIME_SLACK_S INT64_C(7200)       /* block times may be that wrong */

static void on_order_done(void *arg, const struct verdict *verdict)
{
    struct rpc_call *call = arg;
    char text[256];
    if (verdict->code != REJECT_NONE)
        rpc_fail(call, RPC_DATABASE_ERROR, "%s", chain_json_verdict(verdict, text, sizeof text));
    rpc_finish_settled(call);
}

/* The three orders differ in what the chain is asked to do. */
static enum rpc_progress give_order(struct rpc_call *call,
                                    void (*order)(struct chain *, const struct block_hash *,
                                                  chain_order_fn *, void *))
{
    ASSERT(order);
    const struct block_node *node = chain_json_read_block(call, 0, "blockhash");
    if (!node)
        return RPC_DONE;
    order(call->rpc->node->chain, &node->hash, on_order_done, call);
    return RPC_PENDING;
}

enum rpc_progress rpc_invalidateblock(struct rpc_call *call)
{
    return give_order(call, chain_invalidate);
}

enum rpc_progress rpc_reconsiderblock(struct rpc_call *call)
{
    return give_order(call, chain_reconsider);
}

enum rpc_progress rpc_preciousblock(struct rpc_call *call)
{
    return give_order(call, chain_precious);
}

static void on_verified(void *arg, bool ok)
{
    struct rpc_call *call = arg;
    json_put_bool(&call->out, ok);
    rpc_finish(call);
}

enum rpc_progress rpc_verifychain(struct rpc_call *call)
{
    int32_t level = 3, n_blocks = 6;
    if (!rpc_arg_int32(call, 0, &level) || !rpc_arg_int32(call, 1, &n_blocks))
        return RPC_DONE;
    level = level < 0 ? 0 : level > 4 ? 4 : level;
    chain_verify(call->rpc->node->chain, level, n_blocks < 0 ? 0 : n_blocks, on_verified, call);
    return RPC_PENDING;
}

/* The first block of the active chain whose time (or that of one before it) is at least time_s;
 * -1 if there is none. The largest time up to a block never falls with height. */
static int64_t find_height_by_time(const struct chain *chain, int64_t time_s)
{
    int32_t low = 0, high = chain_tip(chain)->height + 1;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (chain_at(chain, middle)->time_max >= time_s)
            high = middle;
        else
            low = middle + 1;
    }
    return low > chain_tip(chain)->height ? -1 : low;
}

static void on_pruned(void *arg, int error)
{
    ASSERT(error <= 0);
    struct rpc_call *call = arg;
    if (error)
        rpc_fail(call, RPC_DATABASE_ERROR, "Unable to prune: %s", strerror(-error));
    else
        json_put_int(&call->out, chain_prune_height(call->rpc->node->chain) - 1);
    rpc_finish(call);
}

enum rpc_progress rpc_pruneblockchain(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    int32_t height_arg = 0;
    if (!chain_is_pruned(node->chain))
        return rpc_fail(call, RPC_MISC_ERROR,
                        "Cannot prune blocks because node is not in prune mode.");
    if (!rpc_arg_int32(call, 0, &height_arg))
        return RPC_DONE;
    int64_t height = height_arg, tip = chain_tip(node->chain)->height;
    if (height < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Negative block height.");
    if (height > PRUNE_TIME_FROM) {
        height = find_height_by_time(node->chain, height - PRUNE_TIME_SLACK_S);
        if (height < 0)
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Could not find block with at least the specified timestamp.");
    }
    if (tip < (int64_t)node->network->prune_after_height)
        return rpc_fail(call, RPC_MISC_ERROR, "Blockchain is too short for pruning.");
    if (height > tip)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Blockchain is shorter than the attempted prune height.");
    height = MIN_OF(height, tip - CHAIN_PRUNE_KEEP_BLOCKS);
    chain_prune_to(node->chain, (int32_t)(height < 0 ? -1 : height), on_pruned, call);
    return RPC_PENDING;
}
