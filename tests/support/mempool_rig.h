/* mempool_rig.h - a mempool on a chain on a simulated machine, for tests that wait for answers.
 *
 * The chain is of blocks whose coinbases pay to P2WSH of OP_1, so that standard transactions need
 * no signature. Every event is recorded, and its sequence checked. After every call here all
 * invariants of the mempool are verified. */
#ifndef TESTS_SUPPORT_MEMPOOL_RIG_H
#define TESTS_SUPPORT_MEMPOOL_RIG_H

#include "mempool/mempool.h"
#include "support/chain_rig.h"
#include "support/unit.h"

#define MEMPOOL_RIG_BLOCKS 300
#define MEMPOOL_RIG_EVENTS 4096

struct mempool_rig_event {
    enum mempool_reason reason;
    struct txid txid;
    bool is_putback;
    size_t memory_bytes; /* before anything of it goes */
};

struct mempool_rig {
    struct chain_builder builder;
    struct chain_rig chain;
    struct mempool *pool;
    const struct built_block *tip;                       /* what the rig mined last */
    const struct built_block *block[MEMPOOL_RIG_BLOCKS]; /* by height - 1 */
    int32_t n_blocks;
    struct mempool_rig_event event[MEMPOOL_RIG_EVENTS];
    size_t n_events;
    uint64_t sequence;
    size_t max_bytes_seen;
    bool keeps_no_events; /* nor verifies after each: for benches */
};

/* The answer to one transaction. */
struct mempool_rig_answer {
    bool is_done;
    struct verdict verdict;
    bool was_known, is_in;
    int64_t fee_sat;
    uint32_t vbytes;
    bool has_missing;
    struct outpoint missing;
    struct txid txid;
};

/* Make a rig with n blocks; options NULL: Core's defaults. Owns: the caller. */
struct mempool_rig *mempool_rig_new(uint64_t seed, int32_t n_blocks,
                                    const struct mempool_options *options);
/* Close both in order and free all. */
void mempool_rig_free(struct mempool_rig *rig);
/* The same as a fixture's teardown. */
int mempool_rig_teardown(void **state);
/* The same for a rig whose mempool the test has closed itself. */
void mempool_rig_free_closed(struct mempool_rig *rig);

/* The coin that the coinbase at height makes; mature 100 blocks later. */
struct builder_coin mempool_rig_coin(const struct mempool_rig *rig, int32_t height);

/* A standard transaction: n coins to n_out P2WSH outputs. */
struct tx mempool_rig_spend(struct mempool_rig *rig, const struct builder_coin *coins, uint32_t n,
                            uint32_t n_out, int64_t fee_sat);
/* The same of the coinbase at height; of the parent's output i. */
struct tx mempool_rig_pay(struct mempool_rig *rig, int32_t height, uint32_t n_out, int64_t fee_sat);
struct tx mempool_rig_pay_on(struct mempool_rig *rig, const struct tx *parent, uint32_t i,
                             uint32_t n_out, int64_t fee_sat);
/* The coin that its output i makes. */
struct builder_coin mempool_rig_output(const struct tx *tx, uint32_t i);

/* Hand in and do not wait: answer is filled later and must stay. */
void mempool_rig_submit(struct mempool_rig *rig, const struct tx *tx, int flags,
                        struct mempool_rig_answer *answer);
/* Hand in and wait. */
struct mempool_rig_answer mempool_rig_answer(struct mempool_rig *rig, const struct tx *tx,
                                             int flags, int64_t max_fee_sat);
enum reject mempool_rig_add(struct mempool_rig *rig, const struct tx *tx);

/* The answer to a package. */
struct mempool_rig_package_answer {
    bool is_done;
    struct verdict verdict;
    struct mempool_package_tx tx[MEMPOOL_PACKAGE_COUNT_MAX];
    uint32_t n;
    size_t n_replaced;
    struct txid replaced[8]; /* the first of them */
};
/* Hand in transactions together and wait. */
struct mempool_rig_package_answer
mempool_rig_submit_package(struct mempool_rig *rig, const struct tx *txs, size_t n, int flags);
struct mempool_rig_package_answer
mempool_rig_request_package(struct mempool_rig *rig, const struct mempool_package *request);

/* Mine a block of these on the tip, or on another block, and hand it to the chain. */
const struct built_block *mempool_rig_mine(struct mempool_rig *rig, const struct tx *tx,
                                           uint32_t n);
const struct built_block *mempool_rig_mine_on(struct mempool_rig *rig,
                                              const struct built_block *prev, const struct tx *tx,
                                              uint32_t n);
/* Transactions that are being checked, or to be put back. */
size_t mempool_pending(const struct mempool *mempool);
/* Run until nothing happens any more. */
void mempool_rig_settle(struct mempool_rig *rig);
/* Let the wall clock go on. */
void mempool_rig_advance_s(struct mempool_rig *rig, int64_t s);

bool mempool_rig_has(const struct mempool_rig *rig, const struct tx *tx);
/* Events since the last call of this for that reason and transaction. */
size_t mempool_rig_count(const struct mempool_rig *rig, enum mempool_reason reason,
                         const struct tx *tx);

/* The code's string, for messages that people can read. */
#define assert_reject(got, want) assert_string_equal(reject_string(got), reject_string(want))

#endif
