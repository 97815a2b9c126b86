/* rpc_sign.c - signrawtransactionwithkey. */
#include <stdio.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "consensus/script_write.h"
#include "consensus/sighash.h"
#include "crypto/hash.h"
#include "crypto/mem.h"
#include "crypto/pubkey.h"
#include "rpc/methods.h"
#include "rpc/raw_tx.h"
#include "spend/sign/sign_tx.h"
#include "util/assert.h"
#include "util/hex.h"

/* What is known of an output that is spent. */
struct spent_info {
    bool is_known, has_amount;
};

/* What the job works on, all in the call's arena: nobody else touches it. */
struct signing_order {
    struct tx tx;
    struct spent_search *search;
    struct tx_out *spent; /* what it finds, n_in of them, and as many info */
    struct spent_info *info;
    struct key_book book; /* keys and scripts; wiped when the call ends */
    uint8_t hash_type;
};

/* -- Arguments ---------------------------------------------------------------------------- */

/* A key, and the taproot output that it has without scripts. */
static bool add_key(struct key_book *book, const uint8_t secret[32], bool compressed)
{
    struct ec_pubkey pubkey;
    uint8_t x[32];
    if (!key_book_add_secret(book, secret, compressed) || !seckey_pubkey(book->ec, secret, &pubkey))
        return false;
    xonly_from_pubkey(x, NULL, &pubkey);
    return !compressed || key_book_add_tap(book, x, NULL);
}

static bool read_keys(struct rpc_call *call, struct signing_order *order)
{
    const struct json_value *list = rpc_arg(call, 1);
    for (const struct json_value *v = list->first; v; v = v->next) {
        uint8_t secret[32];
        bool compressed;
        if (!rpc_expect_kind(call, v, JSON_KIND_STRING))
            return false;
        if (!wif_decode(call->rpc->node->network, (const char *)v->text.p, secret, &compressed) ||
            !add_key(&order->book, secret, compressed))
            return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
        mem_wipe(secret, sizeof secret);
    }
    return true;
}

bool rpc_read_hash_type(struct rpc_call *call, size_t index, uint8_t *type)
{
    /* clang-format off */
    static const struct { const char *name; uint8_t type; } types[] = {
        {"DEFAULT",             SIGHASH_DEFAULT},
        {"ALL",                 SIGHASH_ALL},
        {"ALL|ANYONECANPAY",    SIGHASH_ALL | SIGHASH_ANYONECANPAY},
        {"NONE",                SIGHASH_NONE},
        {"NONE|ANYONECANPAY",   SIGHASH_NONE | SIGHASH_ANYONECANPAY},
        {"SINGLE",              SIGHASH_SINGLE},
        {"SINGLE|ANYONECANPAY", SIGHASH_SINGLE | SIGHASH_ANYONECANPAY},
    };
    /* clang-format on */
    const char *name = rpc_arg_string(call, index, "DEFAULT");
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (strcmp(name, types[i].name) == 0) {
            *type = types[i].type;
            return true;
        }
    }
    return rpc_refuse(call, RPC_INVALID_PARAMETER, "'%s' is not a valid sighash parameter.", name);
}

/* A member that has to be there and of a kind. */
static const struct json_value *require_member(struct rpc_call *call,
                                               const struct json_value *object, const char *name,
                                               enum json_kind kind)
{
    const struct json_value *value = json_find(object, name);
    if (!value || value->kind == JSON_KIND_NULL) {
        rpc_fail(call, RPC_TYPE_ERROR, "Missing %s", name);
        return NULL;
    }
    if (value->kind != kind) {
        rpc_fail(call, RPC_TYPE_ERROR,
                 "JSON value of type %s for field %s is not of expected type %s",
                 json_kind_name(value->kind), name, json_kind_name(kind));
        return NULL;
    }
    return value;
}

static const struct book_script *add_script(struct signing_order *order, struct span bytes)
{
    key_book_add_script(&order->book, bytes);
    return &order->book.scripts.at[order->book.scripts.n - 1];
}

