/* sign_psbt.c - PSBTs signed, filled in and made final. */
#include "spend/sign/sign_psbt.h"

#include <string.h>

#include "consensus/script_iter.h"
#include "consensus/sighash.h"

enum { SCRATCH_BYTES = 4096 };

void sign_session_init(struct sign_session *session, struct psbt *psbt, const struct key_book *book)
{
    ASSERT(session && psbt && book);
    *session = (struct sign_session){.psbt = psbt, .book = book};
    session->spent = arena_calloc(psbt->arena, psbt->n_inputs + 1, sizeof *session->spent);
    session->is_known = arena_calloc(psbt->arena, psbt->n_inputs + 1, sizeof *session->is_known);
    bool all = true;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        session->is_known[i] = psbt_spent(psbt, i, &session->spent[i]);
        all = all && session->is_known[i];
        if (!session->is_known[i])
            session->spent[i] = (struct tx_out){.value_sat = 0};
    }
    /* Taproot signs every spent output. */
    tx_sighash_init_all(&session->sighash, &psbt->tx, all ? session->spent : NULL);
    session->scratch = script_scratch_new();
    arena_init(&session->arena, SCRATCH_BYTES);
}

void sign_session_deinit(struct sign_session *session)
{
    ASSERT(session);
    script_scratch_free(session->scratch);
    arena_deinit(&session->arena);
}

/* Do these scripts satisfy what input i spends? */
static bool satisfies(const struct sign_session *session, size_t i, struct span script_sig,
                      struct span witness)
{
    struct tx tx = session->psbt->tx;
    struct tx_in in = tx.in[i], *all = tx.in;
    struct script_check check = {.tx = &tx,
                                 .input = (uint32_t)i,
                                 .flags = SCRIPT_VERIFY_STANDARD,
                                 .spent = session->spent,
                                 .sighash = &session->sighash};
    all[i].script_sig = script_sig;
    all[i].witness = witness;
    bool ok = script_verify(&check, session->scratch) == SCRIPT_OK;
    all[i] = in;
    return ok;
}

bool sign_psbt_is_done(const struct sign_session *session, size_t i)
{
    ASSERT(session && i < session->psbt->n_inputs);
    const struct psbt_map *input = &session->psbt->inputs[i];
    return psbt_is_final(input) && session->is_known[i] &&
           satisfies(session, i, psbt_get(input, PSBT_IN_FINAL_SCRIPTSIG),
                     psbt_get(input, PSBT_IN_FINAL_SCRIPTWITNESS));
}

/* -- Hash types ------------------------------------------------------------------------------- */

static bool is_taproot(struct span script)
{
    int version;
    struct span program;
    return script_is_witness_program(script, &version, &program) && version == 1 &&
           program.len == 32;
}

/* Signatures that are there already were made with this type. */
static bool sigs_have_type(const struct psbt_map *input, uint8_t type)
{
    static const uint64_t types[] = {PSBT_IN_TAP_KEY_SIG, PSBT_IN_TAP_SCRIPT_SIG,
                                     PSBT_IN_PARTIAL_SIG};
    const struct psbt_record *record;
    for (size_t k = 0; k < COUNT_OF(types); k++) {
        bool is_ecdsa = types[k] == PSBT_IN_PARTIAL_SIG;
        for (size_t at = 0; (record = psbt_next(input, types[k], &at));) {
            struct span sig = record->value;
            bool is_short = !is_ecdsa && sig.len == 64;
            if (type == SIGHASH_DEFAULT ? !is_ecdsa && !is_short
                                        : is_short || sig.p[sig.len - 1] != type)
                return false;
        }
    }
    return true;
}

/* Which type to sign with. False if the input asks for another one: what is signed is chosen by
 * whoever signs, so a type that only the PSBT asks for is never signed. Core: SIGHASH_MISMATCH */
static bool choose_hash_type(struct sign_session *session, size_t i, const struct sign_order *order,
                             uint8_t *type)
{
    struct psbt_map *input = &session->psbt->inputs[i];
    bool is_v1 = is_taproot(session->spent[i].script_pubkey);
    uint32_t asked = 0;
    bool has_asked = psbt_get_u32(input, PSBT_IN_SIGHASH_TYPE, &asked);
    bool does_as_asked = has_asked && order->mode != SOLVE_SIGN;
    *type = order->has_hash_type ? order->hash_type
            : does_as_asked      ? (uint8_t)asked
            : is_v1              ? SIGHASH_DEFAULT
                                 : SIGHASH_ALL;
    if (has_asked && asked != *type)
        return false;
    if (*type != SIGHASH_DEFAULT && (is_v1 || *type != SIGHASH_ALL)) {
        uint8_t value[4] = {*type};
        psbt_set(session->psbt, input, PSBT_IN_SIGHASH_TYPE, span_of("", 0), span_of(value, 4));
    }
    return sigs_have_type(input, *type);
}

