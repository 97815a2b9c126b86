/* key_file.h - the private key of an address of ours, kept so that it is the same after a restart.
 *
 * Layer: p2p. Readable for its owner alone. A key that is there but cannot be read is never written
 * over: others know us by it, and what is wrong may be mended. Blocks for a moment. */
#ifndef P2P_CORE_KEY_FILE_H
#define P2P_CORE_KEY_FILE_H

#include "util/buffer.h"
#include "util/env.h"
#include "util/log.h"

struct key_file {
    const struct env *env;
    const struct log *log;
    char *path; /* NULL: nothing is kept */
    size_t max_bytes;
    bool is_left_alone; /* what is there cannot be read: nothing is kept */
};

/* Begin. Borrows env and log.
 *
 * In:       dir        where it is; NULL: nothing is kept
 *           max_bytes  that a key can have */
void key_file_init(struct key_file *file, const struct env *env, const struct log *log,
                   const char *dir, const char *name, size_t max_bytes);
/* End; a file that was never begun may be all zeros. */
void key_file_deinit(struct key_file *file);

/* Read the key.
 *
 * Out:      out  it is appended; the caller wipes it
 * Returns:  false if there is none, or it cannot be read, which the log says */
NODISCARD bool key_file_read(struct key_file *file, struct buffer *out);
/* What was read is no key, and is left alone. */
void key_file_refuse(struct key_file *file);
/* Keep a new key. Returns: false if it is not kept; the log says why, if it should have been */
bool key_file_keep(const struct key_file *file, struct span key);

#endif
