/* desc.c - the scripts that descriptors stand for. */
#include <stdlib.h>
#include <string.h>

#include "consensus/opcodes.h"
#include "consensus/script_iter.h"
#include "consensus/script_write.h"
#include "crypto/hash.h"
#include "crypto/mem.h"
#include "spend/descriptor/desc_tree_internal.h"

static const char *const function_names[DESC_FUNCTION_COUNT] = {
    [DESC_ADDR] = "addr",       [DESC_RAW] = "raw",
    [DESC_PK] = "pk",           [DESC_PKH] = "pkh",
    [DESC_WPKH] = "wpkh",       [DESC_COMBO] = "combo",
    [DESC_TR] = "tr",           [DESC_RAWTR] = "rawtr",
    [DESC_MULTI] = "multi",     [DESC_SORTEDMULTI] = "sortedmulti",
    [DESC_MULTI_A] = "multi_a", [DESC_SORTEDMULTI_A] = "sortedmulti_a",
    [DESC_MINISCRIPT] = "",
};

const char *desc_function_name(enum desc_function function)
{
    ASSERT(function < DESC_FUNCTION_COUNT);
    return function_names[function];
}

bool desc_is_solvable(const struct desc *desc)
{
    ASSERT(desc);
    enum desc_function function = desc->tree->top.function;
    return function != DESC_ADDR && function != DESC_RAW;
}

size_t desc_n_keys(const struct desc *desc)
{
    ASSERT(desc && desc->tree);
    size_t n = desc->tree->n_keys;
    for (size_t i = 0; i < desc->tree->n_keys; i++)
        n += desc->tree->keys[i].n_participants;
    return n;
}

/* -- Scripts of keys -------------------------------------------------------------------------- */

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

/* BIP-381, pk() */
static struct span script_pk(struct arena *arena, struct span key)
{
    uint8_t push = (uint8_t)key.len;
    return join(arena, span_of(&push, 1), key, span_of("\xac", 1));
}

/* BIP-381, pkh() */
static struct span script_pkh(struct arena *arena, struct span key)
{
    return of_hash160(arena, span_of("\x76\xa9\x14", 3), key, span_of("\x88\xac", 2));
}

/* BIP-382, wpkh() */
static struct span script_wpkh(struct arena *arena, struct span key)
{
    ASSERT(key.len == 33); /* BIP-143, Restrictions on public key type */
    return of_hash160(arena, span_of("\x00\x14", 2), key, span_of("", 0));
}

/* BIP-381, sh() */
static struct span script_sh(struct arena *arena, struct span script)
{
    return of_hash160(arena, span_of("\xa9\x14", 2), script, span_of("\x87", 1));
}

/* BIP-382, wsh() */
static struct span script_wsh(struct arena *arena, struct span script)
{
    uint8_t hash[32];
    sha256(script, hash);
    return join(arena, span_of("\x00\x20", 2), span_of(hash, sizeof hash), span_of("", 0));
}

static struct span script_v1(struct arena *arena, const uint8_t x[32])
{
    return join(arena, span_of("\x51\x20", 2), span_of(x, 32), span_of("", 0));
}

static struct span key_bytes(const struct desc_derived *key, bool is_x_only)
{
    if (!is_x_only)
        return span_of(key->bytes, key->len);
    ASSERT(key->len == 33);
    return span_of(key->bytes + 1, 32);
}

/* -- Multisig --------------------------------------------------------------------------------- */

static int compare_derived(const void *a, const void *b)
{
    const struct desc_derived *const *x = a, *const *y = b;
    size_t len = (*x)->len < (*y)->len ? (*x)->len : (*y)->len;
    int order = memcmp((*x)->bytes, (*y)->bytes, len);
    return order ? order : (*x)->len - (*y)->len;
}

/* In tapscript only the x counts. BIP-387, sortedmulti_a() */
static int compare_x(const void *a, const void *b)
{
    const struct desc_derived *const *x = a, *const *y = b;
    return memcmp((*x)->bytes + 1, (*y)->bytes + 1, 32);
}

const struct desc_derived *desc_sorted(const struct desc_script *script,
                                       const struct desc_derived *keys, struct arena *arena)
{
    ASSERT(script && keys);
    bool is_x_only = script->function == DESC_SORTEDMULTI_A;
    if (!is_x_only && script->function != DESC_SORTEDMULTI)
        return keys;
    const struct desc_derived **order = arena_calloc(arena, script->n_keys, sizeof *order);
    struct desc_derived *sorted = arena_calloc(arena, script->n_keys, sizeof *sorted);
    for (size_t i = 0; i < script->n_keys; i++)
        order[i] = &keys[i];
    qsort(order, script->n_keys, sizeof *order, is_x_only ? compare_x : compare_derived);
    for (size_t i = 0; i < script->n_keys; i++)
        sorted[i] = *order[i];
    return sorted;
}

