/* desc_key_read.c - key expressions read. Messages are those of Core. BIP-380, Key Expressions */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "consensus/key_io.h"
#include "crypto/mem.h"
#include "crypto/pubkey.h"
#include "spend/descriptor/desc_tree_internal.h"
#include "util/hex.h"

enum {
    ERROR_BYTES = 1024,       /* of a message, which may quote the text */
    PARTICIPANTS_MAX = 10000, /* of musig() */
};

bool desc_refuse(struct desc_parse *parse, const char *format, ...)
{
    ASSERT(parse && format);
    va_list args;
    char *text = arena_alloc(parse->arena, ERROR_BYTES);
    va_start(args, format);
    vsnprintf(text, ERROR_BYTES, format, args);
    va_end(args);
    parse->error = text;
    return false;
}

/* -- Characters ------------------------------------------------------------------------------- */

struct span desc_take_argument(struct span *s)
{
    ASSERT(s);
    size_t depth = 0, i = 0;
    for (; i < s->len; i++) {
        char c = (char)s->p[i];
        bool closes = c == ')' || c == '}';
        if (depth == 0 && (closes || c == ','))
            break;
        depth += c == '(' || c == '{';
        depth -= closes;
    }
    struct span argument = span_of(s->p, i);
    *s = span_of(s->p + i, s->len - i);
    return argument;
}

bool desc_take_char(struct span *s, char c)
{
    ASSERT(s);
    if (s->len == 0 || s->p[0] != (uint8_t)c)
        return false;
    *s = span_of(s->p + 1, s->len - 1);
    return true;
}

/* The part of s before the first c, which is taken off with it. Returns: false without one, and
 * then part is all of s. */
static bool take_until(struct span *s, char c, struct span *part)
{
    const uint8_t *at = s->len ? memchr(s->p, c, s->len) : NULL;
    *part = *s;
    if (!at) {
        *s = span_of(s->p + s->len, 0);
        return false;
    }
    part->len = (size_t)(at - s->p);
    *s = span_of(at + 1, s->len - part->len - 1);
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* -- Paths ------------------------------------------------------------------------------------ */

/* A path being read: what is written in it of marks is the key's. */
struct path_reading {
    struct desc_parse *parse;
    struct desc_path *path;
    bool *has_apostrophe;
};

static bool read_number(struct path_reading *reading, struct span text, uint32_t *number)
{
    uint64_t value = 0;
    uint8_t last = text.len > 0 ? text.p[text.len - 1] : 0;
    bool is_hardened = last == '\'' || last == 'h', ok = true;
    if (is_hardened) {
        *reading->has_apostrophe = last == '\'';
        text.len--;
    }
    for (size_t i = 0; ok && i < text.len; i++) {
        ok = text.p[i] >= '0' && text.p[i] <= '9';
        value = value * 10 + (uint64_t)(text.p[i] - '0');
        ok = ok && value <= UINT32_MAX;
    }
    if (!ok || text.len == 0)
        return desc_refuse(reading->parse, "Key path value '%.*s' is not a valid uint32",
                           (int)text.len, (const char *)text.p);
    if (value >= BIP32_HARDENED)
        return desc_refuse(reading->parse, "Key path value %llu is out of range",
                           (unsigned long long)value);
    reading->path->has_hardened = reading->path->has_hardened || is_hardened;
    *number = (uint32_t)value | (is_hardened ? BIP32_HARDENED : 0);
    return true;
}

/* "<0;1>", without its brackets. BIP-389, Specification */
static bool read_choices(struct path_reading *reading, struct span text)
{
    struct desc_path *path = reading->path;
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.p[i] == ';';
    if (path->n_choices > 0)
        return desc_refuse(reading->parse, "Multiple multipath key path specifiers found");
    if (n < 2)
        return desc_refuse(reading->parse,
                           "Multipath key path specifiers must have at least two items");
    if (n > DESC_VARIANTS_MAX)
        return desc_refuse(reading->parse, "Multipath key path specifiers have too many items");
    path->choices = arena_calloc(reading->parse->arena, n, sizeof *path->choices);
    for (size_t i = 0; i < n; i++) {
        struct span part;
        uint32_t number;
        (void)take_until(&text, ';', &part);
        if (!read_number(reading, part, &number))
            return false;
        for (size_t k = 0; k < i; k++) {
            if (path->choices[k] == number)
                return desc_refuse(reading->parse,
                                   "Duplicated key path value %u in multipath specifier", number);
        }
        path->choices[path->n_choices++] = number;
    }
    return true;
}

static bool read_step(struct path_reading *reading, struct span text, bool allow_choices)
{
    struct desc_path *path = reading->path;
    bool is_choice = text.len >= 1 && text.p[0] == '<' && text.p[text.len - 1] == '>';
    if (path->n == DESC_PATH_MAX)
        return desc_refuse(reading->parse, "Key path is too long");
    if (!is_choice)
        return read_number(reading, text, &path->steps[path->n++]);
    if (!allow_choices)
        return desc_refuse(reading->parse,
                           "Key path value '%.*s' specifies multipath in a section where "
                           "multipath is not allowed",
                           (int)text.len, (const char *)text.p);
    if (!read_choices(reading, span_of(text.p + 1, text.len - 2)))
        return false;
    path->choice_at = path->n++;
    return true;
}

/* The steps of a text, each with a slash in front. */
static bool read_path(struct path_reading *reading, struct span text, bool allow_choices)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.p[i] == '/';
    n = n < DESC_PATH_MAX ? n : DESC_PATH_MAX;
    reading->path->steps = arena_calloc(reading->parse->arena, n + 1, sizeof *reading->path->steps);
    if (text.len == 0)
        return true;
    ASSERT(text.p[0] == '/');
    text = span_of(text.p + 1, text.len - 1);
    bool has_more = true;
    while (has_more) {
        struct span step;
        has_more = take_until(&text, '/', &step);
        if (!read_step(reading, step, allow_choices))
            return false;
    }
    return true;
}

