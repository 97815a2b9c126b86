/* test_script_run.c - the loop's own rules: limits, and what each of the 256 bytes does.
 *
 * hazards: row 9 (disabled opcodes, in a branch not taken too), row 10 (opcode count), row 19
 * (long pushes), row 27 (limits). */
#include "support/script_names.h"
#include "support/script_vm.h"
#include "support/unit.h"

#define BASE      SCRIPT_VERSION_BASE
#define V0        SCRIPT_VERSION_V0
#define TAPSCRIPT SCRIPT_VERSION_TAPSCRIPT

/* What becomes of an opcode, by the definitions and not by the table under test. */
enum fate {
    FATE_PUSH,
    FATE_DISABLED,  /* fails wherever it is */
    FATE_BAD_SHAPE, /* OP_VERIF, OP_VERNOTIF: the same, by another name */
    FATE_BRANCH,
    FATE_RESERVED, /* fails if executed */
    FATE_DEFINED,
};

static enum fate fate_of(int opcode)
{
    static const uint8_t disabled[] = {126, 127, 128, 129, 131, 132, 133, 134,
                                       141, 142, 149, 150, 151, 152, 153};
    for (size_t i = 0; i < COUNT_OF(disabled); i++) {
        if (opcode == disabled[i])
            return FATE_DISABLED;
    }
    if (opcode <= 78)
        return FATE_PUSH;
    if (opcode == 101 || opcode == 102)
        return FATE_BAD_SHAPE;
    if (opcode >= 99 && opcode <= 104)
        return FATE_BRANCH;
    bool reserved = opcode == 80 || opcode == 98 || opcode == 137 || opcode == 138;
    return reserved || opcode >= 186 ? FATE_RESERVED : FATE_DEFINED;
}

TEST(every_opcode_fails_as_it_must_in_a_branch_not_taken)
{
    struct script_vm vm;
    script_vm_init(&vm);
    for (int opcode = 79; opcode < 256; opcode++) {
        enum fate fate = fate_of(opcode);
        if (fate == FATE_BRANCH)
            continue; /* those have a test of their own */
        char script[40];
        (void)snprintf(script, sizeof script, "IF 0x%02x ENDIF", opcode);
        enum script_error want = fate == FATE_DISABLED    ? SCRIPT_ERR_DISABLED_OPCODE
                                 : fate == FATE_BAD_SHAPE ? SCRIPT_ERR_BAD_OPCODE
                                                          : SCRIPT_OK;
        for (int version = BASE; version <= V0; version++) {
            enum script_error error =
                script_vm_run(&vm, (enum script_version)version, 0, "0", script);
            if (error != want)
                fail_msg("%s: %s", script, script_error_name(error));
        }
    }
    script_vm_deinit(&vm);
}

TEST(every_opcode_fails_as_it_must_where_it_is_executed)
{
    struct script_vm vm;
    script_vm_init(&vm);
    for (int opcode = 79; opcode < 256; opcode++) {
        enum fate fate = fate_of(opcode);
        char script[40];
        (void)snprintf(script, sizeof script, "0x%02x", opcode);
        enum script_error error = script_vm_run(&vm, BASE, 0, "", script);
        if (fate == FATE_DISABLED)
            assert_int_equal(error, SCRIPT_ERR_DISABLED_OPCODE);
        else if (fate == FATE_RESERVED || fate == FATE_BAD_SHAPE)
            assert_int_equal(error, SCRIPT_ERR_BAD_OPCODE);
        else if (error == SCRIPT_ERR_BAD_OPCODE || error == SCRIPT_ERR_DISABLED_OPCODE)
            fail_msg("%s: %s", script, script_error_name(error));
    }
    script_vm_deinit(&vm);
}

TEST(opcodes_have_their_names)
{
    int named = 0;
    for (int i = OP_NOP; i < 256; i++) {
        const struct opcode_row *row = opcode_row((uint8_t)i);
        if (!row->name)
            continue;
        assert_string_equal(row->name, opcode_name((uint8_t)i) + 3);
        named++;
    }
    assert_int_equal(named, OP_CHECKSIGADD - OP_NOP + 1 - 3); /* VER, RESERVED1, RESERVED2 */
}

TEST(success_opcodes_are_those_of_bip342)
{
    int n = 0;
    for (int opcode = 0; opcode < 256; opcode++) {
        enum fate fate = fate_of(opcode);
        bool want = fate == FATE_DISABLED ||
                    (fate == FATE_RESERVED && opcode != OP_CHECKSIGADD && opcode != 255);
        assert_int_equal(opcode_is_success((uint8_t)opcode), want);
        n += want;
    }
    assert_int_equal(n, 87);
}

