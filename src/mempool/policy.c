/* policy.c - see policy.h.
 *
 * Rule after rule as Core has them: which one is named for a transaction that breaks two is what
 * wallets see. */
#include "mempool/policy.h"

#include "consensus/block.h"
#include "consensus/script_type.h"
#include "consensus/sigops.h"

#define BARE_MULTISIG_KEYS_MAX 3
#define P2WSH_PROGRAM_BYTES    32
#define P2TR_PROGRAM_BYTES     32
#define TAPROOT_ANNEX_TAG      0x50
#define TAPROOT_LEAF_MASK      0xfe
#define TAPROOT_LEAF_TAPSCRIPT 0xc0

/* What spending an output will cost: outpoint, sequence, script length and a signature with its
 * key, as of P2PKH and of P2WPKH. */
#define SPEND_BYTES         (32 + 4 + 1 + 107 + 4)
#define SPEND_WITNESS_BYTES (32 + 4 + 1 + 107 / WITNESS_SCALE + 4)

_Static_assert(POLICY_TX_WEIGHT_MAX_WU <= BLOCK_WEIGHT_MAX_WU, "what is relayed can be mined");
_Static_assert(5 * POLICY_TX_SIGOPS_COST_MAX <= BLOCK_SIGOPS_COST_MAX, "a block has room for five");
_Static_assert(POLICY_TRUC_CHILD_VBYTES_MAX < POLICY_TRUC_VBYTES_MAX, "a small child");

/* -- The transaction by itself ----------------------------------------------------------------- */

int64_t policy_dust_threshold_sat(const struct tx_out *out, int64_t dust_sat_per_kvb)
{
    ASSERT(out && dust_sat_per_kvb >= 0);
    if (script_is_unspendable(out->script_pubkey))
        return 0;
    struct writer w = writer_counting();
    tx_out_encode(&w, out);
    int version;
    struct span program;
    bool is_witness = script_is_witness_program(out->script_pubkey, &version, &program);
    size_t bytes = w.len + (is_witness ? SPEND_WITNESS_BYTES : SPEND_BYTES);
    return feerate_fee_sat(dust_sat_per_kvb, (uint32_t)bytes);
}

uint32_t policy_count_dust(const struct tx *tx, int64_t dust_sat_per_kvb)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < tx->n_out; i++)
        if (tx->out[i].value_sat < policy_dust_threshold_sat(&tx->out[i], dust_sat_per_kvb))
            n++;
    return n;
}

/* Core: IsStandard() */
static bool is_standard_script(const struct script_solution *solution)
{
    if (solution->type == SCRIPT_TYPE_NONSTANDARD)
        return false;
    if (solution->type == SCRIPT_TYPE_MULTISIG)
        return solution->n_items <= BARE_MULTISIG_KEYS_MAX;
    return true;
}

/* Data is limited for all outputs of a transaction together, in bytes of their scripts. Dust is
 * allowed once: check_policy() of check.c asks then that there is no fee. */
static enum reject check_outputs(const struct policy *policy, const struct tx *tx)
{
    size_t data_left = policy->max_datacarrier_bytes;
    for (uint32_t i = 0; i < tx->n_out; i++) {
        struct span script = tx->out[i].script_pubkey;
        struct script_solution solution = script_solve(script);
        if (!is_standard_script(&solution))
            return REJECT_SCRIPTPUBKEY;
        if (solution.type == SCRIPT_TYPE_NULLDATA) {
            if (script.len > data_left)
                return REJECT_DATACARRIER;
            data_left -= script.len;
        } else if (solution.type == SCRIPT_TYPE_MULTISIG && !policy->permit_bare_multisig) {
            return REJECT_BARE_MULTISIG;
        }
    }
    if (policy_count_dust(tx, policy->dust_sat_per_kvb) > POLICY_DUST_OUTPUTS_MAX)
        return REJECT_DUST;
    return REJECT_NONE;
}

