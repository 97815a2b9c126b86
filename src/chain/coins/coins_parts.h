/* coins_parts.h - the parts of struct coins, for coins*.c only.
 *
 * Layer: chain. Keys of the store: 'C' txid vout (big-endian, so that keys are in order of outputs)
 * -> coin_encode(); 'T' -> the tip that the store stands for; 'M' -> {old tip, new tip} while a
 * flush of more than one batch is under way. */
#ifndef CHAIN_COINS_COINS_PARTS_H
#define CHAIN_COINS_COINS_PARTS_H

#include "chain/coins/coins.h"
#include "chain/coins/coins_table.h"
#include "util/buffer.h"

#define COINS_KEY_BYTES         37
#define COINS_FLUSH_BATCH_BYTES (4u << 20)

/* What the frozen table is. NONE -> FLUSHING -> MERGING or KEPT -> NONE; FLUSHING -> FAILED, which
 * stays. Coins are found in it in every state but NONE. */
enum coins_frozen_state {
    COINS_FROZEN_NONE,
    COINS_FROZEN_FLUSHING, /* read by the flush job; its changes are newer than the store */
    COINS_FROZEN_KEPT,     /* flushed; a read-only cache level until memory is short */
    COINS_FROZEN_MERGING,  /* flushed; being moved back to the active table */
    COINS_FROZEN_FAILED,   /* the flush failed: the node is stopping */
};

/* The one flush that can be under way. The job reads all of it and writes error. */
struct coins_flush {
    struct env_job job; /* first */
    struct coins *coins;
    const struct coins_table *table; /* NULL: there are no changes, only a new tip */
    struct block_hash old_tip, new_tip;
    int error; /* 0 or a negative errno; set at once if an earlier write has failed */
    void (*done)(void *arg, int error);
    void *arg;
};

/* A table that nobody looks at any more, waiting to be freed piece by piece. */
struct coins_dying {
    struct coins_table table;
    struct coins_dying *next;
};

struct coins {
    const struct env *env;
    const struct log *log;
    char *path;
    struct coins_options options;
    struct env_kv *kv;
    struct siphash_key key;
    struct coins_table active;
    struct coins_table frozen; /* empty unless frozen_state says otherwise */
    enum coins_frozen_state frozen_state;
    struct coins_dying *dying; /* owned; coins_turn() frees a little of the first one */
    uint64_t times_forgotten;  /* tables dropped with coins in them */
    uint64_t generation; /* counts flushes that ended: reads that started before one are stale */
    struct coins_flush flush;
    bool flushing;
    int failed; /* what the first failed write returned; the store is not written again */
    struct block_hash store_tip; /* moved when a flush has ended, not when it begins */
    bool interrupted;            /* the store is a mixture: only repairing or wiping ends that */
    struct block_hash old_tip, new_tip; /* of the interrupted flush */
    struct env_batch *repair;           /* NULL: nothing is being repaired */
    size_t repair_bytes;                /* in that batch */
};

/* The key of an outpoint in the store. */
void coins_store_key(const struct outpoint *outpoint, uint8_t key[COINS_KEY_BYTES]);
/* Decode the row at a cursor; the script is in arena. False: it is no coin. */
bool coins_store_row(const struct env *env, struct env_cursor *cursor, struct arena *arena,
                     struct outpoint *outpoint, struct coin *coin);
/* Add to batch what makes tip the store's tip. */
void coins_batch_put_tip(const struct env *env, struct env_batch *batch,
                         const struct block_hash *tip);

/* Give the frozen table away to be freed piece by piece. */
void coins_drop_frozen(struct coins *coins);
/* The same for the active table, none of whose coins differs from the store's. */
void coins_drop_clean(struct coins *coins);

#endif
