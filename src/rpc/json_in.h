/* json_in.h - JSON text to a tree of values in an arena, under limits.
 *
 * Layer: rpc. Pure. Written here rather than taken from a library for three reasons: a number keeps
 * its text, so an amount never passes through a double; repeated member names are kept, so that
 * "specified multiple times" can be said; and the parser neither recurses nor spends more than a
 * fixed number of bytes per value, whatever a stranger sends. Spec: RFC 8259, strict. */
#ifndef RPC_JSON_IN_H
#define RPC_JSON_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/span.h"

#define JSON_DEPTH_MAX  64      /* arrays and objects inside each other */
#define JSON_VALUES_MAX 1000000 /* in one text: bounds the memory of a text full of "0,0,0" */

enum json_kind {
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_OBJECT,
    JSON_KIND_ARRAY,
    JSON_KIND_STRING,
    JSON_KIND_NUMBER,
};

struct json_value {
    enum json_kind kind;
    bool boolean;
    uint32_t n;               /* children of an object or array */
    uint32_t at;              /* where it begins in the text, which is below 4 GiB */
    struct span name;         /* if this is a member of an object: decoded */
    struct span text;         /* STRING: decoded, a zero byte behind it; NUMBER: as written */
    struct json_value *first; /* children in the order of the text */
    struct json_value *next;  /* sibling */
};

/* Parse a whole text.
 *
 * Out:      *out   borrows arena only: text may be freed afterwards
 * Returns:  false if the text is not exactly one JSON value in valid UTF-8, is too deep or holds
 *           too many values */
NODISCARD bool json_parse(struct span text, struct arena *arena, struct json_value **out);

/* The same for text that people write.
 *
 * Out:      *fault_at  where it stops to be JSON, if it is none */
NODISCARD bool json_parse_at(struct span text, struct arena *arena, struct json_value **out,
                             size_t *fault_at);

/* The member of that name, the first if there are several; NULL if there is none or object is
 * not an object. */
const struct json_value *json_find(const struct json_value *object, const char *name);

/* The child at index; NULL behind the end. Linear: for short lists. */
const struct json_value *json_at(const struct json_value *array, size_t index);

/* "null", "bool", "object", "array", "string", "number": as error messages name the kinds. */
const char *json_kind_name(enum json_kind kind);

/* True if value is a string equal to s. */
bool json_text_is(const struct json_value *value, const char *s);

/* An integer without fraction and exponent, in min..max. False for all else. */
NODISCARD bool json_integer_in(const struct json_value *value, int64_t min, int64_t max,
                               int64_t *out);

/* A decimal with up to decimals digits behind the point (exponents allowed) as an integer of
 * 10^-decimals units, exactly. value is a number, or a string that reads as one.
 * Returns: false if malformed, too precise or not below 10^18 units
 * Spec: Core ParseFixedPoint() */
NODISCARD bool json_fixed_point(const struct json_value *value, int decimals, int64_t *out);

#endif
