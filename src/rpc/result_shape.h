/* result_shape.h - the notation in which the table of methods tells what answers look like.
 *
 * Layer: rpc. Pure. For people in the help of a method, and as JSON Schema for programs:
 *
 *     "hex"  "str"  "one|other"     strings: of hex digits, any, one of these
 *     n  amount  bool               a number, one in BTC, true or false
 *     null  true  false  any        just that, or anything
 *     {"height": n, "time"?: n}     members in their order; ? behind one that may be missing
 *     {"height": n, ...}            and maybe others
 *     {<txid>: n, ...}              members of any name
 *     [n, ...]  [n, n]              any number of items, just these
 *     {...}  [...]  {}              of any content, of none
 *     n or "str"                    one of several
 *
 * Behind each may follow what it means, in parentheses, and behind the whole, after four spaces, in
 * any words. */
#ifndef RPC_RESULT_SHAPE_H
#define RPC_RESULT_SHAPE_H

#include "rpc/json_out.h"
#include "util/buffer.h"

#define RESULT_SHAPE_DEPTH_MAX 16 /* objects, arrays and choices inside each other */

/* Write the schema of a shape as one object.
 *
 * In:       shape  in the notation; a slip is a bug of the table
 * Returns:  the words behind the whole, "" if there are none
 * Spec:     JSON Schema, draft 7 */
const char *result_shape_put_schema(struct json_out *out, const char *shape);

/* Append a shape for people: what fits stands in one line, else members have lines of their own.
 *
 * In:  shape  in the notation, with the words behind it */
void result_shape_write(struct buffer *buffer, const char *shape);

#endif
