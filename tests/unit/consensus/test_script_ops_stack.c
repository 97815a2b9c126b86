/* test_script_ops_stack.c - opcodes that move stack items.
 *
 * hazards: row 18 (too few items), row 20 (index of five bytes), row 21 (a full stack). */
#include "support/script_names.h"
#include "support/script_vm.h"
#include "support/unit.h"

#define STACK_ERROR SCRIPT_ERR_INVALID_STACK_OPERATION

/* clang-format off */
static const struct script_vm_row moves[] = {
    /* before        script          error      after */
    {"",             "0x4f",         SCRIPT_OK, "-1"},
    {"",             "0x51 0x60",    SCRIPT_OK, "1 16"},
    {"1 2",          "TOALTSTACK",   SCRIPT_OK, "1"},
    {"1 2",          "TOALTSTACK DROP FROMALTSTACK", SCRIPT_OK, "2"},
    {"1 2 3",        "TOALTSTACK TOALTSTACK FROMALTSTACK FROMALTSTACK", SCRIPT_OK, "1 2 3"},
    {"1 2 3",        "2DROP",        SCRIPT_OK, "1"},
    {"1 2 3",        "2DUP",         SCRIPT_OK, "1 2 3 2 3"},
    {"1 2 3 4",      "3DUP",         SCRIPT_OK, "1 2 3 4 2 3 4"},
    {"0 1 2 3 4",    "2OVER",        SCRIPT_OK, "0 1 2 3 4 1 2"},
    {"0 1 2 3 4 5 6", "2ROT",        SCRIPT_OK, "0 3 4 5 6 1 2"},
    {"0 1 2 3 4",    "2SWAP",        SCRIPT_OK, "0 3 4 1 2"},
    {"5 7",          "IFDUP",        SCRIPT_OK, "5 7 7"},
    {"5 0",          "IFDUP",        SCRIPT_OK, "5 0"},
    {"5 0x01 0x80",  "IFDUP",        SCRIPT_OK, "5 0x01 0x80"},
    {"",             "DEPTH",        SCRIPT_OK, "0"},
    {"7 8 9",        "DEPTH",        SCRIPT_OK, "7 8 9 3"},
    {"1 2",          "DROP",         SCRIPT_OK, "1"},
    {"1 2",          "DUP",          SCRIPT_OK, "1 2 2"},
    {"1 2 3",        "NIP",          SCRIPT_OK, "1 3"},
    {"1 2 3",        "OVER",         SCRIPT_OK, "1 2 3 2"},
    {"1 2 3 0",      "PICK",         SCRIPT_OK, "1 2 3 3"},
    {"1 2 3 2",      "PICK",         SCRIPT_OK, "1 2 3 1"},
    {"1 2 3 0",      "ROLL",         SCRIPT_OK, "1 2 3"},
    {"1 2 3 2",      "ROLL",         SCRIPT_OK, "2 3 1"},
    {"0 1 2 3",      "ROT",          SCRIPT_OK, "0 2 3 1"},
    {"1 2 3",        "SWAP",         SCRIPT_OK, "1 3 2"},
    {"1 2 3",        "TUCK",         SCRIPT_OK, "1 3 2 3"},
    {"'abc'",        "SIZE",         SCRIPT_OK, "'abc' 3"},
    {"0",            "SIZE",         SCRIPT_OK, "0 0"},

    /* The index of PICK and ROLL must be one of the items below it. */
    {"1 2 3",        "PICK",         STACK_ERROR},
    {"1 2 2",        "PICK",         STACK_ERROR},
    {"1 2 -1",       "PICK",         STACK_ERROR},
    {"1 2 -1",       "ROLL",         STACK_ERROR},
    {"1 2 2",        "ROLL",         STACK_ERROR},
    {"1 2 0x04 0x01000000", "PICK",  SCRIPT_OK, "1 2 1"},
    {"1 2 0x05 0x0100000000", "PICK", SCRIPT_ERR_SCRIPTNUM},
    {"1 2 0x05 0x0100000000", "ROLL", SCRIPT_ERR_SCRIPTNUM},
    {"1 2 0x01 0x00", "PICK",        SCRIPT_ERR_SCRIPTNUM, NULL, 0, SCRIPT_VERIFY_MINIMALDATA},

    {"",             "FROMALTSTACK", SCRIPT_ERR_INVALID_ALTSTACK_OPERATION},
    {"1",            "TOALTSTACK FROMALTSTACK FROMALTSTACK",
                                     SCRIPT_ERR_INVALID_ALTSTACK_OPERATION},
};

