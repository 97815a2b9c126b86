/* bech32.h - Bech32 and Bech32m text: a prefix, 5-bit values, and a checksum that finds errors.
 *
 * Layer: crypto. Which prefix belongs to which network: see key_io.h. Spec: BIP173, BIP350. */
#ifndef CRYPTO_BECH32_H
#define CRYPTO_BECH32_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/span.h"

enum {
    BECH32_CHARS_MAX = 90,
    BECH32_CHECKSUM_CHARS = 6,
    BECH32_VALUES_MAX = BECH32_CHARS_MAX - 2 - BECH32_CHECKSUM_CHARS,
};

enum bech32_encoding {
    BECH32_INVALID,
    BECH32_V0, /* Bech32, for witness version 0 */
    BECH32_M,  /* Bech32m, for versions 1 to 16 */
};

struct bech32 {
    enum bech32_encoding encoding;
    char prefix[BECH32_CHARS_MAX];     /* in lower case, zero-terminated */
    uint8_t values[BECH32_VALUES_MAX]; /* without the checksum */
    size_t n_values;
};

/* Decode text in either case. Returns: out->encoding; the rest of out is set unless it is
 * BECH32_INVALID. */
enum bech32_encoding bech32_decode(const char *text, struct bech32 *out);

/* Where the mistakes in a text are that does not decode. */
struct bech32_errors {
    const char *message;          /* constant; "" if there is no mistake */
    size_t n;                     /* positions found, 0 if they cannot be told */
    bool too_long;                /* positions are all those from BECH32_CHARS_MAX on */
    uint8_t at[BECH32_CHARS_MAX]; /* ascending, otherwise */
};

/* Find up to two wrong characters after the prefix, or whatever else keeps the text from decoding.
 * For people to look at, not to correct an address by. Spec: Core bech32::LocateErrors() */
void bech32_locate_errors(const char *text, struct bech32_errors *errors);

/* The i-th position, i below errors->n. */
static inline size_t bech32_error_at(const struct bech32_errors *errors, size_t i)
{
    return errors->too_long ? BECH32_CHARS_MAX + i : errors->at[i];
}

/* Pack 5-bit values into bytes, n * 5 / 8 of them. Returns: false if the bits that are left over
 * are five or more, or not zero. BIP-173, Segwit address format */
NODISCARD bool bech32_values_to_bytes(const uint8_t *values, size_t n, uint8_t *out, size_t *len);

/* The address of a witness program of 2 to 40 bytes, version 0 to 16. Spec: BIP173, BIP350.
 *
 * In:       prefix  in lower case
 * Out:      text    zero-terminated
 * Returns:  how many characters; 0 if it would be too long (never for prefixes of up to 18) */
NODISCARD size_t bech32_segwit_encode(const char *prefix, int version, struct span program,
                                      char text[BECH32_CHARS_MAX + 1]);

#endif
