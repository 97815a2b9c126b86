/* node_warnings.h - what the operator is warned of: the latest word of each source, as RPC shows
 * it.
 *
 * Layer: node. Loop thread. */
#ifndef NODE_NODE_WARNINGS_H
#define NODE_NODE_WARNINGS_H

#include "node/watch.h"
#include "util/log.h"

enum warning_source {
    WARNING_OF_CHAIN,  /* what core_warn() says: damage, blocks of the future */
    WARNING_OF_CLOCK,  /* ours differs from those of many peers */
    WARNING_OF_REPAIR, /* something is made anew; holds until the next start */
    WARNING_OF_BANS,   /* the file could not be read as it is; likewise */
    WARNING_OF_RULES,  /* watch_rules() */
    WARNING_OF_FORKS,  /* watch_forks() */
    N_WARNINGS,
};

/* All zero but ctx, alert and log: nothing to warn of. */
struct node_warnings {
    void *ctx;
    void (*alert)(void *ctx, const char *message); /* a new one */
    const struct log *log;
    char *at[N_WARNINGS]; /* the one that holds of each source, or NULL */
    struct versionbits_unknown unknown_rules;
};

/* Free them. */
void node_warnings_deinit(struct node_warnings *warnings);
/* What holds of this source from now on; "": nothing any more. */
void node_warnings_set(struct node_warnings *warnings, enum warning_source source,
                       const char *message);
/* Look for rules and forks that are to be warned of, on an open chain. */
void node_warnings_look_around(struct node_warnings *warnings, const struct chain *chain);
/* The index-th that holds, in the order of their sources; NULL behind the last, *index less those
 * that there are. */
const char *node_warnings_get(const struct node_warnings *warnings, size_t *index);

#endif
