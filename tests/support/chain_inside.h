/* chain_inside.h - the parts of a chain, for tests that look at one of them: the only place of the
 * tests that knows struct chain. A test uses the fields of a part only in that part's folder. */
#ifndef TESTS_SUPPORT_CHAIN_INSIDE_H
#define TESTS_SUPPORT_CHAIN_INSIDE_H

#include "chain/chain_internal.h"

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

#endif
