/* test_mempool_file.c - the mempool in a file, whole, old, damaged. */
#include <errno.h>

#include "mempool/mempool_file.h"
#include "mempool/mempool_internal.h"
#include "sim/sim_random.h"
#include "support/chain_inside.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/read_file.h"

#define PATH "regtest/mempool.dat"

static const struct mempool_load_options all_of_it;

struct answer {
    bool is_done;
    int error;
    struct mempool_load load;
};

static void saved(void *arg, int error)
{
    *(struct answer *)arg = (struct answer){.is_done = true, .error = error};
}

static void loaded(void *arg, const struct mempool_load *load)
{
    *(struct answer *)arg = (struct answer){.is_done = true, .load = *load};
}

static int save(struct mempool_rig *rig)
{
    struct answer answer = {0};
    mempool_file_save(rig->pool, PATH, saved, &answer);
    rig_wait(&rig->chain, &answer.is_done);
    return answer.error;
}

static struct mempool_load load(struct mempool_rig *rig)
{
    struct answer answer = {0};
    mempool_file_load(rig->pool, PATH, &all_of_it, loaded, &answer);
    assert_false(answer.is_done);
    rig_wait(&rig->chain, &answer.is_done);
    mempool_verify(rig->pool);
    return answer.load;
}

/* Put another file there. */
static void put_file(struct mempool_rig *rig, const void *bytes, size_t len)
{
    const struct env *env = sim_env_get(rig->chain.sim);
    struct env_file *file;
    int flags = ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE;
    assert_int_equal(env_file_open(env, PATH, flags, &file), 0);
    assert_int_equal(env_file_write_at(env, file, 0, bytes, len), 0);
    env_file_close(env, file);
}

/* A new mempool on the same chain. */
static void start_anew(struct mempool_rig *rig)
{
    struct mempool_options options = mempool_default_options();
    mempool_rig_settle(rig);
    mempool_free(rig->pool);
    rig->pool = mempool_new(sim_env_get(rig->chain.sim), NULL, rig->chain.chain, &options, NULL);
}

enum { N = 100 };

/* Pairs of a parent and a child; some with deltas. */
static struct mempool_rig *filled_rig(struct tx tx[N])
{
    struct mempool_rig *rig = mempool_rig_new(3, 160, NULL);
    for (int i = 0; i < N; i += 2) {
        struct builder_coin coin = mempool_rig_coin(rig, i / 2 + 1);
        tx[i] = mempool_rig_spend(rig, &coin, 1, 1, 3000 + i);
        coin = mempool_rig_output(&tx[i], 0);
        tx[i + 1] = mempool_rig_spend(rig, &coin, 1, 1, 5000);
        struct mempool_rig_answer answer =
            mempool_rig_answer(rig, &tx[i], i % 4 ? 0 : MEMPOOL_LOCAL, 0);
        assert_reject(answer.verdict.code, REJECT_NONE);
        assert_reject(mempool_rig_add(rig, &tx[i + 1]), REJECT_NONE);
    }
    mempool_prioritise(rig->pool, &tx[3].txid, -4500);
    mempool_prioritise(rig->pool, &tx[0].in[0].prevout.txid, 77); /* of one that is not here */
    return rig;
}

TEST(what_was_saved_comes_back)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    int64_t time_s = mempool_find(rig->pool, &tx[0].txid)->time_s;
    assert_int_equal(save(rig), 0);
    mempool_rig_advance_s(rig, 1000);
    start_anew(rig);
    struct mempool_load result = load(rig);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.n_taken, N);
    assert_int_equal(result.n_refused + result.n_expired, 0);
    for (int i = 0; i < N; i++) {
        const struct mempool_entry *entry = mempool_find(rig->pool, &tx[i].txid);
        assert_non_null(entry);
        assert_int_equal(entry->time_s, time_s);
        assert_int_equal(entry->is_unbroadcast, i % 4 == 0);
    }
    assert_int_equal(mempool_find(rig->pool, &tx[3].txid)->modified_fee_sat, 500);
    assert_int_equal(mempool_delta_sat(rig->pool, &tx[0].in[0].prevout.txid), 77);
    assert_int_equal(mempool_unbroadcast_count(rig->pool), N / 4);
    mempool_rig_free(rig);
}

