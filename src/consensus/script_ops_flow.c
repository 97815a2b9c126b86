/* script_ops_flow.c - opcodes that branch, stop, wait for a time, or do nothing yet.
 *
 * Conditions nest to any depth, yet two numbers hold them all: how deep it is, and which is the
 * outermost false one. Inside that nothing is run and nothing can be true, so no more is kept of
 * it:
 *
 *     OP_1 OP_IF    OP_0 OP_IF    OP_1 OP_IF    OP_ENDIF    OP_ELSE    OP_ENDIF    OP_ENDIF
 *     depth 1       2             3             2           2          1           0
 *     false -       1             1             1           -          -           - */
#include "consensus/script_internal.h"

#define LOCK_TIME_THRESHOLD 500000000 /* lower: a height, else a time */
/* Bits of a relative lock time, as in tx_verify.h. BIP-68, Specification */
#define SEQUENCE_DISABLE_FLAG     (UINT32_C(1) << 31)
#define SEQUENCE_TYPE_FLAG        (UINT32_C(1) << 22)
#define SEQUENCE_LOCK_MASK        UINT32_C(0x0000ffff)
#define SEQUENCE_LOCK_VERSION_MIN 2

/* Reached by opcodes that the table gives no meaning, where being executed is not the question. */
enum script_error op_bad(struct script_run *run)
{
    (void)run;
    return SCRIPT_ERR_BAD_OPCODE;
}

/* OP_NOP proper: it will never mean anything else. */
enum script_error op_nop(struct script_run *run)
{
    (void)run;
    return SCRIPT_OK;
}

/* These do nothing yet. Policy refuses them, so that a soft fork can give them a meaning without
 * catching anyone by surprise. */
enum script_error op_nop_upgradable(struct script_run *run)
{
    if (run->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS)
        return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS;
    return SCRIPT_OK;
}

/* Only the empty string and the number 1 are sure to be what the spender meant: anyone who relays
 * a witness could replace another true value. A rule in tapscript, policy in segwit v0.
 * BIP-342, Script execution */
static enum script_error check_minimal_if(const struct script_run *run, struct span condition)
{
    if (condition.len == 0 || (condition.len == 1 && condition.p[0] == 1))
        return SCRIPT_OK;
    if (run->version == SCRIPT_VERSION_TAPSCRIPT)
        return SCRIPT_ERR_TAPSCRIPT_MINIMALIF;
    if (run->version == SCRIPT_VERSION_V0 && (run->flags & SCRIPT_VERIFY_MINIMALIF))
        return SCRIPT_ERR_MINIMALIF;
    return SCRIPT_OK;
}

/* OP_IF, OP_NOTIF. Inside a branch not taken the condition is not there to be read: only the depth
 * is counted. The condition is taken off the stack, as by every opcode that reads. */
enum script_error op_if(struct script_run *run)
{
    if (run->if_first_false == IF_ALL_TRUE) {
        if (script_stack_depth(run->stack) < 1)
            return SCRIPT_ERR_INVALID_STACK_OPERATION;
        struct span condition = script_stack_span(run->stack, 1);
        enum script_error error = check_minimal_if(run, condition);
        if (error)
            return error;
        if (script_is_true(condition) == (run->op.opcode == OP_NOTIF))
            run->if_first_false = run->if_depth;
        script_stack_pop(run->stack, 1);
    }
    run->if_depth++;
    return SCRIPT_OK;
}

/* Every OP_ELSE turns the condition around, so there may be several. Only the innermost condition
 * turns; inside a branch that is not taken nothing can become true. */
enum script_error op_else(struct script_run *run)
{
    if (run->if_depth == 0)
        return SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    if (run->if_first_false == IF_ALL_TRUE)
        run->if_first_false = run->if_depth - 1;
    else if (run->if_first_false == run->if_depth - 1)
        run->if_first_false = IF_ALL_TRUE;
    return SCRIPT_OK;
}

/* Leaves the innermost condition; all is true again once the one that was false is left. */
enum script_error op_endif(struct script_run *run)
{
    if (run->if_depth == 0)
        return SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    run->if_depth--;
    if (run->if_first_false == run->if_depth)
        run->if_first_false = IF_ALL_TRUE;
    return SCRIPT_OK;
}

