/* sim_world.h - whole nodes in one process, from one seed: clock, network, disks, jobs.
 *
 * Layer: sim. The nodes are the ones that cairnd runs, behind a simulated struct env each, and are
 * spoken to as users do: by RPC. Whatever happens is a line of the trace; the same seed and the
 * same orders give the same trace, byte for byte.
 *
 * Start here: sim_base_new() once, then sim_world_new(), sim_world_start() for each machine,
 * orders and sim_world_run_for() in turn. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "node/node.h"
#include "sim/sim_env.h"
#include "sim/sim_net.h"
#include "util/hex.h"
#include "util/team.h"

struct sim_base;
struct sim_world;

/* What nodes encrypt (BIP324). */
enum sim_transport {
    SIM_TRANSPORT_MIXED, /* two nodes of three: all pairs of transports meet in one world */
    SIM_TRANSPORT_V1,    /* nobody */
    SIM_TRANSPORT_V2,    /* everybody */
};

/* Whom a node connects to: the numbers of other nodes. */
struct sim_links {
    const uint32_t *to;
    size_t n;
};

/* -- What all machines begin with ---------------------------------------------------------------
 */

/* A regtest chain of that many blocks, as a stopped node leaves it on its disk; the same each
 * time. Coinbases pay to anyone: see sim_spend.h. Owns: the caller. */
struct sim_base *sim_base_new(int32_t n_blocks);
/* The same in block files of that many bytes: see struct chain_options. */
struct sim_base *sim_base_new_in_files(int32_t n_blocks, uint32_t block_file_bytes);
/* One of a network (NULL: regtest), with as many blocks as there must be for ten mature coinbases
 * and two more, then one in which those are spread over that many outputs of a script, at most
 * SIM_BASE_COINS_MAX; none, without that block. Of another network than regtest its blocks are as
 * far apart as its rules want them. */
struct sim_base *sim_base_new_with_coins(const struct network *network, struct span script,
                                         size_t n_coins);
#define SIM_BASE_COINS_MAX 20000
/* The subsidy of block SIM_BASE_PAYING, in satoshi, that is enough for them. */
#define SIM_BASE_PAYING     10
#define SIM_BASE_PAYING_SAT 50000000
/* Free it; worlds made from it must be gone. */
void sim_base_free(struct sim_base *base);

/* A coin that anyone may spend. */
struct sim_coin {
    struct outpoint outpoint;
    int64_t value_sat;
};
/* The coin that the coinbase of its block at height made, which is at least 1: that of the genesis
 * block is no coin. Mature 100 blocks later. */
struct sim_coin sim_base_coin(const struct sim_base *base, int32_t height);
/* The i-th of those that were spread. */
struct sim_coin sim_base_spread_coin(const struct sim_base *base, size_t i);
/* Its tip's height. */
int32_t sim_base_height(const struct sim_base *base);

/* -- The world ----------------------------------------------------------------------------------
 */

struct sim_world_options {
    uint64_t seed;
    size_t n_nodes;
    struct sim_net_options net;
    const struct sim_base *base; /* NULL: every node begins with nothing. Borrowed */
    size_t n_links;              /* nodes that each one is told to connect to; 0: 2 */
    /* Does one of them connect to the other? Then each has these peers and no others; NULL: see
     * n_links. */
    bool (*links)(void *ctx, size_t from, size_t to);
    bool blocks_only; /* nobody asks for transactions, and blocks are asked for whole */
    /* Of each node: whom it connects to, and to nobody else, as by -connect; NULL: n_links, in a
     * ring and at random, and whom it finds. Borrowed for the call. */
    const struct sim_links *peers;
    enum sim_transport transport;
    bool shares_verdicts;      /* nodes look up what others of the world have checked */
    size_t coins_cache_bytes;  /* of each; 0: 1 MB */
    size_t script_cache_bytes; /* of each; 0: as nodes have it by default */
    size_t event_log_max;      /* events that each remembers for clients; 0: as by default */
    size_t flush_batch_bytes;  /* of each, see struct chain_options; 0: its default */
    bool txindex;
    bool persist_mempool;               /* each keeps mempool.dat */
    const struct network *network;      /* copied; NULL: regtest's */
    const struct signet_signer *signer; /* the first node's, or NULL; borrowed */
    int64_t mine_interval_s;            /* of its own blocks; 0: it makes none */
    uint32_t block_file_bytes;          /* of each, see struct chain_options; 0: its default */
    bool stalls;                        /* the first node hears late of one blocking job in eight */
    int planted; /* enum planted of util/planted.h: a bug of the first node's */
    /* Threads that move the nodes, which changes nothing but the time that it takes: see
     * sim_lanes.h. NULL: the caller's. Borrowed. */
    const struct team *team;
    /* Called for each line of the trace; NULL: it is only hashed. */
    void (*trace)(void *ctx, const char *line);
    /* A node's tip is now that block. May be NULL. */
    void (*tip)(void *ctx, size_t node, const char *block_hash);
    /* A node has logged a warning or an error. May be NULL. */
    void (*warned)(void *ctx, size_t node, const char *line);
    void *ctx;
    bool traces_logs; /* the debug logs of all nodes are part of the trace */
    bool captures;    /* each keeps what it hears and says: see p2p/core/capture.h */
};

/* Make a world whose machines are all off. Borrows options->base. */
struct sim_world *sim_world_new(const struct sim_world_options *options);
/* Stops what runs, without ceremony, and frees all. */
void sim_world_free(struct sim_world *world);

