/* rpc_scan.c - scantxoutset: the unspent outputs that descriptors stand for. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rpc/chain_json.h"
#include "rpc/desc.h"
#include "rpc/methods.h"
#include "util/array.h"

enum {
    RANGE_END_DEFAULT = 1000,
    RANGE_MAX = 1000000,   /* indexes of one descriptor */
    INDEXES_MAX = 1000000, /* of all descriptors of a call: bounds the memory of a scan */
    FOUND_MAX = 1000000,   /* outputs that an answer holds */
    ARENA_BYTES = 1 << 16,
};

/* A script that is looked for, and where it comes from. */
struct needle {
    struct span script;
    const struct desc *desc;
    uint32_t index, at;
};

struct scan_order {
    struct desc_list list;
    uint32_t first, last; /* of the range */
};

struct found {
    struct outpoint outpoint;
    struct coin coin; /* the script is the needle's */
    const struct needle *needle;
};

/* One scan: made by its call, and read by those that ask how far it is. Between start and
 * on_scanned() all but the atomics is the job's alone. */
struct coin_scan {
    struct arena arena; /* descriptors and scripts */
    const struct ec_context *ec;
    struct scan_order *orders;
    size_t n_orders;
    ARRAY(struct needle) needles;
    bool is_prepared;
    ARRAY(struct found) found;
    uint64_t n_coins;       /* looked at */
    bool is_over_full;      /* FOUND_MAX were found: an error, no cut answer */
    atomic_bool is_aborted; /* set on the loop thread */
    atomic_uint percent;    /* set by the job; of the txids' range, since nobody knows the count */
};

/* -- Needles (job) ---------------------------------------------------------------------------- */

static int compare_scripts(struct span a, struct span b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.p, b.p, a.len) : 0;
}

static int compare_needles(const void *a, const void *b)
{
    const struct needle *x = a, *y = b;
    return compare_scripts(x->script, y->script);
}

static int compare_script_to_needle(const void *script, const void *needle)
{
    return compare_scripts(*(const struct span *)script, ((const struct needle *)needle)->script);
}

static void add_needles(struct coin_scan *scan, const struct desc *desc, uint32_t index)
{
    struct span scripts[DESC_SCRIPTS_MAX];
    size_t n = desc_scripts(scan->ec, desc, index, &scan->arena, scripts);
    ASSERT(n <= DESC_SCRIPTS_MAX);
    for (size_t i = 0; i < n; i++)
        *ARRAY_ADD(&scan->needles) = (struct needle){scripts[i], desc, index, (uint32_t)i};
}

/* All scripts, sorted. Takes a while for large ranges, so the job does it before its first coin. */
static void prepare(struct coin_scan *scan)
{
    scan->is_prepared = true;
    for (size_t i = 0; i < scan->n_orders; i++) {
        const struct scan_order *order = &scan->orders[i];
        ASSERT(order->first <= order->last);
        for (uint64_t index = order->first; index <= order->last; index++) {
            for (size_t k = 0; k < order->list.n; k++)
                add_needles(scan, order->list.variant[k], (uint32_t)index);
        }
    }
    if (scan->needles.n > 0)
        qsort(scan->needles.at, scan->needles.n, sizeof(struct needle), compare_needles);
}

static bool visit(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct coin_scan *scan = arg;
    if (!scan->is_prepared)
        prepare(scan);
    if (atomic_load_explicit(&scan->is_aborted, memory_order_relaxed))
        return false;
    scan->n_coins++;
    /* Coins come in the order of their txids' bytes. */
    unsigned part = (unsigned)outpoint->txid.b[0] << 8 | outpoint->txid.b[1];
    atomic_store_explicit(&scan->percent, part * 100 / 65536, memory_order_relaxed);
    const struct needle *needle =
        scan->needles.n ? bsearch(&coin->script_pubkey, scan->needles.at, scan->needles.n,
                                  sizeof(struct needle), compare_script_to_needle)
                        : NULL;
    if (!needle)
        return true;
    if (scan->found.n == FOUND_MAX) {
        scan->is_over_full = true;
        return false;
    }
    struct found *found = ARRAY_ADD(&scan->found);
    *found = (struct found){*outpoint, *coin, needle};
    found->coin.script_pubkey = needle->script;
    return true;
}

/* The chain hands on the call. */
static bool visit_coin(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    const struct rpc_call *call = arg;
    return visit(call->state, outpoint, coin);
}

