/* test_key_book.c - what is known of keys and scripts is found again. */
#include "spend/book/key_book.h"

#include "crypto/hash.h"
#include "support/unit.h"
#include "util/hex.h"

struct fixture {
    struct ec_context *ec;
    struct arena arena;
    struct key_book book;
};

static int setup(void **state)
{
    static const uint8_t seed[32] = {3};
    struct fixture *f = xcalloc(1, sizeof *f);
    f->ec = ec_context_new(seed);
    arena_init(&f->arena, 4096);
    key_book_init(&f->book, f->ec, &f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    key_book_deinit(&f->book);
    arena_deinit(&f->arena);
    ec_context_free(f->ec);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

#define X1 "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

TEST(a_key_is_found_by_all_its_names, struct fixture *f)
{
    static const uint8_t one[32] = {[31] = 1}, zero[32];
    static const uint32_t path[] = {7};
    struct key_origin origin = {{1, 2, 3, 4}, 1, path}, other = {{9}, 0, NULL};
    uint8_t pubkey[33] = {2}, hash[20];
    assert_true(hex_decode(pubkey + 1, 32, X1, 64));
    hash160(span_of(pubkey, 33), hash);
    assert_null(key_book_find(&f->book, span_of(pubkey, 33)));
    key_book_add_key(&f->book, span_of(pubkey, 33), NULL);
    assert_false(key_book_find(&f->book, span_of(pubkey, 33))->has_secret);
    assert_true(key_book_add_secret(&f->book, one, true));
    assert_false(key_book_add_secret(&f->book, zero, true));
    key_book_add_key(&f->book, span_of(pubkey, 33), &origin);
    key_book_add_key(&f->book, span_of(pubkey, 33), &other); /* the first stays */
    assert_int_equal(f->book.keys.n, 1);
    const struct book_key *key = key_book_find_hash(&f->book, span_of(hash, 20));
    assert_ptr_equal(key, key_book_find(&f->book, span_of(pubkey, 33)));
    assert_ptr_equal(key, key_book_find_x(&f->book, pubkey + 1));
    assert_true(key->has_secret && key->has_origin);
    assert_int_equal(key->origin.fingerprint[3], 4);
    /* The other form of it is another key, and has no x that taproot means. */
    assert_true(key_book_add_secret(&f->book, one, false));
    assert_int_equal(f->book.keys.n, 2);
    assert_ptr_equal(key_book_find_x(&f->book, pubkey + 1), &f->book.keys.at[0]);
}

/* Of an aggregate the one form may be there beside the other, which is who can sign. */
TEST(of_two_keys_with_one_x_that_is_found_of_which_more_is_known, struct fixture *f)
{
    static const uint8_t one[32] = {[31] = 1};
    struct key_origin origin = {{1, 2, 3, 4}, 0, NULL};
    uint8_t even[33] = {2}, odd[33] = {3}, hash[20];
    assert_true(hex_decode(even + 1, 32, X1, 64));
    memcpy(odd + 1, even + 1, 32);
    key_book_add_key(&f->book, span_of(even, 33), NULL);
    key_book_add_key(&f->book, span_of(odd, 33), NULL);
    assert_int_equal(key_book_find_x(&f->book, odd + 1)->pubkey[0], 2);
    key_book_add_key(&f->book, span_of(odd, 33), &origin);
    assert_int_equal(key_book_find_x(&f->book, odd + 1)->pubkey[0], 3);
    assert_true(key_book_add_secret(&f->book, one, true)); /* whose key is the even one */
    assert_int_equal(key_book_find_x(&f->book, odd + 1)->pubkey[0], 2);
    hash160(span_of(even + 1, 32), hash);
    assert_memory_equal(key_book_find_x_hash(&f->book, span_of(hash, 20))->pubkey + 1, odd + 1, 32);
    hash160(span_of(even, 33), hash);
    assert_null(key_book_find_x_hash(&f->book, span_of(hash, 20)));
}

TEST(scripts_are_found_by_both_hashes, struct fixture *f)
{
    struct span script = span_of("\x51\x52", 2);
    uint8_t hash[32];
    key_book_add_script(&f->book, script);
    hash160(script, hash);
    assert_non_null(key_book_find_script(&f->book, span_of(hash, 20)));
    sha256(script, hash);
    assert_non_null(key_book_find_script(&f->book, span_of(hash, 32)));
    hash[0] ^= 1;
    assert_null(key_book_find_script(&f->book, span_of(hash, 32)));
}

TEST(taproot_outputs_are_found_by_their_key, struct fixture *f)
{
    struct tap_leaf leaves[] = {{span_of("\x51", 1), 0, TAP_LEAF_TAPSCRIPT}};
    struct tap_tree tree = {leaves, 1};
    uint8_t internal[32], output[32], root[32];
    assert_true(hex_decode(internal, 32, X1, 64));
    assert_true(key_book_add_tap(&f->book, internal, NULL));
    assert_true(key_book_add_tap(&f->book, internal, &tree));
    tap_leaf_hash(leaves[0].script, TAP_LEAF_TAPSCRIPT, root);
    assert_true(tap_output(internal, root, output, NULL));
    const struct book_tap *tap = key_book_find_tap(&f->book, output);
    assert_ptr_equal(tap, &f->book.taps.at[1]);
    assert_memory_equal(tap->root, root, 32);
    assert_true(tap_output(internal, NULL, output, NULL));
    assert_ptr_equal(key_book_find_tap(&f->book, output), &f->book.taps.at[0]);
    assert_null(key_book_find_tap(&f->book, internal));
    memset(internal, 0xff, sizeof internal);
    assert_false(key_book_add_tap(&f->book, internal, NULL));
}

TEST(aggregates_are_kept, struct fixture *f)
{
    static const uint8_t aggregate[33] = {2, 1}, parts[66] = {2};
    key_book_add_musig(&f->book, aggregate, parts, 2);
    assert_int_equal(f->book.musigs.n, 1);
    assert_memory_equal(f->book.musigs.at[0].aggregate, aggregate, 33);
    assert_ptr_equal(f->book.musigs.at[0].participants, parts);
}

TEST(many_keys_are_found, struct fixture *f)
{
    enum { MANY = 3000 };
    uint8_t pubkey[33] = {2};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            memcpy(pubkey + 1, &i, sizeof i);
            key_book_add_key(&f->book, span_of(pubkey, sizeof pubkey), NULL);
        }
    }
    assert_int_equal(f->book.keys.n, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        memcpy(pubkey + 1, &i, sizeof i);
        assert_ptr_equal(key_book_find_x(&f->book, pubkey + 1), &f->book.keys.at[i]);
    }
    pubkey[32] = 1;
    assert_null(key_book_find(&f->book, span_of(pubkey, sizeof pubkey)));
}

/* Each is found without a look at the others; the first of the same is. */
TEST(many_scripts_are_found_in_no_square_of_time, struct fixture *f)
{
    enum { SCRIPTS = 100000 };
    uint8_t hash[32];
    for (uint32_t i = 0; i < SCRIPTS; i++) {
        uint32_t *script = arena_alloc(&f->arena, sizeof *script);
        *script = i / 2;
        key_book_add_script(&f->book, span_of(script, sizeof *script));
    }
    for (uint32_t i = 0; i < SCRIPTS; i++) {
        struct span script = f->book.scripts.at[i].bytes;
        sha256(script, hash);
        assert_ptr_equal(key_book_find_script(&f->book, span_of(hash, 32)),
                         &f->book.scripts.at[i & ~UINT32_C(1)]);
        hash160(script, hash);
        assert_ptr_equal(key_book_find_script(&f->book, span_of(hash, 20)),
                         &f->book.scripts.at[i & ~UINT32_C(1)]);
    }
}