static struct span p2wsh_of(struct arena *arena, struct span script)
{
    uint8_t *p = arena_alloc(arena, 34);
    p[0] = OP_0;
    p[1] = 32;
    sha256(script, p + 2);
    return span_of(p, 34);
}

static bool read_script_member(struct rpc_call *call, const struct json_value *object,
                               const char *name, struct span *script)
{
    const struct json_value *value = json_find(object, name);
    if (!value || value->kind == JSON_KIND_NULL) {
        *script = span_of(NULL, 0);
        return true;
    }
    return require_member(call, object, name, JSON_KIND_STRING) &&
           rpc_read_hex(call, value, name, script);
}

/* redeemScript and witnessScript of an output that pays to a script. */
static bool read_scripts(struct rpc_call *call, struct signing_order *order,
                         const struct json_value *object, struct span script_pubkey)
{
    struct span redeem, witness;
    enum script_type type = script_solve(script_pubkey).type;
    if (type != SCRIPT_TYPE_SCRIPTHASH && type != SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH)
        return true;
    if (!read_script_member(call, object, "redeemScript", &redeem) ||
        !read_script_member(call, object, "witnessScript", &witness))
        return false;
    if (!redeem.p && !witness.p)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Missing redeemScript/witnessScript");
    /* The script, and the output within P2SH that it may stand behind: a redeemScript may be given
     * as either, since older clients know no witnessScript. */
    struct book_script script = *add_script(order, witness.p ? witness : redeem);
    struct book_script wrapped = *add_script(order, p2wsh_of(&call->arena, script.bytes));
    if (witness.p && redeem.p && !span_equal(witness, redeem) && !span_equal(redeem, wrapped.bytes))
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "redeemScript does not correspond to witnessScript");
    struct span hash = script_solve(script_pubkey).item[0];
    bool matches = type == SCRIPT_TYPE_SCRIPTHASH
                       ? span_equal(hash, span_of(script.hash160, 20)) ||
                             span_equal(hash, span_of(wrapped.hash160, 20))
                       : span_equal(hash, span_of(script.sha256, 32));
    if (!matches)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "redeemScript/witnessScript does not match scriptPubKey");
    return matches;
}

/* The part of a prevtx that says what its output is: kept with the first input that spends it. */
static bool read_prevout_value(struct rpc_call *call, struct signing_order *order,
                               const struct json_value *object, const struct outpoint *outpoint,
                               struct span script_pubkey)
{
    const struct json_value *amount = json_find(object, "amount");
    int64_t value_sat = 0;
    if (amount && !rpc_read_amount(call, amount, &value_sat))
        return false;
    uint32_t i = rpc_spent_first(order->search, outpoint);
    if (i == order->tx.n_in)
        return true;
    if (order->info[i].is_known && !span_equal(order->spent[i].script_pubkey, script_pubkey))
        return rpc_refuse(call, RPC_DESERIALIZATION_ERROR, "Previous output scriptPubKey mismatch");
    order->spent[i].script_pubkey = script_pubkey;
    if (amount)
        order->spent[i].value_sat = value_sat;
    order->info[i].has_amount = order->info[i].has_amount || amount;
    order->info[i].is_known = true;
    return true;
}

static bool read_prevout(struct rpc_call *call, struct signing_order *order,
                         const struct json_value *object)
{
    struct outpoint outpoint;
    struct span script_pubkey;
    int64_t vout;
    if (object->kind != JSON_KIND_OBJECT)
        return rpc_refuse(call, RPC_DESERIALIZATION_ERROR,
                          "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}");
    const struct json_value *txid = require_member(call, object, "txid", JSON_KIND_STRING);
    const struct json_value *n =
        txid ? require_member(call, object, "vout", JSON_KIND_NUMBER) : NULL;
    const struct json_value *script =
        n ? require_member(call, object, "scriptPubKey", JSON_KIND_STRING) : NULL;
    if (!script || !rpc_read_id(call, txid, "txid", outpoint.txid.b))
        return false;
    if (!json_integer_in(n, INT32_MIN, INT32_MAX, &vout))
        return rpc_refuse(call, RPC_MISC_ERROR, "JSON integer out of range");
    if (vout < 0)
        return rpc_refuse(call, RPC_DESERIALIZATION_ERROR, "vout cannot be negative");
    outpoint.vout = (uint32_t)vout;
    return rpc_read_hex(call, script, "scriptPubKey", &script_pubkey) &&
           read_prevout_value(call, order, object, &outpoint, script_pubkey) &&
           read_scripts(call, order, object, script_pubkey);
}

