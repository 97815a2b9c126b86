/* planted.h - bugs that can be switched on, and defences off, to show that tests find it.
 *
 * Layer: util. A build with CAIRN_PLANT (the presets dev and asan, never a release) knows the bugs;
 * which one a world's code has is told by its struct env, so that two nodes of one process can
 * differ. tests/sim/sim_planted.c switches on each storage bug in turn, tests/sim/sim_eclipse.c the
 * defences off. Elsewhere PLANTED() is a constant. */
#ifndef UTIL_PLANTED_H
#define UTIL_PLANTED_H

#include "util/env.h"

/* X(NAME, what the code does wrong then) */
#define PLANTED_BUGS(X)                                                                            \
    X(PRUNE_UNLINK_FIRST, "files are pruned before the index says so")                             \
    X(PRUNE_NOT_SYNCED, "pruned files are forgotten before they are gone for good")                \
    X(REINDEX_MARK_EARLY, "the mark of a reindex goes before the rebuilt rows are written")        \
    X(REINDEX_INDEX_FIRST, "a reindex drops the index while the coins still need it")              \
    X(BLOCK_NOT_SYNCED, "block files are not synced")                                              \
    X(UNDO_NOT_SYNCED, "undo files are not synced")                                                \
    X(DIR_NOT_SYNCED, "the names of new block files are not synced")                               \
    X(TIP_BEFORE_COINS, "the coins' marker is cleared before they are written")                    \
    X(NO_MARKER, "batches of coins are written without a marker of the old tip")                   \
    X(ROWS_BEFORE_BYTES, "the index is written before the blocks' bytes are synced")               \
    X(MEMPOOL_NOT_SYNCED, "mempool.dat is renamed without having been synced")                     \
    X(MEMPOOL_NAME_NOT_SYNCED, "the new name of mempool.dat is not synced")                        \
    X(EARLY_ENDS_REPLAY, "a replay ends although a block was refused only for now")                \
    X(REPLAY_NOT_NOTED, "where a replay began is not noted")                                       \
    X(INVALID_NOT_WRITTEN, "invalidateblock answers before it is written")                         \
    X(RECONSIDER_NOT_WRITTEN, "reconsiderblock answers before it is written")                      \
    X(STALE_READ, "a coin read before a flush is believed after it")                               \
    X(ANSWER_BEFORE_SYNC, "a block is acknowledged before it is synced")                           \
    X(WRITE_ERROR_LOST, "a block that could not be written counts as written")

/* Defences of the mesh that are off then. */
#define PLANTED_WEAKNESSES(X)                                                                      \
    X(BOOK_WITHOUT_BUCKETS, "addresses find their places whoever told of them, and nobody is "     \
                            "tested before he is replaced")

enum planted {
    PLANT_NONE,
#define X(name, what) PLANT_##name,
    PLANTED_BUGS(X)
#undef X
        PLANT_COUNT,
#define X(name, what) PLANT_##name,
    PLANTED_WEAKNESSES(X)
#undef X
};

/* True where the code that env belongs to has that bug. */
#ifdef CAIRN_PLANT
#define PLANTED(env_, name) ((env_)->planted == PLANT_##name)
#else
#define PLANTED(env_, name) ((void)(env_), false)
#endif

#endif
