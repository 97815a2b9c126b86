/* sim_inode.h - one file's contents, now and as last synced.
 *
 * Layer: sim. Shared by names, journal entries and open files, which count as holders. */
#ifndef SIM_INODE_H
#define SIM_INODE_H

#include "sim/sim_disk.h"
#include "sim/sim_pages.h"

struct sim_inode;

/* An empty file with one holder, whose pages are shared with all files of these. */
struct sim_inode *sim_inode_new(struct sim_pages *pages);
/* One holder more. Returns: inode. NULL is allowed. */
struct sim_inode *sim_inode_hold(struct sim_inode *inode);
/* One holder less; freed with the last. NULL is allowed. */
void sim_inode_drop(struct sim_inode *inode);

uint64_t sim_inode_size(const struct sim_inode *inode); /* bytes */
/* Write n bytes at offset; a gap before it reads as zeros. */
void sim_inode_write(struct sim_inode *inode, uint64_t offset, const uint8_t *p, size_t n);
/* Read n bytes at offset; zeros beyond the end. */
void sim_inode_read(const struct sim_inode *inode, uint64_t offset, uint8_t *p, size_t n);
/* Cut, or grow with zeros. */
void sim_inode_truncate(struct sim_inode *inode, uint64_t size);
/* What is there now is what a power loss leaves. */
void sim_inode_sync(struct sim_inode *inode);

/* A new file as a crash leaves this one: each sector written since the last sync old or new. */
struct sim_inode *sim_inode_after_crash(const struct sim_inode *inode, enum sim_crash how,
                                        struct sim_random *random);

#endif
