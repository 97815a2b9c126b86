/* key_file.c - see key_file.h. */
#include "p2p/core/key_file.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/read_file.h"
#include "util/replace_file.h"

void key_file_init(struct key_file *file, const struct env *env, const struct log *log,
                   const char *dir, const char *name, size_t max_bytes)
{
    ASSERT(env && name && max_bytes > 0);
    *file = (struct key_file){.env = env,
                              .log = log,
                              .path = dir ? xasprintf("%s/%s", dir, name) : NULL,
                              .max_bytes = max_bytes};
}

void key_file_deinit(struct key_file *file)
{
    xfree(file->path);
    *file = (struct key_file){.path = NULL};
}

bool key_file_read(struct key_file *file, struct buffer *out)
{
    ASSERT(out);
    size_t before = out->len;
    if (!file->path)
        return false;
    int error = read_file(file->env, file->path, (int64_t)file->max_bytes, out);
    file->is_left_alone = error != 0 && error != -ENOENT;
    if (file->is_left_alone)
        log_warning(file->log, "The private key in %s cannot be read (%s): another one is used",
                    file->path, strerror(-error));
    else if (out->len > before)
        log_printf(file->log, LOG_NET, "Reading cached private key from %s", file->path);
    return out->len > before;
}

void key_file_refuse(struct key_file *file)
{
    ASSERT(file->path);
    file->is_left_alone = true;
    log_warning(file->log, "%s holds no private key: another one is used", file->path);
}

bool key_file_keep(const struct key_file *file, struct span key)
{
    ASSERT(key.len > 0 && key.len <= file->max_bytes);
    if (!file->path || file->is_left_alone)
        return false;
    int error = replace_file(file->env, file->path, key);
    if (error)
        log_warning(file->log, "Error writing private key to %s (%s)", file->path,
                    strerror(-error));
    else
        log_printf(file->log, LOG_NET, "Cached private key to %s", file->path);
    return error == 0;
}
