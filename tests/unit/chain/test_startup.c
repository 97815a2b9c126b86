/* test_startup.c - opening: what is found, repaired, rebuilt, or refused with the name of a remedy.
 */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"
#include "util/buffer.h"

FIXTURE(fixture_setup, fixture_teardown)

/* The error that opening gives; NULL if it succeeds. Valid until the next call. */
static const char *error_of_open(struct fixture *f)
{
    static const struct chain_events no_events = {0};
    char *error = NULL;
    struct chain *chain =
        chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network, &f->rig.options, &no_events);
    bool ok = chain_open(chain, &error);
    assert_int_equal(ok, error == NULL);
    if (ok) {
        struct answer closed = {0};
        chain_close(chain, note_error, &closed);
        rig_wait(&f->rig, &closed.is_done);
    }
    chain_free(chain);
    const char *copy = NULL;
    if (error) {
        copy = arena_alloc(&f->b.arena, strlen(error) + 1);
        memcpy((char *)(uintptr_t)copy, error, strlen(error) + 1);
    }
    xfree(error);
    return copy;
}

static void close_rig(struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
}

static void open_again(struct fixture *f)
{
    rig_open(&f->rig);
    rig_settle(&f->rig);
}

/* The coins follow from the blocks alone: rebuild them from nothing on another machine. */
static void assert_at_base(struct fixture *f)
{
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_coins_as_if_only(f, base_tip(f));
    chain_check(f->rig.chain);
}

/* -- An empty and an old directory ------------------------------------------------------------- */

TEST(an_empty_directory_has_the_first_block, struct fixture *f)
{
    fixture_start(f);
    assert_true(rig_is_at(&f->rig, f->b.genesis));
    assert_ptr_equal(chain_best_header(f->rig.chain), chain_tip(f->rig.chain));
    struct coin_stats stats = rig_coin_stats(&f->rig, COIN_STATS_NONE);
    assert_int_equal(stats.n_outputs, 0); /* its coin never existed */
}

TEST(opening_twice_writes_the_first_block_once, struct fixture *f)
{
    fixture_start(f);
    uint64_t bytes = chain_disk_bytes(f->rig.chain);
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    open_again(f);
    close_rig(f);
    open_again(f);
    assert_int_equal(chain_disk_bytes(f->rig.chain), bytes);
}

TEST(a_close_leaves_nothing_to_be_done_by_the_next_start, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f))); /* at once */
    size_t n_connected = f->rig.n_connected;
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_connected, n_connected);
    assert_coins_as_if_only(f, base_tip(f));
}

/* Rows of the index are written when a block is stored, but what it completes lies above it. */
TEST(a_branch_completed_from_below_is_complete_after_a_restart, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *side = builder_blocks(&f->b, f->base[100], 19, NULL);
    rig_announce(&f->rig, side);
    for (int32_t at = 119; at > 101; at--)
        (void)rig_accept(&f->rig, built_ancestor(side, at));
    assert_int_equal(rig_flush(&f->rig), 0);
    (void)rig_accept(&f->rig, built_ancestor(side, 101));
    close_rig(f);
    rig_open(&f->rig);
    chain_check(f->rig.chain);
    assert_true(chain_find(f->rig.chain, &side->block.hash)->chain_tx > 0);
    const struct built_block *longer = builder_blocks(&f->b, side, 2, NULL);
    rig_accept_chain(&f->rig, longer);
    assert_true(rig_is_at(&f->rig, longer));
}

/* -- After a crash ----------------------------------------------------------------------------- */

TEST(blocks_behind_the_index_are_found_again, struct fixture *f)
{
    fixture_start(f);
    rig_accept_chain(&f->rig, f->base[60]);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_accept_chain(&f->rig, base_tip(f));
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base[60]));
    uint64_t bytes = chain_disk_bytes(f->rig.chain);
    rig_settle(&f->rig);
    assert_at_base(f);
    close_rig(f);
    open_again(f);
    assert_at_base(f);
    /* They were not stored a second time. */
    assert_true(chain_disk_bytes(f->rig.chain) < 2 * bytes);
}

