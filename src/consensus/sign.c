/* sign.c - make the scriptSig and witness of an input. */
#include "consensus/sign.h"

#include "consensus/script_internal.h"
#include "consensus/script_type.h"
#include "consensus/script_witness.h"
#include "crypto/mem.h"

/* A multisig of 20 keys has 20 signatures and a dummy; then come the scripts. */
#define SIGN_ITEMS_MAX (SCRIPT_PUBKEYS_MAX + 4)

/* What satisfies a script, in the order in which it is pushed. */
struct sign_items {
    struct span item[SIGN_ITEMS_MAX];
    uint32_t n;
};

/* One input being signed. */
struct signer {
    const struct sign_provider *provider;
    const struct sign_request *request;
    uint32_t input;
    struct script_scratch *scratch;
    struct arena *arena;
    /* What scriptSig and witness held before: scripts, and signatures of a multisig */
    struct span *found;
    size_t n_found;
};

bool sign_key_init(struct sign_key *key, const struct ec_context *ec, const uint8_t secret[32],
                   bool compressed)
{
    struct ec_pubkey pubkey;
    if (!seckey_pubkey(ec, secret, &pubkey))
        return false;
    memcpy(key->secret, secret, sizeof key->secret);
    key->pubkey_len = (uint8_t)ec_pubkey_serialize(&pubkey, compressed, key->pubkey);
    return true;
}

static const struct tx_out *spent_by(const struct signer *signer)
{
    return &signer->request->spent[signer->input];
}

static struct tx_in *input_of(const struct signer *signer)
{
    return &signer->request->tx->in[signer->input];
}

/* Append what will be pushed last so far. */
static void add_item(struct sign_items *items, struct span item)
{
    ASSERT(items->n < SIGN_ITEMS_MAX);
    items->item[items->n++] = item;
}

/* Copy bytes to where they outlive the call. */
static struct span keep(const struct signer *signer, const void *p, size_t len)
{
    uint8_t *copy = arena_alloc(signer->arena, len);
    memcpy(copy, p, len);
    return span_of(copy, len);
}

/* ---- what is known ---- */

/* Remember everything that the input pushes now. */
static void find_existing(struct signer *signer)
{
    const struct tx_in *in = input_of(signer);
    struct witness_iter witness = witness_iter_of(in->witness);
    size_t n_max = in->script_sig.len + (size_t)witness.left;
    signer->found = arena_calloc(signer->arena, n_max + 1, sizeof *signer->found);
    signer->n_found = 0;
    struct script_iter it = script_iter_of(in->script_sig);
    struct script_op op;
    struct span item;
    while (script_next(&it, &op)) {
        if (op.push.len > 0)
            signer->found[signer->n_found++] = op.push;
    }
    while (witness_next(&witness, &item)) {
        if (item.len > 0)
            signer->found[signer->n_found++] = item;
    }
}

static bool script_has_hash(struct span script, const uint8_t hash[20])
{
    uint8_t have[20];
    hash160(script, have);
    return memcmp(have, hash, sizeof have) == 0;
}

/* The script with this HASH160, among those given and those the input held; NULL if unknown. */
static const struct span *find_script(const struct signer *signer, const uint8_t hash[20])
{
    const struct sign_provider *provider = signer->provider;
    for (size_t i = 0; i < provider->n_scripts; i++) {
        if (script_has_hash(provider->scripts[i], hash))
            return &provider->scripts[i];
    }
    for (size_t i = 0; i < signer->n_found; i++) {
        if (script_has_hash(signer->found[i], hash))
            return &signer->found[i];
    }
    return NULL;
}

/* The secret key of exactly these bytes of a public key; NULL if unknown. */
static const struct sign_key *find_key(const struct signer *signer, struct span pubkey)
{
    for (size_t i = 0; i < signer->provider->n_keys; i++) {
        const struct sign_key *key = &signer->provider->keys[i];
        if (span_equal(span_of(key->pubkey, key->pubkey_len), pubkey))
            return key;
    }
    return NULL;
}

/* The secret key whose public key has this HASH160; NULL if unknown. */
static const struct sign_key *find_key_by_hash(const struct signer *signer, struct span hash)
{
    for (size_t i = 0; i < signer->provider->n_keys; i++) {
        const struct sign_key *key = &signer->provider->keys[i];
        uint8_t have[20];
        hash160(span_of(key->pubkey, key->pubkey_len), have);
        if (span_equal(span_of(have, sizeof have), hash))
            return key;
    }
    return NULL;
}

/* ---- single signatures ---- */

