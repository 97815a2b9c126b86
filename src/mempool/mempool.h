/* mempool.h - transactions that are valid on top of the tip and wait for a block.
 *
 * Layer: mempool. Entries, an index of the outpoints they spend, and clusters: connected components
 * of entries that spend one another, within Core's limits. Every change is an event with a
 * sequence number and a reason. Loop thread only. */
#ifndef MEMPOOL_MEMPOOL_H
#define MEMPOOL_MEMPOOL_H

#include "chain/chain.h"
#include "mempool/linearise.h"

struct mempool;

/* The most that a cluster may have, entries and adjusted virtual bytes: what bounds the work that
 * one change makes (hazard 65). Core: DEFAULT_CLUSTER_LIMIT, DEFAULT_CLUSTER_SIZE_LIMIT_KVB */
#define MEMPOOL_CLUSTER_COUNT_MAX  64
#define MEMPOOL_CLUSTER_VBYTES_MAX 101000

/* The most that may be judged together. Core: MAX_PACKAGE_COUNT, MAX_PACKAGE_WEIGHT */
#define MEMPOOL_PACKAGE_COUNT_MAX     25
#define MEMPOOL_PACKAGE_WEIGHT_MAX_WU 404000
/* Packages under way; more are refused. Those of peers have room of their own, and so have the
 * checks that each is made of. */
#define MEMPOOL_PACKAGES_MAX      64
#define MEMPOOL_PEER_PACKAGES_MAX 16

/* Transactions being checked at once, and their bytes; more are refused. Those of peers have room
 * of their own, so that nobody out there can take the user's. */
#define MEMPOOL_PENDING_MAX            1000
#define MEMPOOL_PENDING_BYTES_MAX      (32u << 20)
#define MEMPOOL_PEER_PENDING_MAX       64
#define MEMPOOL_PEER_PENDING_BYTES_MAX (8u << 20)
/* Of blocks taken back, waiting to be put back; the rest is forgotten. */
#define MEMPOOL_REORG_BYTES_MAX (20u << 20)

struct mempool_options {
    size_t max_bytes;                /* -maxmempool, memory; default 300 MB */
    int64_t expiry_s;                /* -mempoolexpiry; default 336 hours */
    int64_t min_relay_sat_per_kvb;   /* -minrelaytxfee; default 100 */
    int64_t incremental_sat_per_kvb; /* -incrementalrelayfee; default 100 */
    int64_t dust_sat_per_kvb;        /* -dustrelayfee; default 3000 */
    bool require_standard;           /* off on test chains by -acceptnonstdtxn */
    bool permit_bare_multisig;       /* default true */
    size_t max_datacarrier_bytes;    /* default 100000; 0: none */
    uint32_t bytes_per_sigop;        /* -bytespersigop; default 20 */
    uint32_t cluster_count_max;      /* -limitclustercount; 0: 64, the most */
    uint32_t cluster_vbytes_max;     /* -limitclustersize; 0: 101000 */
    bool persist_without_key;        /* -persistmempoolv1: the form of mempool.dat before v27 */
};

enum mempool_reason {
    MEMPOOL_ADDED,
    MEMPOOL_REMOVED_BLOCK,    /* it is in a block now */
    MEMPOOL_REMOVED_CONFLICT, /* a block spends one of its inputs otherwise */
    MEMPOOL_REMOVED_REORG,    /* no longer valid on the new tip */
    MEMPOOL_REMOVED_EXPIRY,
    MEMPOOL_REMOVED_SIZELIMIT,
    MEMPOOL_REMOVED_REPLACED,
    MEMPOOL_SENT_AGAIN, /* nothing has changed: our user has sent what is here once more */
    MEMPOOL_REASON_COUNT,
};

/* "block", "conflict", "reorg", "expiry", "sizelimit", "replaced", as Core names them; "added",
 * "sent-again". */
const char *mempool_reason_name(enum mempool_reason reason);

