/* chain.h - what must be remembered: headers, blocks, coins; which chain is the best one.
 *
 * Layer: chain. Everything here is called on the loop thread and never waits for a job: what takes
 * time answers later through a callback, exactly once, also when the chain is being closed (then
 * with a verdict of class FAULT or an error). All that a caller sees is the committed tip. */
#ifndef CHAIN_CHAIN_H
#define CHAIN_CHAIN_H

#include "chain/coins/coin.h"
#include "chain/coins/coins.h"
#include "chain/core/chain_types.h"
#include "chain/disk/block_ref.h"
#include "chain/disk/undo.h"
#include "chain/tree/header_tree.h"
#include "consensus/network.h"
#include "consensus/reject.h"
#include "util/env.h"
#include "util/log.h"

struct chain;

/* Make a chain; opens nothing yet. Borrows env, log and network for its life. */
struct chain *chain_new(const struct env *env, const struct log *log, const struct network *network,
                        const struct chain_options *options, const struct chain_events *events);

/* Open the stores, load the index, repair after a crash. Returns true, or false with *error (free
 * with xfree()): one line for the user that names the remedy. Work that goes on afterwards
 * (connecting blocks stored before, reindexing) shows in the tip. */
NODISCARD bool chain_open(struct chain *chain, char **error);

/* Ends an error of chain_open() as a line of its own, where a rebuild is one way out and the user's
 * to choose. Core asks there, and without anybody to answer prints the question bare. */
#define CHAIN_REBUILD_ADVICE "Please restart with -reindex or -reindex-chainstate to recover."

/* What chain_open() failed for. */
enum chain_damage chain_damage(const struct chain *chain);
/* Is the fault that stopped the chain one that the next chain_open() reports as damage, and that
 * can be made good then? */
bool chain_noted_damage(const struct chain *chain);
/* A read of the coins (coins_get()) failed with that negative errno: if it is damage, the chain
 * stops with a fault, as when it meets it itself. */
void chain_note_coins_error(struct chain *chain, int error);

/* Stop taking work, drain all jobs, flush; done(arg, error) once, error a negative errno or 0.
 * After a fault nothing is written any more. */
void chain_close(struct chain *chain, void (*done)(void *arg, int error), void *arg);
/* Only after chain_close()'s done, or if chain_open() failed or was never called. NULL is
 * allowed. */
void chain_free(struct chain *chain);

/* -- What is known ----------------------------------------------------------------------- */

/* The network's facts. Borrowed from the chain. */
const struct network *chain_network(const struct chain *chain);
/* The last block of the active chain. Borrowed from the chain; NULL before it is opened. */
const struct block_node *chain_tip(const struct chain *chain);
/* All scripts of a transaction hold by SCRIPT_VERIFY_STANDARD, on the outputs that its inputs name:
 * a block that has it need not run them again.
 *
 * It is remembered by the rules of the next block, which are some of the standard ones. Every one
 * of these only takes away ways of passing: it lets a script fail that would have held without it,
 * and never the other way round, or it could not have been a soft fork (those of policy are made
 * like one). So who passes all of them passes any part of them. Not by the standard rules: a block
 * is asked about by its own, and one of another height may have others, or of the two exceptions
 * fewer. Core runs scripts of what it accepts a second time, by the rules of the next block, in
 * case that is ever wrong; here a test goes through the flags of every height.
 *
 * Core: CheckInputsFromMempoolAndCache() */
void chain_scripts_hold(struct chain *chain, const struct wtxid *wtxid);
/* Is that known, for the next block? */
bool chain_scripts_are_known(const struct chain *chain, const struct wtxid *wtxid);
/* The header with the most work that is not known to be invalid; its block may be missing. */
const struct block_node *chain_best_header(const struct chain *chain);
/* The node of a header by its hash, or NULL. Borrowed from the chain. */
const struct block_node *chain_find(const struct chain *chain, const struct block_hash *hash);
/* Of the headers whose blocks have failed, or whose ancestors have, the one with most work; NULL if
 * there is none. */
const struct block_node *chain_best_failed(const struct chain *chain);
/* The block of the active chain at height; NULL above the tip or below 0. */
const struct block_node *chain_at(const struct chain *chain, int32_t height);
/* True if node is in the active chain. */
bool chain_contains(const struct chain *chain, const struct block_node *node);
/* Visit every header known: start with *at = 0, ends with NULL. Arbitrary order. */
const struct block_node *chain_next_node(const struct chain *chain, size_t *at);
/* Still catching up (latches to false). */
bool chain_is_initial_download(const struct chain *chain);
/* Estimated part of all transactions that is verified, 0..1, by the tip's time. */
double chain_progress(const struct chain *chain, const struct block_node *node);
bool chain_is_pruned(const struct chain *chain); /* pruning is on */
/* First height whose block and undo data are stored, with all after it (pruneheight); 0 if nothing
 * is pruned. */
