/* result_shape.c - see result_shape.h. */
#include "rpc/result_shape.h"

#include "util/assert.h"
#include "util/span.h"

#define WORDS_BEHIND "    "
#define LINE_MAX_LEN 90
#define INDENT       2

/* -- The notation ------------------------------------------------------------------------------ */

static bool starts(const char *at, const char *with)
{
    return strncmp(at, with, strlen(with)) == 0;
}

/* Behind the next character that is the one given. */
static const char *behind(const char *at, char c)
{
    const char *found = strchr(at, c);
    ASSERT(found);
    return found + 1;
}

/* Behind a bracket, a string, a name, words in parentheses, or a run of letters. */
static const char *skip_token(const char *at, size_t *depth)
{
    size_t letters = strspn(at, "abcdefghijklmnopqrstuvwxyz");
    ASSERT(*at);
    switch (*at) {
    case '"':
        return behind(at + 1, '"');
    case '(':
        return behind(at, ')');
    case '<':
        return behind(at, '>');
    case '{':
    case '[':
        ++*depth;
        return at + 1;
    case '}':
    case ']':
        ASSERT(*depth > 0);
        --*depth;
        return at + 1;
    default:
        return at + (letters ? letters : 1);
    }
}

/* Behind one shape and what it means; what else it could be is not looked at. */
static const char *skip_one(const char *at)
{
    size_t depth = 0;
    do
        at = skip_token(at, &depth);
    while (depth > 0);
    return starts(at, " (") ? behind(at, ')') : at;
}

/* Behind one of several too. */
static const char *skip_shape(const char *at)
{
    at = skip_one(at);
    while (starts(at, " or "))
        at = skip_one(at + 4);
    return at;
}

/* -- As a schema ------------------------------------------------------------------------------- */

enum frame_kind { FRAME_OBJECT, FRAME_MAP, FRAME_ARRAY, FRAME_TUPLE, FRAME_CHOICE };

struct walk {
    struct json_out *out;
    const char *at;
    size_t depth;
    struct {
        enum frame_kind kind;
        const char *start; /* of what is in the brackets */
        int64_t n;         /* items so far */
    } open[RESULT_SHAPE_DEPTH_MAX];
};

static void enter(struct walk *walk, enum frame_kind kind)
{
    ASSERT(walk->depth < RESULT_SHAPE_DEPTH_MAX);
    walk->open[walk->depth].kind = kind;
    walk->open[walk->depth].start = walk->at;
    walk->open[walk->depth].n = 1;
    walk->depth++;
}

/* The notation goes on with these characters. */
static void expect(struct walk *walk, const char *text)
{
    ASSERT(starts(walk->at, text));
    walk->at += strlen(text);
}

/* What the schema is a schema of, if that is told, and its end. */
static void close_schema(struct walk *walk)
{
    if (starts(walk->at, " (")) {
        const char *words = walk->at + 2;
        walk->at = behind(words, ')');
        json_put_key(walk->out, "description");
        json_put_text(walk->out, span_of(words, (size_t)(walk->at - words) - 1));
    }
    json_close_object(walk->out);
}

/* One of some strings, which stand between bars. */
static void put_enum(struct json_out *out, const char *at, const char *end)
{
    json_field_array(out, "enum");
    while (at < end) {
        size_t len = strcspn(at, "|\"");
        json_put_text(out, span_of(at, len));
        at += len + 1;
    }
    json_close_array(out);
}

static void put_string(struct walk *walk)
{
    const char *start = walk->at + 1;
    walk->at = behind(start, '"');
    json_field_string(walk->out, "type", "string");
    if (starts(start, "hex\""))
        json_field_string(walk->out, "pattern", "^[0-9a-fA-F]*$");
    else if (!starts(start, "str\""))
        put_enum(walk->out, start, walk->at - 1);
}

