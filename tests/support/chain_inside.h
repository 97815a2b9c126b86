/* chain_inside.h - the parts of a chain, for tests that look at one of them.
 *
 * chain_inside.c is the only file of the tests' that knows struct chain, beside the tests of
 * chain.c, startup.c and turn.c. A test uses the fields of a part only in that part's folder. */
#ifndef TESTS_SUPPORT_CHAIN_INSIDE_H
#define TESTS_SUPPORT_CHAIN_INSIDE_H

#include "chain/ask/index_follower.h"
#include "chain/chain.h"
#include "chain/intake/import.h"
#include "chain/intake/orders.h"
#include "chain/tree/deployments.h"
#include "chain/tree/index_db.h"
#include "chain/upkeep/prune.h"
#include "chain/upkeep/verify.h"

/* One part of the chain each; borrowed. */
struct chain_core *core_of(struct chain *chain);
struct chain_options *options_of(struct chain *chain);
struct block_files *files_of(const struct chain *chain);
struct index_db *index_db_of(const struct chain *chain);
struct header_tree *tree_of(struct chain *chain);
struct active_chain *active_of(struct chain *chain);
struct best_chain *best_of(struct chain *chain);
struct lost *lost_of(struct chain *chain);
struct flush *flush_of(struct chain *chain);
struct writes *writes_of(struct chain *chain);
struct flights *flights_of(struct chain *chain);
struct intake *intake_of(struct chain *chain);
struct undo_repair *undo_repair_of(struct chain *chain);
struct overlay *overlay_of(struct chain *chain);
struct waiters *waiters_of(struct chain *chain);
struct undo_writes *undo_writes_of(struct chain *chain);
struct index_follower *filterindex_follower_of(struct chain *chain);
/* Where its block files are. Borrowed. */
const char *blocks_dir_of(const struct chain *chain);

#endif
