/* check.h - a transaction being checked: its coins, and the rules that need chain and entries.
 *
 * Layer: mempool, internal. accept.c leads it through its jobs. The functions change no entry, so
 * they can be asked again whenever tip or entries have changed. */
#ifndef MEMPOOL_CHECK_H
#define MEMPOOL_CHECK_H

#include "consensus/script_verify.h"
#include "mempool/mempool_internal.h"

/* One transaction on its way. While a job of its is under way the job has what it fills (tx,
 * verdict and the arrays; or sighash, next_input, script_error) for itself; all else is the loop's.
 * It is freed when it has been answered, and answered exactly once. */
struct pool_check {
    struct mempool *mempool;
    struct list_link link, forming; /* of those under way; of its lane's */
    bool is_formed;                 /* its first job has ended */
    struct env_job job;             /* its form, then its scripts, a slice at a time */
    struct coins_read read;         /* of missing */

    uint8_t *raw; /* owned, until it is the entry's; what is decoded borrows from it */
    size_t len;
    int flags;               /* enum mempool_accept_flags, enum pool_check_flags */
    int64_t max_fee_sat;     /* 0: any */
    struct feerate max_rate; /* modified fee by virtual bytes; size 0: any */
    int64_t time_s;          /* when it came */
    bool was_in_block;       /* one that was taken back */
    bool was_here;           /* it obeyed the rules of relay: scripts known to hold are not run */
    bool is_putback;         /* after a reorganisation: counted in putbacks.under_way */
    mempool_result_fn *done; /* NULL: nobody asks */
    void *arg;
    /* Of one that is judged with others: what it waited for has come, or its verdict says why not.
     * Those before it in its package, whose outputs it may spend. NULL: judged alone. */
    void (*proceed)(struct pool_check *check, bool coins_were_read);
    void *package;
    struct pool_check *const *before;
    uint32_t n_before;

    struct arena tx_arena; /* of the decoded transaction */
    struct arena arena;    /* of all else */
    struct tx tx;
    bool is_decoded;
    struct verdict verdict;

    /* Filled when its coins were found; scripts are copies, since their owners may go. */
    struct tx_out *spent;     /* n_in, as scripts want it */
    struct spent_coin *rules; /* n_in, the same as the rules of consensus/tx_verify.h want it */
    struct outpoint *missing; /* room for n_in: not in memory, to be read ... */
    bool *absent;             /* ... and which of them the store does not have */
    size_t n_missing;
    struct outpoint unknown; /* the first input that does not exist */
    bool is_in_map;
    struct pool_check *waits_for; /* pool_check_wait() */
    bool is_in_line;              /* for its turn, and not for its parent */
    struct list waiters;      /* those that wait for this one, in the order in which they began */
    struct list_link waiting; /* of those of the parent, then of those woken */

    /* Of the entries as they are in this epoch; distinct. */
    struct pool_entry **conflicts, **parents; /* spend the same coins; spent from */
    uint32_t n_conflicts, n_parents;
    uint32_t parents_before;    /* bits: of those before it, which it spends from */
    bool is_sibling_eviction;   /* one of the conflicts makes room only: BIP-431 */
    struct pool_txids replaced; /* owned: what went for it */

    int64_t fee_sat, modified_fee_sat;            /* modified: with the delta that our user adds */
    uint64_t sigops_cost;                         /* as a block counts it */
    uint32_t vbytes;                              /* adjusted: policy_vbytes() */
    struct sequence_locks locks;                  /* as of struct pool_entry ... */
    int32_t coin_height_max, coinbase_height_max; /* ... and these */

    struct tx_sighash sighash;
    uint32_t next_input; /* scripts of those before it hold */
    enum script_error script_error;
    bool scripts_hold;
    bool scripts_ran; /* here, whatever came of it */
    /* All other rules hold, on this tip and in this epoch of the mempool. */
    bool rules_hold;
    uint64_t epoch;
    const struct block_node *tip;
};

/* Beside enum mempool_accept_flags: how a transaction of a package is judged. */
enum pool_check_flags {
    POOL_CHECK_NO_REPLACEMENT = 1 << 16, /* nothing may go for it */
    POOL_CHECK_PACKAGE_FEES = 1 << 17,   /* its own are not looked at, nor siblings replaced */
    POOL_CHECK_LATE_LIMIT = 1 << 18,     /* of a package, which keeps the size of the mempool */
};

/* hash_map_equal_fn of mempool->checks: a struct pool_check and a struct txid. */
bool pool_check_has_txid(const void *value, const void *key);
/* The check under way of that transaction. Returns: NULL if there is none */
struct pool_check *pool_check_find(const struct mempool *mempool, const struct txid *txid);

/* It goes on when that other one has been decided: its parent, or who has its turn before it
 * (is_in_line). Nobody ever waits in a circle: whoever has to give up its place in the line is
 * among mempool->woken then, which the caller has to see to. */
void pool_check_wait(struct pool_check *check, struct pool_check *other, bool is_in_line);
/* Is it that one, or does it wait for it, be it through others? */
bool pool_check_waits_for(const struct pool_check *check, const struct pool_check *other);

/* The rules that look at the other entries only: before coins are looked for. Finds whom it would
 * replace. */
enum reject pool_check_entries(struct pool_check *check);

enum pool_find {
    POOL_FIND_ALL,
    POOL_FIND_READ,  /* check->missing have to be read from the store first */
    POOL_FIND_WAITS, /* for a parent that is being checked: check->waits_for */
    POOL_FIND_NONE,  /* verdict set */
};

/* Find the coins of all inputs.
 *
 * In:       coins_were_read  the read that it asked for has just ended
 * Fails:    POOL_FIND_NONE: some coin does not exist, or the transaction is in the chain */
enum pool_find pool_check_find_coins(struct pool_check *check, bool coins_were_read);

/* All rules but the scripts, and but those of what it replaces and of the cluster that it would be
 * in, on the tip and the entries as they are now. Returns: false: verdict set */
bool pool_check_rules(struct pool_check *check);
/* Does it pay no more than its sender has allowed? Behind replacement and clusters for one that
 * comes alone, right behind its own rules in a package. Returns: false: verdict set */
bool pool_check_max_rate(struct pool_check *check);
/* Do such fees, with deltas, pay for so many bytes? First the floor of a full mempool, then that of
 * the relay is named. Returns: false: verdict set. Spec: Core CheckFeeRate() */
bool pool_pays(struct mempool *mempool, int64_t fee_sat, uint32_t vbytes, struct verdict *verdict);

#endif
