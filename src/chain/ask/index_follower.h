/* index_follower.h - what the optional indexes have in common: a store that follows the committed
 * tip block by block, a mark of how far it stands, and look-ups that wait for it.
 *
 * Layer: chain. Loop thread only, but for what says otherwise. Rows are written as soon as a block
 * is committed, but the mark only when the coins store stands for that block or one after it: after
 * a crash the index goes on from a block that the chain still has (hazard 76). Blocks taken back
 * stay in the index until others are connected in their place, as in Core. */
#ifndef CHAIN_ASK_INDEX_FOLLOWER_H
#define CHAIN_ASK_INDEX_FOLLOWER_H

#include "chain/ask/block_read.h"
#include "chain/ask/index_store.h"
#include "chain/disk/undo.h"
#include "chain/upkeep/flush.h"
#include "util/buffer.h"

/* What is under way, one thing at a time. NONE -> READ -> ROWS or RENEW -> NONE; NONE -> MARK ->
 * NONE; READ -> NONE if the block cannot be read. */
enum index_task {
    INDEX_TASK_NONE,
    INDEX_TASK_READ,  /* the next block */
    INDEX_TASK_ROWS,  /* its rows are being written */
    INDEX_TASK_RENEW, /* rows of an old form are being written anew */
    INDEX_TASK_MARK,  /* the mark is being written */
};

struct index_follower;

/* Somebody asks. First member of the index's own struct. */
struct index_lookup {
    struct env_job job; /* first */
    struct index_follower *follower;
    struct list_link link;
    int32_t height;               /* the index must have got there, if it is near the tip */
    const struct block_node *tip; /* the last block of the chain that the index had, when find()
                                     was started */
    bool is_partial;              /* asked of an index that had not reached the tip */
    int error;                    /* what find() met */
};

/* One kind of index. Members that may be NULL say so. */
struct index_kind {
    struct index_store store;
    const char *core_thread; /* what Core calls the thread that fills it */
    bool wants_undo; /* follower->undo is filled in */
    /* On another thread: put the rows of follower->block, which is follower->next, into batch.
     * 0, or a negative errno; -EUCLEAN: rows that must be there are not, all is made anew;
     * -EBADMSG: what was read is not that block's, the index stops. */
    int (*put_rows)(struct index_follower *follower, struct env_batch *batch);
    /* On another thread, or at the end: what goes with the mark of that node. NULL: nothing. */
    void (*put_mark)(struct index_follower *follower, const struct block_node *node,
                     struct env_batch *batch);
    /* On another thread: look it up, and set lookup->error. */
    void (*find)(struct index_lookup *lookup);
    /* It has been looked up. -EUCLEAN: all is forgotten by now, and will be made anew. */
    void (*answer)(struct index_lookup *lookup);
    /* Tell the asker, and free the lookup. index_lookup_end() is its last call. */
    void (*end)(struct index_lookup *lookup, int error);
    /* Read the rows of its own from a store just opened; at and marked are set. 0, or an error of
     * the store. */
    int (*load)(struct index_follower *follower);
    /* The four below may be NULL. Forget what the store is thought to hold. */
    void (*forget)(struct index_follower *follower);
    /* ROWS, RENEW or MARK has been written; at is not moved yet. */
    void (*written)(struct index_follower *follower, enum index_task task);
    /* Is what goes with the mark of that node written as well? */
    bool (*is_marked)(const struct index_follower *follower, const struct block_node *node);
    /* The next block whose rows are to be written anew, when there is nothing else to do; or NULL.
     * Nobody waits for it. */
    const struct block_node *(*next_old)(struct index_follower *follower);
};

