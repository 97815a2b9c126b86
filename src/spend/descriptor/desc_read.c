/* desc_read.c - descriptors read, from the outside inwards. Messages are those of Core. */
#include "spend/descriptor/desc_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "consensus/key_io.h"
#include "crypto/mem.h"
#include "crypto/pubkey.h"
#include "spend/descriptor/desc_infer.h"
#include "util/hex.h"

enum {
    BARE_KEYS_MAX = 3, /* of multi in no other function, as in standard outputs */
    REDEEM_SCRIPT_MAX = 520,
    ERROR_BYTES = 1024, /* of a message, which may quote the text */
};

static const char *const function_names[DESC_FUNCTION_COUNT] = {
    [DESC_ADDR] = "addr",   [DESC_RAW] = "raw",
    [DESC_PK] = "pk",       [DESC_PKH] = "pkh",
    [DESC_WPKH] = "wpkh",   [DESC_COMBO] = "combo",
    [DESC_TR] = "tr",       [DESC_RAWTR] = "rawtr",
    [DESC_MULTI] = "multi", [DESC_SORTEDMULTI] = "sortedmulti",
};

const char *desc_function_name(enum desc_function function)
{
    ASSERT(function < DESC_FUNCTION_COUNT);
    return function_names[function];
}

bool desc_is_solvable(const struct desc *desc)
{
    return desc->function != DESC_ADDR && desc->function != DESC_RAW;
}

/* One reading. */
struct parse {
    const struct ec_context *ec;
    const struct network *network;
    struct arena *arena;
    const char *error;
};

static bool refuse(struct parse *parse, const char *format, ...) PRINTF(2, 3);

static bool refuse(struct parse *parse, const char *format, ...)
{
    va_list args;
    char *text = arena_alloc(parse->arena, ERROR_BYTES);
    va_start(args, format);
    vsnprintf(text, ERROR_BYTES, format, args);
    va_end(args);
    parse->error = text;
    return false;
}

/* -- Keys ------------------------------------------------------------------------------------- */

/* The part of s before the first c, which is taken off with it; all of s without one. */
static struct span take_until(struct span *s, char c)
{
    const uint8_t *at = s->len ? memchr(s->p, c, s->len) : NULL;
    struct span part = *s;
    if (!at) {
        *s = span_of(s->p + s->len, 0);
        return part;
    }
    part.len = (size_t)(at - s->p);
    *s = span_of(at + 1, s->len - part.len - 1);
    return part;
}

static bool refuse_step(struct parse *parse, struct span text)
{
    return refuse(parse, "Key path value '%.*s' is not a valid uint32", (int)text.len,
                  (const char *)text.p);
}

static bool read_step(struct parse *parse, struct span text, struct desc_key *key, uint32_t *number)
{
    uint64_t value = 0;
    uint8_t last = text.len > 0 ? text.p[text.len - 1] : 0;
    /* BIP-380, Key Expressions */
    bool is_hardened = last == '\'' || last == 'h';
    if (is_hardened) {
        key->has_apostrophe = last == '\'';
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || value > UINT32_MAX)
            return refuse_step(parse, text);
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (text.len == 0 || value > UINT32_MAX)
        return refuse_step(parse, text);
    /* BIP-380, Key Expressions */
    if (value >= BIP32_HARDENED)
        return refuse(parse, "Key path value %llu is out of range", (unsigned long long)value);
    *number = (uint32_t)value | (is_hardened ? BIP32_HARDENED : 0);
    return true;
}

static bool read_path(struct parse *parse, struct span text, struct desc_key *key,
                      uint32_t path[DESC_PATH_MAX], size_t *n)
{
    ASSERT(*n <= DESC_PATH_MAX);
    bool has_more = text.len > 0;
    while (has_more) {
        has_more = memchr(text.p, '/', text.len) != NULL;
        struct span step = take_until(&text, '/');
        if (*n == DESC_PATH_MAX)
            return refuse(parse, "Key path is too long");
        if (!read_step(parse, step, key, &path[(*n)++]))
            return false;
        has_more = has_more || text.len > 0;
    }
    return true;
}

