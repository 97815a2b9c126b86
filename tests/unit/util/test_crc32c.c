/* test_crc32c.c - CRC32C by its published examples, both implementations. */
#include "support/unit.h"
#include "util/assert.h"
#include "util/crc32c.h"

TEST(published_examples_agree)
{
    /* RFC 3720, B.4 */
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    const struct {
        const void *p;
        size_t len;
        uint32_t want;
    } cases[] = {
        {zeros, 32, 0x8a9136aa}, {ones, 32, 0x62a8ab43},       {up, 32, 0x46dd794e},
        {down, 32, 0x113fdb5c},  {"123456789", 9, 0xe3069283}, {"", 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(crc32c(0, cases[i].p, cases[i].len), cases[i].want);
        assert_int_equal(crc32c_portable(0, cases[i].p, cases[i].len), cases[i].want);
    }
}

TEST(pieces_give_the_checksum_of_the_whole)
{
    uint8_t bytes[100];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t from = 0; from < 9; from++) {
        uint32_t whole = crc32c(0, bytes + from, sizeof bytes - from);
        assert_int_equal(whole, crc32c_portable(0, bytes + from, sizeof bytes - from));
        for (size_t cut = from; cut <= sizeof bytes; cut++) {
            uint32_t first = crc32c(0, bytes + from, cut - from);
            assert_int_equal(crc32c(first, bytes + cut, sizeof bytes - cut), whole);
        }
    }
}

TEST(any_flipped_bit_changes_the_checksum)
{
    uint8_t bytes[80] = {1, 2, 3};
    uint32_t want = crc32c(0, bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(crc32c(0, bytes, sizeof bytes), want);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

/* Long inputs go in lanes: every length around some of them, from any start. */
TEST(every_length_is_as_by_table)
{
    static uint8_t bytes[8000];
    uint32_t random = 5;
    for (size_t i = 0; i < sizeof bytes; i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(random >> 24);
    }
    for (size_t n = 0; n <= sizeof bytes - 8; n += n < 3200 ? 1 : 7)
        assert_int_equal(crc32c(random + (uint32_t)n, bytes + n % 8, n),
                         crc32c_portable(random + (uint32_t)n, bytes + n % 8, n));
}
