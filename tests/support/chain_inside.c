/* chain_inside.c - see chain_inside.h. */
#include "support/chain_inside.h"

#include "chain/chain_parts.h"

struct chain_core *core_of(struct chain *chain)
{
    return &chain->core;
}

struct chain_options *options_of(struct chain *chain)
{
    return &chain->core.options;
}

struct block_files *files_of(const struct chain *chain)
{
    return chain->core.files;
}

struct index_db *index_db_of(const struct chain *chain)
{
    return chain->core.index;
}

struct header_tree *tree_of(struct chain *chain)
{
    return &chain->tree;
}

struct active_chain *active_of(struct chain *chain)
{
    return &chain->active;
}

struct best_chain *best_of(struct chain *chain)
{
    return &chain->best;
}

struct lost *lost_of(struct chain *chain)
{
    return &chain->lost;
}

struct flush *flush_of(struct chain *chain)
{
    return &chain->flush;
}

struct writes *writes_of(struct chain *chain)
{
    return &chain->writes;
}

struct flights *flights_of(struct chain *chain)
{
    return &chain->pipeline.flights;
}

struct intake *intake_of(struct chain *chain)
{
    return &chain->intake;
}

struct undo_repair *undo_repair_of(struct chain *chain)
{
    return &chain->undo_repair;
}

struct overlay *overlay_of(struct chain *chain)
{
    return &chain->overlay;
}

struct waiters *waiters_of(struct chain *chain)
{
    return &chain->waiters;
}

struct undo_writes *undo_writes_of(struct chain *chain)
{
    return &chain->undo_writes;
}

struct index_follower *filterindex_follower_of(struct chain *chain)
{
    return &chain->filterindex.follower;
}

const char *blocks_dir_of(const struct chain *chain)
{
    return chain->blocks_dir;
}
