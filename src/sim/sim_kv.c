/* sim_kv.c - a store is a sorted array of counted entries; a snapshot is a counted array.
 *
 * A write makes a new array by merging, unless nobody else holds the old one and the batch is
 * small. Unsynced batches are kept beside the last synced array, and replayed up to a random
 * point by a power loss. */
#include "sim/sim_kv.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/buffer.h"

struct entry {
    atomic_int holders; /* other machines as well, which other threads may be moving */
    bool is_delete;     /* in a batch only */
    size_t key_len, value_len;
    uint8_t bytes[]; /* key, value */
};

struct version {
    atomic_int holders; /* as of an entry */
    struct entry **at;  /* sorted by key */
    size_t n;
};

struct env_batch {
    ARRAY(struct entry *) entries; /* in order of the calls */
};

struct sim_store {
    struct list_link link;
    char *path;
    struct version *now, *synced;
    ARRAY(struct env_batch *) unsynced; /* batches between synced and now */
    bool is_open;
};

struct env_kv {
    struct sim_disk *disk;
    struct sim_store *store;
};

struct env_cursor {
    struct version *version;
    size_t at;
};

static void entry_drop(struct entry *entry)
{
    if (--entry->holders == 0)
        xfree(entry);
}

static struct entry *entry_hold(struct entry *entry)
{
    entry->holders++;
    return entry;
}