static void write_number(struct writer *w, uint32_t number)
{
    uint8_t push[SCRIPT_NUM_PUSH_MAX];
    write_bytes(w, push, script_push_number(push, number));
}

/* BIP-383, Specification; BIP-387, Specification */
static struct span script_multi(struct arena *arena, const struct desc_script *script,
                                const struct desc_derived *keys)
{
    bool is_a = script->function == DESC_MULTI_A || script->function == DESC_SORTEDMULTI_A;
    size_t room = 2 * SCRIPT_NUM_PUSH_MAX + 1 + script->n_keys * 67;
    uint8_t *p = arena_alloc(arena, room);
    struct writer w = writer_to_buffer(p, room);
    keys = desc_sorted(script, keys, arena);
    if (!is_a)
        write_number(&w, script->required);
    for (size_t i = 0; i < script->n_keys; i++) {
        script_write_push(&w, key_bytes(&keys[i], is_a));
        if (is_a)
            write_u8(&w, i == 0 ? OP_CHECKSIG : OP_CHECKSIGADD);
    }
    write_number(&w, is_a ? script->required : (uint32_t)script->n_keys);
    write_u8(&w, is_a ? OP_NUMEQUAL : OP_CHECKMULTISIG);
    return span_of(p, w.len);
}

/* -- Miniscript ------------------------------------------------------------------------------- */

/* The keys of an expression. */
struct ms_source {
    const struct desc_derived *keys;
    bool is_x_only;
};

static struct span ms_key_bytes(void *ctx, uint32_t key)
{
    const struct ms_source *keys = ctx;
    return key_bytes(&keys->keys[key], keys->is_x_only);
}

static struct span script_miniscript(struct arena *arena, const struct desc_script *script,
                                     const struct desc_derived *keys, bool is_tapscript)
{
    struct ms_source of = {.keys = keys, .is_x_only = is_tapscript};
    struct ms_keys ms_keys = {.ctx = &of, .bytes = ms_key_bytes};
    struct buffer out;
    buffer_init(&out);
    ms_script(&script->ms, &ms_keys, &out);
    struct span copy = join(arena, buffer_span(&out), span_of("", 0), span_of("", 0));
    buffer_deinit(&out);
    return copy;
}

static struct span inner_script(const struct desc_script *script, const struct desc_derived *keys,
                                bool is_tapscript, struct arena *arena)
{
    ASSERT(script && arena);
    if (script->function == DESC_ADDR || script->function == DESC_RAW)
        return script->script;
    if (desc_is_multi(script))
        return script_multi(arena, script, keys);
    if (script->function == DESC_MINISCRIPT)
        return script_miniscript(arena, script, keys, is_tapscript);
    struct span key = key_bytes(&keys[0], is_tapscript);
    if (script->function == DESC_PK)
        return script_pk(arena, key);
    if (script->function == DESC_PKH)
        return script_pkh(arena, key);
    ASSERT(script->function == DESC_WPKH);
    return script_wpkh(arena, key);
}

/* -- All of them ------------------------------------------------------------------------------ */

static void add_script(struct key_book *book, struct span script)
{
    if (book)
        key_book_add_script(book, script);
}

/* Two scripts, and two more for a compressed key. BIP-384, Specification */
static size_t combo(struct arena *arena, struct span key, struct key_book *book,
                    struct span scripts[DESC_SCRIPTS_MAX])
{
    scripts[0] = script_pk(arena, key);
    scripts[1] = script_pkh(arena, key);
    if (key.len != 33)
        return 2;
    scripts[2] = script_wpkh(arena, key);
    scripts[3] = script_sh(arena, scripts[2]);
    add_script(book, scripts[2]);
    return 4;
}

