/* test_prune.c - old block files go, and nothing that may still be needed. */
#include <errno.h>

#include "consensus/script_iter.h"
#include "support/build.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BLOCKS = 500, FILE_BYTES = 4000, BIG_BYTES = 900000 };

/* 500 blocks in files of about twenty blocks each. */
static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->b.network.prune_after_height = 100;
    f->base = builder_blocks(&f->b, f->b.genesis, N_BLOCKS, NULL);
    f->options.check_invariants = true;
    f->options.block_file_bytes = FILE_BYTES;
    f->options.prune = true;
    fixture_start_at_base(f);
    return 0;
}

FIXTURE(setup, sound_teardown)

struct answer {
    bool is_done;
    int error;
};

static void note_pruned(void *arg, int error)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->error = error;
}

static int order_pruning(struct fixture *f, int32_t height)
{
    struct answer answer = {0};
    chain_prune_to(f->rig.chain, height, note_pruned, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer.error;
}

/* Blocks are stored from the prune height on and not below; returns that height. */
static int32_t assert_stored_from(const struct fixture *f)
{
    int32_t from = chain_prune_height(f->rig.chain);
    for (int32_t at = from; at <= N_BLOCKS; at++)
        assert_true(chain_at(f->rig.chain, at)->status & BLOCK_HAVE_DATA);
    if (from > 0)
        assert_false(chain_at(f->rig.chain, from - 1)->status & BLOCK_HAVE_DATA);
    return from;
}

struct name_count {
    int blk, rev;
};

static void count_name(void *arg, const char *name)
{
    struct name_count *count = arg;
    count->blk += strncmp(name, "blk", 3) == 0;
    count->rev += strncmp(name, "rev", 3) == 0;
}

static struct name_count count_files(const struct fixture *f)
{
    struct name_count count = {0};
    const struct env *env = sim_env_get(f->rig.sim);
    assert_int_equal(env_list(env, "regtest/blocks", count_name, &count), 0);
    return count;
}

TEST(pruning_to_a_height_removes_whole_files_only, struct fixture *f)
{
    struct name_count before = count_files(f);
    assert_true(before.blk > 20);
    assert_int_equal(assert_stored_from(f), 0);
    assert_int_equal(order_pruning(f, 100), 0);
    int32_t from = assert_stored_from(f);
    assert_in_range(from, 80, 101);
    struct name_count after = count_files(f);
    assert_true(after.blk < before.blk && after.rev < before.rev);
    /* Again to the same height: nothing more goes. */
    assert_int_equal(order_pruning(f, 100), 0);
    assert_int_equal(chain_prune_height(f->rig.chain), from);
    assert_int_equal(count_files(f).blk, after.blk);
}

TEST(the_last_288_blocks_are_kept_whatever_is_ordered, struct fixture *f)
{
    assert_int_equal(order_pruning(f, N_BLOCKS), 0);
    int32_t from = assert_stored_from(f);
    assert_in_range(from, N_BLOCKS - CHAIN_PRUNE_KEEP_BLOCKS - 40,
                    N_BLOCKS - CHAIN_PRUNE_KEEP_BLOCKS + 1);
}

TEST(pruning_below_the_first_file_removes_nothing, struct fixture *f)
{
    struct name_count before = count_files(f);
    assert_int_equal(order_pruning(f, 3), 0);
    assert_int_equal(order_pruning(f, -1), 0);
    assert_int_equal(count_files(f).blk, before.blk);
    assert_int_equal(chain_prune_height(f->rig.chain), 0);
}

TEST(a_file_with_one_block_too_high_stays, struct fixture *f)
{
    /* A stale block of low height in a file of high ones, and high ones in no order. */
    const struct built_block *stale = builder_block(&f->b, built_ancestor(f->base, 5), NULL);
    (void)rig_accept(&f->rig, stale);
    assert_int_equal(order_pruning(f, 200), 0);
    assert_true(chain_find(f->rig.chain, &stale->block.hash)->status & BLOCK_HAVE_DATA);
    (void)assert_stored_from(f);
}

/* Of one that is fetched again nobody knows what it spent. */
TEST(a_block_that_was_had_again_does_not_lower_the_height, struct fixture *f)
{
    assert_int_equal(order_pruning(f, 100), 0);
    int32_t from = assert_stored_from(f);
    (void)rig_accept(&f->rig, built_ancestor(f->base, from - 1));
    rig_settle(&f->rig);
    assert_true(chain_at(f->rig.chain, from - 1)->status & BLOCK_HAVE_DATA);
    assert_int_equal(chain_prune_height(f->rig.chain), from);
}

static void note_verified(void *arg, bool ok)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    *answer = (struct answer){.is_done = true, .error = ok ? 0 : -EUCLEAN};
}

