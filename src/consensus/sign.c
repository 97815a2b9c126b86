/* sign.c - make the scriptSig and witness of an input from keys and scripts at hand. */
#include "consensus/sign.h"

#include "consensus/script_iter.h"
#include "consensus/script_type.h"
#include "consensus/script_write.h"
#include "consensus/sighash.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "util/assert.h"

enum {
    ITEMS_MAX = SCRIPT_PUBKEYS_MAX + 3, /* a dummy, signatures, scripts */
    WITNESS_SIG_MAX = ECDSA_SIG_MAX + 1,
};

/* The stack that satisfies a script, as items, the first pushed first. */
struct stack {
    struct span item[ITEMS_MAX];
    size_t n;
};

/* One input being signed. */
struct signing {
    const struct sign_request *request;
    const struct tx *tx;
    const struct tx_out *spent;
    const struct tx_sighash *sighash;
    uint32_t n;
    bool segwit; /* version 0 digests */
    struct span script_code;
    struct span *old; /* what satisfied a multisig so far */
    size_t n_old;
};

bool sign_key_init(struct sign_key *key, const struct ec_context *ec, const uint8_t secret[32],
                   bool compressed)
{
    ASSERT(key && ec);
    ASSERT(key);
    struct ec_pubkey pubkey;
    uint8_t tweak[32];
    struct sha256 h;
    memcpy(key->secret, secret, 32);
    if (!seckey_pubkey(ec, secret, &pubkey))
        return false;
    key->pubkey_len = (uint8_t)ec_pubkey_serialize(&pubkey, compressed, key->pubkey);
    hash160(span_of(key->pubkey, key->pubkey_len), key->pubkey_hash);
    xonly_from_pubkey(key->xonly, NULL, &pubkey);
    tagged_hash_init(&h, HASH_TAG_TAP_TWEAK);
    sha256_update(&h, key->xonly, 32);
    sha256_final(&h, tweak);
    return xonly_tweak_add(key->taproot_output, NULL, key->xonly, tweak);
}

void sign_script_init(struct sign_script *script, struct span bytes)
{
    ASSERT(script);
    script->bytes = bytes;
    hash160(bytes, script->hash160);
    sha256(bytes, script->sha256);
}

/* -- Keys and scripts at hand ------------------------------------------------------------- */

static const struct sign_key *find_key(const struct sign_request *request, struct span pubkey)
{
    for (size_t i = 0; i < request->n_keys; i++) {
        const struct sign_key *key = &request->keys[i];
        if (span_equal(pubkey, span_of(key->pubkey, key->pubkey_len)))
            return key;
    }
    return NULL;
}

static const struct sign_key *find_key_by_hash(const struct sign_request *request, struct span hash)
{
    for (size_t i = 0; i < request->n_keys; i++) {
        if (span_equal(hash, span_of(request->keys[i].pubkey_hash, 20)))
            return &request->keys[i];
    }
    return NULL;
}

static const struct sign_script *find_script(const struct sign_request *request, struct span hash)
{
    for (size_t i = 0; i < request->n_scripts; i++) {
        const struct sign_script *script = &request->scripts[i];
        if (span_equal(hash, span_of(script->hash160, 20)) ||
            span_equal(hash, span_of(script->sha256, 32)))
            return script;
    }
    return NULL;
}

/* -- Signatures --------------------------------------------------------------------------- */

static void push(struct stack *stack, struct span item)
{
    ASSERT(stack->n < ITEMS_MAX);
    stack->item[stack->n++] = item;
}

static void digest(const struct signing *s, uint32_t hash_type, uint8_t out[32])
{
    struct sighash_cache cache;
    sighash_cache_init(&cache);
    sighash_cache_begin_input(&cache);
    if (s->segwit) {
        struct sighash_v0_input in = {.tx = s->tx,
                                      .sighash = s->sighash,
                                      .input = s->n,
                                      .value_sat = s->spent[s->n].value_sat};
        sighash_v0(&cache, &in, s->script_code, hash_type, out);
    } else {
        sighash_legacy(&cache, s->tx, s->n, s->script_code, hash_type, out);
    }
    sighash_cache_deinit(&cache);
}

static struct span make_ecdsa(const struct signing *s, const struct sign_key *key)
{
    uint8_t hash[32];
    uint8_t type = s->request->hash_type == SIGHASH_DEFAULT ? SIGHASH_ALL : s->request->hash_type;
    uint8_t *sig = arena_alloc(s->request->arena, WITNESS_SIG_MAX);
    digest(s, type, hash);
    size_t len = ecdsa_sign(s->request->ec, key->secret, hash, sig);
    sig[len] = type;
    return span_of(sig, len + 1);
}