/* BIP-386, tr(KEY, TREE). An empty script if the key is none, a chance of 2^-128. */
static struct span script_tr(const struct desc_tree *tree, const struct desc_derived *keys,
                             struct arena *arena, struct key_book *book)
{
    struct tap_leaf *leaves = arena_calloc(arena, tree->n_leaves + 1, sizeof *leaves);
    struct tap_tree taps = {leaves, tree->n_leaves};
    const uint8_t *internal = keys[tree->top.first_key].bytes + 1;
    uint8_t root[32], output[32];
    for (size_t i = 0; i < tree->n_leaves; i++) {
        const struct desc_script *leaf = &tree->leaves[i];
        leaves[i] =
            (struct tap_leaf){.script = inner_script(leaf, keys + leaf->first_key, true, arena),
                              .depth = leaf->depth,
                              .version = TAP_LEAF_TAPSCRIPT};
    }
    if (taps.n > 0)
        tap_tree_root(&taps, arena, root, NULL);
    if (!tap_output(internal, taps.n > 0 ? root : NULL, output, NULL) ||
        (book && !key_book_add_tap(book, internal, &taps)))
        return span_of("", 0);
    return script_v1(arena, output);
}

static size_t make_scripts(const struct desc_tree *tree, const struct desc_derived *keys,
                           struct arena *arena, struct key_book *book,
                           struct span scripts[DESC_SCRIPTS_MAX])
{
    const struct desc_script *top = &tree->top;
    const struct desc_derived *own = keys + top->first_key;
    if (top->function == DESC_COMBO)
        return combo(arena, key_bytes(own, false), book, scripts);
    struct span script;
    if (top->function == DESC_TR)
        script = script_tr(tree, keys, arena, book);
    else if (top->function == DESC_RAWTR)
        script = script_v1(arena, own->bytes + 1);
    else
        script = inner_script(top, own, false, arena);
    if (tree->is_wsh) {
        add_script(book, script);
        script = script_wsh(arena, script);
    }
    if (tree->is_sh) {
        add_script(book, script);
        script = script_sh(arena, script);
    }
    scripts[0] = script;
    return script.len > 0 || top->function == DESC_RAW ? 1 : 0;
}

size_t desc_scripts(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                    struct arena *arena, struct span scripts[DESC_SCRIPTS_MAX])
{
    ASSERT(desc && arena);
    struct desc_derived *keys;
    struct desc_deriving how = {.ec = ec, .arena = arena, .variant = desc->variant, .index = index};
    if (!desc_derive(&how, desc->tree, &keys))
        return 0;
    return make_scripts(desc->tree, keys, arena, NULL, scripts);
}

static bool add_secret_of(struct key_book *book, const struct desc_derived *key)
{
    return !key->has_secret || key_book_add_secret(book, key->secret, key->len == 33);
}

/* Who signs for an aggregate. */
static bool add_participants(struct key_book *book, const struct desc_deriving *how,
                             const struct desc_derived *key)
{
    for (size_t i = 0; i < key->key->n_participants; i++) {
        struct desc_derived part;
        if (!desc_key_derive(how, &key->key->participants[i], &part))
            return false;
        key_book_add_key(book, span_of(part.bytes, part.len), &part.origin);
        if (!add_secret_of(book, &part))
            return false;
    }
    return true;
}

bool desc_expand(const struct desc *desc, uint32_t index, enum desc_expand_mode mode,
                 struct key_book *book)
{
    ASSERT(desc && book);
    struct span scripts[DESC_SCRIPTS_MAX];
    struct desc_derived *keys;
    struct desc_deriving how = {.ec = book->ec,
                                .arena = book->arena,
                                .variant = desc->variant,
                                .index = index,
                                .with_secrets = mode == DESC_EXPAND_SECRET};
    bool ok = desc_derive(&how, desc->tree, &keys);
    for (size_t i = 0; ok && i < desc->tree->n_keys; i++) {
        const struct desc_derived *key = &keys[i];
        key_book_add_key(book, span_of(key->bytes, key->len),
                         key->has_origin ? &key->origin : NULL);
        if (key->participants)
            key_book_add_musig(book, key->bytes, key->participants, key->key->n_participants);
        ok = add_secret_of(book, key) && add_participants(book, &how, key);
    }
    ok = ok && make_scripts(desc->tree, keys, book->arena, book, scripts) > 0;
    for (size_t i = 0; keys && i < desc->tree->n_keys; i++)
        mem_wipe(keys[i].secret, sizeof keys[i].secret);
    return ok;
}

bool desc_mining_script(const struct ec_context *ec, const struct desc *desc, struct arena *arena,
                        struct span *script)
{
    ASSERT(desc && script);
    struct span scripts[DESC_SCRIPTS_MAX];
    size_t n = desc_scripts(ec, desc, 0, arena, scripts);
    if (n > 0)
        *script = scripts[n == DESC_SCRIPTS_MAX ? 2 : n - 1];
    return n > 0;
}
