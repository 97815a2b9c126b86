/* test_datadir_lock.c - one node per directory, whoever else it is; the pid file is our own. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "host/datadir_lock.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"

FIXTURE(temp_dir_setup, temp_dir_teardown)

static void assert_locked_out(struct temp_dir *dir)
{
    char *error = NULL, want[256];
    struct datadir_lock lock;
    assert_false(datadir_lock(&lock, dir->path, &error));
    snprintf(want, sizeof want,
             "Cannot obtain a lock on directory %s. Bitcoin Core is probably already running.",
             dir->path);
    assert_string_equal(error, want);
    xfree(error);
}

TEST(a_second_lock_is_refused_until_the_first_is_given_back, struct temp_dir *dir)
{
    char *error = NULL;
    struct datadir_lock lock;
    assert_true(datadir_lock(&lock, dir->path, &error));
    assert_null(error);
    assert_locked_out(dir);
    datadir_unlock(&lock);
    assert_true(datadir_lock(&lock, dir->path, &error));
    datadir_unlock(&lock);
    datadir_unlock(&lock);
}

/* Other nodes lock the same file with a lock of the process: the two kinds meet. */
TEST(the_lock_of_another_process_counts, struct temp_dir *dir)
{
    int ready[2], go[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    const char *path = temp_path(dir, ".lock");
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR | O_CREAT, 0600);
        char byte = (char)fcntl(fd, F_SETLK, &lock);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    char byte = 1;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 0);
    assert_locked_out(dir);
    assert_int_equal(write(go[1], &byte, 1), 1);
    waitpid(child, NULL, 0);
    /* It ends with its holder, however that ended. */
    char *error = NULL;
    struct datadir_lock lock;
    assert_true(datadir_lock(&lock, dir->path, &error));
    datadir_unlock(&lock);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

TEST(a_directory_that_cannot_be_written_is_named, struct temp_dir *dir)
{
    char *error = NULL;
    struct datadir_lock lock;
    assert_false(datadir_lock(&lock, temp_path(dir, "none"), &error));
    assert_non_null(strstr(error, "Cannot write to directory '"));
    xfree(error);
    /* A link in the place of the lock file is not followed. */
    assert_int_equal(symlink("/tmp/elsewhere", temp_path(dir, ".lock")), 0);
    assert_false(datadir_lock(&lock, dir->path, &error));
    xfree(error);
}

/* Else the second node would write its cookie and pid file over the first one's. */
TEST(a_deleted_lock_file_lets_nobody_in, struct temp_dir *dir)
{
    char *error = NULL;
    struct datadir_lock lock;
    assert_true(datadir_lock(&lock, dir->path, &error));
    assert_int_equal(remove(temp_path(dir, ".lock")), 0);
    assert_locked_out(dir);
    datadir_unlock(&lock);
}

TEST(the_pid_file_is_removed_only_by_its_owner, struct temp_dir *dir)
{
    struct stat st;
    assert_int_equal(pid_file_write(temp_path(dir, "cairnd.pid")), 0);
    char *text = temp_read(dir, "cairnd.pid");
    assert_int_equal(atol(text), getpid());
    assert_int_equal(text[strlen(text) - 1], '\n');
    free(text);
    pid_file_remove(temp_path(dir, "cairnd.pid"));
    assert_int_equal(stat(temp_path(dir, "cairnd.pid"), &st), -1);

    temp_write(dir, "cairnd.pid", "1\n");
    pid_file_remove(temp_path(dir, "cairnd.pid"));
    assert_int_equal(stat(temp_path(dir, "cairnd.pid"), &st), 0);
    pid_file_remove(temp_path(dir, "none"));
    assert_true(pid_file_write(temp_path(dir, "none/x")) < 0);
}
