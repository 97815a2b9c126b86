/* test_leveldb_store.c - the store keeps, finds, iterates, and says clearly when it cannot. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "host/files.h"
#include "host/leveldb_dir.h"
#include "host/leveldb_store.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"
#include "util/buffer.h"

static const struct env_kv_options options = {
    .cache_bytes = 1 << 20, .write_buffer_bytes = 64 * 1024, .bloom_bits = 10};

FIXTURE(temp_dir_setup, temp_dir_teardown)

static struct env_kv *open_store(struct temp_dir *dir)
{
    struct env_kv *kv = NULL;
    char *error = NULL;
    int rc = leveldb_store_open(NULL, temp_path(dir, "db"), &options, &kv, &error);
    if (rc != 0)
        print_message("%s\n", error);
    assert_int_equal(rc, 0);
    assert_null(error);
    return kv;
}

static void put(struct env_kv *kv, const char *key, const char *value)
{
    struct env_batch *batch = leveldb_store_batch_new(NULL);
    leveldb_store_batch_put(NULL, batch, span_of_string(key), span_of_string(value));
    assert_int_equal(leveldb_store_write(NULL, kv, batch, true), 0);
    leveldb_store_batch_free(NULL, batch);
}

static void assert_value(struct env_kv *kv, const char *key, const char *want)
{
    struct buffer out;
    buffer_init(&out);
    int rc = leveldb_store_get(NULL, kv, span_of_string(key), &out);
    if (want) {
        assert_int_equal(rc, 0);
        assert_true(span_equal(buffer_span(&out), span_of_string(want)));
    } else {
        assert_int_equal(rc, -ENOENT);
        assert_int_equal(out.len, 0);
    }
    buffer_deinit(&out);
}

TEST(a_batch_is_written_as_a_whole_and_survives_reopening, struct temp_dir *dir)
{
    struct env_kv *kv = open_store(dir);
    put(kv, "gone", "x");
    struct env_batch *batch = leveldb_store_batch_new(NULL);
    leveldb_store_batch_put(NULL, batch, span_of_string("dropped"), span_of_string("x"));
    leveldb_store_batch_clear(NULL, batch);
    leveldb_store_batch_put(NULL, batch, span_of_string("a"), span_of_string("1"));
    leveldb_store_batch_put(NULL, batch, span_of_string("empty"), span_of(NULL, 0));
    leveldb_store_batch_delete(NULL, batch, span_of_string("gone"));
    assert_value(kv, "a", NULL);
    assert_int_equal(leveldb_store_write(NULL, kv, batch, false), 0);
    leveldb_store_batch_clear(NULL, batch);
    /* An empty batch with sync is the way to make earlier writes durable. */
    assert_int_equal(leveldb_store_write(NULL, kv, batch, true), 0);
    leveldb_store_batch_free(NULL, batch);
    leveldb_store_batch_free(NULL, NULL);
    leveldb_store_close(NULL, kv);

    kv = open_store(dir);
    assert_value(kv, "a", "1");
    assert_value(kv, "empty", "");
    assert_value(kv, "gone", NULL);
    assert_value(kv, "dropped", NULL);
    leveldb_store_close(NULL, kv);
    leveldb_store_close(NULL, NULL);
}

TEST(get_appends_to_what_the_buffer_holds, struct temp_dir *dir)
{
    struct env_kv *kv = open_store(dir);
    put(kv, "k", "value");
    struct buffer out;
    buffer_init(&out);
    buffer_append_string(&out, "before:");
    assert_int_equal(leveldb_store_get(NULL, kv, span_of_string("k"), &out), 0);
    assert_true(span_equal(buffer_span(&out), span_of_string("before:value")));
    buffer_deinit(&out);
    leveldb_store_close(NULL, kv);
}

TEST(a_cursor_sees_the_store_as_it_was_when_opened, struct temp_dir *dir)
{
    struct env_kv *kv = open_store(dir);
    put(kv, "b", "2");
    put(kv, "a", "1");
    put(kv, "d", "4");
    struct env_cursor *cursor = leveldb_store_cursor_open(NULL, kv);
    assert_false(leveldb_store_cursor_valid(NULL, cursor));
    put(kv, "c", "3");
    put(kv, "b", "changed");

    leveldb_store_cursor_seek(NULL, cursor, span_of_string("aa"));
    assert_true(leveldb_store_cursor_valid(NULL, cursor));
    assert_true(span_equal(leveldb_store_cursor_key(NULL, cursor), span_of_string("b")));
    assert_true(span_equal(leveldb_store_cursor_value(NULL, cursor), span_of_string("2")));
    leveldb_store_cursor_next(NULL, cursor);
    assert_true(span_equal(leveldb_store_cursor_key(NULL, cursor), span_of_string("d")));
    leveldb_store_cursor_next(NULL, cursor);
    assert_false(leveldb_store_cursor_valid(NULL, cursor));
    assert_int_equal(leveldb_store_cursor_error(NULL, cursor), 0);
    leveldb_store_cursor_seek(NULL, cursor, span_of(NULL, 0));
    assert_true(span_equal(leveldb_store_cursor_key(NULL, cursor), span_of_string("a")));
    leveldb_store_cursor_close(NULL, cursor);
    leveldb_store_cursor_close(NULL, NULL);
    leveldb_store_close(NULL, kv);
}

