/* test_sign_tx.c - every form of output is signed, and what is signed verifies. */
#include "consensus/script_iter.h"
#include "consensus/script_write.h"
#include "consensus/sighash.h"
#include "crypto/hash.h"
#include "spend/sign/sign_tx.h"
#include "support/script_names.h"
#include "support/unit.h"

#define FLAGS                                                                                      \
    (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_STRICTENC | SCRIPT_VERIFY_LOW_S |                          \
     SCRIPT_VERIFY_NULLDUMMY | SCRIPT_VERIFY_CLEANSTACK | SCRIPT_VERIFY_WITNESS |                  \
     SCRIPT_VERIFY_NULLFAIL | SCRIPT_VERIFY_WITNESS_PUBKEYTYPE | SCRIPT_VERIFY_MINIMALDATA |       \
     SCRIPT_VERIFY_TAPROOT)

struct fixture {
    struct arena arena;
    struct ec_context *ec;
    struct key_book book; /* of the secrets 1 to 4; the last is used uncompressed */
    struct book_key keys[4];
    struct tx tx;
    struct tx_in in[2];
    struct tx_out out[1], spent[2];
    struct sign_tx_request request;
};

/* Put the secret key i + 1 into the book. */
static void know(struct fixture *f, size_t i)
{
    uint8_t secret[32] = {[31] = (uint8_t)(i + 1)};
    assert_true(key_book_add_secret(&f->book, secret, i != 3));
}

/* No other key is known any more. */
static void know_only(struct fixture *f, size_t i)
{
    struct span scripts[2];
    size_t n = f->book.scripts.n;
    assert_true(n <= COUNT_OF(scripts));
    for (size_t k = 0; k < n; k++)
        scripts[k] = f->book.scripts.at[k].bytes;
    key_book_deinit(&f->book);
    key_book_init(&f->book, f->ec, &f->arena);
    for (size_t k = 0; k < n; k++)
        key_book_add_script(&f->book, scripts[k]);
    know(f, i);
}

static void set_up(struct fixture *f)
{
    uint8_t seed[32] = {1};
    *f = (struct fixture){0};
    arena_init(&f->arena, 4096);
    f->ec = ec_context_new(seed);
    key_book_init(&f->book, f->ec, &f->arena);
    for (size_t i = 0; i < COUNT_OF(f->keys); i++)
        know(f, i);
    memcpy(f->keys, f->book.keys.at, sizeof f->keys);
    for (size_t i = 0; i < COUNT_OF(f->in); i++) {
        f->in[i] = (struct tx_in){.prevout = {.txid = {{(uint8_t)(i + 1)}}, .vout = 5},
                                  .sequence = SEQUENCE_FINAL};
        f->spent[i] = (struct tx_out){.value_sat = 70000, .script_pubkey = span_of("\x51", 1)};
    }
    f->out[0] = (struct tx_out){.value_sat = 60000, .script_pubkey = span_of("\x51", 1)};
    f->tx = (struct tx){.version = 2, .n_in = 2, .n_out = 1, .in = f->in, .out = f->out};
    tx_finish(&f->tx, &f->arena);
    f->request = (struct sign_tx_request){.mode = SOLVE_SIGN, .book = &f->book, .arena = &f->arena};
}

static void tear_down(struct fixture *f)
{
    key_book_deinit(&f->book);
    ec_context_free(f->ec);
    arena_deinit(&f->arena);
}

static struct span joined(struct fixture *f, struct span a, struct span b, struct span c)
{
    return script_join(&f->arena, script_join(&f->arena, a, b), c);
}

static struct span key_bytes(const struct book_key *key)
{
    return span_of(key->pubkey, key->len);
}

static struct span p2pk(struct fixture *f, const struct book_key *key)
{
    return joined(f, script_push(&f->arena, key_bytes(key)), span_of("\xac", 1), span_of(NULL, 0));
}

static struct span p2pkh(struct fixture *f, const struct book_key *key)
{
    return joined(f, span_of("\x76\xa9\x14", 3), span_of(key->hash, 20), span_of("\x88\xac", 2));
}

static struct span p2wpkh(struct fixture *f, const struct book_key *key)
{
    return joined(f, span_of("\x00\x14", 2), span_of(key->hash, 20), span_of(NULL, 0));
}

static struct span p2sh(struct fixture *f, struct span script)
{
    uint8_t hash[20];
    hash160(script, hash);
    return joined(f, span_of("\xa9\x14", 2), span_of(hash, 20), span_of("\x87", 1));
}

static struct span p2wsh(struct fixture *f, struct span script)
{
    uint8_t hash[32];
    sha256(script, hash);
    return joined(f, span_of("\x00\x20", 2), span_of(hash, 32), span_of(NULL, 0));
}

/* m of the first n keys. */
static struct span multisig(struct fixture *f, int m, int n)
{
    uint8_t first = opcode_of_small_int(m), last[2] = {opcode_of_small_int(n), OP_CHECKMULTISIG};
    struct span script = script_join(&f->arena, span_of(&first, 1), span_of(NULL, 0));
    for (int i = 0; i < n; i++)
        script = script_join(&f->arena, script, script_push(&f->arena, key_bytes(&f->keys[i])));
    return script_join(&f->arena, script, span_of(last, 2));
}

static void add_script(struct fixture *f, struct span script)
{
    key_book_add_script(&f->book, script);
}

