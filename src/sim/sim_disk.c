/* sim_disk.c - files under names, names as a journal.
 *
 * Creations, renames and removals change
 * the live names at once and wait in the journal of their directory until sync_dir; after a power
 * loss a prefix of each directory's journal has happened, as on a journaling file system. That a
 * synced file keeps its name without sync_dir is not promised: POSIX does not either. */
#include "sim/sim_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_inode.h"
#include "sim/sim_kv.h"
#include "util/array.h"

/* An open file: it keeps its contents, also after its name was removed or given to another. */
struct env_file {
    struct sim_disk *disk;
    struct sim_inode *inode; /* held */
    bool writable;
};

struct name {
    char *path;              /* whole */
    struct sim_inode *inode; /* held */
};

struct names {
    ARRAY(struct name) list;
};

/* A directory change that is not durable yet. inode NULL: removal. */
struct name_change {
    char *path, *from; /* from: the old name of a rename, or NULL */
    struct sim_inode *inode;
};

/* live is what the process sees; durable with the whole of the journal behind it is live. */
struct sim_disk {
    struct names live, durable;
    struct sim_pages *pages;           /* held; a copy of the disk has the same */
    ARRAY(struct name_change) journal; /* oldest first, of all directories */
    ARRAY(char *) dirs;                /* whole paths; made for good at once */
    struct list stores;                /* sim_kv.c's */
    int64_t free_bytes, modified_s;
    uint64_t changes; /* operations of SIM_OP_CHANGES that have begun */
    /* The fault to inject. */
    unsigned fail_ops;
    uint64_t fail_after; /* so many succeed before it */
    int fail_error;      /* negative errno; 0: none is to come */
    bool fail_forever;
    void (*watch)(void *arg);
    void *watch_arg;
};

/* -- names --------------------------------------------------------------------------------- */

static struct name *names_find(const struct names *names, const char *path)
{
    for (size_t i = 0; i < names->list.n; i++)
        if (strcmp(names->list.at[i].path, path) == 0)
            return &names->list.at[i];
    return NULL;
}

static void names_set(struct names *names, const char *path, struct sim_inode *inode)
{
    struct name *name = names_find(names, path);
    sim_inode_hold(inode);
    if (name) {
        sim_inode_drop(name->inode);
        name->inode = inode;
        return;
    }
    *ARRAY_ADD(&names->list) = (struct name){.path = xstrdup(path), .inode = inode};
}

static void names_unset(struct names *names, const char *path)
{
    struct name *name = names_find(names, path);
    if (!name)
        return;
    xfree(name->path);
    sim_inode_drop(name->inode);
    ARRAY_REMOVE_UNORDERED(&names->list, name - names->list.at);
}

static void names_deinit(struct names *names)
{
    while (names->list.n > 0)
        names_unset(names, names->list.at[0].path);
    ARRAY_FREE(&names->list);
}

static void names_apply(struct names *names, const struct name_change *change)
{
    if (change->from)
        names_unset(names, change->from);
    if (change->inode)
        names_set(names, change->path, change->inode);
    else
        names_unset(names, change->path);
}

/* Length of the directory part of path, without its slash. */
static size_t dir_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static bool is_in_dir(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    return dir_len(path) == len && memcmp(path, dir, len) == 0;
}

static bool has_dir(const struct sim_disk *disk, const char *path, size_t len)
{
    if (len == 0)
        return true;
    for (size_t i = 0; i < disk->dirs.n; i++)
        if (strlen(disk->dirs.at[i]) == len && memcmp(disk->dirs.at[i], path, len) == 0)
            return true;
    return false;
}

static void add_change(struct sim_disk *disk, const char *path, const char *from,
                       struct sim_inode *inode)
{
    struct name_change *change = ARRAY_ADD(&disk->journal);
    *change = (struct name_change){
        .path = xstrdup(path), .from = from ? xstrdup(from) : NULL, .inode = sim_inode_hold(inode)};
    names_apply(&disk->live, change);
}

static void change_free(struct name_change *change)
{
    xfree(change->path);
    xfree(change->from);
    sim_inode_drop(change->inode);
}

/* -- the disk -------------------------------------------------------------------------------- */

