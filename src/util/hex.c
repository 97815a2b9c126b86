/* hex.c - hexadecimal text by table lookup. */
#include "util/hex.h"

#include "util/assert.h"

#include <stdint.h>
#include <string.h>

/* clang-format off */
#define ROW(d) \
    {d,'0'}, {d,'1'}, {d,'2'}, {d,'3'}, {d,'4'}, {d,'5'}, {d,'6'}, {d,'7'}, \
    {d,'8'}, {d,'9'}, {d,'a'}, {d,'b'}, {d,'c'}, {d,'d'}, {d,'e'}, {d,'f'}

/* The two digits of every byte. */
static const char digit_pairs[256][2] = {
    ROW('0'), ROW('1'), ROW('2'), ROW('3'), ROW('4'), ROW('5'), ROW('6'), ROW('7'),
    ROW('8'), ROW('9'), ROW('a'), ROW('b'), ROW('c'), ROW('d'), ROW('e'), ROW('f'),
};

_Static_assert(sizeof digit_pairs == 2 * (UINT8_MAX + 1), "two digits for every byte");

/* A digit's value plus 1, so that the zeros of the table mean "not a digit". */
static const uint8_t digit_values[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
    ['8'] = 9, ['9'] = 10,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};
/* clang-format on */

char *hex_encode(char *out, struct span bytes)
{
    ASSERT(out && (bytes.p || bytes.len == 0));
    char *at = out;
    for (size_t i = 0; i < bytes.len; i++, at += 2)
        memcpy(at, digit_pairs[bytes.p[i]], 2);
    *at = '\0';
    return out;
}

char *hex_encode_reversed(char *out, struct span bytes)
{
    ASSERT(out && (bytes.p || bytes.len == 0));
    char *at = out;
    for (size_t i = bytes.len; i-- > 0; at += 2)
        memcpy(at, digit_pairs[bytes.p[i]], 2);
    *at = '\0';
    return out;
}

/* Two digits to a byte; *bad becomes non-zero if either is none, so that a whole text costs one
 * test at its end. */
static uint8_t decode_pair(const char *s, unsigned *bad)
{
    unsigned high = digit_values[(uint8_t)s[0]], low = digit_values[(uint8_t)s[1]];
    *bad |= (unsigned)(high == 0) | (unsigned)(low == 0);
    return (uint8_t)((high - 1) << 4 | ((low - 1) & 15));
}

bool hex_decode(void *out, size_t out_len, const char *s, size_t len)
{
    ASSERT((s || len == 0) && (out || out_len == 0));
    if (len % 2 != 0 || len / 2 != out_len)
        return false;
    uint8_t *bytes = out;
    unsigned bad = 0;
    for (size_t i = 0; i < out_len; i++)
        bytes[i] = decode_pair(s + 2 * i, &bad);
    return bad == 0;
}

bool hex_decode_reversed(void *out, size_t out_len, const char *s, size_t len)
{
    ASSERT((s || len == 0) && (out || out_len == 0));
    if (len % 2 != 0 || len / 2 != out_len)
        return false;
    uint8_t *bytes = out;
    unsigned bad = 0;
    for (size_t i = 0; i < out_len; i++)
        bytes[out_len - 1 - i] = decode_pair(s + 2 * i, &bad);
    return bad == 0;
}

bool hex_is_valid(const char *s, size_t len)
{
    if (len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i++)
        if (digit_values[(uint8_t)s[i]] == 0)
            return false;
    return true;
}

int hex_digit(char c)
{
    return digit_values[(uint8_t)c] - 1;
}
