/* replace_file.c - see replace_file.h. */
#include "util/replace_file.h"

#include <string.h>

#include "util/alloc.h"
#include "util/planted.h"

static int write_aside(const struct env *env, const char *aside, struct span bytes)
{
    struct env_file *file;
    int error =
        env_file_open(env, aside, ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE, &file);
    if (error)
        return error;
    error = env_file_write_at(env, file, 0, bytes.p, bytes.len);
    if (!error && !PLANTED(env, MEMPOOL_NOT_SYNCED))
        error = env_file_sync(env, file);
    env_file_close(env, file);
    return error;
}

/* Make the name in its directory durable. */
static int sync_name(const struct env *env, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = !slash ? xstrdup(".") : xasprintf("%.*s", (int)(slash - path), path);
    int error = env_sync_dir(env, *dir ? dir : "/");
    xfree(dir);
    return error;
}

int replace_file(const struct env *env, const char *path, struct span bytes)
{
    ASSERT(env && path && (bytes.p || bytes.len == 0));
    char *aside = xasprintf("%s.new", path);
    int error = write_aside(env, aside, bytes);
    if (!error)
        error = env_rename(env, aside, path);
    if (!error && !PLANTED(env, MEMPOOL_NAME_NOT_SYNCED))
        error = sync_name(env, path);
    xfree(aside);
    return error;
}
