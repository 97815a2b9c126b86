/* test_block_read_states.c - stored blocks read back: from memory, from disk, with undo data,
 * damaged, and not at all. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

static int setup(void **state)
{
    (void)fixture_setup(state);
    fixture_start_at_base(*state);
    return 0;
}

FIXTURE(setup, fixture_teardown)

/* What a read delivered; the block is held. */
struct seen {
    int n_calls, error;
    struct block_ref *block;
    uint8_t undo[4096];
    size_t undo_len;
    const struct block_node *node;
};

static void note_read(void *arg, const struct chain_block_read *read)
{
    struct seen *seen = arg;
    seen->n_calls++;
    seen->error = read->error;
    seen->node = read->node;
    seen->block = read->block ? block_ref_hold(read->block) : NULL;
    assert_true(read->undo_raw.len <= sizeof seen->undo);
    seen->undo_len = read->undo_raw.len;
    if (read->undo_raw.len)
        memcpy(seen->undo, read->undo_raw.p, read->undo_raw.len);
}

static const struct block_node *node_of(const struct fixture *f, const struct built_block *block)
{
    const struct block_node *node = chain_find(f->rig.chain, &block->block.hash);
    assert_non_null(node);
    return node;
}

static struct seen read_now(struct fixture *f, const struct block_node *node, bool want_undo)
{
    struct seen seen = {0};
    chain_read_block(f->rig.chain, node, want_undo, note_read, &seen);
    rig_settle(&f->rig);
    assert_int_equal(seen.n_calls, 1);
    assert_ptr_equal(seen.node, node);
    return seen;
}

static void forget(struct seen *seen)
{
    block_ref_drop(seen->block);
    seen->block = NULL;
}

static void assert_is(struct seen *seen, const struct built_block *block)
{
    assert_int_equal(seen->error, 0);
    assert_non_null(seen->block);
    assert_int_equal(seen->block->raw_len, block->block.raw.len);
    assert_memory_equal(seen->block->raw, block->block.raw.p, block->block.raw.len);
    assert_true(block_hash_equal(&seen->block->block.hash, &block->block.hash));
    forget(seen);
}

/* -- What is there ----------------------------------------------------------------------------- */

TEST(every_block_is_read_back_as_it_came, struct fixture *f)
{
    for (int round = 0; round < 2; round++) {
        for (int32_t at = 0; at <= BASE_HEIGHT; at++) {
            struct seen seen = read_now(f, chain_at(f->rig.chain, at), false);
            assert_int_equal(seen.undo_len, 0);
            assert_is(&seen, f->base[at]);
        }
        assert_int_equal(rig_close(&f->rig), 0);
        rig_open(&f->rig);
    }
}

TEST(a_block_is_read_while_it_is_being_written, struct fixture *f)
{
    const struct built_block *prev = base_tip(f);
    for (int steps = 1; steps < 12; steps++) {
        const struct built_block *block = builder_block(&f->b, prev, NULL);
        struct seen seen = {0};
        rig_announce(&f->rig, block);
        rig_submit(&f->rig, block);
        step_times(f, steps);
        const struct block_node *node = node_of(f, block);
        chain_read_block(f->rig.chain, node, true, note_read, &seen);
        rig_settle(&f->rig);
        assert_int_equal(seen.n_calls, 1);
        if (seen.error == 0)
            assert_is(&seen, block);
        else
            assert_int_equal(seen.error, -ENOENT); /* it was still being checked */
        prev = block;
    }
    assert_true(rig_is_at(&f->rig, prev));
}

