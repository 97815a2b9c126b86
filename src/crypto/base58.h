/* base58.h - bytes as text without look-alike letters, plain and with a checksum.
 *
 * Layer: crypto. What the bytes mean (addresses, keys) depends on the network: see key_io.h.
 * The cost is quadratic, so whoever takes text from outside bounds it first by max_len. */
#ifndef CRYPTO_BASE58_H
#define CRYPTO_BASE58_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/span.h"

/* Characters, with the closing zero, that len bytes take at most (1.37 per byte). */
#define BASE58_SIZE(len) ((len)*138 / 100 + 2)

enum { BASE58_LEN_MAX = 256 }; /* bytes, with the checksum */

/* Encode at most BASE58_LEN_MAX bytes. Out: zero-terminated, BASE58_SIZE(in.len) characters. */
void base58_encode(struct span in, char *out);

/* Decode text, around which blanks are allowed.
 *
 * In:       max_len  room in out, at most BASE58_LEN_MAX
 * Returns:  false for any other character, or if the bytes are more than max_len */
NODISCARD bool base58_decode(const char *text, size_t max_len, uint8_t *out, size_t *len);

/* Encode bytes with the first 4 bytes of their double SHA-256 behind them. Out: zero-terminated,
 * BASE58_SIZE(in.len + 4) characters. */
void base58check_encode(struct span in, char *out);

/* Decode what base58check_encode() made.
 *
 * In:       max_len  room in out, without the 4 bytes of the checksum
 * Returns:  false as base58_decode(), or if the checksum does not fit */
NODISCARD bool base58check_decode(const char *text, size_t max_len, uint8_t *out, size_t *len);

#endif
