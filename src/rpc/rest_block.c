/* rest_block.c - REST routes about whole blocks, read off the loop. */
#include "rpc/methods.h"
#include "rpc/rest.h"
#include "rpc/tx_json.h"
#include "util/alloc.h"

/* What the writing job works on. */
struct block_wish {
    const char *hash_text;
    struct block_ref *block; /* held */
    struct span undo_raw;    /* in the call's arena */
    bool is_part;
    uint64_t offset, size; /* of a part */
};

/* The block that a hash names, if its bytes are stored. */
static const struct block_node *find_block(struct rpc_call *call, const char *text)
{
    struct block_hash hash;
    if (!rest_read_id(call, text, hash.b))
        return NULL;
    const struct block_node *node = chain_find(call->rpc->node->chain, &hash);
    if (!node)
        rest_fail(call, 404, "%s not found", text);
    else if (!block_node_has_data(node))
        rest_fail(call, 404, "%s not available (%s)", text,
                  node->n_tx > 0 ? "pruned data" : "not fully downloaded");
    else
        return node;
    return NULL;
}

static void let_go(struct rpc_call *call)
{
    const struct block_wish *wish = call->state;
    block_ref_drop(wish->block);
}

/* -- Bytes ------------------------------------------------------------------------------------ */

static void write_bytes_of_block(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct block_wish *wish = call->state;
    struct span raw = block_ref_raw(wish->block);
    if (wish->is_part)
        raw = span_of(raw.p + wish->offset, (size_t)wish->size);
    rest_put_bytes(call, raw);
}

/* Is the part within the block? */
static bool check_part(struct rpc_call *call, const struct block_wish *wish)
{
    size_t len = block_ref_raw(wish->block).len;
    bool is_good = wish->size > 0 && wish->offset <= len && wish->size <= len - wish->offset;
    return is_good || rest_refuse(call, 400, "Bad block part offset/size %llu/%llu for %s",
                                  (unsigned long long)wish->offset, (unsigned long long)wish->size,
                                  wish->hash_text);
}

static void on_block(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    struct block_wish *wish = call->state;
    if (read->error) {
        rest_fail(call, 500, "I/O error reading %s", wish->hash_text);
        rpc_finish(call);
        return;
    }
    wish->block = block_ref_hold(read->block);
    if (!wish->is_part || check_part(call, wish)) {
        rpc_run_job(call, write_bytes_of_block, let_go);
        return;
    }
    let_go(call);
    rpc_finish(call);
}

static enum rpc_progress answer_bytes(struct rpc_call *call, const struct block_node *node,
                                      struct block_wish *wish)
{
    call->state = wish;
    chain_read_raw_block(call->rpc->node->chain, node, NULL, on_block, call);
    return RPC_PENDING;
}

static enum rpc_progress answer_block(struct rpc_call *call, const char *verbosity)
{
    struct block_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    wish->hash_text = call->rest->param;
    const struct block_node *node = find_block(call, wish->hash_text);
    if (!node)
        return RPC_DONE;
    switch (call->rest->format) {
    case REST_FORMAT_NONE:
        return rest_fail_format(call);
    case REST_FORMAT_BIN:
    case REST_FORMAT_HEX:
        return answer_bytes(call, node, wish);
    case REST_FORMAT_JSON:
        break;
    }
    rest_arg_text(call, 0, wish->hash_text);
    rest_arg_number(call, 1, verbosity);
    return rpc_getblock(call);
}

enum rpc_progress rest_block(struct rpc_call *call)
{
    return answer_block(call, "3");
}

enum rpc_progress rest_block_notxdetails(struct rpc_call *call)
{
    return answer_block(call, "1");
}

/* A number of the query that must be there. */
static bool read_bound(struct rpc_call *call, const char *name, uint64_t *out)
{
    const char *text;
    if (!rest_query(call, name, "", &text))
        return false;
    return rest_read_number(text, out) ||
           rest_refuse(call, 400, "Block part %s missing or invalid", name);
}

