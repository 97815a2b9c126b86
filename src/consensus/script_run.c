/* script_run.c - the loop that runs a script, and the table of what it runs.
 *
 * A script is a list of opcodes that work on a stack, without loops: its cost is bounded by its
 * length. It never looks at anything but the transaction and the outputs that this spends, so that
 * its answer is the same on each node, at any time, in any order. It ends with an error, which one
 * can be seen from outside, or with a stack, of which the caller asks for truth. */
#include "consensus/script_internal.h"

_Static_assert(OP_PUSHDATA4 + 1 == OP_1NEGATE && OP_1NEGATE + 2 == OP_1 && OP_1 + 15 == OP_16,
               "pushes, then the small numbers, in one row");

/* Bytes without a row have no handler, and fail where they are executed. */
static const struct opcode_row rows[256] = {
#define X(opcode, stack_min, flags, handler) [OP_##opcode] = {#opcode, stack_min, flags, handler},
#include "consensus/script_ops.def"
#undef X
};

/* The table is indexed by the byte itself: there is no opcode without an answer. */
const struct opcode_row *opcode_row(uint8_t opcode)
{
    return &rows[opcode];
}

/* Nearly all bytes that had no use when tapscript was made: reserved ones (not OP_VERIF and
 * OP_VERNOTIF, which fail anywhere), disabled ones and those above the last opcode. A later soft
 * fork can give any of them any meaning, even a stack of another kind, since to old nodes the
 * script succeeds whatever it does. 255 is left out: it stands for "no opcode". */
bool opcode_is_success(uint8_t opcode)
{
    /* clang-format off */
    /* BIP-342, Script execution */
    static const struct { uint8_t first, last; } ranges[] = {
        {80, 80}, {98, 98}, {126, 129}, {131, 134}, {137, 138}, {141, 142}, {149, 153}, {187, 254},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        if (opcode >= ranges[i].first && opcode <= ranges[i].last)
            return true;
    }
    return false;
}

/* Each length has one opcode that is the shortest, and some single bytes have one of their own. A
 * push of more than 65,535 bytes has one form only, and no script may have it. BIP-62, Push
 * operators */
bool script_push_is_minimal(const struct script_op *op)
{
    struct span push = op->push;
    if (push.len == 0)
        return op->opcode == OP_0;
    if (push.len == 1 && (push.p[0] == 0x81 || (push.p[0] >= 1 && push.p[0] <= 16)))
        return false; /* OP_1NEGATE and OP_1 to OP_16 push these */
    if (push.len < OP_PUSHDATA1)
        return op->opcode == push.len;
    if (push.len <= 0xff)
        return op->opcode == OP_PUSHDATA1;
    if (push.len <= 0xffff)
        return op->opcode == OP_PUSHDATA2;
    return true;
}

/* The limits that hold for an opcode whether its branch is taken or not. Counting, and failing, in
 * branches that are not taken makes a script's cost and fate visible without running it: nobody can
 * hide a disabled opcode behind a condition. */
static enum script_error check_opcode(struct script_run *run, const struct opcode_row *row)
{
    uint8_t opcode = run->op.opcode;
    /* BIP-342, Resource limits */
    if (run->version != SCRIPT_VERSION_TAPSCRIPT && opcode > OP_16 &&
        ++run->op_count > SCRIPT_OPS_MAX)
        return SCRIPT_ERR_OP_COUNT;
    if (row->flags & OPCODE_DISABLED)
        return SCRIPT_ERR_DISABLED_OPCODE;
    if (opcode == OP_CODESEPARATOR && run->version == SCRIPT_VERSION_BASE &&
        (run->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE))
        return SCRIPT_ERR_OP_CODESEPARATOR;
    return SCRIPT_OK;
}

/* Opcodes up to OP_PUSHDATA4. The stack borrows the bytes from the script. What is asked of pushes
 * is asked only of those that are executed. */
static enum script_error exec_push(struct script_run *run)
{
    if (run->minimal && !script_push_is_minimal(&run->op))
        return SCRIPT_ERR_MINIMALDATA;
    script_stack_push_span(run->stack, run->op.push);
    return SCRIPT_OK;
}

/* All others: the table says how many items the opcode needs, the handler does the rest. An opcode
 * without a meaning is no fault as long as nobody comes to it: scripts with such a branch are in
 * the chain. */
static enum script_error exec_opcode(struct script_run *run, const struct opcode_row *row)
{
    if (!row->exec)
        return SCRIPT_ERR_BAD_OPCODE;
    if (script_stack_depth(run->stack) < row->stack_min)
        return SCRIPT_ERR_INVALID_STACK_OPERATION;
    return row->exec(run);
}

/* One opcode: limits first, then the opcode if its branch is taken, then the stack's size. The
 * element's size is a limit that even a branch not taken has to keep; the stack's is looked at when
 * the opcode is done, so in between it can be exceeded. */
static enum script_error step(struct script_run *run)
{
    /* BIP-342, Resource limits */
    if (run->op.push.len > SCRIPT_PUSH_MAX)
        return SCRIPT_ERR_PUSH_SIZE;

    bool taken = run->if_first_false == IF_ALL_TRUE;
    enum script_error error = SCRIPT_OK;
    if (run->op.opcode <= OP_PUSHDATA4) {
        if (taken)
            error = exec_push(run);
    } else {
        const struct opcode_row *row = &rows[run->op.opcode];
        error = check_opcode(run, row);
        if (!error && (taken || (row->flags & OPCODE_BRANCH)))
            error = exec_opcode(run, row);
    }
    if (error)
        return error;
    /* BIP-342, Resource limits */
    if (script_stack_depth(run->stack) + script_stack_depth(run->alt_stack) > SCRIPT_STACK_MAX)
        return SCRIPT_ERR_STACK_SIZE;
    return SCRIPT_OK;
}

/* What a script can leave behind for the next one is the stack alone: counters, conditions and the
 * alternative stack start afresh. A script is not parsed as a whole before it runs: whatever its
 * end looks like, an error in front of it comes first. Conditions must be closed by the script that
 * opened them. */
enum script_error script_run(struct script_run *run, struct span script)
{
    /* BIP-342, Resource limits */
    if (run->version != SCRIPT_VERSION_TAPSCRIPT && script.len > SCRIPT_MAX_BYTES)
        return SCRIPT_ERR_SCRIPT_SIZE;
    run->flags = run->check->flags;
    run->minimal = (run->flags & SCRIPT_VERIFY_MINIMALDATA) != 0;
    run->stack = &run->scratch->stack;
    run->alt_stack = &run->scratch->alt_stack;
    script_stack_reset(run->alt_stack); /* each script starts with an empty one */
    run->it = script_iter_of(script);
    run->code_at = script.p;
    run->op_count = run->op_pos = run->if_depth = 0;
    run->if_first_false = IF_ALL_TRUE;
    run->codesep_pos = CODESEP_NONE;

    /* Pushes count as opcodes in this number, as tapscript's digest has it. */
    for (; script_next(&run->it, &run->op); run->op_pos++) {
        enum script_error error = step(run);
        if (error)
            return error;
    }
    /* A push cut short is found only now that everything before it was executed. */
    if (run->it.failed)
        return SCRIPT_ERR_BAD_OPCODE;
    return run->if_depth ? SCRIPT_ERR_UNBALANCED_CONDITIONAL : SCRIPT_OK;
}