static bool verify(struct fixture *f, int n_blocks)
{
    struct answer answer = {0};
    chain_verify(f->rig.chain, 4, n_blocks, note_verified, &answer);
    rig_wait(&f->rig, &answer.is_done);
    return answer.error == 0;
}

/* As in Core: who asks for blocks that are not there is not told that they are good. */
TEST(verification_of_what_is_pruned_does_not_succeed, struct fixture *f)
{
    assert_true(verify(f, 0));
    assert_int_equal(order_pruning(f, 100), 0);
    int32_t from = assert_stored_from(f);
    assert_true(from > 1);
    assert_false(verify(f, 0));
    assert_true(verify(f, N_BLOCKS - from + 1));
    assert_false(verify(f, N_BLOCKS - from + 2));
    assert_int_equal(f->rig.n_faults, 0);
}

TEST(a_pruned_chain_goes_on_after_a_restart, struct fixture *f)
{
    assert_int_equal(order_pruning(f, 150), 0);
    int32_t from = chain_prune_height(f->rig.chain);
    assert_true(from > 0);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base));
    assert_int_equal(chain_prune_height(f->rig.chain), from);
    const struct built_block *next = builder_blocks(&f->b, f->base, 3, NULL);
    rig_accept_chain(&f->rig, next);
    assert_true(rig_is_at(&f->rig, next));
    /* A branch from within what is kept still wins. */
    const struct built_block *other =
        builder_blocks(&f->b, built_ancestor(f->base, N_BLOCKS - 20), 30, NULL);
    rig_accept_chain(&f->rig, other);
    assert_true(rig_is_at(&f->rig, other));
}

TEST(an_order_that_would_go_back_below_what_is_kept_is_refused, struct fixture *f)
{
    assert_int_equal(order_pruning(f, 150), 0);
    int32_t from = assert_stored_from(f);
    struct verdict verdict = rig_invalidate(&f->rig, built_ancestor(f->base, from - 1));
    assert_int_equal(verdict.code, REJECT_BLOCK_UNAVAILABLE);
    assert_non_null(strstr(verdict.detail, "pruned"));
    assert_true(rig_is_at(&f->rig, f->base));
    assert_int_equal(rig_invalidate(&f->rig, built_ancestor(f->base, from)).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, built_ancestor(f->base, from - 1)));
}

TEST(without_pruning_a_pruned_directory_is_refused, struct fixture *f)
{
    assert_int_equal(order_pruning(f, 150), 0);
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.prune = false;
    struct chain_events none = {0};
    struct chain *chain =
        chain_new(sim_env_get(f->rig.sim), NULL, &f->rig.network, &f->rig.options, &none);
    char *error = NULL;
    assert_false(chain_open(chain, &error));
    assert_non_null(strstr(error, "-reindex"));
    xfree(error);
    chain_free(chain);
}

TEST(a_target_is_kept_to_by_itself, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    /* Small enough that everything has to go that may. */
    f->rig.options.prune_target_bytes = BLOCK_FILE_CHUNK_BYTES + UNDO_FILE_CHUNK_BYTES + 20000;
    rig_open(&f->rig);
    assert_int_equal(chain_prune_height(f->rig.chain), 0);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_settle(&f->rig);
    int32_t from = assert_stored_from(f);
    assert_in_range(from, N_BLOCKS - CHAIN_PRUNE_KEEP_BLOCKS - 40,
                    N_BLOCKS - CHAIN_PRUNE_KEEP_BLOCKS + 1);
    /* New files bring new rounds, without any order. */
    const struct built_block *next = builder_blocks(&f->b, f->base, 100, NULL);
    rig_accept_chain(&f->rig, next);
    sim_env_run_for(f->rig.sim, INT64_C(400) * 1000000); /* a flush by the clock */
    assert_true(chain_prune_height(f->rig.chain) >= from + 60);
    assert_true(rig_is_at(&f->rig, next));
}

/* Its mark is written after a flush alone, and so must not be what a flush waits for: without that
 * nothing would go until the clock flushes, however many blocks come. */
