/* rpc_activity.c - getdescriptoractivity: what pays and spends scripts, in blocks and waiting. */
#include <stdlib.h>

#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/pool_walk.h"
#include "rpc/scan_orders.h"
#include "rpc/tx_json.h"
#include "util/array.h"

enum {
    ACTIVITY_MAX = 200000, /* events in an answer */
};

/* One call's work. While a job goes through a block, all of it is the job's alone. */
struct activity {
    struct scan_orders orders;
    struct scan_scripts scripts;
    ARRAY(const struct block_node *) blocks; /* each once, by height */
    size_t at;                               /* the block that is read next */
    struct block_ref *block;                 /* held while a job goes through it ... */
    struct buffer undo_raw;                  /* ... with what it spent */
    const struct block_node *node;           /* where it is; NULL: in the mempool */
    struct pool_walk walk;
    size_t n_events;
};

/* An output that is one of those looked for, and who spends it. */
struct event {
    const struct tx_out *out;
    const struct tx *tx; /* that makes it, or that spends it by its input i */
    uint32_t i;
};

static void activity_free(struct activity *activity)
{
    scan_orders_deinit(&activity->orders);
    scan_scripts_deinit(&activity->scripts);
    ARRAY_FREE(&activity->blocks);
    pool_walk_deinit(&activity->walk);
    buffer_deinit(&activity->undo_raw);
    ASSERT(!activity->block);
    xfree(activity);
}

/* -- Events ----------------------------------------------------------------------------------- */

static void put_head(struct rpc_call *call, const char *type, int64_t value_sat)
{
    const struct activity *activity = call->state;
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_string(out, "type", type);
    json_field_amount(out, "amount", value_sat);
    if (activity->node) {
        json_field_id(out, "blockhash", activity->node->hash.b);
        json_field_int(out, "height", activity->node->height);
    }
}

static void put_script(struct rpc_call *call, const char *key, struct span script)
{
    json_field_object(&call->out, key);
    tx_json_put_script(&call->out, call->rpc->node->network, script, TX_JSON_HEX | TX_JSON_ADDRESS,
                       NULL);
    json_close_object(&call->out);
}

/* Is one more event wanted? False, with an error, if there are too many. */
static bool count_event(struct rpc_call *call)
{
    struct activity *activity = call->state;
    if (activity->n_events == ACTIVITY_MAX)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "More than %d events: ask for fewer blocks",
                          ACTIVITY_MAX);
    activity->n_events++;
    return true;
}

/* False, with an error. */
static bool put_spend(struct rpc_call *call, struct event event)
{
    const struct outpoint *prevout = &event.tx->in[event.i].prevout;
    const struct activity *activity = call->state;
    struct json_out *out = &call->out;
    if (!scan_scripts_have(&activity->scripts, event.out->script_pubkey))
        return true;
    if (!count_event(call))
        return false;
    put_head(call, "spend", event.out->value_sat);
    json_field_id(out, "spend_txid", event.tx->txid.b);
    json_field_int(out, "spend_vin", event.i);
    json_field_id(out, "prevout_txid", prevout->txid.b);
    json_field_int(out, "prevout_vout", prevout->vout);
    put_script(call, "prevout_spk", event.out->script_pubkey);
    json_close_object(out);
    return true;
}

static bool put_receive(struct rpc_call *call, struct event event)
{
    const struct activity *activity = call->state;
    struct json_out *out = &call->out;
    if (!scan_scripts_have(&activity->scripts, event.out->script_pubkey))
        return true;
    if (!count_event(call))
        return false;
    put_head(call, "receive", event.out->value_sat);
    json_field_id(out, "txid", event.tx->txid.b);
    json_field_int(out, "vout", event.i);
    put_script(call, "output_spk", event.out->script_pubkey);
    json_close_object(out);
    return true;
}

static bool put_receives(struct rpc_call *call, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_out; i++)
        if (!put_receive(call, (struct event){&tx->out[i], tx, i}))
            return false;
    return true;
}

/* -- The end ---------------------------------------------------------------------------------- */

/* Free what the call worked with. In each case, be there an answer or an error. */
static enum rpc_progress end_activity(struct rpc_call *call)
{
    struct activity *activity = call->state;
    if (!call->error_code) {
        json_close_array(&call->out);
        json_close_object(&call->out);
    }
    activity_free(activity);
    call->state = NULL;
    return RPC_DONE;
}

/* -- The mempool ------------------------------------------------------------------------------ */

/* What an entry's inputs spend, and what it pays. */
static bool put_entry(struct rpc_call *call, const struct tx *tx)
{
    struct arena_mark mark = arena_mark(&call->arena);
    struct tx_out *spent = arena_calloc(&call->arena, tx->n_in, sizeof *spent);
    bool *known = arena_calloc(&call->arena, tx->n_in, sizeof *known);
    bool ok = rpc_find_spent(call, tx, spent, known);
    for (uint32_t i = 0; ok && i < tx->n_in; i++)
        if (known[i])
            ok = put_spend(call, (struct event){&spent[i], tx, i});
    arena_rewind(&call->arena, mark);
    return ok && put_receives(call, tx);
}

/* Some waiting transactions, so that nobody waits for all of them. Returns: whether that was the
 * last of it */
static bool write_slice(struct rpc_call *call)
{
    struct activity *activity = call->state;
    const struct mempool *mempool = call->rpc->node->mempool;
    size_t work = 0;
    if (!call->reply || !mempool)
        return true;
    for (const struct mempool_entry *e; (e = pool_walk_next(&activity->walk, mempool, &work));)
        if (!put_entry(call, &e->tx))
            return true;
    return pool_walk_is_over(&activity->walk);
}

