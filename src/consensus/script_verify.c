/* script_verify.c - which scripts an input has to satisfy: legacy, P2SH, segwit v0, taproot.
 *
 * The layers of the rules, oldest first. Each was added so that older nodes, which know only those
 * above it, still find the input satisfied:
 *
 *     output script               satisfied by
 *     anything                    scriptSig leaves a stack on which it ends true
 *     OP_HASH160 <20> OP_EQUAL    also by the script with that hash, pushed last
 *     OP_0 <20>                   witness: signature, key
 *     OP_0 <32>                   witness: elements, the script with that hash
 *     OP_HASH160 <20> OP_EQUAL    where that script is one of the two before, also as they are
 *     OP_1 <32>                   witness: signature; or elements, a script, its place in a tree
 *     OP_1 <4e73>                 anything: pay to anchor
 *     OP_2 to OP_16 <2 to 40>     anything, so far
 *
 * BIP-16, Specification; BIP-141, Witness program; BIP-341, Script validation rules */
#include "consensus/script_verify.h"

#include "consensus/script_internal.h"
#include "consensus/script_witness.h"
#include "util/assert.h"

/* What verification of one input needs at every step. */
static struct script_run run_of(const struct script_check *check, struct script_scratch *scratch)
{
    struct script_run run;
    run.check = check;
    run.scratch = scratch;
    run.version = SCRIPT_VERSION_BASE;
    run.has_annex = false;
    return run;
}

/* What the spender gives: data for the script, though before P2SH it may be any program. */
static struct span script_sig_of(const struct script_check *check)
{
    return check->tx->in[check->input].script_sig;
}

/* What the payer demanded. */
static struct span script_pubkey_of(const struct script_check *check)
{
    return check->spent[check->input].script_pubkey;
}

/* Has the input any witness item? */
static bool has_witness(const struct script_check *check)
{
    return witness_iter_of(check->tx->in[check->input].witness).left > 0;
}

/* Flags only ever add rules: what is valid with more of them is valid with fewer, which is what
 * makes each a soft fork. (An exception block is checked with fewer.) */
static bool has_flag(const struct script_check *check, uint32_t flag)
{
    return (check->flags & flag) != 0;
}

/* Is the script's result true? An empty stack is false. */
static enum script_error check_result(const struct script_stack *stack)
{
    if (stack->n == 0 || !script_is_true(script_stack_span(stack, 1)))
        return SCRIPT_ERR_EVAL_FALSE;
    return SCRIPT_OK;
}

/* Does scriptSig push redeem_script in the shortest way, and nothing else? Else anybody could push
 * it in another form, and change the txid of a transaction that he has not signed. */
static bool is_only_push_of(struct span script_sig, struct span redeem_script)
{
    struct script_iter it = script_iter_of(script_sig);
    struct script_op op;
    /* A witness program has 4 to 42 bytes: the shortest push has one byte of length. */
    return script_next(&it, &op) && op.opcode == redeem_script.len && it.at == it.end &&
           span_equal(op.push, redeem_script);
}

/* The last thing that scriptSig pushed is the script to satisfy, with the rest as its stack.
 * BIP-16, Specification
 *
 * The stack is that which scriptSig left: scriptPubKey has only compared a hash since, and its
 * result is taken off. To nodes from before P2SH that comparison was all.
 *
 * In:   redeem   what was on top after scriptSig
 * Out:  witness  true if the redeem script is a witness program: then all else is done */
static enum script_error verify_p2sh(struct script_run *run, const struct script_item *redeem,
                                     bool *witness)
{
    struct span script_sig = script_sig_of(run->check);
    struct span script = script_item_span(redeem);
    /* Asked only now, when the hash has been found right: an order that the error shows. BIP-16,
     * Specification */
    if (!script_is_push_only(script_sig))
        return SCRIPT_ERR_SIG_PUSHONLY;
    script_stack_pop(run->stack, 1); /* the result of comparing hashes: below is scriptSig's */
    enum script_error error = script_run(run, script);
    if (!error)
        error = check_result(run->stack);
    if (error)
        return error;

    int version;
    struct span program;
    *witness = has_flag(run->check, SCRIPT_VERIFY_WITNESS) &&
               script_is_witness_program(script, &version, &program);
    if (!*witness)
        return SCRIPT_OK;
    /* BIP-141, Witness program */
    if (!is_only_push_of(script_sig, script))
        return SCRIPT_ERR_WITNESS_MALLEATED_P2SH;
    return script_verify_witness(run, version, program, true);
}

/* The end of every input without a witness program. Both keep others from adding to an input what
 * its scripts do not look at. */
