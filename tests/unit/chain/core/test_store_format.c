/* test_store_format.c - our stores are known, all others are left as they are. */
#include <errno.h>

#include "chain/core/store_format.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

static const struct store_format format = {.name = "coins database",
                                           .version = 3,
                                           .kind = 'C',
                                           .old_key = "T",
                                           .old_len = 4,
                                           .old_key_other = "M",
                                           .old_len_other = 2,
                                           .row_prefix = "t",
                                           .row_key_len = 3,
                                           .row_value_len = 8};

struct row {
    struct span key, value;
};

/* What an open says of a store with these rows; whether it has the right 'v' and file afterwards
 * and how many rows it has then. */
struct outcome {
    int code, n_rows;
    bool is_marked, has_file;
    char *error;
};

static const struct env_kv_options no_options = {0};

static bool has_file(const struct env *env)
{
    struct env_file *file;
    int error = env_file_open(env, "store/" STORE_FORMAT_FILE, ENV_OPEN_READ, &file);
    if (!error)
        env_file_close(env, file);
    return !error;
}

static void put_file(const struct env *env, const char *path, const char *text)
{
    struct env_file *file;
    assert_int_equal(env_make_dir(env, "store"), 0);
    assert_int_equal(env_file_open(env, path, ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, text, strlen(text)), 0);
    env_file_close(env, file);
}

static int count_rows(const struct env *env, struct env_kv *kv)
{
    int n = 0;
    struct env_cursor *cursor = env_cursor_open(env, kv);
    for (env_cursor_seek(env, cursor, span_of("", 0)); env_cursor_valid(env, cursor);
         env_cursor_next(env, cursor))
        n++;
    env_cursor_close(env, cursor);
    return n;
}

