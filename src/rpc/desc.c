/* desc.c - descriptors: read from the outside inwards, and put together the other way. */
#include "rpc/desc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "rpc/descriptor.h"
#include "util/hex.h"

enum desc_function {
    DESC_ADDR,
    DESC_RAW,
    DESC_PK,
    DESC_PKH,
    DESC_WPKH,
    DESC_COMBO,
    DESC_TR,
    DESC_RAWTR,
    DESC_MULTI,
    DESC_SORTEDMULTI,
    DESC_FUNCTION_COUNT,
};

static const char *const function_names[DESC_FUNCTION_COUNT] = {
    [DESC_ADDR] = "addr",   [DESC_RAW] = "raw",
    [DESC_PK] = "pk",       [DESC_PKH] = "pkh",
    [DESC_WPKH] = "wpkh",   [DESC_COMBO] = "combo",
    [DESC_TR] = "tr",       [DESC_RAWTR] = "rawtr",
    [DESC_MULTI] = "multi", [DESC_SORTEDMULTI] = "sortedmulti",
};

enum key_range { RANGE_NONE, RANGE_PLAIN, RANGE_HARDENED };

struct desc_key {
    bool has_origin, is_extended, has_secret;
    uint8_t fingerprint[4];
    uint32_t origin[DESC_PATH_MAX];
    size_t n_origin;
    uint8_t bytes[65]; /* a plain key: 32 (x only), 33 or 65 */
    size_t len;
    struct bip32_key extended; /* at the end of the path */
    uint8_t root[4];           /* fingerprint of the extended key that was given */
    uint32_t path[DESC_PATH_MAX];
    size_t n_path;
    enum key_range range;
};

struct desc {
    const struct network *network;
    enum desc_function function;
    bool is_sh, is_wsh;
    struct span script; /* addr, raw */
    uint32_t required;  /* multi */
    struct desc_key *keys;
    size_t n_keys;
};

/* One reading. */
struct parse {
    const struct ec_context *ec;
    const struct network *network;
    struct arena *arena;
    char *error;
    size_t error_size;
};

static bool refuse(struct parse *parse, const char *format, ...) PRINTF(2, 3);

static bool refuse(struct parse *parse, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(parse->error, parse->error_size, format, args);
    va_end(args);
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

static bool read_step(struct parse *parse, struct span text, uint32_t *number)
{
    struct span digits = text;
    uint64_t value = 0;
    bool is_hardened =
        text.len > 0 && (text.p[text.len - 1] == '\'' || text.p[text.len - 1] == 'h');
    digits.len -= is_hardened;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || value > UINT32_MAX)
            return refuse(parse, "Key path value '%.*s' is not a valid uint32", (int)text.len,
                          (const char *)text.p);
        value = value * 10 + (uint64_t)(digits.p[i] - '0');
    }
    if (digits.len == 0)
        return refuse(parse, "Key path value '%.*s' is not a valid uint32", (int)text.len,
                      (const char *)text.p);
    if (value >= BIP32_HARDENED)
        return refuse(parse, "Key path value %llu is out of range", (unsigned long long)value);
    *number = (uint32_t)value | (is_hardened ? BIP32_HARDENED : 0);
    return true;
}

static bool read_path(struct parse *parse, struct span text, uint32_t path[DESC_PATH_MAX],
                      size_t *n)
{
    while (text.len > 0) {
        struct span step = take_until(&text, '/');
        if (*n == DESC_PATH_MAX)
            return refuse(parse, "Key path is too long");
        if (!read_step(parse, step, &path[(*n)++]))
            return false;
    }
    return true;
}