/* -- Inputs ----------------------------------------------------------------------------------- */

static void make_final(struct psbt *psbt, struct psbt_map *input, const struct solve_result *made)
{
    static const uint64_t obsolete[] = {PSBT_IN_PARTIAL_SIG, PSBT_IN_REDEEM_SCRIPT,
                                        PSBT_IN_WITNESS_SCRIPT, PSBT_IN_BIP32_DERIVATION};
    for (size_t k = 0; k < COUNT_OF(obsolete); k++)
        psbt_remove(input, obsolete[k]);
    if (made->script_sig.len > 0)
        psbt_set(psbt, input, PSBT_IN_FINAL_SCRIPTSIG, span_of("", 0), made->script_sig);
    if (made->witness.len > 0)
        psbt_set(psbt, input, PSBT_IN_FINAL_SCRIPTWITNESS, span_of("", 0), made->witness);
}

static size_t count_sigs(const struct psbt_map *input)
{
    size_t n = 0;
    for (size_t i = 0; i < input->n; i++)
        n += input->at[i].type == PSBT_IN_PARTIAL_SIG || input->at[i].type == PSBT_IN_TAP_KEY_SIG ||
             input->at[i].type == PSBT_IN_TAP_SCRIPT_SIG;
    return n;
}

/* What a new signature covers must not be changed any more. BIP-370, Signer */
static void note_signature(struct psbt *psbt, uint8_t type)
{
    struct span flags = psbt_get(&psbt->global, PSBT_GLOBAL_TX_MODIFIABLE);
    if (!flags.p)
        return;
    uint8_t now = flags.p[0], kind = type & SIGHASH_OUTPUT_MASK;
    if (!(type & SIGHASH_ANYONECANPAY))
        now &= (uint8_t)~PSBT_MODIFIABLE_INPUTS;
    if (kind != SIGHASH_NONE)
        now &= (uint8_t)~PSBT_MODIFIABLE_OUTPUTS;
    if (kind == SIGHASH_SINGLE)
        now |= PSBT_HAS_SIGHASH_SINGLE;
    psbt_set(psbt, &psbt->global, PSBT_GLOBAL_TX_MODIFIABLE, span_of("", 0), span_of(&now, 1));
}

/* Signers of a witness need no more than the output. */
static void note_coin(struct psbt *psbt, struct psbt_map *input, const struct tx_out *coin)
{
    size_t room = 8 + 9 + coin->script_pubkey.len;
    uint8_t *p = arena_alloc(psbt->arena, room);
    struct writer w = writer_to_buffer(p, room);
    tx_out_encode(&w, coin);
    psbt_put(psbt, input, PSBT_IN_WITNESS_UTXO, span_of("", 0), span_of(p, w.len));
}

static enum sign_outcome sign_known(struct sign_session *session, size_t i,
                                    const struct sign_order *order, struct solve_result *made)
{
    struct psbt *psbt = session->psbt;
    struct psbt_map *input = &psbt->inputs[i];
    bool needs_witness = !psbt_get(input, PSBT_IN_NON_WITNESS_UTXO).p;
    struct solve_request request = {.mode = order->mode,
                                    .book = session->book,
                                    .tx = &psbt->tx,
                                    .spent = session->spent,
                                    .sighash = &session->sighash,
                                    .input = (uint32_t)i,
                                    .arena = &session->arena};
    if (!choose_hash_type(session, i, order, &request.hash_type))
        return SIGN_SIGHASH_MISMATCH;
    struct psbt_map before = *input;
    arena_deinit(&session->arena); /* of the input before */
    before.at = arena_calloc(psbt->arena, before.capacity + 1, sizeof *before.at);
    if (input->n > 0)
        memcpy(before.at, input->at, input->n * sizeof *before.at);
    size_t n_sigs = count_sigs(input);
    solve_input(&request, psbt, input, made);
    /* An amount that no signature covers, and no transaction shows, may be a lie: nothing is kept
     * of such an input. BIP-174, Signer */
    if (needs_witness && !made->is_witness) {
        *input = before;
        return SIGN_INCOMPLETE;
    }
    if (order->mode == SOLVE_SIGN && count_sigs(input) > n_sigs)
        note_signature(psbt, request.hash_type);
    bool is_complete = made->is_solved && (order->mode == SOLVE_PRETEND ||
                                           satisfies(session, i, made->script_sig, made->witness));
    if (made->is_witness)
        note_coin(psbt, input, &session->spent[i]);
    if (is_complete && order->finalize)
        make_final(psbt, input, made);
    return is_complete ? SIGN_COMPLETE : SIGN_INCOMPLETE;
}