enum reject policy_check_tx(const struct policy *policy, const struct tx *tx)
{
    ASSERT(policy && tx->n_in > 0 && tx->n_out > 0); /* tx_check() holds */
    if (tx->version < 1 || tx->version > POLICY_TX_VERSION_MAX)
        return REJECT_TX_VERSION;
    if (tx_weight_wu(tx) > POLICY_TX_WEIGHT_MAX_WU)
        return REJECT_TX_SIZE;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].script_sig.len > POLICY_SCRIPT_SIG_MAX_BYTES)
            return REJECT_SCRIPTSIG_SIZE;
        if (!script_is_push_only(tx->in[i].script_sig))
            return REJECT_SCRIPTSIG_NOT_PUSHONLY;
    }
    return check_outputs(policy, tx);
}

/* -- What it spends ---------------------------------------------------------------------------- */

/* The element that a scriptSig leaves on top of the stack. Short numbers are pushed by opcodes of
 * their own, so they need a byte to live in. False if there is none, or the script is more than
 * pushes. */
static bool last_push(struct span script_sig, uint8_t number[1], struct span *top)
{
    struct script_iter it = script_iter_of(script_sig);
    struct script_op op;
    bool any = false;
    while (script_next(&it, &op)) {
        if (op.push.len > SCRIPT_PUSH_MAX)
            return false;
        if (op.opcode <= OP_PUSHDATA4) {
            *top = op.push;
        } else if (op.opcode == OP_1NEGATE || (op.opcode >= OP_1 && op.opcode <= OP_16)) {
            number[0] = op.opcode == OP_1NEGATE ? 0x81 : (uint8_t)opcode_small_int(op.opcode);
            *top = span_of(number, 1);
        } else {
            return false;
        }
        any = true;
    }
    return any && !it.failed;
}

/* Signature operations that spending runs outside of witnesses; those of the output spent count
 * here, not where it was made. BIP54 */
static bool legacy_sigops_are_few(const struct tx *tx, const struct tx_out *spent)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        n += script_sigops(tx->in[i].script_sig, true);
        n += script_is_p2sh(spent[i].script_pubkey) ? p2sh_sigops(tx->in[i].script_sig)
                                                    : script_sigops(spent[i].script_pubkey, true);
        if (n > POLICY_TX_LEGACY_SIGOPS_MAX)
            return false;
    }
    return true;
}

/* One output spent: its form is known, and if it is P2SH, what the script in it runs is little. */
static bool check_input(const struct tx *tx, uint32_t i, struct span script_pubkey,
                        struct verdict *verdict)
{
    const enum reject code = REJECT_NONSTANDARD_INPUTS;
    enum script_type type = script_solve(script_pubkey).type;
    if (type == SCRIPT_TYPE_NONSTANDARD)
        return verdict_set(verdict, code, "input %u script unknown", i);
    if (type == SCRIPT_TYPE_WITNESS_UNKNOWN)
        return verdict_set(verdict, code, "input %u witness program is undefined", i);
    if (type != SCRIPT_TYPE_SCRIPTHASH)
        return true;
    uint8_t number[1];
    struct span redeem_script;
    if (tx->in[i].script_sig.len == 0)
        return verdict_set(verdict, code, "input %u P2SH redeemscript missing", i);
    if (!last_push(tx->in[i].script_sig, number, &redeem_script))
        return verdict_set(verdict, code, "p2sh scriptsig malformed (input %u)", i);
    uint32_t sigops = script_sigops(redeem_script, true);
    if (sigops > POLICY_P2SH_SIGOPS_MAX)
        return verdict_set(verdict, code,
                           "p2sh redeemscript sigops exceed limit (input %u: %u > %u)", i, sigops,
                           POLICY_P2SH_SIGOPS_MAX);
    return true;
}

