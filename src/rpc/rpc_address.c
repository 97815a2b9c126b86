/* rpc_address.c - getaddressbalance, getaddressutxos and getaddresshistory: what the index of
 * addresses knows, and what waits in the mempool.
 *
 * The scripts are made by a job, looked up by another, matched by a third; then the mempool is
 * gone through on the loop, some of it in each turn. If the tip has moved since the index was
 * asked, it is asked again: what has just been mined is in neither. */
#include <errno.h>
#include <stdlib.h>

#include "rpc/address_orders.h"
#include "rpc/methods.h"
#include "rpc/pool_walk.h"

enum {
    PAGE_DEFAULT = 1000,
    PAGE_MAX = 10000, /* of an answer: what is behind it is asked for with skip */
    TRIES_MAX = 10,   /* while the tip moves */
};

/* An output of a transaction that waits. */
struct waiting_out {
    struct outpoint outpoint;
    uint32_t script; /* of the orders */
    int64_t value_sat;
    bool is_spent; /* by another one that waits */
};

/* What a transaction that waits does to the scripts. */
struct waiting_tx {
    uint64_t sequence; /* they are told in the order in which they came */
    struct txid txid;
    int64_t time_s, received_sat, spent_sat;
};

/* One call, from its first job to its answer. */
struct address_call {
    struct address_orders orders;
    struct address_history history;
    void (*put)(struct json_out *out, struct address_call *wish); /* the answer's own fields */
    int32_t count, skip;
    bool with_mempool, is_matched;
    int n_tries;
    struct pool_walk walk;
    ARRAY(struct waiting_out) outs;
    ARRAY(struct waiting_tx) txs;
};

static void let_go(struct rpc_call *call)
{
    struct address_call *wish = call->state;
    address_orders_deinit(&wish->orders);
    address_history_deinit(&wish->history);
    ARRAY_FREE(&wish->outs);
    ARRAY_FREE(&wish->txs);
    pool_walk_deinit(&wish->walk);
}

/* -- The mempool ------------------------------------------------------------------------------- */

static void note_tx(struct address_call *wish, const struct mempool_entry *entry,
                    int64_t received_sat, int64_t spent_sat)
{
    *ARRAY_ADD(&wish->txs) = (struct waiting_tx){.sequence = entry->sequence,
                                                 .txid = entry->tx.txid,
                                                 .time_s = entry->time_s,
                                                 .received_sat = received_sat,
                                                 .spent_sat = spent_sat};
}

static void note_outputs(struct address_call *wish, const struct mempool_entry *entry)
{
    for (uint32_t i = 0; i < entry->tx.n_out; i++) {
        const struct tx_out *out = &entry->tx.out[i];
        const struct address_script *script =
            address_orders_find(&wish->orders, out->script_pubkey);
        if (script)
            *ARRAY_ADD(&wish->outs) =
                (struct waiting_out){.outpoint = {.txid = entry->tx.txid, .vout = i},
                                     .value_sat = out->value_sat,
                                     .script = (uint32_t)(script - wish->orders.scripts.at)};
    }
}

static const struct mempool_entry *find_spender(const struct address_call *wish,
                                                const struct mempool *mempool,
                                                const struct outpoint *outpoint)
{
    return pool_walk_known(&wish->walk, mempool_spender(mempool, outpoint));
}

/* In one turn, when all have been found: what has gone since is forgotten. */
static void judge_outputs(struct address_call *wish, const struct mempool *mempool)
{
    size_t n = 0;
    for (size_t i = 0; i < wish->outs.n; i++) {
        struct waiting_out out = wish->outs.at[i];
        const struct mempool_entry *entry =
            pool_walk_known(&wish->walk, mempool_find(mempool, &out.outpoint.txid));
        const struct mempool_entry *spender = find_spender(wish, mempool, &out.outpoint);
        if (!entry)
            continue;
        out.is_spent = spender != NULL;
        wish->outs.at[n++] = out;
        note_tx(wish, entry, out.value_sat, 0);
        if (spender)
            note_tx(wish, spender, 0, out.value_sat);
    }
    wish->outs.n = n;
}

