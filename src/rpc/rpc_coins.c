/* rpc_coins.c - methods about unspent outputs. */
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/tx_json.h"

/* What the mempool says of an output. */
enum waiting_output {
    OUTPUT_NOT_WAITING, /* nothing: ask the chain */
    OUTPUT_WAITING,     /* it is made by a transaction that waits */
    OUTPUT_SPENT,       /* one that waits spends it */
};

static enum waiting_output find_waiting(const struct rpc_call *call,
                                        const struct outpoint *outpoint, struct coin *coin)
{
    const struct mempool *mempool = call->rpc->node->mempool;
    if (!mempool || !rpc_arg_bool(call, 2, true))
        return OUTPUT_NOT_WAITING;
    if (mempool_spender(mempool, outpoint))
        return OUTPUT_SPENT;
    const struct mempool_entry *entry = mempool_find(mempool, &outpoint->txid);
    if (!entry || outpoint->vout >= entry->tx.n_out)
        return OUTPUT_NOT_WAITING;
    const struct tx_out *out = &entry->tx.out[outpoint->vout];
    *coin = (struct coin){.value_sat = out->value_sat, .script_pubkey = out->script_pubkey};
    return OUTPUT_WAITING;
}

static void put_output(struct rpc_call *call, const struct coin *coin, bool is_waiting)
{
    const struct rpc_node *node = call->rpc->node;
    const struct block_node *tip = chain_tip(node->chain);
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_id(out, "bestblock", tip->hash.b);
    json_field_int(out, "confirmations", is_waiting ? 0 : tip->height - (int64_t)coin->height + 1);
    json_field_amount(out, "value", coin->value_sat);
    json_field_object(out, "scriptPubKey");
    tx_json_put_script(out, node->network, coin->script_pubkey, TX_JSON_HEX | TX_JSON_ADDRESS,
                       NULL);
    json_close_object(out);
    json_field_bool(out, "coinbase", coin->coinbase);
    json_close_object(out);
}

enum rpc_progress rpc_gettxout(struct rpc_call *call)
{
    struct outpoint outpoint;
    int64_t vout = 0;
    if (!rpc_read_id(call, rpc_arg(call, 0), "txid", outpoint.txid.b) ||
        !rpc_arg_int64(call, 1, &vout))
        return RPC_DONE;
    if (vout < 0 || vout > UINT32_MAX)
        return rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
    outpoint.vout = (uint32_t)vout;
    struct coin coin;
    enum waiting_output waiting = find_waiting(call, &outpoint, &coin);
    int found = waiting == OUTPUT_WAITING;
    if (waiting == OUTPUT_NOT_WAITING)
        found = coins_get(chain_coins(call->rpc->node->chain), &outpoint, &call->arena, &coin);
    if (found < 0) {
        chain_note_coins_error(call->rpc->node->chain, found);
        return rpc_fail(call, RPC_DATABASE_ERROR, "Unable to read the set of unspent outputs");
    }
    if (found == 0)
        json_put_null(&call->out);
    else
        put_output(call, &coin, waiting == OUTPUT_WAITING);
    return RPC_DONE;
}

/* Which digest the statistics carry: kept in the call's state. */
struct stats_wish {
    enum coin_stats_hash hash;
};

static void on_stats(void *arg, int error, const struct coin_stats *stats)
{
    ASSERT(error ? error < 0 : stats != NULL);
    struct rpc_call *call = arg;
    const struct stats_wish *wish = call->state;
    struct json_out *out = &call->out;
    if (error) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set");
        rpc_finish(call);
        return;
    }
    json_open_object(out);
    json_field_int(out, "height", stats->tip->height);
    json_field_id(out, "bestblock", stats->tip->hash.b);
    json_field_int(out, "txouts", (int64_t)stats->n_outputs);
    json_field_int(out, "bogosize", (int64_t)stats->bogo_size);
    if (wish->hash == COIN_STATS_SERIALIZED_3)
        json_field_id(out, "hash_serialized_3", stats->hash);
    if (wish->hash == COIN_STATS_MUHASH)
        json_field_id(out, "muhash", stats->hash);
    json_field_amount(out, "total_amount", stats->total_sat);
    json_field_int(out, "transactions", (int64_t)stats->n_tx);
    json_field_int(out, "disk_size", (int64_t)stats->disk_bytes);
    json_close_object(out);
    rpc_finish(call);
}

static bool read_hash_type(struct rpc_call *call, enum coin_stats_hash *hash)
{
    const char *name = rpc_arg_string(call, 0, "hash_serialized_3");
    if (strcmp(name, "hash_serialized_3") == 0) {
        *hash = COIN_STATS_SERIALIZED_3;
    } else if (strcmp(name, "muhash") == 0) {
        *hash = COIN_STATS_MUHASH;
    } else if (strcmp(name, "none") == 0) {
        *hash = COIN_STATS_NONE;
    } else {
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "'%s' is not a valid hash_type", name);
    }
    return true;
}

enum rpc_progress rpc_gettxoutsetinfo(struct rpc_call *call)
{
    struct stats_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    if (!read_hash_type(call, &wish->hash))
        return RPC_DONE;
    if (rpc_arg(call, 1))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Querying specific block heights requires coinstatsindex");
    call->state = wish;
    chain_coin_stats(call->rpc->node->chain, wish->hash, on_stats, call);
    return RPC_PENDING;
}
