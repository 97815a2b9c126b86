/* import.h - blocks from files: -loadblock, -reindex, and what a crash left behind the index.
 *
 * Layer: chain. Loop thread only. Blocks come in any order and are given to intake as soon as
 * their parents are known; each record of our own files stays where it is. What may not be in the
 * index yet has a mark there (enum chain_mark) until a flush has written it. */
#ifndef CHAIN_INTAKE_IMPORT_H
#define CHAIN_INTAKE_IMPORT_H

#include "chain/intake/accept.h"
#include "chain/tree/index_db.h"
#include "chain/upkeep/flush.h"

struct importer {
    struct chain_core *core;
    struct header_tree *tree;
    struct flush *flush; /* has the marks of what is to be gone through */
    struct intake *intake;
    struct list imports; /* of struct import, one after the other: only the first is worked on */
    int32_t replay_file; /* where the replay began that CHAIN_MARK_REPLAY stands for */
    uint32_t replay_offset;
    bool is_held;    /* nothing is taken in yet: what is to be forgotten is in the tree */
    bool leaves_out; /* what lies there: a rewind has forgotten it */
    struct index_rewind left_out;
    int64_t early_s; /* when a block of our files that is too new now may come; 0: none is */
};

/* Import the block files: all of them from the start (reindex), or only what lies behind the
 * index. */
void import_block_files(struct importer *importer, bool from_start);
/* Import a file of the user's.
 *
 * Out:  done(arg, error, n_blocks)  once, when every readable block is connected or refused;
 *                                   within this call if the file cannot be opened */
void import_file(struct importer *importer, const char *path,
                 void (*done)(void *arg, int error, uint64_t n_blocks), void *arg);

/* Is any file gone through, or to be? */
bool importer_is_active(const struct importer *importer);
/* Are our own block files among them, or is there a block in them that the clock does not let in
 * yet? */
bool importer_has_own_files(const struct importer *importer);
/* Is one of them our own block files, behind the index? */
bool importer_is_replaying(const struct importer *importer);

/* Goes on with the first import. Busy while there is one. */
extern const struct chain_part import_part;

#endif
