/* test_sim_env.c - the simulated world as a struct env. */
#include "sim/sim_env.h"
#include "support/unit.h"

static void count(void *arg)
{
    ++*(int *)arg;
}

TEST(clocks_and_timers_follow_virtual_time)
{
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    int fired = 0;
    int64_t start_us = env_now_us(env), start_s = env_unix_s(env);
    env_timer_start(env, 5000000, count, &fired);
    env_timer_cancel(env, env_timer_start(env, 1, count, &fired));
    sim_env_run_for(sim, 4999999);
    assert_int_equal(fired, 0);
    sim_env_run_for(sim, 1);
    assert_int_equal(fired, 1);
    assert_int_equal(env_now_us(env) - start_us, 5000000);
    assert_int_equal(env_unix_s(env) - start_s, 5);
    sim_env_set_unix_s(sim, 42);
    sim_env_run_for(sim, 2000000);
    assert_int_equal(env_unix_s(env), 44);
    sim_env_free(sim);
}

struct sum {
    struct env_job job;
    int in, out;
    bool done;
};

static void sum_run(struct env_job *job)
{
    struct sum *sum = (struct sum *)(void *)job;
    sum->out = sum->in + 1;
}

static void sum_done(struct env_job *job)
{
    ((struct sum *)(void *)job)->done = true;
}

TEST(run_until_idle_completes_all_jobs_and_leaves_later_timers)
{
    struct sim_env *sim = sim_env_new(2);
    const struct env *env = sim_env_get(sim);
    struct sum sums[20];
    int fired = 0;
    env_timer_start(env, INT64_C(3600000000), count, &fired);
    for (int i = 0; i < 20; i++) {
        sums[i] = (struct sum){.job = {.run = sum_run, .done = sum_done}, .in = i};
        env_job_submit(env, i % 2 ? ENV_POOL_COMPUTE : ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL,
                       &sums[i].job);
    }
    sim_env_run_until_idle(sim);
    for (int i = 0; i < 20; i++) {
        assert_true(sums[i].done);
        assert_int_equal(sums[i].out, i + 1);
    }
    assert_int_equal(fired, 0);
    assert_true(env_compute_threads(env) >= 1);
    sim_env_free(sim);
}

TEST(the_same_seed_gives_the_same_world)
{
    uint8_t bytes[3][16];
    static const uint64_t seeds[] = {5, 5, 6};
    for (int i = 0; i < 3; i++) {
        struct sim_env *sim = sim_env_new(seeds[i]);
        const struct env *env = sim_env_get(sim);
        env_random(env, bytes[i], sizeof bytes[i]);
        sim_env_free(sim);
    }
    assert_memory_equal(bytes[0], bytes[1], sizeof bytes[0]);
    assert_memory_not_equal(bytes[0], bytes[2], sizeof bytes[0]);
}

TEST(a_crash_makes_a_second_machine_with_what_was_synced)
{
    struct sim_env *sim = sim_env_new(3);
    const struct env *env = sim_env_get(sim);
    struct env_file *file;
    assert_int_equal(env_make_dir(env, "d"), 0);
    assert_int_equal(env_file_open(env, "d/f", ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, "synced", 6), 0);
    assert_int_equal(env_file_sync(env, file), 0);
    assert_int_equal(env_sync_dir(env, "d"), 0);
    assert_int_equal(env_file_write_at(env, file, 6, "lost", 4), 0);
    struct sim_env *after = sim_env_crash(sim, SIM_CRASH_LOST, 9);
    env_file_close(env, file);
    sim_env_free(sim);

    env = sim_env_get(after);
    char b[16];
    assert_int_equal(env_file_open(env, "d/f", ENV_OPEN_READ, &file), 0);
    assert_int_equal(env_file_read_at(env, file, 0, b, sizeof b), 6);
    assert_memory_equal(b, "synced", 6);
    assert_int_equal(env_file_size(env, file), 6);
    env_file_close(env, file);
    sim_env_free(after);
}
