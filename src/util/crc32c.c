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
#include <wmmintrin.h>

#define TARGET_CRC __attribute__((target("sse4.2,pclmul")))
enum { LANE_BYTES = 512 };

/* x^(8n - 33) modulo the polynomial, its bits the other way round, for n bytes of one and of two
 * lanes. The 33: 32 places by which the instruction goes on itself, and one by which a product of
 * reflected numbers is off. */
#define PAST_ONE_LANE  0xdd7e3b0cu
#define PAST_TWO_LANES 0x170076fau

static inline uint64_t load_word(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* What crc becomes by so many zero bytes as factor stands for. */
TARGET_CRC static uint64_t go_past(uint64_t crc, uint32_t factor)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
                                           _mm_cvtsi64_si128((long long)factor), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* Three lanes side by side: the instruction takes three cycles, but a new one can start in each. */
TARGET_CRC static uint64_t crc_of_lanes(uint64_t crc, const uint8_t *at)
{
    uint64_t second = 0, third = 0;
    for (const uint8_t *end = at + LANE_BYTES; at < end; at += 8) {
        crc = _mm_crc32_u64(crc, load_word(at));
        second = _mm_crc32_u64(second, load_word(at + LANE_BYTES));
        third = _mm_crc32_u64(third, load_word(at + 2 * LANE_BYTES));
    }
    return go_past(crc, PAST_TWO_LANES) ^ go_past(second, PAST_ONE_LANE) ^ third;
}

TARGET_CRC static uint32_t crc32c_sse42(uint32_t crc, const void *p, size_t len)
{
    const uint8_t *at = p;
    uint64_t wide = (uint32_t)~crc;
    for (; len >= 3 * LANE_BYTES; at += 3 * LANE_BYTES, len -= 3 * LANE_BYTES)
        wide = crc_of_lanes(wide, at);
    for (; len >= 8; at += 8, len -= 8)
        wide = _mm_crc32_u64(wide, load_word(at));
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
    /* The compiler's runtime found out at start: these are a load and a test each. */
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
        return crc32c_sse42(crc, p, len);
#endif
    return crc32c_portable(crc, p, len);
}
