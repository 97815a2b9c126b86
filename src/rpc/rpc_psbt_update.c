/* rpc_psbt_update.c - PSBTs filled in and signed: utxoupdatepsbt, descriptorprocesspsbt. */
#include <errno.h>

#include "chain/coins/coins.h"
#include "consensus/script_iter.h"
#include "crypto/siphash.h"
#include "mempool/mempool.h"
#include "rpc/methods.h"
#include "rpc/psbt_json.h"
#include "rpc/raw_tx.h"
#include "rpc/scan_orders.h"
#include "spend/sign/sign_psbt.h"
#include "util/assert.h"
#include "util/hash_map.h"

enum { EXPANDED_MAX = 100000 }; /* indexes of all descriptors, and keys */

/* A transaction that inputs spend outputs of. */
struct previous {
    struct txid txid;
    struct span raw; /* without memory: unknown */
};

/* What is to be done, in the call's arena. */
struct update_order {
    struct psbt psbt;
    struct scan_orders descriptors; /* with an arena of their own */
    struct previous *previous;      /* each once, of inputs that have none yet */
    size_t n_previous, next;        /* which is looked for */
    struct hash_map by_txid;        /* of them */
    struct siphash_key key;
    size_t n_bytes; /* of what is put into the PSBT; at first of previous transactions, each once */
    struct spent_search *search; /* by what is unspent, of each input */
    bool is_asking, has_answer, is_cancelled;
    bool signs, with_origins, finalize;
    struct sign_order how;
};

/* -- Coins ------------------------------------------------------------------------------------ */

/* Nobody could read a longer one. False, with an error, if n more bytes are too many. */
static bool count_bytes(struct rpc_call *call, struct update_order *order, size_t n)
{
    order->n_bytes += n;
    return order->n_bytes <= PSBT_BYTES_MAX ||
           rpc_refuse(call, RPC_INVALID_PARAMETER, "The PSBT would be longer than %d bytes",
                      PSBT_BYTES_MAX);
}

/* Previous transactions stand in PSBTs without their witness, which their id does not cover. */
static bool keep_previous(struct rpc_call *call, struct previous *previous, const struct tx *tx)
{
    uint8_t *p = arena_alloc(&call->arena, tx->raw.len);
    struct writer w = writer_to_buffer(p, tx->raw.len);
    tx_encode(&w, tx, false);
    previous->raw = span_of(p, w.len);
    return count_bytes(call, call->state, w.len);
}

static bool has_txid(const void *value, const void *key)
{
    return txid_equal(&((const struct previous *)value)->txid, key);
}

static uint64_t hash_of(const struct update_order *order, const struct txid *txid)
{
    return siphash24(order->key, span_of(txid->b, sizeof txid->b));
}

static struct previous *find_in_order(const struct update_order *order, const struct txid *txid)
{
    return hash_map_find(&order->by_txid, hash_of(order, txid), has_txid, txid);
}

static bool has_previous(const struct psbt_map *input)
{
    return psbt_get(input, PSBT_IN_NON_WITNESS_UTXO).p != NULL;
}

/* Many inputs may spend outputs of one transaction: it is looked for once. */
static void collect_previous(struct rpc_call *call, struct update_order *order)
{
    const struct psbt *psbt = &order->psbt;
    order->previous = arena_calloc(&call->arena, psbt->n_inputs + 1, sizeof *order->previous);
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        const struct txid *txid = &psbt->tx.in[i].prevout.txid;
        if (has_previous(&psbt->inputs[i]) || find_in_order(order, txid))
            continue;
        struct previous *previous = &order->previous[order->n_previous++];
        previous->txid = *txid;
        hash_map_insert(&order->by_txid, hash_of(order, txid), previous);
    }
}

static void end_update(struct rpc_call *call)
{
    struct update_order *order = call->state;
    scan_orders_deinit(&order->descriptors);
    hash_map_deinit(&order->by_txid);
}

static void run_update(struct env_job *job);

/* All coins that there are have been found. */
static enum rpc_progress begin_job(struct rpc_call *call)
{
    if (call->error_code) {
        end_update(call);
        return RPC_DONE;
    }
    rpc_run_job(call, run_update, end_update);
    return RPC_PENDING;
}

static enum rpc_progress find_previous(struct rpc_call *call);

static void on_indexed(void *arg, int error, const struct chain_tx *found)
{
    struct rpc_call *call = arg;
    struct update_order *order = call->state;
    if (!error && found && found->tx)
        (void)keep_previous(call, &order->previous[order->next], found->tx); /* the call's error */
    order->next++;
    order->has_answer = true;
    order->is_cancelled = error == -ECANCELED; /* the node stops */
    /* Within find_previous(), which goes on by itself. */
    if (!order->is_asking && find_previous(call) == RPC_DONE)
        rpc_finish(call);
}

