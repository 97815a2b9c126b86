/* store_format.c - see store_format.h
 *
 * The row decides; without it what an old version of ours left, or that there is nothing at all; if
 * the rows cannot be read, the file beside the store. What none of them knows is not ours. */
#include "chain/core/store_format.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/buffer.h"
#include "util/replace_file.h"
#include "util/version.h"

/* -- The marks --------------------------------------------------------------------------------- */

/* Synced: what is put into the store afterwards must never be found without it. */
static int write_row(const struct env *env, struct env_kv *kv, const struct store_format *format)
{
    const uint8_t value[2] = {format->version, (uint8_t)format->kind};
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of("v", 1), span_of(value, sizeof value));
    int error = env_kv_write(env, kv, batch, true);
    env_batch_free(env, batch);
    return error;
}

/* 1 if our file stands beside the store's, 0 if not, or an error. */
static int has_file(const struct env *env, const char *path)
{
    struct env_file *file;
    char *name = xasprintf("%s/" STORE_FORMAT_FILE, path);
    int error = env_file_open(env, name, ENV_OPEN_READ, &file);
    xfree(name);
    if (!error)
        env_file_close(env, file);
    return !error ? 1 : error == -ENOENT ? 0 : error;
}

/* For a store so damaged that its rows cannot be read: the file says that it may be emptied. */
static int write_file(const struct env *env, const char *path, const struct store_format *format)
{
    int result = has_file(env, path);
    if (result)
        return result < 0 ? result : 0;
    char *name = xasprintf("%s/" STORE_FORMAT_FILE, path);
    char *text = xasprintf("This is the %s of " CAIRN_NAME ". If it is damaged it is made anew.\n",
                           format->name);
    result = env_make_dir(env, path);
    if (!result)
        result = replace_file(env, name, span_of_string(text));
    xfree(text);
    xfree(name);
    return result;
}

/* -- Whose it is ------------------------------------------------------------------------------- */

/* 1 if the key is there with a value of len bytes (SIZE_MAX: any), 0 if not, or an error. */
static int has_row(const struct env *env, struct env_kv *kv, struct span key, size_t len)
{
    struct buffer value;
    buffer_init(&value);
    int result = env_kv_get(env, kv, key, &value);
    if (!result)
        result = len == SIZE_MAX || value.len == len;
    else if (result == -ENOENT)
        result = 0;
    buffer_deinit(&value);
    return result;
}

static int has_old_row(const struct env *env, struct env_kv *kv, const struct store_format *format)
{
    int result = 0;
    if (format->old_key)
        result = has_row(env, kv, span_of_string(format->old_key), format->old_len);
    if (!result && format->old_key_other)
        result = has_row(env, kv, span_of_string(format->old_key_other), format->old_len_other);
    return result;
}

static bool is_row_of(const struct store_format *format, struct span key, struct span value)
{
    size_t n = format->row_prefix ? strlen(format->row_prefix) : 0;
    ASSERT(n <= format->row_key_len);
    return n > 0 && key.len == format->row_key_len && value.len == format->row_value_len &&
           memcmp(key.p, format->row_prefix, n) == 0;
}

/* 1 if the store has no row at all, 0 if it has, or an error. *begins_as_ours: what it has is what
 * an old version of ours left without a mark. */
static int is_empty(const struct env *env, struct env_kv *kv, const struct store_format *format,
                    bool *begins_as_ours)
{
    struct env_cursor *cursor = env_cursor_open(env, kv);
    env_cursor_seek(env, cursor, span_of("", 0));
    bool has_rows = env_cursor_valid(env, cursor);
    *begins_as_ours =
        has_rows && is_row_of(format, env_cursor_key(env, cursor), env_cursor_value(env, cursor));
    int error = env_cursor_error(env, cursor);
    env_cursor_close(env, cursor);
    return error ? error : !has_rows;
}

/* Rows of Core's stores that ours never have: the key that its rows are mixed with (coins, and the
 * others since 28.0), the last block file, the mark of a reindex, the best block of its indexes.
 * Ours have 'B' too, but have been recognised by then. */
static int is_cores(const struct env *env, struct env_kv *kv)
{
    static const struct span keys[] = {
        {(const uint8_t *)"\x0e\x00obfuscate_key", 15},
        {(const uint8_t *)"l", 1},
        {(const uint8_t *)"R", 1},
        {(const uint8_t *)"H", 1},
        {(const uint8_t *)"B", 1},
    };
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(keys) && !result; i++)
        result = has_row(env, kv, keys[i], SIZE_MAX);
    return result;
}

/* A store without our row: it is new, or ours from before there were marks, and gets it; or it was
 * cut short; or it is somebody else's, and nothing is written into it. */
