/* utf8.c - see utf8.h */
#include "util/utf8.h"

#include "util/assert.h"

size_t utf8_sequence_bytes(struct span text)
{
    ASSERT(text.len > 0);
    const uint8_t *s = text.p;
    uint8_t low = 0x80, high = 0xbf; /* of the second byte */
    size_t len;
    if (*s < 0x80) {
        return 1;
    } else if (*s >= 0xc2 && *s <= 0xdf) {
        len = 2;
    } else if (*s >= 0xe0 && *s <= 0xef) {
        len = 3;
        if (*s == 0xe0)
            low = 0xa0;
        if (*s == 0xed)
            high = 0x9f;
    } else if (*s >= 0xf0 && *s <= 0xf4) {
        len = 4;
        if (*s == 0xf0)
            low = 0x90;
        if (*s == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (text.len < len || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}
