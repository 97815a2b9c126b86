/* chain_core.h - what every part of the chain may know: the world, the orders, the state of the
 * whole, and how to say that there are news.
 *
 * Layer: chain. Loop thread only, but for what is constant after the start (env, log, network, the
 * stores) and stops_jobs, which jobs read too. */
#ifndef CHAIN_CORE_CHAIN_CORE_H
#define CHAIN_CORE_CHAIN_CORE_H

#include <stdatomic.h>

#include "chain/core/chain_types.h"
#include "chain/core/scratch_pool.h"
#include "chain/core/script_cache.h"
#include "consensus/network.h"
#include "util/env.h"
#include "util/hex.h"
#include "util/log.h"

struct block_files;
struct coins;
struct index_db;

/* What the operator vouches for, beside what this release does. */
struct chain_vouched {
    struct network_snapshot facts; /* its texts are the ones below; block_hash NULL: nothing */
    char block_hash[HEX_ID_BYTES], coins_hash[HEX_ID_BYTES];
};

/* Embedded in struct chain and handed to each part, which may read all of it. Marks that a part
 * sets itself: noted_damage (lost.c), any_pruned (prune.c, startup.c), left_initial_download
 * (chain.c), vouched (snapshot_load.c).
 */
struct chain_core {
    const struct env *env;
    const struct log *log;
    const struct network *network;
    struct chain_options options;
    struct chain_events events;
    char *data_dir; /* owned */
    /* The stores: NULL until the chain is opened. */
    struct coins *coins;
    struct index_db *index;
    struct block_files *files;
    struct chain_vouched vouched;
    struct scratch_pool scratch; /* script scratches for jobs */
    struct script_cache script_cache;

    /* Open from the end of chain_open() to the end of closing. Closing is set by chain_close() and
     * faulted by core_fault(); neither is ever taken back: a chain that is to work again is a new
     * one. */
    bool is_open, closing, faulted;
    bool noted_damage;          /* of the coins: the next start makes them anew */
    bool left_initial_download; /* was caught up once */
    bool any_pruned;            /* some blocks were, in this data directory */
    atomic_bool stops_jobs;     /* tells long jobs that nobody will want their result */
    size_t ops_pending;         /* what core_begin() has counted */

    void (*turn)(void *arg); /* ask each part what it can do now */
    void *turn_arg;
    uint64_t turn_timer; /* 0: none is set */
    bool in_turn;
};

/* Make the core of a chain that is not open.
 *
 * In:    turn  what a turn does, called on the loop thread, never within itself
 * Owns:  borrows env, log and network for its life; copies the rest */
void core_init(struct chain_core *core, const struct env *env, const struct log *log,
               const struct network *network, const struct chain_options *options,
               const struct chain_events *events);
/* Who takes the turns. Once, before anything else may happen. */
void core_set_turn(struct chain_core *core, void (*turn)(void *arg), void *arg);
/* Free what core_init() made. Nothing may be pending; the stores are the caller's to close. */
void core_deinit(struct chain_core *core);

/* Open, not being closed, not at fault: new work may be taken and begun. */
bool core_is_working(const struct chain_core *core);
/* The wall clock.
 *
 * Returns:  seconds since 1970 */
int64_t core_now_s(const struct chain_core *core);

/* An operation begins that the end of the chain must wait for. */
void core_begin(struct chain_core *core);
/* An operation that core_begin() counted has ended: if the chain is being closed, a turn comes
 * soon, in which closing goes on if it was the last. */
void core_end(struct chain_core *core);
/* Something has ended that a part calls busy: closing may go on now. */
void core_ended(struct chain_core *core);

/* There are news: a turn is taken, within this call if none is under way, else soon. The last act
 * of a job's end or a timer; not for calls from outside, which a turn could surprise. */
void core_wake(struct chain_core *core);
/* The same, but never within this call: the loop comes by first. */
void core_wake_soon(struct chain_core *core);
/* No turn that was asked for is taken any more. */
void core_stop_turns(struct chain_core *core);

/* Our own world failed: remember it and tell the node. Only the first one counts.
 *
 * In:  error  a negative errno
 *      what   was being done, for the log and the operator */
void core_fault(struct chain_core *core, int error, const char *what);
/* The same where no error number says why. */
void core_fault_because(struct chain_core *core, const char *message);
/* Log a warning and show it to the operator, until the next one; "" takes it back. */
void core_warn(struct chain_core *core, const char *message);

#endif