/* "[d34db33f/44'/0']" in front of a key. */
static bool read_origin(struct parse *parse, struct span *text, struct desc_key *key)
{
    if (text->len == 0 || text->p[0] != '[')
        return true;
    if (!memchr(text->p, ']', text->len))
        return refuse(parse,
                      "Key origin start '[ character expected but not found, got '%c' instead",
                      text->p[0]);
    struct span origin = take_until(text, ']');
    origin = span_of(origin.p + 1, origin.len - 1);
    struct span fingerprint = take_until(&origin, '/');
    if (fingerprint.len != 8)
        return refuse(parse, "Fingerprint is not 4 bytes (%zu characters instead of 8 characters)",
                      fingerprint.len);
    if (!hex_decode(key->fingerprint, 4, (const char *)fingerprint.p, 8))
        return refuse(parse, "Fingerprint '%.*s' is not hex", 8, (const char *)fingerprint.p);
    key->has_origin = true;
    return read_path(parse, origin, key->origin, &key->n_origin);
}

static bool read_plain(struct parse *parse, struct span text, struct desc_key *key)
{
    char copy[128];
    uint8_t secret[32];
    struct ec_pubkey pubkey;
    bool is_compressed;
    key->len = text.len / 2;
    if (key->len <= sizeof key->bytes &&
        hex_decode(key->bytes, key->len, (const char *)text.p, text.len)) {
        if (key->len == 32)
            return xonly_is_valid(key->bytes);
        return (key->len == 33 || key->len == 65) && key->bytes[0] <= 4 &&
               ec_pubkey_parse(&pubkey, span_of(key->bytes, key->len));
    }
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = 0;
    if (!wif_decode(parse->network, copy, secret, &is_compressed) ||
        !seckey_pubkey(parse->ec, secret, &pubkey))
        return false;
    key->len = ec_pubkey_serialize(&pubkey, is_compressed, key->bytes);
    key->has_secret = true;
    return true;
}

/* A star at the end, alone, with an apostrophe or with an h: every child. */
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
        key->range = RANGE_PLAIN;
    else if (span_equal(last, span_of("*'", 2)) || span_equal(last, span_of("*h", 2)))
        key->range = RANGE_HARDENED;
    else
        return;
    path->len -= last.len;
    if (path->len > 0)
        path->len--; /* the slash */
}

static bool read_key(struct parse *parse, const char *function, struct span text,
                     struct desc_key *key)
{
    struct span whole = text;
    if (!read_origin(parse, &text, key))
        return false;
    bool has_path = text.len > 0 && memchr(text.p, '/', text.len);
    struct span body = take_until(&text, '/');
    key->is_extended = bip32_parse(parse->ec, parse->network, body, &key->extended);
    if (!key->is_extended) {
        if (has_path || !read_plain(parse, body, key))
            return refuse(parse, "%s(): key '%.*s' is not valid", function, (int)whole.len,
                          (const char *)whole.p);
        return true;
    }
    take_range(&text, key);
    key->has_secret = key->extended.has_secret;
    bip32_fingerprint(span_of(key->extended.pubkey, sizeof key->extended.pubkey), key->root);
    if (!read_path(parse, text, key->path, &key->n_path))
        return false;
    key->len = 33;
    return true;
}

/* Go the whole path once; false if a hardened step has no secret. */
static bool walk_path(const struct ec_context *ec, struct desc_key *key)
{
    for (size_t i = 0; i < key->n_path; i++) {
        if (!bip32_derive(ec, &key->extended, key->path[i], &key->extended))
            return false;
    }
    return key->range != RANGE_HARDENED || key->extended.has_secret;
}

/* -- Functions -------------------------------------------------------------------------------- */

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

static bool read_raw(struct parse *parse, struct span arg, struct desc *desc)
{
    size_t len = arg.len / 2;
    uint8_t *bytes = arena_alloc(parse->arena, len + 1);
    if (!hex_decode(bytes, len, (const char *)arg.p, arg.len))
        return refuse(parse, "Raw script is not hex");
    desc->script = span_of(bytes, len);
    return true;
}

/* May the key stand where it does? BIP143 allows compressed keys only; x-only ones are taproot's.
 */