/* A star at the end, alone, with an apostrophe or with an h: every child. */
static void take_range(struct span *text, struct desc_path *path, bool *has_apostrophe)
{
    size_t start = text->len;
    while (start > 0 && text->p[start - 1] != '/')
        start--;
    if (start == 0)
        return;
    struct span last = span_of(text->p + start, text->len - start);
    if (span_equal(last, span_of("*", 1)))
        path->range = DESC_RANGE_PLAIN;
    else if (span_equal(last, span_of("*'", 2)) || span_equal(last, span_of("*h", 2)))
        path->range = DESC_RANGE_HARDENED;
    else
        return;
    if (path->range == DESC_RANGE_HARDENED)
        *has_apostrophe = last.p[1] == '\'';
    text->len = start - 1;
}

/* -- Keys of one kind ------------------------------------------------------------------------- */

/* Version 0 programs and taproot know compressed keys only. BIP-382, wpkh(); BIP-386, tr() */
static bool takes_uncompressed(enum desc_place place)
{
    return place == DESC_PLACE_TOP || place == DESC_PLACE_SH;
}

static bool is_hex(struct span text)
{
    return text.len > 0 && hex_is_valid((const char *)text.p, text.len);
}

/* A public key as hex. */
static bool read_hex_key(struct desc_parse *parse, enum desc_place place, struct span text,
                         struct desc_key *key)
{
    struct ec_pubkey pubkey;
    uint8_t bytes[65];
    size_t len = text.len / 2;
    bool fits = len <= sizeof bytes && hex_decode(bytes, len, (const char *)text.p, text.len);
    bool is_long = fits && len == 65;
    key->kind = DESC_KEY_PLAIN;
    if (is_long && (bytes[0] == 6 || bytes[0] == 7))
        return desc_refuse(parse, "Hybrid public keys are not allowed");
    if (fits && (len == 33 || is_long) && ec_pubkey_parse(&pubkey, span_of(bytes, len))) {
        memcpy(key->bytes, bytes, len);
        key->len = (uint8_t)len;
        return !is_long || takes_uncompressed(place) ||
               desc_refuse(parse, "Uncompressed keys are not allowed");
    }
    if (fits && len == 32 && place == DESC_PLACE_TR && xonly_is_valid(bytes)) {
        key->bytes[0] = 2;
        memcpy(key->bytes + 1, bytes, 32);
        key->len = 33;
        key->is_x_only = true;
        return true;
    }
    return desc_refuse(parse, "Pubkey '%.*s' is invalid", (int)text.len, (const char *)text.p);
}

