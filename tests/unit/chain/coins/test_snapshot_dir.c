/* test_snapshot_dir.c - the folder of a second set of coins, at a start.
 *
 * The simulated disk does not rename folders: that is noted instead, and shown on a real one by
 * tests/functional. */
#include "chain/coins/snapshot_dir.h"

#include <errno.h>

#include "chain/coins/coins.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

#define DATA     "regtest"
#define SNAPSHOT "regtest/chainstate_snapshot"

struct disk {
    struct sim_env *sim;
    const struct env *real;
};

static char renames[300]; /* what was renamed, by the notes below */

static void ignore_line(void *ctx, enum log_level level, enum log_category category,
                        const char *line)
{
    (void)ctx;
    (void)level;
    (void)category;
    (void)line;
}

static int note_rename(void *ctx, const char *from, const char *to)
{
    size_t len = strlen(renames);
    (void)ctx;
    snprintf(renames + len, sizeof renames - len, "%s>%s ", from, to);
    return 0;
}

static int no_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    (void)from;
    (void)to;
    return -EBUSY;
}

static int setup(void **state)
{
    struct disk *disk = xcalloc(1, sizeof *disk);
    disk->sim = sim_env_new(1);
    disk->real = sim_env_get(disk->sim);
    assert_int_equal(env_make_dir(disk->real, SNAPSHOT), 0);
    assert_int_equal(env_make_dir(disk->real, DATA "/chainstate"), 0);
    *state = disk;
    return 0;
}

static int teardown(void **state)
{
    struct disk *disk = *state;
    sim_env_free(disk->sim);
    xfree(disk);
    return 0;
}

FIXTURE(setup, teardown)

static int settle(struct disk *disk, int (*rename)(void *ctx, const char *from, const char *to))
{
    struct env env = *disk->real;
    renames[0] = 0;
    char *error = NULL;
    struct log log = {.write = ignore_line};
    env.files.rename = rename;
    int code = snapshot_dir_settle(&env, &log, DATA, &error);
    assert_true((code != 0) == (error != NULL));
    xfree(error);
    return code;
}

TEST(it_counts_when_its_block_is_named, struct disk *disk)
{
    struct block_hash base, wrote = {.b = {1, 2, 3}};
    assert_int_equal(snapshot_dir_base(disk->real, DATA, &base), -ENOENT);
    assert_int_equal(snapshot_dir_set_base(disk->real, DATA, &wrote), 0);
    assert_int_equal(snapshot_dir_base(disk->real, DATA, &base), 0);
    assert_true(block_hash_equal(&base, &wrote));
    assert_int_equal(settle(disk, no_rename), 0); /* nothing is to be done */
    assert_int_equal(snapshot_dir_base(disk->real, DATA, &base), 0);
    assert_int_equal(snapshot_dir_remove(disk->real, DATA), 0);
    assert_int_equal(snapshot_dir_base(disk->real, DATA, &base), -ENOENT);
    assert_int_equal(snapshot_dir_remove(disk->real, DATA), 0);
}

TEST(what_was_never_filled_is_removed, struct disk *disk)
{
    struct coins_options options = {.cache_bytes = 1 << 20, .store_cache_bytes = 1 << 20};
    struct coins *coins;
    char *error, *path = snapshot_dir_path(DATA);
    struct log log = {.write = ignore_line};
    assert_string_equal(path, SNAPSHOT);
    struct block_hash tip = {.b = {7}}, none = {{0}};
    assert_int_equal(coins_open(disk->real, &log, path, &options, &coins, &error), 0);
    assert_int_equal(coins_repair_commit(coins, &tip), 0);
    coins_close(coins);
    assert_int_equal(settle(disk, no_rename), 0);
    assert_int_equal(coins_open(disk->real, &log, path, &options, &coins, &error), 0);
    tip = coins_store_tip(coins);
    assert_true(block_hash_equal(&tip, &none));
    coins_close(coins);
    xfree(path);
}

TEST(a_name_that_cannot_be_read_is_no_name, struct disk *disk)
{
    struct block_hash base;
    assert_int_equal(snapshot_dir_mark(disk->real, DATA, "base_blockhash"), 0); /* one byte */
    assert_int_equal(snapshot_dir_base(disk->real, DATA, &base), -EUCLEAN);
    /* Who opens it tells, and -reindex does without it. */
    assert_int_equal(settle(disk, no_rename), 0);
}

TEST(a_folder_that_cannot_be_renamed_stops_the_start, struct disk *disk)
{
    struct block_hash base = {.b = {1}};
    assert_int_equal(snapshot_dir_set_base(disk->real, DATA, &base), 0);
    assert_int_equal(snapshot_dir_mark(disk->real, DATA, SNAPSHOT_MARK_CHECKED), 0);
    assert_int_equal(settle(disk, no_rename), -EBUSY);
    assert_int_equal(snapshot_dir_base(disk->real, DATA, &base), 0); /* and all is still there */
}

TEST(what_is_checked_takes_the_place_of_the_other, struct disk *disk)
{
    struct block_hash base = {.b = {1}};
    assert_int_equal(snapshot_dir_set_base(disk->real, DATA, &base), 0);
    assert_int_equal(snapshot_dir_mark(disk->real, DATA, SNAPSHOT_MARK_CHECKED), 0);
    assert_int_equal(settle(disk, note_rename), 0);
    assert_string_equal(renames, "regtest/chainstate>regtest/chainstate_todelete "
                                 "regtest/chainstate_snapshot>regtest/chainstate ");
}

TEST(what_is_invalid_is_put_aside, struct disk *disk)
{
    assert_int_equal(snapshot_dir_mark(disk->real, DATA, SNAPSHOT_MARK_CHECKED), 0);
    assert_int_equal(snapshot_dir_mark(disk->real, DATA, SNAPSHOT_MARK_INVALID), 0);
    assert_int_equal(settle(disk, note_rename), 0);
    assert_string_equal(renames,
                        "regtest/chainstate_snapshot>regtest/chainstate_snapshot_INVALID ");
}
