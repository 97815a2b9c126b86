/* json_in.c - JSON text to a tree of values in an arena, under limits. */
#include "rpc/json_in.h"

#include "util/assert.h"
#include "util/parse.h"
#include "util/utf8.h"

struct level {
    struct json_value *container;
    struct json_value *last; /* child, NULL if none yet */
};

struct parser {
    const uint8_t *start, *at, *end;
    struct arena *arena;
    size_t n_values;
    size_t depth;
    struct level level[JSON_DEPTH_MAX];
};

static void skip_space(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* Is c next? Then step over it. */
static bool take(struct parser *p, uint8_t c)
{
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static bool take_word(struct parser *p, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
        return false;
    p->at += len;
    return true;
}

/* -- Strings ------------------------------------------------------------------------------ */

static uint8_t *utf8_put(uint8_t *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (uint8_t)code;
    } else if (code < 0x800) {
        *out++ = (uint8_t)(0xc0 | code >> 6);
        *out++ = (uint8_t)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (uint8_t)(0xe0 | code >> 12);
        *out++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *out++ = (uint8_t)(0x80 | (code & 0x3f));
    } else {
        *out++ = (uint8_t)(0xf0 | code >> 18);
        *out++ = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        *out++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *out++ = (uint8_t)(0x80 | (code & 0x3f));
    }
    return out;
}

static bool take_hex4(struct parser *p, uint32_t *code)
{
    if (p->end - p->at < 4)
        return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = *p->at++;
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10u;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10u;
        else
            return false;
        *code = *code << 4 | digit;
    }
    return true;
}

/* What follows "\u": one unit, or a surrogate pair. */
static bool take_code_point(struct parser *p, uint32_t *code)
{
    if (!take_hex4(p, code))
        return false;
    if (*code < 0xd800 || *code > 0xdfff)
        return true;
    uint32_t low;
    if (*code > 0xdbff || !take_word(p, "\\u") || !take_hex4(p, &low) || low < 0xdc00 ||
        low > 0xdfff)
        return false;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* What follows a backslash; the decoded bytes go to out. NULL if malformed. */
static uint8_t *take_escape(struct parser *p, uint8_t *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (p->at == p->end)
        return NULL;
    uint8_t c = *p->at++;
    if (c == 'u') {
        uint32_t code;
        return take_code_point(p, &code) ? utf8_put(out, code) : NULL;
    }
    const char *found = c ? strchr(from, c) : NULL;
    if (!found)
        return NULL;
    *out++ = (uint8_t)to[found - from];
    return out;
}

/* Where the string that p stands in ends; p->end if it does not. */
static const uint8_t *string_end(const struct parser *p)
{
    const uint8_t *s = p->at;
    while (s < p->end && *s != '"')
        s += *s == '\\' && p->end - s > 1 ? 2 : 1;
    return s;
}

/* A string whose opening quote was taken. Decoding never lengthens, so the text's length is enough
 * room. */
static bool take_string(struct parser *p, struct span *text)
{
    const uint8_t *quote = string_end(p);
    if (quote == p->end)
        return false;
    uint8_t *start = arena_alloc(p->arena, (size_t)(quote - p->at) + 1), *out = start;
    while (*p->at != '"') {
        if (*p->at < 0x20)
            return false;
        if (*p->at == '\\') {
            p->at++;
            out = take_escape(p, out);
            if (!out || p->at > quote)
                return false;
        } else {
            size_t len = utf8_sequence_bytes(span_of(p->at, (size_t)(quote - p->at)));
            if (len == 0)
                return false;
            for (size_t i = 0; i < len; i++)
                *out++ = *p->at++;
        }
    }
    p->at++;
    *out = 0;
    *text = span_of(start, (size_t)(out - start));
    return true;
}

/* -- Numbers ------------------------------------------------------------------------------ */

static bool skip_digits(struct parser *p)
{
    const uint8_t *start = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > start;
}

static bool take_number(struct parser *p, struct span *text)
{
    const uint8_t *start = p->at;
    (void)take(p, '-');
    if (!take(p, '0') && !skip_digits(p))
        return false;
    if (take(p, '.') && !skip_digits(p))
        return false;
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '+'))
            (void)take(p, '-');
        if (!skip_digits(p))
            return false;
    }
    size_t len = (size_t)(p->at - start);
    char *copy = arena_alloc(p->arena, len + 1);
    memcpy(copy, start, len);
    copy[len] = 0;
    *text = span_of(copy, len);
    return true;
}

/* -- Structure ---------------------------------------------------------------------------- */

/* A scalar, or the opening of a container. */
static bool take_value(struct parser *p, struct json_value *value)
{
    if (p->at == p->end)
        return false;
    value->at = (uint32_t)(p->at - p->start);
    switch (*p->at) {
    case '{':
        p->at++;
        value->kind = JSON_KIND_OBJECT;
        return true;
    case '[':
        p->at++;
        value->kind = JSON_KIND_ARRAY;
        return true;
    case '"':
        p->at++;
        value->kind = JSON_KIND_STRING;
        return take_string(p, &value->text);
    case 'n':
        value->kind = JSON_KIND_NULL;
        return take_word(p, "null");
    case 't':
        value->kind = JSON_KIND_BOOL;
        value->boolean = true;
        return take_word(p, "true");
    case 'f':
        value->kind = JSON_KIND_BOOL;
        return take_word(p, "false");
    default:
        value->kind = JSON_KIND_NUMBER;
        return take_number(p, &value->text);
    }
}

