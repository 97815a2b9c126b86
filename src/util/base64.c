/* base64.c - both directions, three bytes for four characters. */
#include "util/base64.h"

void base64_append(struct buffer *out, struct span bytes)
{
    ASSERT(out && (bytes.p || bytes.len == 0));
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t bits = (uint32_t)bytes.p[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes.p[i + 1] << 8 : 0;
        bits |= left > 2 ? bytes.p[i + 2] : 0;
        char group[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                         left > 1 ? digits[bits >> 6 & 63] : '=',
                         left > 2 ? digits[bits & 63] : '='};
        buffer_append(out, group, sizeof group);
    }
}

/* clang-format off */
/* A digit's value plus 1, so that the zeros of the table mean "not a digit". */
static const uint8_t digit_values[256] = {
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* The bits of n digits, the first one highest. *bad becomes non-zero if one is none, so that a text
 * costs one test at its end. */
static uint32_t read_digits(const uint8_t *p, size_t n, unsigned *bad)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned value = digit_values[p[i]];
        *bad |= value == 0;
        bits = bits << 6 | ((value - 1) & 63);
    }
    return bits;
}

bool base64_decode(struct span text, uint8_t *out, size_t room, size_t *len)
{
    ASSERT(len && (text.p || text.len == 0));
    size_t n = 0, i = 0;
    unsigned bad = 0;
    *len = 0;
    if (text.len % 4 != 0 || text.len / 4 * 3 > room)
        return false;
    for (int padding = 0; padding < 2 && text.len > 0 && text.p[text.len - 1] == '='; padding++)
        text.len--;
    for (; text.len - i >= 4; i += 4) {
        uint32_t bits = read_digits(text.p + i, 4, &bad);
        out[n++] = (uint8_t)(bits >> 16);
        out[n++] = (uint8_t)(bits >> 8);
        out[n++] = (uint8_t)bits;
    }
    size_t left = text.len - i; /* two digits for one byte, three for two */
    uint32_t bits = read_digits(text.p + i, left, &bad) << 6 * (4 - left) % 24;
    for (size_t k = 1; k < left; k++, bits <<= 8)
        out[n++] = (uint8_t)(bits >> 16);
    ASSERT(n <= room);
    *len = n;
    return bad == 0 && (bits & 0xffffff) == 0;
}