static void scan_free(struct coin_scan *scan)
{
    arena_deinit(&scan->arena);
    ARRAY_FREE(&scan->needles);
    ARRAY_FREE(&scan->found);
    xfree(scan);
}

/* -- The answer ------------------------------------------------------------------------------- */

static void put_found(struct rpc_call *call, const struct coin_scan *scan,
                      const struct found *found, const struct block_node *tip)
{
    struct json_out *out = &call->out;
    struct buffer desc;
    const struct block_node *block = block_node_ancestor(tip, (int32_t)found->coin.height);
    buffer_init(&desc);
    bool ok = desc_write_script(scan->ec, found->needle->desc, found->needle->index,
                                found->needle->at, &desc);
    ASSERT(ok); /* its script was made the same way */
    json_open_object(out);
    json_field_id(out, "txid", found->outpoint.txid.b);
    json_field_int(out, "vout", found->outpoint.vout);
    json_field_hex(out, "scriptPubKey", found->coin.script_pubkey);
    json_put_key(out, "desc");
    json_put_text(out, buffer_span(&desc));
    json_field_amount(out, "amount", found->coin.value_sat);
    json_field_bool(out, "coinbase", found->coin.coinbase);
    json_field_int(out, "height", found->coin.height);
    json_field_id(out, "blockhash", block->hash.b);
    json_field_int(out, "confirmations", tip->height - block->height + 1);
    json_close_object(out);
    buffer_deinit(&desc);
}

static void put_answer(struct rpc_call *call, struct coin_scan *scan, const struct block_node *tip)
{
    struct json_out *out = &call->out;
    int64_t total_sat = 0;
    json_open_object(out);
    json_field_bool(out, "success", !atomic_load(&scan->is_aborted));
    json_field_int(out, "txouts", (int64_t)scan->n_coins);
    json_field_int(out, "height", tip->height);
    json_field_id(out, "bestblock", tip->hash.b);
    json_field_array(out, "unspents");
    for (size_t i = 0; i < scan->found.n; i++) {
        put_found(call, scan, &scan->found.at[i], tip);
        total_sat += scan->found.at[i].coin.value_sat;
    }
    json_close_array(out);
    json_field_amount(out, "total_amount", total_sat);
    json_close_object(out);
}

static void on_scanned(void *arg, int error, const struct block_node *tip)
{
    struct rpc_call *call = arg;
    struct coin_scan *scan = call->state;
    ASSERT(call->rpc->scan == scan);
    call->rpc->scan = NULL;
    if (error)
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 error == -ECANCELED ? "Shutting down" : "Unable to read UTXO set");
    else if (scan->is_over_full)
        rpc_fail(call, RPC_INVALID_PARAMETER, "More than %d outputs match: ask for less",
                 FOUND_MAX);
    else
        put_answer(call, scan, tip);
    scan_free(scan);
    rpc_finish(call);
}

/* The client has gone, or the node stops. */
static void on_interrupt(struct rpc_call *call)
{
    struct coin_scan *scan = call->state;
    atomic_store(&scan->is_aborted, true);
}

/* -- The question ----------------------------------------------------------------------------- */

static bool read_range_bounds(struct rpc_call *call, const struct json_value *range, int64_t *low,
                              int64_t *high)
{
    *low = 0;
    *high = RANGE_END_DEFAULT;
    if (!range || range->kind == JSON_KIND_NULL)
        return true;
    bool ok = false;
    if (range->kind == JSON_KIND_NUMBER)
        ok = json_integer_in(range, INT64_MIN, INT64_MAX, high);
    else if (range->kind == JSON_KIND_ARRAY && range->n == 2)
        ok = json_integer_in(json_at(range, 0), INT64_MIN, INT64_MAX, low) &&
             json_integer_in(json_at(range, 1), INT64_MIN, INT64_MAX, high);
    if (!ok)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range must be specified as end or as [begin,end]");
    else if (range->kind == JSON_KIND_ARRAY && *low > *high)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "Range specified as [begin,end] must not have begin after end");
    return ok && !(range->kind == JSON_KIND_ARRAY && *low > *high);
}

bool rpc_read_range(struct rpc_call *call, const struct json_value *range, uint32_t *first,
                    uint32_t *last)
{
    int64_t low, high;
    if (!read_range_bounds(call, range, &low, &high))
        return false;
    const char *error = NULL;
    if (low < 0)
        error = "Range should be greater or equal than 0";
    else if (high < 0 || high > INT32_MAX)
        error = "End of range is too high";
    else if (high >= low + RANGE_MAX)
        error = "Range is too large";
    if (error)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "%s", error);
    *first = (uint32_t)low;
    *last = (uint32_t)high;
    return true;
}