TEST(blocks_behind_the_index_in_later_files_are_found_too, struct fixture *f)
{
    f->options.block_file_bytes = 3000;
    fixture_start(f);
    rig_accept_chain(&f->rig, f->base[30]);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_accept_chain(&f->rig, base_tip(f));
    assert_true(block_files_count(files_of(f->rig.chain)) > 5);
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    open_again(f);
    assert_at_base(f);
    const struct built_block *more = builder_blocks(&f->b, base_tip(f), 10, NULL);
    rig_accept_chain(&f->rig, more);
    close_rig(f);
    open_again(f);
    assert_true(rig_is_at(&f->rig, more));
}

/* The second crash comes after the index has some of the blocks, and the space of all. */
TEST(a_crash_amid_the_replay_forgets_nothing, struct fixture *f)
{
    f->options.block_file_bytes = 3000;
    fixture_start(f);
    rig_accept_chain(&f->rig, f->base[30]);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_accept_chain(&f->rig, base_tip(f));
    for (uint64_t crash = 1; crash <= 6; crash++) {
        rig_crash(&f->rig, SIM_CRASH_KILLED, crash);
        rig_open(&f->rig);
        for (uint64_t i = 0; i < 40 * crash && chain_is_replaying(f->rig.chain); i++)
            (void)sim_env_step(f->rig.sim);
        assert_true(crash > 4 || chain_is_replaying(f->rig.chain));
        assert_int_equal(rig_flush(&f->rig), 0);
    }
    rig_crash(&f->rig, SIM_CRASH_KILLED, 9);
    open_again(f);
    assert_at_base(f);
    assert_false(chain_is_replaying(f->rig.chain));
    close_rig(f);
    open_again(f);
    assert_at_base(f);
}

TEST(a_new_block_never_overwrites_one_behind_the_index, struct fixture *f)
{
    fixture_start(f);
    rig_accept_chain(&f->rig, f->base[40]);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_accept_chain(&f->rig, f->base[80]);
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    rig_open(&f->rig);
    /* Before the import of the tail has begun: blocks of another branch. */
    const struct built_block *side = builder_blocks(&f->b, f->base[40], 20, NULL);
    rig_accept_chain(&f->rig, side);
    rig_settle(&f->rig);
    rig_accept_chain(&f->rig, base_tip(f));
    close_rig(f);
    open_again(f);
    assert_at_base(f);
}

/* A flush under way, and what the start after a crash must end at. */
struct cut {
    struct fixture *f;
    const struct built_block *tip;
    struct coin_stats want;
    bool is_watching;
    int n_tried;
};

static void start_after_cut(void *arg)
{
    struct cut *cut = arg;
    if (!cut->is_watching)
        return;
    cut->is_watching = false;
    struct fixture *f = cut->f;
    struct chain_rig after;
    rig_init(&after, sim_env_crash(f->rig.sim, SIM_CRASH_KILLED, 7), &f->b, &f->options);
    rig_open(&after);
    cut->n_tried++;
    rig_settle(&after);
    assert_true(rig_is_at(&after, cut->tip));
    struct coin_stats have = rig_coin_stats(&after, COIN_STATS_MUHASH);
    assert_memory_equal(have.hash, cut->want.hash, 32);
    rig_deinit(&after);
    cut->is_watching = true;
}

