/* tx_json.c - scripts and transactions as the JSON that every wallet tool knows. */
#include "rpc/tx_json.h"

#include <string.h>

#include "consensus/key_io.h"
#include "consensus/script_num.h"
#include "consensus/script_type.h"
#include "consensus/sighash.h"
#include "crypto/ecdsa.h"
#include "spend/descriptor/desc_infer.h"
#include "util/assert.h"
#include "util/hex.h"

/* -- Scripts ------------------------------------------------------------------------------ */

static void append_hex(struct buffer *buffer, struct span bytes)
{
    uint8_t *to = buffer_reserve(buffer, 2 * bytes.len + 1);
    hex_encode((char *)to, bytes);
    buffer->len += 2 * bytes.len;
}

/* "[ALL]" and so on for a hash type that the encoding rules define, else NULL. */
static const char *sighash_name(uint8_t type)
{
    switch (type) {
    case SIGHASH_ALL:
        return "[ALL]";
    case SIGHASH_NONE:
        return "[NONE]";
    case SIGHASH_SINGLE:
        return "[SINGLE]";
    case SIGHASH_ALL | SIGHASH_ANYONECANPAY:
        return "[ALL|ANYONECANPAY]";
    case SIGHASH_NONE | SIGHASH_ANYONECANPAY:
        return "[NONE|ANYONECANPAY]";
    case SIGHASH_SINGLE | SIGHASH_ANYONECANPAY:
        return "[SINGLE|ANYONECANPAY]";
    default:
        return NULL;
    }
}

/* Up to four bytes are shown as a number, whatever they are: Core's choice, by which a short
 * push and the number that it stands for look alike. */
static void write_push(struct buffer *buffer, struct span push, bool decode_sighash)
{
    if (push.len <= SCRIPT_NUM_BYTES_MAX) {
        int64_t number = 0;
        bool ok = script_num_decode(push, SCRIPT_NUM_BYTES_MAX, false, &number);
        ASSERT(ok);
        struct json_out out = json_out_to(buffer);
        json_put_int(&out, number); /* every witness program begins with one */
        return;
    }
    const char *name = NULL;
    if (decode_sighash && ecdsa_is_strict_der(push))
        name = sighash_name(push.p[push.len - 1]);
    if (name)
        push.len--;
    append_hex(buffer, push);
    if (name)
        buffer_append_string(buffer, name);
}

void tx_json_write_asm(struct buffer *buffer, struct span script, bool decode_sighash)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    decode_sighash = decode_sighash && !script_is_unspendable(script);
    const char *space = "";
    while (script_next(&it, &op)) {
        buffer_append_string(buffer, space);
        space = " ";
        if (op.opcode <= OP_PUSHDATA4)
            write_push(buffer, op.push, decode_sighash);
        else
            buffer_append_string(buffer, opcode_name(op.opcode));
    }
    if (it.failed) {
        buffer_append_string(buffer, space);
        buffer_append_string(buffer, "[error]");
    }
}

/* Words of scripts and descriptors hold nothing that needs an escape. */
static void put_asm(struct json_out *out, struct span script, bool decode_sighash)
{
    json_put_key(out, "asm");
    json_put_raw(out, span_of("\"", 1));
    tx_json_write_asm(out->buffer, script, decode_sighash);
    buffer_append(out->buffer, "\"", 1);
}

/* A piece of text that is copied whole, its end with it: quicker than by its length. */
struct piece {
    char text[32];
    uint8_t len;
};
#define PIECE(s)                                                                                   \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

/* A form that is a hash between constants, whose text is one, too. Nearly all outputs are. */
struct known_form {
    size_t n_hash;
    struct piece head, tail; /* of the script */
    struct piece asm_head, asm_tail, hex_head, hex_tail, type;
};

/* clang-format off */
static const struct known_form known_forms[] = {
    {20, PIECE("\x00\x14"), PIECE(""), PIECE("0 "), PIECE(""), PIECE("0014"), PIECE(""),
     PIECE("witness_v0_keyhash")},
    {32, PIECE("\x00\x20"), PIECE(""), PIECE("0 "), PIECE(""), PIECE("0020"), PIECE(""),
     PIECE("witness_v0_scripthash")},
    {20, PIECE("\x76\xa9\x14"), PIECE("\x88\xac"), PIECE("OP_DUP OP_HASH160 "),
     PIECE(" OP_EQUALVERIFY OP_CHECKSIG"), PIECE("76a914"), PIECE("88ac"), PIECE("pubkeyhash")},
    {20, PIECE("\xa9\x14"), PIECE("\x87"), PIECE("OP_HASH160 "), PIECE(" OP_EQUAL"),
     PIECE("a914"), PIECE("87"), PIECE("scripthash")},
};
/* clang-format on */

