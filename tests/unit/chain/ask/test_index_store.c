/* test_index_store.c - a damaged index is emptied with a warning, a foreign one left as it is. */
#include <errno.h>

#include "chain/ask/index_store.h"
#include "support/unit.h"
#include "unit/chain/chain_fixture.h"
#include "util/alloc.h"
#include "util/buffer.h"

FIXTURE(fixture_setup, fixture_teardown)

static const struct index_store store = {
    .dir = "anindex",
    .format = {.name = "index of things", .version = 1, .kind = 'Z', .old_key = "B", .old_len = 2},
};

static struct env_kv *open_store(struct fixture *f, bool wipe)
{
    struct env_kv *kv;
    char *error;
    assert_int_equal(index_store_open(core_of(f->rig.chain), &store, wipe, &kv, &error), 0);
    assert_null(error);
    return kv;
}

/* Put one row into the store and close it. */
static void put_and_close(struct fixture *f, struct env_kv *kv, const char *key, const char *value)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of_string(key), span_of_string(value));
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
}

static bool has_row(struct fixture *f, struct env_kv *kv, const char *key)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(env, kv, span_of_string(key), &value);
    buffer_deinit(&value);
    return error == 0;
}

TEST(what_is_ours_and_whole_keeps_its_rows_unless_it_is_to_be_emptied, struct fixture *f)
{
    const struct env *env;
    fixture_start(f);
    env = sim_env_get(f->rig.sim);
    put_and_close(f, open_store(f, false), "row", "x");
    struct env_kv *kv = open_store(f, false);
    assert_true(has_row(f, kv, "row") && has_row(f, kv, "v"));
    env_kv_close(env, kv);
    kv = open_store(f, true);
    assert_true(!has_row(f, kv, "row") && has_row(f, kv, "v"));
    env_kv_close(env, kv);
    assert_int_equal(f->rig.n_warnings, 0);
}

TEST(a_damaged_store_is_emptied_with_a_warning, struct fixture *f)
{
    fixture_start(f);
    put_and_close(f, open_store(f, false), "row", "x");
    put_and_close(f, open_store(f, false), "v", "xxx");
    struct env_kv *kv = open_store(f, false);
    assert_int_equal(f->rig.n_warnings, 1);
    assert_non_null(strstr(f->rig.warning, "index of things was damaged"));
    assert_false(has_row(f, kv, "row"));
    put_and_close(f, kv, "row", "x");
}

TEST(a_store_of_another_program_stays_as_it_is, struct fixture *f)
{
    static const char path[] = "regtest/indexes/anindex";
    struct env_kv_options options = {0};
    struct env_kv *kv;
    char *error;
    fixture_start(f);
    const struct env *env = sim_env_get(f->rig.sim);
    assert_int_equal(env_make_dir(env, "regtest/indexes"), 0);
    assert_int_equal(env_kv_open(env, path, &options, &kv, NULL), 0);
    put_and_close(f, kv, "B", "a locator of Core's");
    for (int wipe = 0; wipe < 2; wipe++) {
        assert_int_equal(index_store_open(core_of(f->rig.chain), &store, wipe, &kv, &error),
                         -ENOTSUP);
        assert_null(kv);
        assert_non_null(strstr(error, "Bitcoin Core"));
        xfree(error);
    }
    assert_int_equal(env_kv_open(env, path, &options, &kv, NULL), 0);
    assert_true(has_row(f, kv, "B") && !has_row(f, kv, "v"));
    env_kv_close(env, kv);
    assert_int_equal(f->rig.n_warnings, 0);
}

TEST(a_store_is_made_anew_only_so_often, struct fixture *f)
{
    int n_rebuilt = 0;
    fixture_start(f);
    struct env_kv *kv = open_store(f, false);
    for (int i = 0; i < INDEX_REBUILDS_MAX; i++)
        assert_true(index_store_rebuild(core_of(f->rig.chain), &store, &n_rebuilt, &kv));
    assert_int_equal(f->rig.n_warnings, INDEX_REBUILDS_MAX);
    assert_int_equal(f->rig.n_faults, 0);
    assert_false(index_store_rebuild(core_of(f->rig.chain), &store, &n_rebuilt, &kv));
    assert_null(kv);
    assert_int_equal(f->rig.n_faults, 1);
    assert_int_equal(rig_close(&f->rig), -EIO);
}
