/* hex.c - hexadecimal text by table lookup, and by wide registers where there are some. */
#include "util/hex.h"

#include "util/assert.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

#ifdef __SSE2__
/* Sixteen values below 16 as digits. */
static __m128i digits_of(__m128i nibbles)
{
    __m128i is_letter = _mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9));
    __m128i shift = _mm_and_si128(is_letter, _mm_set1_epi8('a' - '0' - 10));
    return _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')), shift);
}

/* Sixteen bytes to 32 digits. */
static void encode_16(char *out, __m128i in)
{
    const __m128i low_bits = _mm_set1_epi8(15);
    __m128i high = digits_of(_mm_and_si128(_mm_srli_epi16(in, 4), low_bits));
    __m128i low = digits_of(_mm_and_si128(in, low_bits));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_unpacklo_epi8(high, low));
    _mm_storeu_si128((__m128i *)(void *)(out + 16), _mm_unpackhi_epi8(high, low));
}

static __m128i load_16(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Sixteen bytes the other way round: pairs of bytes first, then the bytes of each. */
static __m128i reverse_16(__m128i v)
{
    v = _mm_shuffle_epi32(v, 0x4e);
    v = _mm_shufflehi_epi16(_mm_shufflelo_epi16(v, 0x1b), 0x1b);
    return _mm_or_si128(_mm_slli_epi16(v, 8), _mm_srli_epi16(v, 8));
}

/* Sixteen bytes at a time, five times as fast as the table: half of a large answer is hex. Every
 * x86-64 can do it. The last ones are written once more where they are no full sixteen.
 * Returns: how many bytes were written: all, or none of fewer than 16. */
static size_t encode_wide(char *out, struct span bytes)
{
    if (bytes.len < 16)
        return 0;
    for (size_t i = 0; bytes.len - i >= 16; i += 16)
        encode_16(out + 2 * i, load_16(bytes.p + i));
    encode_16(out + 2 * (bytes.len - 16), load_16(bytes.p + bytes.len - 16));
    return bytes.len;
}

/* The same, last byte first. */
static size_t encode_reversed_wide(char *out, struct span bytes)
{
    if (bytes.len < 16)
        return 0;
    const uint8_t *end = bytes.p + bytes.len;
    for (size_t i = 0; bytes.len - i >= 16; i += 16)
        encode_16(out + 2 * i, reverse_16(load_16(end - i - 16)));
    encode_16(out + 2 * (bytes.len - 16), reverse_16(load_16(bytes.p)));
    return bytes.len;
}
#else
static size_t encode_wide(char *out, struct span bytes)
{
    (void)out, (void)bytes;
    return 0;
}

static size_t encode_reversed_wide(char *out, struct span bytes)
{
    (void)out, (void)bytes;
    return 0;
}
#endif

char *hex_encode(char *out, struct span bytes)
{
    ASSERT(out && (bytes.p || bytes.len == 0));
    size_t i = encode_wide(out, bytes);
    char *at = out + 2 * i;
    for (; i < bytes.len; i++, at += 2)
        memcpy(at, digit_pairs[bytes.p[i]], 2);
    *at = '\0';
    return out;
}

char *hex_encode_reversed(char *out, struct span bytes)
{
    ASSERT(out && (bytes.p || bytes.len == 0));
    size_t left = bytes.len - encode_reversed_wide(out, bytes);
    char *at = out + 2 * (bytes.len - left);
    for (size_t i = left; i-- > 0; at += 2)
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