TEST(what_is_too_old_or_mined_is_left_out)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    assert_int_equal(save(rig), 0);
    mempool_rig_mine(rig, tx, 2);
    start_anew(rig);
    struct mempool_load result = load(rig);
    assert_int_equal(result.n_taken, N - 2);
    assert_int_equal(result.n_refused, 2);
    mempool_rig_advance_s(rig, mempool_options_of(rig->pool)->expiry_s);
    start_anew(rig);
    result = load(rig);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.n_expired, N);
    assert_int_equal(mempool_count(rig->pool), 0);
    mempool_rig_free(rig);
}

TEST(an_empty_mempool_is_a_small_file)
{
    struct mempool_rig *rig = mempool_rig_new(3, 1, NULL);
    assert_int_equal(load(rig).error, -ENOENT);
    assert_int_equal(save(rig), 0);
    struct mempool_load result = load(rig);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.n_taken, 0);
    mempool_rig_free(rig);
}

static void get_file(struct mempool_rig *rig, struct buffer *out)
{
    buffer_init(out);
    assert_int_equal(read_file(sim_env_get(rig->chain.sim), PATH, 1 << 20, out), 0);
}

/* Core's form since v27: everything behind the key is combined with it by its place in the file. */
TEST(a_file_has_a_key_that_is_new_each_time)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    struct buffer first, second, plain, keyed;
    assert_int_equal(save(rig), 0);
    get_file(rig, &first);
    assert_int_equal(save(rig), 0);
    get_file(rig, &second);
    static const uint8_t head[] = {2, 0, 0, 0, 0, 0, 0, 0, 8};
    assert_memory_equal(first.p, head, sizeof head);
    assert_memory_equal(second.p, head, sizeof head);
    assert_memory_not_equal(first.p + 9, second.p + 9, 8);
    buffer_init(&plain);
    mempool_file_encode(rig->pool, NULL, &plain);
    assert_int_equal(first.len, plain.len + 9);
    for (size_t at = 17; at < first.len; at++)
        assert_int_equal(first.p[at] ^ first.p[9 + at % 8], plain.p[at - 9]);
    buffer_init(&keyed);
    mempool_file_encode(rig->pool, second.p + 9, &keyed);
    assert_int_equal(keyed.len, second.len);
    assert_memory_equal(keyed.p, second.p, second.len);
    start_anew(rig);
    assert_int_equal(load(rig).n_taken, N);
    buffer_deinit(&first);
    buffer_deinit(&second);
    buffer_deinit(&plain);
    buffer_deinit(&keyed);
    mempool_rig_free(rig);
}

TEST(the_older_form_has_none)
{
    struct mempool_options options = mempool_default_options();
    options.persist_without_key = true;
    struct mempool_rig *rig = mempool_rig_new(3, 101, &options);
    struct tx tx = mempool_rig_pay(rig, 1, 1, 3000);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    assert_int_equal(save(rig), 0);
    struct buffer file;
    get_file(rig, &file);
    static const uint8_t head[] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    assert_memory_equal(file.p, head, sizeof head);
    assert_memory_equal(file.p + sizeof head, tx.raw.p, tx.raw.len);
    buffer_deinit(&file);
    start_anew(rig);
    assert_int_equal(load(rig).n_taken, 1);
    mempool_rig_free(rig);
}

/* Two transactions, the first with a delta; a delta of one that is not there; the second not
 * broadcast. As Core's DumpMempool() lays it out, written by hand. */
static void put_handmade_file(struct mempool_rig *rig, const struct tx *a, const struct tx *b,
                              int64_t time_s)
{
    struct buffer file;
    buffer_init(&file);
    struct writer w = writer_to_growing(&file);
    write_u64(&w, 1);
    write_u64(&w, 2);
    write_span(&w, a->raw);
    write_u64(&w, (uint64_t)time_s);
    write_u64(&w, 500);
    write_span(&w, b->raw);
    write_u64(&w, (uint64_t)time_s);
    write_u64(&w, 0);
    write_compact_size(&w, 1);
    write_bytes(&w, a->in[0].prevout.txid.b, 32);
    write_u64(&w, (uint64_t)-7);
    write_compact_size(&w, 2);
    write_bytes(&w, b->txid.b, 32);
    write_bytes(&w, a->in[0].prevout.txid.b, 32);
    put_file(rig, file.p, file.len);
    buffer_deinit(&file);
}