/* The element stays where it is if the script fails: nobody looks at the stack after that. */
enum script_error op_verify(struct script_run *run)
{
    if (!script_is_true(script_stack_span(run->stack, 1)))
        return SCRIPT_ERR_VERIFY;
    script_stack_pop(run->stack, 1);
    return SCRIPT_OK;
}

/* Makes an output unspendable, for data (once, in 2010, it ended a script with success). That early
 * meaning let anybody spend everybody's coins: a scriptSig of OP_1 OP_RETURN ended before the
 * owner's conditions were reached. CVE-2010-5141 */
enum script_error op_return(struct script_run *run)
{
    (void)run;
    return SCRIPT_ERR_OP_RETURN;
}

/* Read the operand of a time opcode and leave it on the stack: these were no-operations once, and
 * nodes that still think so must see the same stack. Five bytes, since times go beyond 2038.
 * Numbers here may have five bytes where arithmetic has four. The sign is read too, to be
 * refused. */
static enum script_error read_time(const struct script_run *run, int64_t *time)
{
    if (script_stack_depth(run->stack) < 1)
        return SCRIPT_ERR_INVALID_STACK_OPERATION;
    if (!script_num_decode(script_stack_span(run->stack, 1), SCRIPT_NUM_TIME_BYTES_MAX,
                           run->minimal, time))
        return SCRIPT_ERR_SCRIPTNUM;
    /* BIP-65, Detailed Specification; BIP-112, Specification */
    return *time < 0 ? SCRIPT_ERR_NEGATIVE_LOCKTIME : SCRIPT_OK;
}

/* The transaction's lock time must be of the same kind and not earlier, and must count, which it
 * does not if this input is final. So a script can say that its coin is frozen until some block or
 * time: the transaction that spends it has to have that lock time, and tx_is_final() keeps it out
 * of blocks until then. The script itself never sees the chain, hence its result is the same
 * whenever it is run. BIP-65, Detailed Specification
 *
 *     <time> OP_CHECKLOCKTIMEVERIFY OP_DROP <key> OP_CHECKSIG
 *
 * is nobody's before that time and the key's from then on. The operand has to be dropped, since a
 * no-operation leaves it. */
enum script_error op_checklocktimeverify(struct script_run *run)
{
    if (!(run->flags & SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY))
        return SCRIPT_OK;
    int64_t want;
    enum script_error error = read_time(run, &want);
    if (error)
        return error;

    const struct tx *tx = run->check->tx;
    bool same_kind = (want < LOCK_TIME_THRESHOLD) == (tx->lock_time < LOCK_TIME_THRESHOLD);
    if (!same_kind || want > (int64_t)tx->lock_time ||
        tx->in[run->check->input].sequence == SEQUENCE_FINAL)
        return SCRIPT_ERR_UNSATISFIED_LOCKTIME;
    return SCRIPT_OK;
}

/* The same for the input's relative lock time. The transaction must be of version 2 or more, for
 * only those have relative locks; the input's own sequence is what is compared, and
 * sequence_locks_of() enforces it. BIP-112, Specification */
enum script_error op_checksequenceverify(struct script_run *run)
{
    if (!(run->flags & SCRIPT_VERIFY_CHECKSEQUENCEVERIFY))
        return SCRIPT_OK;
    int64_t operand;
    enum script_error error = read_time(run, &operand);
    if (error)
        return error;
    /* An opcode that does nothing, for later soft forks. BIP-112, Specification */
    if (operand & SEQUENCE_DISABLE_FLAG)
        return SCRIPT_OK;

    const struct tx *tx = run->check->tx;
    uint32_t sequence = tx->in[run->check->input].sequence;
    /* The version is unsigned: 0x80000000 is a version above 2. CVE-2024-34478 */
    if (tx->version < SEQUENCE_LOCK_VERSION_MIN || (sequence & SEQUENCE_DISABLE_FLAG))
        return SCRIPT_ERR_UNSATISFIED_LOCKTIME;
    /* Only bits with a meaning are compared. BIP-112, Specification */
    const uint32_t mask = SEQUENCE_TYPE_FLAG | SEQUENCE_LOCK_MASK;
    uint32_t want = (uint32_t)operand & mask, have = sequence & mask;
    bool same_kind = (want & SEQUENCE_TYPE_FLAG) == (have & SEQUENCE_TYPE_FLAG);
    return same_kind && want <= have ? SCRIPT_OK : SCRIPT_ERR_UNSATISFIED_LOCKTIME;
}
