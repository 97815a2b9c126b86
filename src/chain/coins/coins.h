/* coins.h - the set of unspent outputs: active table, frozen generation, store.
 *
 * Layer: chain. Shows the committed tip only; blocks being verified live in chain/overlay.h. All
 * calls on the loop thread. A lookup goes active table -> frozen generation -> (by a read job)
 * store. Fresh and dirty marks are kept here: a fresh coin that is spent never reaches the disk. */
#ifndef CHAIN_COINS_COINS_H
#define CHAIN_COINS_COINS_H

#include "chain/coins/coin.h"
#include "crypto/siphash.h"
#include "util/env.h"
#include "util/log.h"

struct coins;

struct coins_options {
    size_t cache_bytes; /* -dbcache: active and frozen tables together aim to stay below */
    size_t store_cache_bytes;
    size_t flush_batch_bytes; /* 0: 4 MB */
    bool is_strict; /* as of the store, and damage where its tables begin is met at once */
};

/* Open (creating if needed) the store at path. On failure returns a negative errno and sets
 * *error (free with xfree()). The table's memory is taken as it fills, not before. */
NODISCARD int coins_open(const struct env *env, const struct log *log, const char *path,
                         const struct coins_options *options, struct coins **out, char **error);
/* Close without flushing. No read or flush may be under way. */
void coins_close(struct coins *coins);

/* The key that coins_hash() uses: constant for the life of coins; jobs may use it. */
struct siphash_key coins_hash_key(const struct coins *coins);

static inline uint64_t coins_hash(struct siphash_key key, const struct outpoint *outpoint)
{
    return siphash13_id(key, outpoint->txid.b, outpoint->vout);
}

/* Start fetching the cache lines that a lookup of hash will need; first the index for a batch of
 * hashes, then the slots. Only hints. */
void coins_prefetch_index(const struct coins *coins, uint64_t hash);
/* The second step of it. */
void coins_prefetch_slot(const struct coins *coins, uint64_t hash);

enum coins_found {
    COINS_UNSPENT, /* in memory */
    COINS_SPENT,   /* memory knows that it is spent */
    COINS_UNKNOWN, /* not in memory: only a read of the store can tell */
};

/* Look a coin up in memory. The script of *coin is expanded into script_out when it is of a
 * short class, else borrowed until the next change of the table. */
enum coins_found coins_find(const struct coins *coins, const struct outpoint *outpoint,
                            uint64_t hash, struct coin *coin,
                            uint8_t script_out[COIN_SCRIPT_EXPANDED_MAX]);

/* Create a coin (copied). may_exist: an unspent coin of that name may be in a lower level and is
 * overwritten (coinbases before BIP34: BIP30's exceptions); it is then not marked fresh. */
void coins_add(struct coins *coins, const struct outpoint *outpoint, uint64_t hash,
               const struct coin *coin, bool may_exist);

/* Spend a coin: removed if fresh, else kept as a tombstone until flushed. It need not be in
 * memory. */
void coins_spend(struct coins *coins, const struct outpoint *outpoint, uint64_t hash);

/* A batch of reads from the store, embedded in its owner until done is called on the loop thread.
 * Coins found have then been put into the active table (clean), unless memory knows better.
 * A read that raced with a flush is read again before done is called: a value from before the
 * flush must never revive a spent coin. */
struct coins_read {
    struct env_job job;
    struct coins *coins;
    const struct outpoint *outpoints; /* the owner's; constant until done */
    size_t n;
    bool *absent; /* n flags, the owner's: set where the store has no such coin */
    int error;    /* 0, or a fault (negative errno) */
    void (*done)(struct coins_read *read);
    /* private */
    uint64_t generation;
    enum env_priority priority;
    void *values;
};
/* Start a batch of reads. The struct stays where it is until done is called. */
void coins_read_start(struct coins *coins, struct coins_read *read, enum env_priority priority);

/* Read one coin now, through memory and store (for RPC). Returns 1 unspent, 0 not, negative errno
 * on a fault. The script is copied into arena. */
NODISCARD int coins_get(struct coins *coins, const struct outpoint *outpoint, struct arena *arena,
                        struct coin *coin);

