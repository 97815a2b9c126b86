/* desc_read.c - descriptors read, from the outside inwards. Messages are those of Core. */
#include <string.h>

#include "consensus/key_io.h"
#include "spend/descriptor/desc_checksum.h"
#include "spend/descriptor/desc_tree_internal.h"
#include "util/hex.h"

enum {
    BARE_KEYS_MAX = 3, /* of multi in no other function, as in standard outputs */
    REDEEM_SCRIPT_MAX = 520,
};

/* Where a function may stand, and what is said where it may not; without a message it may still
 * be miniscript. Longer names are told apart by the bracket behind them. */
struct function_rule {
    enum desc_function function;
    unsigned places;
    const char *error;
};

/* clang-format off */
static const struct function_rule rules[] = {
    {DESC_PK,            DESC_PLACE_TOP | DESC_PLACE_SH | DESC_PLACE_WSH | DESC_PLACE_TR, NULL},
    {DESC_PKH,           DESC_PLACE_TOP | DESC_PLACE_SH | DESC_PLACE_WSH, NULL},
    {DESC_COMBO,         DESC_PLACE_TOP, "Can only have combo() at top level"},
    {DESC_MULTI,         DESC_PLACE_TOP | DESC_PLACE_SH | DESC_PLACE_WSH,
     "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
    {DESC_SORTEDMULTI,   DESC_PLACE_TOP | DESC_PLACE_SH | DESC_PLACE_WSH,
     "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
    {DESC_MULTI_A,       DESC_PLACE_TR, "Can only have multi_a/sortedmulti_a inside tr()"},
    {DESC_SORTEDMULTI_A, DESC_PLACE_TR, "Can only have multi_a/sortedmulti_a inside tr()"},
    {DESC_WPKH,          DESC_PLACE_TOP | DESC_PLACE_SH,
     "Can only have wpkh() at top level or inside sh()"},
    {DESC_ADDR,          DESC_PLACE_TOP, "Can only have addr() at top level"},
    {DESC_TR,            DESC_PLACE_TOP, "Can only have tr at top level"},
    {DESC_RAWTR,         DESC_PLACE_TOP, "Can only have rawtr at top level"},
    {DESC_RAW,           DESC_PLACE_TOP, "Can only have raw() at top level"},
};
/* clang-format on */

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

/* -- Functions -------------------------------------------------------------------------------- */

/* BIP-385, addr() */
static bool read_addr(struct desc_parse *parse, struct span arg, struct desc_script *script)
{
    char text[256];
    uint8_t *bytes = arena_alloc(parse->arena, ADDRESS_SCRIPT_MAX);
    size_t len;
    if (arg.len >= sizeof text)
        return desc_refuse(parse, "Address is not valid");
    memcpy(text, arg.p, arg.len);
    text[arg.len] = 0;
    if (!address_decode(parse->network, text, bytes, &len, NULL))
        return desc_refuse(parse, "Address is not valid");
    script->script = span_of(bytes, len);
    return true;
}

/* BIP-385, raw() */
static bool read_raw(struct desc_parse *parse, struct span arg, struct desc_script *script)
{
    size_t len = arg.len / 2;
    uint8_t *bytes = arena_alloc(parse->arena, len + 1);
    if (!hex_decode(bytes, len, (const char *)arg.p, arg.len))
        return desc_refuse(parse, "Raw script is not hex");
    script->script = span_of(bytes, len);
    return true;
}

/* The only key of a function, whose name stands before what is wrong with it. */
static bool read_one_key(struct desc_parse *parse, enum desc_place place, struct span arg,
                         struct desc_script *script)
{
    script->n_keys = 1;
    return desc_key_read(parse, place, arg) ||
           desc_refuse(parse, "%s(): %s", desc_function_name(script->function), parse->error);
}

static bool read_threshold(struct desc_parse *parse, struct span text, uint32_t *required)
{
    uint64_t value = 0;
    bool ok = text.len > 0 && text.len <= 10;
    for (size_t i = 0; ok && i < text.len; i++) {
        ok = text.p[i] >= '0' && text.p[i] <= '9';
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (!ok || value > UINT32_MAX)
        return desc_refuse(parse, "Multi threshold '%.*s' is not valid", (int)text.len,
                           (const char *)text.p);
    *required = (uint32_t)value;
    return true;
}

static bool check_key_count(struct desc_parse *parse, const struct desc_script *script)
{
    bool is_a = script->function == DESC_MULTI_A || script->function == DESC_SORTEDMULTI_A;
    int max = is_a ? MS_KEYS_MAX : DESC_MULTI_KEYS_MAX;
    if (script->n_keys == 0 || script->n_keys > (size_t)max)
        return desc_refuse(parse,
                           "Cannot have %zu keys in %s; must have between 1 and %d keys, "
                           "inclusive",
                           script->n_keys, is_a ? "multi_a" : "multisig", max);
    if (script->required < 1)
        return desc_refuse(parse, "Multisig threshold cannot be %u, must be at least 1",
                           script->required);
    if (script->required > script->n_keys)
        return desc_refuse(parse,
                           "Multisig threshold cannot be larger than the number of keys; "
                           "threshold is %u but only %zu keys specified",
                           script->required, script->n_keys);
    return true;
}

/* What a script of these keys must not exceed. 520 bytes are pushed as one item at most:
 * BIP-16, 520-byte limitation on serialized script size. BIP-383, Specification */
static bool check_multi_size(struct desc_parse *parse, enum desc_place place,
                             const struct desc_script *script)
{
    size_t bytes = 3;
    for (size_t i = 0; i < script->n_keys; i++)
        bytes += (size_t)parse->keys.at[script->first_key + i].len + 1;
    if (place == DESC_PLACE_TOP && script->n_keys > BARE_KEYS_MAX)
        return desc_refuse(parse,
                           "Cannot have %zu pubkeys in bare multisig; only at most %d pubkeys",
                           script->n_keys, BARE_KEYS_MAX);
    if (place == DESC_PLACE_SH && bytes > REDEEM_SCRIPT_MAX)
        return desc_refuse(parse, "P2SH script is too large, %zu bytes is larger than %d bytes",
                           bytes, REDEEM_SCRIPT_MAX);
    return true;
}

/* Keys from number first on have one variant, or all the same number of them.
 * BIP-389, Specification */
static bool check_variants(struct desc_parse *parse, size_t first, const char *what)
{
    size_t max = 1;
    for (size_t i = first; i < parse->keys.n; i++) {
        size_t n = desc_key_variants(&parse->keys.at[i]);
        max = n > max ? n : max;
    }
    for (size_t i = first; i < parse->keys.n; i++) {
        size_t n = desc_key_variants(&parse->keys.at[i]);
        if (n != 1 && n != max)
            return desc_refuse(parse, "%s: Multipath derivation paths have mismatched lengths",
                               what);
    }
    return true;
}

static bool read_multi(struct desc_parse *parse, enum desc_place place, struct span arg,
                       struct desc_script *script)
{
    if (!read_threshold(parse, desc_take_argument(&arg), &script->required))
        return false;
    while (arg.len > 0) {
        if (!desc_take_char(&arg, ','))
            return desc_refuse(parse, "Multi: expected ',', got '%c'", arg.p[0]);
        struct span key = desc_take_argument(&arg);
        /* Those that no script can have are only counted, for the refusal to come. */
        if (script->n_keys <= MS_KEYS_MAX && !desc_key_read(parse, place, key))
            return desc_refuse(parse, "Multi: %s", parse->error);
        script->n_keys++;
    }
    return check_key_count(parse, script) && check_multi_size(parse, place, script) &&
           check_variants(parse, script->first_key, "multi()");
}

/* -- Miniscript ------------------------------------------------------------------------------- */

/* What reads the keys of an expression. */
struct ms_reading {
    struct desc_parse *parse;
    enum desc_place place;
    size_t first_key;
    struct desc_derived *keys; /* of the first variant, at index 0 */
    bool is_x_only;
};

static bool ms_read_key(void *ctx, struct span text, uint32_t *key)
{
    struct ms_reading *reading = ctx;
    *key = (uint32_t)(reading->parse->keys.n - reading->first_key);
    return desc_key_read(reading->parse, reading->place, text);
}

static struct span ms_key_bytes(void *ctx, uint32_t key)
{
    struct ms_reading *reading = ctx;
    const struct desc_derived *derived = &reading->keys[key];
    if (derived->len == 0 || !reading->is_x_only)
        return span_of(derived->bytes, derived->len);
    return span_of(derived->bytes + 1, 32);
}

static void ms_write_key(void *ctx, uint32_t key, struct buffer *out)
{
    struct ms_reading *reading = ctx;
    desc_write_key(reading->parse->network, &reading->parse->keys.at[reading->first_key + key],
                   out);
}

static void derive_for_check(struct ms_reading *reading)
{
    struct desc_parse *parse = reading->parse;
    struct desc_deriving how = {.ec = parse->ec, .arena = parse->arena};
    size_t n = parse->keys.n - reading->first_key;
    reading->keys = arena_calloc(parse->arena, n + 1, sizeof *reading->keys);
    for (size_t i = 0; i < n; i++) {
        if (!desc_key_derive(&how, &parse->keys.at[reading->first_key + i], &reading->keys[i]))
            reading->keys[i].len = 0;
    }
}

/* Say why an expression is not fit for use. */
static bool refuse_fault(struct desc_parse *parse, const struct miniscript *ms,
                         const struct ms_keys *keys, enum ms_fault fault, uint32_t node)
{
    static const char *const texts[] = {
        [MS_SANE] = "",
        [MS_INVALID] = " is invalid",
        [MS_MALLEABLE] = " is not sane: malleable witnesses exist",
        [MS_NO_SIGNATURE] = " is not sane: witnesses without signature exist",
        [MS_MIXED_TIMELOCKS] =
            " is not sane: contains mixes of timelocks expressed in blocks and seconds",
        [MS_DUPLICATE_KEYS] = " is not sane: contains duplicate public keys",
        [MS_EXCEEDS_LIMITS] = " is not sane: needs witnesses that may exceed resource limits",
        [MS_NOT_SANE] = " is not sane",
        [MS_NOT_SATISFIABLE] = " is not satisfiable",
    };
    struct buffer text;
    buffer_init(&text);
    ms_write(ms, keys, node, &text);
    (void)desc_refuse(parse, "%.*s%s", (int)(text.len < 800 ? text.len : 800), (const char *)text.p,
                      texts[fault]);
    buffer_deinit(&text);
    return false;
}

/* BIP-379, Specification. Sets *is_one if it is an expression, right or wrong. */
static bool read_miniscript(struct desc_parse *parse, enum desc_place place, struct span text,
                            struct desc_script *script, bool *is_one)
{
    enum ms_context context = place == DESC_PLACE_WSH ? MS_P2WSH : MS_TAPSCRIPT;
    struct ms_reading reading = {.parse = parse,
                                 .place = place == DESC_PLACE_WSH ? place : DESC_PLACE_TR,
                                 .first_key = parse->keys.n,
                                 .is_x_only = context == MS_TAPSCRIPT};
    struct ms_keys keys = {
        .ctx = &reading, .read = ms_read_key, .bytes = ms_key_bytes, .write = ms_write_key};
    uint32_t node;
    parse->error = NULL;
    bool ok = ms_read(&keys, context, text, parse->arena, &script->ms);
    *is_one = ok || parse->error;
    if (!ok)
        return false;
    if (place != DESC_PLACE_WSH && place != DESC_PLACE_TR)
        return desc_refuse(parse, "Miniscript expressions can only be used in wsh or tr.");
    derive_for_check(&reading);
    enum ms_fault fault = ms_check(&script->ms, &keys, parse->arena, &node);
    if (fault != MS_SANE)
        return refuse_fault(parse, &script->ms, &keys, fault, node);
    script->function = DESC_MINISCRIPT;
    script->first_key = reading.first_key;
    script->n_keys = parse->keys.n - reading.first_key;
    return check_variants(parse, reading.first_key, "Miniscript");
}

/* -- Places ----------------------------------------------------------------------------------- */

/* What stands where a function should. */
static bool refuse_function(struct desc_parse *parse, enum desc_place place, struct span text)
{
    if (place == DESC_PLACE_SH || place == DESC_PLACE_WSH)
        return desc_refuse(parse, "A function is needed within %s",
                           place == DESC_PLACE_WSH ? "P2WSH" : "P2SH");
    return desc_refuse(parse, "'%.*s' is not a valid descriptor function", (int)text.len,
                       (const char *)text.p);
}

/* A function of keys alone, addr() or raw(). */
static bool read_arguments(struct desc_parse *parse, enum desc_place place, struct span arg,
                           struct desc_script *script)
{
    if (script->function == DESC_ADDR)
        return read_addr(parse, arg, script);
    if (script->function == DESC_RAW)
        return read_raw(parse, arg, script);
    if (desc_is_multi(script))
        return read_multi(parse, place, arg, script);
    if (script->function == DESC_WPKH)
        return read_one_key(parse, DESC_PLACE_WSH, arg, script); /* like all of version 0 */
    if (script->function != DESC_RAWTR)
        return read_one_key(parse, place, arg, script);
    struct span key = desc_take_argument(&arg);
    if (arg.len > 0)
        return desc_refuse(parse, "rawtr(): only one key expected.");
    return read_one_key(parse, DESC_PLACE_TR, key, script);
}

/* Any function but sh() and wsh(). Of tr() the arguments are left in *tr_args. */
static bool read_function(struct desc_parse *parse, enum desc_place place, struct span text,
                          struct desc_script *script, struct span *tr_args)
{
    bool is_one;
    script->first_key = parse->keys.n;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct span arg = text;
        if (!unwrap(&arg, desc_function_name(rules[i].function)))
            continue;
        script->function = rules[i].function;
        if (!(rules[i].places & place) && !rules[i].error)
            break;
        if (!(rules[i].places & place))
            return desc_refuse(parse, "%s", rules[i].error);
        *tr_args = arg;
        return script->function == DESC_TR || read_arguments(parse, place, arg, script);
    }
    struct span inside = text;
    if (unwrap(&inside, "sh"))
        return desc_refuse(parse, "Can only have sh() at top level");
    if (unwrap(&inside, "wsh"))
        return desc_refuse(parse, "Can only have wsh() at top level or inside sh()");
    if (read_miniscript(parse, place, text, script, &is_one))
        return true;
    return is_one ? false : refuse_function(parse, place, text);
}

/* -- Trees ------------------------------------------------------------------------------------ */

/* Where in a tree the reader is: for each level whether it is in the right branch. */
struct tree_place {
    bool is_right[TAP_DEPTH_MAX + 1];
    size_t depth;
};

/* Braces and commas behind a leaf. */
static bool close_branches(struct desc_parse *parse, struct span *text, struct tree_place *place)
{
    while (place->depth > 0 && place->is_right[place->depth]) {
        if (!desc_take_char(text, '}'))
            return desc_refuse(parse, "tr(): expected '}' after script expression");
        place->depth--;
    }
    if (place->depth == 0)
        return true;
    if (!desc_take_char(text, ','))
        return desc_refuse(parse, "tr(): expected ',' after script expression");
    place->is_right[place->depth] = true;
    return true;
}

static bool read_leaf(struct desc_parse *parse, struct span *text, struct tree_place *place,
                      struct desc_script *leaf)
{
    struct span no_tr;
    while (desc_take_char(text, '{')) {
        if (place->depth == TAP_DEPTH_MAX)
            return desc_refuse(parse, "tr() supports at most %d nesting levels", TAP_DEPTH_MAX);
        place->is_right[++place->depth] = false;
    }
    leaf->depth = (uint8_t)place->depth;
    return read_function(parse, DESC_PLACE_TR, desc_take_argument(text), leaf, &no_tr) &&
           close_branches(parse, text, place);
}

/* All keys of the tree and the internal one have one variant, or the same number of them. */
static bool check_tree_variants(struct desc_parse *parse, size_t internal)
{
    size_t own = desc_key_variants(&parse->keys.at[internal]), max = own;
    for (size_t i = internal + 1; i < parse->keys.n; i++) {
        size_t n = desc_key_variants(&parse->keys.at[i]);
        max = n > max ? n : max;
    }
    for (size_t i = internal + 1; i < parse->keys.n; i++) {
        size_t n = desc_key_variants(&parse->keys.at[i]);
        if (n != 1 && n != max)
            return desc_refuse(parse, "tr(): Multipath subscripts have mismatched lengths");
    }
    return own == 1 || own == max ||
           desc_refuse(parse,
                       "tr(): Multipath internal key mismatches multipath subscripts lengths");
}

/* BIP-386, tr(KEY, TREE) */
static bool read_tr(struct desc_parse *parse, struct span args, struct desc_tree *tree)
{
    size_t room = 1;
    struct tree_place place = {.depth = 0};
    size_t internal = parse->keys.n;
    if (!read_one_key(parse, DESC_PLACE_TR, desc_take_argument(&args), &tree->top))
        return false;
    if (args.len == 0)
        return true;
    if (!desc_take_char(&args, ','))
        return desc_refuse(parse, "tr: expected ',', got '%c'", args.p[0]);
    for (size_t i = 0; i < args.len; i++)
        room += args.p[i] == '{';
    tree->leaves = arena_calloc(parse->arena, room, sizeof *tree->leaves);
    do {
        ASSERT(tree->n_leaves < room); /* one more than pairs of braces */
        if (!read_leaf(parse, &args, &place, &tree->leaves[tree->n_leaves++]))
            return false;
    } while (place.depth > 0);
    if (args.len > 0)
        return desc_refuse(parse, "tr(): expected ')' after script expression");
    return check_tree_variants(parse, internal);
}

/* -- The text --------------------------------------------------------------------------------- */

/* BIP-380, Checksum */
static bool check_checksum(struct desc_parse *parse, struct span *text)
{
    char want[DESC_CHECKSUM_CHARS + 1];
    const uint8_t *mark = text->len > 0 ? memchr(text->p, '#', text->len) : NULL;
    struct span body = mark ? span_of(text->p, (size_t)(mark - text->p)) : *text;
    struct span rest = mark ? span_of(mark + 1, text->len - body.len - 1) : span_of("", 0);
    if (mark && rest.len > 0 && memchr(rest.p, '#', rest.len))
        return desc_refuse(parse, "Multiple '#' symbols");
    if (mark && rest.len != DESC_CHECKSUM_CHARS)
        return desc_refuse(parse, "Expected 8 character checksum, not %zu characters", rest.len);
    if (!desc_checksum(body, want))
        return desc_refuse(parse, "Invalid characters in payload");
    if (mark && !span_equal(rest, span_of_string(want)))
        return desc_refuse(parse, "Provided checksum '%.*s' does not match computed checksum '%s'",
                           (int)rest.len, (const char *)rest.p, want);
    *text = body;
    return true;
}

static bool read_tree(struct desc_parse *parse, struct span text, struct desc_tree *tree)
{
    struct span rest = text, tr_args;
    text = desc_take_argument(&rest);
    if (rest.len > 0)
        return desc_refuse(parse, "%s", ""); /* Core says no more */
    tree->is_sh = unwrap(&text, "sh");
    tree->is_wsh = unwrap(&text, "wsh");
    enum desc_place place = tree->is_wsh  ? DESC_PLACE_WSH
                            : tree->is_sh ? DESC_PLACE_SH
                                          : DESC_PLACE_TOP;
    if (!read_function(parse, place, text, &tree->top, &tr_args))
        return false;
    return tree->top.function != DESC_TR || read_tr(parse, tr_args, tree);
}

/* What was read, as a list of variants. */
static void list_variants(struct desc_parse *parse, struct desc_tree *tree, struct desc_list *out)
{
    size_t n = 1;
    tree->n_keys = parse->keys.n;
    tree->keys = arena_calloc(parse->arena, tree->n_keys + 1, sizeof *tree->keys);
    for (size_t i = 0; i < tree->n_keys; i++) {
        const struct desc_key *key = &parse->keys.at[i];
        size_t own = desc_key_variants(key);
        tree->keys[i] = *key;
        n = own > n ? own : n;
        out->is_range = out->is_range || desc_key_is_range(key);
        out->has_secret = out->has_secret || key->has_secret;
        out->needs_secret = out->needs_secret || desc_key_needs_secret(key);
    }
    ASSERT(n <= DESC_VARIANTS_MAX);
    for (; out->n < n; out->n++) {
        struct desc *desc = arena_calloc(parse->arena, 1, sizeof *desc);
        *desc = (struct desc){tree, out->n};
        out->variant[out->n] = desc;
    }
}

bool desc_parse(const struct ec_context *ec, const struct network *network, struct span text,
                struct arena *arena, struct desc_list *out)
{
    ASSERT(arena && out);
    struct desc_parse parse = {.ec = ec, .network = network, .arena = arena};
    struct desc_tree *tree = arena_calloc(arena, 1, sizeof *tree);
    *out = (struct desc_list){0};
    tree->network = network;
    bool ok = check_checksum(&parse, &text) && read_tree(&parse, text, tree);
    if (ok)
        list_variants(&parse, tree, out);
    else
        out->error = parse.error;
    ARRAY_FREE(&parse.keys);
    return ok;
}