/* Outputs of the chain that what waits spends. */
static void note_spends(struct address_call *wish, const struct mempool *mempool)
{
    for (size_t i = 0; i < wish->history.outs.n; i++) {
        struct address_out *out = &wish->history.outs.at[i];
        struct outpoint outpoint = {.txid = wish->history.rows.at[out->row].txid,
                                    .vout = out->vout};
        const struct mempool_entry *spender =
            out->spent_by == ADDRESS_UNSPENT ? find_spender(wish, mempool, &outpoint) : NULL;
        if (!spender)
            continue;
        out->spent_by = ADDRESS_SPENT_WAITING;
        note_tx(wish, spender, 0, out->value_sat);
    }
}

static int compare_waiting(const void *a, const void *b)
{
    const struct waiting_tx *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* What one transaction does to several outputs is one thing. */
static void merge_waiting(struct address_call *wish)
{
    size_t n = 0;
    if (wish->txs.n > 0)
        qsort(wish->txs.at, wish->txs.n, sizeof wish->txs.at[0], compare_waiting);
    for (size_t i = 0; i < wish->txs.n; i++) {
        const struct waiting_tx *tx = &wish->txs.at[i];
        if (n == 0 || wish->txs.at[n - 1].sequence != tx->sequence) {
            wish->txs.at[n++] = *tx;
            continue;
        }
        wish->txs.at[n - 1].received_sat += tx->received_sat;
        wish->txs.at[n - 1].spent_sat += tx->spent_sat;
    }
    wish->txs.n = n;
}

static void begin_walk(struct address_call *wish, const struct mempool *mempool)
{
    wish->outs.n = wish->txs.n = 0;
    pool_walk_begin(&wish->walk, mempool);
}

/* Some of what waits, so that nobody waits for all of it. Returns: whether that was the last. */
static bool note_slice(struct address_call *wish, const struct mempool *mempool)
{
    size_t work = 0;
    for (const struct mempool_entry *e; (e = pool_walk_next(&wish->walk, mempool, &work));)
        note_outputs(wish, e);
    if (!pool_walk_is_over(&wish->walk))
        return false;
    judge_outputs(wish, mempool);
    note_spends(wish, mempool);
    merge_waiting(wish);
    return true;
}

/* -- Answers: on another thread ---------------------------------------------------------------- */

/* Is item number i one of the page? */
static bool is_of_page(const struct address_call *wish, size_t i)
{
    return i >= (size_t)wish->skip && i - (size_t)wish->skip < (size_t)wish->count;
}

static void put_balance(struct json_out *out, struct address_call *wish)
{
    int64_t confirmed_sat = 0, waiting_sat = 0, received_sat = 0;
    for (size_t i = 0; i < wish->history.outs.n; i++) {
        const struct address_out *at = &wish->history.outs.at[i];
        bool is_spent = at->spent_by != ADDRESS_UNSPENT && at->spent_by != ADDRESS_SPENT_WAITING;
        received_sat += at->value_sat;
        confirmed_sat += is_spent ? 0 : at->value_sat;
    }
    for (size_t i = 0; i < wish->txs.n; i++)
        waiting_sat += wish->txs.at[i].received_sat - wish->txs.at[i].spent_sat;
    json_field_amount(out, "confirmed", confirmed_sat);
    if (wish->with_mempool)
        json_field_amount(out, "mempool", waiting_sat);
    json_field_amount(out, "received", received_sat);
    json_field_amount(out, "spent", received_sat - confirmed_sat);
}

static int compare_places(const struct address_row *x, const struct address_row *y)
{
    if (x->node->height != y->node->height)
        return x->node->height < y->node->height ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* Unspent outputs, sorted by where they were made. */
struct unspent {
    const struct address_row *row;
    const struct address_out *out;
};

static int compare_unspent(const void *a, const void *b)
{
    const struct unspent *x = a, *y = b;
    int order = compare_places(x->row, y->row);
    return order ? order : (x->out->vout > y->out->vout) - (x->out->vout < y->out->vout);
}

static void put_script(struct json_out *out, const struct address_call *wish, uint32_t script)
{
    const struct address_script *at = &wish->orders.scripts.at[script];
    struct buffer desc;
    if (at->script.len == 0) {
        json_field_id(out, "scripthash", at->hash.b);
        return;
    }
    buffer_init(&desc);
    bool ok = desc_write_script(wish->orders.orders.ec, at->desc, at->index, at->at, &desc);
    ASSERT(ok); /* its script was made the same way */
    json_field_hex(out, "scriptPubKey", at->script);
    json_put_key(out, "desc");
    json_put_text(out, buffer_span(&desc));
    buffer_deinit(&desc);
}

static void put_unspent(struct json_out *out, const struct address_call *wish,
                        const struct unspent *at)
{
    const struct block_node *node = at->row->node;
    json_open_object(out);
    json_field_id(out, "txid", at->row->txid.b);
    json_field_int(out, "vout", at->out->vout);
    put_script(out, wish, at->row->script);
    json_field_amount(out, "amount", at->out->value_sat);
    json_field_bool(out, "coinbase", at->row->position == 0);
    json_field_int(out, "height", node->height);
    json_field_id(out, "blockhash", node->hash.b);
    json_field_int(out, "confirmations", wish->history.tip->height - node->height + 1);
    json_close_object(out);
}

static void put_waiting_unspent(struct json_out *out, const struct address_call *wish,
                                const struct waiting_out *at)
{
    json_open_object(out);
    json_field_id(out, "txid", at->outpoint.txid.b);
    json_field_int(out, "vout", at->outpoint.vout);
    put_script(out, wish, at->script);
    json_field_amount(out, "amount", at->value_sat);
    json_field_int(out, "confirmations", 0);
    json_close_object(out);
}

static void put_utxos(struct json_out *out, struct address_call *wish)
{
    const struct address_history *history = &wish->history;
    struct unspent *unspent = xcalloc(history->outs.n + 1, sizeof *unspent);
    size_t n = 0, n_chain = 0;
    for (size_t i = 0; i < history->outs.n; i++) {
        const struct address_out *at = &history->outs.at[i];
        if (at->spent_by == ADDRESS_UNSPENT)
            unspent[n_chain++] = (struct unspent){&history->rows.at[at->row], at};
    }
    qsort(unspent, n_chain, sizeof *unspent, compare_unspent);
    json_field_array(out, "utxos");
    for (; n < n_chain; n++)
        if (is_of_page(wish, n))
            put_unspent(out, wish, &unspent[n]);
    for (size_t i = 0; i < wish->outs.n; i++)
        if (!wish->outs.at[i].is_spent && is_of_page(wish, n++))
            put_waiting_unspent(out, wish, &wish->outs.at[i]);
    json_close_array(out);
    json_field_int(out, "total", (int64_t)n);
    xfree(unspent);
}

static int compare_rows(const void *a, const void *b)
{
    return compare_places(a, b);
}

/* In the order of the chain; what one transaction does to several scripts is one thing. */
static void merge_rows(struct address_history *history)
{
    size_t n = 0;
    if (history->rows.n > 0)
        qsort(history->rows.at, history->rows.n, sizeof history->rows.at[0], compare_rows);
    for (size_t i = 0; i < history->rows.n; i++) {
        const struct address_row *row = &history->rows.at[i];
        if (n == 0 || compare_places(&history->rows.at[n - 1], row) != 0) {
            history->rows.at[n++] = *row;
            continue;
        }
        history->rows.at[n - 1].received_sat += row->received_sat;
        history->rows.at[n - 1].spent_sat += row->spent_sat;
    }
    history->rows.n = n;
}

static void put_row(struct json_out *out, const struct address_call *wish,
                    const struct address_row *row)
{
    json_open_object(out);
    json_field_id(out, "txid", row->txid.b);
    json_field_int(out, "height", row->node->height);
    json_field_id(out, "blockhash", row->node->hash.b);
    json_field_int(out, "blockindex", row->position);
    json_field_int(out, "blocktime", row->node->time);
    json_field_int(out, "confirmations", wish->history.tip->height - row->node->height + 1);
    json_field_amount(out, "received", row->received_sat);
    json_field_amount(out, "spent", row->spent_sat);
    json_close_object(out);
}

static void put_waiting_tx(struct json_out *out, const struct waiting_tx *tx)
{
    json_open_object(out);
    json_field_id(out, "txid", tx->txid.b);
    json_field_int(out, "time", tx->time_s);
    json_field_int(out, "confirmations", 0);
    json_field_amount(out, "received", tx->received_sat);
    json_field_amount(out, "spent", tx->spent_sat);
    json_close_object(out);
}

static void put_history(struct json_out *out, struct address_call *wish)
{
    size_t n = 0;
    merge_rows(&wish->history);
    json_field_array(out, "transactions");
    for (; n < wish->history.rows.n; n++)
        if (is_of_page(wish, n))
            put_row(out, wish, &wish->history.rows.at[n]);
    for (size_t i = 0; i < wish->txs.n; i++)
        if (is_of_page(wish, n++))
            put_waiting_tx(out, &wish->txs.at[i]);
    json_close_array(out);
    json_field_int(out, "total", (int64_t)n);
}

static void run_put(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct address_call *wish = call->state;
    json_open_object(&call->out);
    json_field_int(&call->out, "height", wish->history.tip->height);
    json_field_id(&call->out, "bestblock", wish->history.tip->hash.b);
    wish->put(&call->out, wish);
    json_close_object(&call->out);
}

/* -- From the question to the answer ----------------------------------------------------------- */

static void fail_lookup(struct rpc_call *call, int error)
{
    bool synced;
    int32_t height = 0;
    (void)chain_addressindex_status(call->rpc->node->chain, &synced, &height);
    if (error == -ECANCELED)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    else if (error == -E2BIG)
        rpc_fail(call, RPC_INVALID_PARAMETER, "More than %d transactions: ask for fewer addresses",
                 ADDRESS_ROWS_MAX);
    else if (error == -EAGAIN || error == -EUCLEAN)
        rpc_fail(call, RPC_INTERNAL_ERROR,
                 "Unable to get data because addressindex is still syncing. Current height: %d",
                 height);
    else
        rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to read the index of addresses");
}

static enum rpc_progress look_up(struct rpc_call *call);

static void run_match(struct env_job *job)
{
    struct address_call *wish = rpc_job_call(job)->state;
    wish->is_matched = address_history_match(&wish->history);
}

/* The client may have gone, and run_match been skipped: then nobody goes on. */
static void end_matching(struct rpc_call *call)
{
    if (call->error_code || !call->reply)
        let_go(call);
}

static void on_turn(void *arg);

static void walk(struct rpc_call *call)
{
    struct address_call *wish = call->state;
    if (wish->with_mempool && !note_slice(wish, call->rpc->node->mempool))
        rpc_call_timer(call, 0, on_turn);
    else
        rpc_run_job(call, run_put, let_go);
}

/* A block that has come meanwhile took what it holds out of the mempool. */
static void on_turn(void *arg)
{
    struct rpc_call *call = arg;
    struct address_call *wish = call->state;
    call->timer = 0;
    if (!call->reply) {
        let_go(call);
        rpc_finish(call);
    } else if (wish->history.tip != chain_tip(call->rpc->node->chain) &&
               wish->n_tries < TRIES_MAX) {
        (void)look_up(call);
    } else {
        walk(call);
    }
}

static enum rpc_progress finish(struct rpc_call *call)
{
    struct address_call *wish = call->state;
    const struct rpc_node *node = call->rpc->node;
    if (call->error_code || !call->reply)
        return RPC_DONE;
    if (wish->history.tip != chain_tip(node->chain) && wish->n_tries < TRIES_MAX)
        return look_up(call);
    if (!wish->is_matched) {
        let_go(call);
        return rpc_fail(call, RPC_INTERNAL_ERROR, "The index of addresses is damaged");
    }
    if (wish->with_mempool)
        begin_walk(wish, node->mempool);
    walk(call);
    return RPC_PENDING;
}

static void on_found(void *arg, int error, struct address_history *history)
{
    struct rpc_call *call = arg;
    struct address_call *wish = call->state;
    if (error) {
        fail_lookup(call, error);
        let_go(call);
        rpc_finish(call);
        return;
    }
    address_history_deinit(&wish->history);
    wish->history = *history;
    *history = (struct address_history){0};
    rpc_run_step(call, run_match, end_matching, finish);
}

static enum rpc_progress look_up(struct rpc_call *call)
{
    struct address_call *wish = call->state;
    struct script_hash *hashes =
        arena_calloc(&call->arena, wish->orders.scripts.n + 1, sizeof *hashes);
    for (size_t i = 0; i < wish->orders.scripts.n; i++)
        hashes[i] = wish->orders.scripts.at[i].hash;
    wish->n_tries++;
    chain_find_addresses(call->rpc->node->chain, hashes, wish->orders.scripts.n, on_found, call);
    return RPC_PENDING;
}

static void run_read_orders(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    (void)!address_orders_read(call, &((struct address_call *)call->state)->orders);
}

static enum rpc_progress begin(struct rpc_call *call)
{
    if (call->error_code || !call->reply)
        return RPC_DONE;
    return look_up(call);
}

static bool read_page(struct rpc_call *call, struct address_call *wish)
{
    wish->count = PAGE_DEFAULT;
    if ((rpc_arg(call, 1) && !rpc_arg_int32(call, 1, &wish->count)) ||
        (rpc_arg(call, 2) && !rpc_arg_int32(call, 2, &wish->skip)))
        return false;
    if (wish->count < 1 || wish->count > PAGE_MAX)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "count must be between 1 and %d", PAGE_MAX);
    if (wish->skip < 0)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "skip must not be negative");
    return true;
}

