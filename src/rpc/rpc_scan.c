/* rpc_scan.c - scantxoutset: the unspent outputs that descriptors stand for. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rpc/chain_json.h"
#include "rpc/methods.h"
#include "rpc/scan_orders.h"
#include "util/array.h"

enum {
    FOUND_MAX = 1000000, /* outputs that an answer holds */
};

/* A script that is looked for, and where it comes from. */
struct needle {
    struct span script;
    const struct desc *desc;
    uint32_t index, at;
};

struct found {
    struct outpoint outpoint;
    struct coin coin; /* the script is the needle's */
    const struct needle *needle;
};

/* One scan: made by its call, and read by those that ask how far it is. Between start and
 * on_scanned() all but the atomics is the job's alone. */
struct coin_scan {
    struct scan_orders orders; /* its arena has the scripts too */
    ARRAY(struct needle) needles;
    bool is_prepared;
    ARRAY(struct found) found;
    uint64_t n_coins;       /* looked at */
    bool is_over_full;      /* FOUND_MAX were found: an error, no cut answer */
    atomic_bool is_aborted; /* set on the loop thread */
    atomic_uint percent;    /* set by the job; of the txids' range, since nobody knows the count */
};

/* -- Needles (job) ---------------------------------------------------------------------------- */

static int compare_needles(const void *a, const void *b)
{
    const struct needle *x = a, *y = b;
    return scan_compare_scripts(x->script, y->script);
}

static int compare_script_to_needle(const void *script, const void *needle)
{
    return scan_compare_scripts(*(const struct span *)script,
                                ((const struct needle *)needle)->script);
}

static void add_needle(void *arg, const struct scan_script *made)
{
    struct coin_scan *scan = arg;
    *ARRAY_ADD(&scan->needles) = (struct needle){made->script, made->desc, made->index, made->at};
}

/* All scripts, sorted. Takes a while for large ranges, so the job does it before its first coin. */
static void prepare(struct coin_scan *scan)
{
    scan->is_prepared = true;
    scan_orders_derive(&scan->orders, add_needle, scan);
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
    scan_orders_deinit(&scan->orders);
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
    bool ok = desc_write_script(scan->orders.ec, found->needle->desc, found->needle->index,
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

static void run_read_orders(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct coin_scan *scan = call->state;
    (void)!scan_orders_read(call, rpc_arg(call, 1), &scan->orders); /* its error is the call's */
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
    if (call->rpc->is_interrupted) /* while the descriptors were read */
        on_interrupt(call);
    chain_scan_coins(call->rpc->node->chain, visit_coin, on_scanned, call);
    return RPC_PENDING;
}

static enum rpc_progress start(struct rpc_call *call)
{
    if (call->rpc->scan)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Scan already in progress, use action \"abort\" or \"status\"");
    struct coin_scan *scan = xcalloc(1, sizeof *scan);
    scan_orders_init(&scan->orders, rpc_ec_context(call->rpc));
    atomic_init(&scan->is_aborted, false);
    atomic_init(&scan->percent, 0);
    call->state = call->rpc->scan = scan;
    rpc_run_step(call, run_read_orders, end_reading, begin_scan);
    return RPC_PENDING;
}

enum rpc_progress rpc_scantxoutset(struct rpc_call *call)
{
    struct coin_scan *scan = call->rpc->scan;
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
        json_open_object(&call->out);
        json_field_int(&call->out, "progress", (int64_t)atomic_load(&scan->percent));
        json_close_object(&call->out);
    } else {
        json_put_null(&call->out);
    }
    return RPC_DONE;
}
