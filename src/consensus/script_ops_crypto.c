/* script_ops_crypto.c - opcodes that hash and check signatures.
 *
 *     OP_RIPEMD160, OP_SHA1, OP_HASH160    ( a -- hash of 20 bytes )
 *     OP_SHA256, OP_HASH256                ( a -- hash of 32 bytes )
 *     OP_CHECKSIG                          ( sig key -- bool )
 *     OP_CHECKMULTISIG                     ( dummy sig_1 .. sig_m m key_1 .. key_n n -- bool )
 *     OP_CHECKSIGADD                       ( sig n key -- n or n+1 ), in tapscript alone
 *
 * What a signature covers, in which form it has to be and what a wrong one means differs from
 * version to version: that is in script_sig.c and sighash.c. */
#include "consensus/script_internal.h"

/* OP_RIPEMD160, OP_SHA1, OP_SHA256, OP_HASH160, OP_HASH256 OP_HASH160 is SHA-256, then RIPEMD-160,
 * of which addresses are made; OP_HASH256 is SHA-256 twice. SHA-1 was broken long ago: coins were
 * locked to whoever shows a collision, and were taken so. */
enum script_error op_hash(struct script_run *run)
{
    struct span in = script_stack_span(run->stack, 1);
    uint8_t out[32];
    size_t len = 20;
    switch (run->op.opcode) {
    case OP_RIPEMD160:
        ripemd160(in, out);
        break;
    case OP_SHA1:
        sha1(in, out);
        break;
    case OP_HASH160:
        hash160(in, out);
        break;
    case OP_SHA256:
        sha256(in, out);
        len = 32;
        break;
    default: /* not an enum of ours, but a byte that the opcode table sends here */
        ASSERT(run->op.opcode == OP_HASH256);
        sha256d(in, out);
        len = 32;
    }
    script_stack_pop(run->stack, 1);
    script_stack_push_copy(run->stack, out, len);
    return SCRIPT_OK;
}

/* Signatures after this one sign only what follows it. Meant for signatures over parts of a script,
 * which nobody has found a safe use for. Tapscript signs the separator's position instead of
 * cutting the script. BIP-342, Common Signature Message Extension */
enum script_error op_codeseparator(struct script_run *run)
{
    run->code_at = run->it.at;
    /* BIP-342, Common Signature Message Extension */
    run->codesep_pos = run->op_pos;
    return SCRIPT_OK;
}

/* ( sig pubkey -- bool ), or ( sig pubkey -- ) for OP_CHECKSIGVERIFY A wrong signature is an
 * answer, "no", and only some rules make it an error: those of encodings, of NULLFAIL and of
 * tapscript. */
enum script_error op_checksig(struct script_run *run)
{
    bool success;
    enum script_error error = script_check_signature(run, script_stack_span(run->stack, 2),
                                                     script_stack_span(run->stack, 1), &success);
    if (error)
        return error;
    script_stack_pop(run->stack, 2);
    if (run->op.opcode == OP_CHECKSIGVERIFY)
        return success ? SCRIPT_OK : SCRIPT_ERR_CHECKSIGVERIFY;
    script_stack_push_bool(run->stack, success);
    return SCRIPT_OK;
}

/* ( sig n pubkey -- n+1 ) if the signature is good, ( -- n ) if it is empty. Counting signatures up
 * and comparing with a number at the end is what multisignature is in tapscript: each key has its
 * signature or an empty one in a place of its own, so nothing has to be tried. BIP-342, Rules for
 * signature opcodes */
enum script_error op_checksigadd(struct script_run *run)
{
    if (run->version != SCRIPT_VERSION_TAPSCRIPT)
        return SCRIPT_ERR_BAD_OPCODE;
    if (script_stack_depth(run->stack) < 3)
        return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t n;
    if (!script_num_decode(script_stack_span(run->stack, 2), SCRIPT_NUM_BYTES_MAX, run->minimal,
                           &n))
        return SCRIPT_ERR_SCRIPTNUM;
    bool success;
    enum script_error error = script_check_signature(run, script_stack_span(run->stack, 3),
                                                     script_stack_span(run->stack, 1), &success);
    if (error)
        return error;
    script_stack_pop(run->stack, 3);
    script_stack_push_num(run->stack, n + success);
    return SCRIPT_OK;
}

/* ---- OP_CHECKMULTISIG: ( dummy sig_1 ... sig_m m pubkey_1 ... pubkey_n n -- bool ) ---- */

/* Where the parts lie on the stack. They stay there until all is decided. */
struct multisig {
    uint32_t n_keys, n_sigs;
    uint32_t first_key, first_sig; /* counted from the top; the next ones lie deeper */
    uint32_t n_items;              /* all but the dummy */
};

/* Read a count that lies k-th from the top. Out: n, if it is 0 to max. The two counts are numbers
 * like others: read with the same limit, and refused if not minimal where that is asked. */
static enum script_error read_count(const struct script_run *run, uint32_t k, uint32_t max,
                                    enum script_error out_of_range, uint32_t *n)
{
    if (script_stack_depth(run->stack) < k)
        return SCRIPT_ERR_INVALID_STACK_OPERATION;
    int64_t count;
    if (!script_num_decode(script_stack_span(run->stack, k), SCRIPT_NUM_BYTES_MAX, run->minimal,
                           &count))
        return SCRIPT_ERR_SCRIPTNUM;
    if (count < 0 || count > max)
        return out_of_range;
    *n = (uint32_t)count;
    return SCRIPT_OK;
}

