/* hex_bytes.c - test data written as hexadecimal digits. */
#include "support/hex_bytes.h"

#include "support/unit.h"
#include "util/alloc.h"

static int digit_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) % 16 : -1;
}

size_t hex_bytes(const char *digits, void *out, size_t capacity)
{
    uint8_t *p = out;
    size_t len = 0;
    for (; digit_value(*digits) >= 0; digits += 2) {
        int low = digit_value(digits[1]);
        ASSERT(low >= 0 && len < capacity);
        p[len++] = (uint8_t)(digit_value(digits[0]) << 4 | low);
    }
    return len;
}

void hex_bytes_exactly(const char *digits, void *out, size_t len)
{
    size_t got = hex_bytes(digits, out, len);
    ASSERT(got == len);
}

void hex_assert(const void *p, size_t len, const char *digits, const char *file, int line)
{
    const uint8_t *bytes = p;
    char *text = xmalloc(2 * len + 1);
    text[0] = '\0';
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    if (strcmp(text, digits) != 0)
        print_error("got  %s\nwant %s\n", text, digits);
    _assert_true(strcmp(text, digits) == 0, "hex equal", file, line);
    xfree(text);
}
