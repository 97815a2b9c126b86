/* sign_tx.c - inputs of plain transactions signed. */
#include "spend/sign/sign_tx.h"

#include <string.h>

#include "consensus/script_type.h"
#include "consensus/script_write.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "spend/sign/solve_signatures_internal.h"

/* Of one copy: no more than each kind of script that is no miniscript can use. */
enum { ITEMS_MAX = 2 * (SCRIPT_PUBKEYS_MAX + 3) };

/* What an input holds: pushes of the scriptSig, then items of the witness. */
struct held {
    struct span item[ITEMS_MAX];
    uint8_t digest[ITEMS_MAX][32]; /* of what may be signatures: what they sign */
    size_t n;
    struct span last_push, last_item;
    size_t n_witness;
};

static void add_item(struct held *held, struct span item)
{
    if (item.len > 0 && held->n < ITEMS_MAX)
        held->item[held->n++] = item;
}

static void take_apart(const struct tx_in *in, struct held *held)
{
    struct script_iter it = script_iter_of(in->script_sig);
    struct script_op op;
    struct span item;
    *held = (struct held){.n = 0};
    while (script_next(&it, &op)) {
        add_item(held, op.push);
        held->last_push = op.push;
    }
    if (in->witness.len == 0)
        return;
    struct witness_iter witness = witness_iter_of(in->witness);
    while (witness_next(&witness, &item)) {
        add_item(held, item);
        held->last_item = item;
        held->n_witness++;
    }
}

/* -- Signatures that are there ---------------------------------------------------------------- */

/* Keep the signature among the items that is right for a key. */
static void keep_sig(struct solving *s, const struct held *held, struct span pubkey)
{
    struct ec_pubkey parsed;
    if (!ec_pubkey_parse(&parsed, pubkey) || psbt_find(s->map, PSBT_IN_PARTIAL_SIG, pubkey))
        return;
    for (size_t i = 0; i < held->n; i++) {
        struct span sig = held->item[i];
        if (!ecdsa_is_strict_der(sig))
            continue;
        if (ecdsa_verify_lax(span_of(sig.p, sig.len - 1), held->digest[i], &parsed)) {
            psbt_put(s->psbt, s->map, PSBT_IN_PARTIAL_SIG, pubkey, sig);
            return;
        }
    }
}

/* Is this key's hash what a script or a program asks for? */
static bool is_hashed_in(struct span script, struct span pubkey)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    uint8_t hash[20];
    hash160(pubkey, hash);
    while (script_next(&it, &op)) {
        if (span_equal(op.push, span_of(hash, sizeof hash)))
            return true;
    }
    return false;
}

/* Keys stand in the script; or where it has their hashes, among the items. Nobody solves a script
 * that is longer than a miniscript may be, and it may have very many keys. */
static void keep_sigs(struct solving *s, struct held *held, struct span script)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    if (script.len > MS_P2WSH_SCRIPT_MAX)
        return;
    for (size_t i = 0; i < held->n; i++) {
        struct span sig = held->item[i];
        if (ecdsa_is_strict_der(sig))
            solve_digest(s, sig.p[sig.len - 1], held->digest[i]);
    }
    while (script_next(&it, &op)) {
        if (op.push.len == 33 || op.push.len == 65)
            keep_sig(s, held, op.push);
    }
    for (size_t i = 0; i < held->n; i++) {
        struct span item = held->item[i];
        if ((item.len == 33 || item.len == 65) && is_hashed_in(script, item))
            keep_sig(s, held, item);
    }
}

/* The script behind a hash of 20 or 32 bytes, if this is it. */
static bool is_script_of(struct span script, struct span hash)
{
    uint8_t own[32];
    if (hash.len == 20)
        hash160(script, own);
    else
        sha256(script, own);
    return span_equal(hash, span_of(own, hash.len));
}

/* What signatures for a P2WPKH output sign. */
static struct span key_hash_code(struct arena *arena, struct span hash)
{
    static const uint8_t head[] = {OP_DUP, OP_HASH160, 20}, tail[] = {OP_EQUALVERIFY, OP_CHECKSIG};
    return script_join(arena, script_join(arena, span_of(head, 3), hash), span_of(tail, 2));
}

/* Put what a copy of the input has into the map. Spec: Core DataFromTransaction() */
static void harvest(struct solving *s, const struct tx_in *in)
{
    struct held held;
    struct span none = span_of("", 0);
    struct span script = s->request->spent[s->request->input].script_pubkey;
    struct script_solution solution = script_solve(script);
    take_apart(in, &held);
    if (solution.type == SCRIPT_TYPE_SCRIPTHASH) {
        if (!is_script_of(held.last_push, solution.item[0]))
            return;
        script = held.last_push;
        psbt_put(s->psbt, s->map, PSBT_IN_REDEEM_SCRIPT, none, script);
        solution = script_solve(script);
    }
    s->is_segwit = solution.type == SCRIPT_TYPE_WITNESS_V0_KEYHASH ||
                   solution.type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH;
    if (solution.type == SCRIPT_TYPE_WITNESS_V1_TAPROOT) {
        if (held.n_witness == 1 && (held.last_item.len == 64 || held.last_item.len == 65))
            psbt_put(s->psbt, s->map, PSBT_IN_TAP_KEY_SIG, none, held.last_item);
        return;
    }
    if (solution.type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH) {
        if (!is_script_of(held.last_item, solution.item[0]))
            return;
        script = held.last_item;
        psbt_put(s->psbt, s->map, PSBT_IN_WITNESS_SCRIPT, none, script);
    }
    s->script_code = solution.type == SCRIPT_TYPE_WITNESS_V0_KEYHASH
                         ? key_hash_code(s->arena, solution.item[0])
                         : script;
    keep_sigs(s, &held, script);
}

bool sign_tx_input(const struct sign_tx_request *request, struct tx *tx, const struct tx_out *spent,
                   const struct tx_sighash *sighash, uint32_t n)
{
    ASSERT(request && request->book && tx && n < tx->n_in);
    struct psbt beside = {.arena = request->arena};
    struct psbt_map map = {.kind = PSBT_MAP_INPUT};
    struct solve_result result = {0};
    struct solve_request inner = {.mode = request->mode,
                                  .book = request->book,
                                  .tx = tx,
                                  .spent = spent,
                                  .sighash = sighash,
                                  .input = n,
                                  .hash_type = request->hash_type};
    struct solving s = {
        .request = &inner, .psbt = &beside, .map = &map, .out = &result, .arena = request->arena};
    harvest(&s, &tx->in[n]);
    for (size_t i = 0; i < request->n_copies; i++)
        harvest(&s, &request->copies[i]);
    solve_input(&inner, &beside, &map, &result);
    bool is_made = result.is_solved || result.has_items;
    if (is_made) {
        tx->in[n].script_sig = result.script_sig;
        tx->in[n].witness = result.witness;
    }
    solve_result_deinit(&result);
    return is_made;
}