TEST(a_store_that_is_open_is_busy, struct temp_dir *dir)
{
    struct env_kv *kv = open_store(dir), *second = NULL;
    char *error = NULL;
    /* From this process ... */
    assert_int_equal(leveldb_store_open(NULL, temp_path(dir, "db"), &options, &second, &error),
                     -EBUSY);
    assert_null(second);
    assert_non_null(error);
    xfree(error);
    assert_int_equal(leveldb_store_open(NULL, temp_path(dir, "db"), &options, &second, NULL),
                     -EBUSY);
    leveldb_store_close(NULL, kv);

    /* ... and from another one, held with the lock that LevelDB uses. */
    int fd = open(temp_path(dir, "db/LOCK"), O_RDWR);
    int ready[2], go[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        char byte = (char)fcntl(fd, F_SETLK, &lock);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    char byte = 1;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 0);
    assert_int_equal(leveldb_store_open(NULL, temp_path(dir, "db"), &options, &second, NULL),
                     -EBUSY);
    assert_int_equal(write(go[1], &byte, 1), 1);
    waitpid(child, NULL, 0);
    close(fd);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

/* Fill the store with enough to make tables, and close it. */
static void fill(struct temp_dir *dir)
{
    struct env_kv *kv = open_store(dir);
    struct env_batch *batch = leveldb_store_batch_new(NULL);
    char key[16], value[1000];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < 400; i++) {
        snprintf(key, sizeof key, "key%05d", i);
        leveldb_store_batch_clear(NULL, batch);
        leveldb_store_batch_put(NULL, batch, span_of_string(key), span_of(value, sizeof value));
        assert_int_equal(leveldb_store_write(NULL, kv, batch, i % 100 == 99), 0);
    }
    leveldb_store_batch_free(NULL, batch);
    leveldb_store_close(NULL, kv);
    /* A second open moves what is in the log into a table. */
    leveldb_store_close(NULL, open_store(dir));
}

struct found {
    char name[64];
    const char *suffix;
};

static void find_suffix(void *arg, const char *name)
{
    struct found *found = arg;
    size_t n = strlen(name), m = strlen(found->suffix);
    if (n >= m && strcmp(name + n - m, found->suffix) == 0)
        snprintf(found->name, sizeof found->name, "db/%s", name);
}

static void find_file(struct temp_dir *dir, const char *suffix, struct found *found)
{
    *found = (struct found){.suffix = suffix};
    assert_int_equal(files_list(NULL, temp_path(dir, "db"), find_suffix, found), 0);
    assert_int_not_equal(found->name[0], '\0');
}

