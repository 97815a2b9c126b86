/* test_solve_signatures.c - locks as the interpreter sees them, and signatures that are known. */
#include "spend/sign/solve_signatures_internal.h"

#include "consensus/sighash.h"
#include "crypto/hash.h"
#include "unit/spend/sign/sign_fixture.h"

FIXTURE(setup, teardown)

TEST(locks_pass_as_in_the_interpreter, struct fixture *f)
{
    struct solve_request request = {.mode = SOLVE_SIGN, .book = &f->book, .tx = &f->psbt.tx};
    struct solving s = {.request = &request};
    begin(f, span_of("\x51", 1), true); /* lock time 100, sequence 10 */
    assert_true(solve_is_after(&s, 100));
    assert_false(solve_is_after(&s, 101));
    assert_false(solve_is_after(&s, 500000000)); /* a time */
    assert_true(solve_is_older(&s, 10));
    assert_false(solve_is_older(&s, 11));
    assert_false(solve_is_older(&s, (1 << 22) | 1));
    f->psbt.tx.in[0].sequence = (1 << 22) | 5;
    assert_true(solve_is_older(&s, (1 << 22) | 5));
    assert_false(solve_is_older(&s, 5));
    f->psbt.tx.in[0].sequence = SEQUENCE_FINAL;
    assert_false(solve_is_after(&s, 100));
    assert_false(solve_is_older(&s, 1));
    f->psbt.tx.in[0].sequence = 10;
    f->psbt.tx.version = 1;
    assert_false(solve_is_older(&s, 10));
    request.mode = SOLVE_PRETEND;
    assert_true(solve_is_older(&s, 10) && solve_is_after(&s, 500000000));
}

TEST(a_key_is_found_by_its_hash_in_records_and_book, struct fixture *f)
{
    struct solve_result result = {0};
    struct solve_request request = {.mode = SOLVE_LOOK, .book = &f->book, .tx = &f->psbt.tx};
    uint8_t hash[20], pubkey[33];
    learn(f, "pk(" K1 ")", DESC_EXPAND_PUBLIC);
    memcpy(pubkey, f->book.keys.at[0].pubkey, 33);
    hash160(span_of(pubkey, 33), hash);
    begin(f, span_of("\x51", 1), true);
    struct solving s = {.request = &request,
                        .psbt = &f->psbt,
                        .map = &f->psbt.inputs[0],
                        .out = &result,
                        .arena = &f->arena};
    assert_true(span_equal(solve_key_of_hash(&s, span_of(hash, 20)), span_of(pubkey, 33)));
    forget(f);
    assert_null(solve_key_of_hash(&s, span_of(hash, 20)).p);
    psbt_put(&f->psbt, s.map, PSBT_IN_BIP32_DERIVATION, span_of(pubkey, 33), span_of("1234", 4));
    s.known[0] = NULL; /* of another input */
    assert_true(span_equal(solve_key_of_hash(&s, span_of(hash, 20)), span_of(pubkey, 33)));
    /* A signature that is there is taken, one that is not is missing. */
    assert_null(solve_sig(&s, span_of(pubkey, 33)).p);
    assert_int_equal(result.missing.sigs.n, 1);
    psbt_put(&f->psbt, s.map, PSBT_IN_PARTIAL_SIG, span_of(pubkey, 33), span_of("sig", 3));
    assert_int_equal(solve_sig(&s, span_of(pubkey, 33)).len, 3);
    solve_result_deinit(&result);
}

/* Of leaves: keys that are known by their x. */
TEST(an_x_is_found_by_its_hash_in_records_and_book, struct fixture *f)
{
    struct solve_request request = {.mode = SOLVE_LOOK, .book = &f->book, .tx = &f->psbt.tx};
    uint8_t hash[20], other[32] = {7};
    learn(f, "pk(" K1 ")", DESC_EXPAND_PUBLIC);
    const uint8_t *x = f->book.keys.at[0].pubkey + 1;
    hash160(span_of(x, 32), hash);
    begin(f, span_of("\x51", 1), true);
    struct solving s = {
        .request = &request, .psbt = &f->psbt, .map = &f->psbt.inputs[0], .arena = &f->arena};
    assert_true(span_equal(solve_x_of_hash(&s, span_of(hash, 20)), span_of(x, 32)));
    hash160(span_of(other, 32), hash);
    assert_null(solve_x_of_hash(&s, span_of(hash, 20)).p);
    psbt_put(&f->psbt, s.map, PSBT_IN_TAP_BIP32_DERIVATION, span_of(other, 32),
             span_of("\0"
                     "1234",
                     5));
    s.known[1] = NULL; /* of another input */
    assert_true(span_equal(solve_x_of_hash(&s, span_of(hash, 20)), span_of(other, 32)));
}