static enum script_error verify_end(const struct script_run *run)
{
    if (has_flag(run->check, SCRIPT_VERIFY_CLEANSTACK) && run->stack->n != 1)
        return SCRIPT_ERR_CLEANSTACK;
    /* A witness that no program asks for. BIP-141, Witness program */
    if (has_flag(run->check, SCRIPT_VERIFY_WITNESS) && has_witness(run->check))
        return SCRIPT_ERR_WITNESS_UNEXPECTED;
    return SCRIPT_OK;
}

/* The order is that of the soft forks: scriptSig, scriptPubKey, then the witness program or the
 * redeem script, with a result that is asked for after each. A script can only be spent if all
 * layers agree that it can: old nodes see the outer ones, and must not be told another story. */
enum script_error script_verify_generic(const struct script_check *check,
                                        struct script_scratch *scratch)
{
    struct span script_sig = script_sig_of(check), script_pubkey = script_pubkey_of(check);
    if (has_flag(check, SCRIPT_VERIFY_SIGPUSHONLY) && !script_is_push_only(script_sig))
        return SCRIPT_ERR_SIG_PUSHONLY;

    /* Two scripts, one after the other on one stack; joined, scriptSig could have made
     * scriptPubKey its own data. CVE-2010-5141 */
    struct script_run run = run_of(check, scratch);
    sighash_cache_begin_input(&scratch->sighash);
    script_stack_reset(&scratch->stack);
    enum script_error error = script_run(&run, script_sig);
    if (error)
        return error;
    struct script_item redeem = {.p = NULL};
    if (run.stack->n > 0)
        redeem = *script_stack_top(run.stack, 1);
    error = script_run(&run, script_pubkey);
    if (!error)
        error = check_result(run.stack);
    if (error)
        return error;

    int version;
    struct span program;
    if (has_flag(check, SCRIPT_VERIFY_WITNESS) &&
        script_is_witness_program(script_pubkey, &version, &program)) {
        if (script_sig.len > 0) /* BIP-141, Witness program */
            return SCRIPT_ERR_WITNESS_MALLEATED;
        return script_verify_witness(&run, version, program, false);
    }
    if (has_flag(check, SCRIPT_VERIFY_P2SH) && script_is_p2sh(script_pubkey)) {
        bool witness = false; /* BIP-16, Specification */
        error = verify_p2sh(&run, &redeem, &witness);
        if (error || witness)
            return error;
    }
    return verify_end(&run);
}

/* ---- fast paths: what most inputs are, without the interpreter's loop ----
 *
 * Each takes the input only if the result is known to be the one of script_verify_generic(), and
 * otherwise leaves it: false. A test runs both on all vectors and on mutations of them. */

enum {
    P2PKH_BYTES = 25,
    P2PKH_HASH_AT = 3,
    P2SH_HASH_AT = 2,
    P2WPKH_PROGRAM_BYTES = 20,
    P2WPKH_BYTES = 22,
    SIG_BYTES_MIN = 9, /* shorter ones are left to the interpreter, as are long pushes */
};

/* OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG, in exactly this encoding. */
static bool is_p2pkh(struct span s)
{
    return s.len == P2PKH_BYTES && s.p[0] == OP_DUP && s.p[1] == OP_HASH160 && s.p[2] == 20 &&
           s.p[23] == OP_EQUALVERIFY && s.p[24] == OP_CHECKSIG;
}

/* OP_DUP OP_HASH160 <hash> OP_EQUALVERIFY OP_CHECKSIG on a stack of sig and pubkey. Where the
 * public key does not fit, the interpreter would stop at OP_EQUALVERIFY: the error is that one,
 * although no signature was looked at. */
static enum script_error fast_checksig(struct script_run *run, struct span sig, struct span pubkey,
                                       struct span script_code)
{
    uint8_t hash[20];
    hash160(pubkey, hash);
    if (memcmp(hash, script_code.p + P2PKH_HASH_AT, sizeof hash) != 0)
        return SCRIPT_ERR_EQUALVERIFY;
    run->it = script_iter_of(script_code);
    run->code_at = script_code.p;
    bool success;
    enum script_error error = script_check_signature(run, sig, pubkey, &success);
    if (error)
        return error;
    return success ? SCRIPT_OK : SCRIPT_ERR_EVAL_FALSE;
}

