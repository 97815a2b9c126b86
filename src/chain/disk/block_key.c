/* block_key.c - see block_key.h. */
#include "chain/disk/block_key.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/hex.h"
#include "util/read_file.h"
#include "util/replace_file.h"

static char *path_of(const char *blocks_dir)
{
    return xasprintf("%s/xor.dat", blocks_dir);
}

/* -ENOENT where there is none. */
static int read_key(const struct env *env, const char *path, struct block_key *key)
{
    static const uint8_t zeros[BLOCK_KEY_BYTES];
    struct buffer raw;
    *key = (struct block_key){0};
    buffer_init(&raw);
    int error = read_file(env, path, BLOCK_KEY_BYTES, &raw);
    if (error == -EFBIG || (!error && raw.len != BLOCK_KEY_BYTES))
        error = -EUCLEAN;
    if (!error)
        memcpy(key->bytes, raw.p, BLOCK_KEY_BYTES);
    key->is_set = memcmp(key->bytes, zeros, BLOCK_KEY_BYTES) != 0;
    buffer_deinit(&raw);
    return error;
}

int block_key_load(const struct env *env, const char *blocks_dir, struct block_key *key)
{
    ASSERT(env && blocks_dir && key);
    char *path = path_of(blocks_dir);
    int error = read_key(env, path, key);
    xfree(path);
    return error == -ENOENT ? 0 : error;
}

static void note_block_file(void *arg, const char *name)
{
    bool *is_found = arg;
    *is_found |= strncmp(name, "blk", 3) == 0;
}

/* Durable before the first record is: a key that a crash takes would take all blocks. */
static int write_key(const struct env *env, const char *blocks_dir, const char *path,
                     bool wants_random)
{
    uint8_t bytes[BLOCK_KEY_BYTES] = {0};
    bool has_blocks = false;
    int error = env_list(env, blocks_dir, note_block_file, &has_blocks);
    if (error)
        return error;
    if (wants_random && !has_blocks)
        env_random(env, bytes, sizeof bytes);
    return replace_file(env, path, span_of(bytes, sizeof bytes));
}

/* Core's words. */
static char *refusal(const struct block_key *key, const char *path)
{
    char hex[2 * BLOCK_KEY_BYTES + 1];
    hex_encode(hex, span_of(key->bytes, sizeof key->bytes));
    return xasprintf("The blocksdir XOR-key can not be disabled when a random key was already "
                     "stored! Stored key: '%s', stored path: '%s'.",
                     hex, path);
}

int block_key_make(const struct env *env, const char *blocks_dir, bool wants_random, char **error)
{
    ASSERT(env && blocks_dir && error);
    struct block_key key;
    char *path = path_of(blocks_dir);
    int code = read_key(env, path, &key);
    *error = NULL;
    if (code == -ENOENT) {
        code = write_key(env, blocks_dir, path, wants_random);
        if (code)
            *error = xasprintf("Cannot write %s: %s", path, strerror(-code));
    } else if (!code && !wants_random && key.is_set) {
        code = -EINVAL;
        *error = refusal(&key, path);
    } else if (code) {
        *error = xasprintf("Cannot read %s: %s", path,
                           code == -EUCLEAN ? "it must have 8 bytes" : strerror(-code));
    }
    xfree(path);
    return code;
}

void block_key_apply(const struct block_key *key, uint64_t offset, uint8_t *p, size_t n)
{
    ASSERT(key && (p || n == 0));
    uint8_t turned[BLOCK_KEY_BYTES];
    uint64_t mask, word;
    size_t at = 0;
    for (size_t i = 0; i < BLOCK_KEY_BYTES; i++)
        turned[i] = key->bytes[(offset + i) % BLOCK_KEY_BYTES];
    memcpy(&mask, turned, sizeof mask);
    for (; at + sizeof word <= n; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        word ^= mask;
        memcpy(p + at, &word, sizeof word);
    }
    for (; at < n; at++)
        p[at] ^= turned[at % BLOCK_KEY_BYTES];
}
