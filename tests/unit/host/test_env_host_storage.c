/* test_env_host_storage.c - coins and block files with real threads, files and LevelDB.
 *
 * What unit tests show on a simulated machine must hold here too. For the tsan preset as well. */
#include "chain/coins/coins.h"
#include "chain/core/store_format.h"
#include "chain/disk/block_file.h"
#include "host/env_host.h"
#include "host/loop.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/crc32c.h"

enum { N_COINS = 2000, N_STEPS = 40000, CACHE_BYTES = 300000, BATCH_BYTES = 20000 };

struct setting {
    struct env_host *host;
    const struct env *env;
    char dir[64];
};

static int setup(void **state)
{
    struct setting *s = xcalloc(1, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/cairn-storage-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->host = env_host_new(2);
    assert_non_null(s->host);
    s->env = env_host_env(s->host);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct setting *s = *state;
    assert_int_equal(env_remove(s->env, s->dir), 0); /* the test has emptied it */
    env_host_free(s->host);
    xfree(s);
    return 0;
}

FIXTURE(setup, teardown)

struct run {
    struct setting *s;
    struct coins *coins;
    uint64_t random;
    int64_t value[N_COINS]; /* 0: not unspent */
    bool is_flushing;
    int flushes, flush_error;
    struct coins_read read;
    struct outpoint read_outpoints[16];
    bool read_absent[16];
    bool reading;
    int reads;
};

static uint32_t draw(struct run *run, uint32_t n)
{
    run->random = run->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(run->random >> 33) % n;
}

static struct outpoint outpoint_of(uint32_t number)
{
    struct outpoint outpoint = {.vout = number};
    memset(outpoint.txid.b, (int)(number % 251), 32);
    return outpoint;
}

static void on_flushed(void *arg, int error)
{
    struct run *run = arg;
    run->is_flushing = false;
    run->flushes++;
    run->flush_error |= error;
}

static void on_read(struct coins_read *read)
{
    struct run *run = (struct run *)(void *)((uint8_t *)read - offsetof(struct run, read));
    assert_int_equal(read->error, 0);
    run->reading = false;
    run->reads++;
}

static void start_read(struct run *run)
{
    if (run->reading)
        return;
    for (size_t i = 0; i < COUNT_OF(run->read_outpoints); i++)
        run->read_outpoints[i] = outpoint_of(draw(run, N_COINS));
    run->read = (struct coins_read){.outpoints = run->read_outpoints,
                                    .absent = run->read_absent,
                                    .n = COUNT_OF(run->read_outpoints),
                                    .done = on_read};
    run->reading = true;
    coins_read_start(run->coins, &run->read, ENV_PRIORITY_HIGH);
}

static void check_coin(struct run *run, uint32_t number)
{
    struct outpoint outpoint = outpoint_of(number);
    struct arena arena;
    struct coin coin = {0};
    arena_init(&arena, 100);
    int found = coins_get(run->coins, &outpoint, &arena, &coin);
    assert_int_equal(found, run->value[number] != 0);
    if (found)
        assert_int_equal(coin.value_sat, run->value[number]);
    arena_deinit(&arena);
}

static void step(struct run *run, int64_t now)
{
    uint32_t number = draw(run, N_COINS), what = draw(run, 100);
    struct outpoint outpoint = outpoint_of(number);
    uint64_t hash = coins_hash(coins_hash_key(run->coins), &outpoint);
    check_coin(run, number);
    if (what < 45 && run->value[number]) {
        coins_spend(run->coins, &outpoint, hash);
        run->value[number] = 0;
    } else if (what < 80 && !run->value[number]) {
        struct coin coin = {.value_sat = now, .script_pubkey = span_of("script", what % 7)};
        coins_add(run->coins, &outpoint, hash, &coin, false);
        run->value[number] = now;
    } else if (what < 90) {
        start_read(run);
    } else if (what < 91 && !run->is_flushing) {
        struct block_hash tip = {{(uint8_t)now}};
        run->is_flushing = true;
        coins_flush_start(run->coins, &tip, on_flushed, run);
    } else {
        coins_turn(run->coins);
        loop_run_once(env_host_loop(run->s->host), false);
    }
}

static bool count_coin(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct run *run = arg;
    assert_int_equal(coin->value_sat, run->value[outpoint->vout]);
    run->reads++;
    return true;
}

TEST(coins_agree_with_an_array_while_threads_read_and_flush, struct setting *s)
{
    struct run *run = xcalloc(1, sizeof *run);
    struct coins_options options = {
        .cache_bytes = CACHE_BYTES, .store_cache_bytes = 1 << 20, .flush_batch_bytes = BATCH_BYTES};
    char *path = xasprintf("%s/chainstate", s->dir), *error;
    run->s = s;
    assert_int_equal(coins_open(s->env, NULL, path, &options, &run->coins, &error), 0);
    for (int64_t now = 1; now <= N_STEPS; now++)
        step(run, now);
    while (run->is_flushing || run->reading)
        loop_run_once(env_host_loop(s->host), true);
    assert_int_equal(run->flush_error, 0);
    assert_true(run->flushes > 0); /* how many depends on the load of the machine */
    assert_true(run->reads > 5);
    struct block_hash tip = {{1}};
    run->is_flushing = true;
    coins_flush_start(run->coins, &tip, on_flushed, run);
    while (run->is_flushing)
        loop_run_once(env_host_loop(s->host), true);
    coins_close(run->coins);
    assert_int_equal(coins_open(s->env, NULL, path, &options, &run->coins, &error), 0);
    run->reads = 0;
    assert_int_equal(coins_scan_snapshot(run->coins, coins_snapshot(run->coins), count_coin, run),
                     0);
    for (uint32_t i = 0; i < N_COINS; i++)
        run->reads -= run->value[i] != 0;
    assert_int_equal(run->reads, 0);
    assert_true(coins_store_bytes(run->coins) > 0);
    coins_close(run->coins);
    assert_int_equal(env_kv_destroy(s->env, path), 0);
    char *mark = xasprintf("%s/" STORE_FORMAT_FILE, path); /* stays, and so does the folder */
    assert_int_equal(env_remove(s->env, mark), 0);
    assert_int_equal(env_remove(s->env, path), 0);
    xfree(mark);
    xfree(path);
    xfree(run);
}

/* -- block files ------------------------------------------------------------------------------ */

enum { N_BLOCKS = 200, BLOCK_BYTES = 30000 };

struct writing {
    struct env_job job;
    struct block_files *files;
    struct file_pos pos;
    uint8_t *raw;
    int error, *left;
    bool sync;
};

static void writing_run(struct env_job *job)
{
    struct writing *w = (struct writing *)(void *)job;
    w->error = block_files_write(w->files, &w->pos, span_of(w->raw, w->pos.len));
    if (!w->error && w->sync)
        w->error = block_files_sync(w->files);
}

static void writing_done(struct env_job *job)
{
    struct writing *w = (struct writing *)(void *)job;
    assert_int_equal(w->error, 0);
    --*w->left;
}

TEST(block_files_take_writes_and_syncs_of_several_threads, struct setting *s)
{
    static const uint8_t magic[4] = {9, 8, 7, 6};
    struct block_files *files;
    struct writing *writes = xcalloc(N_BLOCKS, sizeof *writes);
    char *error, *dir = xasprintf("%s/blocks", s->dir);
    int left = N_BLOCKS;
    assert_int_equal(block_files_open(s->env, NULL, dir, magic, NULL, 0, &files, &error), 0);
    for (uint32_t i = 0; i < N_BLOCKS; i++) {
        struct writing *w = &writes[i];
        *w = (struct writing){.job = {.run = writing_run, .done = writing_done},
                              .files = files,
                              .left = &left,
                              .sync = i % 10 == 0};
        w->raw = xmalloc(BLOCK_BYTES);
        memset(w->raw, (int)i, BLOCK_BYTES);
        w->pos = block_files_alloc(files, BLOCK_BYTES - i, (int32_t)i, i);
        w->pos.crc32c = crc32c(0, w->raw, w->pos.len);
        env_job_submit(s->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &w->job);
    }
    while (left > 0)
        loop_run_once(env_host_loop(s->host), true);
    for (uint32_t i = 0; i < N_BLOCKS; i++) {
        uint8_t *raw;
        assert_int_equal(block_files_read(files, &writes[i].pos, &raw), 0);
        assert_memory_equal(raw, writes[i].raw, writes[i].pos.len);
        xfree(raw);
        xfree(writes[i].raw);
    }
    assert_int_equal(block_files_remove(files, &(size_t){0}, 1), 0);
    block_files_close(files);
    assert_int_equal(env_remove(s->env, dir), 0);
    xfree(dir);
    xfree(writes);
}
