/* test_write_handles.c - what is written stays open until it is synced, and is synced once. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "chain/disk/write_handles.h"
#include "sim/sim_env.h"
#include "support/unit.h"

static void write_one(struct write_handles *handles, uint64_t id, const char *path)
{
    const struct env *env = handles->env;
    struct env_file *file;
    assert_int_equal(write_handles_take(handles, id, path, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, path, 1), 0);
    write_handles_give(handles, id, true);
}

static bool survives(struct sim_env *sim, const char *path)
{
    struct sim_env *after = sim_env_crash(sim, SIM_CRASH_LOST, 1);
    const struct env *env = sim_env_get(after);
    struct env_file *file;
    bool found = env_file_open(env, path, ENV_OPEN_READ, &file) == 0;
    if (found) {
        char first = 0;
        found = env_file_read_at(env, file, 0, &first, 1) == 1 && first == path[0];
        env_file_close(env, file);
    }
    sim_env_free(after);
    return found;
}

TEST(a_file_is_shared_while_open_and_durable_after_sync)
{
    struct sim_env *sim = sim_env_new(1);
    struct write_handles handles;
    struct env_file *first, *second;
    write_handles_init(&handles, sim_env_get(sim), NULL);
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

TEST(nothing_is_synced_twice)
{
    struct sim_env *sim = sim_env_new(1);
    struct write_handles handles;
    write_handles_init(&handles, sim_env_get(sim), NULL);
    write_one(&handles, 1, "a");
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    uint64_t changes = sim_disk_changes(sim_env_disk(sim));
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    assert_int_equal(sim_disk_changes(sim_env_disk(sim)), changes);
    write_handles_deinit(&handles);
    sim_env_free(sim);
}

TEST(a_file_in_use_stays_open_through_a_sync)
{
    struct sim_env *sim = sim_env_new(1);
    struct write_handles handles;
    struct env_file *file;
    write_handles_init(&handles, sim_env_get(sim), NULL);
    const struct env *env = handles.env;
    assert_int_equal(write_handles_take(&handles, 1, "a", &file), 0);
    write_one(&handles, 1, "a");
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    assert_int_equal(handles.n, 1);
    assert_int_equal(env_file_write_at(env, file, 1, "x", 1), 0);
    write_handles_give(&handles, 1, true);
    uint64_t changes = sim_disk_changes(sim_env_disk(sim));
    assert_int_equal(write_handles_sync(&handles, ""), 0);
    assert_true(sim_disk_changes(sim_env_disk(sim)) > changes);
    assert_int_equal(handles.n, 0);
    write_handles_deinit(&handles);
    sim_env_free(sim);
}

TEST(faults_are_reported)
{
    for (uint64_t n = 0; n < 3; n++) { /* the first file's sync, the second's, the directory's */
        struct sim_env *sim = sim_env_new(1);
        struct write_handles handles;
        struct env_file *file;
        write_handles_init(&handles, sim_env_get(sim), NULL);
        assert_int_equal(write_handles_take(&handles, 1, "no/such", &file), -ENOENT);
        write_one(&handles, 1, "a");
        write_one(&handles, 2, "b");
        sim_disk_fail(sim_env_disk(sim), SIM_OP_SYNC, n, -EIO, false);
        assert_int_equal(write_handles_sync(&handles, ""), -EIO);
        write_handles_deinit(&handles);
        sim_env_free(sim);
    }
}

/* Who syncs next, for another reason, must not take what failed for durable: a kernel tells of a
 * page that it could not write once. */
TEST(after_a_sync_that_failed_none_succeeds)
{
    for (uint64_t n = 0; n < 2; n++) {
        struct sim_env *sim = sim_env_new(1);
        struct write_handles handles;
        write_handles_init(&handles, sim_env_get(sim), NULL);
        write_one(&handles, 1, "a");
        sim_disk_fail(sim_env_disk(sim), SIM_OP_SYNC, n, -ENOSPC, false);
        assert_int_equal(write_handles_sync(&handles, ""), -ENOSPC);
        assert_int_equal(write_handles_sync(&handles, ""), -ENOSPC);
        write_one(&handles, 2, "b");
        assert_int_equal(write_handles_sync(&handles, ""), -ENOSPC);
        write_handles_deinit(&handles);
        sim_env_free(sim);
    }
}

/* -- Two at once ------------------------------------------------------------------------------- */

/* A disk whose first sync lasts until it is let go. */
struct slow_disk {
    struct env env;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct write_handles handles;
    bool has_begun, may_end;
    int n_ended; /* syncs of the table */
};

static int open_any(void *ctx, const char *path, int flags, struct env_file **out)
{
    (void)path;
    (void)flags;
    *out = ctx; /* nobody looks into it */
    return 0;
}

static void close_any(void *ctx, struct env_file *file)
{
    (void)ctx;
    (void)file;
}

static int sync_slowly(void *ctx, struct env_file *file)
{
    struct slow_disk *disk = ctx;
    (void)file;
    pthread_mutex_lock(&disk->mutex);
    disk->has_begun = true;
    pthread_cond_broadcast(&disk->changed);
    while (!disk->may_end)
        pthread_cond_wait(&disk->changed, &disk->mutex);
    pthread_mutex_unlock(&disk->mutex);
    return 0;
}

static int sync_names(void *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    return 0;
}

static void *sync_in_thread(void *arg)
{
    struct slow_disk *disk = arg;
    int error = write_handles_sync(&disk->handles, "");
    pthread_mutex_lock(&disk->mutex);
    disk->n_ended += error == 0;
    pthread_mutex_unlock(&disk->mutex);
    return NULL;
}

/* A flush and an acknowledgement sync in jobs of their own: what one has under way is not durable
 * for the other yet. */
TEST(a_second_sync_waits_for_the_first)
{
    struct slow_disk disk = {.env.files = {.ctx = &disk,
                                           .open = open_any,
                                           .close = close_any,
                                           .sync = sync_slowly,
                                           .sync_dir = sync_names},
                             .mutex = PTHREAD_MUTEX_INITIALIZER,
                             .changed = PTHREAD_COND_INITIALIZER};
    struct env_file *file;
    pthread_t first, second;
    write_handles_init(&disk.handles, &disk.env, NULL);
    assert_int_equal(write_handles_take(&disk.handles, 1, "a", &file), 0);
    write_handles_give(&disk.handles, 1, true);
    assert_int_equal(pthread_create(&first, NULL, sync_in_thread, &disk), 0);
    pthread_mutex_lock(&disk.mutex);
    while (!disk.has_begun)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
    assert_int_equal(pthread_create(&second, NULL, sync_in_thread, &disk), 0);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* it had time to go past */
    pthread_mutex_lock(&disk.mutex);
    assert_int_equal(disk.n_ended, 0);
    disk.may_end = true;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.mutex);
    assert_int_equal(pthread_join(first, NULL), 0);
    assert_int_equal(pthread_join(second, NULL), 0);
    assert_int_equal(disk.n_ended, 2);
    write_handles_deinit(&disk.handles);
}
