/* write_handles.h - files that jobs are writing to, kept open until they are synced.
 *
 * Layer: chain. A write error that the kernel finds later is told only to descriptors that were
 * open at the time, so a file must not be closed between a write and its sync. The table is shared
 * by jobs under a mutex, which is never held during I/O except to open a file. A second one makes
 * who syncs wait for who does already: a flush and an acknowledgement are jobs of their own, and
 * what the one has under way is not durable for the other yet. */
#ifndef CHAIN_DISK_WRITE_HANDLES_H
#define CHAIN_DISK_WRITE_HANDLES_H

#include <pthread.h> /* lint: jobs share the table, and no call of env locks */

#include "util/assert.h"
#include "util/env.h"

/* Guarded by the table's mutex, file's contents apart. */
struct write_handle {
    uint64_t id;
    char *path; /* owned */
    struct env_file *file;
    unsigned users; /* jobs using it now */
    bool unsynced;  /* given back as written since its last sync began: it must stay open */
};

struct write_handles {
    const struct env *env;
    const struct log *log;
    pthread_mutex_t mutex; /* guards the table */
    struct write_handle *at;
    size_t n, capacity;
    bool names_changed;         /* files may have been created since the last sync */
    pthread_mutex_t sync_mutex; /* held through a sync; guards: */
    int sync_error;             /* of the first sync that failed */
};

/* An empty table. Borrows env and log, which is told what fails, and in which file. */
void write_handles_init(struct write_handles *handles, const struct env *env,
                        const struct log *log);
/* Closes all; none may be in use. */
void write_handles_deinit(struct write_handles *handles);

/* Borrow the file that id stands for, opened (and created) at path if it is not open. Any thread.
 * Returns 0 or a negative errno. */
NODISCARD int write_handles_take(struct write_handles *handles, uint64_t id, const char *path,
                                 struct env_file **file);
/* Give it back and say whether it was written to. Any thread. */
void write_handles_give(struct write_handles *handles, uint64_t id, bool written);

/* Make all that was given back as written durable, with the names in directory dir; then close
 * what is not in use. Any thread. After one that failed every later one fails alike: nobody can
 * know any more what is on the disk. Returns 0 or a negative errno. */
NODISCARD int write_handles_sync(struct write_handles *handles, const char *dir);

#endif
