/* datadir_lock.h - one node per data directory, and the file that says which process it is.
 *
 * Layer: host. The lock is on the open file, so it ends with the process however that ends, and
 * two nodes of one process exclude each other too. */
#ifndef HOST_DATADIR_LOCK_H
#define HOST_DATADIR_LOCK_H

#include "util/assert.h"

/* Lock dir by its file .lock.
 *
 * Returns:  a descriptor to close with datadir_unlock(), or -1 with *error, a line for the user,
 *           freed with xfree()
 * Spec:     Core LockDirectory(); its messages */
NODISCARD int datadir_lock(const char *dir, char **error);
void datadir_unlock(int lock);

/* Write the process id and a newline to path. Returns: 0 or a negative errno. */
NODISCARD int pid_file_write(const char *path);
/* Remove the file if it still holds our own process id. */
void pid_file_remove(const char *path);

#endif
