/* test_kept_blocks.c - decoded blocks in memory until they are connected and written. */
#include "chain/tree/kept_blocks.h"
#include "support/chain_builder.h"
#include "support/unit.h"

struct fixture {
    struct chain_builder builder;
    struct header_tree tree;
    struct kept_blocks kept;
    struct block_node *node[4];
    struct block_ref *ref[4];
};

static void setup(struct fixture *f, size_t max_bytes)
{
    const struct built_block *built[4];
    chain_builder_init(&f->builder);
    header_tree_init(&f->tree, (struct siphash_key){1, 2});
    header_tree_add(&f->tree, &f->builder.genesis->block.header, &f->builder.genesis->block.hash);
    builder_blocks(&f->builder, f->builder.genesis, 4, built);
    for (size_t i = 0; i < 4; i++) {
        f->node[i] = header_tree_add(&f->tree, &built[i]->block.header, &built[i]->block.hash);
        f->ref[i] = block_ref_take(built_bytes(built[i]), built[i]->block.raw.len);
        assert_true(block_ref_decode(f->ref[i]));
    }
    kept_blocks_init(&f->kept, max_bytes);
}

static void teardown(struct fixture *f)
{
    kept_blocks_deinit(&f->kept);
    for (size_t i = 0; i < 4; i++)
        block_ref_drop(f->ref[i]);
    header_tree_deinit(&f->tree);
    chain_builder_deinit(&f->builder);
}

TEST(a_block_is_kept_until_it_is_written_and_connected)
{
    struct fixture f;
    setup(&f, 1 << 20);
    kept_blocks_add(&f.kept, f.node[0], f.ref[0]);
    assert_ptr_equal(kept_blocks_find(&f.kept, f.node[0]), f.ref[0]);
    assert_null(kept_blocks_find(&f.kept, f.node[1]));
    assert_true(f.kept.bytes >= f.ref[0]->raw_len);
    kept_blocks_written(&f.kept, f.node[0]);
    assert_non_null(kept_blocks_find(&f.kept, f.node[0]));
    kept_blocks_release(&f.kept, f.node[0]);
    assert_null(kept_blocks_find(&f.kept, f.node[0]));
    assert_int_equal(f.kept.bytes, 0);
    teardown(&f);
}

TEST(a_block_being_written_is_never_let_go)
{
    struct fixture f;
    setup(&f, 0); /* no room at all */
    kept_blocks_add(&f.kept, f.node[0], f.ref[0]);
    assert_true(kept_blocks_is_full(&f.kept));
    kept_blocks_release(&f.kept, f.node[0]);
    assert_non_null(kept_blocks_find(&f.kept, f.node[0]));
    kept_blocks_written(&f.kept, f.node[0]);
    assert_null(kept_blocks_find(&f.kept, f.node[0]));
    teardown(&f);
}

TEST(blocks_beyond_the_limit_are_let_go_once_written)
{
    struct fixture f;
    setup(&f, 1 << 20);
    kept_blocks_add(&f.kept, f.node[0], f.ref[0]);
    f.kept.max_bytes = f.kept.bytes; /* exactly full is not beyond */
    assert_false(kept_blocks_is_full(&f.kept));
    kept_blocks_add(&f.kept, f.node[1], f.ref[1]);
    assert_true(kept_blocks_is_full(&f.kept));
    kept_blocks_written(&f.kept, f.node[1]);
    assert_null(kept_blocks_find(&f.kept, f.node[1]));
    kept_blocks_written(&f.kept, f.node[0]);
    assert_non_null(kept_blocks_find(&f.kept, f.node[0]));
    teardown(&f);
}

TEST(releasing_what_is_not_kept_does_nothing)
{
    struct fixture f;
    setup(&f, 1 << 20);
    kept_blocks_release(&f.kept, f.node[2]);
    assert_int_equal(f.kept.bytes, 0);
    teardown(&f);
}

TEST(trimming_spares_what_is_being_written)
{
    struct fixture f;
    setup(&f, 1 << 20);
    for (size_t i = 0; i < 4; i++)
        kept_blocks_add(&f.kept, f.node[i], f.ref[i]);
    kept_blocks_written(&f.kept, f.node[0]);
    kept_blocks_written(&f.kept, f.node[1]);
    kept_blocks_trim(&f.kept); /* far below a quarter: nothing happens */
    assert_non_null(kept_blocks_find(&f.kept, f.node[0]));
    f.kept.max_bytes = 0;
    kept_blocks_trim(&f.kept);
    assert_null(kept_blocks_find(&f.kept, f.node[0]));
    assert_null(kept_blocks_find(&f.kept, f.node[1]));
    assert_non_null(kept_blocks_find(&f.kept, f.node[2]));
    assert_non_null(kept_blocks_find(&f.kept, f.node[3]));
    teardown(&f);
}

/* Where nodes lie in memory must not decide what happens: a simulation could not be repeated. */
TEST(which_blocks_trimming_lets_go_does_not_depend_on_addresses)
{
    struct fixture f[8];
    unsigned kept[8] = {0};
    for (size_t k = 0; k < 8; k++) {
        setup(&f[k], 1 << 20);
        for (size_t i = 0; i < 4; i++) {
            kept_blocks_add(&f[k].kept, f[k].node[i], f[k].ref[i]);
            kept_blocks_written(&f[k].kept, f[k].node[i]);
        }
        f[k].kept.max_bytes = 2 * f[k].kept.bytes;
        kept_blocks_trim(&f[k].kept);
        for (size_t i = 0; i < 4; i++)
            kept[k] |= kept_blocks_find(&f[k].kept, f[k].node[i]) ? 1u << i : 0;
        assert_true(kept[k] != 0 && kept[k] != 0xf);
        assert_int_equal(kept[k], kept[0]);
    }
    for (size_t k = 0; k < 8; k++)
        teardown(&f[k]);
}