/* Ask the index. False: the answer comes later. */
static bool ask_index(struct rpc_call *call, const struct txid *txid)
{
    struct update_order *order = call->state;
    order->is_asking = true;
    order->has_answer = false;
    chain_find_tx(call->rpc->node->chain, txid, on_indexed, call);
    order->is_asking = false;
    return order->has_answer;
}

/* Look for previous transactions: among those that wait, then by the index if there is one; at last
 * for what is unspent. */
static enum rpc_progress find_previous(struct rpc_call *call)
{
    struct update_order *order = call->state;
    const struct rpc_node *node = call->rpc->node;
    bool synced;
    int32_t height;
    bool has_index = chain_txindex_status(node->chain, &synced, &height);
    while (order->next < order->n_previous && !order->is_cancelled && !call->error_code) {
        struct previous *previous = &order->previous[order->next];
        const struct mempool_entry *entry = NULL;
        if (!previous->raw.p && node->mempool)
            entry = mempool_find(node->mempool, &previous->txid);
        if (entry && !keep_previous(call, previous, &entry->tx))
            break;
        if (previous->raw.p || !has_index)
            order->next++;
        else if (!ask_index(call, &previous->txid))
            return RPC_PENDING;
    }
    if (order->is_cancelled && !call->error_code)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    return call->error_code ? begin_job(call) : rpc_spent_find(call, order->search, begin_job);
}

/* -- Job -------------------------------------------------------------------------------------- */

/* A script that a witness satisfies, as far as the book tells. */
static bool is_segwit(const struct key_book *book, struct span script)
{
    int version;
    struct span program;
    if (script_is_p2sh(script)) {
        const struct book_script *redeem = key_book_find_script(book, span_of(script.p + 2, 20));
        script = redeem ? redeem->bytes : script;
    }
    return script_is_witness_program(script, &version, &program);
}

/* Each input borrows the one copy there is. */
static bool put_previous(struct rpc_call *call, struct update_order *order)
{
    struct psbt *psbt = &order->psbt;
    struct psbt_record record = {
        .type = PSBT_IN_NON_WITNESS_UTXO, .key = span_of("\0", 1), .data = span_of("", 0)};
    order->n_bytes = 0;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        if (has_previous(&psbt->inputs[i]))
            continue;
        record.value = find_in_order(order, &psbt->tx.in[i].prevout.txid)->raw;
        if (!record.value.p)
            continue;
        if (!count_bytes(call, order, record.value.len))
            return false;
        psbt_put_all(psbt, &psbt->inputs[i], &record, 1);
    }
    return true;
}

static void put_unspent(struct update_order *order, const struct key_book *book)
{
    struct psbt *psbt = &order->psbt;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        const struct tx_out *coin = &order->search->spent[i];
        if (!order->search->known[i] || has_previous(&psbt->inputs[i]) ||
            !is_segwit(book, coin->script_pubkey))
            continue;
        size_t room = 17 + coin->script_pubkey.len;
        uint8_t *p = arena_alloc(psbt->arena, room);
        struct writer w = writer_to_buffer(p, room);
        tx_out_encode(&w, coin);
        psbt_set(psbt, &psbt->inputs[i], PSBT_IN_WITNESS_UTXO, span_of("", 0), span_of(p, w.len));
    }
}

/* All keys and scripts of a descriptor. */
static bool expand(const struct scan_order *each, enum desc_expand_mode mode, struct key_book *book)
{
    bool ok = true;
    for (uint64_t index = each->first; ok && index <= each->last; index++) {
        for (size_t k = 0; ok && k < each->list.n; k++)
            ok = desc_expand(each->list.variant[k], (uint32_t)index, mode, book);
    }
    return ok;
}

/* All keys and scripts of the descriptors. */
static bool fill_book(struct rpc_call *call, const struct update_order *order,
                      struct key_book *book)
{
    enum desc_expand_mode mode = order->signs ? DESC_EXPAND_SECRET : DESC_EXPAND_PUBLIC;
    for (size_t i = 0; i < order->descriptors.n; i++) {
        if (!expand(&order->descriptors.at[i], mode, book))
            return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY,
                              "Cannot derive script without private keys");
    }
    for (size_t i = 0; !order->with_origins && i < book->keys.n; i++)
        book->keys.at[i].has_origin = false;
    return true;
}

/* Also what is found on the way is counted: inputs of one script have it all. */
static bool sign_all(struct rpc_call *call, struct update_order *order,
                     struct sign_session *session)
{
    struct psbt *psbt = &order->psbt;
    order->n_bytes = 0;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        if (!psbt_is_final(&psbt->inputs[i]) &&
            sign_psbt_input(session, i, &order->how, NULL) == SIGN_SIGHASH_MISMATCH)
            return rpc_refuse(call, RPC_DESERIALIZATION_ERROR,
                              "Specified sighash value does not match value stored in PSBT");
        if (!count_bytes(call, order, psbt_map_bytes(&psbt->inputs[i])))
            return false;
    }
    for (size_t i = 0; i < psbt->n_outputs; i++) {
        sign_psbt_output(session, i);
        if (!count_bytes(call, order, psbt_map_bytes(&psbt->outputs[i])))
            return false;
    }
    sign_psbt_drop_previous(psbt);
    return true;
}

