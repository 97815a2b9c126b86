/* test_files.c - files do what env promises, on a real file system. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "host/files.h"
#include "support/unit.h"
#include "sync_spy.h"
#include "temp_dir.h"
#include "util/env.h"

FIXTURE(temp_dir_setup, temp_dir_teardown)

static struct env_file *open_new(struct temp_dir *dir, const char *name)
{
    struct env_file *file = NULL;
    int flags = ENV_OPEN_READ | ENV_OPEN_WRITE | ENV_OPEN_CREATE;
    assert_int_equal(files_open(NULL, temp_path(dir, name), flags, &file), 0);
    assert_non_null(file);
    return file;
}

TEST(bytes_written_are_read_back_at_any_offset, struct temp_dir *dir)
{
    struct env_file *file = open_new(dir, "a");
    char got[8] = {0};
    assert_int_equal(files_write_at(NULL, file, 3, "hello", 5), 0);
    assert_int_equal(files_size(NULL, file), 8);
    assert_int_equal(files_read_at(NULL, file, 0, got, 8), 8);
    assert_memory_equal(got, "\0\0\0hello", 8);
    assert_int_equal(files_sync(NULL, file), 0);
    files_close(NULL, file);
}

TEST(a_read_is_short_only_at_the_end, struct temp_dir *dir)
{
    struct env_file *file = open_new(dir, "a");
    char got[8];
    assert_int_equal(files_write_at(NULL, file, 0, "hello", 5), 0);
    assert_int_equal(files_read_at(NULL, file, 2, got, 3), 3);
    assert_int_equal(files_read_at(NULL, file, 2, got, 8), 3);
    assert_int_equal(files_read_at(NULL, file, 5, got, 8), 0);
    assert_int_equal(files_read_at(NULL, file, 500, got, 8), 0);
    assert_int_equal(files_read_at(NULL, file, 0, got, 0), 0);
    files_close(NULL, file);
}

TEST(offsets_beyond_the_file_system_are_refused, struct temp_dir *dir)
{
    struct env_file *file = open_new(dir, "a");
    char byte = 0;
    assert_int_equal(files_write_at(NULL, file, INT64_MAX, &byte, 1), -EFBIG);
    assert_int_equal(files_write_at(NULL, file, UINT64_MAX, &byte, 1), -EFBIG);
    assert_int_equal(files_read_at(NULL, file, UINT64_MAX, &byte, 1), -EFBIG);
    assert_int_equal(files_truncate(NULL, file, UINT64_MAX), -EFBIG);
    assert_int_equal(files_allocate(NULL, file, UINT64_MAX, 1), -EFBIG);
    files_close(NULL, file);
}

TEST(truncate_cuts_and_allocate_leaves_the_size, struct temp_dir *dir)
{
    struct env_file *file = open_new(dir, "a");
    assert_int_equal(files_write_at(NULL, file, 0, "hello", 5), 0);
    assert_int_equal(files_truncate(NULL, file, 2), 0);
    assert_int_equal(files_size(NULL, file), 2);
    assert_int_equal(files_allocate(NULL, file, 0, 65536), 0);
    assert_int_equal(files_size(NULL, file), 2);
    assert_int_equal(files_allocate(NULL, file, 0, 0), 0);
    files_close(NULL, file);
}

/* Others name files too, such as Tor its cookie: nobody waits for who may write one. */
TEST(what_is_read_is_not_waited_for, struct temp_dir *dir)
{
    struct env_file *file = NULL;
    assert_int_equal(mkfifo(temp_path(dir, "pipe"), 0600), 0);
    alarm(10);
    assert_int_equal(files_open(NULL, temp_path(dir, "pipe"), ENV_OPEN_READ, &file), 0);
    assert_int_equal(files_size(NULL, file), 0);
    alarm(0);
    files_close(NULL, file);
}

TEST(opening_says_why_it_failed, struct temp_dir *dir)
{
    struct env_file *file = NULL;
    assert_int_equal(files_open(NULL, temp_path(dir, "none"), ENV_OPEN_READ, &file), -ENOENT);
    assert_null(file);
    assert_int_equal(files_open(NULL, dir->path, ENV_OPEN_READ, &file), -EISDIR);
    assert_null(file);
    assert_int_equal(
        files_open(NULL, temp_path(dir, "x/y"), ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file), -ENOENT);
}

TEST(files_are_private_and_closed_on_exec, struct temp_dir *dir)
{
    files_close(NULL, open_new(dir, "a"));
    struct stat st;
    assert_int_equal(stat(temp_path(dir, "a"), &st), 0);
    assert_int_equal(st.st_mode & 0077, 0);
    /* The lowest free descriptor is the one that the next open takes. */
    int fd = open("/dev/null", O_RDONLY);
    close(fd);
    struct env_file *file = open_new(dir, "b");
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    files_close(NULL, file);
    files_close(NULL, NULL);
}