/* A secret key in wallet import format. False, without a message, if it is none. */
static bool read_secret_key(const struct desc_parse *parse, enum desc_place place, struct span text,
                            struct desc_key *key)
{
    char copy[128];
    struct ec_pubkey pubkey;
    bool is_compressed;
    uint8_t *secret = arena_alloc(parse->arena, 32);
    if (text.len >= sizeof copy || memchr(text.p, 0, text.len))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = 0;
    key->kind = DESC_KEY_PLAIN;
    key->has_secret = wif_decode(parse->network, copy, secret, &is_compressed) &&
                      seckey_pubkey(parse->ec, secret, &pubkey);
    mem_wipe(copy, sizeof copy);
    if (!key->has_secret)
        return false;
    key->len = (uint8_t)ec_pubkey_serialize(&pubkey, is_compressed, key->bytes);
    key->secret = secret;
    key->is_x_only = place == DESC_PLACE_TR;
    return true;
}

static bool read_extended(struct desc_parse *parse, struct span body, struct span path,
                          struct desc_key *key)
{
    struct bip32_key *root = arena_calloc(parse->arena, 1, sizeof *root);
    struct path_reading reading = {parse, &key->path, &key->has_apostrophe};
    if (!bip32_parse(parse->ec, parse->network, body, root))
        return desc_refuse(parse, "key '%.*s' is not valid", (int)body.len, (const char *)body.p);
    key->kind = DESC_KEY_EXTENDED;
    key->root = root;
    key->len = 33;
    key->has_secret = root->has_secret;
    take_range(&path, &key->path, &key->has_apostrophe);
    return read_path(&reading, path, true);
}

/* "[d34db33f/44'/0']" in front of a key. */
static bool read_origin(struct desc_parse *parse, struct span *text, struct desc_key *key)
{
    struct span origin;
    struct desc_path path = {0};
    struct path_reading reading = {parse, &path, &key->has_apostrophe};
    if (text->len == 0 || !memchr(text->p, ']', text->len))
        return true;
    (void)take_until(text, ']', &origin);
    if (text->len > 0 && memchr(text->p, ']', text->len))
        return desc_refuse(parse, "Multiple ']' characters found for a single pubkey");
    if (origin.len == 0 || origin.p[0] != '[')
        return desc_refuse(parse,
                           "Key origin start '[ character expected but not found, got '%c' "
                           "instead",
                           origin.len > 0 ? origin.p[0] : ']');
    origin = span_of(origin.p + 1, origin.len - 1);
    const uint8_t *slash = origin.len > 0 ? memchr(origin.p, '/', origin.len) : NULL;
    size_t len = slash ? (size_t)(slash - origin.p) : origin.len;
    if (len != 8)
        return desc_refuse(
            parse, "Fingerprint is not 4 bytes (%zu characters instead of 8 characters)", len);
    if (!hex_decode(key->origin.fingerprint, 4, (const char *)origin.p, 8))
        return desc_refuse(parse, "Fingerprint '%.*s' is not hex", 8, (const char *)origin.p);
    if (!read_path(&reading, span_of(origin.p + 8, origin.len - 8), false))
        return false;
    key->has_origin = true;
    key->origin.n_path = (uint32_t)path.n;
    key->origin.path = path.steps;
    return true;
}

/* A key that is no musig(). */
static bool read_single(struct desc_parse *parse, enum desc_place place, struct span text,
                        struct desc_key *key)
{
    *key = (struct desc_key){0};
    if (!read_origin(parse, &text, key))
        return false;
    const uint8_t *slash = text.len > 0 ? memchr(text.p, '/', text.len) : NULL;
    size_t len = slash ? (size_t)(slash - text.p) : text.len;
    struct span body = span_of(text.p, len), path = span_of(text.p + len, text.len - len);
    if (body.len == 0)
        return desc_refuse(parse, "No key provided");
    if (is_blank(body.p[0]) || is_blank(body.p[body.len - 1]))
        return desc_refuse(parse, "Key '%.*s' is invalid due to whitespace", (int)body.len,
                           (const char *)body.p);
    if (!slash && is_hex(body))
        return read_hex_key(parse, place, body, key);
    if (!slash && read_secret_key(parse, place, body, key))
        return key->len == 33 || takes_uncompressed(place) ||
               desc_refuse(parse, "Uncompressed keys are not allowed");
    return read_extended(parse, body, path, key);
}

/* -- musig() ---------------------------------------------------------------------------------- */

