/* sim_capture_export.c - see sim_capture_export.h */
#include "sim/program/sim_capture_export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/alloc.h"
#include "util/array.h"

#define CAPTURES_DIR "regtest/message_capture"

struct names {
    ARRAY(char *) list;
};

static void add_name(void *arg, const char *name)
{
    struct names *names = arg;
    *ARRAY_ADD(&names->list) = xstrdup(name);
}

static bool fail(const char *path, int error)
{
    fprintf(stderr, "cairn-sim: %s: %s\n", path, strerror(error));
    return false;
}

static bool write_file(const char *path, struct span bytes)
{
    FILE *file = fopen(path, "wb"); /* lint: the command is the outer world */
    if (!file)
        return fail(path, errno);
    bool ok = fwrite(bytes.p, 1, bytes.len, file) == bytes.len;
    int error = errno;
    if (fclose(file) != 0 && ok)
        return fail(path, errno);
    return ok || fail(path, error);
}

static bool copy_file(const struct env *env, const char *from, const char *to)
{
    struct env_file *file;
    int error = env_file_open(env, from, 0, &file);
    if (error)
        return error == -ENOENT || fail(from, -error);
    int64_t size = env_file_size(env, file);
    ASSERT(size >= 0);
    uint8_t *bytes = xmalloc((size_t)size + 1);
    int64_t n = env_file_read_at(env, file, 0, bytes, (size_t)size);
    env_file_close(env, file);
    bool ok = n == size ? write_file(to, span_of(bytes, (size_t)size)) : fail(from, EIO);
    xfree(bytes);
    return ok;
}

static bool make_dir(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST || fail(path, errno);
}

static bool copy_peer(const struct env *env, const char *dir, const char *peer)
{
    static const char *const files[] = {"msgs_recv.dat", "msgs_sent.dat"};
    char *folder = xasprintf("%s/%s", dir, peer);
    bool ok = make_dir(folder);
    for (size_t i = 0; ok && i < COUNT_OF(files); i++) {
        char *from = xasprintf(CAPTURES_DIR "/%s/%s", peer, files[i]);
        char *to = xasprintf("%s/%s", folder, files[i]);
        ok = copy_file(env, from, to);
        xfree(from);
        xfree(to);
    }
    xfree(folder);
    return ok;
}

int sim_capture_export(struct sim_world *world, size_t node, const char *dir)
{
    ASSERT(world && dir);
    const struct env *env = sim_world_env(world, node);
    struct names names = {0};
    bool ok = make_dir(dir);
    if (ok)
        (void)env_list(env, CAPTURES_DIR, add_name, &names); /* none: nobody was met */
    for (size_t i = 0; i < names.list.n; i++) {
        ok = ok && copy_peer(env, dir, names.list.at[i]);
        xfree(names.list.at[i]);
    }
    int n = (int)names.list.n;
    ARRAY_FREE(&names.list);
    return ok ? n : -1;
}
