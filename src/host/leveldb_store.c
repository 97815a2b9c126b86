/* leveldb_store.c - see leveldb_store.h
 *
 * The C API reports errors as text only, so the kinds are told apart by LevelDB's prefixes. */
#include "host/leveldb_store.h"

#include <dirent.h>
#include <errno.h>
#include <leveldb/c.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/files.h"
#include "host/leveldb_dir.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/log.h"

/* Tables kept open. Those that are mapped (up to 1000 of a process) hold no descriptor, so even a
 * process that may open 64 files can read a large store. */
#define OPEN_FILES_MAX 256

/* LevelDB's own default, used where the caller has no opinion. */
#define WRITE_BUFFER_BYTES_DEFAULT ((size_t)4 * 1024 * 1024)

/* Above every errno of the systems that we run on. */
#define ERRNO_END 200

struct env_kv {
    leveldb_t *db;
    char *path;
    const struct log *log; /* told what fails, and in which file; or NULL */
    bool has_unsynced;     /* something was written since the last sync */
    uint64_t newest_log;   /* when the directory was synced last */
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_readoptions_t *read_options;   /* single reads: fill the cache */
    leveldb_readoptions_t *cursor_options; /* a scan would only push it out */
    leveldb_writeoptions_t *write_options;
    leveldb_writeoptions_t *sync_options;
};

struct env_batch {
    leveldb_writebatch_t *batch;
};

struct env_cursor {
    struct env_kv *kv;
    leveldb_iterator_t *iterator;
};

/* -- Errors ------------------------------------------------------------------------------- */

/* The error whose text the message ends with ("IO error: FILE: Permission denied"); 0: none. */
static int errno_of(const char *message)
{
    size_t len = strlen(message);
    for (int code = 1; code < ERRNO_END; code++) {
        const char *text = strerror(code);
        size_t n = strlen(text);
        if (len > n + 2 && memcmp(message + len - n - 2, ": ", 2) == 0 &&
            memcmp(message + len - n, text, n) == 0)
            return code;
    }
    return 0;
}

/* Damage is only what is wrong with the bytes, or a file of the store that is not there. What the
 * system refuses (rights, descriptors, space, a failing disk) keeps its own name: rebuilding would
 * not help. */
static int error_code(const char *message)
{
    if (strncmp(message, "Corruption", 10) == 0)
        return -EUCLEAN;
    /* Held by another process, or by this one. */
    if (strncmp(message, "IO error: lock ", 15) == 0)
        return -EBUSY;
    int code = errno_of(message);
    /* A table that is there but has no bytes cannot be mapped, which is what EINVAL stands for. */
    if ((code == ENOENT || code == EINVAL) && !strstr(message, "/LOCK: "))
        return -EUCLEAN;
    return code ? -code : -EIO;
}

int leveldb_store_take_error(char *message, char **error)
{
    int code = error_code(message);
    if (error)
        *error = xasprintf("LevelDB error: %s", message);
    leveldb_free(message);
    return code;
}

/* -- Open and close ----------------------------------------------------------------------- */

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

static bool has_bytes(DIR *dir, const char *name)
{
    struct stat st;
    return fstatat(dirfd(dir), name, &st, 0) == 0 && st.st_size > 0;
}

/* True if the directory has rows but lacks CURRENT, the file that says which of them count. LevelDB
 * would take that for a new store, delete its tables and take its logs for all that there was. */
static bool has_lost_current(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    bool has_current = false, has_rows = false;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        has_current |= strcmp(name, "CURRENT") == 0;
        has_rows |= has_suffix(name, ".ldb") || has_suffix(name, ".sst") ||
                    (has_suffix(name, ".log") && has_bytes(dir, name));
    }
    closedir(dir);
    return has_rows && !has_current;
}

