/* miniscript_read.c - expressions read from text, with a stack in place of recursion. */
#include "spend/miniscript/miniscript_internal.h"
#include "util/hex.h"

enum { MULTI_KEYS_MAX = 20 };

/* A function whose arguments are expressions, and what has been read of them. */
struct frame {
    enum ms_fragment fragment;
    bool is_and_n;
    uint32_t k;           /* thresh() */
    struct span wrappers; /* in front of it */
    size_t values;        /* that there were before its own */
};

struct reading {
    const struct ms_keys *keys;
    struct ms_builder builder;
    struct span left;
    ARRAY(struct frame) frames;
    ARRAY(uint32_t) values; /* expressions read that nothing has taken yet */
};

/* -- Characters ------------------------------------------------------------------------------- */

static bool take(struct reading *reading, const char *text)
{
    size_t len = strlen(text);
    if (reading->left.len < len || memcmp(reading->left.p, text, len) != 0)
        return false;
    reading->left = span_of(reading->left.p + len, reading->left.len - len);
    return true;
}

/* All before the next comma or closing bracket that is not inside other brackets. */
static struct span take_argument(struct reading *reading)
{
    size_t depth = 0, i = 0;
    const uint8_t *p = reading->left.p;
    for (; i < reading->left.len; i++) {
        if (depth == 0 && (p[i] == ',' || p[i] == ')'))
            break;
        depth += p[i] == '(';
        depth -= p[i] == ')';
    }
    reading->left = span_of(p + i, reading->left.len - i);
    return span_of(p, i);
}

static bool read_number(struct span text, uint32_t max, uint32_t *out)
{
    uint64_t value = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
        if (value > max)
            return false;
    }
    *out = (uint32_t)value;
    return value >= 1;
}

/* The letters in front of a colon, without it; none if there is no colon behind letters. */
static struct span take_wrappers(struct reading *reading)
{
    const uint8_t *p = reading->left.p;
    size_t n = 0;
    while (n < reading->left.len && p[n] >= 'a' && p[n] <= 'z')
        n++;
    if (n == reading->left.len || p[n] != ':')
        return span_of(p, 0);
    reading->left = span_of(p + n + 1, reading->left.len - n - 1);
    return span_of(p, n);
}

/* -- Leaves ----------------------------------------------------------------------------------- */

static uint32_t add(struct reading *reading, struct ms_node node)
{
    return ms_builder_add(&reading->builder, node, NULL, 0);
}

static uint32_t wrap(struct reading *reading, enum ms_fragment fragment, uint32_t value)
{
    return ms_builder_add(&reading->builder, (struct ms_node){.fragment = fragment}, &value, 1);
}

static bool read_key(struct reading *reading, struct span text, uint32_t **keys, size_t n)
{
    return text.len > 0 && reading->keys->read(reading->keys->ctx, text, &(*keys)[n]);
}

/* pk(), pkh(), pk_k() and pk_h(). */
static bool read_one_key(struct reading *reading, enum ms_fragment fragment, bool is_checked,
                         uint32_t *value)
{
    uint32_t *key = arena_calloc(reading->builder.arena, 1, sizeof *key);
    if (!read_key(reading, take_argument(reading), &key, 0) || !take(reading, ")"))
        return false;
    *value = add(reading, (struct ms_node){.fragment = fragment, .n_keys = 1, .keys = key});
    if (is_checked)
        *value = wrap(reading, MS_WRAP_C, *value);
    return true;
}

static bool read_lock(struct reading *reading, enum ms_fragment fragment, uint32_t *value)
{
    struct ms_node node = {.fragment = fragment};
    /* BIP-379, Correctness: below 2^31. */
    if (!read_number(take_argument(reading), INT32_MAX, &node.k) || !take(reading, ")"))
        return false;
    *value = add(reading, node);
    return true;
}

