/* test_sim_inode.c - file contents against a plain array, through syncs and crashes. */
#include "sim/sim_inode.h"
#include "support/unit.h"

enum { FILE_BYTES = 20000, N_STEPS = 400 };

struct copy {
    uint8_t bytes[FILE_BYTES];
    uint64_t size;
};

static void assert_equal(const struct sim_inode *inode, const struct copy *copy)
{
    static const uint8_t zeros[100];
    uint8_t bytes[FILE_BYTES], after[100];
    assert_int_equal(sim_inode_size(inode), copy->size);
    sim_inode_read(inode, 0, bytes, copy->size);
    assert_memory_equal(bytes, copy->bytes, copy->size);
    sim_inode_read(inode, copy->size, after, sizeof after);
    assert_memory_equal(after, zeros, sizeof zeros);
}

static void change(struct sim_inode *inode, struct copy *now, struct sim_random *random)
{
    uint64_t offset = sim_random_below(random, FILE_BYTES);
    if (sim_random_below(random, 8) == 0) {
        sim_inode_truncate(inode, offset);
        if (offset < now->size)
            memset(now->bytes + offset, 0, now->size - offset);
        now->size = offset;
        return;
    }
    uint8_t piece[3000];
    size_t n = (size_t)sim_random_below(random, sizeof piece);
    if (n > FILE_BYTES - offset)
        n = FILE_BYTES - offset;
    memset(piece, (int)sim_random_u64(random) | 1, sizeof piece);
    sim_inode_write(inode, offset, piece, n);
    memcpy(now->bytes + offset, piece, n);
    if (n > 0 && offset + n > now->size)
        now->size = offset + n;
}

/* Every sector is the old or the new one, and so is the size. */
static void assert_between(const struct sim_inode *left, const struct copy *synced,
                           const struct copy *now)
{
    uint8_t bytes[FILE_BYTES];
    uint64_t size = sim_inode_size(left);
    assert_true(size == synced->size || size == now->size);
    sim_inode_read(left, 0, bytes, FILE_BYTES);
    for (size_t at = 0; at < size; at += SIM_SECTOR_BYTES) {
        size_t n = size - at < SIM_SECTOR_BYTES ? size - at : SIM_SECTOR_BYTES;
        assert_true(memcmp(bytes + at, synced->bytes + at, n) == 0 ||
                    memcmp(bytes + at, now->bytes + at, n) == 0);
    }
}

static void check_crashes(const struct sim_inode *inode, const struct copy *synced,
                          const struct copy *now, struct sim_random *random)
{
    struct sim_inode *left = sim_inode_after_crash(inode, SIM_CRASH_KILLED, random);
    assert_equal(left, now);
    sim_inode_drop(left);
    left = sim_inode_after_crash(inode, SIM_CRASH_LOST, random);
    assert_equal(left, synced);
    sim_inode_drop(left);
    left = sim_inode_after_crash(inode, SIM_CRASH_POWER, random);
    assert_between(left, synced, now);
    sim_inode_drop(left);
}

TEST(contents_agree_with_an_array_through_syncs_and_crashes)
{
    struct sim_random random = sim_random_of(1, 0);
    struct sim_pages *pages = sim_pages_new();
    struct sim_inode *inode = sim_inode_new(pages);
    struct copy now = {0}, synced = {0};
    for (int step = 0; step < N_STEPS; step++) {
        if (sim_random_below(&random, 10) == 0) {
            sim_inode_sync(inode);
            synced = now;
        } else {
            change(inode, &now, &random);
        }
        assert_equal(inode, &now);
        check_crashes(inode, &synced, &now, &random);
    }
    sim_inode_drop(inode);
    sim_pages_drop(pages);
}

TEST(a_file_lives_as_long_as_its_last_holder)
{
    struct sim_pages *pages = sim_pages_new();
    struct sim_inode *inode = sim_inode_new(pages);
    assert_ptr_equal(sim_inode_hold(inode), inode);
    sim_inode_write(inode, 0, (const uint8_t *)"x", 1);
    sim_inode_drop(inode);
    assert_int_equal(sim_inode_size(inode), 1);
    sim_inode_drop(inode);
    sim_inode_drop(NULL);
    sim_pages_drop(pages);
}