static bool check_key(struct parse *parse, const struct desc *desc, const struct desc_key *key)
{
    const char *name = function_names[desc->function];
    bool is_taproot = desc->function == DESC_TR || desc->function == DESC_RAWTR;
    bool is_witness = desc->is_wsh || desc->function == DESC_WPKH || is_taproot;
    if (key->len == 65 && is_witness)
        return refuse(parse, "%s(): Uncompressed keys are not allowed", name);
    if (key->len == 32 && !is_taproot)
        return refuse(parse, "%s(): key is x-only, which only tr() takes", name);
    return true;
}

static bool add_key(struct parse *parse, struct desc *desc, struct span text)
{
    struct desc_key *key = &desc->keys[desc->n_keys++];
    if (!read_key(parse, function_names[desc->function], text, key) || !check_key(parse, desc, key))
        return false;
    if (key->is_extended && !walk_path(parse->ec, key))
        return refuse(parse, "Cannot derive script without private keys");
    return true;
}

static bool read_multi(struct parse *parse, struct span arg, struct desc *desc)
{
    struct span threshold = take_until(&arg, ',');
    uint32_t required = 0;
    for (size_t i = 0; i < threshold.len; i++) {
        if (threshold.p[i] < '0' || threshold.p[i] > '9' || threshold.len > 4)
            return refuse(parse, "Multi threshold '%.*s' is not valid", (int)threshold.len,
                          (const char *)threshold.p);
        required = required * 10 + (uint32_t)(threshold.p[i] - '0');
    }
    while (arg.len > 0) {
        if (desc->n_keys == DESC_KEYS_MAX)
            return refuse(parse, "Cannot have more than 20 keys in multi; must have between 1 and "
                                 "20 keys, inclusive");
        if (!add_key(parse, desc, take_until(&arg, ',')))
            return false;
    }
    if (desc->n_keys == 0)
        return refuse(parse, "Cannot have 0 keys in multi; must have between 1 and 20 keys, "
                             "inclusive");
    if (required < 1)
        return refuse(parse, "Multi threshold cannot be %u, must be at least 1", required);
    if (required > desc->n_keys)
        return refuse(parse,
                      "Multi threshold cannot be larger than the number of keys; threshold is %u "
                      "but only %zu keys specified",
                      required, desc->n_keys);
    if (!desc->is_sh && !desc->is_wsh && desc->n_keys > 3)
        return refuse(parse, "Cannot have %zu pubkeys in bare multisig; only at most 3 pubkeys",
                      desc->n_keys);
    desc->required = required;
    return true;
}

