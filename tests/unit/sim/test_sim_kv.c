/* test_sim_kv.c - simulated stores: order, snapshots, and the suffix that power loss takes. */
#include <errno.h>

#include "sim/sim_kv.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

static struct env_kv *open_store(struct sim_disk *disk)
{
    struct env_kv *kv;
    assert_int_equal(sim_kv_open(disk, "store", NULL, &kv, NULL), 0);
    return kv;
}

/* Write "key" -> "value" for each pair of letters in s; value '-' deletes. */
static void write_pairs(struct env_kv *kv, const char *s, bool sync)
{
    struct env_batch *batch = sim_kv_batch_new(NULL);
    for (; *s; s += 2)
        if (s[1] == '-')
            sim_kv_batch_delete(NULL, batch, span_of(s, 1));
        else
            sim_kv_batch_put(NULL, batch, span_of(s, 1), span_of(s + 1, 1));
    assert_int_equal(sim_kv_write(NULL, kv, batch, sync), 0);
    sim_kv_batch_free(NULL, batch);
}

/* All pairs from the cursor on. */
static const char *rest(struct env_cursor *cursor, char out[64])
{
    size_t n = 0;
    for (; sim_kv_cursor_valid(NULL, cursor); sim_kv_cursor_next(NULL, cursor)) {
        out[n++] = (char)sim_kv_cursor_key(NULL, cursor).p[0];
        out[n++] = (char)sim_kv_cursor_value(NULL, cursor).p[0];
    }
    out[n] = 0;
    return out;
}

static const char *all(struct env_kv *kv, char out[64])
{
    struct env_cursor *cursor = sim_kv_cursor_open(NULL, kv);
    sim_kv_cursor_seek(NULL, cursor, span_of(NULL, 0));
    rest(cursor, out);
    sim_kv_cursor_close(NULL, cursor);
    return out;
}

TEST(a_store_is_sorted_and_the_last_write_of_a_batch_wins)
{
    struct sim_disk *disk = sim_disk_new();
    struct env_kv *kv = open_store(disk);
    char b[64];
    write_pairs(kv, "c1a1b1", false);
    write_pairs(kv, "b2d1b3c-x-", false);
    assert_string_equal(all(kv, b), "a1b3d1");
    struct buffer value;
    buffer_init(&value);
    assert_int_equal(sim_kv_get(NULL, kv, span_of("b", 1), &value), 0);
    assert_int_equal(sim_kv_get(NULL, kv, span_of("c", 1), &value), -ENOENT);
    assert_int_equal(value.len, 1);
    assert_int_equal(value.p[0], '3');
    buffer_deinit(&value);
    sim_kv_close(NULL, kv);
    sim_disk_free(disk);
}

TEST(a_cursor_sees_the_store_as_it_was)
{
    struct sim_disk *disk = sim_disk_new();
    struct env_kv *kv = open_store(disk);
    write_pairs(kv, "a1b1c1", true);
    struct env_cursor *cursor = sim_kv_cursor_open(NULL, kv);
    assert_false(sim_kv_cursor_valid(NULL, cursor)); /* not placed yet */
    write_pairs(kv, "b-d1", true);
    sim_kv_cursor_seek(NULL, cursor, span_of("aa", 2));
    char b[64];
    assert_string_equal(rest(cursor, b), "b1c1");
    sim_kv_cursor_close(NULL, cursor);
    assert_string_equal(all(kv, b), "a1c1d1");
    sim_kv_close(NULL, kv);
    sim_disk_free(disk);
}

/* -- Many keys ----------------------------------------------------------------------------------
 *
 * Beside an array by key: what each of them should be, 0 for none. */

enum { KEYS = 3000 };

struct model {
    uint8_t value[KEYS];
};

static struct span key_of(uint32_t i, uint8_t out[4])
{
    for (int b = 0; b < 4; b++)
        out[b] = (uint8_t)(i >> (24 - 8 * b));
    return span_of(out, 4);
}

static void assert_model(struct env_cursor *cursor, const struct model *model)
{
    uint8_t key[4];
    sim_kv_cursor_seek(NULL, cursor, span_of(NULL, 0));
    for (uint32_t i = 0; i < KEYS; i++) {
        if (!model->value[i])
            continue;
        assert_true(sim_kv_cursor_valid(NULL, cursor));
        assert_memory_equal(sim_kv_cursor_key(NULL, cursor).p, key_of(i, key).p, 4);
        assert_int_equal(sim_kv_cursor_value(NULL, cursor).p[0], model->value[i]);
        sim_kv_cursor_next(NULL, cursor);
    }
    assert_false(sim_kv_cursor_valid(NULL, cursor));
}