TEST(a_target_is_kept_to_beside_an_index, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.prune_target_bytes = BLOCK_FILE_CHUNK_BYTES + UNDO_FILE_CHUNK_BYTES + 20000;
    f->rig.options.filter_index = true;
    rig_open(&f->rig);
    rig_settle(&f->rig);
    const struct built_block *next = f->base;
    for (int i = 0; i < 10; i++) {
        next = builder_blocks(&f->b, next, 10, NULL);
        rig_accept_chain(&f->rig, next);
        rig_settle(&f->rig);
    }
    int32_t from = chain_prune_height(f->rig.chain);
    assert_in_range(from, N_BLOCKS - CHAIN_PRUNE_KEEP_BLOCKS,
                    N_BLOCKS + 100 - CHAIN_PRUNE_KEEP_BLOCKS + 1);
    bool is_synced;
    int32_t height;
    assert_true(chain_filterindex_status(f->rig.chain, &is_synced, &height));
    assert_true(is_synced);
}

TEST(a_target_that_is_not_reached_prunes_nothing, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.prune_target_bytes = CHAIN_PRUNE_MIN_BYTES;
    rig_open(&f->rig);
    assert_int_equal(rig_flush(&f->rig), 0);
    rig_settle(&f->rig);
    assert_int_equal(chain_prune_height(f->rig.chain), 0);
}

/* A coinbase with a long output that can never be spent. */
static const struct built_block *big_block(struct fixture *f, const struct built_block *prev,
                                           struct span script)
{
    struct tx coinbase = build_coinbase(&f->b.arena, prev->height + 1, 0);
    coinbase.out[0].script_pubkey = script;
    tx_finish(&coinbase, &f->b.arena);
    return builder_block_of(&f->b, prev, &coinbase, 1, 0);
}

/* The chain may be too short for pruning when the target is passed, and the next file 100 blocks
 * away. */
TEST(the_target_is_looked_at_again_within_a_file, struct fixture *f)
{
    struct span script = {.p = xcalloc(1, BIG_BYTES), .len = BIG_BYTES};
    *(uint8_t *)script.p = OP_RETURN;
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.network.prune_after_height = N_BLOCKS + 15;
    f->rig.options.check_invariants = false; /* it takes long */
    f->rig.options.block_file_bytes = 100 * BIG_BYTES;
    f->rig.options.prune_target_bytes =
        BLOCK_FILE_CHUNK_BYTES + UNDO_FILE_CHUNK_BYTES + 10 * BIG_BYTES;
    rig_open(&f->rig);
    const struct built_block *at = f->base;
    for (int i = 0; i < 40; i++) {
        at = big_block(f, at, script);
        assert_true(rig_accept(&f->rig, at).is_connected);
        rig_settle(&f->rig);
        assert_true(i > 15 || chain_prune_height(f->rig.chain) == 0);
    }
    assert_true(chain_prune_height(f->rig.chain) > 100);
    xfree((void *)script.p);
}

TEST(pruning_is_cancelled_by_closing, struct fixture *f)
{
    struct answer answer = {0};
    chain_prune_to(f->rig.chain, 200, note_pruned, &answer);
    assert_int_equal(rig_close(&f->rig), 0);
    assert_true(answer.is_done);
    rig_open(&f->rig);
    (void)assert_stored_from(f);
}

/* -- Crashes ----------------------------------------------------------------------------------- */

struct crash_watch {
    struct fixture *f;
    uint64_t points;
    int tried;
    bool is_on;
};

/* The number of a block file; -1 if the name is another's. */
static int file_number(const char *name)
{
    int number = -1;
    return sscanf(name, "blk%d.dat", &number) == 1 ? number : -1;
}

static void assert_counted(void *arg, const char *name)
{
    const struct chain *chain = arg;
    int number = file_number(name);
    if (number >= 0)
        assert_true(block_files_info(files_of(chain), (size_t)number)->block_bytes > 0);
}

/* Every block that the index names can be read, with its undo data; every file is counted. */
static void assert_index_is_true(const struct chain_rig *rig)
{
    struct chain *chain = rig->chain;
    const struct env *env = sim_env_get(rig->sim);
    for (int32_t at = 1; at <= N_BLOCKS; at++) {
        const struct block_node *node = chain_at(chain, at);
        uint8_t *raw;
        if (!(node->status & BLOCK_HAVE_DATA))
            continue;
        assert_int_equal(block_files_read(files_of(chain), &node->data, &raw), 0);
        xfree(raw);
        assert_int_equal(block_files_read_undo(files_of(chain), &node->undo, &raw), 0);
        xfree(raw);
    }
    assert_int_equal(env_list(env, "regtest/blocks", assert_counted, chain), 0);
}