/* Make one signature, with its hash type. Out: sig  in the arena */
static bool sign_ecdsa(const struct signer *signer, const struct sign_key *key, struct span script,
                       enum script_version version, struct span *sig)
{
    /* A key without its short form may not be used in segwit at all. BIP143 */
    if (version == SCRIPT_VERSION_V0 && key->pubkey_len != 33)
        return false;
    const struct sign_request *request = signer->request;
    uint8_t hash_type =
        request->hash_type == SIGHASH_DEFAULT ? (uint8_t)SIGHASH_ALL : request->hash_type;
    uint8_t hash[32], der[ECDSA_SIG_MAX + 1];
    sighash_cache_begin_input(&signer->scratch->sighash);
    if (version == SCRIPT_VERSION_V0) {
        const struct sighash_v0_input in = {.tx = request->tx,
                                            .sighash = request->sighash,
                                            .input = signer->input,
                                            .value_sat = spent_by(signer)->value_sat};
        sighash_v0(&signer->scratch->sighash, &in, script, hash_type, hash);
    } else {
        sighash_legacy(&signer->scratch->sighash, request->tx, signer->input, script, hash_type,
                       hash);
    }
    size_t len = ecdsa_sign(signer->provider->ec, key->secret, hash, der);
    if (len == 0)
        return false;
    der[len] = hash_type;
    *sig = keep(signer, der, len + 1);
    return true;
}

/* A signature by this public key that the input held already. */
static bool existing_signature(const struct signer *signer, struct span pubkey, struct span script,
                               enum script_version version, struct span *sig)
{
    const struct script_check check = {.tx = signer->request->tx,
                                       .input = signer->input,
                                       .spent = signer->request->spent,
                                       .sighash = signer->request->sighash};
    struct script_run run = {.check = &check, .scratch = signer->scratch, .version = version};
    sighash_cache_begin_input(&signer->scratch->sighash);
    for (size_t i = 0; i < signer->n_found; i++) {
        if (script_check_ecdsa(&run, signer->found[i], pubkey, script)) {
            *sig = signer->found[i];
            return true;
        }
    }
    return false;
}

/* The secret key that signs for an output key: its own, or one tweaked for an output without
 * scripts (BIP86). */
static bool find_taproot_secret(const struct signer *signer, const uint8_t output[32],
                                uint8_t secret[32])
{
    for (size_t i = 0; i < signer->provider->n_keys; i++) {
        const struct sign_key *key = &signer->provider->keys[i];
        struct ec_pubkey pubkey;
        uint8_t x[32], tweak[32], tweaked[32];
        if (!ec_pubkey_parse(&pubkey, span_of(key->pubkey, key->pubkey_len)))
            continue;
        xonly_from_pubkey(x, NULL, &pubkey);
        if (memcmp(x, output, sizeof x) == 0) {
            memcpy(secret, key->secret, 32);
            return true;
        }
        taproot_tweak(x, NULL, tweak);
        if (xonly_tweak_add(tweaked, NULL, x, tweak) && memcmp(tweaked, output, 32) == 0)
            return seckey_taproot_tweak(signer->provider->ec, key->secret, tweak, secret);
    }
    return false;
}

/* Sign for the key path, if a key fits and everything that is spent is known. */
static bool sign_taproot(const struct signer *signer, struct span program, struct sign_items *items)
{
    const struct sign_request *request = signer->request;
    const struct sighash_v1_input in = {.tx = request->tx,
                                        .sighash = request->sighash,
                                        .spent = request->spent,
                                        .input = signer->input};
    static const uint8_t no_aux[32] = {0};
    uint8_t hash[32], secret[32], sig[65];
    if (!request->all_spent_known || !find_taproot_secret(signer, program.p, secret))
        return false;
    bool signed_ok =
        sighash_v1(&in, request->hash_type, hash) &&
        schnorr_sign(signer->provider->ec, secret, span_of(hash, sizeof hash), no_aux, sig);
    mem_wipe(secret, sizeof secret);
    if (!signed_ok)
        return false;
    sig[64] = request->hash_type;
    add_item(items, keep(signer, sig, request->hash_type == SIGHASH_DEFAULT ? 64 : 65));
    return true;
}

/* ---- one script ---- */

/* As many signatures as are needed, in the order of the keys, those that exist first. Returns:
 * false if they are too few; items then hold them anyway, for the next signer. */
