/* desc_write.c - descriptors as texts: of one script, and whole with public keys. */
#include "consensus/key_io.h"
#include "spend/descriptor/desc_checksum.h"
#include "spend/descriptor/desc_infer.h"
#include "spend/descriptor/desc_tree_internal.h"
#include "util/hex.h"

/* Put the checksum behind what was written from start on. */
static void close_text(struct buffer *out, size_t start)
{
    char checksum[DESC_CHECKSUM_CHARS + 1];
    bool ok = desc_checksum(span_of(out->p + start, out->len - start), checksum);
    ASSERT(ok);
    buffer_append_format(out, "#%s", checksum);
}

static void append_hex(struct buffer *out, struct span bytes)
{
    uint8_t *to = buffer_reserve(out, 2 * bytes.len + 1);
    hex_encode((char *)to, bytes);
    out->len += 2 * bytes.len;
}

/* -- Keys ------------------------------------------------------------------------------------- */

static void write_origin(struct buffer *out, const struct key_origin *origin, const char *hardened)
{
    buffer_append_string(out, "[");
    append_hex(out, span_of(origin->fingerprint, sizeof origin->fingerprint));
    for (uint32_t i = 0; i < origin->n_path; i++)
        buffer_append_format(out, "/%u%s", origin->path[i] & ~BIP32_HARDENED,
                             origin->path[i] & BIP32_HARDENED ? hardened : "");
    buffer_append_string(out, "]");
}

static void write_path(struct buffer *out, const struct desc_path *path, size_t variant,
                       const char *hardened)
{
    for (size_t i = 0; i < path->n; i++) {
        bool is_choice = path->n_choices > 0 && i == path->choice_at;
        uint32_t step = is_choice ? path->choices[variant % path->n_choices] : path->steps[i];
        buffer_append_format(out, "/%u%s", step & ~BIP32_HARDENED,
                             step & BIP32_HARDENED ? hardened : "");
    }
    if (path->range != DESC_RANGE_NONE)
        buffer_append_format(out, "/*%s", path->range == DESC_RANGE_HARDENED ? hardened : "");
}

/* A key that is no musig(), as it was given but for secrets. */
static void write_single(struct buffer *out, const struct desc_tree *tree,
                         const struct desc_key *key, size_t variant)
{
    const char *hardened = key->has_apostrophe ? "'" : "h";
    if (key->has_origin)
        write_origin(out, &key->origin, hardened);
    if (key->kind == DESC_KEY_PLAIN) {
        append_hex(out,
                   key->is_x_only ? span_of(key->bytes + 1, 32) : span_of(key->bytes, key->len));
        return;
    }
    bip32_write_public(tree->network, key->root, out);
    write_path(out, &key->path, variant, hardened);
}

static void write_public_key(struct buffer *out, const struct desc_tree *tree,
                             const struct desc_key *key, size_t variant)
{
    if (key->kind != DESC_KEY_MUSIG) {
        write_single(out, tree, key, variant);
        return;
    }
    buffer_append_string(out, "musig(");
    for (size_t i = 0; i < key->n_participants; i++) {
        buffer_append_string(out, i > 0 ? "," : "");
        write_single(out, tree, &key->participants[i], variant);
    }
    buffer_append_string(out, ")");
    write_path(out, &key->path, variant, "h");
}

/* "[d34db33f/44h/0]02...": at an index. */
static void write_derived_key(struct buffer *out, const struct desc_derived *derived, bool x_only)
{
    const struct desc_key *key = derived->key;
    bool is_bare = key->kind == DESC_KEY_PLAIN && key->is_x_only && !key->has_secret;
    if (key->has_origin || (derived->has_origin && !is_bare))
        write_origin(out, &derived->origin, "h");
    append_hex(out,
               x_only ? span_of(derived->bytes + 1, 32) : span_of(derived->bytes, derived->len));
}

/* How keys are written: as they were given, or derived. */
struct key_style {
    const struct desc_tree *tree;
    size_t variant;
    const struct desc_derived *derived; /* or NULL */
    bool x_only;
    size_t first_key; /* of the function that is being written */
};

static void write_key(struct buffer *out, const struct key_style *style, size_t number)
{
    if (style->derived)
        write_derived_key(out, &style->derived[number], style->x_only);
    else
        write_public_key(out, style->tree, &style->tree->keys[number], style->variant);
}

static void ms_write_key(void *ctx, uint32_t key, struct buffer *out)
{
    const struct key_style *style = ctx;
    write_key(out, style, style->first_key + key);
}

/* -- Functions -------------------------------------------------------------------------------- */

