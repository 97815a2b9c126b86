/* test_script_ops_flow.c - branches, stops and time locks.
 *
 * hazards: row 14 (versions are unsigned), row 27 (MINIMALIF), row 18. */
#include "support/script_names.h"
#include "support/script_vm.h"
#include "support/unit.h"

#define BASE      SCRIPT_VERSION_BASE
#define V0        SCRIPT_VERSION_V0
#define TAPSCRIPT SCRIPT_VERSION_TAPSCRIPT
#define MINIMALIF SCRIPT_VERIFY_MINIMALIF
#define CLTV      SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY
#define CSV       SCRIPT_VERIFY_CHECKSEQUENCEVERIFY

/* clang-format off */
static const struct script_vm_row branches[] = {
    {"1",   "IF 2 ELSE 3 ENDIF",                  SCRIPT_OK, "2"},
    {"0",   "IF 2 ELSE 3 ENDIF",                  SCRIPT_OK, "3"},
    {"0",   "NOTIF 2 ELSE 3 ENDIF",               SCRIPT_OK, "2"},
    {"1",   "NOTIF 2 ELSE 3 ENDIF",               SCRIPT_OK, "3"},
    {"1",   "IF 2 ELSE 3 ELSE 4 ENDIF",           SCRIPT_OK, "2 4"},
    {"0",   "IF 2 ELSE 3 ELSE 4 ENDIF",           SCRIPT_OK, "3"},
    {"0",   "IF 1 IF 2 ELSE 3 ENDIF ELSE 4 ENDIF", SCRIPT_OK, "4"},
    {"1 0", "IF 5 ELSE IF 6 ELSE 7 ENDIF ENDIF",  SCRIPT_OK, "6"},
    {"0",   "IF RETURN VERIFY 0xba ENDIF",        SCRIPT_OK, ""},
    {"1",   "IF",                                 SCRIPT_ERR_UNBALANCED_CONDITIONAL},
    {"1",   "ENDIF",                              SCRIPT_ERR_UNBALANCED_CONDITIONAL},
    {"1",   "ELSE",                               SCRIPT_ERR_UNBALANCED_CONDITIONAL},
    {"",    "IF ENDIF",                           SCRIPT_ERR_INVALID_STACK_OPERATION},
    {"0",   "IF IF ENDIF ENDIF",                  SCRIPT_OK, ""}, /* no condition is read inside */
    {"1",   "VERIFY",                             SCRIPT_OK, ""},
    {"0",   "VERIFY",                             SCRIPT_ERR_VERIFY},
    {"0x01 0x80", "VERIFY",                       SCRIPT_ERR_VERIFY},
    {"",    "VERIFY",                             SCRIPT_ERR_INVALID_STACK_OPERATION},
    {"1",   "RETURN",                             SCRIPT_ERR_OP_RETURN},
    {"",    "NOP NOP1 NOP4 NOP10",                SCRIPT_OK, ""},
    {"",    "NOP NOP1", SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS, NULL, BASE,
     SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS},
    {"",    "NOP", SCRIPT_OK, "", BASE, SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS},
    {"0",   "IF NOP10 ENDIF", SCRIPT_OK, "", BASE, SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS},
};

/* Only the empty string and 1: always in tapscript, by policy in v0, never before. */
static const struct script_vm_row minimal_if[] = {
    {"2",           "IF ENDIF", SCRIPT_OK, "", BASE, MINIMALIF},
    {"2",           "IF ENDIF", SCRIPT_OK, "", V0, 0},
    {"2",           "IF ENDIF", SCRIPT_ERR_MINIMALIF, NULL, V0, MINIMALIF},
    {"0x01 0x00",   "NOTIF ENDIF", SCRIPT_ERR_MINIMALIF, NULL, V0, MINIMALIF},
    {"0x02 0x0100", "IF ENDIF", SCRIPT_ERR_MINIMALIF, NULL, V0, MINIMALIF},
    {"1",           "IF ENDIF", SCRIPT_OK, "", V0, MINIMALIF},
    {"0",           "IF ENDIF", SCRIPT_OK, "", V0, MINIMALIF},
    {"2",           "IF ENDIF", SCRIPT_ERR_TAPSCRIPT_MINIMALIF, NULL, TAPSCRIPT, 0},
    {"0x01 0x00",   "NOTIF ENDIF", SCRIPT_ERR_TAPSCRIPT_MINIMALIF, NULL, TAPSCRIPT, 0},
    {"0x02 0x0100", "IF ENDIF", SCRIPT_ERR_TAPSCRIPT_MINIMALIF, NULL, TAPSCRIPT, 0},
    {"1",           "IF ENDIF", SCRIPT_OK, "", TAPSCRIPT, 0},
    {"0",           "NOTIF ENDIF", SCRIPT_OK, "", TAPSCRIPT, 0},
};