/* "[d34db33f/44'/0']" in front of a key. */
static bool read_origin(struct parse *parse, struct span *text, struct desc_key *key)
{
    if (text->len == 0 || !memchr(text->p, ']', text->len))
        return true;
    struct span origin = take_until(text, ']');
    if (text->len > 0 && memchr(text->p, ']', text->len))
        return refuse(parse, "Multiple ']' characters found for a single pubkey");
    if (origin.len == 0 || origin.p[0] != '[')
        return refuse(parse,
                      "Key origin start '[ character expected but not found, got '%c' instead",
                      origin.len > 0 ? origin.p[0] : ']');
    origin = span_of(origin.p + 1, origin.len - 1);
    struct span fingerprint = take_until(&origin, '/');
    if (fingerprint.len != 8)
        return refuse(parse, "Fingerprint is not 4 bytes (%zu characters instead of 8 characters)",
                      fingerprint.len);
    if (!hex_decode(key->fingerprint, 4, (const char *)fingerprint.p, 8))
        return refuse(parse, "Fingerprint '%.*s' is not hex", 8, (const char *)fingerprint.p);
    key->has_origin = true;
    return read_path(parse, origin, key, key->origin, &key->n_origin);
}

/* Version 0 programs allow compressed keys only. BIP-382, wpkh(); BIP-382, wsh();
 * BIP-143, Restrictions on public key type */
static bool takes_uncompressed(const struct desc *desc)
{
    return !desc->is_wsh && desc->function != DESC_WPKH && !desc_is_taproot(desc);
}

static bool is_hex(struct span text)
{
    bool ok = text.len > 0 && text.len % 2 == 0;
    for (size_t i = 0; ok && i < text.len; i++) {
        uint8_t c = text.p[i], low = c | 0x20;
        ok = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
    }
    return ok;
}

/* A public key as hex. */
static bool read_hex_key(struct parse *parse, const struct desc *desc, struct span text,
                         struct desc_key *key)
{
    struct ec_pubkey pubkey;
    key->len = text.len / 2;
    bool fits = key->len <= sizeof key->bytes &&
                hex_decode(key->bytes, key->len, (const char *)text.p, text.len);
    bool is_long = fits && key->len == 65;
    if (is_long && (key->bytes[0] == 6 || key->bytes[0] == 7))
        return refuse(parse, "Hybrid public keys are not allowed");
    if (fits && (key->len == 33 || is_long) &&
        ec_pubkey_parse(&pubkey, span_of(key->bytes, key->len)))
        return !is_long || takes_uncompressed(desc) ||
               refuse(parse, "Uncompressed keys are not allowed");
    if (fits && key->len == 32 && desc_is_taproot(desc) && xonly_is_valid(key->bytes))
        return true;
    return refuse(parse, "Pubkey '%.*s' is invalid", (int)text.len, (const char *)text.p);
}

/* A secret key in wallet import format. False, without a message, if it is none.
 * BIP-380, Key Expressions */
static bool read_secret_key(const struct parse *parse, struct span text, struct desc_key *key)
{
    char copy[128];
    uint8_t secret[32];
    struct ec_pubkey pubkey;
    bool is_compressed;
    if (text.len >= sizeof copy || memchr(text.p, 0, text.len))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = 0;
    key->has_secret = wif_decode(parse->network, copy, secret, &is_compressed) &&
                      seckey_pubkey(parse->ec, secret, &pubkey);
    if (key->has_secret)
        key->len = ec_pubkey_serialize(&pubkey, is_compressed, key->bytes);
    mem_wipe(secret, sizeof secret);
    mem_wipe(copy, sizeof copy);
    return key->has_secret;
}

/* A star at the end, alone, with an apostrophe or with an h: every child.
 * BIP-380, Key Expressions */
static void take_range(struct span *path, struct desc_key *key)
{
    struct span last = *path;
    for (size_t i = path->len; i > 0; i--) {
        if (path->p[i - 1] == '/') {
            last = span_of(path->p + i, path->len - i);
            break;
        }
    }
    if (span_equal(last, span_of("*", 1)))
        key->range = DESC_RANGE_PLAIN;
    else if (span_equal(last, span_of("*'", 2)) || span_equal(last, span_of("*h", 2)))
        key->range = DESC_RANGE_HARDENED;
    else
        return;
    if (key->range == DESC_RANGE_HARDENED)
        key->has_apostrophe = last.p[1] == '\'';
    path->len -= last.len;
    if (path->len > 1)
        path->len--; /* the slash; a lone one stands behind a step without a number */
}

