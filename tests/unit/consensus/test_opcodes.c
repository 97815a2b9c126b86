/* test_opcodes.c - names and small numbers of opcodes. */
#include "consensus/opcodes.h"
#include "support/unit.h"
#include "util/assert.h"

TEST(names_are_as_decoded_scripts_show_them)
{
    assert_string_equal(opcode_name(OP_0), "0");
    assert_string_equal(opcode_name(OP_1NEGATE), "-1");
    assert_string_equal(opcode_name(OP_16), "16");
    assert_string_equal(opcode_name(OP_CHECKSIG), "OP_CHECKSIG");
    assert_string_equal(opcode_name(OP_NOP2), "OP_CHECKLOCKTIMEVERIFY");
    assert_string_equal(opcode_name(OP_NOP3), "OP_CHECKSEQUENCEVERIFY");
    assert_string_equal(opcode_name(OP_CHECKSIGADD), "OP_CHECKSIGADD");
    assert_string_equal(opcode_name(0xff), "OP_INVALIDOPCODE");
}

TEST(bytes_without_a_name_are_unknown)
{
    for (int opcode = 0x01; opcode <= 0x4b; opcode++)
        assert_string_equal(opcode_name((uint8_t)opcode), "OP_UNKNOWN");
    for (int opcode = 0xbb; opcode <= 0xfe; opcode++)
        assert_string_equal(opcode_name((uint8_t)opcode), "OP_UNKNOWN");
}

TEST(list_is_sorted_and_without_gaps)
{
    static const int values[] = {
#define X(name, value, string) value,
#include "consensus/opcodes.def"
#undef X
    };
    for (size_t i = 1; i + 1 < COUNT_OF(values); i++)
        assert_int_equal(values[i], i == 1 ? 0x4c : values[i - 1] + 1);
    assert_int_equal(values[COUNT_OF(values) - 2], 0xba);
    assert_int_equal(values[COUNT_OF(values) - 1], 0xff);
}

TEST(small_numbers_have_their_own_opcodes)
{
    assert_int_equal(opcode_of_small_int(0), OP_0);
    assert_int_equal(opcode_of_small_int(1), 0x51);
    assert_int_equal(opcode_of_small_int(16), 0x60);
    for (int n = 0; n <= 16; n++)
        assert_int_equal(opcode_small_int(opcode_of_small_int(n)), n);
}
