/* test_sim_disk.c - simulated files: contents, faults, and what power loss leaves. */
#include <errno.h>

#include "sim/sim_disk.h"
#include "support/unit.h"

enum { READ_WRITE = ENV_OPEN_WRITE | ENV_OPEN_CREATE };

static struct env_file *open_file(struct sim_disk *disk, const char *path, int flags)
{
    struct env_file *file;
    assert_int_equal(sim_disk_open(disk, path, flags, &file), 0);
    return file;
}

static void write_all(struct sim_disk *disk, const char *path, const char *text, bool sync)
{
    struct env_file *file = open_file(disk, path, READ_WRITE);
    assert_int_equal(sim_disk_write_at(NULL, file, 0, text, strlen(text)), 0);
    if (sync)
        assert_int_equal(sim_disk_sync(NULL, file), 0);
    sim_disk_close(NULL, file);
}

/* The file's contents as a string, "-" if there is no such file. */
static const char *contents(struct sim_disk *disk, const char *path, char out[64])
{
    struct env_file *file;
    if (sim_disk_open(disk, path, ENV_OPEN_READ, &file) != 0)
        return "-";
    int64_t n = sim_disk_read_at(NULL, file, 0, out, 63);
    assert_true(n >= 0);
    out[n] = 0;
    sim_disk_close(NULL, file);
    return out;
}

TEST(files_hold_what_is_written_and_zeros_between)
{
    struct sim_disk *disk = sim_disk_new();
    struct env_file *file;
    assert_int_equal(sim_disk_open(disk, "x", ENV_OPEN_READ, &file), -ENOENT);
    assert_int_equal(sim_disk_open(disk, "no/x", READ_WRITE, &file), -ENOENT);
    file = open_file(disk, "x", READ_WRITE);
    assert_int_equal(sim_disk_write_at(NULL, file, 4090, "abcdefghij", 10), 0);
    assert_int_equal(sim_disk_size(NULL, file), 4100);
    char b[16];
    assert_int_equal(sim_disk_read_at(NULL, file, 4088, b, 16), 12);
    assert_memory_equal(b, "\0\0abcdefghij", 12);
    assert_int_equal(sim_disk_truncate(NULL, file, 4092), 0);
    assert_int_equal(sim_disk_allocate(NULL, file, 0, 4100), 0);
    assert_int_equal(sim_disk_read_at(NULL, file, 4088, b, 16), 12);
    assert_memory_equal(b, "\0\0ab\0\0\0\0\0\0\0\0", 12);
    assert_int_equal(sim_disk_read_at(NULL, file, 4100, b, 16), 0);
    sim_disk_damage(disk, "x", 4090, 1);
    assert_int_equal(sim_disk_read_at(NULL, file, 4090, b, 1), 1);
    assert_int_equal(b[0], 'a' ^ 1);
    sim_disk_close(NULL, file);
    sim_disk_free(disk);
}

static void collect(void *arg, const char *name)
{
    strcat(arg, name);
    strcat(arg, " ");
}

TEST(directories_list_their_entries_sorted)
{
    struct sim_disk *disk = sim_disk_new();
    assert_int_equal(sim_disk_make_dir(disk, "a/b"), 0);
    assert_int_equal(sim_disk_make_dir(disk, "a/b"), 0);
    write_all(disk, "a/z", "1", false);
    write_all(disk, "a/c", "2", false);
    write_all(disk, "a/b/deep", "3", false);
    char names[64] = "";
    assert_int_equal(sim_disk_list(disk, "a", collect, names), 0);
    assert_string_equal(names, "b c z ");
    assert_int_equal(sim_disk_rename(disk, "a/c", "a/z"), 0);
    assert_int_equal(sim_disk_remove(disk, "a/b/deep"), 0);
    assert_int_equal(sim_disk_remove(disk, "a/b"), 0);
    assert_int_equal(sim_disk_remove(disk, "a/b"), -ENOENT);
    names[0] = 0;
    assert_int_equal(sim_disk_list(disk, "a", collect, names), 0);
    assert_string_equal(names, "z ");
    char b[64];
    assert_string_equal(contents(disk, "a/z", b), "2");
    assert_int_equal(sim_disk_list(disk, "nowhere", collect, names), -ENOENT);
    sim_disk_free(disk);
}

