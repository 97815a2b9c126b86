/* node_warnings.c - see node_warnings.h */
#include "node/node_warnings.h"

#include <string.h>

#include "util/alloc.h"

void node_warnings_deinit(struct node_warnings *warnings)
{
    ASSERT(warnings);
    for (size_t i = 0; i < N_WARNINGS; i++)
        xfree(warnings->at[i]);
}

void node_warnings_set(struct node_warnings *warnings, enum warning_source source,
                       const char *message)
{
    ASSERT((unsigned)source < N_WARNINGS && message);
    xfree(warnings->at[source]);
    warnings->at[source] = *message ? xstrdup(message) : NULL;
    if (*message)
        warnings->alert(warnings->ctx, message);
}

/* The same, told only where it is new. */
static void renew(struct node_warnings *warnings, enum warning_source source, const char *message)
{
    const char *old = warnings->at[source];
    if (strcmp(old ? old : "", message) == 0)
        return;
    if (*message)
        log_warning(warnings->log, "%s", message);
    node_warnings_set(warnings, source, message);
}

/* While catching up, what others have long known is no news. */
void node_warnings_look_around(struct node_warnings *warnings, const struct chain *chain)
{
    ASSERT(chain);
    char line[WATCH_LINE_BYTES];
    if (chain_is_initial_download(chain))
        return;
    renew(warnings, WARNING_OF_RULES, watch_rules(&warnings->unknown_rules, chain, line));
    renew(warnings, WARNING_OF_FORKS, watch_forks(chain));
}

const char *node_warnings_get(const struct node_warnings *warnings, size_t *index)
{
    ASSERT(warnings && index);
    for (size_t i = 0; i < N_WARNINGS; i++) {
        if (warnings->at[i] && (*index)-- == 0)
            return warnings->at[i];
    }
    return NULL;
}
