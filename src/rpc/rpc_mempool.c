/* rpc_mempool.c - methods that look into the mempool. */
#include <stdlib.h>

#include "mempool/mempool_file.h"
#include "rpc/methods.h"
#include "util/alloc.h"
#include "util/hex.h"

#define SEQUENCE_REPLACEABLE_MAX UINT32_C(0xfffffffd) /* BIP-125, Summary */
#define SLICE_ENTRIES            500                  /* written in one turn */

bool rpc_need_mempool(struct rpc_call *call)
{
    ASSERT(call);
    if (call->rpc->node->mempool)
        return true;
    return rpc_refuse(call, RPC_CLIENT_MEMPOOL_DISABLED, "Mempool disabled or instance not found");
}

static void on_settled(void *arg)
{
    rpc_finish(arg);
}

void rpc_finish_settled(struct rpc_call *call)
{
    ASSERT(call);
    struct mempool *mempool = call->rpc->node->mempool;
    if (mempool)
        mempool_settle(mempool, on_settled, call);
    else
        rpc_finish(call);
}

/* -- One entry ---------------------------------------------------------------------------- */

/* Sums over an entry and all before or behind it. */
struct relatives {
    size_t n;
    uint64_t vbytes;
    int64_t fees_sat;
    bool is_replaceable;
};

static bool signals_replacement(const struct mempool_entry *entry)
{
    for (uint32_t i = 0; i < entry->tx.n_in; i++)
        if (entry->tx.in[i].sequence <= SEQUENCE_REPLACEABLE_MAX)
            return true;
    return false;
}

static struct relatives sum_up(const struct mempool_entry *entry, const struct mempool_entry **list,
                               size_t n)
{
    struct relatives sums = {.n = n + 1,
                             .vbytes = entry->vbytes,
                             .fees_sat = entry->modified_fee_sat,
                             .is_replaceable = signals_replacement(entry)};
    for (size_t i = 0; i < n; i++) {
        sums.vbytes += list[i]->vbytes;
        sums.fees_sat += list[i]->modified_fee_sat;
        sums.is_replaceable = sums.is_replaceable || signals_replacement(list[i]);
    }
    xfree(list);
    return sums;
}

static int compare_ids(const void *a, const void *b)
{
    const struct txid *x = *(const struct txid *const *)a, *y = *(const struct txid *const *)b;
    for (int i = 31; i >= 0; i--) /* in the order in which they are shown */
        if (x->b[i] != y->b[i])
            return x->b[i] < y->b[i] ? -1 : 1;
    return 0;
}

/* The ids of some entries, sorted: their order in the mempool is of no meaning, and must not show.
 */
static void put_links(struct rpc_call *call, const char *key, const uint32_t *indexes, uint32_t n)
{
    const struct mempool *mempool = call->rpc->node->mempool;
    const struct txid *ids[MEMPOOL_CLUSTER_COUNT_MAX];
    ASSERT(n < COUNT_OF(ids));
    for (uint32_t i = 0; i < n; i++)
        ids[i] = &mempool_at(mempool, indexes[i])->tx.txid;
    if (n > 1)
        qsort(ids, n, sizeof(void *), compare_ids);
    json_field_array(&call->out, key);
    for (uint32_t i = 0; i < n; i++)
        json_put_id(&call->out, ids[i]->b);
    json_close_array(&call->out);
}