/* What the system refuses is not damage, and keeps its name; a path is no part of the message. */
TEST(each_message_has_the_code_of_its_cause)
{
    static const struct {
        const char *message;
        int code;
    } rows[] = {
        {"Corruption: block checksum mismatch", -EUCLEAN},
        {"Corruption: 2 missing files; e.g.: /d/000005.ldb", -EUCLEAN},
        {"IO error: /d/000005.ldb: Permission denied", -EACCES},
        {"IO error: /d/000005.ldb: Too many open files", -EMFILE},
        {"IO error: /d/MANIFEST-000002: Input/output error", -EIO},
        {"IO error: /d/000007.log: No space left on device", -ENOSPC},
        {"IO error: /d/000007.log: File too large", -EFBIG},
        {"IO error: /d/CURRENT.dbtmp: Read-only file system", -EROFS},
        {"IO error: /d/000005.ldb: No such file or directory", -EUCLEAN},
        {"NotFound: /d/000005.ldb: No such file or directory", -EUCLEAN},
        {"IO error: /d/000005.ldb: Invalid argument", -EUCLEAN}, /* a table without a byte */
        {"IO error: /d/LOCK: No such file or directory", -ENOENT},
        {"IO error: lock /d/LOCK: Resource temporarily unavailable", -EBUSY},
        {"IO error: lock /d/LOCK: already held by process", -EBUSY},
        {"IO error: /block lock /already held/000005.ldb: Permission denied", -EACCES},
        {"IO error: /Permission denied/000005.ldb: Input/output error", -EIO},
        {"Invalid argument: something", -EIO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *copy = strdup(rows[i].message), *error = NULL;
        assert_int_equal(leveldb_store_take_error(copy, &error), rows[i].code);
        assert_string_equal(error + strlen("LevelDB error: "), rows[i].message);
        xfree(error);
    }
}

TEST(a_damaged_table_is_noticed_by_every_read, struct temp_dir *dir)
{
    fill(dir);
    struct found table;
    find_file(dir, ".ldb", &table);
    FILE *f = fopen(temp_path(dir, table.name), "r+b");
    assert_non_null(f);
    fseek(f, 500, SEEK_SET);
    fputc('V', f);
    fclose(f);

    struct env_kv *kv = open_store(dir);
    struct buffer out;
    buffer_init(&out);
    int bad = 0;
    for (int i = 0; i < 400; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%05d", i);
        int rc = leveldb_store_get(NULL, kv, span_of_string(key), &out);
        assert_true(rc == 0 || rc == -EUCLEAN);
        bad += rc == -EUCLEAN;
    }
    assert_true(bad > 0);
    buffer_deinit(&out);

    struct env_cursor *cursor = leveldb_store_cursor_open(NULL, kv);
    leveldb_store_cursor_seek(NULL, cursor, span_of(NULL, 0));
    while (leveldb_store_cursor_valid(NULL, cursor))
        leveldb_store_cursor_next(NULL, cursor);
    assert_int_equal(leveldb_store_cursor_error(NULL, cursor), -EUCLEAN);
    leveldb_store_cursor_close(NULL, cursor);
    leveldb_store_close(NULL, kv);
}

static void assert_open_is_unclean(struct temp_dir *dir)
{
    struct env_kv *kv = NULL;
    char *error = NULL;
    assert_int_equal(leveldb_store_open(NULL, temp_path(dir, "db"), &options, &kv, &error),
                     -EUCLEAN);
    assert_null(kv);
    assert_non_null(error);
    assert_non_null(strstr(error, "Corruption"));
    xfree(error);
}

TEST(a_missing_manifest_is_corruption, struct temp_dir *dir)
{
    fill(dir);
    char name[64];
    char *current = temp_read(dir, "db/CURRENT");
    current[strcspn(current, "\n")] = '\0';
    snprintf(name, sizeof name, "db/%s", current);
    free(current);
    assert_int_equal(remove(temp_path(dir, name)), 0);
    assert_open_is_unclean(dir);
}

TEST(a_missing_table_is_corruption, struct temp_dir *dir)
{
    fill(dir);
    struct found table;
    find_file(dir, ".ldb", &table);
    assert_int_equal(remove(temp_path(dir, table.name)), 0);
    assert_open_is_unclean(dir);
}

TEST(a_missing_current_file_does_not_empty_the_store, struct temp_dir *dir)
{
    fill(dir);
    assert_int_equal(remove(temp_path(dir, "db/CURRENT")), 0);
    assert_open_is_unclean(dir);
    struct found table;
    find_file(dir, ".ldb", &table);
}

TEST(a_torn_current_file_is_corruption, struct temp_dir *dir)
{
    fill(dir);
    temp_write(dir, "db/CURRENT", "MANI");
    assert_open_is_unclean(dir);
}

/* LevelDB itself takes them for the end of the log. */
TEST(bytes_behind_zeroes_in_a_log_are_corruption_to_who_is_strict, struct temp_dir *dir)
{
    struct env_kv_options strict = options;
    strict.is_strict = true;
    fill(dir);
    struct found log;
    find_file(dir, ".log", &log);
    for (int i = 0; i < 2; i++) { /* a tail of zeroes alone is room that was taken ahead */
        FILE *f = fopen(temp_path(dir, log.name), "ab");
        assert_non_null(f);
        static const char tail[2][100] = {{0}, {[50] = '1', [60] = '1'}};
        fwrite(tail[i], 1, sizeof tail[i], f);
        fclose(f);
        char *error = NULL;
        assert_int_equal(leveldb_dir_check_logs(temp_path(dir, "db"), &error), i ? -EUCLEAN : 0);
        assert_true((error != NULL) == (i == 1));
        xfree(error);
    }
    struct env_kv *kv = NULL;
    char *error = NULL;
    assert_int_equal(leveldb_store_open(NULL, temp_path(dir, "db"), &strict, &kv, &error),
                     -EUCLEAN);
    assert_non_null(strstr(error, "LevelDB error: Corruption"));
    xfree(error);
    leveldb_store_close(NULL, open_store(dir));
}

TEST(a_place_where_nothing_can_be_made_is_an_error, struct temp_dir *dir)
{
    struct env_kv *kv = NULL;
    char *error = NULL;
    temp_write(dir, "plain", "x");
    int rc = leveldb_store_open(NULL, temp_path(dir, "plain"), &options, &kv, &error);
    assert_true(rc < 0);
    assert_null(kv);
    assert_non_null(error);
    xfree(error);
}

TEST(destroying_removes_the_store, struct temp_dir *dir)
{
    struct stat st;
    fill(dir);
    assert_int_equal(leveldb_store_destroy(NULL, temp_path(dir, "db")), 0);
    assert_int_equal(stat(temp_path(dir, "db"), &st), -1);
    assert_int_equal(leveldb_store_destroy(NULL, temp_path(dir, "db")), 0);
}
