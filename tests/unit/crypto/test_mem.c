/* test_mem.c - comparing and erasing secrets. */
#include "crypto/mem.h"
#include "support/unit.h"

TEST(equality_is_that_of_memcmp)
{
    uint8_t a[64], b[64];
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)(7 * i);
    for (size_t len = 0; len <= sizeof a; len++)
        assert_true(mem_equal_ct(a, b, len));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 1;
        assert_false(mem_equal_ct(a, b, sizeof a));
        assert_false(mem_equal_ct(a, b, i + 1));
        assert_true(mem_equal_ct(a, b, i));
        b[i] ^= 1;
    }
}

TEST(wiping_zeroes_exactly_the_range)
{
    uint8_t a[16], want[16];
    memset(a, 0xaa, sizeof a);
    memset(want, 0xaa, sizeof want);
    memset(want + 3, 0, 7);
    mem_wipe(a + 3, 7);
    assert_memory_equal(a, want, sizeof a);
    mem_wipe(a, 0);
    assert_memory_equal(a, want, sizeof a);
}

TEST(a_buffer_is_empty_after_it_is_wiped)
{
    struct buffer buffer;
    buffer_init(&buffer);
    mem_wipe_buffer(&buffer);
    buffer_append_string(&buffer, "secret");
    mem_wipe_buffer(&buffer);
    assert_int_equal(buffer.len, 0);
    assert_null(buffer.p);
}