static void put_rows(const struct env *env, const struct row *rows, size_t n)
{
    struct env_kv *kv;
    assert_int_equal(env_kv_open(env, "store", &no_options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    for (size_t i = 0; i < n; i++)
        env_batch_put(env, batch, rows[i].key, rows[i].value);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
}

static struct outcome open_store(const struct env *env)
{
    struct outcome outcome = {0};
    struct env_kv *kv;
    struct buffer value;
    buffer_init(&value);
    outcome.code = store_format_open(env, "store", &no_options, &format, &kv, &outcome.error);
    assert_int_equal(outcome.code == 0, outcome.error == NULL);
    assert_int_equal(outcome.code == 0, kv != NULL);
    if (!kv)
        assert_int_equal(env_kv_open(env, "store", &no_options, &kv, NULL), 0);
    outcome.n_rows = count_rows(env, kv);
    outcome.is_marked = env_kv_get(env, kv, span_of("v", 1), &value) == 0 && value.len == 2 &&
                        memcmp(value.p, "\3C", 2) == 0;
    outcome.has_file = has_file(env);
    buffer_deinit(&value);
    env_kv_close(env, kv);
    return outcome;
}

static struct outcome check(const struct row *rows, size_t n, bool with_file)
{
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    put_rows(env, rows, n);
    if (with_file)
        put_file(env, "store/" STORE_FORMAT_FILE, "any");
    struct outcome outcome = open_store(env);
    sim_env_free(sim);
    return outcome;
}

#define ROW(k, v)                                                                                  \
    {                                                                                              \
        {(const uint8_t *)(k), sizeof(k) - 1},                                                     \
        {                                                                                          \
            (const uint8_t *)(v), sizeof(v) - 1                                                    \
        }                                                                                          \
    }

TEST(a_new_store_and_one_from_before_the_row_get_it)
{
    static const struct row old[] = {ROW("Cxyz", "coin"), ROW("T", "tips")};
    static const struct row filling[] = {ROW("Cxyz", "coin"), ROW("M", "ab")};
    static const struct row marked[] = {ROW("Cxyz", "coin"), ROW("v", "\3C")};
    static const struct row no_kind[] = {ROW("Cxyz", "coin"), ROW("v", "\3")};
    const struct {
        const struct row *rows;
        size_t n;
        int n_after;
    } all[] = {{NULL, 0, 1}, {old, 2, 3}, {filling, 2, 3}, {marked, 2, 2}, {no_kind, 2, 2}};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct outcome outcome = check(all[i].rows, all[i].n, false);
        assert_int_equal(outcome.code, 0);
        assert_true(outcome.is_marked);
        assert_true(outcome.has_file);
        assert_int_equal(outcome.n_rows, all[i].n_after);
    }
}

TEST(a_store_that_is_not_ours_is_named_and_left_as_it_is)
{
    static const struct {
        struct row row;
        int code;
        const char *says;
    } all[] = {
        {ROW("\x0e\x00obfuscate_key", "\x08keykeyke"), -ENOTSUP, "looks like Bitcoin Core's"},
        {ROW("B", "core's best block"), -ENOTSUP, "looks like Bitcoin Core's"},
        {ROW("H", "heads"), -ENOTSUP, "looks like Bitcoin Core's"},
        {ROW("l", "last"), -ENOTSUP, "looks like Bitcoin Core's"},
        {ROW("R", "1"), -ENOTSUP, "looks like Bitcoin Core's"},
        {ROW("else", "x"), -ENOTSUP, "another program's"},
        {ROW("T", "not four"), -ENOTSUP, "another program's"},
        {ROW("txy", "seven b"), -ENOTSUP, "another program's"},
        {ROW("txyz", "8 bytes."), -ENOTSUP, "another program's"},
        {ROW("sxy", "8 bytes."), -ENOTSUP, "another program's"},
        {ROW("v", "\4"), -ENOTSUP, "newer version"},
        {ROW("v", "\2"), -ENOTSUP, "nothing shows that it is"},
        {ROW("v", ""), -ENOTSUP, "nothing shows that it is"},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct outcome outcome = check(&all[i].row, 1, false);
        assert_int_equal(outcome.code, all[i].code);
        assert_false(outcome.is_marked);
        assert_false(outcome.has_file);
        assert_int_equal(outcome.n_rows, 1);
        assert_non_null(strstr(outcome.error, all[i].says));
        assert_non_null(strstr(outcome.error, "store"));
        xfree(outcome.error);
    }
}

TEST(one_of_ours_with_wrong_rows_is_damaged)
{
    static const struct row all[] = {ROW("v", "\2"), ROW("v", ""), ROW("v", "\3D"),
                                     ROW("v", "\3C?")};
    static const struct row cut_short = ROW("txy", "8 bytes.");
    for (size_t i = 0; i <= COUNT_OF(all); i++) {
        bool is_known_by_file = i < COUNT_OF(all);
        struct outcome outcome =
            check(is_known_by_file ? &all[i] : &cut_short, 1, is_known_by_file);
        assert_int_equal(outcome.code, -EUCLEAN);
        assert_non_null(strstr(outcome.error, "damaged"));
        assert_int_equal(outcome.n_rows, 1);
        assert_true(outcome.has_file);
        xfree(outcome.error);
    }
}

/* What cannot be opened is emptied by the caller, so that may be said of ours alone. */
TEST(a_damaged_store_is_ours_only_if_our_file_is_there)
{
    static const struct {
        const char *file, *text;
        int code;
        const char *says;
    } all[] = {
        {"store/000003.ldb", "?\x14\x03\x0eobfuscate_key...", -ENOTSUP, "Bitcoin Core's"},
        {"store/000003.ldb", "rows of somebody", -ENOTSUP, "nothing shows that it is"},
        {"store/" STORE_FORMAT_FILE, "", -EUCLEAN, "cannot open"},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct sim_env *sim = sim_env_new(1);
        const struct env *env = sim_env_get(sim);
        struct env_kv *kv;
        char *error;
        put_file(env, all[i].file, all[i].text);
        struct sim_disk *disk = sim_env_disk(sim);
        sim_disk_fail(disk, SIM_OP_OPEN, 0, -EUCLEAN, false);
        int code = store_format_open(env, "store", &no_options, &format, &kv, &error);
        assert_int_equal(code, all[i].code);
        assert_null(kv);
        assert_non_null(strstr(error, all[i].says));
        xfree(error);
        sim_env_free(sim);
    }
}

/* What is said when operations of that kind fail with that code, which is the answer. Owns: the
 * caller. */
static char *open_failing(unsigned op, int code, bool has_marker)
{
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    struct env_kv *kv;
    char *error = NULL;
    if (has_marker)
        put_file(env, "store/" STORE_FORMAT_FILE, "");
    sim_disk_fail(sim_env_disk(sim), op, 0, code, true);
    assert_int_equal(store_format_open(env, "store", &no_options, &format, &kv, &error), code);
    sim_env_free(sim);
    return error;
}

TEST(a_store_that_cannot_be_read_is_no_other_programs)
{
    char *read = open_failing(SIM_OP_READ, -EIO, false),
         *open = open_failing(SIM_OP_OPEN, -EIO, false);
    assert_non_null(strstr(read, "cannot be read"));
    assert_non_null(strstr(open, "cannot open"));
    xfree(read);
    xfree(open);
}

TEST(a_row_that_cannot_be_read_is_told_from_a_store_that_cannot_be_opened)
{
    char *read = open_failing(SIM_OP_READ, -EUCLEAN, true),
         *open = open_failing(SIM_OP_OPEN, -EUCLEAN, true);
    assert_true(store_format_is_of_row(read));
    assert_false(store_format_is_of_row(open));
    xfree(read);
    xfree(open);
}
