/* json_write.c - a tree of values back to text, compact or indented. */
#include "rpc/json_write.h"

#include "util/assert.h"

static void new_line(struct json_out *out, unsigned indent, size_t level)
{
    if (indent == 0)
        return;
    size_t spaces = indent * level;
    uint8_t *to = buffer_reserve(out->buffer, spaces + 1);
    to[0] = '\n';
    memset(to + 1, ' ', spaces);
    out->buffer->len += spaces + 1;
}

/* The comma, line break and name before a value inside a container. */
static void write_lead(struct json_out *out, const struct json_value *container,
                       const struct json_value *value, unsigned indent, size_t level)
{
    if (container->first != value)
        buffer_append(out->buffer, ",", 1);
    new_line(out, indent, level);
    out->need_comma = false;
    if (container->kind == JSON_KIND_OBJECT) {
        json_put_text(out, value->name);
        buffer_append_string(out->buffer, indent ? ": " : ":");
        out->need_comma = false;
    }
}

/* A scalar, or the opening of a container. */
static void write_value(struct json_out *out, const struct json_value *value)
{
    switch (value->kind) {
    case JSON_KIND_NULL:
        json_put_null(out);
        break;
    case JSON_KIND_BOOL:
        json_put_bool(out, value->boolean);
        break;
    case JSON_KIND_OBJECT:
        json_open_object(out);
        break;
    case JSON_KIND_ARRAY:
        json_open_array(out);
        break;
    case JSON_KIND_STRING:
        json_put_text(out, value->text);
        break;
    case JSON_KIND_NUMBER:
        json_put_raw(out, value->text);
        break;
    }
}

static bool is_container(const struct json_value *value)
{
    return value->kind == JSON_KIND_OBJECT || value->kind == JSON_KIND_ARRAY;
}

void json_write(struct buffer *buffer, const struct json_value *value, unsigned indent)
{
    struct json_out out = json_out_to(buffer);
    const struct json_value *open[JSON_DEPTH_MAX + 1];
    size_t depth = 0;
    for (const struct json_value *v = value;;) {
        if (depth > 0)
            write_lead(&out, open[depth - 1], v, indent, depth);
        write_value(&out, v);
        const struct json_value *next = depth > 0 ? v->next : NULL;
        if (is_container(v)) {
            ASSERT(depth < COUNT_OF(open));
            open[depth++] = v;
            next = v->first;
        }
        while (!next && depth > 0) {
            const struct json_value *container = open[--depth];
            new_line(&out, indent, depth);
            if (container->kind == JSON_KIND_OBJECT)
                json_close_object(&out);
            else
                json_close_array(&out);
            next = depth > 0 ? container->next : NULL;
        }
        if (depth == 0)
            return;
        v = next;
    }
}

void json_put_value(struct json_out *out, const struct json_value *value)
{
    ASSERT(out);
    json_put_raw(out, span_of(NULL, 0)); /* the comma, if one is due */
    json_write(out->buffer, value, 0);
}

struct json_value *json_new(struct arena *arena, enum json_kind kind)
{
    struct json_value *value = arena_calloc(arena, 1, sizeof *value);
    value->kind = kind;
    return value;
}

struct json_value *json_new_text(struct arena *arena, enum json_kind kind, struct span text)
{
    struct json_value *value = json_new(arena, kind);
    char *copy = arena_alloc(arena, text.len + 1);
    if (text.len)
        memcpy(copy, text.p, text.len);
    copy[text.len] = 0;
    value->text = span_of(copy, text.len);
    return value;
}

void json_add(struct json_value *container, const char *name, struct json_value *child)
{
    ASSERT(is_container(container) && (name != NULL) == (container->kind == JSON_KIND_OBJECT));
    struct json_value **link = &container->first;
    while (*link)
        link = &(*link)->next;
    *link = child;
    container->n++;
    if (name)
        child->name = span_of_string(name);
}