/* A signature made earlier, by somebody else perhaps, that is right for pubkey. */
static bool find_old(const struct signing *s, struct span pubkey, struct span *sig)
{
    struct ec_pubkey parsed;
    uint8_t hash[32];
    if (!ec_pubkey_parse(&parsed, pubkey))
        return false;
    for (size_t i = 0; i < s->n_old; i++) {
        struct span item = s->old[i];
        if (!ecdsa_is_strict_der(item))
            continue;
        digest(s, item.p[item.len - 1], hash);
        if (ecdsa_verify_lax(span_of(item.p, item.len - 1), hash, &parsed)) {
            *sig = item;
            return true;
        }
    }
    return false;
}

/* OP_CHECKMULTISIG takes one item too many off the stack, then signatures in the order of the keys.
 * Missing ones are empty, as Core leaves them. BIP-147, Specification */
static bool sign_multisig(const struct signing *s, const struct script_solution *solution,
                          struct stack *stack)
{
    int found = 0;
    push(stack, span_of(NULL, 0));
    for (uint32_t i = 0; i < solution->n_items && found < solution->required; i++) {
        const struct sign_key *key = find_key(s->request, solution->item[i]);
        struct span sig;
        if (key)
            sig = make_ecdsa(s, key);
        else if (!find_old(s, solution->item[i], &sig))
            continue;
        push(stack, sig);
        found++;
    }
    bool complete = found == solution->required;
    for (; found < solution->required; found++)
        push(stack, span_of(NULL, 0));
    return complete;
}

/* The stack for a script that names keys. */
static bool sign_keys(const struct signing *s, const struct script_solution *solution,
                      struct stack *stack)
{
    if (solution->type == SCRIPT_TYPE_MULTISIG)
        return sign_multisig(s, solution, stack);
    const struct sign_key *key = NULL;
    if (solution->type == SCRIPT_TYPE_PUBKEY)
        key = find_key(s->request, solution->item[0]);
    else if (solution->type == SCRIPT_TYPE_PUBKEYHASH)
        key = find_key_by_hash(s->request, solution->item[0]);
    if (!key)
        return false;
    push(stack, make_ecdsa(s, key));
    if (solution->type == SCRIPT_TYPE_PUBKEYHASH)
        push(stack, span_of(key->pubkey, key->pubkey_len));
    return true;
}

/* -- Taproot ------------------------------------------------------------------------------ */

static const struct sign_key *find_taproot_key(const struct signing *s, struct span program,
                                               uint8_t secret[32])
{
    for (size_t i = 0; i < s->request->n_keys; i++) {
        const struct sign_key *key = &s->request->keys[i];
        struct sha256 h;
        uint8_t tweak[32];
        if (span_equal(program, span_of(key->xonly, 32))) {
            memcpy(secret, key->secret, 32); /* rawtr(): the key itself is the output's */
            return key;
        }
        if (!span_equal(program, span_of(key->taproot_output, 32)))
            continue;
        tagged_hash_init(&h, HASH_TAG_TAP_TWEAK);
        sha256_update(&h, key->xonly, 32);
        sha256_final(&h, tweak);
        return seckey_taproot_tweak(s->request->ec, key->secret, tweak, secret) ? key : NULL;
    }
    return NULL;
}

static bool sign_taproot(const struct signing *s, struct span program, struct stack *stack)
{
    uint8_t secret[32], hash[32];
    uint8_t *sig = arena_alloc(s->request->arena, 65);
    struct sighash_v1_input in = {.tx = s->tx,
                                  .sighash = s->sighash,
                                  .spent = s->spent,
                                  .input = s->n,
                                  .codesep_pos = UINT32_MAX};
    if (!s->sighash || !s->sighash->has_v1 || !find_taproot_key(s, program, secret) ||
        !sighash_v1(&in, s->request->hash_type, hash) ||
        !schnorr_sign(s->request->ec, secret, span_of(hash, 32), NULL, sig))
        return false;
    sig[64] = s->request->hash_type;
    /* BIP-341, Taproot key path spending signature validation */
    push(stack, span_of(sig, s->request->hash_type == SIGHASH_DEFAULT ? 64 : 65));
    return true;
}

/* -- Putting the input together ----------------------------------------------------------- */

