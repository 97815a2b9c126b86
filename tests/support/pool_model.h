/* pool_model.h - a mempool that is slow and obviously right, to hold the real one against.
 *
 * Nothing here is shared with src/mempool: plain lists, loops over all pairs, the best order of a
 * cluster by trying all its parts. Transactions are numbers, and those of a number are made before
 * those with a higher one spend from it. The model is told of an operation after the mempool has
 * done it, and finds out itself what must have come of it: answers, events one by one, content. Any
 * difference ends the program with seed and operation.
 *
 * What the model cannot know is where memory ends; it takes from the events that something was
 * evicted, and checks that this was the worst there was, and that there was a need. */
#ifndef TESTS_SUPPORT_POOL_MODEL_H
#define TESTS_SUPPORT_POOL_MODEL_H

#include "support/mempool_rig.h"

#define MODEL_TXS_MAX       220
#define MODEL_COINS_MAX     40
#define MODEL_IN_MAX        5
#define MODEL_CHAIN_MAX     48 /* blocks on the base of a sequence */
#define MODEL_BLOCK_TXS_MAX 40
/* Clusters up to this are ordered by trying all; of larger ones only the form is compared. */
#define MODEL_EXACT_MAX 11

/* An output: of a transaction, or with tx -1 the coin of that number. */
struct model_out {
    int tx;
    uint32_t vout;
};

/* A coin that was there before the sequence. */
struct model_coin {
    struct builder_coin coin;
    int32_t height;
    bool is_coinbase;
};

struct model_tx {
    struct tx tx;
    struct model_out in[MODEL_IN_MAX];
    int64_t fee_sat; /* below 0: it takes more than it spends */
    int64_t delta_sat;
    uint32_t wu, vbytes;
};

/* Numbers of transactions. */
struct model_list {
    int at[MODEL_TXS_MAX];
    int n;
};

struct model_block {
    const struct built_block *built;
    int tx[MODEL_BLOCK_TXS_MAX];
    int n;
};

struct model_chain {
    struct model_block at[MODEL_CHAIN_MAX];
    int n;
};

struct model_entry {
    int tx;
    int64_t time_s;
    int32_t height;
    bool was_in_block;
    int order; /* grows with every entry */
};

/* What waits to be put back, with when it came. */
struct model_putback {
    struct model_entry at[MODEL_TXS_MAX];
    int n_blocks, n; /* those of blocks come first */
};

struct pool_model {
    struct mempool_rig *rig;
    struct mempool_options *options; /* the mempool's own, which a sequence may change */
    uint64_t seed;
    int op;
    char what[160]; /* the operation under way */
    bool traces;

    struct model_coin coin[MODEL_COINS_MAX];
    int n_coins;
    struct model_tx tx[MODEL_TXS_MAX];
    int n_txs;
    int32_t base_height;
    const struct built_block *base;
    struct model_chain chain;
    struct model_entry pool[MODEL_TXS_MAX]; /* in the order in which they came */
    int n_pool, n_added;
    struct model_putback putback;

    double floor_sat_per_kvb;
    int64_t floor_update_s, now_s;
    bool block_since_bump;

    size_t next_event; /* of the rig's: those before it are accounted for */
    bool is_undecided; /* the last one asked for would touch more than the model can order */
    /* Of a package: what the mempool said to need what it replaces; believed where undecided. */
    struct model_list said_conflicting;
};

/* What happened, to be counted: a campaign that never hits a rule proves nothing of it. */
struct model_counts {
    uint64_t verdicts[REJECT_COUNT], events[MEMPOOL_REASON_COUNT], putbacks, chunks_evicted, exact,
        inexact, compared;
};
extern struct model_counts model_counts;

/* End the program: the mempool and the model differ. */
_Noreturn void model_fail(const struct pool_model *m, const char *format, ...) PRINTF(2, 3);

/* -- Content (pool_model.c) -------------------------------------------------------------------- */

bool model_list_has(const struct model_list *list, int tx);
void model_list_add(struct model_list *list, int tx); /* unless it is there */
bool model_has(const struct pool_model *m, int tx);
bool model_spends(const struct pool_model *m, int child, int parent);
int64_t model_modified_fee(const struct pool_model *m, int tx);
/* All entries; those of a set and all that spend from them; what one spends from, directly or not,
 * itself left out. */
struct model_list model_all(const struct pool_model *m);
struct model_list model_with_descendants(const struct pool_model *m, const struct model_list *set);
struct model_list model_ancestors(const struct pool_model *m, int tx);
struct model_list model_parents(const struct pool_model *m, int tx);

int32_t model_tip_height(const struct pool_model *m);
/* The height at which a transaction is in the chain; -1: nowhere. */
int32_t model_height_of(const struct pool_model *m, int tx);
/* Is an output a coin that nothing in the chain has spent? Then its height. */
bool model_is_coin(const struct pool_model *m, struct model_out out, int32_t *height,
                   bool *is_coinbase);
/* Could a transaction be the next of the last block, whatever policy says? */
bool model_is_valid_in_block(const struct pool_model *m, int tx);

/* -- Orders (pool_model_order.c) --------------------------------------------------------------- */

/* The fees and weight that are mined together. */
struct model_rate {
    int64_t fee_sat, wu;
};
int model_rate_compare(struct model_rate a, struct model_rate b);
/* Of a set of transactions those that hang together with one. */
struct model_list model_cluster(const struct pool_model *m, const struct model_list *set, int tx);
/* The chunks of a set in its best order, by falling rate. Returns: how many; -1 if some cluster is
 * too large to try all. level (may be NULL): of each of the set, the rate it is mined at; wu 0 for
 * those of clusters that are too large */
int model_chunks(const struct pool_model *m, const struct model_list *set,
                 struct model_rate *chunks, struct model_rate *level);
/* Do chunks earn no less than others at any size, and more at some? */
bool model_improves(const struct model_rate *a, int n_a, const struct model_rate *b, int n_b);

/* -- Rules (pool_model_rules.c) ---------------------------------------------------------------- */

/* The mempool was given one transaction: what the answer must be. is_test: nothing changes. */
enum reject model_accept(struct pool_model *m, int tx, bool is_test);
/* It was given several at once. */
struct model_package_result {
    enum reject code;
    enum mempool_package_state state[MEMPOOL_PACKAGE_COUNT_MAX];
    enum reject tx_code[MEMPOOL_PACKAGE_COUNT_MAX];
};
struct model_package_result model_package(struct pool_model *m, const int *txs, int n,
                                          bool is_test);
/* A block was connected; the last was taken back; the chain rests. */
void model_connect(struct pool_model *m, const struct model_block *block);
void model_disconnect(struct pool_model *m);
void model_rest(struct pool_model *m);
/* What -maxmempool and -mempoolexpiry ask for, as far as events say that it was done. */
void model_limit(struct pool_model *m);
/* The floor of a mempool that was full, now. */
int64_t model_floor(struct pool_model *m);
void model_prioritise(struct pool_model *m, int tx, int64_t delta_sat);

/* -- Comparing (pool_model_compare.c) ---------------------------------------------------------- */

/* Everything that can be seen. is_limited: the operation ended with keeping the size. */
void model_compare(struct pool_model *m, bool is_limited);
/* The choice for a block, against taking the chunks of the mempool's order one after the other. */
void model_compare_selection(struct pool_model *m, const struct mempool_selection *selection,
                             struct model_block *block);
/* The number of an entry. */
int model_number(const struct pool_model *m, const struct txid *txid);

#endif
