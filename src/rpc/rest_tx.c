/* rest_tx.c - REST routes about transactions, unspent outputs and the mempool. */
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/rest.h"
#include "rpc/tx_json.h"
#include "util/hex.h"

#define OUTPOINTS_MAX  15         /* of one question. Core: MAX_GETUTXOS_OUTPOINTS */
#define MEMPOOL_HEIGHT 0x7fffffff /* of what no block has yet */

/* -- tx --------------------------------------------------------------------------------------- */

struct tx_wish {
    struct txid txid;
    const char *text;
};

static void put_tx(struct rpc_call *call, const struct tx *tx, const struct block_node *node)
{
    const struct tx_json_style style = {.network = call->rpc->node->network, .with_hex = true};
    if (call->rest->format != REST_FORMAT_JSON) {
        rest_put_bytes(call, tx->raw);
        return;
    }
    json_open_object(&call->out);
    tx_json_put_tx(&call->out, tx, NULL, &style);
    if (node)
        json_field_id(&call->out, "blockhash", node->hash.b);
    json_close_object(&call->out);
}

static void fail_unknown(struct rpc_call *call)
{
    const struct tx_wish *wish = call->state;
    rest_fail(call, 404, "%s not found", wish->text);
}

static void on_tx_block(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    const struct tx_wish *wish = call->state;
    const struct block *block = read->error ? NULL : &read->block->block;
    uint32_t at = 0;
    while (block && at < block->n_tx && !txid_equal(&block->txids[at], &wish->txid))
        at++;
    if (block && at < block->n_tx)
        put_tx(call, &block->tx[at], read->node);
    else
        fail_unknown(call);
    rpc_finish(call);
}

static void on_indexed(void *arg, int error, const struct chain_tx *found)
{
    struct rpc_call *call = arg;
    if (error == 0 && found && !found->tx) {
        chain_read_block(call->rpc->node->chain, found->node, false, on_tx_block, call);
        return;
    }
    if (error == 0 && found)
        put_tx(call, found->tx, found->node);
    else
        fail_unknown(call);
    rpc_finish(call);
}

enum rpc_progress rest_tx(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct tx_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    wish->text = call->rest->param;
    if (!rest_read_id(call, wish->text, wish->txid.b))
        return RPC_DONE;
    call->state = wish;
    const struct mempool_entry *entry =
        node->mempool ? mempool_find(node->mempool, &wish->txid) : NULL;
    if (call->rest->format == REST_FORMAT_NONE && entry)
        return rest_fail_format(call);
    if (entry) {
        put_tx(call, &entry->tx, NULL);
        return RPC_DONE;
    }
    if (call->rest->format == REST_FORMAT_NONE) {
        fail_unknown(call);
        return RPC_DONE;
    }
    chain_find_tx(node->chain, &wish->txid, on_indexed, call);
    return RPC_PENDING;
}

/* -- getutxos --------------------------------------------------------------------------------- */

struct utxos_wish {
    bool with_mempool;
    size_t n; /* outpoints asked for; only those that fit are kept */
    struct outpoint outpoints[OUTPOINTS_MAX];
    bool is_hit[OUTPOINTS_MAX];
    struct coin coins[OUTPOINTS_MAX];
};

static bool add_outpoint(struct utxos_wish *wish, char *text)
{
    struct outpoint outpoint;
    uint64_t vout;
    char *dash = strchr(text, '-');
    if (!dash || !hex_decode_reversed(outpoint.txid.b, 32, text, (size_t)(dash - text)) ||
        !rest_read_number(dash + 1, &vout) || vout > UINT32_MAX)
        return false;
    outpoint.vout = (uint32_t)vout;
    if (wish->n < OUTPOINTS_MAX)
        wish->outpoints[wish->n] = outpoint;
    wish->n++;
    return true;
}

