/* rpc_rawtx.c - transactions as bytes: found, made and taken apart. */
#include <errno.h>
#include <string.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "consensus/script_write.h"
#include "crypto/hash.h"
#include "crypto/siphash.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/raw_tx.h"
#include "rpc/tx_json.h"
#include "util/hash_map.h"

#define SEQUENCE_REPLACEABLE UINT32_C(0xfffffffd) /* BIP-125, Summary */

enum {
    TX_VERSION_MAX = 3,
    BYTES_FOR_ONE = 8, /* of JSON, in most cases: a buffer that doubles is copied again and again */
};

/* -- getrawtransaction -------------------------------------------------------------------- */

struct tx_wish {
    struct txid txid;
    int32_t verbosity;
    bool has_block; /* the caller named the block */
    /* While its undo data is read. */
    struct span raw;
    uint32_t first_spent;
};

static void fail_not_found(struct rpc_call *call, const char *why)
{
    rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s. Use gettransaction for wallet transactions.",
             why);
    rpc_finish(call);
}

/* Where the block's fields stand that are no part of the transaction. */
static void put_place(struct json_out *out, const struct chain *chain,
                      const struct block_node *node)
{
    int32_t confirmations = chain_json_confirmations(chain, node);
    json_field_id(out, "blockhash", node->hash.b);
    json_field_int(out, "confirmations", confirmations > 0 ? confirmations : 0);
    if (confirmations > 0) {
        json_field_int(out, "time", node->time);
        json_field_int(out, "blocktime", node->time);
    }
}

/* found->tx, with what it spent if the block's undo data is there. */
static void put_found_tx(struct rpc_call *call, const struct chain_tx *found, struct span undo_raw)
{
    const struct rpc_node *node = call->rpc->node;
    const struct tx_wish *wish = call->state;
    const struct coin *spent = NULL;
    struct undo undo;
    struct tx_json_style style = {
        .network = node->network, .with_hex = true, .with_prevouts = true};
    if (!tx_is_coinbase(found->tx) && undo_raw.len > 0 &&
        undo_decode_part(undo_raw, found->first_spent, found->tx->n_in, &call->arena, &undo))
        spent = undo.spent;
    buffer_reserve(call->out.buffer, found->tx->raw.len * BYTES_FOR_ONE);
    json_open_object(&call->out);
    if (wish->has_block)
        json_field_bool(&call->out, "in_active_chain", chain_contains(node->chain, found->node));
    tx_json_put_tx(&call->out, found->tx, spent, &style);
    put_place(&call->out, node->chain, found->node);
    json_close_object(&call->out);
}

static void finish_found_tx(struct rpc_call *call, const struct chain_tx *found,
                            struct span undo_raw)
{
    ASSERT(found->tx && found->node);
    const struct tx_wish *wish = call->state;
    if (wish->verbosity <= 0)
        json_put_hex(&call->out, found->tx->raw);
    else
        put_found_tx(call, found, undo_raw);
    rpc_finish(call);
}

static void on_tx_block(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    const struct tx_wish *wish = call->state;
    if (read->error) {
        chain_json_fail_read(call, read);
        rpc_finish(call);
        return;
    }
    ASSERT(read->block && read->node);
    const struct block *block = &read->block->block;
    struct chain_tx found = {.node = read->node};
    uint32_t at = 0;
    for (; at < block->n_tx && !txid_equal(&block->txids[at], &wish->txid); at++)
        found.first_spent += at > 0 ? block->tx[at].n_in : 0;
    if (at == block->n_tx) {
        fail_not_found(call, wish->has_block ? "No such transaction found in the provided block"
                                             : "No such mempool or blockchain transaction");
        return;
    }
    found.tx = &block->tx[at];
    finish_found_tx(call, &found, read->undo_raw);
}

static void read_tx_block(struct rpc_call *call, const struct block_node *node)
{
    const struct tx_wish *wish = call->state;
    chain_read_block(call->rpc->node->chain, node, wish->verbosity >= 2, on_tx_block, call);
}

