/* base64.h - bytes as text of 64 characters, padded.
 *
 * Layer: util. Pure. Spec: RFC 4648, section 4. */
#ifndef UTIL_BASE64_H
#define UTIL_BASE64_H

#include "util/assert.h"
#include "util/buffer.h"
#include "util/span.h"

/* Append the encoding of bytes to out. */
void base64_append(struct buffer *out, struct span bytes);

/* Decode text into room bytes of out. The padding must be there and unused bits be zero, so that
 * bytes have one encoding.
 *
 * Out:      len      bytes written; undefined on failure
 * Returns:  false if the text is malformed, or its length stands for more than room bytes */
NODISCARD bool base64_decode(struct span text, uint8_t *out, size_t room, size_t *len);

#endif
