/* datadir_lock.h - one node per data directory, and the file that says which process it is.
 *
 * Layer: host. The lock is on the open file, so it ends with the process however that ends, and
 * two nodes of one process exclude each other too. */
#ifndef HOST_DATADIR_LOCK_H
#define HOST_DATADIR_LOCK_H

#include <stdbool.h>

#include "util/assert.h"

/* Two locks: on the file .lock, where other nodes look, and on the directory itself, since the
 * file may be deleted while we run. */
struct datadir_lock {
    int file, dir; /* descriptors, -1: none */
};

#define DATADIR_UNLOCKED                                                                           \
    (struct datadir_lock)                                                                          \
    {                                                                                              \
        .file = -1, .dir = -1                                                                      \
    }

/* Lock dir.
 *
 * Out:      lock  to give back with datadir_unlock(); unlocked after a failure
 * Returns:  false with *error, a line for the user, freed with xfree()
 * Spec:     Core LockDirectory(); its messages */
NODISCARD bool datadir_lock(struct datadir_lock *lock, const char *dir, char **error);
/* Give a lock back; nothing if it is unlocked. */
void datadir_unlock(struct datadir_lock *lock);

/* Write the process id and a newline to path. Returns: 0 or a negative errno. */
NODISCARD int pid_file_write(const char *path);
/* Remove the file if it still holds our own process id. */
void pid_file_remove(const char *path);

#endif