static int compare_keys(struct span a, struct span b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.p, b.p, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static struct span entry_key(const struct entry *entry)
{
    return span_of(entry->bytes, entry->key_len);
}

static struct version *version_hold(struct version *version)
{
    version->holders++;
    return version;
}

static void version_drop(struct version *version)
{
    if (--version->holders > 0)
        return;
    for (size_t i = 0; i < version->n; i++)
        entry_drop(version->at[i]);
    xfree(version->at);
    xfree(version);
}

static struct version *version_new(size_t capacity)
{
    struct version *version = xcalloc(1, sizeof *version);
    version->holders = 1;
    version->at = xcalloc(capacity ? capacity : 1, sizeof *version->at);
    return version;
}

/* The first place whose key is not before key. */
static size_t version_find(const struct version *version, struct span key)
{
    size_t low = 0, high = version->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(entry_key(version->at[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sort by key; entries of one key stay in order of the calls, which are ordered by address in the
 * batch's array: hence an array of places. */
static int compare_places(const void *a, const void *b)
{
    struct entry *const *x = *(struct entry *const *const *)a;
    struct entry *const *y = *(struct entry *const *const *)b;
    int order = compare_keys(entry_key(*x), entry_key(*y));
    return order ? order : (x > y) - (x < y);
}

/* A new version: old with batch applied. */
static struct version *version_apply(const struct version *old, const struct env_batch *batch)
{
    size_t n = batch->entries.n;
    struct version *version = version_new(old->n + n);
    struct entry ***places = xcalloc(n, sizeof *places);
    for (size_t i = 0; i < n; i++)
        places[i] = &batch->entries.at[i];
    qsort(places, n, sizeof *places, compare_places);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        struct span key = entry_key(*places[i]);
        if (i + 1 < n && compare_keys(entry_key(*places[i + 1]), key) == 0)
            continue; /* a later one of the same key wins */
        int order = -1;
        while (at < old->n && (order = compare_keys(entry_key(old->at[at]), key)) < 0)
            version->at[version->n++] = entry_hold(old->at[at++]);
        if (at < old->n && order == 0)
            at++;
        if (!(*places[i])->is_delete)
            version->at[version->n++] = entry_hold(*places[i]);
    }
    while (at < old->n)
        version->at[version->n++] = entry_hold(old->at[at++]);
    xfree(places);
    return version;
}

/* -- batches ------------------------------------------------------------------------------- */

struct env_batch *sim_kv_batch_new(void *ctx)
{
    (void)ctx;
    return xcalloc(1, sizeof(struct env_batch));
}

void sim_kv_batch_clear(void *ctx, struct env_batch *batch)
{
    ASSERT(batch);
    (void)ctx;
    for (size_t i = 0; i < batch->entries.n; i++)
        entry_drop(batch->entries.at[i]);
    batch->entries.n = 0;
}

void sim_kv_batch_free(void *ctx, struct env_batch *batch)
{
    (void)ctx;
    if (!batch)
        return;
    sim_kv_batch_clear(NULL, batch);
    ARRAY_FREE(&batch->entries);
    xfree(batch);
}

static struct entry *entry_new(struct span key, struct span value, bool is_delete)
{
    struct entry *entry = xmalloc(sizeof *entry + key.len + value.len);
    *entry = (struct entry){
        .holders = 1, .is_delete = is_delete, .key_len = key.len, .value_len = value.len};
    struct writer w = writer_to_buffer(entry->bytes, key.len + value.len);
    write_span(&w, key);
    write_span(&w, value);
    return entry;
}

void sim_kv_batch_put(void *ctx, struct env_batch *batch, struct span key, struct span value)
{
    (void)ctx;
    *ARRAY_ADD(&batch->entries) = entry_new(key, value, false);
}

void sim_kv_batch_delete(void *ctx, struct env_batch *batch, struct span key)
{
    (void)ctx;
    *ARRAY_ADD(&batch->entries) = entry_new(key, span_of(NULL, 0), true);
}

/* -- stores ------------------------------------------------------------------------------------ */

static struct sim_store *store_find(const struct list *stores, const char *path)
{
    LIST_EACH (struct sim_store, store, stores, link)
        if (strcmp(store->path, path) == 0)
            return store;
    return NULL;
}

static void forget_unsynced(struct sim_store *store)
{
    for (size_t i = 0; i < store->unsynced.n; i++)
        sim_kv_batch_free(NULL, store->unsynced.at[i]);
    store->unsynced.n = 0;
}

static void store_free(struct sim_store *store)
{
    forget_unsynced(store);
    ARRAY_FREE(&store->unsynced);
    version_drop(store->now);
    version_drop(store->synced);
    xfree(store->path);
    xfree(store);
}

void sim_kv_free_all(struct list *stores)
{
    struct sim_store *store;
    while ((store = LIST_POP(struct sim_store, stores, link)))
        store_free(store);
}

struct list sim_kv_after_crash(const struct list *stores, enum sim_crash how,
                               struct sim_random *random)
{
    struct list copies = {0};
    LIST_EACH (const struct sim_store, store, stores, link) {
        struct sim_store *copy = xcalloc(1, sizeof *copy);
        copy->path = xstrdup(store->path);
        copy->now = version_hold(how == SIM_CRASH_KILLED ? store->now : store->synced);
        size_t keep = 0;
        if (how == SIM_CRASH_POWER)
            keep = (size_t)sim_random_below(random, store->unsynced.n + 1);
        for (size_t i = 0; i < keep; i++) {
            struct version *next = version_apply(copy->now, store->unsynced.at[i]);
            version_drop(copy->now);
            copy->now = next;
        }
        copy->synced = version_hold(copy->now);
        list_add(&copies, &copy->link);
    }
    return copies;
}

int sim_kv_open(void *ctx, const char *path, const struct env_kv_options *options,
                struct env_kv **out, char **error)
{
    ASSERT(out);
    struct sim_disk *disk = ctx;
    (void)options;
    *out = NULL;
    int fault = sim_disk_begin(disk, SIM_OP_OPEN);
    struct sim_store *store = store_find(sim_disk_stores(disk), path);
    if (!fault && store && store->is_open)
        fault = -EBUSY;
    if (fault) {
        if (error)
            *error = xasprintf("cannot open store %s: %s", path, strerror(-fault));
        return fault;
    }
    if (!store) {
        store = xcalloc(1, sizeof *store);
        store->path = xstrdup(path);
        store->now = version_new(0);
        store->synced = version_hold(store->now);
        list_add_first(sim_disk_stores(disk), &store->link);
    }
    store->is_open = true;
    *out = xmalloc(sizeof **out);
    **out = (struct env_kv){.disk = disk, .store = store};
    return 0;
}

void sim_kv_close(void *ctx, struct env_kv *kv)
{
    (void)ctx;
    if (!kv)
        return;
    kv->store->is_open = false;
    xfree(kv);
}

int sim_kv_destroy(void *ctx, const char *path)
{
    struct sim_disk *disk = ctx;
    int error = sim_disk_begin(disk, SIM_OP_NAMES);
    struct sim_store *store = error ? NULL : store_find(sim_disk_stores(disk), path);
    if (store) {
        ASSERT(!store->is_open);
        list_remove(sim_disk_stores(disk), &store->link);
        store_free(store);
    }
    sim_disk_end(disk, SIM_OP_NAMES);
    return error;
}

int sim_kv_get(void *ctx, struct env_kv *kv, struct span key, void *out_buffer)
{
    ASSERT(kv);
    (void)ctx;
    int error = sim_disk_begin(kv->disk, SIM_OP_READ);
    if (error)
        return error;
    const struct version *version = kv->store->now;
    size_t i = version_find(version, key);
    if (i == version->n || compare_keys(entry_key(version->at[i]), key) != 0)
        return -ENOENT;
    const struct entry *entry = version->at[i];
    buffer_append(out_buffer, entry->bytes + entry->key_len, entry->value_len);
    return 0;
}

static void remember_unsynced(struct sim_store *store, const struct env_batch *batch)
{
    struct env_batch *copy = sim_kv_batch_new(NULL);
    for (size_t i = 0; i < batch->entries.n; i++)
        *ARRAY_ADD(&copy->entries) = entry_hold(batch->entries.at[i]);
    *ARRAY_ADD(&store->unsynced) = copy;
}

int sim_kv_write(void *ctx, struct env_kv *kv, struct env_batch *batch, bool sync)
{
    ASSERT(kv);
    (void)ctx;
    unsigned ops = SIM_OP_WRITE | (sync ? SIM_OP_SYNC : 0);
    int error = sim_disk_begin(kv->disk, ops);
    struct sim_store *store = kv->store;
    if (!error) {
        struct version *next = version_apply(store->now, batch);
        version_drop(store->now);
        store->now = next;
        remember_unsynced(store, batch);
        /* In the log, not yet synced: power may be lost between the two. */
        if (sync)
            sim_disk_end(kv->disk, ops);
    }
    if (!error && sync) {
        version_drop(store->synced);
        store->synced = version_hold(store->now);
        forget_unsynced(store);
    }
    sim_disk_end(kv->disk, ops);
    return error;
}

/* -- cursors ---------------------------------------------------------------------------------- */

struct env_cursor *sim_kv_cursor_open(void *ctx, struct env_kv *kv)
{
    ASSERT(kv);
    (void)ctx;
    struct env_cursor *cursor = xmalloc(sizeof *cursor);
    *cursor = (struct env_cursor){.version = version_hold(kv->store->now), .at = kv->store->now->n};
    return cursor;
}

void sim_kv_cursor_close(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    if (!cursor)
        return;
    version_drop(cursor->version);
    xfree(cursor);
}

void sim_kv_cursor_seek(void *ctx, struct env_cursor *cursor, struct span key)
{
    ASSERT(cursor);
    (void)ctx;
    cursor->at = version_find(cursor->version, key);
}

bool sim_kv_cursor_valid(void *ctx, struct env_cursor *cursor)
{
    ASSERT(cursor);
    (void)ctx;
    return cursor->at < cursor->version->n;
}

void sim_kv_cursor_next(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    ASSERT(sim_kv_cursor_valid(NULL, cursor));
    cursor->at++;
}

struct span sim_kv_cursor_key(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    ASSERT(sim_kv_cursor_valid(NULL, cursor));
    return entry_key(cursor->version->at[cursor->at]);
}

struct span sim_kv_cursor_value(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    ASSERT(sim_kv_cursor_valid(NULL, cursor));
    const struct entry *entry = cursor->version->at[cursor->at];
    return span_of(entry->bytes + entry->key_len, entry->value_len);
}