/* Where a function may stand. */
static bool check_place(struct parse *parse, const struct desc *desc)
{
    bool is_top = !desc->is_sh && !desc->is_wsh;
    const char *name = function_names[desc->function];
    switch (desc->function) {
    case DESC_ADDR:
    case DESC_RAW:
    case DESC_COMBO:
        return is_top || refuse(parse, "Can only have %s() at top level", name);
    case DESC_TR:
    case DESC_RAWTR:
        return is_top || refuse(parse, "Can only have %s at top level", name);
    case DESC_WPKH:
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

/* One descriptor without checksum and without <a;b>. */
static bool read_variant(struct parse *parse, struct span text, struct desc *desc)
{
    struct span whole = text;
    desc->network = parse->network;
    desc->is_sh = unwrap(&text, "sh");
    desc->is_wsh = unwrap(&text, "wsh");
    const uint8_t *open = text.len ? memchr(text.p, '(', text.len) : NULL;
    size_t name_len = open ? (size_t)(open - text.p) : 0;
    struct span name = span_of(text.p, name_len);
    if (!open || text.p[text.len - 1] != ')' || !find_function(name, &desc->function))
        return refuse(parse, "'%.*s' is not a valid descriptor function", (int)whole.len,
                      (const char *)whole.p);
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

static bool check_checksum(struct parse *parse, struct span *text)
{
    char want[DESCRIPTOR_CHECKSUM_CHARS + 1];
    struct span rest = *text, body = take_until(&rest, '#');
    bool has_one = body.len < text->len;
    if (has_one && memchr(rest.p, '#', rest.len))
        return refuse(parse, "Multiple '#' symbols");
    if (has_one && rest.len != DESCRIPTOR_CHECKSUM_CHARS)
        return refuse(parse, "Expected 8 character checksum, not %zu characters", rest.len);
    if (!descriptor_checksum(body, want))
        return refuse(parse, "Invalid characters in payload");
    if (has_one && !span_equal(rest, span_of_string(want)))
        return refuse(parse, "Provided checksum '%.*s' does not match computed checksum '%s'",
                      (int)rest.len, (const char *)rest.p, want);
    *text = body;
    return true;
}

/* Write variant number `at` of a text with <a;b;...> in it. Returns how many variants there are: 1
 * without such a thing, 0 if two of them differ in number or one is not closed. BIP389 */
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
                struct arena *arena, struct desc_list *out, char *error, size_t size)
{
    struct parse parse = {ec, network, arena, error, size};
    *out = (struct desc_list){0};
    if (!check_checksum(&parse, &text))
        return false;
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
            out->is_range |= desc->keys[k].range != RANGE_NONE;
            out->has_secret |= desc->keys[k].has_secret;
        }
        out->variant[out->n++] = desc;
    }
    buffer_deinit(&variant);
    return ok;
}

/* -- Scripts ---------------------------------------------------------------------------------- */

/* A key's bytes at an index. */
static bool key_at(const struct ec_context *ec, const struct desc_key *key, uint32_t index,
                   uint8_t out[65], size_t *len)
{
    struct bip32_key child = key->extended;
    *len = key->len;
    memcpy(out, key->is_extended ? child.pubkey : key->bytes, key->len);
    if (!key->is_extended || key->range == RANGE_NONE)
        return true;
    uint32_t number = key->range == RANGE_HARDENED ? index | BIP32_HARDENED : index;
    if (!bip32_derive(ec, &key->extended, number, &child))
        return false;
    memcpy(out, child.pubkey, sizeof child.pubkey);
    return true;
}

static struct span join(struct arena *arena, struct span a, struct span b, struct span c)
{
    uint8_t *p = arena_alloc(arena, a.len + b.len + c.len + 1);
    struct writer w = writer_to_buffer(p, a.len + b.len + c.len);
    write_span(&w, a);
    write_span(&w, b);
    write_span(&w, c);
    return span_of(p, w.len);
}

static struct span of_hash160(struct arena *arena, struct span head, struct span what,
                              struct span tail)
{
    uint8_t hash[20];
    hash160(what, hash);
    return join(arena, head, span_of(hash, sizeof hash), tail);
}

static struct span script_pk(struct arena *arena, struct span key)
{
    uint8_t push = (uint8_t)key.len;
    return join(arena, span_of(&push, 1), key, span_of("\xac", 1));
}

static struct span script_pkh(struct arena *arena, struct span key)
{
    return of_hash160(arena, span_of("\x76\xa9\x14", 3), key, span_of("\x88\xac", 2));
}

static struct span script_wpkh(struct arena *arena, struct span key)
{
    return of_hash160(arena, span_of("\x00\x14", 2), key, span_of("", 0));
}

static struct span script_sh(struct arena *arena, struct span script)
{
    return of_hash160(arena, span_of("\xa9\x14", 2), script, span_of("\x87", 1));
}