TEST(a_flush_cut_short_amid_a_reorganisation_is_repaired, struct fixture *f)
{
    f->options.flush_batch_bytes = 100;
    fixture_start_at_base(f);
    const struct built_block *a = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    a = block_spending(f, a, 8, BUILDER_LONG);
    const struct built_block *b = block_spending(f, base_tip(f), 4, BUILDER_LONG);
    b = builder_blocks(&f->b, b, 2, NULL);
    struct chain_rig control;
    struct cut cut = {.f = f, .tip = b};
    rig_start(&control, 2, &f->b, NULL);
    rig_accept_chain(&control, b);
    cut.want = rig_coin_stats(&control, COIN_STATS_MUHASH);
    rig_deinit(&control);
    rig_accept_chain(&f->rig, a);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_accept_chain(&f->rig, b);
    sim_disk_watch(sim_env_disk(f->rig.sim), start_after_cut, &cut);
    cut.is_watching = true;
    assert_int_equal(rig_flush(&f->rig), 0);
    sim_disk_watch(sim_env_disk(f->rig.sim), NULL, NULL);
    assert_true(cut.n_tried > 10);
    assert_coins_as_if_only(f, b);
}

/* -- What cannot be opened --------------------------------------------------------------------- */

/* Behind the chain's back: a row of one of its stores is changed (value) or removed (none). */
static void change_store(struct fixture *f, const char *path, struct span key,
                         const struct span *value)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    assert_int_equal(env_kv_open(env, path, &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    if (value)
        env_batch_put(env, batch, key, *value);
    else
        env_batch_delete(env, batch, key);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
}

static void assert_names(const char *error, const char *remedy)
{
    assert_non_null(error);
    assert_non_null(strstr(error, remedy));
    assert_null(strchr(error, '\n'));
}

TEST(a_corrupt_index_names_reindex_which_helps, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    struct span junk = span_of("junk", 4);
    uint8_t key[37] = {'b'};
    change_store(f, "regtest/blocks/index", span_of(key, sizeof key), &junk);
    assert_names(error_of_open(f), "-reindex");
    f->rig.options.reindex = true;
    open_again(f);
    assert_at_base(f);
    close_rig(f);
    f->rig.options.reindex = false;
    open_again(f);
    assert_at_base(f);
}

TEST(an_index_that_is_gone_names_reindex_which_helps, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    const struct env *env = sim_env_get(f->rig.sim);
    assert_int_equal(env_kv_destroy(env, "regtest/blocks/index"), 0);
    assert_string_equal(error_of_open(f), "Error initializing block database.\nPlease restart "
                                          "with -reindex or -reindex-chainstate to recover.");
    f->rig.options.reindex = true;
    open_again(f);
    assert_at_base(f);
}

TEST(coins_that_are_gone_are_made_again, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    const struct env *env = sim_env_get(f->rig.sim);
    assert_int_equal(env_kv_destroy(env, "regtest/chainstate"), 0);
    open_again(f);
    assert_at_base(f);
}

/* An index that does not have what the coins were made of. */
TEST(coins_of_blocks_that_the_index_lacks_name_reindex, struct fixture *f)
{
    f->options.check_invariants = false;
    fixture_start_at_base(f);
    struct block_node *node = block_node_ancestor(active_chain_tip(active_of(f->rig.chain)), 50);
    node->n_tx = 0;
    node->status &= ~(uint32_t)(BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
    header_tree_mark_dirty(tree_of(f->rig.chain), node);
    close_rig(f);
    assert_names(error_of_open(f), "-reindex");
    f->rig.options.reindex = true;
    open_again(f);
    assert_at_base(f);
}

TEST(a_directory_of_another_network_is_refused, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    f->rig.network = *network_get(NETWORK_TESTNET4);
    const char *error = error_of_open(f);
    assert_non_null(error);
    assert_non_null(strstr(error, "Wrong datadir for network?"));
}

TEST(a_pruned_directory_is_opened_only_for_pruning, struct fixture *f)
{
    fixture_start_at_base(f);
    assert_int_equal(index_db_set_flag(index_db_of(f->rig.chain), INDEX_FLAG_PRUNED), 0);
    close_rig(f);
    assert_names(error_of_open(f), "-reindex to go back to unpruned mode");
    f->rig.options.prune = true;
    f->rig.options.reindex_chainstate = true;
    assert_names(error_of_open(f), "Use full -reindex instead");
    f->rig.options.prune = false;
    assert_names(error_of_open(f), "-reindex to go back to unpruned mode");
    /* What was refused has changed nothing: the coins are still there. */
    f->rig.options.prune = true;
    f->rig.options.reindex_chainstate = false;
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

/* Is the failing read still to come? Reads until it fails, or often enough. */
static bool is_read_to_fail(struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv *kv;
    struct buffer value;
    bool fails = false;
    buffer_init(&value);
    struct env_kv_options options = {0};
    assert_int_equal(env_kv_open(env, "any", &options, &kv, NULL), 0);
    for (int i = 0; i < 1000 && !fails; i++)
        fails = env_kv_get(env, kv, span_of_string("none"), &value) == -EIO;
    env_kv_close(env, kv);
    buffer_deinit(&value);
    return fails;
}

static void note_fault(void *ctx, const char *message)
{
    char *fault = ctx;
    snprintf(fault, 200, "%s", message);
}

/* A start with one failing read, until its files have been looked at. Returns whether it was used
 * as if nothing had been; *error (200 bytes) gets what was said. */
static bool start_with_failing_read(struct fixture *f, uint64_t n, char *error)
{
    struct chain_events events = {.ctx = error, .fault = note_fault};
    struct chain *chain =
        chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network, &f->rig.options, &events);
    char *refused = NULL;
    struct answer closed = {0};
    *error = '\0';
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, n, -EIO, false);
    bool ok = chain_open(chain, &refused);
    if (ok)
        sim_env_run_for(f->rig.sim, 1000000);
    else
        snprintf(error, 200, "%s", refused);
    chain_close(chain, note_error, &closed);
    rig_wait(&f->rig, &closed.is_done);
    chain_free(chain);
    xfree(refused);
    return ok && !*error;
}

/* Each single read that fails at a start stops it with an error that names the file or store; none
 * is taken for "nothing is there". Afterwards the start goes as if nothing had been. */
static void assert_no_read_may_fail(struct fixture *f)
{
    char error[200];
    bool is_over = false;
    for (uint64_t n = 0; !is_over; n++) {
        bool is_used = start_with_failing_read(f, n, error);
        is_over = is_read_to_fail(f);
        assert_int_equal(is_used, is_over);
        assert_true(is_over || strstr(error, "Input/output error"));
        assert_true(is_over || strstr(error, "blocks/index") || strstr(error, "chainstate") ||
                    strstr(error, "reading the block files"));
        assert_true(!is_over || n > 4);
        sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
    }
}

TEST(a_mark_of_the_index_that_cannot_be_read_is_not_taken_for_none, struct fixture *f)
{
    static const char *const flags[] = {NULL, INDEX_FLAG_REINDEXING, INDEX_FLAG_PRUNED};
    f->options.prune = true;
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        fixture_start_at_base(f);
        if (flags[i])
            assert_int_equal(index_db_set_flag(index_db_of(f->rig.chain), flags[i]), 0);
        close_rig(f);
        assert_no_read_may_fail(f);
        open_again(f);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
        rig_deinit(&f->rig);
    }
}

