/* script_witness.c - witness programs.
 *
 * A taproot output key Q is an internal key P moved by a hash of P and of the root of a tree of
 * scripts:
 *
 *     Q = P + t*G,  t = H_TapTweak(P | root)        the tweak
 *     leaf = H_TapLeaf(version | script)            each script is a leaf
 *     node = H_TapBranch(smaller | larger)          of two nodes, in the order of their bytes
 *
 * Spending by the key shows a signature by Q and nothing else: not even whether there is a tree. By
 * a script it shows that script, P, and the hashes from the leaf to the root, from which Q follows.
 * BIP-341, Constructing and spending Taproot outputs */
#include "consensus/script_witness.h"

#include "consensus/script_internal.h"

#define V0_SCRIPT_HASH_BYTES 32
#define V0_KEY_HASH_BYTES    20
#define V1_TAPROOT_BYTES     32

/* So many items of a witness are loaded; see script_stack.h. An opcode adds three at most. */
#define WITNESS_LOAD_MAX (SCRIPT_STACK_SLOTS - 4)

/* ---- taproot trees ---- */

/* The version is hashed with the script, so a leaf cannot be run under rules it was not made for;
 * the tag keeps leaves and inner nodes apart, which the merkle tree of blocks does not. BIP-341,
 * Script validation rules */
void taproot_leaf_hash(uint8_t leaf_version, struct span script, uint8_t out[32])
{
    struct sha256 h;
    tagged_hash_init(&h, HASH_TAG_TAP_LEAF);
    struct writer w = writer_to_sha256(&h);
    write_u8(&w, leaf_version);
    write_var_span(&w, script);
    sha256_final(&h, out);
}

void taproot_branch_hash(const uint8_t a[32], const uint8_t b[32], uint8_t out[32])
{
    /* Sorted, so that a path needs no bit for left and right. BIP-341, Script validation rules */
    bool in_order = memcmp(a, b, 32) < 0;
    struct sha256 h;
    tagged_hash_init(&h, HASH_TAG_TAP_BRANCH);
    sha256_update(&h, in_order ? a : b, 32);
    sha256_update(&h, in_order ? b : a, 32);
    sha256_final(&h, out);
}

/* A tree is hashed behind the key, no tree is nothing. BIP-341, Constructing and spending
 * Taproot outputs */
void taproot_tweak(const uint8_t internal[32], const uint8_t *merkle_root, uint8_t out[32])
{
    struct sha256 h;
    tagged_hash_init(&h, HASH_TAG_TAP_TWEAK);
    sha256_update(&h, internal, 32);
    if (merkle_root)
        sha256_update(&h, merkle_root, 32);
    sha256_final(&h, out);
}

/* Is the leaf in the tree that the output key commits to? The bit says which of two points the
 * output key is: without it a whole batch of such checks could not be done at once. */
static bool is_committed(struct span control, struct span program, const uint8_t leaf_hash[32])
{
    ASSERT(program.len == V1_TAPROOT_BYTES && control.len >= TAPROOT_CONTROL_BASE);
    uint8_t node[32], tweak[32];
    /* From the leaf up, then the tweaked key and its parity bit. BIP-341, Script validation
     * rules */
    memcpy(node, leaf_hash, sizeof node);
    for (size_t at = TAPROOT_CONTROL_BASE; at < control.len; at += TAPROOT_CONTROL_NODE)
        taproot_branch_hash(node, control.p + at, node);
    taproot_tweak(control.p + 1, node, tweak);
    return xonly_tweak_add_check(program.p, control.p[0] & 1, control.p + 1, tweak);
}

/* ---- running a witness script ---- */

/* Put the first n items of the witness on the stack. Every element is bounded before anything runs,
 * in contrast to pushes, which are bounded one by one. */
static enum script_error load_stack(struct script_run *run, uint64_t n)
{
    struct script_stack *stack = &run->scratch->stack;
    struct witness_iter it = witness_iter_of(run->check->tx->in[run->check->input].witness);
    script_stack_reset(stack);
    stack->hidden = n > WITNESS_LOAD_MAX ? (uint32_t)(n - WITNESS_LOAD_MAX) : 0;
    for (uint64_t i = 0; i < n; i++) {
        struct span item;
        if (!witness_next(&it, &item))
            return SCRIPT_ERR_UNKNOWN_ERROR; /* not reached: the decoder has seen all items */
        if (item.len > SCRIPT_PUSH_MAX)
            /* BIP-141, Witness program; BIP-342, Resource limits */
            return SCRIPT_ERR_PUSH_SIZE;
        if (i >= stack->hidden)
            script_stack_push_span(stack, item);
    }
    return SCRIPT_OK;
}

