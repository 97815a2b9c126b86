/* json_write.h - a tree of values back to text, compact or indented.
 *
 * Layer: rpc. Pure, without recursion. */
#ifndef RPC_JSON_WRITE_H
#define RPC_JSON_WRITE_H

#include "rpc/json_in.h"
#include "rpc/json_out.h"

/* Append value as text. Numbers are written as they were read.
 *
 * In:       indent  spaces per level with a line per item; 0: everything on one line
 * Spec:     UniValue::write(): an empty array still takes two lines when indented */
void json_write(struct buffer *buffer, const struct json_value *value, unsigned indent);

/* The same, compact, as an item of an answer. */
void json_put_value(struct json_out *out, const struct json_value *value);

/* A value made by hand, without text or children, in an arena. */
struct json_value *json_new(struct arena *arena, enum json_kind kind);
/* The same with a copy of text: of a string, or of a number as it is to be written. */
struct json_value *json_new_text(struct arena *arena, enum json_kind kind, struct span text);
/* Hang child under container as its last; name (borrowed) for objects, else NULL. Linear. */
void json_add(struct json_value *container, const char *name, struct json_value *child);

#endif