static leveldb_options_t *options_new(struct env_kv *kv, const struct env_kv_options *wanted)
{
    leveldb_options_t *options = leveldb_options_create();
    leveldb_options_set_create_if_missing(options, 1);
    leveldb_options_set_paranoid_checks(options, 1);
    leveldb_options_set_compression(options, leveldb_no_compression);
    leveldb_options_set_max_open_files(options, OPEN_FILES_MAX);
    leveldb_options_set_write_buffer_size(options, wanted->write_buffer_bytes
                                                       ? wanted->write_buffer_bytes
                                                       : WRITE_BUFFER_BYTES_DEFAULT);
    if (wanted->max_file_bytes)
        leveldb_options_set_max_file_size(options, wanted->max_file_bytes);
    kv->cache = leveldb_cache_create_lru(wanted->cache_bytes);
    leveldb_options_set_cache(options, kv->cache);
    if (wanted->bloom_bits > 0) {
        kv->filter = leveldb_filterpolicy_create_bloom(wanted->bloom_bits);
        leveldb_options_set_filter_policy(options, kv->filter);
    }
    return options;
}

/* LevelDB syncs what it writes, but not always the directory that has the names of new files. */
static int sync_new_names(struct env_kv *kv)
{
    uint64_t newest;
    int error = leveldb_dir_newest_log(kv->path, &newest);
    if (!error && newest != kv->newest_log)
        error = files_sync_dir(NULL, kv->path);
    if (!error)
        kv->newest_log = newest;
    return error;
}

int leveldb_store_open(void *ctx, const char *path, const struct env_kv_options *options,
                       struct env_kv **out, char **error)
{
    ASSERT(out);
    *out = NULL;
    if (error)
        *error = NULL;
    char *detail;
    int code = leveldb_dir_prepare(path, &detail);
    if (!code && options->is_strict)
        code = leveldb_dir_check_logs(path, &detail);
    if (code) {
        if (error)
            *error = detail ? detail : xasprintf("%s: %s", path, strerror(-code));
        else
            xfree(detail);
        return code;
    }
    if (has_lost_current(path)) {
        if (error)
            *error = xasprintf("LevelDB error: Corruption: %s/CURRENT is missing", path);
        return -EUCLEAN;
    }

    struct env_kv *kv = xcalloc(1, sizeof *kv);
    kv->path = xstrdup(path);
    kv->log = options->log;
    kv->options = options_new(kv, options);
    kv->read_options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(kv->read_options, 1);
    kv->cursor_options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(kv->cursor_options, 1);
    leveldb_readoptions_set_fill_cache(kv->cursor_options, 0);
    kv->write_options = leveldb_writeoptions_create();
    kv->sync_options = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(kv->sync_options, 1);

    char *message = NULL;
    kv->db = leveldb_open(kv->options, path, &message);
    if (message) {
        kv->db = NULL;
        leveldb_store_close(ctx, kv);
        return leveldb_store_take_error(message, error);
    }
    code = sync_new_names(kv);
    if (code) {
        leveldb_store_close(ctx, kv);
        return code;
    }
    *out = kv;
    return 0;
}

void leveldb_store_close(void *ctx, struct env_kv *kv)
{
    (void)ctx;
    if (!kv)
        return;
    if (kv->db)
        leveldb_close(kv->db);
    leveldb_writeoptions_destroy(kv->sync_options);
    leveldb_writeoptions_destroy(kv->write_options);
    leveldb_readoptions_destroy(kv->cursor_options);
    leveldb_readoptions_destroy(kv->read_options);
    leveldb_options_destroy(kv->options);
    if (kv->filter)
        leveldb_filterpolicy_destroy(kv->filter);
    leveldb_cache_destroy(kv->cache);
    xfree(kv->path);
    xfree(kv);
}

int leveldb_store_destroy(void *ctx, const char *path)
{
    (void)ctx;
    return leveldb_dir_destroy(path);
}

/* Log what LevelDB says, with the store: callers get the code alone. Returns the code. */
static int failed(const struct env_kv *kv, char *message)
{
    if (kv->log)
        log_error(kv->log, "the store %s: %s", kv->path, message);
    return leveldb_store_take_error(message, NULL);
}

/* -- Reads and writes --------------------------------------------------------------------- */

int leveldb_store_get(void *ctx, struct env_kv *kv, struct span key, void *out_buffer)
{
    (void)ctx;
    size_t len = 0;
    char *message = NULL;
    char *value =
        leveldb_get(kv->db, kv->read_options, (const char *)key.p, key.len, &len, &message);
    if (message)
        return failed(kv, message);
    if (!value)
        return -ENOENT;
    buffer_append(out_buffer, value, len);
    leveldb_free(value);
    return 0;
}

