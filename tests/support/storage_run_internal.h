/* storage_run_internal.h - the inside of a run, shared by storage_run.c and storage_check.c. */
#ifndef TESTS_SUPPORT_STORAGE_RUN_INTERNAL_H
#define TESTS_SUPPORT_STORAGE_RUN_INTERNAL_H

#include "sim/sim_spend.h"
#include "support/chain_inside.h"
#include "support/storage_run.h"

#define TRIED       0 /* the node that it is about */
#define SOUND       1 /* the one that nothing happens to */
#define SECOND      INT64_C(1000000)
#define PATIENCE_US (120 * SECOND)
#define ACKED_MAX   128
#define SENT_MAX    64

/* What is known of the one block that is invalid by order at a time. */
enum invalid_state { INVALID_NONE, INVALID_ORDERED, INVALID_ACKED, VALID_ORDERED, INVALID_UNKNOWN };

struct acked_block {
    struct block_hash hash;
};

/* A transaction that was sent; in the file that was last acknowledged, or in one being written. */
struct sent_tx {
    struct txid txid;
    char *hex;
    bool is_saving, is_saved;
    bool is_doubtful; /* not in the file that an unanswered savemempool may have put there */
};

struct run {
    const struct storage_run_options *options;
    struct storage_run_totals *totals;
    struct sim_world *world;
    struct sim_random random;
    struct sim_spend spend;
    uint64_t crashes; /* amid writes, before this life */
    bool prunes, jumps, stalls, had_fault;
    bool is_cut; /* a reindex found that the blocks below those it has are pruned */
    bool was_pruned;
    struct acked_block acked[ACKED_MAX];
    size_t n_acked;
    struct sent_tx sent[SENT_MAX];
    size_t n_sent;
    bool is_saving, is_tested; /* testmempoolaccept has been answered */
    struct block_hash saving_tip; /* when it was ordered */
    struct u256 durable_work;     /* of the tip that a complete flush had */
    enum invalid_state invalid_state;
    struct block_hash invalid;
};

static inline uint64_t draw(struct run *run, uint64_t n)
{
    return sim_random_below(&run->random, n);
}

static inline bool is_up(const struct run *run)
{
    return sim_world_state(run->world, TRIED) == SIM_MACHINE_ON;
}

static inline bool has_failed(const struct run *run)
{
    return sim_world_failure(run->world);
}

static inline struct chain *chain_of(struct run *run, size_t i)
{
    return node_chain(sim_world_node(run->world, i));
}

static inline void show_hash(const struct block_hash *hash, char out[HEX_ID_BYTES])
{
    hex_encode_reversed(out, span_of(hash->b, sizeof hash->b));
}

/* Everything that a start goes through by itself is through; or run until it is. */
bool storage_is_settled(struct run *run);
void storage_settle(struct run *run);
/* What holds of a node that has come to rest after a start; else the world has failed. */
void storage_check(struct run *run);
/* Orders alone: what is invalid is so by order, and what was ordered is. */
void storage_check_validity(struct run *run);
/* No coin of the base is another on the two nodes, whose tips agree. */
void storage_compare_coins(struct run *run);

#endif