TEST(undo_data_names_the_coins_that_were_spent, struct fixture *f)
{
    const struct built_block *block = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    struct seen seen = {0};
    rig_submit(&f->rig, block);
    /* As soon as it is in the chain, though its undo data is still on the way to the disk. */
    while (!rig_is_at(&f->rig, block))
        step_times(f, 1);
    assert_true(writes_of(f->rig.chain)->n_undo > 0);
    chain_read_block(f->rig.chain, chain_tip(f->rig.chain), true, note_read, &seen);
    rig_settle(&f->rig);
    assert_int_equal(seen.n_calls, 1);
    struct undo undo;
    struct span raw = span_of(seen.undo, seen.undo_len);
    assert_true(undo_decode(raw, &seen.block->block, &f->b.arena, &undo));
    assert_int_equal(undo.n_spent, 1);
    assert_int_equal(undo.spent[0].height, 4);
    assert_true(undo.spent[0].coinbase);
    assert_int_equal(undo.spent[0].value_sat, f->base[4]->block.tx[0].out[0].value_sat);
    assert_is(&seen, block);
}

/* The read that waits is answered, and nobody takes the block for one that is there. */
TEST(a_block_is_found_damaged_while_a_read_of_it_waits_for_undo_data, struct fixture *f)
{
    const struct built_block *prev = base_tip(f);
    bool has_met = false;
    for (int32_t height = 1; !has_met && height < 100; height++) {
        const struct block_node *node = chain_at(f->rig.chain, height);
        struct seen other = {0}, waiting = {0};
        sim_disk_damage(sim_env_disk(f->rig.sim), "regtest/blocks/blk00000.dat",
                        node->data.offset + 9, 1);
        const struct built_block *next = builder_block(&f->b, prev, NULL);
        rig_submit(&f->rig, next);
        step_times(f, height % 4);
        chain_read_block(f->rig.chain, node, false, note_read, &other); /* does not wait */
        while (writes_of(f->rig.chain)->n_undo == 0 && !rig_is_at(&f->rig, next))
            assert_true(sim_env_step(f->rig.sim));
        chain_read_block(f->rig.chain, node, true, note_read, &waiting);
        while (other.n_calls == 0)
            assert_true(sim_env_step(f->rig.sim));
        has_met = waiting.n_calls == 0 && writes_of(f->rig.chain)->n_undo > 0;
        rig_settle(&f->rig);
        assert_int_equal(other.error, -EUCLEAN);
        assert_int_equal(waiting.n_calls, 1);
        assert_int_equal(waiting.error, -EUCLEAN);
        prev = next;
    }
    assert_true(has_met);
}

TEST(a_block_that_was_never_connected_has_no_undo_data, struct fixture *f)
{
    const struct built_block *side = builder_block(&f->b, f->base[5], NULL);
    (void)rig_accept(&f->rig, side);
    struct seen seen = read_now(f, node_of(f, side), true);
    assert_int_equal(seen.undo_len, 0);
    assert_is(&seen, side);
    seen = read_now(f, chain_at(f->rig.chain, 0), true);
    assert_int_equal(seen.undo_len, 0);
    assert_is(&seen, f->b.genesis);
}

TEST(an_invalid_block_can_be_looked_at, struct fixture *f)
{
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_SCRIPT_FAILED);
    rig_settle(&f->rig);
    struct seen seen = read_now(f, node_of(f, bad), true);
    assert_is(&seen, bad);
}

TEST(many_reads_are_each_answered_with_their_block, struct fixture *f)
{
    struct seen seen[BASE_HEIGHT + 1] = {0};
    for (int32_t at = 0; at <= BASE_HEIGHT; at++)
        chain_read_block(f->rig.chain, chain_at(f->rig.chain, at), at % 2, note_read, &seen[at]);
    rig_settle(&f->rig);
    for (int32_t at = 0; at <= BASE_HEIGHT; at++) {
        assert_int_equal(seen[at].n_calls, 1);
        assert_is(&seen[at], f->base[at]);
    }
}

/* -- What is not ------------------------------------------------------------------------------- */

TEST(a_header_without_block_is_not_found, struct fixture *f)
{
    const struct built_block *next = builder_block(&f->b, base_tip(f), NULL);
    rig_announce(&f->rig, next);
    struct seen seen = read_now(f, node_of(f, next), true);
    assert_int_equal(seen.error, -ENOENT);
    assert_null(seen.block);
}