/* Blocks behind the index, and the note of where they begin: without it the next start would look
 * for them in the last file alone. */
TEST(a_noted_replay_that_cannot_be_read_is_not_taken_for_none, struct fixture *f)
{
    fixture_start(f);
    rig_accept_chain(&f->rig, f->base[10]);
    assert_int_equal(rig_flush(&f->rig), 0);
    assert_int_equal(index_db_set_replay_from(index_db_of(f->rig.chain), 0, 0), 0);
    close_rig(f);
    assert_no_read_may_fail(f);
}

TEST(known_damage_of_the_coins_is_not_forgotten_when_a_read_fails, struct fixture *f)
{
    char error[200];
    fixture_start_at_base(f);
    assert_int_equal(index_db_set_flag(index_db_of(f->rig.chain), INDEX_FLAG_DAMAGED_COINS), 0);
    close_rig(f);
    for (uint64_t n = 0; n < 40; n++)
        assert_false(start_with_failing_read(f, n, error));
    sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
    assert_names(error_of_open(f), "start with -reindex-chainstate");
}

TEST(a_reindex_that_was_to_begin_is_not_forgotten_when_a_read_fails, struct fixture *f)
{
    fixture_start_at_base(f);
    assert_int_equal(index_db_set_flag(index_db_of(f->rig.chain), INDEX_FLAG_TO_EMPTY), 0);
    close_rig(f);
    bool has_begun = false;
    for (uint64_t n = 0; !has_begun; n++) {
        char *error = NULL;
        sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, n, -EIO, false);
        f->rig.chain = chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network, &f->rig.options,
                                 &f->rig.also);
        has_begun = chain_open(f->rig.chain, &error);
        assert_true(!has_begun || chain_is_importing(f->rig.chain) ||
                    core_of(f->rig.chain)->faulted);
        sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
        (void)rig_close(&f->rig);
        xfree(error);
    }
}