/* Steps behind the closing bracket. BIP-390, Specification */
static bool read_musig_path(struct desc_parse *parse, struct span path, struct desc_key *key)
{
    bool all_extended = true, any_range = false;
    struct path_reading reading = {parse, &key->path, &key->has_apostrophe};
    for (size_t i = 0; i < key->n_participants; i++) {
        all_extended = all_extended && key->participants[i].kind == DESC_KEY_EXTENDED;
        any_range = any_range || desc_key_is_range(&key->participants[i]);
    }
    if (!all_extended)
        return desc_refuse(parse,
                           "musig(): derivation requires all participants to be xpubs or xprvs");
    if (any_range)
        return desc_refuse(parse, "musig(): Cannot have ranged participant keys if musig() also "
                                  "has derivation");
    take_range(&path, &key->path, &key->has_apostrophe);
    if (key->path.range == DESC_RANGE_HARDENED)
        return desc_refuse(parse, "musig(): Cannot have hardened child derivation");
    if (!read_path(&reading, path, true))
        return desc_refuse(parse, "musig(): %s", parse->error);
    if (key->path.has_hardened)
        return desc_refuse(parse, "musig(): cannot have hardened derivation steps");
    return true;
}

/* Numbers of variants that do not fit together. */
static bool check_musig_variants(struct desc_parse *parse, const struct desc_key *key)
{
    size_t max = 1;
    for (size_t i = 0; i < key->n_participants; i++) {
        size_t n = desc_key_variants(&key->participants[i]);
        max = n > max ? n : max;
    }
    if (max > 1 && key->path.n_choices > 0)
        return desc_refuse(parse, "musig(): Cannot have multipath participant keys if musig() is "
                                  "also multipath");
    for (size_t i = 0; i < key->n_participants; i++) {
        size_t n = desc_key_variants(&key->participants[i]);
        if (n != 1 && n != max)
            return desc_refuse(parse,
                               "musig(): Multipath derivation paths have mismatched lengths");
    }
    return true;
}

static bool read_participants(struct desc_parse *parse, struct span text, struct desc_key *key)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.p[i] == ',';
    if (n > PARTICIPANTS_MAX)
        return desc_refuse(parse, "musig(): Too many key expressions");
    key->participants = arena_calloc(parse->arena, n, sizeof *key->participants);
    while (text.len > 0) {
        if (key->n_participants > 0 && !desc_take_char(&text, ','))
            return desc_refuse(parse, "musig(): expected ',', got '%c'", text.p[0]);
        struct span argument = desc_take_argument(&text);
        struct desc_key *part = &key->participants[key->n_participants++];
        if (!read_single(parse, DESC_PLACE_MUSIG, argument, part))
            return desc_refuse(parse, "musig(): %s", parse->error);
        key->has_secret = key->has_secret || part->has_secret;
    }
    return key->n_participants > 0 || desc_refuse(parse, "musig(): Must contain key expressions");
}

static bool read_musig(struct desc_parse *parse, enum desc_place place, struct span text,
                       struct desc_key *key)
{
    *key = (struct desc_key){.kind = DESC_KEY_MUSIG, .len = 33};
    if (place != DESC_PLACE_TR)
        return desc_refuse(parse, "musig() is only allowed in tr() and rawtr()");
    struct span inside;
    text = span_of(text.p + strlen("musig("), text.len - strlen("musig("));
    if (!take_until(&text, ')', &inside))
        return desc_refuse(parse, "Invalid musig() expression");
    if (text.len > 0 && memchr(text.p, ')', text.len))
        return desc_refuse(parse, "Too many ')' in musig() expression");
    if (!read_participants(parse, inside, key))
        return false;
    bool has_path = text.len > 0 && text.p[0] == '/';
    return (!has_path || read_musig_path(parse, text, key)) && check_musig_variants(parse, key);
}

bool desc_key_read(struct desc_parse *parse, enum desc_place place, struct span text)
{
    ASSERT(parse);
    struct desc_key key;
    size_t prefix = strlen("musig(");
    bool is_musig = text.len >= prefix && memcmp(text.p, "musig(", prefix) == 0;
    bool ok =
        is_musig ? read_musig(parse, place, text, &key) : read_single(parse, place, text, &key);
    if (ok)
        *ARRAY_ADD(&parse->keys) = key;
    return ok;
}
