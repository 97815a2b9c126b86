/* sim_capture_export.c - see sim_capture_export.h */
#include "sim/program/sim_capture_export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/program/sim_trace_file.h"
#include "util/alloc.h"
#include "util/array.h"
#include "util/buffer.h"

#define READ_STEP_US 1000
#define CAPTURES_DIR "regtest/message_capture"

struct peers {
    ARRAY(char *) list;
};

static void add_name(void *arg, const char *name)
{
    struct peers *peers = arg;
    *ARRAY_ADD(&peers->list) = xstrdup(name);
}

static bool fail(const char *path, int error)
{
    fprintf(stderr, "cairn-sim: %s: %s\n", path, strerror(error));
    return false;
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
    bool ok = n == size ? sim_file_write(to, span_of(bytes, (size_t)size)) : fail(from, EIO);
    xfree(bytes);
    return ok;
}

bool sim_capture_make_dir(const char *path)
{
    ASSERT(path);
    return mkdir(path, 0777) == 0 || errno == EEXIST || fail(path, errno);
}

static bool copy_peer(const struct env *env, const char *dir, const char *peer)
{
    static const char *const files[] = {"msgs_recv.dat", "msgs_sent.dat"};
    char *folder = xasprintf("%s/%s", dir, peer);
    bool ok = sim_capture_make_dir(folder);
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
    struct peers peers = {0};
    bool ok = sim_capture_make_dir(dir);
    if (ok)
        (void)env_list(env, CAPTURES_DIR, add_name, &peers); /* none: nobody was met */
    for (size_t i = 0; i < peers.list.n; i++) {
        ok = ok && copy_peer(env, dir, peers.list.at[i]);
        xfree(peers.list.at[i]);
    }
    int n = (int)peers.list.n;
    ARRAY_FREE(&peers.list);
    return ok ? n : -1;
}

/* -- Blocks -------------------------------------------------------------------------------------
 */

/* Read one after the other. */
struct block_copy {
    struct buffer out;
    const uint8_t *magic;
    bool is_read;
    int error;
};

static void on_read(void *arg, const struct chain_block_read *read)
{
    struct block_copy *copy = arg;
    copy->is_read = true;
    copy->error = read->error;
    if (read->error)
        return;
    struct writer w = writer_to_growing(&copy->out);
    write_bytes(&w, copy->magic, 4);
    write_u32(&w, (uint32_t)read->block->raw_len);
    write_span(&w, span_of(read->block->raw, read->block->raw_len));
}

bool sim_capture_export_blocks(struct sim_world *world, size_t node, int32_t height,
                               const char *path)
{
    ASSERT(world && path);
    struct chain *chain = node_chain(sim_world_node(world, node));
    struct block_copy copy = {.magic = chain_network(chain)->magic};
    buffer_init(&copy.out);
    for (int32_t at = 1; at <= height && !copy.error; at++) {
        copy.is_read = false;
        chain_read_block(chain, chain_at(chain, at), false, on_read, &copy);
        while (!copy.is_read)
            sim_world_run_for(world, READ_STEP_US);
    }
    bool ok = copy.error ? fail(path, -copy.error) : sim_file_write(path, buffer_span(&copy.out));
    buffer_deinit(&copy.out);
    return ok;
}
