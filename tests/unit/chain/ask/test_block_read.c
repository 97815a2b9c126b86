/* test_block_read.c - stored blocks come back whole, or with the reason why not. */
#include <errno.h>

#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110 };

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    struct tx tx = builder_spend(&f->b, &coin, 1, 2, 0, BUILDER_LONG);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    f->base = builder_block(&f->b, f->base, &spec);
    fixture_start_at_base(f);
    return 0;
}

FIXTURE(setup, rig_teardown)

/* What a read brought, copied. */
struct answer {
    bool is_done;
    int error;
    struct block_ref *block; /* held */
    size_t undo_len;
    struct coin first_spent;
    size_t n_spent;
    size_t work_len; /* of what note_bytes() was called with */
};

static void note_read(void *arg, const struct chain_block_read *read)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->error = read->error;
    if (read->error)
        return;
    answer->block = block_ref_hold(read->block);
    answer->undo_len = read->undo_raw.len;
    if (read->undo_raw.len == 0)
        return;
    struct undo undo;
    struct arena arena;
    arena_init(&arena, 1024);
    assert_true(undo_decode(read->undo_raw, &read->block->block, &arena, &undo));
    answer->n_spent = undo.n_spent;
    if (undo.n_spent)
        answer->first_spent = undo.spent[0];
    arena_deinit(&arena);
}

/* Before the answer, and once. */
static void note_bytes(void *arg, struct span raw)
{
    struct answer *answer = arg;
    assert_true(!answer->is_done && answer->work_len == 0);
    answer->work_len = raw.len;
}

static struct answer read_node(struct fixture *f, const struct block_node *node, bool want_undo)
{
    struct answer answer = {0};
    chain_read_block(f->rig.chain, node, want_undo, note_read, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer;
}

TEST(every_block_comes_back_as_it_was, struct fixture *f)
{
    for (int32_t height = 0; height <= f->base->height; height++) {
        struct answer answer = read_node(f, chain_at(f->rig.chain, height), false);
        assert_int_equal(answer.error, 0);
        struct span want = built_ancestor(f->base, height)->block.raw;
        assert_true(span_equal(span_of(answer.block->raw, answer.block->raw_len), want));
        assert_int_equal(answer.undo_len, 0);
        block_ref_drop(answer.block);
    }
}

TEST(bytes_alone_are_not_decoded, struct fixture *f)
{
    struct answer answer = {0};
    const struct block_node *node = chain_at(f->rig.chain, 1);
    chain_read_raw_block(f->rig.chain, node, note_bytes, note_read, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.work_len, built_ancestor(f->base, 1)->block.raw.len);
    assert_int_equal(answer.error, 0);
    assert_true(span_equal(block_ref_raw(answer.block), built_ancestor(f->base, 1)->block.raw));
    assert_null(answer.block->block.raw.p);
    block_ref_drop(answer.block);
}

TEST(undo_data_comes_with_it_if_wanted, struct fixture *f)
{
    struct answer answer = read_node(f, chain_tip(f->rig.chain), true);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.n_spent, 1);
    assert_int_equal(answer.first_spent.height, 1);
    assert_int_equal(answer.first_spent.value_sat, 50 * COIN_SAT);
    assert_true(answer.first_spent.coinbase);
    block_ref_drop(answer.block);
    /* The first block has none, and a block of a side branch was never connected. */
    answer = read_node(f, chain_at(f->rig.chain, 0), true);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.undo_len, 0);
    block_ref_drop(answer.block);
    const struct built_block *side = builder_block(&f->b, f->base->prev, NULL);
    (void)rig_accept(&f->rig, side);
    answer = read_node(f, chain_find(f->rig.chain, &side->block.hash), true);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.undo_len, 0);
    block_ref_drop(answer.block);
}