/* Changes of keys that lie together; half of the rounds delete most of them. */
static void change_some(struct env_kv *kv, struct model *model, struct sim_random *random)
{
    struct env_batch *batch = sim_kv_batch_new(NULL);
    uint32_t n = (uint32_t)sim_random_below(random, 400), mostly = n % 2 ? 9 : 1;
    uint32_t from = (uint32_t)sim_random_below(random, KEYS);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[4], value = (uint8_t)(1 + sim_random_below(random, 255));
        uint32_t at = (from + (uint32_t)sim_random_below(random, 500)) % KEYS;
        bool is_delete = sim_random_below(random, 10) < mostly;
        if (is_delete)
            sim_kv_batch_delete(NULL, batch, key_of(at, bytes));
        else
            sim_kv_batch_put(NULL, batch, key_of(at, bytes), span_of(&value, 1));
        model->value[at] = is_delete ? 0 : value;
    }
    assert_int_equal(sim_kv_write(NULL, kv, batch, n % 3 == 0), 0);
    sim_kv_batch_free(NULL, batch);
}

static void assert_found(struct env_kv *kv, const struct model *model)
{
    for (uint32_t i = 0; i < KEYS; i += 7) {
        uint8_t key[4];
        struct buffer value;
        buffer_init(&value);
        int found = sim_kv_get(NULL, kv, key_of(i, key), &value);
        assert_int_equal(found, model->value[i] ? 0 : -ENOENT);
        assert_true(found != 0 || value.p[0] == model->value[i]);
        buffer_deinit(&value);
    }
}

TEST(many_keys_come_and_go_and_each_cursor_sees_its_own_time)
{
    struct sim_disk *disk = sim_disk_new();
    struct env_kv *kv = open_store(disk);
    struct sim_random random = sim_random_of(7, 7);
    struct model model = {{0}}, before;
    for (int round = 0; round < 300; round++) {
        before = model;
        struct env_cursor *cursor = sim_kv_cursor_open(NULL, kv);
        change_some(kv, &model, &random);
        assert_model(cursor, &before);
        sim_kv_cursor_close(NULL, cursor);
        cursor = sim_kv_cursor_open(NULL, kv);
        assert_model(cursor, &model);
        sim_kv_cursor_close(NULL, cursor);
        assert_found(kv, &model);
    }
    sim_kv_close(NULL, kv);
    sim_disk_free(disk);
}

TEST(power_loss_takes_a_suffix_of_unsynced_batches)
{
    struct sim_disk *disk = sim_disk_new();
    struct env_kv *kv = open_store(disk);
    write_pairs(kv, "a1", true);
    write_pairs(kv, "b1c1", false);
    write_pairs(kv, "a-d1", false);
    static const char *const states[] = {"a1", "a1b1c1", "b1c1d1"};
    unsigned seen = 0;
    char b[64];
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sim_disk *left = sim_disk_after_crash(disk, SIM_CRASH_POWER, seed);
        struct env_kv *again = open_store(left);
        const char *got = all(again, b);
        unsigned i = 0;
        while (i < 3 && strcmp(got, states[i]) != 0)
            i++;
        assert_true(i < 3);
        seen |= 1u << i;
        sim_kv_close(NULL, again);
        sim_disk_free(left);
    }
    assert_int_equal(seen, 7);
    write_pairs(kv, "e1", true); /* makes the earlier ones durable too */
    struct sim_disk *left = sim_disk_after_crash(disk, SIM_CRASH_LOST, 1);
    struct env_kv *again = open_store(left);
    assert_string_equal(all(again, b), "b1c1d1e1");
    sim_kv_close(NULL, again);
    sim_disk_free(left);
    sim_kv_close(NULL, kv);
    sim_disk_free(disk);
}

TEST(an_open_store_is_locked_and_a_destroyed_one_is_empty)
{
    struct sim_disk *disk = sim_disk_new();
    struct env_kv *kv = open_store(disk), *second;
    char *error = NULL, b[64];
    assert_int_equal(sim_kv_open(disk, "store", NULL, &second, &error), -EBUSY);
    assert_non_null(error);
    xfree(error);
    write_pairs(kv, "a1", true);
    sim_disk_fail(disk, SIM_OP_SYNC, 0, -EIO, false);
    struct env_batch *batch = sim_kv_batch_new(NULL);
    sim_kv_batch_put(NULL, batch, span_of("b", 1), span_of("1", 1));
    assert_int_equal(sim_kv_write(NULL, kv, batch, true), -EIO);
    sim_kv_batch_clear(NULL, batch);
    assert_int_equal(sim_kv_write(NULL, kv, batch, true), 0);
    sim_kv_batch_free(NULL, batch);
    sim_kv_close(NULL, kv);
    assert_int_equal(sim_kv_destroy(disk, "store"), 0);
    kv = open_store(disk);
    assert_string_equal(all(kv, b), "");
    sim_kv_close(NULL, kv);
    sim_disk_free(disk);
}
