/* hex.h - bytes as hexadecimal text and back.
 *
 * Layer: util. Many digits a step: the answer to getblock is a few megabytes of them.
 * Ids (txid, block hash) are shown with their bytes reversed, hence the _reversed pair. */
#ifndef UTIL_HEX_H
#define UTIL_HEX_H

#include <stdbool.h>
#include <stddef.h>

#include "util/assert.h"
#include "util/span.h"

/* Room for the text of a 32-byte id with its terminating zero. */
#define HEX_ID_BYTES 65

/* Write the bytes as lower-case digits.
 *
 * Out:      out  2 * bytes.len digits and a terminating zero
 * Returns:  out */
char *hex_encode(char *out, struct span bytes);

/* The same, last byte first: how 32-byte ids are shown.
 *
 * Out:      out  2 * bytes.len digits and a terminating zero
 * Returns:  out */
char *hex_encode_reversed(char *out, struct span bytes);

/* Read exactly out_len bytes from text of exactly len characters, in either case.
 *
 * Out:      out  the bytes; unspecified after failure
 * Returns:  false unless len is 2 * out_len and every character is a digit */
NODISCARD bool hex_decode(void *out, size_t out_len, const char *s, size_t len);

/* The same, with the last byte first in the text.
 *
 * Out:      out  the bytes; unspecified after failure
 * Returns:  false unless len is 2 * out_len and every character is a digit */
NODISCARD bool hex_decode_reversed(void *out, size_t out_len, const char *s, size_t len);

/* True if s is an even number of hexadecimal digits; the empty string is. */
bool hex_is_valid(const char *s, size_t len);

/* The value of one digit, or -1. */
int hex_digit(char c);

#endif
