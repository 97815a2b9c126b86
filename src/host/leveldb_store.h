/* leveldb_store.h - the key-value functions of struct env, on LevelDB.
 *
 * Layer: host. Any thread after open. The first argument of each is env's context and not used.
 * See util/env.h for what they promise. No compression (values are small or already packed),
 * every read block's checksum verified. */
#ifndef HOST_LEVELDB_STORE_H
#define HOST_LEVELDB_STORE_H

#include <stdbool.h>

#include "util/assert.h"
#include "util/env.h"

/* Open or create the store in directory path, whose parents exist.
 * Fails: -EBUSY (another process, or this one, has it open), -EUCLEAN (corrupt), -ENOSPC, -EIO;
 * *error (may be NULL) is then LevelDB's message, freed with xfree(). */
NODISCARD int leveldb_store_open(void *ctx, const char *path, const struct env_kv_options *options,
                                 struct env_kv **out, char **error);
void leveldb_store_close(void *ctx, struct env_kv *kv); /* NULL is allowed */
/* Remove a closed store and its directory; one that is not there is success. A link to a directory
 * stays, and so does the directory. */
NODISCARD int leveldb_store_destroy(void *ctx, const char *path);

/* The code of an error message of LevelDB's: -EUCLEAN damage, -EBUSY held by somebody, else the
 * errno that the message ends with, or -EIO. The message is freed; *error (may be NULL) gets a
 * copy, freed with xfree(). */
NODISCARD int leveldb_store_take_error(char *message, char **error);

/* Append the value to out_buffer, a struct buffer. Fails: -ENOENT, -EUCLEAN, -EIO. */
NODISCARD int leveldb_store_get(void *ctx, struct env_kv *kv, struct span key, void *out_buffer);

/* Make an empty batch. Owns: the caller. */
struct env_batch *leveldb_store_batch_new(void *ctx);
/* Free a batch; NULL is allowed. */
void leveldb_store_batch_free(void *ctx, struct env_batch *batch);
/* Empty a batch, to be filled again. */
void leveldb_store_batch_clear(void *ctx, struct env_batch *batch);
/* Note a change; of several for one key the last counts. Copies key and value. */
void leveldb_store_batch_put(void *ctx, struct env_batch *batch, struct span key,
                             struct span value);
/* Note a removal; a key that is not there is fine. Copies key. */
void leveldb_store_batch_delete(void *ctx, struct env_batch *batch, struct span key);
/* Write the batch at once or not at all; sync makes it and all before it durable. */
NODISCARD int leveldb_store_write(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync);

/* A cursor over the store as it is now; not positioned until the first seek. */
struct env_cursor *leveldb_store_cursor_open(void *ctx, struct env_kv *kv);
/* Free a cursor and let go of the state it saw; NULL is allowed. Before its store is closed. */
void leveldb_store_cursor_close(void *ctx, struct env_cursor *cursor);
/* Move to the first key at or after key, by bytes. */
void leveldb_store_cursor_seek(void *ctx, struct env_cursor *cursor, struct span key);
/* Is the cursor at a key? Not beyond the last one, and not after a fault: both look alike, see
 * leveldb_store_cursor_error(). */
bool leveldb_store_cursor_valid(void *ctx, struct env_cursor *cursor);
/* Move to the next key. The cursor must be valid. */
void leveldb_store_cursor_next(void *ctx, struct env_cursor *cursor);
/* The key here. Borrowed until the cursor moves or is closed. */
struct span leveldb_store_cursor_key(void *ctx, struct env_cursor *cursor);
/* The value here, as long. */
struct span leveldb_store_cursor_value(void *ctx, struct env_cursor *cursor);
/* 0, or why the cursor became invalid before the end: -EUCLEAN, -EIO. */
NODISCARD int leveldb_store_cursor_error(void *ctx, struct env_cursor *cursor);

#endif
