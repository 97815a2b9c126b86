/* rpc_proof.c - proofs that a block has some transactions: made and checked. */
#include <stdlib.h>

#include "chain/coins/coins.h"
#include "consensus/merkle_proof.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "util/hex.h"

/* Of so many transactions coins are looked for in memory too: see coins_find_txid(). */
enum { PROBED_MAX = 16 };

struct proof_order {
    struct txid *ids; /* sorted */
    size_t n;
    struct txid first; /* as the caller named them */
    struct block_ref *block;
};

static bool read_ids(struct rpc_call *call, struct proof_order *order)
{
    const struct json_value *list = rpc_arg(call, 0);
    if (list->n == 0)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Parameter 'txids' cannot be empty");
    order->ids = arena_calloc(&call->arena, list->n, sizeof *order->ids);
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (!rpc_read_id(call, v, "txid", order->ids[order->n++].b))
            return false;
    }
    order->first = order->ids[0];
    qsort(order->ids, order->n, sizeof *order->ids, txids_compare);
    for (size_t i = 1; i < order->n; i++) {
        char text[HEX_ID_BYTES];
        if (!txid_equal(&order->ids[i - 1], &order->ids[i]))
            continue;
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicated txid: %s",
                          hex_encode_reversed(text, span_of(order->ids[i].b, 32)));
    }
    return true;
}

/* -- The proof, off the loop ------------------------------------------------------------------ */

static void write_proof(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct proof_order *order = call->state;
    const struct block *block = &order->block->block;
    ASSERT(order->n > 0 && block->n_tx > 0);
    bool *wanted = arena_calloc(&call->arena, block->n_tx, sizeof *wanted);
    size_t n_found = 0;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        wanted[i] = bsearch(&block->txids[i], order->ids, order->n, sizeof *order->ids,
                            txids_compare) != NULL;
        n_found += wanted[i];
    }
    if (n_found != order->n) {
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                 "Not all transactions found in specified or retrieved block");
        return;
    }
    struct buffer proof;
    buffer_init(&proof);
    merkle_proof_append(block, wanted, &call->arena, &proof);
    json_put_hex(&call->out, buffer_span(&proof));
    buffer_deinit(&proof);
}

static void let_go(struct rpc_call *call)
{
    const struct proof_order *order = call->state;
    block_ref_drop(order->block);
}

static void on_block(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    struct proof_order *order = call->state;
    if (read->error) {
        rpc_fail(call, RPC_INTERNAL_ERROR, "Can't read block from disk");
        rpc_finish(call);
        return;
    }
    ASSERT(read->block && !order->block);
    order->block = block_ref_hold(read->block);
    rpc_run_job(call, write_proof, let_go);
}

/* -- Where the transactions are --------------------------------------------------------------- */

/* The block of some output that is unspent still. False, with the error, on a fault; *node may be
 * NULL. */
static bool find_by_coin(struct rpc_call *call, const struct proof_order *order,
                         const struct block_node **node)
{
    struct chain *chain = call->rpc->node->chain;
    *node = NULL;
    for (size_t i = 0; i < order->n && !*node; i++) {
        int32_t height = 0;
        int found = coins_find_txid(chain_coins(chain), &order->ids[i], i < PROBED_MAX, &height);
        if (found < 0)
            return rpc_refuse(call, RPC_DATABASE_ERROR, "Cannot read the coins database");
        *node = found ? chain_at(chain, height) : NULL;
    }
    return true;
}

static void on_indexed(void *arg, int error, const struct chain_tx *found)
{
    struct rpc_call *call = arg;
    if (error || !found) {
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not yet in block");
        rpc_finish(call);
    } else if (!chain_json_need_block(call, found->node)) {
        rpc_finish(call);
    } else {
        chain_read_block(call->rpc->node->chain, found->node, false, on_block, call);
    }
}

enum rpc_progress rpc_gettxoutproof(struct rpc_call *call)
{
    struct chain *chain = call->rpc->node->chain;
    struct proof_order *order = arena_calloc(&call->arena, 1, sizeof *order);
    const struct block_node *node = NULL;
    if (!read_ids(call, order))
        return RPC_DONE;
    if (rpc_arg(call, 1)) {
        node = chain_json_read_block(call, 1, "blockhash");
        if (!node)
            return RPC_DONE;
    } else if (!find_by_coin(call, order, &node)) {
        return RPC_DONE;
    }
    if (node && !chain_json_need_block(call, node))
        return RPC_DONE;
    call->state = order;
    if (node)
        chain_read_block(chain, node, false, on_block, call);
    else
        chain_find_tx(chain, &order->first, on_indexed, call);
    return RPC_PENDING;
}

/* -- Checking --------------------------------------------------------------------------------- */

enum rpc_progress rpc_verifytxoutproof(struct rpc_call *call)
{
    const struct chain *chain = call->rpc->node->chain;
    struct merkle_proof proof;
    struct span raw;
    if (!rpc_read_hex(call, rpc_arg(call, 0), "proof", &raw))
        return RPC_DONE;
    if (!merkle_proof_read(raw, &call->arena, &proof))
        return rpc_fail(call, RPC_MISC_ERROR, "The proof is cut short: end of data");
    const struct block_node *node = NULL;
    if (proof.is_whole) {
        struct block_hash hash = block_header_hash(&proof.header);
        node = chain_find(chain, &hash);
        if (!node || !chain_contains(chain, node) || node->n_tx == 0)
            return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found in chain");
    }
    json_open_array(&call->out);
    /* Another number means another depth: inner nodes are shown as transactions. CVE-2017-12842 */
    for (size_t i = 0; node && node->n_tx == proof.n_tx && i < proof.n_ids; i++)
        json_put_id(&call->out, proof.ids[i].b);
    json_close_array(&call->out);
    return RPC_DONE;
}