/* Lock time of the transaction, its input's sequence, operand, result. */
static const struct { uint32_t lock_time, sequence; const char *operand; enum script_error want; }
    lock_times[] = {
    {100, 0, "0", SCRIPT_OK},
    {100, 0, "99", SCRIPT_OK},
    {100, 0, "100", SCRIPT_OK},
    {100, 0, "101", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {100, 0, "-1", SCRIPT_ERR_NEGATIVE_LOCKTIME},
    {100, 0, "0x01 0x80", SCRIPT_OK},                     /* negative zero is zero */
    {100, 0xfffffffe, "100", SCRIPT_OK},
    {100, SEQUENCE_FINAL, "100", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {499999999, 0, "499999999", SCRIPT_OK},
    {499999999, 0, "500000000", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {500000000, 0, "499999999", SCRIPT_ERR_UNSATISFIED_LOCKTIME}, /* height against time */
    {500000000, 0, "500000000", SCRIPT_OK},
    {4294967295, 0, "4294967295", SCRIPT_OK},             /* five bytes */
    {4294967295, 0, "4294967296", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {4294967295, 0, "549755813887", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {100, 0, "0x06 0x000000000000", SCRIPT_ERR_SCRIPTNUM},
};

/* The sequence of the input, operand, result; in a transaction of version 2. */
static const struct { uint32_t sequence; const char *operand; enum script_error want; }
    sequences[] = {
    {5, "0", SCRIPT_OK},
    {5, "5", SCRIPT_OK},
    {5, "6", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {5, "-1", SCRIPT_ERR_NEGATIVE_LOCKTIME},
    {0xffff, "65535", SCRIPT_OK},
    {5, "65541", SCRIPT_OK},                              /* 0x10005: bit 16 means nothing */
    {0x10000, "1", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {1 << 22 | 5, "4194309", SCRIPT_OK},                  /* both count time */
    {1 << 22 | 5, "5", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {5, "4194309", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {UINT32_C(1) << 31, "0", SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {UINT32_C(1) << 31, "2147483648", SCRIPT_OK},         /* the operand is disabled */
    {5, "2147483648", SCRIPT_OK},
    {5, "4294967296", SCRIPT_OK},                         /* bit 32: as operand 0 */
    {5, "0x06 0x000000000000", SCRIPT_ERR_SCRIPTNUM},
};
static const struct { uint32_t version; enum script_error want; } versions[] = {
    {0, SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {1, SCRIPT_ERR_UNSATISFIED_LOCKTIME},
    {2, SCRIPT_OK},
    {0x7fffffff, SCRIPT_OK},
    {0x80000000, SCRIPT_OK},  /* negative, for those who read it signed. CVE-2024-34478 */
    {0xffffffff, SCRIPT_OK},
};
/* clang-format on */

TEST(branches_are_taken_as_defined)
{
    assert_scripts(branches, COUNT_OF(branches));
}

TEST(conditions_must_be_minimal_where_that_is_a_rule)
{
    assert_scripts(minimal_if, COUNT_OF(minimal_if));
}

/* Run one of the time opcodes on an operand, which has to stay where it is. */
static void check_time(struct script_vm *vm, const char *opcode, uint32_t flag, const char *operand,
                       enum script_error want)
{
    enum script_error error = script_vm_run(vm, BASE, flag, operand, opcode);
    if (error != want)
        fail_msg("%s %s: %s", operand, opcode, script_error_name(error));
    if (!error)
        assert_true(script_vm_stack_is(vm, operand));
    assert_int_equal(script_vm_run(vm, BASE, 0, operand, opcode), SCRIPT_OK);
}

TEST(lock_times_are_compared_by_kind)
{
    struct script_vm vm;
    script_vm_init(&vm);
    for (size_t i = 0; i < COUNT_OF(lock_times); i++) {
        vm.spend.tx.lock_time = lock_times[i].lock_time;
        vm.spend.in.sequence = lock_times[i].sequence;
        check_time(&vm, "CHECKLOCKTIMEVERIFY", CLTV, lock_times[i].operand, lock_times[i].want);
    }
    check_time(&vm, "CHECKLOCKTIMEVERIFY", CLTV, "", SCRIPT_ERR_INVALID_STACK_OPERATION);
    script_vm_deinit(&vm);
}

TEST(sequences_are_compared_by_kind)
{
    struct script_vm vm;
    script_vm_init(&vm);
    vm.spend.tx.version = 2;
    for (size_t i = 0; i < COUNT_OF(sequences); i++) {
        vm.spend.in.sequence = sequences[i].sequence;
        check_time(&vm, "CHECKSEQUENCEVERIFY", CSV, sequences[i].operand, sequences[i].want);
    }
    check_time(&vm, "CHECKSEQUENCEVERIFY", CSV, "", SCRIPT_ERR_INVALID_STACK_OPERATION);
    script_vm_deinit(&vm);
}

TEST(relative_locks_hold_from_version_2_unsigned)
{
    struct script_vm vm;
    script_vm_init(&vm);
    vm.spend.in.sequence = 5;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        vm.spend.tx.version = versions[i].version;
        check_time(&vm, "CHECKSEQUENCEVERIFY", CSV, "5", versions[i].want);
        /* A disabled operand does not even look at the version. */
        check_time(&vm, "CHECKSEQUENCEVERIFY", CSV, "2147483648", SCRIPT_OK);
    }
    script_vm_deinit(&vm);
}
