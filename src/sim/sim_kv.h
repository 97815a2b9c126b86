/* sim_kv.h - the key-value stores of a simulated disk.
 *
 * Layer: sim. A store is a sorted array; batches that were written without sync are remembered, and
 * a power loss keeps a prefix of them, as a write-ahead log does. */
#ifndef SIM_KV_H
#define SIM_KV_H

#include "sim/sim_disk.h"

/* For sim_disk.c: copy all stores as a crash leaves them; free them. */
struct list sim_kv_after_crash(const struct list *stores, enum sim_crash how,
                               struct sim_random *random);
void sim_kv_free_all(struct list *stores);

/* The functions of struct env_store; see there. ctx is the disk, and used by open and destroy. */
int sim_kv_open(void *disk, const char *path, const struct env_kv_options *options,
                struct env_kv **out, char **error);
void sim_kv_close(void *ctx, struct env_kv *kv);
int sim_kv_destroy(void *disk, const char *path);
int sim_kv_get(void *ctx, struct env_kv *kv, struct span key, void *out_buffer);
struct env_batch *sim_kv_batch_new(void *ctx);
void sim_kv_batch_free(void *ctx, struct env_batch *batch);
void sim_kv_batch_clear(void *ctx, struct env_batch *batch);
void sim_kv_batch_put(void *ctx, struct env_batch *batch, struct span key, struct span value);
void sim_kv_batch_delete(void *ctx, struct env_batch *batch, struct span key);
int sim_kv_write(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync);
struct env_cursor *sim_kv_cursor_open(void *ctx, struct env_kv *kv);
void sim_kv_cursor_close(void *ctx, struct env_cursor *cursor);
void sim_kv_cursor_seek(void *ctx, struct env_cursor *cursor, struct span key);
bool sim_kv_cursor_valid(void *ctx, struct env_cursor *cursor);
void sim_kv_cursor_next(void *ctx, struct env_cursor *cursor);
struct span sim_kv_cursor_key(void *ctx, struct env_cursor *cursor);
struct span sim_kv_cursor_value(void *ctx, struct env_cursor *cursor);

#endif