struct env_batch *leveldb_store_batch_new(void *ctx)
{
    (void)ctx;
    struct env_batch *batch = xmalloc(sizeof *batch);
    batch->batch = leveldb_writebatch_create();
    return batch;
}

void leveldb_store_batch_free(void *ctx, struct env_batch *batch)
{
    (void)ctx;
    if (!batch)
        return;
    leveldb_writebatch_destroy(batch->batch);
    xfree(batch);
}

void leveldb_store_batch_clear(void *ctx, struct env_batch *batch)
{
    ASSERT(batch);
    (void)ctx;
    leveldb_writebatch_clear(batch->batch);
}

void leveldb_store_batch_put(void *ctx, struct env_batch *batch, struct span key, struct span value)
{
    ASSERT(batch);
    (void)ctx;
    leveldb_writebatch_put(batch->batch, (const char *)key.p, key.len, (const char *)value.p,
                           value.len);
}

void leveldb_store_batch_delete(void *ctx, struct env_batch *batch, struct span key)
{
    ASSERT(batch);
    (void)ctx;
    leveldb_writebatch_delete(batch->batch, (const char *)key.p, key.len);
}

int leveldb_store_write(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync)
{
    ASSERT(kv);
    (void)ctx;
    char *message = NULL;
    /* Before this batch may become durable, not after: it may say that the others are. */
    int error = sync && kv->has_unsynced ? leveldb_dir_sync_logs(kv->path) : 0;
    if (error) {
        log_error(kv->log, "the store %s: cannot sync its logs: %s", kv->path, strerror(-error));
        return error;
    }
    leveldb_write(kv->db, sync ? kv->sync_options : kv->write_options, batch->batch, &message);
    if (message)
        return failed(kv, message);
    kv->has_unsynced = !sync;
    return sync ? sync_new_names(kv) : 0;
}

/* -- Cursors ------------------------------------------------------------------------------ */

/* LevelDB's iterators read from an implicit snapshot that lives as long as they do. */
struct env_cursor *leveldb_store_cursor_open(void *ctx, struct env_kv *kv)
{
    ASSERT(kv);
    (void)ctx;
    struct env_cursor *cursor = xmalloc(sizeof *cursor);
    cursor->kv = kv;
    cursor->iterator = leveldb_create_iterator(kv->db, kv->cursor_options);
    return cursor;
}

void leveldb_store_cursor_close(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    if (!cursor)
        return;
    leveldb_iter_destroy(cursor->iterator);
    xfree(cursor);
}

void leveldb_store_cursor_seek(void *ctx, struct env_cursor *cursor, struct span key)
{
    ASSERT(cursor);
    (void)ctx;
    leveldb_iter_seek(cursor->iterator, (const char *)key.p, key.len);
}

bool leveldb_store_cursor_valid(void *ctx, struct env_cursor *cursor)
{
    ASSERT(cursor);
    (void)ctx;
    return leveldb_iter_valid(cursor->iterator);
}

void leveldb_store_cursor_next(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    ASSERT(leveldb_iter_valid(cursor->iterator));
    leveldb_iter_next(cursor->iterator);
}

struct span leveldb_store_cursor_key(void *ctx, struct env_cursor *cursor)
{
    ASSERT(cursor);
    (void)ctx;
    size_t len = 0;
    const char *key = leveldb_iter_key(cursor->iterator, &len);
    return span_of(key, len);
}

struct span leveldb_store_cursor_value(void *ctx, struct env_cursor *cursor)
{
    ASSERT(cursor);
    (void)ctx;
    size_t len = 0;
    const char *value = leveldb_iter_value(cursor->iterator, &len);
    return span_of(value, len);
}

int leveldb_store_cursor_error(void *ctx, struct env_cursor *cursor)
{
    ASSERT(cursor);
    (void)ctx;
    char *message = NULL;
    leveldb_iter_get_error(cursor->iterator, &message);
    return message ? failed(cursor->kv, message) : 0;
}