static struct sim_disk *disk_new(struct sim_pages *pages_take)
{
    struct sim_disk *disk = xcalloc(1, sizeof *disk);
    disk->pages = pages_take;
    disk->free_bytes = INT64_C(1) << 40;
    disk->modified_s = INT64_MAX;
    return disk;
}

struct sim_disk *sim_disk_new(void)
{
    return disk_new(sim_pages_new());
}

void sim_disk_free(struct sim_disk *disk)
{
    ASSERT(disk);
    names_deinit(&disk->live);
    names_deinit(&disk->durable);
    for (size_t i = 0; i < disk->journal.n; i++)
        change_free(&disk->journal.at[i]);
    ARRAY_FREE(&disk->journal);
    for (size_t i = 0; i < disk->dirs.n; i++)
        xfree(disk->dirs.at[i]);
    ARRAY_FREE(&disk->dirs);
    sim_kv_free_all(&disk->stores);
    sim_pages_drop(disk->pages);
    xfree(disk);
}

static void add_dir(struct sim_disk *disk, const char *path, size_t len)
{
    char *dir = xcalloc(len + 1, 1);
    memcpy(dir, path, len);
    *ARRAY_ADD(&disk->dirs) = dir;
}

/* The names that are left: of each directory's journal a prefix has happened. */
static void names_after_crash(const struct sim_disk *disk, enum sim_crash how,
                              struct sim_random *random, struct names *out)
{
    const struct names *base = how == SIM_CRASH_KILLED ? &disk->live : &disk->durable;
    for (size_t i = 0; i < base->list.n; i++)
        names_set(out, base->list.at[i].path, base->list.at[i].inode);
    if (how != SIM_CRASH_POWER)
        return;
    for (size_t d = 0; d <= disk->dirs.n; d++) {
        const char *dir = d < disk->dirs.n ? disk->dirs.at[d] : "";
        size_t n = 0;
        for (size_t i = 0; i < disk->journal.n; i++)
            n += is_in_dir(disk->journal.at[i].path, dir);
        size_t keep = (size_t)sim_random_below(random, n + 1);
        for (size_t i = 0; i < disk->journal.n && keep > 0; i++)
            if (is_in_dir(disk->journal.at[i].path, dir)) {
                names_apply(out, &disk->journal.at[i]);
                keep--;
            }
    }
}

struct sim_disk *sim_disk_after_crash(const struct sim_disk *disk, enum sim_crash how,
                                      uint64_t seed)
{
    ASSERT(disk);
    struct sim_random random = sim_random_of(seed, 0x637261);
    struct sim_disk *left = disk_new(sim_pages_hold(disk->pages));
    left->free_bytes = disk->free_bytes;
    left->modified_s = disk->modified_s;
    for (size_t i = 0; i < disk->dirs.n; i++)
        add_dir(left, disk->dirs.at[i], strlen(disk->dirs.at[i]));
    struct names names = {0};
    names_after_crash(disk, how, &random, &names);
    for (size_t i = 0; i < names.list.n; i++) {
        const struct name *name = &names.list.at[i];
        struct sim_inode *inode = sim_inode_after_crash(name->inode, how, &random);
        names_set(&left->live, name->path, inode);
        names_set(&left->durable, name->path, inode);
        sim_inode_drop(inode);
    }
    names_deinit(&names);
    left->stores = sim_kv_after_crash(&disk->stores, how, &random);
    return left;
}

void sim_disk_fail(struct sim_disk *disk, unsigned ops, uint64_t n, int error, bool forever)
{
    ASSERT(disk);
    ASSERT(error <= 0);
    disk->fail_ops = ops;
    disk->fail_after = n;
    disk->fail_error = error;
    disk->fail_forever = forever;
}

void sim_disk_watch(struct sim_disk *disk, void (*fn)(void *arg), void *arg)
{
    ASSERT(disk);
    disk->watch = fn;
    disk->watch_arg = arg;
}

uint64_t sim_disk_changes(const struct sim_disk *disk)
{
    return disk->changes;
}

void sim_disk_set_modified(struct sim_disk *disk, int64_t unix_s)
{
    disk->modified_s = unix_s;
}

int64_t sim_disk_modified_s(void *ctx, const char *path)
{
    struct sim_disk *disk = ctx;
    return names_find(&disk->live, path) ? disk->modified_s : -ENOENT;
}

