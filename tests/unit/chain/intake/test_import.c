/* test_import.c - files of blocks in any order and state: every readable block is taken, once. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"
#include "util/buffer.h"
#include "util/endian.h"

#define IMPORT_PATH "blocks.dat"

static int setup(void **state)
{
    (void)fixture_setup(state);
    fixture_start(*state);
    return 0;
}

FIXTURE(setup, fixture_teardown)

/* -- Making files ------------------------------------------------------------------------------ */

static void append(struct buffer *file, struct span bytes)
{
    buffer_append(file, bytes.p, bytes.len);
}

static void add_record(struct fixture *f, struct buffer *file, const struct built_block *block)
{
    uint8_t len[4];
    store_le32(len, (uint32_t)block->block.raw.len);
    append(file, span_of(f->b.network.magic, 4));
    append(file, span_of(len, sizeof len));
    append(file, block->block.raw);
}

static void write_file(struct fixture *f, const char *path, struct span bytes)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_file *file;
    int flags = ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE;
    assert_int_equal(env_file_open(env, path, flags, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, bytes.p, bytes.len), 0);
    env_file_close(env, file);
}

/* Blocks 1..n in an order that depends on seed. */
static void add_shuffled(struct fixture *f, struct buffer *file, int32_t n, uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, 0);
    const struct built_block *order[BASE_HEIGHT];
    for (int32_t i = 0; i < n; i++)
        order[i] = f->base[i + 1];
    for (int32_t i = n; i-- > 1;) {
        int32_t k = (int32_t)sim_random_below(&random, (uint64_t)i + 1);
        const struct built_block *swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
    for (int32_t i = 0; i < n; i++)
        add_record(f, file, order[i]);
}

static struct answer import(struct fixture *f, const struct buffer *file)
{
    struct answer answer = {0};
    write_file(f, IMPORT_PATH, buffer_span(file));
    chain_import_file(f->rig.chain, IMPORT_PATH, note_import, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_false(chain_is_importing(f->rig.chain));
    return answer;
}

/* -- Order ------------------------------------------------------------------------------------- */

TEST(a_file_in_order_is_imported, struct fixture *f)
{
    struct buffer file = {0};
    for (int32_t at = 0; at <= BASE_HEIGHT; at++)
        add_record(f, &file, f->base[at]);
    struct answer answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_true(rig_is_at(&f->rig, base_tip(f))); /* connected when it is answered */
    assert_int_equal(answer.n_blocks, BASE_HEIGHT);
    buffer_deinit(&file);
}

TEST(a_file_in_any_order_is_imported, struct fixture *f)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct buffer file = {0};
        add_shuffled(f, &file, BASE_HEIGHT, seed);
        struct answer answer = import(f, &file);
        assert_int_equal(answer.error, 0);
        assert_int_equal(answer.n_blocks, BASE_HEIGHT);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
        buffer_deinit(&file);
        rig_deinit(&f->rig);
        fixture_start(f);
    }
}

/* With room for few that wait, the file is gone through as often as it takes. */
TEST(more_blocks_that_wait_than_there_is_room_for_are_found_again, struct fixture *f)
{
    static const size_t limits[] = {1, 7, 50};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct buffer file = {0};
        rig_deinit(&f->rig);
        f->options.import_parked_max = limits[i];
        fixture_start(f);
        for (int32_t at = BASE_HEIGHT; at > 0; at--)
            add_record(f, &file, f->base[at]);
        struct answer answer = import(f, &file);
        assert_int_equal(answer.error, 0);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
        buffer_deinit(&file);
    }
}

/* With room for few, blocks without parents must not keep it going round for ever. */
TEST(an_import_without_progress_ends, struct fixture *f)
{
    struct buffer file = {0};
    rig_deinit(&f->rig);
    f->options.import_parked_max = 5;
    fixture_start(f);
    for (int32_t at = 50; at < 80; at++)
        add_record(f, &file, f->base[at]);
    add_record(f, &file, f->base[1]);
    struct answer answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_true(rig_is_at(&f->rig, f->base[1]));
    assert_int_equal(answer.n_blocks, 1);
    buffer_deinit(&file);
}

TEST(blocks_of_several_branches_are_all_stored, struct fixture *f)
{
    struct buffer file = {0};
    const struct built_block *side = builder_blocks(&f->b, f->base[60], 30, NULL);
    for (int32_t at = 90; at > 60; at--)
        add_record(f, &file, built_ancestor(side, at));
    add_shuffled(f, &file, BASE_HEIGHT, 3);
    struct answer answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.n_blocks, BASE_HEIGHT + 30);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_true(chain_find(f->rig.chain, &side->block.hash)->status & BLOCK_HAVE_DATA);
    buffer_deinit(&file);
}

/* -- What is no block -------------------------------------------------------------------------- */