int32_t chain_prune_height(const struct chain *chain);
/* What the block files may have in all (-prune); 0: nothing is pruned but by order. */
uint64_t chain_prune_target_bytes(const struct chain *chain);
/* Bytes of all block and undo files on disk. */
uint64_t chain_disk_bytes(const struct chain *chain);
size_t chain_coins_cache_bytes(const struct chain *chain); /* the limit, for getchainstates */
struct coins *chain_coins(struct chain *chain);            /* for RPC reads of the committed tip */
/* The compact bits that a block after prev at that time must have. */
uint32_t chain_next_bits(const struct chain *chain, const struct block_node *prev, uint32_t time);
/* State of a deployment for the block after prev: see consensus/versionbits.h. */
int chain_deployment_state(const struct chain *chain, const struct block_node *prev,
                           enum bip9_deployment deployment);
struct versionbits_unknown;
/* Rule changes signalled for in the blocks up to prev that are unknown here. */
void chain_update_unknown_rules(const struct chain *chain, const struct block_node *prev,
                                struct versionbits_unknown *unknown);

/* -- Blocks and headers coming in ---------------------------------------------------------- */

/* Take a header. Returns its node, new or known; NULL with the verdict if refused. */
const struct block_node *chain_accept_header(struct chain *chain, const struct block_header *header,
                                             struct verdict *verdict);

/* Take a block (block_take: bytes from xmalloc, owned by the chain from here on). Parses, checks,
 * stores, and activates the best chain; done(arg, result) when its fate is known: refused, stored
 * on a side branch, or verified and connected. */
void chain_accept_block(struct chain *chain, uint8_t *block_take, size_t len, int flags,
                        chain_block_fn *done, void *arg);

/* The same of bytes that the caller goes on looking at: block_take is not decoded yet, and one hold
 * of it is the chain's from here on. Of what the caller holds, raw alone may be looked at. */
void chain_accept_block_shared(struct chain *chain, struct block_ref *block_take, int flags,
                               chain_block_fn *done, void *arg);

/* Import a file of blocks in any order (-loadblock). done(arg, error, n_blocks) when every
 * readable block is connected or refused; error is negative if the file cannot be read. */
void chain_import_file(struct chain *chain, const char *path,
                       void (*done)(void *arg, int error, uint64_t n_blocks), void *arg);

/* True while files of blocks, the user's or our own, are still gone through. */
bool chain_is_importing(const struct chain *chain);
/* Blocks that are stored and only wait to be connected, by height; 0 at rest, and while files are
 * imported. After a crash between the index and the coins of a flush these are few. */
int32_t chain_unconnected(struct chain *chain);
/* True while blocks of our own files wait until the clock no longer says that they are of the
 * future: the tip may be older than what was acknowledged before. */
bool chain_awaits_clock(const struct chain *chain);
/* True if nothing is imported and the best of the chains that are stored is connected. */
bool chain_is_at_rest(const struct chain *chain);
/* Still taking in what was appended to the block files after the index was last written, which
 * only a node that did not stop cleanly has. The tip may be older than what was acknowledged. */
bool chain_is_replaying(const struct chain *chain);

/* -- Blocks going out ---------------------------------------------------------------------- */

/* Blocks of the committed chain that were stored, are damaged or missing and are wanted again: at
 * most max, those found last first. Returns how many. */
size_t chain_lost_blocks(struct chain *chain, const struct block_node **out, size_t max);
/* What of the stored blocks and undo data is damaged or missing, for the operator; NULL: nothing.
 * Borrowed until the next call. */
const char *chain_loss(struct chain *chain);

/* Read a stored block, off the loop. want_undo: also what it spent. */
void chain_read_block(struct chain *chain, const struct block_node *node, bool want_undo,
                      chain_read_fn *done, void *arg);
/* The same for the bytes alone: read->block may be undecoded, see block_ref_raw(). work, if it is
 * not NULL: called with them, once they are there, by the thread that reads. */
void chain_read_raw_block(struct chain *chain, const struct block_node *node,
                          chain_read_work_fn *work, chain_read_fn *done, void *arg);
/* The same for what the block spent, alone: read->block is NULL where it had to be read. */
void chain_read_undo(struct chain *chain, const struct block_node *node, chain_read_fn *done,
                     void *arg);
/* The same for a peer of ours, which can wait: after what the user asks for and what we write.
 * is_raw: the bytes are only handed on, so block->raw is all that is filled in. */
void chain_read_for_peer(struct chain *chain, const struct block_node *node, bool is_raw,
                         chain_read_fn *done, void *arg);