static bool read_hash(struct reading *reading, enum ms_fragment fragment, size_t len,
                      uint32_t *value)
{
    uint8_t *hash = arena_alloc(reading->builder.arena, len);
    struct span text = take_argument(reading);
    if (!hex_decode(hash, len, (const char *)text.p, text.len) || !take(reading, ")"))
        return false;
    *value = add(reading, (struct ms_node){.fragment = fragment, .hash = span_of(hash, len)});
    return true;
}

/* multi() in P2WSH, multi_a() in tapscript. */
static bool read_multi(struct reading *reading, enum ms_fragment fragment, uint32_t *value)
{
    enum ms_context context = reading->builder.context;
    size_t max = fragment == MS_MULTI ? MULTI_KEYS_MAX : MS_KEYS_MAX, n = 0;
    struct ms_node node = {.fragment = fragment};
    if ((context == MS_P2WSH) != (fragment == MS_MULTI) ||
        !read_number(take_argument(reading), MS_KEYS_MAX, &node.k))
        return false;
    uint32_t *keys = arena_calloc(reading->builder.arena, max, sizeof *keys);
    while (take(reading, ",")) {
        if (n == max || !read_key(reading, take_argument(reading), &keys, n++))
            return false;
    }
    if (n < node.k || !take(reading, ")"))
        return false;
    node.n_keys = (uint32_t)n;
    node.keys = keys;
    *value = add(reading, node);
    return true;
}

enum outcome { NO_SUCH, BROKEN, LEAF, OPENED };

/* A leaf, if it is one. */
static enum outcome read_leaf(struct reading *reading, uint32_t *value)
{
    bool ok = true;
    if (take(reading, "0"))
        *value = add(reading, (struct ms_node){.fragment = MS_0});
    else if (take(reading, "1"))
        *value = add(reading, (struct ms_node){.fragment = MS_1});
    else if (take(reading, "pk("))
        ok = read_one_key(reading, MS_PK_K, true, value);
    else if (take(reading, "pkh("))
        ok = read_one_key(reading, MS_PK_H, true, value);
    else if (take(reading, "pk_k("))
        ok = read_one_key(reading, MS_PK_K, false, value);
    else if (take(reading, "pk_h("))
        ok = read_one_key(reading, MS_PK_H, false, value);
    else if (take(reading, "sha256("))
        ok = read_hash(reading, MS_SHA256, 32, value);
    else if (take(reading, "ripemd160("))
        ok = read_hash(reading, MS_RIPEMD160, 20, value);
    else if (take(reading, "hash256("))
        ok = read_hash(reading, MS_HASH256, 32, value);
    else if (take(reading, "hash160("))
        ok = read_hash(reading, MS_HASH160, 20, value);
    else if (take(reading, "after("))
        ok = read_lock(reading, MS_AFTER, value);
    else if (take(reading, "older("))
        ok = read_lock(reading, MS_OLDER, value);
    else if (take(reading, "multi("))
        ok = read_multi(reading, MS_MULTI, value);
    else if (take(reading, "multi_a("))
        ok = read_multi(reading, MS_MULTI_A, value);
    else
        return NO_SUCH;
    return ok ? LEAF : BROKEN;
}

/* -- What is made of others ------------------------------------------------------------------- */

/* "name(" of a function whose arguments are expressions; of thresh() its number as well. */
static enum outcome open_function(struct reading *reading, struct span wrappers)
{
    static const struct {
        const char *name;
        enum ms_fragment fragment;
    } functions[] = {
        {"andor(", MS_ANDOR}, {"and_v(", MS_AND_V}, {"and_b(", MS_AND_B}, {"or_b(", MS_OR_B},
        {"or_c(", MS_OR_C},   {"or_d(", MS_OR_D},   {"or_i(", MS_OR_I},
    };
    struct frame frame = {.wrappers = wrappers, .values = reading->values.n};
    size_t i = 0;
    if (take(reading, "thresh(")) {
        frame.fragment = MS_THRESH;
        if (!read_number(take_argument(reading), MS_THRESH_MAX, &frame.k) || !take(reading, ","))
            return BROKEN;
    } else if (take(reading, "and_n(")) {
        frame.fragment = MS_ANDOR;
        frame.is_and_n = true;
    } else {
        while (i < COUNT_OF(functions) && !take(reading, functions[i].name))
            i++;
        if (i == COUNT_OF(functions))
            return BROKEN;
        frame.fragment = functions[i].fragment;
    }
    *ARRAY_ADD(&reading->frames) = frame;
    return OPENED;
}