TEST(bytes_between_the_records_are_skipped, struct fixture *f)
{
    struct buffer file = {0};
    struct sim_random random = sim_random_of(9, 0);
    for (int32_t at = 1; at <= 60; at++) {
        uint8_t junk[64];
        size_t n = sim_random_below(&random, sizeof junk);
        for (size_t i = 0; i < n; i++)
            junk[i] = (uint8_t)sim_random_u64(&random);
        append(&file, span_of(junk, n));
        if (at % 3 == 0) /* the beginning of a magic, then another one */
            append(&file, span_of(f->b.network.magic, (size_t)at % 4));
        if (at % 5 == 0) /* a magic with a length that no block has */
            append(&file, span_of("\xfa\xbf\xb5\xda\xff\xff\xff\xff", 8));
        if (at % 7 == 0)
            append(&file, span_of("\xfa\xbf\xb5\xda\x10\x00\x00\x00", 8));
        add_record(f, &file, f->base[at]);
    }
    struct answer answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.n_blocks, 60);
    assert_true(rig_is_at(&f->rig, f->base[60]));
    buffer_deinit(&file);
}

/* Megabytes of zeros before and within, as preallocated files have them. */
TEST(a_magic_across_the_edge_of_a_read_is_found, struct fixture *f)
{
    enum { EDGE = 1 << 20 };
    static const int before[] = {0, 1, 3, 4, 7, 8, 40, 87, 88, 89, 200};
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        struct buffer file = {0};
        uint8_t *zeros = xcalloc(1, EDGE);
        append(&file, span_of(zeros, (size_t)(EDGE - before[i])));
        add_record(f, &file, f->base[1]);
        append(&file, span_of(zeros, EDGE));
        add_record(f, &file, f->base[2]);
        struct answer answer = import(f, &file);
        assert_int_equal(answer.n_blocks, 2);
        assert_true(rig_is_at(&f->rig, f->base[2]));
        xfree(zeros);
        buffer_deinit(&file);
        rig_deinit(&f->rig);
        fixture_start(f);
    }
}

TEST(a_file_cut_short_gives_what_is_whole, struct fixture *f)
{
    struct buffer whole = {0};
    for (int32_t at = 1; at <= 10; at++)
        add_record(f, &whole, f->base[at]);
    size_t last = f->base[10]->block.raw.len + BLOCK_RECORD_HEADER_BYTES;
    for (size_t cut = 1; cut <= last; cut += 13) {
        struct buffer file = {0};
        append(&file, span_of(whole.p, whole.len - cut));
        struct answer answer = import(f, &file);
        assert_int_equal(answer.error, 0);
        assert_int_equal(answer.n_blocks, 9);
        assert_true(rig_is_at(&f->rig, f->base[9]));
        buffer_deinit(&file);
        rig_deinit(&f->rig);
        fixture_start(f);
    }
    buffer_deinit(&whole);
}

TEST(empty_and_missing_files_are_told_apart, struct fixture *f)
{
    struct answer answer = {0};
    struct buffer file = {0};
    chain_import_file(f->rig.chain, "nowhere.dat", note_import, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.error, -ENOENT);
    answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.n_blocks, 0);
}

TEST(a_file_that_cannot_be_read_is_an_error_but_no_fault, struct fixture *f)
{
    struct buffer file = {0};
    struct answer answer = {0};
    rig_settle(&f->rig);
    for (int32_t at = 1; at <= 30; at++)
        add_record(f, &file, f->base[at]);
    write_file(f, IMPORT_PATH, buffer_span(&file));
    for (uint64_t n = 0; n < 8; n++) {
        answer = (struct answer){0};
        sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, n, -EIO, true);
        chain_import_file(f->rig.chain, IMPORT_PATH, note_import, &answer);
        rig_wait(&f->rig, &answer.is_done);
        assert_int_equal(answer.error, -EIO);
        assert_int_equal(f->rig.n_faults, 0);
    }
    sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
    answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_true(rig_is_at(&f->rig, f->base[30]));
    buffer_deinit(&file);
}

TEST(invalid_blocks_do_not_stop_an_import, struct fixture *f)
{
    struct buffer file = {0};
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    const struct built_block *child = builder_blocks(&f->b, bad, 2, NULL);
    const struct built_block *good = builder_block(&f->b, base_tip(f), NULL);
    add_record(f, &file, bad);
    add_record(f, &file, child);
    add_record(f, &file, child->prev);
    add_shuffled(f, &file, BASE_HEIGHT, 5);
    add_record(f, &file, good);
    struct answer answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_true(rig_is_at(&f->rig, good));
    assert_true(chain_find(f->rig.chain, &bad->block.hash)->status & BLOCK_FAILED);
    buffer_deinit(&file);
}