static void crash_here(void *arg)
{
    struct crash_watch *watch = arg;
    struct fixture *f = watch->f;
    if (!watch->is_on)
        return;
    watch->is_on = false;
    struct chain_options options = f->options;
    options.check_invariants = watch->points % 8 == 0; /* it takes long */
    struct chain_rig rig;
    rig_init(&rig, sim_env_crash(f->rig.sim, (enum sim_crash)(watch->tried++ % 3), watch->points),
             &f->b, &options);
    rig_open(&rig);
    rig_settle(&rig);
    assert_true(rig_is_at(&rig, f->base));
    assert_index_is_true(&rig);
    if (watch->points++ % 8 == 0) {
        struct verdict verdict = rig_invalidate(&rig, built_ancestor(f->base, N_BLOCKS - 100));
        assert_int_equal(verdict.code, REJECT_NONE);
    }
    assert_int_equal(rig.n_faults, 0);
    rig_deinit(&rig);
    watch->is_on = true;
}

TEST(a_crash_while_pruning_is_recovered_from, struct fixture *f)
{
    struct crash_watch watch = {.f = f};
    assert_int_equal(rig_flush(&f->rig), 0);
    sim_disk_watch(sim_env_disk(f->rig.sim), crash_here, &watch);
    watch.is_on = true;
    assert_int_equal(order_pruning(f, 150), 0);
    assert_int_equal(order_pruning(f, 200), 0);
    assert_int_equal(rig_flush(&f->rig), 0); /* the sizes are forgotten now */
    sim_disk_watch(sim_env_disk(f->rig.sim), NULL, NULL);
    assert_true(watch.tried >= 30);
    assert_index_is_true(&f->rig);
}

/* -- A reindex --------------------------------------------------------------------------------- */

struct on_disk {
    const struct env *env;
    uint64_t bytes;
};

static void add_size(void *arg, const char *name)
{
    struct on_disk *sum = arg;
    struct env_file *file;
    char path[64];
    if (strncmp(name, "blk", 3) != 0 && strncmp(name, "rev", 3) != 0)
        return;
    snprintf(path, sizeof path, "regtest/blocks/%s", name);
    assert_int_equal(env_file_open(sum->env, path, ENV_OPEN_READ, &file), 0);
    /* What was set aside for more is zeros at the end: the records, and not more, lie before. */
    uint8_t bytes[2 * FILE_BYTES];
    int64_t n = env_file_read_at(sum->env, file, 0, bytes, sizeof bytes);
    while (n > 0 && bytes[n - 1] == 0)
        n--;
    env_file_close(sum->env, file);
    assert_true(n < (int64_t)sizeof bytes);
    sum->bytes += (uint64_t)n;
}

/* Bytes that lie in block and undo files; each record ends in a few zeros at most. */
static void assert_counts_what_is_there(const struct fixture *f)
{
    struct on_disk sum = {.env = sim_env_get(f->rig.sim)};
    assert_int_equal(env_list(sum.env, "regtest/blocks", add_size, &sum), 0);
    uint64_t counted = chain_disk_bytes(f->rig.chain);
    assert_in_range(counted, sum.bytes, sum.bytes + (uint64_t)count_files(f).blk * 2 * 32);
}

/* What a pruned chain has left cannot be connected without what it lacks: the files go, and it
 * begins with the first block. */
TEST(a_reindex_of_a_pruned_chain_removes_what_it_cannot_use, struct fixture *f)
{
    assert_int_equal(order_pruning(f, 200), 0);
    assert_true(count_files(f).blk > 5);
    for (int how = 0; how < 3; how++) {
        if (how == 1)
            rig_crash(&f->rig, SIM_CRASH_LOST, 1);
        else
            assert_int_equal(rig_close(&f->rig), 0);
        f->rig.options.reindex = how == 0;
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_true(rig_is_at(&f->rig, f->b.genesis));
        assert_int_equal(count_files(f).blk, 1);
        assert_counts_what_is_there(f);
    }
    f->rig.options.reindex = false;
    rig_accept_chain(&f->rig, f->base);
    assert_true(rig_is_at(&f->rig, f->base));
    assert_counts_what_is_there(f);
    int all_files = count_files(f).blk;
    assert_int_equal(order_pruning(f, 50), 0);
    assert_true(count_files(f).blk < all_files);
    assert_counts_what_is_there(f);
    assert_index_is_true(&f->rig);
}

/* A plain start after the first steps of a reindex were cut short: all is as before it, or it goes
 * on, and what the blocks' files lack may come from peers. */
