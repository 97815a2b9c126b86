/* rpc_psbt.c - PSBTs made, shown, put together and made final: what needs neither keys nor coins.
 */
#include "crypto/siphash.h"
#include "rpc/methods.h"
#include "rpc/psbt_json.h"
#include "rpc/raw_tx.h"
#include "spend/sign/sign_psbt.h"
#include "util/hash_map.h"
#include "util/hex.h"

/* -- Made ------------------------------------------------------------------------------------- */

static bool read_version(struct rpc_call *call, size_t index, uint32_t *version)
{
    int64_t number = PSBT_VERSION_2;
    if (!rpc_arg_int64(call, index, &number))
        return false;
    if (number != PSBT_VERSION_0 && number != PSBT_VERSION_2)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "The PSBT version can only be 2 or 0");
    *version = (uint32_t)number;
    return true;
}

static enum rpc_progress put_psbt_of(struct rpc_call *call, const struct tx *tx, uint32_t version)
{
    struct psbt psbt;
    psbt_from_tx(tx, version, &call->arena, &psbt);
    psbt_json_put(&call->out, &psbt);
    return RPC_DONE;
}

enum rpc_progress rpc_createpsbt(struct rpc_call *call)
{
    struct tx tx;
    uint32_t version;
    if (!rpc_construct_tx(call, &tx) || !read_version(call, 5, &version))
        return RPC_DONE;
    return put_psbt_of(call, &tx, version);
}

enum rpc_progress rpc_converttopsbt(struct rpc_call *call)
{
    struct tx tx;
    uint32_t version;
    int forms = RAW_TX_ANY;
    if (rpc_arg(call, 2))
        forms = rpc_arg_bool(call, 2, true) ? RAW_TX_WITNESS : RAW_TX_LEGACY;
    if (!raw_tx_decode(rpc_arg(call, 0)->text, forms, &call->arena, &tx))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
    for (uint32_t i = 0; i < tx.n_in; i++) {
        bool is_signed = tx.in[i].script_sig.len > 0 || tx.in[i].witness.len > 0;
        if (is_signed && !rpc_arg_bool(call, 1, false))
            return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                            "Inputs must not have scriptSigs and scriptWitnesses");
    }
    return read_version(call, 3, &version) ? put_psbt_of(call, &tx, version) : RPC_DONE;
}

enum rpc_progress rpc_decodepsbt(struct rpc_call *call)
{
    struct psbt psbt;
    if (psbt_json_read(call, rpc_arg(call, 0)->text, &psbt))
        psbt_json_put_decoded(&call->out, call->rpc->node->network, &psbt);
    return RPC_DONE;
}

/* -- Put together ----------------------------------------------------------------------------- */

static bool read_list(struct rpc_call *call, const struct json_value *list, struct psbt **out)
{
    *out = arena_calloc(&call->arena, list->n + 1, sizeof **out);
    struct psbt *at = *out;
    for (const struct json_value *v = list->first; v; v = v->next) {
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING) || !psbt_json_read(call, v->text, at++))
            return false;
    }
    return true;
}

enum rpc_progress rpc_combinepsbt(struct rpc_call *call)
{
    const struct json_value *list = rpc_arg(call, 0);
    struct psbt *psbts;
    if (list->n == 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Parameter 'txs' cannot be empty");
    if (!read_list(call, list, &psbts))
        return RPC_DONE;
    if (!psbt_combine(psbts, list->n))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "PSBTs not compatible (different transactions)");
    psbt_json_put(&call->out, &psbts[0]);
    return RPC_DONE;
}

/* What an input or output of a joined PSBT is made of. */
struct place {
    const struct psbt *from;
    size_t number;
};

struct joining {
    struct place *inputs, *outputs;
    size_t n_inputs, n_outputs;
    struct hash_map seen;        /* outpoints, of struct tx_in */
    struct siphash_key key, lot; /* of that map; of the order of what is joined */
};

static bool same_outpoint(const void *value, const void *key)
{
    const struct tx_in *in = value;
    return outpoint_equal(&in->prevout, key);
}

static bool collect(struct rpc_call *call, struct joining *joining, const struct psbt *psbt)
{
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        struct tx_in *in = &psbt->tx.in[i];
        uint64_t hash = siphash24(joining->key, span_of(in->prevout.txid.b, 32));
        if (hash_map_find(&joining->seen, hash ^ in->prevout.vout, same_outpoint, &in->prevout)) {
            char txid[HEX_ID_BYTES];
            hex_encode_reversed(txid, span_of(in->prevout.txid.b, 32));
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "Input %s:%u exists in multiple PSBTs",
                              txid, in->prevout.vout);
        }
        hash_map_insert(&joining->seen, hash ^ in->prevout.vout, in);
        joining->inputs[joining->n_inputs++] = (struct place){psbt, i};
    }
    for (size_t i = 0; i < psbt->n_outputs; i++)
        joining->outputs[joining->n_outputs++] = (struct place){psbt, i};
    return true;
}

/* In an order that tells nobody who has brought what. */
static void shuffle(struct siphash_key lot, struct place *places, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        uint64_t number = i, chance = siphash24(lot, span_of(&number, sizeof number));
        struct place *other = &places[chance % i], moved = places[i - 1];
        places[i - 1] = *other;
        *other = moved;
    }
}

/* Of global records those that say nothing of a transaction; of all PSBTs at once, since each time
 * the map is copied. */