/* One transaction. Read-only outside the mempool. */
struct mempool_entry {
    struct tx tx;                      /* borrows raw and arena of the entry */
    int64_t fee_sat, modified_fee_sat; /* modified: with prioritisetransaction's delta */
    uint32_t vbytes;                   /* of the weight, or of the sigop cost if that is more */
    uint32_t weight_wu;
    uint32_t adjusted_wu; /* weight, or of the sigop cost if that is more: what feerates use */
    uint32_t sigops_cost;
    int64_t time_s;    /* when it came */
    int32_t height;    /* of the tip when it came */
    uint64_t sequence; /* of the event that added it */
    bool was_in_block; /* until it was taken back: everybody may have seen it there */
    bool is_unbroadcast;
    uint32_t *parents, n_parents; /* indexes of entries in the mempool: mempool_at() */
    uint32_t *children, n_children;
    uint32_t cluster; /* id of its connected component, good until the next change */
    uint32_t index;   /* its own */
};

struct mempool_event {
    uint64_t sequence;
    enum mempool_reason reason;
    const struct mempool_entry *entry; /* borrowed; still whole when it is being removed */
    const struct txid *replaced_by;    /* removed for that; NULL: for another reason */
    bool is_putback;    /* added: a reorganisation had taken it out of a block, or from here */
    bool is_of_package; /* added: with others that may pay for it */
};

/* Called from within changes: changed must not change the mempool itself. */
struct mempool_events {
    void *ctx;
    void (*changed)(void *ctx, const struct mempool_event *event);
};

/* Core's defaults. */
struct mempool_options mempool_default_options(void);

/* Make an empty mempool on a chain that is or will be open. Borrows env, log and chain, which is
 * closed after the mempool. events may be NULL. */
struct mempool *mempool_new(const struct env *env, const struct log *log, struct chain *chain,
                            const struct mempool_options *options,
                            const struct mempool_events *events);
/* NULL is allowed. No check may be under way: see mempool_close(). */
void mempool_free(struct mempool *mempool);
/* Refuse everything from now on, with a verdict of class FAULT; done once, later, when no job is
 * under way any more. */
void mempool_close(struct mempool *mempool, void (*done)(void *arg), void *arg);

struct mempool_result {
    struct verdict verdict; /* NONE: it is in (or would be, for a test) */
    bool was_known;         /* in the mempool already: verdict is txn-already-in-mempool */
    const struct tx *tx;    /* borrowed; NULL if not decodable; only its ids if it did not stay */
    const struct mempool_entry *entry; /* if it is in */
    int64_t fee_sat, modified_fee_sat; /* modified: with prioritisetransaction's delta */
    uint32_t vbytes;                   /* 0: refused before it was known */
    bool scripts_ran;                  /* so checking it took about as long as its vbytes tell */
    const struct outpoint *missing;    /* first unknown input, for class MISSING */
    const struct txid *replaced;       /* borrowed: what went for it, descendants included ... */
    size_t n_replaced;                 /* ... none for a test */
};
typedef void mempool_result_fn(void *arg, const struct mempool_result *result);

enum mempool_accept_flags {
    MEMPOOL_TEST_ONLY = 1,  /* testmempoolaccept */
    MEMPOOL_BYPASS_FEE = 2, /* reorganised transactions, prioritised ones */
    MEMPOOL_LOCAL = 4,      /* sent by our own user: rebroadcast until seen (unbroadcast) */
    MEMPOOL_FROM_PEER = 8,  /* judged in the room of peers, behind what our user waits for */
};

/* Check a transaction and add it: prefetch of coins, rules, policy, scripts as jobs; then the
 * commit, checked again if the tip has moved meanwhile. raw is copied. done once, later, never
 * from within this call. max_fee_sat: refuse a higher fee with max-fee-exceeded; 0: any. */
void mempool_accept(struct mempool *mempool, struct span raw, int flags, int64_t max_fee_sat,
                    mempool_result_fn *done, void *arg);

/* What became of one of a package. */
enum mempool_package_state {
    MEMPOOL_PACKAGE_UNDECIDED,     /* the package failed before */
    MEMPOOL_PACKAGE_VALID,         /* it is in, or would be */
    MEMPOOL_PACKAGE_KNOWN,         /* it was in */
    MEMPOOL_PACKAGE_OTHER_WITNESS, /* one of its txid was in */
    MEMPOOL_PACKAGE_REFUSED,       /* verdict */
};