static void on_undo(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    const struct tx_wish *wish = call->state;
    struct tx tx;
    struct chain_tx found = {.node = read->node, .tx = &tx, .first_spent = wish->first_spent};
    if (read->error) {
        chain_json_fail_read(call, read);
        rpc_finish(call);
        return;
    }
    struct reader r = reader_of(wish->raw);
    bool is_decoded = tx_decode(&r, &call->arena, true, &tx);
    ASSERT(is_decoded); /* as it was before */
    finish_found_tx(call, &found, read->undo_raw);
}

/* The index led to the transaction, or only to its block. */
static void answer_indexed(struct rpc_call *call, const struct chain_tx *found)
{
    ASSERT(found->node && call->state);
    struct tx_wish *wish = call->state;
    if (!found->tx) {
        read_tx_block(call, found->node);
    } else if (wish->verbosity < 2 || tx_is_coinbase(found->tx)) {
        finish_found_tx(call, found, span_of(NULL, 0));
    } else {
        wish->raw = script_join(&call->arena, found->tx->raw, span_of(NULL, 0));
        wish->first_spent = found->first_spent;
        chain_read_undo(call->rpc->node->chain, found->node, on_undo, call);
    }
}

/* The index could not be asked: that says nothing about the transaction. */
static void fail_index(struct rpc_call *call, int error)
{
    ASSERT(error < 0);
    if (error == -ECANCELED)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    else
        rpc_fail(call, RPC_MISC_ERROR, "Cannot read the transaction index: %s", strerror(-error));
    rpc_finish(call);
}

static void on_indexed(void *arg, int error, const struct chain_tx *found)
{
    struct rpc_call *call = arg;
    bool synced = false;
    int32_t height;
    if (error == 0 && found) {
        answer_indexed(call, found);
        return;
    }
    if (error && error != -ENOSYS && error != -EAGAIN && error != -EUCLEAN) {
        fail_index(call, error);
        return;
    }
    if (!chain_txindex_status(call->rpc->node->chain, &synced, &height))
        fail_not_found(call, "No such mempool transaction. Use -txindex or provide a block hash to "
                             "enable blockchain transaction queries");
    else if (error || !synced)
        fail_not_found(call, "No such mempool transaction. Blockchain transactions are still in "
                             "the process of being indexed");
    else
        fail_not_found(call, "No such mempool or blockchain transaction");
}

/* The block that the third argument names. */
static const struct block_node *read_given_block(struct rpc_call *call)
{
    struct block_hash hash;
    if (!rpc_read_id(call, rpc_arg(call, 2), "parameter 3", hash.b))
        return NULL;
    const struct block_node *node = chain_find(call->rpc->node->chain, &hash);
    if (!node)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block hash not found");
    else if (!block_node_has_data(node))
        rpc_fail(call, RPC_MISC_ERROR, "Block not available");
    else
        return node;
    return NULL;
}

/* A transaction that waits in the mempool. */
static bool put_waiting_tx(struct rpc_call *call, const struct tx_wish *wish)
{
    const struct rpc_node *node = call->rpc->node;
    struct tx_json_style style = {.network = node->network, .with_hex = true};
    const struct mempool_entry *entry =
        node->mempool ? mempool_find(node->mempool, &wish->txid) : NULL;
    if (!entry)
        return false;
    if (wish->verbosity <= 0) {
        json_put_hex(&call->out, entry->tx.raw);
        return true;
    }
    json_open_object(&call->out);
    tx_json_put_tx(&call->out, &entry->tx, NULL, &style);
    json_field_int(&call->out, "vsize_adjusted", entry->vbytes); /* "vsize" is BIP141's here */
    json_close_object(&call->out);
    return true;
}

