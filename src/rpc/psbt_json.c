/* psbt_json.c - PSBTs as text and as JSON. */
#include "rpc/psbt_json.h"

#include <string.h>

#include "consensus/sighash.h"
#include "crypto/base58.h"
#include "rpc/tx_json.h"
#include "spend/keys/bip32.h"
#include "util/base64.h"
#include "util/hex.h"
#include "util/reader.h"

enum {
    PUBKEY = 33,
    XPUB_BYTES = 78,
    XPUB_CHARS = 120,
};

bool psbt_json_read(struct rpc_call *call, struct span text, struct psbt *out)
{
    ASSERT(call && out);
    const char *error = "invalid base64";
    size_t room = text.len / 4 * 3 + 3, len;
    uint8_t *bytes = arena_alloc(&call->arena, room);
    if (!base64_decode(text, bytes, room, &len) ||
        !psbt_read(span_of(bytes, len), &call->arena, out, &error))
        return rpc_refuse(call, RPC_DESERIALIZATION_ERROR, "TX decode failed %s", error);
    return true;
}

void psbt_json_put(struct json_out *out, const struct psbt *psbt)
{
    ASSERT(out && psbt);
    struct buffer bytes, text;
    buffer_init(&bytes);
    buffer_init(&text);
    psbt_write(psbt, &bytes);
    base64_append(&text, buffer_span(&bytes));
    json_put_text(out, buffer_span(&text));
    buffer_deinit(&bytes);
    buffer_deinit(&text);
}

/* -- Parts ------------------------------------------------------------------------------------ */

/* An object being written, opened with its first member. */
struct shown {
    struct json_out *out;
    const struct network *network;
    const struct psbt *psbt;
};

static void put_hex_key(struct json_out *out, struct span bytes)
{
    char hex[2 * 65 + 1];
    ASSERT(bytes.len <= 65);
    json_put_key(out, hex_encode(hex, bytes));
}

static void put_script(const struct shown *shown, const char *name, struct span script, int flags)
{
    json_field_object(shown->out, name);
    tx_json_put_script(shown->out, shown->network, script, flags, NULL);
    json_close_object(shown->out);
}

/* "master_fingerprint" and "path". */
static void put_origin(const struct shown *shown, struct span value)
{
    struct key_origin origin = psbt_read_origin(value, shown->psbt->arena);
    struct buffer path;
    buffer_init(&path);
    buffer_append_string(&path, "m");
    for (uint32_t i = 0; i < origin.n_path; i++)
        buffer_append_format(&path, "/%u%s", origin.path[i] & ~BIP32_HARDENED,
                             origin.path[i] & BIP32_HARDENED ? "h" : "");
    json_field_hex(shown->out, "master_fingerprint", span_of(origin.fingerprint, 4));
    json_put_key(shown->out, "path");
    json_put_text(shown->out, buffer_span(&path));
    buffer_deinit(&path);
}