static const struct known_form *known_form_of(struct span script, struct span *hash)
{
    for (size_t i = 0; i < COUNT_OF(known_forms); i++) {
        const struct known_form *form = &known_forms[i];
        const struct piece *head = &form->head, *tail = &form->tail;
        if (script.len != head->len + form->n_hash + tail->len)
            continue;
        *hash = span_of(script.p + head->len, form->n_hash);
        if (memcmp(script.p, head->text, head->len) == 0 &&
            memcmp(hash->p + hash->len, tail->text, tail->len) == 0)
            return form;
    }
    return NULL;
}

static uint8_t *put_piece(uint8_t *at, const struct piece *piece)
{
    memcpy(at, piece->text, sizeof piece->text);
    return at + piece->len;
}

/* Text of a length that the compiler knows, or of len bytes. */
#define PUT(at, literal) ((uint8_t *)memcpy(at, literal, sizeof(literal) - 1) + sizeof(literal) - 1)
static uint8_t *put_bytes(uint8_t *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

/* What tx_json_put_script() says of such a script, with all its fields. */
static void put_known(struct json_out *out, const struct known_form *form, struct span hash,
                      const char *address)
{
    enum { ROOM = 512 + 2 * ADDRESS_SIZE };
    char digits[2 * 32 + 1], checksum[DESC_CHECKSUM_CHARS + 1];
    size_t n_digits = 2 * hash.len, n_address = strlen(address);
    ASSERT(hash.len <= 32);
    hex_encode(digits, hash);
    json_put_key(out, "asm");
    uint8_t *start = buffer_reserve(out->buffer, ROOM), *at = PUT(start, "\"");
    at = put_piece(at, &form->asm_head);
    at = put_bytes(at, digits, n_digits);
    at = put_piece(at, &form->asm_tail);
    at = PUT(at, "\",\"desc\":\"");
    const uint8_t *desc = at;
    at = PUT(at, "addr(");
    at = put_bytes(at, address, n_address);
    at = PUT(at, ")");
    bool is_valid = desc_checksum(span_of(desc, (size_t)(at - desc)), checksum);
    ASSERT(is_valid);
    at = PUT(at, "#");
    at = put_bytes(at, checksum, DESC_CHECKSUM_CHARS);
    at = PUT(at, "\",\"hex\":\"");
    at = put_piece(at, &form->hex_head);
    at = put_bytes(at, digits, n_digits);
    at = put_piece(at, &form->hex_tail);
    at = PUT(at, "\",\"address\":\"");
    at = put_bytes(at, address, n_address);
    at = PUT(at, "\",\"type\":\"");
    at = put_piece(at, &form->type);
    at = PUT(at, "\"");
    ASSERT(at - start < ROOM);
    out->buffer->len += (size_t)(at - start);
    out->need_comma = true;
}

void tx_json_put_script(struct json_out *out, const struct network *network, struct span script,
                        int flags, const struct span *inside)
{
    char address[ADDRESS_SIZE] = "";
    struct span hash;
    const struct known_form *form = known_form_of(script, &hash);
    if (form && flags == (TX_JSON_HEX | TX_JSON_ADDRESS) && !inside &&
        address_encode(network, script, address)) {
        put_known(out, form, hash, address);
        return;
    }
    struct script_solution solution = script_solve(script);
    put_asm(out, script, false);
    if (flags & TX_JSON_ADDRESS) {
        json_put_key(out, "desc");
        json_put_raw(out, span_of("\"", 1));
        (void)address_encode(network, script, address);
        desc_infer_append(out->buffer, &solution, script, address, inside);
        buffer_append(out->buffer, "\"", 1);
    }
    if (flags & TX_JSON_HEX)
        json_field_hex(out, "hex", script);
    if (*address)
        json_field_plain(out, "address", span_of_string(address));
    json_field_plain(out, "type", span_of_string(script_type_name(solution.type)));
}

void tx_json_field_script_pubkey(struct json_out *out, const struct network *network,
                                 struct span script)
{
    ASSERT(network);
    json_field_object(out, "scriptPubKey");
    tx_json_put_script(out, network, script, TX_JSON_HEX | TX_JSON_ADDRESS, NULL);
    json_close_object(out);
}

/* -- Transactions ------------------------------------------------------------------------- */

static void put_witness(struct json_out *out, struct span witness)
{
    struct witness_iter it = witness_iter_of(witness);
    struct span item;
    json_field_array(out, "txinwitness");
    while (witness_next(&it, &item))
        json_put_hex(out, item);
    json_close_array(out);
}

static void put_prevout(struct json_out *out, const struct coin *coin,
                        const struct network *network)
{
    json_field_object(out, "prevout");
    json_field_bool(out, "generated", coin->coinbase);
    json_field_int(out, "height", coin->height);
    json_field_amount(out, "value", coin->value_sat);
    tx_json_field_script_pubkey(out, network, coin->script_pubkey);
    json_close_object(out);
}

/* A count of items that is not zero. */
static bool has_witness(struct span witness)
{
    return witness.len > 0 && witness.p[0] != 0;
}

/* Inputs with a witness have an empty one. */
static void put_script_sig(struct json_out *out, struct span script)
{
    static const char empty[] = "{\"asm\":\"\",\"hex\":\"\"}";
    json_put_key(out, "scriptSig");
    if (script.len == 0) {
        json_put_raw(out, span_of(empty, sizeof empty - 1));
        return;
    }
    json_open_object(out);
    put_asm(out, script, true);
    json_field_hex(out, "hex", script);
    json_close_object(out);
}

static void put_input(struct json_out *out, const struct tx_in *in, bool is_coinbase,
                      const struct coin *spent, const struct tx_json_style *style)
{
    json_open_object(out);
    if (is_coinbase) {
        json_field_hex(out, "coinbase", in->script_sig);
    } else {
        json_field_id(out, "txid", in->prevout.txid.b);
        json_field_int(out, "vout", in->prevout.vout);
        put_script_sig(out, in->script_sig);
    }
    if (has_witness(in->witness))
        put_witness(out, in->witness);
    if (spent && style->with_prevouts)
        put_prevout(out, spent, style->network);
    json_field_int(out, "sequence", in->sequence);
    json_close_object(out);
}

static void put_output(struct json_out *out, const struct tx_out *output, uint32_t n,
                       const struct network *network)
{
    json_open_object(out);
    json_field_amount(out, "value", output->value_sat);
    json_field_int(out, "n", n);
    tx_json_field_script_pubkey(out, network, output->script_pubkey);
    json_close_object(out);
}

void tx_json_put_tx(struct json_out *out, const struct tx *tx, const struct coin *spent,
                    const struct tx_json_style *style)
{
    ASSERT(tx);
    uint32_t weight_wu = tx_weight_wu(tx);
    bool is_coinbase = tx_is_coinbase(tx);
    int64_t fee_sat = 0;
    if (is_coinbase)
        spent = NULL;
    json_field_id(out, "txid", tx->txid.b);
    json_field_id(out, "hash", tx->wtxid.b);
    json_field_int(out, "version", tx->version);
    json_field_int(out, "size", (int64_t)tx->raw.len);
    json_field_int(out, "vsize", (weight_wu + WITNESS_SCALE - 1) / WITNESS_SCALE);
    json_field_int(out, "weight", weight_wu);
    json_field_int(out, "locktime", tx->lock_time);
    json_field_array(out, "vin");
    for (uint32_t i = 0; i < tx->n_in; i++) {
        put_input(out, &tx->in[i], is_coinbase, spent ? &spent[i] : NULL, style);
        fee_sat += spent ? spent[i].value_sat : 0;
    }
    json_close_array(out);
    json_field_array(out, "vout");
    for (uint32_t i = 0; i < tx->n_out; i++) {
        put_output(out, &tx->out[i], i, style->network);
        /* Decoded but not checked amounts can be anything: the fee is shown for checked ones. */
        fee_sat -= spent ? tx->out[i].value_sat : 0;
    }
    json_close_array(out);
    if (spent)
        json_field_amount(out, "fee", fee_sat);
    if (style->with_hex)
        json_field_hex(out, "hex", tx->raw);
}

void tx_json_put_coinbase(struct json_out *out, const struct tx *tx)
{
    ASSERT(tx->n_in > 0);
    ASSERT(tx);
    const struct tx_in *in = &tx->in[0];
    json_open_object(out);
    json_field_int(out, "version", tx->version);
    json_field_int(out, "locktime", tx->lock_time);
    json_field_int(out, "sequence", in->sequence);
    json_field_hex(out, "coinbase", in->script_sig);
    struct witness_iter it = witness_iter_of(in->witness);
    struct span item;
    if (has_witness(in->witness) && witness_next(&it, &item))
        json_field_hex(out, "witness", item);
    json_close_object(out);
}