int64_t sim_disk_free_bytes(void *ctx, const char *path)
{
    struct sim_disk *disk = ctx;
    (void)path;
    return disk->free_bytes;
}

struct list *sim_disk_stores(struct sim_disk *disk)
{
    return &disk->stores;
}

/* Watched first, also where it fails then: a crash may come before an operation that never was. */
int sim_disk_begin(struct sim_disk *disk, unsigned ops)
{
    if (ops & SIM_OP_CHANGES) {
        disk->changes++;
        if (disk->watch)
            disk->watch(disk->watch_arg);
    }
    if (!(ops & disk->fail_ops) || !disk->fail_error)
        return 0;
    if (disk->fail_after > 0) {
        disk->fail_after--;
        return 0;
    }
    int error = disk->fail_error;
    if (!disk->fail_forever)
        disk->fail_error = 0;
    return error;
}

void sim_disk_end(struct sim_disk *disk, unsigned ops)
{
    ASSERT(disk);
    if ((ops & SIM_OP_CHANGES) && disk->watch)
        disk->watch(disk->watch_arg);
}

void sim_disk_damage(struct sim_disk *disk, const char *path, uint64_t offset, uint8_t mask)
{
    ASSERT(disk);
    struct name *name = names_find(&disk->live, path);
    ASSERT(name && offset < sim_inode_size(name->inode));
    uint8_t b;
    sim_inode_read(name->inode, offset, &b, 1);
    b ^= mask;
    sim_inode_write(name->inode, offset, &b, 1);
}

/* -- struct env's functions ------------------------------------------------------------------- */

int sim_disk_open(void *ctx, const char *path, int flags, struct env_file **out)
{
    ASSERT(out);
    struct sim_disk *disk = ctx;
    *out = NULL;
    int error = sim_disk_begin(disk, SIM_OP_OPEN);
    if (error)
        return error;
    struct name *name = names_find(&disk->live, path);
    if (!name) {
        if (!(flags & ENV_OPEN_CREATE) || !has_dir(disk, path, dir_len(path)))
            return -ENOENT;
        struct sim_inode *inode = sim_inode_new(disk->pages);
        add_change(disk, path, NULL, inode);
        sim_inode_drop(inode);
        name = names_find(&disk->live, path);
    }
    if (flags & ENV_OPEN_TRUNCATE)
        sim_inode_truncate(name->inode, 0);
    struct env_file *file = xmalloc(sizeof *file);
    *file = (struct env_file){
        .disk = disk, .inode = sim_inode_hold(name->inode), .writable = flags & ENV_OPEN_WRITE};
    *out = file;
    return 0;
}

int64_t sim_disk_read_at(void *ctx, struct env_file *file, uint64_t offset, void *p, size_t n)
{
    ASSERT(file);
    (void)ctx;
    int error = sim_disk_begin(file->disk, SIM_OP_READ);
    if (error)
        return error;
    uint64_t size = sim_inode_size(file->inode);
    if (offset >= size)
        return 0;
    if (n > size - offset)
        n = (size_t)(size - offset);
    sim_inode_read(file->inode, offset, p, n);
    return (int64_t)n;
}

int sim_disk_write_at(void *ctx, struct env_file *file, uint64_t offset, const void *p, size_t n)
{
    ASSERT(file);
    (void)ctx;
    int error = sim_disk_begin(file->disk, SIM_OP_WRITE);
    if (!error && !file->writable)
        error = -EBADF;
    if (!error)
        sim_inode_write(file->inode, offset, p, n);
    else if (file->writable && n > 1)
        sim_inode_write(file->inode, offset, p, n / 2); /* what a full disk leaves */
    sim_disk_end(file->disk, SIM_OP_WRITE);
    return error;
}

int64_t sim_disk_size(void *ctx, struct env_file *file)
{
    ASSERT(file);
    (void)ctx;
    return (int64_t)sim_inode_size(file->inode);
}

int sim_disk_truncate(void *ctx, struct env_file *file, uint64_t size)
{
    ASSERT(file);
    (void)ctx;
    int error = sim_disk_begin(file->disk, SIM_OP_WRITE);
    if (!error && !file->writable)
        error = -EBADF;
    if (!error)
        sim_inode_truncate(file->inode, size);
    sim_disk_end(file->disk, SIM_OP_WRITE);
    return error;
}

