/* write_handles.c - a short array under a mutex. */
#include "chain/disk/write_handles.h"

#include <string.h>

#include "util/array.h"
#include "util/log.h"
#include "util/planted.h"

void write_handles_init(struct write_handles *handles, const struct env *env, const struct log *log)
{
    *handles = (struct write_handles){.env = env, .log = log};
    pthread_mutex_init(&handles->mutex, NULL);
    pthread_mutex_init(&handles->sync_mutex, NULL);
}

static void close_handle(const struct write_handles *handles, struct write_handle *handle)
{
    env_file_close(handles->env, handle->file);
    xfree(handle->path);
}

void write_handles_deinit(struct write_handles *handles)
{
    for (size_t i = 0; i < handles->n; i++) {
        ASSERT(handles->at[i].users == 0);
        close_handle(handles, &handles->at[i]);
    }
    xfree(handles->at);
    pthread_mutex_destroy(&handles->sync_mutex);
    pthread_mutex_destroy(&handles->mutex);
}

static struct write_handle *find(struct write_handles *handles, uint64_t id)
{
    for (size_t i = 0; i < handles->n; i++)
        if (handles->at[i].id == id)
            return &handles->at[i];
    return NULL;
}

static int add(struct write_handles *handles, uint64_t id, const char *path)
{
    const struct env *env = handles->env;
    struct write_handle handle = {.id = id};
    int error = env_file_open(env, path, ENV_OPEN_WRITE | ENV_OPEN_CREATE, &handle.file);
    if (error)
        return error;
    handle.path = xstrdup(path);
    *ARRAY_ADD(handles) = handle;
    handles->names_changed = true; /* it may be new; one sync of the directory too many is cheap */
    return 0;
}

int write_handles_take(struct write_handles *handles, uint64_t id, const char *path,
                       struct env_file **file)
{
    int error = 0;
    pthread_mutex_lock(&handles->mutex);
    if (!find(handles, id))
        error = add(handles, id, path);
    if (!error) {
        struct write_handle *handle = find(handles, id);
        handle->users++;
        *file = handle->file;
    }
    pthread_mutex_unlock(&handles->mutex);
    return error;
}

void write_handles_give(struct write_handles *handles, uint64_t id, bool written)
{
    pthread_mutex_lock(&handles->mutex);
    struct write_handle *handle = find(handles, id);
    ASSERT(handle && handle->users > 0);
    handle->users--;
    handle->unsynced |= written;
    pthread_mutex_unlock(&handles->mutex);
}

/* Take one that was written to, for syncing. False if there is none. What is written from now on
 * makes it unsynced again. */
static bool take_unsynced(struct write_handles *handles, struct write_handle *out)
{
    bool found = false;
    pthread_mutex_lock(&handles->mutex);
    for (size_t i = 0; i < handles->n && !found; i++) {
        if (!handles->at[i].unsynced)
            continue;
        handles->at[i].unsynced = false;
        handles->at[i].users++;
        *out = handles->at[i];
        found = true;
    }
    pthread_mutex_unlock(&handles->mutex);
    return found;
}

/* The files in use just now are opened again by the next write, which costs less than keeping
 * track of which they are. */
static void close_synced(struct write_handles *handles)
{
    size_t left = 0;
    pthread_mutex_lock(&handles->mutex);
    for (size_t i = 0; i < handles->n; i++) {
        struct write_handle handle = handles->at[i];
        if (handle.users == 0 && !handle.unsynced)
            close_handle(handles, &handle);
        else
            handles->at[left++] = handle;
    }
    handles->n = left;
    pthread_mutex_unlock(&handles->mutex);
}

/* Ids of block files are even, those of undo files odd: see write_kind(). */
static bool is_sync_planted(const struct env *env, uint64_t id)
{
    return id % 2 ? PLANTED(env, UNDO_NOT_SYNCED) : PLANTED(env, BLOCK_NOT_SYNCED);
}

/* Callers get the code alone. Returns it. */
static int failed(const struct write_handles *handles, const char *path, int error)
{
    log_error(handles->log, "cannot sync %s: %s", path, strerror(-error));
    return error;
}

/* names_changed is cleared first: a file created meanwhile sets it again, for the next sync. The
 * mutex is not held while the disk works, or every write would wait. */
static int sync_all(struct write_handles *handles, const char *dir)
{
    const struct env *env = handles->env;
    struct write_handle handle;
    pthread_mutex_lock(&handles->mutex);
    bool names_changed = handles->names_changed;
    handles->names_changed = false;
    pthread_mutex_unlock(&handles->mutex);
    int error = 0;
    while (!error && take_unsynced(handles, &handle)) {
        if (!is_sync_planted(env, handle.id))
            error = env_file_sync(env, handle.file);
        if (error)
            failed(handles, handle.path, error);
        write_handles_give(handles, handle.id, false);
    }
    if (!error && names_changed && !PLANTED(env, DIR_NOT_SYNCED)) {
        error = env_sync_dir(env, dir);
        if (error)
            failed(handles, dir, error);
    }
    if (!error)
        close_synced(handles);
    return error;
}

int write_handles_sync(struct write_handles *handles, const char *dir)
{
    pthread_mutex_lock(&handles->sync_mutex);
    int error = handles->sync_error;
    if (!error)
        error = sync_all(handles, dir);
    handles->sync_error = error;
    pthread_mutex_unlock(&handles->sync_mutex);
    return error;
}
