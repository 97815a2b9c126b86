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

static uint8_t *write_piece(uint8_t *at, const struct piece *piece)
{
    memcpy(at, piece->text, sizeof piece->text);
    return at + piece->len;
}

static uint8_t *write_hex(uint8_t *at, struct span bytes)
{
    hex_encode((char *)at, bytes); /* its closing zero is written over */
    return at + 2 * bytes.len;
}

/* What tx_json_put_script() says of such a script, with all its fields. */
static void put_known(struct json_out *out, const struct known_form *form,
                      const struct network *network, struct span script, struct span hash)
{
    enum { ROOM = 512 + 2 * ADDRESS_SIZE };
    ASSERT(hash.len <= 32);
    uint8_t *at = json_text_begin(out, ROOM);
    at = JSON_WRITE(at, "\"asm\":\"");
    at = write_piece(at, &form->asm_head);
    at = write_hex(at, hash);
    at = write_piece(at, &form->asm_tail);
    at = JSON_WRITE(at, "\",\"desc\":\"");
    const uint8_t *desc = at;
    at = JSON_WRITE(at, "addr(");
    const uint8_t *address = at;
    size_t n_address = address_encode(network, script, (char *)at);
    ASSERT(n_address > 0); /* each of the forms has one, of whatever network */
    at = JSON_WRITE(at + n_address, ")");
    struct span described = span_of(desc, (size_t)(at - desc));
    at = JSON_WRITE(at, "#");
    bool is_valid = desc_checksum(described, (char *)at);
    ASSERT(is_valid);
    at = JSON_WRITE(at + DESC_CHECKSUM_CHARS, "\",\"hex\":\"");
    at = write_piece(at, &form->hex_head);
    at = write_hex(at, hash);
    at = write_piece(at, &form->hex_tail);
    at = JSON_WRITE(at, "\",\"address\":\"");
    memcpy(at, address, ADDRESS_SIZE);
    at = JSON_WRITE(at + n_address, "\",\"type\":\"");
    at = write_piece(at, &form->type);
    json_text_end(out, JSON_WRITE(at, "\""));
}