TEST(truncating_on_open_empties_the_file, struct temp_dir *dir)
{
    temp_write(dir, "a", "old");
    struct env_file *file = NULL;
    assert_int_equal(
        files_open(NULL, temp_path(dir, "a"), ENV_OPEN_WRITE | ENV_OPEN_TRUNCATE, &file), 0);
    assert_int_equal(files_size(NULL, file), 0);
    files_close(NULL, file);
}

TEST(a_read_only_file_refuses_writes, struct temp_dir *dir)
{
    temp_write(dir, "a", "old");
    struct env_file *file = NULL;
    assert_int_equal(files_open(NULL, temp_path(dir, "a"), ENV_OPEN_READ, &file), 0);
    assert_int_equal(files_write_at(NULL, file, 0, "x", 1), -EBADF);
    files_close(NULL, file);
}

TEST(directories_are_made_with_parents_and_again, struct temp_dir *dir)
{
    char path[128];
    snprintf(path, sizeof path, "%s/a/b/c", dir->path);
    sync_spy_reset();
    assert_int_equal(files_make_dir(NULL, path), 0);
    assert_true(sync_spy_has(dir->path)); /* the name of each new folder is durable */
    assert_true(sync_spy_has(temp_path(dir, "a")) && sync_spy_has(temp_path(dir, "a/b")));
    sync_spy_reset();
    assert_int_equal(files_make_dir(NULL, path), 0);
    assert_int_equal(sync_spy.n, 0);
    assert_int_equal(files_sync_dir(NULL, path), 0);
    temp_write(dir, "plain", "");
    assert_int_equal(files_make_dir(NULL, temp_path(dir, "plain")), -ENOTDIR);
    assert_int_equal(files_make_dir(NULL, temp_path(dir, "plain/x")), -ENOTDIR);
    assert_int_equal(files_make_dir(NULL, ""), -ENOENT);
    char long_path[5000];
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(files_make_dir(NULL, long_path), -ENAMETOOLONG);
    assert_int_equal(files_sync_dir(NULL, temp_path(dir, "none")), -ENOENT);
}

TEST(rename_replaces_and_remove_takes_files_and_empty_directories, struct temp_dir *dir)
{
    char to[128];
    temp_write(dir, "new", "new");
    temp_write(dir, "old", "old");
    snprintf(to, sizeof to, "%s/old", dir->path);
    assert_int_equal(files_rename(NULL, temp_path(dir, "new"), to), 0);
    char *text = temp_read(dir, "old");
    assert_string_equal(text, "new");
    free(text);
    assert_int_equal(files_rename(NULL, temp_path(dir, "new"), to), -ENOENT);
    assert_int_equal(files_make_dir(NULL, temp_path(dir, "d")), 0);
    temp_write(dir, "d/f", "");
    assert_int_equal(files_remove(NULL, temp_path(dir, "d")), -ENOTEMPTY);
    assert_int_equal(files_remove(NULL, temp_path(dir, "d/f")), 0);
    assert_int_equal(files_remove(NULL, temp_path(dir, "d")), 0);
    assert_int_equal(files_remove(NULL, temp_path(dir, "d")), -ENOENT);
}

static void append_name(void *arg, const char *name)
{
    strcat(arg, name);
    strcat(arg, " ");
}

TEST(a_listing_is_sorted_and_complete, struct temp_dir *dir)
{
    char all[256] = "";
    assert_int_equal(files_list(NULL, dir->path, append_name, all), 0);
    assert_string_equal(all, "");
    temp_write(dir, "blk00010.dat", "");
    temp_write(dir, "blk00002.dat", "");
    temp_write(dir, "B", "");
    temp_write(dir, ".hidden", "");
    assert_int_equal(files_list(NULL, dir->path, append_name, all), 0);
    assert_string_equal(all, ".hidden B blk00002.dat blk00010.dat ");
    assert_int_equal(files_list(NULL, temp_path(dir, "none"), append_name, all), -ENOENT);
}

TEST(when_a_file_was_changed_is_known, struct temp_dir *dir)
{
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1500000000}};
    temp_write(dir, "f", "x");
    assert_int_equal(utimensat(AT_FDCWD, temp_path(dir, "f"), times, 0), 0);
    assert_int_equal(files_modified_s(NULL, temp_path(dir, "f")), 1500000000);
    assert_int_equal(files_modified_s(NULL, temp_path(dir, "none")), -ENOENT);
}

TEST(free_space_is_known, struct temp_dir *dir)
{
    assert_true(files_free_bytes(NULL, dir->path) > 0);
    assert_int_equal(files_free_bytes(NULL, temp_path(dir, "none")), -ENOENT);
}

/* The size limit of a process stands in for a full disk: the write fails, nothing aborts. */
TEST(a_write_that_does_not_fit_is_an_error, struct temp_dir *dir)
{
    struct env_file *file = open_new(dir, "a");
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    char page[8192] = {0};
    int rc = files_write_at(NULL, file, 0, page, sizeof page);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, -EFBIG);
    files_close(NULL, file);
}