/* "/checkmempool/TXID-N/TXID-N/..." */
static bool read_path(struct rpc_call *call, struct utxos_wish *wish)
{
    char *at = call->rest->param;
    if (*at == '\0' || at[1] == '\0')
        return true;
    at++;
    while (at) {
        char *part = at, *slash = strchr(at, '/');
        if (slash)
            *slash = '\0';
        at = slash ? slash + 1 : NULL;
        if (wish->n == 0 && !wish->with_mempool && strcmp(part, "checkmempool") == 0)
            wish->with_mempool = true;
        else if (!add_outpoint(wish, part))
            return rest_refuse(call, 400, "Parse error");
    }
    return wish->n > 0 || rest_refuse(call, 400, "Error: empty request");
}

/* As BIP-64 has it: whether to look into the mempool, then the outpoints. */
static bool read_body(struct rpc_call *call, struct utxos_wish *wish)
{
    struct span body = call->rest->body;
    if (body.len == 0)
        return true;
    if (wish->n > 0)
        return rest_refuse(call, 400,
                           "Combination of URI scheme inputs and raw post data is not allowed");
    if (call->rest->format == REST_FORMAT_HEX) {
        uint8_t *bytes = arena_alloc(&call->arena, body.len / 2 + 1);
        if (!hex_decode(bytes, body.len / 2, (const char *)body.p, body.len))
            return rest_refuse(call, 400, "Parse error");
        body = span_of(bytes, body.len / 2);
    }
    struct reader r = reader_of(body);
    wish->with_mempool = read_u8(&r) != 0;
    uint64_t n = read_compact_size(&r);
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        struct outpoint outpoint;
        read_bytes(&r, outpoint.txid.b, sizeof outpoint.txid.b);
        outpoint.vout = read_u32(&r);
        if (i < OUTPOINTS_MAX)
            wish->outpoints[i] = outpoint;
    }
    wish->n = (size_t)n;
    return !r.failed || rest_refuse(call, 400, "Parse error");
}

static bool read_utxos_wish(struct rpc_call *call, struct utxos_wish *wish)
{
    const struct rest_request *rest = call->rest;
    bool has_path = rest->param[0] && rest->param[1];
    if (!has_path && rest->body.len == 0)
        return rest_refuse(call, 400, "Error: empty request");
    if (!read_path(call, wish))
        return false;
    switch (rest->format) {
    case REST_FORMAT_NONE:
        rest_fail_format(call);
        return false;
    case REST_FORMAT_BIN:
    case REST_FORMAT_HEX:
        if (!read_body(call, wish))
            return false;
        break;
    case REST_FORMAT_JSON:
        if (wish->n == 0)
            return rest_refuse(call, 400, "Error: empty request");
        break;
    }
    return wish->n <= OUTPOINTS_MAX ||
           rest_refuse(call, 400, "Error: max outpoints exceeded (max: %d, tried: %zu)",
                       OUTPOINTS_MAX, wish->n);
}

/* Returns: 1, 0, or a negative errno of the coins' store */
static int find_output(struct rpc_call *call, const struct outpoint *outpoint, bool with_mempool,
                       struct coin *coin)
{
    const struct rpc_node *node = call->rpc->node;
    const struct mempool_entry *entry = NULL;
    if (with_mempool && mempool_spender(node->mempool, outpoint))
        return 0;
    if (with_mempool)
        entry = mempool_find(node->mempool, &outpoint->txid);
    if (!entry || outpoint->vout >= entry->tx.n_out)
        return coins_get(chain_coins(node->chain), outpoint, &call->arena, coin);
    const struct tx_out *out = &entry->tx.out[outpoint->vout];
    *coin = (struct coin){
        .value_sat = out->value_sat, .script_pubkey = out->script_pubkey, .height = MEMPOOL_HEIGHT};
    return 1;
}