static struct mempool_load load_with(struct mempool_rig *rig,
                                     const struct mempool_load_options *options)
{
    struct answer answer = {0};
    mempool_file_load(rig->pool, PATH, options, loaded, &answer);
    rig_wait(&rig->chain, &answer.is_done);
    return answer.load;
}

/* Spec: Core importmempool */
TEST(what_of_a_file_counts_can_be_chosen)
{
    for (int wish = 0; wish < 8; wish++) {
        struct mempool_rig *rig = mempool_rig_new(3, 110, NULL);
        struct tx a = mempool_rig_pay(rig, 1, 1, 3000), b = mempool_rig_pay(rig, 2, 1, 3000);
        mempool_rig_advance_s(rig, 5000);
        int64_t now_s = env_unix_s(sim_env_get(rig->chain.sim));
        put_handmade_file(rig, &a, &b, now_s - 4000);
        mempool_prioritise(rig->pool, &a.txid, 11);
        struct mempool_load_options options = {.uses_current_time = wish & 1,
                                               .leaves_deltas = wish & 2,
                                               .leaves_unbroadcast = wish & 4};
        struct mempool_load result = load_with(rig, &options);
        assert_int_equal(result.error, 0);
        assert_int_equal(result.n_taken, 2);
        int64_t time_s = mempool_find(rig->pool, &a.txid)->time_s;
        assert_true(wish & 1 ? time_s >= now_s : time_s == now_s - 4000);
        assert_int_equal(mempool_delta_sat(rig->pool, &a.txid), wish & 2 ? 11 : 511);
        assert_int_equal(mempool_delta_sat(rig->pool, &a.in[0].prevout.txid), wish & 2 ? 0 : -7);
        assert_int_equal(mempool_find(rig->pool, &b.txid)->is_unbroadcast, !(wish & 4));
        assert_int_equal(mempool_unbroadcast_count(rig->pool), wish & 4 ? 0 : 1);
        mempool_rig_free(rig);
    }
}

/* Only where the file is of who had it all, and only those: what is in the file may be others. */
TEST(scripts_that_are_known_to_hold_are_not_run_again)
{
    static const struct mempool_load_options was_here = {.was_here = true};
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    assert_int_equal(save(rig), 0);
    mempool_empty(rig->pool);
    assert_int_equal(load(rig).n_run, N);
    mempool_empty(rig->pool);
    struct mempool_load result = load_with(rig, &was_here);
    assert_int_equal(result.n_taken, N);
    assert_int_equal(result.n_run, 0);
    mempool_verify(rig->pool);
    mempool_empty(rig->pool);
    struct tx other = mempool_rig_pay(rig, 1, 2, 9000);
    put_handmade_file(rig, &tx[2], &other, env_unix_s(sim_env_get(rig->chain.sim)));
    result = load_with(rig, &was_here);
    assert_int_equal(result.n_taken, 2);
    assert_int_equal(result.n_run, 1);
    mempool_rig_free(rig);
}

TEST(with_the_current_time_nothing_is_too_old)
{
    struct mempool_rig *rig = mempool_rig_new(3, 110, NULL);
    struct tx a = mempool_rig_pay(rig, 1, 1, 3000), b = mempool_rig_pay(rig, 2, 1, 3000);
    int64_t now_s = env_unix_s(sim_env_get(rig->chain.sim));
    int64_t expiry_s = mempool_options_of(rig->pool)->expiry_s;
    put_handmade_file(rig, &a, &b, now_s - expiry_s - 1);
    assert_int_equal(load(rig).n_expired, 2);
    struct mempool_load_options options = {.uses_current_time = true};
    assert_int_equal(load_with(rig, &options).n_taken, 2);
    mempool_rig_free(rig);
}

/* Until the file of the start was tried nothing may be saved in its place; another one that is
 * loaded meanwhile, or later, is no hindrance. */
TEST(the_file_of_the_start_is_expected_until_it_was_tried)
{
    struct mempool_rig *rig = mempool_rig_new(3, 110, NULL);
    assert_false(mempool_file_is_expected(rig->pool));
    assert_int_equal(save(rig), 0);
    mempool_file_expect(rig->pool);
    assert_int_equal(load(rig).error, 0);
    assert_true(mempool_file_is_expected(rig->pool));
    struct mempool_load_options expected = {.is_expected = true};
    assert_int_equal(load_with(rig, &expected).error, 0);
    assert_false(mempool_file_is_expected(rig->pool));
    mempool_file_expect(rig->pool);
    put_file(rig, "damaged", 7);
    assert_int_equal(load_with(rig, &expected).error, -EUCLEAN);
    assert_false(mempool_file_is_expected(rig->pool));
    struct answer answer = {0};
    mempool_file_load(rig->pool, PATH, &all_of_it, loaded, &answer);
    assert_false(mempool_file_is_expected(rig->pool));
    rig_wait(&rig->chain, &answer.is_done);
    mempool_rig_free(rig);
}

