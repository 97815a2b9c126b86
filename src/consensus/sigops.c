/* sigops.c - counting signature operations.
 *
 *     counted for                         when it is made     when it is spent
 *     P2PKH                               4                   0
 *     bare multisig, 2 of 3               80                  0
 *     P2SH of 2 of 3                      0                   12
 *     P2WPKH                              0                   1
 *     P2WSH of 2 of 3                     0                   3
 *     taproot                             0                   0: its witness pays */
#include "consensus/sigops.h"

#include "consensus/script_iter.h"
#include "consensus/script_verify.h"
#include "util/assert.h"

/* A parser that goes through the bytes and runs nothing: also opcodes in branches that are never
 * taken count, and what stands behind a broken push does not. Two ways of counting remain from
 * history, the coarse one for what everybody can see and the accurate one for what is shown only
 * when it is spent. */
uint32_t script_sigops(struct span script, bool accurate)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    uint8_t last = OP_INVALIDOPCODE;
    uint32_t count = 0;
    while (script_next(&it, &op)) {
        if (op.opcode == OP_CHECKSIG || op.opcode == OP_CHECKSIGVERIFY) {
            count++;
        } else if (op.opcode == OP_CHECKMULTISIG || op.opcode == OP_CHECKMULTISIGVERIFY) {
            /* BIP-16, Specification */
            if (accurate && last >= OP_1 && last <= OP_16)
                count += (uint32_t)opcode_small_int(last);
            else
                count += SCRIPT_PUBKEYS_MAX;
        }
        last = op.opcode;
    }
    return count;
}

/* An output's script counts where it is made, whether or not it is ever spent, and a scriptSig
 * counts although it hardly ever checks anything. */
uint32_t tx_legacy_sigops(const struct tx *tx)
{
    ASSERT(tx);
    uint32_t count = 0;
    for (uint32_t i = 0; i < tx->n_in; i++)
        count += script_sigops(tx->in[i].script_sig, false);
    for (uint32_t i = 0; i < tx->n_out; i++)
        count += script_sigops(tx->out[i].script_pubkey, false);
    return count;
}

/* The last thing that a script of pushes only pushes; false if it is no such script. */
static bool last_push(struct span script, struct span *push)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    *push = span_of(NULL, 0);
    while (script_next(&it, &op)) {
        if (op.opcode > OP_16)
            return false;
        *push = op.push;
    }
    return !it.failed;
}

/* Redeem scripts count where they are spent; before, nobody knows them. */
uint32_t p2sh_sigops(struct span script_sig)
{
    struct span redeem;
    /* BIP-16, Specification */
    return last_push(script_sig, &redeem) ? script_sigops(redeem, true) : 0;
}

/* Of a version 0 program: one for a key, for a script what it holds. Later versions have budgets of
 * their own and cost nothing here. */
static uint32_t program_sigops(int version, struct span program, struct span witness)
{
    if (version != 0)
        return 0;
    /* BIP-141, Sigops */
    if (program.len == 20)
        return 1;
    if (program.len != 32)
        return 0;
    struct witness_iter it = witness_iter_of(witness);
    struct span item = span_of(NULL, 0);
    while (witness_next(&it, &item))
        continue;
    return script_sigops(item, true);
}

/* The program may also be a redeem script. */
static uint32_t witness_sigops(const struct tx_in *in, struct span script_pubkey)
{
    int version;
    struct span program, redeem;
    if (script_is_witness_program(script_pubkey, &version, &program))
        return program_sigops(version, program, in->witness);
    if (script_is_p2sh(script_pubkey) && last_push(in->script_sig, &redeem) &&
        script_is_witness_program(redeem, &version, &program))
        return program_sigops(version, program, in->witness);
    return 0;
}

/* The coinbase's scripts count, its input spends nothing that could. */
uint64_t tx_sigops_cost(const struct tx *tx, const struct tx_out *spent, uint32_t flags)
{
    ASSERT(spent || tx_is_coinbase(tx));
    /* BIP-141, Sigops */
    uint64_t cost = (uint64_t)tx_legacy_sigops(tx) * WITNESS_SCALE;
    if (tx_is_coinbase(tx))
        return cost;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct span script_pubkey = spent[i].script_pubkey;
        if ((flags & SCRIPT_VERIFY_P2SH) && script_is_p2sh(script_pubkey))
            cost += (uint64_t)p2sh_sigops(tx->in[i].script_sig) * WITNESS_SCALE;
        if (flags & SCRIPT_VERIFY_WITNESS)
            cost += witness_sigops(&tx->in[i], script_pubkey);
    }
    return cost;
}
