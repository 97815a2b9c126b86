/* crc32c.c - CRC32C by instruction or by table, chosen when it runs. */
#include "util/crc32c.h"

#include <string.h>

#include "util/assert.h"

/* The checksum of each byte; reflected polynomial 0x82f63b78. */
static const uint32_t crc_of_byte[256] = {
#include "util/crc32c_table.inc"
};

uint32_t crc32c_portable(uint32_t crc, const void *p, size_t len)
{
    const uint8_t *at = p;
    crc = ~crc;
    for (size_t i = 0; i < len; i++)
        crc = crc_of_byte[(crc ^ at[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

#ifdef __x86_64__
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *p,
                                                               size_t len)
{
    const uint8_t *at = p;
    uint64_t wide = (uint32_t)~crc;
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len > 0; at++, len--)
        crc = _mm_crc32_u8(crc, *at);
    return ~crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t len)
{
    ASSERT(p || len == 0);
#ifdef __x86_64__
    /* The compiler's runtime found out at start: this is a load and a test. */
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_sse42(crc, p, len);
#endif
    return crc32c_portable(crc, p, len);
}