static void put_derivations(const struct shown *shown, const struct psbt_map *map, uint64_t type)
{
    size_t at = 0;
    const struct psbt_record *record = psbt_next(map, type, &at);
    if (!record)
        return;
    json_field_array(shown->out, "bip32_derivs");
    for (; record; record = psbt_next(map, type, &at)) {
        json_open_object(shown->out);
        json_field_hex(shown->out, "pubkey", record->data);
        put_origin(shown, record->value);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

static void put_tap_derivations(const struct shown *shown, const struct psbt_map *map,
                                uint64_t type)
{
    size_t at = 0;
    const struct psbt_record *record = psbt_next(map, type, &at);
    if (!record)
        return;
    json_field_array(shown->out, "taproot_bip32_derivs");
    for (; record; record = psbt_next(map, type, &at)) {
        struct span value = record->value, hashes = psbt_take_leaf_hashes(&value);
        json_open_object(shown->out);
        json_field_hex(shown->out, "pubkey", record->data);
        put_origin(shown, value);
        json_field_array(shown->out, "leaf_hashes");
        for (size_t i = 0; i < hashes.len; i += 32)
            json_put_hex(shown->out, span_of(hashes.p + i, 32));
        json_close_array(shown->out);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

static void put_participants(const struct shown *shown, const struct psbt_map *map, uint64_t type)
{
    size_t at = 0;
    const struct psbt_record *record = psbt_next(map, type, &at);
    if (!record)
        return;
    json_field_array(shown->out, "musig2_participant_pubkeys");
    for (; record; record = psbt_next(map, type, &at)) {
        json_open_object(shown->out);
        json_field_hex(shown->out, "aggregate_pubkey", record->data);
        json_field_array(shown->out, "participant_pubkeys");
        for (size_t i = 0; i < record->value.len; i += PUBKEY)
            json_put_hex(shown->out, span_of(record->value.p + i, PUBKEY));
        json_close_array(shown->out);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

/* BIP-174, Proprietary Use Type */
static void put_proprietary(const struct shown *shown, const struct psbt_map *map)
{
    size_t at = 0;
    const struct psbt_record *record = psbt_next(map, PSBT_PROPRIETARY, &at);
    json_field_array(shown->out, "proprietary");
    for (; record; record = psbt_next(map, PSBT_PROPRIETARY, &at)) {
        struct reader r = reader_of(record->data);
        struct span identifier = read_var_span(&r);
        uint64_t subtype = read_compact_size(&r);
        json_open_object(shown->out);
        json_field_hex(shown->out, "identifier", identifier);
        json_field_int(shown->out, "subtype", (int64_t)subtype);
        json_field_hex(shown->out, "key", span_of(r.at, reader_left(&r)));
        json_field_hex(shown->out, "value", record->value);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

static bool has_type(const struct psbt_map *map, uint64_t type)
{
    size_t at = 0;
    return psbt_next(map, type, &at) != NULL;
}

/* Keys of any length as names. */
static void put_unknown(const struct shown *shown, const struct psbt_map *map, bool if_empty)
{
    bool any = false;
    for (size_t i = 0; i < map->n; i++)
        any = any || !psbt_is_known(map->kind, map->at[i].type);
    if (!any && !if_empty)
        return;
    json_field_object(shown->out, "unknown");
    for (size_t i = 0; i < map->n; i++) {
        const struct psbt_record *record = &map->at[i];
        if (psbt_is_known(map->kind, record->type))
            continue;
        char *hex = arena_alloc(shown->psbt->arena, 2 * record->key.len + 1);
        json_field_hex(shown->out, hex_encode(hex, record->key), record->value);
    }
    json_close_object(shown->out);
}

/* -- Inputs ----------------------------------------------------------------------------------- */

static const char *sighash_text(uint32_t type)
{
    switch (type) {
    case SIGHASH_DEFAULT:
        return "DEFAULT";
    case SIGHASH_ALL:
        return "ALL";
    case SIGHASH_NONE:
        return "NONE";
    case SIGHASH_SINGLE:
        return "SINGLE";
    case SIGHASH_ALL | SIGHASH_ANYONECANPAY:
        return "ALL|ANYONECANPAY";
    case SIGHASH_NONE | SIGHASH_ANYONECANPAY:
        return "NONE|ANYONECANPAY";
    case SIGHASH_SINGLE | SIGHASH_ANYONECANPAY:
        return "SINGLE|ANYONECANPAY";
    default:
        return "";
    }
}

static void put_coins(const struct shown *shown, const struct psbt_map *input)
{
    struct span coin = psbt_get(input, PSBT_IN_WITNESS_UTXO);
    struct span previous = psbt_get(input, PSBT_IN_NON_WITNESS_UTXO);
    struct reader r = reader_of(coin);
    struct tx tx;
    if (coin.p) {
        json_field_object(shown->out, "witness_utxo");
        json_field_amount(shown->out, "amount", (int64_t)read_u64(&r));
        put_script(shown, "scriptPubKey", read_var_span(&r), TX_JSON_HEX | TX_JSON_ADDRESS);
        json_close_object(shown->out);
    }
    r = reader_of(previous);
    if (previous.p && tx_decode(&r, shown->psbt->arena, true, &tx)) {
        struct tx_json_style style = {.network = shown->network};
        json_field_object(shown->out, "non_witness_utxo");
        tx_json_put_tx(shown->out, &tx, NULL, &style);
        json_close_object(shown->out);
    }
}

static void put_signing(const struct shown *shown, const struct psbt_map *input)
{
    size_t at = 0;
    uint32_t type;
    const struct psbt_record *record = psbt_next(input, PSBT_IN_PARTIAL_SIG, &at);
    if (record) {
        json_field_object(shown->out, "partial_signatures");
        for (; record; record = psbt_next(input, PSBT_IN_PARTIAL_SIG, &at)) {
            put_hex_key(shown->out, record->data);
            json_put_hex(shown->out, record->value);
        }
        json_close_object(shown->out);
    }
    if (psbt_get_u32(input, PSBT_IN_SIGHASH_TYPE, &type))
        json_field_string(shown->out, "sighash", sighash_text(type));
    struct span redeem = psbt_get(input, PSBT_IN_REDEEM_SCRIPT);
    struct span witness = psbt_get(input, PSBT_IN_WITNESS_SCRIPT);
    if (redeem.len > 0)
        put_script(shown, "redeem_script", redeem, TX_JSON_HEX);
    if (witness.len > 0)
        put_script(shown, "witness_script", witness, TX_JSON_HEX);
    put_derivations(shown, input, PSBT_IN_BIP32_DERIVATION);
}

static void put_final(const struct shown *shown, const struct psbt_map *input)
{
    struct span script = psbt_get(input, PSBT_IN_FINAL_SCRIPTSIG), item;
    struct span witness = psbt_get(input, PSBT_IN_FINAL_SCRIPTWITNESS);
    if (script.len > 0) {
        struct buffer text;
        buffer_init(&text);
        tx_json_write_asm(&text, script, true);
        json_field_object(shown->out, "final_scriptSig");
        json_put_key(shown->out, "asm");
        json_put_text(shown->out, buffer_span(&text));
        json_field_hex(shown->out, "hex", script);
        json_close_object(shown->out);
        buffer_deinit(&text);
    }
    if (witness.len == 0)
        return;
    json_field_array(shown->out, "final_scriptwitness");
    struct witness_iter it = witness_iter_of(witness);
    while (witness_next(&it, &item))
        json_put_hex(shown->out, item);
    json_close_array(shown->out);
}

static void put_preimages(const struct shown *shown, const struct psbt_map *input)
{
    static const struct {
        uint64_t type;
        const char *name;
    } kinds[] = {
        {PSBT_IN_RIPEMD160, "ripemd160_preimages"},
        {PSBT_IN_SHA256, "sha256_preimages"},
        {PSBT_IN_HASH160, "hash160_preimages"},
        {PSBT_IN_HASH256, "hash256_preimages"},
    };
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        size_t at = 0;
        const struct psbt_record *record = psbt_next(input, kinds[k].type, &at);
        if (!record)
            continue;
        json_field_object(shown->out, kinds[k].name);
        for (; record; record = psbt_next(input, kinds[k].type, &at)) {
            put_hex_key(shown->out, record->data);
            json_put_hex(shown->out, record->value);
        }
        json_close_object(shown->out);
    }
}

/* Of version 2. */
static void put_spending(const struct shown *shown, const struct psbt_map *input)
{
    struct span txid = psbt_get(input, PSBT_IN_PREVIOUS_TXID);
    uint32_t number;
    if (txid.p)
        json_field_id(shown->out, "previous_txid", txid.p);
    if (psbt_get_u32(input, PSBT_IN_OUTPUT_INDEX, &number))
        json_field_int(shown->out, "previous_vout", number);
    if (psbt_get_u32(input, PSBT_IN_SEQUENCE, &number))
        json_field_int(shown->out, "sequence", number);
    if (psbt_get_u32(input, PSBT_IN_REQUIRED_TIME_LOCKTIME, &number))
        json_field_int(shown->out, "time_locktime", number);
    if (psbt_get_u32(input, PSBT_IN_REQUIRED_HEIGHT_LOCKTIME, &number))
        json_field_int(shown->out, "height_locktime", number);
}

static void put_tap_sigs(const struct shown *shown, const struct psbt_map *input)
{
    size_t at = 0;
    struct span sig = psbt_get(input, PSBT_IN_TAP_KEY_SIG);
    const struct psbt_record *record = psbt_next(input, PSBT_IN_TAP_SCRIPT_SIG, &at);
    if (sig.p)
        json_field_hex(shown->out, "taproot_key_path_sig", sig);
    if (!record)
        return;
    json_field_array(shown->out, "taproot_script_path_sigs");
    for (; record; record = psbt_next(input, PSBT_IN_TAP_SCRIPT_SIG, &at)) {
        json_open_object(shown->out);
        json_field_hex(shown->out, "pubkey", span_of(record->data.p, 32));
        json_field_hex(shown->out, "leaf_hash", span_of(record->data.p + 32, 32));
        json_field_hex(shown->out, "sig", record->value);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

/* Control blocks of one script lie in a row. */
static void put_tap_scripts(const struct shown *shown, const struct psbt_map *input)
{
    size_t at = 0;
    const struct psbt_record *record = psbt_next(input, PSBT_IN_TAP_LEAF_SCRIPT, &at);
    if (!record)
        return;
    json_field_array(shown->out, "taproot_scripts");
    while (record) {
        struct span leaf = record->value;
        json_open_object(shown->out);
        json_field_hex(shown->out, "script", span_of(leaf.p, leaf.len - 1));
        json_field_int(shown->out, "leaf_ver", leaf.p[leaf.len - 1]);
        json_field_array(shown->out, "control_blocks");
        for (; record && span_equal(record->value, leaf);
             record = psbt_next(input, PSBT_IN_TAP_LEAF_SCRIPT, &at))
            json_put_hex(shown->out, record->data);
        json_close_array(shown->out);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

static void put_musig_records(const struct shown *shown, const struct psbt_map *input,
                              uint64_t type, const char *name, const char *value_name)
{
    size_t at = 0;
    const struct psbt_record *record = psbt_next(input, type, &at);
    if (!record)
        return;
    json_field_array(shown->out, name);
    for (; record; record = psbt_next(input, type, &at)) {
        json_open_object(shown->out);
        json_field_hex(shown->out, "participant_pubkey", span_of(record->data.p, PUBKEY));
        json_field_hex(shown->out, "aggregate_pubkey", span_of(record->data.p + PUBKEY, PUBKEY));
        if (record->data.len > 2 * PUBKEY)
            json_field_hex(shown->out, "leaf_hash", span_of(record->data.p + 2 * PUBKEY, 32));
        json_field_hex(shown->out, value_name, record->value);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

static void put_taproot(const struct shown *shown, const struct psbt_map *input)
{
    struct span internal = psbt_get(input, PSBT_IN_TAP_INTERNAL_KEY);
    struct span root = psbt_get(input, PSBT_IN_TAP_MERKLE_ROOT);
    put_tap_sigs(shown, input);
    put_tap_scripts(shown, input);
    put_tap_derivations(shown, input, PSBT_IN_TAP_BIP32_DERIVATION);
    if (internal.p)
        json_field_hex(shown->out, "taproot_internal_key", internal);
    if (root.p)
        json_field_hex(shown->out, "taproot_merkle_root", root);
    put_participants(shown, input, PSBT_IN_MUSIG2_PARTICIPANTS);
    put_musig_records(shown, input, PSBT_IN_MUSIG2_PUB_NONCE, "musig2_pubnonces", "pubnonce");
    put_musig_records(shown, input, PSBT_IN_MUSIG2_PARTIAL_SIG, "musig2_partial_sigs",
                      "partial_sig");
}

static void put_input(const struct shown *shown, const struct psbt_map *input)
{
    json_open_object(shown->out);
    put_coins(shown, input);
    put_signing(shown, input);
    put_final(shown, input);
    put_preimages(shown, input);
    put_spending(shown, input);
    put_taproot(shown, input);
    if (has_type(input, PSBT_PROPRIETARY))
        put_proprietary(shown, input);
    put_unknown(shown, input, false);
    json_close_object(shown->out);
}

/* -- Outputs ---------------------------------------------------------------------------------- */

static void put_tree(const struct shown *shown, struct span value)
{
    struct tap_tree tree;
    if (!value.p || !psbt_read_tree(value, shown->psbt->arena, &tree))
        return;
    json_field_array(shown->out, "taproot_tree");
    for (size_t i = 0; i < tree.n; i++) {
        json_open_object(shown->out);
        json_field_int(shown->out, "depth", tree.leaves[i].depth);
        json_field_int(shown->out, "leaf_ver", tree.leaves[i].version);
        json_field_hex(shown->out, "script", tree.leaves[i].script);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

static void put_output(const struct shown *shown, const struct psbt_map *output)
{
    struct span redeem = psbt_get(output, PSBT_OUT_REDEEM_SCRIPT);
    struct span witness = psbt_get(output, PSBT_OUT_WITNESS_SCRIPT);
    struct span internal = psbt_get(output, PSBT_OUT_TAP_INTERNAL_KEY);
    struct span amount = psbt_get(output, PSBT_OUT_AMOUNT);
    struct reader r = reader_of(amount);
    json_open_object(shown->out);
    if (redeem.len > 0)
        put_script(shown, "redeem_script", redeem, TX_JSON_HEX);
    if (witness.len > 0)
        put_script(shown, "witness_script", witness, TX_JSON_HEX);
    put_derivations(shown, output, PSBT_OUT_BIP32_DERIVATION);
    if (amount.p) {
        json_field_amount(shown->out, "amount", (int64_t)read_u64(&r));
        put_script(shown, "script", psbt_get(output, PSBT_OUT_SCRIPT),
                   TX_JSON_HEX | TX_JSON_ADDRESS);
    }
    if (internal.p)
        json_field_hex(shown->out, "taproot_internal_key", internal);
    put_tree(shown, psbt_get(output, PSBT_OUT_TAP_TREE));
    put_tap_derivations(shown, output, PSBT_OUT_TAP_BIP32_DERIVATION);
    put_participants(shown, output, PSBT_OUT_MUSIG2_PARTICIPANTS);
    if (has_type(output, PSBT_PROPRIETARY))
        put_proprietary(shown, output);
    put_unknown(shown, output, false);
    json_close_object(shown->out);
}

/* -- Whole ------------------------------------------------------------------------------------ */

static void put_xpubs(const struct shown *shown)
{
    size_t at = 0;
    const struct psbt_record *record;
    json_field_array(shown->out, "global_xpubs");
    while ((record = psbt_next(&shown->psbt->global, PSBT_GLOBAL_XPUB, &at))) {
        char text[XPUB_CHARS];
        base58check_encode(record->data, text);
        json_open_object(shown->out);
        json_field_string(shown->out, "xpub", text);
        put_origin(shown, record->value);
        json_close_object(shown->out);
    }
    json_close_array(shown->out);
}

/* Of version 2. BIP-370, Specification */
static void put_v2_globals(const struct shown *shown)
{
    const struct psbt_map *global = &shown->psbt->global;
    struct span flags = psbt_get(global, PSBT_GLOBAL_TX_MODIFIABLE);
    uint32_t lock_time;
    json_field_int(shown->out, "tx_version", shown->psbt->tx.version);
    if (psbt_get_u32(global, PSBT_GLOBAL_FALLBACK_LOCKTIME, &lock_time))
        json_field_int(shown->out, "fallback_locktime", lock_time);
    json_field_int(shown->out, "input_count", (int64_t)shown->psbt->n_inputs);
    json_field_int(shown->out, "output_count", (int64_t)shown->psbt->n_outputs);
    if (!flags.p)
        return;
    json_field_bool(shown->out, "inputs_modifiable", flags.p[0] & 1);
    json_field_bool(shown->out, "outputs_modifiable", flags.p[0] & 2);
    json_field_bool(shown->out, "has_sighash_single", flags.p[0] & 4);
}

static bool is_money(int64_t value_sat)
{
    return value_sat >= 0 && value_sat <= MAX_MONEY_SAT;
}

/* The fee, if all that is spent is known and makes sense. */
static bool find_fee(const struct psbt *psbt, int64_t *fee_sat)
{
    int64_t in_sat = 0, out_sat = 0;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        struct tx_out coin;
        if (!psbt_spent(psbt, i, &coin) || !is_money(coin.value_sat) ||
            !is_money(in_sat + coin.value_sat))
            return false;
        in_sat += coin.value_sat;
    }
    for (size_t i = 0; i < psbt->n_outputs; i++) {
        int64_t value_sat = psbt->tx.out[i].value_sat;
        if (!is_money(value_sat) || !is_money(out_sat + value_sat))
            return false;
        out_sat += value_sat;
    }
    *fee_sat = in_sat - out_sat;
    return true;
}

void psbt_json_put_decoded(struct json_out *out, const struct network *network,
                           const struct psbt *psbt)
{
    ASSERT(out && network && psbt);
    struct shown shown = {out, network, psbt};
    int64_t fee_sat;
    json_open_object(out);
    if (psbt->version == PSBT_VERSION_0) {
        struct tx_json_style style = {.network = network};
        json_field_object(out, "tx");
        tx_json_put_tx(out, &psbt->tx, NULL, &style);
        json_close_object(out);
    }
    put_xpubs(&shown);
    json_field_int(out, "psbt_version", psbt->version);
    if (psbt->version == PSBT_VERSION_2)
        put_v2_globals(&shown);
    put_proprietary(&shown, &psbt->global);
    put_unknown(&shown, &psbt->global, true);
    json_field_array(out, "inputs");
    for (size_t i = 0; i < psbt->n_inputs; i++)
        put_input(&shown, &psbt->inputs[i]);
    json_close_array(out);
    json_field_array(out, "outputs");
    for (size_t i = 0; i < psbt->n_outputs; i++)
        put_output(&shown, &psbt->outputs[i]);
    json_close_array(out);
    if (find_fee(psbt, &fee_sat))
        json_field_amount(out, "fee", fee_sat);
    json_close_object(out);
}