enum rpc_progress rpc_getrawtransaction(struct rpc_call *call)
{
    struct chain *chain = call->rpc->node->chain;
    struct tx_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    if (!rpc_read_id(call, rpc_arg(call, 0), "parameter 1", wish->txid.b))
        return RPC_DONE;
    /* The only transaction of the genesis block has its merkle root for an id. */
    if (memcmp(wish->txid.b, chain_at(chain, 0)->merkle_root, 32) == 0)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                        "The genesis block coinbase is not considered an ordinary transaction and "
                        "cannot be retrieved");
    if (!rpc_arg_verbosity(call, 1, true, &wish->verbosity))
        return RPC_DONE;
    call->state = wish;
    wish->has_block = rpc_arg(call, 2) != NULL;
    struct chain_tx known;
    if (wish->has_block) {
        const struct block_node *node = read_given_block(call);
        if (!node)
            return RPC_DONE;
        read_tx_block(call, node);
    } else if (put_waiting_tx(call, wish)) {
        return RPC_DONE;
    } else if (chain_find_known_tx(chain, &wish->txid, &call->arena, &known)) {
        answer_indexed(call, &known);
    } else {
        chain_find_tx(chain, &wish->txid, on_indexed, call);
    }
    return RPC_PENDING;
}

/* -- decode ------------------------------------------------------------------------------- */

enum rpc_progress rpc_decoderawtransaction(struct rpc_call *call)
{
    struct tx tx;
    int forms = RAW_TX_ANY;
    if (rpc_arg(call, 1))
        forms = rpc_arg_bool(call, 1, true) ? RAW_TX_WITNESS : RAW_TX_LEGACY;
    if (!raw_tx_decode(rpc_arg(call, 0)->text, forms, &call->arena, &tx))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
    struct tx_json_style style = {.network = call->rpc->node->network};
    json_open_object(&call->out);
    tx_json_put_tx(&call->out, &tx, NULL, &style);
    json_close_object(&call->out);
    return RPC_DONE;
}

/* Does it make sense to pay to the script by its hash? */
static bool can_wrap(struct span script, enum script_type type)
{
    switch (type) {
    case SCRIPT_TYPE_MULTISIG:
    case SCRIPT_TYPE_NONSTANDARD:
    case SCRIPT_TYPE_PUBKEY:
    case SCRIPT_TYPE_PUBKEYHASH:
    case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
    case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
        return raw_tx_has_valid_ops(script) && !script_is_unspendable(script) &&
               !script_has_tapscript_op(script);
    case SCRIPT_TYPE_NULLDATA:
    case SCRIPT_TYPE_SCRIPTHASH:
    case SCRIPT_TYPE_WITNESS_UNKNOWN:
    case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
    case SCRIPT_TYPE_ANCHOR:
    case SCRIPT_TYPE_COUNT:
        return false;
    }
    return false;
}

/* The same for witness programs, which know compressed keys only. */
static bool can_wrap_in_segwit(const struct script_solution *solution)
{
    if (solution->type == SCRIPT_TYPE_NONSTANDARD || solution->type == SCRIPT_TYPE_PUBKEYHASH)
        return true;
    if (solution->type != SCRIPT_TYPE_MULTISIG && solution->type != SCRIPT_TYPE_PUBKEY)
        return false;
    for (uint32_t i = 0; i < solution->n_items; i++) {
        if (solution->item[i].len != 33)
            return false;
    }
    return true;
}

static void put_p2sh(struct json_out *out, const char *key, const struct network *network,
                     struct span script)
{
    uint8_t p2sh[23] = {OP_HASH160, 20, [22] = OP_EQUAL};
    char address[ADDRESS_SIZE];
    hash160(script, p2sh + 2);
    if (address_encode(network, span_of(p2sh, sizeof p2sh), address))
        json_field_string(out, key, address);
}

static void put_segwit(struct json_out *out, const struct network *network, struct span script,
                       const struct script_solution *solution)
{
    uint8_t program[34] = {OP_0};
    if (solution->type == SCRIPT_TYPE_PUBKEY) {
        program[1] = 20;
        hash160(solution->item[0], program + 2);
    } else if (solution->type == SCRIPT_TYPE_PUBKEYHASH) {
        program[1] = 20;
        ASSERT(solution->n_items == 1 && solution->item[0].len == 20);
        memcpy(program + 2, solution->item[0].p, 20);
    } else {
        program[1] = 32;
        sha256(script, program + 2);
    }
    struct span wrapped = span_of(program, (size_t)program[1] + 2);
    json_field_object(out, "segwit");
    tx_json_put_script(out, network, wrapped, TX_JSON_HEX | TX_JSON_ADDRESS, &script);
    put_p2sh(out, "p2sh-segwit", network, wrapped);
    json_close_object(out);
}

