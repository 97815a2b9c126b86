/* fuzz_block_file.c - a block file with any contents can be scanned: what is found can be read
 * back, lies in order within the file, and nothing outside is touched. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "chain/disk/block_file.h"
#include "sim/sim_env.h"
#include "util/alloc.h"
#include "util/crc32c.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

struct scan {
    struct block_files *files;
    size_t size;
    uint64_t end; /* of the last record found */
};

static bool check_record(void *arg, const struct file_pos *pos, struct span block)
{
    struct scan *scan = arg;
    uint8_t *again;
    ASSERT(pos->file == 0 && pos->len == block.len);
    ASSERT(pos->offset >= scan->end + BLOCK_RECORD_HEADER_BYTES);
    scan->end = (uint64_t)pos->offset + pos->len;
    ASSERT(scan->end <= scan->size);
    ASSERT(crc32c(0, block.p, block.len) == pos->crc32c);
    ASSERT(block_files_read(scan->files, pos, &again) == 0);
    ASSERT(memcmp(again, block.p, block.len) == 0);
    xfree(again);
    return true;
}

/* Any position may be asked for: it is damage, or exactly what the file has there. */
static void check_read(struct block_files *files, const uint8_t *data, size_t size)
{
    struct file_pos pos = {.offset = data[0] * 4u, .len = data[1], .crc32c = 0};
    size_t begin = pos.offset;
    if (begin + pos.len <= size)
        pos.crc32c = crc32c(0, data + begin, pos.len);
    uint8_t *out = NULL;
    int error = block_files_read(files, &pos, &out);
    ASSERT(error == 0 || error == -EUCLEAN);
    ASSERT((error == 0) == (out != NULL));
    if (!error)
        ASSERT(begin + pos.len <= size && memcmp(out, data + begin, pos.len) == 0);
    xfree(out);
    error = block_files_read_undo(files, &pos, &out);
    ASSERT(error == -EUCLEAN || error == -ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct sim_env *sim = sim_env_new(1);
    const struct env *env = sim_env_get(sim);
    struct env_file *file;
    struct block_files *files;
    char *error;
    ASSERT(block_files_open(env, NULL, "blocks", magic, NULL, 0, &files, &error) == 0);
    ASSERT(env_file_open(env, "blocks/blk00000.dat", ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file) == 0);
    ASSERT(env_file_write_at(env, file, 0, data, size) == 0);
    env_file_close(env, file);
    struct scan scan = {.files = files, .size = size};
    ASSERT(block_files_scan(files, 0, 0, check_record, &scan) == 0);
    check_read(files, data, size);
    block_files_close(files);
    sim_env_free(sim);
    return 0;
}
