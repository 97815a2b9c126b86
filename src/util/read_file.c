/* read_file.c - see read_file.h. */
#include "util/read_file.h"

#include <errno.h>

#include "util/assert.h"

int read_file(const struct env *env, const char *path, int64_t max_bytes, struct buffer *out)
{
    struct env_file *file;
    ASSERT(path && max_bytes > 0);
    int error = env_file_open(env, path, ENV_OPEN_READ, &file);
    if (error)
        return error;
    int64_t size = env_file_size(env, file), got = size > max_bytes ? -EFBIG : size;
    if (got > 0)
        got = env_file_read_at(env, file, 0, buffer_reserve(out, (size_t)size), (size_t)size);
    env_file_close(env, file);
    if (got < 0)
        return (int)got;
    out->len += (size_t)got;
    return 0;
}