/* Take the next value (with its name inside an object), hang it under the innermost container and
 * go into it if it is a container itself. */
static bool next_value(struct parser *p)
{
    if (++p->n_values > JSON_VALUES_MAX)
        return false;
    struct json_value *value = arena_calloc(p->arena, 1, sizeof *value);
    struct level *level = &p->level[p->depth - 1];
    if (level->container->kind == JSON_KIND_OBJECT) {
        if (!take(p, '"') || !take_string(p, &value->name))
            return false;
        skip_space(p);
        if (!take(p, ':'))
            return false;
        skip_space(p);
    }
    if (!take_value(p, value))
        return false;
    if (level->last)
        level->last->next = value;
    else
        level->container->first = value;
    level->last = value;
    level->container->n++;
    if (value->kind == JSON_KIND_OBJECT || value->kind == JSON_KIND_ARRAY) {
        if (p->depth == JSON_DEPTH_MAX)
            return false;
        p->level[p->depth++] = (struct level){.container = value};
    }
    return true;
}

static uint8_t closing(const struct level *level)
{
    return level->container->kind == JSON_KIND_OBJECT ? '}' : ']';
}

/* All of the container that p stands in, and what is inside it. */
static bool take_contents(struct parser *p)
{
    while (p->depth > 0) {
        struct level *level = &p->level[p->depth - 1];
        skip_space(p);
        if (take(p, closing(level))) {
            p->depth--;
            continue;
        }
        if (level->last) {
            if (!take(p, ','))
                return false;
            skip_space(p);
        }
        if (!next_value(p))
            return false;
    }
    return true;
}

/* The value that the whole text is. */
static bool take_text(struct parser *p, struct json_value *root)
{
    skip_space(p);
    if (!take_value(p, root))
        return false;
    if (root->kind == JSON_KIND_OBJECT || root->kind == JSON_KIND_ARRAY) {
        p->level[p->depth++] = (struct level){.container = root};
        if (!take_contents(p))
            return false;
    }
    skip_space(p);
    return p->at == p->end;
}

bool json_parse_at(struct span text, struct arena *arena, struct json_value **out, size_t *fault_at)
{
    ASSERT(arena && out && fault_at);
    *fault_at = 0;
    if (text.len == 0 || text.len > UINT32_MAX)
        return false;
    struct parser p = {.start = text.p, .at = text.p, .end = text.p + text.len, .arena = arena};
    struct json_value *root = arena_calloc(arena, 1, sizeof *root);
    if (!take_text(&p, root)) {
        *fault_at = (size_t)(p.at - text.p);
        return false;
    }
    *out = root;
    return true;
}

bool json_parse(struct span text, struct arena *arena, struct json_value **out)
{
    size_t fault_at;
    return json_parse_at(text, arena, out, &fault_at);
}

/* -- Reading the tree --------------------------------------------------------------------- */

const struct json_value *json_find(const struct json_value *object, const char *name)
{
    if (object->kind != JSON_KIND_OBJECT)
        return NULL;
    for (const struct json_value *v = object->first; v; v = v->next) {
        if (span_equal(v->name, span_of_string(name)))
            return v;
    }
    return NULL;
}

const struct json_value *json_at(const struct json_value *array, size_t index)
{
    ASSERT(array);
    const struct json_value *v = array->first;
    while (v && index-- > 0)
        v = v->next;
    return v;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {"null", "bool", "object", "array", "string", "number"};
    ASSERT((size_t)kind < COUNT_OF(names));
    return names[kind];
}

bool json_text_is(const struct json_value *value, const char *s)
{
    return value->kind == JSON_KIND_STRING && span_equal(value->text, span_of_string(s));
}

bool json_integer_in(const struct json_value *value, int64_t min, int64_t max, int64_t *out)
{
    ASSERT(min <= max && out);
    ASSERT(value);
    if (value->kind != JSON_KIND_NUMBER)
        return false;
    struct parser p = {.at = value->text.p, .end = value->text.p + value->text.len};
    bool negative = take(&p, '-');
    /* Counted below zero, where there is one value more. */
    int64_t n = 0;
    for (; p.at < p.end; p.at++) {
        if (*p.at < '0' || *p.at > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_sub_overflow(n, *p.at - '0', &n))
            return false;
    }
    if (!negative && n == INT64_MIN)
        return false;
    n = negative ? n : -n;
    if (n < min || n > max)
        return false;
    *out = n;
    return true;
}

bool json_fixed_point(const struct json_value *value, int decimals, int64_t *out)
{
    ASSERT(decimals >= 0 && out);
    ASSERT(value);
    if (value->kind != JSON_KIND_NUMBER && value->kind != JSON_KIND_STRING)
        return false;
    return parse_fixed_point((const char *)value->text.p, value->text.len, decimals, out);
}