/* The fields of an entry, into an open object. Spec: Core entryToJSON() */
static void put_entry(struct rpc_call *call, const struct mempool_entry *entry)
{
    const struct mempool *mempool = call->rpc->node->mempool;
    struct json_out *out = &call->out;
    size_t n = 0;
    const struct mempool_entry **list = NULL; /* most have no relatives: nothing is looked for */
    if (entry->n_parents > 0)
        list = mempool_ancestors(mempool, entry, &n);
    struct relatives ancestors = sum_up(entry, list, n);
    list = NULL;
    n = 0;
    if (entry->n_children > 0)
        list = mempool_descendants(mempool, entry, &n);
    struct relatives descendants = sum_up(entry, list, n);
    struct feerate chunk = mempool_chunk(mempool, entry);
    json_field_int(out, "vsize_adjusted", entry->vbytes); /* larger if signatures cost more */
    json_field_int(out, "vsize", entry->vbytes);
    json_field_int(out, "vsize_bip141", tx_vbytes(&entry->tx));
    json_field_int(out, "weight", entry->weight_wu);
    json_field_int(out, "time", entry->time_s);
    json_field_int(out, "height", entry->height);
    json_field_int(out, "descendantcount", (int64_t)descendants.n);
    json_field_int(out, "descendantsize", (int64_t)descendants.vbytes);
    json_field_int(out, "ancestorcount", (int64_t)ancestors.n);
    json_field_int(out, "ancestorsize", (int64_t)ancestors.vbytes);
    json_field_id(out, "wtxid", entry->tx.wtxid.b);
    json_field_int(out, "chunkweight", chunk.size);
    json_field_object(out, "fees");
    json_field_amount(out, "base", entry->fee_sat);
    json_field_amount(out, "modified", entry->modified_fee_sat);
    json_field_amount(out, "ancestor", ancestors.fees_sat);
    json_field_amount(out, "descendant", descendants.fees_sat);
    json_field_amount(out, "chunk", chunk.fee_sat);
    json_close_object(out);
    put_links(call, "depends", entry->parents, entry->n_parents);
    put_links(call, "spentby", entry->children, entry->n_children);
    json_field_bool(out, "bip125-replaceable", ancestors.is_replaceable);
    json_field_bool(out, "unbroadcast", entry->is_unbroadcast);
}

static void put_named_entry(struct rpc_call *call, const struct mempool_entry *entry)
{
    json_put_id_key(&call->out, entry->tx.txid.b);
    json_open_object(&call->out);
    put_entry(call, entry);
    json_close_object(&call->out);
}

const struct mempool_entry *rpc_read_entry(struct rpc_call *call)
{
    struct txid txid;
    if (!rpc_need_mempool(call) || !rpc_read_id(call, rpc_arg(call, 0), "txid", txid.b))
        return NULL;
    const struct mempool_entry *entry = mempool_find(call->rpc->node->mempool, &txid);
    if (!entry)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not in mempool");
    return entry;
}

enum rpc_progress rpc_getmempoolentry(struct rpc_call *call)
{
    const struct mempool_entry *entry = rpc_read_entry(call);
    if (!entry)
        return RPC_DONE;
    json_open_object(&call->out);
    put_entry(call, entry);
    json_close_object(&call->out);
    return RPC_DONE;
}

/* -- Lists -------------------------------------------------------------------------------- */

static void put_list(struct rpc_call *call, const struct mempool_entry **list, size_t n)
{
    struct json_out *out = &call->out;
    bool is_verbose = rpc_arg_bool(call, 1, false);
    if (is_verbose)
        json_open_object(out);
    else
        json_open_array(out);
    for (size_t i = 0; i < n; i++) {
        if (is_verbose)
            put_named_entry(call, list[i]);
        else
            json_put_id(out, list[i]->tx.txid.b);
    }
    if (is_verbose)
        json_close_object(out);
    else
        json_close_array(out);
    xfree(list);
}

enum rpc_progress rpc_getmempoolancestors(struct rpc_call *call)
{
    const struct mempool_entry *entry = rpc_read_entry(call);
    size_t n;
    if (entry) {
        const struct mempool_entry **list = mempool_ancestors(call->rpc->node->mempool, entry, &n);
        put_list(call, list, n);
    }
    return RPC_DONE;
}

enum rpc_progress rpc_getmempooldescendants(struct rpc_call *call)
{
    const struct mempool_entry *entry = rpc_read_entry(call);
    size_t n;
    if (entry) {
        const struct mempool_entry **list =
            mempool_descendants(call->rpc->node->mempool, entry, &n);
        put_list(call, list, n);
    }
    return RPC_DONE;
}

/* In the order in which they would be mined, as Core has it. */
static void put_ids(struct rpc_call *call)
{
    size_t n;
    const struct mempool_entry **list = mempool_in_mining_order(call->rpc->node->mempool, &n);
    for (size_t i = 0; i < n; i++)
        json_put_id(&call->out, list[i]->tx.txid.b);
    json_close_array(&call->out);
    xfree(list);
}

/* A long list of whole entries: written a slice a turn, so that nobody waits for it. Entries that
 * go meanwhile are left out, those that come are not in it. */
struct listing {
    struct txid *ids;
    size_t n, at;
};

