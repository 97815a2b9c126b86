/* rpc_psbt_analyze.c - analyzepsbt: what a PSBT lacks, and whose turn it is. */
#include <stdio.h>

#include "consensus/script_iter.h"
#include "consensus/sigops.h"
#include "mempool/mempool.h"
#include "mempool/policy.h"
#include "rpc/methods.h"
#include "rpc/psbt_json.h"
#include "spend/sign/sign_psbt.h"

/* In the order of a PSBT's life. BIP-174, Roles */
enum role { ROLE_CREATOR, ROLE_UPDATER, ROLE_SIGNER, ROLE_FINALIZER, ROLE_EXTRACTOR };

struct input_state {
    bool has_coin, is_final;
    enum role next;
    struct solve_result missing;
};

struct analysis {
    struct psbt *psbt;
    struct key_book nothing;
    struct sign_session session;
    struct input_state *inputs;
    bool knows_coins;
    int64_t in_sat, fee_sat;
    char error[80]; /* "": none */
};

static bool is_money(int64_t value_sat)
{
    return value_sat >= 0 && value_sat <= MAX_MONEY_SAT;
}

static bool refuse(struct analysis *analysis, size_t i, const char *what)
{
    snprintf(analysis->error, sizeof analysis->error, "PSBT is not valid. Input %zu %s", i, what);
    return false;
}

static enum role role_after(const struct solve_missing *missing)
{
    bool is_only_sigs = missing->keys.n == 0 && !missing->has_redeem_script &&
                        !missing->has_witness_script && missing->sigs.n > 0;
    return is_only_sigs ? ROLE_SIGNER : ROLE_UPDATER;
}

static bool look_at_input(struct analysis *analysis, size_t i)
{
    struct input_state *state = &analysis->inputs[i];
    const struct tx_out *coin = &analysis->session.spent[i];
    const struct sign_order order = {.mode = SOLVE_LOOK};
    state->next = ROLE_EXTRACTOR;
    state->has_coin = analysis->session.is_known[i];
    if (state->has_coin) {
        if (!is_money(coin->value_sat) || !is_money(analysis->in_sat + coin->value_sat))
            return refuse(analysis, i, "has invalid value");
        if (script_is_unspendable(coin->script_pubkey))
            return refuse(analysis, i, "spends unspendable output");
        analysis->in_sat += coin->value_sat;
    } else {
        analysis->knows_coins = false;
        state->next = ROLE_UPDATER;
    }
    state->is_final = sign_psbt_is_done(&analysis->session, i);
    if (state->is_final)
        return true;
    enum sign_outcome outcome = sign_psbt_input(&analysis->session, i, &order, &state->missing);
    state->next = outcome == SIGN_COMPLETE ? ROLE_FINALIZER : role_after(&state->missing.missing);
    return true;
}

static bool look_at_outputs(struct analysis *analysis)
{
    int64_t out_sat = 0;
    for (uint32_t i = 0; i < analysis->psbt->tx.n_out; i++) {
        int64_t value_sat = analysis->psbt->tx.out[i].value_sat;
        if (!is_money(value_sat) || !is_money(out_sat + value_sat)) {
            snprintf(analysis->error, sizeof analysis->error,
                     "PSBT is not valid. Output amount invalid");
            return false;
        }
        out_sat += value_sat;
    }
    analysis->fee_sat = analysis->in_sat - out_sat;
    return true;
}

/* How long it will be once all have signed: found by pretending that they have. 0: unknown */
static uint32_t estimate_vbytes(const struct rpc_node *node, struct analysis *analysis)
{
    struct psbt *psbt = analysis->psbt;
    const struct sign_order order = {.mode = SOLVE_PRETEND, .finalize = true};
    struct tx tx;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        if (sign_psbt_input(&analysis->session, i, &order, NULL) != SIGN_COMPLETE)
            return 0;
    }
    psbt_extract(psbt, &tx);
    struct policy policy = {.bytes_per_sigop = POLICY_BYTES_PER_SIGOP};
    if (node->mempool)
        policy.bytes_per_sigop = mempool_options_of(node->mempool)->bytes_per_sigop;
    uint64_t sigops = tx_sigops_cost(&tx, analysis->session.spent, SCRIPT_VERIFY_STANDARD);
    return policy_vbytes(&policy, tx_weight_wu(&tx), sigops);
}

