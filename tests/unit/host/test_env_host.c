/* test_env_host.c - the assembled world: every function is there and reaches its module. */
#include "host/env_host.h"
#include "host/loop.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/buffer.h"

static int setup(void **state)
{
    *state = env_host_new(3);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    env_host_free(*state);
    return 0;
}

FIXTURE(setup, teardown)

TEST(no_function_is_missing, struct env_host *host)
{
    const struct env *env = env_host_env(host);
    /* It is pointers throughout: functions, and contexts where a part needs one. */
    void *words[offsetof(struct env, streams) / sizeof(void *) +
                sizeof env->streams / sizeof(void *)];
    memcpy(words, env, sizeof words);
    size_t n_null = 0;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        n_null += !words[i];
    assert_null(env->random.ctx);
    assert_null(env->files.ctx);
    assert_null(env->store.ctx);
    assert_int_equal(n_null, 3); /* these, and no function */
    assert_int_equal(env_compute_threads(env), 3);
}

TEST(random_bytes_differ, struct env_host *host)
{
    const struct env *env = env_host_env(host);
    uint8_t a[32] = {0}, b[32] = {0}, zero[32] = {0};
    env_random(env, a, sizeof a);
    env_random(env, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, zero, sizeof a);
    env_random(env, a, 0);
}

struct probe {
    struct env_job job;
    struct env_host *host;
    bool ran, done;
    int fired;
};

static void probe_run(struct env_job *job)
{
    ((struct probe *)job)->ran = true;
}

static void probe_done(struct env_job *job)
{
    struct probe *probe = (struct probe *)job;
    probe->done = true;
    loop_stop(env_host_loop(probe->host));
}

static void fired(void *arg)
{
    struct probe *probe = arg;
    const struct env *env = env_host_env(probe->host);
    probe->fired++;
    env_job_submit(env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &probe->job);
}

TEST(timers_and_jobs_work_through_the_table, struct env_host *host)
{
    const struct env *env = env_host_env(host);
    struct probe probe = {.job = {.run = probe_run, .done = probe_done}, .host = host};
    int64_t began_us = env_now_us(env);
    uint64_t cancelled = env_timer_start(env, 0, fired, &probe);
    env_timer_cancel(env, cancelled);
    env_timer_start(env, 1000, fired, &probe);
    loop_run(env_host_loop(host));
    assert_int_equal(probe.fired, 1);
    assert_true(probe.ran && probe.done);
    assert_true(env_now_us(env) - began_us >= 1000);
    assert_true(env_unix_s(env) > 1700000000);
}

TEST(stopping_the_jobs_cancels_what_waits, struct env_host *host)
{
    const struct env *env = env_host_env(host);
    struct probe probe = {.job = {.run = probe_run, .done = probe_done}, .host = host};
    env_job_submit(env, ENV_POOL_COMPUTE, ENV_PRIORITY_LOW, &probe.job);
    env_job_cancel(env, &probe.job);
    env_host_stop_jobs(host);
    assert_true(probe.done);
    assert_int_equal(probe.ran, !probe.job.cancelled);
}

TEST(files_and_store_work_through_the_table, struct env_host *host)
{
    const struct env *env = env_host_env(host);
    struct temp_dir dir;
    temp_dir_make(&dir);
    struct env_kv *kv = NULL;
    const struct env_kv_options options = {.cache_bytes = 1 << 16};
    assert_int_equal(env_kv_open(env, temp_path(&dir, "db"), &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of_string("k"), span_of_string("v"));
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    struct buffer out;
    buffer_init(&out);
    assert_int_equal(env_kv_get(env, kv, span_of_string("k"), &out), 0);
    assert_int_equal(out.len, 1);
    buffer_deinit(&out);
    env_kv_close(env, kv);
    assert_true(env_free_bytes(env, dir.path) > 0);
    temp_dir_remove(&dir);
}