/* Run a script on the first n items of the witness: exactly one must be left, and true. What is
 * policy for old scripts is a rule here: nothing may be left over that others could add. */
static enum script_error run_witness_script(struct script_run *run, struct span script, uint64_t n)
{
    enum script_error error = load_stack(run, n);
    if (!error)
        error = script_run(run, script);
    if (error)
        return error;
    /* BIP-141, Witness program; BIP-342, Script execution */
    if (script_stack_depth(run->stack) != 1)
        return SCRIPT_ERR_CLEANSTACK;
    return script_is_true(script_stack_span(run->stack, 1)) ? SCRIPT_OK : SCRIPT_ERR_EVAL_FALSE;
}

/* The items with a meaning are the last ones. */
#define WITNESS_TAIL 3

/* Find the last items of a witness: tail[0] is the very last. Those that do not exist are empty.
 * Returns: number of items */
static uint64_t witness_tail(const struct script_check *check, struct span tail[WITNESS_TAIL])
{
    struct witness_iter it = witness_iter_of(check->tx->in[check->input].witness);
    uint64_t n = it.left;
    struct span item;
    for (int i = 0; i < WITNESS_TAIL; i++)
        tail[i] = span_of(NULL, 0);
    while (witness_next(&it, &item)) {
        if (it.left < WITNESS_TAIL)
            tail[it.left] = item;
    }
    return n;
}

/* ---- version 0 ---- */

/* A hash of a script, or of a key. The script is the last witness item and no item of the stack.
 * Other lengths fail, unlike programs of other versions: nothing of version 0 is left for soft
 * forks. BIP-141, Witness program */
static enum script_error verify_v0(struct script_run *run, struct span program)
{
    struct span tail[WITNESS_TAIL];
    uint64_t n = witness_tail(run->check, tail);
    run->version = SCRIPT_VERSION_V0;
    if (program.len == V0_SCRIPT_HASH_BYTES) {
        if (n == 0)
            return SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
        uint8_t hash[32];
        /* BIP-141, P2WSH */
        sha256(tail[0], hash);
        if (memcmp(hash, program.p, sizeof hash) != 0)
            return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
        return run_witness_script(run, tail[0], n - 1);
    }
    if (program.len != V0_KEY_HASH_BYTES)
        /* BIP-141, Witness program */
        return SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH;
    /* A signature and a key, for the script that the key hash stands for. BIP-141, P2WPKH */
    if (n != 2)
        return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    uint8_t script[25] = {OP_DUP, OP_HASH160, V0_KEY_HASH_BYTES};
    memcpy(script + 3, program.p, V0_KEY_HASH_BYTES);
    script[23] = OP_EQUALVERIFY;
    script[24] = OP_CHECKSIG;
    return run_witness_script(run, span_of(script, sizeof script), n);
}

/* ---- version 1 ---- */

/* Look for opcodes that make the script succeed at once, before all else: also before its stack is
 * looked at. Only what comes before such an opcode has to parse. Hence such an opcode may even
 * stand in a script that would break every other limit. BIP-342, Script execution */
static enum script_error find_success(const struct script_run *run, struct span script,
                                      bool *success)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    *success = false;
    while (script_next(&it, &op)) {
        if (!opcode_is_success(op.opcode))
            continue;
        if (run->check->flags & SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS)
            return SCRIPT_ERR_DISCOURAGE_OP_SUCCESS;
        *success = true;
        return SCRIPT_OK;
    }
    return it.failed ? SCRIPT_ERR_BAD_OPCODE : SCRIPT_OK;
}

/* The number of items is limited before the script runs, unlike in version 0; the budget is what
 * replaces limits on opcodes and script size. BIP-342, Resource limits
 *
 * A signature takes 65 or 66 bytes of witness and costs 50: a script that is given its signatures
 * never reaches the limit, and one that checks the same signature many times does. */
