/* reload.h - SIGHUP: the options are read again, and those that can change while the node runs do.
 *
 * Layer: host. Loop thread. What is wrong anywhere changes nothing, with a warning in the log. An
 * option that has changed and is none of these is named there: it counts after a restart. */
#ifndef HOST_RELOAD_H
#define HOST_RELOAD_H

#include "host/config.h"
#include "node/node.h"
#include "util/log.h"

/* What a reload looks at and changes; all but held is borrowed. */
struct reload {
    int argc;
    const char *const *argv;
    const struct config *first; /* as the program started */
    struct config *held;        /* as read last; NULL: first is that */
    const char *cookie;         /* NULL: there is none */
    struct log *log;
    struct node *node;
};

/* The logins and whitelists of a config, for the node.
 *
 * In:       cookie  or NULL
 * Returns:  pointers into config */
struct rpc_auth_options reload_auth(const struct config *config, const char *cookie);

/* Read again: -debug, -debugexclude; -rpcauth, -rpcuser, -rpcpassword, -rpcwhitelist,
 * -rpcwhitelistdefault; -whitelist, for peers that come from now on. */
void reload_options(struct reload *reload);
/* Free what is held. */
void reload_deinit(struct reload *reload);

#endif