/* -- Answer ----------------------------------------------------------------------------------- */

static void put_hashes(struct json_out *out, const char *name, const struct solve_key_hash *at,
                       size_t n)
{
    if (n == 0)
        return;
    json_field_array(out, name);
    for (size_t i = 0; i < n; i++)
        json_put_hex(out, span_of(at[i].b, 20));
    json_close_array(out);
}

static void put_missing(struct json_out *out, const struct solve_missing *missing)
{
    if (missing->keys.n == 0 && missing->sigs.n == 0 && !missing->has_redeem_script &&
        !missing->has_witness_script)
        return;
    json_field_object(out, "missing");
    put_hashes(out, "pubkeys", missing->keys.at, missing->keys.n);
    if (missing->has_redeem_script)
        json_field_hex(out, "redeemscript", span_of(missing->redeem_script, 20));
    if (missing->has_witness_script)
        json_field_hex(out, "witnessscript", span_of(missing->witness_script, 32));
    put_hashes(out, "signatures", missing->sigs.at, missing->sigs.n);
    json_close_object(out);
}

static const char *role_name(enum role role)
{
    static const char *const names[] = {"creator", "updater", "signer", "finalizer", "extractor"};
    return names[role];
}

static enum role put_inputs(struct json_out *out, const struct analysis *analysis)
{
    enum role next = ROLE_EXTRACTOR;
    size_t n = *analysis->error ? 0 : analysis->psbt->n_inputs;
    if (n > 0)
        json_field_array(out, "inputs");
    for (size_t i = 0; i < n; i++) {
        const struct input_state *state = &analysis->inputs[i];
        json_open_object(out);
        json_field_bool(out, "has_utxo", state->has_coin);
        json_field_bool(out, "is_final", state->is_final);
        json_field_string(out, "next", role_name(state->next));
        put_missing(out, &state->missing.missing);
        json_close_object(out);
        next = state->next < next ? state->next : next;
    }
    if (n > 0)
        json_close_array(out);
    return *analysis->error ? ROLE_CREATOR : next;
}

static void put_analysis(struct rpc_call *call, struct analysis *analysis)
{
    struct json_out *out = &call->out;
    bool has_fee = !*analysis->error && analysis->knows_coins && look_at_outputs(analysis);
    json_open_object(out);
    enum role next = put_inputs(out, analysis);
    if (has_fee) {
        uint32_t vbytes = estimate_vbytes(call->rpc->node, analysis);
        if (vbytes > 0) {
            json_field_int(out, "estimated_vsize", vbytes);
            json_field_amount(out, "estimated_feerate", analysis->fee_sat * 1000 / vbytes);
        }
        json_field_amount(out, "fee", analysis->fee_sat);
    }
    json_field_string(out, "next", role_name(next));
    if (*analysis->error)
        json_field_string(out, "error", analysis->error);
    json_close_object(out);
}

static void run_analysis(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct analysis analysis = {.psbt = call->state, .knows_coins = true};
    if (!psbt_json_read(call, rpc_arg(call, 0)->text, call->state))
        return;
    size_t n = analysis.psbt->n_inputs;
    analysis.inputs = arena_calloc(&call->arena, n + 1, sizeof *analysis.inputs);
    key_book_init(&analysis.nothing, NULL, &call->arena);
    sign_session_init(&analysis.session, analysis.psbt, &analysis.nothing);
    for (size_t i = 0; i < n; i++) {
        if (!look_at_input(&analysis, i))
            break;
    }
    put_analysis(call, &analysis);
    for (size_t i = 0; i < n; i++)
        solve_result_deinit(&analysis.inputs[i].missing);
    sign_session_deinit(&analysis.session);
    key_book_deinit(&analysis.nothing);
}

enum rpc_progress rpc_analyzepsbt(struct rpc_call *call)
{
    call->state = arena_calloc(&call->arena, 1, sizeof(struct psbt));
    rpc_run_job(call, run_analysis, NULL);
    return RPC_PENDING;
}
