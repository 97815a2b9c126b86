/* rpc_filters.c - getblockfilter and scanblocks: what the index of block filters knows. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "chain/ask/block_filter.h"
#include "chain/ask/filterindex.h"
#include "crypto/gcs.h"
#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/scan_orders.h"
#include "util/array.h"

enum {
    SCAN_PART = 1000, /* blocks looked at by one job */
};

/* False, with an error, unless filters of that name are indexed here. */
static bool need_index(struct rpc_call *call, const char *type)
{
    bool synced;
    int32_t height;
    if (strcmp(type, "basic") != 0)
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown filtertype");
    if (!chain_filterindex_status(call->rpc->node->chain, &synced, &height))
        return rpc_refuse(call, RPC_MISC_ERROR, "Index is not enabled for filtertype basic");
    return true;
}

/* -- getblockfilter --------------------------------------------------------------------------- */

struct filter_call {
    const struct block_node *node;
    struct buffer filter;
    uint8_t header[32];
};

static bool keep_filter(void *arg, const struct chain_filter *filter)
{
    struct filter_call *wish = ((struct rpc_call *)arg)->state;
    buffer_append(&wish->filter, filter->filter.p, filter->filter.len);
    memcpy(wish->header, filter->header, sizeof wish->header);
    return true;
}

/* Core's words for why there is none. */
static void fail_filter(struct rpc_call *call, int error, const struct block_node *node)
{
    if (error == -ECANCELED)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    else if (!block_node_was_connected(node))
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                 "Filter not found. Block was not connected to active chain.");
    else if (error == -EAGAIN || error == -EUCLEAN)
        rpc_fail(call, RPC_MISC_ERROR,
                 "Filter not found. Block filters are still in the process of being indexed.");
    else
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 "Filter not found. This error is unexpected and indicates index corruption.");
}

static void on_filter(void *arg, int error, size_t n)
{
    struct rpc_call *call = arg;
    struct filter_call *wish = call->state;
    ASSERT(error || n == 1);
    if (error) {
        fail_filter(call, error, wish->node);
    } else {
        json_open_object(&call->out);
        json_field_hex(&call->out, "filter", buffer_span(&wish->filter));
        json_field_id(&call->out, "header", wish->header);
        json_close_object(&call->out);
    }
    buffer_deinit(&wish->filter);
    rpc_finish(call);
}

enum rpc_progress rpc_getblockfilter(struct rpc_call *call)
{
    struct chain *chain = call->rpc->node->chain;
    struct block_hash hash;
    if (!rpc_read_id(call, rpc_arg(call, 0), "blockhash", hash.b) ||
        !need_index(call, rpc_arg_string(call, 1, "basic")))
        return RPC_DONE;
    const struct block_node *node = chain_find(chain, &hash);
    if (!node)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    struct filter_call *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    wish->node = node;
    buffer_init(&wish->filter);
    call->state = wish;
    struct chain_filter_range range = {
        .first = node->height, .step = 1, .last = node, .wants_filters = true};
    chain_visit_filters(chain, &range, keep_filter, on_filter, call);
    return RPC_PENDING;
}

/* -- scanblocks ------------------------------------------------------------------------------- */

/* One scan: made by its call, and read by those that ask how far it is. While a job looks at
 * filters, all but the atomics is the job's alone. */
struct block_scan {
    struct scan_orders orders;
    struct scan_scripts scripts;
    uint64_t *scratch;             /* a number for each */
    const struct block_node *last; /* of the range */
    int32_t first, next;           /* filters below next were looked at, */
    int32_t decided;               /* and blocks up to here decided by that */
    int32_t n_looked;              /* at filters, by the job that ran last */
    bool drops_false_positives;
    bool is_malformed;
    ARRAY(struct block_hash) part; /* matched by the job that ran last */
    size_t part_at;                /* of them, looked at again */
    ARRAY(struct block_hash) relevant;
    atomic_bool is_aborted; /* set on the loop thread */
    atomic_int height;      /* being looked at */
};

static void scan_free(struct block_scan *scan)
{
    scan_orders_deinit(&scan->orders);
    scan_scripts_deinit(&scan->scripts);
    ARRAY_FREE(&scan->part);
    ARRAY_FREE(&scan->relevant);
    xfree(scan->scratch);
    xfree(scan);
}

static bool visit(void *arg, const struct chain_filter *filter)
{
    struct block_scan *scan = ((struct rpc_call *)arg)->state;
    if (atomic_load_explicit(&scan->is_aborted, memory_order_relaxed))
        return false;
    atomic_store_explicit(&scan->height, filter->height, memory_order_relaxed);
    scan->n_looked++;
    enum gcs_match match = gcs_match_any(filter->filter, block_filter_key(filter->block),
                                         scan->scripts.at, scan->scripts.n, scan->scratch);
    scan->is_malformed |= match == GCS_MATCH_MALFORMED;
    if (match == GCS_MATCH_YES)
        *ARRAY_ADD(&scan->part) = *filter->block;
    return match != GCS_MATCH_MALFORMED;
}