/* Find any unspent output of a transaction (for RPC): its block's height. in_memory: look at every
 * index that an output can have among the coins not flushed yet too, which takes milliseconds.
 * Returns 1 found, 0 not, negative errno on a fault. Spec: Core AccessByTxid() */
NODISCARD int coins_find_txid(struct coins *coins, const struct txid *txid, bool in_memory,
                              int32_t *height);

/* From now on both tables aim to stay below this. */
void coins_set_cache(struct coins *coins, size_t cache_bytes);
/* Nobody will look anything up any more: give memory back, a little in each coins_turn(). All must
 * be flushed, and no flush under way. */
void coins_let_go(struct coins *coins);
/* True if a flush is due because of memory. */
bool coins_is_full(const struct coins *coins);

/* Freeze the active table and write it to the store by a blocking job: a synced marker
 * {old tip, new tip} first, changes in key order in batches of at most 4 MB, then the new tip,
 * clearing the marker, with sync. done(arg, error) on the loop thread. Only one at a time. The
 * frozen generation stays readable; afterwards it is merged back as clean coins, a few slots a
 * coins_turn(), or dropped if memory is short. Blocks and undo data between the two tips must be
 * durable before this is called. */
void coins_flush_start(struct coins *coins, const struct block_hash *new_tip,
                       void (*done)(void *arg, int error), void *arg);

/* How often memory has let go of coins without being told to: what it knew before, it may not know
 * now. A constant number means that a coin which is unknown now was unknown before. */
uint64_t coins_times_forgotten(const struct coins *coins);

/* A little housekeeping, at most about a millisecond: incremental growth, merging back. Call once
 * a loop turn while there is work. Returns true if there is more to do. */
bool coins_turn(struct coins *coins);

/* The tip that the store stands for; all zero for an empty store. If a flush was interrupted,
 * returns true from coins_interrupted() with both tips: the store is then a mixture and must be
 * repaired with coins_repair_*() before use. */
struct block_hash coins_store_tip(const struct coins *coins);
/* Was a flush cut short? Then *old_tip and *new_tip are what it lay between. */
bool coins_interrupted(const struct coins *coins, struct block_hash *old_tip,
                       struct block_hash *new_tip);

/* Repair after a crash, idempotent, straight to the store: set or erase coins, then say at which
 * tip the store now stands (clears the marker, synced). At start only. */
void coins_repair_put(struct coins *coins, const struct outpoint *outpoint,
                      const struct coin *coin);
/* The opposite of coins_repair_put(), whether the coin is there or not. */
void coins_repair_erase(struct coins *coins, const struct outpoint *outpoint);
/* Write what was repaired, synced: the store stands at tip. 0 or a negative errno. */
NODISCARD int coins_repair_commit(struct coins *coins, const struct block_hash *tip);

/* Forget everything: the store becomes empty (-reindex-chainstate). *error: as of coins_open(). */
NODISCARD int coins_wipe(struct coins *coins, char **error);

/* The store as it is now, to be scanned later. The caller has flushed before, so that it is the
 * committed tip. Loop thread. */
struct env_cursor *coins_snapshot(struct coins *coins);
/* Visit every coin of a snapshot in key order (txid bytes, then vout). Any thread. visit returns
 * false to stop. Owns: cursor, which it closes. Returns 0 or a negative errno. */
NODISCARD int coins_scan_snapshot(struct coins *coins, struct env_cursor *cursor,
                                  bool (*visit)(void *arg, const struct outpoint *outpoint,
                                                const struct coin *coin),
                                  void *arg);
/* One coin of a snapshot, any thread (one at a time for a snapshot): 1 unspent, 0 not, negative
 * errno. The script is in arena. And close a snapshot that is not scanned. */
NODISCARD int coins_snapshot_get(struct coins *coins, struct env_cursor *cursor,
                                 const struct outpoint *outpoint, struct arena *arena,
                                 struct coin *coin);
/* Close a snapshot that was not scanned. */
void coins_snapshot_close(struct coins *coins, struct env_cursor *cursor);

/* Approximate bytes of the store on disk. */
uint64_t coins_store_bytes(struct coins *coins);

#endif
