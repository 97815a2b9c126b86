/* script_ops_arith.c - opcodes that compare and compute. Operands have four bytes at most, so no
 * result leaves the range of int64_t. The results can be longer than four bytes, and then no opcode
 * here takes them as an operand again: so overflow is impossible without any number being of fixed
 * size.
 *
 *     OP_1ADD, OP_1SUB           ( a -- a+1 )        ( a -- a-1 )
 *     OP_NEGATE, OP_ABS          ( a -- -a )         ( a -- |a| )
 *     OP_NOT, OP_0NOTEQUAL       ( a -- a is zero )  ( a -- a is not zero )
 *     OP_ADD, OP_SUB             ( a b -- a+b )      ( a b -- a-b )
 *     OP_MIN, OP_MAX             ( a b -- smaller )  ( a b -- larger )
 *     OP_BOOLAND, OP_BOOLOR      ( a b -- none is zero )  ( a b -- one is not zero )
 *     OP_NUMEQUAL, OP_LESSTHAN   ( a b -- a is b )   ( a b -- a is less than b ), and so on */
#include "consensus/script_internal.h"

/* Read the k-th item from the top as an operand. */
static bool read_number(const struct script_run *run, uint32_t k, int64_t *n)
{
    return script_num_decode(script_stack_span(run->stack, k), SCRIPT_NUM_BYTES_MAX, run->minimal,
                             n);
}

/* OP_EQUAL, OP_EQUALVERIFY: of bytes, not numbers An empty string and a zero byte are both false
 * and both the number 0, yet not equal. */
enum script_error op_equal(struct script_run *run)
{
    bool equal = span_equal(script_stack_span(run->stack, 1), script_stack_span(run->stack, 2));
    script_stack_pop(run->stack, 2);
    if (run->op.opcode == OP_EQUALVERIFY)
        return equal ? SCRIPT_OK : SCRIPT_ERR_EQUALVERIFY;
    script_stack_push_bool(run->stack, equal);
    return SCRIPT_OK;
}

/* The value of a unary operation. n has 31 bits and a sign, so nothing overflows. */
static int64_t unary(uint8_t opcode, int64_t n)
{
    switch (opcode) {
    case OP_1ADD:
        return n + 1;
    case OP_1SUB:
        return n - 1;
    case OP_NEGATE:
        return -n;
    case OP_ABS:
        return n < 0 ? -n : n;
    case OP_NOT:
        return n == 0;
    default: /* not an enum of ours, but a byte that the opcode table sends here */
        ASSERT(opcode == OP_0NOTEQUAL);
        return n != 0;
    }
}

/* OP_1ADD, OP_1SUB, OP_NEGATE, OP_ABS, OP_NOT, OP_0NOTEQUAL */
enum script_error op_unary(struct script_run *run)
{
    int64_t n;
    if (!read_number(run, 1, &n))
        return SCRIPT_ERR_SCRIPTNUM;
    script_stack_pop(run->stack, 1);
    script_stack_push_num(run->stack, unary(run->op.opcode, n));
    return SCRIPT_OK;
}

/* The value of a binary operation. Truth values are the numbers 1 and 0, which as stack items are
 * the byte 1 and the empty string. */
static int64_t binary(uint8_t opcode, int64_t a, int64_t b)
{
    switch (opcode) {
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    case OP_BOOLAND:
        return a != 0 && b != 0;
    case OP_BOOLOR:
        return a != 0 || b != 0;
    case OP_NUMEQUAL:
    case OP_NUMEQUALVERIFY:
        return a == b;
    case OP_NUMNOTEQUAL:
        return a != b;
    case OP_LESSTHAN:
        return a < b;
    case OP_GREATERTHAN:
        return a > b;
    case OP_LESSTHANOREQUAL:
        return a <= b;
    case OP_GREATERTHANOREQUAL:
        return a >= b;
    case OP_MIN:
        return a < b ? a : b;
    default: /* as above */
        ASSERT(opcode == OP_MAX);
        return a > b ? a : b;
    }
}

/* OP_ADD, OP_SUB, OP_BOOLAND, OP_BOOLOR, OP_NUMEQUAL and the other comparisons, OP_MIN, OP_MAX */
enum script_error op_binary(struct script_run *run)
{
    int64_t a, b;
    if (!read_number(run, 2, &a) || !read_number(run, 1, &b))
        return SCRIPT_ERR_SCRIPTNUM;
    script_stack_pop(run->stack, 2);
    script_stack_push_num(run->stack, binary(run->op.opcode, a, b));
    return SCRIPT_OK;
}

/* OP_NUMEQUAL, then OP_VERIFY with an error of its own Equality of numbers: 0x01 and 0x0100 are
 * one, where MINIMALDATA does not forbid the longer. */
enum script_error op_numequalverify(struct script_run *run)
{
    enum script_error error = op_binary(run);
    if (error)
        return error;
    if (!script_is_true(script_stack_span(run->stack, 1)))
        return SCRIPT_ERR_NUMEQUALVERIFY;
    script_stack_pop(run->stack, 1);
    return SCRIPT_OK;
}

/* ( x min max -- bool ): is min <= x < max? */
enum script_error op_within(struct script_run *run)
{
    int64_t x, min, max;
    if (!read_number(run, 3, &x) || !read_number(run, 2, &min) || !read_number(run, 1, &max))
        return SCRIPT_ERR_SCRIPTNUM;
    script_stack_pop(run->stack, 3);
    script_stack_push_bool(run->stack, min <= x && x < max);
    return SCRIPT_OK;
}
