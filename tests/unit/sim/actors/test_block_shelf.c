/* test_block_shelf.c - blocks that an attacker has heard of: a tree that forgets its old end. */
#include "sim/actors/block_shelf.h"

#include "support/unit.h"

static const struct block_hash root = {{7}};

/* A header on that one; its bytes differ by nonce. */
static struct block_hash put(struct block_shelf *shelf, struct block_hash prev, uint32_t nonce,
                             bool *is_new)
{
    uint8_t bytes[BLOCK_HEADER_BYTES];
    struct block_header header = {.version = 4, .prev = prev, .nonce = nonce};
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    block_header_encode(&w, &header);
    *is_new = block_shelf_add(shelf, span_of(bytes, sizeof bytes)) != NULL;
    struct block_hash hash = block_shelf_hash(span_of(bytes, sizeof bytes));
    struct block_hash same = block_header_hash(&header);
    assert_true(block_hash_equal(&hash, &same));
    return hash;
}

TEST(a_block_is_taken_once_and_behind_its_parent)
{
    struct block_shelf shelf;
    bool is_new;
    block_shelf_init(&shelf, &root, 100);
    struct block_hash first = put(&shelf, root, 1, &is_new);
    assert_true(is_new);
    (void)put(&shelf, root, 1, &is_new);
    assert_false(is_new);
    (void)put(&shelf, (struct block_hash){{9}}, 2, &is_new);
    assert_false(is_new);
    struct block_hash second = put(&shelf, first, 3, &is_new);
    assert_true(is_new);
    assert_int_equal(block_shelf_find(&shelf, &second)->height, 102);
    assert_true(block_hash_equal(&block_shelf_find(&shelf, &second)->prev, &first));
    block_shelf_deinit(&shelf);
}

TEST(bytes_are_copied)
{
    struct block_shelf shelf;
    bool is_new;
    uint8_t bytes[100] = {1, 2, 3};
    block_shelf_init(&shelf, &root, 0);
    struct block_hash hash = put(&shelf, root, 1, &is_new);
    struct shelf_block *block = block_shelf_find(&shelf, &hash);
    block_shelf_keep(block, span_of(bytes, sizeof bytes));
    bytes[0] = 0;
    assert_int_equal(block->len, sizeof bytes);
    assert_int_equal(block->bytes[0], 1);
    block_shelf_deinit(&shelf);
}

TEST(what_lies_deeper_than_the_depth_is_forgotten)
{
    struct block_shelf shelf;
    bool is_new;
    block_shelf_init(&shelf, &root, 0);
    struct block_hash at = root;
    for (uint32_t i = 1; i <= BLOCK_SHELF_DEPTH + 1; i++)
        at = put(&shelf, at, i, &is_new);
    block_shelf_trim(&shelf, BLOCK_SHELF_DEPTH);
    assert_non_null(block_shelf_find(&shelf, &root));
    block_shelf_trim(&shelf, BLOCK_SHELF_DEPTH + 1);
    assert_null(block_shelf_find(&shelf, &root));
    assert_int_equal(shelf.blocks.n, BLOCK_SHELF_DEPTH + 1);
    assert_non_null(block_shelf_find(&shelf, &at));
    block_shelf_deinit(&shelf);
}