/* A script of n bytes: pushes of 520 bytes and drops of them, then no-operations. */
static void long_script(struct buffer *script, size_t n)
{
    static const uint8_t zeros[520] = {0};
    script->len = 0;
    while (script->len + 524 < n) {
        asm_push(script, zeros, sizeof zeros);
        asm_script(script, "DROP");
    }
    while (script->len < n)
        asm_script(script, "0");
}

TEST(scripts_have_ten_thousand_bytes_but_in_tapscript)
{
    struct script_vm vm;
    struct buffer script;
    script_vm_init(&vm);
    buffer_init(&script);
    const struct span empty = span_of(NULL, 0);
    for (int version = BASE; version <= TAPSCRIPT; version++) {
        enum script_version v = (enum script_version)version;
        long_script(&script, 10000);
        assert_int_equal(script_vm_run_bytes(&vm, v, 0, empty, buffer_span(&script)), SCRIPT_OK);
        long_script(&script, 10001);
        assert_int_equal(script_vm_run_bytes(&vm, v, 0, empty, buffer_span(&script)),
                         v == TAPSCRIPT ? SCRIPT_OK : SCRIPT_ERR_SCRIPT_SIZE);
    }
    buffer_deinit(&script);
    script_vm_deinit(&vm);
}

TEST(opcodes_are_counted_taken_or_not_but_not_in_tapscript)
{
    struct script_vm vm;
    struct buffer script;
    script_vm_init(&vm);
    buffer_init(&script);
    for (int version = BASE; version <= TAPSCRIPT; version++) {
        for (int n = 201; n <= 202; n++) {
            script.len = 0;
            asm_script(&script, "0 IF");
            for (int i = 2; i < n; i++) /* IF and ENDIF count too; 1 and 0 do not */
                asm_script(&script, i % 2 ? "NOP" : "1 NOP4");
            asm_script(&script, "ENDIF");
            enum script_error error = script_vm_run_bytes(&vm, (enum script_version)version, 0,
                                                          span_of(NULL, 0), buffer_span(&script));
            bool fits = n == 201 || version == TAPSCRIPT;
            assert_int_equal(error, fits ? SCRIPT_OK : SCRIPT_ERR_OP_COUNT);
        }
    }
    buffer_deinit(&script);
    script_vm_deinit(&vm);
}