static void put_word(struct walk *walk)
{
    static const struct {
        const char *word, *members;
    } known[] = {
        {"null", "\"type\":\"null\""},
        {"n", "\"type\":\"number\""},
        {"amount", "\"type\":\"number\",\"x-bitcoin-unit\":\"amount\""},
        {"bool", "\"type\":\"boolean\""},
        {"true", "\"const\":true"},
        {"false", "\"const\":false"},
        {"any", ""},
    };
    size_t i = 0;
    while (i < COUNT_OF(known) && !starts(walk->at, known[i].word))
        i++;
    ASSERT(i < COUNT_OF(known));
    expect(walk, known[i].word);
    if (*known[i].members)
        json_put_raw(walk->out, span_of_string(known[i].members));
}

static void begin_member(struct walk *walk)
{
    expect(walk, "\"");
    size_t len = strcspn(walk->at, "\"");
    json_put_key_of(walk->out, walk->at, len);
    walk->at += len;
    expect(walk, walk->at[1] == '?' ? "\"?: " : "\": ");
}

/* Returns: is it whole, with nothing in the brackets to be told? */
static bool begin_object(struct walk *walk)
{
    json_field_string(walk->out, "type", "object");
    bool is_open = starts(walk->at, "{...}"), is_empty = starts(walk->at, "{}");
    if (is_open || is_empty) {
        if (is_empty)
            json_field_bool(walk->out, "additionalProperties", false);
        expect(walk, is_open ? "{...}" : "{}");
        return true;
    }
    expect(walk, "{");
    if (*walk->at == '<') {
        enter(walk, FRAME_MAP);
        walk->at = behind(walk->at, '>');
        expect(walk, ": ");
        json_put_key(walk->out, "additionalProperties");
        return false;
    }
    enter(walk, FRAME_OBJECT);
    json_field_object(walk->out, "properties");
    begin_member(walk);
    return false;
}

/* As begin_object(). */
static bool begin_array(struct walk *walk)
{
    json_field_string(walk->out, "type", "array");
    if (starts(walk->at, "[...]")) {
        expect(walk, "[...]");
        return true;
    }
    expect(walk, "[");
    bool repeats = starts(skip_shape(walk->at), ", ...]");
    enter(walk, repeats ? FRAME_ARRAY : FRAME_TUPLE);
    json_put_key(walk->out, "items");
    if (!repeats)
        json_open_array(walk->out);
    return false;
}

/* Begin the schema of what stands here, other choices not looked at. Returns: is it whole? */
static bool begin_one(struct walk *walk)
{
    json_open_object(walk->out);
    bool is_whole = true;
    if (*walk->at == '{')
        is_whole = begin_object(walk);
    else if (*walk->at == '[')
        is_whole = begin_array(walk);
    else if (*walk->at == '"')
        put_string(walk);
    else
        put_word(walk);
    if (is_whole)
        close_schema(walk);
    return is_whole;
}

static bool begin_shape(struct walk *walk)
{
    if (starts(skip_one(walk->at), " or ")) {
        json_open_object(walk->out);
        json_field_array(walk->out, "oneOf");
        enter(walk, FRAME_CHOICE);
    }
    return begin_one(walk);
}

/* The names of members that are always there. */
static void put_required(struct walk *walk, const char *at)
{
    bool any = false;
    while (*at == '"') {
        const char *name = at + 1, *end = behind(name, '"');
        bool is_required = *end != '?';
        if (is_required && !any)
            json_field_array(walk->out, "required");
        if (is_required)
            json_put_text(walk->out, span_of(name, (size_t)(end - name) - 1));
        any = any || is_required;
        at = skip_shape(end + (is_required ? 2 : 3));
        at += starts(at, ", ") ? 2 : 0;
    }
    if (any)
        json_close_array(walk->out);
}

/* A member is whole. Returns: so is the object? */
static bool go_on_object(struct walk *walk)
{
    bool has_more = starts(walk->at, ", ...}");
    if (!has_more && *walk->at == ',') {
        expect(walk, ", ");
        begin_member(walk);
        return false;
    }
    expect(walk, has_more ? ", ...}" : "}");
    json_close_object(walk->out);
    put_required(walk, walk->open[walk->depth - 1].start);
    json_field_bool(walk->out, "additionalProperties", has_more);
    return true;
}