/* Whether or not they are found. Each record hashed for each key would be 9 * 10^8 hashes. */
TEST(many_keys_are_found_in_no_square_of_time, struct fixture *f)
{
    enum { RECORDS = 30000 };
    struct solve_request request = {.mode = SOLVE_LOOK, .book = &f->book, .tx = &f->psbt.tx};
    struct psbt_record *records = arena_calloc(&f->arena, RECORDS, sizeof *records);
    uint8_t hash[20];
    begin(f, span_of("\x51", 1), true);
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t *key = arena_calloc(&f->arena, 1, 34);
        key[0] = PSBT_IN_BIP32_DERIVATION;
        key[1] = 2;
        memcpy(key + 2, &i, sizeof i);
        records[i] = (struct psbt_record){.type = PSBT_IN_BIP32_DERIVATION,
                                          .key = span_of(key, 34),
                                          .data = span_of(key + 1, 33),
                                          .value = span_of("1234", 4)};
    }
    psbt_put_all(&f->psbt, &f->psbt.inputs[0], records, RECORDS);
    struct solving s = {
        .request = &request, .psbt = &f->psbt, .map = &f->psbt.inputs[0], .arena = &f->arena};
    for (uint32_t i = 0; i < RECORDS; i++) {
        hash160(records[i].data, hash);
        assert_ptr_equal(solve_key_of_hash(&s, span_of(hash, 20)).p, records[i].data.p);
        hash[19] ^= 1;
        assert_null(solve_key_of_hash(&s, span_of(hash, 20)).p);
    }
}

/* What the old digest of SINGLE is without an output signs any transaction. */
TEST(single_without_its_output_is_not_signed, struct fixture *f)
{
    struct sign_order order = {
        .mode = SOLVE_SIGN, .has_hash_type = true, .hash_type = SIGHASH_SINGLE};
    begin(f, learn(f, "pkh(" W1 ")", DESC_EXPAND_SECRET), true);
    f->psbt.tx.n_out = 0;
    f->psbt.n_outputs = 0;
    sign_session_init(&f->session, &f->psbt, &f->book);
    f->is_in_session = true;
    assert_int_equal(sign_psbt_input(&f->session, 0, &order, NULL), SIGN_INCOMPLETE);
}

TEST(leaves_of_a_key_are_gathered_in_order, struct fixture *f)
{
    struct solve_result result = {0};
    struct solve_request request = {.mode = SOLVE_LOOK, .book = &f->book, .tx = &f->psbt.tx};
    learn(f, "tr([d34db33f]" K1 ")", DESC_EXPAND_PUBLIC);
    const uint8_t *x = f->book.keys.at[0].pubkey + 1;
    begin(f, span_of("\x51", 1), true);
    struct solving s = {.request = &request,
                        .psbt = &f->psbt,
                        .map = &f->psbt.inputs[0],
                        .out = &result,
                        .arena = &f->arena};
    static const uint8_t firsts[] = {7, 3, 7, 9};
    for (size_t i = 0; i < sizeof firsts; i++) {
        s.leaf_hash[0] = firsts[i];
        assert_null(solve_tap_script_sig(&s, x).p);
        if (i == 1)
            solve_note_uses(&s); /* the others come to what is there already */
    }
    solve_note_uses(&s);
    const struct psbt_record *record =
        psbt_find(s.map, PSBT_IN_TAP_BIP32_DERIVATION, span_of(x, 32));
    assert_non_null(record);
    struct span value = record->value, hashes = psbt_take_leaf_hashes(&value);
    assert_int_equal(hashes.len, 3 * 32);
    assert_int_equal(hashes.p[0], 3);
    assert_int_equal(hashes.p[32], 7);
    assert_int_equal(hashes.p[64], 9);
    assert_true(span_equal(value, span_of("\xd3\x4d\xb3\x3f", 4)));
}
