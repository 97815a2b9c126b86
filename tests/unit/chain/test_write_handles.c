/* test_write_handles.c - what is written stays open until it is synced, and is synced once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "chain/write_handles.h"
#include "sim/sim_env.h"

static void write_one(struct write_handles *handles, uint64_t id, const char *path)
{
    const struct env *env = handles->env;
    struct env_file *file;
    assert_int_equal(write_handles_take(handles, id, path, &file), 0);
    assert_int_equal(env->file_write_at(env->ctx, file, 0, path, 1), 0);
    write_handles_give(handles, id, true);
}

static bool survives(struct sim_env *sim, const char *path)
{
    struct sim_env *after = sim_env_crash(sim, SIM_CRASH_LOST, 1);
    const struct env *env = sim_env_get(after);
    struct env_file *file;
    bool found = env->file_open(env->ctx, path, ENV_OPEN_READ, &file) == 0;
    if (found) {
        char first = 0;
        found = env->file_read_at(env->ctx, file, 0, &first, 1) == 1 && first == path[0];
        env->file_close(env->ctx, file);
    }
    sim_env_free(after);
    return found;
}

static void a_file_is_shared_while_open_and_durable_after_sync(void **state)
{
    (void)state;
    struct sim_env *sim = sim_env_new(1);
    struct write_handles handles;
    struct env_file *first, *second;
    write_handles_init(&handles, sim_env_get(sim));
    assert_int_equal(write_handles_take(&handles, 7, "a", &first), 0);
    assert_int_equal(write_handles_take(&handles, 7, "a", &second), 0);
    assert_ptr_equal(first, second);
    write_handles_give(&handles, 7, false);
    write_handles_give(&handles, 7, false);
    write_one(&handles, 7, "a");
    write_one(&handles, 8, "b");
    assert_false(survives(sim, "a"));
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    assert_true(survives(sim, "a"));
    assert_true(survives(sim, "b"));
    assert_int_equal(handles.n, 0);
    write_handles_deinit(&handles);
    sim_env_free(sim);
}

static void nothing_is_synced_twice(void **state)
{
    (void)state;
    struct sim_env *sim = sim_env_new(1);
    struct write_handles handles;
    write_handles_init(&handles, sim_env_get(sim));
    write_one(&handles, 1, "a");
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    uint64_t changes = sim_disk_changes(sim_env_disk(sim));
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    assert_int_equal(sim_disk_changes(sim_env_disk(sim)), changes);
    write_handles_deinit(&handles);
    sim_env_free(sim);
}

static void a_file_in_use_stays_open_through_a_sync(void **state)
{
    (void)state;
    struct sim_env *sim = sim_env_new(1);
    struct write_handles handles;
    struct env_file *file;
    write_handles_init(&handles, sim_env_get(sim));
    const struct env *env = handles.env;
    assert_int_equal(write_handles_take(&handles, 1, "a", &file), 0);
    write_one(&handles, 1, "a");
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    assert_int_equal(handles.n, 1);
    assert_int_equal(env->file_write_at(env->ctx, file, 1, "x", 1), 0);
    write_handles_give(&handles, 1, true);
    uint64_t changes = sim_disk_changes(sim_env_disk(sim));
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    assert_true(sim_disk_changes(sim_env_disk(sim)) > changes);
    assert_int_equal(handles.n, 0);
    write_handles_deinit(&handles);
    sim_env_free(sim);
}

static void faults_are_reported(void **state)
{
    (void)state;
    struct sim_env *sim = sim_env_new(1);
    struct write_handles handles;
    struct env_file *file;
    write_handles_init(&handles, sim_env_get(sim));
    assert_int_equal(write_handles_take(&handles, 1, "no/such", &file), -ENOENT);
    write_one(&handles, 1, "a");
    sim_disk_fail(sim_env_disk(sim), SIM_OP_SYNC, 0, -EIO, false);
    assert_int_equal(write_handles_sync(&handles, ""), -EIO);
    write_one(&handles, 2, "b");
    sim_disk_fail(sim_env_disk(sim), SIM_OP_SYNC, 1, -EIO, false); /* the directory's */
    assert_int_equal(write_handles_sync(&handles, ""), -EIO);
    write_handles_deinit(&handles);
    sim_env_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_shared_while_open_and_durable_after_sync),
        cmocka_unit_test(nothing_is_synced_twice),
        cmocka_unit_test(a_file_in_use_stays_open_through_a_sync),
        cmocka_unit_test(faults_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
