/* snapshot_dir.h - the folder of a second set of coins, and what a start makes of it.
 *
 * Layer: chain. chainstate_snapshot beside chainstate: a store of coins, and files that say what is
 * known of it. base_blockhash, Core's, comes last when the store is filled: without it the store is
 * nothing. Then one of two marks: checked (it takes the place of the other one at the next start)
 * or invalid (it is put aside). doc/decisions/0272-a-second-set-of-coins.md */
#ifndef CHAIN_COINS_SNAPSHOT_DIR_H
#define CHAIN_COINS_SNAPSHOT_DIR_H

#include "consensus/block.h"
#include "util/env.h"
#include "util/log.h"

#define SNAPSHOT_MARK_CHECKED "checked"
#define SNAPSHOT_MARK_INVALID "invalid"

/* Where the store is. Free it with xfree(). */
char *snapshot_dir_path(const char *data_dir);
/* The block that a filled store is as of. Returns 0, -ENOENT without one, or another negative errno
 */
NODISCARD int snapshot_dir_base(const struct env *env, const char *data_dir,
                                struct block_hash *base);
/* The store is filled, durably. Returns 0 or a negative errno. */
NODISCARD int snapshot_dir_set_base(const struct env *env, const char *data_dir,
                                    const struct block_hash *base);
/* Of a store whose coins somebody vouches for, not this release: their hash and the transactions up
 * to their block, noted before the store counts. Returns 0 or a negative errno. */
NODISCARD int snapshot_dir_set_vouched(const struct env *env, const char *data_dir,
                                       const uint8_t coins_hash[32], uint64_t chain_tx);
/* What was noted. Returns 0, -ENOENT if nothing was, or another negative errno */
NODISCARD int snapshot_dir_vouched(const struct env *env, const char *data_dir,
                                   uint8_t coins_hash[32], uint64_t *chain_tx);
/* Set one of the marks, durably. Returns 0 or a negative errno. */
NODISCARD int snapshot_dir_mark(const struct env *env, const char *data_dir, const char *mark);
/* Away with all of it, closed. The file that makes it count goes first. Returns 0 or a negative
 * errno. */
NODISCARD int snapshot_dir_remove(const struct env *env, const char *data_dir);
/* At a start, before any store is opened: carry out what the marks say, also what an earlier start
 * was cut short amid, and empty what was never filled.
 *
 * Returns:  0, or a negative errno with *error set (xfree it) */
NODISCARD int snapshot_dir_settle(const struct env *env, const struct log *log,
                                  const char *data_dir, char **error);

#endif
