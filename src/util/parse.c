/* parse.c - strict reading of numbers. */
#include "util/parse.h"

#include "util/assert.h"

#include <stdio.h>
#include <string.h>

#define MONEY_WHOLE_DIGITS_MAX 10 /* with eight decimals it fits into 64 bits */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool parse_uint64(const char *s, uint64_t *out)
{
    ASSERT(s && out);
    uint64_t value = 0;
    if (*s == '\0')
        return false;
    for (; *s; s++) {
        if (!is_digit(*s) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool parse_int64(const char *s, int64_t *out)
{
    bool negative = *s == '-';
    uint64_t magnitude;
    if (!parse_uint64(s + negative, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool parse_bytes(const char *s, uint64_t unit, uint64_t *out)
{
    ASSERT(s && unit > 0 && out);
    static const char letters[] = "kmgtKMGT";
    char digits[24]; /* UINT64_MAX has 20, and zeros in front are nobody's wish */
    size_t len = strlen(s);
    const char *letter = len > 0 ? strchr(letters, s[len - 1]) : NULL;
    if (letter) {
        size_t at = (size_t)(letter - letters), power = at % 4 + 1;
        uint64_t base = at < 4 ? 1000 : 1024;
        for (unit = 1; power > 0; power--)
            unit *= base;
        len--;
    }
    uint64_t n;
    if (len >= sizeof digits)
        return false;
    memcpy(digits, s, len);
    digits[len] = '\0';
    if (!parse_uint64(digits, &n) || __builtin_mul_overflow(n, unit, &n))
        return false;
    *out = n;
    return true;
}

/* 18 digits: one more could overflow. */
#define FIXED_POINT_MAX 999999999999999999

/* A number as digits * 10^exponent, with trailing zeros moved into the exponent, so that "1.000"
 * and "1000000000e-9" lose nothing. */
struct decimal {
    int64_t digits;
    int64_t exponent;
    int64_t zeros; /* zeros seen that no other digit has followed yet */
};

static bool add_digit(struct decimal *d, char c)
{
    ASSERT(d->digits >= 0 && d->zeros >= 0);
    if (c == '0') {
        d->zeros++;
        return true;
    }
    for (; d->zeros >= 0; d->zeros--) {
        if (d->digits > FIXED_POINT_MAX / 10)
            return false;
        d->digits *= 10;
    }
    d->zeros = 0;
    d->digits += c - '0';
    return true;
}

/* Digits before the point: one 0, or no 0 in front (JSON's rule). Returns where they end. */
static const char *read_whole(const char *at, const char *end, struct decimal *d)
{
    if (at == end || !is_digit(*at))
        return NULL;
    if (*at == '0')
        return at + 1;
    for (; at < end && is_digit(*at); at++)
        if (!add_digit(d, *at))
            return NULL;
    return at;
}

/* The point and at least one digit, if there is a point. */
static const char *read_fraction(const char *at, const char *end, struct decimal *d)
{
    if (at == end || *at != '.')
        return at;
    at++;
    if (at == end || !is_digit(*at))
        return NULL;
    for (; at < end && is_digit(*at); at++) {
        if (!add_digit(d, *at))
            return NULL;
        d->exponent--;
    }
    return at;
}

/* e, an optional sign and at least one digit, if there is an e. */
static const char *read_exponent(const char *at, const char *end, struct decimal *d)
{
    if (at == end || (*at != 'e' && *at != 'E'))
        return at;
    at++;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end || !is_digit(*at))
        return NULL;
    int64_t exponent = 0;
    for (; at < end && is_digit(*at); at++) {
        if (exponent > FIXED_POINT_MAX / 10)
            return NULL;
        exponent = 10 * exponent + (*at - '0');
    }
    d->exponent += negative ? -exponent : exponent;
    return at;
}

bool parse_fixed_point(const char *s, size_t len, int decimals, int64_t *out)
{
    ASSERT(s && decimals >= 0 && decimals < 18 && out);
    struct decimal d = {0};
    const char *at = s, *end = s + len;
    bool negative = at < end && *at == '-';
    at = read_whole(at + negative, end, &d);
    at = at ? read_fraction(at, end, &d) : NULL;
    at = at ? read_exponent(at, end, &d) : NULL;
    if (at != end)
        return false;

    /* The zeros behind the last digit count as exponent. */
    int64_t exponent = d.exponent + d.zeros + decimals;
    if (exponent < 0 || exponent >= 18)
        return false;
    for (; exponent > 0; exponent--) {
        if (d.digits > FIXED_POINT_MAX / 10)
            return false;
        d.digits *= 10;
    }
    if (d.digits > FIXED_POINT_MAX)
        return false;
    *out = negative ? -d.digits : d.digits;
    return true;
}

/* "1." and ".5" are amounts, and so is "." alone: Core's reading, which config files may rely on.
 */
bool parse_money(const char *s, int64_t *out_sat)
{
    ASSERT(s && out_sat);
    static const char blanks[] = " \f\n\r\t\v";
    s += strspn(s, blanks);
    size_t len = strlen(s);
    while (len > 0 && strchr(blanks, s[len - 1]))
        len--;
    const char *at = s, *end = s + len;
    int64_t amount_sat = 0;
    for (; at < end && is_digit(*at); at++) {
        if (at - s == MONEY_WHOLE_DIGITS_MAX)
            return false;
        amount_sat = 10 * amount_sat + (*at - '0');
    }
    at += at < end && *at == '.';
    for (int i = 0; i < AMOUNT_DECIMALS; i++)
        amount_sat = 10 * amount_sat + (at < end && is_digit(*at) ? *at++ - '0' : 0);
    if (len == 0 || at != end)
        return false;
    *out_sat = amount_sat;
    return true;
}

char *format_money(int64_t amount_sat, char *out)
{
    /* By magnitude: the quotient of a small negative amount would lose its sign. */
    uint64_t magnitude = amount_sat < 0 ? 0 - (uint64_t)amount_sat : (uint64_t)amount_sat;
    snprintf(out, AMOUNT_STRING_BYTES, "%s%llu.%08llu", amount_sat < 0 ? "-" : "",
             (unsigned long long)(magnitude / 100000000),
             (unsigned long long)(magnitude % 100000000));
    size_t len = strlen(out);
    while (out[len - 1] == '0' && out[len - 3] != '.')
        out[--len] = '\0';
    return out;
}
