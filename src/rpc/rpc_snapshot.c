/* rpc_snapshot.c - dumptxoutset, loadtxoutset: the set of coins as a file. */
#include <errno.h>
#include <stdio.h>

#include "mempool/mempool.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"

/* The last block of which this release vouches for the coins. */
static const struct block_node *last_known(struct rpc_call *call)
{
    const struct network *network = call->rpc->node->network;
    ASSERT(network->n_snapshots > 0);
    return chain_json_at_height(call, network->snapshots[network->n_snapshots - 1].height);
}

/* Which block is meant; *target NULL: the tip. False after an error, each in Core's words. */
static bool read_target(struct rpc_call *call, const struct block_node **target)
{
    const char *type = rpc_arg_string(call, 1, "");
    const struct json_value *options = rpc_arg(call, 2);
    const struct json_value *rollback = options ? json_find(options, "rollback") : NULL;
    bool is_rollback = strcmp(type, "rollback") == 0;
    *target = NULL;
    if (rollback && *type && !is_rollback)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid snapshot type \"" RPC_TEXT "\" specified with rollback option",
                          type);
    if (!rollback && !is_rollback) {
        if (strcmp(type, "latest") == 0)
            return true;
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid snapshot type \"" RPC_TEXT "\" specified. Please specify "
                          "\"rollback\" or \"latest\"",
                          type);
    }
    *target = rollback ? chain_json_read_hash_or_height(call, rollback) : last_known(call);
    return *target != NULL;
}

static bool exists(const struct rpc_call *call, const char *path)
{
    struct env_file *file;
    int error = env_file_open(call->rpc->node->env, path, ENV_OPEN_READ, &file);
    if (!error)
        env_file_close(call->rpc->node->env, file);
    return error != -ENOENT && error != -ENOTDIR;
}

static char *absolute_path(struct rpc_call *call)
{
    const char *path = rpc_arg_string(call, 0, ""), *folder = call->rpc->node->data_dir;
    size_t size = strlen(folder) + 1 + strlen(path) + 1;
    char *absolute = arena_alloc(&call->arena, size);
    snprintf(absolute, size, "%s%s%s", *path == '/' ? "" : folder, *path == '/' ? "" : "/", path);
    return absolute;
}

static void on_dumped(void *arg, int error, const struct coin_dump *dump)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    if (error == -ENODATA) {
        rpc_fail(call, RPC_MISC_ERROR, "Could not roll back to requested height.");
    } else if (error) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "%s: %s",
                 error == -EUCLEAN ? "Unable to read UTXO set" : "Unable to write the file",
                 error == -ECANCELED ? "Shutting down" : strerror(-error));
    } else {
        json_open_object(out);
        json_field_int(out, "coins_written", (int64_t)dump->n_coins);
        json_field_id(out, "base_hash", dump->base->hash.b);
        json_field_int(out, "base_height", dump->base->height);
        json_field_string(out, "path", call->state);
        json_field_id(out, "txoutset_hash", dump->coins_hash);
        json_field_int(out, "nchaintx", (int64_t)dump->base->chain_tx);
        json_close_object(out);
    }
    rpc_finish(call);
}

enum rpc_progress rpc_dumptxoutset(struct rpc_call *call)
{
    struct chain *chain = call->rpc->node->chain;
    const struct block_node *target;
    if (!read_target(call, &target))
        return RPC_DONE;
    char *path = absolute_path(call);
    if (exists(call, path))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "%s already exists. If you are sure this is what you want, move it out of "
                        "the way first",
                        path);
    if (target && chain_prune_height(chain) > target->height)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "Could not roll back to requested height since necessary block data is "
                        "already pruned.");
    call->state = path;
    int error = chain_dump_coins(chain, path, target, on_dumped, call);
    if (error == -EBUSY)
        return rpc_fail(call, RPC_MISC_ERROR, "Another file of unspent outputs is being written");
    if (error)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Couldn't open file %s" COIN_DUMP_PART_SUFFIX " for writing.", path);
    return RPC_PENDING;
}

/* -- loadtxoutset ------------------------------------------------------------------------- */

/* What waits spends coins as they are now. Core asks the same. */
static bool is_mempool_empty(void *arg)
{
    const struct rpc_call *call = arg;
    return !call->rpc->node->mempool || mempool_count(call->rpc->node->mempool) == 0;
}

static void on_loaded(void *arg, int error, const struct coin_load *load)
{
    struct rpc_call *call = arg;
    struct json_out *out = &call->out;
    const char *path = call->state;
    if (load->why && load->is_head) {
        rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Unable to parse metadata: %s", load->why);
    } else if (load->why) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to load UTXO snapshot: %s. (%s)", load->why,
                 path);
    } else if (error) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to load UTXO snapshot: %s. (%s)",
                 error == -ECANCELED ? "Shutting down" : strerror(-error), path);
    } else {
        json_open_object(out);
        json_field_int(out, "coins_loaded", (int64_t)load->n_coins);
        json_field_id(out, "tip_hash", load->base->hash.b);
        json_field_int(out, "base_height", load->base->height);
        json_field_string(out, "path", path);
        json_close_object(out);
    }
    rpc_finish(call);
}

enum rpc_progress rpc_loadtxoutset(struct rpc_call *call)
{
    char *path = absolute_path(call);
    call->state = path;
    struct coin_load_order order = {
        .path = path, .may_change = is_mempool_empty, .done = on_loaded, .arg = call};
    int error = chain_load_coins(call->rpc->node->chain, &order);
    if (error == -EBUSY)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "Another snapshot is being loaded");
    if (error == -ECANCELED)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    if (error)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Couldn't open file %s for reading.", path);
    return RPC_PENDING;
}