/* What was said of the first input that spends an output holds for the others. */
static void share_prevouts(struct signing_order *order)
{
    const struct tx_in *const *inputs = (const struct tx_in *const *)order->search->order;
    for (uint32_t k = 1; k < order->tx.n_in; k++) {
        size_t before = (size_t)(inputs[k - 1] - order->tx.in),
               i = (size_t)(inputs[k] - order->tx.in);
        if (!outpoint_equal(&inputs[k - 1]->prevout, &inputs[k]->prevout))
            continue;
        order->spent[i] = order->spent[before];
        order->info[i] = order->info[before];
    }
}

static bool read_prevouts(struct rpc_call *call, struct signing_order *order)
{
    const struct json_value *list = rpc_arg(call, 2);
    for (uint32_t i = 0; i < order->tx.n_in; i++) {
        bool is_known = order->search->known[i];
        order->info[i] = (struct spent_info){.is_known = is_known, .has_amount = is_known};
    }
    for (const struct json_value *v = list ? list->first : NULL; v; v = v->next) {
        if (!read_prevout(call, order, v))
            return false;
    }
    share_prevouts(order);
    return true;
}

/* -- Answer ------------------------------------------------------------------------------- */

static const char *error_text(enum script_error error)
{
    if (error == SCRIPT_ERR_INVALID_STACK_OPERATION)
        return "Unable to sign input, invalid stack size (possibly missing key)";
    if (error == SCRIPT_ERR_SIG_NULLFAIL)
        return "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)";
    return script_error_string(error);
}

static void put_error(struct json_out *out, const struct tx_in *in, const char *error)
{
    struct span item;
    json_open_object(out);
    json_field_id(out, "txid", in->prevout.txid.b);
    json_field_int(out, "vout", in->prevout.vout);
    json_field_array(out, "witness");
    if (in->witness.len > 0) {
        struct witness_iter it = witness_iter_of(in->witness);
        while (witness_next(&it, &item))
            json_put_hex(out, item);
    }
    json_close_array(out);
    json_field_hex(out, "scriptSig", in->script_sig);
    json_field_int(out, "sequence", in->sequence);
    json_field_string(out, "error", error);
    json_close_object(out);
}

/* NULL if input n is satisfied, else what is wrong. */
static const char *check_input(const struct signing_order *order, const struct tx_sighash *sighash,
                               uint32_t n, struct script_scratch *scratch)
{
    if (!order->info[n].is_known)
        return "Input not found or already spent";
    struct script_check check = {.tx = &order->tx,
                                 .input = n,
                                 .flags = SCRIPT_VERIFY_STANDARD,
                                 .spent = order->spent,
                                 .sighash = sighash};
    enum script_error error = script_verify(&check, scratch);
    return error == SCRIPT_OK ? NULL : error_text(error);
}

static void sign_all(struct rpc_call *call, struct signing_order *order)
{
    struct tx_sighash sighash;
    struct sign_tx_request request = {.mode = SOLVE_SIGN,
                                      .book = &order->book,
                                      .hash_type = order->hash_type,
                                      .arena = &call->arena};
    bool all_known = true;
    for (uint32_t i = 0; i < order->tx.n_in; i++)
        all_known = all_known && order->info[i].is_known;
    /* Taproot signs every spent output. */
    tx_sighash_init_all(&sighash, &order->tx, all_known ? order->spent : NULL);
    uint8_t output_mask = order->hash_type & SIGHASH_OUTPUT_MASK;
    for (uint32_t i = 0; i < order->tx.n_in; i++) {
        bool has_output = output_mask != SIGHASH_SINGLE || i < order->tx.n_out;
        if (order->info[i].is_known && has_output)
            (void)sign_tx_input(&request, &order->tx, order->spent, &sighash, i);
    }
    tx_finish(&order->tx, &call->arena);
}