TEST(closing_answers_or_lets_go_of_every_read, struct fixture *f)
{
    for (int steps = 0; steps < 12; steps++) {
        struct seen seen[10] = {0}, late = {0};
        struct answer closed = {0};
        const struct built_block *tip = NULL;
        /* Undo data on its way, so that some reads wait for it. */
        tip = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
        rig_submit(&f->rig, tip);
        step_times(f, steps);
        for (int i = 0; i < 10; i++)
            chain_read_block(f->rig.chain, chain_tip(f->rig.chain), i % 2, note_read, &seen[i]);
        chain_close(f->rig.chain, note_error, &closed);
        chain_read_block(f->rig.chain, chain_at(f->rig.chain, 1), false, note_read, &late);
        rig_wait(&f->rig, &closed.is_done);
        assert_int_equal(closed.error, 0);
        assert_int_equal(late.error, -ECANCELED);
        for (int i = 0; i < 10; i++) {
            assert_int_equal(seen[i].n_calls, 1);
            assert_true(seen[i].error == 0 || seen[i].error == -ECANCELED);
            forget(&seen[i]);
        }
        chain_free(f->rig.chain);
        f->rig.chain = NULL;
        rig_deinit(&f->rig);
        fixture_start_at_base(f);
    }
}

/* -- What is damaged --------------------------------------------------------------------------- */

static void damage(struct fixture *f, const char *kind, const struct file_pos *pos, uint32_t at)
{
    char path[64];
    snprintf(path, sizeof path, "regtest/blocks/%s%05d.dat", kind, pos->file);
    sim_disk_damage(sim_env_disk(f->rig.sim), path, pos->offset + at, 0x10);
}

TEST(a_damaged_block_is_told_and_warned_of, struct fixture *f)
{
    static const int32_t at[] = {-8, -3, 0, 40, 80, 120};
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        const struct block_node *node = chain_at(f->rig.chain, 10 + (int32_t)i);
        damage(f, "blk", &node->data, (uint32_t)at[i]);
        struct seen seen = read_now(f, node, false);
        assert_int_equal(seen.error, -EUCLEAN);
        forget(&seen);
        assert_false(node->status & BLOCK_HAVE_DATA);
        assert_int_equal(lost_of(f->rig.chain)->n_blocks, i + 1);
        assert_non_null(strstr(f->rig.loss, "Damaged or missing"));
    }
    /* The tip stays, and so does all that is known of the block. */
    assert_int_equal(f->rig.n_faults, 0);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    chain_check(f->rig.chain);
    struct seen seen = read_now(f, chain_at(f->rig.chain, 9), false);
    assert_is(&seen, f->base[9]);
}

TEST(damaged_undo_data_is_told_and_the_block_still_given, struct fixture *f)
{
    const struct block_node *node = chain_at(f->rig.chain, 20);
    damage(f, "rev", &node->undo, 0);
    struct seen seen = read_now(f, node, true);
    assert_int_equal(seen.error, -EUCLEAN);
    assert_int_equal(seen.undo_len, 0);
    forget(&seen);
    assert_int_equal(f->rig.n_losses, 1);
    /* Who does not ask for it does not meet it. */
    seen = read_now(f, node, false);
    assert_is(&seen, f->base[20]);
    /* It is made anew a moment later; who asks again at once is told the same. */
    seen = read_now(f, node, true);
    assert_int_equal(seen.error, -EUCLEAN);
    forget(&seen);
    sim_env_run_for(f->rig.sim, UNDO_REPAIR_DELAY_US);
    rig_settle(&f->rig);
    assert_string_equal(f->rig.loss, "");
    seen = read_now(f, node, true);
    assert_int_equal(seen.error, 0);
    forget(&seen);
}

TEST(a_disk_that_cannot_be_read_is_an_error_of_the_read, struct fixture *f)
{
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, -EIO, false);
    struct seen seen = read_now(f, chain_at(f->rig.chain, 5), false);
    assert_int_equal(seen.error, -EIO);
    assert_null(seen.block);
    seen = read_now(f, chain_at(f->rig.chain, 5), false);
    assert_is(&seen, f->base[5]);
}
