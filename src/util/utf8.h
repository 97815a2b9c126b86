/* utf8.h - is text from outside well-formed UTF-8?
 *
 * Layer: util. */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include "util/span.h"

/* The length of the well-formed sequence at the start of text: 1 for ASCII.
 *
 * In:       text  borrowed; not empty
 * Returns:  1 to 4, or 0 if it is malformed: a sequence cut off, an overlong form, a surrogate,
 *           something above U+10FFFF
 * Spec:     RFC 3629, section 4 */
size_t utf8_sequence_bytes(struct span text);

#endif
