/* history.h - what the node has seen of the chain: reorganisations, and when blocks came first.
 *
 * Layer: chain. Loop thread only. Kept over restarts and kills in two files of a bounded size.
 * Blocks of the initial download are not noted: when they were seen says nothing. The times are
 * those of our clock. */
#ifndef CHAIN_ASK_HISTORY_H
#define CHAIN_ASK_HISTORY_H

#include "chain/tree/header_tree.h"
#include "util/env.h"
#include "util/log.h"

#define HISTORY_REORGS_MAX    10000
#define HISTORY_SIGHTINGS_MAX 60000 /* more than a year of blocks */

struct history;

struct reorg {
    int64_t time_s;                              /* when the chain rested on the new tip */
    struct block_hash old_tip, new_tip, fork;    /* fork: the last block that both have */
    int32_t old_height, new_height, fork_height; /* blocks taken back: old_height - fork_height */
};

struct sighting {
    struct block_hash hash;
    int32_t height;
    uint32_t block_time; /* what its header says */
    int64_t seen_s;      /* when its header came first */
};

/* Read what was noted before, in data_dir. env, log are borrowed for its life. Owns: the caller. */
NODISCARD struct history *history_new(const struct env *env, const struct log *log,
                                      const char *data_dir);
/* NULL is allowed. It must be at rest. */
void history_free(struct history *history);
/* Is nothing on its way to the disk? NULL: true. */
bool history_is_at_rest(const struct history *history);

/* Below, history may be NULL: then nothing is noted.
 *
 * A header that was not known before. */
void history_header_added(struct history *history, const struct block_node *node);
/* A block was taken back; the first after a rest was the tip. */
void history_block_disconnected(struct history *history, const struct block_node *node);
/* The chain rests on a tip: if blocks were taken back for it, that was a reorganisation. */
void history_tip_changed(struct history *history, const struct block_node *tip);

/* How many are noted. A row that is damaged counts, and is not told. */
size_t history_reorg_count(const struct history *history);
/* The same of blocks that were seen. */
size_t history_sighting_count(const struct history *history);
/* The one with age newer ones. Returns: false if there is none, or it is damaged */
NODISCARD bool history_reorg(const struct history *history, size_t age, struct reorg *out);
/* The same of blocks that were seen. */
NODISCARD bool history_sighting(const struct history *history, size_t age, struct sighting *out);

#endif
