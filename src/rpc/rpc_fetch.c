/* rpc_fetch.c - fetchtxoutset: a set of coins from peers. */
#include "rpc/methods.h"
#include "util/hex.h"

static void put_info(struct rpc_call *call)
{
    const struct rpc_coins_fetch *fetch = call->rpc->node->coins_fetch;
    struct json_out *out = &call->out;
    struct rpc_coins_fetch_info info;
    fetch->tell(fetch->ctx, &info);
    bool is_loaded = strcmp(info.state, "loaded") == 0;
    json_open_object(out);
    json_field_string(out, "state", info.state);
    if (info.n_chunks > 0 || is_loaded)
        json_field_id(out, "base_hash", info.base.b);
    if (info.n_chunks > 0) {
        json_field_int(out, "bytes", (int64_t)info.n_bytes);
        json_field_int(out, "chunks", info.n_chunks);
        json_field_int(out, "chunks_here", info.n_have);
        json_field_int(out, "peers", (int64_t)info.n_peers);
    }
    json_field_int(out, "refused", (int64_t)info.n_left);
    json_field_string(out, "path", info.path);
    if (info.error)
        json_field_string(out, "error", info.error);
    json_close_object(out);
}

static bool read_hash(struct rpc_call *call, size_t index, const char *name, uint8_t out[32])
{
    const char *text = rpc_arg_string(call, index, "");
    if (hex_decode_reversed(out, 32, text, strlen(text)))
        return true;
    return rpc_refuse(call, RPC_INVALID_PARAMETER,
                      "%s must be a hash of 64 hex digits, not '" RPC_TEXT "'", name, text);
}

/* Both hashes or none. */
static bool read_vouch(struct rpc_call *call, struct coin_vouch *vouch)
{
    int64_t chain_tx = 0;
    *vouch = (struct coin_vouch){0};
    if (!rpc_arg(call, 1) && !rpc_arg(call, 2))
        return true;
    if (!read_hash(call, 1, "blockhash", vouch->base.b) ||
        !read_hash(call, 2, "txoutset_hash", vouch->coins_hash) ||
        !rpc_arg_int64(call, 3, &chain_tx))
        return false;
    if (chain_tx < 0)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "nchaintx must not be negative");
    vouch->chain_tx = (uint64_t)chain_tx;
    return true;
}

enum rpc_progress rpc_fetchtxoutset(struct rpc_call *call)
{
    const struct rpc_coins_fetch *fetch = call->rpc->node->coins_fetch;
    const char *action = rpc_arg_string(call, 0, "");
    struct coin_vouch vouch;
    if (!fetch)
        return rpc_fail(call, RPC_CLIENT_P2P_DISABLED,
                        "Error: Peer-to-peer functionality missing or disabled");
    if (strcmp(action, "start") == 0) {
        if (!read_vouch(call, &vouch))
            return RPC_DONE;
        const char *error = fetch->start(fetch->ctx, &vouch);
        if (error)
            return rpc_fail(call, RPC_MISC_ERROR, "%s", error);
    } else if (strcmp(action, "stop") == 0) {
        (void)fetch->stop(fetch->ctx);
    } else if (strcmp(action, "status") != 0) {
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid action '" RPC_TEXT "'", action);
    }
    put_info(call);
    return RPC_DONE;
}
