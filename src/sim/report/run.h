/* run.h - what a trace of cairn-sim told: nodes, blocks, samples, marks.
 *
 * Layer: sim. Filled line by line (run_events.h), each list under a limit of its own; propagation
 * is counted while the lines pass (run_reach.h), so that no arrival is kept. */
#ifndef SIM_REPORT_RUN_H
#define SIM_REPORT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/report/delays.h"
#include "sim/report/names.h"
#include "util/arena.h"
#include "util/array.h"
#include "util/hash_map.h"

#define RUN_NODES_MAX       100000
#define RUN_BLOCKS_MAX      1000000
#define RUN_SAMPLES_MAX     20000
#define RUN_LINKS_MAX       4000000 /* openings and closings that are not summed up yet */
#define RUN_MARKS_MAX       20000   /* partitions, attacks: each */
#define RUN_PARAMETERS_MAX  40      /* members of the first line */
#define RUN_TYPES_MAX       64      /* of messages */
#define RUN_PLACES_MAX      1024    /* names of them */
#define RUN_ROLES_MAX       32      /* of nodes, and kinds of attack */
#define RUN_REACH_BYTES_MAX (256 * 1024 * 1024) /* who has which block: of those on their way */

/* How many of the nodes a block has reached: the columns of run_block.reach_us. */
enum run_share { RUN_HALF, RUN_P90, RUN_P99, RUN_ALL, RUN_SHARES };

struct run_parameter {
    char *name, *value;
};

struct run_node {
    int64_t power_e6, up_since_us;
    int32_t lat_e6, lon_e6;
    uint32_t place, role; /* numbers in run.places, run.roles */
    bool has_place, is_up, is_honest;
    struct run_block *tip; /* NULL: none that was mined in the trace */
};

struct run_block {
    uint8_t hash[32];
    struct run_block *parent; /* NULL: from before the trace */
    int64_t mined_us;
    int64_t reach_us[RUN_SHARES]; /* since it was mined; -1: not yet */
    uint64_t n_txs, bytes;
    uint32_t height, miner;
    uint32_t n_children;
    bool is_main;
    /* run_reach.c's own. */
    uint32_t n_targets, n_reached;
    int64_t last_us;
    uint8_t *has; /* a bit a node; NULL: all have it */
    uint32_t n_bits;
};

struct run_sample {
    int64_t t_us;
    uint32_t n_tips, n_up;
    int64_t mempool[3];   /* the smallest, the median, the largest, in transactions */
    int32_t agreement_e6; /* -1: not told */
    uint64_t bytes[RUN_TYPES_MAX];
};

/* -1 at the end: until the end of the run. */
struct run_partition {
    int64_t from_us, to_us;
    uint32_t n_groups;
};

struct run_attack {
    int64_t t_us;
    uint32_t node, kind, what; /* numbers in run.kinds, run.whats */
};

/* An opening (change 1) or closing (-1) of a connection; summed up: one that is open. */
struct run_link {
    uint32_t from, to;
    int32_t change;
};

/* Made by run_new(), read-only once run_finish() was called. */
struct run {
    char *name;
    int64_t seed;
    int64_t t_us; /* of the latest line; in the end how long it was */
    ARRAY(struct run_parameter) parameters;
    ARRAY(struct run_node) nodes;
    ARRAY(struct run_block *)
    blocks; /* in the order in which they were mined; owned by the arena */
    ARRAY(struct run_sample) samples;
    ARRAY(struct run_partition) partitions;
    ARRAY(struct run_attack) attacks;
    ARRAY(struct run_link) links; /* sorted after run_finish(), which leaves the open ones */
    struct names types, places, roles, kinds, whats;
    struct delays delays; /* from its mining to each honest node that was up then, all blocks */
    uint64_t n_txs_sent, n_downs, n_reorgs;
    uint32_t reorg_depth_max, n_up;
    bool has_begun, has_ended, has_agreed, has_geography;
    int64_t n_txs_mined, n_bytes; /* of the last line, -1 without one */

    struct arena arena;
    struct hash_map by_hash;
    ARRAY(struct run_block *) on_the_way; /* not with all of its targets */
    uint64_t reach_bytes;
};

/* An empty run. Owns: the caller; run_free(). */
NODISCARD struct run *run_new(void);
/* Free a run; NULL is allowed. */
void run_free(struct run *run);

/* The block with that hash, or NULL. */
struct run_block *run_find_block(const struct run *run, const uint8_t hash[32]);

/* Add a block whose hash is new; its parent is known or NULL. Owns: the run. */
struct run_block *run_add_block(struct run *run, const uint8_t hash[32]);

/* Sum the links up: an opening and a closing are nothing. */
void run_sum_links(struct run *run);

/* After the last line: which chain won (that of most honest nodes, then the highest), which links
 * are open. A partition without an end lasts until the end. */
void run_finish(struct run *run);

#endif
