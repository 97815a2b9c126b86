/* chain_inside.h - the parts of a chain, for tests that look at one of them: the only place of the
 * tests that knows struct chain. A test uses the fields of a part only in that part's folder. */
#ifndef TESTS_SUPPORT_CHAIN_INSIDE_H
#define TESTS_SUPPORT_CHAIN_INSIDE_H

#include "chain/chain_parts.h"

static inline struct chain_core *core_of(struct chain *chain)
{
    return &chain->core;
}

static inline struct chain_options *options_of(struct chain *chain)
{
    return &chain->core.options;
}

static inline struct block_files *files_of(const struct chain *chain)
{
    return chain->core.files;
}

static inline struct index_db *index_db_of(const struct chain *chain)
{
    return chain->core.index;
}

static inline struct header_tree *tree_of(struct chain *chain)
{
    return &chain->tree;
}

static inline struct active_chain *active_of(struct chain *chain)
{
    return &chain->active;
}

static inline struct best_chain *best_of(struct chain *chain)
{
    return &chain->best;
}

static inline struct lost *lost_of(struct chain *chain)
{
    return &chain->lost;
}

static inline struct flush *flush_of(struct chain *chain)
{
    return &chain->flush;
}

static inline struct writes *writes_of(struct chain *chain)
{
    return &chain->writes;
}

static inline struct flights *flights_of(struct chain *chain)
{
    return &chain->pipeline.flights;
}

static inline struct intake *intake_of(struct chain *chain)
{
    return &chain->intake;
}

static inline struct undo_repair *undo_repair_of(struct chain *chain)
{
    return &chain->undo_repair;
}

static inline struct overlay *overlay_of(struct chain *chain)
{
    return &chain->overlay;
}

static inline struct waiters *waiters_of(struct chain *chain)
{
    return &chain->waiters;
}

static inline struct undo_writes *undo_writes_of(struct chain *chain)
{
    return &chain->undo_writes;
}

#endif