TEST(only_what_was_synced_is_sure_after_power_loss)
{
    struct sim_disk *disk = sim_disk_new();
    write_all(disk, "named", "old", true);
    assert_int_equal(sim_disk_sync_dir(disk, ""), 0);
    write_all(disk, "named", "new", false);
    write_all(disk, "unnamed", "data", true);
    static const char *const want[][2] = {{"new", "data"}, {"old", "-"}};
    static const enum sim_crash how[] = {SIM_CRASH_KILLED, SIM_CRASH_LOST};
    char b[64];
    for (int i = 0; i < 2; i++) {
        struct sim_disk *left = sim_disk_after_crash(disk, how[i], 1);
        assert_string_equal(contents(left, "named", b), want[i][0]);
        assert_string_equal(contents(left, "unnamed", b), want[i][1]);
        sim_disk_free(left);
    }
    /* Over many seeds each of the possible states turns up, and no other. */
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        struct sim_disk *left = sim_disk_after_crash(disk, SIM_CRASH_POWER, seed);
        const char *text = contents(left, "named", b);
        bool is_new = strcmp(text, "new") == 0;
        assert_true(is_new || strcmp(text, "old") == 0);
        text = contents(left, "unnamed", b);
        bool is_there = strcmp(text, "data") == 0;
        assert_true(is_there || strcmp(text, "-") == 0);
        seen |= 1u << (2 * is_new + is_there);
        sim_disk_free(left);
    }
    assert_int_equal(seen, 15);
    assert_string_equal(contents(disk, "named", b), "new"); /* the original goes on unharmed */
    sim_disk_free(disk);
}

TEST(an_unsynced_write_may_be_torn_at_sectors_in_any_order)
{
    struct sim_disk *disk = sim_disk_new();
    char text[4 * SIM_SECTOR_BYTES];
    memset(text, 'o', sizeof text);
    struct env_file *file = open_file(disk, "x", READ_WRITE);
    assert_int_equal(sim_disk_write_at(NULL, file, 0, text, sizeof text), 0);
    assert_int_equal(sim_disk_sync(NULL, file), 0);
    assert_int_equal(sim_disk_sync_dir(disk, ""), 0);
    memset(text, 'n', sizeof text);
    assert_int_equal(sim_disk_write_at(NULL, file, 0, text, sizeof text), 0);
    sim_disk_close(NULL, file);
    bool later_only = false;
    for (uint64_t seed = 0; seed < 64; seed++) {
        struct sim_disk *left = sim_disk_after_crash(disk, SIM_CRASH_POWER, seed);
        file = open_file(left, "x", ENV_OPEN_READ);
        assert_int_equal(sim_disk_read_at(NULL, file, 0, text, sizeof text), sizeof text);
        for (size_t i = 0; i < sizeof text; i++)
            assert_int_equal(text[i], text[i / SIM_SECTOR_BYTES * SIM_SECTOR_BYTES]);
        if (text[0] == 'o' && text[sizeof text - 1] == 'n')
            later_only = true;
        sim_disk_close(NULL, file);
        sim_disk_free(left);
    }
    assert_true(later_only);
    sim_disk_free(disk);
}

TEST(an_unsynced_rename_happens_wholly_or_not)
{
    struct sim_disk *disk = sim_disk_new();
    write_all(disk, "a", "aa", true);
    write_all(disk, "b", "bb", true);
    assert_int_equal(sim_disk_sync_dir(disk, ""), 0);
    assert_int_equal(sim_disk_rename(disk, "a", "b"), 0);
    for (uint64_t seed = 0; seed < 32; seed++) {
        struct sim_disk *left = sim_disk_after_crash(disk, SIM_CRASH_POWER, seed);
        char a[64], b[64];
        bool renamed = strcmp(contents(left, "a", a), "-") == 0;
        assert_string_equal(contents(left, "b", b), renamed ? "aa" : "bb");
        sim_disk_free(left);
    }
    sim_disk_free(disk);
}

TEST(the_nth_operation_fails_as_asked)
{
    struct sim_disk *disk = sim_disk_new();
    struct env_file *file = open_file(disk, "x", READ_WRITE);
    sim_disk_fail(disk, SIM_OP_WRITE, 1, -ENOSPC, false);
    assert_int_equal(sim_disk_write_at(NULL, file, 0, "ab", 2), 0);
    assert_int_equal(sim_disk_sync(NULL, file), 0);
    assert_int_equal(sim_disk_write_at(NULL, file, 2, "cd", 2), -ENOSPC);
    assert_int_equal(sim_disk_size(NULL, file), 3); /* part of it was written */
    assert_int_equal(sim_disk_write_at(NULL, file, 2, "cd", 2), 0);
    sim_disk_fail(disk, SIM_OP_SYNC, 0, -EIO, true);
    assert_int_equal(sim_disk_sync(NULL, file), -EIO);
    assert_int_equal(sim_disk_sync_dir(disk, ""), -EIO);
    sim_disk_fail(disk, 0, 0, 0, false);
    assert_int_equal(sim_disk_sync(NULL, file), 0);
    sim_disk_close(NULL, file);
    sim_disk_free(disk);
}