static void put_globals(struct psbt *joined, const struct psbt *psbts, size_t n)
{
    size_t n_records = 0, n_kept = 0;
    for (size_t i = 0; i < n; i++)
        n_records += psbts[i].global.n;
    struct psbt_record *kept = arena_calloc(joined->arena, n_records + 1, sizeof *kept);
    for (size_t i = 0; i < n; i++) {
        const struct psbt_map *from = &psbts[i].global;
        for (size_t k = 0; k < from->n; k++) {
            uint64_t type = from->at[k].type;
            if (type == PSBT_GLOBAL_XPUB || !psbt_is_known(PSBT_MAP_GLOBAL, type))
                kept[n_kept++] = from->at[k];
        }
    }
    psbt_put_all(joined, &joined->global, kept, n_kept);
}

static void put_joined(struct rpc_call *call, const struct joining *joining,
                       const struct psbt *psbts, size_t n)
{
    struct tx tx = {.version = 1, .lock_time = UINT32_MAX};
    struct psbt joined;
    uint32_t version = PSBT_VERSION_0;
    tx.in = arena_calloc(&call->arena, joining->n_inputs + 1, sizeof *tx.in);
    tx.out = arena_calloc(&call->arena, joining->n_outputs + 1, sizeof *tx.out);
    for (size_t i = 0; i < n; i++) {
        tx.version = psbts[i].tx.version > tx.version ? psbts[i].tx.version : tx.version;
        tx.lock_time = psbts[i].tx.lock_time < tx.lock_time ? psbts[i].tx.lock_time : tx.lock_time;
        version = psbts[i].version > version ? psbts[i].version : version;
    }
    for (size_t i = 0; i < joining->n_inputs; i++)
        tx.in[tx.n_in++] = joining->inputs[i].from->tx.in[joining->inputs[i].number];
    for (size_t i = 0; i < joining->n_outputs; i++)
        tx.out[tx.n_out++] = joining->outputs[i].from->tx.out[joining->outputs[i].number];
    psbt_from_tx(&tx, version, &call->arena, &joined);
    for (size_t i = 0; i < joining->n_inputs; i++) {
        const struct place *place = &joining->inputs[i];
        const struct psbt_map *from = &place->from->inputs[place->number];
        psbt_put_all(&joined, &joined.inputs[i], from->at, from->n);
    }
    for (size_t i = 0; i < joining->n_outputs; i++) {
        const struct place *place = &joining->outputs[i];
        const struct psbt_map *from = &place->from->outputs[place->number];
        psbt_put_all(&joined, &joined.outputs[i], from->at, from->n);
    }
    put_globals(&joined, psbts, n);
    psbt_json_put(&call->out, &joined);
}

static void run_join(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct json_value *list = rpc_arg(call, 0);
    struct joining *joining = call->state;
    struct psbt *psbts;
    size_t n_inputs = 0, n_outputs = 0;
    if (!read_list(call, list, &psbts))
        return;
    for (size_t i = 0; i < list->n; i++) {
        n_inputs += psbts[i].n_inputs;
        n_outputs += psbts[i].n_outputs;
    }
    joining->inputs = arena_calloc(&call->arena, n_inputs + 1, sizeof *joining->inputs);
    joining->outputs = arena_calloc(&call->arena, n_outputs + 1, sizeof *joining->outputs);
    hash_map_init(&joining->seen);
    bool ok = true;
    for (size_t i = 0; ok && i < list->n; i++)
        ok = collect(call, joining, &psbts[i]);
    hash_map_deinit(&joining->seen);
    if (!ok)
        return;
    shuffle(joining->lot, joining->inputs, joining->n_inputs);
    joining->lot.k0++; /* outputs in an order of their own */
    shuffle(joining->lot, joining->outputs, joining->n_outputs);
    put_joined(call, joining, psbts, list->n);
}

enum rpc_progress rpc_joinpsbts(struct rpc_call *call)
{
    struct joining *joining = arena_calloc(&call->arena, 1, sizeof *joining);
    if (rpc_arg(call, 0)->n <= 1)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "At least two PSBTs are required to join PSBTs.");
    env_random(call->rpc->node->env, &joining->key, sizeof joining->key);
    env_random(call->rpc->node->env, &joining->lot, sizeof joining->lot);
    call->state = joining;
    return rpc_run_if_long(call, run_join, NULL, NULL);
}

/* -- Made final ------------------------------------------------------------------------------- */

static void run_finalize(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct psbt *psbt = call->state;
    struct key_book nothing;
    struct sign_session session;
    const struct sign_order order = {.mode = SOLVE_LOOK, .finalize = true};
    bool is_complete = true, extract = rpc_arg_bool(call, 1, true);
    if (!psbt_json_read(call, rpc_arg(call, 0)->text, psbt))
        return;
    key_book_init(&nothing, NULL, &call->arena);
    sign_session_init(&session, psbt, &nothing);
    for (size_t i = 0; i < psbt->n_inputs; i++)
        is_complete = sign_psbt_input(&session, i, &order, NULL) == SIGN_COMPLETE && is_complete;
    sign_session_deinit(&session);
    key_book_deinit(&nothing);
    json_open_object(&call->out);
    if (is_complete && extract) {
        struct tx tx;
        psbt_extract(psbt, &tx);
        json_field_hex(&call->out, "hex", tx.raw);
    } else {
        json_put_key(&call->out, "psbt");
        psbt_json_put(&call->out, psbt);
    }
    json_field_bool(&call->out, "complete", is_complete);
    json_close_object(&call->out);
}

enum rpc_progress rpc_finalizepsbt(struct rpc_call *call)
{
    call->state = arena_calloc(&call->arena, 1, sizeof(struct psbt));
    rpc_run_job(call, run_finalize, NULL);
    return RPC_PENDING;
}
