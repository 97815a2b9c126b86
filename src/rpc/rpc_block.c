/* rpc_block.c - getblock: read off the loop, written off the loop, from bytes that do not change.
 */

#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/tx_json.h"

enum { ENVELOPE_BYTES = 256 }; /* what follows a result; a longer id has it grow */

/* What the writing job works on. */
struct block_answer {
    struct block_ref *block; /* held */
    struct span undo_raw;    /* in the call's arena; empty if not wanted or not stored */
    int32_t verbosity;
    const struct network *network;
};

static void put_txs(struct json_out *out, const struct block_answer *answer,
                    const struct undo *undo)
{
    const struct block *block = &answer->block->block;
    struct tx_json_style style = {
        .network = answer->network, .with_hex = true, .with_prevouts = answer->verbosity >= 3};
    size_t spent = 0;
    json_field_array(out, "tx");
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        if (answer->verbosity == 1) {
            json_put_id(out, block->txids[i].b);
            continue;
        }
        bool is_known = undo && i > 0;
        json_open_object(out);
        tx_json_put_tx(out, tx, is_known ? &undo->spent[spent] : NULL, &style);
        json_close_object(out);
        spent += i > 0 ? tx->n_in : 0;
    }
    json_close_array(out);
}

/* The part of the answer that depends on the block only. */
static void write_block(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct block_answer *answer = call->state;
    const struct block *block = &answer->block->block;
    struct json_out *out = &call->out;
    /* Room for most blocks at once: a buffer that doubles is copied again and again. */
    static const uint8_t bytes_for_one[] = {0, 1, 8, 12};
    buffer_reserve(out->buffer, block->raw.len * bytes_for_one[MIN_OF(answer->verbosity, 3)]);
    struct arena arena;
    struct undo undo;
    arena_init(&arena, 1 << 16);
    bool has_undo = answer->undo_raw.len > 0 && undo_decode(answer->undo_raw, block, &arena, &undo);
    json_field_int(out, "strippedsize", block->base_bytes);
    json_field_int(out, "size", (int64_t)block->raw.len);
    json_field_int(out, "weight", block_weight_wu(block));
    json_put_key(out, "coinbase_tx");
    tx_json_put_coinbase(out, &block->tx[0]);
    put_txs(out, answer, has_undo ? &undo : NULL);
    json_close_object(out);
    arena_deinit(&arena);
}

static void let_go(struct rpc_call *call)
{
    const struct block_answer *answer = call->state;
    block_ref_drop(answer->block);
}

static struct span copy_span(struct arena *arena, struct span s)
{
    uint8_t *copy = arena_alloc(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.p, s.len);
    return span_of(copy, s.len);
}

static void on_read(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    struct block_answer *answer = call->state;
    if (read->error) {
        chain_json_fail_read(call, read);
        rpc_finish(call);
        return;
    }
    ASSERT(read->block && !answer->block);
    answer->block = block_ref_hold(read->block);
    answer->undo_raw = copy_span(&call->arena, read->undo_raw);
    json_open_object(&call->out);
    chain_json_put_header(&call->out, call->rpc->node->chain, read->node);
    rpc_run_job(call, write_block, let_go);
}

/* On the thread that has read them: another one would have to be woken, and fetch them from the
 * first one's caches. */
static void write_hex(void *arg, struct span raw)
{
    struct rpc_call *call = arg;
    buffer_reserve(call->out.buffer, 2 * raw.len + ENVELOPE_BYTES);
    json_put_hex(&call->out, raw);
}

static void on_hex(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    if (read->error)
        chain_json_fail_read(call, read);
    rpc_finish(call);
}

enum rpc_progress rpc_getblock(struct rpc_call *call)
{
    const struct rpc_node *node = call->rpc->node;
    struct block_answer *answer = arena_calloc(&call->arena, 1, sizeof *answer);
    answer->verbosity = 1;
    answer->network = node->network;
    const struct block_node *block = chain_json_read_block(call, 0, "blockhash");
    if (!block || !rpc_arg_verbosity(call, 1, true, &answer->verbosity))
        return RPC_DONE;
    if (!chain_json_need_block(call, block))
        return RPC_DONE;
    call->state = answer;
    if (answer->verbosity <= 0)
        chain_read_raw_block(node->chain, block, write_hex, on_hex, call);
    else
        chain_read_block(node->chain, block, answer->verbosity >= 2, on_read, call);
    return RPC_PENDING;
}