struct mempool_package_tx {
    enum mempool_package_state state;
    struct txid txid;
    struct wtxid wtxid, other_wtxid; /* other: for OTHER_WITNESS */
    struct verdict verdict;
    int64_t fee_sat; /* without deltas */
    uint32_t vbytes; /* sigops adjusted */
    uint32_t weight_wu;
    struct feerate effective; /* what it was judged by: modified fees, virtual bytes ... */
    uint32_t effective_of;    /* ... of these of the package: bits of their numbers */
};

struct mempool_package_result {
    /* Of the whole: NONE: all are in; PACKAGE_TX_FAILED: see each; else why none was looked at, or
     * why those that could not come in alone cannot together. */
    struct verdict verdict;
    const struct mempool_package_tx *tx; /* n, in the order given */
    uint32_t n;
    const struct txid *replaced; /* what went for them */
    size_t n_replaced;
};
typedef void mempool_package_fn(void *arg, const struct mempool_package_result *result);

/* What is to be judged together. */
struct mempool_package {
    const struct tx *txs; /* decoded, with their bytes; parents before children */
    size_t n;             /* 1 to any number */
    int flags;            /* enum mempool_accept_flags */
    /* Refuse who pays more, in satoshi for virtual bytes; size 0: any. Core: client_maxfeerate */
    struct feerate max_rate;
};

/* Judge transactions together. To be submitted, each is tried alone first; those that fail for
 * their fees or for inputs that others of the package make are then judged as one, by the fees of
 * all. With MEMPOOL_TEST_ONLY all are judged as one, each by its own fees, and nothing may be
 * replaced. Everything borrowed is copied. done once, later, never from within this call.
 *
 * Spec:     Core ProcessNewPackage() */
void mempool_accept_package(struct mempool *mempool, const struct mempool_package *request,
                            mempool_package_fn *done, void *arg);
/* Is the last a child and are all others its parents, none of which spends from another? Core:
 * IsChildWithParentsTree() */
bool mempool_package_is_tree(const struct tx *txs, size_t n);

/* A block was connected: what it holds, and what conflicts with it, is removed. Called by node from
 * the chain's events, before anybody else hears. */
void mempool_block_connected(struct mempool *mempool, const struct block_node *node,
                             struct block_ref *block);
/* A block was taken back: its transactions wait to be put back, and what is no longer valid without
 * it is put aside with all that spends from it. Nothing is put back before mempool_tip_changed().
 * Called likewise; block is borrowed for the call. */
void mempool_block_disconnected(struct mempool *mempool, const struct block_node *node,
                                struct block_ref *block);
/* The chain rests on a new tip: begin to put reorganised transactions back. */
void mempool_tip_changed(struct mempool *mempool, const struct block_node *tip);
/* Put back at once what a reorganisation took out, however good the new tip is, and call done when
 * all of it has been decided: within this call if nothing waits, else later. Called too when the
 * mempool is closed meanwhile. The chain must be at rest. */
void mempool_settle(struct mempool *mempool, void (*done)(void *arg), void *arg);

/* Forget all entries, told as a reorganisation's, all deltas, and what waits to be put back. What
 * is being checked may still come in. */
void mempool_empty(struct mempool *mempool);

/* -- Asking ------------------------------------------------------------------------------------ */

/* Entries. */
size_t mempool_count(const struct mempool *mempool);
/* Their virtual bytes, sigops adjusted: the sum of mempool_entry.vbytes. */
size_t mempool_vbytes(const struct mempool *mempool);
/* What they take from the heap, with what others hold for each of them: what -maxmempool limits. */
size_t mempool_memory_bytes(const struct mempool *mempool);
/* Others hold so many bytes by now for what waits, as the fee estimator does. */
void mempool_set_bytes_beside(struct mempool *mempool, size_t bytes);
/* Their fees as they pay them, without deltas. */
int64_t mempool_total_fee_sat(const struct mempool *mempool);
uint64_t mempool_sequence(const struct mempool *mempool); /* of the last event */
/* Grows with every event and every priority that was set: when it has not, the next block would be
 * chosen as before. Spec: Core GetTransactionsUpdated() */
uint64_t mempool_updates(const struct mempool *mempool);
int64_t mempool_min_feerate_sat_per_kvb(struct mempool *mempool); /* now; at least min relay */
/* As handed to mempool_new(); lives as long as the mempool does. */
const struct mempool_options *mempool_options_of(const struct mempool *mempool);
/* Entries of our own user that no peer has asked for or told us of yet. */
size_t mempool_unbroadcast_count(const struct mempool *mempool);

