/* test_script_ops_arith.c - opcodes that compare and compute.
 *
 * hazards: row 20 (operand sizes), row 26 (zeros, forms, overflow), row 18. */
#include "support/script_vm.h"
#include "support/unit.h"

#define STACK_ERROR SCRIPT_ERR_INVALID_STACK_OPERATION

/* clang-format off */
static const struct script_vm_row rows[] = {
    {"0 1",          "EQUAL",        SCRIPT_OK, "0"},
    {"'ab' 'ab'",    "EQUAL",        SCRIPT_OK, "1"},
    {"0 0x01 0x80",  "EQUAL",        SCRIPT_OK, "0"}, /* bytes, not numbers */
    {"1 1",          "EQUALVERIFY",  SCRIPT_OK, ""},
    {"1 2",          "EQUALVERIFY",  SCRIPT_ERR_EQUALVERIFY},
    {"5",            "1ADD",         SCRIPT_OK, "6"},
    {"-1",           "1ADD",         SCRIPT_OK, "0"},
    {"5",            "1SUB",         SCRIPT_OK, "4"},
    {"0",            "1SUB",         SCRIPT_OK, "-1"},
    {"5",            "NEGATE",       SCRIPT_OK, "-5"},
    {"-5",           "NEGATE",       SCRIPT_OK, "5"},
    {"-5",           "ABS",          SCRIPT_OK, "5"},
    {"5",            "ABS",          SCRIPT_OK, "5"},
    {"0",            "NOT",          SCRIPT_OK, "1"},
    {"1",            "NOT",          SCRIPT_OK, "0"},
    {"7",            "NOT",          SCRIPT_OK, "0"},
    {"0x02 0x0080",  "NOT",          SCRIPT_OK, "1"}, /* negative zero */
    {"7",            "0NOTEQUAL",    SCRIPT_OK, "1"},
    {"0x01 0x80",    "0NOTEQUAL",    SCRIPT_OK, "0"},
    {"7 8",          "ADD",          SCRIPT_OK, "15"},
    {"7 8",          "SUB",          SCRIPT_OK, "-1"},
    {"2 0",          "BOOLAND",      SCRIPT_OK, "0"},
    {"2 3",          "BOOLAND",      SCRIPT_OK, "1"},
    {"0 0",          "BOOLOR",       SCRIPT_OK, "0"},
    {"0 3",          "BOOLOR",       SCRIPT_OK, "1"},
    {"1 0x02 0x0100", "NUMEQUAL",    SCRIPT_OK, "1"}, /* numbers, not bytes */
    {"1 2",          "NUMEQUAL",     SCRIPT_OK, "0"},
    {"1 1",          "NUMEQUALVERIFY", SCRIPT_OK, ""},
    {"1 2",          "NUMEQUALVERIFY", SCRIPT_ERR_NUMEQUALVERIFY},
    {"1 2",          "NUMNOTEQUAL",  SCRIPT_OK, "1"},
    {"1 2",          "LESSTHAN",     SCRIPT_OK, "1"},
    {"2 2",          "LESSTHAN",     SCRIPT_OK, "0"},
    {"2 1",          "GREATERTHAN",  SCRIPT_OK, "1"},
    {"2 2",          "GREATERTHAN",  SCRIPT_OK, "0"},
    {"2 2",          "LESSTHANOREQUAL", SCRIPT_OK, "1"},
    {"3 2",          "LESSTHANOREQUAL", SCRIPT_OK, "0"},
    {"2 2",          "GREATERTHANOREQUAL", SCRIPT_OK, "1"},
    {"1 2",          "GREATERTHANOREQUAL", SCRIPT_OK, "0"},
    {"-3 2",         "MIN",          SCRIPT_OK, "-3"},
    {"-3 2",         "MAX",          SCRIPT_OK, "2"},
    {"1 1 3",        "WITHIN",       SCRIPT_OK, "1"},
    {"3 1 3",        "WITHIN",       SCRIPT_OK, "0"},
    {"0 1 3",        "WITHIN",       SCRIPT_OK, "0"},

    /* Results may have five bytes, but then serve no more as operands. */
    {"2147483647 2147483647", "ADD", SCRIPT_OK, "4294967294"},
    {"-2147483647 2147483647", "SUB", SCRIPT_OK, "-4294967294"},
    {"2147483647",   "1ADD",         SCRIPT_OK, "2147483648"},
    {"-2147483647",  "1SUB",         SCRIPT_OK, "-2147483648"},
    {"2147483647",   "1ADD 1SUB",    SCRIPT_ERR_SCRIPTNUM},
    {"2147483647",   "1ADD 0 ADD",   SCRIPT_ERR_SCRIPTNUM},
};

static const struct { const char *name; int operands; } numeric[] = {
    {"1ADD", 1}, {"1SUB", 1}, {"NEGATE", 1}, {"ABS", 1}, {"NOT", 1}, {"0NOTEQUAL", 1},
    {"ADD", 2}, {"SUB", 2}, {"BOOLAND", 2}, {"BOOLOR", 2}, {"NUMEQUAL", 2},
    {"NUMEQUALVERIFY", 2}, {"NUMNOTEQUAL", 2}, {"LESSTHAN", 2}, {"GREATERTHAN", 2},
    {"LESSTHANOREQUAL", 2}, {"GREATERTHANOREQUAL", 2}, {"MIN", 2}, {"MAX", 2}, {"WITHIN", 3},
};

/* One row for each place that the long operand can have; the others are equal to it in value. */
static const char *const four_bytes[] = {
    "0x04 0x01000000", "0x04 0x01000000 0x04 0x01000000",
    "0x04 0x01000000 0x04 0x01000000 0x04 0x01000000",
};
static const char *const five_bytes[3][3] = {
    {"0x05 0x0100000000"},
    {"0x05 0x0100000000 1", "1 0x05 0x0100000000"},
    {"0x05 0x0100000000 1 1", "1 0x05 0x0100000000 1", "1 1 0x05 0x0100000000"},
};
/* clang-format on */

TEST(values_are_as_defined)
{
    assert_scripts(rows, COUNT_OF(rows));
}

TEST(operands_have_four_bytes_at_most)
{
    for (size_t i = 0; i < COUNT_OF(numeric); i++) {
        int n = numeric[i].operands;
        const struct script_vm_row ok = {four_bytes[n - 1], numeric[i].name, SCRIPT_OK};
        assert_scripts(&ok, 1);
        const struct script_vm_row strict = {four_bytes[n - 1],    numeric[i].name,
                                             SCRIPT_ERR_SCRIPTNUM, NULL,
                                             SCRIPT_VERSION_BASE,  SCRIPT_VERIFY_MINIMALDATA};
        assert_scripts(&strict, 1);
        for (int place = 0; place < n; place++) {
            const struct script_vm_row bad = {five_bytes[n - 1][place], numeric[i].name,
                                              SCRIPT_ERR_SCRIPTNUM};
            assert_scripts(&bad, 1);
        }
    }
}

TEST(too_few_operands_fail_the_script)
{
    static const char *const depths[] = {"", "1", "1 1", "1 1 1"};
    for (size_t i = 0; i < COUNT_OF(numeric); i++) {
        for (int depth = 0; depth < numeric[i].operands; depth++) {
            const struct script_vm_row row = {depths[depth], numeric[i].name, STACK_ERROR};
            assert_scripts(&row, 1);
        }
    }
    const struct script_vm_row equal[] = {{"1", "EQUAL", STACK_ERROR},
                                          {"", "EQUALVERIFY", STACK_ERROR}};
    assert_scripts(equal, COUNT_OF(equal));
}