/* First member of each index. */
struct index_follower {
    struct env_job job; /* first */
    const struct index_kind *kind;
    struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    const struct flush *flush;
    const struct lost *lost;
    struct block_reads *reads;
    bool is_on;        /* opened */
    struct env_kv *kv; /* owned. NULL: it is off, or could not be made anew */
    enum index_task task;
    const struct block_node *at;     /* blocks up to here are in */
    const struct block_node *next;   /* the task's */
    const struct block_node *marked; /* what 'B' says */
    uint64_t marked_flushes;         /* flush.completed when the mark was looked at last */
    uint64_t seen_returned;          /* lost.n_returned, when a broken index was tried last */
    struct block_ref *block;
    struct buffer undo;   /* what that block spent, encoded; empty unless the kind wants it */
    struct file_pos data; /* where that block is */
    int error;            /* the job's: 0 or a negative errno */
    bool is_broken;       /* the next block cannot be read: until some lost block is back */
    bool was_synced;      /* it had reached the tip, so it is near it now */
    bool is_damaged;      /* made anew as soon as nobody uses the store */
    bool cannot_renew;    /* an old block cannot be read */
    int n_rebuilt, lookups_running; /* in this run; jobs that read the store */
    struct list
        waiting; /* of struct index_lookup: until the index has got there, in order of arrival */
};

/* Off.
 *
 * In:  with  the kind, and the parts that it needs, borrowed for its life */
void index_follower_init(struct index_follower *follower, const struct index_follower *with);
/* Switch it on: open its store, at a start, when the tip is known.
 *
 * Returns:  0, or a negative errno with *error set (xfree it): it is still off */
int index_follower_open(struct index_follower *follower, char **error);
/* Note how far it is, and close the store. Nothing may be under way. Off: nothing. */
void index_follower_close(struct index_follower *follower);
/* Is it on? Then *synced: caught up; *height: of the last block that is in. */
bool index_follower_status(const struct index_follower *follower, bool *synced, int32_t *height);

/* The last height whose block it can do without, after a crash too. *is_changing is set if a mark
 * that makes it higher is on its way. INT32_MAX: it is off, or can go on no more. */
int32_t index_follower_free_height(const struct index_follower *follower, bool *is_changing);
/* Is its mark on a block of that status, or is it on its way there? Not of one that goes on no
 * more. */
bool index_follower_may_be_marked(const struct index_follower *follower, uint32_t status);
/* What that would be if the coins were flushed now: marks are written after a flush alone. */
int32_t index_follower_reached_height(const struct index_follower *follower);

/* Look it up, now or when the index has come near enough. kind->end() is called once, later.
 *
 * In:    of an index that is on, of a chain that is not being closed
 *        last  that matters; NULL: the tip
 * Owns:  takes lookup (xcalloc) */
void index_lookup_start(struct index_follower *follower, struct index_lookup *lookup_take,
                        const struct block_node *last);
/* The asker has been told and the lookup is gone. */
void index_lookup_end(struct index_follower *follower);

/* Read a row of exactly len bytes.
 *
 * Returns:  0, -ENOENT, -EUCLEAN for another length, or what the store says */
NODISCARD int index_row_read(const struct index_follower *follower, const char *key, void *out,
                             size_t len);

/* On another thread: what follower->block spent, decoded into arena, for a kind that wants it.
 * False if it is not there, or not that block's. */
NODISCARD bool index_undo(const struct index_follower *follower, struct arena *arena,
                          struct undo *undo);
/* Write what put() has for the first block, which is a constant and never connected. Returns what
 * the store says. */
NODISCARD int index_load_first(struct index_follower *follower,
                               void (*put)(struct index_follower *follower, struct env_batch *batch,
                                           const struct block *first));
/* The secret of a store's keys: read, or made when the store is new. One that has a mark has had
 * one.
 *
 * Returns:  0, -EUCLEAN if it is gone, or what the store says */
NODISCARD int index_secret(const struct index_follower *follower, uint8_t *out, size_t len);
/* Write a batch, synced, and free it. Returns what the store says. */
NODISCARD int index_write(const struct index_follower *follower, struct env_batch *batch_take);
/* An integer as it stands in keys whose order counts. */
static inline void index_key_u32(struct writer *w, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    write_bytes(w, b, sizeof b);
}
/* The same read back. */
static inline uint32_t index_key_read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Indexes what is new, never ahead of what the coins store stands for. One row for each index. */
extern const struct chain_part index_follower_part;

#endif