/* An entry by its id; NULL if there is none. */
const struct mempool_entry *mempool_find(const struct mempool *mempool, const struct txid *txid);
/* The same by the id that covers the witness: another witness of the same transaction is not it. */
const struct mempool_entry *mempool_find_wtxid(const struct mempool *mempool,
                                               const struct wtxid *wtxid);
/* The entry that spends an outpoint; NULL if none does. */
const struct mempool_entry *mempool_spender(const struct mempool *mempool,
                                            const struct outpoint *outpoint);
/* The entry of an index that another entry names. */
const struct mempool_entry *mempool_at(const struct mempool *mempool, uint32_t index);
/* Visit all in order of entry (sequence): start with *at = 0, ends with NULL. Nothing may change
 * meanwhile. */
const struct mempool_entry *mempool_next(const struct mempool *mempool, uint64_t *at);
/* All ancestors of an entry in the mempool, itself left out; *n of them, freed with xfree(). The
 * entries themselves are borrowed until the mempool changes. */
const struct mempool_entry **mempool_ancestors(const struct mempool *mempool,
                                               const struct mempool_entry *entry, size_t *n);
/* All that spends from it, directly or not, likewise. */
const struct mempool_entry **mempool_descendants(const struct mempool *mempool,
                                                 const struct mempool_entry *entry, size_t *n);
/* The chunk that it would be mined in: its modified fees, and its size in adjusted weight units. */
struct feerate mempool_chunk(const struct mempool *mempool, const struct mempool_entry *entry);
/* The chunks of its cluster in the order in which they are mined, *n of them, borrowed until the
 * mempool changes; their ends are places for mempool_cluster_at(). */
const struct linear_chunk *mempool_cluster_chunks(const struct mempool *mempool,
                                                  const struct mempool_entry *entry, uint32_t *n);
/* The entry at a place in the order of an entry's cluster. */
const struct mempool_entry *mempool_cluster_at(const struct mempool *mempool,
                                               const struct mempool_entry *entry, uint32_t place);
/* Is every cluster in an order that no other is better than? */
bool mempool_is_optimal(const struct mempool *mempool);
/* All entries, best chunks first, every entry after its parents; *n of them, freed with xfree().
 * The entries themselves are borrowed until the mempool changes. */
const struct mempool_entry **mempool_in_mining_order(const struct mempool *mempool, size_t *n);
/* All chunks in that order, as mempool_chunk() gives them; likewise. */
struct feerate *mempool_feerate_diagram(const struct mempool *mempool, size_t *n);

/* -- Orders ------------------------------------------------------------------------------------ */

/* Treat a transaction as if its fee were higher by delta; adds to earlier deltas. It need not be
 * here yet. Forgotten when it is mined. */
void mempool_prioritise(struct mempool *mempool, const struct txid *txid, int64_t delta_sat);
/* The sum of its deltas; 0 if there are none. */
int64_t mempool_delta_sat(const struct mempool *mempool, const struct txid *txid);

struct mempool_delta {
    struct txid txid;
    int64_t delta_sat;
};
/* Visit all deltas, also of what is not here: start with *at = 0, ends with NULL. Arbitrary order,
 * which must not reach behaviour. Nothing may change meanwhile. */
const struct mempool_delta *mempool_next_delta(const struct mempool *mempool, size_t *at);
/* A peer has asked for it or told us of it: it need not be sent again. */
void mempool_mark_broadcast(struct mempool *mempool, const struct txid *txid);

/* What a block has room for. */
struct mempool_selection {
    uint32_t max_weight_wu;
    uint32_t max_sigops_cost;
    int64_t min_sat_per_kvb; /* chunks below are left out: -blockmintxfee */
};

/* Entries for a block, best chunks first, every entry after its parents; *n of them, freed with
 * xfree(). NULL if there is none. */
const struct mempool_entry **mempool_select_for_block(const struct mempool *mempool,
                                                      const struct mempool_selection *selection,
                                                      size_t *n, int64_t *fees_sat);

/* Assert every invariant. Costly. */
void mempool_verify(const struct mempool *mempool);

#endif