static bool go_on_tuple(struct walk *walk)
{
    int64_t *n = &walk->open[walk->depth - 1].n;
    if (*walk->at == ',') {
        expect(walk, ", ");
        ++*n;
        return false;
    }
    expect(walk, "]");
    json_close_array(walk->out);
    json_field_bool(walk->out, "additionalItems", false);
    json_field_int(walk->out, "minItems", *n);
    json_field_int(walk->out, "maxItems", *n);
    return true;
}

/* What is inside the innermost brackets is whole. Returns: is what they enclose? */
static bool go_on(struct walk *walk)
{
    bool is_whole = true;
    switch (walk->open[walk->depth - 1].kind) {
    case FRAME_OBJECT:
        is_whole = go_on_object(walk);
        break;
    case FRAME_MAP:
        expect(walk, ", ...}");
        break;
    case FRAME_ARRAY:
        expect(walk, ", ...]");
        break;
    case FRAME_TUPLE:
        is_whole = go_on_tuple(walk);
        break;
    case FRAME_CHOICE:
        if (starts(walk->at, " or ")) {
            expect(walk, " or ");
            return begin_one(walk);
        }
        json_close_array(walk->out);
        break;
    }
    if (is_whole) {
        walk->depth--;
        close_schema(walk);
    }
    return is_whole;
}

const char *result_shape_put_schema(struct json_out *out, const char *shape)
{
    ASSERT(out && shape);
    struct walk walk = {.out = out, .at = shape};
    bool is_whole = begin_shape(&walk);
    while (!is_whole || walk.depth > 0)
        is_whole = is_whole ? go_on(&walk) : begin_shape(&walk);
    if (!*walk.at)
        return walk.at;
    expect(&walk, WORDS_BEHIND);
    return walk.at;
}

/* -- For people -------------------------------------------------------------------------------- */

/* Where brackets are open: which of them, and have their members lines of their own? */
struct layout {
    struct buffer *buffer;
    size_t line_start, depth, indent;
    bool has_lines[RESULT_SHAPE_DEPTH_MAX + 1];
};

static void break_line(struct layout *layout)
{
    buffer_append_string(layout->buffer, "\n");
    layout->line_start = layout->buffer->len;
    for (size_t i = 0; i < layout->indent; i++)
        buffer_append_string(layout->buffer, " ");
}

/* Would a shape that begins here end in this line? */
static bool fits(const struct layout *layout, const char *at)
{
    size_t used = layout->buffer->len - layout->line_start;
    return used + (size_t)(skip_one(at) - at) < LINE_MAX_LEN;
}

/* What stands before and behind a token, to have lines end where they should. */
static void lay_out(struct layout *layout, const char *token, const char *end)
{
    bool closes = *token == '}' || *token == ']';
    bool opens = *token == '{' || *token == '[';
    bool opens_lines = *token == '{' && token[1] != '.' && !fits(layout, token);
    if (closes && layout->has_lines[layout->depth + 1]) {
        layout->indent -= INDENT;
        break_line(layout);
    }
    if (*token == ' ' && token[-1] == ',' && layout->has_lines[layout->depth])
        break_line(layout);
    else
        buffer_append(layout->buffer, token, (size_t)(end - token));
    if (opens)
        layout->has_lines[layout->depth] = opens_lines;
    if (opens_lines) {
        layout->indent += INDENT;
        break_line(layout);
    }
}

void result_shape_write(struct buffer *buffer, const char *shape)
{
    ASSERT(buffer && shape);
    const char *at = shape, *end = strstr(shape, WORDS_BEHIND);
    struct layout layout = {.buffer = buffer, .line_start = buffer->len};
    while (*at && at != end) {
        const char *token = at;
        at = skip_token(at, &layout.depth);
        ASSERT(layout.depth < RESULT_SHAPE_DEPTH_MAX);
        lay_out(&layout, token, at);
    }
    buffer_append_string(buffer, at);
}
