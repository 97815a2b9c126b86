/* replace_file.h - a file is written as a whole: a crash leaves the old one or the new one.
 *
 * Layer: util. For files that are small and read at a start: mempool.dat, banlist.json, peers.dat.
 * Without both syncs a power cut can leave a file of that name that is empty or cut short. */
#ifndef UTIL_REPLACE_FILE_H
#define UTIL_REPLACE_FILE_H

#include "util/env.h"

/* Put bytes in the place of the file at path, by a file beside it (path.new) that is synced and
 * renamed; on return the new file is durable, its name too. Any thread; one at a time for each
 * path. Returns 0 or a negative errno: the old file is there still, or its bytes are the new ones.
 */
int replace_file(const struct env *env, const char *path, struct span bytes);

#endif
