/* parse.h - numbers and amounts as text, read strictly.
 *
 * Layer: util. The whole text must be the number: no spaces around it, nothing behind it. */
#ifndef UTIL_PARSE_H
#define UTIL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

enum {
    AMOUNT_DECIMALS = 8,
};

/* Read a decimal integer: digits with an optional minus before them.
 *
 * Out:      out  the number; unchanged after failure
 * Returns:  false if the text is anything else or does not fit */
NODISCARD bool parse_int64(const char *s, int64_t *out);
/* Read digits as a number of 64 bits without a sign; otherwise as parse_int64(). */
NODISCARD bool parse_uint64(const char *s, uint64_t *out);

/* Read a count of bytes: digits and one of k, m, g, t (powers of 1000) or K, M, G, T (of 1024).
 *
 * In:       unit  the multiplier of a number without a letter
 * Out:      out   bytes; unchanged after failure
 * Returns:  false if the text is anything else or does not fit
 * Spec:     Core ParseByteUnits() */
NODISCARD bool parse_bytes(const char *s, uint64_t unit, uint64_t *out);

/* Read a decimal number as a multiple of 10^-decimals, exactly: digits that would be lost are
 * an error, not rounded. The form is a JSON number's, exponent included ("1e-8" with 8 decimals
 * is 1).
 *
 * In:       s, len  the text, need not be terminated
 * Out:      out  the multiple, of a magnitude below 10^18; unchanged after failure
 * Returns:  false if it is no number, does not fit, or has more decimals than that
 * Spec:     Core ParseFixedPoint() */
NODISCARD bool parse_fixed_point(const char *s, size_t len, int decimals, int64_t *out);

/* Read an amount of bitcoins as options have it: digits, with at most eight more behind a point,
 * blanks around it; no sign, no exponent.
 *
 * Out:      out_sat  satoshi, not range-checked against the money supply: that is consensus's
 * Returns:  false if the text is anything else
 * Spec:     Core ParseMoney() */
NODISCARD bool parse_money(const char *s, int64_t *out_sat);

#define AMOUNT_STRING_BYTES 24 /* "-92233720368.54775808" and its zero fit */

/* Show satoshi as bitcoins for a message: two decimals, and those behind them that are not zeros.
 *
 * Out:      out  at least AMOUNT_STRING_BYTES
 * Returns:  out
 * Spec:     Core FormatMoney() */
char *format_money(int64_t amount_sat, char *out);

#endif