static void put_signed(struct rpc_call *call, const struct signing_order *order)
{
    struct script_scratch *scratch = script_scratch_new();
    struct json_out *out = &call->out;
    struct tx_sighash sighash;
    uint32_t n_errors = 0;
    tx_sighash_init_all(&sighash, &order->tx, order->spent);
    const char **errors = arena_calloc(&call->arena, order->tx.n_in + 1, sizeof *errors);
    for (uint32_t i = 0; i < order->tx.n_in; i++) {
        errors[i] = check_input(order, &sighash, i, scratch);
        n_errors += errors[i] != NULL;
    }
    script_scratch_free(scratch);
    json_open_object(out);
    json_field_hex(out, "hex", order->tx.raw);
    json_field_bool(out, "complete", n_errors == 0);
    if (n_errors > 0) {
        json_field_array(out, "errors");
        for (uint32_t i = 0; i < order->tx.n_in; i++) {
            if (errors[i])
                put_error(out, &order->tx.in[i], errors[i]);
        }
        json_close_array(out);
    }
    json_close_object(out);
}

/* Segwit signs the amount: without it a signature would be worthless. */
static bool has_amounts(struct rpc_call *call, const struct signing_order *order)
{
    for (uint32_t i = 0; i < order->tx.n_in; i++) {
        char txid[HEX_ID_BYTES];
        const struct outpoint *prevout = &order->tx.in[i].prevout;
        if (!order->info[i].is_known || order->info[i].has_amount ||
            order->tx.in[i].witness.len == 0)
            continue;
        return rpc_refuse(call, RPC_TYPE_ERROR, "Missing amount for COutPoint(%s, %u)",
                          hex_encode_reversed(txid, span_of(prevout->txid.b, 32)), prevout->vout);
    }
    return true;
}

/* -- Steps --------------------------------------------------------------------------------- */

/* The transaction, and keys, whose public keys take some 50 us each. */
static void run_read(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct signing_order *order = call->state;
    if (!raw_tx_decode(rpc_arg(call, 0)->text, RAW_TX_ANY, &call->arena, &order->tx)) {
        rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                 "TX decode failed. Make sure the tx has at least one input.");
        return;
    }
    if (!read_keys(call, order))
        return;
    order->search = rpc_spent_new(call, &order->tx);
    order->spent = order->search->spent;
    order->info = arena_calloc(&call->arena, order->tx.n_in + 1, sizeof *order->info);
}

/* A transaction can have thousands of inputs, each some 200 us to sign and check. */
static void run_sign(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    struct signing_order *order = call->state;
    if (!read_prevouts(call, order) || !rpc_read_hash_type(call, 3, &order->hash_type))
        return;
    sign_all(call, order);
    if (has_amounts(call, order))
        put_signed(call, order);
}

static void end_signing(struct rpc_call *call)
{
    struct signing_order *order = call->state;
    key_book_deinit(&order->book);
}

static void end_reading(struct rpc_call *call)
{
    if (call->error_code)
        end_signing(call);
}

static enum rpc_progress begin_signing(struct rpc_call *call)
{
    if (call->error_code) {
        end_signing(call);
        return RPC_DONE;
    }
    rpc_run_job(call, run_sign, end_signing);
    return RPC_PENDING;
}

/* The coins that are known without being given. */
static enum rpc_progress find_coins(struct rpc_call *call)
{
    struct signing_order *order = call->state;
    return call->error_code ? RPC_DONE : rpc_spent_find(call, order->search, begin_signing);
}

enum rpc_progress rpc_signrawtransactionwithkey(struct rpc_call *call)
{
    struct signing_order *order = arena_calloc(&call->arena, 1, sizeof *order);
    key_book_init(&order->book, rpc_ec_context(call->rpc), &call->arena);
    call->state = order;
    rpc_run_step(call, run_read, end_reading, find_coins);
    return RPC_PENDING;
}
