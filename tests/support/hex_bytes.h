/* hex_bytes.h - test data written as hexadecimal digits. */
#ifndef TESTS_SUPPORT_HEX_BYTES_H
#define TESTS_SUPPORT_HEX_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Decode digits up to the first character that is none; aborts on an odd number of digits, or if
 * the bytes do not fit. Returns: the number of bytes. */
size_t hex_bytes(const char *digits, void *out, size_t capacity);

/* Decode exactly len bytes. */
void hex_bytes_exactly(const char *digits, void *out, size_t len);

/* Fail the test, showing both, unless the bytes are those written as lower-case digits. */
#define assert_hex(p, len, digits) hex_assert((p), (len), (digits), __FILE__, __LINE__)
void hex_assert(const void *p, size_t len, const char *digits, const char *file, int line);

#endif