static bool sign_multisig(const struct signer *signer, const struct script_solution *solution,
                          struct span script, enum script_version version, struct sign_items *items)
{
    uint32_t required = (uint32_t)solution->required;
    add_item(items, span_of(NULL, 0)); /* the dummy */
    for (uint32_t i = 0; i < solution->n_items && items->n <= required; i++) {
        struct span pubkey = solution->item[i], sig;
        const struct sign_key *key = find_key(signer, pubkey);
        if (existing_signature(signer, pubkey, script, version, &sig) ||
            (key && sign_ecdsa(signer, key, script, version, &sig)))
            add_item(items, sig);
    }
    bool complete = items->n == required + 1;
    /* Core fills up half of what is missing, rounded up. Who signs next will not mind; who
     * compares with Core's answer sees the same bytes. */
    for (uint32_t i = 0; i + items->n < required + 1; i++)
        add_item(items, span_of(NULL, 0));
    return complete;
}

static bool sign_pubkeyhash(const struct signer *signer, struct span hash, struct span script,
                            enum script_version version, struct sign_items *items)
{
    const struct sign_key *key = find_key_by_hash(signer, hash);
    struct span sig;
    if (!key || !sign_ecdsa(signer, key, script, version, &sig))
        return false;
    add_item(items, sig);
    add_item(items, span_of(key->pubkey, key->pubkey_len));
    return true;
}

/* Append the script with this hash. Returns: false if it is unknown */
static bool push_script(const struct signer *signer, const uint8_t hash[20],
                        struct sign_items *items)
{
    const struct span *script = find_script(signer, hash);
    if (!script)
        return false;
    add_item(items, *script);
    return true;
}

/* Find what satisfies a script directly. For a script hash that is the script itself, for a
 * key's witness program its hash.
 * Out: items  replaced; also what there is if that is not enough */
static bool sign_step(const struct signer *signer, struct span script, enum script_version version,
                      struct sign_items *items, enum script_type *type)
{
    struct script_solution solution = script_solve(script);
    const struct sign_key *key;
    struct span sig;
    uint8_t hash[20];
    items->n = 0;
    *type = solution.type;
    switch (solution.type) {
    case SCRIPT_TYPE_PUBKEY:
        key = find_key(signer, solution.item[0]);
        if (!key || !sign_ecdsa(signer, key, script, version, &sig))
            return false;
        add_item(items, sig);
        return true;
    case SCRIPT_TYPE_PUBKEYHASH:
        return sign_pubkeyhash(signer, solution.item[0], script, version, items);
    case SCRIPT_TYPE_SCRIPTHASH:
        return push_script(signer, solution.item[0].p, items);
    case SCRIPT_TYPE_MULTISIG:
        return sign_multisig(signer, &solution, script, version, items);
    case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
        add_item(items, solution.item[0]);
        return true;
    case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
        ripemd160(solution.item[0], hash); /* of a SHA-256: so the script's HASH160 */
        return push_script(signer, hash, items);
    case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
        return sign_taproot(signer, solution.item[0], items);
    case SCRIPT_TYPE_ANCHOR:
        return true;
    case SCRIPT_TYPE_NONSTANDARD:
    case SCRIPT_TYPE_NULLDATA:
    case SCRIPT_TYPE_WITNESS_UNKNOWN:
    case SCRIPT_TYPE_COUNT:
        break;
    }
    return false;
}

/* ---- the whole input ---- */

/* The shortest push, number opcodes included: what the rule MINIMALDATA demands. */
static void push_smallest(struct writer *w, struct span item)
{
    if (item.len == 1 && item.p[0] >= 1 && item.p[0] <= 16) {
        write_u8(w, opcode_of_small_int(item.p[0]));
    } else if (item.len == 1 && item.p[0] == 0x81) {
        write_u8(w, OP_1NEGATE);
    } else if (item.len < OP_PUSHDATA1) {
        write_u8(w, (uint8_t)item.len);
        write_span(w, item);
    } else {
        write_u8(w, item.len <= 0xff ? OP_PUSHDATA1 : OP_PUSHDATA2);
        if (item.len <= 0xff)
            write_u8(w, (uint8_t)item.len);
        else
            write_u16(w, (uint16_t)item.len);
        write_span(w, item);
    }
}

static struct span encode_script_sig(const struct signer *signer, const struct sign_items *items)
{
    size_t max = 1;
    for (uint32_t i = 0; i < items->n; i++)
        max += items->item[i].len + 3;
    struct writer w = writer_to_buffer(arena_alloc(signer->arena, max), max);
    for (uint32_t i = 0; i < items->n; i++)
        push_smallest(&w, items->item[i]);
    return span_of(w.buffer, w.len);
}