enum rpc_progress rpc_decodescript(struct rpc_call *call)
{
    const struct network *network = call->rpc->node->network;
    struct span script;
    if (!rpc_read_hex(call, rpc_arg(call, 0), "argument", &script))
        return RPC_DONE;
    struct script_solution solution = script_solve(script);
    json_open_object(&call->out);
    tx_json_put_script(&call->out, network, script, TX_JSON_ADDRESS, NULL);
    if (can_wrap(script, solution.type)) {
        put_p2sh(&call->out, "p2sh", network, script);
        if (can_wrap_in_segwit(&solution))
            put_segwit(&call->out, network, script, &solution);
    }
    json_close_object(&call->out);
    return RPC_DONE;
}

/* -- createrawtransaction ----------------------------------------------------------------- */

/* The optional member of an input. */
static bool read_sequence(struct rpc_call *call, const struct json_value *input, uint32_t *sequence)
{
    const struct json_value *value = json_find(input, "sequence");
    int64_t n;
    if (!value || value->kind != JSON_KIND_NUMBER)
        return true;
    if (!json_integer_in(value, 0, SEQUENCE_FINAL, &n))
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid parameter, sequence number is out of range");
    *sequence = (uint32_t)n;
    return true;
}

static bool read_input(struct rpc_call *call, const struct json_value *value, struct tx_in *in)
{
    int64_t vout;
    if (!rpc_expect_kind(call, value, JSON_KIND_OBJECT) ||
        !rpc_read_id(call, json_find(value, "txid"), "txid", in->prevout.txid.b))
        return false;
    const struct json_value *n = json_find(value, "vout");
    if (!n || n->kind != JSON_KIND_NUMBER)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid parameter, missing vout key");
    if (!json_integer_in(n, INT32_MIN, INT32_MAX, &vout))
        return rpc_refuse(call, RPC_MISC_ERROR, "JSON integer out of range");
    if (vout < 0)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid parameter, vout cannot be negative");
    in->prevout.vout = (uint32_t)vout;
    return read_sequence(call, value, &in->sequence);
}

static bool read_inputs(struct rpc_call *call, struct tx *tx)
{
    const struct json_value *list = rpc_arg(call, 0);
    bool replaceable = rpc_arg_bool(call, 3, true), signals = false;
    uint32_t sequence = replaceable         ? SEQUENCE_REPLACEABLE
                        : tx->lock_time > 0 ? SEQUENCE_FINAL - 1
                                            : SEQUENCE_FINAL;
    tx->in = arena_calloc(&call->arena, list->n + 1, sizeof *tx->in);
    for (const struct json_value *v = list->first; v; v = v->next) {
        struct tx_in *in = &tx->in[tx->n_in++];
        in->sequence = sequence;
        if (!read_input(call, v, in))
            return false;
        signals = signals || in->sequence <= SEQUENCE_REPLACEABLE;
    }
    if (rpc_arg(call, 3) && replaceable && tx->n_in > 0 && !signals)
        return rpc_refuse(
            call, RPC_INVALID_PARAMETER,
            "Invalid parameter combination: Sequence number(s) contradict replaceable option");
    return true;
}

/* Outputs being read, and the scripts seen so far. */
struct outputs {
    struct tx *tx;
    struct hash_map seen; /* of struct tx_out */
    struct siphash_key key;
    bool has_data;
};

static bool same_script(const void *value, const void *key)
{
    const struct tx_out *out = value;
    return span_equal(out->script_pubkey, *(const struct span *)key);
}

