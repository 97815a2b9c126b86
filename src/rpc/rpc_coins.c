/* rpc_coins.c - methods about unspent outputs. */
#include <errno.h>

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
    tx_json_field_script_pubkey(out, node->network, coin->script_pubkey);
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

/* What the statistics are to be of: kept in the call's state. */
struct stats_wish {
    enum coin_stats_hash hash;
    const struct block_node *node; /* asked of the index; NULL: the coins are counted */
};

/* What a block did to the coins: known to the index alone. */
static void put_changes(struct json_out *out, const struct coin_changes *block)
{
    static const char *const names[UNSPENDABLE_COUNT] = {
        [UNSPENDABLE_GENESIS] = "genesis_block",
        [UNSPENDABLE_BIP30] = "bip30",
        [UNSPENDABLE_SCRIPTS] = "scripts",
        [UNSPENDABLE_UNCLAIMED] = "unclaimed_rewards",
    };
    int64_t unspendable_sat = 0;
    for (int i = 0; i < UNSPENDABLE_COUNT; i++)
        unspendable_sat += block->unspendable_sat[i];
    json_field_object(out, "block_info");
    json_field_amount(out, "prevout_spent", block->spent_sat);
    json_field_amount(out, "coinbase", block->coinbase_sat);
    json_field_amount(out, "new_outputs_ex_coinbase", block->made_sat);
    json_field_amount(out, "unspendable", unspendable_sat);
    json_field_object(out, "unspendables");
    for (int i = 0; i < UNSPENDABLE_COUNT; i++)
        json_field_amount(out, names[i], block->unspendable_sat[i]);
    json_close_object(out);
    json_close_object(out);
}

static void put_stats(struct json_out *out, enum coin_stats_hash hash,
                      const struct coin_stats *stats)
{
    json_open_object(out);
    json_field_int(out, "height", stats->tip->height);
    json_field_id(out, "bestblock", stats->tip->hash.b);
    json_field_int(out, "txouts", (int64_t)stats->n_outputs);
    json_field_int(out, "bogosize", (int64_t)stats->bogo_size);
    if (hash == COIN_STATS_SERIALIZED_3)
        json_field_id(out, "hash_serialized_3", stats->hash);
    if (hash == COIN_STATS_MUHASH)
        json_field_id(out, "muhash", stats->hash);
    json_field_amount(out, "total_amount", stats->total_sat);
    if (stats->is_indexed) {
        json_field_amount(out, "total_unspendable_amount", stats->unspendable_sat);
        put_changes(out, &stats->block);
    } else {
        json_field_int(out, "transactions", (int64_t)stats->n_tx);
        json_field_int(out, "disk_size", (int64_t)stats->disk_bytes);
    }
    json_close_object(out);
}

static void on_stats(void *arg, int error, const struct coin_stats *stats)
{
    ASSERT(error ? error < 0 : stats != NULL);
    struct rpc_call *call = arg;
    const struct stats_wish *wish = call->state;
    int32_t height = 0;
    bool synced;
    if (!error)
        put_stats(&call->out, wish->hash, stats);
    else if (error == -EAGAIN && wish->node &&
             chain_coinstatsindex_status(call->rpc->node->chain, &synced, &height) &&
             wish->node->height > height)
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 "Unable to get data because coinstatsindex is still syncing. Current height: %d",
                 height);
    else
        rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set");
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

/* Which block is meant, and whether the index is asked of it. False after an error, each in Core's
 * words and order. */
static bool read_stats_block(struct rpc_call *call, struct stats_wish *wish)
{
    const struct chain *chain = call->rpc->node->chain;
    bool use_index = rpc_arg_bool(call, 2, true), synced;
    int32_t height;
    bool is_on = chain_coinstatsindex_status(chain, &synced, &height);
    if (!rpc_arg(call, 1)) {
        if (is_on && use_index && wish->hash != COIN_STATS_SERIALIZED_3)
            wish->node = chain_tip(chain);
        return true;
    }
    if (!is_on)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Querying specific block heights requires coinstatsindex");
    if (wish->hash == COIN_STATS_SERIALIZED_3)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "hash_serialized_3 hash type cannot be queried for a specific block");
    if (!use_index)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Cannot set use_index to false when querying for a specific block");
    wish->node = chain_json_read_hash_or_height(call, rpc_arg(call, 1));
    return wish->node != NULL;
}

enum rpc_progress rpc_gettxoutsetinfo(struct rpc_call *call)
{
    struct chain *chain = call->rpc->node->chain;
    struct stats_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    if (!read_hash_type(call, &wish->hash) || !read_stats_block(call, wish))
        return RPC_DONE;
    call->state = wish;
    if (wish->node)
        chain_find_coin_stats(chain, wish->node, on_stats, call);
    else
        chain_coin_stats(chain, wish->hash, on_stats, call);
    return RPC_PENDING;
}
