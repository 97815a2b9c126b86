/* sim_kv.h - the key-value stores of a simulated disk.
 *
 * Layer: sim. A store is sorted, and keeps what a cursor sees; batches that were written without
 * sync are remembered, and a power loss keeps a prefix of them, as a write-ahead log does. */
#ifndef SIM_KV_H
#define SIM_KV_H

#include "sim/sim_disk.h"

/* For sim_disk.c: copies of all stores as a crash leaves them, closed. They share what does not
 * change with the originals. */
struct list sim_kv_after_crash(const struct list *stores, enum sim_crash how,
                               struct sim_random *random);
/* For sim_disk.c: free all stores of a list. */
void sim_kv_free_all(struct list *stores);

/* The functions of struct env_store; see there. ctx is the disk, and used by open and destroy.
 *
 * Open a store, or make an empty one. -EBUSY if it is open: LevelDB locks it too. */
int sim_kv_open(void *disk, const char *path, const struct env_kv_options *options,
                struct env_kv **out, char **error);
/* Close a store, which syncs nothing. NULL is allowed. */
void sim_kv_close(void *ctx, struct env_kv *kv);
/* Remove a closed store, for good: no crash brings it back. One that is not there is success. */
int sim_kv_destroy(void *disk, const char *path);
/* Append the value to out_buffer, a struct buffer. -ENOENT if there is none. */
int sim_kv_get(void *ctx, struct env_kv *kv, struct span key, void *out_buffer);
/* An empty batch. Owns: the caller. */
struct env_batch *sim_kv_batch_new(void *ctx);
/* Free a batch; NULL is allowed. */
void sim_kv_batch_free(void *ctx, struct env_batch *batch);
/* Empty a batch, to be filled again. */
void sim_kv_batch_clear(void *ctx, struct env_batch *batch);
/* Note a change; of several for one key the last counts. Copies key and value. */
void sim_kv_batch_put(void *ctx, struct env_batch *batch, struct span key, struct span value);
/* Note a removal. Copies key. */
void sim_kv_batch_delete(void *ctx, struct env_batch *batch, struct span key);
/* Write a batch; nothing of it on an error. With sync there are two moments to crash at: before it
 * is in the log, and in the log but not yet sure. */
int sim_kv_write(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync);
/* A cursor over the store as it is now; at no key before the first seek. */
struct env_cursor *sim_kv_cursor_open(void *ctx, struct env_kv *kv);
/* Free a cursor; NULL is allowed. */
void sim_kv_cursor_close(void *ctx, struct env_cursor *cursor);
/* Move to the first key at or after key, by bytes. */
void sim_kv_cursor_seek(void *ctx, struct env_cursor *cursor, struct span key);
/* Is the cursor at a key? No cursor of a simulated store ever fails midway. */
bool sim_kv_cursor_valid(void *ctx, struct env_cursor *cursor);
/* Move to the next key. The cursor must be valid. */
void sim_kv_cursor_next(void *ctx, struct env_cursor *cursor);
/* The key here; borrowed until the cursor is closed. */
struct span sim_kv_cursor_key(void *ctx, struct env_cursor *cursor);
/* The value here, as long. */
struct span sim_kv_cursor_value(void *ctx, struct env_cursor *cursor);

#endif