/* A push of len bytes by an opcode with 1, 2 or 4 bytes of length, or by the length itself. */
static void push_by(struct buffer *script, uint8_t opcode, uint32_t len, uint8_t fill)
{
    uint8_t head[5] = {opcode, (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
                       (uint8_t)(len >> 24)};
    size_t head_len = opcode < OP_PUSHDATA1 ? 1 : 1 + ((size_t)1 << (opcode - OP_PUSHDATA1));
    buffer_append(script, head, head_len);
    memset(buffer_reserve(script, len), fill, len);
    script->len += len;
}

static const uint32_t push_lengths[] = {0,   1,   2,   74,  75,    76,    77,    255,   256,
                                        257, 519, 520, 521, 65535, 65536, 65537, 66056, 70000};

/* hazards: row 19. A length read as 16 bits would make 65,537 a push of one byte. */
TEST(pushes_have_520_bytes_taken_or_not)
{
    struct script_vm vm;
    struct buffer script;
    script_vm_init(&vm);
    buffer_init(&script);
    for (size_t i = 0; i < COUNT_OF(push_lengths); i++) {
        uint32_t len = push_lengths[i];
        for (uint8_t opcode = OP_PUSHDATA1; opcode <= OP_PUSHDATA4; opcode++) {
            if ((opcode == OP_PUSHDATA1 && len > 0xff) || (opcode == OP_PUSHDATA2 && len > 0xffff))
                continue;
            for (int dead = 0; dead < 2; dead++) {
                script.len = 0;
                asm_script(&script, dead ? "0 IF" : "1 IF");
                push_by(&script, opcode, len, 7);
                asm_script(&script, "ENDIF");
                /* Tapscript has no limit on the script to get in the way. */
                enum script_error error =
                    script_vm_run_bytes(&vm, TAPSCRIPT, 0, span_of(NULL, 0), buffer_span(&script));
                assert_int_equal(error, len <= 520 ? SCRIPT_OK : SCRIPT_ERR_PUSH_SIZE);
            }
        }
    }
    buffer_deinit(&script);
    script_vm_deinit(&vm);
}

TEST(a_push_past_the_end_is_no_opcode)
{
    static const char *const cut[] = {
        "0x01",     "0x4b 0x00", "0x4c",       "0x4c01",       "0x4d",           "0x4d01",
        "0x4d0100", "0x4e",      "0x4e010000", "0x4e01000000", "0x4effffffff00", "0x4e0100010000"};
    for (size_t i = 0; i < COUNT_OF(cut); i++) {
        char dead[40];
        (void)snprintf(dead, sizeof dead, "0 IF %s", cut[i]);
        const struct script_vm_row rows[] = {{"", cut[i], SCRIPT_ERR_BAD_OPCODE},
                                             {"", dead, SCRIPT_ERR_BAD_OPCODE}};
        assert_scripts(rows, COUNT_OF(rows));
    }
}

/* The only shortest way to push: the first of these that can. */
static uint8_t shortest(uint32_t len, uint8_t byte)
{
    if (len == 0)
        return OP_0;
    if (len == 1 && byte >= 1 && byte <= 16)
        return (uint8_t)(OP_1 - 1 + byte);
    if (len == 1 && byte == 0x81)
        return OP_1NEGATE;
    return len <= 75 ? (uint8_t)len : len <= 255 ? OP_PUSHDATA1 : OP_PUSHDATA2;
}

TEST(only_the_shortest_push_is_minimal)
{
    struct buffer script;
    buffer_init(&script);
    for (size_t i = 0; push_lengths[i] <= 520; i++) {
        uint32_t len = push_lengths[i];
        for (int byte = 0; byte < (len == 1 ? 256 : 1); byte++) {
            uint8_t opcodes[] = {(uint8_t)len, OP_PUSHDATA1, OP_PUSHDATA2, OP_PUSHDATA4};
            for (size_t o = 0; o < COUNT_OF(opcodes); o++) {
                uint8_t opcode = opcodes[o];
                if ((o == 0 && len > 75) || (opcode == OP_PUSHDATA1 && len > 255))
                    continue;
                script.len = 0;
                push_by(&script, opcode, len, (uint8_t)byte);
                struct script_iter it = script_iter_of(buffer_span(&script));
                struct script_op op;
                assert_true(script_next(&it, &op));
                assert_int_equal(script_push_is_minimal(&op),
                                 opcode == shortest(len, (uint8_t)byte));
            }
        }
    }
    buffer_deinit(&script);
}

TEST(the_rule_of_minimal_pushes_spares_branches_not_taken)
{
    const struct script_vm_row rows[] = {
        {"", "0x0101", SCRIPT_OK, "1"},
        {"", "0x0101", SCRIPT_ERR_MINIMALDATA, NULL, BASE, SCRIPT_VERIFY_MINIMALDATA},
        {"", "0x0101", SCRIPT_ERR_MINIMALDATA, NULL, TAPSCRIPT, SCRIPT_VERIFY_MINIMALDATA},
        {"", "0 IF 0x0101 ENDIF", SCRIPT_OK, "", BASE, SCRIPT_VERIFY_MINIMALDATA},
    };
    assert_scripts(rows, COUNT_OF(rows));
}

/* hazards: row 24. Policy, and in legacy scripts only. */
TEST(code_separators_can_be_refused)
{
    const uint32_t flag = SCRIPT_VERIFY_CONST_SCRIPTCODE;
    const struct script_vm_row rows[] = {
        {"", "CODESEPARATOR", SCRIPT_OK, ""},
        {"", "CODESEPARATOR", SCRIPT_ERR_OP_CODESEPARATOR, NULL, BASE, flag},
        {"", "0 IF CODESEPARATOR ENDIF", SCRIPT_ERR_OP_CODESEPARATOR, NULL, BASE, flag},
        {"", "CODESEPARATOR", SCRIPT_OK, "", V0, flag},
        {"", "CODESEPARATOR", SCRIPT_OK, "", TAPSCRIPT, flag},
    };
    assert_scripts(rows, COUNT_OF(rows));
}

/* Tapscript can nest as deep as it is long; two counters follow. */
TEST(conditions_nest_without_limit)
{
    struct script_vm vm;
    struct buffer script;
    script_vm_init(&vm);
    buffer_init(&script);
    const int depth = 300000;
    asm_script(&script, "0 1 1"); /* the third condition is false, and those inside it */
    for (int i = 0; i < depth; i++)
        asm_script(&script, "IF");
    asm_script(&script, "RETURN");
    for (int i = 0; i < depth - 3; i++)
        asm_script(&script, "ENDIF");
    asm_script(&script, "ELSE 5 ENDIF 6 ENDIF 7 ENDIF");
    assert_int_equal(script_vm_run_bytes(&vm, TAPSCRIPT, 0, span_of(NULL, 0), buffer_span(&script)),
                     SCRIPT_OK);
    assert_true(script_vm_stack_is(&vm, "5 6 7"));
    buffer_deinit(&script);
    script_vm_deinit(&vm);
}