/* At the very moment of the event, block and undo data may not be written yet. */
TEST(a_block_just_connected_can_be_read, struct fixture *f)
{
    for (int i = 0; i < 30; i++) {
        size_t before = f->rig.n_connected;
        f->base = builder_block(&f->b, f->base, NULL);
        rig_submit(&f->rig, f->base);
        while (f->rig.n_connected == before)
            assert_true(sim_env_step(f->rig.sim));
        struct answer answer = read_node(f, chain_tip(f->rig.chain), true);
        assert_int_equal(answer.error, 0);
        assert_int_equal(answer.undo_len, 1); /* no coins: the count alone */
        assert_true(block_hash_equal(&answer.block->block.hash, &f->base->block.hash));
        block_ref_drop(answer.block);
    }
}

TEST(a_block_that_is_not_stored_is_said_to_be_missing, struct fixture *f)
{
    const struct built_block *next = builder_block(&f->b, f->base, NULL);
    rig_announce(&f->rig, next);
    struct answer answer = {0};
    chain_read_block(f->rig.chain, chain_best_header(f->rig.chain), true, note_read, &answer);
    assert_true(answer.is_done); /* at once */
    assert_int_equal(answer.error, -ENOENT);
}

TEST(damage_is_reported, struct fixture *f)
{
    const struct block_node *tip = chain_tip(f->rig.chain);
    struct sim_disk *disk = sim_env_disk(f->rig.sim);
    sim_disk_damage(disk, "regtest/blocks/rev00000.dat", tip->undo.offset, 1);
    struct answer answer = read_node(f, tip, true);
    assert_int_equal(answer.error, -EUCLEAN);
    answer = read_node(f, tip, false);
    assert_int_equal(answer.error, 0);
    block_ref_drop(answer.block);
    sim_disk_damage(disk, "regtest/blocks/blk00000.dat", tip->data.offset + 9, 1);
    answer = read_node(f, tip, false);
    assert_int_equal(answer.error, -EUCLEAN);
    assert_int_equal(f->rig.n_faults, 0); /* whoever asked decides */
}

static void note_undo(void *arg, const struct chain_block_read *read)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    *answer =
        (struct answer){.is_done = true, .error = read->error, .undo_len = read->undo_raw.len};
}

TEST(undo_data_is_read_alone, struct fixture *f)
{
    const struct block_node *tip = chain_tip(f->rig.chain);
    struct sim_disk *disk = sim_env_disk(f->rig.sim);
    struct answer answer = {0};
    /* What is wrong with the block does not matter. */
    sim_disk_damage(disk, "regtest/blocks/blk00000.dat", tip->data.offset + 9, 1);
    chain_read_undo(f->rig.chain, tip, note_undo, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.undo_len, tip->undo.len);
    /* Its own damage is named, and costs no block. */
    sim_disk_damage(disk, "regtest/blocks/rev00000.dat", tip->undo.offset, 1);
    answer.is_done = false;
    chain_read_undo(f->rig.chain, tip, note_undo, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.error, -EUCLEAN);
    assert_non_null(strstr(f->rig.loss, "undo data of 1 blocks"));
    assert_true(tip->status & BLOCK_HAVE_DATA);
}

TEST(a_failing_disk_is_reported, struct fixture *f)
{
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, -EIO, false);
    assert_int_equal(read_node(f, chain_at(f->rig.chain, 5), false).error, -EIO);
    struct answer answer = read_node(f, chain_at(f->rig.chain, 5), false);
    assert_int_equal(answer.error, 0);
    block_ref_drop(answer.block);
}

TEST(closing_answers_every_read, struct fixture *f)
{
    for (int steps = 0; steps < 10; steps++) {
        struct answer answers[5] = {{0}};
        const struct built_block *next = builder_block(&f->b, f->base, NULL);
        rig_submit(&f->rig, next); /* its undo data may be on its way */
        for (size_t i = 0; i < COUNT_OF(answers); i++) {
            chain_read_block(f->rig.chain, chain_tip(f->rig.chain), i % 2, note_read, &answers[i]);
            for (int k = 0; k < steps; k++)
                (void)sim_env_step(f->rig.sim);
        }
        assert_int_equal(rig_close(&f->rig), 0);
        for (size_t i = 0; i < COUNT_OF(answers); i++) {
            assert_true(answers[i].is_done);
            block_ref_drop(answers[i].block);
        }
        rig_open(&f->rig);
        rig_settle(&f->rig);
    }
}
