/* descriptors.h - how the file descriptors that the system grants are shared out.
 *
 * Layer: host. Pure. A node that runs out of them at a block's file must stop; so what it needs
 * itself is set aside, and connections get what is left. */
#ifndef HOST_DESCRIPTORS_H
#define HOST_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/assert.h"

#define DESCRIPTORS_CORE    48 /* stores, block files, log, loop, listening sockets, commands */
#define DESCRIPTORS_RPC_MIN 8
#define DESCRIPTORS_RPC_MAX 768 /* HTTP_CONNECTIONS_MAX and HTTP_PARKED_MAX */
#define DESCRIPTORS_LEAST   (DESCRIPTORS_CORE + DESCRIPTORS_RPC_MIN + P2P_MANUAL_MAX)

/* What connections may take. */
struct descriptors {
    int p2p; /* -maxconnections, lowered if need be */
    size_t rpc;
};

/* Share them out. Peers come before idle RPC clients, yet some clients can always call.
 *
 * In:       limit            descriptors that the process may have
 *           max_connections  what the user wants, not negative
 * Out:      *out
 * Returns:  false if limit is below DESCRIPTORS_LEAST */
NODISCARD bool descriptors_share(size_t limit, int max_connections, struct descriptors *out);

#endif