static bool read_data_output(struct rpc_call *call, struct outputs *outputs,
                             const struct json_value *value, struct tx_out *out)
{
    struct span data;
    if (outputs->has_data)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicate key: data");
    outputs->has_data = true;
    if (!rpc_read_hex(call, value, "Data", &data))
        return false;
    uint8_t op = OP_RETURN;
    out->script_pubkey =
        script_join(&call->arena, span_of(&op, 1), script_push(&call->arena, data));
    return true;
}

static bool read_address_output(struct rpc_call *call, struct outputs *outputs,
                                const struct json_value *value, struct tx_out *out)
{
    const char *name = (const char *)value->name.p;
    uint8_t *script = arena_alloc(&call->arena, ADDRESS_SCRIPT_MAX);
    size_t len = 0;
    bool valid = address_decode(call->rpc->node->network, name, script, &len, NULL);
    if (!rpc_read_amount(call, value, &out->value_sat))
        return false;
    if (!valid)
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid Bitcoin address: " RPC_TEXT,
                          name);
    out->script_pubkey = span_of(script, len);
    uint64_t hash = siphash24(outputs->key, out->script_pubkey);
    if (hash_map_find(&outputs->seen, hash, same_script, &out->script_pubkey))
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid parameter, duplicated address: " RPC_TEXT, name);
    hash_map_insert(&outputs->seen, hash, out);
    return true;
}

/* One {"address": amount} or {"data": "hex"}. */
static bool read_output(struct rpc_call *call, struct outputs *outputs,
                        const struct json_value *member)
{
    struct tx_out *out = &outputs->tx->out[outputs->tx->n_out++];
    if (span_equal(member->name, span_of_string("data")))
        return read_data_output(call, outputs, member, out);
    return read_address_output(call, outputs, member, out);
}

static bool read_output_list(struct rpc_call *call, struct outputs *outputs,
                             const struct json_value *list)
{
    bool is_array = list->kind == JSON_KIND_ARRAY;
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (is_array && v->kind != JSON_KIND_OBJECT)
            return rpc_refuse(call, RPC_INVALID_PARAMETER,
                              "Invalid parameter, key-value pair not an object as expected");
        if (is_array && v->n != 1)
            return rpc_refuse(call, RPC_INVALID_PARAMETER,
                              "Invalid parameter, key-value pair must contain exactly one key");
        if (!read_output(call, outputs, is_array ? v->first : v))
            return false;
    }
    return true;
}

static bool read_outputs(struct rpc_call *call, struct tx *tx)
{
    const struct json_value *list = rpc_arg(call, 1);
    if (!list)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid parameter, output argument must be non-null");
    if (list->kind != JSON_KIND_OBJECT && !rpc_expect_kind(call, list, JSON_KIND_ARRAY))
        return false;
    const struct env *env = call->rpc->node->env;
    struct outputs outputs = {.tx = tx};
    env_random(env, &outputs.key, sizeof outputs.key);
    hash_map_init(&outputs.seen);
    tx->out = arena_calloc(&call->arena, list->n + 1, sizeof *tx->out);
    bool ok = read_output_list(call, &outputs, list);
    ASSERT(tx->n_out <= list->n);
    hash_map_deinit(&outputs.seen);
    return ok;
}

bool rpc_construct_tx(struct rpc_call *call, struct tx *tx)
{
    ASSERT(call && tx);
    int64_t lock_time = 0, version = 2;
    *tx = (struct tx){0};
    if (!rpc_arg_int64(call, 2, &lock_time) || !rpc_arg_int64(call, 4, &version))
        return false;
    if (lock_time < 0 || lock_time > UINT32_MAX)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid parameter, locktime out of range");
    if (version < 1 || version > TX_VERSION_MAX)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Invalid parameter, version out of range(1~3)");
    tx->lock_time = (uint32_t)lock_time;
    tx->version = (uint32_t)version;
    if (!read_inputs(call, tx) || !read_outputs(call, tx))
        return false;
    tx_finish(tx, &call->arena);
    return true;
}

enum rpc_progress rpc_createrawtransaction(struct rpc_call *call)
{
    struct tx tx;
    if (rpc_construct_tx(call, &tx))
        json_put_hex(&call->out, tx.raw);
    return RPC_DONE;
}
