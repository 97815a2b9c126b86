/* mempool_file.h - the mempool kept over a restart: mempool.dat, in Core's format.
 *
 * Layer: mempool. Loop thread only; the file is read and written by jobs. A file is never trusted:
 * what it holds is checked like any transaction that comes in, and a damaged one is given up with a
 * warning (hazard 79). */
#ifndef MEMPOOL_MEMPOOL_FILE_H
#define MEMPOOL_MEMPOOL_FILE_H

#include "mempool/mempool.h"
#include "util/buffer.h"

#define MEMPOOL_FILE_KEY_BYTES 8

/* Write all entries, and what a reorganisation took out that is still to be put back, with their
 * times and deltas, to path: to a file beside it first, synced and renamed, after the blocks that
 * are stored by now were made durable. In the form with a key, a new one each time, unless the
 * mempool's options say otherwise. The mempool is read before this returns, so it may change or
 * go meanwhile; env must stay until done(arg, error), which is called once, later; error is a
 * negative errno or 0. */
void mempool_file_save(const struct mempool *mempool, const char *path,
                       void (*done)(void *arg, int error), void *arg);

struct mempool_load {
    int error; /* 0; -ENOENT no file; -EUCLEAN damaged (what came before the damage was taken) */
    size_t n_taken, n_refused, n_expired;
    size_t n_run; /* of them had their scripts run */
};

/* What of a file counts. All of it at a start; a file of somebody else's may be stale, or tell what
 * only its node wanted. Spec: Core importmempool */
struct mempool_load_options {
    bool uses_current_time;  /* all has come now: nothing expires */
    bool leaves_deltas;      /* fees are what they are */
    bool leaves_unbroadcast; /* nothing is sent to peers because of it */
    bool was_here;           /* a mempool of ours had it all, by the rules of relay */
    bool is_expected;        /* it is the file that mempool_file_expect() spoke of */
};

/* Read a file and hand everything in it to mempool_accept(), a few at once; while a
 * reorganisation's transactions wait to be put back it waits too, as it may spend them. done(arg,
 * load) once, later, also when the mempool is closed meanwhile (-ECANCELED). The mempool stays open
 * until then: mempool_close() waits for it. */
void mempool_file_load(struct mempool *mempool, const char *path,
                       const struct mempool_load_options *options,
                       void (*done)(void *arg, const struct mempool_load *load), void *arg);

/* A file will be loaded, later: until that has been tried what there is stands for nothing that
 * could be saved in its place. */
void mempool_file_expect(struct mempool *mempool);
/* Is that file yet to be loaded, or being loaded? */
bool mempool_file_is_expected(const struct mempool *mempool);

/* Encode as the file has it, into an empty buffer: version 2 with a key, version 1 without (NULL).
 */
void mempool_file_encode(const struct mempool *mempool, const uint8_t key[MEMPOOL_FILE_KEY_BYTES],
                         struct buffer *out);

#endif