/* Two plain pushes on an output to a public key's hash. */
static bool fast_p2pkh(struct script_run *run, enum script_error *error)
{
    struct span script_pubkey = script_pubkey_of(run->check);
    if (!is_p2pkh(script_pubkey))
        return false;
    struct script_iter it = script_iter_of(script_sig_of(run->check));
    struct script_op sig, pubkey;
    if (!script_next(&it, &sig) || !script_next(&it, &pubkey) || it.at != it.end)
        return false;
    if (sig.opcode < SIG_BYTES_MIN || sig.opcode >= OP_PUSHDATA1 || pubkey.opcode < SIG_BYTES_MIN ||
        pubkey.opcode >= OP_PUSHDATA1)
        return false;
    *error = fast_checksig(run, sig.push, pubkey.push, script_pubkey);
    /* The one item left is true, so of the rules at the end only this one can be broken. */
    if (!*error && has_flag(run->check, SCRIPT_VERIFY_WITNESS) && has_witness(run->check))
        *error = SCRIPT_ERR_WITNESS_UNEXPECTED;
    return true;
}

/* The program of a segwit v0 output to a public key's hash; true if the witness fits. */
static bool fast_p2wpkh(struct script_run *run, struct span program, enum script_error *error)
{
    struct witness_iter it = witness_iter_of(run->check->tx->in[run->check->input].witness);
    struct span sig, pubkey;
    if (it.left != 2 || !witness_next(&it, &sig) || !witness_next(&it, &pubkey))
        return false;
    if (sig.len > SCRIPT_PUSH_MAX || pubkey.len > SCRIPT_PUSH_MAX)
        return false;
    /* The script that is signed. BIP-143, Specification */
    uint8_t code[P2PKH_BYTES] = {OP_DUP, OP_HASH160, 20};
    memcpy(code + P2PKH_HASH_AT, program.p, P2WPKH_PROGRAM_BYTES);
    code[23] = OP_EQUALVERIFY;
    code[24] = OP_CHECKSIG;
    run->version = SCRIPT_VERSION_V0;
    *error = fast_checksig(run, sig, pubkey, span_of(code, sizeof code));
    return true;
}

/* An output that is a witness program, spent with an empty scriptSig: running the program as a
 * script pushes two things, and the upper one must be true. */
static bool fast_witness(struct script_run *run, enum script_error *error)
{
    int version;
    struct span program;
    if (script_sig_of(run->check).len > 0 ||
        !script_is_witness_program(script_pubkey_of(run->check), &version, &program))
        return false;
    if (!script_is_true(program)) {
        *error = SCRIPT_ERR_EVAL_FALSE;
        return true;
    }
    /* BIP-141, P2WPKH */
    if (version == 0 && program.len == P2WPKH_PROGRAM_BYTES && fast_p2wpkh(run, program, error))
        return true;
    *error = script_verify_witness(run, version, program, false);
    return true;
}

/* P2WPKH inside P2SH: scriptSig is one push of the program, which hashes to what the output names
 * and is true. Anything else is left to the interpreter, which knows the error.
 * BIP-141, P2WPKH nested in BIP16 P2SH */
static bool fast_p2sh_p2wpkh(struct script_run *run, enum script_error *error)
{
    struct span sig = script_sig_of(run->check), script_pubkey = script_pubkey_of(run->check);
    if (sig.len != 1 + P2WPKH_BYTES || sig.p[0] != P2WPKH_BYTES || sig.p[1] != OP_0 ||
        sig.p[2] != P2WPKH_PROGRAM_BYTES || !script_is_p2sh(script_pubkey))
        return false;
    uint8_t hash[20];
    hash160(span_of(sig.p + 1, P2WPKH_BYTES), hash);
    struct span program = span_of(sig.p + 3, P2WPKH_PROGRAM_BYTES);
    if (memcmp(hash, script_pubkey.p + P2SH_HASH_AT, sizeof hash) != 0 || !script_is_true(program))
        return false;
    return fast_p2wpkh(run, program, error);
}

/* Nearly all inputs of the chain have one of the four forms below; for the others, and for these
 * where anything is unusual, the interpreter decides. */
enum script_error script_verify(const struct script_check *check, struct script_scratch *scratch)
{
    ASSERT(scratch);
    ASSERT(check->input < check->tx->n_in && check->spent);
    struct script_run run = run_of(check, scratch);
    enum script_error error;
    sighash_cache_begin_input(&scratch->sighash);
    if (has_flag(check, SCRIPT_VERIFY_WITNESS)) {
        if (fast_witness(&run, &error))
            return error;
        if (has_flag(check, SCRIPT_VERIFY_P2SH) && fast_p2sh_p2wpkh(&run, &error))
            return error;
    }
    if (fast_p2pkh(&run, &error))
        return error;
    return script_verify_generic(check, scratch);
}