TEST(a_disk_that_fails_while_opening_is_an_error_and_not_a_crash, struct fixture *f)
{
    static const unsigned ops[] = {SIM_OP_READ, SIM_OP_CHANGES, SIM_OP_OPEN};
    fixture_start(f);
    rig_accept_chain(&f->rig, f->base[10]);
    rig_crash(&f->rig, SIM_CRASH_KILLED, 1);
    int n_errors = 0;
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        for (uint64_t n = 0; n < 12; n++) {
            sim_disk_fail(sim_env_disk(f->rig.sim), ops[i], n, -EIO, true);
            const char *error = error_of_open(f);
            n_errors += error != NULL;
        }
    assert_true(n_errors >= 6);
    sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
    open_again(f);
    rig_accept_chain(&f->rig, base_tip(f));
    assert_at_base(f);
}

/* -- Rebuilding -------------------------------------------------------------------------------- */

TEST(a_reindex_rebuilds_all_from_the_block_files, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *side = builder_blocks(&f->b, f->base[100], 10, NULL);
    rig_accept_chain(&f->rig, side);
    close_rig(f);
    f->rig.options.reindex = true;
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, f->b.genesis));
    assert_true(chain_is_importing(f->rig.chain));
    rig_settle(&f->rig);
    assert_false(chain_is_importing(f->rig.chain));
    assert_at_base(f);
    assert_non_null(chain_find(f->rig.chain, &side->block.hash));
    assert_true(chain_find(f->rig.chain, &side->block.hash)->status & BLOCK_HAVE_DATA);
    close_rig(f);
    f->rig.options.reindex = false;
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

TEST(a_reindex_that_was_cut_short_goes_on_without_being_asked, struct fixture *f)
{
    for (int steps = 0; steps < 500; steps += 41) {
        rig_start(&f->rig, 1, &f->b, &f->options);
        rig_accept_chain(&f->rig, base_tip(f));
        close_rig(f);
        f->rig.options.reindex = true;
        rig_open(&f->rig);
        step_times(f, steps);
        if (steps % 2)
            (void)rig_flush(&f->rig);
        rig_crash(&f->rig, SIM_CRASH_LOST, (uint64_t)steps);
        f->rig.options.reindex = false;
        open_again(f);
        assert_at_base(f);
        rig_deinit(&f->rig);
    }
}

/* Killed while the old index and coins are being put away, before a block was read again. */
TEST(a_reindex_that_was_cut_short_at_its_start_needs_no_help, struct fixture *f)
{
    fixture_start_at_base(f);
    struct cut cut = {.f = f, .tip = base_tip(f)};
    cut.want = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    close_rig(f);
    f->rig.options.reindex = true;
    sim_disk_watch(sim_env_disk(f->rig.sim), start_after_cut, &cut);
    cut.is_watching = true;
    rig_open(&f->rig);
    sim_disk_watch(sim_env_disk(f->rig.sim), NULL, NULL);
    assert_true(cut.n_tried > 3);
    rig_settle(&f->rig);
    assert_at_base(f);
}

