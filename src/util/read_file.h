/* read_file.h - a small file as a whole, with a limit.
 *
 * Layer: util. For what replace_file() wrote: banlist.json, peers.dat, fee estimates. */
#ifndef UTIL_READ_FILE_H
#define UTIL_READ_FILE_H

#include "util/buffer.h"
#include "util/env.h"

/* Append all of the file at path to out, if it has at most max_bytes. Any thread.
 *
 * Returns: 0, -EFBIG if it is longer, or another negative errno; out is as before then */
NODISCARD int read_file(const struct env *env, const char *path, int64_t max_bytes,
                        struct buffer *out);

#endif