int sim_disk_allocate(void *ctx, struct env_file *file, uint64_t offset, uint64_t n)
{
    ASSERT(file);
    (void)ctx;
    int error = sim_disk_begin(file->disk, SIM_OP_ALLOCATE);
    /* As posix_fallocate() does: the file grows with zeros. */
    if (!error && offset + n > sim_inode_size(file->inode))
        sim_inode_truncate(file->inode, offset + n);
    sim_disk_end(file->disk, SIM_OP_ALLOCATE);
    return error;
}

int sim_disk_sync(void *ctx, struct env_file *file)
{
    ASSERT(file);
    (void)ctx;
    int error = sim_disk_begin(file->disk, SIM_OP_SYNC);
    if (!error)
        sim_inode_sync(file->inode);
    sim_disk_end(file->disk, SIM_OP_SYNC);
    return error;
}

void sim_disk_close(void *ctx, struct env_file *file)
{
    (void)ctx;
    if (!file)
        return;
    sim_inode_drop(file->inode);
    xfree(file);
}

int sim_disk_make_dir(void *ctx, const char *path)
{
    struct sim_disk *disk = ctx;
    int error = sim_disk_begin(disk, SIM_OP_NAMES);
    for (size_t len = 1; !error && len <= strlen(path); len++)
        if ((path[len] == '/' || path[len] == 0) && !has_dir(disk, path, len))
            add_dir(disk, path, len);
    sim_disk_end(disk, SIM_OP_NAMES);
    return error;
}

int sim_disk_rename(void *ctx, const char *from, const char *to)
{
    struct sim_disk *disk = ctx;
    int error = sim_disk_begin(disk, SIM_OP_NAMES);
    struct name *name = names_find(&disk->live, from);
    if (!error && (!name || !has_dir(disk, to, dir_len(to))))
        error = -ENOENT;
    if (!error)
        add_change(disk, to, from, name->inode);
    sim_disk_end(disk, SIM_OP_NAMES);
    return error;
}

int sim_disk_remove(void *ctx, const char *path)
{
    struct sim_disk *disk = ctx;
    int error = sim_disk_begin(disk, SIM_OP_NAMES);
    if (!error && names_find(&disk->live, path))
        add_change(disk, path, NULL, NULL);
    else if (!error && has_dir(disk, path, strlen(path)))
        for (size_t i = 0; i < disk->dirs.n; i++) {
            if (strcmp(disk->dirs.at[i], path) != 0)
                continue;
            xfree(disk->dirs.at[i]);
            ARRAY_REMOVE_UNORDERED(&disk->dirs, i);
        }
    else if (!error)
        error = -ENOENT;
    sim_disk_end(disk, SIM_OP_NAMES);
    return error;
}

int sim_disk_sync_dir(void *ctx, const char *path)
{
    struct sim_disk *disk = ctx;
    int error = sim_disk_begin(disk, SIM_OP_SYNC);
    size_t left = 0;
    for (size_t i = 0; !error && i < disk->journal.n; i++) {
        struct name_change *change = &disk->journal.at[i];
        if (is_in_dir(change->path, path)) {
            names_apply(&disk->durable, change);
            change_free(change);
        } else {
            disk->journal.at[left++] = *change;
        }
    }
    if (!error)
        disk->journal.n = left;
    sim_disk_end(disk, SIM_OP_SYNC);
    return error;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int sim_disk_list(void *ctx, const char *path, void (*fn)(void *arg, const char *name), void *arg)
{
    struct sim_disk *disk = ctx;
    if (!has_dir(disk, path, strlen(path)))
        return -ENOENT;
    const char **found = xcalloc(disk->live.list.n + disk->dirs.n + 1, sizeof *found);
    size_t n = 0;
    for (size_t i = 0; i < disk->live.list.n; i++)
        if (is_in_dir(disk->live.list.at[i].path, path))
            found[n++] = disk->live.list.at[i].path;
    for (size_t i = 0; i < disk->dirs.n; i++)
        if (is_in_dir(disk->dirs.at[i], path))
            found[n++] = disk->dirs.at[i];
    qsort(found, n, sizeof *found, compare_names);
    for (size_t i = 0; i < n; i++)
        fn(arg, strrchr(found[i], '/') ? strrchr(found[i], '/') + 1 : found[i]);
    xfree(found);
    return 0;
}