/* A copy with other bytes comes first: its header is right, its transactions are not. */
TEST(a_mangled_copy_before_the_block_does_not_keep_it_out, struct fixture *f)
{
    struct buffer file = {0};
    add_record(f, &file, f->base[1]);
    size_t at = file.len;
    add_record(f, &file, f->base[2]);
    file.p[at + BLOCK_RECORD_HEADER_BYTES + BLOCK_HEADER_BYTES + 60] ^= 1;
    for (int32_t i = 2; i <= 20; i++)
        add_record(f, &file, f->base[i]);
    struct answer answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_true(rig_is_at(&f->rig, f->base[20]));
    buffer_deinit(&file);
}

/* -- Again, several, and not to the end -------------------------------------------------------- */

TEST(a_file_imported_again_stores_nothing, struct fixture *f)
{
    struct buffer file = {0};
    add_shuffled(f, &file, BASE_HEIGHT, 1);
    (void)import(f, &file);
    uint64_t bytes = chain_disk_bytes(f->rig.chain);
    size_t n_connected = f->rig.n_connected;
    struct answer answer = import(f, &file);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.n_blocks, 0);
    assert_int_equal(chain_disk_bytes(f->rig.chain), bytes);
    assert_int_equal(f->rig.n_connected, n_connected);
    buffer_deinit(&file);
}

TEST(several_files_are_imported_one_after_the_other, struct fixture *f)
{
    struct answer answers[3] = {0};
    static const char *const paths[] = {"a.dat", "b.dat", "c.dat"};
    for (int32_t i = 0; i < 3; i++) {
        struct buffer file = {0};
        for (int32_t at = 40 * i + 1; at <= 40 * (i + 1); at++)
            add_record(f, &file, f->base[at]);
        write_file(f, paths[i], buffer_span(&file));
        buffer_deinit(&file);
        chain_import_file(f->rig.chain, paths[i], note_import, &answers[i]);
    }
    assert_true(chain_is_importing(f->rig.chain));
    for (int i = 0; i < 3; i++) {
        rig_wait(&f->rig, &answers[i].is_done);
        assert_int_equal(answers[i].error, 0);
        assert_int_equal(answers[i].n_blocks, 40);
    }
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

TEST(closing_amid_an_import_cancels_it, struct fixture *f)
{
    struct buffer file = {0};
    add_shuffled(f, &file, BASE_HEIGHT, 2);
    for (int steps = 0; steps < 600; steps += 29) {
        struct answer answers[2] = {0};
        write_file(f, IMPORT_PATH, buffer_span(&file));
        for (int i = 0; i < 2; i++)
            chain_import_file(f->rig.chain, IMPORT_PATH, note_import, &answers[i]);
        step_times(f, steps);
        bool was_done = answers[0].is_done;
        assert_int_equal(rig_close(&f->rig), 0);
        for (int i = 0; i < 2; i++)
            assert_true(answers[i].is_done);
        assert_int_equal(answers[0].error, was_done ? 0 : -ECANCELED);
        rig_open(&f->rig);
        rig_settle(&f->rig);
    }
    rig_accept_chain(&f->rig, base_tip(f));
    assert_coins_as_if_only(f, base_tip(f));
    buffer_deinit(&file);
}

TEST(an_import_into_a_closing_chain_is_cancelled, struct fixture *f)
{
    struct answer closed = {0}, answer = {0};
    write_file(f, IMPORT_PATH, span_of("x", 1));
    chain_close(f->rig.chain, note_error, &closed);
    chain_import_file(f->rig.chain, IMPORT_PATH, note_import, &answer);
    rig_wait(&f->rig, &closed.is_done);
    assert_true(answer.is_done);
    assert_int_equal(answer.error, -ECANCELED);
    chain_free(f->rig.chain);
    f->rig.chain = NULL;
}

TEST(an_import_that_meets_a_full_disk_is_answered, struct fixture *f)
{
    struct buffer file = {0};
    struct answer answer = {0};
    add_shuffled(f, &file, BASE_HEIGHT, 2);
    write_file(f, IMPORT_PATH, buffer_span(&file));
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_WRITE, 10, -ENOSPC, true);
    chain_import_file(f->rig.chain, IMPORT_PATH, note_import, &answer);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_faults, 1);
    assert_int_equal(f->rig.n_invalid, 0);
    assert_int_equal(rig_close(&f->rig), -EIO);
    assert_true(answer.is_done);
    assert_int_not_equal(answer.error, 0);
    buffer_deinit(&file);
}

/* -- Our own files ----------------------------------------------------------------------------- */

TEST(a_reindex_that_cannot_read_its_files_is_a_fault, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.reindex = true;
    rig_open(&f->rig);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, -EIO, true);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_faults, 1);
    sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
    assert_int_equal(rig_close(&f->rig), -EIO);
    /* It was not taken for done. */
    f->rig.options.reindex = false;
    rig_open(&f->rig);
    assert_true(chain_is_importing(f->rig.chain));
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_coins_as_if_only(f, base_tip(f));
}