enum sign_outcome sign_psbt_input(struct sign_session *session, size_t i,
                                  const struct sign_order *order, struct solve_result *missing)
{
    ASSERT(session && order && i < session->psbt->n_inputs);
    struct solve_result made = {0};
    if (missing)
        *missing = made;
    if (sign_psbt_is_done(session, i))
        return SIGN_COMPLETE;
    if (!session->is_known[i])
        return SIGN_NO_COIN;
    enum sign_outcome outcome = sign_known(session, i, order, &made);
    if (missing)
        *missing = made;
    else
        solve_result_deinit(&made);
    return outcome;
}

/* -- Outputs ---------------------------------------------------------------------------------- */

/* A tree as its leaves from left to right. BIP-371, Specification */
static struct span encode_tree(const struct tap_tree *tree, struct arena *arena)
{
    size_t room = 1;
    for (size_t i = 0; i < tree->n; i++)
        room += 2 + 9 + tree->leaves[i].script.len;
    uint8_t *p = arena_alloc(arena, room);
    struct writer w = writer_to_buffer(p, room);
    for (size_t i = 0; i < tree->n; i++) {
        write_u8(&w, tree->leaves[i].depth);
        write_u8(&w, tree->leaves[i].version);
        write_var_span(&w, tree->leaves[i].script);
    }
    return span_of(p, w.len);
}

/* The tree of an output that the book knows. */
static void put_tree(struct sign_session *session, struct psbt_map *output, struct span script)
{
    const struct book_tap *tap =
        is_taproot(script) ? key_book_find_tap(session->book, script.p + 2) : NULL;
    if (tap && tap->tree.n > 0)
        psbt_put(session->psbt, output, PSBT_OUT_TAP_TREE, span_of("", 0),
                 encode_tree(&tap->tree, session->psbt->arena));
}

void sign_psbt_output(struct sign_session *session, size_t i)
{
    ASSERT(session && i < session->psbt->n_outputs);
    static const struct {
        uint64_t in, out;
    } same[] = {
        {PSBT_IN_REDEEM_SCRIPT, PSBT_OUT_REDEEM_SCRIPT},
        {PSBT_IN_WITNESS_SCRIPT, PSBT_OUT_WITNESS_SCRIPT},
        {PSBT_IN_BIP32_DERIVATION, PSBT_OUT_BIP32_DERIVATION},
        {PSBT_IN_TAP_INTERNAL_KEY, PSBT_OUT_TAP_INTERNAL_KEY},
        {PSBT_IN_TAP_BIP32_DERIVATION, PSBT_OUT_TAP_BIP32_DERIVATION},
    };
    struct psbt *psbt = session->psbt;
    struct psbt_map known = {.kind = PSBT_MAP_INPUT};
    struct solve_request request = {.mode = SOLVE_LOOK,
                                    .book = session->book,
                                    .tx = &psbt->tx,
                                    .spent = &psbt->tx.out[i],
                                    .arena = &session->arena};
    struct solve_result made;
    const struct psbt_record *record;
    /* As if the output were spent by the first input: nothing is signed. */
    if (psbt->n_inputs == 0)
        return;
    arena_deinit(&session->arena);
    solve_input(&request, psbt, &known, &made);
    solve_result_deinit(&made);
    for (size_t k = 0; k < COUNT_OF(same); k++) {
        for (size_t at = 0; (record = psbt_next(&known, same[k].in, &at));)
            psbt_put(psbt, &psbt->outputs[i], same[k].out, record->data, record->value);
    }
    put_tree(session, &psbt->outputs[i], psbt->tx.out[i].script_pubkey);
}

void sign_psbt_drop_previous(struct psbt *psbt)
{
    ASSERT(psbt);
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        int version;
        uint32_t type = 0;
        struct span program, coin = psbt_get(&psbt->inputs[i], PSBT_IN_WITNESS_UTXO);
        if (!coin.p)
            return;
        struct reader r = reader_of(coin);
        (void)read_u64(&r);
        struct span script = read_var_span(&r);
        (void)psbt_get_u32(&psbt->inputs[i], PSBT_IN_SIGHASH_TYPE, &type);
        if (!script_is_witness_program(script, &version, &program) || version == 0 ||
            (type & SIGHASH_ANYONECANPAY))
            return;
    }
    for (size_t i = 0; i < psbt->n_inputs; i++)
        psbt_remove(&psbt->inputs[i], PSBT_IN_NON_WITNESS_UTXO);
}