static void write_multi(struct buffer *out, const struct desc_script *script,
                        struct key_style *style)
{
    struct arena arena;
    struct key_style own = *style;
    enum desc_function function = script->function;
    size_t first = script->first_key;
    arena_init(&arena, 4096);
    /* One script of sortedmulti() has its keys in a known order. */
    if (style->derived && function != DESC_MULTI && function != DESC_MULTI_A) {
        own.derived = desc_sorted(script, style->derived + first, &arena);
        function = function == DESC_SORTEDMULTI ? DESC_MULTI : DESC_MULTI_A;
        first = 0;
    }
    buffer_append_format(out, "%s(%u", desc_function_name(function), script->required);
    for (size_t i = 0; i < script->n_keys; i++) {
        buffer_append_string(out, ",");
        write_key(out, &own, first + i);
    }
    buffer_append_string(out, ")");
    arena_deinit(&arena);
}

static void write_script(struct buffer *out, const struct desc_script *script,
                         struct key_style *style)
{
    char address[ADDRESS_SIZE];
    style->first_key = script->first_key;
    if (desc_is_multi(script)) {
        write_multi(out, script, style);
        return;
    }
    if (script->function == DESC_MINISCRIPT) {
        struct ms_keys keys = {.ctx = style, .write = ms_write_key};
        ms_write(&script->ms, &keys, script->ms.n - 1, out);
        return;
    }
    buffer_append_format(out, "%s(", desc_function_name(script->function));
    if (script->function == DESC_RAW)
        append_hex(out, script->script);
    else if (script->function == DESC_ADDR &&
             address_encode(style->tree->network, script->script, address))
        buffer_append_string(out, address);
    if (script->n_keys > 0)
        write_key(out, style, script->first_key);
    buffer_append_string(out, ")");
}

/* Leaves with the braces that their depths stand for. */
static void write_leaves(struct buffer *out, const struct desc_tree *tree, struct key_style *style)
{
    bool is_right[TAP_DEPTH_MAX + 2] = {false};
    size_t depth = 0;
    for (size_t i = 0; i < tree->n_leaves; i++) {
        const struct desc_script *leaf = &tree->leaves[i];
        for (; depth < leaf->depth; is_right[++depth] = false)
            buffer_append_string(out, "{");
        write_script(out, leaf, style);
        for (; depth > 0 && is_right[depth]; depth--)
            buffer_append_string(out, "}");
        if (depth > 0) {
            buffer_append_string(out, ",");
            is_right[depth] = true;
        }
    }
}

static void write_tree(struct buffer *out, const struct desc_tree *tree, struct key_style *style)
{
    size_t start = out->len;
    buffer_append_format(out, "%s%s", tree->is_sh ? "sh(" : "", tree->is_wsh ? "wsh(" : "");
    if (tree->n_leaves > 0) {
        buffer_append_string(out, "tr(");
        write_key(out, style, tree->top.first_key);
        buffer_append_string(out, ",");
        write_leaves(out, tree, style);
        buffer_append_string(out, ")");
    } else {
        write_script(out, &tree->top, style);
    }
    buffer_append_format(out, "%s%s", tree->is_wsh ? ")" : "", tree->is_sh ? ")" : "");
    close_text(out, start);
}

/* One of the scripts of combo(). */
static void write_combo(struct buffer *out, const struct desc_derived *key, size_t at)
{
    static const char *const heads[DESC_SCRIPTS_MAX] = {"pk(", "pkh(", "wpkh(", "sh(wpkh("};
    ASSERT(at < DESC_SCRIPTS_MAX);
    size_t start = out->len;
    buffer_append_string(out, heads[at]);
    write_derived_key(out, key, false);
    buffer_append_string(out, at == DESC_SCRIPTS_MAX - 1 ? "))" : ")");
    close_text(out, start);
}

bool desc_write_script(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                       size_t at, struct buffer *out)
{
    ASSERT(desc && out);
    const struct desc_tree *tree = desc->tree;
    struct arena arena;
    struct desc_derived *keys;
    if (tree->n_keys == 0) {
        desc_infer(out, tree->network, tree->top.script, NULL);
        return true;
    }
    arena_init(&arena, 4096);
    struct desc_deriving how = {
        .ec = ec, .arena = &arena, .variant = desc->variant, .index = index};
    bool ok = desc_derive(&how, tree, &keys);
    struct key_style style = {.tree = tree,
                              .derived = keys,
                              .x_only = tree->top.function == DESC_TR ||
                                        tree->top.function == DESC_RAWTR};
    if (ok && tree->top.function == DESC_COMBO)
        write_combo(out, &keys[0], at);
    else if (ok)
        write_tree(out, tree, &style);
    arena_deinit(&arena);
    return ok;
}

void desc_write(const struct desc *desc, struct buffer *out)
{
    ASSERT(desc && out);
    struct key_style style = {.tree = desc->tree, .variant = desc->variant};
    write_tree(out, desc->tree, &style);
}

void desc_write_key(const struct network *network, const struct desc_key *key, struct buffer *out)
{
    ASSERT(network && key && out);
    struct desc_tree tree = {.network = network};
    write_public_key(out, &tree, key, 0);
}
