/* snapshot_dir.c - see snapshot_dir.h
 *
 * Names change in an order in which each state that a crash can leave is one that a start knows:
 * chainstate steps aside before chainstate_snapshot takes its name, and is removed last. */
#include "chain/coins/snapshot_dir.h"

#include <errno.h>
#include <string.h>

#include "chain/core/store_format.h"
#include "util/alloc.h"
#include "util/read_file.h"
#include "util/reader.h"
#include "util/replace_file.h"

#define STORE      "chainstate"
#define SNAPSHOT   "chainstate_snapshot"
#define PUT_ASIDE  "chainstate_snapshot_INVALID"
#define TO_REMOVE  "chainstate_todelete"
#define BASE_FILE  "base_blockhash"
#define VOUCHED    "vouched_coins"
#define HASH_BYTES 32
#define SMALL_MAX  (HASH_BYTES + 8)

static char *path_in(const char *data_dir, const char *folder, const char *file)
{
    return file ? xasprintf("%s/%s/%s", data_dir, folder, file)
                : xasprintf("%s/%s", data_dir, folder);
}

char *snapshot_dir_path(const char *data_dir)
{
    return path_in(data_dir, SNAPSHOT, NULL);
}

static int read_small(const struct env *env, const char *data_dir, const char *file,
                      struct buffer *out)
{
    char *path = path_in(data_dir, SNAPSHOT, file);
    int error = read_file(env, path, SMALL_MAX, out);
    xfree(path);
    return error == -ENOTDIR ? -ENOENT : error == -EFBIG ? -EUCLEAN : error;
}

int snapshot_dir_base(const struct env *env, const char *data_dir, struct block_hash *base)
{
    struct buffer raw;
    ASSERT(data_dir && base);
    buffer_init(&raw);
    int error = read_small(env, data_dir, BASE_FILE, &raw);
    if (!error && raw.len != HASH_BYTES)
        error = -EUCLEAN;
    if (!error)
        memcpy(base->b, raw.p, HASH_BYTES);
    buffer_deinit(&raw);
    return error;
}

static int write_small(const struct env *env, const char *data_dir, const char *file,
                       struct span bytes)
{
    char *path = path_in(data_dir, SNAPSHOT, file);
    int error = replace_file(env, path, bytes);
    xfree(path);
    return error;
}

int snapshot_dir_set_base(const struct env *env, const char *data_dir,
                          const struct block_hash *base)
{
    ASSERT(data_dir && base);
    return write_small(env, data_dir, BASE_FILE, span_of(base->b, sizeof base->b));
}

int snapshot_dir_set_vouched(const struct env *env, const char *data_dir,
                             const uint8_t coins_hash[32], uint64_t chain_tx)
{
    uint8_t bytes[HASH_BYTES + 8];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    ASSERT(data_dir && coins_hash);
    write_bytes(&w, coins_hash, HASH_BYTES);
    write_u64(&w, chain_tx);
    return write_small(env, data_dir, VOUCHED, span_of(bytes, sizeof bytes));
}

int snapshot_dir_vouched(const struct env *env, const char *data_dir, uint8_t coins_hash[32],
                         uint64_t *chain_tx)
{
    struct buffer raw;
    ASSERT(data_dir && coins_hash && chain_tx);
    buffer_init(&raw);
    int error = read_small(env, data_dir, VOUCHED, &raw);
    struct reader r = reader_of(buffer_span(&raw));
    read_bytes(&r, coins_hash, HASH_BYTES);
    *chain_tx = read_u64(&r);
    if (!error && !reader_finish(&r))
        error = -EUCLEAN;
    buffer_deinit(&raw);
    return error;
}

int snapshot_dir_mark(const struct env *env, const char *data_dir, const char *mark)
{
    ASSERT(data_dir && mark);
    return write_small(env, data_dir, mark, span_of("1", 1));
}

static int has_mark(const struct env *env, const char *data_dir, const char *mark, bool *has)
{
    struct buffer raw;
    buffer_init(&raw);
    int error = read_small(env, data_dir, mark, &raw);
    buffer_deinit(&raw);
    *has = error == 0 || error == -EUCLEAN; /* whatever is in it */
    return error == -ENOENT || error == -EUCLEAN ? 0 : error;
}

/* Our files of a folder, that which makes it count first. */
static int remove_files(const struct env *env, const char *data_dir, const char *folder)
{
    static const char *const names[] = {BASE_FILE, BASE_FILE ".new", SNAPSHOT_MARK_CHECKED,
                                        SNAPSHOT_MARK_CHECKED ".new", SNAPSHOT_MARK_INVALID,
                                        SNAPSHOT_MARK_INVALID ".new", VOUCHED, VOUCHED ".new"};
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *path = path_in(data_dir, folder, names[i]);
        int error = env_remove(env, path);
        if (error && error != -ENOENT && error != -ENOTDIR)
            result = error;
        xfree(path);
    }
    char *path = path_in(data_dir, folder, NULL);
    int error = env_sync_dir(env, path);
    xfree(path);
    return result || error == -ENOENT ? result : error;
}