TEST(a_reindex_of_the_coins_alone_ends_at_the_same_coins, struct fixture *f)
{
    fixture_start_at_base(f);
    close_rig(f);
    f->rig.options.reindex_chainstate = true;
    rig_open(&f->rig);
    assert_true(rig_is_at(&f->rig, f->b.genesis));
    step_times(f, 100);
    rig_crash(&f->rig, SIM_CRASH_LOST, 5);
    f->rig.options.reindex_chainstate = false;
    open_again(f);
    assert_at_base(f);
}

/* Flip a bit within the undo data of a block of the chain, and within the block, without which it
 * cannot be made anew. */
static void damage_block_and_undo(struct fixture *f, int32_t height)
{
    const struct block_node *node = chain_at(f->rig.chain, height);
    char path[64];
    assert_true(node->undo.file >= 0);
    snprintf(path, sizeof path, "regtest/blocks/rev%05d.dat", node->undo.file);
    sim_disk_damage(sim_env_disk(f->rig.sim), path, node->undo.offset, 1);
    snprintf(path, sizeof path, "regtest/blocks/blk%05d.dat", node->data.file);
    sim_disk_damage(sim_env_disk(f->rig.sim), path, node->data.offset + 100, 1);
}

/* Without a way back the coins have to be made anew, and the fault says so. */
TEST(a_lost_way_back_names_an_option_that_repairs_it, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *spend = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    assert_true(rig_accept(&f->rig, spend).is_connected);
    assert_int_equal(rig_flush(&f->rig), 0);
    damage_block_and_undo(f, spend->height);
    struct answer answers[2] = {0};
    const struct built_block *better = builder_blocks(&f->b, base_tip(f), 2, NULL);
    submit_block(f, built_ancestor(better, spend->height), 0, &answers[0]);
    submit_block(f, better, 0, &answers[1]);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_faults, 1);
    assert_non_null(strstr(f->rig.fault, "-reindex-chainstate"));
    assert_int_equal(rig_close(&f->rig), -EIO);
    assert_int_equal(answers[1].verdict.code, REJECT_FAULT);
    /* The option it names. */
    f->rig.n_faults = 0;
    f->rig.options.reindex_chainstate = true;
    open_again(f);
    rig_accept_chain(&f->rig, better);
    assert_true(rig_is_at(&f->rig, better));
    assert_int_equal(f->rig.n_faults, 0);
}

/* A damaged block is met when the coins are made again: the tip stays below, the operator is
 * warned, and the block is taken when it comes. */
TEST(a_damaged_block_is_waited_for, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct block_node *node = chain_at(f->rig.chain, 50);
    char path[64];
    snprintf(path, sizeof path, "regtest/blocks/blk%05d.dat", node->data.file);
    sim_disk_damage(sim_env_disk(f->rig.sim), path, node->data.offset + 100, 1);
    close_rig(f);
    f->rig.options.reindex_chainstate = true;
    open_again(f);
    assert_true(rig_is_at(&f->rig, f->base[49]));
    assert_int_equal(f->rig.n_faults, 0);
    assert_int_equal(f->rig.n_warnings, 1);
    assert_non_null(strstr(f->rig.warning, "height 50"));
    chain_check(f->rig.chain);
    /* The same after another start, which does not know of the damage from before. */
    close_rig(f);
    f->rig.options.reindex_chainstate = false;
    open_again(f);
    assert_true(rig_is_at(&f->rig, f->base[49]));
    assert_true(rig_accept(&f->rig, f->base[50]).is_new);
    rig_settle(&f->rig);
    assert_at_base(f);
}
