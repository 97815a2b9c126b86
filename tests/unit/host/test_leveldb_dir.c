/* test_leveldb_dir.c - stores are emptied in their place, and durable when they say so. */
#include <errno.h>
#include <sys/stat.h>

#include "host/files.h"
#include "host/leveldb_dir.h"
#include "host/leveldb_store.h"
#include "support/unit.h"
#include "sync_spy.h"
#include "temp_dir.h"
#include "util/alloc.h"
#include "util/buffer.h"

enum { PATH_BYTES = 160, VALUE_BYTES = 4000, LOGS_MAX = 16 };

static const struct env_kv_options options = {.write_buffer_bytes = 64 * 1024};

FIXTURE(temp_dir_setup, temp_dir_teardown)

static struct env_kv *open_at(struct temp_dir *dir, const char *name)
{
    struct env_kv *kv = NULL;
    char *error = NULL;
    int code = leveldb_store_open(NULL, temp_path(dir, name), &options, &kv, &error);
    if (code)
        print_message("%s\n", error ? error : strerror(-code));
    assert_int_equal(code, 0);
    return kv;
}

static void put(struct env_kv *kv, int number, bool sync)
{
    char key[16], value[VALUE_BYTES];
    memset(value, 'a' + number % 26, sizeof value);
    snprintf(key, sizeof key, "key%05d", number);
    struct env_batch *batch = leveldb_store_batch_new(NULL);
    leveldb_store_batch_put(NULL, batch, span_of_string(key), span_of(value, sizeof value));
    assert_int_equal(leveldb_store_write(NULL, kv, batch, sync), 0);
    leveldb_store_batch_free(NULL, batch);
}

/* A store with tables and a log. */
static void fill(struct temp_dir *dir, const char *name)
{
    struct env_kv *kv = open_at(dir, name);
    for (int i = 0; i < 100; i++)
        put(kv, i, i == 99);
    leveldb_store_close(NULL, kv);
}

static bool has_rows(struct temp_dir *dir, const char *name)
{
    struct env_kv *kv = open_at(dir, name);
    struct env_cursor *cursor = leveldb_store_cursor_open(NULL, kv);
    leveldb_store_cursor_seek(NULL, cursor, span_of("", 0));
    bool has = leveldb_store_cursor_valid(NULL, cursor);
    assert_int_equal(leveldb_store_cursor_error(NULL, cursor), 0);
    leveldb_store_cursor_close(NULL, cursor);
    leveldb_store_close(NULL, kv);
    return has;
}

static void make_link(struct temp_dir *dir, const char *to, const char *name)
{
    char target[PATH_BYTES];
    snprintf(target, sizeof target, "%s/%s", dir->path, to);
    assert_int_equal(symlink(target, temp_path(dir, name)), 0);
}

static bool is_link(struct temp_dir *dir, const char *name)
{
    struct stat st;
    return lstat(temp_path(dir, name), &st) == 0 && S_ISLNK(st.st_mode);
}

static bool exists(struct temp_dir *dir, const char *name)
{
    struct stat st;
    return lstat(temp_path(dir, name), &st) == 0;
}

/* -- Removing ---------------------------------------------------------------------------------- */

TEST(a_link_to_a_folder_stays_and_so_does_the_folder, struct temp_dir *dir)
{
    assert_int_equal(files_make_dir(NULL, temp_path(dir, "other/disk")), 0);
    make_link(dir, "other/disk", "db");
    for (int i = 0; i < 3; i++) {
        fill(dir, "db");
        assert_true(exists(dir, "other/disk/CURRENT"));
        assert_int_equal(leveldb_dir_destroy(temp_path(dir, "db")), 0);
        assert_true(is_link(dir, "db"));
        assert_true(exists(dir, "other/disk"));
        assert_false(exists(dir, "other/disk/CURRENT"));
        assert_false(has_rows(dir, "db"));
        assert_true(exists(dir, "other/disk/CURRENT"));
        assert_int_equal(leveldb_dir_destroy(temp_path(dir, "db")), 0);
    }
}

TEST(a_plain_folder_goes_unless_it_holds_something_else, struct temp_dir *dir)
{
    fill(dir, "db");
    assert_int_equal(leveldb_dir_destroy(temp_path(dir, "db")), 0);
    assert_false(exists(dir, "db"));
    assert_int_equal(leveldb_dir_destroy(temp_path(dir, "db")), 0);
    fill(dir, "db");
    temp_write(dir, "db/notes.txt", "mine");
    assert_int_equal(leveldb_dir_destroy(temp_path(dir, "db")), 0);
    assert_true(exists(dir, "db/notes.txt"));
    assert_false(exists(dir, "db/CURRENT"));
    assert_false(has_rows(dir, "db"));
}