/* BIP341: a key without scripts is tweaked by its own hash. */
static struct span script_tr(struct arena *arena, struct span key, bool is_tweaked)
{
    uint8_t output[32], tweak[32];
    const uint8_t *x = key.len == 32 ? key.p : key.p + 1;
    memcpy(output, x, sizeof output);
    if (!is_tweaked) {
        struct sha256 h;
        tagged_hash_init(&h, HASH_TAG_TAP_TWEAK);
        sha256_update(&h, x, 32);
        sha256_final(&h, tweak);
        if (!xonly_tweak_add(output, NULL, x, tweak))
            return span_of("", 0);
    }
    return join(arena, span_of("\x51\x20", 2), span_of(output, sizeof output), span_of("", 0));
}

/* A key at an index, with where it comes from. */
struct derived {
    uint8_t bytes[65];
    size_t len;
    const struct desc_key *key;
};

/* BIP67: in the order of their bytes. */
static void sort_keys(struct derived *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct derived moved = keys[i];
        size_t at = i;
        for (; at > 0 && memcmp(keys[at - 1].bytes, moved.bytes, sizeof moved.bytes) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = moved;
    }
}

static bool derive_all(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                       struct derived keys[DESC_KEYS_MAX])
{
    for (size_t i = 0; i < desc->n_keys; i++) {
        keys[i] = (struct derived){.key = &desc->keys[i]};
        if (!key_at(ec, &desc->keys[i], index, keys[i].bytes, &keys[i].len))
            return false;
    }
    if (desc->function == DESC_SORTEDMULTI)
        sort_keys(keys, desc->n_keys);
    return true;
}

static struct span script_multi(struct arena *arena, const struct desc *desc,
                                const struct derived *keys)
{
    uint8_t script[3 + DESC_KEYS_MAX * 66 + 2];
    struct writer w = writer_to_buffer(script, sizeof script);
    uint32_t numbers[2] = {desc->required, (uint32_t)desc->n_keys};
    for (int k = 0; k < 2; k++) {
        /* OP_1 to OP_16; above, a push of the number. */
        if (numbers[k] > 16)
            write_u8(&w, 1);
        write_u8(&w, (uint8_t)(numbers[k] > 16 ? numbers[k] : 0x50 + numbers[k]));
        for (size_t i = 0; k == 0 && i < desc->n_keys; i++) {
            write_u8(&w, (uint8_t)keys[i].len);
            write_bytes(&w, keys[i].bytes, keys[i].len);
        }
    }
    write_u8(&w, 0xae);
    return join(arena, span_of(script, w.len), span_of("", 0), span_of("", 0));
}

static size_t combo(struct arena *arena, struct span key, struct span scripts[DESC_SCRIPTS_MAX])
{
    scripts[0] = script_pk(arena, key);
    scripts[1] = script_pkh(arena, key);
    if (key.len != 33)
        return 2;
    scripts[2] = script_wpkh(arena, key);
    scripts[3] = script_sh(arena, scripts[2]);
    return 4;
}

static struct span inner_script(struct arena *arena, const struct desc *desc,
                                const struct derived *keys)
{
    struct span key = span_of(keys[0].bytes, keys[0].len);
    switch (desc->function) {
    case DESC_ADDR:
    case DESC_RAW:
        return desc->script;
    case DESC_PK:
        return script_pk(arena, key);
    case DESC_PKH:
        return script_pkh(arena, key);
    case DESC_WPKH:
        return script_wpkh(arena, key);
    case DESC_TR:
    case DESC_RAWTR:
        return script_tr(arena, key, desc->function == DESC_RAWTR);
    case DESC_MULTI:
    case DESC_SORTEDMULTI:
        return script_multi(arena, desc, keys);
    case DESC_COMBO:
    case DESC_FUNCTION_COUNT:
        break;
    }
    ASSERT(false);
    return span_of("", 0);
}

