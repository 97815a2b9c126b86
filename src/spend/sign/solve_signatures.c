/* solve_signatures.c - signatures found and made. */
#include <stdlib.h>
#include <string.h>

#include "consensus/sighash.h"
#include "consensus/tx_verify.h"
#include "crypto/hash.h"
#include "crypto/mem.h"
#include "spend/sign/solve_signatures_internal.h"
#include "util/reader.h"

enum {
    PRETEND_ECDSA_BYTES = 72, /* with its hash type: the usual ones with a low r */
    PRETEND_SCHNORR_BYTES = 64,
};

static const struct span none = {.p = NULL, .len = 0};

/* Put a signature that was made into the map; one that is pretended stands nowhere, and a script
 * may ask for very many. */
static void keep(struct solving *s, uint64_t type, struct span data, struct span sig)
{
    if (s->request->mode != SOLVE_PRETEND)
        psbt_put(s->psbt, s->map, type, data, sig);
}

/* -- Keys ------------------------------------------------------------------------------------- */

/* Say where a key comes from, if that is known. */
static void note_origin(struct solving *s, struct span pubkey)
{
    const struct book_key *key = key_book_find(s->request->book, pubkey);
    if (key && key->has_origin)
        psbt_put(s->psbt, s->map, PSBT_IN_BIP32_DERIVATION, pubkey,
                 psbt_write_origin(&key->origin, s->arena));
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Leaf hashes in order, each once, and the origin behind. hashes: sorted in their place. */
static struct span tap_derivation(struct arena *arena, uint8_t *hashes, size_t n,
                                  struct span origin)
{
    size_t kept = 0, room = 9 + 32 * n + origin.len;
    uint8_t *p = arena_alloc(arena, room);
    struct writer w = writer_to_buffer(p, room);
    qsort(hashes, n, 32, compare_hashes);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || memcmp(hashes + 32 * (kept - 1), hashes + 32 * i, 32) != 0)
            memmove(hashes + 32 * kept++, hashes + 32 * i, 32);
    }
    write_compact_size(&w, kept);
    write_bytes(&w, hashes, 32 * kept);
    write_span(&w, origin);
    return span_of(p, w.len);
}

/* The same for a key known by its x, with n leaves more that it is in. BIP-371, Specification */
static void note_tap_origin(struct solving *s, const uint8_t x[32],
                            const struct solve_leaf_use *uses, size_t n)
{
    const struct book_key *key = key_book_find_x(s->request->book, x);
    if (!key || !key->has_origin)
        return;
    struct span origin = psbt_write_origin(&key->origin, s->arena), old = span_of("", 0);
    const struct psbt_record *record =
        psbt_find(s->map, PSBT_IN_TAP_BIP32_DERIVATION, span_of(x, 32));
    if (record) {
        origin = record->value;
        old = psbt_take_leaf_hashes(&origin);
    }
    uint8_t *hashes = arena_alloc(s->arena, old.len + 32 * n + 1);
    if (old.len > 0)
        memcpy(hashes, old.p, old.len);
    for (size_t i = 0; i < n; i++)
        memcpy(hashes + old.len + 32 * i, uses[i].leaf, 32);
    psbt_set(s->psbt, s->map, PSBT_IN_TAP_BIP32_DERIVATION, span_of(x, 32),
             tap_derivation(s->arena, hashes, old.len / 32 + n, origin));
}

static int compare_uses(const void *a, const void *b)
{
    const struct solve_leaf_use *x = a, *y = b;
    int order = memcmp(x->x, y->x, sizeof x->x);
    return order ? order : memcmp(x->leaf, y->leaf, sizeof x->leaf);
}

void solve_note_uses(struct solving *s)
{
    ASSERT(s);
    const struct solve_leaf_use *uses = s->uses.at;
    if (s->uses.n > 0)
        qsort(s->uses.at, s->uses.n, sizeof *s->uses.at, compare_uses);
    for (size_t i = 0, end; i < s->uses.n; i = end) {
        for (end = i + 1; end < s->uses.n && memcmp(uses[i].x, uses[end].x, 32) == 0;)
            end++;
        note_tap_origin(s, uses[i].x, &uses[i], end - i);
    }
    ARRAY_FREE(&s->uses);
}

/* A key that is asked for in the leaf that is being satisfied. */
static void note_use(struct solving *s, const struct book_key *key, const uint8_t x[32])
{
    if (!key || !key->has_origin)
        return;
    struct solve_leaf_use *use = ARRAY_ADD(&s->uses);
    memcpy(use->x, x, sizeof use->x);
    memcpy(use->leaf, s->leaf_hash, sizeof use->leaf);
}

static int compare_known(const void *a, const void *b)
{
    const struct solve_known_key *x = a, *y = b;
    return memcmp(x->hash, y->hash, sizeof x->hash);
}