enum rpc_progress rest_blockpart(struct rpc_call *call)
{
    struct block_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    wish->hash_text = call->rest->param;
    wish->is_part = true;
    if (!read_bound(call, "offset", &wish->offset) || !read_bound(call, "size", &wish->size))
        return RPC_DONE;
    const struct block_node *node = find_block(call, wish->hash_text);
    if (!node)
        return RPC_DONE;
    if (call->rest->format == REST_FORMAT_JSON)
        return rest_fail(call, 400, "JSON output is not supported for this request type");
    if (call->rest->format == REST_FORMAT_NONE)
        return rest_fail_format(call);
    return answer_bytes(call, node, wish);
}

/* -- What a block spent ----------------------------------------------------------------------- */

static void put_spent_json(struct rpc_call *call, const struct block *block,
                           const struct undo *undo)
{
    struct json_out *out = &call->out;
    const struct coin *coin = undo->spent;
    json_open_array(out);
    json_open_array(out); /* of the coinbase: nothing */
    json_close_array(out);
    for (uint32_t i = 1; i < block->n_tx; i++) {
        json_open_array(out);
        for (uint32_t k = 0; k < block->tx[i].n_in; k++, coin++) {
            json_open_object(out);
            json_field_amount(out, "value", coin->value_sat);
            tx_json_field_script_pubkey(out, call->rpc->node->network, coin->script_pubkey);
            json_close_object(out);
        }
        json_close_array(out);
    }
    json_close_array(out);
}

/* A list of outputs for each transaction, that of the coinbase empty. */
static void put_spent_bytes(struct rpc_call *call, const struct block *block,
                            const struct undo *undo)
{
    struct buffer bytes;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    const struct coin *coin = undo->spent;
    write_compact_size(&w, block->n_tx);
    write_compact_size(&w, 0);
    for (uint32_t i = 1; i < block->n_tx; i++) {
        write_compact_size(&w, block->tx[i].n_in);
        for (uint32_t k = 0; k < block->tx[i].n_in; k++, coin++) {
            write_u64(&w, (uint64_t)coin->value_sat);
            write_var_span(&w, coin->script_pubkey);
        }
    }
    rest_put_bytes(call, buffer_span(&bytes));
    buffer_deinit(&bytes);
}

static void write_spent(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct block_wish *wish = call->state;
    const struct block *block = &wish->block->block;
    struct arena arena;
    struct undo undo = {0};
    arena_init(&arena, 1 << 16);
    /* The first block spends nothing, and has no record that says so. */
    bool is_known = block->n_tx == 1 || undo_decode(wish->undo_raw, block, &arena, &undo);
    if (!is_known)
        rest_fail(call, 404, "%s undo not available", wish->hash_text);
    else if (call->rest->format == REST_FORMAT_JSON)
        put_spent_json(call, block, &undo);
    else
        put_spent_bytes(call, block, &undo);
    arena_deinit(&arena);
}

static void on_spent(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    struct block_wish *wish = call->state;
    if (read->error || (read->undo_raw.len == 0 && read->block->block.n_tx > 1)) {
        rest_fail(call, 404, "%s undo not available", wish->hash_text);
        rpc_finish(call);
        return;
    }
    uint8_t *copy = arena_alloc(&call->arena, read->undo_raw.len + 1);
    if (read->undo_raw.len)
        memcpy(copy, read->undo_raw.p, read->undo_raw.len);
    wish->undo_raw = span_of(copy, read->undo_raw.len);
    wish->block = block_ref_hold(read->block);
    rpc_run_job(call, write_spent, let_go);
}

enum rpc_progress rest_spenttxouts(struct rpc_call *call)
{
    struct block_wish *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    const char *text = call->rest->param;
    struct block_hash hash;
    if (strchr(text, '/'))
        return rest_fail(call, 400, "Invalid URI format. Expected /rest/spenttxouts/<hash>.<ext>");
    if (!rest_read_id(call, text, hash.b))
        return RPC_DONE;
    const struct block_node *node = chain_find(call->rpc->node->chain, &hash);
    if (!node)
        return rest_fail(call, 404, "%s not found", text);
    if (!block_node_has_data(node))
        return rest_fail(call, 404, "%s undo not available", text);
    if (call->rest->format == REST_FORMAT_NONE)
        return rest_fail_format(call);
    wish->hash_text = text;
    call->state = wish;
    chain_read_block(call->rpc->node->chain, node, true, on_spent, call);
    return RPC_PENDING;
}
