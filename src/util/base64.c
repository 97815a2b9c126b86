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

static int digit_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct span text, uint8_t *out, size_t room, size_t *len)
{
    ASSERT(len && (text.p || text.len == 0));
    size_t padding = 0;
    if (text.len % 4 != 0 || text.len / 4 * 3 > room)
        return false;
    while (padding < 2 && text.len > 0 && text.p[text.len - 1] == '=') {
        text.len--;
        padding++;
    }
    uint32_t bits = 0;
    int n_bits = 0;
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.p[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            ASSERT(*len < room);
            out[(*len)++] = (uint8_t)(bits >> n_bits);
            bits &= (1u << n_bits) - 1;
        }
    }
    return bits == 0;
}