static int check_unmarked(const struct env *env, struct env_kv *kv, const char *path,
                          const struct store_format *format, char **error)
{
    bool begins_as_ours;
    int result = is_empty(env, kv, format, &begins_as_ours);
    if (!result)
        result = has_old_row(env, kv, format);
    if (result > 0)
        return write_row(env, kv, format);
    if (!result)
        result = is_cores(env, kv);
    if (!result && begins_as_ours)
        result = write_file(env, path, format);
    if (!result && begins_as_ours)
        result = -EUCLEAN;
    if (result < 0)
        return result;
    *error = xasprintf("%s is not a %s of this program: it looks like %s. Nothing was changed in "
                       "it. Give another -datadir, or move that directory away",
                       path, format->name, result ? "Bitcoin Core's" : "another program's");
    return -ENOTSUP;
}

/* A store of ours has the right kind, unless it is from before there were kinds. */
static int check_marked(const struct env *env, struct env_kv *kv, const char *path,
                        const struct store_format *format, struct span row, char **error)
{
    if (row.len == 0 || row.len > 2 || row.p[0] < format->version) /* never written */
        return -EUCLEAN;
    if (row.p[0] > format->version) {
        *error = xasprintf("%s, the %s, is of a newer version of this program (format %d; this one "
                           "knows %d). Nothing was changed in it. Use the newer version",
                           path, format->name, row.p[0], format->version);
        return -ENOTSUP;
    }
    if (row.len == 1)
        return write_row(env, kv, format);
    return row.p[1] == (uint8_t)format->kind ? 0 : -EUCLEAN;
}

/* The file comes last: only beside a store whose rows have shown that it is ours. */
static int check(const struct env *env, struct env_kv *kv, const char *path,
                 const struct store_format *format, char **error)
{
    struct buffer value;
    buffer_init(&value);
    int result = env_kv_get(env, kv, span_of("v", 1), &value);
    if (result == -EUCLEAN)
        *error = xasprintf("%s: " STORE_DAMAGE_TEXT, path);
    if (result == -ENOENT)
        result = check_unmarked(env, kv, path, format, error);
    else if (!result)
        result = check_marked(env, kv, path, format, buffer_span(&value), error);
    buffer_deinit(&value);
    if (!result)
        result = write_file(env, path, format);
    return result;
}

/* -- Damage ------------------------------------------------------------------------------------ */

struct sniff {
    const struct env *env;
    const char *path;
    bool is_cores;
};

/* The key that Core's rows are mixed with is the first row of the first table, or of the log. */
static void sniff_file(void *arg, const char *name)
{
    static const char row[] = "obfuscate_key";
    struct sniff *sniff = arg;
    const struct env *env = sniff->env;
    struct env_file *file;
    uint8_t head[256];
    char *path = xasprintf("%s/%s", sniff->path, name);
    if (env_file_open(env, path, ENV_OPEN_READ, &file) == 0) {
        int64_t n = env_file_read_at(env, file, 0, head, sizeof head);
        sniff->is_cores |= n > 0 && memmem(head, (size_t)n, row, sizeof row - 1);
        env_file_close(env, file);
    }
    xfree(path);
}

/* What is damaged may be emptied, if it is ours. */
static int check_damaged(const struct env *env, const char *path, const struct store_format *format,
                         char **error)
{
    struct sniff sniff = {.env = env, .path = path};
    int result = has_file(env, path);
    if (result)
        return result > 0 ? -EUCLEAN : result;
    (void)env_list(env, path, sniff_file, &sniff);
    xfree(*error);
    *error =
        xasprintf("%s is damaged, and nothing shows that it is a %s of this program%s. Nothing "
                  "was changed in it. Give another -datadir, or move that directory away",
                  path, format->name, sniff.is_cores ? ": it looks like Bitcoin Core's" : "");
    return -ENOTSUP;
}

bool store_format_is_of_row(const char *error)
{
    ASSERT(error);
    return strstr(error, STORE_DAMAGE_TEXT) != NULL;
}

int store_format_open(const struct env *env, const char *path, const struct env_kv_options *options,
                      const struct store_format *format, struct env_kv **out, char **error)
{
    ASSERT(format->version > 0 && format->kind);
    *error = NULL;
    int result = env_kv_open(env, path, options, out, error);
    if (!result)
        result = check(env, *out, path, format, error);
    if (result && *out) {
        env_kv_close(env, *out);
        *out = NULL;
    }
    if (result == -EUCLEAN)
        result = check_damaged(env, path, format, error);
    if (result && !*error)
        *error = xasprintf("%s, the %s, %s (%s)", path, format->name,
                           result == -EUCLEAN ? "is damaged" : "cannot be read", strerror(-result));
    ASSERT((result == 0) == (*out != NULL));
    return result;
}
