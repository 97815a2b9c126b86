/* rpc_mempool_file.c - the mempool written to a file, and one taken from a file. */
#include "mempool/mempool_file.h"

#include <stdio.h>
#include <string.h>

#include "rpc/methods.h"

/* -- savemempool -------------------------------------------------------------------------- */

static void on_saved(void *arg, int error)
{
    ASSERT(error <= 0);
    struct rpc_call *call = arg;
    if (error) {
        rpc_fail(call, RPC_MISC_ERROR, "Unable to dump mempool to disk");
    } else {
        json_open_object(&call->out);
        json_field_string(&call->out, "filename", call->state);
        json_close_object(&call->out);
    }
    rpc_finish(call);
}

enum rpc_progress rpc_savemempool(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    if (mempool_file_is_expected(node->mempool))
        return rpc_fail(call, RPC_MISC_ERROR, "The mempool was not loaded yet");
    size_t size = strlen(node->data_dir) + sizeof "/mempool.dat";
    char *path = arena_alloc(&call->arena, size);
    snprintf(path, size, "%s/mempool.dat", node->data_dir);
    call->state = path;
    mempool_file_save(node->mempool, path, on_saved, call);
    return RPC_PENDING;
}

/* -- importmempool ------------------------------------------------------------------------ */

/* What the mempool refuses of the file's transactions is no error, as in Core. */
static void on_imported(void *arg, const struct mempool_load *load)
{
    struct rpc_call *call = arg;
    log_printf(call->rpc->node->log, LOG_ALWAYS,
               "mempool file imported: %zu transactions taken, %zu refused, %zu too old%s",
               load->n_taken, load->n_refused, load->n_expired,
               load->error ? "; the rest of it cannot be read" : "");
    if (load->error) {
        rpc_fail(call, RPC_MISC_ERROR, "Unable to import mempool file, see debug log for details.");
    } else {
        json_open_object(&call->out);
        json_close_object(&call->out);
    }
    rpc_finish(call);
}

/* A bool of the options; *value is its default. */
static bool read_option(struct rpc_call *call, const char *name, bool *value)
{
    const struct json_value *options = rpc_arg(call, 1);
    const struct json_value *option = options ? json_find(options, name) : NULL;
    if (!option || option->kind == JSON_KIND_NULL)
        return true;
    *value = option->boolean;
    return rpc_expect_kind(call, option, JSON_KIND_BOOL);
}

enum rpc_progress rpc_importmempool(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    bool current_time = true, deltas = false, unbroadcast = false;
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    if (chain_is_initial_download(node->chain))
        return rpc_fail(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD,
                        "Can only import the mempool after the block download and sync is done.");
    if (!read_option(call, "use_current_time", &current_time) ||
        !read_option(call, "apply_fee_delta_priority", &deltas) ||
        !read_option(call, "apply_unbroadcast_set", &unbroadcast))
        return RPC_DONE;
    const struct mempool_load_options options = {.uses_current_time = current_time,
                                                 .leaves_deltas = !deltas,
                                                 .leaves_unbroadcast = !unbroadcast};
    mempool_file_load(node->mempool, rpc_arg_string(call, 0, ""), &options, on_imported, call);
    return RPC_PENDING;
}
