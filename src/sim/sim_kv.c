/* sim_kv.c - a store is a sorted row of leaves, each a sorted row of counted entries.
 *
 * Nothing that is made is changed: a snapshot is a counted row of leaves. A write makes a new row,
 * and of the leaves those that it changes: a store of 100,000 keys is not copied for each of them.
 * Unsynced batches are kept beside the last synced row, and replayed up to a random point by a
 * power loss. */
#include "sim/sim_kv.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/buffer.h"

enum { LEAF_MAX = 128, LEAF_MIN = 32 };

struct entry {
    atomic_int holders; /* other machines as well, which other threads may be moving */
    bool is_delete;     /* in a batch only */
    size_t key_len, value_len;
    uint8_t bytes[]; /* key, value */
};

struct leaf {
    atomic_int holders; /* as of an entry */
    size_t n;           /* 1 .. LEAF_MAX; LEAF_MIN at least, but for the last leaf */
    struct entry *at[]; /* sorted by key */
};

struct version {
    atomic_int holders;          /* as of an entry */
    ARRAY(struct leaf *) leaves; /* sorted by key */
};

/* Of an entry; leaf the number of leaves: behind all. */
struct place {
    size_t leaf, at;
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
    struct place at;
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

static void leaf_drop(struct leaf *leaf)
{
    if (--leaf->holders > 0)
        return;
    for (size_t i = 0; i < leaf->n; i++)
        entry_drop(leaf->at[i]);
    xfree(leaf);
}

static void version_drop(struct version *version)
{
    if (--version->holders > 0)
        return;
    for (size_t i = 0; i < version->leaves.n; i++)
        leaf_drop(version->leaves.at[i]);
    ARRAY_FREE(&version->leaves);
    xfree(version);
}

static struct version *version_new(void)
{
    struct version *version = xcalloc(1, sizeof *version);
    version->holders = 1;
    return version;
}

static struct span last_key(const struct leaf *leaf)
{
    return entry_key(leaf->at[leaf->n - 1]);
}

static const struct entry *entry_at(const struct version *version, struct place place)
{
    ASSERT(place.leaf < version->leaves.n);
    return version->leaves.at[place.leaf]->at[place.at];
}

static struct place place_behind(const struct version *version)
{
    return (struct place){.leaf = version->leaves.n};
}

/* The first place whose key is not before key. */
static struct place version_find(const struct version *version, struct span key)
{
    size_t low = 0, high = version->leaves.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(last_key(version->leaves.at[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct place place = {.leaf = low};
    if (low == version->leaves.n)
        return place;
    const struct leaf *leaf = version->leaves.at[low];
    for (low = 0, high = leaf->n; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(entry_key(leaf->at[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    place.at = low;
    return place;
}

/* -- a version from another one and a batch --------------------------------------------------- */

/* Changes of a batch, sorted, one of each key. Owns the array; borrows the entries. */
struct changes {
    struct entry **at;
    size_t n;
};

/* A version in the making. */
struct merge {
    struct version *version;
    struct entry **at; /* held: behind those in leaves */
    size_t n;
};

/* Sort by key; entries of one key stay in order of the calls, which are ordered by address in the
 * batch's array: hence an array of places. */
static int compare_places(const void *a, const void *b)
{
    struct entry *const *x = *(struct entry *const *const *)a;
    struct entry *const *y = *(struct entry *const *const *)b;
    int order = compare_keys(entry_key(*x), entry_key(*y));
    return order ? order : (x > y) - (x < y);
}

static struct changes sort_changes(const struct env_batch *batch)
{
    size_t n = batch->entries.n;
    struct changes changes = {.at = xcalloc(n + 1, sizeof(struct entry *))};
    struct entry ***places = xcalloc(n + 1, sizeof *places);
    for (size_t i = 0; i < n; i++)
        places[i] = &batch->entries.at[i];
    qsort(places, n, sizeof *places, compare_places);
    for (size_t i = 0; i < n; i++) /* of the same key a later one wins */
        if (i + 1 == n || compare_keys(entry_key(*places[i]), entry_key(*places[i + 1])) != 0)
            changes.at[changes.n++] = *places[i];
    xfree(places);
    return changes;
}

static void merge_keep(struct merge *merge, struct entry *entry)
{
    merge->at[merge->n++] = entry_hold(entry);
}

/* What a leaf is after the changes that fall into it; old NULL: there is none yet. */
static void merge_leaf(struct merge *merge, const struct leaf *old, struct entry *const *changes,
                       size_t n)
{
    size_t at = 0, n_old = old ? old->n : 0;
    for (size_t i = 0; i < n; i++) {
        int order = -1;
        while (at < n_old &&
               (order = compare_keys(entry_key(old->at[at]), entry_key(changes[i]))) < 0)
            merge_keep(merge, old->at[at++]);
        if (at < n_old && order == 0)
            at++;
        if (!changes[i]->is_delete)
            merge_keep(merge, changes[i]);
    }
    while (at < n_old)
        merge_keep(merge, old->at[at++]);
}

/* Leaves of what was kept, as long as each other. */
static void merge_end_leaves(struct merge *merge)
{
    size_t n_leaves = (merge->n + LEAF_MAX - 1) / LEAF_MAX, at = 0;
    for (size_t i = 0; i < n_leaves; i++) {
        size_t n = (merge->n - at) / (n_leaves - i);
        struct leaf *leaf = xmalloc(sizeof *leaf + n * sizeof(struct entry *));
        *leaf = (struct leaf){.holders = 1, .n = n};
        memcpy(leaf->at, merge->at + at, n * sizeof(struct entry *));
        *ARRAY_ADD(&merge->version->leaves) = leaf;
        at += n;
    }
    ASSERT(at == merge->n);
    merge->n = 0;
}

/* How many of them lie before the leaf with that number; all if there is none. */
static size_t n_before(const struct version *old, size_t number, struct entry *const *changes,
                       size_t n)
{
    if (number >= old->leaves.n)
        return n;
    struct span first = entry_key(old->leaves.at[number]->at[0]);
    size_t before = 0;
    while (before < n && compare_keys(entry_key(changes[before]), first) < 0)
        before++;
    return before;
}

/* A new version: old with batch applied. What is too little for a leaf goes to the next one. */
static struct version *version_apply(const struct version *old, const struct env_batch *batch)
{
    struct changes changes = sort_changes(batch);
    struct merge merge = {.version = version_new()};
    merge.at = xcalloc(LEAF_MIN + LEAF_MAX + changes.n, sizeof(struct entry *));
    size_t at = 0, n_leaves = old->leaves.n;
    if (n_leaves == 0)
        merge_leaf(&merge, NULL, changes.at, changes.n);
    for (size_t i = 0; i < n_leaves; i++) {
        struct leaf *leaf = old->leaves.at[i];
        size_t n = n_before(old, i + 1, changes.at + at, changes.n - at);
        if (n == 0 && merge.n == 0) {
            leaf->holders++;
            *ARRAY_ADD(&merge.version->leaves) = leaf;
            continue;
        }
        merge_leaf(&merge, leaf, changes.at + at, n);
        at += n;
        if (merge.n >= LEAF_MIN)
            merge_end_leaves(&merge);
    }
    merge_end_leaves(&merge);
    xfree(merge.at);
    xfree(changes.at);
    return merge.version;
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
        store->now = version_new();
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
    struct place place = version_find(version, key);
    if (place.leaf == version->leaves.n ||
        compare_keys(entry_key(entry_at(version, place)), key) != 0)
        return -ENOENT;
    const struct entry *entry = entry_at(version, place);
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
    *cursor = (struct env_cursor){.version = version_hold(kv->store->now),
                                  .at = place_behind(kv->store->now)};
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
    return cursor->at.leaf < cursor->version->leaves.n;
}

void sim_kv_cursor_next(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    ASSERT(sim_kv_cursor_valid(NULL, cursor));
    if (++cursor->at.at == cursor->version->leaves.at[cursor->at.leaf]->n)
        cursor->at = (struct place){.leaf = cursor->at.leaf + 1};
}

struct span sim_kv_cursor_key(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    ASSERT(sim_kv_cursor_valid(NULL, cursor));
    return entry_key(entry_at(cursor->version, cursor->at));
}

struct span sim_kv_cursor_value(void *ctx, struct env_cursor *cursor)
{
    (void)ctx;
    ASSERT(sim_kv_cursor_valid(NULL, cursor));
    const struct entry *entry = entry_at(cursor->version, cursor->at);
    return span_of(entry->bytes + entry->key_len, entry->value_len);
}
