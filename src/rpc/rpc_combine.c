/* rpc_combine.c - combinerawtransaction: the signatures of several copies of a transaction in one.
 */
#include "consensus/script_verify.h"
#include "consensus/sighash.h"
#include "rpc/methods.h"
#include "rpc/raw_tx.h"
#include "spend/sign/sign_tx.h"

/* What the job works on, all in the call's arena. */
struct combine_order {
    struct tx *copies; /* the first becomes the answer */
    size_t n;
    struct spent_search *search;
    struct tx_out *spent; /* what it finds: one for each input of the first */
};

/* -- Arguments ---------------------------------------------------------------------------- */

/* All but the signatures is alike. */
static bool is_same(const struct tx *a, const struct tx *b)
{
    bool same = a->version == b->version && a->lock_time == b->lock_time && a->n_in == b->n_in &&
                a->n_out == b->n_out;
    for (uint32_t i = 0; same && i < a->n_in; i++)
        same = outpoint_equal(&a->in[i].prevout, &b->in[i].prevout) &&
               a->in[i].sequence == b->in[i].sequence;
    for (uint32_t i = 0; same && i < a->n_out; i++)
        same = a->out[i].value_sat == b->out[i].value_sat &&
               span_equal(a->out[i].script_pubkey, b->out[i].script_pubkey);
    return same;
}

static bool read_copies(struct rpc_call *call, struct combine_order *order)
{
    const struct json_value *list = rpc_arg(call, 0);
    order->copies = arena_calloc(&call->arena, list->n + 1, sizeof *order->copies);
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING))
            return false;
        if (!raw_tx_decode(v->text, RAW_TX_ANY, &call->arena, &order->copies[order->n++]))
            return rpc_refuse(
                call, RPC_DESERIALIZATION_ERROR,
                "TX decode failed for tx %zu. Make sure the tx has at least one input.",
                order->n - 1);
    }
    if (order->n < 2)
        return rpc_refuse(call, RPC_DESERIALIZATION_ERROR,
                          "Missing transactions. At least two transactions required.");
    for (size_t i = 1; i < order->n; i++) {
        if (is_same(&order->copies[0], &order->copies[i]))
            continue;
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Transaction number %zu not compatible with first transaction", i + 1);
    }
    return true;
}

static bool check_spent(struct rpc_call *call, const struct combine_order *order)
{
    for (uint32_t i = 0; i < order->copies[0].n_in; i++) {
        if (!order->search->known[i])
            return rpc_refuse(call, RPC_VERIFY_ERROR, "Input not found or already spent");
    }
    return true;
}

/* -- Job ---------------------------------------------------------------------------------- */

/* Put the first copy's input that satisfies its output into the answer, if there is one. */
static bool take_complete(const struct combine_order *order, const struct tx_sighash *sighash,
                          uint32_t input, struct script_scratch *scratch)
{
    struct tx *tx = &order->copies[0];
    struct tx_in first = tx->in[input];
    struct script_check check = {.tx = tx,
                                 .input = input,
                                 .flags = SCRIPT_VERIFY_STANDARD,
                                 .spent = order->spent,
                                 .sighash = sighash};
    for (size_t k = 0; k < order->n; k++) {
        const struct tx_in *in = k == 0 ? &first : &order->copies[k].in[input];
        tx->in[input].script_sig = in->script_sig;
        tx->in[input].witness = in->witness;
        if (script_verify(&check, scratch) == SCRIPT_OK)
            return true;
    }
    tx->in[input] = first;
    return false;
}

static void merge_input(struct rpc_call *call, const struct combine_order *order,
                        const struct tx_sighash *sighash, uint32_t input)
{
    struct tx_in *copies = arena_calloc(&call->arena, order->n, sizeof *copies);
    struct key_book nothing;
    struct sign_tx_request request = {.mode = SOLVE_LOOK,
                                      .book = &nothing,
                                      .copies = copies,
                                      .n_copies = order->n,
                                      .arena = &call->arena};
    key_book_init(&nothing, NULL, &call->arena);
    for (size_t k = 0; k < order->n; k++)
        copies[k] = order->copies[k].in[input];
    (void)sign_tx_input(&request, &order->copies[0], order->spent, sighash, input);
    key_book_deinit(&nothing);
}

static void combine_job(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct combine_order *order = call->state;
    struct tx *tx = &order->copies[0];
    struct script_scratch *scratch = script_scratch_new();
    struct tx_sighash sighash;
    tx_sighash_init_all(&sighash, tx, order->spent);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (!take_complete(order, &sighash, i, scratch))
            merge_input(call, order, &sighash, i);
    }
    script_scratch_free(scratch);
    tx_finish(tx, &call->arena);
    json_put_hex(&call->out, tx->raw);
}

static void read_job(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct combine_order *order = call->state;
    if (!read_copies(call, order))
        return;
    order->search = rpc_spent_new(call, &order->copies[0]);
    order->spent = order->search->spent;
}

static enum rpc_progress begin_combining(struct rpc_call *call)
{
    if (call->error_code || !check_spent(call, call->state))
        return RPC_DONE;
    rpc_run_job(call, combine_job, NULL);
    return RPC_PENDING;
}

static enum rpc_progress find_spent(struct rpc_call *call)
{
    const struct combine_order *order = call->state;
    return call->error_code ? RPC_DONE : rpc_spent_find(call, order->search, begin_combining);
}

enum rpc_progress rpc_combinerawtransaction(struct rpc_call *call)
{
    call->state = arena_calloc(&call->arena, 1, sizeof(struct combine_order));
    rpc_run_step(call, read_job, NULL, find_spent);
    return RPC_PENDING;
}
