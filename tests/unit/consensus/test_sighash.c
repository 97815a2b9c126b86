/* test_sighash.c - digests: Core's sighash.json, BIP341's wallet vectors, and the caches.
 *
 * hazards: rows 11, 12 (the caches give what no cache gives), 23 (SINGLE without an output), 24. */
#include <jansson.h>

#include "consensus/opcodes.h"
#include "consensus/script_witness.h"
#include "consensus/sighash.h"
#include "crypto/key.h"
#include "crypto/pubkey.h"
#include "crypto/schnorr.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"
#include "util/hex.h"

static json_t *load(const char *name)
{
    char *text = vectors_read(name, NULL);
    if (!text)
        return NULL;
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    xfree(text);
    return json;
}

/* Bytes of a hexadecimal string, in the arena. */
static struct span span_from_hex(struct arena *arena, const char *digits)
{
    size_t len = strlen(digits) / 2;
    uint8_t *p = arena_alloc(arena, len + 1);
    assert_true(hex_decode(p, len, digits, strlen(digits)));
    return span_of(p, len);
}

static struct span span_in(struct arena *arena, json_t *object, const char *key)
{
    return span_from_hex(arena, json_string_value(json_object_get(object, key)));
}

TEST(legacy_vectors_hold)
{
    json_t *rows = load("core/sighash.json");
    if (!rows)
        skip();
    struct sighash_cache cache;
    sighash_cache_init(&cache);
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (size_t i = 1; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        struct arena_mark mark = arena_mark(&arena);
        struct reader r =
            reader_of(span_from_hex(&arena, json_string_value(json_array_get(row, 0))));
        struct tx tx;
        assert_true(tx_decode(&r, &arena, true, &tx) && reader_finish(&r));
        struct span script = span_from_hex(&arena, json_string_value(json_array_get(row, 1)));
        uint32_t input = (uint32_t)json_integer_value(json_array_get(row, 2));
        uint32_t type = (uint32_t)json_integer_value(json_array_get(row, 3));
        uint8_t want[32], have[32];
        assert_true(hex_decode_reversed(want, 32, json_string_value(json_array_get(row, 4)), 64));
        /* Twice: the second time from the midstate. */
        for (int pass = 0; pass < 2; pass++) {
            sighash_legacy(&cache, &tx, input, script, type, have);
            assert_memory_equal(have, want, 32);
        }
        sighash_cache_begin_input(&cache);
        arena_rewind(&arena, mark);
    }
    assert_true(json_array_size(rows) > 500);
    arena_deinit(&arena);
    sighash_cache_deinit(&cache);
    json_decref(rows);
}

/* A transaction of n_in inputs and n_out outputs with nothing twice in it. */
static struct tx make_tx(struct arena *arena, uint32_t n_in, uint32_t n_out)
{
    struct tx tx = {.version = 2, .lock_time = 77, .n_in = n_in, .n_out = n_out};
    tx.in = arena_calloc(arena, n_in, sizeof *tx.in);
    tx.out = arena_calloc(arena, n_out + 1, sizeof *tx.out);
    for (uint32_t i = 0; i < n_in; i++) {
        memset(tx.in[i].prevout.txid.b, (int)i + 1, 32);
        tx.in[i].prevout.vout = i;
        tx.in[i].sequence = 1000 + i;
    }
    for (uint32_t i = 0; i < n_out; i++) {
        uint8_t *script = arena_calloc(arena, 1, 20);
        script[0] = (uint8_t)i;
        tx.out[i] = (struct tx_out){.value_sat = 5000 + i, .script_pubkey = span_of(script, 20)};
    }
    tx_finish(&tx, arena);
    return tx;
}

static const uint32_t types[] = {1, 2, 3, 0x81, 0x82, 0x83, 0, 0x1f, 0x80, 0xff};

/* In any order of inputs and types, a cache that lives on gives what an empty one gives. */
TEST(caches_never_change_a_digest)
{
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct tx txs[2] = {make_tx(&arena, 7, 5), make_tx(&arena, 3, 9)};
    static const uint8_t code[3][90] = {{OP_1}, {OP_2, OP_CODESEPARATOR}, {OP_3}};
    struct sighash_cache lasting;
    sighash_cache_init(&lasting);
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 3000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        const struct tx *tx = &txs[random / 7 % 5 == 0];
        uint32_t input = (uint32_t)(random / 64 % tx->n_in);
        uint32_t type = types[random / 1024 % COUNT_OF(types)];
        struct span script = span_of(code[random / 16384 % 3], random / 65536 % 2 ? 90 : 40);
        struct sighash_v0_input v0 = {.tx = tx, .input = input, .value_sat = 9};
        struct sighash_cache empty;
        sighash_cache_init(&empty);
        uint8_t want[32], have[32];
        sighash_cache_begin_input(&lasting);
        for (int pass = 0; pass < 2; pass++) {
            if (random / 131072 % 2) {
                sighash_v0(&empty, &v0, script, type, want);
                sighash_v0(&lasting, &v0, script, type, have);
            } else {
                sighash_legacy(&empty, tx, input, script, type, want);
                sighash_legacy(&lasting, tx, input, script, type, have);
            }
            assert_memory_equal(have, want, 32);
        }
        sighash_cache_deinit(&empty);
    }
    sighash_cache_deinit(&lasting);
    arena_deinit(&arena);
}