/* hazards row 79: a damaged file never stops anything. */
TEST(damaged_files_are_given_up)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    struct sim_random random = sim_random_of(1, 1);
    struct buffer bytes;
    buffer_init(&bytes);
    mempool_file_encode(rig->pool, NULL, &bytes);
    for (int i = 0; i < 60; i++) {
        put_file(rig, bytes.p, sim_random_below(&random, bytes.len));
        start_anew(rig);
        struct mempool_load result = load(rig);
        assert_int_equal(result.error, -EUCLEAN);
        assert_true(result.n_taken < N || result.n_taken == mempool_count(rig->pool));
    }
    for (int i = 0; i < 200; i++) {
        uint8_t *copy = xmemdup(bytes.p, bytes.len);
        for (int k = 0; k < 3; k++)
            copy[sim_random_below(&random, bytes.len)] ^= (uint8_t)(1u << (k + i % 6));
        put_file(rig, copy, bytes.len);
        xfree(copy);
        start_anew(rig);
        struct mempool_load result = load(rig);
        assert_true(result.error == 0 || result.error == -EUCLEAN);
    }
    uint8_t version[16] = {3};
    put_file(rig, version, sizeof version);
    assert_int_equal(load(rig).error, -EUCLEAN);
    buffer_deinit(&bytes);
    mempool_rig_free(rig);
}

/* A block is taken back: its transaction waits to be put back, and the file has one that spends
 * it. The load begins when it waits already, or is amid its work. */
TEST(what_spends_a_block_that_is_taken_back_comes_back_too)
{
    for (int n_steps = 0; n_steps < 60; n_steps++) {
        struct mempool_rig *rig = mempool_rig_new(3, 160, NULL);
        struct builder_coin coin = mempool_rig_coin(rig, 1);
        struct tx parent = mempool_rig_spend(rig, &coin, 1, 1, 3000);
        const struct built_block *block = mempool_rig_mine(rig, &parent, 1);
        coin = mempool_rig_output(&parent, 0);
        struct tx child = mempool_rig_spend(rig, &coin, 1, 1, 3000);
        coin = mempool_rig_output(&child, 0);
        struct tx grandchild = mempool_rig_spend(rig, &coin, 1, 1, 3000);
        assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
        assert_reject(mempool_rig_add(rig, &grandchild), REJECT_NONE);
        assert_int_equal(save(rig), 0);
        start_anew(rig);
        struct answer answer = {0};
        if (n_steps > 0)
            mempool_file_load(rig->pool, PATH, &all_of_it, loaded, &answer);
        for (int i = 1; i < n_steps; i++)
            (void)sim_env_step(rig->chain.sim);
        assert_int_equal(rig_invalidate(&rig->chain, block).code, REJECT_NONE);
        if (n_steps == 0)
            mempool_file_load(rig->pool, PATH, &all_of_it, loaded, &answer);
        rig_wait(&rig->chain, &answer.is_done);
        mempool_rig_settle(rig);
        assert_int_equal(answer.load.n_taken, 2);
        assert_int_equal(answer.load.n_refused, 0);
        assert_true(mempool_rig_has(rig, &parent) && mempool_rig_has(rig, &child));
        assert_true(mempool_rig_has(rig, &grandchild));
        mempool_verify(rig->pool);
        mempool_rig_free(rig);
    }
}

/* What a reorganisation took out is not an entry until it is put back; a stop, or a savemempool,
 * meanwhile must not forget it. */
