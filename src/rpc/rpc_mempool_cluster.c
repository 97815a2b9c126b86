/* rpc_mempool_cluster.c - methods that show in which order the mempool is mined, and why. */
#include <string.h>

#include "consensus/tx.h"
#include "mempool/bands.h"
#include "rpc/methods.h"
#include "util/alloc.h"

#define SLICE_CHUNKS   5000 /* written in one turn */
#define SLICE_CLUSTERS 5000 /* looked at in one turn */

/* -- One cluster -------------------------------------------------------------------------- */

enum rpc_progress rpc_getmempoolcluster(struct rpc_call *call)
{
    const struct mempool_entry *entry = rpc_read_entry(call);
    if (!entry)
        return RPC_DONE;
    const struct mempool *mempool = call->rpc->node->mempool;
    struct json_out *out = &call->out;
    uint32_t n_chunks, at = 0;
    const struct linear_chunk *chunks = mempool_cluster_chunks(mempool, entry, &n_chunks);
    int64_t weight_wu = 0;
    for (uint32_t i = 0; i < n_chunks; i++)
        weight_wu += chunks[i].rate.size;
    json_open_object(out);
    json_field_int(out, "clusterweight", weight_wu);
    json_field_int(out, "txcount", chunks[n_chunks - 1].end);
    json_field_array(out, "chunks");
    for (uint32_t i = 0; i < n_chunks; i++) {
        json_open_object(out);
        json_field_amount(out, "chunkfee", chunks[i].rate.fee_sat);
        json_field_int(out, "chunkweight", chunks[i].rate.size);
        json_field_array(out, "txs");
        for (; at < chunks[i].end; at++)
            json_put_id(out, mempool_cluster_at(mempool, entry, at)->tx.txid.b);
        json_close_array(out);
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
    return RPC_DONE;
}

/* -- All of them -------------------------------------------------------------------------- */

/* The chunks when it was asked for, written a slice a turn, so that nobody waits for it. */
struct diagram {
    struct feerate *rates, sum;
    size_t n, at;
};

static void put_point(struct rpc_call *call, struct feerate sum)
{
    json_open_object(&call->out);
    json_field_int(&call->out, "weight", sum.size);
    json_field_amount(&call->out, "fee", sum.fee_sat);
    json_close_object(&call->out);
}

/* Returns: whether that was the last. */
static bool write_slice(struct rpc_call *call)
{
    struct diagram *diagram = call->state;
    ASSERT(diagram->at <= diagram->n);
    size_t end = MIN_OF(diagram->n, diagram->at + SLICE_CHUNKS);
    for (; diagram->at < end; diagram->at++) {
        /* With enough of prioritisetransaction there is no end to fees. */
        int64_t fee_sat = diagram->rates[diagram->at].fee_sat, *sum_sat = &diagram->sum.fee_sat;
        if (__builtin_add_overflow(*sum_sat, fee_sat, sum_sat))
            *sum_sat = fee_sat > 0 ? INT64_MAX : INT64_MIN;
        diagram->sum.size += diagram->rates[diagram->at].size;
        put_point(call, diagram->sum);
    }
    if (diagram->at < diagram->n)
        return false;
    json_close_array(&call->out);
    return true;
}

static void on_turn(void *arg)
{
    struct rpc_call *call = arg;
    call->timer = 0;
    if (write_slice(call))
        rpc_finish(call);
    else
        rpc_call_timer(call, 0, on_turn);
}

enum rpc_progress rpc_getmempoolfeeratediagram(struct rpc_call *call)
{
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    struct diagram *diagram = arena_calloc(&call->arena, 1, sizeof *diagram);
    struct feerate *rates = mempool_feerate_diagram(call->rpc->node->mempool, &diagram->n);
    diagram->rates = arena_alloc(&call->arena, diagram->n * sizeof *rates);
    memcpy(diagram->rates, rates, diagram->n * sizeof *rates);
    xfree(rates);
    call->state = diagram;
    json_open_array(&call->out);
    put_point(call, diagram->sum);
    if (write_slice(call))
        return RPC_DONE;
    rpc_call_timer(call, 0, on_turn);
    return RPC_PENDING;
}

/* -- By feerate ----------------------------------------------------------------------------- */

static void put_bands(struct rpc_call *call, const struct mempool_bands *bands)
{
    struct json_out *out = &call->out;
    json_open_array(out);
    for (size_t i = 0; i < MEMPOOL_BANDS; i++) {
        const struct mempool_band *band = &bands->at[i];
        json_open_object(out);
        json_field_double(out, "from", (double)mempool_band_floor(i) / 1000);
        json_field_int(out, "count", (int64_t)band->n_txs);
        json_field_int(out, "vbytes", (band->size_wu + WITNESS_SCALE - 1) / WITNESS_SCALE);
        json_field_amount(out, "fees", band->fees_sat);
        json_close_object(out);
    }
    json_close_array(out);
}

/* Returns: whether that was the last slice. */
static bool add_slice(struct rpc_call *call)
{
    struct mempool_bands *bands = call->state;
    const struct mempool *mempool = call->rpc->node->mempool;
    if (mempool && !mempool_bands_add(mempool, bands, SLICE_CLUSTERS))
        return false;
    put_bands(call, bands);
    return true;
}

static void on_bands_turn(void *arg)
{
    struct rpc_call *call = arg;
    call->timer = 0;
    if (add_slice(call))
        rpc_finish(call);
    else
        rpc_call_timer(call, 0, on_bands_turn);
}

enum rpc_progress rpc_getmempoolbands(struct rpc_call *call)
{
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    call->state = arena_calloc(&call->arena, 1, sizeof(struct mempool_bands));
    if (add_slice(call))
        return RPC_DONE;
    rpc_call_timer(call, 0, on_bands_turn);
    return RPC_PENDING;
}