/* "desc", or {"desc": "...", "range": ...}. */
static bool read_order(struct rpc_call *call, const struct json_value *value,
                       struct coin_scan *scan, struct scan_order *order)
{
    char error[300];
    const struct json_value *text = value, *range = NULL;
    if (value->kind == JSON_KIND_OBJECT) {
        text = json_find(value, "desc");
        range = json_find(value, "range");
        if (!text || text->kind == JSON_KIND_NULL)
            return rpc_refuse(call, RPC_INVALID_PARAMETER,
                              "Descriptor needs to be provided in scan object");
    } else if (value->kind != JSON_KIND_STRING) {
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Scan object needs to be either a string or an object");
    }
    if (!rpc_expect_kind(call, text, JSON_KIND_STRING) ||
        !rpc_read_range(call, range, &order->first, &order->last))
        return false;
    if (!desc_parse(scan->ec, call->rpc->node->network, text->text, &scan->arena, &order->list,
                    error, sizeof error))
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
    if (order->list.needs_secret)
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY,
                          "Cannot derive script without private keys: '%s'",
                          (const char *)text->text.p);
    if (!order->list.is_range)
        order->first = order->last = 0;
    return true;
}

static bool read_orders(struct rpc_call *call, struct coin_scan *scan)
{
    const struct json_value *objects = rpc_arg(call, 1);
    uint64_t n_indexes = 0;
    if (!objects)
        return rpc_refuse(call, RPC_MISC_ERROR,
                          "scanobjects argument is required for the start action");
    scan->orders = arena_calloc(&scan->arena, objects->n + 1, sizeof *scan->orders);
    for (const struct json_value *v = objects->first; v; v = v->next) {
        struct scan_order *order = &scan->orders[scan->n_orders++];
        if (!read_order(call, v, scan, order))
            return false;
        n_indexes += (uint64_t)(order->last - order->first + 1) * order->list.n;
        if (n_indexes > INDEXES_MAX)
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "Range is too large");
    }
    return true;
}

static void run_read_orders(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    (void)read_orders(call, call->state); /* its error is the call's */
}

/* The descriptors have been read, or could not be. */
static void end_reading(struct rpc_call *call)
{
    ASSERT(call->rpc->scan && call->rpc->scan == call->state);
    if (!call->error_code && call->reply)
        return;
    call->rpc->scan = NULL;
    scan_free(call->state);
}

static enum rpc_progress begin_scan(struct rpc_call *call)
{
    if (call->error_code || !call->reply)
        return RPC_DONE;
    ASSERT(call->rpc->scan == call->state && !call->on_interrupt);
    call->on_interrupt = on_interrupt;
    chain_scan_coins(call->rpc->node->chain, visit_coin, on_scanned, call);
    return RPC_PENDING;
}

static enum rpc_progress start(struct rpc_call *call)
{
    if (call->rpc->scan)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Scan already in progress, use action \"abort\" or \"status\"");
    struct coin_scan *scan = xcalloc(1, sizeof *scan);
    arena_init(&scan->arena, ARENA_BYTES);
    scan->ec = rpc_ec_context(call->rpc);
    atomic_init(&scan->is_aborted, false);
    atomic_init(&scan->percent, 0);
    call->state = call->rpc->scan = scan;
    if (call->is_long) {
        rpc_run_step(call, run_read_orders, end_reading, begin_scan);
        return RPC_PENDING;
    }
    run_read_orders(&call->job);
    end_reading(call);
    return begin_scan(call);
}

enum rpc_progress rpc_scantxoutset(struct rpc_call *call)
{
    const char *action = rpc_arg_string(call, 0, "");
    struct coin_scan *scan = call->rpc->scan;
    if (strcmp(action, "start") == 0)
        return start(call);
    if (strcmp(action, "abort") == 0) {
        if (scan)
            atomic_store(&scan->is_aborted, true);
        json_put_bool(&call->out, scan != NULL);
        return RPC_DONE;
    }
    if (strcmp(action, "status") != 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid action '" RPC_TEXT "'", action);
    if (!scan) {
        json_put_null(&call->out);
        return RPC_DONE;
    }
    json_open_object(&call->out);
    json_field_int(&call->out, "progress", (int64_t)atomic_load(&scan->percent));
    json_close_object(&call->out);
    return RPC_DONE;
}