static void put_scan(struct rpc_call *call, const struct block_scan *scan)
{
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_int(out, "from_height", scan->first);
    json_field_int(out, "to_height", MAX_OF(scan->first, scan->decided));
    json_field_array(out, "relevant_blocks");
    for (size_t i = 0; i < scan->relevant.n; i++)
        json_put_id(out, scan->relevant.at[i].b);
    json_close_array(out);
    json_field_bool(out, "completed", !atomic_load(&scan->is_aborted));
    json_close_object(out);
}

/* The answer is written, or the call has failed. */
static void leave_scan(struct rpc_call *call)
{
    struct block_scan *scan = call->state;
    ASSERT(call->rpc->block_scan == scan);
    call->rpc->block_scan = NULL;
    scan_free(scan);
    rpc_finish(call);
}

static void end_scan(struct rpc_call *call, int error)
{
    const struct block_scan *scan = call->state;
    if (error == -ECANCELED)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    else if (error == -EAGAIN)
        rpc_fail(call, RPC_MISC_ERROR, "Block filters are still in the process of being indexed.");
    else if (error)
        rpc_fail(call, RPC_MISC_ERROR, "Unable to read the block filters");
    else
        put_scan(call, scan);
    leave_scan(call);
}

static void scan_part(struct rpc_call *call);
static void check_next(struct rpc_call *call);

static bool is_relevant(const struct block_scan *scan, const struct chain_block_read *read)
{
    const struct block *block = &read->block->block;
    for (uint32_t i = 0; i < block->n_tx; i++)
        for (uint32_t k = 0; k < block->tx[i].n_out; k++)
            if (scan_scripts_have(&scan->scripts, block->tx[i].out[k].script_pubkey))
                return true;
    struct arena arena;
    struct undo undo;
    bool found = false;
    arena_init(&arena, 1 << 16);
    if (read->undo_raw.len > 0 && undo_decode(read->undo_raw, block, &arena, &undo))
        for (size_t i = 0; i < undo.n_spent && !found; i++)
            found = scan_scripts_have(&scan->scripts, undo.spent[i].script_pubkey);
    arena_deinit(&arena);
    return found;
}

/* A block that cannot be read may be relevant, or not: the call fails, as Core's. */
static void on_block(void *arg, const struct chain_block_read *read)
{
    struct rpc_call *call = arg;
    struct block_scan *scan = call->state;
    if (read->error) {
        chain_json_fail_read(call, read);
        leave_scan(call);
        return;
    }
    if (is_relevant(scan, read))
        *ARRAY_ADD(&scan->relevant) = read->node->hash;
    check_next(call);
}

/* Blocks that only seem to match are read one after the other. */
static void check_next(struct rpc_call *call)
{
    struct block_scan *scan = call->state;
    struct chain *chain = call->rpc->node->chain;
    bool reads_on = scan->drops_false_positives && !atomic_load(&scan->is_aborted);
    if (reads_on && scan->part_at < scan->part.n) {
        const struct block_node *node = chain_find(chain, &scan->part.at[scan->part_at++]);
        if (chain_json_need_block(call, node))
            chain_read_block(chain, node, true, on_block, call);
        else
            leave_scan(call);
        return;
    }
    while (!scan->drops_false_positives && scan->part_at < scan->part.n)
        *ARRAY_ADD(&scan->relevant) = scan->part.at[scan->part_at++];
    scan->decided = scan->part_at < scan->part.n
                        ? chain_find(chain, &scan->part.at[scan->part_at])->height - 1
                        : scan->next - 1;
    scan->part.n = scan->part_at = 0;
    scan_part(call);
}

static void on_part(void *arg, int error, size_t n)
{
    struct rpc_call *call = arg;
    struct block_scan *scan = call->state;
    ASSERT(scan->n_looked <= (int32_t)n);
    scan->next += scan->n_looked;
    scan->n_looked = 0;
    if (scan->is_malformed)
        error = -EUCLEAN;
    if (error)
        end_scan(call, error);
    else
        check_next(call);
}

static void scan_part(struct rpc_call *call)
{
    struct block_scan *scan = call->state;
    if (scan->next > scan->last->height || atomic_load(&scan->is_aborted)) {
        end_scan(call, 0);
        return;
    }
    int32_t last = MIN_OF(scan->next + SCAN_PART - 1, scan->last->height);
    struct chain_filter_range range = {.first = scan->next,
                                       .step = 1,
                                       .last = block_node_ancestor(scan->last, last),
                                       .wants_filters = true};
    chain_visit_filters(call->rpc->node->chain, &range, visit, on_part, call);
}