/* One wrapper around an expression, or what it is short for. BIP-379, Translation Table */
static bool apply_wrapper(struct reading *reading, uint8_t letter, uint32_t *value)
{
    static const char letters[] = "ascdvjn";
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (known) {
        *value = wrap(reading, (enum ms_fragment)(MS_WRAP_A + (known - letters)), *value);
        return true;
    }
    if (letter != 't' && letter != 'l' && letter != 'u')
        return false;
    uint32_t constant = add(reading, (struct ms_node){.fragment = letter == 't' ? MS_1 : MS_0});
    uint32_t parts[] = {letter == 'l' ? constant : *value, letter == 'l' ? *value : constant};
    struct ms_node node = {.fragment = letter == 't' ? MS_AND_V : MS_OR_I};
    *value = ms_builder_add(&reading->builder, node, parts, 2);
    return true;
}

static bool push_wrapped(struct reading *reading, struct span wrappers, uint32_t value)
{
    for (size_t i = wrappers.len; i > 0; i--) {
        if (!apply_wrapper(reading, wrappers.p[i - 1], &value) ||
            ms_builder_is_full(&reading->builder))
            return false;
    }
    *ARRAY_ADD(&reading->values) = value;
    return true;
}

/* The closing bracket of the innermost function: its arguments become one expression. */
static bool close_function(struct reading *reading)
{
    ASSERT(reading->frames.n > 0);
    struct frame frame = reading->frames.at[--reading->frames.n];
    size_t n = reading->values.n - frame.values;
    struct ms_node node = {.fragment = frame.fragment, .k = frame.k};
    bool is_thresh = frame.fragment == MS_THRESH;
    size_t want = frame.fragment == MS_ANDOR && !frame.is_and_n ? 3 : 2;
    if (is_thresh ? n < frame.k || n > MS_THRESH_MAX : n != want)
        return false;
    if (frame.is_and_n) {
        *ARRAY_ADD(&reading->values) = add(reading, (struct ms_node){.fragment = MS_0});
        n++;
    }
    uint32_t value = ms_builder_add(&reading->builder, node, &reading->values.at[frame.values], n);
    reading->values.n = frame.values;
    return push_wrapped(reading, frame.wrappers, value);
}

/* An expression is complete: functions that end with it are closed. Sets *is_whole behind the
 * outermost one. */
static bool end_expression(struct reading *reading, bool *is_whole)
{
    while (reading->frames.n > 0) {
        if (take(reading, ","))
            return true;
        if (!take(reading, ")") || !close_function(reading))
            return false;
    }
    *is_whole = true;
    return reading->left.len == 0;
}

static bool read_all(struct reading *reading)
{
    bool is_whole = false;
    while (!is_whole) {
        struct span wrappers = take_wrappers(reading);
        uint32_t value;
        enum outcome outcome = read_leaf(reading, &value);
        if (outcome == NO_SUCH)
            outcome = open_function(reading, wrappers);
        if (outcome == BROKEN || ms_builder_is_full(&reading->builder))
            return false;
        if (outcome == OPENED)
            continue;
        if (!push_wrapped(reading, wrappers, value) || !end_expression(reading, &is_whole))
            return false;
    }
    return true;
}

bool ms_read(const struct ms_keys *keys, enum ms_context context, struct span text,
             struct arena *arena, struct miniscript *out)
{
    ASSERT(keys && keys->read && out);
    struct reading reading = {.keys = keys, .left = text};
    ms_builder_init(&reading.builder, context, arena);
    bool ok = text.len > 0 && read_all(&reading);
    if (ok)
        ms_builder_finish(&reading.builder, out);
    ms_builder_deinit(&reading.builder);
    ARRAY_FREE(&reading.frames);
    ARRAY_FREE(&reading.values);
    return ok;
}