/* Go the whole path once. */
static void walk_path(const struct ec_context *ec, struct desc_key *key)
{
    key->extended = key->root;
    for (size_t i = 0; i < key->n_path && !key->needs_secret; i++)
        key->needs_secret = !bip32_derive(ec, &key->extended, key->path[i], &key->extended);
    key->needs_secret |= key->range == DESC_RANGE_HARDENED && !key->extended.has_secret;
}

static bool read_extended(struct parse *parse, struct span body, struct span path,
                          struct desc_key *key)
{
    key->is_extended = bip32_parse(parse->ec, parse->network, body, &key->root);
    if (!key->is_extended)
        return refuse(parse, "key '%.*s' is not valid", (int)body.len, (const char *)body.p);
    take_range(&path, key);
    key->has_secret = key->root.has_secret;
    key->len = 33;
    if (!read_path(parse, path, key, key->path, &key->n_path))
        return false;
    walk_path(parse->ec, key);
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool read_key(struct parse *parse, const struct desc *desc, struct span text,
                     struct desc_key *key)
{
    if (!read_origin(parse, &text, key))
        return false;
    bool has_path = text.len > 0 && memchr(text.p, '/', text.len);
    struct span body = take_until(&text, '/');
    if (body.len == 0)
        return refuse(parse, "No key provided");
    if (is_blank(body.p[0]) || is_blank(body.p[body.len - 1]))
        return refuse(parse, "Key '%.*s' is invalid due to whitespace", (int)body.len,
                      (const char *)body.p);
    if (!has_path && is_hex(body))
        return read_hex_key(parse, desc, body, key);
    if (!has_path && read_secret_key(parse, body, key))
        return key->len == 33 || takes_uncompressed(desc) ||
               refuse(parse, "Uncompressed keys are not allowed");
    if (has_path && text.len == 0)
        text = span_of("/", 1); /* a step without a number: refused */
    return read_extended(parse, body, text, key);
}

/* -- Functions -------------------------------------------------------------------------------- */

/* BIP-385, addr() */
static bool read_addr(struct parse *parse, struct span arg, struct desc *desc)
{
    char text[256];
    uint8_t *script = arena_alloc(parse->arena, ADDRESS_SCRIPT_MAX);
    size_t len;
    if (arg.len >= sizeof text)
        return refuse(parse, "Address is not valid");
    memcpy(text, arg.p, arg.len);
    text[arg.len] = 0;
    if (!address_decode(parse->network, text, script, &len, NULL))
        return refuse(parse, "Address is not valid");
    desc->script = span_of(script, len);
    return true;
}

/* BIP-385, raw() */
static bool read_raw(struct parse *parse, struct span arg, struct desc *desc)
{
    size_t len = arg.len / 2;
    uint8_t *bytes = arena_alloc(parse->arena, len + 1);
    if (!hex_decode(bytes, len, (const char *)arg.p, arg.len))
        return refuse(parse, "Raw script is not hex");
    desc->script = span_of(bytes, len);
    return true;
}

/* Read a key of a function, whose name stands before what is wrong with it. */
static bool add_key(struct parse *parse, struct desc *desc, struct span text)
{
    ASSERT(desc->n_keys < DESC_KEYS_MAX);
    if (read_key(parse, desc, text, &desc->keys[desc->n_keys++]))
        return true;
    if (desc_is_multi(desc))
        return refuse(parse, "Multi: %s", parse->error);
    return refuse(parse, "%s(): %s", function_names[desc->function], parse->error);
}

static bool read_threshold(struct parse *parse, struct span text, uint32_t *required)
{
    uint64_t value = 0;
    bool ok = text.len > 0 && text.len <= 10;
    for (size_t i = 0; ok && i < text.len; i++) {
        ok = text.p[i] >= '0' && text.p[i] <= '9';
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (!ok || value > UINT32_MAX)
        return refuse(parse, "Multi threshold '%.*s' is not valid", (int)text.len,
                      (const char *)text.p);
    *required = (uint32_t)value;
    return true;
}

/* What a script of these keys must not exceed. 520 bytes are pushed as one item at most:
 * BIP-16, 520-byte limitation on serialized script size. BIP-383, Specification */
static bool check_multi(struct parse *parse, const struct desc *desc)
{
    size_t bytes = 3;
    for (size_t i = 0; i < desc->n_keys; i++)
        bytes += desc->keys[i].len + 1;
    if (desc->required < 1)
        return refuse(parse, "Multisig threshold cannot be %u, must be at least 1", desc->required);
    if (desc->required > desc->n_keys)
        return refuse(parse,
                      "Multisig threshold cannot be larger than the number of keys; threshold is "
                      "%u but only %zu keys specified",
                      desc->required, desc->n_keys);
    if (!desc->is_sh && !desc->is_wsh && desc->n_keys > BARE_KEYS_MAX)
        return refuse(parse, "Cannot have %zu pubkeys in bare multisig; only at most %d pubkeys",
                      desc->n_keys, BARE_KEYS_MAX);
    if (desc->is_sh && !desc->is_wsh && bytes > REDEEM_SCRIPT_MAX)
        return refuse(parse, "P2SH script is too large, %zu bytes is larger than %d bytes", bytes,
                      REDEEM_SCRIPT_MAX);
    return true;
}

static bool read_multi(struct parse *parse, struct span arg, struct desc *desc)
{
    size_t n = 0;
    for (size_t i = 0; i < arg.len; i++)
        n += arg.p[i] == ',';
    if (!read_threshold(parse, take_until(&arg, ','), &desc->required))
        return false;
    if (n == 0 || n > DESC_KEYS_MAX)
        return refuse(parse,
                      "Cannot have %zu keys in multisig; must have between 1 and %d keys, "
                      "inclusive",
                      n, DESC_KEYS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!add_key(parse, desc, take_until(&arg, ',')))
            return false;
    }
    return check_multi(parse, desc);
}

/* Where a function may stand. */
static bool check_place(struct parse *parse, const struct desc *desc)
{
    bool is_top = !desc->is_sh && !desc->is_wsh;
    const char *name = function_names[desc->function];
    switch (desc->function) {
    case DESC_ADDR:
    case DESC_RAW:
    case DESC_COMBO: /* BIP-384, Specification; BIP-385, Specification */
        return is_top || refuse(parse, "Can only have %s() at top level", name);
    case DESC_TR: /* BIP-386, tr() */
    case DESC_RAWTR:
        return is_top || refuse(parse, "Can only have %s at top level", name);
    case DESC_WPKH: /* BIP-382, wpkh() */
        return !desc->is_wsh || refuse(parse, "Can only have wpkh() at top level or inside sh()");
    case DESC_PK:
    case DESC_PKH:
    case DESC_MULTI:
    case DESC_SORTEDMULTI:
    case DESC_FUNCTION_COUNT:
        break;
    }
    return true;
}

static bool find_function(struct span name, enum desc_function *function)
{
    for (int i = 0; i < DESC_FUNCTION_COUNT; i++) {
        if (span_equal(name, span_of_string(function_names[i]))) {
            *function = (enum desc_function)i;
            return true;
        }
    }
    return false;
}

/* Take "name(" and the closing bracket off. */
static bool unwrap(struct span *s, const char *name)
{
    size_t len = strlen(name);
    if (s->len < len + 2 || memcmp(s->p, name, len) != 0 || s->p[len] != '(' ||
        s->p[s->len - 1] != ')')
        return false;
    *s = span_of(s->p + len + 1, s->len - len - 2);
    return true;
}

/* What stands where a function should. */
static bool refuse_function(struct parse *parse, const struct desc *desc, struct span name,
                            struct span text)
{
    if (desc->is_sh || desc->is_wsh) {
        if (span_equal(name, span_of_string("sh")))
            return refuse(parse, "Can only have sh() at top level");
        if (span_equal(name, span_of_string("wsh")))
            return refuse(parse, "Can only have wsh() at top level or inside sh()");
        return refuse(parse, "A function is needed within %s", desc->is_wsh ? "P2WSH" : "P2SH");
    }
    return refuse(parse, "'%.*s' is not a valid descriptor function", (int)text.len,
                  (const char *)text.p);
}

/* One descriptor without checksum and without <a;b>. */
static bool read_variant(struct parse *parse, struct span text, struct desc *desc)
{
    desc->network = parse->network;
    desc->is_sh = unwrap(&text, "sh");
    desc->is_wsh = unwrap(&text, "wsh");
    const uint8_t *open = text.len ? memchr(text.p, '(', text.len) : NULL;
    size_t name_len = open ? (size_t)(open - text.p) : 0;
    struct span name = span_of(text.p, name_len);
    if (!open || text.p[text.len - 1] != ')' || !find_function(name, &desc->function))
        return refuse_function(parse, desc, name, text);
    struct span arg = span_of(open + 1, text.len - name_len - 2);
    if (!check_place(parse, desc))
        return false;
    desc->keys = arena_calloc(parse->arena, DESC_KEYS_MAX, sizeof *desc->keys);
    if (desc->function == DESC_ADDR)
        return read_addr(parse, arg, desc);
    if (desc->function == DESC_RAW)
        return read_raw(parse, arg, desc);
    if (desc->function == DESC_MULTI || desc->function == DESC_SORTEDMULTI)
        return read_multi(parse, arg, desc);
    return add_key(parse, desc, arg);
}

/* -- The text --------------------------------------------------------------------------------- */

/* BIP-380, Checksum */
static bool check_checksum(struct parse *parse, struct span *text)
{
    char want[DESC_CHECKSUM_CHARS + 1];
    struct span rest = *text, body = take_until(&rest, '#');
    bool has_one = body.len < text->len;
    if (has_one && memchr(rest.p, '#', rest.len))
        return refuse(parse, "Multiple '#' symbols");
    if (has_one && rest.len != DESC_CHECKSUM_CHARS)
        return refuse(parse, "Expected 8 character checksum, not %zu characters", rest.len);
    if (!desc_checksum(body, want))
        return refuse(parse, "Invalid characters in payload");
    if (has_one && !span_equal(rest, span_of_string(want)))
        return refuse(parse, "Provided checksum '%.*s' does not match computed checksum '%s'",
                      (int)rest.len, (const char *)rest.p, want);
    *text = body;
    return true;
}

/* Write variant number `at` of a text with <a;b;...> in it. Returns how many variants there are: 1
 * without such a thing, 0 if two of them differ in number or one is not closed.
 * BIP-389, Specification */
static size_t write_variant(struct span text, size_t at, struct buffer *out)
{
    size_t n = 1;
    while (text.len > 0) {
        const uint8_t *open = memchr(text.p, '<', text.len);
        struct span plain = take_until(&text, '<');
        buffer_append(out, plain.p, plain.len);
        if (!open)
            break;
        if (!memchr(text.p, '>', text.len))
            return 0;
        struct span choices = take_until(&text, '>');
        size_t count = 0;
        do {
            struct span choice = take_until(&choices, ';');
            if (choice.len == 0)
                return 0;
            if (count++ == at)
                buffer_append(out, choice.p, choice.len);
        } while (choices.len > 0);
        if (count < 2 || (n > 1 && n != count))
            return 0;
        n = count;
    }
    return n;
}

bool desc_parse(const struct ec_context *ec, const struct network *network, struct span text,
                struct arena *arena, struct desc_list *out)
{
    ASSERT(arena && out);
    struct parse parse = {ec, network, arena, NULL};
    *out = (struct desc_list){0};
    if (!check_checksum(&parse, &text)) {
        out->error = parse.error;
        return false;
    }
    struct buffer variant;
    buffer_init(&variant);
    size_t n = write_variant(text, 0, &variant);
    bool ok = n > 0 && n <= DESC_VARIANTS_MAX;
    if (!ok)
        (void)refuse(&parse, "Multipath specifiers are not valid, or differ in length");
    for (size_t i = 0; ok && i < n; i++) {
        struct desc *desc = arena_calloc(arena, 1, sizeof *desc);
        variant.len = 0;
        (void)write_variant(text, i, &variant);
        ok = read_variant(&parse, buffer_span(&variant), desc);
        for (size_t k = 0; k < desc->n_keys; k++) {
            out->is_range |= desc->keys[k].range != DESC_RANGE_NONE;
            out->has_secret |= desc->keys[k].has_secret;
            out->needs_secret |= desc->keys[k].needs_secret;
        }
        out->variant[out->n++] = desc;
    }
    buffer_deinit(&variant);
    out->error = ok ? NULL : parse.error;
    return ok;
}