static void on_turn(void *arg)
{
    struct rpc_call *call = arg;
    call->timer = 0;
    if (!write_slice(call)) {
        rpc_call_timer(call, 0, on_turn);
        return;
    }
    (void)end_activity(call);
    rpc_finish(call);
}

static enum rpc_progress begin_mempool(struct rpc_call *call)
{
    struct activity *activity = call->state;
    const struct mempool *mempool = call->rpc->node->mempool;
    if (!mempool || !rpc_arg_bool(call, 2, true))
        return end_activity(call);
    activity->node = NULL;
    pool_walk_begin(&activity->walk, mempool);
    rpc_call_timer(call, 0, on_turn);
    return RPC_PENDING;
}

/* -- Blocks ----------------------------------------------------------------------------------- */

static bool put_block(struct rpc_call *call, const struct undo *undo)
{
    const struct activity *activity = call->state;
    const struct block *block = &activity->block->block;
    size_t spent = 0;
    for (uint32_t k = 0; k < block->n_tx; k++) {
        const struct tx *tx = &block->tx[k];
        for (uint32_t i = 0; k > 0 && i < tx->n_in; i++) {
            const struct coin *coin = &undo->spent[spent++];
            struct tx_out out = {.value_sat = coin->value_sat,
                                 .script_pubkey = coin->script_pubkey};
            if (!put_spend(call, (struct event){&out, tx, i}))
                return false;
        }
        if (!put_receives(call, tx))
            return false;
    }
    return true;
}

static void run_block(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct activity *activity = call->state;
    const struct block *block = &activity->block->block;
    struct arena arena;
    struct undo undo = {0};
    arena_init(&arena, 1 << 16);
    if (block->n_tx > 1 && !undo_decode(buffer_span(&activity->undo_raw), block, &arena, &undo))
        chain_json_fail_undo(call);
    else
        (void)!put_block(call, &undo); /* its error is the call's */
    arena_deinit(&arena);
}

static void end_block(struct rpc_call *call)
{
    struct activity *activity = call->state;
    block_ref_drop(activity->block);
    activity->block = NULL;
    if (call->job.cancelled)
        (void)end_activity(call);
}

static enum rpc_progress next_block(struct rpc_call *call);

static void on_block(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    struct activity *activity = call->state;
    if (read->error) {
        chain_json_fail_read(call, read);
        (void)end_activity(call);
        rpc_finish(call);
        return;
    }
    ASSERT(!activity->block);
    activity->block = block_ref_hold(read->block);
    activity->node = read->node;
    activity->undo_raw.len = 0;
    buffer_append(&activity->undo_raw, read->undo_raw.p, read->undo_raw.len);
    rpc_run_step(call, run_block, end_block, next_block);
}

static enum rpc_progress next_block(struct rpc_call *call)
{
    struct activity *activity = call->state;
    if (call->error_code || !call->reply)
        return end_activity(call);
    if (activity->at == activity->blocks.n)
        return begin_mempool(call);
    const struct block_node *node = activity->blocks.at[activity->at++];
    if (!chain_json_need_block(call, node))
        return end_activity(call);
    chain_read_block(call->rpc->node->chain, node, true, on_block, call);
    return RPC_PENDING;
}

/* -- The question ----------------------------------------------------------------------------- */

static int compare_heights(const void *a, const void *b)
{
    const struct block_node *x = *(const struct block_node *const *)a;
    const struct block_node *y = *(const struct block_node *const *)b;
    return x->height < y->height ? -1 : x->height > y->height;
}

/* Each once, in the order of the chain. */
static void sort_blocks(struct activity *activity)
{
    const struct block_node **at = activity->blocks.at;
    size_t n = 0;
    if (activity->blocks.n > 0)
        qsort(at, activity->blocks.n, sizeof *at, compare_heights);
    for (size_t i = 0; i < activity->blocks.n; i++)
        if (n == 0 || at[i] != at[n - 1])
            at[n++] = at[i];
    activity->blocks.n = n;
}

static void run_prepare(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct activity *activity = call->state;
    sort_blocks(activity);
    if (scan_orders_read(call, rpc_arg(call, 1), &activity->orders))
        scan_scripts_make(&activity->orders, &activity->scripts);
    /* Else its error is the call's. */
}

static void end_preparing(struct rpc_call *call)
{
    if (call->job.cancelled)
        (void)end_activity(call);
}

static enum rpc_progress begin(struct rpc_call *call)
{
    json_open_object(&call->out);
    json_field_array(&call->out, "activity");
    return next_block(call);
}

/* The blocks that are asked for. */
static bool read_blocks(struct rpc_call *call, struct activity *activity)
{
    const struct chain *chain = call->rpc->node->chain;
    const struct json_value *hashes = rpc_arg(call, 0);
    for (const struct json_value *v = hashes ? hashes->first : NULL; v; v = v->next) {
        const struct block_node *node = chain_json_find_block(call, v, "blockhash");
        if (!node)
            return false;
        if (!chain_contains(chain, node))
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "Block is not in main chain");
        *ARRAY_ADD(&activity->blocks) = node;
    }
    return true;
}

enum rpc_progress rpc_getdescriptoractivity(struct rpc_call *call)
{
    if (rpc_arg_bool(call, 2, true) && !rpc_need_mempool(call))
        return RPC_DONE;
    struct activity *activity = xcalloc(1, sizeof *activity);
    scan_orders_init(&activity->orders, rpc_ec_context(call->rpc));
    buffer_init(&activity->undo_raw);
    call->state = activity;
    if (!read_blocks(call, activity))
        return end_activity(call);
    rpc_run_step(call, run_prepare, end_preparing, begin);
    return RPC_PENDING;
}