static struct span encode_witness(struct arena *arena, const struct stack *stack)
{
    size_t room = 9;
    for (size_t i = 0; i < stack->n; i++)
        room += stack->item[i].len + 9;
    uint8_t *p = arena_alloc(arena, room);
    struct writer w = writer_to_buffer(p, room);
    write_compact_size(&w, stack->n);
    for (size_t i = 0; i < stack->n; i++)
        write_var_span(&w, stack->item[i]);
    return span_of(p, w.len);
}

static struct span encode_pushes(struct arena *arena, const struct stack *stack)
{
    struct span script = span_of(NULL, 0);
    for (size_t i = 0; i < stack->n; i++)
        script = script_join(arena, script, script_push(arena, stack->item[i]));
    return script;
}

static void add_old(struct signing *s, struct span item)
{
    for (size_t i = 0; i < s->n_old; i++) {
        if (span_equal(s->old[i], item))
            return;
    }
    s->old[s->n_old++] = item;
}

/* What an input holds already: pushes of the scriptSig, items of the witness; no more than one of
 * each kind of script can use. */
static void read_old(struct signing *s, const struct tx_in *in)
{
    struct script_iter it = script_iter_of(in->script_sig);
    struct script_op op;
    for (int n = 0; n < ITEMS_MAX && script_next(&it, &op); n++)
        add_old(s, op.push);
    if (in->witness.len == 0)
        return;
    struct witness_iter witness = witness_iter_of(in->witness);
    struct span item;
    for (int n = 0; n < ITEMS_MAX && witness_next(&witness, &item); n++)
        add_old(s, item);
}

/* The witness for a version 0 program. */
static bool sign_v0(struct signing *s, const struct script_solution *program, struct stack *witness)
{
    static const uint8_t head[] = {OP_DUP, OP_HASH160, 20}, tail[] = {OP_EQUALVERIFY, OP_CHECKSIG};
    struct arena *arena = s->request->arena;
    s->segwit = true;
    if (program->type == SCRIPT_TYPE_WITNESS_V0_KEYHASH) {
        const struct sign_key *key = find_key_by_hash(s->request, program->item[0]);
        /* BIP-143, Restrictions on public key type */
        if (!key || key->pubkey_len != 33)
            return false;
        s->script_code =
            script_join(arena, script_join(arena, span_of(head, sizeof head), program->item[0]),
                        span_of(tail, sizeof tail));
        push(witness, make_ecdsa(s, key));
        push(witness, span_of(key->pubkey, key->pubkey_len));
        return true;
    }
    const struct sign_script *script = find_script(s->request, program->item[0]);
    if (!script)
        return false;
    s->script_code = script->bytes;
    struct script_solution solution = script_solve(script->bytes);
    bool complete = sign_keys(s, &solution, witness);
    if (witness->n > 0)
        push(witness, script->bytes);
    return complete;
}

bool sign_input(const struct sign_request *request, struct tx *tx, const struct tx_out *spent,
                const struct tx_sighash *sighash, uint32_t n)
{
    ASSERT(request && tx);
    struct signing s = {.request = request, .tx = tx, .spent = spent, .sighash = sighash, .n = n};
    struct stack sig = {.n = 0}, witness = {.n = 0};
    struct span script = spent[n].script_pubkey;
    struct script_solution solution = script_solve(script);
    const struct sign_script *redeem = NULL;
    s.old = arena_calloc(request->arena, 2 * ITEMS_MAX * (request->n_copies + 1), sizeof *s.old);
    read_old(&s, &tx->in[n]);
    for (size_t i = 0; i < request->n_copies; i++)
        read_old(&s, &request->copies[i]);
    if (solution.type == SCRIPT_TYPE_SCRIPTHASH) {
        redeem = find_script(request, solution.item[0]);
        if (!redeem)
            return false;
        script = redeem->bytes;
        solution = script_solve(script);
    }
    s.script_code = script;
    if (solution.type == SCRIPT_TYPE_WITNESS_V0_KEYHASH ||
        solution.type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH)
        (void)sign_v0(&s, &solution, &witness);
    else if (solution.type == SCRIPT_TYPE_WITNESS_V1_TAPROOT && !redeem)
        (void)sign_taproot(&s, solution.item[0], &witness);
    else
        (void)sign_keys(&s, &solution, &sig);
    if (sig.n + witness.n == 0)
        return false;
    if (redeem)
        push(&sig, redeem->bytes);
    tx->in[n].script_sig = encode_pushes(request->arena, &sig);
    tx->in[n].witness = witness.n > 0 ? encode_witness(request->arena, &witness) : span_of(NULL, 0);
    return true;
}