TEST(what_waits_to_be_put_back_is_saved)
{
    for (int n_steps = 0; n_steps < 40; n_steps++) {
        struct mempool_rig *rig = mempool_rig_new(3, 160, NULL);
        struct builder_coin coin = mempool_rig_coin(rig, 1), other = mempool_rig_coin(rig, 2);
        struct tx mined = mempool_rig_spend(rig, &coin, 1, 1, 3000);
        struct tx entry = mempool_rig_spend(rig, &other, 1, 1, 3000);
        const struct built_block *block = mempool_rig_mine(rig, &mined, 1);
        struct builder_coin coins[] = {mempool_rig_output(&mined, 0),
                                       mempool_rig_output(&entry, 0)};
        struct tx both = mempool_rig_spend(rig, coins, 2, 1, 3000);
        assert_reject(mempool_rig_add(rig, &entry), REJECT_NONE);
        assert_reject(mempool_rig_answer(rig, &both, MEMPOOL_LOCAL, 0).verdict.code, REJECT_NONE);
        mempool_prioritise(rig->pool, &both.txid, 77);
        assert_int_equal(rig_invalidate(&rig->chain, block).code, REJECT_NONE);
        assert_false(mempool_rig_has(rig, &both));
        if (n_steps > 0)
            sim_env_run_for(rig->chain.sim, 1000000); /* until they are put back */
        for (int i = 1; i < n_steps && mempool_pending(rig->pool) > 0; i++)
            (void)sim_env_step(rig->chain.sim);
        assert_int_equal(save(rig), 0);
        start_anew(rig);
        struct mempool_load result = load(rig);
        assert_int_equal(result.error, 0);
        assert_int_equal(result.n_taken, 3);
        assert_true(mempool_rig_has(rig, &mined) && mempool_rig_has(rig, &entry));
        assert_true(mempool_find(rig->pool, &both.txid)->is_unbroadcast);
        assert_int_equal(mempool_delta_sat(rig->pool, &both.txid), 77);
        mempool_rig_free(rig);
    }
}

static void note_closed(void *arg)
{
    *(bool *)arg = true;
}

TEST(closing_ends_a_load)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    assert_int_equal(save(rig), 0);
    start_anew(rig);
    struct answer answer = {0};
    bool is_closed = false;
    mempool_file_load(rig->pool, PATH, &all_of_it, loaded, &answer);
    while (mempool_pending(rig->pool) == 0)
        assert_true(sim_env_step(rig->chain.sim));
    mempool_close(rig->pool, note_closed, &is_closed);
    rig_wait(&rig->chain, &is_closed);
    assert_true(answer.is_done);
    assert_int_equal(answer.load.error, -ECANCELED);
    rig->pool->closing = false; /* so that the rig can close it as usual */
    mempool_rig_free(rig);
}

TEST(closing_ends_a_load_that_waits)
{
    struct mempool_rig *rig = mempool_rig_new(3, 160, NULL);
    struct builder_coin coin = mempool_rig_coin(rig, 1), other = mempool_rig_coin(rig, 2);
    struct tx mined = mempool_rig_spend(rig, &coin, 1, 1, 3000);
    struct tx kept = mempool_rig_spend(rig, &other, 1, 1, 3000);
    assert_reject(mempool_rig_add(rig, &kept), REJECT_NONE);
    assert_int_equal(save(rig), 0);
    start_anew(rig);
    const struct built_block *block = mempool_rig_mine(rig, &mined, 1);
    assert_int_equal(rig_invalidate(&rig->chain, block).code, REJECT_NONE);
    struct answer answer = {0};
    bool is_closed = false;
    mempool_file_load(rig->pool, PATH, &all_of_it, loaded, &answer);
    sim_env_run_for(rig->chain.sim, 200000);
    assert_false(answer.is_done);
    mempool_close(rig->pool, note_closed, &is_closed);
    rig_wait(&rig->chain, &is_closed);
    assert_true(answer.is_done);
    assert_int_equal(answer.load.error, -ECANCELED);
    rig->pool->closing = false; /* so that the rig can close it as usual */
    mempool_rig_free(rig);
}

/* A disk that fails: the file that was there before stays whole. */
TEST(a_failed_save_keeps_the_old_file)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    assert_int_equal(save(rig), 0);
    assert_int_equal(rig_flush(&rig->chain), 0); /* nothing but the file is left to be synced */
    unsigned n_failed = 0;
    for (uint64_t n = 1; n <= 4; n++) {
        unsigned ops = SIM_OP_WRITE | SIM_OP_SYNC | SIM_OP_OPEN | SIM_OP_NAMES;
        sim_disk_fail(sim_env_disk(rig->chain.sim), ops, n, -ENOSPC, false);
        int error = save(rig);
        assert_true(error == 0 || error == -ENOSPC);
        n_failed += error != 0;
        sim_disk_fail(sim_env_disk(rig->chain.sim), 0, 1, 0, false);
        start_anew(rig);
        assert_int_equal(load(rig).n_taken, N);
    }
    assert_true(n_failed >= 3); /* opening, writing, syncing */
    mempool_rig_free(rig);
}