/* The virtual clock. */
int64_t sim_world_now_us(const struct sim_world *world);
/* Let time pass: everything due within us happens. */
void sim_world_run_for(struct sim_world *world, int64_t us);

/* What went wrong first, or NULL: a node that does not start, or stops because of an error, or what
 * sim_world_fail() said. */
const char *sim_world_failure(const struct sim_world *world);
/* Something went wrong: a line of the trace, and the world's failure if it is the first. The run
 * goes on, so that the trace shows what came of it. */
void sim_world_fail(struct sim_world *world, const char *format, ...) PRINTF(2, 3);

/* Add a line to the trace, with the time before it. */
void sim_world_trace(struct sim_world *world, const char *format, ...) PRINTF(2, 3);
/* SHA-256 of all lines so far, as hexadecimal text, and their number. */
uint64_t sim_world_trace_hash(const struct sim_world *world, char out[HEX_ID_BYTES]);

/* With shares_verdicts: checks of scripts that were looked up, and that were made. */
void sim_world_verdicts(const struct sim_world *world, uint64_t *known, uint64_t *made);

/* -- Machines -----------------------------------------------------------------------------------
 */

enum sim_machine_state {
    SIM_MACHINE_OFF,
    SIM_MACHINE_ON,
    SIM_MACHINE_STOPPING, /* the clean stop is under way */
};

/* What the i-th machine does. */
enum sim_machine_state sim_world_state(const struct sim_world *world, size_t i);
/* Start the node of a machine that is off, on what its disk holds. */
void sim_world_start(struct sim_world *world, size_t i);
/* Options that concern one start alone. */
struct sim_start {
    bool reindex, reindex_chainstate;
    bool prune; /* by order only; short chains too */
};
/* The same with such options. */
void sim_world_start_with(struct sim_world *world, size_t i, const struct sim_start *start);
/* Begin the clean stop of a node that is on; once it is off it can be started again. */
void sim_world_stop(struct sim_world *world, size_t i);
/* The machine crashes now; what is on its disk is what that leaves. It is off then. */
void sim_world_crash(struct sim_world *world, size_t i, enum sim_crash how);
/* It crashes before or after its n-th change of the disk from now on (0: the next), in the middle
 * of whatever the node is doing then. */
void sim_world_crash_in_write(struct sim_world *world, size_t i, enum sim_crash how, uint64_t n);
/* No such crash is to come any more. */
void sim_world_spare(struct sim_world *world, size_t i);
/* Crashes of the second kind so far. */
uint64_t sim_world_n_crashes(const struct sim_world *world);

/* What fails of a disk: see sim_disk_fail(). */
struct sim_fault {
    unsigned ops; /* enum sim_disk_op, or'ed */
    uint64_t n;   /* so many of them succeed before */
    int error;    /* negative errno */
    bool forever; /* and all later ones */
};
/* Let calls of a machine's disk fail from now on. Until sim_world_heal() it is no failure of the
 * world that its node stops or does not start because of an error. */
void sim_world_break(struct sim_world *world, size_t i, const struct sim_fault *fault);
/* The disk is sound again. Returns what its node has stopped or not started with since the last
 * sim_world_break(), or NULL; valid until the next one. */
const char *sim_world_heal(struct sim_world *world, size_t i);
/* Set a machine's wall clock on, or back if delta_s is negative; it stays so over crashes. From now
 * on its node may refuse to start, as under sim_world_break(). */
void sim_world_move_clock(struct sim_world *world, size_t i, int64_t delta_s);

/* The node of a machine that is not off. */
struct node *sim_world_node(struct sim_world *world, size_t i);
/* A machine's place in the network, while it is not off; each start makes a new one. */
struct sim_host *sim_world_host(struct sim_world *world, size_t i);
/* What the node of a machine that is not off sees of the world, its disk among it. */
const struct env *sim_world_env(struct sim_world *world, size_t i);
/* The network of all machines. */
struct sim_net *sim_world_net(struct sim_world *world);
/* A machine's address in it, on or off; nodes listen at their network's port. */
const char *sim_world_address(const struct sim_world *world, size_t i);
/* The world's own clock, on which callbacks are called, and all that happens on it: for what is no
 * node. Nodes' clocks are apart from it: see sim_lanes.h. */
struct sim_events *sim_world_events(struct sim_world *world);

/* -- Speaking to nodes --------------------------------------------------------------------------
 */

/* status: HTTP; 0: the machine crashed before it answered. body is borrowed. */
typedef void sim_answer_fn(void *arg, int status, const char *body);

/* Hand in an RPC call; params is a JSON array. done is called once, later or at once, or not at all
 * if done is NULL. The node must be on. */
void sim_world_call(struct sim_world *world, size_t i, const char *method, const char *params,
                    sim_answer_fn *done, void *arg);
/* Have a node mine a block from its mempool; it pays to anyone. */
void sim_world_mine(struct sim_world *world, size_t i);
/* What two nodes that agree have in common. */
struct sim_summary {
    int32_t height;
    char tip[HEX_ID_BYTES], muhash[HEX_ID_BYTES]; /* of the coins: hexadecimal text */
};
/* Run until a node has told its height, best block and the muhash of its coins.
 *
 * Returns: false if it did not within 10 s */
bool sim_world_summary(struct sim_world *world, size_t i, struct sim_summary *out);

#endif
