/* script_ops_stack.c - opcodes that move stack items. The picture on each shows the top at the
 * right end, before and after. The table says how deep the stack has to be, and the loop has
 * looked: no handler can find too few. None of them has changed since 2010, and none is a rule of a
 * BIP. */
#include "consensus/script_internal.h"

/* ( -- n ) OP_1NEGATE lies two below OP_1, with one reserved byte between: the same subtraction
 * gives -1 for it. */
enum script_error op_small_number(struct script_run *run)
{
    script_stack_push_num(run->stack, run->op.opcode - (OP_1 - 1));
    return SCRIPT_OK;
}

/* ( a -- ), and a to the alternative stack */
enum script_error op_toaltstack(struct script_run *run)
{
    script_stack_push_item(run->alt_stack, script_stack_top(run->stack, 1));
    script_stack_pop(run->stack, 1);
    return SCRIPT_OK;
}

/* ( -- a ), from the alternative stack */
enum script_error op_fromaltstack(struct script_run *run)
{
    if (script_stack_depth(run->alt_stack) < 1)
        return SCRIPT_ERR_INVALID_ALTSTACK_OPERATION;
    script_stack_push_item(run->stack, script_stack_top(run->alt_stack, 1));
    script_stack_pop(run->alt_stack, 1);
    return SCRIPT_OK;
}

/* ( a b -- ) */
enum script_error op_2drop(struct script_run *run)
{
    script_stack_pop(run->stack, 2);
    return SCRIPT_OK;
}

/* Push copies of n items, starting with the one that is k-th from the top. */
static enum script_error copy_items(struct script_run *run, uint32_t k, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        script_stack_push_item(run->stack, script_stack_top(run->stack, k));
    return SCRIPT_OK;
}

/* ( a b -- a b a b ) */
enum script_error op_2dup(struct script_run *run)
{
    return copy_items(run, 2, 2);
}

/* ( a b c -- a b c a b c ) */
enum script_error op_3dup(struct script_run *run)
{
    return copy_items(run, 3, 3);
}

/* ( a b c d -- a b c d a b ) */
enum script_error op_2over(struct script_run *run)
{
    return copy_items(run, 4, 2);
}

/* ( a -- a a ) */
enum script_error op_dup(struct script_run *run)
{
    return copy_items(run, 1, 1);
}

/* ( a b -- a b a ) */
enum script_error op_over(struct script_run *run)
{
    return copy_items(run, 2, 1);
}

/* Move n items to the top, starting with the one that is k-th from the top. */
static enum script_error move_items(struct script_run *run, uint32_t k, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct script_item item = *script_stack_top(run->stack, k);
        script_stack_remove(run->stack, k);
        script_stack_push_item(run->stack, &item);
    }
    return SCRIPT_OK;
}

/* ( a b c d e f -- c d e f a b ) */
enum script_error op_2rot(struct script_run *run)
{
    return move_items(run, 6, 2);
}

/* ( a b c d -- c d a b ) */
enum script_error op_2swap(struct script_run *run)
{
    return move_items(run, 4, 2);
}

/* ( a b c -- b c a ) */
enum script_error op_rot(struct script_run *run)
{
    return move_items(run, 3, 1);
}

/* ( a b -- b a ) */
enum script_error op_swap(struct script_run *run)
{
    script_stack_swap(run->stack, 1, 2);
    return SCRIPT_OK;
}

/* ( a -- a a ) if a is true, else ( a -- a ) Truth is that of a condition: any bytes that are not
 * all zero, but for a negative zero. */
enum script_error op_ifdup(struct script_run *run)
{
    if (script_is_true(script_stack_span(run->stack, 1)))
        return copy_items(run, 1, 1);
    return SCRIPT_OK;
}

/* ( -- n ) Elements that a v0 witness has beyond what was loaded count too, see script_stack.h. */
enum script_error op_depth(struct script_run *run)
{
    script_stack_push_num(run->stack, script_stack_depth(run->stack));
    return SCRIPT_OK;
}

/* ( a -- ) */
enum script_error op_drop(struct script_run *run)
{
    script_stack_pop(run->stack, 1);
    return SCRIPT_OK;
}

/* ( a b -- b ) */
enum script_error op_nip(struct script_run *run)
{
    script_stack_remove(run->stack, 2);
    return SCRIPT_OK;
}

/* ( a b -- b a b ) */
enum script_error op_tuck(struct script_run *run)
{
    script_stack_tuck(run->stack, 2);
    return SCRIPT_OK;
}

/* Take the index of OP_PICK and OP_ROLL off the stack.
 *
 * The index is removed before it is judged, so it counts items below itself.
 *
 * Out: k  the item meant, counted from the top */
static enum script_error take_index(struct script_run *run, uint32_t *k)
{
    int64_t n;
    if (!script_num_decode(script_stack_span(run->stack, 1), SCRIPT_NUM_BYTES_MAX, run->minimal,
                           &n))
        return SCRIPT_ERR_SCRIPTNUM;
    script_stack_pop(run->stack, 1);
    if (n < 0 || n >= script_stack_depth(run->stack))
        return SCRIPT_ERR_INVALID_STACK_OPERATION;
    *k = (uint32_t)n + 1;
    return SCRIPT_OK;
}

/* ( x_n ... x_0 n -- x_n ... x_0 x_n ) */
enum script_error op_pick(struct script_run *run)
{
    uint32_t k;
    enum script_error error = take_index(run, &k);
    if (error)
        return error;
    if (k > run->stack->n)
        return SCRIPT_ERR_STACK_SIZE; /* a hidden item: far too many are on the stack */
    return copy_items(run, k, 1);
}

/* ( x_n ... x_0 n -- x_n-1 ... x_0 x_n ) */
enum script_error op_roll(struct script_run *run)
{
    uint32_t k;
    enum script_error error = take_index(run, &k);
    if (error)
        return error;
    if (k > run->stack->n)
        return SCRIPT_ERR_STACK_SIZE;
    return move_items(run, k, 1);
}

/* ( a -- a len ) The length of the bytes as they are; what number they might be plays no part. */
enum script_error op_size(struct script_run *run)
{
    script_stack_push_num(run->stack, script_stack_top(run->stack, 1)->len);
    return SCRIPT_OK;
}
