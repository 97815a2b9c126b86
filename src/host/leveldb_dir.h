/* leveldb_dir.h - the folder of a LevelDB store: made, emptied and synced beyond what LevelDB does.
 *
 * Layer: host. Any thread. Links are followed and kept: who put a store on another disk finds it
 * there after it was rebuilt. Errors are negative errno values. */
#ifndef HOST_LEVELDB_DIR_H
#define HOST_LEVELDB_DIR_H

#include "util/assert.h"

#include <stdint.h>

/* Before a store is opened: make the folder, durably, if there is none, and end a removal that was
 * cut short. *error gets a message (xfree it) if the path is a link to nothing, else NULL. */
NODISCARD int leveldb_dir_prepare(const char *path, char **error);

/* Remove the store's files, and the folder unless it is a link or holds anything else. Cut short at
 * any moment, leveldb_dir_prepare() goes on with it. -EBUSY: the store is open. */
NODISCARD int leveldb_dir_destroy(const char *path);

/* Sync every log in the folder. LevelDB syncs only the log that it writes to, while the one before
 * may still hold all that is known of some writes. */
NODISCARD int leveldb_dir_sync_logs(const char *path);

/* -EUCLEAN with *error if there are bytes behind a run of zeroes in a log: LevelDB takes zeroes for
 * room that was never written, and passes over what follows without a word. After a loss of power
 * that may be right. */
NODISCARD int leveldb_dir_check_logs(const char *path, char **error);

/* *number: that of the newest log, 0 if there is none. It changes when LevelDB has made files whose
 * names it does not sync. */
NODISCARD int leveldb_dir_newest_log(const char *path, uint64_t *number);

#endif