/* Find the parts. Keys count as opcodes, which bounds the signature checks of a script. */
static enum script_error multisig_read(struct script_run *run, struct multisig *m)
{
    enum script_error error =
        read_count(run, 1, SCRIPT_PUBKEYS_MAX, SCRIPT_ERR_PUBKEY_COUNT, &m->n_keys);
    if (error)
        return error;
    run->op_count += m->n_keys;
    if (run->op_count > SCRIPT_OPS_MAX)
        return SCRIPT_ERR_OP_COUNT;

    m->first_key = 2;
    uint32_t sigs_at = m->first_key + m->n_keys;
    error = read_count(run, sigs_at, m->n_keys, SCRIPT_ERR_SIG_COUNT, &m->n_sigs);
    if (error)
        return error;
    m->first_sig = sigs_at + 1;
    m->n_items = sigs_at + m->n_sigs;
    /* The dummy has to be there before any signature is looked at. */
    if (script_stack_depth(run->stack) < m->n_items + 1)
        return SCRIPT_ERR_INVALID_STACK_OPERATION;
    return SCRIPT_OK;
}

/* Legacy only: no signature signs itself or the others. All signatures are removed first, also
 * those that will not be tried. */
static enum script_error multisig_script_code(struct script_run *run, const struct multisig *m,
                                              struct span *script_code)
{
    *script_code = span_of(run->code_at, (size_t)(run->it.end - run->code_at));
    /* BIP-143, No FindAndDelete */
    if (run->version != SCRIPT_VERSION_BASE)
        return SCRIPT_OK;
    for (uint32_t i = 0; i < m->n_sigs; i++) {
        struct span sig = script_stack_span(run->stack, m->first_sig + i);
        if (script_find_and_delete(script_code, sig, &run->scratch->script_code) > 0 &&
            (run->flags & SCRIPT_VERIFY_CONST_SCRIPTCODE))
            return SCRIPT_ERR_SIG_FINDANDDELETE;
    }
    return SCRIPT_OK;
}

/* Signatures and keys are in the same order, so each key is tried once. Encodings are checked only
 * of those that are tried: that is consensus too, wherever the encoding is. Keys are tried from the
 * top of the stack, the last one written first. As soon as fewer keys than signatures are left, the
 * answer is no, and encodings of the rest are nobody's concern.
 *
 *     keys         A B C      the last one is tried first: 2 by C, 1 by B, 1 by A
 *     signatures   1 2        with 1 by A and 2 by C: good. With 1 by C and 2 by A: 2 fails for C
 *                             and B, then one key is left for two signatures: not good */
static enum script_error multisig_check(struct script_run *run, const struct multisig *m,
                                        struct span script_code, bool *success)
{
    ASSERT(m->n_sigs <= m->n_keys && m->n_keys <= SCRIPT_PUBKEYS_MAX);
    uint32_t key = 0, sig = 0;
    while (sig < m->n_sigs) {
        if (m->n_sigs - sig > m->n_keys - key) {
            *success = false;
            return SCRIPT_OK;
        }
        struct span s = script_stack_span(run->stack, m->first_sig + sig);
        struct span k = script_stack_span(run->stack, m->first_key + key);
        enum script_error error = script_check_encoding(run, s, k);
        if (error)
            return error;
        if (script_check_ecdsa(run, s, k, script_code))
            sig++;
        key++;
    }
    *success = true;
    return SCRIPT_OK;
}

/* Remove the items, and the dummy that the first implementation took by mistake. It has to be empty
 * by the rules of today, since it is signed by nobody: whoever relays the transaction could have
 * changed it. BIP-147, Motivation */
static enum script_error multisig_pop(struct script_run *run, const struct multisig *m,
                                      bool success)
{
    ASSERT(script_stack_depth(run->stack) > m->n_items);
    if (!success && (run->flags & SCRIPT_VERIFY_NULLFAIL)) {
        for (uint32_t i = 0; i < m->n_sigs; i++) {
            if (script_stack_span(run->stack, m->first_sig + i).len > 0)
                return SCRIPT_ERR_SIG_NULLFAIL;
        }
    }
    script_stack_pop(run->stack, m->n_items);
    /* BIP-147, Specification */
    if ((run->flags & SCRIPT_VERIFY_NULLDUMMY) && script_stack_top(run->stack, 1)->len > 0)
        return SCRIPT_ERR_SIG_NULLDUMMY;
    script_stack_pop(run->stack, 1);
    return SCRIPT_OK;
}

/* OP_CHECKMULTISIG, OP_CHECKMULTISIGVERIFY; not in tapscript, where OP_CHECKSIGADD replaces them.
 * BIP-342, Script execution */
enum script_error op_checkmultisig(struct script_run *run)
{
    if (run->version == SCRIPT_VERSION_TAPSCRIPT)
        return SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG;
    struct multisig m;
    struct span script_code;
    bool success = false;
    enum script_error error = multisig_read(run, &m);
    if (!error)
        error = multisig_script_code(run, &m, &script_code);
    if (!error)
        error = multisig_check(run, &m, script_code, &success);
    if (!error)
        error = multisig_pop(run, &m, success);
    if (error)
        return error;
    if (run->op.opcode == OP_CHECKMULTISIGVERIFY)
        return success ? SCRIPT_OK : SCRIPT_ERR_CHECKMULTISIGVERIFY;
    script_stack_push_bool(run->stack, success);
    return SCRIPT_OK;
}
