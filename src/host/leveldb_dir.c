/* leveldb_dir.c - see leveldb_dir.h
 *
 * A store is emptied in its place, not moved away: the folder may be a link or a mount point. A
 * file of our own stands in it for as long as that takes. */
#include "host/leveldb_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <leveldb/c.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files.h"
#include "host/leveldb_store.h"
#include "util/alloc.h"
#include "util/endian.h"
#include "util/env.h"
#include "util/parse.h"

#define MARKER     "REMOVING"
#define LOG_SUFFIX ".log"

/* LevelDB's log_format.md */
#define LOG_BLOCK_BYTES  32768
#define LOG_HEADER_BYTES 7

static char *in_dir(const char *path, const char *name)
{
    return xasprintf("%s/%s", path, name);
}

/* -- Removing ---------------------------------------------------------------------------------- */

/* From here on what is left of the store is to go, whatever happens. */
static int put_marker(const char *path)
{
    char *marker = in_dir(path, MARKER);
    struct env_file *file;
    int error = files_open(NULL, marker, ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file);
    xfree(marker);
    if (error)
        return error;
    error = files_sync(NULL, file);
    files_close(NULL, file);
    return error ? error : files_sync_dir(NULL, path);
}

static int remove_marker(const char *path)
{
    char *marker = in_dir(path, MARKER);
    /* Not before the store's files are gone for good. */
    int error = files_sync_dir(NULL, path);
    if (!error && unlink(marker) != 0)
        error = -errno;
    xfree(marker);
    return error ? error : files_sync_dir(NULL, path);
}

static int remove_files(const char *path)
{
    leveldb_options_t *options = leveldb_options_create();
    char *message = NULL;
    leveldb_destroy_db(options, path, &message);
    leveldb_options_destroy(options);
    return message ? leveldb_store_take_error(message, NULL) : 0;
}

int leveldb_dir_destroy(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : -errno;
    bool is_link = S_ISLNK(st.st_mode);
    int error = put_marker(path);
    if (error)
        return error;
    error = remove_files(path);
    if (error && error != -EBUSY)
        return error;
    int code = remove_marker(path); /* a store in use keeps its files, so nothing was begun */
    if (error || code || is_link)
        return error ? error : code;
    /* It stays where it holds what is not LevelDB's, or something is mounted on it. */
    bool stays = rmdir(path) == 0 || errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY;
    return stays ? 0 : -errno;
}

/* -- Making ------------------------------------------------------------------------------------ */

static bool is_link_to_nothing(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && stat(path, &st) != 0;
}

int leveldb_dir_prepare(const char *path, char **error)
{
    ASSERT(error);
    *error = NULL;
    if (is_link_to_nothing(path)) {
        *error =
            xasprintf("%s is a link to a folder that is not there (is its disk mounted?)", path);
        return -ENOENT;
    }
    char *marker = in_dir(path, MARKER);
    struct stat st;
    int code = stat(marker, &st) == 0 ? leveldb_dir_destroy(path) : 0;
    xfree(marker);
    return code ? code : files_make_dir(NULL, path);
}

/* -- Syncing ----------------------------------------------------------------------------------- */

/* What is done with the logs of a folder. */
struct log_walk {
    const char *path;
    int (*visit)(const char *path); /* NULL: nothing */
    uint64_t newest;
    int error;
};

static int sync_log(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
    if (fd < 0)
        error = errno == ENOENT ? 0 : -errno; /* LevelDB has removed it: a table has its rows */
    else if (fdatasync(fd) != 0)
        error = -errno;
    if (fd >= 0)
        close(fd);
    return error;
}

/* In one block of a log, where records begin with their checksum, length and kind. */
static bool hides_bytes(const uint8_t *block, size_t n)
{
    static const uint8_t zeroes[LOG_HEADER_BYTES];
    size_t at = 0;
    while (at + LOG_HEADER_BYTES <= n && memcmp(block + at, zeroes, LOG_HEADER_BYTES) != 0)
        at += LOG_HEADER_BYTES + load_le16(block + at + 4);
    while (at < n && block[at] == 0)
        at++;
    return at + LOG_HEADER_BYTES <= n;
}

static int check_log(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    uint8_t *block = xmalloc(LOG_BLOCK_BYTES);
    ssize_t n = 1;
    for (off_t at = 0; n > 0 && !error; at += LOG_BLOCK_BYTES) {
        n = pread(fd, block, LOG_BLOCK_BYTES, at);
        error = n < 0 ? -errno : hides_bytes(block, (size_t)n) ? -EUCLEAN : 0;
    }
    xfree(block);
    close(fd);
    return error;
}

static void visit_name(void *arg, const char *name)
{
    struct log_walk *walk = arg;
    const char *dot = strrchr(name, '.');
    uint64_t number;
    char *digits = xasprintf("%.*s", dot ? (int)(dot - name) : 0, name);
    bool is_log = dot && strcmp(dot, LOG_SUFFIX) == 0 && parse_uint64(digits, &number);
    xfree(digits);
    if (!is_log)
        return;
    walk->newest = MAX_OF(walk->newest, number);
    char *log = in_dir(walk->path, name);
    if (walk->visit && !walk->error)
        walk->error = walk->visit(log);
    xfree(log);
}

static int walk_logs(struct log_walk *walk)
{
    int error = files_list(NULL, walk->path, visit_name, walk);
    return error ? error : walk->error;
}

int leveldb_dir_sync_logs(const char *path)
{
    struct log_walk walk = {.path = path, .visit = sync_log};
    return walk_logs(&walk);
}

int leveldb_dir_check_logs(const char *path, char **error)
{
    ASSERT(error);
    struct log_walk walk = {.path = path, .visit = check_log};
    int code = walk_logs(&walk);
    *error = code == -EUCLEAN
                 ? xasprintf("LevelDB error: Corruption: a log in %s goes on behind zeroes", path)
                 : NULL;
    return code;
}

int leveldb_dir_newest_log(const char *path, uint64_t *number)
{
    struct log_walk walk = {.path = path};
    int error = walk_logs(&walk);
    *number = walk.newest;
    return error;
}