/* The client has gone, or the node stops. */
static void on_interrupt(struct rpc_call *call)
{
    struct block_scan *scan = call->state;
    atomic_store(&scan->is_aborted, true);
}

static bool read_height(struct rpc_call *call, size_t index, const char *name, int32_t least,
                        const struct block_node **node)
{
    int32_t height = (*node)->height;
    if (!rpc_arg_int32(call, index, &height))
        return false;
    const struct block_node *found =
        height >= least ? chain_at(call->rpc->node->chain, height) : NULL;
    if (!found)
        return rpc_refuse(call, RPC_MISC_ERROR, "Invalid %s", name);
    *node = found;
    return true;
}

static bool read_options(struct rpc_call *call, struct block_scan *scan)
{
    static const struct rpc_field fields[] = {
        {"filter_false_positives", JSON_KIND_BOOL, RPC_FIELD_OPTIONAL}};
    const struct json_value *options = rpc_arg(call, 5);
    if (!rpc_check_fields(call, options, fields, COUNT_OF(fields)))
        return false;
    const struct json_value *drops = options ? json_find(options, fields[0].name) : NULL;
    scan->drops_false_positives = drops && drops->kind == JSON_KIND_BOOL && drops->boolean;
    return true;
}

static bool read_question(struct rpc_call *call, struct block_scan *scan)
{
    struct chain *chain = call->rpc->node->chain;
    const struct block_node *first = chain_at(chain, 0);
    scan->last = chain_tip(chain);
    if (!need_index(call, rpc_arg_string(call, 4, "basic")) || !read_options(call, scan) ||
        !read_height(call, 2, "start_height", 0, &first) ||
        !read_height(call, 3, "stop_height", first->height, &scan->last))
        return false;
    scan->first = scan->next = scan->decided = first->height;
    return true;
}

static void run_prepare(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct block_scan *scan = call->state;
    if (!scan_orders_read(call, rpc_arg(call, 1), &scan->orders))
        return; /* its error is the call's */
    scan_scripts_make(&scan->orders, &scan->scripts);
    scan->scratch = xmalloc((scan->scripts.n + 1) * sizeof *scan->scratch);
}

/* The scripts have been made, or nobody wants them any more. */
static void end_preparing(struct rpc_call *call)
{
    struct block_scan *scan = call->state;
    if (!call->error_code && call->reply)
        return;
    call->rpc->block_scan = NULL;
    scan_free(scan);
}

static enum rpc_progress begin_scan(struct rpc_call *call)
{
    if (call->error_code || !call->reply)
        return RPC_DONE;
    call->on_interrupt = on_interrupt;
    if (call->rpc->is_interrupted) /* while the scripts were made */
        on_interrupt(call);
    scan_part(call);
    return RPC_PENDING;
}

static enum rpc_progress start(struct rpc_call *call)
{
    if (call->rpc->block_scan)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Scan already in progress, use action \"abort\" or \"status\"");
    struct block_scan *scan = xcalloc(1, sizeof *scan);
    scan_orders_init(&scan->orders, rpc_ec_context(call->rpc));
    atomic_init(&scan->is_aborted, false);
    if (!read_question(call, scan)) {
        scan_free(scan);
        return RPC_DONE;
    }
    atomic_init(&scan->height, scan->first);
    call->state = call->rpc->block_scan = scan;
    rpc_run_step(call, run_prepare, end_preparing, begin_scan);
    return RPC_PENDING;
}

static void put_status(struct rpc_call *call, const struct block_scan *scan)
{
    int32_t height = atomic_load(&scan->height);
    int64_t n = (int64_t)scan->last->height - scan->first;
    json_open_object(&call->out);
    json_field_int(&call->out, "progress", n > 0 ? (height - scan->first) * INT64_C(100) / n : 0);
    json_field_int(&call->out, "current_height", height);
    json_close_object(&call->out);
}

enum rpc_progress rpc_scanblocks(struct rpc_call *call)
{
    struct block_scan *scan = call->rpc->block_scan;
    enum scan_action action;
    if (!scan_read_action(call, &action))
        return RPC_DONE;
    if (action == SCAN_START)
        return start(call);
    if (action == SCAN_ABORT) {
        if (scan)
            atomic_store(&scan->is_aborted, true);
        json_put_bool(&call->out, scan != NULL);
    } else if (scan) {
        put_status(call, scan);
    } else {
        json_put_null(&call->out);
    }
    return RPC_DONE;
}
