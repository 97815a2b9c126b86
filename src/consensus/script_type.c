/* script_type.c - the well-known forms of output scripts.
 *
 * What a form says about the owner is convention: a script of no known form is as valid in a block.
 * Policy and what people are shown depend on it, so the forms are Core's, with its limits. */
#include "consensus/script_type.h"

#include "consensus/script_internal.h"
#include "util/assert.h"

static const char *const names[SCRIPT_TYPE_COUNT] = {
    [SCRIPT_TYPE_NONSTANDARD] = "nonstandard",
    [SCRIPT_TYPE_ANCHOR] = "anchor",
    [SCRIPT_TYPE_PUBKEY] = "pubkey",
    [SCRIPT_TYPE_PUBKEYHASH] = "pubkeyhash",
    [SCRIPT_TYPE_SCRIPTHASH] = "scripthash",
    [SCRIPT_TYPE_MULTISIG] = "multisig",
    [SCRIPT_TYPE_NULLDATA] = "nulldata",
    [SCRIPT_TYPE_WITNESS_V0_KEYHASH] = "witness_v0_keyhash",
    [SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH] = "witness_v0_scripthash",
    [SCRIPT_TYPE_WITNESS_V1_TAPROOT] = "witness_v1_taproot",
    [SCRIPT_TYPE_WITNESS_UNKNOWN] = "witness_unknown",
};

const char *script_type_name(enum script_type type)
{
    ASSERT((unsigned)type < SCRIPT_TYPE_COUNT);
    return names[type];
}

/* First bytes 6 and 7 are the hybrid form, which consensus allows in old scripts. */
bool pubkey_has_valid_size(struct span pubkey)
{
    if (pubkey.len == 33)
        return pubkey.p[0] == 2 || pubkey.p[0] == 3;
    if (pubkey.len == 65)
        return pubkey.p[0] == 4 || pubkey.p[0] == 6 || pubkey.p[0] == 7;
    return false;
}

/* Of version 0 all other lengths can never be spent; of later versions they are somebody's
 * future. */
static enum script_type program_type(int version, struct span program)
{
    static const uint8_t anchor[2] = {0x4e, 0x73};
    if (version == 0 && program.len == 20)
        return SCRIPT_TYPE_WITNESS_V0_KEYHASH;
    if (version == 0 && program.len == 32)
        return SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH;
    if (version == 1 && program.len == 32)
        return SCRIPT_TYPE_WITNESS_V1_TAPROOT;
    if (version == 1 && span_equal(program, span_of(anchor, sizeof anchor)))
        return SCRIPT_TYPE_ANCHOR;
    return version == 0 ? SCRIPT_TYPE_NONSTANDARD : SCRIPT_TYPE_WITNESS_UNKNOWN;
}

/* <33 or 65 bytes> OP_CHECKSIG */
static bool match_pubkey(struct span script, struct span *pubkey)
{
    if (script.len != 35 && script.len != 67)
        return false;
    *pubkey = span_of(script.p + 1, script.len - 2);
    return script.p[0] == pubkey->len && script.p[script.len - 1] == OP_CHECKSIG &&
           pubkey_has_valid_size(*pubkey);
}

/* OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG */
static bool match_pubkeyhash(struct span script, struct span *hash)
{
    if (script.len != 25 || script.p[0] != OP_DUP || script.p[1] != OP_HASH160 ||
        script.p[2] != 20 || script.p[23] != OP_EQUALVERIFY || script.p[24] != OP_CHECKSIG)
        return false;
    *hash = span_of(script.p + 3, 20);
    return true;
}

/* A count of keys: OP_1 to OP_16, or 17 to 20 pushed in the shortest way. 0 if it is none. */
static int key_count(const struct script_op *op)
{
    if (op->opcode >= OP_1 && op->opcode <= OP_16)
        return opcode_small_int(op->opcode);
    if (op->opcode == 1 && op->push.p[0] > 16 && op->push.p[0] <= SCRIPT_PUBKEYS_MAX)
        return op->push.p[0];
    return 0;
}

/* m <key> ... n OP_CHECKMULTISIG Both counts have to be what is there: else it is another script
 * that begins alike. */
static bool match_multisig(struct span script, struct script_solution *solution)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    if (!script_next(&it, &op))
        return false;
    solution->required = key_count(&op);
    if (solution->required == 0)
        return false;
    bool more;
    while ((more = script_next(&it, &op)) && pubkey_has_valid_size(op.push)) {
        if (solution->n_items == SCRIPT_PUBKEYS_MAX)
            return false;
        solution->item[solution->n_items++] = op.push;
    }
    if (!more || key_count(&op) < solution->required || key_count(&op) != (int)solution->n_items)
        return false;
    return it.at + 1 == it.end && *it.at == OP_CHECKMULTISIG;
}

/* Each form excludes the others, so the order of the questions does not matter. */
struct script_solution script_solve(struct span script)
{
    struct script_solution solution = {.witness_version = -1, .n_items = 1};
    if (script_is_p2sh(script)) {
        solution.type = SCRIPT_TYPE_SCRIPTHASH;
        solution.item[0] = span_of(script.p + 2, 20);
        return solution;
    }
    if (script_is_witness_program(script, &solution.witness_version, &solution.item[0])) {
        solution.type = program_type(solution.witness_version, solution.item[0]);
        return solution;
    }
    if (match_pubkey(script, &solution.item[0])) {
        solution.type = SCRIPT_TYPE_PUBKEY;
        return solution;
    }
    if (match_pubkeyhash(script, &solution.item[0])) {
        solution.type = SCRIPT_TYPE_PUBKEYHASH;
        return solution;
    }
    solution.n_items = 0;
    if (script.len && script.p[0] == OP_RETURN &&
        script_is_push_only(span_of(script.p + 1, script.len - 1))) {
        solution.type = SCRIPT_TYPE_NULLDATA;
        return solution;
    }
    if (match_multisig(script, &solution)) {
        solution.type = SCRIPT_TYPE_MULTISIG;
        return solution;
    }
    return (struct script_solution){.type = SCRIPT_TYPE_NONSTANDARD, .witness_version = -1};
}

/* An opcode that succeeds in a tapscript fails, or is disabled, elsewhere: a script with it that is
 * paid to by its hash cannot be spent. */
bool script_has_tapscript_op(struct span script)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    bool found = false;
    while (!found && script_next(&it, &op))
        found = opcode_is_success(op.opcode) || op.opcode == OP_CHECKSIGADD;
    return found;
}