/* "complete" as Core counts it: an input with final scripts is. */
static void put_processed(struct rpc_call *call, const struct update_order *order)
{
    bool is_complete = true;
    for (size_t i = 0; i < order->psbt.n_inputs; i++)
        is_complete = is_complete && psbt_is_final(&order->psbt.inputs[i]);
    json_open_object(&call->out);
    json_put_key(&call->out, "psbt");
    psbt_json_put(&call->out, &order->psbt);
    json_field_bool(&call->out, "complete", is_complete);
    if (is_complete) {
        struct tx tx;
        psbt_extract(&order->psbt, &tx);
        json_field_hex(&call->out, "hex", tx.raw);
    }
    json_close_object(&call->out);
}

static void run_update(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct update_order *order = call->state;
    struct key_book book;
    struct sign_session session;
    key_book_init(&book, order->descriptors.ec, &order->descriptors.arena);
    if (put_previous(call, order) && fill_book(call, order, &book)) {
        put_unspent(order, &book);
        sign_session_init(&session, &order->psbt, &book);
        bool ok = sign_all(call, order, &session);
        sign_session_deinit(&session);
        if (ok && order->signs)
            put_processed(call, order);
        else if (ok)
            psbt_json_put(&call->out, &order->psbt);
    }
    key_book_deinit(&book);
}

/* -- Methods ---------------------------------------------------------------------------------- */

/* All indexes are expanded, each to some kilobyte, or to one for each of its keys. */
static bool check_ranges(struct rpc_call *call, const struct scan_orders *descriptors)
{
    return (descriptors->n_indexes <= EXPANDED_MAX && descriptors->n_keys <= EXPANDED_MAX) ||
           rpc_refuse(call, RPC_INVALID_PARAMETER, "Range is too large");
}

/* Previous transactions that nobody has seen yet: those that are spent are kept. */
static bool read_given(struct rpc_call *call, struct update_order *order)
{
    const struct json_value *list = order->signs ? NULL : rpc_arg(call, 2);
    for (const struct json_value *v = list ? list->first : NULL; v; v = v->next) {
        struct tx given;
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING))
            return false;
        if (!raw_tx_decode(v->text, RAW_TX_ANY, &call->arena, &given))
            return rpc_refuse(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
        struct previous *previous = find_in_order(order, &given.txid);
        if (previous && !previous->raw.p && !keep_previous(call, previous, &given))
            return false;
    }
    return true;
}

static void run_read(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct update_order *order = call->state;
    const struct json_value *descriptors = rpc_arg(call, 1);
    if (!psbt_json_read(call, rpc_arg(call, 0)->text, &order->psbt))
        return;
    collect_previous(call, order);
    order->search = rpc_spent_new(call, &order->psbt.tx);
    if (!read_given(call, order))
        return;
    if (descriptors && scan_orders_read(call, descriptors, &order->descriptors))
        (void)!check_ranges(call, &order->descriptors); /* its error is the call's */
}

static void end_reading(struct rpc_call *call)
{
    if (call->error_code)
        end_update(call);
}

static enum rpc_progress after_reading(struct rpc_call *call)
{
    return call->error_code ? RPC_DONE : find_previous(call);
}

static enum rpc_progress begin(struct rpc_call *call, struct update_order *order)
{
    env_random(call->rpc->node->env, &order->key, sizeof order->key);
    hash_map_init(&order->by_txid);
    scan_orders_init(&order->descriptors, rpc_ec_context(call->rpc));
    call->state = order;
    rpc_run_step(call, run_read, end_reading, after_reading);
    return RPC_PENDING;
}

enum rpc_progress rpc_utxoupdatepsbt(struct rpc_call *call)
{
    struct update_order *order = arena_calloc(&call->arena, 1, sizeof *order);
    order->with_origins = true;
    order->how = (struct sign_order){.mode = SOLVE_LOOK};
    return begin(call, order);
}

enum rpc_progress rpc_descriptorprocesspsbt(struct rpc_call *call)
{
    struct update_order *order = arena_calloc(&call->arena, 1, sizeof *order);
    order->signs = true;
    order->with_origins = rpc_arg_bool(call, 3, true);
    order->how = (struct sign_order){.mode = SOLVE_SIGN,
                                     .has_hash_type = rpc_arg(call, 2) != NULL,
                                     .finalize = rpc_arg_bool(call, 4, true)};
    if (!rpc_read_hash_type(call, 2, &order->how.hash_type))
        return RPC_DONE;
    return begin(call, order);
}