static int remove_store(const struct env *env, const char *data_dir, const char *folder)
{
    char *path = path_in(data_dir, folder, NULL);
    char *format_file = path_in(data_dir, folder, STORE_FORMAT_FILE);
    int error = env_kv_destroy(env, path);
    if (error == -ENOENT)
        error = 0;
    if (!error)
        error = env_remove(env, format_file);
    if (!error)
        error = env_remove(env, path);
    xfree(path);
    xfree(format_file);
    /* It stays where there is something of others in it. */
    return error == -ENOENT || error == -ENOTEMPTY || error == -EEXIST ? 0 : error;
}

static void ignore_name(void *arg, const char *name)
{
    (void)arg;
    (void)name;
}

static bool exists(const struct env *env, const char *data_dir, const char *folder)
{
    char *path = path_in(data_dir, folder, NULL);
    bool is_there = env_list(env, path, ignore_name, NULL) >= 0;
    xfree(path);
    return is_there;
}

int snapshot_dir_remove(const struct env *env, const char *data_dir)
{
    ASSERT(data_dir);
    if (!exists(env, data_dir, SNAPSHOT))
        return 0;
    int error = remove_files(env, data_dir, SNAPSHOT);
    return error ? error : remove_store(env, data_dir, SNAPSHOT);
}

static int rename_folder(const struct env *env, const char *data_dir, const char *from,
                         const char *to)
{
    char *old_path = path_in(data_dir, from, NULL), *new_path = path_in(data_dir, to, NULL);
    int error = env_rename(env, old_path, new_path);
    if (!error)
        error = env_sync_dir(env, data_dir);
    xfree(old_path);
    xfree(new_path);
    return error;
}

/* Its ancestors have been checked: it is the only one from now on. */
static int take_place(const struct env *env, const struct log *log, const char *data_dir)
{
    int error = 0;
    log_printf(log, LOG_ALWAYS,
               "[snapshot] cleaning up unneeded background chainstate, then reinitializing");
    if (exists(env, data_dir, STORE)) {
        error = remove_store(env, data_dir, TO_REMOVE);
        if (!error)
            error = rename_folder(env, data_dir, STORE, TO_REMOVE);
    }
    if (!error)
        error = rename_folder(env, data_dir, SNAPSHOT, STORE);
    if (!error)
        error = remove_files(env, data_dir, STORE); /* they mean nothing there */
    return error ? error : remove_store(env, data_dir, TO_REMOVE);
}

static int put_aside(const struct env *env, const struct log *log, const char *data_dir)
{
    log_printf(log, LOG_ALWAYS, "[snapshot] the invalid set of coins is put aside as %s/" PUT_ASIDE,
               data_dir);
    int error = remove_files(env, data_dir, PUT_ASIDE);
    if (!error)
        error = remove_store(env, data_dir, PUT_ASIDE);
    return error ? error : rename_folder(env, data_dir, SNAPSHOT, PUT_ASIDE);
}

static int settle_snapshot(const struct env *env, const struct log *log, const char *data_dir)
{
    bool is_checked, is_invalid;
    struct block_hash base;
    int error = has_mark(env, data_dir, SNAPSHOT_MARK_CHECKED, &is_checked);
    if (!error)
        error = has_mark(env, data_dir, SNAPSHOT_MARK_INVALID, &is_invalid);
    if (error)
        return error;
    if (is_invalid)
        return put_aside(env, log, data_dir);
    error = snapshot_dir_base(env, data_dir, &base);
    if (error == -ENOENT)
        return snapshot_dir_remove(env, data_dir);
    if (error) /* damage is told by who opens it; -reindex does without */
        return error == -EUCLEAN ? 0 : error;
    return is_checked ? take_place(env, log, data_dir) : 0;
}

int snapshot_dir_settle(const struct env *env, const struct log *log, const char *data_dir,
                        char **error)
{
    ASSERT(data_dir && error);
    int code = 0;
    if (exists(env, data_dir, SNAPSHOT))
        code = settle_snapshot(env, log, data_dir);
    if (!code && exists(env, data_dir, TO_REMOVE)) /* an earlier start was cut short */
        code = remove_store(env, data_dir, TO_REMOVE);
    if (code)
        *error = xasprintf("Cannot put the folders of the coins in order (%s, %s/" SNAPSHOT "): %s",
                           STORE, data_dir, strerror(-code));
    return code;
}