static struct span encode_witness(const struct signer *signer, const struct sign_items *items)
{
    if (items->n == 0)
        return span_of(NULL, 0);
    size_t max = 9;
    for (uint32_t i = 0; i < items->n; i++)
        max += items->item[i].len + 9;
    struct writer w = writer_to_buffer(arena_alloc(signer->arena, max), max);
    write_compact_size(&w, items->n);
    for (uint32_t i = 0; i < items->n; i++)
        write_var_span(&w, items->item[i]);
    return span_of(w.buffer, w.len);
}

/* The script that a segwit v0 key hash stands for. */
static struct span keyhash_script(const struct signer *signer, struct span hash)
{
    uint8_t script[25] = {OP_DUP, OP_HASH160, 20};
    memcpy(script + 3, hash.p, 20);
    script[23] = OP_EQUALVERIFY;
    script[24] = OP_CHECKSIG;
    return keep(signer, script, sizeof script);
}

/* Satisfy a witness program, whose step left its hash or script as the only item.
 * Out:     witness  the items; items is left empty, or as it was if type is no program
 * Returns: false if something is missing */
static bool sign_program(const struct signer *signer, enum script_type type,
                         struct sign_items *items, struct sign_items *witness)
{
    struct sign_items below = *items;
    enum script_type inner;
    bool solved = true;
    if (type == SCRIPT_TYPE_WITNESS_V0_KEYHASH) {
        solved = sign_step(signer, keyhash_script(signer, below.item[0]), SCRIPT_VERSION_V0,
                           witness, &inner);
    } else if (type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH) {
        struct span script = below.item[0];
        solved = sign_step(signer, script, SCRIPT_VERSION_V0, witness, &inner) &&
                 inner != SCRIPT_TYPE_SCRIPTHASH && inner != SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH &&
                 inner != SCRIPT_TYPE_WITNESS_V0_KEYHASH;
        add_item(witness, script);
    } else if (type == SCRIPT_TYPE_WITNESS_V1_TAPROOT) {
        *witness = below;
    } else {
        return true;
    }
    items->n = 0;
    return solved;
}

/* Replace the input's scriptSig and witness by all that can be made. */
static void produce(const struct signer *signer)
{
    struct sign_items items = {.n = 0}, witness = {.n = 0};
    struct span redeem = span_of(NULL, 0);
    enum script_type type;
    bool p2sh = false;
    bool solved =
        sign_step(signer, spent_by(signer)->script_pubkey, SCRIPT_VERSION_BASE, &items, &type);
    if (solved && type == SCRIPT_TYPE_SCRIPTHASH) {
        redeem = items.item[0];
        p2sh = true;
        solved = sign_step(signer, redeem, SCRIPT_VERSION_BASE, &items, &type) &&
                 type != SCRIPT_TYPE_SCRIPTHASH && type != SCRIPT_TYPE_WITNESS_V1_TAPROOT;
    }
    if (solved)
        (void)sign_program(signer, type, &items, &witness);
    if (p2sh)
        add_item(&items, redeem);
    input_of(signer)->script_sig = encode_script_sig(signer, &items);
    input_of(signer)->witness = encode_witness(signer, &witness);
}

/* Judged by the rules that relay demands, not only by those of blocks. */
static enum script_error verify_input(const struct signer *signer)
{
    const struct script_check check = {.tx = signer->request->tx,
                                       .input = signer->input,
                                       .flags = SCRIPT_VERIFY_STANDARD,
                                       .spent = signer->request->spent,
                                       .sighash = signer->request->sighash};
    return script_verify(&check, signer->scratch);
}

/* Core's words for an input that is not complete. */
static const char *explain(enum script_error error)
{
    if (error == SCRIPT_ERR_INVALID_STACK_OPERATION)
        return "Unable to sign input, invalid stack size (possibly missing key)";
    if (error == SCRIPT_ERR_SIG_NULLFAIL)
        return "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)";
    return script_error_string(error);
}

const char *sign_input(const struct sign_provider *provider, const struct sign_request *request,
                       uint32_t input, struct script_scratch *scratch, struct arena *arena)
{
    ASSERT(input < request->tx->n_in);
    struct signer signer = {.provider = provider,
                            .request = request,
                            .input = input,
                            .scratch = scratch,
                            .arena = arena};
    bool single = (request->hash_type & ~SIGHASH_ANYONECANPAY) == SIGHASH_SINGLE;
    enum script_error error = verify_input(&signer);
    /* A SINGLE signature for an output that does not exist would be good for anything. */
    if (error && (!single || input < request->tx->n_out)) {
        find_existing(&signer);
        produce(&signer);
        error = verify_input(&signer);
    }
    if (spent_by(&signer)->value_sat == MAX_MONEY_SAT && input_of(&signer)->witness.len > 0)
        return "Missing amount";
    return error ? explain(error) : NULL;
}