/* A script of a thousand pk_h() asks for as many keys: records are gone through once. */
static void index_records(struct solving *s, bool by_x)
{
    const struct psbt_map *map = s->map;
    struct solve_known_key *known = arena_calloc(s->arena, map->n + 1, sizeof *known);
    size_t n = 0;
    for (size_t i = 0; i < map->n; i++) {
        uint64_t type = map->at[i].type;
        if (by_x ? type != PSBT_IN_TAP_BIP32_DERIVATION
                 : type != PSBT_IN_PARTIAL_SIG && type != PSBT_IN_BIP32_DERIVATION)
            continue;
        hash160(map->at[i].data, known[n].hash);
        known[n++].key = map->at[i].data;
    }
    qsort(known, n, sizeof *known, compare_known);
    s->known[by_x] = known;
    s->n_known[by_x] = n;
}

/* A key among the records. */
static struct span key_in_records(struct solving *s, bool by_x, struct span hash)
{
    struct solve_known_key wanted;
    if (!s->known[by_x])
        index_records(s, by_x);
    memcpy(wanted.hash, hash.p, sizeof wanted.hash);
    const struct solve_known_key *found =
        bsearch(&wanted, s->known[by_x], s->n_known[by_x], sizeof wanted, compare_known);
    return found ? found->key : none;
}

struct span solve_key_of_hash(struct solving *s, struct span hash)
{
    ASSERT(s && hash.len == 20);
    struct span key = key_in_records(s, false, hash);
    if (key.p)
        return key;
    const struct book_key *known = key_book_find_hash(s->request->book, hash);
    return known ? span_of(known->pubkey, known->len) : none;
}

struct span solve_x_of_hash(struct solving *s, struct span hash)
{
    ASSERT(s && hash.len == 20);
    struct span key = key_in_records(s, true, hash);
    if (key.p)
        return key;
    const struct book_key *known = key_book_find_x_hash(s->request->book, hash);
    return known ? span_of(known->pubkey + 1, 32) : none;
}

/* -- ECDSA ------------------------------------------------------------------------------------ */

void solve_digest(const struct solving *s, uint8_t hash_type, uint8_t out[32])
{
    ASSERT(s && out);
    const struct solve_request *request = s->request;
    struct sighash_cache cache;
    sighash_cache_init(&cache);
    sighash_cache_begin_input(&cache);
    if (s->is_segwit) {
        struct sighash_v0_input in = {.tx = request->tx,
                                      .sighash = request->sighash,
                                      .input = request->input,
                                      .value_sat = request->spent[request->input].value_sat};
        sighash_v0(&cache, &in, s->script_code, hash_type, out);
    } else {
        sighash_legacy(&cache, request->tx, request->input, s->script_code, hash_type, out);
    }
    sighash_cache_deinit(&cache);
}

static struct span make_sig(struct solving *s, struct span pubkey)
{
    const struct solve_request *request = s->request;
    uint8_t type = request->hash_type == SIGHASH_DEFAULT ? SIGHASH_ALL : request->hash_type;
    uint8_t hash[32];
    /* BIP-143, Restrictions on public key type */
    if (s->is_segwit && pubkey.len != 33)
        return none;
    if (request->mode == SOLVE_PRETEND)
        return span_of(arena_calloc(s->arena, 1, PRETEND_ECDSA_BYTES), PRETEND_ECDSA_BYTES - 1);
    const struct book_key *key = key_book_find(request->book, pubkey);
    if (request->mode != SOLVE_SIGN || !key || !key->has_secret)
        return none;
    /* Of SINGLE without an output the old digest is a number that signs anything. */
    if ((type & SIGHASH_OUTPUT_MASK) == SIGHASH_SINGLE && request->input >= request->tx->n_out)
        return none;
    uint8_t *sig = arena_alloc(s->arena, ECDSA_SIG_MAX + 1);
    solve_digest(s, type, hash);
    size_t len = ecdsa_sign(request->book->ec, key->secret, hash, sig);
    sig[len] = type;
    return len > 0 ? span_of(sig, len + 1) : none;
}

struct span solve_sig(struct solving *s, struct span pubkey)
{
    ASSERT(s);
    const struct psbt_record *record = psbt_find(s->map, PSBT_IN_PARTIAL_SIG, pubkey);
    if (record)
        return record->value;
    note_origin(s, pubkey);
    struct span sig = make_sig(s, pubkey);
    if (sig.p) {
        keep(s, PSBT_IN_PARTIAL_SIG, pubkey, sig);
        return sig;
    }
    struct solve_key_hash hash;
    hash160(pubkey, hash.b);
    *ARRAY_ADD(&s->out->missing.sigs) = hash;
    return none;
}

/* -- Schnorr ---------------------------------------------------------------------------------- */