static enum script_error verify(struct fixture *f)
{
    struct tx_sighash sighash;
    struct script_scratch *scratch = script_scratch_new();
    tx_finish(&f->tx, &f->arena);
    tx_sighash_init_all(&sighash, &f->tx, f->spent);
    struct script_check check = {
        .tx = &f->tx, .input = 1, .flags = FLAGS, .spent = f->spent, .sighash = &sighash};
    enum script_error error = script_verify(&check, scratch);
    script_scratch_free(scratch);
    return error;
}

/* Sign input 1, which spends script. */
static bool sign(struct fixture *f, struct span script)
{
    struct tx_sighash sighash;
    f->spent[1].script_pubkey = script;
    tx_sighash_init_all(&sighash, &f->tx, f->spent);
    return sign_tx_input(&f->request, &f->tx, f->spent, &sighash, 1);
}

static void assert_signs(struct fixture *f, struct span script)
{
    assert_true(sign(f, script));
    assert_string_equal(script_error_name(verify(f)), "OK");
}

TEST(keys_and_key_hashes_are_signed_for)
{
    for (size_t i = 0; i < 4; i++) {
        struct fixture f;
        set_up(&f);
        assert_signs(&f, p2pk(&f, &f.keys[i]));
        assert_signs(&f, p2pkh(&f, &f.keys[i]));
        assert_int_equal(f.in[1].witness.len, 0);
        tear_down(&f);
    }
}

TEST(witness_key_hashes_are_signed_for)
{
    struct fixture f;
    set_up(&f);
    assert_signs(&f, p2wpkh(&f, &f.keys[0]));
    assert_int_equal(f.in[1].script_sig.len, 0);
    struct span inner = p2wpkh(&f, &f.keys[1]);
    add_script(&f, inner);
    assert_signs(&f, p2sh(&f, inner));
    assert_int_equal(f.in[1].script_sig.len, 23);
    /* An uncompressed key is not allowed there. */
    assert_false(sign(&f, p2wpkh(&f, &f.keys[3])));
    tear_down(&f);
}

TEST(multisig_is_signed_bare_and_wrapped)
{
    for (int wrap = 0; wrap < 4; wrap++) {
        struct fixture f;
        set_up(&f);
        struct span script = multisig(&f, 2, 3), output = script;
        if (wrap & 1) {
            add_script(&f, script);
            output = p2wsh(&f, script);
        }
        if (wrap & 2) {
            add_script(&f, output);
            output = p2sh(&f, output);
        }
        assert_signs(&f, output);
        tear_down(&f);
    }
}

/* Two signers, each with one key: the second keeps what the first made. */
TEST(signatures_of_several_signers_are_joined)
{
    for (int segwit = 0; segwit <= 1; segwit++) {
        struct fixture f;
        set_up(&f);
        struct span script = multisig(&f, 2, 3);
        add_script(&f, script);
        struct span output = segwit ? p2wsh(&f, script) : p2sh(&f, script);
        know_only(&f, 2);
        assert_true(sign(&f, output));
        assert_string_not_equal(script_error_name(verify(&f)), "OK");
        know_only(&f, 0);
        assert_signs(&f, output);
        tear_down(&f);
    }
}

static struct span p2tr(struct fixture *f, const uint8_t key[32])
{
    return joined(f, span_of("\x51\x20", 2), span_of(key, 32), span_of(NULL, 0));
}

TEST(taproot_is_signed_by_its_key)
{
    for (size_t i = 0; i < 3; i++) {
        struct fixture f;
        set_up(&f);
        assert_true(key_book_add_tap(&f.book, f.keys[i].pubkey + 1, NULL));
        assert_signs(&f, p2tr(&f, f.book.taps.at[0].output));
        assert_int_equal(f.in[1].witness.len, 2 + 64);
        f.in[1].witness = span_of(NULL, 0);
        f.request.hash_type = SIGHASH_ALL | SIGHASH_ANYONECANPAY;
        assert_signs(&f, p2tr(&f, f.keys[i].pubkey + 1));
        assert_int_equal(f.in[1].witness.len, 2 + 65);
        tear_down(&f);
    }
}

TEST(every_hash_type_verifies)
{
    static const uint8_t types[] = {SIGHASH_ALL, SIGHASH_NONE, SIGHASH_ALL | SIGHASH_ANYONECANPAY,
                                    SIGHASH_NONE | SIGHASH_ANYONECANPAY};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct fixture f;
        set_up(&f);
        f.request.hash_type = types[i];
        assert_signs(&f, p2pkh(&f, &f.keys[0]));
        assert_signs(&f, p2wpkh(&f, &f.keys[0]));
        tear_down(&f);
    }
}

TEST(without_key_or_script_nothing_is_made)
{
    struct fixture f;
    set_up(&f);
    know_only(&f, 0);
    assert_false(sign(&f, p2pkh(&f, &f.keys[1])));
    assert_false(sign(&f, p2pk(&f, &f.keys[1])));
    assert_false(sign(&f, p2wpkh(&f, &f.keys[1])));
    assert_false(sign(&f, p2tr(&f, f.keys[1].pubkey + 1)));
    assert_false(sign(&f, p2sh(&f, p2pk(&f, &f.keys[0]))));
    assert_false(sign(&f, p2wsh(&f, p2pk(&f, &f.keys[0]))));
    assert_false(sign(&f, span_of("\x51", 1)));
    assert_int_equal(f.in[1].script_sig.len, 0);
    assert_int_equal(f.in[1].witness.len, 0);
    tear_down(&f);
}
