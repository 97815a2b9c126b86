/* solve.c - what satisfies an output. */
#include "spend/sign/solve.h"

#include <string.h>

#include "consensus/script_type.h"
#include "consensus/script_write.h"
#include "crypto/hash.h"
#include "spend/sign/solve_signatures_internal.h"

enum {
    STACK_MAX = SCRIPT_PUBKEYS_MAX + 3, /* of the forms that are no miniscript */
    SCRATCH_BYTES = 4096,
};

/* Items, the first pushed first. */
struct stack {
    struct span *item;
    size_t n;
};

static struct stack new_stack(struct solving *s)
{
    return (struct stack){.item = arena_calloc(s->arena, STACK_MAX, sizeof(struct span))};
}

static void push(struct stack *stack, struct span item)
{
    ASSERT(stack->n < STACK_MAX);
    stack->item[stack->n++] = item;
}

/* -- Scripts of keys -------------------------------------------------------------------------- */

/* All keys are asked, so that the next signer knows of all that are missing; what is too much is
 * left out. Missing ones are empty, as Core leaves them. BIP-147, Specification */
static bool solve_multisig(struct solving *s, const struct script_solution *solution,
                           struct stack *stack)
{
    int found = 0;
    push(stack, span_of("", 0));
    for (uint32_t i = 0; i < solution->n_items; i++) {
        struct span sig = solve_sig(s, solution->item[i]);
        if (sig.p && found < solution->required) {
            push(stack, sig);
            found++;
        }
    }
    bool is_complete = found == solution->required;
    for (; found < solution->required; found++)
        push(stack, span_of("", 0));
    return is_complete;
}

static bool solve_key_hash(struct solving *s, struct span hash, struct stack *stack)
{
    struct span key = solve_key_of_hash(s, hash);
    if (!key.p) {
        struct solve_key_hash missing;
        memcpy(missing.b, hash.p, sizeof missing.b);
        *ARRAY_ADD(&s->out->missing.keys) = missing;
        return false;
    }
    struct span sig = solve_sig(s, key);
    if (!sig.p)
        return false;
    push(stack, sig);
    push(stack, key);
    return true;
}

static bool solve_keys(struct solving *s, struct span script, struct stack *stack)
{
    struct script_solution solution = script_solve(script);
    s->script_code = script;
    if (solution.type == SCRIPT_TYPE_MULTISIG)
        return solve_multisig(s, &solution, stack);
    if (solution.type == SCRIPT_TYPE_PUBKEYHASH)
        return solve_key_hash(s, solution.item[0], stack);
    if (solution.type != SCRIPT_TYPE_PUBKEY)
        return false;
    struct span sig = solve_sig(s, solution.item[0]);
    if (sig.p)
        push(stack, sig);
    return sig.p != NULL;
}

/* A script by its hash, of 20 or 32 bytes: from the book, or from the map. */
static struct span find_script(struct solving *s, struct span hash)
{
    static const uint64_t types[] = {PSBT_IN_REDEEM_SCRIPT, PSBT_IN_WITNESS_SCRIPT};
    const struct book_script *known = key_book_find_script(s->request->book, hash);
    uint8_t own[32];
    if (known)
        return known->bytes;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct span script = psbt_get(s->map, types[i]);
        if (!script.p)
            continue;
        if (hash.len == 20)
            hash160(script, own);
        else
            sha256(script, own);
        if (span_equal(hash, span_of(own, hash.len)))
            return script;
    }
    return span_of(NULL, 0);
}

/* -- Miniscript ------------------------------------------------------------------------------- */

/* Keys of a script that is being satisfied. */
struct ms_solving {
    struct solving *s;
    ARRAY(struct span) keys;
    bool is_tapscript;
};

static bool ms_of_bytes(void *ctx, struct span bytes, uint32_t *key)
{
    struct ms_solving *ms = ctx;
    *key = (uint32_t)ms->keys.n;
    *ARRAY_ADD(&ms->keys) = bytes;
    return true;
}

static bool ms_of_hash(void *ctx, struct span hash, uint32_t *key)
{
    struct ms_solving *ms = ctx;
    struct span found =
        ms->is_tapscript ? solve_x_of_hash(ms->s, hash) : solve_key_of_hash(ms->s, hash);
    return found.p && ms_of_bytes(ctx, found, key);
}

static struct span ms_signature(void *ctx, uint32_t key)
{
    struct ms_solving *ms = ctx;
    struct span bytes = ms->keys.at[key];
    return ms->is_tapscript ? solve_tap_script_sig(ms->s, bytes.p) : solve_sig(ms->s, bytes);
}

static struct span ms_key(void *ctx, uint32_t key)
{
    const struct ms_solving *ms = ctx;
    return ms->keys.at[key];
}