static enum rpc_progress start(struct rpc_call *call, bool is_paged,
                               void (*put)(struct json_out *out, struct address_call *wish))
{
    struct address_call *wish = arena_calloc(&call->arena, 1, sizeof *wish);
    const struct rpc_node *node = call->rpc->node;
    bool synced;
    int32_t height;
    wish->put = put;
    if (is_paged && !read_page(call, wish))
        return RPC_DONE;
    wish->with_mempool = node->mempool && rpc_arg_bool(call, is_paged ? 3 : 1, true);
    if (!chain_addressindex_status(node->chain, &synced, &height))
        return rpc_fail(call, RPC_MISC_ERROR,
                        "The index of addresses is not enabled: start with -addressindex");
    address_orders_init(&wish->orders, rpc_ec_context(call->rpc));
    call->state = wish;
    rpc_run_step(call, run_read_orders, end_matching, begin);
    return RPC_PENDING;
}

enum rpc_progress rpc_getaddressbalance(struct rpc_call *call)
{
    return start(call, false, put_balance);
}

enum rpc_progress rpc_getaddressutxos(struct rpc_call *call)
{
    return start(call, true, put_utxos);
}

enum rpc_progress rpc_getaddresshistory(struct rpc_call *call)
{
    return start(call, true, put_history);
}