/* Items that each opcode needs, and by how many it changes the stack. The same facts as in the
 * opcode table, taken from the definition of the opcodes. */
static const struct { const char *name; uint32_t needs; int grows; } ops[] = {
    {"TOALTSTACK", 1, 0}, /* both stacks count */
    {"2DROP", 2, -2}, {"2DUP", 2, 2}, {"3DUP", 3, 3}, {"2OVER", 4, 2}, {"2ROT", 6, 0},
    {"2SWAP", 4, 0}, {"IFDUP", 1, 1}, {"DROP", 1, -1}, {"DUP", 1, 1}, {"NIP", 2, -1},
    {"OVER", 2, 1}, {"NOT PICK", 2, 0}, {"NOT ROLL", 2, -1}, {"ROT", 3, 0}, {"SWAP", 2, 0},
    {"TUCK", 2, 1}, {"SIZE", 1, 1}, {"DEPTH", 0, 1}, {"1", 0, 1}, {"'x'", 0, 1}, {"NOP", 0, 0},
};
/* clang-format on */

TEST(items_move_as_defined)
{
    assert_scripts(moves, COUNT_OF(moves));
}

/* The number 1, depth times, as text. */
static const char *ones(struct buffer *text, uint32_t depth)
{
    text->len = 0;
    for (uint32_t i = 0; i < depth; i++)
        buffer_append_string(text, "1 ");
    buffer_append(text, "", 1);
    return (const char *)text->p;
}

TEST(too_few_items_fail_the_script)
{
    struct script_vm vm;
    struct buffer text;
    script_vm_init(&vm);
    buffer_init(&text);
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        for (uint32_t depth = 0; depth <= ops[i].needs; depth++) {
            enum script_error error =
                script_vm_run(&vm, SCRIPT_VERSION_BASE, 0, ones(&text, depth), ops[i].name);
            enum script_error want = depth < ops[i].needs ? STACK_ERROR : SCRIPT_OK;
            if (error != want)
                fail_msg("%s on %u items: %s", ops[i].name, depth, script_error_name(error));
        }
    }
    buffer_deinit(&text);
    script_vm_deinit(&vm);
}

/* The limit is of what an opcode leaves, so OP_NIP works on 1000 items and OP_3DUP fails on 998. */
TEST(a_full_stack_takes_what_leaves_at_most_1000)
{
    struct script_vm vm;
    struct buffer text;
    script_vm_init(&vm);
    buffer_init(&text);
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        for (uint32_t depth = 995; depth <= 1000; depth++) {
            for (int alt = 0; alt < 2; alt++) {
                /* Also with one of the items on the other stack */
                char *script = NULL;
                struct buffer s;
                buffer_init(&s);
                buffer_append_format(&s, "%s %s", alt ? "TOALTSTACK" : "", ops[i].name);
                buffer_append(&s, "", 1);
                script = (char *)s.p;
                enum script_error error =
                    script_vm_run(&vm, SCRIPT_VERSION_BASE, 0, ones(&text, depth), script);
                bool fits = (int)depth + ops[i].grows <= 1000;
                if (error != (fits ? SCRIPT_OK : SCRIPT_ERR_STACK_SIZE))
                    fail_msg("%s on %u items: %s", script, depth, script_error_name(error));
                buffer_deinit(&s);
            }
        }
    }
    buffer_deinit(&text);
    script_vm_deinit(&vm);
}