/* hazards: row 23. The digest is the number 1, so one signature is good for anything. */
TEST(single_without_its_output_signs_one)
{
    struct arena arena;
    arena_init(&arena, 4096);
    struct tx tx = make_tx(&arena, 4, 3);
    struct sighash_cache cache;
    sighash_cache_init(&cache);
    uint8_t one[32] = {1}, have[32];
    sighash_legacy(&cache, &tx, 3, span_of("\x51", 1), SIGHASH_SINGLE, have);
    assert_memory_equal(have, one, 32);
    sighash_legacy(&cache, &tx, 3, span_of("\x51", 1), 0x83, have);
    assert_memory_equal(have, one, 32);
    sighash_legacy(&cache, &tx, 2, span_of("\x51", 1), SIGHASH_SINGLE, have);
    assert_memory_not_equal(have, one, 32);

    /* Taproot refuses to sign; segwit v0 signs no outputs at all. */
    struct tx_out spent[4] = {{0}, {0}, {0}, {0}};
    struct sighash_v1_input v1 = {.tx = &tx, .spent = spent, .input = 3};
    assert_false(sighash_v1(&v1, SIGHASH_SINGLE, have));
    assert_false(sighash_v1(&v1, 0x83, have));
    v1.input = 2;
    assert_true(sighash_v1(&v1, SIGHASH_SINGLE, have));
    sighash_cache_deinit(&cache);
    arena_deinit(&arena);
}

TEST(taproot_knows_seven_hash_types)
{
    struct arena arena;
    arena_init(&arena, 4096);
    struct tx tx = make_tx(&arena, 1, 1);
    struct tx_out spent = {0};
    struct sighash_v1_input in = {.tx = &tx, .spent = &spent};
    for (int type = 0; type < 256; type++) {
        uint8_t hash[32];
        bool defined = type <= 3 || (type >= 0x81 && type <= 0x83);
        assert_int_equal(sighash_v1(&in, (uint8_t)type, hash), defined);
    }
    arena_deinit(&arena);
}

/* ---- BIP341 wallet vectors ---- */

/* The two deeper levels that the vectors have, without recursion. */
static void tree_hash_leaf(struct arena *arena, json_t *leaf, uint8_t out[32])
{
    taproot_leaf_hash((uint8_t)json_integer_value(json_object_get(leaf, "leafVersion")),
                      span_in(arena, leaf, "script"), out);
}

static void tree_hash_pair(struct arena *arena, json_t *tree, uint8_t out[32])
{
    uint8_t side[2][32];
    for (size_t i = 0; i < 2; i++)
        tree_hash_leaf(arena, json_array_get(tree, i), side[i]);
    taproot_branch_hash(side[0], side[1], out);
}

static void tree_hash(struct arena *arena, json_t *tree, uint8_t out[32])
{
    if (json_is_object(tree)) {
        tree_hash_leaf(arena, tree, out);
        return;
    }
    uint8_t side[2][32];
    for (size_t i = 0; i < 2; i++) {
        json_t *child = json_array_get(tree, i);
        if (json_is_array(child))
            tree_hash_pair(arena, child, side[i]);
        else
            tree_hash_leaf(arena, child, side[i]);
    }
    taproot_branch_hash(side[0], side[1], out);
}

TEST(bip341_outputs_hold)
{
    json_t *json = load("core/bip341_wallet_vectors.json");
    if (!json)
        skip();
    struct arena arena;
    arena_init(&arena, 1 << 16);
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(json, "scriptPubKey"), i, row)
    {
        json_t *given = json_object_get(row, "given");
        json_t *middle = json_object_get(row, "intermediary");
        json_t *tree = json_object_get(given, "scriptTree");
        uint8_t root[32], tweak[32], output[32];
        if (!json_is_null(tree)) {
            tree_hash(&arena, tree, root);
            assert_hex(root, 32, json_string_value(json_object_get(middle, "merkleRoot")));
        }
        struct span internal = span_in(&arena, given, "internalPubkey");
        taproot_tweak(internal.p, json_is_null(tree) ? NULL : root, tweak);
        assert_hex(tweak, 32, json_string_value(json_object_get(middle, "tweak")));
        assert_true(xonly_tweak_add(output, NULL, internal.p, tweak));
        assert_hex(output, 32, json_string_value(json_object_get(middle, "tweakedPubkey")));
    }
    assert_int_equal(i, 7);
    arena_deinit(&arena);
    json_decref(json);
}