static void remove_first(void *arg, const char *name)
{
    struct temp_dir *dir = arg;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "db/%s", name);
    if (strcmp(name, "REMOVING") != 0 && strcmp(name, "kept") != 0 && !exists(dir, "gone")) {
        temp_write(dir, "gone", "");
        assert_int_equal(unlink(temp_path(dir, path)), 0);
    }
}

/* As if killed after any number of files: the store is neither half there nor refused. */
TEST(what_was_cut_short_is_ended_by_the_next_start, struct temp_dir *dir)
{
    for (int n_removed = 0; n_removed < 6; n_removed++) {
        fill(dir, "db");
        temp_write(dir, "db/REMOVING", "");
        for (int i = 0; i < n_removed; i++) {
            assert_int_equal(files_list(NULL, temp_path(dir, "db"), remove_first, dir), 0);
            assert_int_equal(unlink(temp_path(dir, "gone")), 0);
        }
        assert_false(has_rows(dir, "db"));
        assert_false(exists(dir, "db/REMOVING"));
        fill(dir, "db");
        assert_true(has_rows(dir, "db"));
    }
}

TEST(a_store_in_use_keeps_its_rows, struct temp_dir *dir)
{
    struct env_kv *kv = open_at(dir, "db");
    put(kv, 1, true);
    assert_int_equal(leveldb_dir_destroy(temp_path(dir, "db")), -EBUSY);
    assert_false(exists(dir, "db/REMOVING"));
    leveldb_store_close(NULL, kv);
    assert_true(has_rows(dir, "db"));
}

TEST(a_link_to_nothing_is_named, struct temp_dir *dir)
{
    struct env_kv *kv;
    char *error;
    make_link(dir, "not/mounted", "db");
    assert_int_equal(leveldb_store_open(NULL, temp_path(dir, "db"), &options, &kv, &error),
                     -ENOENT);
    assert_non_null(strstr(error, "db is a link to a folder that is not there"));
    xfree(error);
    assert_true(is_link(dir, "db"));
    assert_false(exists(dir, "not"));
}

/* -- Syncing ----------------------------------------------------------------------------------- */

struct logs {
    char paths[LOGS_MAX][PATH_BYTES];
    size_t n;
    const char *dir;
};

static void note_log(void *arg, const char *name)
{
    struct logs *logs = arg;
    if (strstr(name, ".log") && logs->n < LOGS_MAX)
        snprintf(logs->paths[logs->n++], PATH_BYTES, "%s/db/%s", logs->dir, name);
}

static void list_logs(struct temp_dir *dir, struct logs *logs)
{
    *logs = (struct logs){.dir = dir->path};
    assert_int_equal(files_list(NULL, temp_path(dir, "db"), note_log, logs), 0);
    assert_true(logs->n > 0);
}

/* With a small buffer LevelDB goes from log to log; a synced write must not be more durable than
 * what came before it. */
TEST(a_synced_write_syncs_every_log_before_it, struct temp_dir *dir)
{
    struct env_kv *kv = open_at(dir, "db");
    size_t n_several = 0;
    for (int i = 0; i < 600; i++) {
        struct logs logs;
        bool sync = i % 17 == 16;
        list_logs(dir, &logs);
        sync_spy_reset();
        put(kv, i, sync);
        for (size_t k = 0; sync && k < logs.n; k++)
            assert_true(sync_spy_has(logs.paths[k]) || access(logs.paths[k], F_OK) != 0);
        n_several += sync && logs.n > 1;
    }
    print_message("%zu times there were several logs\n", n_several);
    leveldb_store_close(NULL, kv);
}

TEST(the_names_of_new_logs_are_synced, struct temp_dir *dir)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/db", dir->path);
    sync_spy_reset();
    struct env_kv *kv = open_at(dir, "db");
    assert_true(sync_spy_has(path));      /* CURRENT was renamed there */
    assert_true(sync_spy_has(dir->path)); /* and has a new folder */
    uint64_t number, before;
    assert_int_equal(leveldb_dir_newest_log(path, &before), 0);
    int n_new = 0;
    for (int i = 0; i < 100; i++) {
        sync_spy_reset();
        put(kv, i, true);
        assert_int_equal(leveldb_dir_newest_log(path, &number), 0);
        n_new += number != before;
        assert_true(number == before || sync_spy_has(path));
        before = number;
    }
    assert_true(n_new > 0);
    leveldb_store_close(NULL, kv);
}
