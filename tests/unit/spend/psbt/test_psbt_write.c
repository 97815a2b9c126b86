/* test_psbt_write.c - what is written is read as the same. */
#include "spend/psbt/psbt.h"
#include "unit/spend/psbt/psbt_fixture.h"

FIXTURE(setup, teardown)

TEST(vectors_of_bips_are_written_the_same_twice, struct fixture *f)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(bip_files); i++) {
        struct bip_psbt vector = {0};
        char *text;
        const char *at = bip_vectors(bip_files[i], &text);
        while (bip_next_psbt(&at, &vector)) {
            struct buffer first, second;
            struct psbt again;
            if (!read_base64(f, vector.base64, &f->psbt))
                continue;
            buffer_init(&first);
            buffer_init(&second);
            psbt_write(&f->psbt, &first);
            assert_true(psbt_read(buffer_span(&first), &f->arena, &again, &f->error));
            psbt_write(&again, &second);
            assert_true(span_equal(buffer_span(&first), buffer_span(&second)));
            buffer_deinit(&first);
            buffer_deinit(&second);
            n++;
        }
        xfree(text);
    }
    assert_true(n > 30);
}

TEST(origins_have_steps, struct fixture *f)
{
    struct span value = span_of("\x01\x02\x03\x04\x05\0\0\0\x06\0\0\x80", 12);
    struct key_origin origin = psbt_read_origin(value, &f->arena);
    assert_int_equal(origin.fingerprint[3], 4);
    assert_int_equal(origin.n_path, 2);
    assert_int_equal(origin.path[1], 0x80000006);
    assert_true(span_equal(psbt_write_origin(&origin, &f->arena), value));
    assert_int_equal(psbt_read_origin(span_of("\x01\x02\x03\x04", 4), &f->arena).n_path, 0);
}

TEST(leaf_hashes_stand_before_an_origin)
{
    uint8_t bytes[1 + 32 + 4] = {1, 9, [33] = 7};
    struct span value = span_of(bytes, sizeof bytes);
    struct span hashes = psbt_take_leaf_hashes(&value);
    assert_int_equal(hashes.len, 32);
    assert_int_equal(hashes.p[0], 9);
    assert_int_equal(value.len, 4);
    assert_int_equal(value.p[0], 7);
}

TEST(trees_are_whole, struct fixture *f)
{
    struct tap_tree tree;
    assert_true(psbt_read_tree(span_of("\0\xc0\x01\x51", 4), &f->arena, &tree));
    assert_int_equal(tree.n, 1);
    assert_int_equal(tree.leaves[0].version, 0xc0);
    assert_true(psbt_read_tree(span_of("\x01\xc0\x01\x51\x01\xc0\0", 7), &f->arena, &tree));
    assert_int_equal(tree.n, 2);
    assert_false(psbt_read_tree(span_of("\x01\xc0\x01\x51", 4), &f->arena, &tree));
    assert_false(psbt_read_tree(span_of("\0\xc0\x02\x51", 4), &f->arena, &tree));
}
