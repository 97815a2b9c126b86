/* test_snapshot_part.c - what has come of a file is found again after a crash; a full disk. */
#include "chain/coins/snapshot_part.h"

#include <errno.h>

#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

enum { N_CHUNKS = 11, LAST = 77 };
#define PATH "folder/part"

static struct snapshot_offer offer_of(uint32_t n_chunks, size_t last)
{
    return (struct snapshot_offer){.base.b = {3},
                                   .n_bytes =
                                       (uint64_t)(n_chunks - 1) * SNAPSHOT_CHUNK_BYTES + last,
                                   .root = {5}};
}

static uint8_t chunks[N_CHUNKS][SNAPSHOT_CHUNK_BYTES];

static struct span chunk_of(const struct snapshot_part *part, uint32_t i)
{
    memset(chunks[i], (int)i + 1, sizeof chunks[i]);
    return span_of(chunks[i], snapshot_chunk_len(part->offer.n_bytes, i));
}

static int put(struct snapshot_part *part, uint32_t i)
{
    int error = snapshot_part_write(part, i, chunk_of(part, i));
    if (!error)
        snapshot_part_add(part, i);
    return error;
}

static bool holds(const struct snapshot_part *part, uint32_t i)
{
    static uint8_t got[SNAPSHOT_CHUNK_BYTES];
    struct span want = chunk_of(part, i);
    int64_t n =
        env_file_read_at(part->env, part->file, (uint64_t)i * SNAPSHOT_CHUNK_BYTES, got, want.len);
    return n == (int64_t)want.len && memcmp(got, want.p, want.len) == 0;
}

static struct sim_env *begin(struct snapshot_part *part, uint64_t seed)
{
    struct sim_env *sim = sim_env_new(seed);
    struct snapshot_offer offer = offer_of(N_CHUNKS, LAST);
    assert_int_equal(env_make_dir(sim_env_get(sim), "folder"), 0);
    snapshot_part_init(part, sim_env_get(sim), PATH);
    assert_int_equal(snapshot_part_recall(part), -ENOENT);
    assert_int_equal(snapshot_part_begin(part, &offer), 0);
    return sim;
}

/* A crash before or after any change of the disk: what counts is there then. */
struct crashes {
    struct sim_env *sim;
    uint64_t seed;
    uint32_t n_counted; /* of the last crash */
};

static void look_after_crash(void *arg)
{
    struct crashes *crashes = arg;
    for (int how = 0; how < 3; how++) {
        struct snapshot_part part;
        struct sim_env *sim = sim_env_crash(crashes->sim, (enum sim_crash)how, crashes->seed++);
        snapshot_part_init(&part, sim_env_get(sim), PATH);
        int error = snapshot_part_recall(&part);
        assert_true(error == 0 || error == -ENOENT);
        crashes->n_counted = 0;
        if (!error) {
            for (uint32_t i = 0; i < snapshot_chunk_count(part.offer.n_bytes); i++) {
                crashes->n_counted += snapshot_part_has(&part, i);
                assert_true(!snapshot_part_has(&part, i) || holds(&part, i));
            }
            assert_int_equal(crashes->n_counted, part.n_have);
        }
        snapshot_part_deinit(&part);
        sim_env_free(sim);
    }
}

TEST(what_counts_after_a_crash_is_there)
{
    struct snapshot_part part;
    struct crashes crashes = {.sim = begin(&part, 1), .seed = 1};
    sim_disk_watch(sim_env_disk(crashes.sim), look_after_crash, &crashes);
    for (uint32_t i = 0; i < N_CHUNKS; i++) {
        assert_int_equal(put(&part, i * 7 % N_CHUNKS), 0);
        if (i % 3 == 2)
            assert_int_equal(snapshot_part_save(&part), 0);
    }
    assert_true(snapshot_part_is_whole(&part));
    assert_int_equal(snapshot_part_save(&part), 0);
    look_after_crash(&crashes);
    assert_int_equal(crashes.n_counted, N_CHUNKS);
    /* Another one in its place. */
    struct snapshot_offer other = offer_of(3, 9);
    assert_int_equal(snapshot_part_begin(&part, &other), 0);
    assert_int_equal(put(&part, 2), 0);
    assert_int_equal(snapshot_part_save(&part), 0);
    assert_int_equal(snapshot_part_remove(&part), 0);
    assert_int_equal(snapshot_part_recall(&part), -ENOENT);
    snapshot_part_deinit(&part);
    sim_disk_watch(sim_env_disk(crashes.sim), NULL, NULL);
    sim_env_free(crashes.sim);
}

TEST(a_state_that_is_not_ours_counts_for_nothing)
{
    static const struct {
        size_t at, len; /* a byte that is changed; how many there are */
    } rows[] = {{SNAPSHOT_OFFER_BYTES + 1, SNAPSHOT_OFFER_BYTES + 2},
                {0, SNAPSHOT_OFFER_BYTES + 1},
                {0, SNAPSHOT_OFFER_BYTES + 3},
                {0, 10},
                {38, SNAPSHOT_OFFER_BYTES + 2}};
    struct snapshot_part part;
    struct sim_env *sim = begin(&part, 2);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t raw[SNAPSHOT_OFFER_BYTES + 3] = {0};
        struct writer w = writer_to_buffer(raw, sizeof raw);
        struct env_file *file;
        snapshot_offer_encode(&w, &part.offer);
        raw[rows[i].at] ^= 0x80;
        snapshot_part_close(&part);
        assert_int_equal(env_file_open(part.env, PATH SNAPSHOT_PART_SUFFIX,
                                       ENV_OPEN_WRITE | ENV_OPEN_TRUNCATE, &file),
                         0);
        assert_int_equal(env_file_write_at(part.env, file, 0, raw, rows[i].len), 0);
        env_file_close(part.env, file);
        assert_int_equal(snapshot_part_recall(&part), -ENOENT);
        struct snapshot_offer offer = offer_of(N_CHUNKS, LAST);
        assert_int_equal(snapshot_part_begin(&part, &offer), 0);
    }
    snapshot_part_deinit(&part);
    sim_env_free(sim);
}

static int64_t free_bytes;

static int64_t tell_free(void *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    return free_bytes;
}

TEST(a_disk_without_room_for_all_is_left_as_it_was)
{
    struct snapshot_part part;
    struct sim_env *sim = begin(&part, 3);
    struct snapshot_offer offer = offer_of(2, 1);
    struct env env = *sim_env_get(sim);
    env.files.free_bytes = tell_free;
    part.env = &env;
    free_bytes = (int64_t)offer.n_bytes + SNAPSHOT_PART_FREE_MIN - 1;
    assert_int_equal(snapshot_part_begin(&part, &offer), -ENOSPC);
    assert_int_equal(snapshot_part_recall(&part), -ENOENT);
    free_bytes++;
    assert_int_equal(snapshot_part_begin(&part, &offer), 0);
    /* It runs full by others' doing: nothing is noted that is not there. */
    sim_disk_fail(sim_env_disk(sim), SIM_OP_WRITE, 0, -ENOSPC, true);
    assert_int_equal(put(&part, 0), -ENOSPC);
    sim_disk_fail(sim_env_disk(sim), 0, 0, 0, false);
    snapshot_part_close(&part);
    assert_int_equal(snapshot_part_recall(&part), 0);
    assert_int_equal(part.n_have, 0);
    snapshot_part_deinit(&part);
    sim_env_free(sim);
}