static struct span ms_preimage(void *ctx, enum ms_fragment kind, struct span hash)
{
    const struct ms_solving *ms = ctx;
    uint64_t type = kind == MS_SHA256      ? PSBT_IN_SHA256
                    : kind == MS_HASH256   ? PSBT_IN_HASH256
                    : kind == MS_RIPEMD160 ? PSBT_IN_RIPEMD160
                                           : PSBT_IN_HASH160;
    const struct psbt_record *record = psbt_find(ms->s->map, type, hash);
    return record ? record->value : span_of(NULL, 0);
}

static bool ms_is_older(void *ctx, uint32_t n)
{
    const struct ms_solving *ms = ctx;
    return solve_is_older(ms->s, n);
}

static bool ms_is_after(void *ctx, uint32_t n)
{
    const struct ms_solving *ms = ctx;
    return solve_is_after(ms->s, n);
}

/* Expression and items are in an arena of their own: they take a hundred times the script. */
static bool solve_miniscript(struct solving *s, struct span script, bool is_tapscript,
                             struct arena *arena, struct stack *out)
{
    struct ms_solving solving = {.s = s, .is_tapscript = is_tapscript};
    struct ms_keys keys = {.ctx = &solving, .of_bytes = ms_of_bytes, .of_hash = ms_of_hash};
    struct ms_satisfier with = {.ctx = &solving,
                                .signature = ms_signature,
                                .key = ms_key,
                                .preimage = ms_preimage,
                                .is_older = ms_is_older,
                                .is_after = ms_is_after};
    struct miniscript ms;
    bool ok = ms_infer(&keys, is_tapscript ? MS_TAPSCRIPT : MS_P2WSH, script, arena, &ms) &&
              ms_satisfy(&ms, &with, arena, &out->item, &out->n);
    ARRAY_FREE(&solving.keys);
    return ok;
}

/* -- Witnesses -------------------------------------------------------------------------------- */

/* Items as an encoded witness, last behind them if it has memory. */
static struct span encode_witness(struct solving *s, const struct stack *stack, struct span last[2])
{
    size_t room = 9, n = stack->n;
    for (size_t i = 0; i < stack->n; i++)
        room += stack->item[i].len + 9;
    for (int i = 0; i < 2; i++) {
        room += last[i].len + 9;
        n += last[i].p != NULL;
    }
    uint8_t *p = arena_alloc(s->arena, room);
    struct writer w = writer_to_buffer(p, room);
    write_compact_size(&w, n);
    for (size_t i = 0; i < stack->n; i++)
        write_var_span(&w, stack->item[i]);
    for (int i = 0; i < 2; i++) {
        if (last[i].p)
            write_var_span(&w, last[i]);
    }
    return n > 0 ? span_of(p, w.len) : span_of(NULL, 0);
}

static bool solve_v0_keyhash(struct solving *s, struct span hash)
{
    static const uint8_t head[] = {OP_DUP, OP_HASH160, 20}, tail[] = {OP_EQUALVERIFY, OP_CHECKSIG};
    struct stack stack = new_stack(s);
    struct span last[2] = {{0}};
    s->script_code =
        script_join(s->arena, script_join(s->arena, span_of(head, 3), hash), span_of(tail, 2));
    bool ok = solve_key_hash(s, hash, &stack);
    s->out->has_items = stack.n > 0;
    s->out->witness = encode_witness(s, &stack, last);
    return ok;
}

static bool solve_v0_scripthash(struct solving *s, struct span hash)
{
    struct stack stack = new_stack(s);
    struct span script = find_script(s, hash), last[2] = {script};
    if (!script.p) {
        s->out->missing.has_witness_script = true;
        memcpy(s->out->missing.witness_script, hash.p, 32);
        return false;
    }
    psbt_put(s->psbt, s->map, PSBT_IN_WITNESS_SCRIPT, span_of("", 0), script);
    struct arena arena;
    arena_init(&arena, SCRATCH_BYTES);
    bool ok = solve_keys(s, script, &stack);
    if (!ok && stack.n == 0)
        ok = solve_miniscript(s, script, false, &arena, &stack);
    s->out->has_items = stack.n > 0;
    s->out->witness = encode_witness(s, &stack, last);
    arena_deinit(&arena);
    return ok;
}

/* -- Taproot ---------------------------------------------------------------------------------- */

/* What the book knows of an output goes into the map. */
static void note_tap(struct solving *s, const struct book_tap *tap)
{
    struct span no_data = span_of("", 0);
    psbt_put(s->psbt, s->map, PSBT_IN_TAP_INTERNAL_KEY, no_data, span_of(tap->internal, 32));
    if (tap->tree.n > 0)
        psbt_put(s->psbt, s->map, PSBT_IN_TAP_MERKLE_ROOT, no_data, span_of(tap->root, 32));
    for (size_t i = 0; i < tap->tree.n; i++) {
        const struct tap_leaf *leaf = &tap->tree.leaves[i];
        struct span path = span_of(tap->paths[i], 32 * (size_t)leaf->depth);
        struct span control =
            tap_control(s->arena, tap->internal, tap->parity, leaf->version, path);
        uint8_t *value = arena_alloc(s->arena, leaf->script.len + 1);
        if (leaf->script.len > 0)
            memcpy(value, leaf->script.p, leaf->script.len);
        value[leaf->script.len] = leaf->version;
        psbt_put(s->psbt, s->map, PSBT_IN_TAP_LEAF_SCRIPT, control,
                 span_of(value, leaf->script.len + 1));
    }
}