size_t desc_scripts(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                    struct arena *arena, struct span scripts[DESC_SCRIPTS_MAX])
{
    struct derived keys[DESC_KEYS_MAX] = {0};
    if (!derive_all(ec, desc, index, keys))
        return 0;
    if (desc->function == DESC_COMBO)
        return combo(arena, span_of(keys[0].bytes, keys[0].len), scripts);
    struct span script = inner_script(arena, desc, keys);
    if (desc->is_wsh) {
        uint8_t hash[32];
        sha256(script, hash);
        script = join(arena, span_of("\x00\x20", 2), span_of(hash, sizeof hash), span_of("", 0));
    }
    scripts[0] = desc->is_sh ? script_sh(arena, script) : script;
    return 1;
}

/* -- Scripts as descriptors of their own ------------------------------------------------------ */

static void write_path(struct buffer *out, const uint32_t *path, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buffer_append_format(out, "/%u%s", path[i] & ~BIP32_HARDENED,
                             path[i] & BIP32_HARDENED ? "h" : "");
}

/* "[d34db33f/44h/0]02..." */
static void write_key(struct buffer *out, const struct derived *derived, uint32_t index,
                      bool x_only)
{
    const struct desc_key *key = derived->key;
    uint8_t own[4];
    char hex[2 * 65 + 1];
    struct span bytes = span_of(derived->bytes, derived->len);
    bip32_fingerprint(bytes, own);
    const uint8_t *fingerprint = key->has_origin    ? key->fingerprint
                                 : key->is_extended ? key->root
                                                    : own;
    if (key->has_origin || key->len != 32) {
        buffer_append_format(out, "[%02x%02x%02x%02x", fingerprint[0], fingerprint[1],
                             fingerprint[2], fingerprint[3]);
        write_path(out, key->origin, key->n_origin);
        write_path(out, key->path, key->n_path);
        if (key->range != RANGE_NONE)
            buffer_append_format(out, "/%u%s", index, key->range == RANGE_HARDENED ? "h" : "");
        buffer_append_string(out, "]");
    }
    if (x_only && bytes.len == 33)
        bytes = span_of(bytes.p + 1, 32);
    hex_encode(hex, bytes);
    buffer_append_string(out, hex);
}

static void write_keys(struct buffer *out, const struct desc *desc, const struct derived *keys,
                       uint32_t index, size_t at)
{
    static const char *const combos[DESC_SCRIPTS_MAX] = {"pk", "pkh", "wpkh", "sh(wpkh"};
    bool is_multi = desc->function == DESC_MULTI || desc->function == DESC_SORTEDMULTI;
    bool is_combo = desc->function == DESC_COMBO;
    const char *name = is_multi ? "multi" : is_combo ? combos[at] : function_names[desc->function];
    buffer_append_format(out, "%s%s%s(", desc->is_sh ? "sh(" : "", desc->is_wsh ? "wsh(" : "",
                         name);
    if (is_multi)
        buffer_append_format(out, "%u,", desc->required);
    for (size_t i = 0; i < desc->n_keys; i++) {
        if (i > 0)
            buffer_append_string(out, ",");
        write_key(out, &keys[i], index, desc->function == DESC_TR || desc->function == DESC_RAWTR);
    }
    buffer_append_string(out, is_combo && at == DESC_SCRIPTS_MAX - 1 ? "))" : ")");
    buffer_append_format(out, "%s%s", desc->is_wsh ? ")" : "", desc->is_sh ? ")" : "");
}

bool desc_write_script(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                       size_t at, struct buffer *out)
{
    struct derived keys[DESC_KEYS_MAX] = {0};
    char checksum[DESCRIPTOR_CHECKSUM_CHARS + 1];
    if (desc->n_keys == 0) {
        descriptor_infer(out, desc->network, desc->script, NULL);
        return true;
    }
    if (!derive_all(ec, desc, index, keys))
        return false;
    size_t start = out->len;
    write_keys(out, desc, keys, index, at);
    bool ok = descriptor_checksum(span_of(out->p + start, out->len - start), checksum);
    ASSERT(ok);
    buffer_append_format(out, "#%s", checksum);
    return true;
}