/* Sign with a secret; leaf: NULL for the key path. */
static struct span schnorr(struct solving *s, const uint8_t secret[32], const uint8_t *leaf)
{
    const struct solve_request *request = s->request;
    struct sighash_v1_input in = {.tx = request->tx,
                                  .sighash = request->sighash,
                                  .spent = request->spent,
                                  .input = request->input,
                                  .is_script_path = leaf != NULL,
                                  .codesep_pos = UINT32_MAX};
    uint8_t hash[32], *sig = arena_alloc(s->arena, 65);
    if (leaf)
        memcpy(in.leaf_hash, leaf, sizeof in.leaf_hash);
    if (!request->sighash || !request->sighash->has_v1 ||
        !sighash_v1(&in, request->hash_type, hash) ||
        !schnorr_sign(request->book->ec, secret, span_of(hash, 32), NULL, sig))
        return none;
    sig[64] = request->hash_type;
    /* BIP-341, Taproot key path spending signature validation */
    return span_of(sig, request->hash_type == SIGHASH_DEFAULT ? 64 : 65);
}

static struct span pretend_schnorr(struct solving *s)
{
    return span_of(arena_calloc(s->arena, 1, PRETEND_SCHNORR_BYTES), PRETEND_SCHNORR_BYTES);
}

/* By the key itself, or by it tweaked. */
static struct span sign_key_path(struct solving *s, const uint8_t x[32], bool is_tweaked,
                                 const uint8_t *root)
{
    if (s->request->mode == SOLVE_PRETEND)
        return pretend_schnorr(s);
    const struct book_key *key = key_book_find_x(s->request->book, x);
    uint8_t secret[32], tweak[32];
    if (s->request->mode != SOLVE_SIGN || !key || !key->has_secret)
        return none;
    memcpy(secret, key->secret, sizeof secret);
    tap_tweak(x, root, tweak);
    bool ok = !is_tweaked || seckey_taproot_tweak(s->request->book->ec, secret, tweak, secret);
    struct span sig = ok ? schnorr(s, secret, NULL) : none;
    mem_wipe(secret, sizeof secret);
    return sig;
}

struct span solve_tap_key_sig(struct solving *s, const uint8_t output[32])
{
    ASSERT(s && output);
    struct span sig = psbt_get(s->map, PSBT_IN_TAP_KEY_SIG);
    struct span internal = psbt_get(s->map, PSBT_IN_TAP_INTERNAL_KEY);
    if (internal.p)
        note_tap_origin(s, internal.p, NULL, 0);
    if (sig.p)
        return sig;
    if (internal.p)
        sig = sign_key_path(s, internal.p, true, psbt_get(s->map, PSBT_IN_TAP_MERKLE_ROOT).p);
    if (!sig.p)
        sig = sign_key_path(s, output, false, NULL);
    if (sig.p)
        keep(s, PSBT_IN_TAP_KEY_SIG, span_of("", 0), sig);
    return sig;
}

struct span solve_tap_script_sig(struct solving *s, const uint8_t x[32])
{
    ASSERT(s && x);
    uint8_t name[64];
    const struct book_key *key = key_book_find_x(s->request->book, x);
    note_use(s, key, x);
    memcpy(name, x, 32);
    memcpy(name + 32, s->leaf_hash, 32);
    struct span data = span_of(name, sizeof name);
    const struct psbt_record *record = psbt_find(s->map, PSBT_IN_TAP_SCRIPT_SIG, data);
    if (record)
        return record->value;
    struct span sig = none;
    if (s->request->mode == SOLVE_PRETEND)
        sig = pretend_schnorr(s);
    else if (s->request->mode == SOLVE_SIGN && key && key->has_secret)
        sig = schnorr(s, key->secret, s->leaf_hash);
    if (sig.p)
        keep(s, PSBT_IN_TAP_SCRIPT_SIG, data, sig);
    return sig;
}

/* -- Locks ------------------------------------------------------------------------------------ */

bool solve_is_after(const struct solving *s, uint32_t n)
{
    ASSERT(s);
    const struct tx *tx = s->request->tx;
    bool same_kind = (n < LOCK_TIME_THRESHOLD) == (tx->lock_time < LOCK_TIME_THRESHOLD);
    return s->request->mode == SOLVE_PRETEND ||
           (same_kind && n <= tx->lock_time &&
            tx->in[s->request->input].sequence != SEQUENCE_FINAL);
}

bool solve_is_older(const struct solving *s, uint32_t n)
{
    ASSERT(s);
    const uint32_t mask = SEQUENCE_LOCK_TIME | 0xffff, disabled = UINT32_C(1) << 31;
    uint32_t own = s->request->tx->in[s->request->input].sequence;
    if (s->request->mode == SOLVE_PRETEND)
        return true;
    if (s->request->tx->version < 2 || (own & disabled))
        return false;
    bool same_kind = (n & SEQUENCE_LOCK_TIME) == (own & SEQUENCE_LOCK_TIME);
    return same_kind && (n & mask) <= (own & mask);
}