void tx_json_put_script(struct json_out *out, const struct network *network, struct span script,
                        int flags, const struct span *inside)
{
    char address[ADDRESS_SIZE] = "";
    struct span hash;
    const struct known_form *form = known_form_of(script, &hash);
    if (form && flags == (TX_JSON_HEX | TX_JSON_ADDRESS) && !inside) {
        put_known(out, form, network, script, hash);
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

/* What a transaction's fields take whose lengths do not vary, with those of numbers and ids. */
enum { FIELDS_ROOM = 512 };

static uint8_t *write_hex_field(uint8_t *at, struct span bytes)
{
    at = write_hex(JSON_WRITE(at, "\""), bytes);
    return JSON_WRITE(at, "\"");
}

static uint8_t *write_id_field(uint8_t *at, const uint8_t id[32])
{
    at = JSON_WRITE(at, "\"");
    hex_encode_reversed((char *)at, span_of(id, 32));
    return JSON_WRITE(at + 2 * 32, "\"");
}

static uint8_t *write_witness(uint8_t *at, struct span witness)
{
    struct witness_iter it = witness_iter_of(witness);
    struct span item;
    at = JSON_WRITE(at, ",\"txinwitness\":[");
    const uint8_t *first = at;
    while (witness_next(&it, &item)) {
        *at = ','; /* or what is written over */
        at = write_hex_field(at + (at > first), item);
    }
    return JSON_WRITE(at, "]");
}

/* An item takes a byte of its own at least, for its length: enough for what stands around it. */
static size_t witness_room(struct span witness)
{
    return 3 * witness.len;
}

/* The fields of a script and the ends of its object and the one around. */
static void put_script_and_ends(struct json_out *out, const struct network *network,
                                struct span script)
{
    out->need_comma = false;
    tx_json_put_script(out, network, script, TX_JSON_HEX | TX_JSON_ADDRESS, NULL);
    buffer_append(out->buffer, "}}", 2);
}

static void put_prevout(struct json_out *out, const struct coin *coin,
                        const struct network *network)
{
    uint8_t *at = json_text_begin(out, FIELDS_ROOM);
    at = coin->coinbase ? JSON_WRITE(at, "\"prevout\":{\"generated\":true,\"height\":")
                        : JSON_WRITE(at, "\"prevout\":{\"generated\":false,\"height\":");
    at = json_write_int(at, coin->height);
    at = json_write_amount(JSON_WRITE(at, ",\"value\":"), coin->value_sat);
    json_text_end(out, JSON_WRITE(at, ",\"scriptPubKey\":{"));
    put_script_and_ends(out, network, coin->script_pubkey);
}

/* A count of items that is not zero. */
static bool has_witness(struct span witness)
{
    return witness.len > 0 && witness.p[0] != 0;
}

static void put_script_sig(struct json_out *out, struct span script)
{
    json_field_object(out, "scriptSig");
    put_asm(out, script, true);
    json_field_hex(out, "hex", script);
    json_close_object(out);
}

static uint8_t *write_outpoint(uint8_t *at, const struct outpoint *outpoint)
{
    at = write_id_field(JSON_WRITE(at, "{\"txid\":"), outpoint->txid.b);
    return json_write_uint(JSON_WRITE(at, ",\"vout\":"), outpoint->vout);
}

static void put_input(struct json_out *out, const struct tx_in *in, bool is_coinbase,
                      const struct coin *spent, const struct tx_json_style *style)
{
    uint8_t *at = json_text_begin(out, FIELDS_ROOM + 2 * in->script_sig.len);
    if (is_coinbase) {
        at = write_hex_field(JSON_WRITE(at, "{\"coinbase\":"), in->script_sig);
    } else {
        at = write_outpoint(at, &in->prevout);
        if (in->script_sig.len == 0) /* as inputs with a witness have it */
            at = JSON_WRITE(at, ",\"scriptSig\":{\"asm\":\"\",\"hex\":\"\"}");
    }
    json_text_end(out, at);
    if (!is_coinbase && in->script_sig.len > 0)
        put_script_sig(out, in->script_sig);
    if (has_witness(in->witness)) {
        at = buffer_reserve(out->buffer, FIELDS_ROOM + witness_room(in->witness));
        json_text_end(out, write_witness(at, in->witness));
    }
    if (spent && style->with_prevouts)
        put_prevout(out, spent, style->network);
    at = json_write_uint(JSON_WRITE(buffer_reserve(out->buffer, FIELDS_ROOM), ",\"sequence\":"),
                         in->sequence);
    json_text_end(out, JSON_WRITE(at, "}"));
}

static void put_output(struct json_out *out, const struct tx_out *output, uint32_t n,
                       const struct network *network)
{
    uint8_t *at = JSON_WRITE(json_text_begin(out, FIELDS_ROOM), "{\"value\":");
    at = json_write_amount(at, output->value_sat);
    at = json_write_uint(JSON_WRITE(at, ",\"n\":"), n);
    json_text_end(out, JSON_WRITE(at, ",\"scriptPubKey\":{"));
    put_script_and_ends(out, network, output->script_pubkey);
}

/* What stands before its inputs. */
static void put_summary(struct json_out *out, const struct tx *tx)
{
    uint32_t weight_wu = tx_weight_wu(tx);
    uint8_t *at = json_text_begin(out, FIELDS_ROOM);
    at = write_id_field(JSON_WRITE(at, "\"txid\":"), tx->txid.b);
    at = write_id_field(JSON_WRITE(at, ",\"hash\":"), tx->wtxid.b);
    at = json_write_uint(JSON_WRITE(at, ",\"version\":"), tx->version);
    at = json_write_uint(JSON_WRITE(at, ",\"size\":"), tx->raw.len);
    at = json_write_uint(JSON_WRITE(at, ",\"vsize\":"), tx_vbytes(tx));
    at = json_write_uint(JSON_WRITE(at, ",\"weight\":"), weight_wu);
    json_text_end(out, json_write_uint(JSON_WRITE(at, ",\"locktime\":"), tx->lock_time));
}

void tx_json_put_tx(struct json_out *out, const struct tx *tx, const struct coin *spent,
                    const struct tx_json_style *style)
{
    ASSERT(tx);
    bool is_coinbase = tx_is_coinbase(tx);
    int64_t fee_sat = 0;
    if (is_coinbase)
        spent = NULL;
    put_summary(out, tx);
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