/* A transaction of the active chain, by the txindex, read off the loop. done gets NULL if it is
 * unknown. found->tx is NULL where the index has an old row, or its row does not lead to the
 * transaction (a damaged file, a block that was stored anew elsewhere). error: -ENOSYS no txindex;
 * -EAGAIN unknown to an index that has not reached the tip; -EUCLEAN it was damaged and is made
 * anew; -ECANCELED closing; another fault of its store, which says nothing of the transaction. */
void chain_find_tx(struct chain *chain, const struct txid *txid, chain_tx_fn *done, void *arg);
/* One that was found lately, within this call: found->tx borrows arena, and the chain until the
 * next call. False: chain_find_tx() has to look. */
NODISCARD bool chain_find_known_tx(struct chain *chain, const struct txid *txid,
                                   struct arena *arena, struct chain_tx *found);
/* txindex: is it on, is it caught up, at which height. */
bool chain_txindex_status(const struct chain *chain, bool *synced, int32_t *height);

/* Who in the active chain spends an output, by the index of -txospenderindex. done gets NULL if
 * nobody does; -ENOSYS if there is no such index, -EAGAIN while it is not built. Off the loop. */
void chain_find_spender(struct chain *chain, const struct outpoint *outpoint,
                        chain_spender_fn *done, void *arg);
/* That index: is it on, is it caught up, at which height. */
bool chain_spenderindex_status(const struct chain *chain, bool *synced, int32_t *height);

/* All that happened in the chain to the outputs of n scripts, named by their hashes, by the index
 * of -addressindex; n is at most ADDRESS_SCRIPTS_MAX. Off the loop. error: -ENOSYS no such index;
 * -EAGAIN it has not reached the tip; -E2BIG more rows than ADDRESS_ROWS_MAX; -EUCLEAN it was
 * damaged and is made anew; -ECANCELED closing; another fault of its store. */
void chain_find_addresses(struct chain *chain, const struct script_hash *hashes, size_t n,
                          chain_addresses_fn *done, void *arg);
/* That index: is it on, is it caught up, at which height. */
bool chain_addressindex_status(const struct chain *chain, bool *synced, int32_t *height);

/* Visit the basic filters of a range of blocks, oldest first, also of blocks that have left the
 * chain, by the index of -blockfilterindex.
 *
 * In:   range  at most FILTERINDEX_RANGE_MAX blocks
 * Out:  visit  on another thread, until it returns false
 *       done   once, on the loop, with how many were visited. error: -ENOSYS no such index;
 *              -EAGAIN it has not reached them; -ENOENT it has never met one of them; -EUCLEAN it
 *              was damaged and is made anew; -ECANCELED closing; another fault of its store */
void chain_visit_filters(struct chain *chain, const struct chain_filter_range *range,
                         chain_filter_fn *visit, chain_filters_done_fn *done, void *arg);
/* That index: is it on, is it caught up, at which height. */
bool chain_filterindex_status(const struct chain *chain, bool *synced, int32_t *height);

/* -- Orders -------------------------------------------------------------------------------- */

/* done(arg, verdict) when the chain has come to rest after the order, and what chain_invalidate()
 * and chain_reconsider() have changed is on disk. chain_invalidate() changes nothing, and answers
 * with BLOCK_UNAVAILABLE, if a block that it would disconnect is pruned, missing or damaged. */
void chain_invalidate(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                      void *arg);
/* Give a block, its ancestors and descendants another chance. Answered as chain_invalidate(). */
void chain_reconsider(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                      void *arg);
/* Prefer a block to others of like work, until the next start. done(arg, verdict) at rest. */
void chain_precious(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                    void *arg);
/* This moment. Blocks that come from now on can be forgotten. */
struct chain_moment chain_now(const struct chain *chain);
/* Go back to such a moment: to its tip, from whatever tip, and forget each block and header that
 * came since, and what was said of older ones (chain_invalidate()). They can come anew, from
 * whoever has them. For test chains: the rows are gone, but not the bytes, which -reindex finds.
 * done(arg, verdict) when no start could end elsewhere; within this call if the order is refused:
 * PREV_NOT_FOUND if that tip is unknown; BLOCK_UNAVAILABLE, and nothing has changed. */
void chain_rewind(struct chain *chain, const struct chain_moment *moment, chain_order_fn *done,
                  void *arg);
/* Write everything to disk, synced. */
void chain_flush(struct chain *chain, void (*done)(void *arg, int error), void *arg);
/* Make the blocks that are stored by now durable, not the coins: a later start finds them in their
 * files. done(arg, verdict) within this call if the disk has failed before, else later;
 * REJECT_FAULT if they are not durable. */
void chain_sync_blocks(struct chain *chain, chain_order_fn *done, void *arg);
/* Flush, then remove block files that hold only blocks at or below height, but never the last
 * CHAIN_PRUNE_KEEP_BLOCKS. done(arg, error) when they are gone: see chain_prune_height(). */