static void check_key_path(struct arena *arena, const struct tx *tx, const struct tx_out *spent,
                           const struct tx_sighash *sighash, json_t *row)
{
    json_t *given = json_object_get(row, "given"), *middle = json_object_get(row, "intermediary");
    uint8_t type = (uint8_t)json_integer_value(json_object_get(given, "hashType"));
    struct sighash_v1_input in = {
        .tx = tx,
        .spent = spent,
        .sighash = sighash,
        .input = (uint32_t)json_integer_value(json_object_get(given, "txinIndex"))};
    uint8_t hash[32], without[32];
    assert_true(sighash_v1(&in, type, hash));
    assert_hex(hash, 32, json_string_value(json_object_get(middle, "sigHash")));
    in.sighash = NULL; /* computed for this digest alone */
    assert_true(sighash_v1(&in, type, without));
    assert_memory_equal(hash, without, 32);

    json_t *witness = json_object_get(json_object_get(row, "expected"), "witness");
    struct span sig = span_from_hex(arena, json_string_value(json_array_get(witness, 0)));
    assert_int_equal(sig.len, type == SIGHASH_DEFAULT ? 64 : 65);
    uint8_t output_key[33] = {2};
    struct ec_pubkey pubkey;
    memcpy(output_key + 1, spent[in.input].script_pubkey.p + 2, 32);
    assert_true(ec_pubkey_parse(&pubkey, span_of(output_key, 33)));
    assert_true(schnorr_verify(sig.p, span_of(hash, 32), &pubkey));

    /* The vectors were signed with auxiliary randomness of zeros. */
    uint8_t tweaked[32], mine[64];
    static const uint8_t aux[32] = {0}, seed[32] = {7};
    struct ec_context *context = ec_context_new(seed);
    struct span key = span_in(arena, given, "internalPrivkey");
    struct span tweak = span_in(arena, middle, "tweak");
    assert_true(seckey_taproot_tweak(context, key.p, tweak.p, tweaked));
    assert_true(schnorr_sign(context, tweaked, span_of(hash, 32), aux, mine));
    assert_memory_equal(mine, sig.p, 64);
    ec_context_free(context);
}

TEST(bip341_key_paths_hold)
{
    json_t *json = load("core/bip341_wallet_vectors.json");
    if (!json)
        skip();
    struct arena arena;
    arena_init(&arena, 1 << 16);
    json_t *path = json_array_get(json_object_get(json, "keyPathSpending"), 0);
    json_t *given = json_object_get(path, "given"), *middle = json_object_get(path, "intermediary");
    struct reader r = reader_of(span_in(&arena, given, "rawUnsignedTx"));
    struct tx tx;
    assert_true(tx_decode(&r, &arena, true, &tx));
    struct tx_out *spent = arena_calloc(&arena, tx.n_in, sizeof *spent);
    for (uint32_t i = 0; i < tx.n_in; i++) {
        json_t *out = json_array_get(json_object_get(given, "utxosSpent"), i);
        spent[i].script_pubkey = span_in(&arena, out, "scriptPubKey");
        spent[i].value_sat = json_integer_value(json_object_get(out, "amountSats"));
    }
    struct tx_sighash sighash;
    tx_sighash_init_all(&sighash, &tx, spent);
    assert_hex(sighash.amounts32, 32, json_string_value(json_object_get(middle, "hashAmounts")));
    assert_hex(sighash.outputs32, 32, json_string_value(json_object_get(middle, "hashOutputs")));
    assert_hex(sighash.prevouts32, 32, json_string_value(json_object_get(middle, "hashPrevouts")));
    assert_hex(sighash.scripts32, 32,
               json_string_value(json_object_get(middle, "hashScriptPubkeys")));
    assert_hex(sighash.sequences32, 32,
               json_string_value(json_object_get(middle, "hashSequences")));
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(path, "inputSpending"), i, row)
        check_key_path(&arena, &tx, spent, &sighash, row);
    assert_int_equal(i, 7);
    arena_deinit(&arena);
    json_decref(json);
}

/* Only what the inputs can need is computed. */
TEST(shared_hashes_are_made_for_the_versions_spent)
{
    struct arena arena;
    arena_init(&arena, 4096);
    struct tx tx = make_tx(&arena, 2, 1);
    static const uint8_t taproot[34] = {OP_1, 32}, keyhash[22] = {OP_0, 20};
    struct tx_out spent[2] = {{.script_pubkey = span_of(keyhash, 22)},
                              {.script_pubkey = span_of(taproot, 34)}};
    struct tx_sighash sighash;
    tx_sighash_init(&sighash, &tx, spent);
    assert_false(sighash.has_v0 || sighash.has_v1);
    tx.in[1].witness = span_of("\x01\x00", 2);
    tx_finish(&tx, &arena);
    tx_sighash_init(&sighash, &tx, spent);
    assert_true(!sighash.has_v0 && sighash.has_v1);
    tx_sighash_init(&sighash, &tx, NULL);
    assert_true(sighash.has_v0 && !sighash.has_v1);
    tx.in[0].witness = span_of("\x01\x00", 2);
    tx_sighash_init(&sighash, &tx, spent);
    assert_true(sighash.has_v0 && sighash.has_v1);
    arena_deinit(&arena);
}