/* The witness by one leaf. */
static bool solve_leaf(struct solving *s, const struct psbt_record *record, struct span *witness)
{
    struct stack stack = {0};
    struct span script = span_of(record->value.p, record->value.len - 1);
    struct span last[2] = {script, record->data};
    uint8_t version = record->value.p[script.len];
    if (version != TAP_LEAF_TAPSCRIPT)
        return false;
    tap_leaf_hash(script, version, s->leaf_hash);
    struct arena arena;
    arena_init(&arena, SCRATCH_BYTES);
    bool ok = solve_miniscript(s, script, true, &arena, &stack);
    if (ok)
        *witness = encode_witness(s, &stack, last);
    arena_deinit(&arena);
    return ok;
}

static bool solve_taproot(struct solving *s, struct span output)
{
    const struct book_tap *tap = key_book_find_tap(s->request->book, output.p);
    struct stack stack = new_stack(s);
    struct span last[2] = {{0}}, best = {0}, own;
    if (tap)
        note_tap(s, tap);
    struct span sig = solve_tap_key_sig(s, output.p);
    if (sig.p) {
        push(&stack, sig);
        s->out->has_items = true;
        s->out->witness = encode_witness(s, &stack, last);
        return true;
    }
    /* Records may move as others are put in: leaves are copied first. */
    struct psbt_record *leaves = arena_calloc(s->arena, s->map->n + 1, sizeof *leaves);
    size_t n = 0;
    for (size_t i = 0; i < s->map->n; i++) {
        if (s->map->at[i].type == PSBT_IN_TAP_LEAF_SCRIPT)
            leaves[n++] = s->map->at[i];
    }
    for (size_t i = 0; i < n; i++) {
        if (solve_leaf(s, &leaves[i], &own) && (!best.p || own.len < best.len))
            best = own;
    }
    solve_note_uses(s);
    s->out->witness = best;
    s->out->has_items = best.p != NULL;
    return best.p != NULL;
}

/* -- Outputs ---------------------------------------------------------------------------------- */

static struct span encode_pushes(struct solving *s, const struct stack *stack, struct span last)
{
    struct span script = span_of("", 0);
    for (size_t i = 0; i < stack->n; i++)
        script = script_join(s->arena, script, script_push(s->arena, stack->item[i]));
    if (last.p)
        script = script_join(s->arena, script, script_push(s->arena, last));
    return script;
}

/* A script that is no P2SH. */
static bool solve_script(struct solving *s, struct span script, bool is_nested, struct stack *stack)
{
    struct script_solution solution = script_solve(script);
    bool is_v0 = solution.type == SCRIPT_TYPE_WITNESS_V0_KEYHASH ||
                 solution.type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH;
    bool is_v1 = solution.type == SCRIPT_TYPE_WITNESS_V1_TAPROOT && !is_nested;
    s->out->is_witness = is_v0 || is_v1;
    s->is_segwit = is_v0;
    if (solution.type == SCRIPT_TYPE_WITNESS_V0_KEYHASH)
        return solve_v0_keyhash(s, solution.item[0]);
    if (solution.type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH)
        return solve_v0_scripthash(s, solution.item[0]);
    return is_v1 ? solve_taproot(s, solution.item[0]) : solve_keys(s, script, stack);
}

void solve_input(const struct solve_request *request, struct psbt *psbt, struct psbt_map *map,
                 struct solve_result *out)
{
    ASSERT(request && request->book && psbt && map && out);
    *out = (struct solve_result){0};
    struct solving s = {.request = request,
                        .psbt = psbt,
                        .map = map,
                        .out = out,
                        .arena = request->arena ? request->arena : psbt->arena};
    struct span script = request->spent[request->input].script_pubkey, redeem = {0};
    struct script_solution solution = script_solve(script);
    struct stack stack = new_stack(&s);
    if (solution.type == SCRIPT_TYPE_SCRIPTHASH) {
        redeem = find_script(&s, solution.item[0]);
        if (!redeem.p) {
            out->missing.has_redeem_script = true;
            memcpy(out->missing.redeem_script, solution.item[0].p, 20);
            return;
        }
        psbt_put(psbt, map, PSBT_IN_REDEEM_SCRIPT, span_of("", 0), redeem);
        script = redeem;
    }
    out->is_solved = solve_script(&s, script, redeem.p != NULL, &stack);
    out->has_items = out->has_items || stack.n > 0;
    out->script_sig = encode_pushes(&s, &stack, redeem);
}

void solve_result_deinit(struct solve_result *result)
{
    ASSERT(result);
    ARRAY_FREE(&result->missing.keys);
    ARRAY_FREE(&result->missing.sigs);
}