void chain_prune_to(struct chain *chain, int32_t height, void (*done)(void *arg, int error),
                    void *arg);
/* Check the last n_blocks (0: all) at a level 0..4 as verifychain. done(arg, ok). */
void chain_verify(struct chain *chain, int level, int n_blocks, void (*done)(void *arg, bool ok),
                  void *arg);

/* Coins could not be read, by the chain or by who reads them through chain_coins(): a fault of our
 * disk that ends the work. error: negative errno; damage (-EUCLEAN) is noted durably, and the next
 * start makes the coins anew. what: for the log. */
void chain_fault_of_coins(struct chain *chain, int error, const char *what);

/* -- Mining (chain/mining.h builds on these) ------------------------------------------------ */

/* The version of a block after prev: signals what is started or locked in. */
int32_t chain_block_version(struct chain *chain, const struct block_node *prev);
/* Work on behalf of the chain begins, which closing it waits for. */
void chain_begin(struct chain *chain);
/* Such work has ended. */
void chain_end(struct chain *chain);
/* Is the chain being closed? Then such work should come to its end. */
bool chain_is_closing(const struct chain *chain);
/* The world that the chain lives in. */
const struct env *chain_env(const struct chain *chain);

/* Would this block be valid on top of the tip? Nothing is stored. With proof of work unchecked.
 * done(arg, verdict). Spec: Core TestBlockValidity() */
void chain_test_block(struct chain *chain, struct block_ref *block, chain_order_fn *done,
                      void *arg);

/* -- Statistics (chain/coin_stats.h) -------------------------------------------------------- */

/* Flush, then count and hash every coin of the committed tip, off the loop. */
void chain_coin_stats(struct chain *chain, enum coin_stats_hash hash, coin_stats_fn *done,
                      void *arg);

/* The same figures as of any block that was ever connected, with its MuHash, by the index of
 * -coinstatsindex. error: -ENOSYS no such index; -EAGAIN it has not reached the block; -ENOENT it
 * has never met it; -EUCLEAN it was damaged and is made anew; -ECANCELED closing; another fault of
 * its store. Off the loop. */
void chain_find_coin_stats(struct chain *chain, const struct block_node *node, coin_stats_fn *done,
                           void *arg);
/* That index: is it on, is it caught up, at which height. */
bool chain_coinstatsindex_status(const struct chain *chain, bool *synced, int32_t *height);

/* Flush, then show every coin of the committed tip to visit, on another thread, in the order of the
 * txids' bytes, until it returns false. Then done(arg, error, tip) on the loop thread. The coin's
 * script is borrowed for the call. */
void chain_scan_coins(struct chain *chain, chain_coin_fn *visit,
                      void (*done)(void *arg, int error, const struct block_node *tip), void *arg);

/* Flush, then write all coins to a file at path in Core's format, off the loop: of the committed
 * tip (target NULL) or as of a block below it, for which the blocks above it must be stored. The
 * file is called path with COIN_DUMP_PART_SUFFIX until it is whole.
 *
 * Out:      done   once, later. error: -ENODATA target is not in the chain, or a block above it
 *                  cannot be read; -ECANCELED closing; others of the disk
 * Returns:  0, or why it was not begun, and done will not be called: the error of opening the
 *           file; -EBUSY one is being written; -ECANCELED closing */
NODISCARD int chain_dump_coins(struct chain *chain, const char *path,
                               const struct block_node *target, coin_dump_fn *done, void *arg);

/* Go on with the coins of a file in Core's format, of a block whose header is known and that this
 * release vouches for, or who orders it: they are read and compared off the loop, then the chain's
 * tip is that block, and those below are checked in the background.
 *
 * Returns:  0, or why it was not begun, and done will not be called: the error of opening the file;
 *           -EBUSY one is being read; -ECANCELED closing */
NODISCARD int chain_load_coins(struct chain *chain, const struct coin_load_order *order);
/* What is checked of the blocks below a snapshot. */
struct chain_past {
    const struct block_node *base, *tip; /* the snapshot's block; the last one checked */
    bool is_checked;                     /* all of them are */
};
/* Has the chain gone on from a snapshot that it met unchecked in this run? */
bool chain_has_past_check(const struct chain *chain, struct chain_past *out);
/* Is there a part of the committed chain that is only assumed, and mostly not stored? */
bool chain_lacks_past(const struct chain *chain);
/* The next blocks of it that are wanted, at most max; they are taken with CHAIN_ACCEPT_FORCE.
 * Returns how many. */
size_t chain_past_missing(const struct chain *chain, const struct block_node **out, size_t max);
/* Assert every invariant of tree, candidates and tip. Costly; for tests and -checkblockindex. */
void chain_check(const struct chain *chain);

#endif