bool policy_check_inputs(const struct tx *tx, const struct tx_out *spent, struct verdict *verdict)
{
    if (!legacy_sigops_are_few(tx, spent))
        return verdict_set(verdict, REJECT_NONSTANDARD_INPUTS,
                           "non-witness sigops exceed bip54 limit");
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (!check_input(tx, i, spent[i].script_pubkey, verdict))
            return false;
    return true;
}

/* -- Witnesses --------------------------------------------------------------------------------- */

/* The end of a witness stack: how many items, and the last two. */
struct stack_end {
    uint64_t n;
    struct span last, before;
};

static struct stack_end stack_end(struct span witness)
{
    struct stack_end end = {0};
    struct span item;
    for (struct witness_iter it = witness_iter_of(witness); witness_next(&it, &item); end.n++) {
        end.before = end.last;
        end.last = item;
    }
    return end;
}

/* Are the first n items short? */
static bool items_are_short(struct span witness, uint64_t n)
{
    struct witness_iter it = witness_iter_of(witness);
    struct span item;
    for (uint64_t i = 0; i < n && witness_next(&it, &item); i++)
        if (item.len > POLICY_WITNESS_ITEM_MAX_BYTES)
            return false;
    return true;
}

static bool wsh_is_standard(struct span witness)
{
    struct stack_end end = stack_end(witness);
    if (end.n == 0)
        return true; /* an invalid spend: the script says so */
    return end.last.len <= POLICY_WSH_SCRIPT_MAX_BYTES && end.n - 1 <= POLICY_WSH_ITEMS_MAX &&
           items_are_short(witness, end.n - 1);
}

/* An annex has no meaning yet: who uses one today may be bound by a rule of tomorrow, so it is not
 * relayed. Leaves of unknown versions are no affair of ours. BIP-341, Script validation rules */
static bool taproot_is_standard(struct span witness)
{
    struct stack_end end = stack_end(witness);
    if (end.n < 2)
        return end.n == 1; /* one item: a signature by the output key */
    if (end.last.len > 0 && end.last.p[0] == TAPROOT_ANNEX_TAG)
        return false;
    if (end.last.len == 0)
        return false; /* no control block */
    if ((end.last.p[0] & TAPROOT_LEAF_MASK) != TAPROOT_LEAF_TAPSCRIPT)
        return true;
    return items_are_short(witness, end.n - 2);
}

/* A witness where nothing looks at it is room for whatever somebody wants stored, and so is one
 * that is larger than its script needs. */
static bool input_witness_is_standard(const struct tx_in *in, struct span script)
{
    if (script_solve(script).type == SCRIPT_TYPE_ANCHOR)
        return false;
    bool is_p2sh = script_is_p2sh(script);
    uint8_t number[1];
    if (is_p2sh && !last_push(in->script_sig, number, &script))
        return false;
    int version;
    struct span program;
    if (!script_is_witness_program(script, &version, &program))
        return false;
    if (version == 0 && program.len == P2WSH_PROGRAM_BYTES)
        return wsh_is_standard(in->witness);
    if (version == 1 && program.len == P2TR_PROGRAM_BYTES && !is_p2sh)
        return taproot_is_standard(in->witness);
    return true;
}

bool policy_witness_is_standard(const struct tx *tx, const struct tx_out *spent)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (tx->in[i].witness.len > 0 &&
            !input_witness_is_standard(&tx->in[i], spent[i].script_pubkey))
            return false;
    return true;
}

bool policy_spends_witness_program(const struct tx *tx, const struct tx_out *spent)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct span script = spent[i].script_pubkey;
        if (script_solve(script).type == SCRIPT_TYPE_ANCHOR)
            continue;
        uint8_t number[1];
        if (script_is_p2sh(script) && !last_push(tx->in[i].script_sig, number, &script))
            continue;
        int version;
        struct span program;
        if (script_is_witness_program(script, &version, &program))
            return true;
    }
    return false;
}
