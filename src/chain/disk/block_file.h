/* block_file.h - append-only block and undo files, every record checksummed.
 *
 * Layer: chain. blocks/blkNNNNN.dat is framed as Core does (magic, length, block), so that each
 * imports the other's blocks. blocks/revNNNNN.dat is our own: (magic, length, CRC32C, undo). Both
 * are obfuscated by the key of block_key.h. Space is given out on the loop thread; writing is done
 * by blocking jobs, each to its own range. */
#ifndef CHAIN_DISK_BLOCK_FILE_H
#define CHAIN_DISK_BLOCK_FILE_H

#include "util/env.h"
#include "util/log.h"

#define BLOCK_FILE_MAX_BYTES                                                                       \
    (128u << 20) /* a file is closed when the next record would pass it                            \
                  */
#define BLOCK_FILE_CHUNK_BYTES    (16u << 20) /* preallocation step of block files */
#define UNDO_FILE_CHUNK_BYTES     (1u << 20)
#define BLOCK_RECORD_HEADER_BYTES 8

/* Where a record's payload is. */
struct file_pos {
    int32_t file;    /* -1: nowhere */
    uint32_t offset; /* of the payload */
    uint32_t len;    /* of the payload */
    uint32_t crc32c; /* of the payload, before obfuscation */
};

/* What is known of one blk/rev pair; persisted in the block index. Space is never given back: bytes
 * grow until the pair is pruned. Heights and times are of all blocks ever put there, of side
 * branches too; -1 and 0 while there is none. */
struct block_file_info {
    uint32_t n_blocks;
    uint32_t block_bytes, undo_bytes; /* used, including record headers */
    int32_t height_first, height_last;
    uint32_t time_first, time_last;
};

struct block_files;

/* Open blocks_dir (created if missing). infos: the n_infos persisted entries, copied. An
 * xor.dat that is there is honoured. */
NODISCARD int block_files_open(const struct env *env, const struct log *log, const char *blocks_dir,
                               const uint8_t magic[4], const struct block_file_info *infos,
                               size_t n_infos, struct block_files **out, char **error);
/* Close all; no read or write may be under way. */
void block_files_close(struct block_files *files);
/* Close files to new records earlier than at BLOCK_FILE_MAX_BYTES. For tests of pruning. */
void block_files_set_max_bytes(struct block_files *files, uint32_t max_bytes);

/* Reserve room for a block of len bytes; updates that file's info. height and time are the
 * block's, for pruning. */
struct file_pos block_files_alloc(struct block_files *files, uint32_t len, int32_t height,
                                  uint32_t time);
/* The next block goes to a file of its own: what comes now is of another part of the chain. */
void block_files_begin_new(struct block_files *files);
/* Reserve room for undo data of len bytes in the rev file that pairs with block file `file`, or in
 * a later one if an offset there would not fit in 32 bits. */
struct file_pos block_files_alloc_undo(struct block_files *files, int32_t file, uint32_t len);

/* Make the undo file of that number, empty, if there is none: the first block, which spends
 * nothing, has one as in Core. 0 or negative errno. */
NODISCARD int block_files_begin_undo(struct block_files *files, int32_t file);

/* Write the payload at pos with its framing (and pos->crc32c must be set for undo records). Any
 * thread. 0 or negative errno. */
NODISCARD int block_files_write(struct block_files *files, const struct file_pos *pos,
                                struct span block);
/* The same for undo data; pos->crc32c must be set. Any thread. 0 or negative errno. */
NODISCARD int block_files_write_undo(struct block_files *files, const struct file_pos *pos,
                                     struct span undo);

/* Read a payload into *out (xmalloc, pos->len bytes) and check its CRC32C. Any thread.
 * -EUCLEAN: damaged (framing or checksum); -ENOENT: file missing (pruned). */
NODISCARD int block_files_read(struct block_files *files, const struct file_pos *pos,
                               uint8_t **out);
/* Read pos->len bytes out of the middle of a block's record: neither framing nor checksum is looked
 * at, so the caller must know what it should get. Otherwise as block_files_read(). */
NODISCARD int block_files_read_part(struct block_files *files, const struct file_pos *pos,
                                    uint8_t **out);
/* The same for undo data. Any thread. */
NODISCARD int block_files_read_undo(struct block_files *files, const struct file_pos *pos,
                                    uint8_t **out);

/* How long a block file, or the undo file of that number, is. Returns 0, -ENOENT or what the disk
 * says. */
NODISCARD int block_files_size(const struct block_files *files, int32_t file, bool undo,
                               uint64_t *size);

/* Make everything written so far durable (files and directory entries). Any thread. */
NODISCARD int block_files_sync(struct block_files *files);
/* The next sync concerns that block file too, though nothing was written to it: what is in it may
 * be from a process that was killed before it could sync. Any thread. Returns 0 or a negative
 * errno. */
NODISCARD int block_files_sync_too(struct block_files *files, int32_t file);

/* Files known, and their info. last: where the next record goes. */
size_t block_files_count(const struct block_files *files);
/* What is known of one of them. Borrowed until the next change. */
const struct block_file_info *block_files_info(const struct block_files *files, size_t file);
/* True once for each file whose info changed since the last call that cleared it. */
bool block_files_take_dirty(struct block_files *files, size_t file);

/* Remove n pairs of files (pruning), durably: none comes back after a power cut. Any thread. */
NODISCARD int block_files_remove(const struct block_files *files, const size_t *numbers, size_t n);
/* A pair has been removed: zero its info. Not before, or a file that a crash has left there would
 * be counted by nobody. */
void block_files_forget(struct block_files *files, size_t file);
/* Remove all undo files: before a reindex, which makes them anew. 0 or negative errno. */
NODISCARD int block_files_remove_undo(struct block_files *files);
/* Remove each block file behind the first number that is missing: before a reindex of a pruned
 * node, which could place none of their blocks. 0 or negative errno. Spec: Core
 * CleanupBlockRevFiles() */
NODISCARD int block_files_remove_behind_gap(struct block_files *files);

/* Bytes of all files on disk, preallocation left out. */
uint64_t block_files_total_bytes(const struct block_files *files);

/* Call fn for each well-framed record of blk file number `file` from offset on: pos (crc32c
 * computed) and the payload, borrowed for the call. Bytes that are no record are skipped up to the
 * next magic; used at start to find blocks that were appended after the index was last written,
 * and by -reindex. fn returns false to stop. -ENOENT if there is no such file. */
NODISCARD int block_files_scan(struct block_files *files, int32_t file, uint32_t offset,
                               bool (*fn)(void *arg, const struct file_pos *pos, struct span block),
                               void *arg);
/* *end: one past the highest number of a blk file that exists or is known. 0 or negative errno. */
NODISCARD int block_files_end(const struct block_files *files, size_t *end);
/* Treat every blk file that exists as full, so that new records go to new files: before all of them
 * are read in again by -reindex. 0 or negative errno. */
NODISCARD int block_files_reserve_existing(struct block_files *files);

/* Where the next block is stored, as far as is known; all before it came earlier. */
void block_files_next_place(const struct block_files *files, int32_t *file, uint32_t *offset);

/* Say that records up to end (an offset) are in use in a file, after a scan. height and time are
 * those of one more block in it; height -1: only the space is taken. */
void block_files_set_used(struct block_files *files, int32_t file, uint32_t end, int32_t height,
                          uint32_t time);

#endif