static void write_slice(struct rpc_call *call)
{
    struct listing *listing = call->state;
    ASSERT(listing->at <= listing->n);
    size_t end =
        listing->n - listing->at > SLICE_ENTRIES ? listing->at + SLICE_ENTRIES : listing->n;
    for (; listing->at < end; listing->at++) {
        const struct mempool *mempool = call->rpc->node->mempool;
        const struct mempool_entry *entry =
            mempool ? mempool_find(mempool, &listing->ids[listing->at]) : NULL;
        if (entry)
            put_named_entry(call, entry);
    }
}

static void on_turn(void *arg)
{
    struct rpc_call *call = arg;
    const struct listing *listing = call->state;
    call->timer = 0;
    write_slice(call);
    if (listing->at < listing->n) {
        rpc_call_timer(call, 0, on_turn);
        return;
    }
    json_close_object(&call->out);
    rpc_finish(call);
}

static enum rpc_progress put_entries(struct rpc_call *call)
{
    const struct mempool *mempool = call->rpc->node->mempool;
    struct listing *listing = arena_calloc(&call->arena, 1, sizeof *listing);
    const struct mempool_entry **list = mempool_in_mining_order(mempool, &listing->n);
    listing->ids = arena_alloc(&call->arena, listing->n * sizeof *listing->ids);
    for (size_t i = 0; i < listing->n; i++)
        listing->ids[i] = list[i]->tx.txid;
    xfree(list);
    ASSERT(listing->n == mempool_count(mempool));
    call->state = listing;
    json_open_object(&call->out);
    write_slice(call);
    if (listing->at < listing->n) {
        rpc_call_timer(call, 0, on_turn);
        return RPC_PENDING;
    }
    json_close_object(&call->out);
    return RPC_DONE;
}

enum rpc_progress rpc_getrawmempool(struct rpc_call *call)
{
    struct json_out *out = &call->out;
    bool is_verbose = rpc_arg_bool(call, 0, false), with_sequence = rpc_arg_bool(call, 1, false);
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    if (is_verbose && with_sequence)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Verbose results cannot contain mempool sequence values.");
    if (is_verbose)
        return put_entries(call);
    if (with_sequence) {
        json_open_object(out);
        json_field_array(out, "txids");
        put_ids(call);
        /* That of the next event, as Core tells it: who follows events goes on from there. */
        json_field_int(out, "mempool_sequence",
                       (int64_t)mempool_sequence(call->rpc->node->mempool) + 1);
        json_close_object(out);
    } else {
        json_open_array(out);
        put_ids(call);
    }
    return RPC_DONE;
}

/* -- The whole ---------------------------------------------------------------------------- */

enum rpc_progress rpc_getmempoolinfo(struct rpc_call *call)
{
    struct mempool *mempool = call->rpc->node->mempool;
    struct json_out *out = &call->out;
    if (!rpc_need_mempool(call))
        return RPC_DONE;
    const struct mempool_options *options = mempool_options_of(mempool);
    json_open_object(out);
    json_field_bool(out, "loaded", !mempool_file_is_expected(mempool));
    json_field_int(out, "size", (int64_t)mempool_count(mempool));
    json_field_int(out, "bytes", (int64_t)mempool_vbytes(mempool));
    json_field_int(out, "usage", (int64_t)mempool_memory_bytes(mempool));
    json_field_amount(out, "total_fee", mempool_total_fee_sat(mempool));
    json_field_int(out, "maxmempool", (int64_t)options->max_bytes);
    json_field_amount(out, "mempoolminfee", mempool_min_feerate_sat_per_kvb(mempool));
    json_field_amount(out, "minrelaytxfee", options->min_relay_sat_per_kvb);
    json_field_amount(out, "incrementalrelayfee", options->incremental_sat_per_kvb);
    json_field_int(out, "unbroadcastcount", (int64_t)mempool_unbroadcast_count(mempool));
    json_field_bool(out, "fullrbf", true);
    json_field_bool(out, "permitbaremultisig", options->permit_bare_multisig);
    json_field_int(out, "maxdatacarriersize", (int64_t)options->max_datacarrier_bytes);
    json_field_int(out, "limitclustercount", options->cluster_count_max);
    json_field_int(out, "limitclustersize", options->cluster_vbytes_max);
    json_field_bool(out, "optimal", mempool_is_optimal(mempool));
    json_close_object(out);
    return RPC_DONE;
}
