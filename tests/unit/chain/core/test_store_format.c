/* test_store_format.c - our stores are known, all others are left as they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain/core/store_format.h"
#include "sim/sim_env.h"
#include "util/alloc.h"
#include "util/buffer.h"

static const struct store_format format = {.name = "coins database",
                                           .version = 3,
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

/* What the check says of a store with these rows; whether it has the right 'v' afterwards and how
 * many rows it has then. */
struct outcome {
    int code, n_rows;
    bool is_marked;
    char *error;
};

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

static struct outcome check(const struct row *rows, size_t n)
{
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    struct outcome outcome = {0};
    struct buffer value;
    buffer_init(&value);
    assert_int_equal(env_kv_open(env, "store", &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    for (size_t i = 0; i < n; i++)
        env_batch_put(env, batch, rows[i].key, rows[i].value);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    outcome.code = store_format_check(env, kv, "store", &format, &outcome.error);
    assert_int_equal(outcome.code == 0, outcome.error == NULL);
    outcome.n_rows = count_rows(env, kv);
    outcome.is_marked = env_kv_get(env, kv, span_of("v", 1), &value) == 0 && value.len == 1 &&
                        value.p[0] == format.version;
    buffer_deinit(&value);
    env_kv_close(env, kv);
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

static void a_new_store_and_one_from_before_the_row_get_it(void **state)
{
    (void)state;
    static const struct row old[] = {ROW("Cxyz", "coin"), ROW("T", "tips")};
    static const struct row filling[] = {ROW("Cxyz", "coin"), ROW("M", "ab")};
    static const struct row marked[] = {ROW("Cxyz", "coin"), ROW("v", "\3")};
    const struct {
        const struct row *rows;
        size_t n;
        int n_after;
    } all[] = {{NULL, 0, 1}, {old, 2, 3}, {filling, 2, 3}, {marked, 2, 2}};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct outcome outcome = check(all[i].rows, all[i].n);
        assert_int_equal(outcome.code, 0);
        assert_true(outcome.is_marked);
        assert_int_equal(outcome.n_rows, all[i].n_after);
    }
}

static void a_store_that_is_not_ours_is_named_and_left_as_it_is(void **state)
{
    (void)state;
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
        {ROW("txy", "8 bytes."), -EUCLEAN, "damaged"}, /* ours, cut short */
        {ROW("v", "\4"), -ENOTSUP, "newer version"},
        {ROW("v", "\2"), -EUCLEAN, "damaged"},
        {ROW("v", "\3\3"), -EUCLEAN, "damaged"},
        {ROW("v", ""), -EUCLEAN, "damaged"},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct outcome outcome = check(&all[i].row, 1);
        assert_int_equal(outcome.code, all[i].code);
        assert_false(outcome.is_marked);
        assert_int_equal(outcome.n_rows, 1);
        assert_non_null(strstr(outcome.error, all[i].says));
        assert_non_null(strstr(outcome.error, "store"));
        xfree(outcome.error);
    }
}

static void a_store_that_cannot_be_read_is_no_other_programs(void **state)
{
    (void)state;
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    char *error = NULL;
    assert_int_equal(env_kv_open(env, "store", &options, &kv, NULL), 0);
    sim_disk_fail(sim_env_disk(sim), SIM_OP_READ, 0, -EIO, true);
    assert_int_equal(store_format_check(env, kv, "store", &format, &error), -EIO);
    assert_non_null(strstr(error, "cannot be read"));
    xfree(error);
    sim_disk_fail(sim_env_disk(sim), 0, 0, 0, false);
    env_kv_close(env, kv);
    sim_env_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_and_one_from_before_the_row_get_it),
        cmocka_unit_test(a_store_that_is_not_ours_is_named_and_left_as_it_is),
        cmocka_unit_test(a_store_that_cannot_be_read_is_no_other_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