static void put_utxos_json(struct rpc_call *call, const struct utxos_wish *wish)
{
    struct json_out *out = &call->out;
    const struct block_node *tip = chain_tip(call->rpc->node->chain);
    char bits[OUTPOINTS_MAX + 1] = "";
    for (size_t i = 0; i < wish->n; i++)
        bits[i] = wish->is_hit[i] ? '1' : '0';
    json_open_object(out);
    json_field_int(out, "chainHeight", tip->height);
    json_field_id(out, "chaintipHash", tip->hash.b);
    json_field_string(out, "bitmap", bits);
    json_field_array(out, "utxos");
    for (size_t i = 0; i < wish->n; i++) {
        const struct coin *coin = &wish->coins[i];
        if (!wish->is_hit[i])
            continue;
        json_open_object(out);
        json_field_int(out, "height", coin->height);
        json_field_amount(out, "value", coin->value_sat);
        tx_json_field_script_pubkey(out, call->rpc->node->network, coin->script_pubkey);
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
}

static void put_utxos_bytes(struct rpc_call *call, const struct utxos_wish *wish)
{
    const struct block_node *tip = chain_tip(call->rpc->node->chain);
    uint8_t bitmap[(OUTPOINTS_MAX + 7) / 8] = {0};
    size_t n_hits = 0;
    for (size_t i = 0; i < wish->n; i++) {
        n_hits += wish->is_hit[i];
        bitmap[i / 8] |= (uint8_t)(wish->is_hit[i] << i % 8);
    }
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    write_u32(&w, (uint32_t)tip->height);
    write_bytes(&w, tip->hash.b, sizeof tip->hash.b);
    write_var_span(&w, span_of(bitmap, (wish->n + 7) / 8));
    write_compact_size(&w, n_hits);
    for (size_t i = 0; i < wish->n; i++) {
        if (!wish->is_hit[i])
            continue;
        write_u32(&w, 0); /* BIP64 has the version of the transaction here; nobody knows it */
        write_u32(&w, wish->coins[i].height);
        write_u64(&w, (uint64_t)wish->coins[i].value_sat);
        write_var_span(&w, wish->coins[i].script_pubkey);
    }
    rest_put_bytes(call, buffer_span(&bytes));
    buffer_deinit(&bytes);
}

enum rpc_progress rest_getutxos(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct utxos_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    if (!read_utxos_wish(call, wish))
        return RPC_DONE;
    if (wish->with_mempool && !node->mempool)
        return rest_fail(call, 404, "Mempool disabled or instance not found");
    for (size_t i = 0; i < wish->n; i++) {
        int found = find_output(call, &wish->outpoints[i], wish->with_mempool, &wish->coins[i]);
        if (found < 0) {
            chain_note_coins_error(node->chain, found);
            return rest_fail(call, 500, "Unable to read the set of unspent outputs");
        }
        wish->is_hit[i] = found > 0;
    }
    if (call->rest->format == REST_FORMAT_JSON)
        put_utxos_json(call, wish);
    else
        put_utxos_bytes(call, wish);
    return RPC_DONE;
}

/* -- mempool ---------------------------------------------------------------------------------- */

static bool read_switch(struct rpc_call *call, const char *name, const char *fallback, bool *out)
{
    const char *text;
    if (!rest_query(call, name, fallback, &text))
        return false;
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0 ||
           rest_refuse(call, 400,
                       "The \"%s\" query parameter must be either \"true\" or \"false\".", name);
}

static enum rpc_progress answer_contents(struct rpc_call *call)
{
    bool is_verbose, with_sequence;
    if (!read_switch(call, "verbose", "true", &is_verbose) ||
        !read_switch(call, "mempool_sequence", "false", &with_sequence))
        return RPC_DONE;
    if (is_verbose && with_sequence)
        return rest_fail(call, 400,
                         "Verbose results cannot contain mempool sequence values. (hint: set "
                         "\"verbose=false\")");
    rest_arg_bool(call, 0, is_verbose);
    rest_arg_bool(call, 1, with_sequence);
    return rpc_getrawmempool(call);
}

enum rpc_progress rest_mempool(struct rpc_call *call)
{
    const char *what = call->rest->param;
    ASSERT(what);
    bool is_contents = strcmp(what, "contents") == 0;
    if (!is_contents && strcmp(what, "info") != 0)
        return rest_fail(call, 400,
                         "Invalid URI format. Expected /rest/mempool/<info|contents>.json");
    if (!call->rpc->node->mempool)
        return rest_fail(call, 404, "Mempool disabled or instance not found");
    if (!rest_need_json(call))
        return RPC_DONE;
    return is_contents ? answer_contents(call) : rpc_getmempoolinfo(call);
}
