/* test_endian.c - fixed-place integers in both byte orders. */
#include "support/unit.h"
#include "util/endian.h"

static const uint8_t bytes[8] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};

TEST(loads_follow_their_order)
{
    assert_int_equal(load_le16(bytes), 0x8201);
    assert_int_equal(load_le32(bytes), 0x84038201);
    assert_true(load_le64(bytes) == 0x8807860584038201);
    assert_int_equal(load_be16(bytes), 0x0182);
    assert_int_equal(load_be32(bytes), 0x01820384);
    assert_true(load_be64(bytes) == 0x0182038405860788);
}

TEST(stores_undo_loads)
{
    uint8_t out[8];
    store_le16(out, load_le16(bytes));
    assert_memory_equal(out, bytes, 2);
    store_le32(out, load_le32(bytes));
    assert_memory_equal(out, bytes, 4);
    store_le64(out, load_le64(bytes));
    assert_memory_equal(out, bytes, 8);
    store_be16(out, load_be16(bytes));
    assert_memory_equal(out, bytes, 2);
    store_be32(out, load_be32(bytes));
    assert_memory_equal(out, bytes, 4);
    store_be64(out, load_be64(bytes));
    assert_memory_equal(out, bytes, 8);
}
