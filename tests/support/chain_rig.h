/* chain_rig.h - a chain on a simulated machine, for tests that wait for its answers.
 *
 * The calls here run the machine's events until the chain has answered. A rig counts what the
 * chain tells its node, and checks that it is told in order. */
#ifndef TESTS_SUPPORT_CHAIN_RIG_H
#define TESTS_SUPPORT_CHAIN_RIG_H

#include "chain/chain.h"
#include "sim/sim_env.h"
#include "support/chain_builder.h"

struct chain_rig {
    struct sim_env *sim;
    struct network network;
    struct chain_options options;
    struct log log;
    struct chain *chain;
    const struct block_node *tip; /* as the events told it */
    size_t n_connected, n_disconnected, n_tip_changed, n_invalid, n_faults, n_warnings,
        n_losses; /* times that nothing was lost before */
    char fault[200], warning[300], loss[300];
    struct verdict last_invalid;
    struct chain_events also; /* told of blocks and tips after the rig itself; any may be NULL */
};

/* Make a rig on sim (taken) with the builder's network; options (may be NULL) are copied, their
 * data_dir defaults to "regtest", their cache to 4 MB. Opens nothing. Set CAIRN_TEST_LOG in the
 * environment to see the chain's log. */
void rig_init(struct chain_rig *rig, struct sim_env *sim_take, const struct chain_builder *builder,
              const struct chain_options *options);
/* Open the chain; fails the test if that fails. */
void rig_open(struct chain_rig *rig);
/* Make a rig on a new machine of that seed and open it. */
void rig_start(struct chain_rig *rig, uint64_t seed, const struct chain_builder *builder,
               const struct chain_options *options);
/* Close the chain and free it; returns the error that chain_close() gave. */
int rig_close(struct chain_rig *rig);
/* Close if open, and free the machine. */
void rig_deinit(struct chain_rig *rig);
/* Go on as a new process on what the machine's disk holds after a crash now; the old process is
 * closed and forgotten. Does not open. */
void rig_crash(struct chain_rig *rig, enum sim_crash how, uint64_t seed);

/* Run until nothing is pending. */
void rig_settle(struct chain_rig *rig);
/* Hand a block over and do not wait; or wait for its fate. */
void rig_submit(struct chain_rig *rig, const struct built_block *block);
struct chain_block_result rig_accept(struct chain_rig *rig, const struct built_block *block);
/* Hand over the headers up to last, so that its blocks may come in any order: the pool may finish
 * a child's check before its parent's. */
void rig_announce(struct chain_rig *rig, const struct built_block *last);
/* Hand over last and all its ancestors that the chain does not have, and settle. */
void rig_accept_chain(struct chain_rig *rig, const struct built_block *last);

/* Orders, until answered. */
struct verdict rig_invalidate(struct chain_rig *rig, const struct built_block *block);
struct verdict rig_reconsider(struct chain_rig *rig, const struct built_block *block);
struct verdict rig_precious(struct chain_rig *rig, const struct built_block *block);
int rig_flush(struct chain_rig *rig);
struct coin_stats rig_coin_stats(struct chain_rig *rig, enum coin_stats_hash hash);

/* True if the committed tip is that block. */
bool rig_is_at(const struct chain_rig *rig, const struct built_block *block);

/* Run until *flag is set; fails the test if that does not happen within two virtual minutes. */
void rig_wait(struct chain_rig *rig, const bool *flag);

#endif
