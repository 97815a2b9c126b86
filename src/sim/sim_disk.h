/* sim_disk.h - a disk in memory that can fail and lose power: files and key-value stores.
 *
 * Layer: sim. Each written 512-byte sector is remembered as it last was when synced, and each
 * directory change and each store batch until its sync, so that sim_disk_after_crash() can build
 * any state that real hardware may leave: unsynced writes lost, torn, or out of order. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "sim/sim_random.h"
#include "util/env.h"
#include "util/hash_map.h"
#include "util/list.h"

#define SIM_SECTOR_BYTES 512

struct sim_disk;

/* What can be made to fail; or them. */
enum sim_disk_op {
    SIM_OP_READ = 1,     /* file_read_at, kv_get */
    SIM_OP_WRITE = 2,    /* file_write_at, file_truncate, kv_write */
    SIM_OP_ALLOCATE = 4, /* file_allocate */
    SIM_OP_SYNC = 8,     /* file_sync, sync_dir, kv_write with sync */
    SIM_OP_OPEN = 16,    /* file_open, kv_open */
    SIM_OP_NAMES = 32,   /* rename, remove, make_dir */
};
#define SIM_OP_CHANGES (SIM_OP_WRITE | SIM_OP_ALLOCATE | SIM_OP_SYNC | SIM_OP_NAMES)

enum sim_crash {
    SIM_CRASH_KILLED, /* the process died, the machine did not: everything written is there */
    SIM_CRASH_POWER,  /* only what was synced is sure */
    SIM_CRASH_LOST,   /* nothing but what was synced: the harshest case of SIM_CRASH_POWER */
};

/* An empty disk. Owns: the caller. All its files and stores must be closed before it is freed. */
struct sim_disk *sim_disk_new(void);
/* Free the disk and what is on it. */
void sim_disk_free(struct sim_disk *disk);

/* A new disk: what the next start finds if a crash happened now. disk goes on unharmed, so a test
 * can look at the crash at every point of one run. Owns: the caller. */
struct sim_disk *sim_disk_after_crash(const struct sim_disk *disk, enum sim_crash how,
                                      uint64_t seed);

/* Let the n-th (0: the next) operation among ops (or of enum sim_disk_op) fail with error (a
 * negative errno), and all later ones too if forever. error 0 ends it. */
void sim_disk_fail(struct sim_disk *disk, unsigned ops, uint64_t n, int error, bool forever);

/* Call fn(arg) before and after each operation of SIM_OP_CHANGES; it may take crash copies. */
void sim_disk_watch(struct sim_disk *disk, void (*fn)(void *arg), void *arg);

/* Operations of SIM_OP_CHANGES so far. */
uint64_t sim_disk_changes(const struct sim_disk *disk);

/* Flip the bits of mask in the byte at offset of a file, behind everybody's back. */
void sim_disk_damage(struct sim_disk *disk, const char *path, uint64_t offset, uint8_t mask);

/* Let all files look as if they had last been changed then. INT64_MAX, as at first: just now. */
void sim_disk_set_modified(struct sim_disk *disk, int64_t unix_s);

/* The functions of struct env_files; see there.
 *
 * Open a file; a new one is a change of its directory that a power loss may take back. -ENOENT. */
int sim_disk_open(void *disk, const char *path, int flags, struct env_file **out);
/* Read up to n bytes. Returns: the bytes read, fewer only at the end. */
int64_t sim_disk_read_at(void *disk, struct env_file *file, uint64_t offset, void *p, size_t n);
/* Write all n bytes. One that is made to fail leaves the first half written, as a full disk may. */
int sim_disk_write_at(void *disk, struct env_file *file, uint64_t offset, const void *p, size_t n);
/* Bytes of the file. Never fails. */
int64_t sim_disk_size(void *disk, struct env_file *file);
/* Cut, or grow with zeros. */
int sim_disk_truncate(void *disk, struct env_file *file, uint64_t size);
/* Grow with zeros up to offset + n, as posix_fallocate() does: code that takes a file's size for
 * what it has written is found out. */
int sim_disk_allocate(void *disk, struct env_file *file, uint64_t offset, uint64_t n);
/* Make contents and size sure, but not the file's name: see sim_disk_sync_dir(). */
int sim_disk_sync(void *disk, struct env_file *file);
/* Close a file, which syncs nothing. NULL is allowed. */
void sim_disk_close(void *disk, struct env_file *file);
/* Make a directory and its parents. They are sure at once: no crash takes a directory back. */
int sim_disk_make_dir(void *disk, const char *path);
/* Rename a file, over what has the new name. -ENOENT if it or the directory is not there. */
int sim_disk_rename(void *disk, const char *from, const char *to);
/* Remove a file or a directory. -ENOENT. */
int sim_disk_remove(void *disk, const char *path);
/* Make the changes of names in a directory sure, in the order in which they were made. */
int sim_disk_sync_dir(void *disk, const char *path);
/* Call fn for each file and directory in it, sorted by bytes. -ENOENT. */
int sim_disk_list(void *disk, const char *path, void (*fn)(void *arg, const char *name), void *arg);
/* As sim_disk_set_modified() says, whatever was written since. -ENOENT. */
int64_t sim_disk_modified_s(void *disk, const char *path);
/* Always 1 TiB: a disk that runs full is played by sim_disk_fail() with -ENOSPC. */
int64_t sim_disk_free_bytes(void *disk, const char *path);

/* For sim_kv.c: an operation begins. Returns: the error to fail with, or 0. */
int sim_disk_begin(struct sim_disk *disk, unsigned ops);
/* It has ended, well or not: who watches looks at what is on the disk now. */
void sim_disk_end(struct sim_disk *disk, unsigned ops);
/* The list of stores, sim_kv.c's. */
struct list *sim_disk_stores(struct sim_disk *disk);

#endif
