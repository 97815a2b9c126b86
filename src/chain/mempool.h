/* mempool.h - transactions that are valid on top of the tip and wait for a block.
 *
 * Layer: chain. Entries, an index of the outpoints they spend, and clusters: connected components
 * of entries that spend one another, within Core's limits. Every change is an event with a
 * sequence number and a reason. Replacement, packages and optimal linearisation will build on
 * these structures; for now a conflicting transaction is refused. Loop thread only. */
#ifndef CHAIN_MEMPOOL_H
#define CHAIN_MEMPOOL_H

#include "chain/chain.h"

struct mempool;

#define MEMPOOL_CLUSTER_COUNT_MAX  64
#define MEMPOOL_CLUSTER_VBYTES_MAX 101000
#define MEMPOOL_PENDING_MAX        1000 /* transactions being checked at once; more are refused */

struct mempool_options {
    size_t max_bytes;                /* -maxmempool, memory; default 300 MB */
    int64_t expiry_s;                /* -mempoolexpiry; default 336 hours */
    int64_t min_relay_sat_per_kvb;   /* -minrelaytxfee; default 100 */
    int64_t incremental_sat_per_kvb; /* -incrementalrelayfee; default 100 */
    int64_t dust_sat_per_kvb;        /* -dustrelayfee; default 3000 */
    bool require_standard;           /* off on test chains by -acceptnonstdtxn */
    bool permit_bare_multisig;       /* default true */
    size_t max_datacarrier_bytes;    /* default 100000; 0: none */
};

enum mempool_reason {
    MEMPOOL_ADDED,
    MEMPOOL_REMOVED_BLOCK,    /* it is in a block now */
    MEMPOOL_REMOVED_CONFLICT, /* a block spends one of its inputs otherwise */
    MEMPOOL_REMOVED_REORG,    /* no longer valid on the new tip */
    MEMPOOL_REMOVED_EXPIRY,
    MEMPOOL_REMOVED_SIZELIMIT,
    MEMPOOL_REMOVED_REPLACED,
};

/* One transaction. Read-only outside the mempool. */
struct mempool_entry {
    struct tx tx;                      /* borrows raw and arena of the entry */
    int64_t fee_sat, modified_fee_sat; /* modified: with prioritisetransaction's delta */
    uint32_t vbytes;                   /* of the weight, or of the sigop cost if that is more */
    uint32_t weight_wu;
    uint32_t sigops_cost;
    int64_t time_s;    /* when it came */
    int32_t height;    /* of the tip when it came */
    uint64_t sequence; /* of the event that added it */
    bool is_unbroadcast;
    uint32_t *parents, n_parents; /* indexes of entries in the mempool: mempool_at() */
    uint32_t *children, n_children;
    uint32_t cluster; /* id of its connected component */
    uint32_t index;   /* its own */
};

struct mempool_event {
    uint64_t sequence;
    enum mempool_reason reason;
    const struct mempool_entry *entry; /* borrowed; still whole when it is being removed */
};

struct mempool_events {
    void *ctx;
    void (*changed)(void *ctx, const struct mempool_event *event);
};

/* Make an empty mempool on a chain. Borrows env, log and chain. */
struct mempool *mempool_new(const struct env *env, const struct log *log, struct chain *chain,
                            const struct mempool_options *options,
                            const struct mempool_events *events);
/* No check may be under way: see mempool_close(). */
void mempool_free(struct mempool *mempool);
/* Refuse everything from now on; done when no job is under way any more. */
void mempool_close(struct mempool *mempool, void (*done)(void *arg), void *arg);

struct mempool_result {
    struct verdict verdict; /* NONE: it is in (or would be, for a test) */
    bool was_known;         /* in the mempool already: verdict is txn-already-in-mempool */
    const struct tx *tx;    /* borrowed for the call; NULL if not decodable */
    const struct mempool_entry *entry; /* if it is in */
    int64_t fee_sat;
    uint32_t vbytes;
    const struct outpoint *missing; /* first unknown input, for class MISSING */
};
typedef void mempool_result_fn(void *arg, const struct mempool_result *result);

enum mempool_accept_flags {
    MEMPOOL_TEST_ONLY = 1,  /* testmempoolaccept */
    MEMPOOL_BYPASS_FEE = 2, /* reorganised transactions, prioritised ones */
    MEMPOOL_LOCAL = 4,      /* sent by our own user: rebroadcast until seen (unbroadcast) */
};

/* Check a transaction and add it: prefetch of coins, rules, policy, scripts as jobs; then the
 * commit, checked again if the tip has moved meanwhile. raw is copied. done once, later, never
 * from within this call. max_fee_sat: refuse a higher fee with max-fee-exceeded; 0: any. */
void mempool_accept(struct mempool *mempool, struct span raw, int flags, int64_t max_fee_sat,
                    mempool_result_fn *done, void *arg);

/* Blocks came and went; called by node from the chain's events, before anybody else hears. */
void mempool_block_connected(struct mempool *mempool, const struct block_node *node,
                             struct block_ref *block);
void mempool_block_disconnected(struct mempool *mempool, const struct block_node *node,
                                struct block_ref *block);
/* The chain rests on a new tip: put reorganised transactions back, drop what became invalid. */
void mempool_tip_changed(struct mempool *mempool, const struct block_node *tip);

/* -- Asking ------------------------------------------------------------------------------------ */

size_t mempool_count(const struct mempool *mempool);
size_t mempool_vbytes(const struct mempool *mempool);
size_t mempool_memory_bytes(const struct mempool *mempool);
int64_t mempool_total_fee_sat(const struct mempool *mempool);
uint64_t mempool_sequence(const struct mempool *mempool);               /* of the last event */
int64_t mempool_min_feerate_sat_per_kvb(const struct mempool *mempool); /* now, >= min relay */
const struct mempool_options *mempool_options_of(const struct mempool *mempool);
const struct mempool_entry *mempool_find(const struct mempool *mempool, const struct txid *txid);
const struct mempool_entry *mempool_find_wtxid(const struct mempool *mempool,
                                               const struct wtxid *wtxid);
/* The entry that spends an outpoint; NULL if none does. */
const struct mempool_entry *mempool_spender(const struct mempool *mempool,
                                            const struct outpoint *outpoint);
const struct mempool_entry *mempool_at(const struct mempool *mempool, uint32_t index);
/* Visit all in order of entry (sequence): start with *at = 0, ends with NULL. */
const struct mempool_entry *mempool_next(const struct mempool *mempool, uint64_t *at);
/* All ancestors or descendants of an entry, itself left out; *n of them, freed with xfree(). */
const struct mempool_entry **mempool_ancestors(const struct mempool *mempool,
                                               const struct mempool_entry *entry, size_t *n);
const struct mempool_entry **mempool_descendants(const struct mempool *mempool,
                                                 const struct mempool_entry *entry, size_t *n);
void mempool_prioritise(struct mempool *mempool, const struct txid *txid, int64_t delta_sat);
void mempool_mark_broadcast(struct mempool *mempool, const struct txid *txid);

/* Entries for a block, best feerate first within the order that spending demands, at most
 * max_weight_wu and max_sigops_cost in sum; *n of them, freed with xfree(). */
const struct mempool_entry **mempool_select_for_block(const struct mempool *mempool,
                                                      uint32_t max_weight_wu,
                                                      uint32_t max_sigops_cost, size_t *n,
                                                      int64_t *fees_sat);

#endif
