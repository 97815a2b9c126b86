/* index_db.h - the block index on disk: nodes, file infos, flags.
 *
 * Layer: chain. Store keys: 'b' height (big-endian) hash -> node, 'f' file number ->
 * block_file_info, 'F' name -> flag, 'r' -> where a replay began, 'v' -> format version, 'w' -> a
 * rewind that is under way. Values are checksummed by the store. */
#ifndef CHAIN_TREE_INDEX_DB_H
#define CHAIN_TREE_INDEX_DB_H

#include "chain/core/chain_types.h"
#include "chain/disk/block_file.h"
#include "chain/tree/header_tree.h"

struct index_db;

/* Open or create the store at path, and close it.
 *
 * Returns:  0, or a negative errno with *error set (xfree it) */
NODISCARD int index_db_open(const struct env *env, const struct log *log, const char *path,
                            bool is_strict, struct index_db **out, char **error);
/* Close it. No write may be under way. NULL is allowed. */
void index_db_close(struct index_db *db);
/* Where it is, for messages. Borrowed. */
const char *index_db_path(const struct index_db *db);

/* Read all nodes into an empty tree (parents before children whatever the order on disk), with
 * chain_tx and status as they were stored; *infos gets the file infos (xmalloc). Dirty marks are
 * clear afterwards. -EUCLEAN with *error if a value is malformed or a parent is missing. */
NODISCARD int index_db_load(struct index_db *db, struct header_tree *tree,
                            struct block_file_info **infos, size_t *n_infos, char **error);

/* Collect changes on the loop thread, then write them, synced, on any thread. */
struct env_batch *index_db_batch(struct index_db *db, struct header_tree *tree,
                                 struct block_files *files); /* clears dirty marks */
/* Write a batch, synced. Any thread. Owns: batch_take. Returns 0 or a negative errno. */
NODISCARD int index_db_write(struct index_db *db, struct env_batch *batch_take);
/* Only the rows of these n nodes, whose dirty marks stay: for index_db_write(). */
struct env_batch *index_db_batch_of(struct index_db *db, struct block_node *const *nodes, size_t n);

/* A batch that takes the rows of these n nodes away. */
struct env_batch *index_db_batch_without(struct index_db *db, struct block_node *const *nodes,
                                         size_t n);

/* Flags by name. Set at once, synced, and cleared together with the rows of a batch: what a flag
 * stands for is durable when the flag is gone. */
#define INDEX_FLAG_REINDEXING    "reindexing"
#define INDEX_FLAG_TO_EMPTY      "toempty" /* coins and index are about to be: -reindex */
#define INDEX_FLAG_PRUNED        "prunedblockfiles"
#define INDEX_FLAG_DAMAGED_COINS "damagedcoins" /* seen while running: to be made anew */
/* Is one set? A start must know before it goes on: a read that fails is not "no".
 *
 * Returns:  0, or a negative errno: -EUCLEAN if the row is damaged */
NODISCARD int index_db_flag(struct index_db *db, const char *name, bool *is_set);
/* Set one at once, synced. Returns 0 or a negative errno. */
NODISCARD int index_db_set_flag(struct index_db *db, const char *name);
/* Cleared at once, synced. Returns 0 or a negative errno. */
NODISCARD int index_db_clear_flag(struct index_db *db, const char *name);
/* Clear one together with the rows of a batch. */
void index_db_batch_clear_flag(struct index_db *db, struct env_batch *batch, const char *name);

/* Where the records of the block files begin that may not be in the index yet, while they are being
 * taken in after a crash: a second crash must not forget the rest. Set at once, synced; cleared as
 * flags are. Returns as index_db_flag() does. */
NODISCARD int index_db_replay_from(struct index_db *db, bool *is_set, int32_t *file,
                                   uint32_t *offset);
/* Set that place at once, synced. Returns 0 or a negative errno. */
NODISCARD int index_db_set_replay_from(struct index_db *db, int32_t file, uint32_t offset);
/* Forget it together with the rows of a batch. */
void index_db_batch_clear_replay(struct index_db *db, struct env_batch *batch);

/* The chain goes back to a moment: what is stored from there up to the end is not to be believed,
 * nor headers alone. */
struct index_rewind {
    struct chain_moment moment;
    int32_t file_end;
    uint32_t offset_end;
};
/* Does that place lie within? */
bool index_rewind_holds(const struct index_rewind *rewind, const struct file_pos *pos);
/* The note of one. Set and cleared at once, synced. Returns as index_db_flag() does. */
NODISCARD int index_db_rewind(struct index_db *db, bool *is_set, struct index_rewind *rewind);
/* Set it, in the place of another. Any thread. Returns 0 or a negative errno. */
NODISCARD int index_db_set_rewind(struct index_db *db, const struct index_rewind *rewind);
/* Clear it. Any thread. Returns 0 or a negative errno. */
NODISCARD int index_db_clear_rewind(struct index_db *db);
/* Clear it together with the rows of a batch. */
void index_db_batch_clear_rewind(struct index_db *db, struct env_batch *batch);

#endif
