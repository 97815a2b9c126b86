/* mempool_file.h - the mempool kept over a restart: mempool.dat, in Core's format.
 *
 * Layer: mempool. Loop thread only; the file is read and written by jobs. A file is never trusted:
 * what it holds is checked like any transaction that comes in, and a damaged one is given up with a
 * warning (hazard 79). */
#ifndef MEMPOOL_MEMPOOL_FILE_H
#define MEMPOOL_MEMPOOL_FILE_H

#include "mempool/mempool.h"
#include "util/buffer.h"

/* Write all entries, and what a reorganisation took out that is still to be put back, with their
 * times and deltas, to path: to a file beside it first, synced and renamed, after the blocks that
 * are stored by now were made durable. The mempool is read before this returns, so it may change or
 * go meanwhile; env must stay until done(arg, error), which is called once, later; error is a
 * negative errno or 0. */
void mempool_file_save(const struct mempool *mempool, const char *path,
                       void (*done)(void *arg, int error), void *arg);

struct mempool_load {
    int error; /* 0; -ENOENT no file; -EUCLEAN damaged (what came before the damage was taken) */
    size_t n_taken, n_refused, n_expired;
};

/* Read a file and hand everything in it to mempool_accept(), a few at once; while a
 * reorganisation's transactions wait to be put back it waits too, as it may spend them. done(arg,
 * load) once, later, also when the mempool is closed meanwhile (-ECANCELED). The mempool stays open
 * until then: mempool_close() waits for it. */
void mempool_file_load(struct mempool *mempool, const char *path,
                       void (*done)(void *arg, const struct mempool_load *load), void *arg);

/* A file will be loaded, later: until then what there is stands for nothing that could be saved in
 * its place. mempool_file_load() ends that. */
void mempool_file_expect(struct mempool *mempool);
/* Is a file being loaded, or yet to be? */
bool mempool_file_is_loading(const struct mempool *mempool);

/* Encode as the file has it; version 1, which has no key. */
void mempool_file_encode(const struct mempool *mempool, struct buffer *out);

#endif
