/* rpc_multisig.c - createmultisig: an address that takes some of several keys. */
#include <inttypes.h>

#include "consensus/key_io.h"
#include "consensus/script_iter.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "rpc/methods.h"
#include "spend/descriptor/desc_infer.h"
#include "util/hex.h"

enum {
    KEYS_MAX = 20,           /* of a script. Core: MAX_PUBKEYS_PER_MULTISIG */
    REDEEM_SCRIPT_MAX = 520, /* BIP-16, 520-byte limitation on serialized script size */
    SCRIPT_ROOM = 3 + KEYS_MAX * 66 + 3,
};

enum address_type { TYPE_LEGACY, TYPE_P2SH_SEGWIT, TYPE_BECH32 };

struct multisig {
    int32_t required;
    uint32_t n;
    struct span key[KEYS_MAX]; /* in the call's arena */
    bool has_uncompressed;
    enum address_type type;
    uint8_t script[SCRIPT_ROOM];
    size_t len;
};

static bool read_type(struct rpc_call *call, enum address_type *type)
{
    static const char *const names[] = {
        [TYPE_LEGACY] = "legacy", [TYPE_P2SH_SEGWIT] = "p2sh-segwit", [TYPE_BECH32] = "bech32"};
    const char *name = rpc_arg_string(call, 2, "legacy");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *type = (enum address_type)i;
            return true;
        }
    }
    if (strcmp(name, "bech32m") == 0)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                 "createmultisig cannot create bech32m multisig addresses");
    else
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown address type '" RPC_TEXT "'", name);
    return false;
}

static bool read_key(struct rpc_call *call, const struct json_value *value, struct span *key)
{
    struct ec_pubkey parsed;
    const char *error = NULL;
    if (!rpc_expect_kind(call, value, JSON_KIND_STRING))
        return false;
    size_t len = value->text.len / 2;
    uint8_t *bytes = arena_alloc(&call->arena, len + 1);
    if (!hex_decode(bytes, len, (const char *)value->text.p, value->text.len))
        error = "must be a hex string";
    else if (len != 33 && len != 65)
        error = "must have a length of either 33 or 65 bytes";
    else if (!ec_pubkey_parse(&parsed, span_of(bytes, len)))
        error = "must be cryptographically valid.";
    if (error)
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"" RPC_TEXT "\" %s",
                          (const char *)value->text.p, error);
    *key = span_of(bytes, len);
    return true;
}

static bool read_keys(struct rpc_call *call, struct multisig *multisig)
{
    const struct json_value *list = rpc_arg(call, 1);
    if (list->n > KEYS_MAX)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Number of keys involved in the multisignature address creation > 20\n"
                          "Reduce the number");
    for (const struct json_value *v = list->first; v; v = v->next) {
        struct span *key = &multisig->key[multisig->n++];
        if (!read_key(call, v, key))
            return false;
        multisig->has_uncompressed |= key->len == 65;
    }
    if (multisig->required >= 1 && (uint32_t)multisig->required <= multisig->n)
        return true;
    if (multisig->required < 1)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "a multisignature address must require at least one key to redeem");
    else
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "not enough keys supplied (got %" PRIu32 " keys, but need at least %" PRId32
                 " to redeem)",
                 multisig->n, multisig->required);
    return false;
}

/* OP_1 to OP_16; above, a push of the number. */
static void write_number(struct writer *w, uint32_t number)
{
    if (number > 16)
        write_u8(w, 1);
    write_u8(w, (uint8_t)(number > 16 ? number : 0x50 + number));
}

static void build_script(struct multisig *multisig)
{
    ASSERT(multisig->n <= KEYS_MAX && multisig->required >= 1);
    struct writer w = writer_to_buffer(multisig->script, sizeof multisig->script);
    write_number(&w, (uint32_t)multisig->required);
    for (uint32_t i = 0; i < multisig->n; i++) {
        write_u8(&w, (uint8_t)multisig->key[i].len);
        write_span(&w, multisig->key[i]);
    }
    write_number(&w, multisig->n);
    write_u8(&w, 0xae); /* OP_CHECKMULTISIG */
    multisig->len = w.len;
}

/* The output script of an address for the script. Returns its length. */
static size_t build_output(const struct multisig *multisig, uint8_t out[ADDRESS_SCRIPT_MAX])
{
    ASSERT(multisig->len > 0);
    struct span script = span_of(multisig->script, multisig->len);
    uint8_t program[34] = {0, 32};
    if (multisig->type != TYPE_LEGACY) {
        sha256(script, program + 2);
        script = span_of(program, sizeof program);
    }
    if (multisig->type == TYPE_BECH32) {
        memcpy(out, program, sizeof program);
        return sizeof program;
    }
    struct writer w = writer_to_buffer(out, ADDRESS_SCRIPT_MAX);
    uint8_t hash[20];
    hash160(script, hash);
    write_bytes(&w, "\xa9\x14", 2);
    write_bytes(&w, hash, sizeof hash);
    write_bytes(&w, "\x87", 1);
    return w.len;
}

static void put_descriptor(struct json_out *out, const struct multisig *multisig)
{
    ASSERT((unsigned)multisig->type <= TYPE_BECH32);
    static const char *const heads[] = {"sh(", "sh(wsh(", "wsh("}, *const tails[] = {")", "))",
                                                                                     ")"};
    char checksum[DESC_CHECKSUM_CHARS + 1];
    struct buffer text;
    buffer_init(&text);
    buffer_append_format(&text, "%smulti(%" PRId32, heads[multisig->type], multisig->required);
    for (uint32_t i = 0; i < multisig->n; i++) {
        char hex[2 * 65 + 1];
        hex_encode(hex, multisig->key[i]);
        buffer_append_format(&text, ",%s", hex);
    }
    buffer_append_format(&text, ")%s", tails[multisig->type]);
    bool ok = desc_checksum(buffer_span(&text), checksum);
    ASSERT(ok);
    buffer_append_format(&text, "#%s", checksum);
    json_put_key(out, "descriptor");
    json_put_text(out, buffer_span(&text));
    buffer_deinit(&text);
}

enum rpc_progress rpc_createmultisig(struct rpc_call *call)
{
    struct multisig multisig = {0};
    struct json_out *out = &call->out;
    char address[ADDRESS_SIZE];
    uint8_t script[ADDRESS_SCRIPT_MAX];
    enum address_type asked;
    if (!rpc_arg_int32(call, 0, &multisig.required) || !read_type(call, &asked) ||
        !read_keys(call, &multisig))
        return RPC_DONE;
    /* Uncompressed keys have no witness form. BIP-143, Restrictions on public key type */
    multisig.type = multisig.has_uncompressed ? TYPE_LEGACY : asked;
    build_script(&multisig);
    if (multisig.type == TYPE_LEGACY && multisig.len > REDEEM_SCRIPT_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "redeemScript exceeds size limit: %zu > %d",
                        multisig.len, REDEEM_SCRIPT_MAX);
    size_t len = build_output(&multisig, script);
    bool ok = address_encode(call->rpc->node->network, span_of(script, len), address);
    ASSERT(ok);
    json_open_object(out);
    json_field_string(out, "address", address);
    json_field_hex(out, "redeemScript", span_of(multisig.script, multisig.len));
    put_descriptor(out, &multisig);
    if (multisig.type != asked) {
        json_field_array(out, "warnings");
        json_put_string(out, "Unable to make chosen address type, please ensure no uncompressed "
                             "public keys are present.");
        json_close_array(out);
    }
    json_close_object(out);
    return RPC_DONE;
}