static enum script_error run_tapscript(struct script_run *run, struct span script, uint64_t n)
{
    bool success;
    enum script_error error = find_success(run, script, &success);
    if (error || success)
        return error;
    if (n > SCRIPT_STACK_MAX)
        return SCRIPT_ERR_STACK_SIZE;
    run->version = SCRIPT_VERSION_TAPSCRIPT;
    run->budget =
        (int64_t)run->check->tx->in[run->check->input].witness.len + TAPSCRIPT_BUDGET_BASE;
    return run_witness_script(run, script, n);
}

/* In: n items below script and control block The control block names the leaf's version, the
 * internal key and the hashes on the way up. Whoever shows it reveals this one leaf and no
 * other. */
static enum script_error verify_script_path(struct script_run *run, struct span program,
                                            struct span script, struct span control, uint64_t n)
{
    /* A version and a key, then at most 128 nodes. BIP-341, Script validation rules */
    if (control.len < TAPROOT_CONTROL_BASE ||
        control.len > TAPROOT_CONTROL_BASE + TAPROOT_CONTROL_NODE * TAPROOT_CONTROL_NODES_MAX ||
        (control.len - TAPROOT_CONTROL_BASE) % TAPROOT_CONTROL_NODE != 0)
        return SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE;
    /* BIP-341, Script validation rules */
    uint8_t leaf_version = control.p[0] & TAPROOT_LEAF_MASK;
    taproot_leaf_hash(leaf_version, script, run->leaf_hash);
    if (!is_committed(control, program, run->leaf_hash))
        return SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    if (leaf_version == TAPROOT_LEAF_TAPSCRIPT)
        return run_tapscript(run, script, n);
    if (run->check->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION)
        return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION;
    return SCRIPT_OK; /* room for soft forks. BIP-341, Script validation rules */
}

/* An annex has no meaning yet but is signed, so that nobody can add or change one.
 * BIP-341, Common signature message */
static void hash_annex(struct script_run *run, struct span annex)
{
    struct sha256 h;
    sha256_init(&h);
    struct writer w = writer_to_sha256(&h);
    write_var_span(&w, annex);
    sha256_final(&h, run->annex_hash);
    run->has_annex = true;
}

/* After the annex is taken off: one item is a signature by the output key, more are a script path.
 * The annex comes off before items are counted: with it, a key path has two of them. */
static enum script_error verify_v1(struct script_run *run, struct span program)
{
    struct span tail[WITNESS_TAIL], *last = tail;
    uint64_t n = witness_tail(run->check, tail);
    if (n == 0)
        /* BIP-341, Script validation rules */
        return SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
    run->has_annex = false;
    /* The last of two or more items, by its first byte. BIP-341, Script validation rules */
    if (n >= 2 && last->len > 0 && last->p[0] == TAPROOT_ANNEX_TAG) {
        hash_annex(run, *last++);
        n--;
    }
    if (n == 1) {
        /* BIP-341, Taproot key path spending signature validation */
        run->version = SCRIPT_VERSION_BASE; /* no script: the digest has no leaf */
        return script_check_schnorr(run, *last, program.p);
    }
    return verify_script_path(run, program, last[1], last[0], n - 2);
}

/* What is not known yet succeeds. Each soft fork takes some of that away: this is why outputs of
 * unknown versions must not be used before, and why a wallet can pay to them already. */
enum script_error script_verify_witness(struct script_run *run, int version, struct span program,
                                        bool is_p2sh)
{
    ASSERT(version >= 0 && version <= 16 && program.len >= 2 && program.len <= 40);
    if (version == 0)
        return verify_v0(run, program);
    /* Not inside P2SH, and of other lengths nothing is asked. BIP-341, Script validation rules */
    if (version == 1 && program.len == V1_TAPROOT_BYTES && !is_p2sh)
        return run->check->flags & SCRIPT_VERIFY_TAPROOT ? verify_v1(run, program) : SCRIPT_OK;
    /* Pay to anchor (0x4e73): anyone may spend it, and that is no sign of a future soft fork. */
    if (version == 1 && program.len == 2 && program.p[0] == 0x4e && program.p[1] == 0x73 &&
        !is_p2sh)
        return SCRIPT_OK;
    /* Versions without a meaning are anyone's. BIP-141, Witness program */
    if (run->check->flags & SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM)
        return SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
    return SCRIPT_OK;
}
