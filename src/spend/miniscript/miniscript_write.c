/* miniscript_write.c - expressions as text, in the shortest of the forms that mean the same. */
#include "spend/miniscript/miniscript_internal.h"
#include "util/hex.h"

/* What is written of a node, and in which form. */
struct form {
    const char *name; /* of a function, with its bracket; NULL: a wrapper or leaf */
    char wrapper;     /* its letter; 0: none */
    uint32_t n_shown; /* of its parts */
    uint32_t first;   /* of those */
};

static bool is_fragment(const struct miniscript *ms, uint32_t node, enum ms_fragment fragment)
{
    return ms->nodes[node].fragment == fragment;
}

/* Functions of two that are short for a wrapper: t:, l: and u:. */
static bool find_short(const struct miniscript *ms, const struct ms_node *node, struct form *form)
{
    if (node->fragment == MS_AND_V && is_fragment(ms, node->subs[1], MS_1))
        *form = (struct form){.wrapper = 't', .n_shown = 1};
    else if (node->fragment == MS_OR_I && is_fragment(ms, node->subs[0], MS_0))
        *form = (struct form){.wrapper = 'l', .n_shown = 1, .first = 1};
    else if (node->fragment == MS_OR_I && is_fragment(ms, node->subs[1], MS_0))
        *form = (struct form){.wrapper = 'u', .n_shown = 1};
    else
        return false;
    return true;
}

static struct form form_of(const struct miniscript *ms, const struct ms_node *node)
{
    static const char *const names[] = {
        [MS_AND_V] = "and_v(", [MS_AND_B] = "and_b(",   [MS_OR_B] = "or_b(",
        [MS_OR_C] = "or_c(",   [MS_OR_D] = "or_d(",     [MS_OR_I] = "or_i(",
        [MS_ANDOR] = "andor(", [MS_THRESH] = "thresh(",
    };
    static const char letters[] = "ascdvjn";
    struct form form = {.n_shown = node->n_subs};
    if (node->n_subs == 0 || find_short(ms, node, &form))
        return form;
    if (node->fragment <= MS_WRAP_N) {
        form.wrapper = letters[node->fragment - MS_WRAP_A];
        return form;
    }
    form.name = names[node->fragment];
    if (node->fragment == MS_ANDOR && is_fragment(ms, node->subs[2], MS_0)) {
        form.name = "and_n(";
        form.n_shown = 2;
    }
    return form;
}

static void write_keys(const struct ms_keys *keys, const struct ms_node *node, const char *name,
                       struct buffer *out)
{
    buffer_append_string(out, name);
    if (node->fragment == MS_MULTI || node->fragment == MS_MULTI_A)
        buffer_append_format(out, "%u,", node->k);
    for (uint32_t i = 0; i < node->n_keys; i++) {
        buffer_append_string(out, i > 0 ? "," : "");
        keys->write(keys->ctx, node->keys[i], out);
    }
    buffer_append_string(out, ")");
}

static void write_leaf(const struct ms_keys *keys, const struct ms_node *node, bool is_checked,
                       struct buffer *out)
{
    static const char *const names[] = {
        [MS_0] = "0",
        [MS_1] = "1",
        [MS_OLDER] = "older(",
        [MS_AFTER] = "after(",
        [MS_SHA256] = "sha256(",
        [MS_HASH256] = "hash256(",
        [MS_RIPEMD160] = "ripemd160(",
        [MS_HASH160] = "hash160(",
        [MS_MULTI] = "multi(",
        [MS_MULTI_A] = "multi_a(",
    };
    if (node->fragment == MS_PK_K) {
        write_keys(keys, node, is_checked ? "pk(" : "pk_k(", out);
        return;
    }
    if (node->fragment == MS_PK_H) {
        write_keys(keys, node, is_checked ? "pkh(" : "pk_h(", out);
        return;
    }
    if (node->n_keys > 0) {
        write_keys(keys, node, names[node->fragment], out);
        return;
    }
    buffer_append_string(out, names[node->fragment]);
    if (node->fragment == MS_OLDER || node->fragment == MS_AFTER)
        buffer_append_format(out, "%u)", node->k);
    if (node->hash.len > 0) {
        uint8_t *to = buffer_reserve(out, 2 * node->hash.len + 1);
        hex_encode((char *)to, node->hash);
        out->len += 2 * node->hash.len;
        buffer_append_string(out, ")");
    }
}

/* c: around a key is part of pk() and pkh(). */
static bool is_key_check(const struct miniscript *ms, const struct ms_node *node)
{
    return node->fragment == MS_WRAP_C &&
           (is_fragment(ms, node->subs[0], MS_PK_K) || is_fragment(ms, node->subs[0], MS_PK_H));
}

/* A node whose parts are being written. */
struct open_node {
    uint32_t node, step;
    struct form form;
};

struct writing {
    const struct miniscript *ms;
    const struct ms_keys *keys;
    struct buffer *out;
    bool is_wrapped; /* a wrapper's letter was written last */
    ARRAY(struct open_node) stack;
};

static void begin_node(struct writing *writing, uint32_t number)
{
    const struct ms_node *node = &writing->ms->nodes[number];
    bool is_checked = is_key_check(writing->ms, node);
    struct form form = form_of(writing->ms, node);
    if (form.wrapper && !is_checked) {
        buffer_append(writing->out, &form.wrapper, 1);
        writing->is_wrapped = true;
    } else {
        buffer_append_string(writing->out, writing->is_wrapped ? ":" : "");
        writing->is_wrapped = false;
    }
    if (is_checked)
        write_leaf(writing->keys, &writing->ms->nodes[node->subs[0]], true, writing->out);
    else if (node->n_subs == 0)
        write_leaf(writing->keys, node, false, writing->out);
    if (is_checked || node->n_subs == 0)
        return;
    if (form.name)
        buffer_append_string(writing->out, form.name);
    if (node->fragment == MS_THRESH)
        buffer_append_format(writing->out, "%u,", node->k);
    *ARRAY_ADD(&writing->stack) = (struct open_node){.node = number, .form = form};
}

void ms_write(const struct miniscript *ms, const struct ms_keys *keys, uint32_t node,
              struct buffer *out)
{
    ASSERT(ms && node < ms->n && keys && keys->write);
    struct writing writing = {.ms = ms, .keys = keys, .out = out};
    begin_node(&writing, node);
    while (writing.stack.n > 0) {
        struct open_node *top = &writing.stack.at[writing.stack.n - 1];
        if (top->step == top->form.n_shown) {
            buffer_append_string(out, top->form.name ? ")" : "");
            writing.stack.n--;
            continue;
        }
        uint32_t part = ms->nodes[top->node].subs[top->form.first + top->step];
        if (top->step++ > 0)
            buffer_append_string(out, ",");
        begin_node(&writing, part);
    }
    ARRAY_FREE(&writing.stack);
}