static void start_after_cut(void *arg)
{
    struct crash_watch *watch = arg;
    struct fixture *f = watch->f;
    if (!watch->is_on)
        return;
    watch->is_on = false;
    struct chain_options options = f->options;
    options.check_invariants = watch->tried % 8 == 0; /* it takes long */
    struct chain_rig rig;
    rig_init(&rig, sim_env_crash(f->rig.sim, (enum sim_crash)(watch->tried++ % 3), watch->points),
             &f->b, &options);
    rig_open(&rig);
    rig_settle(&rig);
    watch->points += rig_is_at(&rig, f->b.genesis);
    rig_accept_chain(&rig, f->base);
    assert_true(rig_is_at(&rig, f->base));
    assert_index_is_true(&rig);
    assert_int_equal(rig.n_faults, 0);
    rig_deinit(&rig);
    watch->is_on = true;
}

TEST(a_reindex_of_a_pruned_chain_cut_short_at_its_start_needs_no_help, struct fixture *f)
{
    struct crash_watch watch = {.f = f};
    assert_int_equal(order_pruning(f, 200), 0);
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.reindex = true;
    sim_disk_watch(sim_env_disk(f->rig.sim), start_after_cut, &watch);
    watch.is_on = true;
    rig_open(&f->rig);
    sim_disk_watch(sim_env_disk(f->rig.sim), NULL, NULL);
    assert_true(watch.tried > 5 && watch.points > 2 && watch.points < (uint64_t)watch.tried);
    rig_settle(&f->rig);
    f->rig.options.reindex = false;
    rig_accept_chain(&f->rig, f->base);
    assert_true(rig_is_at(&f->rig, f->base));
}

static void note_stored(void *arg, const struct chain_block_result *result)
{
    assert_int_equal(result->verdict.code, REJECT_NONE);
    *(bool *)arg = true;
}

/* As peers would bring it; answered when it is on the disk. */
static void fetch_pruned(struct chain_rig *rig, const struct built_block *last)
{
    for (int32_t at = 1; at <= last->height; at++) {
        const struct built_block *block = built_ancestor(last, at);
        if (chain_find(rig->chain, &block->block.hash)->status & BLOCK_HAVE_DATA)
            continue;
        bool is_stored = false;
        chain_accept_block(rig->chain, built_bytes(block), block->block.raw.len,
                           CHAIN_ACCEPT_FORCE | CHAIN_ACCEPT_DURABLE, note_stored, &is_stored);
        rig_wait(rig, &is_stored);
    }
    rig_settle(rig);
}

/* Who has lost the coins fetches again what was pruned: like any block that was acknowledged it is
 * found again after a crash, although the index knew the block before. */
TEST(pruned_blocks_that_were_fetched_again_outlive_a_crash, struct fixture *f)
{
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_POWER, SIM_CRASH_LOST};
    assert_int_equal(order_pruning(f, 200), 0);
    assert_int_equal(rig_close(&f->rig), 0);
    const struct env *env = sim_env_get(f->rig.sim);
    assert_int_equal(env_kv_destroy(env, "regtest/chainstate"), 0);
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        struct chain_rig rig;
        rig_init(&rig, sim_env_crash(f->rig.sim, SIM_CRASH_KILLED, i), &f->b, &f->options);
        rig_open(&rig);
        rig_settle(&rig);
        assert_true(rig_is_at(&rig, f->b.genesis));
        fetch_pruned(&rig, f->base);
        assert_true(rig_is_at(&rig, f->base));
        rig_crash(&rig, how[i], i);
        rig_open(&rig);
        rig_settle(&rig);
        assert_true(rig_is_at(&rig, f->base));
        assert_index_is_true(&rig);
        rig_deinit(&rig);
    }
    rig_open(&f->rig);
}

/* While files are gone through none is removed, whatever is ordered. */
TEST(nothing_is_pruned_before_a_reindex_is_over, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.reindex = true;
    rig_open(&f->rig);
    struct answer answer = {0};
    while (chain_tip(f->rig.chain)->height < 400)
        assert_true(sim_env_step(f->rig.sim));
    int before = count_files(f).blk;
    bool was_importing = chain_is_importing(f->rig.chain);
    chain_prune_to(f->rig.chain, 50, note_pruned, &answer);
    rig_wait(&f->rig, &answer.is_done);
    assert_int_equal(answer.error, 0);
    assert_true(!was_importing || count_files(f).blk == before);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base));
    assert_int_equal(rig_flush(&f->rig), 0);
    assert_int_equal(order_pruning(f, 150), 0);
    assert_true(count_files(f).blk < before);
    f->rig.options.reindex = false;
}