TEST(a_saved_file_outlives_a_power_cut)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    assert_int_equal(save(rig), 0);
    struct sim_env *after = sim_env_crash(rig->chain.sim, SIM_CRASH_LOST, 1);
    const struct env *env = sim_env_get(after);
    struct buffer want;
    struct env_file *file;
    buffer_init(&want);
    static const uint8_t any_key[MEMPOOL_FILE_KEY_BYTES] = {1};
    mempool_file_encode(rig->pool, any_key, &want);
    assert_int_equal(env_file_open(env, PATH, ENV_OPEN_READ, &file), 0);
    assert_int_equal(env_file_size(env, file), want.len);
    env_file_close(env, file);
    buffer_deinit(&want);
    sim_env_free(after);
    mempool_rig_free(rig);
}

/* What is in a block left the file: so the block is durable before the file is. */
TEST(what_was_mined_before_a_save_outlives_a_power_cut)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    assert_int_equal(save(rig), 0);
    const struct built_block *block = mempool_rig_mine(rig, tx, 2);
    assert_int_equal(save(rig), 0);
    struct chain_rig after;
    rig_init(&after, sim_env_crash(rig->chain.sim, SIM_CRASH_LOST, 1), &rig->builder, NULL);
    rig_open(&after);
    rig_settle(&after);
    assert_true(rig_is_at(&after, block));
    rig_deinit(&after);
    mempool_rig_free(rig);
}

/* A block that cannot be written while the save waits for it: the save fails, and at once, since a
 * stop waits for it. */
TEST(a_save_amid_a_fault_ends)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    struct builder_spec spec = {.tx = tx, .n_tx = 2};
    const struct built_block *block = builder_block(&rig->builder, rig->tip, &spec);
    sim_disk_fail(sim_env_disk(rig->chain.sim), SIM_OP_WRITE, 0, -ENOSPC, true);
    rig_submit(&rig->chain, block);
    while (writes_of(rig->chain.chain)->pending[0] + writes_of(rig->chain.chain)->pending[1] == 0)
        assert_true(sim_env_step(rig->chain.sim));
    assert_int_equal(save(rig), -EIO);
    assert_int_equal(rig->chain.n_faults, 1);
    mempool_rig_free(rig);
}

/* -- While the node is busy -------------------------------------------------------------------- */

/* Somebody who asks again whenever he is answered, and so takes any place that becomes free. */
struct hog {
    struct mempool_rig *rig;
    struct tx tx;
    size_t n_answers;
};

static void on_hog_answer(void *arg, const struct mempool_result *result)
{
    struct hog *hog = arg;
    hog->n_answers++;
    if (mempool_count(hog->rig->pool) >= N / 10 || result->verdict.code == REJECT_MEMPOOL_BUSY)
        return;
    mempool_accept(hog->rig->pool, hog->tx.raw, MEMPOOL_TEST_ONLY, 0, on_hog_answer, hog);
}

/* What our user sends meanwhile may take all the room there is for checks, until much of the file
 * is in: it comes in one by one, and loses nothing. */
TEST(a_busy_user_costs_no_transaction_of_the_file)
{
    struct tx tx[N];
    struct mempool_rig *rig = filled_rig(tx);
    struct answer answer = {0};
    struct hog hog = {.rig = rig};
    assert_int_equal(save(rig), 0);
    start_anew(rig);
    hog.tx = mempool_rig_pay(rig, 60, 1, 5000);
    for (int i = 0; i < MEMPOOL_PENDING_MAX; i++)
        mempool_accept(rig->pool, hog.tx.raw, MEMPOOL_TEST_ONLY, 0, on_hog_answer, &hog);
    mempool_file_load(rig->pool, PATH, &all_of_it, loaded, &answer);
    rig_wait(&rig->chain, &answer.is_done);
    assert_true(hog.n_answers > MEMPOOL_PENDING_MAX);
    assert_int_equal(answer.load.n_taken, N);
    assert_int_equal(answer.load.n_refused, 0);
    assert_int_equal(mempool_count(rig->pool), N);
    mempool_rig_settle(rig);
    mempool_rig_free(rig);
}
