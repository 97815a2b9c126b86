/* writes.h - blocks and undo data on their way to the disk: how many, how large, since when.
 *
 * Layer: chain. A flush waits for the writes that were given to jobs before it began, and only for
 * those: each belongs to an epoch, and a flush begins a new one. New blocks wait while too many
 * bytes are under way. Loop thread only. */
#ifndef CHAIN_DISK_WRITES_H
#define CHAIN_DISK_WRITES_H

#include "chain/core/chain_core.h"
#include "chain/core/chain_part.h"

/* Whose bytes they are, and where they go, is not known here: intake and undo_writes say when one
 * begins and ends. */
struct writes {
    struct chain_core *core;
    size_t pending[2]; /* by epoch */
    unsigned epoch;    /* of those that start now */
    size_t n_undo;     /* of them: undo data */
    size_t bytes;      /* of all: at most the limit and what one block makes */
};

/* No write is under way. Borrows core. */
void writes_init(struct writes *writes, struct chain_core *core);

/* One more is given to a job.
 *
 * In:       bytes  that it writes
 * Returns:  its epoch, for writes_done() */
unsigned writes_start(struct writes *writes, size_t bytes, bool is_undo);
/* One has ended, and its owner is through with it: a fault if it failed, and a turn.
 *
 * In:  epoch, bytes, is_undo  as when it was started
 *      error                  0 or a negative errno */
void writes_done(struct writes *writes, unsigned epoch, size_t bytes, bool is_undo, int error);

/* Is there room for more? */
bool writes_have_room(const struct writes *writes);
/* How many are under way. */
size_t writes_pending(const struct writes *writes);

/* Those that start from now on are of another epoch. The one before must be drained. */
void writes_begin_epoch(struct writes *writes);
/* Have all writes of the epoch before this one ended? */
bool writes_are_drained(const struct writes *writes);

/* Busy while a write is under way. */
extern const struct chain_part writes_part;

#endif
